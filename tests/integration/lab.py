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
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

OWNER = "net.azure-devices.edge.owner=Microsoft.Azure.Devices.Edge.Agent"


# A runner's time-out ends us with SIGTERM; what is registered with atexit has to happen then too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class Skip(Exception):
    """Raised by a case, or before the first one, that this machine cannot run."""


def run_cases(cases):
    """Runs functions in order and speaks TAP. Ends the process."""
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, case in enumerate(cases, 1):
        name = (case.__doc__ or case.__name__).strip().splitlines()[0]
        begin = time.monotonic()
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
        print(f"# {time.monotonic() - begin:.0f} s", flush=True)
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
    """Waits for a condition and returns its value. Looking takes a third of a processor at most: what is waited for needs it."""
    end = time.monotonic() + seconds
    while True:
        begin = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(max(0.02, 2 * (now - begin)))


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
        self.options = []  # of the next start
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
                                 "-H", f"unix://{self.socket}", "--pidfile", self.dir / "pid", *self.options),
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

    def crash(self):
        """As the power going: the engine, what it started and every container end at once, and what lies in /run is gone."""
        doomed = [self.process.popen.pid]
        for pid in doomed:  # grows on the way
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                doomed += map(int, task.read_text().split())
        ids = self("ps", "-q").split()
        for pid in self("inspect", "-f", "{{.State.Pid}}", *ids).split() if ids else ():
            shim = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            doomed += [int(shim), int(pid)]
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        self.process.popen.wait()
        self.unmount(self.dir / "exec")
        shutil.rmtree(self.dir / "exec")
        (self.dir / "pid").unlink()

    @staticmethod
    def unmount(folder):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            mount = line.split()[4]
            if mount.startswith(str(folder)):
                command("umount", "-l", mount, check=False)

    def clean(self):
        if self.process and self.process.popen.poll() is None:
            ids = self("ps", "-aq", check=False).split()
            if ids:
                self("rm", "-f", *ids, check=False)
            self.stop()
        self.unmount(self.dir)

    def __call__(self, *args, check=True):
        return command("docker", "-H", f"unix://{self.socket}", *args, check=check)

    def run(self, name, script, *options, owned=True):
        label = ("--label", OWNER) if owned else ()
        return self("run", "-d", "--name", name, *label, *options, "edge-sim:1", "sh", "-c", script)


class Gate:
    """edgewatch-gate on a socket of the test's own, before an engine's. prefix: as whom it runs."""

    def __init__(self, engine, user="root", prefix=()):
        self.dir = folder()
        self.dir.chmod(0o755)
        self.socket = self.dir / "gate.sock"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        listener.bind(str(self.socket))
        self.socket.chmod(0o666)
        listener.listen(512)

        def pass_socket():  # as systemd does
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)

        with open(self.dir / "log", "ab") as log:
            self.process = Process(["sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *prefix, os.environ["EDGEWATCH_GATE"],
                                    "--engine", engine, "--user", user], stdout=log, stderr=log, close_fds=False, preexec_fn=pass_socket,
                                   env={**os.environ, "LISTEN_FDS": "1"})
        listener.close()

    def log(self):
        return (self.dir / "log").read_text(errors="replace")

    def pid(self):
        return self.process.popen.pid

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(20)
        s.connect(str(self.socket))
        return s

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    def figure(self, file, name):
        """KiB of /proc/PID/status, or of its smaps_rollup; a count of wake-ups."""
        lines = Path(f"/proc/{self.pid()}/{file}").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(name + ":")))

    def stop(self):
        code = self.process.stop()
        assert code == 0, f"edgewatch-gate ended with {code}: {self.log()[-3000:]}"


class Follow:
    """A source of the daemon in the program follow-source; its events as they come."""

    def __init__(self, name, socket="", state="", cold_start=3600, prefix=()):
        self.process = Process([*prefix, os.environ["FOLLOW_SOURCE"], name, str(socket), str(state),
                                str(cold_start)], stdout=subprocess.PIPE, text=True)
        self.state = state
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


JOURNAL_DIRECTORIES = ("/run/systemd/journal", "/run/log/journal", "/var/log/journal")


