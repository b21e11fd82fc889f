/* A configuration file: toml_parse(). */

#include "lib/base/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        TomlError error;
        json_t *read = NULL;

        (void) toml_parse((Text){(const char *) data, size}, &read, &error);
        json_decref(read);
        return 0;
}
