/* What of a file may be written. Pure.
 *
 * Promise: where a document's structure tells where its secrets are, structure decides; a document that
 * does not parse is not written. The price: comments and the order of the file are lost. */

#include <string.h>

#include "daemon/ctl/record/recorder.h"
#include "lib/base/redact.h"
#include "lib/base/toml-write.h"
#include "lib/base/toml.h"
#include "lib/event/redact-json.h"
#include "lib/rules/yaml-reader.h"

static int parse_yaml(const char *path, Text content, json_t **ret) {
        _cleanup_(problem_list_done) ProblemList problems = {};
        _cleanup_(yaml_node_freep) YamlNode *root = NULL;
        int r;

        r = yaml_read(path, content, &problems, &root);
        if (r < 0)
                return r;
        *ret = yaml_to_json(root);
        return *ret ? 0 : -ENOMEM;
}

static int parse(const char *path, Text content, json_t **ret) {
        if (text_ends_with(text_of(path), ".toml"))
                return toml_parse(content, ret, NULL);
        if (text_ends_with(text_of(path), ".yaml"))
                return parse_yaml(path, content, ret);
        *ret = json_loadb(content.data, content.len, 0, NULL);
        return *ret ? 0 : -EINVAL;
}

/* JSON is YAML too. */
static int print(const char *path, const json_t *document, char **ret) {
        Buffer b = {};
        int r;

        if (!text_ends_with(text_of(path), ".toml")) {
                *ret = json_dumps(document, JSON_INDENT(1));
                return *ret ? 0 : -ENOMEM;
        }
        r = toml_write(document, &b);
        if (r < 0) {
                buffer_done(&b);
                return r;
        }
        *ret = buffer_take(&b);
        return *ret ? 0 : -ENOMEM;
}

static bool is_document(const char *path) {
        static const char *const endings[] = {".json", ".toml", ".yaml"};

        for (size_t i = 0; i < ELEMENTSOF(endings); i++)
                if (text_ends_with(text_of(path), endings[i]))
                        return true;
        return false;
}

int record_redact_file(const char *path, Text content, char **ret) {
        json_t *document, *redacted;
        int r;

        if (!is_document(path)) {
                *ret = redact_text(content);
                return *ret ? 0 : -ENOMEM;
        }
        r = parse(path, content, &document);
        if (r < 0)
                return r;
        redacted = redact_json(document);
        json_decref(document);
        r = redacted ? print(path, redacted, ret) : -ENOMEM;
        json_decref(redacted);
        return r;
}
