#!/usr/bin/env python3
"""The Docker source on a real engine in a network namespace of its own: events, sweep, logs, positions."""

import json
import socket
import time

import lab

lab.need_root_and("dockerd", "docker", "ip", "nsenter", "busybox")
namespace = lab.Namespace("ewdocker")
docker = lab.Docker(namespace)
state = lab.folder() / "state.json"
follow = None


def restart_follow():
    global follow
    follow.stop()
    follow = lab.Follow("docker", docker.socket, state)
    follow.wait_live()


def cold_start():
    """what exists at the first start is enumerated, its log read, once"""
    global follow
    docker("network", "create", "--opt", "com.docker.network.driver.mtu=1430", "azure-iot-edge")
    docker.run("edgeAgent", "for i in $(seq 1 300); do echo agent $i; done; sleep 1000")
    docker.run("stranger", "echo not ours; sleep 1000", owned=False)
    lab.wait_until(lambda: "agent 300" in docker("logs", "edgeAgent"), what="the agent's log")
    follow = lab.Follow("docker", docker.socket, state)
    follow.wait_live()
    follow.wait(300, kind="log", container="edgeAgent")
    assert follow.messages("edgeAgent") == [f"agent {i}" for i in range(1, 301)]
    follow.wait(kind="container", name="edgeAgent", action="running", initial=True)
    follow.wait(kind="container", name="stranger", initial=True)
    follow.wait(kind="docker-network", name="azure-iot-edge", mtu=1430)
    assert follow.select(kind="log", container="edgeAgent")[0]["origin"] == "agent"


def order():
    """the backlog of events and logs leaves in the order of time"""
    times = [e["time"] for e in follow.select(kind="log") + follow.select(kind="container", source="docker-events")]
    live = [e["time"] for e in follow.events if e["kind"] in ("log", "container") and e["time"] in set(times)]
    assert live == sorted(live)


def not_owned():
    """the log of a container that the runtime does not own is not read"""
    assert not follow.messages("stranger")


def started():
    """a new container's start and first lines are told"""
    docker.run("hub", "echo one; sleep 0.2; echo two; sleep 1000")
    follow.wait(kind="container", name="hub", action="start")
    follow.wait(kind="log", container="hub", message="two")
    assert follow.messages("hub") == ["one", "two"]


def died():
    """an exit code and the last words are told, though without a newline, and again after a restart"""
    docker.run("crash", "echo going; printf gone; exit 3")
    assert follow.wait(kind="container", name="crash", action="die")[0]["exit_code"] == 3
    follow.wait(kind="log", container="crash", message="gone")
    docker("start", "crash")
    follow.wait(2, kind="container", name="crash", action="die")
    follow.wait(2, kind="log", container="crash", message="gone")
    assert follow.messages("crash") == ["going", "gone"] * 2


def failed_start():
    """a start that failed is told with the engine's words"""
    docker.run("holder", "sleep 1000", "-p", "127.0.0.1:18443:443", owned=False)
    docker("run", "-d", "--name", "taken", "--label", lab.OWNER, "-p", "127.0.0.1:18443:443", "edge-sim:1", "true",
           check=False)
    error = follow.wait(kind="container", name="taken", action="error", seconds=5)[0]
    assert "port is already allocated" in error["error"], error


def long_lines():
    """a line of more than 16 KiB is one line"""
    docker.run("long", "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short; sleep 1000")
    follow.wait(kind="log", container="long", message="short")
    assert [len(m) for m in follow.messages("long")] == [40000, 5]
    assert follow.status()["truncated"] == 0


