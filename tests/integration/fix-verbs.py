#!/usr/bin/env python3
"""edgewatchctl fix with the real fixer behind its socket: forwarding is switched off for real, planned, repaired, undone.

The folders of sysctl.d are the test's own, in a mount namespace; the device's are not touched."""

import json
import os
import pty
import re
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

import fixer
import lab

ROOT = Path(__file__).resolve().parent.parent.parent
FORWARD = "/proc/sys/net/ipv4/ip_forward"
REDIRECTS = "/proc/sys/net/ipv4/conf/all/accept_redirects"
RIVAL = Path("/etc/sysctl.d/zz-hardening.conf")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

lab.need_root_and("unshare", "dockerd", "docker", "ip", "nsenter", "busybox", "setpriv")
lab.own_mounts()
journald = lab.Journald()
for folder in ("/etc/sysctl.d", "/run/sysctl.d"):
    Path(folder).mkdir(exist_ok=True)
    lab.command("mount", "-t", "tmpfs", "tmpfs", folder)
device = lab.Namespace("edgewatch-fix")
docker = lab.Docker(device)
os.environ.update(EDGEWATCH_RULES_PATH=str(ROOT / "conf" / "rules.d"), DOCKER_HOST=f"unix://{docker.socket}",
                  DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent", NO_COLOR="1")
fix = fixer.Fixer(prefix=device.enter())
own_files = set(Path("/etc/sysctl.d").iterdir())


def read(path):
    return lab.command(*device.enter("cat", path))


def forwarding():
    return read(FORWARD)


def break_it():
    device.write(FORWARD, 0)
    device.write(REDIRECTS, 0)  # which the kernel ties to the forwarding
    RIVAL.write_text("# Routers only.\nnet/ipv4/ip_forward = 0\n")


def files():
    return {path.name: path.read_text() for path in Path("/etc/sysctl.d").iterdir()}


def as_it_was():
    return (forwarding(), read(REDIRECTS)) == ("0", "0") and files() == {RIVAL.name: "# Routers only.\nnet/ipv4/ip_forward = 0\n"}


def is_repaired():
    name = max(files())
    return forwarding() == "1" and name > RIVAL.name and "net.ipv4.ip_forward = 1\n" in files()[name]


def at_terminal(*words, answer=None):
    """Runs edgewatchctl with a terminal for all three; returns its exit status and what the terminal showed."""
    leader, follower = pty.openpty()
    with subprocess.Popen([os.environ["EDGEWATCHCTL"], *words], stdin=follower, stdout=follower, stderr=follower,
                          env={**os.environ, "EDGEWATCH_FIX_SOCKET": str(fix.path), "TERM": "dumb"}) as process:
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], 60)[0]:
            try:
                shown += os.read(leader, 4096)
            except OSError:
                break
            if answer and b"[y/N] " in shown:
                os.write(leader, answer.encode() + b"\n")
                answer = None
        code = process.wait()
    os.close(leader)
    return code, shown.decode().replace("\r\n", "\n")


def lists():
    """list: every fix with its mode, what it is for; JSON too"""
    code, out, _ = fix.ctl("fix", "list")
    assert code == 0 and re.search(r"^ip-forward +off +ip-forward-disabled +Let the kernel forward", out, re.M), out
    fix.configure("fixes: {mode: plan, override: {ip-forward: apply}}\n")
    code, out, _ = fix.ctl("fix", "list", "--json")
    modes = {row["name"]: row["mode"] for row in json.loads(out)["fixes"]}
    assert code == 0 and modes.pop("ip-forward") == "apply" and set(modes.values()) <= {"plan"}, modes
    fix.configure("")


def nothing_yet():
    """on a healthy device there is nothing to plan, nothing to apply, no history"""
    docker.run("edgeAgent", "sleep 100000")
    code, out, _ = fix.ctl("fix", "plan", "ip-forward")
    assert code == 1 and "not-needed: net.ipv4.ip_forward is 1" in out, out
    assert fix.ctl("fix", "apply", "ip-forward", "--yes")[0] == 0
    assert fix.ctl("fix", "history")[:2] == (0, "No fix was ever tried on this device.\n")
    assert not files(), files()


