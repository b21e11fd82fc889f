/* Reads a request. Everybody may connect; nothing in a request is trusted, least of all what becomes part of
 * a path or of an engine's URL. */

#include "daemon/fix/request.h"

#include <jansson.h>

#include "lib/base/word.h"
#include "lib/event/json-field.h"
#include "lib/fix/ledger.h"

static const char *const verbs[FIX_VERB_X_MAX] = {
        [FIX_VERB_APPLY] = "apply",
        [FIX_VERB_HISTORY] = "history",
        [FIX_VERB_LIST] = "list",
        [FIX_VERB_PLAN] = "plan",
        [FIX_VERB_UNDO] = "undo",
};

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool consists_of(const char *s, const char *accepted) {
        return s[strspn(s, accepted)] == '\0';
}

static bool is_fix_name(const char *s) {
        return s[0] != '\0' && consists_of(s, LOWER DIGITS "-");
}

/* As the engine allows it; "" is the fix's default. */
static bool is_subject(const char *s) {
        return consists_of(s, LOWER UPPER DIGITS "_.-") && s[0] != '.' && s[0] != '-';
}

static bool is_id(const char *s) {
        return strlen(s) == FIX_RUN_ID_BYTES && consists_of(s, DIGITS "abcdef");
}

static int refuse(const char **ret_why, const char *why) {
        *ret_why = why;
        return -EINVAL;
}

static const struct {
        const char *name;
        size_t offset;
        unsigned verbs; /* that take it */
} keys[] = {
        {"fix", offsetof(FixRequest, fix), 1U << FIX_VERB_APPLY | 1U << FIX_VERB_PLAN},
        {"incident", offsetof(FixRequest, incident), 1U << FIX_VERB_APPLY | 1U << FIX_VERB_PLAN},
        {"run", offsetof(FixRequest, run), 1U << FIX_VERB_UNDO},
        {"subject", offsetof(FixRequest, subject), 1U << FIX_VERB_APPLY | 1U << FIX_VERB_PLAN},
};

static int read_key(const char *name, const json_t *object, FixRequest *q, const char **ret_why) {
        if (strcmp(name, "do") == 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (strcmp(keys[i].name, name) != 0)
                        continue;
                if (!(keys[i].verbs & (1U << q->verb)))
                        return refuse(ret_why, "there is a key that this request does not take");
                if (json_field_copy(object, name, (char *) q + keys[i].offset, FIX_NAME_MAX) < 0)
                        return refuse(ret_why, "a value is no text, or too long");
                return 0;
        }
        return refuse(ret_why, "there is a key that no request has");
}

static int check(const FixRequest *q, const char **ret_why) {
        bool names_fix = q->verb == FIX_VERB_APPLY || q->verb == FIX_VERB_PLAN;

        if (names_fix && !is_fix_name(q->fix))
                return refuse(ret_why, "`fix` is missing or no name of a fix");
        if (!is_subject(q->subject))
                return refuse(ret_why, "`subject` is no name of a container or network");
        if (q->incident[0] != '\0' && !is_id(q->incident))
                return refuse(ret_why, "`incident` is not 16 hex digits");
        if (q->verb == FIX_VERB_UNDO && !is_id(q->run))
                return refuse(ret_why, "`run` is missing or not 16 hex digits");
        return 0;
}

static int read_object(const json_t *object, FixRequest *q, const char **ret_why) {
        const char *verb = json_string_value(json_object_get(object, "do")), *name;
        json_t *value;
        int r;

        q->verb = verb ? (FixVerb) word_find(verbs, FIX_VERB_X_MAX, text_of(verb)) : FIX_VERB_X_INVALID;
        if (q->verb < 0)
                return refuse(ret_why, "`do` is none of apply, history, list, plan, undo");
        json_object_foreach ((json_t *) object, name, value) {
                r = read_key(name, object, q, ret_why);
                if (r < 0)
                        return r;
        }
        return check(q, ret_why);
}

int fix_request_parse(Text text, FixRequest *ret, const char **ret_why) {
        FixRequest q = {};
        json_t *object;
        int r;

        if (text.len > FIX_REQUEST_MAX)
                return refuse(ret_why, "the request is too long");
        object = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, NULL);
        r = json_is_object(object) ? read_object(object, &q, ret_why)
                                   : refuse(ret_why, "the request is no JSON object");
        json_decref(object);
        if (r >= 0)
                *ret = q;
        return r;
}
