/* Turns the forwarding of IPv4 on: now, and in a file of sysctl.d that has the last word at the next boot.
 * Nothing is restarted, no module notices but by being connected again. */

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/collect/device-file.h"
#include "daemon/fix/fix-list.h"
#include "daemon/fix/plan-file.h"
#include "lib/fix/sysctl-conf.h"

#define ALL         "net.ipv4.ip_forward"
#define ALL_LINKS   "net.ipv4.conf.all.forwarding" /* the same bit */
#define SETTING_MAX 128

/* The order matters only where two folders hold the same name: the first one counts. */
static const char *const folders[] = {
        "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"};

typedef struct Rival {
        char name[SYSCTL_NAME_MAX]; /* the file with the last word; "" when no file gives the setting */
        char path[2 * SYSCTL_NAME_MAX];
        bool is_off;
} Rival;

/* Whether a folder before has something of this name, be it a link to /dev/null: that counts instead. */
static bool is_hidden(size_t folder, const char *name) {
        char path[2 * SYSCTL_NAME_MAX];
        struct stat st;

        for (size_t i = 0; i < folder; i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", folders[i], name);
                if (lstat(path, &st) == 0)
                        return true;
        }
        return false;
}

static void look_at_file(size_t folder, const char *name, const char *setting, Rival *rival) {
        _cleanup_(freep) char *content = NULL;
        char path[2 * SYSCTL_NAME_MAX];
        size_t len = 0;
        Text value;

        if (strcmp(name, rival->name) <= 0 || strlen(name) >= sizeof(rival->name) || is_hidden(folder, name))
                return;
        (void) snprintf(path, sizeof(path), "%s/%s", folders[folder], name);
        if (device_file_read(path, &content, &len) < 0 ||
                !sysctl_conf_value((Text){content, len}, setting, &value))
                return;
        (void) snprintf(rival->name, sizeof(rival->name), "%s", name);
        (void) snprintf(rival->path, sizeof(rival->path), "%s", path);
        rival->is_off = text_is(value, "0");
}

/* The file that has the last word about the setting today. */
static void find_rival(const char *setting, Rival *ret) {
        *ret = (Rival){};
        for (size_t folder = 0; folder < ELEMENTSOF(folders); folder++) {
                DIR *d = opendir(folders[folder]);
                struct dirent *entry;

                while (d && (entry = readdir(d)))
                        if (text_ends_with(text_of(entry->d_name), ".conf"))
                                look_at_file(folder, entry->d_name, setting, ret);
                if (d)
                        (void) closedir(d);
        }
}

static int add_value(json_t *values, const char *path) {
        _cleanup_(freep) char *content = NULL;
        size_t len = 0;
        Text value;

        if (device_file_read(path, &content, &len) < 0)
                return 0;
        value = text_strip((Text){content, len});
        return json_array_append_new(values, json_pack("[s, s%]", path, value.data, value.len));
}

/* What is to be written to have everything as it is now: the setting, and as the bit of all sets that of
 * every link, and whether redirects are accepted, those after it. */
static json_t *values_now(const FixContext *c, const char *setting) {
        json_t *values = json_array(), *link;
        char path[SYSCTL_NAME_MAX];
        size_t i;

        if (!values || sysctl_conf_path(setting, path) < 0 || add_value(values, path) < 0)
                goto fail;
        if (strcmp(setting, ALL) != 0)
                return values;
        if (add_value(values, "/proc/sys/net/ipv4/conf/all/accept_redirects") < 0 ||
                add_value(values, "/proc/sys/net/ipv4/conf/default/forwarding") < 0)
                goto fail;
        json_array_foreach (c->device.parts[DEVICE_LINKS], i, link) {
                const char *name = json_string_value(json_object_get(link, "ifname"));
                int n = name ? snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", name)
                             : -1;

                if (n > 0 && (size_t) n < sizeof(path) && add_value(values, path) < 0)
                        goto fail;
        }
        return values;

fail:
        json_decref(values);
        return NULL;
}

static int plan_now(FixContext *c, FixPlan *plan, const char *setting) {
        json_t *values = values_now(c, setting);
        char path[SYSCTL_NAME_MAX];
        int r = sysctl_conf_path(setting, path);

        if (r < 0 || !values) {
                json_decref(values);
                return r < 0 ? r : -ENOMEM;
        }
        return fix_plan_add(plan, "sysctl", json_pack("{s:s, s:s}", "path", path, "value", "1"),
                json_pack("{s:o}", "values", values), "Set %s to 1 now", setting);
}

/* Under both its names where it has two: systemd-sysctl leaves a setting that a file before gives the same
 * value where that one has it, and so before what another file makes of its other name. Behind what was
 * written for another setting. */
static int plan_for_boot(FixPlan *plan, const char *setting) {
        _cleanup_(freep) char *why = NULL, *content = NULL, *before = NULL;
        char name[SYSCTL_NAME_MAX], path[SYSCTL_NAME_MAX + sizeof("/etc/sysctl.d/")];
        Rival rival;
        size_t len;
        int r;

        find_rival(setting, &rival);
        if (rival.name[0] && !rival.is_off)
                return 0; /* something else turned it off, not the configuration */
        r = sysctl_conf_name_after(rival.name[0] ? rival.name : NULL, name);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "/etc/sysctl.d/%s", name);
        r = plan_read_file(path, &before, &len);
        if (r < 0)
                return r;
        if (asprintf(&content,
                    "%s# Written by edgewatch: Docker's containers reach the network only so.\n%s = 1\n%s",
                    before ? before : "", setting,
                    strcmp(setting, ALL) == 0 ? ALL_LINKS " = 1\n" : "") < 0) {
                content = NULL;
                return -ENOMEM;
        }
        r = plan_write_file(plan, path, json_pack("{s:s, s:s}", "kind", "content", "text", content), &why,
                rival.name[0] ? "Write %s for the next boot, which wins over %s (that turns it off)"
                              : "Write %s for the next boot",
                path, rival.path);
        return r < 0 ? r : 0;
}

static int plan(FixContext *c, FixPlan *p) {
        const char *off = NULL;
        char setting[SETTING_MAX];
        int r;

        FOREACH_ARRAY (v, c->proof->variables, c->proof->n_variables)
                if (strcmp(v->name, "where_off") == 0)
                        off = v->value;
        if (!off)
                return -EPROTO;
        (void) snprintf(setting, sizeof(setting), "%.*s", (int) strcspn(off, " "), off);
        r = plan_now(c, p, setting);
        return r < 0 ? r : plan_for_boot(p, setting);
}

const Fix fix_ip_forward = {
        .name = "ip-forward",
        .title = "Let the kernel forward the containers' packets, now and after a reboot",
        .probe = "forwarding-off",
        .symptom = "ip-forward-disabled",
        .subject = "host",
        .settle = 5 * USEC_PER_SEC,
        .plan = plan,
};
