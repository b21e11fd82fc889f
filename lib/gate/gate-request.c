/* Decides what reaches the Docker engine, whose socket is as good as root. The caller is edgewatchd, which
 * parses hostile input all day and may be anybody's by now.
 *
 * Promise: nothing is passed on. What is accepted was taken apart, and the engine is asked by a target put
 * together from the parts, in an alphabet that needs no interpretation: no `%` in a path, and one spelling
 * of each byte of a query. The trap: any leniency here is a second meaning that somebody else may see. */

#include "lib/gate/gate-request.h"

#define LOWER      "abcdefghijklmnopqrstuvwxyz"
#define UPPER      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS     "0123456789"
#define ALNUM      LOWER UPPER DIGITS
#define UNRESERVED ALNUM "-._~"

static int refuse(const char **ret_why, int error, const char *why) {
        *ret_why = why;
        return error;
}

static size_t span(Text t, const char *accepted) {
        size_t n = 0;

        while (n < t.len && t.data[n] != '\0' && strchr(accepted, t.data[n]))
                n++;
        return n;
}

static bool consists_of(Text t, const char *accepted) {
        return span(t, accepted) == t.len;
}

static bool is_alnum(char c) {
        return c != '\0' && strchr(ALNUM, c);
}

/* What stands before the separator, all when it is not there; *rest is what stands behind it. */
static Text cut(Text t, char separator, Text *rest) {
        *rest = t;
        return text_cut(rest, separator);
}

static bool is_flag(Text t) {
        return text_is(t, "0") || text_is(t, "1") || text_is(t, "true") || text_is(t, "false");
}

static bool is_number(Text t) {
        return t.len > 0 && t.len <= 20 && consists_of(t, DIGITS);
}

/* Seconds, and nanoseconds behind a dot. */
static bool is_time(Text t) {
        Text fraction, seconds = cut(t, '.', &fraction);

        return is_number(seconds) && (seconds.len == t.len || (is_number(fraction) && fraction.len <= 9));
}

static bool is_tail(Text t) {
        return text_is(t, "all") || is_number(t);
}

static bool is_id(Text t) {
        return t.len > 0 && is_alnum(t.data[0]) && consists_of(t, ALNUM "_.-");
}

/* [REGISTRY[:PORT]/]NAME…[:TAG][@DIGEST], or an id. */
static bool is_image(Text t) {
        if (t.len == 0 || t.data[t.len - 1] == '/')
                return false;
        while (t.len > 0) {
                Text part = cut(t, '/', &t);
                if (part.len == 0 || !is_alnum(part.data[0]) || !consists_of(part, ALNUM "_.-:@"))
                        return false;
        }
        return true;
}

enum {
        KEY_ALL,
        KEY_FILTERS,
        KEY_FOLLOW,
        KEY_SINCE,
        KEY_STDERR,
        KEY_STDOUT,
        KEY_TAIL,
        KEY_TIMESTAMPS,
        KEY_UNTIL,
};
#define K(key) (1U << KEY_##key)

/* One without a check is percent-encoded. */
static const struct {
        const char *name;
        bool (*is_value)(Text value);
} keys[] = {
        [KEY_ALL] = {"all", is_flag},
        [KEY_FILTERS] = {"filters"},
        [KEY_FOLLOW] = {"follow", is_flag},
        [KEY_SINCE] = {"since", is_time},
        [KEY_STDERR] = {"stderr", is_flag},
        [KEY_STDOUT] = {"stdout", is_flag},
        [KEY_TAIL] = {"tail", is_tail},
        [KEY_TIMESTAMPS] = {"timestamps", is_flag},
        [KEY_UNTIL] = {"until", is_time},
};

typedef struct Route {
        const char *before, *behind; /* the name; without one it is the whole path */
        bool (*is_name)(Text name);
        unsigned keys;
        bool may_be_silent, may_follow;
} Route;

static const Route routes[] = {
        {"/_ping"},
        {"/containers/", "/changes", is_id},
        {"/containers/", "/json", is_id},
        {"/containers/", "/logs", is_id,
                K(FOLLOW) | K(SINCE) | K(STDERR) | K(STDOUT) | K(TAIL) | K(TIMESTAMPS) | K(UNTIL),
                .may_follow = true},
        {"/containers/json", .keys = K(ALL) | K(FILTERS)},
        {"/events", .keys = K(FILTERS) | K(SINCE) | K(UNTIL), .may_be_silent = true},
        {"/images/", "/json", is_image},
        {"/info"},
        {"/networks"},
        {"/networks/", "", is_id},
        {"/version"},
};