def plans():
    """plan: by fix or symptom, without any right, and nothing is changed"""
    break_it()
    for word in ("ip-forward", "ip-forward-disabled"):
        code, out, err = fix.ctl("fix", "plan", word, prefix=NOBODY)
        assert code == 0, (out, err)
        for part in ("ip-forward of host\n", "1. Set net.ipv4.ip_forward to 1 now",
                     f"which wins over {RIVAL} (that turns it off)", "Modules meanwhile\n  run on\n",
                     "planned: "):
            assert part in out, (part, out)
    code, out, _ = fix.ctl("fix", "plan", "ip-forward", "--json")
    answer = json.loads(out)
    assert code == 0 and len(answer["plan"]["steps"]) == 2 and answer["result"]["outcome"] == "planned", answer
    assert as_it_was() and not fix.pending()


def rivals():
    """plan: the bit's other name counts too; a file that is masked, or replaced by one in a folder before, does not"""
    def wins_over():
        code, out, _ = fix.ctl("fix", "plan", "ip-forward", "--json")
        assert code == 0, out
        return re.search(r"(?:which wins over (\S+)|$)", json.loads(out)["plan"]["steps"][1]["text"])[1]
    RIVAL.write_text("net.ipv4.conf.all.forwarding = 0\n")
    assert wins_over() == str(RIVAL)
    later, instead = Path("/run/sysctl.d/zzz.conf"), Path("/etc/sysctl.d/zzz.conf")
    later.write_text("net.ipv4.ip_forward = 0\n")
    assert wins_over() == str(later)
    instead.symlink_to("/dev/null")
    assert wins_over() == str(RIVAL)
    instead.unlink()
    instead.write_text("# Nothing.\n")
    assert wins_over() == str(RIVAL)
    later.unlink()
    instead.unlink()
    break_it()


def other_names():
    """a name of the caller's own has no budget of its own: whoever asks, the device is `host`"""
    fix.configure("fixes: {mode: apply}\n")
    for prefix in ([], NOBODY):
        code, out, _ = fix.ctl("fix", "apply", "ip-forward", "--subject=a1", "--yes", prefix=prefix)
        assert code == 1 and "refused: ip-forward is for host only, not for a1" in out, out
    fix.configure("")
    assert as_it_was() and not fix.ask(do="history")[-1]["runs"]


def consent():
    """apply: without a terminal it wants --yes, at a terminal a y, and another user has no right"""
    code, _, err = fix.ctl("fix", "apply", "ip-forward")
    assert code == 2 and "--yes" in err, err
    code, shown = at_terminal("fix", "apply", "ip-forward", answer="n")
    assert code == 1 and "Apply this plan? [y/N]" in shown and "[1/2]" not in shown, shown
    code, out, _ = fix.ctl("fix", "apply", "ip-forward", "--yes", prefix=NOBODY)
    assert code == 1 and "refused: the mode of ip-forward is off" in out, out  # that user plays edgewatchd
    code, out, _ = fix.ctl("fix", "apply", "ip-forward", "--yes",
                           prefix=["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"])
    assert code == 2 and "this needs root, or polkit's consent" in out, out
    assert as_it_was()


def applies():
    """apply at a terminal: the plan once, then each step as it is done, the verification, the outcome"""
    code, shown = at_terminal("fix", "apply", "ip-forward", answer="y")
    assert code == 0, shown
    assert shown.count("Steps, taken back in reverse") == 1, shown
    order = [shown.index(part) for part in ("[y/N]", "[1/2] Set net.ipv4.ip_forward to 1 now", "[2/2] Write ",
                                            "Waiting for the device", "fixed: ", "Run: ")]
    assert order == sorted(order), shown
    assert is_repaired(), files()
    code, out, _ = fix.ctl("fix", "apply", "ip-forward", "--yes")
    assert code == 0 and "not-needed: " in out, out


