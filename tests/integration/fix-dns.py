#!/usr/bin/env python3
"""docker-dns on a dockerd of the test's own, which reads the daemon.json that the fixer writes, with a name server behind
the device and one that never answers."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import fixlab
import lab
from names import NAMES

HUB, SERVER, DEAD, STUB = "hub1.azure-devices.net", "192.0.2.1", "192.0.2.99", "127.0.0.53"
FIX = "docker-dns"

lab.need_root_and("dockerd", "docker", "ip", "nsenter", "unshare", "dbus-daemon", "busybox", "iptables")
lab.own_mounts()
device, outside = lab.Namespace("fix-dns"), lab.Namespace("fix-dns-out")
device.ip("link", "add", "uplink0", "type", "veth", "peer", "name", "tower0", "netns", outside.name)
device.ip("address", "add", "192.0.2.2/24", "dev", "uplink0")
device.ip("link", "set", "uplink0", "up")
outside.ip("address", "add", f"{SERVER}/24", "dev", "tower0")
outside.ip("link", "set", "tower0", "up")
device.ip("route", "add", "default", "via", SERVER)
for namespace, address in ((outside, SERVER), (device, STUB)):
    server = lab.Process(namespace.enter(sys.executable, "-c", NAMES, address, json.dumps({HUB: "192.0.2.10"})),
                         stdout=subprocess.PIPE, text=True)
    assert server.popen.stdout.readline() == "listens\n"

files = lab.folder()
resolv_conf = files / "resolv.conf"
resolv_conf.write_text(f"nameserver {SERVER}\n")
lab.command("mount", "--bind", resolv_conf, os.path.realpath("/etc/resolv.conf"))
Path("/etc/docker").mkdir(exist_ok=True)
lab.command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", "/etc/docker")
config = Path("/etc/docker/daemon.json")
BROKEN = {"debug": False, "dns": [DEAD], "labels": ["site=north"]}


def write(text):
    config.write_text(text if isinstance(text, str) else json.dumps(text))


write(BROKEN)
docker = lab.Docker(device)
docker("network", "create", "azure-iot-edge")
docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge", "-e", f"IOTEDGE_IOTHUBHOSTNAME={HUB}", "--stop-timeout", "1")
docker.run("edgeHub", "echo only here > /data; sleep 100000", "--network", "azure-iot-edge", "--stop-timeout", "1")
docker.run("printer", "sleep 100000", "--stop-timeout", "1", owned=False)
docker.run("spooler", "sleep 100000", "--stop-timeout", "1", "--network", "container:printer", owned=False)
MODULES, OTHERS = ["edgeAgent", "edgeHub"], ["printer", "spooler"]
late = 0  # seconds after which edgeHub follows edgeAgent


def start_modules():
    docker("start", "edgeAgent")
    if late:
        threading.Timer(late, docker, ("start", "edgeHub")).start()
    else:
        docker("start", "edgeHub")


def work(kind, unit):
    """What systemd and, after it, the runtime's watchdog do."""
    if kind == "restart" and unit in ("docker.service", "snap.docker.dockerd.service"):
        docker.stop()
        docker.start()
        start_modules()
    if kind == "restart" and unit == "aziot-edged.service":
        docker("stop", *MODULES)
        start_modules()


system = fixlab.System(files, (*fixlab.DEB, "docker.service"), work)
fixer = fixlab.Fixer(device, docker.socket, system.environment)


def resolves():
    return HUB in docker("exec", "edgeAgent", "/bin/busybox", "nslookup", HUB, check=False)


def break_it(content=None):
    write(BROKEN if content is None else content)
    work("restart", "docker.service")
    fixer.dir.joinpath("state/ledger.json").unlink(missing_ok=True)
    system.jobs.clear()


def check_old():
    assert json.loads(config.read_text()) == BROKEN and fixer.pending() == []
    assert docker("exec", "edgeHub", "cat", "/data") == "only here"


def running():
    return sorted(docker("ps", "--format", "{{.Names}}").split())


def plan():
    """a plan names the host's server, the restart and how long it takes, and changes nothing"""
    made = fixer.plan(fix=FIX)
    assert made["refusal"] is None and made["losses"] == [] and made["downtime_seconds"] > 0, made
    assert [s["text"].split()[0] for s in made["steps"]] == ["Note", "Restart", "Name", "Have", "Restart", "Start"], made
    check_old()
    assert system.jobs == []


