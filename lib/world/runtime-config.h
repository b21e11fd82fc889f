#pragma once

/* The runtime's configuration without its secrets: the value of the World's fact `runtime-config`.
 *
 * Since 1.2 it is TOML in /etc/aziot (config.toml, and the files that `iotedge config apply` makes of it for
 * each daemon), in 1.0 and 1.1 the YAML file /etc/iotedge/config.yaml. What applies are the generated files;
 * config.toml fills what they do not tell. Only keys of an allow-list come through. */

#include "lib/world/world.h"

/* Reads one file. Returns 1 and its content (freed by the caller), 0 when there is none or it cannot be
 * read, -ENOMEM. */
typedef struct RuntimeConfigFiles {
        int (*read)(void *userdata, const char *path, char **ret, size_t *ret_len);
        void *userdata;
} RuntimeConfigFiles;

/* Returns 1 and an object {hostname, parent_hostname, iothub_hostname, device_id, provisioning_source,
 * listen: {management_uri, workload_uri}, connect: {…}, agent: {image, UpstreamProtocol, https_proxy},
 * moby_runtime: {uri, network}, prefer_module_identity_cache, sources: [path…]}, each key only when it is
 * set; 0 when there is no file that can be read; or a negative errno. A file with mistakes is as good as
 * none. */
int runtime_config_read(RuntimeConfigFiles files, json_t **ret);

/* The same from what the World already knows of these files (`file:` facts). For WorldOps of a recording. */
int runtime_config_from_world(const World *w, json_t **ret);
