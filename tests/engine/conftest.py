"""One test body for all engines, and "llvm" for every width of vectors."""

import pytest
from engines import ENGINES, FAST


@pytest.fixture(params=ENGINES)
def run(request):
    """An engine, as a function: (image, weights, …) → result."""
    return ENGINES[request.param]


@pytest.fixture(params=FAST)
def run_fast(request):
    """One whose bits do not depend on strips."""
    return FAST[request.param]
