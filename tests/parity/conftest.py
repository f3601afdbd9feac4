"""What the parity tests share: the committed vectors, their goldens, the tolerances."""

import pytest

from parity import store, tolerances


@pytest.fixture(scope="session")
def vectors():
    found, faults = store.load_vectors()
    assert not faults
    return found


@pytest.fixture(scope="session")
def goldens():
    index = store.read_index()
    (name,) = index["goldens"]
    return store.load_goldens(store.FOLDER / name, index["goldens"][name]["results"])


@pytest.fixture(scope="session")
def known():
    found, faults = tolerances.load()
    assert not faults
    return found
