#!/usr/bin/env python3
"""edgewatchd asks a real Docker engine through edgewatch-gate: it sees all that it sees without, and the gate tells apart what may be in the way."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY, STRANGE_GROUP = 65534, 54321
LOG_LINES, LOG_LINE_BYTES = 60000, 200

lab.need_root_and("unshare", "systemd-cat", "journalctl", "dockerd", "docker", "ip", "nsenter", "busybox", "setpriv")
lab.own_mounts()
device = lab.Namespace("edgewatch-gate")
journald = lab.Journald()
docker = lab.Docker(device)
docker.dir.chmod(0o711)  # the gate runs as nobody, in the group that the engine's socket belongs to
docker("network", "create", "azure-iot-edge")
docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge")
gate = lab.Gate(docker.socket, prefix=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={docker.socket.stat().st_gid}"])
daemon = lab.Daemon(config="sources: {metrics: no, units: no, files: no}\ndocker: {sweep_interval: 2s}\n", prefix=device.enter(),
                    options=["--rules", ROOT / "conf/rules.d", "--docker-socket", gate.socket, "--prober", os.environ["EDGEWATCH_PROBE"]])


def ctl(*args, ok=(0, 1), **environment):
    done = subprocess.run([os.environ["EDGEWATCHCTL"], *map(str, args)], capture_output=True, text=True, check=False,
                          env={**os.environ, "EDGEWATCH_RUNTIME_DIRECTORY": str(daemon.dir / "run"), **environment})
    assert done.returncode in ok, f"edgewatchctl {args}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def source():
    return next(s for s in json.loads(ctl("status", "--json"))["sources"] if s["name"] == "docker")


def wait_degraded(*words, seconds=30):
    lab.wait_until(lambda: source()["state"] == "degraded" and all(w in source().get("reason", "") for w in words), seconds,
                   f"a reason with {words}; it is {source()}")


def wait_live(seconds=30):
    try:
        lab.wait_until(lambda: source()["state"] == "live", seconds, "the source")
    except AssertionError as error:
        raise AssertionError(f"{error}: {source()}; gate: {gate.log()[-1000:]}") from None


def wait_alert(symptom, state):
    lab.wait_until(lambda: lab.alerts(journald, f"EDGEWATCH_SYMPTOM={symptom}", f"EDGEWATCH_STATE={state}"), 10, f"{symptom} {state}")
    return lab.alerts(journald, f"EDGEWATCH_SYMPTOM={symptom}", f"EDGEWATCH_STATE={state}")[-1]


def ask(path):
    """Status and body of a request of our own."""
    with gate.connect() as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
        head, _, body = read_all(s).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def read_all(s):
    return b"".join(iter(lambda: s.recv(1 << 16), b""))


def live_through_the_gate():
    """the source is live through the gate, with nothing refused"""
    daemon.start()
    wait_live()
    assert source()["socket"] == str(gate.socket), source()
    assert gate.log() == "", gate.log()


def port_conflict():
    """a port conflict is diagnosed live and clears"""
    docker.run("web", "sleep 100000", "-p", "8443:8443", owned=False)
    docker("create", "--name", "edgeHub", "--label", lab.OWNER, "-p", "8443:8443", "edge-sim:1", "sh", "-c", "sleep 100000")
    docker("start", "edgeHub", check=False)
    entry = wait_alert("hub-port-conflict", "confirmed")
    assert "8443" in entry["MESSAGE"] and "web" in entry["MESSAGE"], entry["MESSAGE"]
    docker("rm", "-f", "web")
    docker("start", "edgeHub")
    wait_alert("hub-port-conflict", "cleared")


def followed_log():
    """a line of a log that is followed is diagnosed as it is written"""
    docker("rm", "-f", "edgeHub")
    docker.run("edgeHub", """sleep 2
