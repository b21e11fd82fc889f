#!/usr/bin/env python3
"""The main job, end to end: a fault is made on a real Docker engine, journald and rtnetlink, the diagnosis is read back from the journal, the healing clears it.

Only the runtime's own lines are played, by a unit of its name. Times are from the last line or event to the alert.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parent.parent.parent
UPLINK_MTU = 1430

lab.need_root_and("unshare", "systemd-cat", "journalctl", "dockerd", "docker", "ip", "nsenter", "busybox")
lab.own_mounts()
device = lab.Namespace("edgewatch-diagnose")
outside = lab.Namespace("edgewatch-outside")
device.ip("link", "add", "uplink0", "mtu", UPLINK_MTU, "type", "veth", "peer", "name", "tower0", "netns", outside.name)
device.ip("address", "add", "192.0.2.2/24", "dev", "uplink0")
device.ip("link", "set", "uplink0", "up")
outside.ip("address", "add", "192.0.2.1/24", "dev", "tower0")
outside.ip("link", "set", "tower0", "up")
device.ip("route", "add", "default", "via", "192.0.2.1")

journald = lab.Journald()
edged = lab.Unit("aziot-edged.service")
docker = lab.Docker(device)
docker("network", "create", "azure-iot-edge")
docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge")
daemon = lab.Daemon(config="sources: {metrics: no, units: no}\n", prefix=device.enter(),
                    options=["--rules", ROOT / "conf/rules.d", "--docker-socket", docker.socket, "--prober", os.environ["EDGEWATCH_PROBE"]])
took = []


def hub(*options, script="sleep 100000", start=True):
    """A new edgeHub in place of the one before. A failed start is what some cases are about."""
    docker("rm", "-f", "edgeHub", check=False)
    docker("create", "--name", "edgeHub", "--label", lab.OWNER, *options, "edge-sim:1", "sh", "-c", script)
    return start_hub() if start else ""


def start_hub():
    return subprocess.run(["docker", "-H", f"unix://{docker.socket}", "start", "edgeHub"], capture_output=True, text=True,
                          check=False).stderr


def alerts(symptom, state=None):
    matches = [f"EDGEWATCH_SYMPTOM={symptom}"] + ([f"EDGEWATCH_STATE={state}"] if state else [])
    return lab.alerts(journald, *matches)


def wait_alert(symptom, state, count=1, seconds=8):
    begin = time.monotonic()
    lab.wait_until(lambda: len(alerts(symptom, state)) >= count, seconds,
                   f"{state} {symptom}; log: {daemon.log()[-3000:]}")
    took.append((symptom, state, time.monotonic() - begin))
    return alerts(symptom, state)[-1]


def evidence_of(entry):
    evidence = entry.get("EDGEWATCH_EVIDENCE", [])
    return evidence if isinstance(evidence, list) else [evidence]


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def silent_when_healthy():
    """a healthy device raises nothing"""
    edged.say(f"{stamp()} [INFO] - Starting Azure IoT Edge Daemon", f"{stamp()} [INFO] - Version - 1.5.21",
              f"{stamp()} [INFO] - Edge runtime is running")
    daemon.start()
    lab.wait_until(lambda: all(s["state"] in ("live", "off") for s in status()["sources"]), 20, "all sources")
    assert not lab.alerts(journald, "EDGEWATCH_STATE=confirmed"), lab.alerts(journald)
    assert not lab.alerts(journald, "EDGEWATCH_STATE=suspected"), lab.alerts(journald)


def ctl(*args, ok=(0,)):
    done = subprocess.run([os.environ["EDGEWATCHCTL"], *args], capture_output=True, text=True, check=False,
                          env={**os.environ, "EDGEWATCH_RUNTIME_DIRECTORY": str(daemon.dir / "run")})
    assert done.returncode in ok, f"edgewatchctl {' '.join(args)}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def status():
    return json.loads(ctl("status", "--json", ok=(0, 1)))


def correct_deployment(incident):
    """The incident itself tells which port goes out of the deployment."""
    options = {"HostConfig": {"PortBindings": {"8443/tcp": [{"HostPort": "8443"}], "5671/tcp": [{"HostPort": "5671"}]}}}
    deployment = lab.folder() / "deployment.json"
    deployment.write_text(json.dumps({"$edgeAgent": {"properties.desired": {"systemModules": {"edgeHub": {
        "settings": {"createOptions": json.dumps(options)}}}}}}))
    said = json.loads(ctl("--json", "--rules", str(ROOT / "conf/rules.d"), "fix", "plan", incident[:12], "--deployment", str(deployment)))
    desired = said["manifest"]["$edgeAgent"]["properties.desired"]
    del options["HostConfig"]["PortBindings"]["8443/tcp"]
    assert json.loads(desired["systemModules"]["edgeHub"]["settings"]["createOptions"]) == options, said


def port_taken():
    """edgeHub on a taken port is diagnosed with the holder's name, and clears when it runs"""
    docker.run("web", "sleep 100000", "-p", "8443:8443", owned=False)
    assert "port is already allocated" in hub("-p", "8443:8443")
    entry = wait_alert("hub-port-conflict", "confirmed")
    assert entry["EDGEWATCH_SUBJECT"] == "edgeHub", entry
    assert "8443" in entry["MESSAGE"] and "web" in entry["MESSAGE"], entry["MESSAGE"]
    assert any("port is already allocated" in e for e in evidence_of(entry)), entry
    assert "hub-port-conflict" in ctl("list", ok=(1,))
    correct_deployment(entry["EDGEWATCH_INCIDENT"])
    docker("rm", "-f", "web")
    assert not start_hub()
    wait_alert("hub-port-conflict", "cleared")


