#!/usr/bin/env python3
"""check on a real Docker engine and rtnetlink, with a hub that answers behind an uplink: what is well, what is broken on purpose."""

import json
import os
import subprocess
import sys
from pathlib import Path

import lab

HUB = "hub.example.org"

lab.need_root_and("unshare", "dockerd", "docker", "ip", "nsenter", "busybox", "openssl", "iptables", "iptables-legacy")
lab.own_mounts()
device = lab.Namespace("edgewatch-check")
outside = lab.Namespace("edgewatch-hub")
device.ip("link", "add", "uplink0", "type", "veth", "peer", "name", "tower0", "netns", outside.name)
device.ip("address", "add", "192.0.2.2/24", "dev", "uplink0")
device.ip("link", "set", "uplink0", "up")
outside.ip("address", "add", "192.0.2.1/24", "dev", "tower0")
outside.ip("link", "set", "tower0", "up")
device.ip("route", "add", "default", "via", "192.0.2.1")
files = lab.folder()

# One name server and one TLS listener a port. The name server answers one name.
WORLD = f"""
import socket, ssl, struct, threading, time
def names():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("192.0.2.1", 53))
    while True:
        query, peer = s.recvfrom(512)
        end = query.index(b"\\0", 12)
        kind = struct.unpack(">H", query[end + 1:end + 3])[0]
        known = b"hub" in query[12:end]
        answer = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, 1 if known and kind == 1 else 0, 0, 0) + query[12:end + 5]
        if known and kind == 1:
            answer += b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 1])
        try:
            s.sendto(answer, peer)
        except OSError: # an address that was not translated
            pass
def tls(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("{files}/cert.pem", "{files}/key.pem")
    server = socket.create_server(("192.0.2.1", port))
    while True:
        peer, _ = server.accept()
        try:
            context.wrap_socket(peer, server_side=True).close()
        except OSError:
            pass
threading.Thread(target=names, daemon=True).start()
for port in (443, 5671):
    threading.Thread(target=tls, args=(port,), daemon=True).start()
print("listens", flush=True)
time.sleep(100000)
"""


def bind(path, content):
    """A file or folder of the test's own in place of the device's."""
    if isinstance(content, dict):
        made = lab.folder()
        for name, text in content.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(text)
    else:
        made = lab.folder() / "file"
        made.write_text(content)
    mount(made, path)
    return made


def mount(source, path):
    """Folders that are made for it go with it."""
    for folder in [*reversed(Path(path).parents), Path(path)]:
        if not folder.exists():
            folder.mkdir()
            lab.atexit.register(folder.rmdir)
    lab.command("mount", "--bind", source, path)
    lab.atexit.register(lab.command, "umount", "-l", path)


HOSTNAME = Path("/proc/sys/kernel/hostname").read_text().strip()
GENERATED = {f"{daemon}/config.d/00-super.toml": f'hostname = "{HOSTNAME}"\n' for daemon in ("keyd", "certd", "identityd", "edged")}
aziot = bind("/etc/aziot", {"config.toml": f'hostname = "{HOSTNAME}"\n[provisioning]\nsource = "manual"\n', **GENERATED})
for made in GENERATED:
    os.utime(aziot / made, (2e9, 2e9))
bind("/etc/docker", {"daemon.json": '{"log-driver": "json-file", "log-opts": {"max-size": "1m", "max-file": "3"}}'})
bind("/etc/resolv.conf", "nameserver 192.0.2.1\n")
docker = lab.Docker(device)
mount(docker.dir / "root/containers", "/var/lib/docker/containers")
certificate = lab.command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HUB}", "-keyout",
                          files / "key.pem", "-out", files / "cert.pem")
hub = lab.Process(outside.enter(sys.executable, "-c", WORLD), stdout=subprocess.PIPE, text=True)
hub.popen.stdout.readline()


