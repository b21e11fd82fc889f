#!/usr/bin/env python3
"""edgewatch-probe asks over two routers: how large packets may be, with a narrower link between them whose word about it is let through
or filtered, and what a refused certificate says of the clock; and from a container, by the servers that the engine wrote down for it."""

import atexit
import calendar
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import lab
from listen import LISTEN
from names import NAMES

HUB, NARROW = "192.0.2.10", 1400
SECONDS = 5
CERTIFICATES = {443: ("20240101000000Z", "20990101000000Z"), 5671: ("20980101000000Z", "20990101000000Z"), 8883: ("20240101000000Z", "20250101000000Z")}

lab.need_root_and("ip", "nsenter", "iptables", "openssl", "unshare")
lab.own_mounts()
device, near, far, hub = (lab.Namespace(f"edgewatch-{name}") for name in ("device", "near", "far", "hub"))


def link(left, left_address, right, right_address, mtu=1500):
    """A pair of links between two namespaces."""
    names = f"to-{right.name[10:13]}", f"to-{left.name[10:13]}"
    left.ip("link", "add", names[0], "type", "veth", "peer", "name", names[1], "netns", right.name)
    for namespace, name, address in ((left, names[0], left_address), (right, names[1], right_address)):
        namespace.ip("address", "add", f"{address}/24", "dev", name)
        namespace.ip("link", "set", name, "up", "mtu", mtu)


link(device, "10.1.0.1", near, "10.1.0.2")
link(near, "10.2.0.1", far, "10.2.0.2", NARROW)
link(far, "192.0.2.1", hub, HUB)
device.ip("route", "add", "default", "via", "10.1.0.2")
near.ip("route", "add", "default", "via", "10.2.0.2")
far.ip("route", "add", "10.1.0.0/24", "via", "10.2.0.1")
hub.ip("route", "add", "default", "via", "192.0.2.1")
for router in (near, far):
    router.write("/proc/sys/net/ipv4/ip_forward", 1)

files = lab.folder()
# Names enough that the certificate does not fit one packet.
names = ",".join(f"DNS:{n:03}.hub.example" for n in range(100))
(files / "ca.conf").write_text(f"""[ca]
default_ca = own
[own]
database = {files}/index
new_certs_dir = {files}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {names}
[req]
distinguished_name = subject
[subject]
""")
(files / "index").touch()
lab.command("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hub.example", "-config", files / "ca.conf",
            "-keyout", files / "key.pem", "-out", files / "request.pem")
for port, (start, end) in CERTIFICATES.items():
    (files / "index").write_text("")
    lab.command("openssl", "ca", "-batch", "-selfsign", "-notext", "-config", files / "ca.conf", "-keyfile", files / "key.pem",
                "-in", files / "request.pem", "-startdate", start, "-enddate", end, "-out", files / f"{port}.pem")
    server = lab.Process(hub.enter(sys.executable, "-c", LISTEN, files / f"{port}.pem", files / "key.pem", HUB, port),
                         stdout=subprocess.PIPE, text=True)
    assert server.popen.stdout.readline() == "listens\n"


def ask(port=443, question="path-mtu"):
    """The answer, which has to come in time."""
    for namespace in (device, hub):  # what was learned of the way in the case before
        namespace.ip("route", "flush", "cache")
    request = {"question": question, "from": "host", "host": HUB, "port": port, "timeout_ms": SECONDS * 1000}
    begin = time.monotonic()
    done = subprocess.run(device.enter(os.environ["EDGEWATCH_PROBE"]), input=json.dumps(request), capture_output=True, text=True, check=True)
    seconds = time.monotonic() - begin
    value = json.loads(done.stdout)["value"]
    print(f"# {seconds * 1000:.0f} ms: {value}")
    assert seconds < SECONDS, seconds
    return value


class filtered:
    """No router's word about a packet that is too large goes out."""

    def __init__(self, *routers):
        self.routers = routers

    def rule(self, action):
        for router in self.routers:
            lab.command(*router.enter("iptables", action, "OUTPUT", "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP"))

    def __enter__(self):
        self.rule("-A")

    def __exit__(self, *_):
        self.rule("-D")


def set_narrow(mtu):
    near.ip("link", "set", "to-far", "mtu", mtu)
    far.ip("link", "set", "to-nea", "mtu", mtu)


def wide():
    """a way that carries all that is sent"""
    set_narrow(1500)
    value = ask()
    assert (value["result"], value["mtu"], value["lost"], value["answered"]) == ("ok", 1500, 0, True), value
    set_narrow(NARROW)


