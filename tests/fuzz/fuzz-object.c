/* One JSON value, read as each of the device's objects. */

#include "lib/event/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        json_t *object = json_loadb((const char *) data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        _cleanup_(container_unrefp) Container *c = NULL;
        _cleanup_(network_unrefp) Network *n = NULL;
        Forwarding forwarding;
        UnitState unit;
        Address address;
        Route route;
        Link link;

        (void) container_from_json(object, &c);
        (void) network_from_json(object, &n);
        (void) link_from_json(object, &link);
        (void) route_from_json(object, &route);
        (void) address_from_json(object, 0, &address);
        (void) forwarding_from_json(object, &forwarding);
        (void) unit_state_from_json("a.service", object, &unit);
        json_decref(object);
        return 0;
}
