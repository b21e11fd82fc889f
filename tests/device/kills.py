"""kill -9 of edgewatch's processes while a fix is at work: the device keeps its network, its daemon.json, its modules, and
no incident is lost.

EDGEWATCH_DEVICE_KILLS is how often, 6 unless it is set; EDGEWATCH_SEED repeats a sequence that failed. A kill counts when
the process lived and the fixer, or its recovery, had work that was begun and not over."""

import itertools
import json
import os
import random
import time
from collections import Counter

import cases
import repairs
from device import HUB_NAME, NAME_SERVER
from lab import wait_until

KILLS = int(os.environ.get("EDGEWATCH_DEVICE_KILLS", "6"))
SEED = int(os.environ.get("EDGEWATCH_SEED", time.time_ns() % 1000000))
MTU = "com.docker.network.driver.mtu"
TRIES = 8  # for one kill that hits
UNITS = {"edgewatchd": "/edgewatchd.service", "gate": "/edgewatch-gate.service", "fixer": "/edgewatch-fix@",
         "recover": "/edgewatch-fix-recover.service", "prober": ""}

# Runs on the device, so that nothing lies between the look at a process and its end. Arguments: what edgewatchctl is asked,
# the victims in turn, each as [program, part of its control group, seconds after it was seen at work].
KILLER = r"""
import json, os, re, subprocess, sys, time
from pathlib import Path
request, victims = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pending = Path("/var/lib/edgewatch-fix/pending")
def find(program, group):
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == program + "\n" and group in (process / "cgroup").read_text():
                return int(process.name)
        except OSError:
            pass
    return None
def phase():
    for record in pending.glob("*.json"):
        try:
            return re.search(r'"phase":"(\w+)"', record.read_text()).group(1)
        except (AttributeError, OSError):
            pass
    return None
def strike(program, group, seconds):
    end = time.monotonic() + 60
    while not (phase() and find(program, group)):
        if time.monotonic() > end or (asked.poll() is not None and not phase()):
            return None
        time.sleep(0.002)
    time.sleep(seconds)
    at, pid = phase(), find(program, group)
    if not at or not pid:
        return None
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return None
    return at
asked = subprocess.Popen(["edgewatchctl", "fix", *request, "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
hit = None
for victim in victims:
    hit = strike(*victim)
    if not hit:
        break
asked.wait()
print(json.dumps(hit))
"""


class Work:
    """A fault and its fix, and whether it is repaired at present. The seconds are about how long fix and recovery take."""

    seconds, recovery_seconds, symptom = 15, 5, None
    runs_broken = True  # whether modules run with the fault
    victims = ("fixer", "recover", "edgewatchd", "gate")

    def __init__(self):
        self.is_repaired = False

    def run(self):
        return [run["run"] for run in repairs.history() if run["can_undo"] and run["fix"] == self.fix][-1]

    def undo(self):
        answer = cases.device.edgewatchctl("fix", "undo", self.run())
        assert answer["result"]["outcome"] == "undone" and not self.look(), answer
        self.is_repaired = False

    def before(self):
        """Before each kill."""

    def after(self):
        """After each kill, once the device was looked at."""


class Forwarding(Work):
    """Is repaired at once, and taken back even faster, so that only its apply can be hit. Its incident is told at once, too, so
    that none may be missing."""

    fix, seconds, recovery_seconds, symptom = "ip-forward", 0.4, 0.05, "ip-forward-disabled"

    def cause(self):
        pass

    heal = cause

    def before(self):
        if self.is_repaired:
            self.undo()
            self.after()
        self.begin = cases.now()
        repairs.set_forwarding(0)
        cases.wait_alert(self.symptom, "confirmed", self.begin, 30)

    def after(self):
        repairs.set_forwarding(1)
        wait_until(lambda: not cases.active(self.symptom), 60, "the end of the incident")
        told = [(a["EDGEWATCH_INCIDENT"], a["EDGEWATCH_CHANGE"]) for a in cases.device.alerts(self.symptom)
                if int(a["__REALTIME_TIMESTAMP"]) >= self.begin]
        lost = [i for i, change in told if change == "confirmed" and (i, "cleared") not in told]
        assert not lost, f"without an end: {lost}; {told}"

    def look(self):
        """Whether it is repaired; by half is a failure."""
        files, value = repairs.sysctl_files(), repairs.forwarding()
        assert len(files) <= 1 and value == str(len(files)), f"{value} and {files}"
        return bool(files)


class NarrowUplink(Work):
    """Is repaired with the runtime stopped and its network made anew."""

    fix = "docker-network-mtu"

    def cause(self):
        self.whole = repairs.network()
        cases.device.set_uplink_mtu(1430)

    def heal(self):
        cases.device.set_uplink_mtu(1500)

    def look(self):
        network = repairs.network()
        mtu = network["Options"].pop(MTU, None)
        assert mtu in (None, "1430") and network == self.whole, f"{self.whole} became {network} with {mtu}"
        return mtu is not None


