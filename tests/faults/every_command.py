"""Every command that writes (those of kills.py), where a system takes away what is usually there.

    python tests/faults/every_command.py                                # all of them, in every surrounding: an hour
    python tests/faults/every_command.py --commands phantom "study run" --where "no space" "few files"

Each is run undisturbed, and then in each surrounding: no traceback, no half file; in those that take nothing it needs
the same bytes and the status 0, else 0, 1 or 2 with one line; then, run again undisturbed, the same bytes.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from faulty import ENVIRONMENT, library
from kills import COMMANDS, begun, contents, contents_names, finished, places, words_of

NO_TMP = 'mount -t tmpfs -o ro none /tmp && mount -t tmpfs -o ro none /dev/shm && exec "$@"'
#: What a shell does with the command; or, with OUT for the folder of results, what faults.c is told.
HARMLESS: dict[str, str | dict[str, str]] = {
    "stdin closed": '"$@" <&-',
    "stdout closed": '"$@" >&-',
    "stderr closed": '"$@" 2>&-',
    "all closed": '"$@" <&- >&- 2>&-',
    "stderr full": '"$@" 2>/dev/full',
    "one thread": {"FAULT_THREADS": "1"},
    "no home": 'env -u HOME -u USER -u LOGNAME -u XDG_CACHE_HOME "$@"',
    "no /tmp": f"unshare -m bash -c '{NO_TMP}' bash \"$@\"",
    "umask 077": 'umask 077; "$@"',
    "no network": 'unshare -n "$@"',
    "the clock goes back": {"FAULT_CLOCK": "-3600"},
    "the clock goes on": {"FAULT_CLOCK": "31536000"},
}
HARMFUL: dict[str, str | dict[str, str]] = {
    "nobody reads": 'set -o pipefail; "$@" | true',
    "stdout full": '"$@" >/dev/full',
    "few files": 'ulimit -n 12; exec "$@"',
    "little memory": 'ulimit -v 716800; OPENBLAS_NUM_THREADS=1 exec "$@"',
    "short files": 'trap "" XFSZ; ulimit -f 8; "$@"',
    "no space": {"FAULT_WRITE": f"{errno.ENOSPC}:0:OUT/"},
    "no space amid": {"FAULT_WRITE": f"{errno.ENOSPC}:3000:OUT/"},
    "a disk that fails": {"FAULT_WRITE": f"{errno.EIO}:0:OUT/"},
    "inputs that fail": {"FAULT_READ": f"{errno.EIO}:100:/in/"},
}
#: Not for these: a network that they are for, the clock of pynetdicom's patience, the day that stands in a report.
WITHOUT = {
    "dicom fetch": {"no network", "few files"},
    "dicom send": {"no network", "few files", "the clock goes on"},
    "study report": {"the clock goes on"},
}
#: Threads that they cannot do without, or a worker's: one line.
THREADED = ("dicom fetch", "dicom send", "study run", "study demo")


def surrounded(words: list[str], out: Path, how: str | dict[str, str]) -> tuple[int, str]:
    """Status, and what is said on standard error."""
    environment = ENVIRONMENT
    if isinstance(how, dict):
        told = {name: value.replace("OUT", str(out)) for name, value in how.items()}
        environment = ENVIRONMENT | told | {"LD_PRELOAD": str(library())}
    else:
        words = ["bash", "-c", how, "bash", *words]
    done = subprocess.run(words, env=environment, capture_output=True, timeout=280, check=False)
    return done.returncode, done.stderr.decode()


def attack(command: str, wheres: list[str], place: Path, *, side: int) -> list[str]:
    """What went wrong, a line each; prints what was said."""
    wrong = []
    with places(command, place, side) as found:
        plain = begun(command, found, place / "plain")
        finished(words_of(command, found, plain))
        meant = {name: data.replace(bytes(plain), b"OUT") for name, data in contents(plain).items()}
        for number, where in enumerate(wheres):
            out = begun(command, found, place / f"out{number}")
            words = words_of(command, found, out)
            status, said = surrounded(words, out, (HARMLESS | HARMFUL)[where])
            print(f"{command}; {where}: {status} {said.strip()[-600:]!r}", flush=True)
            if "Traceback" in said or "please report" in said or status not in (0, 1, 2, 141):
                wrong.append(f"{command}; {where}: {status} {said}")
            if half := [name for name in contents_names(out) if name.endswith(".part")]:
                wrong.append(f"{command}; {where}: left {half}")
            harmless = where in HARMLESS and not (where == "one thread" and command in THREADED)
            if harmless and status != 0:
                wrong.append(f"{command}; {where}: {status} {said}")
            if not harmless:
                finished(words)
            have = {name: data.replace(bytes(out), b"OUT") for name, data in contents(out).items()}
            if have != meant:
                names = [name for name in {*have, *meant} if have.get(name) != meant.get(name)]
                wrong.append(f"{command}; {where}: not the same: {names}")
            shutil.rmtree(out, ignore_errors=True)
    return wrong


def main() -> int:
    """Prints each case, and at the end what fell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", nargs="+", choices=tuple(COMMANDS), default=tuple(COMMANDS), metavar="COMMAND")
    parser.add_argument("--where", nargs="+", choices=(*HARMLESS, *HARMFUL), default=(*HARMLESS, *HARMFUL))
    parser.add_argument("--side", type=int, default=100, help="of the pictures")
    options = parser.parse_args()
    wrong, cases = [], 0
    for command in options.commands:
        chosen = [where for where in options.where if where not in WITHOUT.get(command, ())]
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # /tmp is taken away
            os.chmod(folder, 0o755)
            wrong += attack(command, chosen, Path(folder), side=options.side)
        cases += len(chosen)
    print(f"{cases} cases, {len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
