#pragma once

/* The properties of a systemd unit that are followed, out of D-Bus messages. */

#include <jansson.h>
#include <systemd/sd-bus.h>

/* Takes what is wanted of an a{sv} over into object, named as `systemctl show` names it. */
int units_properties_read(sd_bus_message *m, json_t *object);
