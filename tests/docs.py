#!/usr/bin/env python3
"""The man pages against the programs and the code, both ways. Arguments: edgewatchd, edgewatchctl. Prints TAP."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAN = ROOT / "docs" / "man"
UUID = r"[0-9a-f]{32}"

failures = 0
count = 0


def case(name, problems):
    global failures, count
    count += 1
    failures += bool(problems)
    print(f"{'not ' if problems else ''}ok {count} - {name}")
    for problem in problems:
        print(f"# {problem}")


def same(name, page, documented, real):
    """Also fails when nothing is compared: then this test no longer understands what it reads."""
    problems = [f"{page} lacks {word}" for word in sorted(real - documented)]
    problems += [f"{page} has {word}, which does not exist" for word in sorted(documented - real)]
    case(name, problems if real else problems + ["nothing was found to compare"])


def read(path):
    return (ROOT / path).read_text()


def sections(page):
    """The terms of a page's definitions, by section: the bold words of the lines above an indented text."""
    terms = {}
    section = None
    lines = (MAN / f"{page}.scd").read_text().splitlines()
    for line, following in zip(lines, lines[1:] + [""]):
        if line.startswith("# "):
            section = line[2:]
            terms[section] = set()
        elif line.startswith("*") and following.startswith("\t"):
            terms[section] |= set(re.findall(r"\*([^*]+)\*", line))
    return terms


def help_text(program):
    return subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def check_options(page, program):
    options = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*|-[A-Z])(?![\w-])",
                             "\n".join(line[:30] for line in help_text(program).splitlines() if re.match(r" +-", line))))
    same(f"{page}: options", page, sections(page)["OPTIONS"], options)


def check_verbs(page, program):
    verbs = help_text(program).split("Verbs:\n")[1].split("\n\n")[0]
    parts = set(re.findall(r"[a-z]+", re.search(r"^  rules ([a-z|]+)", verbs, re.M).group(1)))
    same(f"{page}: verbs", page, sections(page)["VERBS"], set(re.findall(r"^  ([a-z]+)", verbs, re.M)) | parts)


def check_environment(page, *folders):
    text = "".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.c")))
    terms = sections(page)["ENVIRONMENT"] - {"NOTIFY_SOCKET", "WATCHDOG_USEC"}  # libsystemd reads these
    same(f"{page}: environment", page, terms, set(re.findall(r'\bgetenv\("(\w+)"\)', text)))


def config_keys_of_code():
    text = read("lib/config/config-read.c")
    prefixes = {"top_keys": "", "read_window": "fixes.windows."}
    keys = set()
    tables = re.findall(r"^static (?:void (read_\w+)|const ConfigKey (top_keys))\b[^;]*?\{(.*?)^\}", text, re.M | re.S)
    for reader, top, body in sorted(tables, key=lambda t: not t[1]):
        for key, how in re.findall(r'\{"(\w+)", (read_\w+),', body):
            name = prefixes.get(reader or top, "?.") + key
            keys.add(name)
            prefixes[how] = name + "."
    sources = re.search(r"source_names\[\] = \{(.*?)\}", text, re.S).group(1)
    keys |= {f"sources.{name}" for name in re.findall(r'"(\w+)"', sources)}
    return {key for key in keys if not any(other.startswith(key + ".") for other in keys) or key == "fixes.windows"}


def config_keys_of_file():
    """Those that are comments too."""
    keys, path = set(), []
    for line in read("conf/edgewatch.yaml").splitlines()[1:]:
        match = re.match(r"( *)(?:# )?( *(?:- )?)([a-z_-]+):(?: |$)", line)
        if not match:
            continue
        indent = len(match.group(1) + match.group(2))
        path = [(i, name) for i, name in path if i < indent] + [(indent, match.group(3))]
        keys.add(".".join(name for _, name in path))
    keys = {re.sub(r"^(fixes\.override)\..*", r"\1", key) for key in keys}
    return {key for key in keys if not any(other.startswith(key + ".") for other in keys) or key == "fixes.windows"}


def check_config():
    page = "edgewatch.yaml.5"
    code = config_keys_of_code()
    same(f"{page}: keys", page, sections(page)["KEYS"], code)
    same("conf/edgewatch.yaml: keys", "conf/edgewatch.yaml", config_keys_of_file(), code)


