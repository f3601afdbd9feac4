"""The phantom's bits are the same under every feature set of NumPy's and of the compiler's that can be switched off."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fsrcnn_np.phantom import kernels, phantom
from numpy_features import dispatched
from piqe_np.compiled import FLAGS

HERE = Path(__file__).parent
EXPECTED = (HERE / "bits.txt").read_text(encoding="utf-8")
SMALL = "".join(line for line in EXPECTED.splitlines(keepends=True) if not line.startswith("full"))


def draw(*arguments: str, **environment: str) -> str:
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), *sys.path[1:]]), **environment}
    command = [sys.executable, str(HERE / "draw_digests.py"), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


def test_here_and_in_full():
    assert draw("--full") == EXPECTED


@pytest.mark.parametrize("feature", [*dispatched(), "all"])
def test_without_a_feature_of_numpy_s(feature):
    off = " ".join(dispatched()) if feature == "all" else feature
    assert draw(NPY_DISABLE_CPU_FEATURES=off) == SMALL


def test_kernels_of_another_processor():
    assert draw(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_OPT="2") == SMALL


def test_threads_change_nothing():
    one, three = phantom(9, shape=(300, 256), threads=1), phantom(9, shape=(300, 256), threads=3)
    assert np.array_equal(one.pixels, three.pixels)


def test_the_compiler_fuses_no_multiplication_with_an_addition():
    """A fused multiply-add rounds once where the source rounds twice; not every processor has it."""
    import numba

    phantom(shape=(256, 256))
    for cached in (kernels.grow, kernels.quanta, kernels.blur, kernels.tubes, kernels.replace):
        fresh = numba.njit(cached.py_func, **FLAGS)  # what comes from the cache cannot be inspected
        for signature in cached.signatures:
            fresh.compile(signature)
        for code in fresh.inspect_asm().values():
            assert re.search(r"\bv?mul[ps][sd]\b|\bfmul\b", code)  # it was machine code that was searched
            assert not re.search(r"\bv?fn?m(add|sub|la|ls)", code)
