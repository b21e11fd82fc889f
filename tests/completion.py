#!/usr/bin/env python3
"""The shells' completions: bash's by asking it as readline would, zsh's by running its functions. Argument: edgewatchctl.
Prints TAP. Incidents are asked of a daemon in tests/integration/bus.py."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPLETION = ROOT / "conf" / "completion"
ENVIRONMENT = {**os.environ, "EDGEWATCH_RULES_PATH": str(ROOT / "conf" / "rules.d"),
               "EDGEWATCH_RUNTIME_DIRECTORY": "/nonexistent", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
RULES = {path.stem for path in (ROOT / "conf" / "rules.d").glob("*.yaml")}

# The words of a line as readline splits them, and what it may be completed to.
LINES = [
    (["st"], {"status"}),
    (["me"], {"metrics"}),
    (["--json", "hi"], {"history"}),
    (["-D", "/nonexistent", "hi"], {"history"}),
    (["--color", "=", "never", "hi"], {"history"}),
    (["explain", ""], RULES),
    (["explain", "agent-l"], {"agent-lte-mtu"}),
    (["silence", "hub-o"], {"hub-oom-small-device"}),
    (["silence", "hub-oom-small-device", "o"], {"off"}),
    (["rules", ""], {"list", "show", "lint", "test", "catalog"}),
    (["rules", "show", "ip-"], {"ip-forward-disabled"}),
    (["rules", "lint", "ip-forward-disabled", "queue-"], {"queue-cleanup-slow"}),
    (["fix", "pl"], {"plan"}),
    (["fix", ""], {"list", "plan", "apply", "undo", "history"}),
    (["fix", "apply", "image-"], {"image-pull-403"}),
    (["fix", "apply", "agent-lte-mtu", "--y"], {"--yes"}),
    (["fix", "undo", ""], set()),
    (["fix", "plan", "image-"], {"image-pull-403"}),
    (["history", "--mer"], {"--merge"}),
    (["history", "--unt"], {"--until="}),
    (["--color", "=", "ne"], {"never"}),
    (["--color", "=", ""], {"auto", "always", "never"}),
    (["--color", "="], {"auto", "always", "never"}),
    (["history", "--since", "yes"], {"yesterday"}),
    (["history", "-S", "tod"], {"today"}),
    (["history", "--directory", "/us"], {"/usr"}),
    (["history", "-D", "/us"], {"/usr"}),
    (["metrics", "-o", "/etc/hostn"], {"/etc/hostname"}),
    (["replay", "/us"], {"/usr"}),
    (["list", "x"], set()),
]

failures = 0
count = 0


def case(name, problems):
    global failures, count
    count += 1
    failures += bool(problems)
    print(f"{'not ' if problems else ''}ok {count} - {name}")
    for problem in problems:
        print(f"# {problem}")


def bash(words):
    script = f'source {COMPLETION}/edgewatchctl.bash; COMP_WORDS=(edgewatchctl "$@"); COMP_CWORD=$#; _edgewatchctl; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=False,
                          env=ENVIRONMENT)
    return set(done.stdout.split()), done.stderr


def zsh(words):
    """Runs the real function with compadd and _files put in its place: what they were given is what is offered."""
    script = ('compadd() { shift; print -rl -- "$@" | grep -e "^$PREFIX"; }; _files() { print FILES; }; '
              'compset() { PREFIX=${PREFIX#*=}; }; words=(edgewatchctl "$@"); CURRENT=$#words; PREFIX=$words[CURRENT]; '
              f'f() {{ source {COMPLETION}/_edgewatchctl; }}; f')
    done = subprocess.run(["zsh", "-f", "-c", script, "zsh", *words], capture_output=True, text=True, check=False,
                          env=ENVIRONMENT)
    return set(done.stdout.split()), done.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "edgewatchctl").symlink_to(Path(sys.argv[1]).resolve())
        ENVIRONMENT["PATH"] = f"{folder}:{os.environ['PATH']}"
        for words, expected in LINES:
            got, said = bash(words)
            case(f"bash: {' '.join(words)}", [] if (got, said) == (expected, "") else [f"{sorted(got)} {said}"])
        done = subprocess.run(["zsh", "-n", COMPLETION / "_edgewatchctl"], capture_output=True, text=True, check=False)
        case("zsh can read its completion", done.stderr.splitlines() + ["exit status"] * (done.returncode != 0))
        for words, expected in LINES:
            if "=" in words or any(word.startswith(("/", "yes", "tod")) for word in words):
                continue
            got, said = zsh(words)
            expected = {word.rstrip("=") for word in expected}
            case(f"zsh: {' '.join(words)}", [] if (got, said) == (expected, "") else [f"{sorted(got)} {said}"])
    print(f"1..{count}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
