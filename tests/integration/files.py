#!/usr/bin/env python3
"""The files source on a real kernel, in a mount and UTS namespace with an /etc, /run and /var of its own."""

import subprocess

import lab

lab.need_root_and("unshare", "nsenter", "setpriv", "mount", "hostname")
follow = None

SCRIPT = """
set -e
cp /etc/ld.so.cache /tmp/ld.so.cache.$$ 2>/dev/null || :
mount -t tmpfs -o mode=0755 tmpfs /etc
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=0755 tmpfs /var
[ ! -e /tmp/ld.so.cache.$$ ] || mv /tmp/ld.so.cache.$$ /etc/ld.so.cache
hostname edge-before
echo edge-before > /etc/hostname
mkdir -p /etc/sysctl.d /etc/aziot /run/one /run/two
echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/10-edge.conf
echo ignored > /etc/sysctl.d/README
echo 'nameserver 192.0.2.1' > /run/one/resolv.conf
echo 'nameserver 192.0.2.2' > /run/two/resolv.conf
ln -s ../run/one/resolv.conf /etc/resolv.conf
echo secret > /etc/aziot/config.toml
chmod 0600 /etc/aziot/config.toml
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


def inside(script):
    """Runs a shell in the namespaces of the source under test."""
    lab.command("nsenter", "-t", str(follow.process.popen.pid), "-m", "-u", "sh", "-ec", script)


def told(path, **wanted):
    return follow.wait(kind="file", path=path, **wanted)[-1]


def count():
    return len(follow.select(kind="file"))


def settle():
    """What is under way is told before a marker that comes after it."""
    settle.n += 1
    inside(f"echo {settle.n} > /etc/sysctl.d/zz-marker.conf")
    told("/etc/sysctl.d/zz-marker.conf", content=f"{settle.n}\n")


settle.n = 0


def start():
    """what exists and what does not is told at the start, without privilege"""
    global follow
    probe = subprocess.run(["unshare", "--mount", "--uts", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        lab.skip_all("no mount namespaces")
    follow = lab.Follow("files", prefix=["unshare", "--mount", "--uts", "sh", "-c", SCRIPT, "sh"])
    follow.wait_live()
    assert told("/etc/hostname", initial=True)["content"] == "edge-before\n"
    assert told("/proc/sys/kernel/hostname", initial=True)["content"] == "edge-before\n"
    assert told("/etc/sysctl.d/10-edge.conf", initial=True)["content"] == "net.ipv4.ip_forward = 1\n"
    assert told("/etc/resolv.conf", initial=True)["content"] == "nameserver 192.0.2.1\n"
    assert told("/etc/docker/daemon.json", initial=True)["exists"] is False
    assert not follow.select(kind="file", path="/etc/sysctl.d/README")


def secret():
    """of the runtime's configuration only existence and change are told"""
    assert told("/etc/aziot/config.toml", initial=True, exists=True, unreadable=True)["content"] == ""
    inside("echo other > /etc/aziot/config.toml; chmod 0644 /etc/aziot/config.toml")
    assert told("/etc/aziot/config.toml", initial=False, exists=True, unreadable=True)["content"] == ""
    assert follow.status()["files"]["/etc/aziot/config.toml"] == "not read"


def write():
    """a file written in place is told with what it holds then"""
    inside("echo edge-after > /etc/hostname")
    assert told("/etc/hostname", initial=False)["content"] == "edge-after\n"


def rename():
    """one that another is renamed over is told"""
    inside("echo edge-renamed > /etc/hostname.new; mv /etc/hostname.new /etc/hostname")
    told("/etc/hostname", content="edge-renamed\n")
    inside("echo edge-again > /etc/hostname.new; mv /etc/hostname.new /etc/hostname")
    told("/etc/hostname", content="edge-again\n")


def appear():
    """directories that come later are followed down to the file"""
    inside("mkdir /etc/docker; echo '{\"mtu\": 1400}' > /etc/docker/daemon.json")
    told("/etc/docker/daemon.json", exists=True, content='{"mtu": 1400}\n')
    inside("mkdir -p /var/snap/docker/1/config /var/snap/docker/2/config; ln -s 1 /var/snap/docker/current")
    settle()
    inside("echo one > /var/snap/docker/1/config/daemon.json")
    told("/var/snap/docker/current/config/daemon.json", content="one\n")
    inside("mkdir -p /etc/aziot/edged/config.d; echo x > /etc/aziot/edged/config.d/user.toml")
    told("/etc/aziot/edged/config.d/user.toml", exists=True, unreadable=True, deleted=False)


