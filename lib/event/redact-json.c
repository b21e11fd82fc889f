/* Takes secrets out of JSON.
 *
 * Structure tells more than text: below a secret name everything is secret, whatever it looks like. The
 * traps: a label holds JSON as a string, which holds an environment again; an argument list splits
 * "--password x" into two elements; a proxy's password may hold '/' or '@'. When in doubt it is hidden. */

#include "lib/event/redact-json.h"

#include <strings.h>

#include "lib/base/buffer.h"
#include "lib/base/redact.h"
#include "lib/event/object.h"

#define REDACTED  "REDACTED"
#define DEPTH_MAX 64

typedef enum Secrecy {
        SECRECY_TEXT, /* secrets are looked for inside strings */
        SECRECY_PROXY,
        SECRECY_ENVIRONMENT,
        SECRECY_SECRET, /* every value is one */
} Secrecy;

static json_t *copy_value(const json_t *value, Secrecy secrecy, unsigned depth);

static bool ends_with_nocase(const char *name, const char *ending) {
        size_t n = strlen(name), m = strlen(ending);

        return n >= m && strcasecmp(name + n - m, ending) == 0;
}

static bool is_uri(const json_t *value) {
        Text text = json_is_string(value) ? (Text){json_string_value(value), json_string_length(value)}
                                          : TEXT_NONE;

        return text_starts_with(text, "file://") || text_starts_with(text, "pkcs11:");
}

static Secrecy secrecy_of_member(const char *name, const json_t *value) {
        if (strcasecmp(name, "env") == 0 || ends_with_nocase(name, ".env") ||
                strcasecmp(name, "environment") == 0)
                return SECRECY_ENVIRONMENT;
        if (redact_is_secret_name(text_of(name)))
                return SECRECY_SECRET;
        /* device_id_pk, pkcs11_pin: a value of its own, or where it is kept, which may be told */
        if ((ends_with_nocase(name, "pk") || ends_with_nocase(name, "pin")) && !is_uri(value))
                return SECRECY_SECRET;
        return ends_with_nocase(name, "proxy") ? SECRECY_PROXY : SECRECY_TEXT;
}

static Secrecy secrecy_of_variable(Text name) {
        if (!container_env_is_kept(name))
                return SECRECY_SECRET;
        return name.len >= 5 && strncasecmp(name.data + name.len - 5, "proxy", 5) == 0 ? SECRECY_PROXY
                                                                                       : SECRECY_TEXT;
}

static json_t *string_of(char *text) {
        json_t *string = text ? json_string(text) : NULL;

        free(text);
        return string;
}

/* "http://user:password@proxy:3128": all before the last '@' but the scheme. */
static char *redact_proxy(Text url) {
        const char *scheme, *at;
        Buffer b = {};
        size_t head;

        if (!url.data)
                return redact_text(url);
        scheme = memmem(url.data, url.len, "://", 3);
        at = memrchr(url.data, '@', url.len);
        head = scheme ? (size_t) (scheme - url.data) + 3 : 0;
        if (!at || (size_t) (at - url.data) < head)
                return redact_text(url);
        (void) buffer_append_text(&b, text_clip(url, head));
        (void) buffer_append_string(&b, REDACTED);
        (void) buffer_append_text(&b, text_skip(url, (size_t) (at - url.data)));
        return buffer_take(&b);
}

/* Returns NULL with *ret_is_json false when the text is no JSON document. */
static char *redact_inner_json(Text text, Secrecy secrecy, unsigned depth, bool *ret_is_json) {
        json_t *inner = NULL, *copy;
        char *out;

        *ret_is_json = false;
        if (text.len < 2 || (text.data[0] != '{' && text.data[0] != '['))
                return NULL;
        inner = json_loadb(text.data, text.len, 0, NULL);
        if (!inner)
                return NULL;
        *ret_is_json = true;
        copy = copy_value(inner, secrecy, depth + 1);
        json_decref(inner);
        out = copy ? json_dumps(copy, JSON_COMPACT) : NULL;
        json_decref(copy);
        return out;
}

