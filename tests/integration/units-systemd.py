#!/usr/bin/env python3
"""The units source and a real systemd: a user instance, in namespaces in which the system looks booted."""

import atexit
import os
import subprocess

import lab

lab.need_root_and("dbus-daemon", "dbus-send", "mount", "nsenter", "systemctl", "unshare")
MANAGER = next((p for p in ("/lib/systemd/systemd", "/usr/lib/systemd/systemd") if os.path.exists(p)), None)
if not MANAGER:
    lab.skip_all("needs systemd")
directory = lab.folder()
units = directory / ".config/systemd/user"
units.mkdir(parents=True)
EDGED = "aziot-edged.service"
address = f"unix:path={directory}/bus"
os.environ.update(HOME=str(directory), XDG_CONFIG_HOME=str(directory / ".config"), XDG_RUNTIME_DIR=str(directory),
                  DBUS_SESSION_BUS_ADDRESS=address, DBUS_SYSTEM_BUS_ADDRESS=address)
# Over whatever is there; what is cgroup2 already may not be mounted over directly.
CGROUPS = "mount -t tmpfs tmpfs /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup"
CGROUP = f"/sys/fs/cgroup/edgewatch-{os.getpid()}"
# In a cgroup of its own, and where that looks like the root: systemd moves all processes that it finds there.
ENTER = f"""
set -e
{CGROUPS}
mkdir {CGROUP}
echo $$ > {CGROUP}/cgroup.procs
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
exec unshare --cgroup --mount sh -ec '{CGROUPS}; exec {MANAGER} --user --unit=basic.target'
"""
LEAVE = f"{CGROUPS}; find {CGROUP} -depth -type d -exec rmdir {{}} +"
manager = follow = None


def systemctl(*args):
    """Inside, where it takes the system for a booted one; elsewhere it would not speak to the manager."""
    return lab.command("nsenter", "-t", manager.popen.pid, "-m", "systemctl", "--user", *args)


def is_on_bus():
    asked = subprocess.run(["dbus-send", f"--bus={address}", "--dest=org.freedesktop.DBus", "--print-reply", "/",
                            "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.systemd1"],
                           capture_output=True, text=True, check=False)
    return "true" in asked.stdout


def start_systemd():
    global manager
    log = open(directory / "systemd.log", "ab")
    lab.Process(["dbus-daemon", "--session", f"--address={address}", "--nofork", "--nopidfile"], stderr=log)
    lab.wait_until((directory / "bus").exists, what="the bus")
    atexit.register(lab.command, "unshare", "--mount", "sh", "-c", LEAVE, check=False)
    manager = lab.Process(["unshare", "--mount", "sh", "-c", ENTER], stdout=log, stderr=log)
    try:
        lab.wait_until(is_on_bus, 10, "systemd")
    except AssertionError:
        lab.skip_all("systemd does not start here")


def enumeration():
    """what is installed and what is not is enumerated"""
    global follow
    (units / EDGED).write_text("[Service]\nExecStart=/bin/sh -c 'exit 78'\nRestart=on-failure\nRestartSec=300ms\n"
                               "[Install]\nWantedBy=default.target\n")
    (units / "aziot-edged.mgmt.socket").write_text(f"[Socket]\nListenStream={directory}/mgmt.sock\n"
                                                   f"Service={EDGED}\n[Install]\nWantedBy=sockets.target\n")
    systemctl("daemon-reload")
    follow = lab.Follow("units")
    follow.wait_live()
    assert follow.select(kind="unit", name=EDGED, load_state="loaded", active_state="inactive",
                         unit_file_state="disabled", n_restarts=0, initial=True)
    assert follow.select(kind="unit", name="aziot-edged.mgmt.socket", load_state="loaded", active_state="inactive",
                         n_restarts=-1, initial=True)
    assert follow.select(kind="unit", name="docker.service", load_state="not-found", initial=True)


def socket():
    """a socket that listens is told"""
    systemctl("start", "aziot-edged.mgmt.socket")
    follow.wait(kind="unit", name="aziot-edged.mgmt.socket", active_state="active", sub_state="listening",
                initial=False)
    systemctl("stop", "aziot-edged.mgmt.socket")
    follow.wait(kind="unit", name="aziot-edged.mgmt.socket", active_state="inactive", initial=False)


def failures():
    """each failure and restart of a service is told, each state whole"""
    systemctl("start", "--no-block", EDGED)
    follow.wait(kind="unit", name=EDGED, sub_state="auto-restart", result="exit-code", exit_status=78, initial=False)
    follow.wait(kind="unit", name=EDGED, sub_state="auto-restart", n_restarts=2, initial=False)
    systemctl("stop", EDGED)
    lab.wait_until(lambda: follow.select(kind="unit", name=EDGED)[-1]["active_state"] == "inactive", what="its end")
    assert not follow.select(kind="unit", name=EDGED, active_state="failed", result="success")


def files():
    """a unit that is enabled, masked, or installed later is told"""
    systemctl("enable", EDGED)
    follow.wait(kind="unit", name=EDGED, unit_file_state="enabled", initial=True)
    systemctl("mask", "docker.service")
    follow.wait(kind="unit", name="docker.service", load_state="masked", initial=True)
    (units / "iotedge.service").write_text("[Service]\nExecStart=/bin/true\n")
    systemctl("daemon-reload")
    follow.wait(kind="unit", name="iotedge.service", load_state="loaded", initial=True)


def end():
    """it ends cleanly"""
    follow.stop()


start_systemd()
lab.run_cases([enumeration, socket, failures, files, end])
