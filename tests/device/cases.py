"""What happens to the device, one function a case, in the order of CASES and LIFE; each leaves the
device healthy."""

import contextlib
import copy
import json
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from device import HUB_MODULE, ROOT
from lab import command, wait_until

device = None
pictures = []
MODULES = {"edgeHub": HUB_MODULE}  # what the hub has deployed
BUILD = os.environ.get("EDGEWATCH_DEVICE_BUILD", str(ROOT / "build-device"))
PACKAGES = []


def package():
    """The package of this tree."""
    if not PACKAGES:
        PACKAGES.append(Path(command(ROOT / "tests/packaging/built-deb", BUILD)))
    return PACKAGES[0]


def install(d, deb=None):
    """As a user would. What it depends on is on the device, or apt would have to ask the network."""
    shutil.copy(deb or package(), d.root / "root" / "edgewatch.deb")
    d.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "--no-install-recommends",
          "-o", "Dpkg::Options::=--force-confold", "-o", "APT::Sandbox::User=root", "install", "/root/edgewatch.deb")


def install_previous(d):
    """The version before: the package with a lower number, and another configuration file."""
    with tempfile.TemporaryDirectory() as folder:
        tree, deb = Path(folder) / "tree", Path(folder) / "edgewatch.deb"
        command("dpkg-deb", "-R", package(), tree)
        control, config = tree / "DEBIAN/control", tree / "etc/edgewatch/edgewatch.yaml"
        control.write_text(re.sub("^(Version: .*)", r"\1~previous", control.read_text(), flags=re.M))
        config.write_text("# As it was shipped before.\n" + config.read_text())
        command("dpkg-deb", "-b", "--root-owner-group", tree, deb)
        install(d, deb)


def version():
    return device.run("dpkg-query", "-W", "-f=${Version}", "edgewatch")


def incidents():
    return device.edgewatchctl("list")["incidents"]


def active(symptom):
    return [i for i in incidents() if i["symptom"] == symptom and i["state"] in ("suspected", "confirmed")]


def now():
    """The journal's time, in microseconds."""
    return int(time.time() * 1e6)


def wait_alert(symptom, change, since, seconds):
    """An alert after a point of time."""
    def find():
        return [a for a in device.alerts(symptom) if a["EDGEWATCH_CHANGE"] == change
                and int(a["__REALTIME_TIMESTAMP"]) >= since]
    try:
        return wait_until(find, seconds, f"{symptom} {change}")[0]
    except AssertionError as error:
        said = [e["MESSAGE"] for e in device.journal("-t", "edgewatchd")][-8:]
        raise AssertionError(f"{error}; edgewatchd said {said}; list: {incidents()}") from None


@contextlib.contextmanager
def diagnosed(symptom, seconds=30, clears=30):
    """What is broken inside of it is alerted once it is broken; what the caller heals after `yield` clears."""
    begin = now()
    yield begin
    wait_alert(symptom, "cleared", begin, clears)
    assert not active(symptom), f"{symptom} is still listed"


def picture():
    """What a look at the device must not change: configuration, networks, forwarding, firewall, containers' images."""
    return device.sh("""find /etc -type f ! -path '/etc/edgewatch/*' ! -name '*.cache' -print0 | sort -z | xargs -0 sha256sum
                        stat -c '%n %a %U %G' /etc/docker/daemon.json /etc/aziot/*/config.d/*
                        docker network inspect -f '{{.Name}} {{.Id}} {{.Options}} {{.IPAM}}' azure-iot-edge
                        sysctl -a -r 'net.ipv4.(ip_forward|conf.*forwarding)' 2>/dev/null | grep -v veth
                        iptables-save | grep '^[-:]' | sed 's/ \\[.*//' | sort
                        docker image ls -q | sort
                        systemctl list-unit-files --no-legend 'aziot*' 'docker*'""")


def state_of_units():
    return device.sh("systemctl is-active edgewatchd.service edgewatch-fix.socket edgewatch-gate.socket edgewatch-probe.socket",
                     check=False).split()


