#!/usr/bin/env python3
"""The Debian packages for ARM, built here; their unit tests run under qemu. Each takes minutes: EDGEWATCH_CROSS=all builds that
for arm64 too, else only the smaller machine's is, whose types differ from this one's."""

import os
import re
import tempfile
from pathlib import Path

from package import OUTPUT, PROGRAMS, build, check_catalog, check_tree, command, need_root_and, run_cases

MACHINES = {"arm64": "AArch64", "armhf": "ARM"}


def builds(arch, machine):
    deb = build("build-deb", "--arch", arch, check="")
    log = (OUTPUT / f"edgewatch-{arch}.log").read_text(errors="replace")
    passed = re.search(r"^Ok: +(\d+)", log, re.M)
    assert passed and int(passed[1]) > 40, "the unit tests did not run"
    assert command("dpkg-deb", "-f", deb, "Architecture") == arch
    with tempfile.TemporaryDirectory() as folder:
        command("dpkg-deb", "-x", deb, folder)
        check_tree(Path(folder), "lib/systemd/system")
        check_catalog(Path(folder))
        for program in PROGRAMS:
            header = command("readelf", "-h", Path(folder) / program)
            assert re.search(rf"Machine: +{machine}$", header, re.M), header


def arm64():
    """arm64: builds, its unit tests pass under qemu, the package is complete"""
    builds("arm64", MACHINES["arm64"])


def armhf():
    """armhf: builds, its unit tests pass under qemu, the package is complete"""
    builds("armhf", MACHINES["armhf"])


need_root_and("debootstrap", "unshare")
run_cases([arm64, armhf] if os.environ.get("EDGEWATCH_CROSS") == "all" else [armhf])
