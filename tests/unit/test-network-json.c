#include "lib/event/network-json.h"

#include "tests/unit/unit.h"

static const Event events[] = {
        {.kind = EVENT_LINK,
                .time = 1732025440 * USEC_PER_SEC,
                .link = {.ifindex = 3,
                        .name = "wwan0",
                        .mtu = 1430,
                        .operstate = "UP",
                        .kind = "wwan",
                        .master = "br0"}},
        {.kind = EVENT_LINK, .deleted = true, .link = {.name = "veth1", .mtu = -1}},
        {.kind = EVENT_ROUTE, .route = {FAMILY_INET, "default", "eth0", "192.0.2.1", 100, 254}},
        {.kind = EVENT_ROUTE, .route = {FAMILY_INET6, "default", "tun0", "", 0, 254}},
        {.kind = EVENT_ADDRESS, .address = {FAMILY_INET6, "eth0", "2001:db8::1", 64}},
        {.kind = EVENT_FORWARDING, .forwarding = {FAMILY_INET, "all", false}},
};

static void check_same(const Event *event, const json_t *object) {
        Event again = {};

        switch (event->kind) {
        case EVENT_LINK:
                ck_assert_int_eq(link_from_json(object, &again.link), 0);
                ck_assert_str_eq(again.link.name, event->link.name);
                ck_assert_str_eq(again.link.kind, event->link.kind);
                ck_assert_str_eq(again.link.master, event->link.master);
                ck_assert_str_eq(again.link.operstate, event->link.operstate);
                ck_assert_int_eq(again.link.mtu, event->link.mtu);
                ck_assert_int_eq(again.link.ifindex, event->link.ifindex);
                break;
        case EVENT_ROUTE:
                ck_assert_int_eq(route_from_json(object, &again.route), 0);
                ck_assert_str_eq(again.route.destination, event->route.destination);
                ck_assert_str_eq(again.route.dev, event->route.dev);
                ck_assert_str_eq(again.route.gateway, event->route.gateway);
                ck_assert_int_eq(again.route.family, event->route.family);
                ck_assert_uint_eq(again.route.metric, event->route.metric);
                ck_assert_uint_eq(again.route.table, event->route.table);
                break;
        case EVENT_ADDRESS:
                ck_assert_int_eq(address_from_json(object, 0, &again.address), 0);
                ck_assert_str_eq(again.address.address, event->address.address);
                ck_assert_int_eq(again.address.prefix_len, event->address.prefix_len);
                break;
        default:
                ck_assert_int_eq(forwarding_from_json(object, &again.forwarding), 0);
                ck_assert_int_eq(again.forwarding.enabled, event->forwarding.enabled);
                break;
        }
}

START_TEST(an_event_reads_back) {
        json_t *object = network_event_to_json(&events[_i]);

        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(json_is_true(json_object_get(object, "deleted")), events[_i].deleted);
        check_same(&events[_i], object);
        json_decref(object);
}
END_TEST

START_TEST(an_address_of_ip_reads_back) {
        json_t *object = address_to_json(&events[4].address);

        check_same(&events[4], object);
        json_decref(object);
}
END_TEST

START_TEST(other_events_have_none) {
        ck_assert_ptr_null(network_event_to_json(&(Event){.kind = EVENT_LOG}));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("network-json");
        TCase *tcase = tcase_create("network-json");

        tcase_add_loop_test(tcase, an_event_reads_back, 0, ELEMENTSOF(events));
        tcase_add_test(tcase, an_address_of_ip_reads_back);
        tcase_add_test(tcase, other_events_have_none);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