def repair_and_undo():
    """names resolve in the module's network afterwards; other keys, containers and their content stay; undo restores"""
    global late
    assert not resolves()
    result = fixer(do="apply", fix=FIX, subject="a1")
    assert result["outcome"] == "refused" and "for edgeAgent only, not for a1" in result["because"], result
    late = 6
    result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "fixed", (result, fixer.err)
    assert json.loads(config.read_text()) == {**BROKEN, "dns": [SERVER]}
    assert system.jobs == [("restart", "docker.service")] and resolves()
    assert running() == [*MODULES, *OTHERS]  # waited for, and started by nobody else, the spooler after the printer
    late = 0
    assert docker("exec", "edgeHub", "cat", "/data") == "only here"
    assert fixer(do="apply", fix=FIX)["outcome"] == "not-needed"
    fixer(do="history")
    assert fixer(do="undo", run=fixer.lines[-1]["runs"][-1]["run"])["outcome"] == "undone", fixer.lines
    check_old()
    assert running() == [*MODULES, *OTHERS] and not resolves()


def empty_file():
    """an empty daemon.json, with which the engine would not start again, is one without keys"""
    write("")
    resolv_conf.write_text(f"nameserver {STUB}\nnameserver {SERVER}\n")
    assert fixer(do="apply", fix=FIX)["outcome"] == "fixed", (fixer.lines, fixer.err)
    assert json.loads(config.read_text()) == {"dns": [SERVER]}
    resolv_conf.write_text(f"nameserver {SERVER}\n")
    break_it()


def refused(words):
    result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "refused" and words in result["because"], result
    assert system.jobs == [] and fixer.pending() == []


def refuses():
    """invalid JSON stays as it is; a host with a stub only has no server to give"""
    for text, words in (('{"dns": [', "no valid JSON"), ("[]", "no JSON object"), ('{"a": 1, "a": 2}', "no valid JSON")):
        write(text)
        refused(words)
        assert config.read_text() == text
    write(BROKEN)
    resolv_conf.write_text(f"nameserver {STUB}\n")
    refused(f"no server that a container could ask ({STUB})")
    resolv_conf.write_text(f"nameserver {SERVER}\n")


def swap(gone, there, state="active running"):
    system(f"set {gone} not-found inactive dead - success 0 0")
    system.set(there, state=state)


def guards():
    """it refuses where modules would not come back or nothing would be gained"""
    service = fixlab.DEB[-1]
    system.set(service, state="inactive dead")
    refused(f"{service} does not run")
    system.set(service)
    docker("tag", "edge-sim:1", "edge-sim:2")
    docker("run", "-d", "--name", "orphan", "--label", lab.OWNER, "--stop-timeout", "1", "edge-sim:2", "sleep", "1000")
    docker("rmi", "edge-sim:2")
    refused("the image edge-sim:2 of orphan is not on this device")
    docker("rm", "-f", "orphan")
    docker("run", "-d", "--name", "guest", "--rm", "edge-sim:1", "sleep", "1000")
    refused("would be lost (fixes: allow_container_data_loss: no): the container guest")
    docker("rm", "-f", "guest")
    docker("rename", "edgeAgent", "agent")
    docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge", "-e", f"IOTEDGE_IOTHUBHOSTNAME={HUB}", "--dns", DEAD)
    refused("edgeAgent has name servers of its own")
    docker("rm", "-f", "edgeAgent")
    docker("rename", "agent", "edgeAgent")
    check_old()


def flags():
    """an engine that has its servers on the command line would not start with others in the file"""
    docker.options = ["--dns-search", "site.example", f"--dns={DEAD}"]
    break_it({})
    system(f"pid docker.service {docker.process.popen.pid}")
    refused("docker.service has --dns on its command line")
    docker.options = []
    break_it()
    docker("start", *OTHERS)


def elsewhere():
    """a file behind a link is changed where it is; where nothing may be written, nothing is begun"""
    real = files / "daemon.json"
    shutil.move(config, real)
    config.symlink_to(real)
    assert fixer(do="apply", fix=FIX)["outcome"] == "fixed", (fixer.lines, fixer.err)
    assert config.is_symlink() and json.loads(real.read_text()) == {**BROKEN, "dns": [SERVER]}
    break_it()
    lab.command("mount", "--bind", "-o", "ro", files, files)
    refused(f"{real} cannot be written: {files}: Read-only file system")
    lab.command("umount", files)
    config.unlink()
    shutil.move(real, config)
    docker("start", *OTHERS)
    check_old()


def eras():
    """the snap of the engine has its own file and unit; for 1.0 and 1.1 a person is told what to do"""
    snap = "snap.docker.dockerd.service"
    system.set(snap, state="inactive dead")
    assert "/etc/docker/daemon.json" in fixer.plan(fix=FIX)["steps"][2]["text"]
    system.set("docker.service", state="inactive dead")
    system.set(snap)
    texts = " ".join(step["text"] for step in fixer.plan(fix=FIX)["steps"])
    assert texts.count("/var/snap/docker/current/config/daemon.json") == 2 and texts.count(snap) == 2, texts
    swap(snap, "docker.service")
    swap(fixlab.DEB[-1], fixlab.LEGACY[-1])
    made = fixer.plan(fix=FIX)
    assert made["steps"] == [], made
    assert made["by_person"] == [f'set "dns": ["{SERVER}"] in {config}', "systemctl restart docker.service"], made
    swap(fixlab.LEGACY[-1], fixlab.DEB[-1])


