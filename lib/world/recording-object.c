/* Small JSON forms that only recordings have. */

#include "lib/world/recording-object.h"

int json_time(const json_t *object, const char *key, usec_t *ret) {
        uint64_t nsec;
        int r;

        r = timestamp_parse(text_of(json_string_value(json_object_get(object, key))), &nsec, NULL);
        if (r < 0)
                return r;
        *ret = nsec / NSEC_PER_USEC;
        return 0;
}

int recording_address_from_json(const json_t *object, Address *ret) {
        const char *ifname = json_string_value(json_object_get(object, "ifname"));
        const char *text = json_string_value(json_object_get(object, "address"));
        Address address = {.prefix_len = -1};
        uint64_t prefix_len;
        size_t n;

        if (!ifname || !text)
                return -EINVAL;
        n = strcspn(text, "/");
        if (n == 0 || n >= sizeof(address.address) || strlen(ifname) >= sizeof(address.ifname))
                return -EINVAL;
        memcpy(address.address, text, n);
        strcpy(address.ifname, ifname);
        address.family = strchr(address.address, ':') ? FAMILY_INET6 : FAMILY_INET;
        if (text[n] == '/') {
                if (text_to_u64(text_of(text + n + 1), &prefix_len) < 0 || prefix_len > 128)
                        return -EINVAL;
                address.prefix_len = (int) prefix_len;
        }
        *ret = address;
        return 0;
}
