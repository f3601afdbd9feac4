"""Commands as processes, under faults of the system: a library between them and the C library (faults.c), limits."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "FSRCNN_NP_THREADS": "3", "PIQE_NP_THREADS": "3"}


@cache
def library():
    """faults.c, compiled; where there is no compiler (tests/run.sh installs one) the tests fail and say so."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.fail(
            "no C compiler is here; the faults of tests/faults/faults.c need one: apt-get install gcc libc6-dev"
        )
    made = Path(tempfile.mkdtemp()) / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", str(source), "-o", str(made), "-ldl"], check=True)
    return made


def run(*words, shell="", **faults):
    """Run `python -m words…`; gives status, standard output and standard error.

    Parameters
    ----------
    shell : str
        What a shell is to do with it: `"$@"` stands for the command, like `ulimit -n 16; "$@" 2>&-`.
    faults : str
        Of faults.c: READ="5:100:.png".
    """
    environment = ENVIRONMENT | {f"FAULT_{name}": str(value) for name, value in faults.items()}
    if faults:
        environment["LD_PRELOAD"] = str(library())
    command = [sys.executable, "-m", *map(str, words)]
    if shell:
        command = ["bash", "-c", shell, "bash", *command]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()
