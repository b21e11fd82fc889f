#!/usr/bin/env python3
"""The connectivity ladder: a hub that really answers behind the device, one rung after the other broken for real.

The hub is a name server and TLS listeners in a namespace of their own, reached from containers through Docker's NAT. Only the
lines of edgeAgent and of the runtime's services are played.
"""

import atexit
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import lab
from listen import LISTEN
from names import NAMES

ROOT = Path(__file__).resolve().parent.parent.parent
HUB, PARENT = "hub1.azure-devices.net", "gw.plant.example"
NAME_SERVER, HUB_ADDRESS, PARENT_ADDRESS, NOBODY = "192.0.2.1", "192.0.2.10", "192.0.2.11", "192.0.2.99"
PROBE_SECONDS = 5

lab.need_root_and("unshare", "systemd-cat", "journalctl", "dockerd", "docker", "ip", "nsenter", "busybox", "iptables", "openssl", "ss")
lab.own_mounts()
device = lab.Namespace("edgewatch-ladder")
outside = lab.Namespace("edgewatch-hub")
device.ip("link", "add", "uplink0", "type", "veth", "peer", "name", "tower0", "netns", outside.name)
device.ip("address", "add", "192.0.2.2/24", "dev", "uplink0")
device.ip("link", "set", "uplink0", "up")
for address in (NAME_SERVER, HUB_ADDRESS, PARENT_ADDRESS):
    outside.ip("address", "add", f"{address}/24", "dev", "tower0")
outside.ip("link", "set", "tower0", "up")
device.ip("route", "add", "default", "via", NAME_SERVER)

files = lab.folder()
(files / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
lab.command("mount", "--bind", files / "resolv.conf", os.path.realpath("/etc/resolv.conf"))

if not Path("/etc/aziot").exists():
    Path("/etc/aziot").mkdir()
    atexit.register(lambda: lab.command("rmdir", "/etc/aziot", check=False))
lab.command("mount", "-t", "tmpfs", "tmpfs", "/etc/aziot")
atexit.register(lambda: lab.command("umount", "-l", "/etc/aziot", check=False))

def listening(*args):
    """A server outside; returns once it listens."""
    server = lab.Process(outside.enter(sys.executable, "-c", *args), stdout=subprocess.PIPE, text=True)
    assert server.popen.stdout.readline() == "listens\n", args[0]
    return server


# Names enough that the certificate does not fit one packet.
lab.command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HUB}",
            "-addext", "subjectAltName=" + ",".join(f"DNS:{n:03}.{HUB}" for n in range(100)),
            "-keyout", files / "key.pem", "-out", files / "certificate.pem")
names = listening(NAMES, NAME_SERVER, json.dumps({HUB: HUB_ADDRESS, PARENT: PARENT_ADDRESS}))
hub = listening(LISTEN, files / "certificate.pem", files / "key.pem", HUB_ADDRESS, "443", "5671", "8883")

journald = lab.Journald()
edged = lab.Unit("aziot-edged.service")
docker = lab.Docker(device)
docker("network", "create", "azure-iot-edge")
daemon = lab.Daemon(config="sources: {metrics: no, units: no}\n", prefix=device.enter(),
                    options=["--rules", ROOT / "conf/rules.d", "--docker-socket", docker.socket, "--prober", os.environ["EDGEWATCH_PROBE"]])
took = []

SAY = """
say() { echo "<$1> $(date -u '+%Y-%m-%d %H:%M:%S').123 +00:00 [$2] - $3"; }
empty() { say 4 WRN 'Empty edge agent config was received. Attempting to read config from backup (/tmp/edgeAgent/backup.json) instead'; }
attempt() { say 6 INF "Edge agent attempting to connect to IoT Hub via $1..."; }
transient() {
  say 4 WRN 'Error creating a device-to-cloud connection'
  echo 'System.AggregateException: One or more errors occurred. (Transient network error occurred, please retry.)'
}
connected() {
  say 6 INF 'Edge agent connected to IoT Hub via Amqp_Tcp_Only.'
  say 6 INF 'Obtained Edge agent twin from IoTHub with desired properties version 7 and reported properties version 9.'
}
"""
EMPTY = "empty; empty; empty"

speech = files / "agent"
speech.mkdir()
os.mkfifo(speech / "lines")


def start_agent(*options):
    """A new edgeAgent, which says what it is told to."""
    docker.run("edgeAgent", SAY + 'exec 3<>/agent/lines; while read -r line <&3; do eval "$line"; done', "-v", f"{speech}:/agent",
               "--network", "azure-iot-edge", "-e", f"IOTEDGE_IOTHUBHOSTNAME={HUB}", *options)


def say(line):
    (speech / "lines").write_text(line + "\n")


def end_agent():
    say("exit 0")
    docker("wait", "edgeAgent")


def replace_agent(*options):
    end_agent()
    docker("rm", "edgeAgent")
    start_agent(*options)