def undoes():
    """history tells the run, undo takes it back exactly, and both say so in JSON"""
    runs = json.loads(fix.ctl("fix", "history", "--json")[1])["runs"]
    assert [(run["fix"], run["outcome"], run["by"], run["can_undo"]) for run in runs] == \
        [("ip-forward", "fixed", "uid 0", True)], runs
    code, out, _ = fix.ctl("fix", "undo", runs[0]["run"], "--json")
    answer = json.loads(out)
    assert code == 0 and answer["result"]["outcome"] == "undone", answer
    assert [(step["step"], step["undoing"]) for step in answer["steps"]] == [(2, True), (1, True)], answer
    assert as_it_was(), files()
    code, out, _ = fix.ctl("fix", "history")
    assert code == 0 and re.search(rf"^{runs[0]['run']} ip-forward +host .* undone +uid 0 +- ", out, re.M), out
    code, out, _ = fix.ctl("fix", "undo", runs[0]["run"])
    assert code == 2 and "there is no such run that can be undone" in out, out


def boot():
    """What systemd makes of the files of sysctl.d, of those that are the namespace's own."""
    device.write(FORWARD, 0)
    lab.command(*device.enter("/lib/systemd/systemd-sysctl", "--prefix=/net/ipv4/ip_forward", "--prefix=/net/ipv4/conf"))


def lasts():
    """the next boot: on again over the bit's other name, where a file before says 1 already; a link that has a dot; both in one file"""
    before = Path("/etc/sysctl.d/10-router.conf")
    before.write_text("net.ipv4.ip_forward = 1\n")
    RIVAL.write_text("net.ipv4.conf.all.forwarding = 0\n")
    boot()
    assert forwarding() == "0" and fix.ctl("fix", "apply", "ip-forward", "--yes")[0] == 0
    boot()
    assert forwarding() == "1", files()
    bit = "/proc/sys/net/ipv4/conf/eth0.100/forwarding"
    device.ip("link", "add", "eth0.100", "type", "veth", "peer", "name", "beyond")
    for words in (("link", "set", "beyond", "up"), ("link", "set", "eth0.100", "up"), ("addr", "add", "10.7.0.2/24", "dev", "eth0.100"),
                  ("route", "add", "default", "via", "10.7.0.1")):
        device.ip(*words)
    Path("/run/sysctl.d/zzz.conf").write_text("net/ipv4/conf/eth0.100/forwarding = 0\n")
    boot()
    assert read(bit) == "0"
    code, out, _ = fix.ctl("fix", "apply", "ip-forward", "--yes")
    assert code == 0 and "Set net.ipv4.conf.eth0/100.forwarding to 1 now" in out and "wins over /run/sysctl.d/zzz.conf" in out, out
    assert read(bit) == "1"
    boot()
    assert read(bit) == "1", files()
    for path in (*set(Path("/etc/sysctl.d").iterdir()), Path("/run/sysctl.d/zzz.conf")):
        path.unlink()
    for setting in (FORWARD, bit):
        device.write(setting, 0)
        assert fix.ctl("fix", "apply", "ip-forward", "--yes")[0] == 0
    assert len(list(Path("/etc/sysctl.d").glob("*.conf"))) == 1, files()
    boot()
    assert (forwarding(), read(bit)) == ("1", "1"), files()
    device.ip("link", "del", "eth0.100")
    for path in set(Path("/etc/sysctl.d").iterdir()):
        path.unlink()
    break_it()


