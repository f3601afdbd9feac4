"""The comparisons: each sees the least difference of its kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.compare import MEASURES, compare


def test_bit_sees_one_ulp_a_signed_zero_a_dtype_and_a_shape():
    a = np.array([[1.0, 2.0], [np.nan, 0.0]])
    assert compare("bit", a, a.copy()).worst == 0
    for place, value in (((0, 1), np.nextafter(2, 3)), ((1, 1), -0.0), ((1, 0), 1.0)):
        b = a.copy()
        b[place] = value
        found = compare("bit", b, a)
        assert (found.worst, found.count, found.where) == (1, 1, place)
    assert compare("bit", a.astype(np.float32), a).worst == np.inf
    assert compare("bit", a[:1], a).worst == np.inf
    assert "shape" in compare("bit", a[:1], a).remark


def test_flips_counts_decisions_and_takes_nothing_but_bool():
    a = np.array([True, False, True])
    assert compare("flips", a, a).worst == 0
    assert compare("flips", ~a, a).worst == 3
    assert compare("flips", a.astype(np.uint8), a.astype(np.uint8)).worst == np.inf


@given(st.floats(-(2.0**120), 2.0**120, width=32), st.integers(0, 50))
def test_ulp_counts_steps(start, steps):
    value = np.float32(start)
    for _ in range(steps):
        value = np.nextafter(value, np.float32(np.inf))
    zeros = start < 0 <= value and steps > 0  # −0 and +0 are one number
    assert compare("ulp", np.array([value]), np.array([start], np.float32)).worst in (
        {steps, steps - 1} if zeros else {steps}
    )


def test_ulp_across_the_whole_range_and_at_nan():
    most = np.finfo(float).max
    assert compare("ulp", np.array([most]), np.array([-most])).worst == pytest.approx(2 * 0x7FEFFFFFFFFFFFFF)
    assert compare("ulp", np.array([np.nan]), np.array([np.nan])).worst == 0
    assert compare("ulp", np.array([np.nan]), np.array([1.0])).worst == np.inf
    assert compare("ulp", np.array([1]), np.array([1])).worst == np.inf


def test_absolute_counts_in_units_of_each_element():
    theirs = np.array([1.0, 1.0, np.nan, np.inf])
    ours = np.array([1.5, 1.25, np.nan, np.inf])
    found = compare("absolute", ours, theirs, np.array([1.0, 0.125, 1, 1]))
    assert (found.worst, found.where, found.count) == (2.0, (1,), 2)
    assert compare("absolute", ours, theirs, np.array([0.0, 1, 1, 1])).worst == np.inf
    assert compare("absolute", theirs, theirs, 0.0).worst == 0
    assert compare("absolute", np.array([np.nan]), np.array([1.0])).worst == np.inf


def test_ties_lets_neighbours_pass_only_at_one_half():
    exact = np.array([10.5, 10.25, 10.5, -3.5])
    theirs = np.array([11, 10, 11, -4], np.int16)
    assert compare("ties", np.array([10, 10, 11, -3], np.int16), theirs, exact).worst == 0
    assert compare("ties", np.array([10, 10, 11, -3], np.int16), theirs, exact).count == 2
    assert compare("ties", np.array([11, 11, 11, -4], np.int16), theirs, exact).worst == pytest.approx(0.25 / 32767)
    assert compare("ties", np.array([9, 10, 11, -4], np.int16), theirs, exact).worst == np.inf


def test_an_unknown_comparison_passes_nothing():
    assert compare("close enough", 1, 1).worst == np.inf
    assert set(MEASURES) == {"bit", "ulp", "absolute", "flips", "ties"}
