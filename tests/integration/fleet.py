#!/usr/bin/env python3
"""Two devices that send their journals to a third machine: real journald, edgewatchd, systemd-journal-upload and
systemd-journal-remote, in namespaces of the test's own. A device is this file run with `--device`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parents[2]
UPLOAD = "/lib/systemd/systemd-journal-upload"
REMOTE = "/lib/systemd/systemd-journal-remote"
FILTERED_UPLOAD = ROOT / "conf" / "monitoring" / "edgewatch-upload"
ALL_PORT, FILTERED_PORT = 19532, 19533
RULE = r"""
id: port-taken
title: A port is taken
severity: error
message-id: 00000000000000000000000000000001
documentation: https://example.org/
layer: port
subject: ${module}
message: The port of ${module} is taken.
explanation: Another process listens on it.
remedy: {where: device, text: End the other process.}
confirm: {conclusive: true}
key: [module]
signals:
  taken: {log: {from: [runtime], match: 'port taken by stranger: (?<module>\w+)'}}
  free: {log: {from: [runtime], match: 'port free again for (?<module>\w+)'}}
when: [{any: [taken]}]
clear: [{any: [free]}]
"""
CONFIG = "sources: {docker: no, rtnetlink: no, units: no, files: no, metrics: no}\n"
# Name, machine id, and the address on the collector's loopback that it sends to, and so comes from.
DEVICES = {
    "pump-7": ("7" * 32, "10.93.0.7"),
    "valve-9": ("9" * 32, "10.93.0.9"),
}


class Edgewatchd(lab.Daemon):
    """One whose entries journald vouches for, as those of edgewatchd.service."""

    def __init__(self):
        self.cgroup = lab.unified_cgroups() / f"edgewatchlab{os.getpid()}.slice" / "edgewatchd.service"
        self.cgroup.mkdir(parents=True, exist_ok=True)
        lab.atexit.register(self.clean)
        super().__init__(RULE, config=CONFIG,
                         prefix=["sh", "-c", f'echo $$ > {self.cgroup}/cgroup.procs; exec "$@"', "sh"])

    def clean(self):
        if self.process:
            self.process.stop()
        for path in (self.cgroup, self.cgroup.parent):
            try:
                path.rmdir()
            except OSError:
                pass  # the slice is still used by another unit, which removes it


class Device:
    """What runs inside a device's own mount, host name and network namespaces. Does what its standard input says."""

    def __init__(self, name, place):
        machine, self.collector = DEVICES[name]
        self.name, self.place = name, Path(place)
        lab.command("hostname", name)
        (self.place / "machine-id").write_text(machine + "\n")
        lab.command("mount", "--bind", self.place / "machine-id", "/etc/machine-id")
        self.journald = lab.Journald()
        self.edged = lab.Unit("aziot-edged.service")
        self.daemon = Edgewatchd()
        self.daemon.start()
        self.uploader = None

    def say(self, text):
        """Returns when edgewatchd has reported what follows from it."""
        before = len(lab.alerts(self.journald))
        self.edged.say(text)
        lab.wait_until(lambda: len(lab.alerts(self.journald)) > before, what="an alert")

    def forge(self, *fields):
        """As any user of the device may."""
        lab.command("logger", "--journald", input="\n".join(fields) + "\n")

    def upload(self):
        self.uploader = lab.Process([UPLOAD, "--url", f"http://{self.collector}:{ALL_PORT}",
                                     f"--save-state={self.place / 'position'}"], stderr=subprocess.DEVNULL)

    def stop_upload(self):
        self.uploader.stop()

    def upload_filtered(self, port):
        done = subprocess.run([FILTERED_UPLOAD, f"http://{self.collector}:{port}", self.place / "filtered"],
                              capture_output=True, text=True, check=False)
        return {"code": done.returncode, "said": done.stderr}

    def run(self):
        print("ready", flush=True)
        for line in sys.stdin:
            verb, *words = json.loads(line)
            print(json.dumps(getattr(self, verb)(*words)), flush=True)
        self.daemon.stop()


