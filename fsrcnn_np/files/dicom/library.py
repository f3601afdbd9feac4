"""pydicom, where it is installed, kept from talking to the user."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from fsrcnn_np.errors import MissingExtraError
from fsrcnn_np.files.together import together

logging.getLogger("pydicom").addHandler(logging.NullHandler())  # else its warnings go to the user's terminal


def import_pydicom() -> Any:
    """pydicom, or a MissingExtraError with the line that installs it."""
    try:
        import pydicom
        import pydicom.encaps
        import pydicom.pixels
    except ImportError as error:
        raise MissingExtraError("DICOM needs pydicom: pip install 'fsrcnn-np[dicom]'") from error
    return pydicom


@together
@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Old files hold values that today's rules forbid; they are carried over, neither refused nor warned about."""
    with import_pydicom().config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def name(tag: Any) -> str:
    """A tag as the standard writes it: (0028,0010)."""
    return f"({tag.group:04X},{tag.element:04X})"


def with_items(dataset: Any) -> Iterator[Any]:
    """The data set and every item of its sequences, at any depth; each before what lies below it."""
    yield dataset
    for element in dataset:
        for item in element.value or () if element.VR == "SQ" else ():
            yield from with_items(item)
