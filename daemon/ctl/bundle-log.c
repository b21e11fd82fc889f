/* Gives times back to the logs of a support bundle.
 *
 * The trap: `journalctl` prints the device's local time without year or zone ("Nov 19 15:10:41"). The lines
 * of the runtime and of the engine carry a complete stamp of their own; the difference between the two, in
 * quarters of an hour as zones are, is the zone. This is the only place in edgewatch that takes a time from
 * a log's text: a bundle has no other. */

#include "daemon/ctl/bundle-log.h"

#include <limits.h>
#include <time.h>

#define ZONE_STEP_SEC 900
#define DAY_SEC       86400

typedef struct UnitClock {
        int64_t near_sec; /* of the last line, in the device's local time as if it were UTC */
        int64_t zone_sec; /* local time minus UTC */
        bool has_zone;
} UnitClock;

typedef struct UnitLine {
        struct tm local; /* without year */
        Text identifier, pid, message;
} UnitLine;

static Text next_line(Text *rest) {
        Text line = text_cut(rest, '\n');

        if (line.len > 0 && line.data[line.len - 1] == '\r')
                line.len--;
        return line;
}

static int month_from_text(Text t) {
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

        for (int i = 0; i < 12; i++)
                if (t.len == 3 && memcmp(t.data, months + 3 * i, 3) == 0)
                        return i;
        return -EINVAL;
}

static int read_number(Text t, unsigned max, int *ret) {
        uint64_t value;

        if (text_to_u64(text_strip(t), &value) < 0 || value > max)
                return -EINVAL;
        *ret = (int) value;
        return 0;
}

/* "Nov 19 15:10:41 host identifier[pid]: message". -EINVAL when the line is not of this form. */
static int parse_unit_line(Text line, UnitLine *ret) {
        UnitLine parsed = {};
        Text rest = text_skip(line, sizeof("Nov 19 15:10:41 ") - 1), head;

        if (rest.len == 0 || line.data[3] != ' ' || line.data[6] != ' ' || line.data[9] != ':' ||
                line.data[12] != ':' || line.data[15] != ' ')
                return -EINVAL;
        parsed.local.tm_mon = month_from_text(text_clip(line, 3));
        if (parsed.local.tm_mon < 0 ||
                read_number((Text){line.data + 4, 2}, 31, &parsed.local.tm_mday) < 0 ||
                read_number((Text){line.data + 7, 2}, 23, &parsed.local.tm_hour) < 0 ||
                read_number((Text){line.data + 10, 2}, 59, &parsed.local.tm_min) < 0 ||
                read_number((Text){line.data + 13, 2}, 60, &parsed.local.tm_sec) < 0)
                return -EINVAL;

        (void) text_cut(&rest, ' '); /* host */
        head = text_cut(&rest, ':');
        if (head.len == 0 || memchr(head.data, ' ', head.len))
                return -EINVAL;
        parsed.identifier = text_cut(&head, '[');
        if (head.len > 1 && head.data[head.len - 1] == ']')
                parsed.pid = text_clip(head, head.len - 1);
        parsed.message = rest.len > 0 && rest.data[0] == ' ' ? text_skip(rest, 1) : rest;
        *ret = parsed;
        return 0;
}

/* The stamp that the component itself wrote: at the start, or logrus's time="…". */
static int own_stamp(Text message, int64_t *ret_sec) {
        uint64_t nsec;

        if (text_starts_with(message, "time=\""))
                message = text_skip(message, strlen("time=\""));
        if (timestamp_parse(message, &nsec, NULL) < 0)
                return -EINVAL;
        *ret_sec = (int64_t) (nsec / NSEC_PER_SEC);
        return 0;
}

/* The local time with the year that brings it nearest to `near`. */
static int64_t with_year(struct tm local, int64_t near_sec) {
        int64_t best = 0, best_distance = INT64_MAX;
        time_t reference = (time_t) near_sec;
        struct tm near;

        if (!gmtime_r(&reference, &near))
                return near_sec;
        for (int year = near.tm_year - 1; year <= near.tm_year + 1; year++) {
                int64_t seconds, distance;

                local.tm_year = year;
                seconds = timegm(&(struct tm){.tm_year = year,
                        .tm_mon = local.tm_mon,
                        .tm_mday = local.tm_mday,
                        .tm_hour = local.tm_hour,
                        .tm_min = local.tm_min,
                        .tm_sec = local.tm_sec});
                distance = seconds > near_sec ? seconds - near_sec : near_sec - seconds;
                if (distance < best_distance) {
                        best = seconds;
                        best_distance = distance;
                }
        }
        return best;
}

/* Learns the zone from a line that tells the time twice. */
static void learn_zone(UnitClock *c, const UnitLine *line) {
        int64_t own, zone;

        if (own_stamp(line->message, &own) < 0)
                return;
        zone = with_year(line->local, own) - own;
        zone = (zone + (zone < 0 ? -1 : 1) * ZONE_STEP_SEC / 2) / ZONE_STEP_SEC * ZONE_STEP_SEC;
        if (zone < -DAY_SEC || zone > DAY_SEC)
                return; /* its own stamp is not of now: a quotation */
        c->zone_sec = zone;
        c->has_zone = true;
        c->near_sec = own + zone;
}