def of_incident():
    """an incident is asked of the daemon; its id is on every entry of its repair in the journal"""
    daemon = lab.Daemon(config=f"docker: {{socket: {docker.socket}}}\nsources: {{units: off}}\n", prefix=device.enter(),
                        options=("--rules", ROOT / "conf" / "rules.d")).start()
    os.environ["EDGEWATCH_RUNTIME_DIRECTORY"] = fix.environment["EDGEWATCH_RUNTIME_DIRECTORY"] = str(daemon.dir / "run")

    def incident():
        found = json.loads(fix.ctl("list", "--json")[1] or "{}").get("incidents", [])
        return [i["id"] for i in found if i["symptom"] == "ip-forward-disabled" and i["state"] == "confirmed"]

    (identity,) = lab.wait_until(incident, 30, "the incident")
    code, out, err = fix.ctl("fix", "apply", identity[:8], "--yes")
    assert code == 0 and "fixed: " in out, (out, err)
    entries = journald.entries("SYSLOG_IDENTIFIER=edgewatch-fix", f"EDGEWATCH_INCIDENT={identity}")
    told = [(e["EDGEWATCH_FIX_STATE"], e["EDGEWATCH_FIX"], e["EDGEWATCH_SUBJECT"]) for e in entries]
    assert told == [(state, "ip-forward", "host") for state in ("planned", "fixing", "fixing", "fixed")], told
    run = json.loads(fix.ctl("fix", "history", "--json")[1])["runs"][-1]
    assert run["incident"] == identity, run
    assert fix.ctl("fix", "undo", run["run"])[0] == 0
    entries = journald.entries("SYSLOG_IDENTIFIER=edgewatch-fix", f"EDGEWATCH_INCIDENT={identity}")[len(told):]
    told = [e["EDGEWATCH_FIX_STATE"] for e in entries]
    assert told == ["undoing", "undoing", "undone"], told
    identities = {e["MESSAGE_ID"] for e in journald.entries("SYSLOG_IDENTIFIER=edgewatch-fix")}
    assert len(identities) == 5, identities  # planned, refused, step, applied, rolled back
    assert fix.ctl("fix", "plan", "0123456789abcdef")[0] == 2
    daemon.stop()


def for_people():
    """a fix that is for people has its commands in the plan, and is not applied even with root's yes"""
    name = fix.dir / "hostname"
    name.write_text("n" * 65 + "\n")
    lab.command("mount", "--bind", name, "/etc/hostname")
    code, out, _ = fix.ctl("fix", "plan", "hostname-invalid")
    assert code == 0, out
    parts = ("hostname of hostname\n", "has 65 characters, more than the 64", "What would be lost\n", "1 to 64 characters",
             "iotedge system stop\n", "docker rm -f $(docker ps -aq -f label=", "iotedge config apply\n", "is-active")
    at = [out.index(part) for part in parts]
    assert at == sorted(at), out
    code, out, _ = fix.ctl("fix", "apply", "hostname", "--yes")
    assert code == 1 and "refused: " in out and docker("ps", "-q", "--filter", "name=edgeAgent"), out
    lab.command("umount", "/etc/hostname")


def usage():
    """what is no incident, symptom or fix, a symptom without a fix, and words too many are said"""
    for words, said in ((("plan", "nonsense"), "neither an incident nor a symptom nor a fix"),
                        (("plan", "image-pull-403"), "is no fix"),
                        (("apply",), "usage: edgewatchctl fix apply INCIDENT|SYMPTOM|FIX"),
                        (("history", "x"), "usage: edgewatchctl fix history"),
                        (("mend", "x"), "is unknown"),
                        (("undo", "x"), "`run` is missing or not 16 hex digits")):
        code, out, err = fix.ctl("fix", *words)
        assert code == 2 and said in out + err, (words, out, err)
    code, out, _ = fix.ctl("fix", "plan", "ip-forward", "--subject=../x")
    assert code == 2 and "`subject` is no name" in out, out
    fix.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"


def answer_with(data, hold=False):
    """What edgewatchctl makes of such an answer to `fix plan`."""
    path = fix.dir / "false.sock"
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def serve():
        connection, _ = server.accept()
        with connection:
            while connection.recv(4096):
                pass
            try:
                for _ in range(4000 if hold else 1):
                    connection.sendall(data)
            except OSError:
                pass  # edgewatchctl has had enough

    thread = threading.Thread(target=serve)
    thread.start()
    done = subprocess.run([os.environ["EDGEWATCHCTL"], "fix", "plan", "ip-forward"], capture_output=True, check=False,
                          env={**os.environ, "EDGEWATCH_FIX_SOCKET": str(path)})
    thread.join()
    server.close()
    return done.returncode, done.stdout, done.stderr


