"""What edgewatch repairs on the device by itself, one function a case, in the order of CASES: nobody lends a hand between
the fault and the end of its incident. Each leaves the device healthy, without a trace of the repair."""

import contextlib
import json
import time

import cases
from device import HUB_NAME, NAME_SERVER
from lab import wait_until

ALLOWED = "/etc/edgewatch/edgewatch.yaml.d/repairs.yaml"


def configure_fixes(text):
    """Has edgewatchd read a drop-in; "" removes it."""
    if text:
        cases.device.write(ALLOWED, text)
    else:
        (cases.device.root / ALLOWED.lstrip("/")).unlink()
    cases.device.run("edgewatchctl", "reload")


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
        said = [e["MESSAGE"] for e in cases.device.journal("-t", "edgewatchd", "-t", "edgewatch-fix")
                if int(e["__REALTIME_TIMESTAMP"]) >= begin]
        raise AssertionError(f"{error}: {said}") from None
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


@contextlib.contextmanager
def fixes(text):
    """Goes on with such a section of the configuration."""
    configure_fixes("fixes:\n" + text)
    try:
        yield
    finally:
        configure_fixes("")


def history():
    return cases.device.edgewatchctl("fix", "history")["runs"]


def undo_last():
    """Takes back the last run, as a person."""
    answer = cases.device.edgewatchctl("fix", "undo", history()[-1]["run"])
    assert answer["result"]["outcome"] == "undone", answer


def set_forwarding(value):
    cases.device.run("sysctl", "-q", "-w", f"net.ipv4.ip_forward={value}")


def forwarding():
    return cases.device.run("sysctl", "-n", "net.ipv4.ip_forward")


def sysctl_files():
    """What edgewatch wrote for the next boot, and anything that it left beside."""
    return cases.device.sh("find /etc/sysctl.d -name '*edgewatch*'").split()


def forwarding_repaired():
    """forwarding turned off: on again by itself, now and for the next boot, and off once a person takes that back"""
    with repaired("ip-forward-disabled", "ip-forward") as report:
        set_forwarding(0)
    incident = cases.device.edgewatchctl("explain", report["EDGEWATCH_INCIDENT"])
    assert (incident["state"], incident["fix_state"]) == ("cleared", "fixed"), incident
    [file] = sysctl_files()
    assert forwarding() == "1" and "net.ipv4.ip_forward = 1" in cases.device.read(file)
    begin = cases.now()
    undo_last()
    assert forwarding() == "0" and not sysctl_files(), sysctl_files()
    cases.wait_alert("ip-forward-disabled", "confirmed", begin, 15)
    set_forwarding(1)
    cases.wait_alert("ip-forward-disabled", "cleared", begin, 30)


@contextlib.contextmanager
def impatient_recovery():
    """A recovery that failed is tried again after seconds, not after 5 min."""
    cases.device.write("/etc/systemd/system/edgewatch-fix-recover.service.d/test.conf", "[Service]\nRestartSec=2s\nExecStart=\n"
                       "ExecStart=/usr/lib/edgewatch/edgewatch-fix --recover --recovery-pause 1s\n")
    cases.device.run("systemctl", "daemon-reload")
    yield
    cases.device.sh("rm -r /etc/systemd/system/edgewatch-fix-recover.service.d && systemctl daemon-reload")


def undone_later():
    """what cannot be taken back is said and tried again by systemd, without a hand, until it can be"""
    cases.device.sh("cp -a /etc/sysctl.d /run/sysctl && mount -t tmpfs tmpfs /etc/sysctl.d && cp -a /run/sysctl/. /etc/sysctl.d")
    with impatient_recovery():
        set_forwarding(0)
        assert cases.device.edgewatchctl("fix", "apply", "ip-forward", "--yes")["result"]["outcome"] == "fixed"
        cases.device.sh("mount -o remount,ro /etc/sysctl.d")
        assert cases.device.edgewatchctl("fix", "undo", history()[-1]["run"])["result"]["outcome"] == "failed"
        wait_until(lambda: [e.get("EDGEWATCH_FIX_STATE") for e in cases.device.journal("-u", "edgewatch-fix-recover")].count(
            "failed") > 1, 30, "two recoveries that failed")
        cases.device.sh("mount -o remount,rw /etc/sysctl.d")
        wait_until(lambda: history()[-1]["outcome"] == "undone", 30, "one that did not")
        assert forwarding() == "0" and not sysctl_files(), sysctl_files()
    set_forwarding(1)
    wait_until(lambda: not cases.active("ip-forward-disabled"), 30, "the end of the incident")
    cases.device.sh("umount /etc/sysctl.d && rm -r /run/sysctl")


def cut_off_by(signal):
    cases.device.sh("rm -f /var/lib/edgewatch-fix/ledger.json")
    with impatient_recovery(), fixes("  mode: off\n  override:\n    ip-forward: apply\n"):
        begin = cases.now()
        set_forwarding(0)
        cases.device.sh(f"""timeout 30 sh -c 'until ls /var/lib/edgewatch-fix/pending/*.json; do sleep 0.01; done'
                           systemctl kill --signal={signal} 'edgewatch-fix@*'""")
        incident = cases.wait_alert("ip-forward-disabled", "confirmed", begin, 15)["EDGEWATCH_INCIDENT"]
        wait_until(lambda: any(f"no result for incident {incident}" in e["MESSAGE"] for e in cases.device.journal("-t", "edgewatchd")),
                   10, "edgewatchd's complaint")
        run = wait_until(lambda: [r for r in history() if r["incident"] == incident and r["ended"]], 30, "the recovery")[-1]
        wait_until(lambda: cases.device.edgewatchctl("explain", incident)["fix_state"] == run["outcome"], 30, run["outcome"])
    set_forwarding(1)
    wait_until(lambda: not cases.active("ip-forward-disabled"), 30, "the end of the incident")
    cases.device.sh("rm -f /etc/sysctl.d/*edgewatch*")


