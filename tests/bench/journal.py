#!/usr/bin/env python3
"""Catching up on a journal against DESIGN's budget. Prints TAP; the figures stand in its comments.

A journal is written from export text by systemd-journal-remote, once with most entries from units that rules
read, once with a tenth of them. BENCH_ENTRIES (default 200000) says how many.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "200000"))
RATIO_MIN = 0.8
SPREAD_MAX = 1.10  # between 17 and 1,000 rules
REMOTE = "/lib/systemd/systemd-journal-remote"
BOOT = "d8c2dc4993f9484ba2ee64c181fcfbe3"
MACHINE = "3d1219c7c4c5404aaa1f6d2a48adfda4"
READ_UNITS = ("aziot-edged.service", "aziot-identityd.service", "docker.service", "aziot-keyd.service")
OTHER_UNITS = ("nginx.service", "cron.service", "ssh.service", "NetworkManager.service", "app.service")

RULE = """
id: {id}
title: Fault {n}
severity: error
message-id: {n:032x}
documentation: https://example.org/
layer: port
subject: ${{module}}
message: Fault {n} of ${{module}}.
explanation: A bench.
remedy: {{where: device, text: None.}}
confirm: {{conclusive: true}}
key: [module]
signals:
  seen: {{log: {{from: [runtime, identity, keyd, docker], match: 'fault number {n} happened in (?<module>\\w+)'}}}}
when: [{{any: [seen]}}]
clear: [{{quiet: 1h}}]
"""


def write_rules(folder, count):
    folder.mkdir()
    for n in range(count):
        (folder / f"fault-{n}.yaml").write_text(RULE.format(id=f"fault-{n}", n=n))
    return folder


def entry(n, read_every_ten):
    """One entry of 26 fields."""
    units = READ_UNITS if n % 10 < read_every_ten else OTHER_UNITS
    unit = units[n % len(units)]
    text = f"2024-11-19T14:10:41Z [INFO] - Updated edge runtime status of module sensor{n % 97} after {n % 8191} ms in round {n}"
    if n % 1000 == 0:
        text = f"2024-11-19T14:10:41Z [WARN] - fault number {n % 17} happened in module{n % 5}"
    time = 1700000000000000 + n * 1000
    return (f"__CURSOR=s=0123456789abcdef0123456789abcdef;i={n + 1:x};b={BOOT};m={n * 1000:x};t={time:x};x={n:x}\n"
            f"__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={n * 1000 + 1}\n_BOOT_ID={BOOT}\n"
            f"_MACHINE_ID={MACHINE}\n_HOSTNAME=edge-device\n_TRANSPORT=stdout\nPRIORITY=6\nSYSLOG_FACILITY=3\n"
            f"SYSLOG_IDENTIFIER={unit.split('.')[0]}\n_PID={1000 + n % 7}\n_UID=998\n_GID=998\n_COMM={unit.split('.')[0][:15]}\n"
            f"_EXE=/usr/libexec/{unit.split('.')[0]}\n_CMDLINE=/usr/libexec/{unit.split('.')[0]} --daemon\n"
            f"_CAP_EFFECTIVE=0\n_SELINUX_CONTEXT=unconfined\n_SYSTEMD_CGROUP=/system.slice/{unit}\n_SYSTEMD_UNIT={unit}\n"
            f"_SYSTEMD_SLICE=system.slice\n_SYSTEMD_INVOCATION_ID=aaaabbbbccccddddeeeeffff00001111\n"
            f"_STREAM_ID=33588e685d614ee790071869a74cdfc{n % 7}\n_RUNTIME_SCOPE=system\nCODE_FILE=src/watchdog.rs\n"
            f"CODE_LINE={100 + n % 40}\nCODE_FUNC=run\nTHREAD=worker-{n % 4}\nMESSAGE={text}\n\n")


def write_journal(folder, read_every_ten):
    folder.mkdir()
    remote = subprocess.Popen([REMOTE, "-o", folder / "bench.journal", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for n in range(ENTRIES):
        remote.stdin.write(entry(n, read_every_ten).encode())
    errors = remote.communicate()[1].decode()
    if remote.returncode != 0:
        raise AssertionError(f"systemd-journal-remote: {errors[-500:]}")
    return folder


def measure(journal, *rules):
    out = subprocess.run([os.environ["BENCH_JOURNAL"], journal, *rules], capture_output=True, text=True, check=True)
    lines = [line.split() for line in out.stdout.splitlines()]
    print("".join(f"# {line}\n" for line in out.stdout.splitlines()), end="")
    return [{name: float(value) for name, value in zip(line[-(len(line) // 2 * 2)::2], line[-(len(line) // 2 * 2) + 1::2])}
            for line in lines]


def main():
    if not Path(REMOTE).exists():
        print("1..0 # SKIP needs systemd-journal-remote")
        return 0
    work = Path(tempfile.mkdtemp(prefix="edgewatch-bench-"))
    failed = 0
    try:
        few, many = write_rules(work / "17", 17), write_rules(work / "1000", 1000)
        print("1..4")

        def case(number, holds, name):
            nonlocal failed
            failed += not holds
            print(f"{'ok' if holds else 'not ok'} {number} - {name}", flush=True)

        print(f"# {ENTRIES} entries, nine in ten from units that rules read")
        bare, with_few, with_many = measure(write_journal(work / "full", 9), few, many)
        case(1, with_few["ratio"] >= RATIO_MIN and with_few["entries"] == bare["entries"],
             f"17 rules: {with_few['ratio']:.2f} of a bare reader, at least {RATIO_MIN}")
        case(2, with_many["ratio"] >= RATIO_MIN and with_few["ratio"] <= SPREAD_MAX * with_many["ratio"],
             f"1000 rules: {with_many['ratio']:.2f}, within a tenth of 17 rules")
        case(3, with_few["wanted"] > 0 and with_few["wanted"] == with_many["wanted"], "all faults were found by both")
        shutil.rmtree(work / "full")

        print(f"# {ENTRIES} entries, one in ten from units that rules read")
        bare, with_few = measure(write_journal(work / "selective", 1), few)
        case(4, with_few["ratio"] > 1 and with_few["entries"] < bare["entries"] / 4,
             f"index matches: {with_few['ratio']:.2f} of a bare reader, more than 1")
    finally:
        shutil.rmtree(work)
    return 1 if failed else 0


sys.exit(main())