def cut_lines():
    """a line over 64 KiB is cut, and status tells so, also after its container is gone"""
    docker.run("cut", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo short; sleep 1000")
    follow.wait(kind="log", container="cut", message="short")
    assert [len(m) for m in follow.messages("cut")] == [65536, 5]
    assert follow.status()["truncated"] == 1
    docker("rm", "-f", "cut")
    lab.wait_until(lambda: all(log["container"] != "cut" for log in follow.status()["logs"]), what="the log's end")
    assert follow.status()["truncated"] == 1


def local_driver():
    """the log driver `local` is read"""
    docker.run("local", "for i in $(seq 1 50); do echo local $i; done; sleep 1000", "--log-driver", "local")
    follow.wait(kind="log", container="local", message="local 50")
    assert follow.messages("local") == [f"local {i}" for i in range(1, 51)]


def terminal():
    """the log of a container with a terminal is read"""
    docker.run("tty", "echo from a terminal; sleep 1000", "--tty")
    follow.wait(kind="log", container="tty", message="from a terminal")


def no_log():
    """a container whose driver keeps no log is named in status"""
    docker.run("mute", "echo nothing; sleep 1000", "--log-driver", "none")
    lab.wait_until(lambda: any(log["container"] == "mute" and log["state"] == "unreadable" and log["reason"]
                               for log in follow.status()["logs"]), what="the unreadable log in status")


def journald_driver():
    """a log that goes to the journal is left to it"""
    made = docker("create", "--name", "journaled", "--label", lab.OWNER, "--log-driver", "journald", "edge-sim:1",
                  "true", check=False)
    if not made:
        raise lab.Skip("the engine has no journald driver here")
    lab.wait_until(lambda: any(log["container"] == "journaled" and log["state"] == "in-journal"
                               for log in follow.status()["logs"]), what="the log's state")


def restart_of_the_daemon():
    """over a restart of the daemon nothing is lost and nothing told twice"""
    docker.run("counter", "i=0; while true; do i=$((i+1)); echo count $i; sleep 0.01; done")
    seen, deaths = [], 0
    for _ in range(3):
        follow.wait(100, kind="log", container="counter")
        follow.pump()
        restarted = follow
        if _ == 1:
            docker("kill", "hub")
        restart_follow()
        seen += restarted.messages("counter")
        deaths += len(restarted.select(kind="container", name="hub", action="die"))
    docker("kill", "counter")
    follow.wait(kind="container", name="counter", action="die")
    numbers = lab.command("docker", "-H", f"unix://{docker.socket}", "logs", "counter").splitlines()
    lab.wait_until(lambda: len(seen + follow.messages("counter")) >= len(numbers), what="the last lines")
    assert seen + follow.messages("counter") == numbers
    deaths += len(follow.select(kind="container", name="hub", action="die"))
    assert deaths == 1, deaths


def died_unwatched():
    """what happened while nobody watched and the engine has forgotten is told from its state"""
    global follow
    follow.wait_live()
    follow.stop()
    docker("kill", "long")
    docker("rm", "-f", "tty")
    docker.stop()
    docker.start()
    docker("start", "local")
    follow = lab.Follow("docker", docker.socket, state)
    follow.wait_live()
    follow.wait(kind="container", name="long", action="die")
    follow.wait(kind="container", name="tty", action="destroy")
    follow.wait(kind="container", name="local", action="start")
    assert len(follow.select(kind="container", name="long", action="die")) == 1


def restart_of_the_engine():
    """over a restart of the engine the source finds back by itself, and no line is lost or doubled"""
    docker.run("talker", "echo before; sleep 1000")
    follow.wait(kind="log", container="talker", message="before")
    docker.stop()
    follow.wait(kind="source-state", state="degraded")
    docker.start()
    lab.wait_until(lambda: follow.select(kind="source-state")[-1]["state"] == "live", 30, "the source to be live")
    follow.wait(kind="container", name="talker", action="die")
    docker("start", "talker")
    follow.wait(2, kind="log", container="talker", message="before")
    time.sleep(0.5)  # what would be told twice comes with the next inspection
    assert follow.messages("talker") == ["before"] * 2
    assert len(follow.select(kind="container", name="talker", action="die")) == 1


def flood():
    """a module that writes faster than the diagnosis reads is held back, and loses nothing"""
    follow.hold()
    docker.run("flood", "seq 1 30000; echo done; sleep 1000")
    time.sleep(2)  # all of it is written meanwhile
    assert not follow.select(kind="log", container="flood")
    follow.hold()
    docker.run("prod", "true", owned=False)
    follow.wait(kind="log", container="flood", message="done", seconds=30)
    assert follow.messages("flood") == [str(i) for i in range(1, 30001)] + ["done"]
    assert follow.status()["dropped"] == 0


def removed():
    """a removed container is told as such, once"""
    docker("rm", "-f", "crash")
    follow.wait(kind="container", name="crash", action="destroy")
    time.sleep(6)  # sweeps, and the 5 s that its log may take to its end
    assert len(follow.select(kind="container", name="crash", action="destroy")) == 1
    assert all(log["container"] != "crash" for log in follow.status()["logs"])


def end():
    """it ends cleanly and saves its position"""
    follow.stop()
    assert json.loads(state.read_text())["docker"]["containers"]


def hung():
    """an engine that never answers makes the source degraded, and it says so"""
    path = lab.folder() / "hung.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)
    silent = lab.Follow("docker", path)
    reason = silent.wait(kind="source-state", state="degraded", seconds=20)[0]["reason"]
    assert "does not answer" in reason and str(path) in reason, reason
    assert silent.status()["state"] == "degraded"
    silent.stop()
    listener.close()


def absent():
    """no engine at all is told as such"""
    path = lab.folder() / "absent.sock"
    alone = lab.Follow("docker", path)
    alone.wait(kind="source-state", state="degraded", seconds=5)
    alone.stop()


lab.run_cases([cold_start, order, not_owned, started, died, failed_start, long_lines, cut_lines, local_driver, terminal, no_log,
               journald_driver, restart_of_the_daemon, died_unwatched, restart_of_the_engine, flood, removed, end,
               hung, absent])