def boots_and_watches():
    """a healthy device stays silent: of edgewatchd there is only its start in the journal"""
    device.boot()
    install_previous(device)
    wait_until(lambda: all(s["state"] == "live" for s in device.edgewatchctl("status")["sources"]), 30, "all sources live")
    assert not incidents(), incidents()
    said = [(e["PRIORITY"], e["MESSAGE"]) for e in device.journal("-t", "edgewatchd")]
    assert len(said) == 1, said
    assert state_of_units() == ["active"] * 4, state_of_units()
    assert device.sh("systemctl is-enabled edgewatch-metrics.timer", check=False) == "disabled"
    pictures.append(picture())


def ask_as(user, socket, request):
    """What a user gets on a socket: the answer, or why there is none."""
    script = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
              "try:\n s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode()); print(s.makefile().read())\n"
              "except OSError as error:\n print(error.strerror)")
    return device.run("setpriv", f"--reuid={user}", "--clear-groups", "python3", "-c", script, socket, request)


def rights_are_split():
    """only edgewatchd's user gets to the gate and the prober; the fixer refuses it what is off, and strangers everything"""
    ping, post = "GET /_ping HTTP/1.1\r\n\r\n", "POST /containers/edgeHub/stop HTTP/1.1\r\n\r\n"
    assert ask_as("edgewatch", "/run/edgewatch-gate.sock", ping).endswith("OK")
    assert "only GET is let through" in ask_as("edgewatch", "/run/edgewatch-gate.sock", post)
    for socket in ("gate", "probe"):
        assert ask_as("nobody", f"/run/edgewatch-{socket}.sock", ping) == "Permission denied"
    assert ask_as("edgewatch", "/run/docker.sock", ping) == "Permission denied"
    apply = json.dumps({"do": "apply", "fix": "ip-forward"}) + "\n"
    assert '"outcome":"error"' in ask_as("nobody", "/run/edgewatch-fix.sock", apply)
    with diagnosed("ip-forward-disabled") as begin:
        device.run("sysctl", "-w", "net.ipv4.ip_forward=0")
        wait_alert("ip-forward-disabled", "confirmed", begin, 15)
        answer = json.loads(ask_as("edgewatch", "/run/edgewatch-fix.sock", apply))
        assert answer["outcome"] == "refused" and "off" in answer["because"], answer
        assert device.run("sysctl", "-n", "net.ipv4.ip_forward") == "0"
        device.run("sysctl", "-w", "net.ipv4.ip_forward=1")


def engine_of_another_group():
    """Docker's socket belongs to another group: status names it, and the drop-in that it names helps"""
    def docker():
        return next(s for s in device.edgewatchctl("status")["sources"] if s["name"] == "docker")
    drop_in = "/etc/systemd/system/edgewatch-gate.service.d/docker.conf"
    device.sh("chgrp games /run/docker.sock && systemctl restart edgewatchd")
    wait_until(lambda: docker()["state"] == "degraded", 20, "a degraded source")
    assert "SupplementaryGroups=games" in docker()["reason"] and drop_in in docker()["reason"], docker()
    assert "SupplementaryGroups=games" in device.run("systemctl", "status", "edgewatch-gate")
    device.write(drop_in, "[Service]\nSupplementaryGroups=games\n")
    device.sh("systemctl daemon-reload && systemctl restart edgewatch-gate")
    wait_until(lambda: docker()["state"] == "live", 40, "the source")
    device.sh(f"rm {drop_in} && chgrp docker /run/docker.sock && systemctl daemon-reload && systemctl restart edgewatch-gate")
    wait_until(lambda: docker()["state"] == "live", 40, "the source")


def without_hub():
    device.world.deploy({name: module for name, module in MODULES.items() if name != "edgeHub"})
    # Gone, not just down: one that ends again and again is down now and then.
    wait_until(lambda: not device.run("docker", "ps", "-aq", "--filter", "name=^edgeHub$"), 40, "edgeHub's end")


