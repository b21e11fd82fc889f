/* A scrape of a module's metrics: prometheus_next() and what reads its samples. */

#include "lib/event/metrics-point.h"
#include "lib/event/prometheus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Text rest = {(const char *) data, size}, value;
        PrometheusSample s;

        (void) metrics_point_read(0, rest);
        while (prometheus_next(&rest, &s))
                (void) prometheus_label(&s, "endpoint", &value);
        return 0;
}
