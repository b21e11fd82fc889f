/* The trap: the order is that of the file names alone, whatever folder they lie in, and by bytes: "_" sorts
 * behind the "." before the suffix, "-" before it. */

#include "lib/fix/sysctl-conf.h"

#include <fnmatch.h>
#include <stdio.h>

#define OWN_NAME    "99-zz-edgewatch.conf" /* behind Debian's 99-sysctl.conf, which is /etc/sysctl.conf */
#define SETTING_MAX (SYSCTL_NAME_MAX - sizeof("/proc/sys/") + 1)

/* "net/ipv4/ip_forward", in which a "." is part of a link's name, as systemd and procps do it. */
static int normalise(Text name, char ret[static SETTING_MAX]) {
        const char *first = NULL;
        bool dots;

        if (name.len == 0 || name.len >= SETTING_MAX || memchr(name.data, '\0', name.len))
                return -EINVAL;
        memcpy(ret, name.data, name.len);
        ret[name.len] = '\0';
        first = strpbrk(ret, "./");
        dots = first && *first == '.';
        for (char *p = ret; dots && *p; p++)
                *p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
        return 0;
}

int sysctl_conf_path(const char *setting, char ret[static SYSCTL_NAME_MAX]) {
        char name[SETTING_MAX];
        int r = normalise(text_of(setting), name);

        if (r >= 0)
                (void) snprintf(ret, SYSCTL_NAME_MAX, "/proc/sys/%s", name);
        return r;
}

/* net.ipv4.conf.all.forwarding is the same bit, to the kernel too. */
static bool is_setting(const char *name, const char *setting) {
        return fnmatch(name, setting, FNM_PATHNAME) == 0 ||
                (strcmp(setting, "net/ipv4/ip_forward") == 0 &&
                        fnmatch(name, "net/ipv4/conf/all/forwarding", FNM_PATHNAME) == 0);
}

static bool line_gives(Text line, const char *setting, Text *ret_value) {
        const char *equals = memchr(line.data, '=', line.len);
        char name[SETTING_MAX];
        size_t at;

        if (!equals || line.data[0] == '#' || line.data[0] == ';')
                return false;
        at = (size_t) (equals - line.data);
        if (text_starts_with(line, "-")) {
                line = text_skip(line, 1);
                at--;
        }
        if (normalise(text_strip(text_clip(line, at)), name) < 0 || !is_setting(name, setting))
                return false;
        *ret_value = text_strip(text_skip(line, at + 1));
        return true;
}

bool sysctl_conf_value(Text content, const char *setting, Text *ret_value) {
        char wanted[SETTING_MAX];
        bool found = false;

        if (normalise(text_of(setting), wanted) < 0)
                return false;
        while (content.len > 0) {
                Text line = text_strip(text_cut(&content, '\n'));

                if (line.len > 0 && line_gives(line, wanted, ret_value))
                        found = true;
        }
        return found;
}

int sysctl_conf_name_after(const char *rival, char ret[static SYSCTL_NAME_MAX]) {
        Text stem = text_of(rival);
        int n;

        if (!rival || strcmp(rival, OWN_NAME) < 0)
                n = snprintf(ret, SYSCTL_NAME_MAX, "%s", OWN_NAME);
        else {
                stem = text_ends_with(stem, ".conf") ? text_clip(stem, stem.len - strlen(".conf")) : stem;
                n = snprintf(ret, SYSCTL_NAME_MAX, "%.*s_edgewatch.conf", (int) stem.len, stem.data);
        }
        return n < 0 || n >= SYSCTL_NAME_MAX ? -ENAMETOOLONG : 0;
}
