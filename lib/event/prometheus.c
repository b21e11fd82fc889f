/* One pass over one line at a time. The trap is the label value: it may hold braces, commas, blanks and
 * escaped quotes, so the closing brace is only found by walking the labels. */

#include "lib/event/prometheus.h"

#include <ctype.h>
#include <math.h>

#define VALUE_BYTES_MAX 64

static bool is_name(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == ':';
}

static Text take_name(Text *rest) {
        Text name = {rest->data, 0};

        while (name.len < rest->len && is_name(rest->data[name.len]))
                name.len++;
        *rest = text_skip(*rest, name.len);
        return name;
}

static void skip_blanks(Text *rest) {
        while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
                *rest = text_skip(*rest, 1);
}

/* name="value" at the front. */
static bool take_label(Text *rest, Text *ret_name, Text *ret_value) {
        size_t n = 0;

        skip_blanks(rest);
        *ret_name = take_name(rest);
        skip_blanks(rest);
        if (ret_name->len == 0 || !text_starts_with(*rest, "="))
                return false;
        *rest = text_skip(*rest, 1);
        skip_blanks(rest);
        if (!text_starts_with(*rest, "\""))
                return false;
        *rest = text_skip(*rest, 1);
        while (n < rest->len && rest->data[n] != '"')
                n += rest->data[n] == '\\' ? 2 : 1;
        if (n >= rest->len)
                return false;
        *ret_value = text_clip(*rest, n);
        *rest = text_skip(*rest, n + 1);
        skip_blanks(rest);
        if (text_starts_with(*rest, ","))
                *rest = text_skip(*rest, 1);
        return true;
}

static bool take_labels(Text *rest, Text *ret) {
        Text name, value;

        *ret = (Text){rest->data, 0};
        for (;;) {
                skip_blanks(rest);
                if (text_starts_with(*rest, "}")) {
                        ret->len = (size_t) (rest->data - ret->data);
                        *rest = text_skip(*rest, 1);
                        return true;
                }
                if (!take_label(rest, &name, &value))
                        return false;
        }
}

static bool parse_value(Text rest, double *ret) {
        char word[VALUE_BYTES_MAX];
        char *end;
        size_t n = 0;

        while (n < rest.len && !isspace((unsigned char) rest.data[n]))
                n++;
        if (n == 0 || n >= sizeof(word))
                return false;
        memcpy(word, rest.data, n);
        word[n] = '\0';
        *ret = strtod(word, &end);
        return *end == '\0' && isfinite(*ret);
}

static bool parse_line(Text line, PrometheusSample *ret) {
        PrometheusSample sample = {};

        skip_blanks(&line);
        sample.name = take_name(&line);
        if (sample.name.len == 0)
                return false;
        if (text_starts_with(line, "{")) {
                line = text_skip(line, 1);
                if (!take_labels(&line, &sample.labels))
                        return false;
        }
        skip_blanks(&line);
        if (!parse_value(line, &sample.value))
                return false;
        *ret = sample;
        return true;
}

bool prometheus_next(Text *rest, PrometheusSample *ret) {
        while (rest->len > 0)
                if (parse_line(text_cut(rest, '\n'), ret))
                        return true;
        return false;
}

bool prometheus_label(const PrometheusSample *s, const char *name, Text *ret) {
        Text rest = s->labels, found, value;

        while (rest.len > 0 && take_label(&rest, &found, &value))
                if (text_is(found, name)) {
                        *ret = value;
                        return true;
                }
        return false;
}

int prometheus_select(Text exposition, const char *prefix, Buffer *ret) {
        Text rest = exposition;
        PrometheusSample s;
        int n = 0;

        while (prometheus_next(&rest, &s)) {
                Text line = text_strip((Text){s.name.data, (size_t) (rest.data - s.name.data)});

                if (!text_starts_with(s.name, prefix))
                        continue;
                (void) buffer_append_text(ret, line);
                (void) buffer_append_string(ret, "\n");
                n++;
        }
        return ret->error < 0 ? ret->error : n;
}