static usec_t unit_line_time(UnitClock *c, const UnitLine *line) {
        int64_t utc;

        learn_zone(c, line);
        c->near_sec = with_year(line->local, c->near_sec);
        utc = c->near_sec - c->zone_sec;
        return utc > 0 ? (usec_t) utc * USEC_PER_SEC : 0;
}

static bool is_of_unit(const UnitLine *line, const char *unit) {
        /* Containers of the journald log driver: their logs are in the bundle by themselves. */
        return strcmp(unit, "docker.service") != 0 || text_is(line->identifier, "dockerd") ||
                text_is(line->identifier, "systemd");
}

static void append_entry(Buffer *b, const UnitLine *line, const char *unit, usec_t time) {
        bool is_manager = text_is(line->identifier, "systemd");

        (void) buffer_append_format(b, "__REALTIME_TIMESTAMP=%" PRIu64 "\n_TRANSPORT=%s\n_SYSTEMD_UNIT=%s\n",
                time, is_manager ? "journal" : "stdout", is_manager ? "init.scope" : unit);
        if (is_manager)
                (void) buffer_append_format(b, "UNIT=%s\n_COMM=systemd\n", unit);
        (void) buffer_append_string(b, "SYSLOG_IDENTIFIER=");
        (void) buffer_append_text(b, line->identifier);
        if (line->pid.len > 0) {
                (void) buffer_append_string(b, "\n_PID=");
                (void) buffer_append_text(b, line->pid);
        }
        (void) buffer_append_string(b, "\nMESSAGE=");
        (void) buffer_append_text(b, line->message);
        (void) buffer_append_string(b, "\n\n");
}

/* What the first line that tells the time twice says holds for those before it, too. */
static UnitClock first_clock(Text log, usec_t reference) {
        UnitClock c = {.near_sec = (int64_t) (reference / USEC_PER_SEC)};
        UnitLine line;

        while (log.len > 0 && !c.has_zone)
                if (parse_unit_line(next_line(&log), &line) >= 0)
                        learn_zone(&c, &line);
        return c;
}

int bundle_unit_log_convert(Text log, const char *unit, usec_t reference, Buffer *ret, usec_t *latest) {
        UnitClock clock = first_clock(log, reference);
        UnitLine line = {};
        usec_t time = 0;

        while (log.len > 0) {
                Text text = next_line(&log);

                if (parse_unit_line(text, &line) >= 0)
                        time = unit_line_time(&clock, &line);
                else if (time > 0 && text.len > 0 && text.data[0] == ' ')
                        line.message = text_strip(text); /* of an entry of several lines */
                else
                        continue; /* "-- Logs begin at …" */
                if (time == 0 || !is_of_unit(&line, unit))
                        continue;
                append_entry(ret, &line, unit, time);
                if (time > *latest)
                        *latest = time;
        }
        return ret->error < 0 ? -ENOMEM : 0;
}

/* The time of a container's line, and how many bytes in front are the engine's timestamp: 0 when the time is
 * the component's own ("<6> 2024-11-19 14:10:41.162 +00:00 [INF] - …"). */
static int container_line_time(Text line, uint64_t *ret_nsec, size_t *ret_stamp_bytes) {
        size_t bytes;

        if (timestamp_parse(line, ret_nsec, &bytes) >= 0) {
                *ret_stamp_bytes =
                        bytes < line.len && line.data[bytes] == ' ' && line.data[10] == 'T' ? bytes + 1 : 0;
                return 0;
        }
        *ret_stamp_bytes = 0;
        if (line.len > 3 && line.data[0] == '<' && line.data[2] == '>') {
                line = text_skip(line, 3);
                return timestamp_parse(text_strip(line), ret_nsec, NULL);
        }
        return -EINVAL;
}

int bundle_container_log_convert(Text log, Buffer *ret, usec_t *latest) {
        char stamp[TIMESTAMP_MAX];
        usec_t time = 0;
        int n_lost = 0;

        while (log.len > 0) {
                Text line = next_line(&log);
                size_t stamp_bytes = 0;
                uint64_t nsec;

                if (line.len == 0)
                        continue;
                if (container_line_time(line, &nsec, &stamp_bytes) >= 0)
                        time = nsec / NSEC_PER_USEC;
                if (time == 0) {
                        n_lost += n_lost < INT_MAX;
                        continue;
                }
                if (stamp_bytes == 0) {
                        (void) buffer_append_string(ret, timestamp_format(time, stamp));
                        (void) buffer_append_string(ret, " ");
                }
                (void) buffer_append_text(ret, line);
                (void) buffer_append_string(ret, "\n");
                if (time > *latest)
                        *latest = time;
        }
        return ret->error < 0 ? -ENOMEM : n_lost;
}
