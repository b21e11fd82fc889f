"""What tests of edgewatch-fix share: a proxy in front of the engine that fails on demand, a bus on which systemd and the
runtime are played, and the fixer itself."""

import atexit
import contextlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path

import lab

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""
DEB = ("aziot-edged.mgmt.socket", "aziot-edged.workload.socket", "aziot-edged.service")
SNAP = ("snap.azure-iot-edge.aziot-edged.service",)
LEGACY = ("iotedge.mgmt.socket", "iotedge.socket", "iotedge.service")


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that was killed


def serve(path, handler):
    server = UnixServer(str(path), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class EngineProxy:
    """Stands between the fixer and the engine. `fault(n)` is called at the n-th request that changes something, counted
    from 1, and may return what becomes of it."""

    FORWARD, REFUSE, DROP, LOSE, HANG = range(5)

    def __init__(self, path, engine):
        self.path, self.engine = path, engine
        self.aged = set()  # names of containers that are to have run for ten minutes
        self.reset()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_request(self):
                proxy.handle(self)

            do_GET = do_POST = do_DELETE = do_request

            def address_string(self):
                return "fixer"

            def log_message(self, *args):
                pass

        self.server = serve(path, Handler)

    def reset(self, fault=None):
        self.count, self.fault, self.gone = 0, fault or (lambda n: self.FORWARD), False

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        what = self.FORWARD
        if request.command != "GET":
            self.count += 1
            what = self.fault(self.count)
        if self.gone or what == self.DROP:
            request.close_connection = True
            return
        if what == self.HANG:
            request.connection.recv(1)  # until the fixer gives up
            request.close_connection = True
            return
        if what == self.REFUSE:
            self.answer(request, 500, b'{"message": "injected"}')
            return
        connection = Connection(self.engine)
        connection.request(request.command, request.path, body or None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if self.aged and re.search(r"/containers/[^/]+/json", request.path):
            answer = self.age(answer)
        if callable(what):
            what()
            what = self.LOSE
        if what == self.LOSE:
            request.close_connection = True
            return
        self.answer(request, response.status, answer)

    def age(self, answer):
        container = json.loads(answer)
        if container.get("Name", "").lstrip("/") in self.aged:
            container["State"]["StartedAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
        return json.dumps(container).encode()

    @staticmethod
    def answer(request, status, body):
        request.send_response(status)
        if status != 204:
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if status != 204:
            request.wfile.write(body)


class System:
    """A bus with a systemd on it whose jobs `work(type, unit)` carries out; what it returns is their result. `fault(n)`
    is called at the n-th job and may return another result; "lost" does the work without a word about its end, "never"
    does not even do it."""

    def __init__(self, directory, units, work):
        self.socket = directory / "bus"
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.socket}"}
        conf = directory / "bus.conf"
        conf.write_text(BUS_CONFIG.format(socket=self.socket))
        self.bus = lab.Process(["dbus-daemon", f"--config-file={conf}", "--nofork", "--nopidfile"],
                               stderr=subprocess.DEVNULL)
        lab.wait_until(self.socket.exists, what="the bus")
        self.process = lab.Process([os.environ["FAKE_SYSTEMD"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env={**os.environ, **self.environment})
        assert self.process.popen.stdout.readline() == "ready\n"
        self.work, self.jobs, self.active = work, [], {}
        self.begun = self.ended = 0
        self.lock, self.said, self.counting = threading.Lock(), threading.Semaphore(0), threading.Lock()
        self.reset()
        threading.Thread(target=self.read, daemon=True).start()
        self.set(*units)
        self("appear")

    def reset(self, fault=None):
        self.count, self.fault = 0, fault or (lambda n: "done")

    def set(self, *units, state="active running"):
        for unit in units:
            self(f"set {unit} loaded {state} enabled success 0 0")
            self.active[unit] = state.startswith("active")

    def __call__(self, command):
        with self.lock:
            self.process.popen.stdin.write(command + "\n")
            self.process.popen.stdin.flush()
            assert self.said.acquire(timeout=30), command

    def read(self):
        for line in self.process.popen.stdout:
            if line == "done\n":
                self.said.release()
                continue
            _, job, kind, unit = line.split()
            self.begun += 1
            self.count += 1
            self.jobs.append((kind, unit))
            threading.Thread(target=self.run, args=(job, kind, unit, self.count), daemon=True).start()

    def run(self, job, kind, unit, number):
        result = self.fault(number)
        if result in ("done", "lost"):
            self.work(kind, unit)
            self.active[unit] = kind != "stop"
        if result == "lost":
            self.set(unit, state="inactive dead" if kind == "stop" else "active running")
        elif result != "never":
            self(f"finish {job} {result}")
        with self.counting:
            self.ended += 1

    def wait_idle(self):
        self("")  # what it printed until now is read
        lab.wait_until(lambda: self.begun == self.ended, 60, f"the jobs of systemd, {self.jobs[-3:]}")


class Fixer:
    """edgewatch-fix with a state directory on a file system of its own, which can be full."""

    def __init__(self, namespace, engine, environment):
        self.dir = lab.folder()
        self.state = self.dir / "state"
        self.state.mkdir()
        lab.command("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", self.state)
        atexit.register(lab.command, "umount", self.state, check=False)
        self.config = self.dir / "edgewatch.yaml"
        self.config.write_text("{}\n")
        self.args = namespace.enter(os.environ["EDGEWATCH_FIX"], "--config", self.config, "--state-directory", self.state)
        self.env = {**os.environ, **environment, "DOCKER_HOST": f"unix://{engine}"}
        self.popen, self.lines = None, []

    def start(self, *args):
        self.lines = []
        self.popen = subprocess.Popen([str(a) for a in [*self.args, *args]], stdin=subprocess.PIPE, env=self.env,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait(self, request=None, seconds=400):
        out, err = self.popen.communicate(json.dumps(request) if request else "", timeout=seconds)
        self.lines = [json.loads(line) for line in out.splitlines()]
        self.err = err
        return self.lines[-1] if self.lines else {}

    def __call__(self, **request):
        self.start()
        return self.wait(request)

    @contextlib.contextmanager
    def impatient(self, seconds):
        """Gives jobs of systemd only so long."""
        patient, self.args = self.args, [*self.args, "--job-time", f"{seconds}s"]
        yield
        self.args = patient

    def kill(self):
        self.popen.send_signal(signal.SIGKILL)  # nsenter became it
        self.popen.wait()

    def kill_at(self, is_then, **request):
        """Begins with a request and is killed at the first line of its answer of which that is true."""
        self.start()
        self.popen.stdin.write(json.dumps(request))
        self.popen.stdin.close()
        self.lines = []
        for line in self.popen.stdout:
            self.lines.append(json.loads(line))
            if is_then(self.lines[-1]):
                self.kill()
                return
        raise AssertionError(f"it was over before: {self.lines}")

    def recover(self, code=0):
        self.start("--recover")
        result = self.wait()
        assert self.popen.returncode == code, (self.lines, self.err)
        return result

    def plan(self, **request):
        self(do="plan", **request)
        return next((line["plan"] for line in self.lines if line["event"] == "plan"), None)

    def pending(self):
        return sorted(p.name for p in (self.state / "pending").glob("*"))

    def fill(self):
        with open(self.state / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass

    def drain(self):
        (self.state / "ballast").unlink(missing_ok=True)