def keys_of_schema():
    keys = set()
    definitions = json.loads(read("conf/rules.schema.json"))["$defs"]

    def walk(node):
        if isinstance(node, dict):
            keys.update(node.get("properties", {}))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(definitions)
    return keys


def check_rules():
    page = (MAN / "edgewatch-rules.5.scd").read_text().split("# SEE ALSO")[0]
    words = set(re.findall(r"\*([^*\s]+)\*", page))
    guide = re.sub(r"^```.*?^```$", "", read("docs/rules.md"), flags=re.M | re.S)
    long = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"`([^`]+)`", guide))))
    real = keys_of_schema()
    same("edgewatch-rules.5: keys", "edgewatch-rules.5", words, real)
    case("docs/rules.md: keys", [f"docs/rules.md lacks {key}" for key in sorted(real - long)])


def check_fields():
    page = "edgewatch-fields.7"
    code = "".join(read(path) for path in
                   ("lib/report/report.c", "daemon/base/log.c", "daemon/fix/voice.c", "daemon/watch/sinks/journal-sink.c"))
    written = {name for name in re.findall(r'"([A-Z][A-Z_]+=)', code) if name != "_UID="}
    same("journal fields", page, sections(page)["JOURNAL FIELDS"], written)
    named = set(re.findall(r"@([A-Z_]+)@", read("lib/report/catalog.c")))
    case("the catalog names fields that exist", [f"{name} is no field" for name in sorted(named)
                                                 if name + "=" not in written])

    text = (MAN / f"{page}.scd").read_text()
    rows = set(re.findall(rf"^\|  ({UUID})\n:  (\S+)$", text, re.M))
    real = set()
    for path in sorted((ROOT / "conf/rules.d").glob("*.yaml")):
        rule = path.read_text()
        real.add((re.search(rf'^message-id: *"?({UUID})', rule, re.M).group(1),
                  re.search(r"^id: *(\S+)", rule, re.M).group(1)))
    own = set(re.findall(rf'#define MESSAGE_ID_\w+ +"({UUID})"', read("lib/report/report.h")))
    same("message ids of symptoms", page, {" ".join(row) for row in rows}, {" ".join(row) for row in real})
    same("other message ids", page, set(re.findall(rf"^\|  ({UUID})$", text, re.M)) - {i for i, _ in real}, own)


def check_metrics():
    page = "edgewatch-fields.7"
    same("metrics", page, sections(page)["METRICS"],
         set(re.findall(r'^ +\{"(edgewatch_\w+)"', read("lib/report/exposition.c"), re.M)))


def check_bus():
    page = "edgewatch-fields.7"
    names = set(re.findall(r'SD_BUS_(?:PROPERTY|METHOD_WITH_ARGS|SIGNAL_WITH_ARGS)\(\s*"(\w+)"',
                           read("daemon/watch/bus-objects.c")))
    header = read("daemon/bus-names.h")
    names |= set(re.findall(r'BUS_ERROR_\w+ +"([\w.]+)"', header))
    same("D-Bus members", page, sections(page)["D-BUS INTERFACE"], names)
    text = (MAN / f"{page}.scd").read_text()
    case("D-Bus objects and interfaces", [f"{page} lacks {name}" for name in
                                          re.findall(r'BUS_\w*(?:NAME|PATH|INTERFACE) +"([\w./]+)"', header)
                                          if name not in text])


def check_compile():
    scdoc = shutil.which("scdoc")
    if not scdoc:
        print("# no scdoc here")
        return
    problems = []
    for path in sorted(MAN.glob("*.scd")):
        with path.open() as source:
            done = subprocess.run([scdoc], stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode or not done.stdout:
            problems.append(f"{path.name}: {done.stderr.strip()}")
    case("scdoc takes all pages", problems)


def main():
    edgewatchd, edgewatchctl = sys.argv[1:]
    check_options("edgewatchd.8", edgewatchd)
    check_options("edgewatchctl.1", edgewatchctl)
    check_verbs("edgewatchctl.1", edgewatchctl)
    check_environment("edgewatchd.8", "daemon/base", "daemon/watch")
    check_environment("edgewatchctl.1", "daemon/collect", "daemon/ctl")
    check_config()
    check_rules()
    check_fields()
    check_metrics()
    check_bus()
    check_compile()
    print(f"1..{count}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
