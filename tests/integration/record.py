#!/usr/bin/env python3
"""record on a real Docker engine, journald and rtnetlink: a device in trouble is recorded, a replay finds the same, no secret is on the disk."""

import json
import os
import subprocess
import time
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "hunter2SECRET"

lab.need_root_and("unshare", "systemd-cat", "journalctl", "dockerd", "docker", "ip", "nsenter", "busybox", "dbus-daemon")
lab.own_mounts()
device = lab.Namespace("edgewatch-record")
device.ip("link", "add", "uplink0", "mtu", "1430", "type", "veth", "peer", "name", "tower0")
device.ip("address", "add", "192.0.2.2/24", "dev", "uplink0")
device.ip("link", "set", "uplink0", "up")
device.ip("link", "set", "tower0", "up")
device.ip("route", "add", "default", "via", "192.0.2.1", "dev", "uplink0")
journald = lab.Journald()
edged = lab.Unit("aziot-edged.service")
stranger = lab.Unit("stranger.service")
docker = lab.Docker(device)
target = lab.folder()

CONFIG = f"""
hostname = "device"
[provisioning]
source = "manual"
connection_string = "HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey={SECRET}="
[provisioning.authentication.device_id_pk]
value = "{SECRET}"
[agent.env]
UpstreamProtocol = "AmqpWs"
Mine = "{SECRET}"
https_proxy = "http://me:{SECRET}@proxy:3128"
[agent.config.auth]
password = '''
{SECRET}
'''
"""
DAEMON_JSON = {"dns": ["192.0.2.53"], "proxies": {"http-proxy": f"http://me:{SECRET}@proxy:3128"}}


def bind_configuration():
    """Folders of the test's own in place of the device's, in this mount namespace."""
    for path, name, text in (("/etc/aziot", "config.toml", CONFIG), ("/etc/docker", "daemon.json", json.dumps(DAEMON_JSON))):
        made = lab.folder()
        (made / name).write_text(text)
        if not Path(path).exists():
            Path(path).mkdir()
            lab.atexit.register(lambda p=path: Path(p).rmdir())
        lab.command("mount", "--bind", made, path)
        lab.atexit.register(lab.command, "umount", "-l", path)


def ctl(*args, ok=(0,), **environment):
    done = subprocess.run(device.enter(os.environ["EDGEWATCHCTL"], *args), capture_output=True, text=True, check=False,
                          env={**os.environ, "DOCKER_HOST": f"unix://{docker.socket}", **environment})
    assert done.returncode in ok, f"edgewatchctl {args}: {done.returncode}: {done.stdout}{done.stderr}"
    return done


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def trouble():
    """a device with a port conflict, secrets everywhere, is recorded"""
    bind_configuration()
    docker("network", "create", "--opt", "com.docker.network.driver.mtu=1430", "azure-iot-edge")
    label = json.dumps({"Mine": {"value": SECRET}, "NetworkId": {"value": "azure-iot-edge"}})
    docker.run("edgeAgent", f"echo 'connecting with SharedAccessKey={SECRET}='; sleep 100000", "--network", "azure-iot-edge",
               "-e", f"Mine={SECRET}", "-e", "IOTEDGE_IOTHUBHOSTNAME=h.azure-devices.net",
               "--label", f"net.azure-devices.edge.env={label}",
               "--label", "net.azure-devices.edge.create-options=" + json.dumps({"Env": [f"A={SECRET}"]}))
    docker.run("web", f"sleep 100000 --password {SECRET}; sleep 100000", "-p", "8443:8443", owned=False)
    docker("create", "--name", "edgeHub", "--label", lab.OWNER, "-p", "8443:8443", "edge-sim:1", "sleep", "100000")
    failed = subprocess.run(["docker", "-H", f"unix://{docker.socket}", "start", "edgeHub"], capture_output=True, text=True, check=False)
    assert "port is already allocated" in failed.stderr, failed
    edged.say(f"{stamp()} [WARN] - container runtime error", "", "Caused by:",
              "    HTTP 500 Internal Server Error: " + failed.stderr.strip().splitlines()[0].removeprefix("Error response from daemon: "),
              f"{stamp()} [INFO] - Authorization: Bearer {SECRET}{SECRET}")
    stranger.say(f"nothing of ours {SECRET}")
    lab.wait_until(lambda: any("Authorization" in str(e.get("MESSAGE")) for e in journald.entries()), what="the lines in the journal")
    done = ctl("record", target / "one", "--since", "10min")
    assert "Secrets are redacted" in done.stdout, done
    assert "edgeHub.prom" not in done.stderr, done.stderr  # it does not run
    for name in ("journal.export", "docker/events.jsonl", "docker/logs/edgeAgent.log", "docker/api/containers.json", "docker/api/networks.json",
                 "docker/api/info.json", "docker/api/version.json", "net/links.json", "net/routes.json", "net/addresses.json",
                 "net/listeners.json", "root/proc/sys/net/ipv4/ip_forward", "root/etc/aziot/config.toml", "root/etc/docker/daemon.json",
                 "recording.json"):
        assert (target / "one" / name).exists(), f"{name}: {done.stderr}"


