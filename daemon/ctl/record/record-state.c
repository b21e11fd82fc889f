/* The snapshot: docker/api, net, units.json, metrics. */

#include <stdio.h>

#include "daemon/collect/module-metrics.h"
#include "daemon/ctl/record/recorder.h"
#include "lib/base/redact.h"

int record_state(Recorder *r, const Device *device) {
        for (DevicePart part = 0; part < DEVICE_PART_X_MAX; part++) {
                const char *name = device_part_to_string(part);
                int error;

                if (!device->parts[part]) {
                        recorder_say(name, "left out", device->errors[part]);
                        continue;
                }
                error = recorder_write_json(r, name, device->parts[part]);
                if (error < 0)
                        return error;
        }
        return 0;
}

static int record_metrics_of(Recorder *r, const Container *c) {
        _cleanup_(buffer_done) Buffer b = {.max_bytes = MODULE_METRICS_MAX};
        _cleanup_(freep) char *name = NULL, *redacted = NULL;
        int found = module_metrics_read(c, &b);

        if (asprintf(&name, "metrics/%s.prom", c->name) < 0) {
                name = NULL;
                return -ENOMEM;
        }
        if (found == 0) {
                recorder_say(name, "left out: nobody answers at port 9600", 0);
                return 0;
        }
        redacted = redact_text(buffer_text(&b));
        return redacted ? recorder_write(r, name, text_of(redacted)) : -ENOMEM;
}

int record_metrics(Recorder *r, const Device *device) {
        json_t *object;
        size_t i;

        json_array_foreach (device->parts[DEVICE_CONTAINERS], i, object) {
                _cleanup_(container_unrefp) Container *c = NULL;
                int error;

                error = container_from_json(object, &c);
                if (error == -ENOMEM)
                        return error;
                if (error < 0 || !c->name || !container_is_owned(c) || !container_is_running(c) ||
                        origin_of_module(text_of(c->name)) == ORIGIN_MODULE)
                        continue;
                error = record_metrics_of(r, c);
                if (error < 0)
                        return error;
        }
        return 0;
}
