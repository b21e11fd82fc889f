#!/usr/bin/env python3
"""What proves a symptom is taken out of the recordings that confirm it: then it may be suspected, never confirmed. Prints TAP.

usage: proof.py EDGEWATCHCTL RULES FOLDER
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Of each symptom that its text alone does not prove: sets of parts of a recording, without any one of which nothing is proven.
# Where there is none the logs themselves tell what happened: that a module was removed, which call fails, whose child it is.
PROOF = {
    "agent-amqp-blocked": [["probes.jsonl"]],
    "agent-empty-config-dns": [["probes.jsonl"]],
    "agent-lte-mtu": [["docker/api/networks.json"], ["net/links.json"], ["net/routes.json"]],
    "daemon-socket-permission": [["root", "units.json"]],
    "deployment-overridden": [],
    "excessive-identity-calls": [],
    "gateway-auth-migration": [],
    "gateway-http-unreachable": [["probes.jsonl"]],
    "hostname-invalid": [["root", "docker/api"]],
    "hub-oom-small-device": [["docker/api", "docker/events.jsonl"]],
    "ip-forward-disabled": [["root", "net", "docker/api/info.json"]],
    "low-upstream-throughput": [["metrics"]],
    "module-restart-exhausted": [["docker/api/containers.json"]],
    "module-stuck": [["docker/api/containers.json"]],
    "queue-cleanup-slow": [["docker/api/containers.json"], ["metrics"]],
}
# edgeAgent itself says that it gave up.
PROVEN_BY_LOG = {"module-restart-exhausted-by-a-taken-port"}


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def confirmed_without(program, rules, recording, parts):
    """The symptoms that are confirmed in the recording without these parts; None when it does not have them."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "recording"
        shutil.copytree(recording, copy)
        if not any((copy / part).exists() for part in parts):
            return None
        for part in parts:
            remove(copy / part)
        done = subprocess.run([program, "replay", "--json", "--rules", rules, copy], capture_output=True, text=True, check=False)
        if done.returncode == 2:
            return set()  # nothing else was in it
        return {i["symptom"] for i in json.loads(done.stdout)["incidents"] if i["state"] == "confirmed"}


def cases(rules, folder):
    needs_proof = {p.stem for p in Path(rules).glob("*.yaml") if "conclusive: true" not in p.read_text()}
    yield "every rule that needs proof has a row", None, None, [str(s) for s in sorted(needs_proof ^ set(PROOF))]
    for path in sorted(Path(folder).glob("*/expected.json")):
        expected = json.loads(path.read_text()).get("incidents", [])
        for symptom in sorted({i["symptom"] for i in expected if i.get("state") == "confirmed"}):
            for parts in PROOF.get(symptom, []) if path.parent.name not in PROVEN_BY_LOG else []:
                yield f"{path.parent.name} without {' and '.join(parts)}: {symptom}", path.parent, parts, symptom


def main():
    program, rules, folder = sys.argv[1:]
    number = failures = 0
    for name, recording, parts, symptom in cases(rules, folder):
        if recording:
            confirmed = confirmed_without(program, rules, recording, parts)
            if confirmed is None:
                continue
            bad = symptom in confirmed
        else:
            bad = bool(symptom)
        number += 1
        failures += bad
        print(f"{'not ' if bad else ''}ok {number} - {name}")
        if bad:
            print(f"# {symptom}")
    print(f"1..{number}")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