ENGINE_23 = """#!/bin/sh
if [ "$1" = --validate ]; then
    grep -q '{fault}' "$3" || exit 0
    echo "unable to configure the Docker daemon with file $3: {fault}" >&2
    exit 1
fi
exec {real} "$@"
"""


class Engine23:
    """While it is entered, dockerd can check a file, and refuses one with such a text."""

    program = os.path.realpath(shutil.which("dockerd"))

    def __init__(self, fault):
        real, self.wrapper = files / "dockerd", files / "dockerd-23"
        real.touch()
        lab.command("mount", "--bind", self.program, real)
        self.wrapper.write_text(ENGINE_23.format(fault=fault, real=real))
        self.wrapper.chmod(0o755)

    def __enter__(self):
        lab.command("mount", "--bind", self.wrapper, self.program)

    def __exit__(self, *exception):
        lab.command("umount", self.program)


def engine_checks():
    """an engine that can check its file: a faulty one is not begun with, one that became faulty costs no restart"""
    begun = docker("inspect", "-f", "{{.State.StartedAt}}", *MODULES)
    with Engine23("site=north"):
        refused(f"unable to configure the Docker daemon with file {config}: site=north")
    with Engine23(SERVER):
        result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "rolled-back" and f"{config}: {SERVER}" in result["because"], result
    check_old()
    assert system.jobs == [] and docker("inspect", "-f", "{{.State.StartedAt}}", *MODULES) == begun


def live_restore():
    """containers that live on without the engine ask the new servers, too: the runtime starts its modules anew"""
    break_it({**BROKEN, "live-restore": True})
    begun = docker("inspect", "-f", "{{.State.StartedAt}}", "printer")
    result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "fixed" and resolves(), (result, fixer.err)
    assert system.jobs == [("restart", "docker.service"), ("restart", "aziot-edged.service")], system.jobs
    assert docker("inspect", "-f", "{{.State.StartedAt}}", "printer") == begun
    break_it()
    docker("start", *OTHERS)
    check_old()


def does_not_start():
    """the engine does not start with it: everything is taken back, with a restart"""
    system.reset(lambda n: "failed" if n == 1 else "done")
    result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "rolled-back", result
    assert system.jobs == [("restart", "docker.service")] * 2, system.jobs
    system.reset()
    check_old()


def check_either():
    """Old or new, never between: file, engine and modules agree."""
    now = json.loads(config.read_text())
    assert now in (BROKEN, {**BROKEN, "dns": [SERVER]}) and fixer.pending() == [], now
    assert resolves() == (now != BROKEN)
    assert set(running()) >= set(MODULES) and docker("exec", "edgeHub", "cat", "/data") == "only here"
    return now


def recover():
    system.wait_idle()
    system.reset()
    assert [name.endswith(".json") for name in fixer.pending()].count(True) == 1, fixer.pending()
    fixer.recover()
    system.wait_idle()
    if check_either() != BROKEN:
        break_it()
    docker("start", *OTHERS)
    fixer.dir.joinpath("state/ledger.json").unlink(missing_ok=True)


def killed():
    """killed at the begin of each step and while the engine restarts: the recovery ends it in the new or the old state"""
    break_it()
    steps = len(fixer.plan(fix=FIX)["steps"])
    for number in range(1, steps + 2):  # the last is the verification
        def is_then(_line, number=number):
            return sum(line["event"] in ("step", "verifying") for line in fixer.lines) == number

        fixer.kill_at(is_then, do="apply", fix=FIX)
        recover()
    system.reset(lambda n: fixer.kill() or "done" if n == 1 else "done")
    assert fixer(do="apply", fix=FIX).get("outcome") is None and fixer.popen.returncode == -9, fixer.lines
    recover()


def full_disk():
    """a full disk, under the fixer's state or the engine's configuration: the engine is not restarted"""
    break_it()
    fixer.fill()
    result = fixer(do="apply", fix=FIX)
    fixer.drain()
    assert result["outcome"] == "refused" and system.jobs == [], result
    check_old()
    before, ballast = sorted(config.parent.iterdir()), config.with_name("ballast")
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    result = fixer(do="apply", fix=FIX)
    ballast.unlink()
    assert result["outcome"] == "rolled-back" and system.jobs == [], result
    check_old()
    assert sorted(config.parent.iterdir()) == before


lab.run_cases([plan, repair_and_undo, empty_file, refuses, guards, flags, elsewhere, eras, engine_checks, live_restore, does_not_start,
               killed, full_disk])
