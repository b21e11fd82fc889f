"""The fixer of a test: the real edgewatch-fix behind a socket, one process a connection, as systemd starts it."""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import lab


class Fixer:
    """Everything it writes is in a folder of its own; config is its edgewatch.yaml."""

    def __init__(self, config="", prefix=(), **environment):
        self.dir = lab.folder()
        self.dir.chmod(0o755)
        self.path = self.dir / "fix.sock"
        self.state = self.dir / "state"
        self.state.mkdir()
        self.prefix = [str(word) for word in prefix]
        self.environment = {**os.environ, **environment}
        self.log = self.dir / "log"
        self.running = []
        self.is_clogged = False  # whether somebody has said so much that the reader has to read before there is room
        self.configure(config)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.path))
        self.path.chmod(0o666)
        self.server.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()
        atexit.register(self.stop)

    def configure(self, text):
        (self.dir / "edgewatch.yaml").write_text(text)

    def arguments(self, *more):
        return [*self.prefix, os.environ["EDGEWATCH_FIX"], "--config", self.dir / "edgewatch.yaml",
                "--state-directory", self.state, "--daemon-user", "nobody", *more]

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            if self.is_clogged:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        connection.send(bytes(4096), socket.MSG_DONTWAIT)
            with open(self.log, "ab") as log, connection:
                self.running.append(subprocess.Popen(self.arguments(), stdin=connection, stdout=connection, stderr=log,
                                                     env=self.environment))

    def stop(self):
        self.server.close()
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()

    def ask(self, **request):
        """The lines of the answer to a request made without edgewatchctl."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.path))
            s.sendall(json.dumps(request).encode())
            s.shutdown(socket.SHUT_WR)
            return [json.loads(line) for line in s.makefile()]

    def result(self, **request):
        return self.ask(**request)[-1]

    def recover(self):
        return subprocess.run([str(word) for word in self.arguments("--recover")], capture_output=True, text=True,
                              check=False, env=self.environment)

    def pending(self):
        return sorted(path.name for path in Path(self.state, "pending").glob("*.json"))

    def ctl(self, *words, stdin=subprocess.DEVNULL, prefix=()):
        """Returns the exit status, and what was said on both outputs."""
        done = subprocess.run([*prefix, os.environ["EDGEWATCHCTL"], *map(str, words)], stdin=stdin, capture_output=True,
                              text=True, check=False,
                              env={**self.environment, "EDGEWATCH_FIX_SOCKET": str(self.path)})
        return done.returncode, done.stdout, done.stderr
