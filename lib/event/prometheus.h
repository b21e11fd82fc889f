#pragma once

/* Reads Prometheus' text exposition format, line by line, without keeping anything: names, labels and values
 * are views into the text. Lines that are no sample (comments, what cannot be read) are passed over. */

#include "lib/base/buffer.h"

typedef struct PrometheusSample {
        Text name;
        Text labels; /* between the braces, as written */
        double value;
} PrometheusSample;

/* Takes the next sample off the front of *rest. Returns false at the end. Values that are no finite number
 * are passed over. */
bool prometheus_next(Text *rest, PrometheusSample *ret);

/* The value of a label, with its escapes as written. Returns false when the sample does not carry it. */
bool prometheus_label(const PrometheusSample *s, const char *name, Text *ret);

/* Copies the lines of samples whose name begins with prefix. Returns their number or a negative errno. */
int prometheus_select(Text exposition, const char *prefix, Buffer *ret);
