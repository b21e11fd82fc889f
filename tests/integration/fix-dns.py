#!/usr/bin/env python3
"""docker-dns on a dockerd of the test's own, which reads the daemon.json that the fixer writes, with a name server behind
the device and one that never answers."""

import json
import os
import subprocess
import sys
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
lab.command("mount", "-t", "tmpfs", "tmpfs", "/etc/docker")
config = Path("/etc/docker/daemon.json")
BROKEN = {"debug": False, "dns": [DEAD], "labels": ["site=north"]}


def write(text):
    config.write_text(text if isinstance(text, str) else json.dumps(text))


write(BROKEN)
docker = lab.Docker(device)
docker("network", "create", "azure-iot-edge")
docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge", "-e", f"IOTEDGE_IOTHUBHOSTNAME={HUB}", "--stop-timeout", "1")
docker.run("edgeHub", "echo only here > /data; sleep 100000", "--network", "azure-iot-edge", "--stop-timeout", "1")


def work(kind, unit):
    """What systemd and, after it, the runtime's watchdog do."""
    if unit == "docker.service" and kind == "restart":
        docker.stop()
        docker.start()
        docker("start", "edgeAgent", "edgeHub")


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


def plan():
    """a plan names the host's server, the restart and how long it takes, and changes nothing"""
    made = fixer.plan(fix=FIX)
    assert made["refusal"] is None and made["losses"] == [] and made["downtime_seconds"] > 0, made
    assert [s["text"].split()[0] for s in made["steps"]] == ["Restart", "Name", "Have", "Restart"], made
    check_old()
    assert system.jobs == []


def repair_and_undo():
    """names resolve in the module's network afterwards; other keys, containers and their content stay; undo restores"""
    assert not resolves()
    result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "fixed", (result, fixer.err)
    assert json.loads(config.read_text()) == {**BROKEN, "dns": [SERVER]}
    assert system.jobs == [("restart", "docker.service")] and resolves()
    assert docker("exec", "edgeHub", "cat", "/data") == "only here"
    assert fixer(do="apply", fix=FIX)["outcome"] == "not-needed"
    fixer(do="history")
    assert fixer(do="undo", run=fixer.lines[-1]["runs"][-1]["run"])["outcome"] == "undone", fixer.lines
    check_old()


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


def does_not_start():
    """the engine does not start with it: everything is taken back, with a restart"""
    system.reset(lambda n: "failed" if n == 1 else "done")
    result = fixer(do="apply", fix=FIX)
    assert result["outcome"] == "rolled-back", result
    assert system.jobs == [("restart", "docker.service")] * 2, system.jobs
    system.reset()
    check_old()


def killed():
    """killed in its restart: the recovery ends it in the new or the old state"""
    break_it()
    system.reset(lambda n: fixer.kill() or "done" if n == 1 else "done")
    fixer.start()
    fixer.popen.stdin.write(json.dumps({"do": "apply", "fix": FIX}))
    fixer.popen.stdin.close()
    lab.wait_until(lambda: fixer.popen.poll() is not None, 60, "the kill")
    system.wait_idle()
    system.reset()
    assert len(fixer.pending()) == 1
    fixer.recover()
    system.wait_idle()
    assert fixer.pending() == [] and json.loads(config.read_text()) in (BROKEN, {**BROKEN, "dns": [SERVER]})
    assert docker("exec", "edgeHub", "cat", "/data") == "only here"


def full_disk():
    """a full disk under the fixer's state: nothing is begun"""
    break_it()
    fixer.fill()
    result = fixer(do="apply", fix=FIX)
    fixer.drain()
    assert result["outcome"] == "refused" and system.jobs == [], result
    check_old()


lab.run_cases([plan, repair_and_undo, empty_file, refuses, does_not_start, killed, full_disk])
