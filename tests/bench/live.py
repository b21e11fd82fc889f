#!/usr/bin/env python3
"""edgewatchd at rest and under load, with the shipped rules. Prints TAP; the figures stand in its comments.

At rest: anonymous memory, PSS, wake-ups. Under load: processor time while a unit that rules read logs 1,000 lines a second, beside `journalctl -f` doing the same in the
same seconds. Needs root and journald.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
import lab  # noqa: E402 (the path comes first)

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 10
LINES_PER_SECOND = 1000
ANON_MAX_KIB = 3 * 1024
PSS_MAX_KIB = 14 * 1024
CPU_MAX = 0.006

lab.need_root_and("unshare", "systemd-cat", "journalctl")
lab.own_mounts()
journald = lab.Journald(max_file_size="64M")
edged = lab.Unit("aziot-edged.service")
daemon = lab.Daemon(config="sources: {docker: no, units: no, metrics: no}\n", options=["--rules", ROOT / "conf/rules.d"])


def pid():
    return daemon.process.popen.pid


def field(path, name):
    return int(next(l.split()[1] for l in Path(path).read_text().splitlines() if l.startswith(name + ":")))


def cpu_seconds(process):
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def at_rest():
    """at rest: anonymous memory and PSS within the budget"""
    daemon.start()
    lab.wait_until(lambda: daemon.state() is not None, what="the first state")
    before = field(f"/proc/{pid()}/status", "voluntary_ctxt_switches")
    time.sleep(SECONDS)  # what is measured is that nothing happens
    wakeups = field(f"/proc/{pid()}/status", "voluntary_ctxt_switches") - before
    anon = field(f"/proc/{pid()}/status", "RssAnon")
    pss = field(f"/proc/{pid()}/smaps_rollup", "Pss")
    print(f"# RssAnon {anon} KiB, PSS {pss} KiB, {wakeups} wake-ups in {SECONDS} s")
    assert anon <= ANON_MAX_KIB and pss <= PSS_MAX_KIB, (anon, pss)


def under_load():
    """1,000 lines a second: processor time within the budget"""
    follower = lab.Process(["journalctl", "-f", "-o", "cat", "-n", "0"], stdout=subprocess.DEVNULL)
    begin, ours, theirs = time.monotonic(), cpu_seconds(pid()), cpu_seconds(follower.popen.pid)
    for n in range(SECONDS * 10):
        edged.say(*(f"2024-11-19T14:10:41Z [INFO] - Updated edge runtime status of module sensor{i} in round {n}"
                    for i in range(LINES_PER_SECOND // 10)))
        time.sleep(max(0, begin + (n + 1) / 10 - time.monotonic()))
    lasted = time.monotonic() - begin
    ours, theirs = cpu_seconds(pid()) - ours, cpu_seconds(follower.popen.pid) - theirs
    follower.stop()
    print(f"# {ours / lasted:.2%} of a core, journalctl -f {theirs / lasted:.2%}")
    assert ours / lasted <= CPU_MAX, (ours, lasted)


lab.run_cases([at_rest, under_load])
