"""What the tests of the packages share: what one has to hold, and how it is built."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUT = Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from lab import command, need_root_and, own_mounts, run_cases, skip_all  # noqa: E402,F401

RULES = sorted(path.name for path in (ROOT / "conf/rules.d").glob("*.yaml"))
UNITS = sorted(path.name.removesuffix(".in") for path in (ROOT / "units").iterdir()
               if path.name.removesuffix(".in").endswith((".service", ".socket", ".timer")))
PAGES = sorted(path.name.removesuffix(".scd") for path in (ROOT / "docs/man").glob("*.scd"))
PROGRAMS = ["usr/bin/edgewatchctl", "usr/sbin/edgewatchd",
            *(f"usr/lib/edgewatch/edgewatch-{name}" for name in ("fix", "gate", "probe"))]
CATALOG = "usr/lib/systemd/catalog/edgewatch.catalog"
FILES = [
    "etc/edgewatch/edgewatch.yaml",
    CATALOG,
    "usr/lib/edgewatch/libedgewatch.so",
    "usr/lib/sysusers.d/edgewatch.conf",
    "usr/lib/tmpfiles.d/edgewatch.conf",
    "usr/share/bash-completion/completions/edgewatchctl",
    "usr/share/dbus-1/system.d/org.edgewatch1.conf",
    "usr/share/edgewatch/monitoring/edgewatch.rules.yaml",
    "usr/share/polkit-1/actions/org.edgewatch1.policy",
    *(f"usr/share/edgewatch/rules.d/{name}" for name in RULES),
]


def build(*arguments, check="nocheck"):
    """One of packaging/build-*; the path of what it made."""
    script, *rest = arguments
    return Path(command(ROOT / "packaging" / script, *rest, OUTPUT,
                        env={**os.environ, "DEB_BUILD_OPTIONS": check}).splitlines()[-1])


def check_tree(tree, units):
    """A package unpacked: all there, and modes as they have to be."""
    lacking = [name for name in [*FILES, *PROGRAMS, *(f"{units}/{unit}" for unit in UNITS),
                                 *(f"usr/share/man/man{page[-1]}/{page}.gz" for page in PAGES)]
               if not (tree / name).is_file()]
    assert not lacking, lacking
    for path in tree.rglob("*"):
        if path.is_symlink():
            continue
        may_run = str(path.relative_to(tree)) in PROGRAMS or path.is_dir() or path.name == "edgewatch-upload"
        mode = path.stat().st_mode & 0o7777
        assert mode == (0o755 if may_run else 0o644), f"{path}: {mode:o}"


def check_catalog(tree):
    entries = [line for line in (tree / CATALOG).read_text().splitlines() if line.startswith("-- ")]
    assert len(entries) >= len(RULES), f"{len(entries)} entries for {len(RULES)} rules"