echo "<4> 2024-05-23 07:50:52.598 +00:00 [WRN] - Non retryable exception occurred while sending message for client device1/sensor."
echo "System.FormatException: String '2024-05-23T07:50:52.598Z' was not recognized as a valid DateTime."
sleep 100000""")
    entry = wait_alert("amqp-format-exception", "confirmed")
    assert entry["EDGEWATCH_SUBJECT"] == "device1/sensor", entry


def everything_passes():
    """what edgewatchd, `check` and `record` ask passes the gate; what they do not ask is refused"""
    ctl("check", DOCKER_HOST=f"unix://{gate.socket}")
    record = lab.folder() / "recording"
    ctl("record", record, DOCKER_HOST=f"unix://{gate.socket}")
    assert "edgeHub" in (record / "docker/api/containers.json").read_text()
    assert (record / "docker/logs/edgeHub.log").exists() and (record / "docker/events.jsonl").read_text()
    assert gate.log() == "", gate.log()
    image = docker("image", "inspect", "-f", "{{.Id}}", "edge-sim:1")
    for path in ("/containers/edgeHub/changes", "/images/edge-sim:1/json", f"/images/{image}/json", "/networks/azure-iot-edge", "/v1.40/info"):
        assert ask(path)[0] == 200, path
    assert ask("/containers/edgeHub/archive?path=/etc/passwd")[0] == 403
    assert "not on the list: GET /containers/edgeHub/archive?path=/etc/passwd HTTP/1.1" in gate.log(), gate.log()


def small_and_idle():
    """at rest the gate is small and does not wake up"""
    before = gate.figure("status", "voluntary_ctxt_switches")
    wakes = []
    for _ in range(3):  # a sweep comes every 2 s: in between there is nothing
        lab.wait_until(lambda: gate.figure("status", "voluntary_ctxt_switches") != before, 10, "a sweep")
        time.sleep(0.7)
        before = gate.figure("status", "voluntary_ctxt_switches")
        time.sleep(0.7)
        wakes.append(gate.figure("status", "voluntary_ctxt_switches") - before)
    anon, pss = gate.figure("status", "RssAnon"), gate.figure("smaps_rollup", "Pss")
    print(f"# RssAnon {anon} KiB, PSS {pss} KiB, wake-ups between sweeps {wakes}")
    assert min(wakes) == 0 and anon <= 700 and pss <= 2048, (wakes, anon, pss)


def slow_reader():
    """a reader that stops holds up the engine, not our memory, and gets everything in the end"""
    line = "x" * (LOG_LINE_BYTES - 1)
    docker("run", "--name", "big", "edge-sim:1", "sh", "-c", f"yes {line} | head -n {LOG_LINES}")
    with gate.connect() as s:
        s.sendall(b"GET /containers/big/logs?stdout=1 HTTP/1.1\r\nHost: docker\r\n\r\n")
        lab.wait_until(lambda: s.recv(1, socket.MSG_PEEK), what="the answer")
        descriptors = gate.descriptors()
        time.sleep(1)  # it would take in the whole log in this time
        anon = gate.figure("status", "RssAnon")
        begin = time.monotonic()
        received = read_all(s)
    print(f"# {len(received) / 1e6:.1f} MB, {len(received) / 1e6 / (time.monotonic() - begin):.0f} MB/s; RssAnon meanwhile {anon} KiB")
    assert received.count(line.encode()) == LOG_LINES, len(received)
    assert received.endswith(b"0\r\n\r\n") and anon <= 800, (received[-20:], anon)
    lab.wait_until(lambda: gate.descriptors() < descriptors, what="the end of the connection")


def who_leaves():
    """a caller that leaves takes the engine's connection with it, one that only has said its all does not"""
    before = gate.descriptors()
    with gate.connect() as s:
        s.sendall(b"GET /containers/edgeHub/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: docker\r\n\r\n")
        s.shutdown(socket.SHUT_WR)
        assert b"FormatException" in read_until(s, b"DateTime"), "half-closed"
        assert gate.descriptors() == before + 2
    lab.wait_until(lambda: gate.descriptors() == before, what="the end of both")


def read_until(s, wanted):
    received = b""
    while wanted not in received:
        piece = s.recv(1 << 16)
        assert piece, received
        received += piece
    return received


def engine_restarts():
    """an engine that goes is named, and after its return all goes on"""
    docker.stop()
    wait_degraded(str(docker.socket))
    assert ask("/_ping")[0] == 502
    docker.start()
    wait_live(60)
    assert "Docker can be asked again" in gate.log(), gate.log()
    docker("start", "edgeAgent", "edgeHub", check=False)


def task_states(pid):
    return [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").iterdir()]


def engine_hangs():
    """an engine that hangs is told from one that is gone, and from a gate that hangs"""
    pid = int((docker.dir / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    lab.wait_until(lambda: set(task_states(pid)) == {"T"}, what="a stopped engine")
    try:
        status, body = ask("/_ping")
        assert status == 504 and b"takes connections but does not answer" in body, (status, body)
        wait_degraded("does not answer", seconds=40)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_live(90)


def other_group():
    """a socket of a group that the gate is not in is named in status, with the drop-in that helps"""
    group = docker.socket.stat().st_gid
    os.chown(docker.socket, 0, STRANGE_GROUP)
    docker("rm", "-f", "big")
    wait_degraded(f"SupplementaryGroups={STRANGE_GROUP}", "/etc/systemd/system/edgewatch-gate.service.d/docker.conf", str(docker.socket))
    assert source()["reason"].count("SupplementaryGroups") == 1 and gate.log().count("SupplementaryGroups") == 1, gate.log()
    os.chown(docker.socket, 0, group)
    wait_live(60)


def ends_cleanly():
    """nothing but what was meant to be refused was, and both end when asked"""
    daemon.stop()
    gate.stop()
    refused = [line for line in gate.log().splitlines() if "Refused" in line]
    assert len(refused) == 1, refused


CASES = [live_through_the_gate, port_conflict, followed_log, everything_passes, small_and_idle, slow_reader, who_leaves, engine_restarts,
         engine_hangs, other_group, ends_cleanly]

lab.run_cases(CASES)
