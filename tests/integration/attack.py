#!/usr/bin/env python3
"""Gate, prober and fixer against a client that sends anything: nothing but refusals, nobody crashes, nothing changes.

The gate stands before an engine that keeps what it is asked. The prober and the fixer have their request on a socket, as systemd hands it to them.
"""

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import threading
import time

import lab

NOBODY, STRANGER = 65534, 54321
REQUEST = b"GET /v1.41/containers/edgeHub/json HTTP/1.1\r\nHost: docker\r\n\r\n"
LISTED = re.compile(r"GET (/v1\.\d{1,3})?/(_ping|version|info|events|networks|containers/json|(containers|networks|images)/[A-Za-z0-9][\w./:@-]*)"
                    r"(\?[a-z]+=[\w.%~-]+(&[a-z]+=[\w.%~-]+)*)? HTTP/1\.1", re.A)
CONNECTIONS_MAX = 192

lab.need_root_and("setpriv", "nsenter", "ip")
chance = random.Random(20240523)


class Engine:
    """Says OK to everything, and keeps it. A log is endless."""

    def __init__(self):
        self.socket = lab.folder() / "engine.sock"
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.socket))
        self.listener.listen(256)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, s):
        with contextlib.suppress(OSError), s:
            request = s.recv(8192)
            self.asked.append(request)
            s.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nOK")
            while b"/logs" in request:
                s.sendall(b"x" * 65536)


engine = Engine()
gate = lab.Gate(engine.socket)
device = lab.Namespace("edgewatch-attack")
fixes = lab.folder()
(fixes / "off.yaml").write_text("fixes: {mode: off}\n")
(fixes / "apply.yaml").write_text("fixes: {mode: apply}\n")


def send(s, data):
    """As much as the other side takes: it may refuse before it has read all."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        s.sendall(data)


def receive(s):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := s.recv(65536):
            received += piece
    return received


def ask_gate(data):
    with gate.connect() as s:
        send(s, data)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_WR)
        return receive(s)


def refused(answer, status):
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(f"HTTP/1.1 {status} ".encode()) and json.loads(body)["message"]


def gate_serves():
    before = len(engine.asked)
    assert ask_gate(REQUEST).endswith(b"OK")
    assert len(engine.asked) == before + 1


TRICKS = [
    (400, b"GET /containers/../images/json HTTP/1.1\r\n\r\n"),
    (400, b"GET /containers/x%2f..%2f..%2finfo/json HTTP/1.1\r\n\r\n"),
    (400, b"GET //containers/json HTTP/1.1\r\n\r\n"),
    (403, b"GET /containers/x/archive?path=/etc/shadow HTTP/1.1\r\n\r\n"),
    (403, b"GET /containers/x/export HTTP/1.1\r\n\r\n"),
    (403, b"GET /images/x/get HTTP/1.1\r\n\r\n"),
    (403, b"GET /containers/json?size=1 HTTP/1.1\r\n\r\n"),
    (400, b"GET /containers/json?all=1&all=0 HTTP/1.1\r\n\r\n"),
    (405, b"POST /containers/x/start HTTP/1.1\r\n\r\n"),
    (405, b"DELETE /networks/azure-iot-edge HTTP/1.1\r\n\r\n"),
    (403, b"GET /info HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"),
    (403, b"GET /info HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, REQUEST + b"POST /containers/x/start HTTP/1.1\r\nHost: docker\r\n\r\n"),
    (400, b"GET /info HTTP/1.1\nPOST /x HTTP/1.1\r\n\r\n"),
    (400, b"GET /info HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
    (400, b"GET /info HTTP/1.1\r\nHos"),
    (431, b"GET /" + b"x" * (1 << 20)),
]


def gate_tricks():
    """gate: tricks with paths, queries, headers, lengths and ends are refused, and the engine hears of none"""
    before = len(engine.asked)
    for status, request in TRICKS:
        answer = ask_gate(request)
        assert refused(answer, status), (request[:80], answer)
    assert len(engine.asked) == before, engine.asked[before:]
    gate_serves()


def mutated(data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        data[at:at + chance.randint(0, 3)] = chance.choice([b"", b"%", b"..", b"/", b"\r\n", b"\0", b"?", b"&", b" ", chance.randbytes(2)])
    return bytes(data)


def gate_garbage():
    """gate: of a thousand requests that are garbage or nearly right, the engine hears of those on the list, in the gate's words"""
    engine.asked.clear()
    for i in range(1000):
        answer = ask_gate(mutated(REQUEST) if i % 4 else chance.randbytes(chance.randint(1, 6000)))
        assert re.match(rb"HTTP/1\.1 (200|400|403|405|431) |$", answer), answer
    for request in engine.asked:
        first, *headers = request.decode().split("\r\n")
        assert LISTED.fullmatch(first) and ".." not in first, request
        assert [h.partition(":")[0] for h in headers] == ["Host", "User-Agent", "Connection", "", ""], request
    print(f"# {len(engine.asked)} of 1000 were requests")
    gate_serves()