def check(*args, code=None):
    done = subprocess.run(device.enter(os.environ["EDGEWATCHCTL"], "check", "--json", *args), capture_output=True, text=True, check=False,
                          env={**os.environ, "DOCKER_HOST": f"unix://{docker.socket}"})
    assert done.returncode in (0, 1) if code is None else done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return {c["id"]: c for c in json.loads(done.stdout)["checks"]} if done.returncode < 2 else done.stderr


def expect(checks, **wanted):
    for key, result in wanted.items():
        found = checks[key.replace("__", "_").replace("_", "-") if key != "parent_hostname" else key]
        assert found["result"] == result, (key, found)


def healthy():
    """on a device in order nothing but what runs elsewhere is wrong"""
    docker("network", "create", "azure-iot-edge")
    for name in ("edgeAgent", "edgeHub"):
        docker.run(name, "sleep 100000", "--network", "azure-iot-edge", "-e", f"IOTEDGE_IOTHUBHOSTNAME={HUB}", "-e", "StorageFolder=/data",
                   "-v", f"{files}:/data")
    checks = check()
    expect(checks, keyd_config_well_formed="ok", identityd_config_well_formed="ok", aziot_edged_config_well_formed="ok",
           configs_up_to_date="ok", config_up_to_date="ok", hostname="ok", parent_hostname="ok", container_engine_uri="ok",
           container_engine_logrotate="ok", edge_agent_storage_mounted_from_host="ok", edge_hub_storage_mounted_from_host="ok",
           container_local_time="ok", aziot_version="skipped", aziot_edge_version="skipped", check_agent_image="skipped",
           ip_forward="ok", network_mtu="ok", nat_rules="ok", port_owners="ok", restart_loops="ok", oom="ok", queue="skipped")


def upstream():
    """the hub's name comes from edgeAgent, it is asked from host and modules, unused ports are not"""
    checks = check()
    expect(checks, host_resolve_upstream="ok", container_resolve_upstream="ok", container_engine_dns="ok",
           host_connect_iothub_mqtt="skipped", container_connect_upstream_mqtt="skipped")
    expect(checks, host_path_mtu="ok", container_path_mtu="ok")
    assert "packets of 1500 bytes" in checks["container-path-mtu"]["because"], checks["container-path-mtu"]
    # the certificate is nobody's: told, but the way is open
    expect(checks, host_connect_iothub_amqp="warning", host_connect_iothub_https="warning", container_connect_upstream_https="warning")
    # from a container on the default network, when there is one
    expect(checks, container_default_connect_upstream_amqp="skipped", container_default_connect_upstream_https="skipped")
    docker.run("guest", "sleep 100000", owned=False)
    expect(check(), container_default_connect_upstream_amqp="warning", container_default_connect_upstream_https="warning",
           container_default_connect_upstream_mqtt="skipped")
    docker("rm", "-f", "guest")
    assert "trust" in checks["container-connect-upstream-amqp"]["because"], checks["container-connect-upstream-amqp"]


def forwarding():
    """forwarding off is an error, and the way from the modules is not blamed on the hub"""
    device.write("/proc/sys/net/ipv4/ip_forward", 0)
    checks = check(code=1)
    expect(checks, ip_forward="error", host_resolve_upstream="ok")
    device.write("/proc/sys/net/ipv4/ip_forward", 1)
    expect(check(), ip_forward="ok")