def no_secret():
    """no secret reached the disk, what diagnosis needs did"""
    for path in (target / "one").rglob("*"):
        if path.is_file():
            assert SECRET not in path.read_text(errors="replace"), path
            assert path.stat().st_mode & 0o077 == 0, path
    config = (target / "one/root/etc/aziot/config.toml").read_text()
    assert 'UpstreamProtocol = "AmqpWs"' in config and 'hostname = "device"' in config, config
    agent = next(c for c in json.loads((target / "one/docker/api/containers.json").read_text()) if c["Name"] == "/edgeAgent")
    assert "Mine=REDACTED" in agent["Config"]["Env"] and "IOTEDGE_IOTHUBHOSTNAME=h.azure-devices.net" in agent["Config"]["Env"], agent["Config"]
    assert json.loads((target / "one/root/etc/docker/daemon.json").read_text())["dns"] == ["192.0.2.53"]


def shapes():
    """the network's state is as `ip` tells it"""
    links = json.loads((target / "one/net/links.json").read_text())
    theirs = json.loads(device.ip("-j", "-d", "link"))
    assert {(l["ifname"], l["ifindex"], l["mtu"], l["operstate"], l.get("linkinfo", {}).get("info_kind")) for l in links} == \
        {(l["ifname"], l["ifindex"], l["mtu"], l["operstate"], l.get("linkinfo", {}).get("info_kind")) for l in theirs}
    routes = json.loads((target / "one/net/routes.json").read_text())
    assert any(r["dst"] == "default" and r["dev"] == "uplink0" and r["gateway"] == "192.0.2.1" for r in routes), routes
    addresses = json.loads((target / "one/net/addresses.json").read_text())
    assert any(a["ifname"] == "uplink0" and a["addr_info"][0]["local"] == "192.0.2.2" for a in addresses), addresses


def journal_of_units():
    """the journal's entries are those of the units that matter, as journalctl exports them"""
    text = (target / "one/journal.export").read_text()
    assert "port is already allocated" in text and "stranger" not in text, text
    ours = {line for line in text.splitlines() if line.startswith("__CURSOR=")}
    theirs = {line for line in lab.command("journalctl", "-o", "export", "--all", "_SYSTEMD_UNIT=aziot-edged.service").splitlines()
              if line.startswith("__CURSOR=")}
    assert ours and ours == theirs, (ours, theirs)


def incidents(report):
    return {(i["symptom"], i["subject"], i["state"], i["message"]) for i in json.loads(report)["incidents"]}


def replay_is_as_live():
    """a replay of the recording finds what the daemon found"""
    daemon = lab.Daemon(config="sources: {metrics: no}\n", prefix=device.enter(),
                        options=["--rules", ROOT / "conf/rules.d", "--docker-socket", docker.socket, "--prober", os.environ["EDGEWATCH_PROBE"]])
    daemon.start()
    lab.wait_until(lambda: lab.alerts(journald, "EDGEWATCH_SYMPTOM=hub-port-conflict", "EDGEWATCH_STATE=confirmed"), what="the live incident")
    live = incidents(ctl("list", "--all", "--json", ok=(0, 1), EDGEWATCH_RUNTIME_DIRECTORY=str(daemon.dir / "run")).stdout)
    daemon.stop()
    replayed = incidents(ctl("replay", target / "one", "--json", "--rules", ROOT / "conf/rules.d", ok=(1,)).stdout)
    assert any(i[0] == "hub-port-conflict" and i[2] == "confirmed" and "web" in i[3] for i in replayed), replayed
    assert replayed == live, (replayed ^ live)


