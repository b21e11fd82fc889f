#!/usr/bin/env python3
"""A failure at any step of the MTU fix ends in the old or in the new state, never between: on a dockerd of the test's own,
which refuses, does not answer or is gone at the n-th change, with a full disk, and with the fixer killed."""

import contextlib
import queue
import threading
import traceback

import fixlab
import lab
from fixsite import FIX, Site, uplink

lab.need_root_and("dockerd", "docker", "ip", "nsenter", "unshare", "dbus-daemon", "busybox")
lab.own_mounts()
namespace = lab.Namespace("fix")
uplink(namespace)
docker = lab.Docker(namespace)
PROXY = fixlab.EngineProxy


class Failures:
    """Every failure at every step, on several sites at once: most of the time is spent on waiting."""

    SITES = {"north": fixlab.DEB, "east": fixlab.DEB, "south": fixlab.SNAP, "west": fixlab.SNAP, "hall": fixlab.DEB, "yard": fixlab.SNAP}

    def __init__(self):
        self.sites, self.errors, self.done = [], [], []
        for number, (name, units) in enumerate(self.SITES.items(), 1):
            site = Site(docker, f"edge-{name}", number, units)
            site.run(f"idle-{name}", starts=False)
            site.run(f"fixed-{name}", endpoint=("--ip", site.address(77), "--network-alias", "printer"), owned=False)
            site.remember()
            self.sites.append(site)
        first = self.sites[0]
        assert first.apply()["outcome"] == "fixed"
        self.calls, self.jobs = first.calls, first.jobs
        first.undo(first.last_run())

    def run(self, cases, one=None):
        work = queue.SimpleQueue()
        for case in cases:
            work.put(case)
        threads = [threading.Thread(target=self.serve, args=(site, work, one or self.one)) for site in self.sites]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.errors, "\n".join(self.errors)

    def serve(self, site, work, one):
        while not self.errors:
            try:
                name, fail = work.get_nowait()
            except queue.Empty:
                return
            try:
                one(site, fail)
                self.done.append(name)
            except Exception:
                self.errors.append(f"{name} of {site.name}: {traceback.format_exc()} {site.fixer.lines} {site.fixer.err}")

    @staticmethod
    def one(site, fail):
        result = site.apply(**fail(site))
        state = site.state()
        assert result.get("outcome") == {"old": "rolled-back", "new": "fixed"}[state], (state, result)
        if state == "new":
            site.undo(site.last_run())
            assert site.state() == "old"

    @staticmethod
    def undo(site, fail):
        assert site.apply()["outcome"] == "fixed"
        run = site.last_run()
        result = site.run_fixer({"do": "undo", "run": run}, **fail(site))
        assert result["outcome"] == "undone" and result["run"] == run and site.state() == "old", result


def at(n, what):
    """A fault of the engine at the n-th change; what: of the proxy, or a function of the site that returns one."""
    return lambda site: {"proxy": lambda i: PROXY.FORWARD if i != n else what(site) if callable(what) else what}


def at_job(n, what):
    return lambda site: {"system": lambda i: "done" if i != n else what(site) if callable(what) else what}


def kill_before(site):
    site.fixer.kill()
    return PROXY.DROP


def kill_after(site):
    return site.fixer.kill


def kill_in_job(site):
    site.fixer.kill()
    return "done"


def fill(site):
    site.fixer.fill()
    return PROXY.FORWARD


failures = None


def every_step(what):
    failures.run([(f"call {n}", at(n, what)) for n in range(1, failures.calls + 1)])


def refusing_engine():
    """the engine refuses at any step"""
    global failures
    failures = Failures()
    assert failures.calls == 6 and failures.jobs == 5, (failures.calls, failures.jobs)
    every_step(PROXY.REFUSE)


def lost_answers():
    """an answer of the engine is lost at any step, though it did what was asked"""
    every_step(PROXY.LOSE)


def slow_engine():
    """any step times out"""
    every_step(PROXY.HANG)


def killed():
    """killed at any step, before and after the engine did it"""
    every_step(kill_before)
    every_step(kill_after)


def full_disk():
    """the disk is full from any step on, and before the first"""
    every_step(fill)
    site = failures.sites[0]
    site.fixer.fill()
    result = site.fixer(do="apply", fix=FIX, subject=site.name)
    site.fixer.drain()
    assert result["outcome"] == "refused" and "could not be written" in result["because"], result
    assert site.state() == "old" and site.fixer.pending() == []


def killed_verifying():
    """killed while it verifies: the recovery does that"""
    for site in failures.sites[:2]:
        site.fixer.kill_at(lambda line: line["event"] == "verifying", do="apply", fix=FIX, subject=site.name)
        site.system.wait_idle()
        result = site.fixer.recover()
        assert result["outcome"] == "fixed" and site.state() == "new", result
        site.undo(site.last_run())
        assert site.state() == "old"


