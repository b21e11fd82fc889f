#!/usr/bin/env python3
"""What systemd thinks of the units as they are installed: nothing to warn about, and shut in as tightly as promised.

units.py BUILD-DIRECTORY. Installs into a folder of its own; a program is looked for there by systemd-analyze too."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

EXPOSURE_MAX = {
    'edgewatchd.service': 1.8,
    'edgewatch-gate.service': 1.5,
    'edgewatch-metrics.service': 2.0,
    'edgewatch-probe@.service': 4.0,
    'edgewatch-fix@.service': 4.0,
    'edgewatch-fix-recover.service': 4.0,
}
# The oldest systemd that is to run them, and what came after it; none of these is used.
NEWER_THAN_247 = re.compile(r'^(ExtensionDirectories|ManagedOOM\w+|MemoryZSwap\w*|OpenFile|PollLimit\w+|ProtectHostname=private'
                            r'|RestrictFileSystems|RestrictNetworkInterfaces|SocketBind\w+|Type=notify-reload)', re.MULTILINE)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, 'SYSTEMD_COLORS': '0', 'LC_ALL': 'C.UTF-8'})
    return done.returncode, done.stdout


def install(build, folder):
    """The units as meson installs them, with programs that exist in place of those of the real prefix."""
    status, output = run('meson', 'install', '-C', str(build), '--no-rebuild', '--destdir', str(folder))
    if status != 0:
        raise RuntimeError(f'meson install: {output}')
    units = next(folder.rglob('edgewatchd.service')).parent
    for path in units.glob('*.service'):
        path.write_text(re.sub(r'^(ExecStart=)\S+', r'\1' + sys.executable, path.read_text(), flags=re.MULTILINE))
    return units


def verify(units):
    status, output = run('systemd-analyze', 'verify', '--man=no',
                         *(str(path) for path in sorted([*units.glob('*.service'), *units.glob('*.socket'), *units.glob('*.timer')])))
    return [line for line in output.splitlines() if 'edgewatch' in line] + ([f'exit status {status}'] if status else [])


def exposure(units, name):
    _, output = run('systemd-analyze', 'security', '--offline=true', '--no-pager', str(units / name))
    found = re.search(r'Overall exposure level for \S+: ([0-9.]+)', output)
    return float(found[1]) if found else None


def newer(units):
    return [f'{path.name}: {found[0]}' for path in sorted(units.rglob('*')) if path.is_file()
            for found in NEWER_THAN_247.finditer(path.read_text())]


def main():
    results = []
    with tempfile.TemporaryDirectory(prefix='edgewatch-units-') as folder:
        units = install(Path(sys.argv[1]), Path(folder))
        complaints = verify(units)
        results.append((not complaints, 'systemd-analyze verify has nothing to say', complaints))
        for name, most in EXPOSURE_MAX.items():
            level = exposure(units, name)
            results.append((level is not None and level <= most, f'{name} is exposed by {level}, at most {most}', []))
        results.append((not newer(units), 'every setting is known to systemd 247', newer(units)))
        services = {path.name for path in units.glob('*.service')}
        results.append((services == set(EXPOSURE_MAX), 'every service is rated', sorted(services ^ set(EXPOSURE_MAX))))
    print(f'1..{len(results)}')
    for i, (is_ok, what, notes) in enumerate(results, 1):
        print(f'{"ok" if is_ok else "not ok"} {i} - {what}')
        for note in notes:
            print(f'# {note}')
    return 0 if all(is_ok for is_ok, _, _ in results) else 1


if __name__ == '__main__':
    sys.exit(main())
