#!/usr/bin/env python3
"""edgewatchd on a real journald: nothing lost, nothing twice, over kills, kills_after_the_end, rotation, vacuum and a journald restart."""

import os
import signal
import time

import lab

RULE = r"""
id: {id}
title: A port is taken
severity: error
message-id: 000000000000000000000000000000{number:02}
documentation: https://example.org/
layer: port
subject: ${{module}}
message: The port of ${{module}} is taken.
explanation: Another process listens on it.
remedy: {{where: device, text: End the other process.}}
confirm: {{conclusive: true}}
key: [module]
signals:
  taken: {{log: {{from: [{origin}], match: '{text} (?<module>\w+)'}}}}
  free: {{log: {{from: [{origin}], match: 'port free again for (?<module>\w+)'}}}}
when: [{{any: [taken]}}]
clear: [{{any: [free]}}]
"""
CONFIG = "sources: {docker: no, rtnetlink: no, units: no, files: no, metrics: no}\n"

PORT_TAKEN = RULE.format(id="port-taken", number=1, origin="runtime", text="port taken by stranger:")
ABSENT = """
id: no-answer
title: No answer
severity: error
message-id: 00000000000000000000000000000003
documentation: https://example.org/
layer: port
subject: host
message: No answer came.
explanation: None.
remedy: {where: device, text: Ask again.}
confirm: {conclusive: true}
signals:
  asked: {log: {from: [runtime], match: 'question asked'}}
  answered: {log: {from: [runtime], match: 'question answered'}}
when: [{after: asked, absent: [answered], for: 2s}]
clear: [{any: [answered]}]
"""

lab.need_root_and("unshare", "systemd-cat", "journalctl")
lab.own_mounts()
journald = lab.Journald()
edged = lab.Unit("aziot-edged.service")
daemon = lab.Daemon(PORT_TAKEN, ABSENT, config=CONFIG)


def alerts_of(subject, state=None):
    matches = [f"EDGEWATCH_SUBJECT={subject}"] + ([f"EDGEWATCH_STATE={state}"] if state else [])
    return lab.alerts(journald, *matches)


def wait_alert(subject, state="confirmed", seconds=15):
    lab.wait_until(lambda: alerts_of(subject, state), seconds,
                   f"{state} alert about {subject}; log: {daemon.log()[-1500:]}")
    return alerts_of(subject, state)


def raise_and_wait(subject):
    edged.say(f"port taken by stranger: {subject}")
    return wait_alert(subject)


def assert_never_twice():
    """Each (incident, sequence number) stands in the journal once, whatever was done to the daemon."""
    seen = [(e["EDGEWATCH_INCIDENT"], e["EDGEWATCH_SEQ"]) for e in journald.entries("SYSLOG_IDENTIFIER=edgewatchd")
            if "EDGEWATCH_INCIDENT" in e]
    twice = {s for s in seen if seen.count(s) > 1}
    assert not twice, f"written more than once: {twice}"


def backlog_and_live():
    """reads what was logged before it started, then follows"""
    edged.say("port taken by stranger: before")
    lab.wait_until(lambda: journald.entries("_SYSTEMD_UNIT=aziot-edged.service"), what="the writer's line")
    daemon.start()
    wait_alert("before")
    (entry,) = raise_and_wait("live")
    assert entry["EDGEWATCH_SYMPTOM"] == "port-taken", entry
    assert entry["MESSAGE_ID"] == "00000000000000000000000000000001", entry
    assert entry["MESSAGE"] == "The port of live is taken.", entry
    assert_never_twice()


def latency():
    """a line becomes a diagnosis within half a second at the median"""
    took = []
    for n in range(15):
        start = time.monotonic()
        raise_and_wait(f"fast{n}")
        took.append(time.monotonic() - start)
    took.sort()
    print(f"# line to alert, as read back: median {took[7] * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms")
    assert took[7] < 0.8, took


def clears():
    """an incident clears by its own condition"""
    raise_and_wait("passing")
    edged.say("port free again for passing")
    (entry,) = wait_alert("passing", "cleared")
    assert int(entry["EDGEWATCH_SEQ"]) > int(alerts_of("passing", "confirmed")[0]["EDGEWATCH_SEQ"])


def forged():
    """a line of another unit under the same name raises nothing"""
    stranger = lab.Unit("some-module.service")
    stranger.say("port taken by stranger: forged")
    # journald asks for the writer's unit when it reads the line: the writer has to live until then
    lab.wait_until(lambda: journald.entries("_SYSTEMD_UNIT=some-module.service"), what="the stranger's line")
    stranger.stop()
    raise_and_wait("after-forged".replace("-", "_"))
    assert not alerts_of("forged")


def absence():
    """an absence fires after its window, and only when nothing came"""
    edged.say("question asked")
    time.sleep(0.5)  # the answer is to come within the window, not in the same batch
    edged.say("question answered")
    time.sleep(3.5)  # window and grace pass
    assert not lab.alerts(journald, "EDGEWATCH_SYMPTOM=no-answer")
    edged.say("question asked")
    start = time.monotonic()
    lab.wait_until(lambda: lab.alerts(journald, "EDGEWATCH_SYMPTOM=no-answer"), 10, "the absence")
    assert time.monotonic() - start > 1.9


