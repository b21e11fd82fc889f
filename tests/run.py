#!/usr/bin/env python3
"""Builds edgewatch in its variants and counts test cases. Every suite speaks TAP; a suite that dies, hangs or prints no plan has failed.

What has to be in time (the device, the engines, the daemon under test) goes on in one lane, one after the other; what only computes takes
what that leaves of the processors.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("EDGEWATCH_TEST_BUILD", ROOT / "build-test"))
TAP_LINE = re.compile(r"^(not )?ok\b(?:\s+\d+)?(?:\s*-?\s*(.*?))?(?:\s*#\s*(SKIP|TODO)\b\s*(.*))?$", re.I)

IDLE = ("chrt", "--idle", "0")
PATIENT = ("--timeout-multiplier", "10")

counting = threading.RLock()  # the lanes' results
passed = failed = skipped = 0


def say(text):
    print(text, flush=True)


def one(name, ok, why=""):
    global passed, failed
    with counting:
        if ok:
            passed += 1
        else:
            failed += 1
            say(f"not ok - {name}" + (f"\n{why}" if why else ""))


def count_suite(name, output, result):
    with counting:
        count_tap(name, output, result)


def count_tap(name, output, result):
    """Counts the cases of one suite."""
    global passed, failed, skipped
    cases = bad = 0
    for line in output.splitlines():
        if re.match(r"^1\.\.0\s*#\s*skip", line, re.I):
            skipped += 1
            say(f"skipped - {name}: {line.split('#', 1)[1].strip()}")
            return
        match = TAP_LINE.match(line)
        if not match:
            continue
        cases += 1
        if match.group(3) and match.group(3).upper() == "SKIP":
            skipped += 1
            say(f"skipped - {name}: {match.group(2)}: {match.group(4)}")
        elif match.group(1):
            bad += 1
            failed += 1
            say(f"not ok - {name}: {match.group(2)}")
        else:
            passed += 1
    if result not in ("OK", "SKIP") and bad == 0:
        failed += 1
        say(f"not ok - {name}: {result}\n{output[-3000:]}")
    elif result == "OK" and cases == 0:
        one(name, True)
    elif bad:
        say(output[-6000:])


def run(name, *command, env=None):
    begin = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True, errors="replace", check=False)
    say(f"# {name}: {time.monotonic() - begin:.0f} s")
    return done.returncode == 0, done.stdout + done.stderr


def build(variant, *options, env=None, under=()):
    folder = BUILD / variant
    if not (folder / "build.ninja").exists():
        shutil.rmtree(folder, ignore_errors=True)
        ok, output = run(f"configure {variant}", *under, "meson", "setup", str(folder), "-Dwerror=true", *options, env=env)
        if not ok:
            one(f"{variant} is configured", False, output[-3000:])
            return None
    ok, output = run(f"build {variant}", *under, "ninja", "-C", str(folder))
    one(f"{variant} builds without a warning", ok, output[-5000:])
    return folder if ok else None


def test(folder, name, *arguments, env=None, under=()):
    """Runs the tests that meson's arguments choose; `name` tells them apart from those of another call."""
    logs = folder / "meson-logs"
    for old in logs.glob(f"{name}*.json"):
        old.unlink()
    run(f"{name} {' '.join(arguments)}", *under, "meson", "test", "-C", str(folder), "--no-rebuild", "--logbase", name, *arguments, env=env)
    log = next(logs.glob(f"{name}*.json"), None)  # a wrapper's name is added to it
    if not log:
        one(f"{name} {' '.join(arguments)}: meson ran", False)
        return
    for line in log.read_text(errors="replace").splitlines():
        entry = json.loads(line)
        say(f"# {name}/{entry['name']}: {entry['duration']:.0f} s")
        output = entry.get("stdout", "") + ("\n" + entry["stderr"] if entry.get("stderr") else "")
        count_suite(f"{name}/{entry['name']}", output, entry["result"])


SANITIZE = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
VALGRIND = "valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes"


def tidy(folder):
    files = subprocess.run(["git", "ls-files", "lib/*.c", "daemon/*.c"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    ok, output = run("clang-tidy", *IDLE, "sh", "-c", 'printf "%s\\n" "$@" | xargs -P 2 -n 4 clang-tidy --quiet -p "$0"', str(folder), *files)
    one("clang-tidy finds nothing", ok, "\n".join(l for l in output.splitlines() if "error:" in l or "warning:" in l)[-5000:])


def style():
    sources = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    ok, output = run("clang-format", "clang-format", "--dry-run", "-Werror", *sources)
    one("clang-format would change nothing", ok, output[-3000:])
    ok, output = run("codespell", "codespell", "-q", "3", "-L", "ans,nd,te,fo,hist,ro,ser,reate,froms,2st,keypair", "lib", "daemon", "conf", "units", "packaging", "docs", "README.md")
    one("codespell finds nothing", ok, output[-3000:])


def in_time(gcc):
    test(gcc, "gcc", "--no-suite", "packaging")


def computing(gcc):
    """What finds the same however long it takes."""
    test(gcc, "packaging", "--suite", "packaging", *PATIENT, under=IDLE)
    test(gcc, "valgrind", "--suite", "unit", "--wrap", VALGRIND, *PATIENT, env={"CK_FORK": "no"}, under=IDLE)
    sanitized = build("clang", "-Db_sanitize=address,undefined", "-Db_lundef=false", env={"CC": "clang"}, under=IDLE)
    if sanitized:
        for suite in ("unit", "fuzz", "rules", "replay"):
            test(sanitized, f"sanitize-{suite}", "--suite", suite, *PATIENT, env=SANITIZE, under=IDLE)
        test(sanitized, "sanitize-attack", "attack", env=SANITIZE)
        tidy(sanitized)
    style()


def main():
    begin = time.monotonic()
    only_unit = sys.argv[1:] == ["unit"]
    gcc = build("gcc", env={"CC": "gcc"})
    if gcc and only_unit:
        test(gcc, "unit", "--suite", "unit")
    elif gcc:
        with ThreadPoolExecutor() as pool:
            for lane in [pool.submit(lane, gcc) for lane in (in_time, computing)]:
                lane.result()
    say(f"# {time.monotonic() - begin:.0f} s in all")
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
