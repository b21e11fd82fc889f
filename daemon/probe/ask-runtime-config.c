/* How is the runtime configured? Its files are mode 0600 and full of secrets, so they are read here and only
 * the keys of an allow-list leave this process. */

#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/probe/questions.h"
#include "lib/base/toml.h"
#include "lib/world/runtime-config.h"

static int read_all(int fd, size_t size, char **ret, size_t *ret_len) {
        _cleanup_(freep) char *content = malloc(size + 1);
        size_t len = 0;

        if (!content)
                return -ENOMEM;
        while (len < size) {
                ssize_t n = read(fd, content + len, size - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return 0;
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        content[len] = '\0';
        *ret = TAKE_PTR(content);
        *ret_len = len;
        return 1;
}

/* A link could lead anywhere, a pipe would make us wait. */
static int read_regular(void *userdata, const char *path, char **ret, size_t *ret_len) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        (void) userdata;
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t) TOML_BYTES_MAX)
                return 0;
        return read_all(fd, (size_t) st.st_size, ret, ret_len);
}

static json_t *ask(const Request *request, const char **ret_why) {
        json_t *config;
        int r;

        (void) request;
        r = runtime_config_read((RuntimeConfigFiles){.read = read_regular}, &config);
        if (r > 0)
                return config;
        *ret_why = r == 0 ? "the runtime's configuration is not there or cannot be read" : "memory is out";
        return NULL;
}

const Question question_runtime_config = {.name = "runtime-config", .ask = ask};