static bool route_matches(const Route *route, Text path) {
        size_t before = strlen(route->before), behind;

        if (!route->is_name)
                return text_is(path, route->before);
        behind = strlen(route->behind);
        if (path.len < before + behind || !text_starts_with(path, route->before) ||
                !text_ends_with(path, route->behind))
                return false;
        return route->is_name((Text){path.data + before, path.len - before - behind});
}

/* The target that is written is never longer than the one that was read, which fits. */
static void add(GateRequest *q, Text t) {
        size_t used = strlen(q->target), room = sizeof(q->target) - 1 - used;

        t = text_clip(t, room);
        if (t.len > 0)
                memcpy(q->target + used, t.data, t.len);
}

static int hex_digit(char c) {
        const char *digits = "0123456789abcdef", *at;

        if (c >= 'A' && c <= 'F')
                c = (char) (c - 'A' + 'a');
        at = c != '\0' ? strchr(digits, c) : NULL;
        return at ? (int) (at - digits) : -1;
}

/* Each byte in its one spelling. Returns whether all of them are ones that JSON in ASCII may have. */
static bool add_encoded(GateRequest *q, Text value) {
        while (value.len > 0) {
                bool is_encoded = value.data[0] == '%';
                int high = is_encoded && value.len >= 3 ? hex_digit(value.data[1]) : -1;
                int low = high >= 0 ? hex_digit(value.data[2]) : -1;
                char c = is_encoded ? (char) (high * 16 + low) : value.data[0];

                if ((is_encoded && low < 0) || c < ' ' || c > '~')
                        return false;
                if (strchr(UNRESERVED, c))
                        add(q, (Text){&c, 1});
                else if (is_encoded)
                        add(q, (Text){(char[]){'%', "0123456789ABCDEF"[high], "0123456789ABCDEF"[low]}, 3});
                else
                        return false;
                value = text_skip(value, is_encoded ? 3 : 1);
        }
        return true;
}

static size_t find_key(Text name) {
        size_t i = 0;

        while (i < ELEMENTSOF(keys) && !text_is(name, keys[i].name))
                i++;
        return i;
}

static int add_pair(GateRequest *q, const Route *route, Text pair, unsigned *seen, const char **ret_why) {
        Text value, name = cut(pair, '=', &value);
        size_t key = find_key(name);

        if (key == ELEMENTSOF(keys) || !(route->keys & (1U << key)))
                return refuse(
                        ret_why, -EACCES, "there is a query key that is not on the list for this path");
        if (*seen & (1U << key))
                return refuse(ret_why, -EBADMSG, "a query key stands there twice");
        if (keys[key].is_value && !keys[key].is_value(value))
                return refuse(ret_why, -EBADMSG, "a query key has a value that it does not take");
        add(q, *seen == 0 ? TEXT_LITERAL("?") : TEXT_LITERAL("&"));
        add(q, name);
        add(q, TEXT_LITERAL("="));
        if (keys[key].is_value)
                add(q, value);
        else if (value.len == 0 || !add_encoded(q, value))
                return refuse(ret_why, -EBADMSG, "`filters` is not percent-encoded JSON in ASCII");
        if (key == KEY_FOLLOW && route->may_follow && (value.data[0] == '1' || value.data[0] == 't'))
                q->is_stream = true;
        *seen |= 1U << key;
        return 0;
}

/* "/v1.41": returns how long it is, 0 when the path has none. */
static size_t version_length(Text path) {
        Text minor;
        size_t n;

        if (!text_starts_with(path, "/v1."))
                return 0;
        minor = text_skip(path, strlen("/v1."));
        n = span(minor, DIGITS);
        return n > 0 && n <= 3 && n < minor.len && minor.data[n] == '/' ? strlen("/v1.") + n : 0;
}

static const Route *find_route(Text path) {
        path = text_skip(path, version_length(path));
        FOREACH_ARRAY (route, routes, ELEMENTSOF(routes))
                if (route_matches(route, path))
                        return route;
        return NULL;
}

static int read_target(Text target, GateRequest *q, const char **ret_why) {
        Text query, path = cut(target, '?', &query);
        const Route *route;
        unsigned seen = 0;

        if (!consists_of(path, ALNUM "/_.:@-") || text_contains(path, "..") || text_contains(path, "//"))
                return refuse(ret_why, -EBADMSG, "the path has `%`, `..`, `//`, or what no path here has");
        route = find_route(path);
        if (!route)
                return refuse(ret_why, -EACCES, "this path is not on the list");
        if (path.len < target.len && query.len == 0)
                return refuse(ret_why, -EBADMSG, "the query is empty");
        q->is_stream = route->may_be_silent;
        add(q, path);
        while (query.len > 0) {
                bool is_last = !memchr(query.data, '&', query.len);
                Text pair = cut(query, '&', &query);
                int r = add_pair(q, route, pair, &seen, ret_why);
                if (r < 0)
                        return r;
                if (!is_last && query.len == 0)
                        return refuse(ret_why, -EBADMSG, "the query ends in the middle");
        }
        return 0;
}

