#!/usr/bin/env python3
"""The Debian package of this machine's architecture."""

import subprocess
import tempfile
from pathlib import Path

from package import OUTPUT, ROOT, check_catalog, check_tree, command, run_cases

MOST_KIB = 1024  # installed, without what it depends on
built = []


def builds():
    """packaging/build-deb makes it"""
    built.append(Path(command(ROOT / "tests/packaging/built-deb", OUTPUT)))


def field(name):
    return command("dpkg-deb", "-f", built[0], name)


def holds():
    """it holds what belongs to it, with the right modes"""
    with tempfile.TemporaryDirectory() as folder:
        command("dpkg-deb", "-x", built[0], folder)
        check_tree(Path(folder), "lib/systemd/system")
        check_catalog(Path(folder))


def control(name):
    return command("dpkg-deb", "-I", built[0], name)


def keeps_configuration():
    """the administrator's file is the only conffile"""
    assert control("conffiles") == "/etc/edgewatch/edgewatch.yaml", control("conffiles")


def makes_folders():
    """it makes the folders that a fix may write: what is missing when the fixer starts stays read-only"""
    assert "systemd-tmpfiles" in control("postinst") and "edgewatch.conf" in control("postinst")


def is_small():
    """it takes a megabyte at most"""
    assert int(field("Installed-Size")) <= MOST_KIB, field("Installed-Size")


def is_versioned():
    """package, meson, spec and changelog say the same version"""
    version = field("Version")
    assert f"version: '{version}'" in (ROOT / "meson.build").read_text(), version
    spec = (ROOT / "packaging/rpm/edgewatch.spec").read_text()
    assert f"Version:        {version}\n" in spec and f"- {version}-1\n" in spec, version


def is_clean():
    """lintian has nothing to warn about"""
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", OUTPUT / f"{built[0].stem}.changes"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


run_cases([builds, holds, keeps_configuration, makes_folders, is_small, is_versioned, is_clean])
