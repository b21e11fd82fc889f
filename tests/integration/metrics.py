#!/usr/bin/env python3
"""The metrics source against HTTP servers at the addresses of containers, in a network namespace of its own."""

import json
import os
import subprocess
import sys
import textwrap

import lab

lab.need_root_and("ip", "nsenter", "setpriv")
namespace = lab.Namespace("ewmet")
directory = lab.folder()
directory.chmod(0o755)
containers = directory / "containers.json"
os.environ["EDGEWATCH_CONTAINERS"] = str(containers)
HUB, AGENT = "172.30.0.2", "172.30.0.3"
follow = None
servers = {}

SERVER = textwrap.dedent("""
    import http.server, pathlib, sys, time
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/metrics"
            body = pathlib.Path(sys.argv[2]).read_bytes()
            if body == b"hang":
                time.sleep(60)
            self.send_response(404 if body == b"missing" else 200)
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *args):
            pass
    server = http.server.HTTPServer((sys.argv[1], 9600), Handler)
    print("ready", flush=True)
    server.serve_forever()
""")


def inspected(name, address, status="running", owned=True, started="2026-01-01T00:00:00Z"):
    number = {"edgeHub": "1", "edgeAgent": "2"}[name]
    return {"Id": number * 64, "Name": f"/{name}", "Image": "sha256:" + number * 64,
            "State": {"Status": status, "StartedAt": started},
            "Config": {"Image": "edge-sim:1",
                       "Labels": dict([lab.OWNER.split("=")]) if owned else {}},
            "NetworkSettings": {"Networks": {"azure-iot-edge": {"IPAddress": address}}}}


def know(*objects):
    containers.write_text(json.dumps(objects))
    if follow:
        follow.process.popen.send_signal(lab.signal.SIGHUP)


def serve(address, text):
    path = directory / address
    path.write_text(text)
    server = lab.Process(namespace.enter(sys.executable, "-c", SERVER, address, path), stdout=subprocess.PIPE,
                         text=True)
    assert server.popen.stdout.readline() == "ready\n"
    servers[address] = server


def module(name):
    return {m["module"]: m for m in follow.status()["modules"]}[name]


def wait_module(name, **wanted):
    return lab.wait_until(lambda: (m := module(name)) and all(m.get(k) == v for k, v in wanted.items()) and m, 30,
                          f"{name} to be {wanted}")


def read():
    """metrics of a running module are read once a sweep, without privilege; only its own are kept"""
    global follow
    namespace.ip("addr", "add", f"{HUB}/32", "dev", "lo")
    namespace.ip("addr", "add", f"{AGENT}/32", "dev", "lo")
    serve(HUB, '# HELP edgehub_queue_length x\nedgehub_queue_length{endpoint="iothub"} 7\ndotnet_gc 1\n')
    know(inspected("edgeHub", HUB))
    follow = lab.Follow("metrics", prefix=namespace.enter(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"))
    follow.wait_live()
    events = follow.wait(2, seconds=30, kind="metrics", module="edgeHub")
    assert {e["exposition"] for e in events} == {'edgehub_queue_length{endpoint="iothub"} 7\n'}, events
    assert {e["origin"] for e in events} == {"hub"}
    assert 3_000_000 < events[1]["time"] - events[0]["time"] < 8_000_000, events
    assert module("edgeHub")["state"] == "read"
    assert module("edgeAgent") == {"module": "edgeAgent", "state": "absent"}


def closed():
    """a closed port is told, and asked for less and less often"""
    know(inspected("edgeAgent", AGENT))
    told = wait_module("edgeAgent", state="off")
    assert told["reason"] == "its port is closed" and told["url"] == f"http://{AGENT}:9600/metrics", told
    lab.wait_until(lambda: module("edgeAgent")["again_in_seconds"] > 6, 30, "a longer pause")
    assert follow.status()["state"] == "live"


def again():
    """once the container has been started again it is asked at the next sweep"""
    serve(AGENT, 'edgeAgent_used_cpu_percent{module_name="host",quantile="0.5"} 12\n')
    know(inspected("edgeAgent", AGENT, started="2026-01-01T00:05:00Z"))
    follow.wait(kind="metrics", module="edgeAgent", origin="agent", seconds=8)


def stopped():
    """a container that does not run is not asked"""
    know(inspected("edgeAgent", AGENT, status="exited", started="2026-01-01T00:05:00Z"))
    assert wait_module("edgeAgent", state="absent") == {"module": "edgeAgent", "state": "absent"}


def foreign():
    """one that is not the runtime's is not asked"""
    know(inspected("edgeAgent", AGENT, owned=False, started="2026-01-01T00:06:00Z"))
    before = len(follow.select(kind="metrics", module="edgeAgent"))
    turns = len(follow.select(kind="metrics", module="edgeHub"))
    follow.wait(turns + 2, seconds=30, kind="metrics", module="edgeHub")
    assert module("edgeAgent")["state"] == "absent"
    assert len(follow.select(kind="metrics", module="edgeAgent")) == before


def answers():
    """an error, no metrics, too much, and silence are told apart"""
    for number, (body, reason) in enumerate([
            ("missing", "it answers 404"),
            ("<html>hello</html>\n", "its answer holds none of its metrics"),
            ("edgehub_a 1\n" * 100_000, "its answer is longer than 1 MiB"),
            ("hang", "no answer; IPAddressAllow= of edgewatchd.service may block it")]):
        (directory / HUB).write_text(body)
        know(inspected("edgeHub", HUB, started=f"2026-01-01T01:0{number}:00Z"))
        wait_module("edgeHub", state="off", reason=reason)
    assert follow.status()["state"] == "live"


def blocked():
    """what the host forbids is told"""
    namespace.ip("route", "add", "prohibit", "198.51.100.9")
    know(inspected("edgeHub", "198.51.100.9"))
    told = wait_module("edgeHub", state="off", url="http://198.51.100.9:9600/metrics")
    assert told["reason"].startswith("blocked by IPAddressAllow="), told


def end():
    """it ends cleanly"""
    follow.stop()


lab.run_cases([read, closed, again, stopped, foreign, answers, blocked, end])