def changes():
    """with --for, changes of the network and Docker's events are recorded as they come"""
    recording = lab.Process(device.enter(os.environ["EDGEWATCHCTL"], "record", target / "two", "--for", "4s", "--since", "1min"),
                            stdout=subprocess.DEVNULL, env={**os.environ, "DOCKER_HOST": f"unix://{docker.socket}"})
    events = target / "two/docker/events.jsonl"
    lab.wait_until(events.exists, what="the stream")
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    device.ip("link", "set", "uplink0", "mtu", "1400")
    docker.run("late", "exit 7")
    assert recording.popen.wait(40) == 0
    lines = [json.loads(line) for line in (target / "two/net/events.jsonl").read_text().splitlines()]
    assert any(e["type"] == "forwarding" and e["ifname"] == "all" and e["forwarding"] is False for e in lines), lines
    assert any(e["type"] == "link" and e["ifname"] == "uplink0" and e["mtu"] == 1400 for e in lines), lines
    assert any(e["Action"] == "die" and e["Actor"]["Attributes"]["name"] == "late" for e in map(json.loads, events.read_text().splitlines()))
    links = json.loads((target / "two/net/links.json").read_text())
    assert next(l for l in links if l["ifname"] == "uplink0")["mtu"] == 1430, "the snapshot is from before the changes"
    replayed = incidents(ctl("replay", target / "two", "--json", "--rules", ROOT / "conf/rules.d", ok=(1,)).stdout)
    assert any(i[0] == "ip-forward-disabled" and i[2] == "confirmed" for i in replayed), replayed


def without_docker():
    """what cannot be read is left out and said; a directory in use is refused"""
    done = ctl("record", target / "three", DOCKER_HOST="unix:///nonexistent.sock")
    assert "docker/api/containers.json left out: No such file or directory" in done.stderr, done.stderr
    assert (target / "three/net/links.json").exists() and not (target / "three/docker").exists()
    done = ctl("record", target / "three", ok=(2,))
    assert "Directory not empty" in done.stderr, done.stderr
    assert "--since=soon is no time" in ctl("record", target / "four", "--since", "soon", ok=(2,)).stderr


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={0}/bus</listen>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>
"""


def units():
    """the states of units are recorded, of those that are not installed too"""
    address = f"unix:path={target}/bus"
    (target / "bus.conf").write_text(BUS.format(target))
    lab.Process(["dbus-daemon", f"--config-file={target}/bus.conf", "--nofork", "--nopidfile"], stderr=subprocess.DEVNULL)
    lab.wait_until((target / "bus").exists, what="the bus")
    systemd = lab.Process([os.environ["FAKE_SYSTEMD"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address})
    assert systemd.popen.stdout.readline() == "ready\n"
    for command in ("set aziot-edged.service loaded failed failed enabled exit-code 3 153", "appear"):
        systemd.popen.stdin.write(command + "\n")
        systemd.popen.stdin.flush()
        assert systemd.popen.stdout.readline() == "done\n", command
    ctl("record", target / "five", DBUS_SYSTEM_BUS_ADDRESS=address)
    found = json.loads((target / "five/units.json").read_text())
    assert found["aziot-edged.service"] == {"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed", "UnitFileState": "enabled",
                                            "Result": "exit-code", "NRestarts": 3, "ExecMainStatus": 153}, found["aziot-edged.service"]
    assert found["iotedge.service"]["LoadState"] == "not-found", found["iotedge.service"]
    checks = {c["id"]: c for c in json.loads(ctl("check", "--json", ok=(1,), DBUS_SYSTEM_BUS_ADDRESS=address).stdout)["checks"]}
    assert checks["service-units"]["result"] == "error" and "153" in checks["service-units"]["because"], checks["service-units"]


lab.run_cases([trouble, no_secret, shapes, journal_of_units, replay_is_as_live, changes, without_docker, units])
