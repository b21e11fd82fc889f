#!/usr/bin/env python3
"""kill -9 of edgewatch-fix at random instants, of its recovery too: a network and its containers are never lost.

EDGEWATCH_KILLS is how often, 24 unless it is set; EDGEWATCH_SEED repeats a sequence that failed."""

import os
import queue
import random
import threading
import time
import traceback
from collections import Counter

import fixlab
import lab
from fixsite import FIX, Site, uplink

KILLS = int(os.environ.get("EDGEWATCH_KILLS", "24"))
RECOVERIES_MAX = 3
SEED = int(os.environ.get("EDGEWATCH_SEED", time.time_ns() % 1000000))

lab.need_root_and("dockerd", "docker", "ip", "nsenter", "unshare", "dbus-daemon", "busybox")
lab.own_mounts()
namespace = lab.Namespace("kill")
uplink(namespace)
docker = lab.Docker(namespace)
sites, figures = [], Counter()


def uninterrupted():
    """without a kill it is repaired, and taken back on request"""
    for number, (name, units) in enumerate({"north": fixlab.DEB, "south": fixlab.SNAP, "west": fixlab.DEB}.items(), 1):
        site = Site(docker, f"edge-{name}", number, units)
        site.run(f"agent-{name}")
        site.run(f"idle-{name}", starts=False)
        site.run(f"other-{name}", endpoint=("--ip", site.address(77), "--network-alias", "printer"), owned=False)
        site.remember()
        sites.append(site)
    for site in sites:
        begin = time.monotonic()
        assert site.apply()["outcome"] == "fixed", site.fixer.lines
        site.duration = time.monotonic() - begin
        assert site.state() == "new"
        site.undo(site.last_run())
        assert site.state() == "old"


def kill_after(site, seconds, *args, request=None):
    """Whether it was cut off."""
    site.fixer.start(*args)
    timer = threading.Timer(seconds, site.fixer.popen.kill)
    timer.start()
    site.fixer.wait(request)
    timer.cancel()
    site.system.wait_idle()
    return site.fixer.popen.returncode < 0


def recover(site):
    """As its unit does it: begun again until nothing is pending. What the engine still does for the one that was killed may
    stand in the way of the first recovery."""
    for _ in range(RECOVERIES_MAX):
        if not site.fixer.pending():
            return
        site.fixer.start("--recover", "--recovery-pause", "0s")
        site.fixer.wait()
        figures["recovered" if site.fixer.popen.returncode == 0 else "recoveries that failed"] += 1
    assert site.fixer.pending() == [], site.fixer.lines


def one(site, dice):
    """Begins in whichever state the last one ended in."""
    begins = site.state()
    request = {"do": "undo", "run": site.last_run()} if begins == "new" else {"do": "apply", "fix": FIX, "subject": site.name}
    # now and then too late, so that what is repaired is begun with, and taken back, too
    killed = kill_after(site, dice.uniform(0, 1.4 * site.duration), request=request)
    figures["killed" if killed else "over before"] += 1
    while site.fixer.pending() and dice.random() < 0.5:
        figures["recoveries killed"] += kill_after(site, dice.uniform(0, site.duration), "--recover")
    recover(site)
    figures[f"{begins} to {site.state()}"] += 1
    figures["runs"] += 1


def serve(site, turns, errors, seed):
    dice = random.Random(seed)
    while not errors:
        try:
            turns.get_nowait()
            one(site, dice)
        except queue.Empty:
            return
        except Exception:
            errors.append(f"{site.name}: {traceback.format_exc()} {site.fixer.lines} {site.fixer.err}")


def kills():
    """killed at random instants, it ends in the old or in the new state"""
    turns, errors = queue.SimpleQueue(), []
    for turn in range(KILLS):
        turns.put(turn)
    threads = [threading.Thread(target=serve, args=(site, turns, errors, SEED + site.number)) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"# seed {SEED}: " + ", ".join(f"{count} {what}" for what, count in sorted(figures.items())), flush=True)
    assert not errors, "\n".join(errors)
    assert figures["runs"] == KILLS and figures["killed"] > KILLS / 2


def contents():
    """nothing inside of a container is lost"""
    for site in sites:
        docker("start", *site.containers)
        assert set(site.contents().values()) == {"only here"}


lab.run_cases([uninterrupted, kills, contents])