def gate_strangers():
    """gate: another user is refused by name of the rule, root's own too where root is not the one"""
    script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(1000).decode())"
    gate.dir.chmod(0o755)
    before = len(engine.asked)
    said = lab.command("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "/usr/bin/python3", "-c", script, gate.socket)
    assert "403" in said and "only edgewatchd's user may ask" in said, said
    other = lab.Gate(engine.socket, user="nobody")
    with other.connect() as s:
        assert refused(receive(s), 403)
    other.stop()
    assert len(engine.asked) == before


def gate_slow():
    """gate: one that does not finish its request in 5 s is sent away"""
    begin = time.monotonic()
    with gate.connect() as s:
        s.sendall(REQUEST[:-1])
        assert refused(receive(s), 408)
    assert 4 < time.monotonic() - begin < 8, time.monotonic() - begin


def gate_many():
    """gate: connections are bounded, and make room again"""
    before = gate.descriptors()
    held = [gate.connect() for _ in range(CONNECTIONS_MAX)]
    lab.wait_until(lambda: gate.descriptors() == before + CONNECTIONS_MAX, what="all connections")
    with gate.connect() as s:
        assert refused(receive(s), 503)
    for s in held:
        s.close()
    lab.wait_until(lambda: gate.descriptors() == before, what="their end")
    gate_serves()


def gate_more():
    """gate: what comes behind a request ends the connection, and so does a reader that goes"""
    before = gate.descriptors()
    for behind in (b"POST /containers/x/start HTTP/1.1\r\n\r\n", b"\0", b""):
        with gate.connect() as s:
            s.sendall(b"GET /containers/x/logs?follow=1 HTTP/1.1\r\n\r\n")
            assert s.recv(100).startswith(b"HTTP/1.1 200")
            if behind:
                send(s, behind)
                receive(s)
        lab.wait_until(lambda: gate.descriptors() == before, what="the end of both")
    assert not any(b"POST" in request for request in engine.asked)


def gate_is_quiet():
    """gate: all of that filled no journal, and it ends when asked"""
    gate.stop()
    lines = gate.log().splitlines()
    assert 5 < len(lines) < 60 and not any("ERROR" in line for line in lines), (len(lines), lines[-3:])


JUNK = [b"", b"\n", b"\0" * 100, b"[" * 4000, b'{"a":' * 800, b'{"do":"list","do":"apply"}', b'{"question":"listeners"' + b" " * 5000, b"null", b'"x"', b"1e999",
        b'{"do":"\xff"}', b'{"question":"../../etc/shadow","from":"host","timeout_ms":1}', b'{"do":"undo","run":"../../../etc"}',
        b'{"do":"apply","fix":"../x"}', b'{"do":"apply","fix":"ip-forward","incident":"; reboot"}', b'{"do":"apply","fix":"ip-forward","consent":true}',
        b'{"question":"connect","from":"host","host":"a b","port":1,"timeout_ms":1}', b"x" * (1 << 20)]


def pair_of(uid):
    """A connection whose one end the kernel says is uid's."""
    os.seteuid(uid)
    try:
        return socket.socketpair()
    finally:
        os.seteuid(0)


def ask_program(args, data, uid=NOBODY, end=True):
    """Its lines and exit status."""
    ours, theirs = pair_of(uid)
    with ours:
        process = subprocess.Popen([str(a) for a in args], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
        theirs.close()
        ours.settimeout(20)
        send(ours, data)
        if end:
            with contextlib.suppress(OSError):
                ours.shutdown(socket.SHUT_WR)
        received = receive(ours)
        errors = process.communicate(timeout=20)[1].decode(errors="replace")
    assert process.returncode == 0 and "ERROR" not in errors, (data[:80], process.returncode, errors[-2000:])
    return [json.loads(line) for line in received.splitlines()]


def fixer(mode):
    return device.enter(os.environ["EDGEWATCH_FIX"], "--config", fixes / f"{mode}.yaml", "--state-directory", fixes / "state", "--daemon-user", "nobody")


def junk():
    return JUNK + [mutated(chance.choice(JUNK[5:14])) for _ in range(40)] + [chance.randbytes(chance.randint(1, 5000)) for _ in range(20)]


def prober_junk():
    """prober: whatever is no question is answered with why, one line, and nothing else happens"""
    for data in junk():
        answer = ask_program([os.environ["EDGEWATCH_PROBE"]], data)
        assert len(answer) <= 1 and all(list(a) == ["error"] for a in answer), (data[:80], answer)
    begin = time.monotonic()
    assert ask_program([os.environ["EDGEWATCH_PROBE"]], b'{"question"', end=False) == [{"error": "no request came"}]
    assert time.monotonic() - begin < 8


def slow_requests():
    """prober, fixer: a request that comes a byte at a time is waited for as long as any, 5 s"""
    for args in ([os.environ["EDGEWATCH_PROBE"]], fixer("off")):
        ours, theirs = pair_of(STRANGER)
        begin = time.monotonic()
        with ours, subprocess.Popen([str(a) for a in args], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL) as process:
            theirs.close()
            ours.settimeout(1)
            answer = b""
            while not answer and time.monotonic() - begin < 20:
                send(ours, b" ")
                with contextlib.suppress(TimeoutError):
                    answer = ours.recv(4096)
            process.terminate()
        assert b"no request came" in answer and 4 < time.monotonic() - begin < 10, (answer, time.monotonic() - begin)


def fixer_junk():
    """fixer: whatever is no request is an error, from edgewatchd's user and from strangers, with every fix on apply"""
    for uid in (NOBODY, STRANGER):
        for data in junk():
            answer = ask_program(fixer("apply"), data, uid)
            assert len(answer) <= 1 and all(a["event"] == "result" and a["outcome"] == "error" or a["event"] == "fixes" for a in answer), (data[:80], answer)
    assert not (fixes / "state").exists() or not list((fixes / "state").rglob("*.json")), list((fixes / "state").rglob("*"))


def fixer_strangers():
    """fixer: another user than root has nothing applied or undone, nor has edgewatchd's anything undone"""
    for uid, request in ((STRANGER, b'{"do":"apply","fix":"ip-forward"}'), (STRANGER, b'{"do":"undo","run":"0123456789abcdef"}'),
                         (NOBODY, b'{"do":"undo","run":"0123456789abcdef"}')):
        [answer] = ask_program(fixer("apply"), request, uid)
        assert answer["outcome"] == "error", answer
    [history] = ask_program(fixer("off"), b'{"do":"history"}')
    assert history["runs"] == [], history


CASES = [gate_tricks, gate_garbage, gate_strangers, gate_slow, gate_many, gate_more, gate_is_quiet, prober_junk, slow_requests, fixer_junk, fixer_strangers]

lab.run_cases(CASES)