def link():
    """a link on the way that is turned elsewhere, and the target of a link, are followed"""
    inside("echo two > /var/snap/docker/2/config/daemon.json; ln -sfn 2 /var/snap/docker/current")
    told("/var/snap/docker/current/config/daemon.json", content="two\n")
    inside("echo three > /var/snap/docker/2/config/daemon.json")
    told("/var/snap/docker/current/config/daemon.json", content="three\n")
    inside("echo 'nameserver 192.0.2.11' > /run/one/resolv.conf")
    told("/etc/resolv.conf", content="nameserver 192.0.2.11\n")
    inside("ln -sf ../run/two/resolv.conf /etc/resolv.conf")
    told("/etc/resolv.conf", content="nameserver 192.0.2.2\n")
    inside("echo 'nameserver 192.0.2.12' > /run/two/resolv.conf")
    told("/etc/resolv.conf", content="nameserver 192.0.2.12\n")


def gone():
    """a file that goes is told, and one that comes back too"""
    inside("rm /etc/sysctl.d/10-edge.conf; mv /etc/docker /etc/docker.old")
    told("/etc/sysctl.d/10-edge.conf", deleted=True, exists=False)
    told("/etc/docker/daemon.json", deleted=True, exists=False)
    inside("mv /etc/docker.old /etc/docker")
    follow.wait(2, kind="file", path="/etc/docker/daemon.json", content='{"mtu": 1400}\n')


def same():
    """what is as it was is not told"""
    settle()
    before = count()
    inside("cp /etc/hostname /etc/hostname.new; mv /etc/hostname.new /etc/hostname; touch /etc/resolv.conf")
    inside("echo nothing > /etc/passwd; mkdir -p /run/else; echo x > /run/else/file")
    settle()
    assert count() == before + 1, follow.events[before:]


def burst():
    """a burst of changes is told as a few, and the last of them is one"""
    before = len(follow.select(kind="file", path="/etc/sysctl.conf"))
    inside("i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo $i > /etc/sysctl.conf; done")
    told("/etc/sysctl.conf", content="2000\n")
    assert 1 <= len(follow.select(kind="file", path="/etc/sysctl.conf")) - before < 100


def permission():
    """a file that may not be read is told of, and again once it may"""
    inside("chmod 0 /etc/sysctl.conf")
    told("/etc/sysctl.conf", exists=True, unreadable=True)
    inside("echo readable > /etc/sysctl.conf; chmod 0644 /etc/sysctl.conf")
    told("/etc/sysctl.conf", unreadable=False, content="readable\n")


def long():
    """of one that is too long only existence is told"""
    inside("head -c 70000 /dev/zero > /etc/sysctl.conf")
    follow.wait(2, kind="file", path="/etc/sysctl.conf", unreadable=True, exists=True)


def hostname():
    """a changed host name is told"""
    inside("hostname edge-now")
    told("/proc/sys/kernel/hostname", content="edge-now\n", initial=False)


def overrun():
    """after more changes than the kernel keeps, all is looked at again"""
    limit = int(open("/proc/sys/fs/inotify/max_queued_events").read())
    follow.process.popen.send_signal(lab.signal.SIGSTOP)
    inside(f"i=0; while [ $i -lt {limit // 2 + 2000} ]; do i=$((i + 1)); : > /etc/sysctl.d/a; : > /etc/sysctl.d/b; done;"
           " echo overrun > /etc/hostname")
    follow.process.popen.send_signal(lab.signal.SIGCONT)
    told("/etc/hostname", content="overrun\n", initial=False)
    status = follow.status()
    assert status["lost"] >= 1 and status["state"] == "live", status


def end():
    """it ends cleanly"""
    follow.stop()


lab.run_cases([start, secret, write, rename, appear, link, gone, same, burst, permission, long, hostname, overrun,
               end])
