#!/usr/bin/env python3
"""The RPM package, and what it leaves in a root of its own."""

import subprocess
import tempfile
from pathlib import Path

from package import ROOT, build, check_catalog, check_tree, command, need_root_and, run_cases

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


def scripts():
    """its scripts are shell that parses, make users, refresh the catalog, and wait for a fix before they remove it"""
    text = command("rpm", "-qp", "--scripts", built[0])
    for needed in ("systemd-sysusers edgewatch.conf", "journalctl --update-catalog", "enable edgewatch-fix.socket",
                   "start edgewatch-fix-recover.service", "try-restart"):
        assert needed in text, f"{needed} is not in {text}"
    for tag in ("POSTIN", "PREUN", "POSTUN"):
        subprocess.run(["sh", "-n"], input=command("rpm", "-qp", "--qf", f"%{{{tag}}}", built[0]), text=True, check=True)


need_root_and("rpmbuild", "rpmlint")
run_cases([builds, is_clean, installs, scripts])
