/* root/: the files of the device that diagnosis reads, without their secrets. A file that is not there is
 * not worth a word. */

#include <glob.h>
#include <stdio.h>

#include "daemon/collect/device-file.h"
#include "daemon/ctl/record/recorder.h"

static const char *const patterns[] = {
        "/etc/aziot/*/config.d/*.toml",
        "/etc/aziot/config.toml",
        "/etc/docker/daemon.json",
        "/etc/hostname",
        "/etc/iotedge/config.yaml",
        "/etc/os-release",
        "/etc/resolv.conf",
        "/etc/sysctl.conf",
        "/etc/sysctl.d/*.conf",
        "/proc/meminfo",
        "/proc/pressure/memory",
        "/proc/sys/kernel/hostname",
        "/proc/sys/net/ipv4/conf/*/forwarding",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/net/ipv6/conf/*/forwarding",
        "/run/systemd/resolve/resolv.conf",
        "/var/lib/aziot/identityd/device_info",
        "/var/snap/docker/current/config/daemon.json",
};

static int record_one(Recorder *r, const char *path) {
        _cleanup_(freep) char *content = NULL, *redacted = NULL, *name = NULL;
        size_t len = 0;
        int error;

        if (asprintf(&name, "root%s", path) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        error = device_file_read(path, &content, &len);
        if (error == -ENOENT)
                return 0;
        if (error >= 0)
                error = record_redact_file(path, (Text){content, len}, &redacted);
        if (error == -ENOMEM)
                return error;
        if (error < 0) {
                recorder_say(name,
                        error == -EINVAL ? "left out: it is not well-formed, so its secrets cannot be found"
                                         : "left out",
                        error == -EINVAL ? 0 : error);
                return 0;
        }
        return recorder_write(r, name, text_of(redacted));
}

int record_root(Recorder *r) {
        glob_t found = {};
        int error = 0;

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                if (glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found) == GLOB_NOSPACE)
                        error = -ENOMEM;
        for (size_t i = 0; error >= 0 && i < found.gl_pathc; i++)
                error = record_one(r, found.gl_pathv[i]);
        globfree(&found);
        return error;
}
