"""What integration tests share: TAP, network namespaces, a real dockerd of one's own, a source under test.

Everything lives in namespaces and a folder of the test's own, every process is ended by its pid, and all is
gone afterwards, also after a failure.
"""

import atexit
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

OWNER = "net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent"


class Skip(Exception):
    """Raised by a case, or before the first one, that this machine cannot run."""


def run_cases(cases):
    """Runs functions in order and speaks TAP. Ends the process."""
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, case in enumerate(cases, 1):
        name = (case.__doc__ or case.__name__).strip().splitlines()[0]
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # a failed case must not hide the others
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.exit(1 if failed else 0)


def skip_all(why):
    print(f"1..0 # SKIP {why}", flush=True)
    sys.exit(0)


def need_root_and(*programs):
    """Leaves the suite, counted as skipped, when the machine cannot do it."""
    if os.geteuid() != 0:
        skip_all("needs root")
    for program in programs:
        if not shutil.which(program):
            skip_all(f"needs {program}")


def wait_until(condition, seconds=15, what="it"):
    """Waits for a condition and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def command(*args, check=True, **kwargs):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **kwargs)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def folder():
    path = Path(tempfile.mkdtemp(prefix="edgewatch-lab-"))
    atexit.register(shutil.rmtree, path, True)
    return path


class Namespace:
    """A network namespace with its loopback up."""

    def __init__(self, name):
        self.name = f"{name}-{os.getpid()}"
        try:
            command("ip", "netns", "add", self.name)
        except AssertionError as error:
            skip_all(f"no network namespaces: {str(error).splitlines()[-1]}")
        atexit.register(self.close)
        self.ip("link", "set", "lo", "up")

    def close(self):
        command("ip", "netns", "delete", self.name, check=False)

    def ip(self, *args):
        return command("ip", "-n", self.name, *args)

    def enter(self, *args):
        """The arguments of a command that runs inside. Not `ip netns exec`: it remounts /sys."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *map(str, args)]

    def write(self, path, text):
        command(*self.enter("sh", "-c", f"echo {text} > {path}"))


class Process:
    """One that is ended at the end."""

    def __init__(self, args, **kwargs):
        self.popen = subprocess.Popen([str(a) for a in args], **kwargs)
        atexit.register(self.stop)

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.popen.poll() is None:
            self.popen.send_signal(sig)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


class Docker:
    """A dockerd of the test's own, in a network namespace, with the image edge-sim:1 (busybox)."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.dir = folder()
        self.socket = self.dir / "docker.sock"
        self.process = None
        atexit.register(self.clean)
        self.start()
        root = self.dir / "image"
        (root / "bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin/busybox")
        for applet in ("sh", "echo", "cat", "sleep", "seq", "head", "tr", "yes", "true", "date"):
            (root / "bin" / applet).symlink_to("busybox")
        tar = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True).stdout
        subprocess.run(["docker", "-H", f"unix://{self.socket}", "import", "-", "edge-sim:1"], input=tar,
                       capture_output=True, check=True)

    def start(self):
        log = open(self.dir / "dockerd.log", "ab")
        self.process = Process(
            self.namespace.enter("dockerd", "--data-root", self.dir / "root", "--exec-root", self.dir / "exec",
                                 "-H", f"unix://{self.socket}", "--pidfile", self.dir / "pid"),
            stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(lambda: command("docker", "-H", f"unix://{self.socket}", "version", check=False)
                       and self.answers(), 40, "dockerd")
        except AssertionError:
            tail = (self.dir / "dockerd.log").read_text(errors="replace")[-1500:]
            self.process.stop()
            skip_all("dockerd does not start here: " + tail.replace("\n", " | "))

    def answers(self):
        return subprocess.run(["docker", "-H", f"unix://{self.socket}", "info"], capture_output=True,
                              check=False).returncode == 0

    def stop(self):
        self.process.stop(seconds=40)

    def clean(self):
        if self.process and self.process.popen.poll() is None:
            ids = self("ps", "-aq", check=False).split()
            if ids:
                self("rm", "-f", *ids, check=False)
            self.stop()
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            mount = line.split()[4]
            if mount.startswith(str(self.dir)):
                command("umount", "-l", mount, check=False)

    def __call__(self, *args, check=True):
        return command("docker", "-H", f"unix://{self.socket}", *args, check=check)

    def run(self, name, script, *options, owned=True):
        label = ("--label", OWNER) if owned else ()
        return self("run", "-d", "--name", name, *label, *options, "edge-sim:1", "sh", "-c", script)


class Follow:
    """A source of the daemon in the program follow-source; its events as they come."""

    def __init__(self, name, socket="", state="", cold_start=3600, prefix=()):
        self.process = Process([*prefix, os.environ["FOLLOW_SOURCE"], name, str(socket), str(state),
                                str(cold_start)], stdout=subprocess.PIPE, text=True)
        self.events = []
        self.queue = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.popen.stdout:
            self.queue.put(json.loads(line))

    def pump(self):
        while not self.queue.empty():
            self.events.append(self.queue.get())
        return self.events

    def select(self, **wanted):
        return [e for e in self.pump() if all(e.get(k) == v for k, v in wanted.items())]

    def wait(self, count=1, seconds=15, **wanted):
        try:
            wait_until(lambda: len(self.select(**wanted)) >= count, seconds, f"{count} of {wanted}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last events: {self.events[-8:]}") from None
        return self.select(**wanted)

    def wait_live(self, seconds=20):
        return self.wait(kind="source-state", state="live", seconds=seconds)

    def messages(self, container):
        return [e["message"] for e in self.select(kind="log", container=container)]

    def status(self):
        before = len(self.select(kind="status"))
        self.process.popen.send_signal(signal.SIGUSR1)
        return self.wait(before + 1, kind="status")[-1]

    def hold(self):
        self.process.popen.send_signal(signal.SIGUSR2)

    def stop(self):
        assert self.process.stop() == 0, "follow-source failed"