def port_taken():
    """another container holds 443: edgeHub's port conflict, with the holder, and it clears once the port is free"""
    with diagnosed("hub-port-conflict") as begin:
        without_hub()
        device.run("docker", "run", "-d", "--name", "squatter", "-p", "443:443", "edge-sim:1", "sleep", "600")
        device.world.deploy(MODULES)
        alert = wait_alert("hub-port-conflict", "confirmed", begin, 30)
        assert "squatter" in alert["EDGEWATCH_CAUSE"] + str(alert["EDGEWATCH_REMEDY"]), alert
        device.run("docker", "rm", "-f", "squatter")


def forwarding_off():
    """net.ipv4.ip_forward is 0: told at once, cleared by 1"""
    with diagnosed("ip-forward-disabled") as begin:
        device.run("sysctl", "-w", "net.ipv4.ip_forward=0")
        wait_alert("ip-forward-disabled", "confirmed", begin, 15)
        device.run("sysctl", "-w", "net.ipv4.ip_forward=1")


def pull_refused():
    """a registry refuses an image: image-pull-403 of that image, cleared once it is there"""
    image = "localhost:5000/private:1"
    device.run("systemd-run", "--quiet", "--unit=registry", "/usr/libexec/aziot/refusing-registry")
    with diagnosed("image-pull-403") as begin:
        device.world.deploy({**MODULES, "private": {"settings": {"image": image}}})
        alert = wait_alert("image-pull-403", "confirmed", begin, 30)
        assert image in alert["EDGEWATCH_SUBJECT"], alert
        device.run("docker", "tag", "edge-sim:1", image)
        MODULES["private"] = {"imagePullPolicy": "never", "settings": {
            "image": image, "createOptions": {"Cmd": ["sleep", "86400"]}}}
        device.world.deploy(MODULES)
    device.run("systemctl", "stop", "registry")


def restart_agent():
    device.run("iotedge", "restart", "edgeAgent")


def narrow_uplink():
    """the uplink carries 1430 bytes, the modules' network 1500: TLS stalls, agent-lte-mtu names both"""
    with diagnosed("agent-lte-mtu") as begin:
        device.set_uplink_mtu(1430)
        restart_agent()
        alert = wait_alert("agent-lte-mtu", "confirmed", begin, 60)
        assert "1500" in alert["MESSAGE"] and "1430" in alert["MESSAGE"] and "wwan0" in alert["MESSAGE"], alert
        device.set_uplink_mtu(1500)


def set_engine(**settings):
    device.write("/etc/docker/daemon.json", json.dumps({"log-driver": "journald", **settings}) + "\n")
    device.sh("systemctl reset-failed docker; systemctl restart docker")  # starts are counted, those of other cases too


def dns_dead_in_containers():
    """containers ask a dead name server, the host a living one: agent-empty-config-dns"""
    with diagnosed("agent-empty-config-dns", clears=60) as begin:
        set_engine(dns=["192.0.2.99"])
        wait_alert("agent-empty-config-dns", "confirmed", begin, 90)
        set_engine()
    wait_until(lambda: device.is_running("edgeHub"), 30, "edgeHub")


def amqp_dropped():
    """the firewall drops 5671 of what is forwarded: agent-amqp-blocked, and 443 is said to be open"""
    rule = ("FORWARD", "-p", "tcp", "--dport", "5671", "-j", "DROP")
    with diagnosed("agent-amqp-blocked") as begin:
        device.run("iptables", "-I", *rule)
        alert = wait_alert("agent-amqp-blocked", "confirmed", begin, 240)
        assert "5671" in alert["MESSAGE"] and "443 is open" in alert["MESSAGE"], alert
        device.run("iptables", "-D", *rule)


def configure(change):
    """Applies the super-config with a change of its text."""
    before = (Path(__file__).parent / "runtime" / "config.toml").read_text()
    device.write("/etc/aziot/config.toml", change(before), 0o600)
    device.run("iotedge", "config", "apply")


def unchanged(text):
    return text


SOCKETS = ("aziot-edged.mgmt.socket", "aziot-edged.workload.socket")


