#!/usr/bin/env python3
"""The fixes that drive the engine and the runtime, on a dockerd of the test's own: what they do and what they refuse."""

import json
import os
import time

import fixlab
import lab
from fixsite import FIX, UPLINK_MTU, ManagementApi, Site, uplink

lab.need_root_and("dockerd", "docker", "ip", "nsenter", "unshare", "dbus-daemon", "busybox")
lab.own_mounts()
namespace = lab.Namespace("fix")
uplink(namespace)
docker = lab.Docker(namespace)
home = Site(docker, "azure-iot-edge", 0)


def plan():
    """a plan says what is to be run, and changes nothing"""
    home.run("edgeAgent", "-v", "/mounted")
    home.run("edgeHub", "-p", "18443:443", endpoint=("--ip", home.address(77), "--network-alias", "hub"))
    home.run("filter", starts=False)
    home.run("grafana", endpoint=("--ip6", f"fd00:{40 + home.number}::77"), owned=False)
    home.run("backup", endpoint=("--network-alias", "b"), owned=False, starts=False)
    home.remember()
    made = home.fixer.plan(fix=FIX)
    assert made["refusal"] is None and made["losses"] == [] and made["by_person"] == [], made
    assert made["because"].startswith("the Docker network azure-iot-edge has an MTU of 1500"), made
    assert made["downtime_seconds"] >= 120
    texts = [step["text"] for step in made["steps"]]
    order = ["Stop aziot-edged.mgmt.socket", "Stop aziot-edged.service", "Take edgeHub off the network azure-iot-edge; its "
             "content stays", "Remove the network azure-iot-edge", f"Create the network azure-iot-edge with an MTU of "
             f"{UPLINK_MTU}, its addresses, options and labels as they are", "Attach backup to the network azure-iot-edge "
             "again", "Start aziot-edged.service"]
    assert [text for text in texts if text in order] == order, texts
    assert home.proxy.count == 0 and home.system.jobs == [] and home.state() == "old"


def repair():
    """the network is made anew around containers that run and that do not; nothing inside of them is lost"""
    result = home.apply()
    assert result["outcome"] == "fixed", (result, home.fixer.err)
    assert home.state() == "new"
    contents = home.contents()
    assert all(contents[name] == "only here" for name in ("edgeAgent", "edgeHub", "grafana")), contents
    for name in ("edgeAgent", "grafana"):
        assert docker("exec", name, "sh", "-c", "cat /sys/class/net/eth*/mtu") == UPLINK_MTU
    _, containers = home.inspect()
    hub = next(c for c in containers if c["Name"] == "/edgeHub")["NetworkSettings"]["Networks"]["azure-iot-edge"]
    assert hub["IPAddress"] == home.address(77), hub
    assert home.fixer(do="apply", fix=FIX)["outcome"] == "not-needed"


def stopped_ones_start():
    """those that did not run can be started on the new network, also after a restart of the engine"""
    docker("start", "filter")
    docker.stop()
    docker.start()
    docker("start", *home.containers)
    network, containers = home.inspect()
    assert sorted(c["Name"] for c in network["Containers"].values()) == sorted(home.containers)
    assert all(list(c["NetworkSettings"]["Networks"]) == ["azure-iot-edge"] for c in containers)
    assert set(home.contents().values()) == {"only here"}
    docker("kill", "filter", "backup")


def take_back():
    """on request it is taken back: the old network, the same containers"""
    home.undo(home.last_run())
    assert home.state() == "old"


def refused(site, words):
    before = site.proxy.count
    result = site.fixer(do="apply", fix=FIX, subject=site.name)
    assert result["outcome"] == "refused" and words in result["because"], result
    assert site.proxy.count == before and site.fixer.pending() == []


def swap_runtime(gone, installed):
    for unit in gone:
        home.system(f"set {unit} not-found inactive dead - success 0 0")
    home.system.set(*installed)


