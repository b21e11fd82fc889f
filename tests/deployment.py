#!/usr/bin/env python3
"""`edgewatchctl fix plan --deployment`, from recorded incidents to corrected manifests. What a patch does is judged by an applier
of this test's own. Argument: edgewatchctl. Prints TAP."""

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SAMPLE = ROOT / "unit" / "deployment.json"
RULES = ROOT.parent / "conf" / "rules.d"
DESIRED = "/modulesContent/$edgeAgent/properties.desired/"
CTL = sys.argv[1]

failures = 0
count = 0


def case(name, problem):
    global failures, count
    count += 1
    failures += bool(problem)
    print(f"{'not ' if problem else ''}ok {count} - {name}")
    if problem:
        print("# " + str(problem).replace("\n", "\n# "))


def run(*arguments):
    return subprocess.run([CTL, "--rules", RULES, "fix", "plan", *arguments], capture_output=True, text=True, timeout=60)


def plan(*arguments):
    done = run("--json", *arguments)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def apply(document, patch):
    document = copy.deepcopy(document)
    for operation in patch:
        *way, last = [t.replace("~1", "/").replace("~0", "~") for t in operation["path"].split("/")[1:]]
        parent = document
        for token in way:
            parent = parent[int(token) if isinstance(parent, list) else token]
        if operation["op"] == "test":
            assert parent[last] == operation["value"]
        elif operation["op"] == "remove":
            del parent[last]
        elif operation["op"] == "replace":
            assert last in parent
            parent[last] = operation["value"]
        else:
            assert operation["op"] == "add" and last not in parent
            parent[last] = operation["value"]
    return document


def at(document, path):
    for token in path.split("/")[1:]:
        document = document[token]
    return document


# recording, symptom, options, a place in the corrected sample, what stands there
RECORDED = [
    ("agent-amqp-blocked-1.5", "agent-amqp-blocked", [], "systemModules/edgeAgent/env/UpstreamProtocol/value", "AmqpWs"),
    ("agent-empty-config-dns-1.0", "agent-empty-config-dns", ["--set", "dns_server=10.0.0.53"],
     "systemModules/edgeHub/settings/createOptions", '"Dns":["10.0.0.53"]'),
    ("excessive-identity-calls-pull", "excessive-identity-calls", ["--set", "failing_image=plant.example.org/sensor:2.3"],
     "modules/sensor/settings/image", "<image that can be pulled>"),
    ("hub-oom-small-device-docker", "hub-oom-small-device", [], "systemModules/edgeHub/env/OptimizeForPerformance/value", "false"),
    ("hub-port-conflict-1.1", "hub-port-conflict", [], "systemModules/edgeHub/settings/createOptions", '"8883/tcp":[{"HostPort":"8883"}]'),
    ("image-pull-403-1.5", "image-pull-403", [], "runtime/settings/registryCredentials", "<password>"),
    ("low-upstream-throughput-1.5", "low-upstream-throughput", [], "systemModules/edgeHub/env/MaxUpstreamBatchSize/value", "20"),
    ("queue-cleanup-slow-1.5", "queue-cleanup-slow", [], "systemModules/edgeHub/env/MessageCleanupIntervalSecs/value", "60"),
]


def check_recorded(sample):
    with_patch = {path.stem for path in RULES.glob("*.yaml") if "\n  deployment-patch:\n" in path.read_text()}
    case("every deployment-patch is tried here", with_patch ^ {symptom for _, symptom, *_ in RECORDED})
    for recording, symptom, options, place, expected in RECORDED:
        code, said, errors = plan(symptom, "--recording", ROOT / "replay" / recording, "--deployment", SAMPLE, *options)
        if code != 0:
            case(f"{symptom}: planned", f"exit {code}: {errors}{said}")
            continue
        corrected = apply(sample, said["patch"])
        case(f"{symptom}: the patch makes the corrected manifest of the sample",
             json.dumps(corrected) != json.dumps(said["manifest"]) and said)
        found = at(corrected, DESIRED + place)
        case(f"{symptom}: {place}", expected not in (found if isinstance(found, str) else json.dumps(found)) and found)
        untouched = [m for m in ("modules/sensor/env", "schemaVersion") if at(corrected, DESIRED + m) != at(sample, DESIRED + m)]
        case(f"{symptom}: nothing else is touched", untouched)


def check_output(sample, folder):
    output = folder / "corrected.json"
    done = run("low-upstream-throughput", "--deployment", SAMPLE, "--output", output)
    value = at(json.loads(output.read_text()), DESIRED + "systemModules/edgeHub/env")
    case("--output writes the manifest", (done.returncode != 0 or value != {"MaxUpstreamBatchSize": {"value": "20"}}) and done)
    case("nobody else may read it", oct(os.stat(output).st_mode & 0o777) != "0o600")
    done = run("low-upstream-throughput", "--deployment", output)
    case("done once, there is nothing more to do", (done.returncode != 1 or "Nothing to change" not in done.stdout) and done)


def check_layered(folder):
    layered = folder / "layered.json"
    layered.write_text(json.dumps({"content": {"modulesContent": {"$edgeAgent": {
        "properties.desired.modules.sensor": {"settings": {"image": "a", "createOptions": "{}"}}}}}}))
    code, said, _ = plan("agent-empty-config-dns", "--set", "module=sensor", "--set", "dns_server=10.0.0.53", "--deployment", layered)
    case("of a layered deployment, the patch alone", (code != 0 or not said["layered"] or said["manifest"] is not None
         or apply(json.loads(layered.read_text()), said["patch"])["content"]["modulesContent"]["$edgeAgent"]
         ["properties.desired.modules.sensor"]["settings"]["createOptions"] != '{"HostConfig":{"Dns":["10.0.0.53"]}}') and said)


def check_refusals(folder):
    broken = folder / "broken.json"
    broken.write_text('{\n  "modulesContent": {,}\n}\n')
    other = folder / "other.json"
    other.write_text("{}")
    refusals = [
        ("no JSON", ["low-upstream-throughput", "--deployment", broken], "broken.json:2:"),
        ("no manifest", ["low-upstream-throughput", "--deployment", other], "no deployment manifest"),
        ("no file", ["low-upstream-throughput", "--deployment", folder / "none"], "Failed to read the deployment"),
        ("a folder", ["low-upstream-throughput", "--deployment", folder], "Failed to read the deployment"),
        ("no value", ["hub-port-conflict", "--deployment", SAMPLE], "<port> is not known"),
        ("no such symptom", ["nonsense", "--deployment", SAMPLE], "neither an incident nor a symptom"),
        ("no remedy there", ["agent-lte-mtu", "--deployment", SAMPLE], "is not in the deployment"),
        ("no setting", ["low-upstream-throughput", "--set", "x", "--deployment", SAMPLE], "expected NAME=VALUE"),
        ("no such incident", ["hub-port-conflict", "--recording", ROOT / "replay" / "module-stuck-255", "--deployment", SAMPLE],
         "has no incident"),
    ]
    for name, arguments, text in refusals:
        done = run(*arguments)
        case(f"{name}: refused", (done.returncode != 2 or text not in done.stderr) and done)


with tempfile.TemporaryDirectory(prefix="edgewatch-deployment-") as name:
    manifest = json.loads(SAMPLE.read_text())
    check_recorded(manifest)
    check_output(manifest, Path(name))
    check_layered(Path(name))
    check_refusals(Path(name))
print(f"1..{count}")
sys.exit(1 if failures else 0)