def named_by_path(text):
    """The daemon is to make its sockets itself where only root may."""
    return text + ('\n[listen]\nmanagement_uri = "unix:///var/run/iotedge/mgmt.sock"\n'
                   'workload_uri = "unix:///var/run/iotedge/workload.sock"\n')


def disable_sockets(change):
    """The daemon's unit asks for the sockets no more: else they would be started with it."""
    unit = device.read("/usr/lib/systemd/system/aziot-edged.service")
    device.write("/etc/systemd/system/aziot-edged.service", re.sub("^Requires=.*\n", "", unit, flags=re.M))
    device.run("systemctl", "daemon-reload")
    configure(change)
    device.run("systemctl", "disable", "--now", "--quiet", *SOCKETS)
    device.run("systemctl", "restart", "aziot-edged.service")


def enable_sockets():
    (device.root / "etc/systemd/system/aziot-edged.service").unlink()
    device.run("systemctl", "daemon-reload")
    device.run("systemctl", "enable", "--quiet", *SOCKETS)
    configure(unchanged)
    wait_until(lambda: device.is_running("edgeHub"), 60, "edgeHub")


def sockets_disabled():
    """the daemon's socket units are disabled: daemon-socket-permission names the unit to enable"""
    with diagnosed("daemon-socket-permission") as begin:
        disable_sockets(named_by_path)
        alert = wait_alert("daemon-socket-permission", "confirmed", begin, 30)
        assert "may not create its management socket" in alert["MESSAGE"] and SOCKETS[0] in alert["MESSAGE"], alert
        enable_sockets()


def sockets_forgotten():
    """the socket units are disabled while the configuration still waits for them: daemon-socket-permission, too"""
    with diagnosed("daemon-socket-permission") as begin:
        disable_sockets(unchanged)
        alert = wait_alert("daemon-socket-permission", "confirmed", begin, 30)
        assert "is not handed its management socket" in alert["MESSAGE"] and SOCKETS[0] in alert["MESSAGE"], alert
        enable_sockets()


def rename(hostname):
    """As `iotedge config apply` wants it: it refuses as long as there are containers."""
    change = lambda text: text.replace('"edge-device"', f'"{hostname}"', 1)  # noqa: E731
    try:
        configure(change)
    except AssertionError as error:
        assert "Cannot apply config because the hostname" in str(error), error
    else:
        raise AssertionError("config apply took another hostname while there were containers")
    device.run("iotedge", "system", "stop")
    device.sh("docker rm -f $(docker ps -aq -f label=net.azure-devices.edge.owner)")
    configure(change)


def hostname_too_long():
    """a hostname of 65 characters: edgeHub gets no certificate, hostname-invalid"""
    with diagnosed("hostname-invalid", clears=90) as begin:
        rename("e" * 65)
        alert = wait_alert("hostname-invalid", "confirmed", begin, 60)
        assert "65" in alert["MESSAGE"], alert
        rename("edge-device")
    cleared = wait_alert("hostname-invalid", "cleared", begin, 1)
    assert "65 characters" in cleared["MESSAGE"], cleared  # as it was, not as it is
    wait_until(lambda: device.is_running("edgeHub"), 60, "edgeHub")


def parent_unreachable():
    """a parent that is not there: gateway-http-unreachable, cleared with the parent out of the configuration"""
    with diagnosed("gateway-http-unreachable", clears=60) as begin:
        configure(lambda text: text.replace("\n[provisioning]", 'parent_hostname = "parent.example"\n\n[provisioning]', 1))
        alert = wait_alert("gateway-http-unreachable", "confirmed", begin, 90)
        assert alert["EDGEWATCH_SUBJECT"] == "parent.example", alert
        configure(unchanged)
    wait_until(lambda: device.is_running("edgeHub"), 60, "edgeHub")


def given_up():
    """a module that cannot be started, tried twenty times: module-restart-exhausted, over when it is removed"""
    with diagnosed("module-restart-exhausted") as begin:
        device.world.deploy({**MODULES, "unable": {"imagePullPolicy": "never", "settings": {
            "image": "edge-sim:1", "createOptions": {"Cmd": ["/no/such/program"]}}}})
        alert = wait_alert("module-restart-exhausted", "confirmed", begin, 150)
        assert alert["EDGEWATCH_SUBJECT"] == "unable", alert
        device.world.deploy(MODULES)