def guards():
    """it refuses, and names the guard, where it could make things worse"""
    result = home.fixer(do="apply", fix=FIX, subject="a1")
    assert result["outcome"] == "refused" and "a1 is not the modules' network, but azure-iot-edge is" in result["because"], result
    docker("network", "create", "test-azure-iot-edge")
    refused(home, "the name of network test-azure-iot-edge contains azure-iot-edge")
    docker("network", "rm", "test-azure-iot-edge")
    docker("run", "-d", "--name", "loop", "--network", "azure-iot-edge", "--restart", "always", "edge-sim:1", "sh", "-c",
           "exit 1")
    def pauses():  # for 12 s: they double from 0.1 s on
        status, restarts = docker("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "loop").split()
        return status == "restarting" and int(restarts) >= 7
    lab.wait_until(pauses, 90, "a pause between two starts that is long")
    refused(home, "the container loop is restarting")
    docker("rm", "-f", "loop")
    docker("tag", "edge-sim:1", "edge-sim:2")
    docker("create", "--name", "orphan", "--network", "azure-iot-edge", "--label", lab.OWNER, "edge-sim:2", "true")
    docker("rmi", "edge-sim:2")
    refused(home, "the image edge-sim:2 of orphan is not on this device")
    docker("rm", "-f", "orphan")
    swap_runtime(home.units, ())
    refused(home, "no unit of the runtime is known to systemd")
    home.system.set(*home.units)


def legacy():
    """for 1.0 and 1.1 a person is told the commands, and they work"""
    swap_runtime(home.units, fixlab.LEGACY)
    made = home.fixer.plan(fix=FIX)
    assert made["steps"] == [] and made["by_person"][0] == "systemctl stop iotedge.service", made
    assert made["by_person"][-1] == "systemctl start iotedge.service", made
    refused(home, "only planned")
    home.work("stop", "iotedge.service")
    for line in made["by_person"][1:-1]:
        assert line.startswith("docker "), line
        lab.command("sh", "-ec", line, env={**os.environ, "DOCKER_HOST": f"unix://{docker.socket}"})
    home.work("start", "iotedge.service")
    swap_runtime(fixlab.LEGACY, home.units)
    assert home.state() == "new"


def age(*names):
    """Has containers be down for ten minutes: what the engine keeps of them is changed while it is stopped."""
    ids = docker("inspect", "-f", "{{.Id}}", *names).split()
    docker.stop()
    for id in ids:
        path = docker.dir / "root/containers" / id / "config.v2.json"
        config = json.loads(path.read_text())
        config["State"]["FinishedAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
        path.write_text(json.dumps(config))
    docker.start()


def restart_module():
    """a module that was given up is restarted by the runtime's API, and has to run for a while"""
    lab.command("mkdir", "-p", "/run/iotedge")
    lab.command("mount", "-t", "tmpfs", "tmpfs", "/run/iotedge")
    fixer = home.fixer
    home.proxy.aged = {"edgeAgent"}
    for name, script in (("sensor", "[ -f /ran ] && exec sleep 1000; echo > /ran; exit 3"), ("broken", "exit 4"),
                         ("done", "exit 0")):
        docker.run(name, script, "--network", "azure-iot-edge", "--stop-timeout", "1")
        lab.wait_until(lambda name=name: docker("inspect", "-f", "{{.State.Status}}", name) == "exited", what=name)
    result = fixer(do="apply", fix="restart-module", subject="sensor")
    assert result["outcome"] == "refused" and "it is down for" in result["because"], result
    age("sensor", "broken", "done", "backup")
    docker("start", *home.modules)
    swap_runtime(home.units, fixlab.LEGACY)
    assert fixer.plan(fix="restart-module", subject="broken")["by_person"] == ["iotedge restart broken"]
    swap_runtime(fixlab.LEGACY, home.units)
    result = fixer(do="apply", fix="restart-module", subject="sensor")
    assert result["outcome"] == "refused" and "mgmt.sock is not there" in result["because"], result
    api = ManagementApi("/run/iotedge/mgmt.sock", docker)
    for name, words in (("done", "exit code 0"), ("backup", "does not own"), ("edgeHub", "edgeHub is running"),
                        (docker("inspect", "-f", "{{.Id}}", "sensor")[:20], "does not own")):
        result = fixer(do="apply", fix="restart-module", subject=name)
        assert result["outcome"] in ("refused", "not-needed") and words in result["because"], result
    assert api.requests == []
    result = fixer(do="apply", fix="restart-module", subject="sensor")
    assert result["outcome"] == "fixed" and "sensor runs for" in result["because"], (result, fixer.err)
    assert docker("inspect", "-f", "{{.State.Status}}", "sensor") == "running"
    assert api.requests == [f"/modules/sensor/{verb}?api-version=2018-06-28" for verb in ("stop", "start")]
    result = fixer(do="apply", fix="restart-module", subject="broken")
    assert result["outcome"] == "rolled-back" and "exit code 4" in result["because"], result
    home.proxy.aged = set()
    result = fixer(do="apply", fix="restart-module", subject="broken")
    assert result["outcome"] == "refused" and "edgeAgent runs for" in result["because"], result


def another_network():
    """asked for the default network, as an incident has it, the plan is for the one that edgeAgent is on instead"""
    docker("network", "create", "plant")
    docker("network", "connect", "plant", "edgeAgent")
    docker("network", "disconnect", "azure-iot-edge", "edgeAgent")
    for subject in ("azure-iot-edge", "plant"):
        made = home.fixer.plan(fix=FIX, subject=subject)
        assert made["subject"] == "plant" and made["because"].startswith("the Docker network plant has"), made


lab.run_cases([plan, repair, stopped_ones_start, take_back, guards, legacy, restart_module, another_network])