def killed_undoing():
    """killed at any step of being taken back on request: it is taken back"""
    failures.run([(f"undo, call {n}", at(n, kill_after)) for n in range(1, failures.calls + 1)] +
                 [(f"undo, job {n}", at_job(n, kill_in_job)) for n in range(1, failures.jobs + 1)], failures.undo)


def units():
    """a job of systemd fails, or the fixer is killed while it goes on"""
    failures.run([(f"job {n}", at_job(n, what)) for n in range(1, failures.jobs + 1) for what in ("failed", kill_in_job)])


def endless_jobs():
    """a job of systemd never ends, or nothing tells of its end: the step is over when its time is"""
    with contextlib.ExitStack() as stack:
        for site in failures.sites:
            stack.enter_context(site.fixer.impatient(20))
        failures.run([(f"job {n}", at_job(n, ("never", "lost")[n % 2])) for n in range(1, failures.jobs + 1)])


def not_taken_back():
    """what could not be taken back is said, fails the process each time, and keeps the next fix away until it could"""
    site = failures.sites[0]
    site.proxy.reset(lambda n: PROXY.FORWARD if n < 3 else PROXY.REFUSE)
    site.fixer.start()
    result = site.fixer.wait({"do": "apply", "fix": FIX, "subject": site.name})
    assert result["outcome"] == "failed" and site.fixer.popen.returncode == 1, (result, site.fixer.popen.returncode)
    assert site.fixer.recover(code=1)["outcome"] == "failed"
    site.fixer.start("--recover")
    assert not site.fixer.wait() and site.fixer.popen.returncode == 1, "it did not pause"
    for request in ({"do": "apply", "fix": FIX, "subject": site.name}, {"do": "undo", "run": "0" * 16}):
        result = site.fixer(**request)
        assert result["outcome"] == "refused" and "not wholly taken back" in result["because"], result
        assert len(site.fixer.lines) == 1 and site.fixer.popen.returncode == 1, site.fixer.lines
    assert len(site.fixer.pending()) == 1
    site.calm()
    # another request ends it too, and is answered for itself
    result = site.fixer(do="undo", run="0" * 16)
    assert result["outcome"] == "error" and len(site.fixer.lines) == 1 and site.fixer.popen.returncode == 0, site.fixer.lines
    assert site.fixer.pending() == [] and site.state() == "old"
    site.fixer(do="history")
    assert site.fixer.lines[-1]["runs"][-1]["outcome"] == "rolled-back", site.fixer.lines[-1]


def gone_engine():
    """the engine is gone from any step on: what could not be taken back is, whatever the runtime did in between"""
    for site in failures.sites:
        docker("start", *site.containers)
        site.modules = site.containers[:1]
        site.remember()
    def vanish(site):
        site.proxy.gone = True
        return PROXY.DROP

    failures.run([(f"gone {n}", at(n, vanish)) for n in range(1, failures.calls + 1)])


def power_loss():
    """the power goes at every step: the engine, the fixer and all containers end at once, and recovery goes before the runtime"""
    reached, off = threading.Semaphore(0), threading.Event()

    def hold(n, step):
        if n == step:
            reached.release()
            off.wait()
        return PROXY.DROP if n >= step else PROXY.FORWARD

    def begin(site):
        site.fixer.start()
        site.fixer.wait({"do": "apply", "fix": FIX, "subject": site.name})

    runs = list(zip(failures.sites, range(1, failures.calls + 1), strict=True))
    for site, step in runs:
        site.proxy.reset(lambda n, step=step: hold(n, step))
    threads = [threading.Thread(target=begin, args=(site,)) for site, _ in runs]
    for thread in threads:
        thread.start()
    for _ in runs:
        assert reached.acquire(timeout=120)
    docker.crash()
    for site, _ in runs:
        site.fixer.kill()
        site.system.set(*site.units, state="inactive dead")
    off.set()
    for thread in threads:
        thread.join()
    docker.start()
    for site, step in runs:
        site.calm()
        result = site.fixer.recover()
        assert result["outcome"] == "rolled-back" and site.state() == "old", (step, result)


def contents():
    """after all of that, nothing inside of a container is lost"""
    for site in failures.sites:
        docker("start", *site.containers)
        assert set(site.contents().values()) == {"only here"}


lab.run_cases([refusing_engine, lost_answers, slow_engine, killed, killed_verifying, killed_undoing, full_disk, units,
               endless_jobs, not_taken_back, gone_engine, power_loss, contents])
