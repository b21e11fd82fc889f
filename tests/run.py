#!/usr/bin/env python3
"""Builds edgewatch in its variants and counts test cases. Every suite speaks TAP; a suite that dies, hangs or prints no plan has failed."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("EDGEWATCH_TEST_BUILD", ROOT / "build-test"))
TAP_LINE = re.compile(r"^(not )?ok\b(?:\s+\d+)?(?:\s*-?\s*(.*?))?(?:\s*#\s*(SKIP|TODO)\b\s*(.*))?$", re.I)

passed = failed = skipped = 0


def say(text):
    print(text, flush=True)


def one(name, ok, why=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        say(f"not ok - {name}" + (f"\n{why}" if why else ""))


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


def build(variant, *options, env=None):
    folder = BUILD / variant
    if not (folder / "build.ninja").exists():
        shutil.rmtree(folder, ignore_errors=True)
        ok, output = run(f"configure {variant}", "meson", "setup", str(folder), "-Dwerror=true", *options, env=env)
        if not ok:
            one(f"{variant} is configured", False, output[-3000:])
            return None
    ok, output = run(f"build {variant}", "ninja", "-C", str(folder))
    one(f"{variant} builds without a warning", ok, output[-5000:])
    return folder if ok else None


def test(folder, *arguments, env=None, prefix=""):
    logs = folder / "meson-logs"
    for old in logs.glob("testlog*.json"):
        old.unlink()
    run(f"{prefix or folder.name} {' '.join(arguments)}", "meson", "test", "-C", str(folder), "--no-rebuild", *arguments, env=env)
    log = next(logs.glob("testlog*.json"), None)  # a wrapper's name is added to it
    if not log:
        one(f"{folder.name} {' '.join(arguments)}: meson ran", False)
        return
    for line in log.read_text(errors="replace").splitlines():
        entry = json.loads(line)
        output = entry.get("stdout", "") + ("\n" + entry["stderr"] if entry.get("stderr") else "")
        count_tap(f"{prefix or folder.name}/{entry['name']}", output, entry["result"])


SANITIZE = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
VALGRIND = "valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes"


def tidy(folder):
    files = subprocess.run(["git", "ls-files", "lib/*.c", "daemon/*.c"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    ok, output = run("clang-tidy", "sh", "-c", 'printf "%s\\n" "$@" | xargs -P 2 -n 4 clang-tidy --quiet -p "$0"', str(folder), *files)
    one("clang-tidy finds nothing", ok, "\n".join(l for l in output.splitlines() if "error:" in l or "warning:" in l)[-5000:])


def style():
    sources = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    ok, output = run("clang-format", "clang-format", "--dry-run", "-Werror", *sources)
    one("clang-format would change nothing", ok, output[-3000:])
    ok, output = run("codespell", "codespell", "-q", "3", "-L", "ans,nd,te,fo,hist,ro,ser,reate,froms,2st,keypair", "lib", "daemon", "conf", "units", "packaging", "docs", "README.md")
    one("codespell finds nothing", ok, output[-3000:])


def main():
    begin = time.monotonic()
    only_unit = sys.argv[1:] == ["unit"]
    gcc = build("gcc", env={"CC": "gcc"})
    if gcc and only_unit:
        test(gcc, "--suite", "unit")
    elif gcc:
        test(gcc)
        test(gcc, "--suite", "unit", "--wrap", VALGRIND, "--timeout-multiplier", "10", env={"CK_FORK": "no"}, prefix="valgrind")
    if not only_unit:
        sanitized = build("clang", "-Db_sanitize=address,undefined", "-Db_lundef=false", env={"CC": "clang"})
        if sanitized:
            for suite in ("unit", "fuzz", "rules", "replay"):
                test(sanitized, "--suite", suite, env=SANITIZE, prefix="sanitize")
            test(sanitized, "attack", env=SANITIZE, prefix="sanitize")
            tidy(sanitized)
        style()
    say(f"# {time.monotonic() - begin:.0f} s in all")
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