def alerts(symptom, state=None):
    matches = [f"EDGEWATCH_SYMPTOM={symptom}"] + ([f"EDGEWATCH_STATE={state}"] if state else [])
    return lab.alerts(journald, *matches)


def wait_alert(symptom, state, count=1, seconds=PROBE_SECONDS + 5):
    begin = time.monotonic()
    lab.wait_until(lambda: len(alerts(symptom, state)) >= count, seconds,
                   f"{state} {symptom}; log: {daemon.log()[-4000:]}")
    took.append((symptom, state, time.monotonic() - begin))
    return alerts(symptom, state)[-1]


def text_of(entry):
    evidence = entry.get("EDGEWATCH_EVIDENCE", [])
    return "\n".join([entry["MESSAGE"], *(evidence if isinstance(evidence, list) else [evidence])])


def confirmed_since(n):
    return {e["EDGEWATCH_SYMPTOM"] for e in lab.alerts(journald, "EDGEWATCH_STATE=confirmed")[n:]}


def only(symptom, broken):
    """What this breaks is diagnosed, and nothing beside it. Returns the alert."""
    before = len(lab.alerts(journald, "EDGEWATCH_STATE=confirmed"))
    count = len(alerts(symptom, "confirmed")) + 1
    broken()
    entry = wait_alert(symptom, "confirmed", count)
    assert confirmed_since(before) == {symptom}, confirmed_since(before)
    return entry


def heals(symptom):
    count = len(alerts(symptom, "cleared")) + 1
    say("connected")
    wait_alert(symptom, "cleared", count)


def ctl(*args):
    return subprocess.run([os.environ["EDGEWATCHCTL"], *args], capture_output=True, text=True, check=False,
                          env={**os.environ, "EDGEWATCH_RUNTIME_DIRECTORY": str(daemon.dir / "run")}).stdout


def incidents():
    return [i for i in json.loads(ctl("list", "--json"))["incidents"] if i["state"] in ("suspected", "confirmed")]


def active():
    return {i["symptom"] for i in incidents()}


def consequence(symptom):
    return next((i["consequence_of"] for i in incidents() if i["symptom"] == symptom), "none is active")


@contextlib.contextmanager
def dropped(namespace, *rule):
    """What this rule of the firewall matches goes nowhere."""
    lab.command(*namespace.enter("iptables", "-I", *rule, "-j", "DROP"))
    try:
        yield
    finally:
        lab.command(*namespace.enter("iptables", "-D", *rule, "-j", "DROP"))


def fail_to_connect():
    say("attempt Amqp_Tcp_Only; transient; attempt Amqp_WebSocket_Only; transient")


def record():
    recording = lab.folder() / "recording"
    lab.command(*device.enter(os.environ["EDGEWATCHCTL"], "record", recording, "--since", "1min"),
                env={**os.environ, "DOCKER_HOST": f"unix://{docker.socket}"})
    return recording


def replays(symptom):
    """What is recorded while the fault is there gives the same incident elsewhere."""
    recording = record()
    done = subprocess.run([os.environ["EDGEWATCHCTL"], "replay", recording, "--json", "--rules", ROOT / "conf/rules.d"],
                          capture_output=True, text=True, check=False)
    found = [(i["symptom"], i["state"]) for i in json.loads(done.stdout)["incidents"]]
    assert (symptom, "confirmed") in found, (found, (recording / "probes.jsonl").read_text())


def names_dead_inside():
    """a dead name server of the container's, while the host resolves"""
    replace_agent("--dns", NOBODY)
    entry = only("agent-empty-config-dns", lambda: say(EMPTY))
    replays("agent-empty-config-dns")
    text = text_of(entry)
    assert f"the host resolves {HUB}" in text and "inside edgeAgent's network it does not" in text, entry
    replace_agent()
    heals("agent-empty-config-dns")


def port_dropped():
    """5671 dropped for what is forwarded, while 443 passes"""
    rule = ("FORWARD", "-p", "tcp", "--dport", "5671")
    with dropped(device, *rule):
        entry = only("agent-amqp-blocked", fail_to_connect)
        replays("agent-amqp-blocked")
    assert "5671" in entry["MESSAGE"] and "port 443 is open" in entry["MESSAGE"], entry
    assert "-A FORWARD -p tcp -m tcp --dport 5671 -j DROP" in text_of(entry), entry
    heals("agent-amqp-blocked")


def large_dropped():
    """large packets dropped further on, under equal MTUs here"""
    rule = ("OUTPUT", "-p", "tcp", "-m", "length", "--length", "1300:65535")
    with dropped(outside, *rule):
        entry = only("agent-lte-mtu", lambda: say(EMPTY))
        replays("agent-lte-mtu")
    assert "accepts a connection" in text_of(entry) and "at most 1500" not in entry["MESSAGE"], entry
    heals("agent-lte-mtu")


