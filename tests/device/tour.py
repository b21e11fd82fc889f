"""README.md, taken at its word: what it shows is what is printed, what it tells to run runs. One function a case.

The ordinary suite takes the tour on the device that has the package. In `run quickstart` a device of its own, with a
compiler, begins where a reader does: with a clean clone."""

import re
import subprocess

import cases
from device import ROOT, Device
from lab import Process, command, wait_until

CLONE = "/root/edgewatch"
RECORDING = "/root/recording"
# What is to be read in the answers of the commands that are told without showing one.
ANSWERS = {
    "edgewatchctl status": "rtnetlink",
    "edgewatchctl explain agent-lte-mtu": "docker network create --opt com.docker.network.driver.mtu",
    "edgewatchctl fix list": "docker-network-mtu",
    "edgewatchctl check": "container engine is installed",
    "edgewatchctl --help": "Verbs:",
    "build-quickstart/daemon/ctl/edgewatchctl status": "rtnetlink",
}


def readme():
    return (ROOT / "README.md").read_text()


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", readme(), re.M | re.S)[1]


def blocks(text, language="sh"):
    """Its blocks of code, each a list of commands without the remarks beside them."""
    return [[re.sub(r" {2,}#.*", "", line) for line in block.splitlines()]
            for block in re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)]


def clone(device):
    """As a reader gets it, unless it is there."""
    if not (device.root / CLONE.lstrip("/")).exists():
        command("git", "clone", "--quiet", f"file://{ROOT}", device.root / CLONE.lstrip("/"))


def follow(device, *lines):
    """Runs lines as they stand there, in one shell, from the top of the clone. Findings of edgewatchctl are no failure."""
    done = subprocess.run(device.enter("sh", "-c", f"cd {CLONE}\n" + "\n".join(lines)), capture_output=True, text=True, check=False)
    most = 1 if "edgewatchctl " in lines[-1] else 0
    assert done.returncode <= most, f"{lines}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert ANSWERS.get(lines[-1], "") in done.stdout, f"{lines} answers {done.stdout}"
    return done.stdout


def shown():
    """the diagnosis that README begins with is what the command beside it prints"""
    clone(cases.device)
    beside = re.search(r"\(`(edgewatchctl [^`]+)`.*?\):\n\n```\n(.*?)^```$", readme(), re.M | re.S)
    assert beside[2] in follow(cases.device, beside[1]), f"{beside[1]} does not print what README shows"


def told():
    """every command that README tells to give edgewatchctl has an answer"""
    clone(cases.device)
    commands = [line for block in blocks(section("Five minutes")) for line in block if line.startswith("edgewatchctl ")]
    commands += re.findall(r"`((?:edgewatchctl|journalctl -t) [^`]+)`", readme())
    assert set(ANSWERS) - {"build-quickstart/daemon/ctl/edgewatchctl status"} <= set(commands), commands
    try:
        for line in commands:
            assert follow(cases.device, line.replace("DIR", RECORDING)), f"{line} says nothing"
    finally:
        cases.device.sh(f"rm -rf {CLONE} {RECORDING}")


def quickstart():
    """a clean clone on a machine that systemd runs: quickstart builds, installs and ends with the daemon's status"""
    device = cases.device = Device("quickstart", "rootfs-to-build")
    device.boot()
    clone(device)
    first, tour, _ = blocks(section("Five minutes"))
    assert first == ["packaging/quickstart"], first
    output = follow(device, *first)
    assert "rtnetlink" in output.rpartition("== Watching this machine from now on")[2], output[-3000:]
    for line in tour:
        follow(device, line)
    assert cases.state_of_units() == ["active"] * 4, cases.state_of_units()


def by_hand():
    """the package built and installed by hand, as README says"""
    for line in blocks(section("Installing it"))[0][:2]:
        follow(cases.device, line.replace("apt install", "DEBIAN_FRONTEND=noninteractive apt install -y"))
    assert cases.state_of_units() == ["active"] * 4, cases.state_of_units()


def in_foreground():
    """without a service it watches in the foreground, and answers in a second terminal"""
    device = cases.device
    device.run("systemctl", "stop", "edgewatchd")
    process = Process(device.enter("sh", "-c", f"cd {CLONE} && exec packaging/quickstart --foreground"),
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: device.sh(f"ls {CLONE}/build-quickstart/run/private 2>/dev/null", check=False), 400, "its socket")
    follow(device, *blocks(section("Five minutes"))[2])
    process.stop()


CASES = [shown, told]
ON_REQUEST = [quickstart, by_hand, in_foreground]
