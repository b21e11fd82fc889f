#!/usr/bin/env python3
"""The units source on a bus of the test's own, on which fake-systemd plays PID 1."""

import os
import subprocess

import lab

lab.need_root_and("dbus-daemon", "dbus-send", "setpriv")
directory = lab.folder()
directory.chmod(0o755)
socket = directory / "bus"
os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={socket}"
CONFIG = f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""
EDGED = "aziot-edged.service"
bus = systemd = follow = None


class Systemd:
    def __init__(self):
        self.process = lab.Process([os.environ["FAKE_SYSTEMD"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        assert self.process.popen.stdout.readline() == "ready\n"

    def __call__(self, command):
        self.process.popen.stdin.write(command + "\n")
        self.process.popen.stdin.flush()
        assert self.process.popen.stdout.readline() == "done\n", command


def start_bus():
    global bus
    (directory / "bus.conf").write_text(CONFIG)
    bus = lab.Process(["dbus-daemon", f"--config-file={directory}/bus.conf", "--nofork", "--nopidfile"],
                      stderr=open(directory / "bus.log", "ab"))
    lab.wait_until(lambda: socket.exists() and subprocess.run(
        ["dbus-send", f"--bus=unix:path={socket}", "--dest=org.freedesktop.DBus", "--print-reply", "/",
         "org.freedesktop.DBus.GetId"], capture_output=True, check=False).returncode == 0, what="the bus")


def no_bus():
    """without a bus it is degraded and says why"""
    global follow
    follow = lab.Follow("units", prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    state = follow.wait(kind="source-state", state="degraded")[0]
    assert state["reason"] == "Cannot connect to the system bus: No such file or directory", state


def no_systemd():
    """on a bus without systemd it is degraded and says so"""
    start_bus()
    lab.wait_until(lambda: follow.status()["reason"] == "there is no systemd on the system bus", 30, "the reason")
    assert follow.status()["state"] == "degraded"


def enumeration():
    """it finds systemd by itself; every unit is enumerated, also one that is not installed"""
    global systemd
    systemd = Systemd()
    systemd(f"set {EDGED} loaded active running enabled success 2 0")
    systemd("set aziot-edged.mgmt.socket loaded inactive dead disabled success 0 0")
    systemd("appear")
    follow.wait_live(30)
    assert follow.select(kind="unit", name=EDGED, load_state="loaded", active_state="active", sub_state="running",
                         unit_file_state="enabled", result="success", n_restarts=2, exit_status=0, initial=True)
    assert follow.select(kind="unit", name="aziot-edged.mgmt.socket", active_state="inactive", sub_state="dead",
                         unit_file_state="disabled", n_restarts=-1, exit_status=-1, initial=True)
    assert follow.select(kind="unit", name="iotedge.service", load_state="not-found", initial=True)
    names = [e["name"] for e in follow.select(kind="unit")]
    assert len(names) == len(set(names)) and {"docker.service", "docker.socket", "snap.docker.dockerd.service",
                                              "aziot-tpmd.socket", "iotedge.mgmt.socket"} <= set(names), names
    assert follow.status()["units"] == {EDGED: "active", "aziot-edged.mgmt.socket": "inactive"}


def change():
    """a change is told once, whole, although systemd tells it in two messages"""
    before = len(follow.select(kind="unit"))
    systemd(f"change {EDGED} loaded activating auto-restart enabled exit-code 3 78")
    follow.wait(kind="unit", name=EDGED, active_state="activating", sub_state="auto-restart", result="exit-code",
                n_restarts=3, exit_status=78, initial=False)
    systemd("change aziot-edged.mgmt.socket loaded active listening disabled success 0 0")
    follow.wait(kind="unit", name="aziot-edged.mgmt.socket", active_state="active", sub_state="listening",
                initial=False)
    assert len(follow.select(kind="unit")) == before + 2


def same():
    """what is not a change is not told"""
    before = len(follow.select(kind="unit"))
    systemd(f"change {EDGED} loaded activating auto-restart enabled exit-code 3 78")
    systemd("change docker.socket loaded active listening enabled success 0 0")
    follow.wait(kind="unit", name="docker.socket", active_state="active")
    assert len(follow.select(kind="unit")) == before + 1


def stranger():
    """a unit that nobody asked for is not listened to"""
    read = follow.status()["read"]
    systemd("change cron.service loaded active running enabled success 0 0")
    systemd("change docker.socket loaded active running enabled success 0 0")
    follow.wait(kind="unit", name="docker.socket", sub_state="running")
    assert not follow.select(kind="unit", name="cron.service")
    assert follow.status()["read"] == read + 1


def reload():
    """after a reload of systemd, and after units were enabled, everything is asked for again"""
    systemd(f"set {EDGED} masked inactive dead masked success 3 0")
    systemd("signal Reloading")
    follow.wait(kind="unit", name=EDGED, load_state="masked", unit_file_state="masked", initial=True)
    systemd(f"set {EDGED} loaded inactive dead enabled success 3 0")
    systemd("signal UnitFilesChanged")
    follow.wait(2, kind="unit", name=EDGED, load_state="loaded", unit_file_state="enabled", initial=True)


def leave():
    """after systemd was gone from the bus it is asked again"""
    lives = len(follow.select(kind="source-state", state="live"))
    systemd("leave")
    follow.wait(2, kind="source-state", state="degraded")
    systemd(f"set {EDGED} loaded failed failed enabled signal 4 9")
    systemd("appear")
    follow.wait(lives + 1, kind="source-state", state="live", seconds=30)
    follow.wait(kind="unit", name=EDGED, active_state="failed", result="signal", exit_status=9)
    systemd(f"change {EDGED} loaded active running enabled success 5 0")
    follow.wait(kind="unit", name=EDGED, active_state="active", n_restarts=5, initial=False)


def bus_restart():
    """after a restart of the bus it connects again"""
    lives = len(follow.select(kind="source-state", state="live"))
    bus.stop()
    systemd.process.stop()
    lab.wait_until(lambda: follow.status()["state"] == "degraded", what="degraded")
    start_bus()
    again = Systemd()
    again(f"set {EDGED} loaded active exited enabled success 5 0")
    again("appear")
    follow.wait(lives + 1, kind="source-state", state="live", seconds=40)
    follow.wait(kind="unit", name=EDGED, sub_state="exited")


def end():
    """it ends cleanly"""
    follow.stop()


lab.run_cases([no_bus, no_systemd, enumeration, change, same, stranger, reload, leave, bus_restart, end])