def narrow_and_told():
    """a narrower link whose router says so is no black hole, and its size is known"""
    value = ask()
    assert (value["result"], value["mtu"], value["lost"], value["answered"]) == ("ok", NARROW, 0, True), value


def narrow_both_ways():
    """a narrower link that nobody tells of: what comes through, and what vanishes"""
    with filtered(near, far):
        value = ask()
    assert (value["result"], value["mtu"], value["lost"]) == ("timeout", NARROW, 1430), value
    assert not value["answered"], value


def narrow_on_the_way_out():
    """only the way out swallows large packets: the answer comes"""
    with filtered(near):
        value = ask()
    assert (value["result"], value["mtu"], value["lost"], value["answered"]) == ("timeout", NARROW, 1430, True), value


def narrow_on_the_way_back():
    """only the way back does: all is acknowledged, no answer comes"""
    with filtered(far):
        value = ask()
    assert (value["result"], value["lost"], value["answered"]) == ("timeout", 0, False), value


def nobody_there():
    """nothing is told of a way on which nobody answers"""
    assert ask(port=444)["result"] == "refused"
    lab.command(*hub.enter("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "445", "-j", "DROP"))
    value = ask(port=445)
    assert value["result"] == "timeout" and "mtu" not in value, value


def certificates_and_the_clock():
    """a certificate that is refused is told with its validity and this device's clock"""
    for port, (start, end) in CERTIFICATES.items():
        value = ask(port, "tls")
        told = [re.sub(r"[-:T]|\.\d+", "", value[key]) for key in ("not_before", "not_after", "clock")]
        assert value["result"] == "error" and told[:2] == [start, end], value
        assert abs(calendar.timegm(time.strptime(told[2], "%Y%m%d%H%M%SZ")) - time.time()) < SECONDS, value


ID = secrets.token_hex(32)
DATA = Path("/var/lib/docker")


def contain():
    """A process of a container, and where its engine keeps its data."""
    cgroup = lab.unified_cgroups() / f"docker-{ID}.scope"
    cgroup.mkdir()
    atexit.register(cgroup.rmdir)
    lab.Process(device.enter("sleep", 1000), preexec_fn=lambda: (cgroup / "cgroup.procs").write_text("0"))
    DATA.mkdir(parents=True, exist_ok=True)
    lab.command("mount", "-t", "tmpfs", "tmpfs", DATA)


def write_servers(text, folder=DATA, owner=0):
    """The only resolv.conf of the container."""
    for path in DATA.iterdir():
        shutil.rmtree(path)
    if text:
        path = folder / "containers" / ID / "resolv.conf"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        os.chown(path, owner, owner)


def serve_names(address):
    server = lab.Process(device.enter(sys.executable, "-c", NAMES, address, json.dumps({"hub.example": HUB})), stdout=subprocess.PIPE, text=True)
    assert server.popen.stdout.readline() == "listens\n"


def ask_inside(question="resolve"):
    request = {"question": question, "from": ID, "host": "hub.example", "timeout_ms": SECONDS * 1000}
    if question != "resolve":
        request["port"] = 443
    return json.loads(lab.command(os.environ["EDGEWATCH_PROBE"], input=json.dumps(request)))


def servers_of_a_container():
    """the servers of its own are asked: of IPv6 too, and where its users are mapped to others"""
    contain()
    serve_names("127.0.0.5")
    serve_names("::1")
    for text, *place in (("nameserver 127.0.0.5\n",), ("# none of IPv4\nnameserver ::1\n",), ("nameserver ::1\nnameserver 127.0.0.6\n",),
                         ("nameserver 127.0.0.5\n", DATA / "100000.100000", 100000)):
        write_servers(text, *place)
        assert ask_inside() == {"value": {"result": "ok", "detail": ""}}, (text, ask_inside())
    write_servers("nameserver 127.0.0.6\n")
    assert ask_inside()["value"]["result"] == "refused"


def servers_unknown():
    """where the engine's data are elsewhere, nobody at Docker's own address is no word about the container's names"""
    for text in (None, "# nameserver 127.0.0.6\n"):
        write_servers(text)
        for question in ("resolve", "connect", "tls", "path-mtu"):
            assert ask_inside(question) == {"error": "which name servers the container asks is not known"}, ask_inside(question)
    serve_names("127.0.0.11")
    assert ask_inside()["value"]["result"] == "ok"


lab.run_cases([wide, narrow_and_told, narrow_both_ways, narrow_on_the_way_out, narrow_on_the_way_back, nobody_there,
               certificates_and_the_clock, servers_of_a_container, servers_unknown])
