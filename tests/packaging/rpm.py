#!/usr/bin/env python3
"""The RPM package, and what it leaves in a root of its own."""

import contextlib
import re
import subprocess
import tempfile
from pathlib import Path

from package import ROOT, RULES, build, check_catalog, check_tree, command, need_root_and, own_mounts, run_cases

built = []


def builds():
    """packaging/build-rpm makes it"""
    built.append(build("build-rpm"))


def is_clean():
    """rpmlint finds nothing but what packaging/rpm/rpmlintrc gives reasons for"""
    done = subprocess.run(["rpmlint", "-r", ROOT / "packaging/rpm/rpmlintrc", built[0]], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "0 errors, 0 warnings" in done.stdout, done.stdout + done.stderr


def installs():
    """installed into a root of its own it is complete, with the right owners and modes"""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rpm = ("rpm", "--root", root, "--dbpath", "/var/lib/rpm")
        command(*rpm, "--install", "--nodeps", "--noscripts", built[0])
        command(*rpm, "--verify", "--nodeps", "edgewatch")
        assert command(*rpm, "-q", "--configfiles", "edgewatch") == "/etc/edgewatch/edgewatch.yaml"
        command("rm", "-r", root / "var")  # rpm's own
        check_tree(root, "usr/lib/systemd/system")
        check_catalog(root)


@contextlib.contextmanager
def device_root():
    """The virtual device's root file system, under a layer that is gone afterwards: what the scripts call is there."""
    with tempfile.TemporaryDirectory() as folder:
        layer = Path(folder)
        command("mount", "-t", "tmpfs", "rpm-root", layer)
        for part in ("upper", "work", "root"):
            (layer / part).mkdir()
        lower = command(ROOT / "tests/device/rootfs")
        command("mount", "-t", "overlay", "rpm-root", "-o", f"lowerdir={lower},upperdir={layer}/upper,workdir={layer}/work", layer / "root")
        command("mount", "-t", "proc", "proc", layer / "root/proc")  # systemd-tmpfiles needs it
        try:
            yield layer / "root"
        finally:
            command("umount", layer / "root/proc")
            command("umount", layer / "root")
            command("umount", layer)


def run_whole(*words):
    """rpm with its scripts: what fails in one is a warning at most."""
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0 and not re.search("warning|fail|not found", done.stdout, re.I), f"{words}: {done.returncode}\n{done.stdout}"


def scripts():
    """its scripts run: they make users and the folders that a fix may write, enable the units, refresh the catalog, and take back what is not a user"""
    started = [f"edgewatch-{name}.socket" for name in ("fix", "gate", "probe")] + ["edgewatchd.service", "edgewatch-fix-recover.service"]
    with device_root() as root:
        rpm = ("rpm", "--root", root, "--dbpath", "/var/lib/rpm")
        inside = lambda *words: command("chroot", root, *words, check=False)  # noqa: E731
        command("rm", "-rf", root / "etc/docker", root / "etc/sysctl.d")
        run_whole(*rpm, "--install", "--nodeps", built[0])
        assert (root / "etc/docker").is_dir() and (root / "etc/sysctl.d").is_dir()
        for user in ("edgewatch", "edgewatch-gate", "edgewatch-probe"):
            assert inside("getent", "passwd", user), f"no user {user}"
        assert "edgewatch-gate" in inside("getent", "group", "docker")
        assert inside("systemctl", "is-enabled", *started).split() == ["enabled"] * len(started)
        assert inside("systemctl", "is-enabled", "edgewatch-metrics.timer") == "disabled"
        assert inside("journalctl", "--list-catalog").count("edgewatch:") >= len(RULES)
        run_whole(*rpm, "--erase", "--nodeps", "edgewatch")
        left = command("find", root / "etc", root / "usr", "-iname", "*edgewatch*")
        assert not left, left
        assert "edgewatch" not in inside("journalctl", "--list-catalog")
        assert inside("getent", "passwd", "edgewatch"), "another user would get its number, and its files"


def waits():
    """its scripts wait for a fix before they remove it, and start again what an upgrade replaces"""
    text = command("rpm", "-qp", "--scripts", built[0])
    for needed in ("start edgewatch-fix-recover.service", "try-restart"):
        assert needed in text, f"{needed} is not in {text}"


own_mounts()
need_root_and("rpmbuild", "rpmlint", "debootstrap")
run_cases([builds, is_clean, installs, scripts, waits])
