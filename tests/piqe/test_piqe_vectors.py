"""The vectors beside PIQE's decisions: both engines agree with the twin, and every known mistake is caught."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from parity import piqe_vectors  # noqa: E402
from parity.mistakes import piqe as mistakes  # noqa: E402
from piqe_np import piqe  # noqa: E402
from piqe_np.reference import gray_levels  # noqa: E402

VECTORS = piqe_vectors.load()


@pytest.fixture(scope="module")
def found():
    return mistakes.catches(VECTORS)


@pytest.mark.parametrize("engine", ["llvm", "numba", "reference"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_decisions_are_the_twin_s(vector, engine):
    levels, _, masks, score = mistakes.judge(vector.image, vector.data_range)
    result = piqe(vector.image, data_range=vector.data_range, engine=engine)
    assert np.array_equal(gray_levels(vector.image, vector.data_range and (0, vector.data_range)), levels)
    assert np.array_equal(result.activity_mask, masks[0])
    assert np.array_equal(result.noticeable_artifacts_mask, masks[1])
    assert np.array_equal(result.noise_mask, masks[2])
    assert abs(result.score - score) < 1e-9


def test_every_mistake_is_caught_and_every_vector_keeps_its_word(found):
    assert mistakes.broken_promises(VECTORS, found) == []


def test_a_mistake_that_nothing_catches_is_reported(found):
    missed = mistakes.broken_promises(VECTORS, {**found, "no mistake at all": {}})
    assert missed == ["nothing catches: no mistake at all"]


def test_the_table_is_up_to_date(found):
    assert mistakes.TABLE.read_text(encoding="utf-8") == mistakes.as_markdown(VECTORS, found)


def test_ids_are_unique_and_promises_are_known():
    ids = [vector.id for vector in VECTORS]
    assert len(ids) == len(set(ids))
    for vector in VECTORS:
        assert vector.catches
        assert set(vector.catches) <= set(mistakes.MISTAKES)
