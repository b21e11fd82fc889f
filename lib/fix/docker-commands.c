/* Names, labels and aliases are whatever somebody once wrote: each word that is not plain goes into quotes,
 * as a person will paste the line into a root shell. */

#include "lib/fix/docker-commands.h"

#include <ctype.h>

#include "lib/base/buffer.h"
#include "lib/event/json-field.h"

static bool is_plain(const char *word) {
        for (const char *c = word; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr("._-/:=,@", *c))
                        return false;
        return word[0] != '\0';
}

/* The whole of "option" and of what is behind it. */
static void add_word(Buffer *b, const char *option, const char *key, const char *value) {
        const char *const parts[] = {key, key && value ? "=" : "", value};
        bool plain = (!key || is_plain(key)) && (!value || is_plain(value));

        (void) buffer_append_format(b, " %s%s%s", option, option[0] ? " " : "", plain ? "" : "'");
        FOREACH_ARRAY (part, parts, ELEMENTSOF(parts))
                for (const char *c = *part; c && *c; c++)
                        (void) (*c == '\'' ? buffer_append_string(b, "'\\''") : buffer_append(b, c, 1));
        if (!plain)
                (void) buffer_append_string(b, "'");
}

static void add_option(Buffer *b, const char *option, const char *value) {
        if (value[0])
                add_word(b, option, NULL, value);
}

static void add_pairs(Buffer *b, const char *option, const json_t *object) {
        const char *key;
        json_t *value;

        json_object_foreach ((json_t *) object, key, value)
                if (json_is_string(value))
                        add_word(b, option, key, json_string_value(value));
}

static void add_ipam(Buffer *b, const json_t *ipam) {
        json_t *pool;
        size_t i;

        json_array_foreach (json_object_get(ipam, "Config"), i, pool) {
                add_option(b, "--subnet", json_field_string(pool, "Subnet"));
                add_option(b, "--ip-range", json_field_string(pool, "IPRange"));
                add_option(b, "--gateway", json_field_string(pool, "Gateway"));
                add_pairs(b, "--aux-address", json_object_get(pool, "AuxiliaryAddresses"));
        }
        add_pairs(b, "--ipam-opt", json_object_get(ipam, "Options"));
}

static void create(Buffer *b, const json_t *body) {
        (void) buffer_append_string(b, "docker network create");
        add_option(b, "--driver", json_field_string(body, "Driver"));
        add_ipam(b, json_object_get(body, "IPAM"));
        if (json_is_true(json_object_get(body, "EnableIPv6")))
                (void) buffer_append_string(b, " --ipv6");
        if (json_is_true(json_object_get(body, "Internal")))
                (void) buffer_append_string(b, " --internal");
        if (json_is_true(json_object_get(body, "Attachable")))
                (void) buffer_append_string(b, " --attachable");
        add_pairs(b, "--opt", json_object_get(body, "Options"));
        add_pairs(b, "--label", json_object_get(body, "Labels"));
        add_option(b, "", json_field_string(body, "Name"));
}

static void add_each(Buffer *b, const char *option, const json_t *words) {
        json_t *word;
        size_t i;

        json_array_foreach (words, i, word)
                if (json_is_string(word))
                        add_word(b, option, NULL, json_string_value(word));
}

static void attach(Buffer *b, const char *network, const json_t *attachment) {
        const json_t *endpoint = json_object_get(attachment, "endpoint");
        const json_t *fixed = json_object_get(endpoint, "IPAMConfig");

        (void) buffer_append_string(b, "docker network connect");
        add_option(b, "--ip", json_field_string(fixed, "IPv4Address"));
        add_option(b, "--ip6", json_field_string(fixed, "IPv6Address"));
        add_each(b, "--alias", json_object_get(endpoint, "Aliases"));
        add_each(b, "--link", json_object_get(endpoint, "Links"));
        add_pairs(b, "--driver-opt", json_object_get(endpoint, "DriverOpts"));
        add_option(b, "", network);
        add_option(b, "", json_field_string(attachment, "name"));
}

static void detach(Buffer *b, const char *network, const json_t *attachment) {
        (void) buffer_append_string(b, "docker network disconnect");
        add_option(b, "", network);
        add_option(b, "", json_field_string(attachment, "name"));
}

static int end_command(json_t *commands, Buffer *b) {
        int r = b->error < 0 || json_array_append_new(commands, json_stringn(b->data, b->len)) < 0 ? -ENOMEM
                                                                                                   : 0;

        buffer_clear(b);
        return r;
}

static int each(json_t *commands, Buffer *b, const char *network, const json_t *attachments,
        void (*write)(Buffer *b, const char *network, const json_t *attachment)) {
        json_t *a;
        size_t i;
        int r = 0;

        json_array_foreach (attachments, i, a) {
                write(b, network, a);
                if (r >= 0)
                        r = end_command(commands, b);
        }
        return r;
}

json_t *docker_network_commands(const json_t *body, const json_t *attachments) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *name = json_field_string(body, "Name");
        json_t *commands = json_array();
        int r = commands ? each(commands, &b, name, attachments, detach) : -ENOMEM;

        if (r >= 0) {
                (void) buffer_append_string(&b, "docker network rm");
                add_option(&b, "", name);
                r = end_command(commands, &b);
        }
        if (r >= 0) {
                create(&b, body);
                r = end_command(commands, &b);
        }
        if (r >= 0)
                r = each(commands, &b, name, attachments, attach);
        if (r >= 0)
                return commands;
        json_decref(commands);
        return NULL;
}
