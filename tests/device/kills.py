"""kill -9 of any process at random instants while a fix is at work: the device keeps its network, its daemon.json, its modules.

EDGEWATCH_DEVICE_KILLS is how often, 8 unless it is set; EDGEWATCH_SEED repeats a sequence that failed."""

import json
import os
import random
import time
from collections import Counter

import cases
import repairs
from lab import wait_until

KILLS = int(os.environ.get("EDGEWATCH_DEVICE_KILLS", "8"))
SEED = int(os.environ.get("EDGEWATCH_SEED", time.time_ns() % 1000000))
MTU = "com.docker.network.driver.mtu"
VICTIMS = {"edgewatch-fix@*": 6, "docker": 2, "edgewatchd": 1, "edgewatch-gate": 1, "edgewatch-probe@*": 1}  # how often


class Fault:
    """One that is repaired by a fix, and whether it is at present."""

    def __init__(self):
        self.is_repaired = False
        self.duration = None

    def run(self):
        return [run["run"] for run in repairs.history() if run["can_undo"] and run["fix"] == self.fix][-1]

    def measure(self):
        """Without a kill it is repaired, and taken back."""
        self.cause()
        begin = time.monotonic()
        answer = cases.device.edgewatchctl("fix", "apply", self.fix, "--yes")
        assert answer["result"]["outcome"] == "fixed", answer
        self.duration = time.monotonic() - begin
        assert self.look(None), f"{self.fix} changed nothing"
        self.undo()

    def undo(self):
        answer = cases.device.edgewatchctl("fix", "undo", self.run())
        assert answer["result"]["outcome"] == "undone" and not self.look(None), answer
        self.heal()


class Forwarding(Fault):
    """Is repaired at once."""

    fix = "ip-forward"

    def cause(self):
        repairs.set_forwarding(0)

    def heal(self):
        repairs.set_forwarding(1)

    def look(self, victim):
        """Whether it is repaired; by half is a failure. Docker, too, turns forwarding on when it starts."""
        files, value = repairs.sysctl_files(), repairs.forwarding()
        assert len(files) <= 1 and (victim == "docker" or value == str(len(files))), f"{value} and {files}"
        return bool(files)


class NarrowUplink(Fault):
    """Is repaired with the runtime stopped and its network made anew."""

    fix = "docker-network-mtu"

    def __init__(self):
        super().__init__()
        self.before = repairs.network()

    def cause(self):
        cases.device.set_uplink_mtu(1430)

    def heal(self):
        cases.device.set_uplink_mtu(1500)

    def look(self, _victim):
        network = repairs.network()
        mtu = network["Options"].pop(MTU, None)
        assert mtu in (None, "1430") and network == self.before, f"{self.before} became {network} with {mtu}"
        return mtu is not None


def ask_and_kill(request, victim, seconds):
    """Returns whether the request, begun so long before the kill, was cut off."""
    return not cases.device.sh(f"edgewatchctl fix {request} --json >/run/answer 2>/dev/null & sleep {seconds:.3f}\n"
                               f"systemctl kill --signal=KILL --kill-who=main '{victim}.service' 2>/dev/null\n"
                               "wait; cat /run/answer", check=False)


def at_work():
    """What the fixer has still to do."""
    return cases.device.sh("ls /var/lib/edgewatch-fix/pending; systemctl list-units --plain --no-legend "
                           "--state=active,activating,deactivating 'edgewatch-fix@*' edgewatch-fix-recover.service", check=False)


def check_device(victim):
    """Without a hand: nothing stays half done, and what makes the device one is there."""
    wait_until(lambda: not at_work(), 400, "the fixer's recovery")
    json.loads(cases.device.read("/etc/docker/daemon.json"))
    repairs.network()
    wait_until(repairs.modules_run, 120, "the modules")
    wait_until(lambda: set(cases.state_of_units()) == {"active"}, 30, f"edgewatch after {victim} was killed")


def kill_once(fault, dice, figures):
    """Begins in whichever state the last one ended in."""
    victim = dice.choices(list(VICTIMS), VICTIMS.values())[0]
    request = f"undo {fault.run()}" if fault.is_repaired else f"apply {fault.fix} --yes"
    if not fault.is_repaired:
        fault.cause()
    # now and then too late
    cut_off = ask_and_kill(request, victim, dice.uniform(0, 1.2 * fault.duration))
    check_device(victim)
    fault.is_repaired = fault.look(victim)
    fault.heal()
    cases.device.run("systemctl", "reset-failed", "docker", check=False)  # systemd's limit of starts
    figures[victim] += 1
    figures["cut off"] += cut_off


def kills():
    """kill -9 of any process while a fix is at work: the device keeps its network, its daemon.json, its modules"""
    dice, figures = random.Random(SEED), Counter()
    faults = [Forwarding(), NarrowUplink()]
    for fault in faults:
        fault.measure()
    try:
        for number in range(KILLS):
            kill_once(faults[number % 8 == 7], dice, figures)
    finally:
        print(f"# seed {SEED}: " + ", ".join(f"{count} {what}" for what, count in sorted(figures.items())), flush=True)
    for fault in faults:
        if fault.is_repaired:
            fault.undo()


CASES = [kills]
