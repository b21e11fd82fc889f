/* Lengths stand before what they are of, in nested blocks: each is written as 0 and set when its block ends.
 * What is offered is what every hub since 2018 takes, so that it answers with its certificate. */

#include "daemon/probe/client-hello.h"

#include <sys/random.h>

#define RECORD_HANDSHAKE     22
#define HANDSHAKE_HELLO      1
#define TLS_1_0              0x0301 /* of the record: what old middleboxes expect there */
#define TLS_1_2              0x0303
#define RANDOM_BYTES         32
#define EXTENSION_NAME       0
#define EXTENSION_GROUPS     10
#define EXTENSION_FORMATS    11
#define EXTENSION_SIGNATURES 13
#define EXTENSION_PADDING    21

static const uint16_t ciphers[] = {0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0x009C, 0x009D};
static const uint16_t groups[] = {0x001D, 0x0017, 0x0018};
static const uint16_t signatures[] = {0x0403, 0x0503, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601};

typedef struct Writer {
        uint8_t *data;
        size_t len, size;
        bool is_full;
} Writer;

static void put(Writer *w, const void *data, size_t n) {
        if (n > w->size - w->len) {
                w->is_full = true;
                return;
        }
        memcpy(w->data + w->len, data, n);
        w->len += n;
}

static void put_number(Writer *w, size_t value, size_t n_bytes) {
        uint8_t bytes[4];

        for (size_t i = 0; i < n_bytes; i++)
                bytes[i] = (uint8_t) (value >> 8 * (n_bytes - 1 - i));
        put(w, bytes, n_bytes);
}

/* Returns where the block's length stands. */
static size_t begin(Writer *w, size_t n_bytes) {
        size_t at = w->len;

        put_number(w, 0, n_bytes);
        return at;
}

static void end(Writer *w, size_t at, size_t n_bytes) {
        Writer length = {.data = w->data, .len = at, .size = w->size};

        if (!w->is_full)
                put_number(&length, w->len - at - n_bytes, n_bytes);
}

static void put_list(Writer *w, const uint16_t *values, size_t n) {
        size_t list = begin(w, 2);

        for (size_t i = 0; i < n; i++)
                put_number(w, values[i], 2);
        end(w, list, 2);
}

static void put_list_extension(Writer *w, uint16_t type, const uint16_t *values, size_t n) {
        size_t extension;

        put_number(w, type, 2);
        extension = begin(w, 2);
        put_list(w, values, n);
        end(w, extension, 2);
}

static void put_name(Writer *w, Text server_name) {
        size_t extension, list, name;

        put_number(w, EXTENSION_NAME, 2);
        extension = begin(w, 2);
        list = begin(w, 2);
        put_number(w, 0, 1); /* a host's */
        name = begin(w, 2);
        put(w, server_name.data, server_name.len);
        end(w, name, 2);
        end(w, list, 2);
        end(w, extension, 2);
}

static void put_padding(Writer *w) {
        size_t extension;

        put_number(w, EXTENSION_PADDING, 2);
        extension = begin(w, 2);
        if (w->is_full)
                return;
        memset(w->data + w->len, 0, w->size - w->len);
        w->len = w->size;
        end(w, extension, 2);
}

static void put_extensions(Writer *w, Text server_name) {
        size_t extensions = begin(w, 2);

        put_name(w, server_name);
        put_list_extension(w, EXTENSION_GROUPS, groups, ELEMENTSOF(groups));
        put_list_extension(w, EXTENSION_SIGNATURES, signatures, ELEMENTSOF(signatures));
        put_number(w, EXTENSION_FORMATS, 2);
        put(w, (const uint8_t[]){0, 2, 1, 0}, 4); /* uncompressed points only */
        put_padding(w);
        end(w, extensions, 2);
}

int client_hello_write(Text server_name, size_t size, uint8_t *ret) {
        Writer w = {.data = ret, .size = size};
        uint8_t random[RANDOM_BYTES];
        size_t record, hello;

        if (size > CLIENT_HELLO_MAX_BYTES)
                return -EINVAL;
        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return -errno;
        put_number(&w, RECORD_HANDSHAKE, 1);
        put_number(&w, TLS_1_0, 2);
        record = begin(&w, 2);
        put_number(&w, HANDSHAKE_HELLO, 1);
        hello = begin(&w, 3);
        put_number(&w, TLS_1_2, 2);
        put(&w, random, sizeof(random));
        put_number(&w, 0, 1); /* no session to resume */
        put_list(&w, ciphers, ELEMENTSOF(ciphers));
        put(&w, (const uint8_t[]){1, 0}, 2); /* no compression */
        put_extensions(&w, server_name);
        end(&w, hello, 3);
        end(&w, record, 2);
        return w.is_full ? -EINVAL : 0;
}