static json_t *copy_string(const json_t *value, Secrecy secrecy, unsigned depth) {
        Text text = {json_string_value(value), json_string_length(value)};
        bool is_json = false;
        char *inner;

        if (text.len == 0)
                return json_string("");
        if (secrecy == SECRECY_SECRET)
                return json_string(REDACTED);
        if (secrecy == SECRECY_PROXY)
                return string_of(redact_proxy(text));
        inner = redact_inner_json(text, secrecy, depth, &is_json);
        if (is_json)
                return string_of(inner);
        if (secrecy == SECRECY_ENVIRONMENT || text_contains(text, "PRIVATE KEY-----"))
                return json_string(REDACTED);
        return string_of(redact_text(text));
}

/* "NAME=value" of an environment. */
static json_t *copy_assignment(const json_t *value) {
        Text text = {json_string_value(value), json_string_length(value)}, name;
        const char *equals = memchr(text.data, '=', text.len);
        json_t *string, *redacted;
        Buffer b = {};

        if (!equals)
                return json_stringn(text.data, text.len);
        name = text_clip(text, (size_t) (equals - text.data));
        string = json_stringn(equals + 1, text.len - name.len - 1);
        redacted = string ? copy_string(string, secrecy_of_variable(name), 0) : NULL;
        json_decref(string);
        if (!redacted)
                return NULL;
        (void) buffer_append_text(&b, name);
        (void) buffer_append_string(&b, "=");
        (void) buffer_append_string(&b, json_string_value(redacted));
        json_decref(redacted);
        return string_of(buffer_take(&b));
}

/* "--password", whose value is the next element. */
static bool is_secret_option(const json_t *value) {
        const char *text = json_string_value(value);

        return text && text[0] == '-' && !strchr(text, '=') && !strchr(text, ' ') &&
                redact_is_secret_name(text_of(text + strspn(text, "-")));
}

static json_t *copy_array(const json_t *array, Secrecy secrecy, unsigned depth) {
        json_t *copy = json_array();
        bool is_value = false;

        for (size_t i = 0; copy && i < json_array_size(array); i++) {
                const json_t *item = json_array_get(array, i);
                json_t *redacted;

                if (secrecy == SECRECY_ENVIRONMENT && json_is_string(item))
                        redacted = copy_assignment(item);
                else
                        redacted = copy_value(item, is_value ? SECRECY_SECRET : secrecy, depth + 1);
                is_value = is_secret_option(item);
                if (!redacted || json_array_append_new(copy, redacted) < 0) {
                        json_decref(copy);
                        return NULL;
                }
        }
        return copy;
}

static json_t *copy_object(const json_t *object, Secrecy secrecy, unsigned depth) {
        json_t *copy = json_object(), *member;
        const char *name;

        json_object_foreach ((json_t *) object, name, member) {
                Secrecy inner = secrecy == SECRECY_SECRET ? SECRECY_SECRET
                        : secrecy == SECRECY_ENVIRONMENT  ? secrecy_of_variable(text_of(name))
                                                          : secrecy_of_member(name, member);
                json_t *redacted = copy ? copy_value(member, inner, depth + 1) : NULL;

                if (!redacted || json_object_set_new(copy, name, redacted) < 0) {
                        json_decref(copy);
                        return NULL;
                }
        }
        return copy;
}

static json_t *copy_value(const json_t *value, Secrecy secrecy, unsigned depth) {
        if (depth > DEPTH_MAX)
                return json_string(REDACTED);
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return copy_object(value, secrecy, depth);
        case JSON_ARRAY:
                return copy_array(value, secrecy, depth);
        case JSON_STRING:
                return copy_string(value, secrecy, depth);
        case JSON_INTEGER:
        case JSON_REAL:
                return secrecy == SECRECY_SECRET ? json_string(REDACTED) : json_copy((json_t *) value);
        default:
                return json_incref((json_t *) value);
        }
}

json_t *redact_json(const json_t *value) {
        return copy_value(value, SECRECY_TEXT, 0);
}