def firewall():
    """what the packet filter of either backend drops, and a translation that is gone, are errors that name the rule"""
    for backend in ("nft", "legacy"):
        rule = ("FORWARD", "-p", "tcp", "-m", "multiport", "--dports", "5671,8883", "-j", "DROP")
        iptables = device.enter(f"iptables-{backend}")
        lab.command(*iptables, "-I", *rule)
        checks = check(code=1)
        lab.command(*iptables, "-D", *rule)
        expect(checks, nat_rules="error", ip_forward="ok")
        assert "port 5671: -A FORWARD -p tcp -m multiport --dports 5671,8883 -j DROP" in checks["nat-rules"]["because"], checks["nat-rules"]
    translate = next(line.split()[1:] for line in lab.command(*device.enter("iptables-save", "-t", "nat")).splitlines()
                     if "MASQUERADE" in line and "172.17." not in line)
    lab.command(*device.enter("iptables", "-t", "nat", "-D", *translate))
    checks = check(code=1)
    lab.command(*device.enter("iptables", "-t", "nat", "-A", *translate))
    expect(checks, nat_rules="error")
    assert "MASQUERADE rule is missing" in checks["nat-rules"]["because"], checks["nat-rules"]
    assert "MASQUERADE rule is missing" in checks["ip-forward"]["because"], checks["ip-forward"]
    expect(check(), nat_rules="ok")


def narrow_further_on():
    """a narrower link further on that nobody tells of is an error; TLS alone, whose requests are small, does not see it"""
    rule = ("INPUT", "-p", "tcp", "-m", "length", "--length", "1401:65535", "-j", "DROP")
    lab.command(*outside.enter("iptables", "-A", *rule))
    checks = check(code=1)
    lab.command(*outside.enter("iptables", "-D", *rule))
    expect(checks, host_path_mtu="error", container_path_mtu="error", network_mtu="error", container_connect_upstream_https="warning")
    for name in ("container-path-mtu", "network-mtu"):
        assert "1400" in checks[name]["because"] and "1430" in checks[name]["because"], checks[name]


def narrow():
    """an uplink narrower than the modules' network is an error"""
    device.ip("link", "set", "uplink0", "mtu", "1400")
    checks = check(code=1)
    expect(checks, network_mtu="error")
    assert "1400" in checks["network-mtu"]["because"], checks["network-mtu"]
    device.ip("link", "set", "uplink0", "mtu", "1500")


def ports():
    """a port that another process holds is named with its holder"""
    holder = lab.Process(device.enter(sys.executable, "-c", "import socket,time; s=socket.create_server(('0.0.0.0', 8883)); time.sleep(1000)"))
    lab.wait_until(lambda: ":8883" in lab.command(*device.enter("ss", "-ltn")), what="the listener")
    docker("create", "--name", "broker", "--label", lab.OWNER, "-p", "8883:8883", "edge-sim:1", "sleep", "1000")
    docker("start", "broker", check=False)
    checks = check(code=1)
    expect(checks, port_owners="error")
    assert "8883" in checks["port-owners"]["because"] and "python3" in checks["port-owners"]["because"], checks["port-owners"]
    holder.stop()
    docker("rm", "-f", "broker")


def restarts():
    """a module that ends again and again is an error"""
    docker.run("flaky", "exit 3")
    for _ in range(5):
        docker("start", "-a", "flaky", check=False)
    checks = check(code=1)
    expect(checks, restart_loops="error")
    assert "flaky ended 6 times" in checks["restart-loops"]["because"] and "exit code 3" in checks["restart-loops"]["because"], checks
    docker("rm", "-f", "flaky")


def changed_configuration():
    """a configuration that was not applied, and one that is none"""
    os.utime(aziot / "config.toml", (2.1e9, 2.1e9))
    expect(check(), configs_up_to_date="warning", config_up_to_date="warning")
    os.utime(aziot / "config.toml", (1e9, 1e9))
    (aziot / "edged/config.d/00-super.toml").write_text("a = \n")
    (aziot / "identityd/config.d/00-super.toml").write_text('hostname = "another"\n')
    checks = check(code=1)
    expect(checks, aziot_edged_config_well_formed="error", connect_management_uri="skipped", hostname="error")
    assert ":1:" in checks["aziot-edged-config-well-formed"]["because"], checks["aziot-edged-config-well-formed"]
    assert checks["connect-management-uri"]["needs"] == ["aziot-edged-config-well-formed"]