def own_mounts():
    """Goes on in a mount namespace of its own: what is mounted from here on is gone at the end."""
    if os.environ.get("EDGEWATCH_LAB_MOUNTS") == "1":
        return
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        skip_all("no mount namespaces")
    os.environ["EDGEWATCH_LAB_MOUNTS"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


class Journald:
    """A systemd-journald of the test's own, in the mount namespace of own_mounts()."""

    PROGRAM = "/lib/systemd/systemd-journald"

    def __init__(self, max_file_size="8M"):
        if not Path(self.PROGRAM).exists():
            skip_all("needs systemd-journald")
        self.dir = folder()
        for path in JOURNAL_DIRECTORIES:
            Path(path).mkdir(parents=True, exist_ok=True)
            command("mount", "-t", "tmpfs", "tmpfs", path)
        conf = self.dir / "journald.conf"
        conf.write_text("[Journal]\nStorage=persistent\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n"
                        f"SystemMaxFileSize={max_file_size}\nForwardToSyslog=no\nForwardToConsole=no\n"
                        "ForwardToWall=no\n")
        Path("/etc/systemd/journald.conf").touch()
        command("mount", "--bind", conf, "/etc/systemd/journald.conf")
        machine = Path("/etc/machine-id").read_text().strip()
        Path(f"/var/log/journal/{machine}").mkdir()
        self.process = None
        self.start()
        atexit.register(self.stop)

    def start(self):
        # With it journald begins persistently; a signal that asks for that would end one that listens but does not heed yet.
        Path("/run/systemd/journal").mkdir(exist_ok=True)
        Path("/run/systemd/journal/flushed").touch()
        self.process = Process([self.PROGRAM], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.listens, what="journald")
        wait_until(lambda: any(Path("/var/log/journal").rglob("system.journal")), what="a persistent journal")

    def stop(self):
        self.process.stop()

    @staticmethod
    def listens():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            return s.connect_ex("/run/systemd/journal/stdout") == 0

    def rotate(self):
        """journalctl --rotate waits for journald through PID 1; the signal is the same request."""
        before = self.files()
        self.process.popen.send_signal(signal.SIGUSR2)
        wait_until(lambda: self.files() != before, what="rotation")

    def files(self):
        return {(p.name, p.stat().st_ino) for p in Path("/var/log/journal").rglob("*.journal")}

    def vacuum(self):
        command("journalctl", "--vacuum-files=1")

    def entries(self, *matches):
        out = command("journalctl", "--no-pager", "-o", "json", "--all", *matches)
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def unified_cgroups():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        if rest.startswith("cgroup2 "):
            return Path(fields.split()[4])
    skip_all("no unified cgroup hierarchy")


class Unit:
    """Something that logs as a systemd unit: journald takes _SYSTEMD_UNIT from the path of the writer's cgroup."""

    def __init__(self, name):
        self.name = name
        self.slice = unified_cgroups() / f"edgewatchlab{os.getpid()}.slice"
        self.cgroup = self.slice / name
        try:
            self.cgroup.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            skip_all(f"no cgroups: {error}")
        atexit.register(self.clean)
        self.process = None
        self.start()

    def start(self):
        self.process = Process(["systemd-cat", "-t", self.name.removesuffix(".service"), "cat"], stdin=subprocess.PIPE,
                               preexec_fn=lambda: (self.cgroup / "cgroup.procs").write_text("0"))

    def say(self, *lines):
        self.process.popen.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.popen.stdin.flush()

    def stop(self):
        self.process.popen.stdin.close()
        self.process.popen.wait(10)

    def clean(self):
        self.process.stop()
        for path in (self.cgroup, self.slice):
            try:
                path.rmdir()
            except OSError:
                pass  # the slice is still used by another unit, which removes it


class Daemon:
    """edgewatchd with rules and a state directory of the test's own."""

    def __init__(self, *rules, config="", options=(), prefix=()):
        self.dir = folder()
        (self.dir / "rules").mkdir()
        (self.dir / "state").mkdir()
        (self.dir / "run").mkdir()
        self.config = self.dir / "edgewatch.yaml"
        self.config.write_text(config)
        for rule in rules:
            self.add_rule(rule)
        self.args = [*prefix, os.environ["EDGEWATCHD"], "--config", self.config, "--rules", self.dir / "rules",
                     "--state-directory", self.dir / "state", "--runtime-directory", self.dir / "run", "--foreground",
                     *options]
        self.process = None
        self.notified = None

    def add_rule(self, rule):
        """A rule's file is named after its id."""
        name = next(line.split()[1] for line in rule.splitlines() if line.startswith("id:"))
        (self.dir / "rules" / f"{name}.yaml").write_text(rule)

    def log(self):
        return (self.dir / "log").read_text(errors="replace") if (self.dir / "log").exists() else ""

    def start(self, **environment):
        """Returns once the daemon said that it is ready."""
        path = self.dir / "notify"
        path.unlink(missing_ok=True)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        notify.bind(str(path))
        self.notified = queue.Queue()
        # Always read, as systemd does: the sender would wait once a few are queued.
        threading.Thread(target=self.read_notifications, args=(notify, self.notified), daemon=True).start()
        with open(self.dir / "log", "ab") as log:
            self.process = Process(self.args, stdout=log, stderr=log,
                                   env={**os.environ, "NOTIFY_SOCKET": str(path), **environment})
        self.wait_notified("READY=1")
        return self

    @staticmethod
    def read_notifications(notify, notified):
        while True:
            for line in notify.recv(4096).decode().splitlines():
                notified.put(line)

    def wait_notified(self, wanted, seconds=20):
        try:
            while self.notified.get(timeout=seconds) != wanted:
                pass
        except queue.Empty:
            raise AssertionError(f"no {wanted} from edgewatchd: {self.log()[-2000:]}") from None

    def kill(self):
        """As the power going."""
        self.process.popen.kill()
        self.process.popen.wait()

    def stop(self):
        code = self.process.stop()
        assert code == 0, f"edgewatchd ended with {code}: {self.log()[-3000:]}"

    def state(self):
        path = self.dir / "state" / "state.json"
        return json.loads(path.read_text()) if path.exists() else None


def alerts(journald, *matches):
    """What edgewatchd wrote about incidents, oldest first."""
    return journald.entries("SYSLOG_IDENTIFIER=edgewatchd", *matches)
