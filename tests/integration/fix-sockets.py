#!/usr/bin/env python3
"""The fix that has systemd open the daemon's sockets again: configuration and units, on an /etc of the test's own with a
systemd that is played. Broken, it ends in the old or the new state."""

import http.server
import os
import threading
import time
from pathlib import Path

import fixlab
import lab

FIX, SERVICE = "daemon-sockets", "aziot-edged.service"
SOCKETS = fixlab.DEB[:2]
SUPER, DAEMON, LAST = (Path("/etc/aziot", name) for name in (
    "config.toml", "edged/config.d/00-super.toml", "edged/config.d/90-ours.toml"))
BY_PATH = '''[listen] # by path
management_uri = "unix:///var/run/iotedge/mgmt.sock" # ours
max_requests = 5
workload_uri = 'unix:///run/iotedge/workload.sock'
'''
BY_SYSTEMD = '''[listen] # by path
management_uri = "fd://aziot-edged.mgmt.socket" # ours
max_requests = 5
workload_uri = "fd://aziot-edged.workload.socket"
'''

lab.need_root_and("dbus-daemon", "busctl", "ip", "nsenter", "unshare")
lab.own_mounts()
namespace = lab.Namespace("sockets")


def own_etc():
    """Nothing that is written to /etc leaves the test."""
    layers = lab.folder()
    lab.command("mount", "-t", "tmpfs", "tmpfs", layers)
    for part in ("upper", "work"):
        (layers / part).mkdir()
    lab.command("mount", "-t", "overlay", "overlay", "-o",
                f"lowerdir=/etc,upperdir={layers}/upper,workdir={layers}/work", "/etc")
    DAEMON.parent.mkdir(parents=True, exist_ok=True)


class Site:
    """A runtime of which nothing but its units, its files and its API is there."""

    def __init__(self):
        own_etc()
        self.dir = lab.folder()
        self.path = self.dir / "mgmt.sock"
        self.head = f'hostname = "edge"\n\n[connect]\nmanagement_uri = "unix://{self.path}"\n\n'
        self.silent, self.dies, self.misordered = False, False, []
        self.system = fixlab.System(self.dir, fixlab.DEB, self.work)
        self.fixer = fixlab.Fixer(namespace, self.dir / "no-engine", self.system.environment)
        site = self

        class Api(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if site.silent or not all(site.system.active.values()):
                    self.close_connection = True
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"modules": []}')

            def address_string(self):
                return "fixer"

            def log_message(self, *args):
                pass

        self.server = fixlab.serve(self.path, Api)

    def work(self, kind, unit):
        if kind == "start" and unit in SOCKETS and self.system.active[SERVICE]:
            self.misordered.append(unit)
        if kind == "start" and unit == SERVICE and self.dies:
            threading.Thread(target=self.die, daemon=True).start()

    def die(self):
        lab.wait_until(lambda: self.system.begun == self.system.ended)
        self.unit(SERVICE, "failed failed")

    def unit(self, name, state, file="enabled", load="loaded"):
        self.system(f"set {name} {load} {state} {file} success 0 0")
        self.system.active[name] = state.startswith("active")

    def break_it(self, text=BY_PATH, off=SOCKETS, file="disabled"):
        """As somebody left it: `text` in the configuration, the units `off` as `file` says."""
        for path in (SUPER, DAEMON, LAST, *SUPER.parent.rglob("*.edgewatch-*")):
            path.unlink(missing_ok=True)
        for path in (SUPER, DAEMON):
            path.write_text(self.head + text)
            path.chmod(0o640)
            os.chown(path, 1234, 4321)
            os.setxattr(path, "trusted.site", b"north")
        self.unit(SERVICE, "activating auto-restart")
        for unit in SOCKETS:
            self.unit(unit, "active running")
        for unit in off:
            self.unit(unit, "inactive dead", file, "masked" if file == "masked" else "loaded")
        self.before = self.look()

    def file_state(self, unit):
        escaped = "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in unit)
        return lab.command("busctl", f"--address=unix:path={self.system.socket}", "get-property", "org.freedesktop.systemd1",
                           f"/org/freedesktop/systemd1/unit/{escaped}", "org.freedesktop.systemd1.Unit",
                           "UnitFileState").split('"')[1]

    def look(self):
        files = {str(path): (path.read_text(), path.stat().st_mode, path.stat().st_uid, path.stat().st_gid,
                             os.getxattr(path, "trusted.site"))
                 for path in (SUPER, DAEMON) if path.exists()}
        return files, {unit: (self.file_state(unit), self.system.active[unit]) for unit in SOCKETS}

    def backups(self):
        return sorted(path for path in SUPER.parent.rglob("*edgewatch-*"))

    def state(self):
        """"old" or "new"; anything else fails."""
        self.system.wait_idle()
        assert not self.misordered, self.misordered
        now = self.look()
        if now == self.before:
            assert self.backups() == [], self.backups()
            return "old"
        files = {path: (text.replace(BY_PATH, BY_SYSTEMD), *rest) for path, (text, *rest) in self.before[0].items()}
        assert now == (files, {unit: ("enabled", True) for unit in SOCKETS}), f"{now}\nwas {self.before}"
        assert self.system.active[SERVICE]
        return "new"

    def apply(self, fault=None, refuse=0, kill_after=None):
        """A run, and the recovery when something is left of it."""
        self.system.reset(fault)
        self.system(f"refuse {refuse}")
        self.fixer.start()
        timer = threading.Timer(kill_after, self.fixer.popen.kill) if kill_after is not None else None
        if timer:
            timer.start()
        result = self.fixer.wait({"do": "apply", "fix": FIX})
        if timer:
            timer.cancel()
        self.count = self.system.count
        self.system.reset()
        self.system("refuse 0")
        self.system.wait_idle()
        if self.fixer.pending():
            result = self.fixer.recover()
        assert self.fixer.pending() == [], self.fixer.pending()
        return result

    def undo(self):
        self.fixer(do="history")
        result = self.fixer(do="undo", run=self.fixer.lines[-1]["runs"][-1]["run"])
        assert result["outcome"] == "undone", (result, self.fixer.err)


