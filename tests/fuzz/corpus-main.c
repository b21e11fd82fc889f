/* Runs a fuzz target over its corpus, as an ordinary test: no crash, and clean under the sanitizers. TAP. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX (1024 * 1024)

static int run_file(const char *directory, const char *name) {
        _cleanup_(freep) uint8_t *data = malloc(INPUT_BYTES_MAX);
        char path[4096];
        size_t size;
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        file = data ? fopen(path, "r") : NULL;
        if (!file)
                return -errno;
        size = fread(data, 1, INPUT_BYTES_MAX, file);
        (void) fclose(file);
        return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv) {
        struct dirent **entries;
        int n, n_run = 0, n_failed = 0;

        if (argc != 2)
                return EXIT_FAILURE;
        n = scandir(argv[1], &entries, NULL, alphasort);
        if (n < 0)
                return EXIT_FAILURE;
        for (int i = 0; i < n; i++) {
                const char *name = entries[i]->d_name;

                if (name[0] != '.') {
                        bool ok = run_file(argv[1], name) == 0;

                        printf("%sok %d - %s\n", ok ? "" : "not ", ++n_run, name);
                        n_failed += !ok;
                }
                free(entries[i]);
        }
        free(entries);
        printf("1..%d\n", n_run);
        return n_failed > 0 || n_run == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
