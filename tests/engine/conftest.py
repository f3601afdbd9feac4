"""One test body for every width of vectors."""

import pytest
from processors import RUNNABLE


@pytest.fixture(params=RUNNABLE)
def processor(request):
    return RUNNABLE[request.param]
