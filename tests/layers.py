#!/usr/bin/env python3
"""Which way the arrows point: includes between folders, and that every source, probe and verb has its registry row. Prints TAP."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["base", "gate", "event", "rules", "config", "match", "engine", "world", "probes", "diagnosis", "fix", "report"]

# folder of extensions, the files that are none of them, the table that names them, what names one there
REGISTRIES = [
    ("lib/probes", {"probe", "registry", "upstream", "way-out"}, "lib/probes/probe-list.h", r"\bP\((\w+)\)"),
    ("daemon/watch/sources", {"registry"}, "daemon/watch/sources/registry.c", r"&(\w+)_source(?:_ops)?\b"),
    ("daemon/fix/fixes", set(), "daemon/fix/fix-list.h", r"\bF\((\w+)\)"),
    ("daemon/fix/operations", set(), "daemon/fix/operation-list.h", r"\bO\((\w+)\)"),
    ("daemon/ctl/check", {"check", "facts", "facts-certificates"}, "daemon/ctl/check/check.h", r"^\s+G\((\w+)\)"),
    ("daemon/ctl/verbs", set(), "daemon/ctl/verb.h", r"^\s+V\((\w+)\)"),
]

failures = 0
count = 0


def case(name, problems):
    global failures, count
    count += 1
    failures += bool(problems)
    print(f"{'not ' if problems else ''}ok {count} - {name}")
    for problem in problems:
        print(f"# {problem}")


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match:
            yield number, match.group(1)


def c_files(folder):
    return sorted(p for p in (ROOT / folder).rglob("*.[ch]") if p.is_file())


def check_includes():
    problems = []
    for path in c_files("lib"):
        folder = path.relative_to(ROOT / "lib").parts[0]
        for number, target in includes(path):
            where = f"{path.relative_to(ROOT)}:{number}: includes {target}"
            parts = target.split("/")
            if parts[0] != "lib":
                problems.append(f"{where}: only root-relative headers of lib/ may be included here")
            elif LAYERS.index(parts[1]) > LAYERS.index(folder):
                problems.append(f"{where}: {parts[1]} lies above {folder}")
            elif not (ROOT / target).exists():
                problems.append(f"{where}: there is no such file")
    case("lib includes only downwards", problems)

    problems = []
    for path in c_files("daemon"):
        program = path.relative_to(ROOT / "daemon").parts[0]
        for number, target in includes(path):
            where = f"{path.relative_to(ROOT)}:{number}: includes {target}"
            parts = target.split("/")
            if parts[0] not in ("lib", "daemon"):
                problems.append(f"{where}: only root-relative headers may be included here")
            elif parts[0] == "daemon" and parts[1] != program and len(parts) > 2 and not target.startswith(("daemon/base/", "daemon/collect/", "daemon/probe/")):
                problems.append(f"{where}: {program} and {parts[1]} are two programs")
    case("programs include lib/ and themselves", problems)


def extension_of(stem, names):
    """docker-logs.c belongs to the extension docker."""
    return max((n for n in names if stem == n or stem.startswith(n + "-")), key=len, default=None)


def check_registries():
    for folder, others, table, pattern in REGISTRIES:
        if not (ROOT / folder).exists():
            continue
        rows = [m.replace("_", "-") for m in re.findall(pattern, (ROOT / table).read_text(), re.M)]
        stems = {p.stem for p in (ROOT / folder).glob("*.c")} - others - {Path(table).stem}
        problems = [f"{table}: rows are not alphabetical: {rows}"] if rows != sorted(rows) else []
        problems += [f"{table}: {r} has no file {folder}/{r}.c" for r in rows if r not in stems]
        problems += [f"{folder}/{s}.c has no row in {table}" for s in sorted(stems) if not extension_of(s, rows)]
        for path in (ROOT / folder).glob("*.[ch]"):
            own = extension_of(path.stem, rows)
            if path.stem in others or path == ROOT / table or not own:
                continue
            for number, target in includes(path):
                other = extension_of(Path(target).stem, rows) if target.startswith(folder + "/") else None
                if other and other != own:
                    problems.append(f"{path.relative_to(ROOT)}:{number}: {own} includes {other}")
        case(f"{folder}: one extension, one file, one row", problems)


def check_core_is_pure():
    forbidden = r"\b(clock_gettime|time\s*\(\s*NULL|gettimeofday|printf|fprintf|syslog|sd_journal_print|sd_event_\w+|socket|connect)\s*\("
    problems = []
    for path in c_files("lib"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(forbidden, re.sub(r"/\*.*?\*/|\"(\\.|[^\"])*\"", "", line)):
                problems.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    case("the core has no clock, no loop, no sockets, no output", problems)


check_includes()
check_registries()
check_core_is_pure()
print(f"1..{count}")
sys.exit(1 if failures else 0)
