#!/usr/bin/env python3
"""With every fix on `apply`, nothing that a module prints makes the device repair itself; and where a fault is real, edgewatchd's user gets nothing done that the configuration has off.

edgewatchd and the fixer as installed, on a real Docker engine, in a network namespace; the fixer is started for each connection, as its socket does.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY = 65534
REPAIR_PAUSE = 4  # edgewatchd asks for a fix 2 s after an incident was confirmed

lab.need_root_and("unshare", "systemd-cat", "journalctl", "dockerd", "docker", "ip", "nsenter", "busybox")
lab.own_mounts()
device = lab.Namespace("edgewatch-forged")
journald = lab.Journald()
docker = lab.Docker(device)
docker("network", "create", "azure-iot-edge")
docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge")
state = lab.folder()


def fixer(mode):
    config = state / f"{mode}.yaml"
    config.write_text(f"fixes: {{mode: {mode}}}\n")
    return device.enter("env", f"DOCKER_HOST=unix://{docker.socket}", os.environ["EDGEWATCH_FIX"], "--config", config,
                        "--state-directory", state / "fixer", "--daemon-user", "nobody")


class FixSocket:
    """edgewatch-fix.socket: one fixer a connection, whose peer is, as installed, edgewatchd's user."""

    def __init__(self):
        self.path = state / "fix.sock"
        self.answers = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            with self.listener.accept()[0] as s:
                request = s.recv(4096)
                answers = ask("apply", request)
                self.answers.append((request, answers))
                s.sendall("".join(json.dumps(a) + "\n" for a in answers).encode())


def ask(mode, request):
    """What the fixer says to edgewatchd's user."""
    os.seteuid(NOBODY)
    ours, theirs = socket.socketpair()
    os.seteuid(0)
    with ours:
        process = subprocess.Popen([str(a) for a in fixer(mode)], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        ours.sendall(request)
        ours.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: ours.recv(65536), b""))
        assert process.wait(60) == 0, request
    return [json.loads(line) for line in received.splitlines()]


fixes = FixSocket()
daemon = lab.Daemon(config=f"sources: {{metrics: no, units: no}}\nfixes: {{mode: apply, socket: {fixes.path}}}\n", prefix=device.enter(),
                    options=["--rules", ROOT / "conf/rules.d", "--docker-socket", docker.socket, "--prober", os.environ["EDGEWATCH_PROBE"]])


def lines_of_all_symptoms():
    """What the examples of the shipped rules print, those that are to raise something and those that are not."""
    lines = []
    for path in sorted((ROOT / "conf/rules.d").glob("*.yaml")):
        examples = path.read_text().partition("\nexamples:")[2]
        for double, single in re.findall(r"\btext: (?:(\"(?:[^\"\\]|\\.)*\")|'((?:[^']|'')*)')", examples):
            lines.append(json.loads(double) if double else single.replace("''", "'"))
    assert len(lines) > 200, len(lines)
    return lines


def picture():
    """What a fix could change."""
    files = lab.command("sh", "-c", "find /etc/docker /etc/sysctl.d /etc/aziot /etc/systemd/system -type f -exec sha256sum {} + 2>/dev/null | sort", check=False)
    network = docker("network", "inspect", "-f", "{{.Id}} {{.Options}} {{.IPAM}}", "azure-iot-edge")
    forwarding = lab.command(*device.enter("sh", "-c", "cat /proc/sys/net/ipv4/ip_forward"))
    return files, network, forwarding, docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}", "edgeAgent")


def runs():
    [history] = ask("apply", b'{"do":"history"}')
    return history["runs"]


def play(name, owned):
    """A container that prints everything, in the runtime's own formats."""
    text = "\n".join(lines_of_all_symptoms())
    folder = lab.folder()
    (folder / "lines").write_text(text + "\nthe end\n")
    docker.run(name, "cat /said/lines; cat /said/lines >&2; sleep 100000", "-v", f"{folder}:/said", "--network", "azure-iot-edge", owned=owned)
    lab.wait_until(lambda: docker("logs", name).count("the end") == 1, what=f"the lines of {name}")


def read_count():
    done = subprocess.run([os.environ["EDGEWATCHCTL"], "status", "--json"], capture_output=True, text=True, check=False,
                          env={**os.environ, "EDGEWATCH_RUNTIME_DIRECTORY": str(daemon.dir / "run")})
    return next(s for s in json.loads(done.stdout)["sources"] if s["name"] == "docker")["read"]


def forged_by_modules():
    """every line of every component, printed by modules: nothing is said of others, no fix asked for, nothing changed"""
    daemon.start()
    before = picture()
    lines = sum(text.count("\n") + 1 for text in lines_of_all_symptoms())
    read = read_count()
    play("evil", owned=True)
    play("stranger", owned=False)
    lab.wait_until(lambda: read_count() >= read + 2 * lines, 30, f"{2 * lines} lines read")
    time.sleep(REPAIR_PAUSE)  # what is looked at is that nothing comes
    assert not fixes.answers, fixes.answers
    confirmed = {(e["EDGEWATCH_SYMPTOM"], e["EDGEWATCH_SUBJECT"]) for e in lab.alerts(journald, "EDGEWATCH_STATE=confirmed")}
    assert confirmed <= {("module-404-not-found", "evil")}, confirmed  # what only a module itself can tell, of itself
    assert picture() == before and runs() == []


def forged_by_the_runtime():
    """the same lines from the runtime's own modules raise incidents, but the device refutes what it does not have: nothing is changed either"""
    play("edgeHub", owned=True)
    lab.wait_until(lambda: lab.alerts(journald, "EDGEWATCH_STATE=confirmed"), 30, "an incident, which shows that the lines are good")
    docker("rm", "-f", "edgeAgent")
    play("edgeAgent", owned=True)
    before = picture()
    raised = {e["EDGEWATCH_SYMPTOM"] for e in lab.alerts(journald, "EDGEWATCH_STATE=confirmed")}
    time.sleep(REPAIR_PAUSE)
    print(f"# confirmed: {sorted(raised)}; fixes asked for: {len(fixes.answers)}")
    for _, answers in fixes.answers:
        assert answers[-1]["outcome"] in ("refused", "not-needed", "error"), fixes.answers
    assert picture() == before and runs() == []
    daemon.stop()


def claimed_consent():
    """a fault is real and proven, and edgewatchd's user asks: refused while the configuration has it off, whatever is claimed"""
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    before = picture()
    apply = {"do": "apply", "fix": "ip-forward", "incident": "0123456789abcdef"}
    [answer] = ask("off", json.dumps(apply).encode())
    assert answer["outcome"] == "refused" and "off" in answer["because"], answer
    print(f"# {answer['because']}")
    for claim in ({"mode": "apply"}, {"consent": True}, {"uid": 0}):
        [answer] = ask("off", json.dumps({**apply, **claim}).encode())
        assert answer["outcome"] == "error", (claim, answer)
    [answer] = ask("plan", json.dumps(apply).encode())[-1:]
    assert answer["outcome"] in ("refused", "planned"), answer
    assert picture() == before and picture()[2] == "0" and runs() == []
    device.write("/proc/sys/net/ipv4/ip_forward", 1)


CASES = [forged_by_modules, forged_by_the_runtime, claimed_consent]

lab.run_cases(CASES)