class DeadNameServer(Work):
    """Is repaired with the engine restarted. The prober waits for a dead server meanwhile."""

    fix = "docker-dns"
    victims = ("prober", *Work.victims)
    broken = {"log-driver": "journald", "dns": ["192.0.2.99"], "labels": ["site=north"]}

    def cause(self):
        cases.set_engine(**self.broken)
        wait_until(repairs.modules_run, 240, "the modules")

    def heal(self):
        cases.set_engine()
        wait_until(repairs.modules_run, 240, "the modules")

    def look(self):
        wait_until(repairs.modules_run, 240, "the modules")
        settings, kept = repairs.engine_settings(), cases.device.sh("ls /etc/docker | grep -c edgewatch", check=False)
        is_repaired = settings != self.broken
        assert not is_repaired or settings == {**self.broken, "dns": [NAME_SERVER]}, settings
        assert kept == str(int(is_repaired)), f"{kept} files beside {settings}"
        said = cases.device.sh(f"timeout 20 docker exec edgeAgent busybox nslookup {HUB_NAME}", check=False)
        assert is_repaired == (f"Name:\t{HUB_NAME}" in said), f"the engine runs with other servers than {settings}: {said}"
        return is_repaired


class DisabledSockets(Work):
    """Is repaired with the runtime stopped, its files changed and its units enabled."""

    fix, runs_broken = "daemon-sockets", False

    def cause(self):
        cases.disable_sockets(cases.named_by_path)

    def heal(self):
        cases.enable_sockets()

    def look(self):
        enabled = cases.device.run("systemctl", "is-enabled", *cases.SOCKETS, check=False).split()
        by_path = ["unix:///var/run/iotedge/" in cases.device.read(path).partition("[listen]")[2].partition("\n[")[0]
                   for path in ("/etc/aziot/config.toml", "/etc/aziot/edged/config.d/00-super.toml")]
        assert (enabled, by_path) in ((["disabled"] * 2, [True] * 2), (["enabled"] * 2, [False] * 2)), (enabled, by_path)
        return enabled[0] == "enabled"


def strike(work, target, dice):
    """Begins in whichever state the last one ended in. Returns in which phase the target was hit, or None: too late."""
    request = ["undo", work.run()] if work.is_repaired else ["apply", work.fix, "--yes"]
    program = {"prober": "edgewatch-probe", "edgewatchd": "edgewatchd", "gate": "edgewatch-gate"}.get(target, "edgewatch-fix")
    victims = [[program, UNITS[target], dice.uniform(0, work.seconds)]]
    if target == "prober":
        victims[0][-1] = dice.uniform(0, 0.2)
    if target == "recover":
        victims = [[program, UNITS["fixer"], dice.uniform(0, work.seconds)],
                   [program, UNITS["recover"], dice.uniform(0, work.recovery_seconds)]]
    return json.loads(cases.device.run("python3", "-c", KILLER, json.dumps(request), json.dumps(victims)))


def at_work():
    """What the fixer has still to do."""
    return cases.device.sh("ls /var/lib/edgewatch-fix/pending; systemctl list-units --plain --no-legend "
                           "--state=active,activating,deactivating 'edgewatch-fix@*' edgewatch-fix-recover.service", check=False)


def check_device(target):
    """Without a hand: nothing stays half done, and what makes the device one is there."""
    wait_until(lambda: not at_work(), 400, "the fixer's recovery")
    repairs.engine_settings()
    repairs.network()
    wait_until(lambda: set(cases.state_of_units()) == {"active"}, 30, f"edgewatch after {target} was killed")


def kill_once(work, target, dice, figures):
    """One kill that hits."""
    for _ in range(TRIES):
        work.before()
        begins, phase = work.is_repaired, strike(work, target, dice)
        check_device(target)
        work.is_repaired = work.look()
        if work.is_repaired or work.runs_broken:
            wait_until(repairs.modules_run, 240, "the modules")
        work.after()
        if phase:
            change = {(False, False): "old", (False, True): "old to new", (True, False): "new to old", (True, True): "new"}
            figures[f"{target} at {work.fix}, {phase}: {change[begins, work.is_repaired]}"] += 1
            return
        figures["too late"] += 1
    raise AssertionError(f"{target} was never hit at {work.fix}")


def shares():
    """Works and how many kills each gets: most the one that takes no time."""
    few = KILLS // 8
    heavy = [(NarrowUplink(), max(1, few)), (DeadNameServer(), few), (DisabledSockets(), few)]
    return [(Forwarding(), KILLS - sum(count for _, count in heavy)), *((work, count) for work, count in heavy if count)]


def kills():
    """kill -9 of each process while a fix is at work: the device keeps network, daemon.json, modules; no incident is lost"""
    dice, figures = random.Random(SEED), Counter()
    try:
        with repairs.impatient_recovery():
            for work, count in shares():
                work.cause()
                for target in itertools.islice(itertools.cycle(work.victims), count):
                    kill_once(work, target, dice, figures)
                if work.is_repaired:
                    work.undo()
                    work.after()
                work.heal()
    finally:
        for what, count in sorted(figures.items()):
            print(f"# seed {SEED}: {count} {what}", flush=True)
    assert sum(figures.values()) - figures["too late"] == KILLS
    cases.check_none_lost_or_doubled()


CASES = [kills]
