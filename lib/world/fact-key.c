#include "lib/world/fact-key.h"

#include <jansson.h>

FactKey fact_key_parse(const char *key) {
        Text rest = text_of(key);
        FactKey k = {.question = text_cut(&rest, ':')};
        uint64_t port;

        k.from = text_cut(&rest, ':');
        k.host = text_cut(&rest, ':');
        if (text_to_u64(rest, &port) >= 0 && port <= UINT16_MAX)
                k.port = (unsigned) port;
        return k;
}

bool fact_key_is_active(const char *key) {
        static const char *const questions[] = {"connect", "path-mtu", "resolve", "tls"};
        FactKey k = fact_key_parse(key);

        FOREACH_ARRAY (question, questions, ELEMENTSOF(questions))
                if (text_is(k.question, *question))
                        return true;
        return false;
}

char *fact_key_request(const char *key, const char *container_id, unsigned timeout_ms) {
        FactKey k = fact_key_parse(key);
        bool is_of_container = !text_is_empty(k.from) && !text_is(k.from, "host");
        json_t *request;
        int r = 0;
        char *text;

        if (is_of_container && !container_id)
                return NULL;
        request = json_pack("{s:s%, s:s, s:I}", "question", k.question.data, k.question.len, "from",
                is_of_container ? container_id : "host", "timeout_ms", (json_int_t) timeout_ms);
        if (!text_is_empty(k.host))
                r = json_object_set_new(request, "host", json_stringn(k.host.data, k.host.len));
        if (r >= 0 && k.port > 0)
                r = json_object_set_new(request, "port", json_integer((json_int_t) k.port));
        text = r < 0 ? NULL : json_dumps(request, JSON_COMPACT);
        json_decref(request);
        return text;
}
