"""A virtual IoT Edge device: a Debian of its own with systemd, journald, D-Bus, polkit and Docker, the stand-in
runtime, an uplink, and a hub behind it that answers.

The root file system is an overlay in memory above the cached one (tests/device/rootfs, or another script). Everything lives in the
mount namespace of own_mounts() and in processes that end with this one.
"""

import atexit
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from lab import Process, command, own_mounts, skip_all, wait_until  # noqa: E402,F401

UPLINK = "wwan0"
HUB_NAME = "contoso.azure-devices.net"
DEVICE_ADDRESS, GATEWAY, NAME_SERVER, HUB, SILENT = "192.0.2.2", "192.0.2.1", "192.0.2.53", "192.0.2.10", "192.0.2.20"
REBOOTED = 133  # systemd-nspawn's exit status with --keep-unit
HUB_MODULE = {
    "imagePullPolicy": "never",
    "settings": {"image": "edge-sim:1", "createOptions": {
        "Cmd": ["/usr/libexec/aziot/edge-hub"],
        "ExposedPorts": {f"{p}/tcp": {} for p in (443, 5671, 8883)},
        "HostConfig": {"PortBindings": {f"{p}/tcp": [{"HostPort": str(p)}] for p in (443, 5671, 8883)}}}}}


def rootfs(script):
    done = subprocess.run([HERE / script], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        skip_all("no root file system: " + " | ".join(done.stderr.splitlines()[-3:]))
    return Path(done.stdout.strip())


class Cgroups:
    """A control group of the device's own in each hierarchy, so that nothing of it stays and two do not meet."""

    def __init__(self, name):
        hierarchies = [Path(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()
                       if line.partition(" - ")[2].startswith("cgroup")]
        self.groups = [hierarchy / name for hierarchy in hierarchies]
        for group in self.groups:
            group.mkdir()
            for inherited in ("cpuset.cpus", "cpuset.mems"):
                if (group / inherited).exists():
                    (group / inherited).write_text((group.parent / inherited).read_text())

    def enter(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text("0")

    def remove(self):
        for group in self.groups:
            wait_until(lambda group=group: not any(p.read_text() for p in group.rglob("cgroup.procs")), 20, f"the end of {group}")
            for directory, _, _ in os.walk(group, topdown=False):
                os.rmdir(directory)


class World:
    """The namespace behind the uplink: name server and hub."""

    def __init__(self, folder, name):
        self.namespace = name
        self.folder = folder / "world"
        self.folder.mkdir()
        self.version = 0
        self.names({HUB_NAME: HUB, "parent.example": SILENT})
        self.deploy({"edgeHub": HUB_MODULE})
        # With enough names for a certificate that fills several packets.
        alternatives = ",".join(f"DNS:{i:03}.{HUB_NAME}" for i in range(150))
        command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HUB_NAME}",
                "-addext", f"subjectAltName=DNS:{HUB_NAME},{alternatives}", "-keyout", self.folder / "key.pem",
                "-out", self.folder / "cert.pem")
        command("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")
        self.process = None

    def ip(self, *args):
        return command("ip", "-n", self.namespace, *args)

    def names(self, names):
        self.write("names.json", names)

    def deploy(self, modules):
        """What edgeAgent is told from now on."""
        self.version += 1
        self.write("deployment.json", {"version": self.version, "modules": modules})

    def write(self, name, value):
        beside = self.folder / f"{name}.new"
        beside.write_text(json.dumps(value))
        beside.rename(self.folder / name)

    def connect(self, device_namespace):
        """Lays the uplink. Large packets are not merged, so that a narrow link really loses them."""
        self.ip("link", "add", "device", "type", "veth", "peer", "name", UPLINK, "netns", device_namespace)
        self.ip("link", "set", "device", "gso_max_segs", "1", "up")
        for address in (GATEWAY, NAME_SERVER, HUB, SILENT):
            self.ip("address", "add", f"{address}/24", "dev", "device")
        if not self.process:
            self.process = Process(["nsenter", f"--net=/run/netns/{self.namespace}", sys.executable, HERE / "hub.py",
                                    self.folder])


class Device:
    """One device. `boot` returns once its runtime is up; `close`, which also happens at exit, leaves nothing."""

    def __init__(self, name, script="rootfs"):
        self.name = f"edgewatch-{name}-{os.getpid()}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        atexit.register(self.remove)
        command("mount", "-t", "tmpfs", "-o", "size=2g,mode=755", self.name, self.folder)
        for part in ("upper", "work", "root", "docker"):
            (self.folder / part).mkdir()
        self.root = self.folder / "root"
        command("mount", "-t", "overlay", self.name, "-o",
                f"lowerdir={rootfs(script)},upperdir={self.folder}/upper,workdir={self.folder}/work", self.root)
        self.world = World(self.folder, f"{self.name}-world")
        self.process = self.leader = None
        self.cgroups = Cgroups(self.name)
        self.furnish()

    def furnish(self):
        """What a first boot would ask for, and the runtime."""
        (self.root / "etc/machine-id").write_text(os.urandom(16).hex() + "\n")
        (self.root / "etc/hostname").write_text("edge-device\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 edge-device\n")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").write_text(f"nameserver {NAME_SERVER}\noptions timeout:2 attempts:1\n")
        (self.root / "var/log/journal").mkdir(exist_ok=True)
        (self.root / "etc/docker").mkdir(exist_ok=True)
        (self.root / "etc/docker/daemon.json").write_text('{"log-driver": "journald"}\n')
        command(HERE / "runtime" / "install", self.root)

    def boot(self):
        """From power on to edgeHub running."""
        self.power_on()
        wait_until(lambda: self.sh("systemctl is-system-running", check=False) in ("running", "degraded"), 60, "systemd")
        if not self.sh("docker image ls -q edge-sim:1"):
            self.sh("""mkdir -p /tmp/image/bin /tmp/image/tmp && cp /bin/busybox /tmp/image/bin/
                       for a in sh cat echo sleep; do ln -s busybox /tmp/image/bin/$a; done
                       tar -C /tmp/image -c . | docker import - edge-sim:1 && rm -r /tmp/image""")
            self.run("iotedge", "config", "apply")
        wait_until(lambda: self.is_running("edgeHub"), 40, "edgeHub")
        state = self.sh("systemctl --failed --plain --no-legend", check=False)
        assert not state, f"failed units: {state}"

    def power_on(self):
        namespace = f"{self.name}-device"
        command("ip", "netns", "add", namespace)
        self.world.connect(namespace)
        for args in (("link", "set", "lo", "up"), ("address", "add", f"{DEVICE_ADDRESS}/24", "dev", UPLINK),
                     ("link", "set", UPLINK, "gso_max_segs", "1", "up"), ("route", "add", "default", "via", GATEWAY)):
            command("ip", "-n", namespace, *args)
        self.process = Process(
            ["setpriv", "--pdeathsig", "KILL", "systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}",
             f"--machine={self.name}", "--register=no", "--keep-unit", "--capability=all",
             "--system-call-filter=add_key keyctl bpf", f"--network-namespace-path=/run/netns/{namespace}",
             f"--bind={self.folder}/docker:/var/lib/docker", "--resolv-conf=off", "--timezone=off", "--console=pipe"],
            env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes", "SYSTEMD_NSPAWN_USE_CGNS": "1"},
            stdin=subprocess.DEVNULL, stdout=open(self.folder / "console", "ab"), stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=self.cgroups.enter)
        self.leader = wait_until(self.find_leader, 20, "PID 1 of the device")
        wait_until(lambda: self.sh("systemctl list-jobs >/dev/null && echo up", check=False) == "up", 30, "systemd")
        # Docker's containers need their own groups: nspawn hands the controllers over read-only.
        self.sh("for c in cpuset cpu cpuacct memory devices freezer blkio pids; do "
                "[ ! -d /sys/fs/cgroup/$c ] || mount -o remount,bind,rw /sys/fs/cgroup/$c; done")

    def find_leader(self):
        if self.process.popen.poll() is not None:
            skip_all("systemd-nspawn: " + (self.folder / "console").read_text(errors="replace")[-500:].replace("\n", " | "))
        for pid in Path(f"/proc/{self.process.popen.pid}/task/{self.process.popen.pid}/children").read_text().split():
            with contextlib.suppress(OSError):  # a helper of nspawn's that has ended meanwhile
                if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                    return int(pid)
        return None

    def enter(self, *args):
        """A command line that runs inside."""
        return ["nsenter", "-t", str(self.leader), "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                "LC_ALL=C.UTF-8", *map(str, args)]

    def run(self, *args, check=True):
        return command(*self.enter(*args), check=check)

    def sh(self, script, check=True):
        return self.run("sh", "-c", script, check=check)

    def journal(self, *matches):
        out = self.run("journalctl", "--no-pager", "-o", "json", "--all", *matches, check=False)
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def alerts(self, symptom=None):
        """What edgewatchd says about incidents, oldest first."""
        match = [f"EDGEWATCH_SYMPTOM={symptom}"] if symptom else []
        return [e for e in self.journal("-t", "edgewatchd", *match) if "EDGEWATCH_INCIDENT" in e]

    def edgewatchctl(self, *args):
        """Its answer as JSON; findings make it exit with 1."""
        done = subprocess.run(self.enter("edgewatchctl", *args, "--json"), capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), f"edgewatchctl {args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()] if "\n{" in done.stdout else json.loads(done.stdout)

    def is_running(self, container):
        return self.run("docker", "inspect", "-f", "{{.State.Running}}", container, check=False) == "true"

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text()

    def set_uplink_mtu(self, mtu):
        command("ip", "-n", f"{self.name}-device", "link", "set", UPLINK, "mtu", mtu)

    def reboot(self):
        self.run("systemctl", "reboot", check=False)
        self.process.popen.wait(60)
        assert self.process.popen.returncode == REBOOTED, f"systemd-nspawn ended with {self.process.popen.returncode}"
        self.forget()
        self.boot()

    def forget(self):
        command("ip", "netns", "delete", f"{self.name}-device", check=False)
        wait_until(lambda: "device" not in self.world.ip("-br", "link"), 10, "the uplink's end")

    def power_off(self):
        """As pulling the plug."""
        self.process.stop(signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{self.leader}").exists(), 20, "the device's end")
        self.forget()

    def close(self):
        if self.process and self.process.popen.poll() is None:
            self.process.stop(signal.SIGKILL)
        if self.world.process:
            self.world.process.stop(signal.SIGKILL)
        self.cgroups.remove()
        for namespace in (f"{self.name}-device", f"{self.name}-world"):
            command("ip", "netns", "delete", namespace, check=False)
        for mount in (self.root, self.folder):
            command("umount", "-l", mount, check=False)

    def remove(self):
        if hasattr(self, "world"):
            self.close()
        self.folder.rmdir()
