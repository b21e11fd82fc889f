"""A piece of a device that the MTU fix can be let loose on: a network with all that a network can have, containers on it,
a runtime with its units, and the fixer with everything between it and the engine under control."""

import http.server
import json
import os
import re

import fixlab
import lab

MTU = "com.docker.network.driver.mtu"
UPLINK_MTU = "1430"
FIX = "docker-network-mtu"


def uplink(namespace):
    """A default route over a link that is narrower than Docker's default."""
    namespace.ip("link", "add", "wwan0", "mtu", UPLINK_MTU, "type", "veth", "peer", "name", "peer0")
    for link in ("peer0", "wwan0"):
        namespace.ip("link", "set", link, "up")
    namespace.ip("addr", "add", "10.9.0.2/24", "dev", "wwan0")
    namespace.ip("route", "add", "default", "via", "10.9.0.1", "dev", "wwan0")


class Site:
    """name: the network's; modules: owned containers that the runtime starts when it starts, and stops."""

    def __init__(self, docker, name, number, units=fixlab.DEB):
        self.docker, self.name, self.number, self.units = docker, name, number, units
        self.containers, self.modules = [], []
        self.dir = lab.folder()
        self.proxy = fixlab.EngineProxy(self.dir / "engine", docker.socket)
        self.system = fixlab.System(self.dir, units, self.work)
        self.fixer = fixlab.Fixer(docker.namespace, self.proxy.path, self.system.environment)
        docker("network", "create", "--subnet", f"172.{40 + number}.0.0/16", "--gateway", f"172.{40 + number}.5.254",
               "--ip-range", f"172.{40 + number}.5.0/24", "--aux-address", f"printer=172.{40 + number}.5.9", "--ipv6",
               "--subnet", f"fd00:{40 + number}::/64", "--gateway", f"fd00:{40 + number}::1", "--label", "site=north wing", "--attachable",
               "--opt", "com.docker.network.bridge.enable_icc=true", "--opt",
               f"com.docker.network.bridge.name=brfix{number}", name)
        self.before = None
        self.calls = self.jobs = 0  # of the last run

    def address(self, host):
        return f"172.{40 + self.number}.5.{host}"

    def run(self, name, *options, endpoint=(), owned=True, starts=True):
        """A container with something inside of it. Those that the runtime makes have the network, but not as their mode."""
        label = ("--label", lab.OWNER) if owned else ("--network", self.name, *endpoint)
        self.docker("create", "--name", name, "--stop-timeout", "1", *label, *options, "edge-sim:1", "sh", "-c",
                    "[ -f /data ] || echo only here > /data; sleep 100000")
        if owned:
            self.docker("network", "connect", *(o.replace("--network-", "--") for o in endpoint), self.name, name)
            self.docker("network", "disconnect", "bridge", name)
        self.docker("start", name)
        if not starts:
            self.docker("kill", name)
        elif owned:
            self.modules.append(name)
        self.containers.append(name)

    def work(self, kind, unit):
        """The runtime: it makes its network when it misses it, without an MTU, and stops and starts its modules. Its service
        requires its sockets, and so ends with either."""
        if kind == "stop" and unit.endswith(".socket"):
            unit = self.units[-1]
            self.system.set(unit, state="inactive dead")
        if not unit.endswith("edged.service") and unit != "iotedge.service":
            return
        if kind == "stop" and self.modules:
            self.docker("kill", *self.modules, check=False)
        if kind == "start":
            if not self.docker("network", "ls", "-q", "--filter", f"name={self.name}"):
                self.docker("network", "create", self.name)
            for module in self.modules:
                self.docker("start", module, check=False)

    def inspect(self):
        networks = [n for n in json.loads(self.docker("network", "inspect", self.name)) if n["Name"] == self.name]
        assert len(networks) == 1, networks
        return networks[0], json.loads(self.docker("inspect", *self.containers))

    def look(self):
        """Everything that has to be the same afterwards, and the MTU."""
        network, containers = self.inspect()
        kept = {key: network[key] for key in ("Name", "Driver", "EnableIPv6", "IPAM", "Internal", "Attachable", "Labels")}
        kept["Options"] = {key: value for key, value in network["Options"].items() if key != MTU}
        for container in containers:
            endpoints = container["NetworkSettings"]["Networks"]
            endpoint = endpoints.get(self.name, {})
            runs = container["State"]["Running"]
            kept[container["Name"]] = (
                container["Id"], runs, sorted(endpoints), endpoint.get("IPAMConfig") or {},
                sorted(endpoint.get("Aliases") or ()), container["HostConfig"]["NetworkMode"],
                container["NetworkSettings"]["Ports"] if runs else None)
            if runs:
                assert endpoint["NetworkID"] == network["Id"], (container["Name"], endpoint, network["Id"])
                assert container["Id"] in network["Containers"], (container["Name"], network["Containers"])
        return kept, network["Options"].get(MTU)

    def remember(self):
        self.before, mtu = self.look()
        assert mtu is None, mtu

    def state(self):
        """"old" or "new"; anything else fails."""
        self.system.wait_idle()
        kept, mtu = self.look()
        assert kept == self.before, f"{kept}\nwas {self.before}"
        assert mtu in (None, UPLINK_MTU), mtu
        assert all(self.system.active[unit] for unit in self.units), self.system.active
        return "new" if mtu else "old"

    def contents(self):
        """What is inside of each container that runs."""
        return {name: self.docker("exec", name, "cat", "/data", check=False) for name in self.containers}

    def calm(self):
        self.proxy.reset()
        self.system.reset()
        self.fixer.drain()

    def apply(self, proxy=None, system=None):
        """One run of the fix with these faults, and what follows from it: a recovery where something is left."""
        return self.run_fixer({"do": "apply", "fix": FIX, "subject": self.name}, proxy, system)

    def run_fixer(self, request, proxy=None, system=None):
        self.proxy.reset(proxy)
        self.system.reset(system)
        self.fixer.start()
        result = self.fixer.wait(request)
        self.calls, self.jobs = self.proxy.count, self.system.count
        self.calm()
        self.system.wait_idle()
        # by failing it has systemd start the recovery
        assert self.fixer.popen.returncode in (-9, int(self.fixer.pending() != [])), (result, self.fixer.popen.returncode)
        if self.fixer.pending():
            result = self.fixer.recover()
            self.system.wait_idle()
        assert self.fixer.pending() == [], self.fixer.pending()
        return result

    def last_run(self):
        self.fixer(do="history")
        return self.fixer.lines[-1]["runs"][-1]["run"]

    def undo(self, run):
        result = self.fixer(do="undo", run=run)
        assert result["outcome"] == "undone", (result, self.fixer.err)


class ManagementApi:
    """The runtime's API for modules, as far as `iotedge restart` uses it."""

    def __init__(self, path, docker):
        self.requests = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                api.requests.append(self.path)
                match = re.fullmatch(r"/modules/([\w.-]+)/(start|stop)\?api-version=2018-06-28", self.path)
                status, message = api.act(*match.groups()) if match else (400, "no such call")
                body = json.dumps({"message": message}).encode() if message else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return "client"

            def log_message(self, *args):
                pass

        self.docker = docker
        self.server = fixlab.serve(path, Handler)
        os.chmod(path, 0o660)

    def act(self, module, verb):
        if not self.docker("ps", "-aq", "--filter", f"name=^{module}$"):
            return 404, f"runtime operation error: get module \"{module}\""
        try:
            self.docker(*(("stop", "-t", "1") if verb == "stop" else ("start",)), module)
        except AssertionError as error:
            return 500, str(error).splitlines()[-1]
        return 204, None