def cut_off():
    """the fixer is killed at work, or told to end: the incident tells what its recovery made of it"""
    for signal in ("KILL", "TERM"):
        cut_off_by(signal)


def outside_of_windows():
    """outside of the maintenance windows nothing is repaired, and the journal says so"""
    hour = (time.gmtime().tm_hour + 2) % 24  # the device's zone is UTC
    window = f'  windows:\n    - from: "{hour:02}:00"\n      to: "{hour:02}:30"\n'
    with fixes("  mode: apply\n  cooldown: 1s\n" + window), cases.diagnosed("ip-forward-disabled") as begin:
        set_forwarding(0)
        incident = cases.wait_alert("ip-forward-disabled", "confirmed", begin, 15)["EDGEWATCH_INCIDENT"]
        state, entry = wait_until(lambda: said_by_fixer(incident), 20, "a refusal")[-1]
        assert state == "refused" and "maintenance windows" in entry["MESSAGE"], entry
        assert forwarding() == "0" and not sysctl_files()
        set_forwarding(1)


def only_planned():
    """in the mode plan a plan is made, told, and not carried out"""
    before = history()
    with fixes("  mode: plan\n"), cases.diagnosed("ip-forward-disabled") as begin:
        set_forwarding(0)
        alert = cases.wait_alert("ip-forward-disabled", "fix", begin, 30)
        assert alert["EDGEWATCH_FIX_STATE"] == "planned" and "edgewatchctl fix plan" in alert["MESSAGE"], alert
        plan = cases.device.edgewatchctl("fix", "plan", alert["EDGEWATCH_INCIDENT"])["plan"]
        assert "/etc/sysctl.d/" in json.dumps(plan["steps"]), plan
        assert forwarding() == "0" and not sysctl_files() and history() == before
        set_forwarding(1)


def consented():
    """a person whom polkit lets repairs without being root and takes it back; another one may do neither"""
    rule = "/etc/polkit-1/rules.d/50-operators.rules"
    cases.device.write(rule, """polkit.addRule(function(action, subject) {
        if (action.id == "org.edgewatch1.fix" && subject.user == "games") return polkit.Result.YES; });""")
    cases.device.run("systemctl", "restart", "polkit")

    def ask_as(user, *what):
        answer = cases.device.run("setpriv", f"--reuid={user}", "--clear-groups", "edgewatchctl", "fix", *what, "--json", check=False)
        return json.loads(answer)["result"]
    set_forwarding(0)
    refusal = ask_as("nobody", "apply", "ip-forward", "--yes")
    assert refusal["outcome"] == "error" and "polkit" in refusal["because"] and forwarding() == "0", refusal
    assert ask_as("games", "apply", "ip-forward", "--yes")["outcome"] == "fixed" and forwarding() == "1"
    run = history()[-1]
    assert run["by"] == "uid 5", run
    assert ask_as("nobody", "undo", run["run"])["outcome"] == "error" and forwarding() == "1"
    assert ask_as("games", "undo", run["run"])["outcome"] == "undone" and forwarding() == "0"
    set_forwarding(1)
    wait_until(lambda: not cases.active("ip-forward-disabled"), 30, "the end of the incident")
    (cases.device.root / rule.lstrip("/")).unlink()


def network():
    """What of the modules' network is not another one each time."""
    [inspected] = json.loads(cases.device.run("docker", "network", "inspect", "azure-iot-edge"))
    return {key: value for key, value in inspected.items() if key not in ("Id", "Created", "Containers")}


def modules_run():
    return cases.device.is_running("edgeAgent") and cases.device.is_running("edgeHub")


def uplink_repaired():
    """an uplink of 1430 bytes: the modules' network is made anew with what fits, is as it was else, and they run on it"""
    before = network()
    with repaired("agent-lte-mtu", "docker-network-mtu"):
        cases.device.set_uplink_mtu(1430)
        cases.restart_agent()
    narrowed = {**before, "Options": {**before["Options"], "com.docker.network.driver.mtu": "1430"}}
    assert network() == narrowed, f"{before} became {network()}"
    wait_until(modules_run, 60, "the modules")
    cases.device.set_uplink_mtu(1500)
    undo_last()
    assert network() == before, f"{before} became {network()}"
    wait_until(modules_run, 60, "the modules")


def engine_settings():
    return json.loads(cases.device.read("/etc/docker/daemon.json"))


def dns_repaired():
    """containers ask a dead name server: the engine is told of the host's own, beside what else its file says; undone, too"""
    broken = {"log-driver": "journald", "dns": ["192.0.2.99"], "labels": ["site=north"]}
    with repaired("agent-empty-config-dns", "docker-dns", seconds=90) as report:
        cases.set_engine(**broken)
    assert engine_settings() == {**broken, "dns": [NAME_SERVER]}, engine_settings()
    assert modules_run() and HUB_NAME in report["MESSAGE"], report
    undo_last()
    assert engine_settings() == broken and not cases.device.sh("ls /etc/docker | grep edgewatch", check=False)
    cases.set_engine()
    wait_until(modules_run, 90, "the modules")
    wait_until(lambda: not cases.active("agent-empty-config-dns"), 90, "the end of what the undo brought back")


CASES = [sockets_by_path, sockets_not_handed, forwarding_repaired, undone_later, cut_off, outside_of_windows, only_planned, consented, uplink_repaired,
         dns_repaired]