def hub_out_of_memory():
    """the kernel kills edgeHub for its memory: hub-oom-small-device. It stays for an hour"""
    begin = now()
    greedy = copy.deepcopy(HUB_MODULE)
    greedy["env"] = {"EAT_MEMORY": "1"}
    greedy["settings"]["createOptions"]["HostConfig"]["Memory"] = 64 << 20
    without_hub()
    device.world.deploy({**MODULES, "edgeHub": greedy})
    wait_alert("hub-oom-small-device", "confirmed", begin, 60)
    without_hub()
    device.world.deploy(MODULES)
    wait_until(lambda: device.is_running("edgeHub"), 20, "edgeHub")


def nothing_changed():
    """after all this the device is as it was: looking changes nothing"""
    before, after = (set(text.splitlines()) for text in (pictures[0], picture()))
    # An address of a container is another each time.
    differing = {line for line in before ^ after if not re.search(r"172\.\d+\.\d+\.\d+/32|--to-destination", line)}
    assert not differing, differing


def check_none_lost_or_doubled():
    """Each change of an incident is in the journal once, in order; those of a repair are the fixer's to tell."""
    told, repaired = {}, {e["EDGEWATCH_INCIDENT"] for e in device.journal("-t", "edgewatch-fix") if "EDGEWATCH_INCIDENT" in e}
    for alert in device.alerts():
        told.setdefault((alert["EDGEWATCH_SYMPTOM"], alert["EDGEWATCH_INCIDENT"]), []).append(
            (int(alert["EDGEWATCH_SEQ"]), alert["EDGEWATCH_CHANGE"]))
    for incident, changes in told.items():
        numbers = [seq for seq, _ in changes]
        assert numbers == (sorted(set(numbers)) if incident[1] in repaired else list(range(1, len(changes) + 1))), \
            f"{incident}: {changes}"
        assert [change for _, change in changes].count("confirmed") <= 1, f"{incident}: {changes}"


REFUSED = "localhost:5000/refused:1"


def pull_goes_on_being_refused():
    """an incident that lasts, for what follows: an image is refused again and again"""
    device.write("/etc/systemd/system/registry.service", "[Service]\nExecStart=/usr/libexec/aziot/refusing-registry\n"
                 "[Install]\nWantedBy=multi-user.target\n")
    device.sh("systemctl daemon-reload && systemctl enable --quiet --now registry")
    begin = now()
    MODULES["refused"] = {"settings": {"image": REFUSED}}
    device.world.deploy(MODULES)
    wait_alert("image-pull-403", "confirmed", begin, 30)


def refusals():
    return {(i["id"], i["subject"]) for i in active("image-pull-403")}


def over(what, seconds=60):
    """Something happens to the device while the pull is refused; the daemon knows it afterwards, and once."""
    before = refusals()
    assert len(before) == 1, before
    what()
    wait_until(lambda: device.sh("edgewatchctl status >/dev/null; echo $?", check=False) in ("0", "1"), seconds, "edgewatchd")
    wait_until(lambda: all(s["state"] == "live" for s in device.edgewatchctl("status")["sources"]), seconds, "all sources live")
    assert refusals() == before, f"{before} became {refusals()}"
    check_none_lost_or_doubled()


def over_journald_restart():
    """journald is restarted in the middle of an incident"""
    over(lambda: device.run("systemctl", "restart", "systemd-journald"))


def over_docker_restart():
    """Docker is restarted in the middle of an incident"""
    over(lambda: device.run("systemctl", "restart", "docker"))
    wait_until(lambda: device.is_running("edgeHub"), 40, "edgeHub")


def over_a_kill():
    """edgewatchd is killed in the middle of an incident, and comes back by itself"""
    over(lambda: device.run("systemctl", "kill", "--signal=KILL", "edgewatchd"))


