/* A datagram of rtnetlink messages, as the kernel packs them. mnl_nlmsg_ok() takes a length of 2 GiB and
 * more for a negative one, which fits anything: no kernel writes that, so it ends here. */

#include "lib/event/netlink-message.h"

#include <libmnl/libmnl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(netlink_decoder_freep) NetlinkDecoder *d = NULL;
        _cleanup_(freep) void *aligned = malloc(size + 1);
        const struct nlmsghdr *nlh = aligned;
        int len = (int) size;
        Event event;

        if (!aligned || netlink_decoder_new(&d) < 0)
                return 0;
        memcpy(aligned, data, size);
        for (; mnl_nlmsg_ok(nlh, len) && nlh->nlmsg_len <= size; nlh = mnl_nlmsg_next(nlh, &len))
                if (netlink_decoder_decode(d, nlh, &event) > 0)
                        free(event_describe(&event));
        return 0;
}
