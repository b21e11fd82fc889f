/* Takes secrets out of text that edgewatch is about to write anywhere.
 *
 * Three shapes are known: `name=value` and `"name": "value"` where the name says that the value is secret;
 * the word that follows `Bearer` or `Basic`; the user info of a URL. The trap: a base64 key ends in "=" and
 * holds "/" and "+", a connection string ends its values with ";", JSON inside JSON quotes with \". So a
 * value goes on to the first byte that can be in none of them. Rather one word too many is hidden. */

#include "lib/base/redact.h"

#include <ctype.h>
#include <strings.h>

#include "lib/base/buffer.h"

#define REDACTED "REDACTED"

/* Endings of names, compared without case, '_' and '-'. */
static const char *const secret_endings[] = {
        "accesskey",
        "accountkey",
        "apikey",
        "connectionstring",
        "credential",
        "credentials",
        "devicekey",
        "idpk",
        "keyvalue",
        "passwd",
        "password",
        "pinvalue",
        "pkcs11pin",
        "primarykey",
        "privatekey",
        "pwd",
        "sas",
        "secondarykey",
        "secret",
        "sharedkey",
        "signature",
        "symmetrickey",
        "token",
};

/* Names that are secret only as a whole. */
static const char *const secret_names[] = {"auth", "identitytoken", "key", "pass", "sig", "xregistryauth"};

static bool is_name_byte(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == '-';
}

#define NAME_MAX_BYTES 64

/* Lower case, without separators. Longer names keep their end, which is what tells. */
static Text normalise(Text name, char buffer[static NAME_MAX_BYTES]) {
        size_t n = 0;

        if (name.len > NAME_MAX_BYTES)
                name = text_skip(name, name.len - NAME_MAX_BYTES);
        for (size_t i = 0; i < name.len; i++)
                if (isalnum((unsigned char) name.data[i]))
                        buffer[n++] = (char) tolower((unsigned char) name.data[i]);
        return (Text){buffer, n};
}

static bool is_secret_in_text(Text name) {
        char buffer[NAME_MAX_BYTES];
        Text plain = normalise(name, buffer);

        FOREACH_ARRAY (ending, secret_endings, ELEMENTSOF(secret_endings))
                if (text_ends_with(plain, *ending))
                        return true;
        FOREACH_ARRAY (whole, secret_names, ELEMENTSOF(secret_names))
                if (text_is(plain, *whole))
                        return true;
        return false;
}

bool redact_is_secret_name(Text name) {
        char buffer[NAME_MAX_BYTES];
        Text plain = normalise(name, buffer);

        /* A variable is named on purpose: any …Key and …Pass holds one. In running text "key" is a word. */
        return is_secret_in_text(name) || text_ends_with(plain, "key") || text_ends_with(plain, "pass");
}

static size_t name_bytes(Text t) {
        size_t n = 0;

        while (n < t.len && is_name_byte(t.data[n]))
                n++;
        return n;
}

/* Bytes of closing quotes, blanks, '=' or ':' and opening quotes between a name and its value; 0 when this
 * is no assignment. *ret_quoted: the value ends at a quote only. */
static size_t assignment_bytes(Text t, bool *ret_quoted) {
        size_t n = 0, blanks = 0;
        bool named_in_quotes = false, quoted = false;

        for (; n < t.len && (t.data[n] == '"' || t.data[n] == '\'' || t.data[n] == '\\'); n++)
                named_in_quotes = true;
        for (; n < t.len && t.data[n] == ' '; n++)
                blanks++;
        if (n >= t.len || blanks > 4 || (t.data[n] != '=' && t.data[n] != ':'))
                return 0;
        if (t.data[n] == ':' && blanks > 0 && !named_in_quotes)
                return 0;
        n++;
        while (n < t.len && t.data[n] == ' ')
                n++;
        for (; n < t.len && (t.data[n] == '"' || t.data[n] == '\'' || t.data[n] == '\\'); n++)
                quoted = true;
        *ret_quoted = quoted;
        return n;
}

/* "--password hunter2": the blanks and opening quotes before its value, 0 when the name is no option. */
static size_t option_bytes(Text t, size_t name, bool *ret_quoted) {
        Text rest = text_skip(t, name);
        size_t blanks = 0, quotes;

        if (!text_starts_with(t, "--"))
                return 0;
        while (blanks < rest.len && rest.data[blanks] == ' ')
                blanks++;
        quotes = blanks;
        while (quotes < rest.len &&
                (rest.data[quotes] == '"' || rest.data[quotes] == '\'' || rest.data[quotes] == '\\'))
                quotes++;
        *ret_quoted = quotes > blanks;
        return blanks > 0 ? quotes : 0;
}

