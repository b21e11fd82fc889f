"""What happens to the device, one function a case, in the order of CASES; each leaves the device healthy."""

import contextlib
import os
import subprocess
import sys
import time

from device import HUB_MODULE, ROOT
from lab import command, wait_until

device = None
BUILD = os.environ.get("EDGEWATCH_DEVICE_BUILD", str(ROOT / "build-device"))


def install(d):
    """As a package would."""
    if not os.path.exists(f"{BUILD}/build.ninja"):
        command("meson", "setup", "--prefix=/usr", "--sysconfdir=/etc", "-Dtests=false", "-Dman=false", BUILD, ROOT)
    command("ninja", "-C", BUILD)
    command("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", d.root)
    sockets = ["edgewatch-probe.socket", "edgewatch-fix.socket"]
    if (d.root / "usr/lib/edgewatch/edgewatch-gate").exists():
        sockets.append("edgewatch-gate.socket")
    else:  # a build without the gate asks Docker itself
        d.sh("systemctl mask --quiet edgewatch-gate.socket")
        d.write("/etc/systemd/system/edgewatchd.service.d/docker.conf", "[Service]\nSupplementaryGroups=docker\n")
    # The bus reads its policy again, which names a user that was not there when the file came.
    d.sh("systemd-sysusers && journalctl --update-catalog && systemctl daemon-reload && systemctl reload dbus")
    d.run("systemctl", "enable", "--now", "--quiet", *sockets, "edgewatchd.service")


def incidents():
    return device.edgewatchctl("list")["incidents"]


def active(symptom):
    return [i for i in incidents() if i["symptom"] == symptom and i["state"] in ("suspected", "confirmed")]


def now():
    """The journal's time, in microseconds."""
    return int(time.time() * 1e6)


def wait_alert(symptom, change, since, seconds):
    """An alert after a point of time."""
    def find():
        return [a for a in device.alerts(symptom) if a["EDGEWATCH_CHANGE"] == change
                and int(a["__REALTIME_TIMESTAMP"]) >= since]
    try:
        return wait_until(find, seconds, f"{symptom} {change}")[0]
    except AssertionError as error:
        said = [e["MESSAGE"] for e in device.journal("-t", "edgewatchd")][-8:]
        raise AssertionError(f"{error}; edgewatchd said {said}; list: {incidents()}") from None


@contextlib.contextmanager
def diagnosed(symptom, seconds=30, clears=30):
    """What is broken inside of it is alerted once it is broken; what the caller heals after `yield` clears."""
    begin = now()
    yield begin
    wait_alert(symptom, "cleared", begin, clears)
    assert not active(symptom), f"{symptom} is still listed"


def boots_and_watches():
    """a healthy device stays silent: of edgewatchd there is only its start in the journal"""
    device.boot()
    install(device)
    wait_until(lambda: all(s["state"] == "live" for s in device.edgewatchctl("status")["sources"]), 30, "all sources live")
    assert not incidents(), incidents()
    said = [(e["PRIORITY"], e["MESSAGE"]) for e in device.journal("-t", "edgewatchd")]
    assert len(said) == 1, said


def port_taken():
    """another container holds 443: edgeHub's port conflict, with the holder, and it clears once the port is free"""
    with diagnosed("hub-port-conflict") as begin:
        device.world.deploy({})
        wait_until(lambda: not device.is_running("edgeHub"), 20, "edgeHub's end")
        device.run("docker", "run", "-d", "--name", "squatter", "-p", "443:443", "edge-sim:1", "sleep", "600")
        device.world.deploy({"edgeHub": HUB_MODULE})
        alert = wait_alert("hub-port-conflict", "confirmed", begin, 30)
        assert "squatter" in alert["EDGEWATCH_CAUSE"] + str(alert["EDGEWATCH_REMEDY"]), alert
        device.run("docker", "rm", "-f", "squatter")


def forwarding_off():
    """net.ipv4.ip_forward is 0: told at once, cleared by 1"""
    with diagnosed("ip-forward-disabled") as begin:
        device.run("sysctl", "-w", "net.ipv4.ip_forward=0")
        wait_alert("ip-forward-disabled", "confirmed", begin, 15)
        device.run("sysctl", "-w", "net.ipv4.ip_forward=1")


CASES = [boots_and_watches, port_taken, forwarding_off]