site = Site()


def plan():
    """a plan names files and units in their order, and changes nothing"""
    site.break_it()
    made = site.fixer.plan(fix=FIX)
    assert made["refusal"] is None and made["downtime_seconds"] >= 60, made
    texts = [step["text"] for step in made["steps"]]
    assert texts == [
        f"Start with the old sockets, should this be taken back: {SERVICE}", f"Stop {SERVICE}",
        f"Have the daemon take its sockets from systemd in {SUPER}",
        f"Have the daemon take its sockets from systemd in {DAEMON}",
        *(f"Enable {unit}" for unit in SOCKETS), *(f"Start {unit}" for unit in SOCKETS), f"Start {SERVICE}"], texts
    assert site.state() == "old" and site.system.jobs == []


def by_path():
    """URIs by path and disabled units: repaired, with comments, mode, owner and attributes kept, and taken back"""
    site.break_it()
    result = site.apply()
    assert result["outcome"] == "fixed" and str(site.path) in result["because"], (result, site.fixer.err)
    assert site.state() == "new" and len(site.backups()) == 2
    assert [b.read_text() for b in site.backups()] == [site.head + BY_PATH] * 2
    assert site.fixer(do="apply", fix=FIX)["outcome"] == "not-needed"
    site.undo()
    assert site.state() == "old"


def masked():
    """URIs of systemd's and units that are masked: only the units are changed"""
    site.break_it(BY_SYSTEMD, file="masked")
    assert site.apply()["outcome"] == "fixed", (site.fixer.lines, site.fixer.err)
    assert site.state() == "new" and site.backups() == []
    site.undo()
    assert site.state() == "old"


