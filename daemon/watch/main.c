/* edgewatchd: command line only; the manager does the rest. */

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/watch/bus.h"
#include "daemon/watch/manager.h"

#define LARGE_BLOCK_BYTES (32 * 1024)

enum {
        OPTION_CONFIG = 0x100,
        OPTION_DOCKER_SOCKET,
        OPTION_FOREGROUND,
        OPTION_JOURNAL_DIRECTORY,
        OPTION_PROBER,
        OPTION_RULES,
        OPTION_RUNTIME_DIRECTORY,
        OPTION_STATE_DIRECTORY,
        OPTION_VERSION,
};

static const struct option long_options[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"docker-socket", required_argument, NULL, OPTION_DOCKER_SOCKET},
        {"foreground", no_argument, NULL, OPTION_FOREGROUND},
        {"help", no_argument, NULL, 'h'},
        {"journal-directory", required_argument, NULL, OPTION_JOURNAL_DIRECTORY},
        {"prober", required_argument, NULL, OPTION_PROBER},
        {"rules", required_argument, NULL, OPTION_RULES},
        {"runtime-directory", required_argument, NULL, OPTION_RUNTIME_DIRECTORY},
        {"state-directory", required_argument, NULL, OPTION_STATE_DIRECTORY},
        {"version", no_argument, NULL, OPTION_VERSION},
        {},
};

static void print_help(void) {
        (void) printf(
                "edgewatchd [OPTIONS...]\n\n"
                "Watches a device that runs Azure IoT Edge and writes diagnoses to the journal.\n\n"
                "     --config FILE              instead of " EDGEWATCH_CONFIG_DIR "/edgewatch.yaml\n"
                "     --rules DIR                instead of the configured ones; may be repeated,\n"
                "                                the first one wins\n"
                "     --state-directory DIR      where incidents and positions are kept\n"
                "     --runtime-directory DIR    where sockets are\n"
                "     --docker-socket PATH       Docker's socket, or that of a proxy before it\n"
                "     --journal-directory DIR    read the journal files in DIR\n"
                "     --prober PATH              the program to spawn where the prober's socket is not\n"
                "     --foreground               print alerts to standard output too\n"
                "     --version                  print the version\n"
                "  -h --help                     print this\n\n"
                "See edgewatchd(8) and edgewatch.yaml(5).\n");
}

static int add_rules(ManagerOptions *o, const char *directory) {
        for (size_t i = 0; i < CONFIG_RULES_DIRS_MAX; i++)
                if (!o->rules[i]) {
                        o->rules[i] = directory;
                        return 0;
                }
        return log_error_errno(-EINVAL, "Too many --rules.");
}

/* Returns 1 to go on, 0 when all is done, or a negative errno. */
static int parse_arguments(int argc, char *argv[], ManagerOptions *o) {
        int c, r = 1;

        while (r > 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
                switch (c) {
                case OPTION_CONFIG:
                        o->config_path = optarg;
                        break;
                case OPTION_DOCKER_SOCKET:
                        o->docker_socket = optarg;
                        break;
                case OPTION_FOREGROUND:
                        o->foreground = true;
                        break;
                case OPTION_JOURNAL_DIRECTORY:
                        o->journal_directory = optarg;
                        break;
                case OPTION_PROBER:
                        o->prober = optarg;
                        break;
                case OPTION_RULES:
                        r = add_rules(o, optarg) < 0 ? -EINVAL : 1;
                        break;
                case OPTION_RUNTIME_DIRECTORY:
                        o->runtime_directory = optarg;
                        break;
                case OPTION_STATE_DIRECTORY:
                        o->state_directory = optarg;
                        break;
                case OPTION_VERSION:
                        (void) printf("edgewatchd %s\n", EDGEWATCH_VERSION);
                        return 0;
                case 'h':
                        print_help();
                        return 0;
                default:
                        return -EINVAL;
                }
        }
        if (r > 0 && optind < argc)
                return log_error_errno(-EINVAL, "Unexpected argument \"%s\".", argv[optind]);
        return r;
}

int main(int argc, char *argv[]) {
        _cleanup_(manager_freep) Manager *m = NULL;
        _cleanup_(bus_freep) Bus *bus = NULL;
        ManagerOptions options = {.config_path = EDGEWATCH_CONFIG_DIR "/edgewatch.yaml"};
        int r;

        r = parse_arguments(argc, argv, &options);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;

        /* Large blocks (rule files, sweeps, the state) go back to the kernel as soon as they are freed. */
        (void) mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
        r = manager_new(&m, &options);
        if (r >= 0)
                r = bus_new(&bus, m);
        if (r < 0) {
                log_error_errno(r, "Failed to allocate: %m");
                return EXIT_FAILURE;
        }
        r = manager_start(m);
        if (r >= 0)
                r = bus_start(bus);
        if (r >= 0)
                r = manager_run(m);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
