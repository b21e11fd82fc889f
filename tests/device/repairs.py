"""What edgewatch repairs on the device by itself, one function a case, in the order of CASES: nobody lends a hand between
the fault and the end of its incident. Each leaves the device healthy, without a trace of the repair."""

import contextlib

import cases
from lab import wait_until

ALLOWED = "/etc/edgewatch/edgewatch.yaml.d/repairs.yaml"


def configure_fixes(text):
    """Restarts edgewatchd with a drop-in of its own; "" removes it."""
    if text:
        cases.device.write(ALLOWED, text)
    else:
        (cases.device.root / ALLOWED.lstrip("/")).unlink()
    cases.device.run("systemctl", "restart", "edgewatchd")
    wait_until(lambda: all(s["state"] == "live" for s in cases.device.edgewatchctl("status")["sources"]), 60, "all sources live")


def said_by_fixer(incident):
    """What the fixer did about it, oldest first: (state, entry)."""
    return [(e["EDGEWATCH_FIX_STATE"], e) for e in cases.device.journal("-t", "edgewatch-fix", f"EDGEWATCH_INCIDENT={incident}")
            if "EDGEWATCH_FIX_STATE" in e]


@contextlib.contextmanager
def repaired(symptom, fix, seconds=60, clears=240):
    """Only this fix may be applied. What is broken inside of it is diagnosed, repaired, verified and reported; yields what
    holds the entry of the journal that says so afterwards."""
    # An attempt before would have the next one wait for an hour.
    cases.device.sh("rm -f /var/lib/edgewatch-fix/ledger.json")
    configure_fixes(f"fixes:\n  mode: off\n  override:\n    {fix}: apply\n")
    begin, report = cases.now(), {}
    yield report
    alert = cases.wait_alert(symptom, "confirmed", begin, seconds)
    incident = alert["EDGEWATCH_INCIDENT"]
    try:
        wait_until(lambda: said_by_fixer(incident) and said_by_fixer(incident)[-1][0] not in ("planned", "fixing", "undoing"),
                   clears, f"{fix}'s end")
    except AssertionError as error:
        raise AssertionError(f"{error}: {[e['MESSAGE'] for _, e in said_by_fixer(incident)]}") from None
    states = [state for state, _ in said_by_fixer(incident)]
    assert states[0] == "planned" and states[-1] == "fixed" and set(states[1:-1]) == {"fixing"}, \
        [e["MESSAGE"] for _, e in said_by_fixer(incident)]
    report.update(said_by_fixer(incident)[-1][1])
    cases.wait_alert(symptom, "cleared", begin, clears)
    assert not cases.active(symptom), f"{symptom} is still listed"
    [run] = [r for r in cases.device.edgewatchctl("fix", "history")["runs"] if r["incident"] == incident]
    assert (run["fix"], run["outcome"], run["by"]) == (fix, "fixed", "edgewatchd"), run
    configure_fixes("")


def repair_sockets(change):
    with repaired("daemon-socket-permission", "daemon-sockets") as report:
        cases.disable_sockets(change)
    assert "the daemon answers" in report["MESSAGE"], report
    units = (*cases.SOCKETS, "aziot-edged.service")
    for verb, state in (("is-active", "active"), ("is-enabled", "enabled")):
        assert cases.device.run("systemctl", verb, *units, check=False).split() == [state] * 3, verb
    for path in ("/etc/aziot/config.toml", "/etc/aziot/edged/config.d/00-super.toml"):
        assert "unix:///var/run/iotedge/" not in cases.device.read(path).partition("[listen]")[2].partition("\n[")[0], path
    assert "edgeHub" in cases.device.run("iotedge", "list")
    wait_until(lambda: cases.device.is_running("edgeHub"), 60, "edgeHub")
    cases.device.sh("find /etc/aziot -name '*.edgewatch-*' -delete")
    cases.enable_sockets()


def sockets_by_path():
    """sockets named by path, units disabled: diagnosed, repaired, verified and reported without a hand on the device"""
    repair_sockets(cases.named_by_path)


def sockets_not_handed():
    """the socket units are disabled while the configuration waits for them: repaired, too"""
    repair_sockets(cases.unchanged)


CASES = [sockets_by_path, sockets_not_handed]
