"""Pillow without its limit of 358 megapixels in the process: `check_size` has the say, before anything is decoded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OPENING = threading.Lock()


@contextmanager
def of_any_size() -> Iterator[None]:
    """Within it Pillow opens files of any size."""
    from PIL import Image

    with _OPENING:
        most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = most