class Remote:
    """A device as the test sees it."""

    def __init__(self, name, namespace):
        self.process = lab.Process(
            namespace.enter("unshare", "--mount", "--uts", "--propagation", "private", sys.executable, __file__,
                            "--device", name, lab.folder()),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "EDGEWATCH_LAB_MOUNTS": "1"})
        assert self.process.popen.stdout.readline() == "ready\n", f"{name} does not start"

    def __call__(self, verb, *words):
        self.process.popen.stdin.write(json.dumps([verb, *words]) + "\n")
        self.process.popen.stdin.flush()
        answer = self.process.popen.stdout.readline()
        assert answer, f"{verb} failed"
        return json.loads(answer)

    def end(self):
        self.process.popen.stdin.close()
        assert self.process.popen.wait(30) == 0


def collect(port):
    directory = lab.folder() / "remote"
    directory.mkdir()
    lab.Process(collector.enter(REMOTE, f"--listen-http=0.0.0.0:{port}", "--output", directory),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.wait_until(lambda: f":{port} " in lab.command(*collector.enter("ss", "-ltn")), what="journal-remote")
    return directory


def ctl(*args):
    return subprocess.run([os.environ["EDGEWATCHCTL"], *map(str, args)], capture_output=True, text=True, check=False)


def history(directory, *args):
    done = ctl("history", "--directory", directory, "--json", *args)
    assert done.returncode == 0, done
    return json.loads(done.stdout)["history"]


def merged(directory, *args):
    return [(h["host"], h["sender"], h["subject"], h["state"]) for h in history(directory, "--merge", *args)]


def row(name, subject, state):
    return (name, f"remote-{DEVICES[name][1]}", subject, state)


def test_incidents_arrive():
    """what two devices send is told by host, in the order of time"""
    devices["pump-7"]("say", "port taken by stranger: first")
    devices["valve-9"]("say", "port taken by stranger: second")
    devices["pump-7"]("say", "port free again for first")
    for device in devices.values():
        device("upload")
    expected = [row("pump-7", "first", "confirmed"), row("valve-9", "second", "confirmed"),
                row("pump-7", "first", "cleared")]
    lab.wait_until(lambda: merged(received) == expected, 30, f"{expected}, got {merged(received)}")
    machines = {h["host"]: h["machine"] for h in history(received, "--merge")}
    assert machines == {name: machine for name, (machine, _) in DEVICES.items()}, machines
    times = [h["time"] for h in history(received, "--merge")]
    assert times == sorted(times), times
    table = ctl("history", "--directory", received, "--merge").stdout
    assert "HOST" in table and "valve-9" in table and "remote-10.93.0.9" in table, table


def test_goes_on():
    """after a pause of the upload nothing is missing and nothing comes twice"""
    pump = devices["pump-7"]
    pump("stop_upload")
    pump("say", "port taken by stranger: later")
    pump("upload")
    lab.wait_until(lambda: row("pump-7", "later", "confirmed") in merged(received), 30, "the rest")
    assert len(merged(received)) == len(set(merged(received))) == 4, merged(received)


def test_forged():
    """an entry of another program does not count, and one that claims another host shows its sender"""
    devices["valve-9"]("forge", "MESSAGE=forged", "EDGEWATCH_STATE=confirmed", "EDGEWATCH_SYMPTOM=port-taken",
                       "EDGEWATCH_INCIDENT=0000000000000000", "EDGEWATCH_SUBJECT=forged")
    lab.wait_until(lambda: [h for h in history(received, "--merge", "--all") if h["subject"] == "forged"], 30,
                   "the forged entry")
    assert len(merged(received)) == 4, merged(received)
    # Root on a device can send anything, but only as itself.
    forged = (f"__REALTIME_TIMESTAMP={int(lab.time.time() * 1e6)}\n_HOSTNAME=pump-7\n"
              "__MONOTONIC_TIMESTAMP=1000\n_BOOT_ID=" + "1" * 32 + "\n"
              "_SYSTEMD_UNIT=edgewatchd.service\nEDGEWATCH_STATE=cleared\nEDGEWATCH_SUBJECT=lie\nMESSAGE=x\n\n")
    path = lab.folder() / "forged.export"
    path.write_text(forged)
    lab.command(*collector.enter(UPLOAD, "--url", f"http://10.93.0.9:{ALL_PORT}", path))
    told = [h for h in merged(received) if h[2] == "lie"]
    assert told == [("pump-7", "remote-10.93.0.9", "lie", "cleared")], told


def test_times():
    """--since and --until bound what is told"""
    assert not history(received, "--merge", "--until", "-1h")
    assert not history(received, "--merge", "--until", "2020-01-01")
    assert history(received, "--merge", "--since", "-1h") == history(received, "--merge", "--until", "0s")
    assert len(history(received, "--merge", "--since", "yesterday")) == 5
    second = history(received, "--merge")[1]
    assert history(received, "--merge", "--since", second["time"], "--until", second["time"]) == [second]


def test_folders_and_bad_files():
    """journals in folders have the folder's name; a file that is none is said and hides no other"""
    copied = lab.folder()
    for name, (machine, address) in DEVICES.items():
        (copied / name).mkdir()
        lab.shutil.copy(received / f"remote-{address}.journal", copied / name / "system.journal")
    assert {h["sender"] for h in history(copied, "--merge")} == set(DEVICES)
    (copied / "pump-7" / "user.journal").write_bytes(b"no journal")
    (copied / "broken.journal").write_bytes(b"")
    done = ctl("history", "--directory", copied, "--merge", "--json")
    assert done.returncode == 2 and "broken.journal" in done.stderr and "user.journal" in done.stderr, done
    assert {h["sender"] for h in json.loads(done.stdout)["history"]} == set(DEVICES), done
    assert ctl("history", "--directory", copied / "none", "--merge").returncode == 2


def test_filtered_upload():
    """edgewatch-upload sends what edgewatchd wrote and nothing else, once"""
    directory = collect(FILTERED_PORT)
    pump = devices["pump-7"]
    done = pump("upload_filtered", FILTERED_PORT + 1)
    assert done["code"] != 0, done  # nobody is there: the same is sent the next time
    for _ in range(2):
        done = pump("upload_filtered", FILTERED_PORT)
        assert done["code"] == 0, done
    wanted = [h for h in merged(received) if h[0:2] == row("pump-7", "", "")[0:2]]
    lab.wait_until(lambda: merged(directory) == wanted, 30, "the filtered entries")
    pump("say", "port free again for later")
    done = pump("upload_filtered", FILTERED_PORT)
    assert done["code"] == 0, done
    wanted.append(row("pump-7", "later", "cleared"))
    lab.wait_until(lambda: merged(directory) == wanted, 30, f"{wanted}, not {merged(directory)}")
    units = {json.loads(line).get("_SYSTEMD_UNIT")
             for line in lab.command("journalctl", "-D", directory, "-o", "json").splitlines()}
    assert units == {"edgewatchd.service"}, units


def test_end():
    """the devices end in order"""
    for device in devices.values():
        device.end()


if sys.argv[1:2] == ["--device"]:
    Device(*sys.argv[2:]).run()
    sys.exit(0)

lab.need_root_and("unshare", "nsenter", "ss", "logger", "hostname", UPLOAD, REMOTE)
collector = lab.Namespace("fleet")
for _, address in DEVICES.values():
    collector.ip("address", "add", f"{address}/32", "dev", "lo")
received = collect(ALL_PORT)
devices = {name: Remote(name, collector) for name in DEVICES}
lab.run_cases([test_incidents_arrive, test_goes_on, test_forged, test_times, test_folders_and_bad_files,
               test_filtered_upload, test_end])