def one_of_two():
    """one socket is missing: the other is opened anew with it, as it cannot be started beside the service"""
    for unit in SOCKETS:
        site.break_it(off=[unit])
        del site.system.jobs[:]
        assert site.apply()["outcome"] == "fixed", (site.fixer.lines, site.fixer.err)
        assert site.state() == "new"
        assert [u for kind, u in site.system.jobs if kind == "start"] == [*SOCKETS, SERVICE], site.system.jobs
        site.undo()
        assert site.state() == "old"


def odd_files():
    """any form of TOML is changed where it deviates, and only there"""
    mgmt, workload = (f'"fd://{unit}"' for unit in SOCKETS)
    for text, expected in (
            ("", ""), ("# listen = 1\n", "# listen = 1\n"), ("[listen]\n", "[listen]\n"),
            ('[listen]\r\nworkload_uri = "unix:///run/iotedge/w"\r\n', f"[listen]\r\nworkload_uri = {workload}\r\n"),
            ("[x]\nlisten.management_uri = 'unix:///run/iotedge/m'\n", "[x]\nlisten.management_uri = 'unix:///run/iotedge/m'\n"),
            ('[listen]\n"management_uri" = """\nunix:///run/iotedge/m"""', f'[listen]\n"management_uri" = {mgmt}'),
            ('[listen]\nmanagement_uri = "fd://iotedge.mgmt.socket"\n', f"[listen]\nmanagement_uri = {mgmt}\n")):
        site.break_it(text)
        assert site.apply()["outcome"] == "fixed", (text, site.fixer.lines, site.fixer.err)
        assert SUPER.read_bytes().decode() == DAEMON.read_bytes().decode() == site.head + expected, SUPER.read_text()
        site.undo()
        assert site.state() == "old"
    for text, expected in (
            ('listen.management_uri = "unix:///run/iotedge/m" # m\n', f"listen.management_uri = {mgmt} # m\n"),
            ('listen = { workload_uri = "unix:///run/iotedge/w", x = 1 }\n', f"listen = {{ workload_uri = {workload}, x = 1 }}\n")):
        site.break_it()
        LAST.write_text(text)
        assert site.apply()["outcome"] == "fixed", (text, site.fixer.lines, site.fixer.err)
        assert LAST.read_text() == expected, LAST.read_text()
        site.undo()
        assert site.state() == "old" and LAST.read_text() == text


def refused(words):
    del site.system.jobs[:]
    before = site.look()
    result = site.fixer(do="apply", fix=FIX)
    assert result["outcome"] == "refused" and words in result["because"], result
    assert site.look() == before and site.system.jobs == [] and site.fixer.pending() == [] and site.backups() == []


def guards():
    """what it does not understand, or what somebody wants so, it leaves alone"""
    for text, words in (("[listen\n", f"{SUPER}:6:8 is no valid TOML"),
                        ("[listen]\nmanagement_uri = 1\n", "management_uri in /etc/aziot/config.toml is no string"),
                        ('[listen]\nworkload_uri = "unix:///var/lib/aziot/edged/w.sock"\n', "chose another place"),
                        ('[[listen]]\nworkload_uri = "unix:///run/iotedge/w"\n[listen]\n', "is no valid TOML")):
        site.break_it(text)
        refused(words)
    site.break_it(file="masked-runtime")
    refused("until the next boot")
    site.break_it()
    site.unit(SOCKETS[1], "inactive dead", "-", "not-found")
    refused("are not installed")


def other_runtimes():
    """the snap has no socket units, and for 1.0 and 1.1 a person is told the commands"""
    site.break_it()
    site.unit(SERVICE, "inactive dead", "-", "not-found")
    refused("is not the runtime of this device")
    site.unit(*fixlab.SNAP, "active running")
    result = site.fixer(do="apply", fix=FIX, subject=fixlab.SNAP[0])
    assert result["outcome"] == "refused" and "the snap has no socket units" in result["because"], result
    site.unit(*fixlab.SNAP, "inactive dead", "-", "not-found")
    for unit in fixlab.LEGACY:
        site.unit(unit, "inactive dead", "disabled")
    made = site.fixer.plan(fix=FIX, subject="iotedge.service")
    assert made["steps"] == [] and "systemctl enable --now iotedge.mgmt.socket iotedge.socket" in made["by_person"], made
    for unit in fixlab.LEGACY:
        site.unit(unit, "inactive dead", "-", "not-found")
        del site.system.active[unit]
    del site.system.active[fixlab.SNAP[0]]


