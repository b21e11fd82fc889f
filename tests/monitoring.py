#!/usr/bin/env python3
"""What conf/monitoring ships: promtool takes and tests the alert rules, and parses each query of the dashboard. That the
metrics exist, tests/integration/bus.py asks a daemon. Prints TAP."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

MONITORING = Path(__file__).resolve().parent.parent / "conf" / "monitoring"

failures = 0
count = 0


def case(name, problems):
    global failures, count
    count += 1
    failures += bool(problems)
    print(f"{'not ' if problems else ''}ok {count} - {name}")
    for problem in problems:
        print(f"# {problem}")


def promtool(*args):
    done = subprocess.run(["promtool", *map(str, args)], capture_output=True, text=True, check=False, cwd=MONITORING)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def queries(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def check_dashboard():
    dashboard = json.loads((MONITORING / "edgewatch.dashboard.json").read_text())
    sources = [panel["datasource"] for panel in dashboard["panels"]]
    sources += [target["datasource"] for panel in dashboard["panels"] for target in panel["targets"]]
    case("the dashboard names no data source of its own", [str(s) for s in sources if s["uid"] != "${datasource}"])
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    case("the dashboard has its variables", [] if names == {"datasource", "instance"} else sorted(names))
    rules = {"groups": [{"name": "dashboard", "rules": [
        {"record": f"query:{number}", "expr": query.replace("$instance", ".*")}
        for number, query in enumerate(queries(dashboard))]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(rules, file)  # which is YAML too
        file.flush()
        case("the dashboard's queries are PromQL", promtool("check", "rules", file.name) if queries(dashboard)
             else ["there are none"])


def main():
    case("promtool takes the rules", promtool("check", "rules", "edgewatch.rules.yaml"))
    case("the rules alert as they should", promtool("test", "rules", "edgewatch.rules.test.yaml"))
    check_dashboard()
    print(f"1..{count}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