static int read_request_line(Text line, GateRequest *q, const char **ret_why) {
        Text rest, method = cut(line, ' ', &rest), version, target = cut(rest, ' ', &version);

        if (method.len == 0 || !consists_of(method, UPPER))
                return refuse(ret_why, -EBADMSG, "this is no HTTP request");
        if (!text_is(version, "HTTP/1.1"))
                return refuse(ret_why, -EBADMSG, "the request line is not METHOD PATH HTTP/1.1");
        if (!text_is(method, "GET"))
                return refuse(ret_why, -EOPNOTSUPP, "only GET is let through");
        return read_target(target, q, ret_why);
}

/* None of them is passed on. */
static const struct {
        const char *name;
        const char *why; /* it is refused */
} headers[] = {
        {"accept"},
        {"connection"},
        {"content-length", "a request has no body"},
        {"expect", "a request has no body"},
        {"host"},
        {"transfer-encoding", "a request has no body"},
        {"upgrade", "a connection stays HTTP"},
        {"user-agent"},
};

static bool equals_ignoring_case(Text t, const char *lower) {
        if (t.len != strlen(lower))
                return false;
        for (size_t i = 0; i < t.len; i++) {
                char c = t.data[i];
                if ((c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c) != lower[i])
                        return false;
        }
        return true;
}

static int read_header(Text line, unsigned *seen, const char **ret_why) {
        Text value, name = cut(line, ':', &value);
        size_t i = 0;

        if (name.len == 0 || name.len == line.len || !consists_of(name, ALNUM "-"))
                return refuse(ret_why, -EBADMSG, "a header is not NAME: VALUE");
        while (i < ELEMENTSOF(headers) && !equals_ignoring_case(name, headers[i].name))
                i++;
        if (i == ELEMENTSOF(headers))
                return refuse(ret_why, -EACCES, "there is a header that no request here needs");
        if (headers[i].why)
                return refuse(ret_why, -EACCES, headers[i].why);
        if (*seen & (1U << i))
                return refuse(ret_why, -EBADMSG, "a header stands there twice");
        *seen |= 1U << i;
        value = text_strip(value);
        if (strcmp(headers[i].name, "connection") == 0 && !equals_ignoring_case(value, "close") &&
                !equals_ignoring_case(value, "keep-alive"))
                return refuse(ret_why, -EACCES, "a connection stays HTTP");
        return 0;
}

/* Lines end in CR LF; nothing but printable ASCII is in them. */
static int read_line(Text *rest, Text *ret, const char **ret_why) {
        Text line = cut(*rest, '\r', rest);

        for (size_t i = 0; i < line.len; i++)
                if (line.data[i] < ' ' || line.data[i] > '~')
                        return refuse(ret_why, -EBADMSG, "there is a byte that no request has");
        if (rest->len == 0 || rest->data[0] != '\n')
                return refuse(ret_why, -EBADMSG, "a line does not end in CR LF");
        *rest = text_skip(*rest, 1);
        *ret = line;
        return 0;
}

int gate_request_parse(Text received, GateRequest *ret, const char **ret_why) {
        const char *end = received.len > 0 ? memmem(received.data, received.len, "\r\n\r\n", 4) : NULL;
        GateRequest q = {};
        unsigned seen = 0;
        Text rest, line;
        int r;

        if (received.len >= GATE_REQUEST_MAX)
                return refuse(ret_why, -EFBIG, "the request is too long");
        if (!end)
                return -EAGAIN;
        rest = text_clip(received, (size_t) (end - received.data) + 2);
        if (received.len > rest.len + 2)
                return refuse(ret_why, -EBADMSG, "there is more than one request on the connection");
        r = read_line(&rest, &line, ret_why);
        if (r >= 0)
                r = read_request_line(line, &q, ret_why);
        while (r >= 0 && rest.len > 0) {
                r = read_line(&rest, &line, ret_why);
                if (r >= 0)
                        r = read_header(line, &seen, ret_why);
        }
        if (r >= 0)
                *ret = q;
        return r;
}
