/* Pieces of patterns that a rule names once: `{{image}}` in a pattern stands for the fragment `image`. One
 * may use only those above it, and so never itself. */

#include "lib/rules/rule-reader.h"

#include <string.h>

#include "lib/base/buffer.h"

#define FRAGMENTS_MAX     16
#define PATTERN_MAX_BYTES ((size_t) 16384)

int read_fragments(RuleReader *reader, const YamlNode *value, void *target) {
        int r;

        if (!expect_kind(reader, value, YAML_MAP, &r))
                return r;
        if (value->n_children == 0 || value->n_children > FRAGMENTS_MAX)
                return mistake(reader, value, "`fragments` has %zu, expected 1 to %d", value->n_children,
                        FRAGMENTS_MAX);
        for (size_t i = 0; i < value->n_children; i++)
                if (!expect_kind(reader, value->children[i], YAML_SCALAR, &r))
                        return r;
        reader->fragments = value;
        return 0;
}

/* One of the first n_known. */
static const YamlNode *find_fragment(const RuleReader *reader, Text name, size_t n_known, size_t *ret_n) {
        for (size_t i = 0; i < n_known; i++)
                if (text_is(name, reader->fragments->children[i]->key)) {
                        *ret_n = i;
                        return reader->fragments->children[i];
                }
        return NULL;
}

static int append_expanded(
        RuleReader *reader, const YamlNode *at, const char *text, size_t n_known, Buffer *out) {
        const char *begin, *end;

        while ((begin = strstr(text, "{{")) && (end = strstr(begin, "}}"))) {
                Text name = {begin + 2, (size_t) (end - begin - 2)};
                size_t n_above = 0;
                const YamlNode *fragment = find_fragment(reader, name, n_known, &n_above);
                int r;

                if (!fragment)
                        return mistake(reader, at, "there is no fragment \"%.*s\" above", (int) name.len,
                                name.data);
                (void) buffer_append(out, text, (size_t) (begin - text));
                r = append_expanded(reader, at, fragment->text, n_above, out);
                if (r < 0 || out->error < 0)
                        return r;
                text = end + 2;
        }
        return buffer_append_string(out, text) == -ENOMEM ? -ENOMEM : 0;
}

int expand_fragments(RuleReader *reader, const YamlNode *value, char **text) {
        _cleanup_(buffer_done) Buffer out = {.max_bytes = PATTERN_MAX_BYTES};
        uint64_t n_mistakes = reader->n_mistakes;
        int r;

        if (!*text || !strstr(*text, "{{"))
                return 0;
        r = append_expanded(
                reader, value, *text, reader->fragments ? reader->fragments->n_children : 0, &out);
        if (r < 0 || reader->n_mistakes > n_mistakes)
                return r;
        if (out.error == -EFBIG)
                return mistake(reader, value, "with its fragments the pattern has more than %zu bytes",
                        PATTERN_MAX_BYTES);
        if (out.error < 0)
                return out.error;
        free(*text);
        *text = buffer_take(&out);
        return *text ? 0 : -ENOMEM;
}
