#pragma once

/* The state of this device, read once and waited for: what `record` writes and `check` judges. Each part is
 * JSON as a recording holds it (docs/recording.md), not redacted. A part that cannot be read is NULL and has
 * an error. */

#include "daemon/collect/docker-api.h"
#include "daemon/collect/network-reader.h"

typedef enum DevicePart {
        DEVICE_CONTAINERS,
        DEVICE_NETWORKS,
        DEVICE_ENGINE_INFO,
        DEVICE_ENGINE_VERSION,
        DEVICE_LINKS,
        DEVICE_ROUTES,
        DEVICE_ADDRESSES,
        DEVICE_LISTENERS,
        DEVICE_UNITS,
        DEVICE_PART_X_MAX,
        DEVICE_PART_X_INVALID = -EINVAL,
} DevicePart;

const char *device_part_to_string(DevicePart part); /* its path in a recording */

typedef struct Device {
        json_t *parts[DEVICE_PART_X_MAX];
        int errors[DEVICE_PART_X_MAX]; /* 0, or why a part is NULL */
} Device;

void device_done(Device *d);

/* Each fills its parts. They return nothing: what could not be read is in d->errors. */
void device_read_docker(Device *d, DockerApi *api);
void device_read_network(Device *d, NetworkReader *reader);
void device_read_listeners(Device *d);
void device_read_units(Device *d);