def heals_while_stopped():
    """what heals while edgewatchd is stopped clears when it starts, and what broke is found"""
    [(incident, _)] = refusals()
    device.run("systemctl", "stop", "edgewatchd")
    begin = now()
    device.run("docker", "tag", "edge-sim:1", REFUSED)
    MODULES["refused"] = {"imagePullPolicy": "never", "settings": {"image": REFUSED, "createOptions": {"Cmd": ["sleep", "86400"]}}}
    device.world.deploy({**MODULES, "missed": {"settings": {"image": "localhost:5000/missed:1"}}})
    wait_until(lambda: device.is_running("refused"), 30, "the module")
    wait_until(lambda: re.search("missed:1.*denied", " ".join(e["MESSAGE"] for e in device.journal("-u", "aziot-edged"))), 30,
               "a refused pull")
    device.run("systemctl", "start", "edgewatchd")
    wait_alert("image-pull-403", "confirmed", begin, 30)
    wait_alert("image-pull-403", "cleared", begin, 30)
    assert incident not in [i for i, _ in refusals()] and len(refusals()) == 1, refusals()
    device.world.deploy(MODULES)
    check_none_lost_or_doubled()


def over_a_reboot():
    """the device reboots in the middle of incidents: the one that goes on is kept, the one it healed clears"""
    begin = now()
    device.run("sysctl", "-w", "net.ipv4.ip_forward=0")
    wait_alert("ip-forward-disabled", "confirmed", begin, 15)
    over(device.reboot)
    wait_alert("ip-forward-disabled", "cleared", begin, 60)
    check_none_lost_or_doubled()


def main_pid():
    return device.run("systemctl", "show", "--value", "-p", "MainPID", "edgewatchd")


def over_an_upgrade():
    """the package is upgraded in the middle of an incident: it and a changed configuration are kept, all runs anew"""
    config = "/etc/edgewatch/edgewatch.yaml"
    ours = device.read(config) + "# and the administrator's\n"
    device.write(config, ours)
    before = main_pid()
    over(lambda: install(device))
    assert main_pid() not in ("0", before), "edgewatchd was not restarted"
    assert device.read(config) == ours, "the administrator's configuration is gone"
    assert state_of_units() == ["active"] * 4, state_of_units()
    assert version() == command("dpkg-deb", "-f", package(), "Version"), version()


def removed():
    """removed, nothing of it runs, and state and configuration stay"""
    device.run("apt-get", "-q", "-y", "remove", "edgewatch")
    running = device.sh("systemctl list-units --plain --no-legend --state=active,activating 'edgewatch*'; pgrep -l edgewatch", check=False)
    assert not running, running
    for kept in ("etc/edgewatch/edgewatch.yaml", "var/lib/edgewatch"):
        assert (device.root / kept).exists(), f"{kept} is gone"


def traces():
    """Whatever is called after edgewatch, less what the system keeps of all packages."""
    return device.sh("""find / -xdev \\( -path /proc -o -path /sys -o -path /var/log -o -path /var/cache/apt \\) -prune \
                        -o -iname '*edgewatch*' -print""").splitlines()


def purged():
    """purged, nothing of it is left but system users and groups"""
    device.run("apt-get", "-q", "-y", "purge", "edgewatch")
    (device.root / "root/edgewatch.deb").unlink()
    left = traces()
    assert not left, left
    assert device.sh("getent passwd edgewatch edgewatch-gate edgewatch-probe"), "another user would get its number, and its files"
    assert device.sh("journalctl --list-catalog | grep -ci edgewatch", check=False) == "0"


CASES = [boots_and_watches, rights_are_split, engine_of_another_group, port_taken, forwarding_off, pull_refused,
         narrow_uplink, sockets_disabled, sockets_forgotten, hostname_too_long, given_up, dns_dead_in_containers,
         parent_unreachable, amqp_dropped, nothing_changed, hub_out_of_memory]
# After the repairs: the last ones leave no edgewatch behind.
LIFE = [pull_goes_on_being_refused, over_journald_restart, over_docker_restart, over_a_kill, over_an_upgrade, over_a_reboot,
        heals_while_stopped, removed, purged]
