#!/usr/bin/env python3
"""The Docker source against engines that misbehave, or that cannot be had here: played over a Unix socket."""

import functools
import json
import queue
import socketserver
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import lab

ID = "%064x"
SECOND = 1_000_000_000


def rfc3339(nsec):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nsec // SECOND)) + f".{nsec % SECOND:09d}Z"


def frame(nsec, line):
    data = f"{rfc3339(nsec)} {line}\n".encode()
    return struct.pack(">BxxxL", 1, len(data)) + data


def nanoseconds(timestamp):
    second, nano = timestamp.split(".")
    return int(second) * SECOND + int(nano)


def container_event(number, name, action):
    return json.dumps({"Type": "container", "Action": action, "timeNano": time.time_ns(), "Actor": {
        "ID": ID % number, "Attributes": {"name": name}}}).encode() + b"\n"


class Engine:
    """As much of an engine as the source asks for."""

    def __init__(self, version="1.52"):
        self.version = version
        self.containers = {}
        self.logs = {}
        self.past_events = []
        self.hung = set()
        self.before = {}  # what is done before a path is answered
        self.live_events = queue.Queue()
        self.asked = []
        self.ended = threading.Event()
        self.socket = lab.folder() / "engine.sock"
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def log_message(self, *_):
                pass

            def do_GET(self):
                engine.asked.append(self.path)
                try:
                    engine.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def get_request(self):
                request, _ = super().get_request()
                return request, ("engine", 0)

        self.server = Server(str(self.socket), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, number, name, lines=()):
        now = time.time_ns()
        self.containers[ID % number] = {
            "Id": ID % number, "Name": f"/{name}", "Created": rfc3339(now - 60 * SECOND), "Image": "sha256:0",
            "State": {"Status": "running", "Running": True, "Pid": 1, "ExitCode": 0, "Error": "",
                      "StartedAt": rfc3339(now - 50 * SECOND), "FinishedAt": "0001-01-01T00:00:00Z"},
            "Config": {"Image": "x", "Tty": False, "Env": [],
                       "Labels": dict([lab.OWNER.split("=", 1)])},
            "HostConfig": {"LogConfig": {"Type": "json-file"}}, "NetworkSettings": {"Networks": {}}, "Mounts": []}
        self.logs[ID % number] = list(lines)

    def answer(self, handler):
        url = urlsplit(handler.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        path = url.path
        if path != "/_ping":
            prefix = f"/v{self.version}"
            assert path.startswith(prefix + "/"), path
            path = path[len(prefix):]
        if path in self.before:
            self.before[path]()
        if path == "/events" and "until" in query and nanoseconds(query["since"]) > nanoseconds(query["until"]):
            handler.send_error(400)
            return
        handler.send_response(200)
        handler.send_header("Api-Version", self.version)
        handler.end_headers()
        if path == "/events":
            for event in self.past_events if "until" in query else []:
                handler.wfile.write(event)
            if "until" not in query:
                handler.wfile.flush()
                while event := self.live_events.get():
                    handler.wfile.write(event)
                    handler.wfile.flush()
        elif path.endswith("/logs"):
            self.send_logs(handler, path.split("/")[2], query)
        else:
            if path.endswith("/json") and path.split("/")[2] in self.hung:
                self.ended.wait()
            handler.wfile.write(json.dumps(self.object(path)).encode())

    def object(self, path):
        if path == "/containers/json":
            return [{"Id": i} for i in self.containers]
        if path == "/networks":
            return []
        if path.startswith("/containers/"):
            return self.containers[path.split("/")[2]]
        return {"Version": "29.0.0"}

    def send_logs(self, handler, number, query):
        lines = self.logs[number]
        if "tail" in query:
            lines = lines[-int(query["tail"]):]
        if "since" in query:
            lines = [line for line in lines if line[0] >= nanoseconds(query["since"])]
        handler.wfile.write(b"".join(frame(*line) for line in lines))
        if "follow" in query:
            handler.wfile.flush()
            self.ended.wait()


def hung_container():
    """an inspection that is never answered keeps nobody else waiting"""
    engine = Engine()
    now = time.time_ns()
    for number, name in enumerate(["edgeAgent", "stuck", "edgeHub"]):
        engine.add(number, name, [(now, f"from {name}")])
    engine.hung.add(ID % 1)
    follow = lab.Follow("docker", engine.socket)
    follow.wait_live(30)
    follow.wait(kind="log", container="edgeAgent")
    follow.wait(kind="log", container="edgeHub")
    assert not follow.select(kind="log", container="stuck")
    status = follow.status()
    assert status["state"] == "live" and status["errors"] >= 1, status
    assert status["api_version"] == "1.52", status
    follow.stop()


def big_log():
    """of a long past only the last 10 MiB are read at the first start"""
    engine = Engine()
    now = time.time_ns()
    engine.add(1, "edgeHub", [(now - (30000 - i), f"{i} " + "x" * 1000) for i in range(30000)])
    follow = lab.Follow("docker", engine.socket)
    follow.wait_live(60)
    lab.wait_until(lambda: (follow.messages("edgeHub") or [""])[-1].startswith("29999 "), 30, "the last line")
    messages = follow.messages("edgeHub")
    assert sum(map(len, messages)) <= 10 * 1024 * 1024
    assert len(messages) >= 2000
    assert [int(m.split()[0]) for m in messages] == list(range(30000 - len(messages), 30000))
    follow.stop()


def clock_set_back(found):
    engine = Engine()
    now = time.time_ns()
    future = now + 3600 * SECOND
    lines = [(future - SECOND, "old"), (future, "marker"), (now - 2 * SECOND, "new"), (now - SECOND, "newer")]
    engine.add(1, "edgeHub", lines if found else lines[2:])
    state = lab.folder() / "state.json"
    state.write_text(json.dumps({"docker": {"nsec": now - 10 * SECOND, "frames": 0, "containers": {ID % 1: {
        "name": "edgeHub", "started": 1, "log": {"nsec": future, "frames": 1}}}}}))
    follow = lab.Follow("docker", engine.socket, state)
    follow.wait_live(30)
    return engine, follow


def stepped():
    """after the clock was set back a log goes on after the line that was read last"""
    _, follow = clock_set_back(True)
    follow.wait(kind="log", container="edgeHub", message="newer")
    time.sleep(0.5)  # what would be told twice comes with the second request
    assert follow.messages("edgeHub") == ["new", "newer"], follow.messages("edgeHub")
    follow.stop()


def stepped_and_restarted():
    """nor is anything told twice when the daemon restarts before the clock has caught up"""
    engine, follow = clock_set_back(True)
    follow.wait(kind="log", container="edgeHub", message="newer")
    follow.stop()
    engine.logs[ID % 1].append((time.time_ns(), "newest"))
    follow = lab.Follow("docker", engine.socket, follow.state)
    follow.wait_live(30)
    follow.wait(kind="log", container="edgeHub", message="newest")
    assert follow.messages("edgeHub") == ["newest"], follow.messages("edgeHub")
    follow.stop()


def stepped_and_rotated():
    """when that line is gone, this is a loss, and the log is followed from its end"""
    engine, follow = clock_set_back(False)
    lab.wait_until(lambda: follow.status()["lost"] >= 1, what="the loss in status")
    followed = [path for path in engine.asked if "follow=1" in path]
    assert followed and "since=" in followed[-1], followed
    follow.stop()


def garbage():
    """events that are none are counted and passed over"""
    engine = Engine()
    engine.past_events = [b"not json\n", b"[]\n", b'{"Type":"container"}\n', b'{"x":"' + b"y" * 300_000 + b'"}\n',
                          container_event(7, "stranger", "start")]
    follow = lab.Follow("docker", engine.socket)
    follow.wait_live()
    follow.wait(kind="container", name="stranger", action="start")
    assert follow.status()["errors"] == 4, follow.status()
    follow.stop()


def ahead_of_the_clock():
    """a position that the clock has yet to reach does not keep the engine from telling its events"""
    engine = Engine()
    state = lab.folder() / "state.json"
    state.write_text(json.dumps({"docker": {"nsec": time.time_ns() + 3600 * SECOND, "frames": 3, "containers": {}}}))
    follow = lab.Follow("docker", engine.socket, state)
    follow.wait_live()
    engine.live_events.put(container_event(7, "stranger", "start"))
    follow.wait(kind="container", name="stranger", action="start")
    assert not follow.select(kind="source-state", state="degraded")
    follow.stop()


def destroyed_in_the_sweep():
    """a container that goes before the sweep has looked at it is not waited for"""
    engine = Engine()
    engine.add(1, "edgeAgent")
    engine.add(2, "edgeHub")
    inspected, is_told = [], threading.Event()

    def inspect(number):
        inspected.append(number)
        is_told.wait()

    engine.before = {f"/containers/{ID % number}/json": functools.partial(inspect, number) for number in (1, 2)}
    follow = lab.Follow("docker", engine.socket)
    lab.wait_until(lambda: inspected, what="the sweep")
    engine.live_events.put(container_event(3 - inspected[0], "gone", "destroy"))
    lab.wait_until(lambda: follow.status()["read"] == 1, what="the event")
    is_told.set()
    follow.wait_live()
    assert len(inspected) == 1, inspected
    follow.stop()


def log_that_fails():
    """a log that could not be read is told as lost, and tried again without keeping what is newer waiting"""
    engine = Engine()
    engine.add(1, "edgeHub")
    path = f"/containers/{ID % 1}/logs"
    tries = []

    def fail():
        tries.append(path)
        if len(tries) == 1:
            raise ConnectionResetError
        engine.ended.wait()

    engine.before[path] = fail
    follow = lab.Follow("docker", engine.socket)
    follow.wait(kind="lost", source="docker-logs")
    lab.wait_until(lambda: len(tries) == 2, what="another try")
    engine.live_events.put(container_event(7, "stranger", "start"))
    follow.wait(kind="container", name="stranger", action="start", seconds=5)
    follow.stop()


def not_docker():
    """what answers without a sound version is not taken for Docker"""
    engine = Engine(version="1.41/../..")
    follow = lab.Follow("docker", engine.socket)
    reason = follow.wait(kind="source-state", state="degraded")[0]["reason"]
    assert "not Docker" in reason, reason
    assert engine.asked == ["/_ping"], engine.asked
    follow.stop()


lab.run_cases([hung_container, big_log, stepped, stepped_and_restarted, stepped_and_rotated, ahead_of_the_clock,
               destroyed_in_the_sweep, log_that_fails, garbage, not_docker])
