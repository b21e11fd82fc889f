"""What the stand-ins of the IoT Edge runtime share: its log's form, HTTP over Unix sockets, the container engine."""

import http.client
import http.server
import json
import os
import socket
import socketserver
import sys
import time
from pathlib import Path

LEVELS = {"INFO": 6, "WARN": 4, "ERR!": 3}
OWNER = "net.azure-devices.edge.owner"
OWNER_NAME = "Microsoft.Azure.Devices.Edge.Agent"


def log(level, text):
    """journald makes an entry of each line, only the first of which has a priority and a time."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(f"<{LEVELS[level]}>{now} [{level}] - {text}\n")
    sys.stderr.flush()


def os_error(error):
    """An error as Rust prints it."""
    return f"{os.strerror(error.errno)} (os error {error.errno})" if error.errno else str(error)


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method, target, body=None, timeout=60):
    """One request to a Unix socket: its status, and its answer as JSON when it is some."""
    connection = Connection(path, timeout)
    try:
        connection.request(method, target, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text
    finally:
        connection.close()


class EngineError(Exception):
    """What the engine refused, as the runtime's client prints it."""


def engine(method, target, body=None, ok=(404,)):
    try:
        status, answer = ask("/var/run/docker.sock", method, target, body)
    except OSError as error:
        raise EngineError(f"error trying to connect: {os_error(error)}") from None
    if status < 400 or status in ok:
        return status, answer
    reason = http.client.responses.get(status, "")
    raise EngineError(f"HTTP {status} {reason}: {answer['message'] if isinstance(answer, dict) else answer}")


def passed_sockets():
    """Those that systemd opened, by name."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    return {name: socket.socket(fileno=3 + i) for i, name in enumerate(names[:int(os.environ["LISTEN_FDS"])])}


class Server(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """Serves on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listening, handler):
        super().__init__(None, handler)
        self.socket = listening

    def fileno(self):
        return self.socket.fileno()

    def get_request(self):
        return self.socket.accept()[0], ("unix", 0)

    def shutdown_request(self, request):
        request.close()

    def handle_error(self, request, client_address):
        pass  # a client that left


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what `answer(method, path segments, body)` returns: (status, object)."""

    def log_message(self, *args):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        log("INFO", f'<-- {self.command} {self.path} {{"host": "{self.headers.get("Host")}"}}')
        try:
            status, value = self.answer(self.command, self.path.partition("?")[0].strip("/").split("/"),
                                        json.loads(body) if body else None)
        except Exception as error:  # the service goes on
            log("ERR!", f"-!> {error}")
            status, value = 500, {"message": str(error)}
        data = b"" if value is None else json.dumps(value).encode()
        log("INFO", f'--> {status} {{"content-type": "application/json"}}')
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


def settings(service):
    """What `iotedge config apply` made of config.toml for a service."""
    import tomllib
    return tomllib.loads(Path(f"/etc/aziot/{service}/config.d/00-super.toml").read_text())