def daemon_dies():
    """the daemon does not live on: everything is taken back, with what was seen"""
    site.break_it()
    site.silent = site.dies = True
    result = site.apply()
    site.silent = site.dies = False
    assert result["outcome"] == "rolled-back" and f"{SERVICE} is failed" in result["because"], result
    assert site.state() == "old"


def ended(result):
    state = site.state()
    assert result.get("outcome") == {"old": "rolled-back", "new": "fixed"}[state], (state, result)
    return state


def failing_steps():
    """a job or a change of a unit's file fails, or the fixer is killed in a job: the old state, or the new one"""
    def kill():
        site.fixer.kill()
        return "done"

    for file in ("disabled", "masked"):
        site.break_it(file=file)
        assert site.apply()["outcome"] == "fixed"
        jobs = site.count
        assert jobs == 4, jobs
        for number in range(1, jobs + 1):
            for what in (lambda: "failed", kill):
                site.break_it(file=file)
                ended(site.apply(lambda n, number=number, what=what: what() if n == number else "done"))
        for number in range(1, 3 if file == "disabled" else 5):
            site.break_it(file=file)
            assert ended(site.apply(refuse=number)) == "old"


def endless_jobs():
    """a job never ends, or nothing tells of its end: its time is up, and all is taken back"""
    with site.fixer.impatient(3):
        for number in range(1, 5):
            for what in ("never", "lost"):
                site.break_it()
                result = site.apply(lambda n, number=number, what=what: what if n == number else "done")
                assert ended(result) == "old" and "did not end" in result["because"], result


def killed_verifying():
    """killed while the daemon does not answer yet: the recovery finds it well, or takes all back"""
    for is_well in (True, False):
        site.break_it()
        site.silent = True
        site.fixer.kill_at(lambda line: line["event"] == "verifying", do="apply", fix=FIX)
        site.silent = False
        if not is_well:
            site.unit(SERVICE, "failed failed")
        assert len(site.fixer.pending()) == 1
        assert ended(site.fixer.recover()) == ("new" if is_well else "old")


def half_written():
    """what a kill left half written beside a file is gone with what is taken back"""
    site.break_it()
    site.fixer.kill_at(lambda line: str(SUPER) in line.get("text", ""), do="apply", fix=FIX)
    SUPER.with_name(f"{SUPER.name}.edgewatch-new").write_text("[list")
    assert ended(site.fixer.recover()) == "old"


def killed():
    """killed at any time, it is finished or taken back by the recovery"""
    site.break_it()
    begin = time.monotonic()
    assert site.apply()["outcome"] == "fixed"
    duration, states, kills = time.monotonic() - begin, set(), 20
    for turn in range(kills):
        site.break_it()
        # the last one is let go on, however slow the machine has become
        result = site.apply(kill_after=turn * duration / (kills - 4) if turn + 1 < kills else None)
        states.add(site.state())
        assert result.get("outcome") in (None, "fixed", "rolled-back"), result
    assert states == {"old", "new"}, states


def full_disk():
    """the disk is full: refused before the first step"""
    site.break_it()
    site.fixer.fill()
    result = site.fixer(do="apply", fix=FIX)
    site.fixer.drain()
    assert result["outcome"] == "refused" and "could not be written" in result["because"], result
    assert site.state() == "old"


lab.run_cases([plan, by_path, masked, one_of_two, odd_files, guards, other_runtimes, daemon_dies, failing_steps,
               endless_jobs, killed_verifying, half_written, killed, full_disk])