def port_taken_by_process():
    """a process that holds the port is named too"""
    holder = lab.Process(device.enter(sys.executable, "-c", "import socket,time; s=socket.create_server(('0.0.0.0', 8883)); time.sleep(1000)"))
    lab.wait_until(lambda: ":8883" in lab.command(*device.enter("ss", "-ltn")), what="the listener")
    assert "address already in use" in hub("-p", "8883:8883")
    entry = wait_alert("hub-port-conflict", "confirmed", count=2)
    assert "python3" in entry["MESSAGE"] and "8883" in entry["MESSAGE"], entry["MESSAGE"]
    holder.stop()
    assert not start_hub()
    wait_alert("hub-port-conflict", "cleared", count=2)


REGISTRY = """
import http.server
class Refuse(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'
        self.send_response(200 if self.path == "/v2/" else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 5005), Refuse)
print("listens", flush=True)
server.serve_forever()
"""


def pull_refused():
    """a pull that a registry answers with 403 is diagnosed with the image's name, and clears when a container is made from it"""
    image = "localhost:5005/sensor:2.1"
    registry = lab.Process(device.enter(sys.executable, "-c", REGISTRY), stdout=subprocess.PIPE, text=True)
    registry.popen.stdout.readline()
    pull = subprocess.run(["docker", "-H", f"unix://{docker.socket}", "pull", image], capture_output=True, text=True, check=False)
    assert "denied" in pull.stderr, pull
    edged.say(f"{stamp()} [INFO] - Pulling image via tag {image}...", f"{stamp()} [WARN] - container runtime error", "", "Caused by:",
              f"    HTTP 500 Internal Server Error: {pull.stderr.strip().splitlines()[-1].removeprefix('Error response from daemon: ')}")
    entry = wait_alert("image-pull-403", "confirmed")
    assert entry["EDGEWATCH_SUBJECT"] == image, entry
    docker("tag", "edge-sim:1", image)
    docker("run", "-d", "--name", "sensor", "--label", lab.OWNER, image, "sleep", "100000")
    wait_alert("image-pull-403", "cleared")
    registry.stop()


def forwarding_off():
    """ip_forward set to 0 is diagnosed from netlink alone, and clears with 1"""
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    entry = wait_alert("ip-forward-disabled", "confirmed")
    assert entry["EDGEWATCH_SUBJECT"] == "host", entry
    device.write("/proc/sys/net/ipv4/ip_forward", 1)
    wait_alert("ip-forward-disabled", "cleared")


def end_not_saved():
    """killed with its end in the journal and not on disk: when the fault is back, that is not the last word"""
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    entry = wait_alert("ip-forward-disabled", "confirmed", count=2)
    state = daemon.dir / "state"
    lab.wait_until(lambda: entry["EDGEWATCH_INCIDENT"] in (state / "state.json").read_text(), what="the saved state")
    lab.command("mount", "--bind", "-o", "ro", state, state)
    lab.command("mount", "-o", "remount,bind,ro", state)
    device.write("/proc/sys/net/ipv4/ip_forward", 1)
    wait_alert("ip-forward-disabled", "cleared", count=2)
    daemon.kill()
    lab.command("umount", state)
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    daemon.start()
    entry = wait_alert("ip-forward-disabled", "confirmed", count=3)
    assert int(entry["EDGEWATCH_SEQ"]) == 3, entry
    device.write("/proc/sys/net/ipv4/ip_forward", 1)
    wait_alert("ip-forward-disabled", "cleared", count=3)


AGENT_LOST = """
say() { echo "<4> $(date -u '+%Y-%m-%d %H:%M:%S').123 +00:00 [WRN] - $1"; }
for i in 1 2 3 4 5; do
  say 'Empty edge agent config was received. Attempting to read config from backup (backup.json) instead'
  say 'Error creating a device-to-cloud connection'
  echo 'System.AggregateException: One or more errors occurred. (Transient network error occurred, please retry.)'
  sleep 1
done
sleep 100000
"""

