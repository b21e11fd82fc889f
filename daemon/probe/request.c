/* Reads a request. The caller is edgewatchd, which parses hostile input all day and may be anybody's by now:
 * nothing in a request is trusted, least of all what will reach a path or the network. */

#include "daemon/probe/question.h"

#include <string.h>

static const char *const known_keys[] = {"from", "host", "port", "question", "timeout_ms"};

static bool is_known_key(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(known_keys); i++)
                if (strcmp(known_keys[i], key) == 0)
                        return true;
        return false;
}

static bool is_host(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

        return n > 0 && n <= HOST_NAME_MAX_DNS && s[n] == '\0' && s[0] != '-' && s[0] != '.';
}

static bool is_container_id(const char *s) {
        return strlen(s) == CONTAINER_ID_BYTES && strspn(s, "0123456789abcdef") == CONTAINER_ID_BYTES;
}

static int refuse(const char **ret_why, const char *why) {
        *ret_why = why;
        return -EINVAL;
}

static int read_from(const json_t *object, Request *r, const char **ret_why) {
        const char *from = json_string_value(json_object_get(object, "from"));

        if (!from)
                return refuse(ret_why, "`from` is missing: \"host\" or a container's id");
        if (strcmp(from, "host") == 0)
                return 0;
        if (!is_container_id(from))
                return refuse(ret_why, "`from` is neither \"host\" nor 64 hex digits");
        memcpy(r->container_id, from, CONTAINER_ID_BYTES + 1);
        return 0;
}

static int read_target(const json_t *object, Request *r, const char **ret_why) {
        const char *host = json_string_value(json_object_get(object, "host"));
        const json_t *port = json_object_get(object, "port");

        if (r->question->needs_host != (host != NULL))
                return refuse(ret_why,
                        r->question->needs_host ? "`host` is missing" : "this question takes no `host`");
        if (host && !is_host(host))
                return refuse(ret_why, "`host` is no host name");
        if (host)
                memcpy(r->host, host, strlen(host) + 1);
        if (r->question->needs_port != json_is_integer(port))
                return refuse(ret_why,
                        r->question->needs_port ? "`port` is missing" : "this question takes no `port`");
        if (!r->question->needs_port)
                return 0;
        if (json_integer_value(port) < 1 || json_integer_value(port) > UINT16_MAX)
                return refuse(ret_why, "`port` is not from 1 to 65535");
        r->port = (uint16_t) json_integer_value(port);
        return 0;
}

static int read_object(const json_t *object, Request *r, const char **ret_why) {
        const char *name = json_string_value(json_object_get(object, "question"));
        json_int_t timeout = json_integer_value(json_object_get(object, "timeout_ms"));
        const char *key;
        json_t *value;
        int k;

        json_object_foreach ((json_t *) object, key, value)
                if (!is_known_key(key))
                        return refuse(ret_why, "there is a key that no request has");
        r->question = name ? question_find(name) : NULL;
        if (!r->question)
                return refuse(ret_why, "`question` is none that is known");
        if (timeout < 1 || timeout > TIMEOUT_MAX_MS)
                return refuse(ret_why, "`timeout_ms` is not from 1 to 15000");
        r->timeout_ms = (int) timeout;
        k = read_from(object, r, ret_why);
        return k < 0 ? k : read_target(object, r, ret_why);
}

int request_parse(Text text, Request *ret, const char **ret_why) {
        Request r = {};
        json_t *object;
        int k;

        if (text.len > REQUEST_MAX_BYTES)
                return refuse(ret_why, "the request is too long");
        object = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object)) {
                json_decref(object);
                return refuse(ret_why, "the request is not a JSON object");
        }
        k = read_object(object, &r, ret_why);
        json_decref(object);
        if (k < 0)
                return k;
        *ret = r;
        return 0;
}