/* TOML's `device_id_pk = { value = "…" }`: all that is inside. */
static size_t group_bytes(Text t) {
        const char *end = memchr(t.data, t.data[0] == '{' ? '}' : ']', t.len);

        return end ? (size_t) (end - t.data) + 1 : t.len;
}

static size_t value_bytes(Text t, bool quoted) {
        size_t n = 0;

        if (!quoted && t.len > 0 && (t.data[0] == '{' || t.data[0] == '['))
                return group_bytes(t);
        for (; n < t.len; n++) {
                char c = t.data[n];

                if (c == '"' || c == '\'' || c == '\\' || c == '\n' || c == '\r')
                        break;
                if (!quoted &&
                        (c == ' ' || c == '\t' || c == ';' || c == '&' || c == ',' || c == '}' || c == ']' ||
                                c == ')'))
                        break;
        }
        return n;
}

static bool ends_word(Text t, size_t n) {
        return n < t.len && t.data[n] == ' ';
}

/* "Bearer TOKEN", "Basic TOKEN": bytes of scheme and blank, 0 when the text does not start so. */
static size_t scheme_bytes(Text t) {
        if (t.len > 7 && strncasecmp(t.data, "bearer", 6) == 0 && ends_word(t, 6))
                return 7;
        if (t.len > 6 && strncasecmp(t.data, "basic", 5) == 0 && ends_word(t, 5))
                return 6;
        return 0;
}

/* After "://": the bytes of user info before '@', 0 when the URL has none. */
static size_t user_info_bytes(Text t) {
        size_t last = 0;

        for (size_t n = 0; n < t.len; n++) {
                char c = t.data[n];

                if (c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || isspace((unsigned char) c))
                        break;
                if (c == '@')
                        last = n;
        }
        return last;
}

/* An authorization token is long and has no meaning; a word after "basic" in a sentence is short. */
#define TOKEN_MIN_BYTES 12

static size_t redact_authorization(Text t, Buffer *b) {
        size_t scheme = scheme_bytes(t), token;

        if (scheme == 0)
                return 0;
        token = value_bytes(text_skip(t, scheme), false);
        if (token < TOKEN_MIN_BYTES)
                return 0;
        (void) buffer_append_text(b, text_clip(t, scheme));
        (void) buffer_append_string(b, REDACTED);
        return scheme + token;
}

static size_t redact_assignment(Text t, size_t name, Buffer *b) {
        size_t assignment, value;
        bool quoted;

        if (!is_secret_in_text(text_clip(t, name)))
                return 0;
        assignment = assignment_bytes(text_skip(t, name), &quoted);
        if (assignment == 0)
                assignment = option_bytes(t, name, &quoted);
        if (assignment == 0)
                return 0;
        value = value_bytes(text_skip(t, name + assignment), quoted);
        /* "password: " before a sentence's end, "key=" without a value */
        if (value == 0)
                return 0;
        (void) buffer_append_text(b, text_clip(t, name + assignment));
        (void) buffer_append_string(b, REDACTED);
        return name + assignment + value;
}

static size_t redact_user_info(Text t, Buffer *b) {
        size_t info;

        if (!text_starts_with(t, "://"))
                return 0;
        info = user_info_bytes(text_skip(t, 3));
        if (info == 0)
                return 0;
        (void) buffer_append_string(b, "://" REDACTED);
        return 3 + info;
}

/* Appends one word, or one secret, or one byte; returns how much of t it was. */
static size_t redact_next(Text t, Buffer *b) {
        size_t name = name_bytes(t), used;

        if (name == 0) {
                used = redact_user_info(t, b);
                if (used > 0)
                        return used;
                (void) buffer_append(b, t.data, 1);
                return 1;
        }
        used = redact_authorization(t, b);
        if (used == 0)
                used = redact_assignment(t, name, b);
        if (used > 0)
                return used;
        (void) buffer_append_text(b, text_clip(t, name));
        return name;
}

char *redact_text(Text t) {
        Buffer b = {};

        while (t.len > 0)
                t = text_skip(t, redact_next(t, &b));
        if (b.error < 0) {
                buffer_done(&b);
                return NULL;
        }
        return buffer_take(&b);
}