def large_dropped_on_the_way_out():
    """large packets dropped only towards the hub: TLS gets through, what edgeAgent then sends does not"""
    rule = ("INPUT", "-p", "tcp", "-m", "length", "--length", "1300:65535")
    with dropped(outside, *rule):
        entry = only("agent-lte-mtu", lambda: say(EMPTY))
        replays("agent-lte-mtu")
    assert "packets of 1358 bytes vanish" in text_of(entry) and "at most 1280" in entry["MESSAGE"], entry
    heals("agent-lte-mtu")


def parent_silent():
    """a parent that does not answer on 443; that 5671 of it does not answer either is no closed port"""
    rule = ("INPUT", "-p", "tcp", "-d", PARENT_ADDRESS)
    replace_agent("-e", f"IOTEDGE_GATEWAYHOSTNAME={PARENT}")
    with dropped(outside, *rule):
        entry = only("gateway-http-unreachable", fail_to_connect)
        assert entry["EDGEWATCH_SUBJECT"] == PARENT, entry
        lab.wait_until(lambda: active() == {"gateway-http-unreachable"}, PROBE_SECONDS + 5, f"the neighbours to go: {incidents()}")
    answering = listening(LISTEN, files / "certificate.pem", files / "key.pem", PARENT_ADDRESS, "443", "5671")
    heals("gateway-http-unreachable")
    answering.stop()
    replace_agent()
    say("connected")


def forwarding_off():
    """forwarding off: the agent's complaints are its consequences, and are asked again when it is back"""
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    cause = wait_alert("ip-forward-disabled", "confirmed")
    say(EMPTY)
    lab.wait_until(lambda: consequence("agent-empty-config-dns") == cause["EDGEWATCH_INCIDENT"], PROBE_SECONDS + 5,
                   f"the consequence: {incidents()}")
    device.write("/proc/sys/net/ipv4/ip_forward", 1)
    wait_alert("ip-forward-disabled", "cleared")
    lab.wait_until(lambda: not active(), PROBE_SECONDS + 5, f"the consequences to go: {incidents()}")


def forwarding_off_and_more():
    """a fault of its own beneath the same complaint stands alone when forwarding is back"""
    replace_agent("--dns", NOBODY)
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    cause = wait_alert("ip-forward-disabled", "confirmed", 2)
    say(EMPTY)
    lab.wait_until(lambda: consequence("agent-empty-config-dns") == cause["EDGEWATCH_INCIDENT"], PROBE_SECONDS + 5,
                   f"the consequence: {incidents()}")
    only("agent-empty-config-dns", lambda: device.write("/proc/sys/net/ipv4/ip_forward", 1))
    assert consequence("agent-empty-config-dns") is None, incidents()
    replace_agent()
    heals("agent-empty-config-dns")


def round_trip():
    """the round trip of edgeHub's connection to the hub is told as the kernel measures it"""
    docker.run("edgeHub", f"sleep 1000 | busybox nc {HUB_ADDRESS} 8883", "--network", "azure-iot-edge")
    inside = ["nsenter", "--net=/proc/" + docker("inspect", "-f", "{{.State.Pid}}", "edgeHub") + "/ns/net", "ss", "-tinH", "dport", "8883"]
    measured = lab.wait_until(lambda: re.search(r" rtt:([0-9.]+)/", lab.command(*inside)), what="the connection")[1]
    answers = [json.loads(line) for line in (record() / "probes.jsonl").read_text().splitlines()]
    docker("rm", "-f", "edgeHub")
    connection = next(a for a in answers if a["probe"] == "tcp-info")["connections"][0]
    assert connection["peer"] == HUB_ADDRESS and connection["port"] == 8883, connection
    assert connection["rtt_us"] == round(float(measured) * 1000), (connection, measured)


def hostname_long():
    """a hostname of 65 characters in the runtime's configuration"""
    config = Path("/etc/aziot/config.toml")
    config.write_text(f'hostname = "{"h" * 65}"\n')
    docker("rm", "-f", "edgeHub", check=False)
    docker.run("edgeHub", "sleep 1; exit 1")
    edged.say(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} [ERR!] - failed to generate csr subject")
    entry = wait_alert("hostname-invalid", "confirmed")
    assert entry["EDGEWATCH_SUBJECT"] == "h" * 65 and "65 characters" in entry["MESSAGE"], entry
    config.write_text('hostname = "device1"\n')
    docker("rm", "-f", "edgeHub")
    wait_alert("hostname-invalid", "cleared")


def in_time():
    """each alert came within two seconds and the time of its probes"""
    for symptom, state, seconds in took:
        print(f"# {symptom} {state}: {seconds * 1000:.0f} ms")
    assert all(t[2] < PROBE_SECONDS + 2 for t in took if t[1] == "confirmed"), took


CASES = [forwarding_off, names_dead_inside, port_dropped, large_dropped, large_dropped_on_the_way_out, parent_silent, forwarding_off_and_more,
         round_trip, hostname_long, in_time]

start_agent()
say("connected")
daemon.start()
lab.run_cases(CASES)