SERVICE = """
import http.server, pathlib, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path in pathlib.Path(sys.argv[2]).read_text().split()
        self.send_response(200 if known else 500)
        self.end_headers()
    def log_message(self, *_): pass
    def address_string(self): return ""
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    def get_request(self): return self.socket.accept()[0], ("", 0)
server = Server(sys.argv[1], Handler)
print("listens", flush=True)
server.serve_forever()
"""


def preloaded():
    """preloaded certificates and keys are asked of the services that hold them, and compared"""
    known = files / "known"
    known.write_text("/certificates/my%20ca?api-version=2020-09-01 /keypair/my%20ca?api-version=2020-09-01")
    folder = lab.folder()
    mount(folder, "/run/aziot")
    for name in ("certd", "keyd"):
        service = lab.Process([sys.executable, "-c", SERVICE, folder / f"{name}.sock", known], stdout=subprocess.PIPE, text=True)
        assert service.popen.stdout.readline() == "listens\n"
    (aziot / "certd/config.d/00-super.toml").write_text(f'[preloaded_certs]\n"my ca" = "file://{files}/cert.pem"\n')
    (aziot / "keyd/config.d/00-super.toml").write_text(
        f'[preloaded_keys]\n"my ca" = "file://{files}/key.pem"\ndevice-id = "file://{known}"\n')
    expect(check(), certs_read="ok", key_pairs_read="ok", certs_match_private_keys="ok", certs_preloaded="ok")
    known.write_text("")
    lab.command("openssl", "genrsa", "-out", files / "key.pem", "2048")
    checks = check(code=1)
    expect(checks, certs_read="error", key_pairs_read="error", certs_match_private_keys="error")
    assert "my ca: HTTP status 500" in checks["certs-read"]["because"], checks["certs-read"]
    for name in ("certd", "keyd"):
        (aziot / f"{name}/config.d/00-super.toml").write_text(GENERATED[f"{name}/config.d/00-super.toml"])


def proxy():
    """behind a proxy the way to it is asked, without its password being told"""
    docker("rm", "-f", "edgeAgent")
    docker.run("edgeAgent", "sleep 100000", "--network", "azure-iot-edge", "-e", f"IOTEDGE_IOTHUBHOSTNAME={HUB}", "-e", "UpstreamProtocol=AmqpWs",
               "-e", "https_proxy=http://me:hunter2@192.0.2.1:5671")
    checks = check()
    expect(checks, host_connect_iothub_https="ok", host_connect_iothub_amqp="skipped", container_connect_upstream_https="ok")
    assert "192.0.2.1:5671" in checks["host-connect-iothub-https"]["because"] and "hunter2" not in json.dumps(checks)


def unwanted():
    """--dont-run leaves checks out; an unknown id is trouble"""
    ids = [i for i, c in check().items() if c["result"] == "error"]
    assert ids
    checks = check("--dont-run", " ".join(ids), code=0)
    assert all(checks[i]["result"] == "skipped" for i in ids)
    assert '"no-such" is no check' in check("--dont-run", "no-such", code=2)


def without_engine():
    """without an engine what needs it is skipped, with the reason"""
    docker.stop()
    checks = check(code=1)
    expect(checks, container_engine_uri="error", port_owners="skipped", edge_agent_storage_mounted_from_host="skipped")
    assert "container-engine-uri" in checks["port-owners"]["because"], checks["port-owners"]
    done = subprocess.run(device.enter(os.environ["EDGEWATCHCTL"], "check"), capture_output=True, text=True, check=False,
                          env={**os.environ, "DOCKER_HOST": f"unix://{docker.socket}"})
    assert "× container engine is installed and functional - Error" in done.stdout and "\033" not in done.stdout, done.stdout


lab.run_cases([healthy, upstream, forwarding, firewall, narrow_further_on, narrow, ports, restarts, preloaded, changed_configuration, proxy, unwanted, without_engine])