AGENT_FINE = """
echo "<6> $(date -u '+%Y-%m-%d %H:%M:%S').123 +00:00 [INF] - Edge agent connected to IoT Hub via Amqp_Tcp_Only."
echo "<6> $(date -u '+%Y-%m-%d %H:%M:%S').456 +00:00 [INF] - Obtained Edge agent twin from IoTHub with desired properties version 7 and reported properties version 9."
sleep 100000
"""


def narrow_uplink():
    """a 1500-byte network over a 1430-byte uplink is diagnosed with both numbers, and clears when the network is made anew"""
    docker("rm", "-f", "edgeAgent")
    docker.run("edgeAgent", AGENT_LOST, "--network", "azure-iot-edge")
    entry = wait_alert("agent-lte-mtu", "confirmed", seconds=20)
    assert entry["EDGEWATCH_SUBJECT"] == "azure-iot-edge", entry
    assert "1500" in entry["MESSAGE"] and "1430" in entry["MESSAGE"], entry["MESSAGE"]
    docker("rm", "-f", "edgeAgent")
    docker("network", "rm", "azure-iot-edge")
    docker("network", "create", "--opt", f"com.docker.network.driver.mtu={UPLINK_MTU}", "azure-iot-edge")
    docker.run("edgeAgent", AGENT_FINE, "--network", "azure-iot-edge")
    wait_alert("agent-lte-mtu", "cleared", seconds=20)


def out_of_memory():
    """an edgeHub that the kernel kills for memory is diagnosed, a `docker kill` is not"""
    hub("-m", "8m")
    docker("kill", "edgeHub")
    hub("-m", "8m", script="x=0123456789abcdef; while true; do x=$x$x; done")
    entry = wait_alert("hub-oom-small-device", "confirmed", seconds=30)
    assert entry["EDGEWATCH_SUBJECT"] == "edgeHub", entry
    assert len(alerts("hub-oom-small-device", "confirmed")) == 1, alerts("hub-oom-small-device")


HUB_FORMAT = """
echo "<4> 2024-05-23 07:50:52.598 +00:00 [WRN] - Non retryable exception occurred while sending message for client device1/sensor."
echo "System.FormatException: String '2024-05-23T07:50:52.598Z' was not recognized as a valid DateTime."
echo "   at System.DateTimeParse.ParseExact(ReadOnlySpan\\`1 s)"
sleep 100000
"""


def amqp_format():
    """a message that edgeHub drops for its date is diagnosed with the client's name"""
    hub(script=HUB_FORMAT)
    entry = wait_alert("amqp-format-exception", "confirmed")
    assert entry["EDGEWATCH_SUBJECT"] == "device1/sensor", entry


def forged():
    """a module that prints the lines of others raises nothing"""
    before = len(lab.alerts(journald))
    docker.run("evil", HUB_FORMAT.replace("sleep 100000", "") + AGENT_LOST.replace("sleep 1\n", "\n"))
    docker.run("stranger", HUB_FORMAT.replace("sleep 100000", "") + AGENT_LOST.replace("sleep 1\n", "\n"), owned=False)
    device.write("/proc/sys/net/ipv4/ip_forward", 0)  # something that is seen for sure, later than the forged lines
    wait_alert("ip-forward-disabled", "confirmed", count=2)
    device.write("/proc/sys/net/ipv4/ip_forward", 1)
    wait_alert("ip-forward-disabled", "cleared", count=2)
    new = [e["EDGEWATCH_SYMPTOM"] for e in lab.alerts(journald)[before:]]
    assert set(new) <= {"ip-forward-disabled"}, new


def catalog():
    """journalctl -x prints cause and remedy, every name of a field filled in"""
    lab.command("mount", "-t", "tmpfs", "tmpfs", "/var/lib/systemd/catalog")
    lab.command("mount", "-t", "tmpfs", "tmpfs", "/usr/lib/systemd/catalog")
    Path("/usr/lib/systemd/catalog/edgewatch.catalog").write_text(Path(os.environ["EDGEWATCH_CATALOG"]).read_text())
    lab.command("journalctl", "--update-catalog")
    text = lab.command("journalctl", "-x", "--no-pager", "-t", "edgewatchd")
    assert "What to do: Find who holds port 8443" in text, text[-3000:]
    assert "Subject: A problem of this IoT Edge device is over" in text, text[-3000:]
    assert "@EDGEWATCH" not in text, text


def in_time():
    """each alert came within a second of its cause, two where a probe or the sweep had to wait"""
    for symptom, state, seconds in took:
        print(f"# {symptom} {state}: {seconds * 1000:.0f} ms")
    quick = [t for t in took if t[0] in ("ip-forward-disabled", "hub-port-conflict", "amqp-format-exception", "image-pull-403")]
    assert all(t[2] < 2 for t in quick), quick


CASES = [silent_when_healthy, port_taken, port_taken_by_process, pull_refused, forwarding_off, end_not_saved, narrow_uplink, out_of_memory, amqp_format, forged,
         catalog, in_time]

lab.run_cases(CASES)