def hostile():
    """a false fixer: garbage, half answers, endless ones and escape sequences do no harm"""
    plan = {"fix": "x\u001b[2J", "incident": "0", "subject": "s\u009b1m", "because": "b\u001b]0;title\u0007", "refusal": None,
            "downtime_seconds": 0, "losses": ["l\u001bc"], "by_person": ["p\u001b[A"],
            "steps": [{"operation": "sysctl", "text": "t\u001b[31m\nforged"}]}
    result = {"event": "result", "outcome": "planned\u001b[0m", "because": "r\u001b[1m", "run": None, "retry_at": None}
    lines = json.dumps({"event": "plan", "plan": plan}) + "\n" + json.dumps(result) + "\n"
    code, out, err = answer_with(lines.encode())
    assert code == 2 and b"\x1b" not in out + err and b"\xc2\x9b" not in out and b"\\x1b[31m forged" in out, (code, out)
    for data in (b"", b"garbage\n", b"{}\n", b"[1]\n", b'{"event":"plan","plan":{}}\n', b'{"event":"plan"}\n',
                 b'{"event":"step","step":"1"}\n', b'{"event":"result"}\n', b'{"event":"fixes","fixes":[]}\n',
                 b'{"event":"result","outcome":"planned"', b"\xff\xfe\n", b'{"event":"a","event":"result"}\n'):
        code, out, err = answer_with(data)
        assert code == 2 and err.startswith(b"edgewatchctl: "), (data, out, err)
    for data in (b"x" * 65536, b'{"event":"verifying","text":"v"}\n' * 10):
        code, out, err = answer_with(data, hold=True)
        assert code == 2 and b"gave no result: File too large" in err, (data[:40], out[-200:], err)
    code, _, err = answer_with(b'{"event":"result","outcome":"planned","because":"b"}\n')
    assert code == 0, err


def large_answer():
    """an answer larger than any socket's buffer comes whole; a reader that stalls is waited for once, and not for long"""
    ledger = fix.state / "ledger.json"
    before = ledger.read_text()
    runs = json.loads(before)["runs"]
    many = [{**runs[-1], "run": f"{n:016x}", "because": f"{n} " * 1000} for n in range(128)]
    ledger.write_text(json.dumps({"version": 1, "runs": many}))
    told = fix.ask(do="history")[-1]["runs"]
    assert [run["because"] for run in told] == [run["because"] for run in many]
    n = len(fix.running)
    with socket.socket(socket.AF_UNIX) as stalled:
        stalled.connect(str(fix.path))
        stalled.sendall(b'{"do": "history"}\n')
        lab.wait_until(lambda: len(fix.running) > n, what="the fixer")
        assert fix.running[n].wait(30) == 0
    ledger.write_text(before)


def stalled_reader():
    """a fix is carried out whether or not somebody reads, and waits for that once only"""
    break_it()
    fix.is_clogged = True
    n = len(fix.running)
    with socket.socket(socket.AF_UNIX) as stalled:
        stalled.connect(str(fix.path))
        stalled.sendall(b'{"do": "apply", "fix": "ip-forward"}\n')
        lab.wait_until(lambda: len(fix.running) > n, what="the fixer")
        begin = time.monotonic()
        assert fix.running[n].wait(60) == 0
        assert 4 < time.monotonic() - begin < 15, time.monotonic() - begin  # one wait, of five lines
        fix.is_clogged = False
    assert is_repaired() and fix.ask(do="history")[-1]["runs"][-1]["outcome"] == "fixed"
    assert fix.ctl("fix", "undo", fix.ask(do="history")[-1]["runs"][-1]["run"])[0] == 0


def nobody_there():
    """without a fixer it says where it looked"""
    fix.server.close()
    fix.path.unlink()
    code, _, err = fix.ctl("fix", "list")
    assert code == 2 and f"edgewatch-fix cannot be asked at {fix.path}: No such file or directory" in err, err


lab.run_cases([lists, nothing_yet, plans, rivals, other_names, consent, applies, undoes, lasts, of_incident, for_people, usage, hostile, large_answer,
               stalled_reader, nobody_there])