def restart():
    """a restart loses and repeats nothing"""
    daemon.stop()
    edged.say("port taken by stranger: while_stopped")
    daemon.start()
    wait_alert("while_stopped")
    assert len(alerts_of("live", "confirmed")) == 1
    assert_never_twice()


def kills():
    """kill -9 at any moment loses and repeats nothing"""
    for n in range(12):
        edged.say(*(f"port taken by stranger: kill{n}x{i}" for i in range(3)))
        time.sleep(0.025 * n)  # each kill hits another moment between line and saved state
        daemon.kill()
        edged.say(f"port taken by stranger: dead{n}")
        daemon.start()
    for n in range(12):
        wait_alert(f"dead{n}")
        for i in range(3):
            wait_alert(f"kill{n}x{i}")
    assert_never_twice()


def kills_after_the_end():
    """what comes back at once after it cleared is alerted, though the daemon was killed in between"""
    edged.say(*("port taken by stranger: again", "port free again for again") * 3)
    lab.wait_until(lambda: len(alerts_of("again", "cleared")) == 3, what="each end")
    assert len(alerts_of("again", "confirmed")) == 3
    for n in range(6):
        edged.say(f"port taken by stranger: again{n}", f"port free again for again{n}")
        wait_alert(f"again{n}", "cleared")
        daemon.kill()
        edged.say(f"port taken by stranger: again{n}")
        daemon.start()
        lab.wait_until(lambda n=n: len(alerts_of(f"again{n}", "confirmed")) == 2, 15,
                       f"the second alert; log: {daemon.log()[-1500:]}")
    assert_never_twice()


def rotation():
    """rotation in the middle of a stream"""
    for n in range(6):
        edged.say(*(f"noise {n} {i}" for i in range(200)), f"port taken by stranger: rotated{n}")
        journald.rotate()
    for n in range(6):
        wait_alert(f"rotated{n}")
    assert_never_twice()


def vacuum():
    """vacuum takes the files that were read"""
    journald.vacuum()
    raise_and_wait("vacuumed")
    daemon.stop()
    edged.say("port taken by stranger: vacuumed_stopped")
    journald.rotate()
    edged.say("port taken by stranger: vacuumed_after")
    lab.wait_until(lambda: len(journald.entries("_SYSTEMD_UNIT=aziot-edged.service")) > 2, what="the lines")
    journald.vacuum()
    daemon.start()
    wait_alert("vacuumed_after")


def journald_restart():
    """journald itself restarts"""
    journald.stop()
    journald.start()
    edged.start()
    raise_and_wait("journald_restarted")


def reload_rules():
    """SIGHUP takes new rules, and keeps the old ones when the new are bad"""
    rules = daemon.dir / "rules"
    (rules / "90.yaml").write_text("id: [broken\n")
    daemon.process.popen.send_signal(signal.SIGHUP)
    lab.wait_until(lambda: "Not reloaded" in daemon.log(), what="the refusal")
    assert f"{rules}/90.yaml:" in daemon.log(), daemon.log()[-800:]
    raise_and_wait("refused_reload")
    (rules / "90.yaml").unlink()
    daemon.add_rule(RULE.format(id="other", number=2, origin="identity", text="other fault of"))
    identity = lab.Unit("aziot-identityd.service")
    daemon.process.popen.send_signal(signal.SIGHUP)
    lab.wait_until(lambda: "Reloaded: 3 rules" in daemon.log(), what="the reload")
    identity.say("other fault of identityd")
    wait_alert("identityd")
    identity.stop()
    assert_never_twice()


def bad_state():
    """a state file that cannot be read is set aside, nothing is alerted twice"""
    daemon.stop()
    (daemon.dir / "state" / "state.json").write_text('{"version": 1, "sou')
    daemon.start()
    assert list((daemon.dir / "state").glob("state.json.unreadable.*"))
    raise_and_wait("after_bad_state")
    assert_never_twice()


def read_only_state():
    """a state directory that cannot be written does not stop it"""
    lab.command("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", daemon.dir / "state")
    raise_and_wait("read_only")
    lab.wait_until(lambda: "Failed to save the state" in daemon.log(), what="the complaint")
    raise_and_wait("read_only_still")
    lab.command("umount", daemon.dir / "state")
    lab.wait_until(lambda: "The state is saved again" in daemon.log(), 20, what="saving again")


def no_journal():
    """no journal: degraded with a reason, live as soon as there is one"""
    empty = lab.folder()
    other = lab.Daemon(PORT_TAKEN, config=CONFIG, options=["--journal-directory", empty]).start()
    lab.wait_until(lambda: "no journal files" in other.log(), what="the reason")
    source = max((p for p in lab.Path("/var/log/journal").rglob("system.journal")), key=lambda p: p.stat().st_mtime)
    (empty / "system.journal").write_bytes(source.read_bytes())
    lab.wait_until(lambda: "Source journal works again" in other.log(), 20, "the journal to be found")
    other.stop()


def watchdog():
    """the watchdog is served while there is progress"""
    daemon.stop()
    daemon.start(WATCHDOG_USEC="1000000")
    for _ in range(3):
        daemon.wait_notified("WATCHDOG=1")
    daemon.stop()


lab.run_cases([backlog_and_live, latency, clears, forged, absence, restart, kills, rotation, vacuum, journald_restart,
               reload_rules, bad_state, read_only_state, no_journal, watchdog])
