#!/usr/bin/env python3
"""The rtnetlink source on a real kernel, in a network namespace of its own, without any privilege."""

import lab

lab.need_root_and("ip", "nsenter", "setpriv")
namespace = lab.Namespace("ewnet")
follow = None


def start():
    """what exists is enumerated, without any privilege"""
    global follow
    namespace.ip("link", "add", "ew0", "mtu", "1430", "type", "veth", "peer", "name", "ew1")
    namespace.ip("addr", "add", "192.0.2.1/24", "dev", "ew0")
    namespace.ip("link", "set", "ew0", "up")
    namespace.ip("link", "set", "ew1", "up")
    namespace.ip("route", "add", "default", "via", "192.0.2.2")
    unprivileged = namespace.enter("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                   "--inh-caps=-all", "--bounding-set=-all")
    follow = lab.Follow("rtnetlink", prefix=unprivileged)
    follow.wait_live()
    follow.wait(kind="link", name="ew0", mtu=1430, initial=True)
    follow.wait(kind="address", ifname="ew0", address="192.0.2.1", initial=True)
    follow.wait(kind="route", destination="default", dev="ew0", gateway="192.0.2.2", initial=True)
    follow.wait(kind="forwarding", family="inet", ifname="all", initial=True)
    follow.wait(kind="forwarding", family="inet", ifname="ew0", initial=True)


def mtu():
    """a changed MTU is told"""
    namespace.ip("link", "set", "ew0", "mtu", "1400")
    follow.wait(kind="link", name="ew0", mtu=1400, initial=False)


def forwarding():
    """forwarding switched on and off is told for all and for each link"""
    namespace.write("/proc/sys/net/ipv4/ip_forward", 1)
    follow.wait(kind="forwarding", family="inet", ifname="all", enabled=True, initial=False)
    follow.wait(kind="forwarding", family="inet", ifname="ew0", enabled=True, initial=False)
    namespace.write("/proc/sys/net/ipv4/ip_forward", 0)
    follow.wait(kind="forwarding", family="inet", ifname="all", enabled=False, initial=False)


def forwarding6():
    """IPv6 forwarding is told"""
    namespace.write("/proc/sys/net/ipv6/conf/all/forwarding", 1)
    follow.wait(kind="forwarding", family="inet6", ifname="all", enabled=True, initial=False)


def route():
    """a default route that goes is told"""
    namespace.ip("route", "del", "default")
    follow.wait(kind="route", destination="default", deleted=True, initial=False)


def replaced():
    """after a route was replaced, everything is asked for again: the kernel does not tell which one went"""
    namespace.ip("route", "add", "default", "via", "192.0.2.2")
    namespace.ip("addr", "add", "203.0.113.1/24", "dev", "ew1")
    namespace.ip("route", "replace", "default", "via", "203.0.113.2", "dev", "ew1")
    follow.wait(kind="route", destination="default", dev="ew1", initial=False)
    follow.wait(kind="route", destination="default", dev="ew1", initial=True)
    assert follow.select(kind="route", destination="default", initial=True)[-1]["dev"] == "ew1"
    namespace.ip("route", "del", "default")
    follow.wait(kind="route", destination="default", dev="ew1", deleted=True)


def address():
    """an address that comes and goes is told"""
    namespace.ip("addr", "add", "198.51.100.7/24", "dev", "ew1")
    follow.wait(kind="address", address="198.51.100.7", deleted=False, initial=False)
    namespace.ip("addr", "del", "198.51.100.7/24", "dev", "ew1")
    follow.wait(kind="address", address="198.51.100.7", deleted=True, initial=False)


def link():
    """a link that comes and goes is told"""
    namespace.ip("link", "add", "ew2", "type", "veth", "peer", "name", "ew3")
    follow.wait(kind="link", name="ew2", deleted=False, initial=False)
    namespace.ip("link", "del", "ew2")
    follow.wait(kind="link", name="ew2", deleted=True, initial=False)


def overrun():
    """after more messages than the kernel keeps, everything is asked for again"""
    follow.process.popen.send_signal(lab.signal.SIGSTOP)
    batch = "".join(f"link set ew1 mtu {1300 + i % 2}\n" for i in range(6000)) + "link set ew1 mtu 1299\n"
    lab.subprocess.run(namespace.enter("ip", "-batch", "-"), input=batch, text=True, check=True,
                       capture_output=True)
    follow.process.popen.send_signal(lab.signal.SIGCONT)
    follow.wait(kind="link", name="ew1", mtu=1299, initial=True)
    assert follow.status()["lost"] >= 1
    assert follow.status()["state"] == "live"


def down():
    """after a link went down, everything is asked for again: the kernel does not tell which routes went with it"""
    namespace.ip("link", "set", "ew1", "down")
    follow.wait(kind="link", name="ew1", operstate="DOWN", initial=False)
    follow.wait(kind="link", name="ew1", operstate="DOWN", initial=True)
    assert follow.status()["state"] == "live"


def end():
    """it ends cleanly"""
    follow.stop()


lab.run_cases([start, mtu, forwarding, forwarding6, route, replaced, address, link, overrun, down, end])
