"""UIDs that follow from a text, and other people's mapped to such."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from fsrcnn_np.files.dicom.library import with_items

_NAMESPACE = uuid.UUID("6d9c5b0e-0f3c-5d0b-9a57-3f1c9f4a8f7e")  # of this project's derived UIDs
_STANDARD = "1.2.840.10008."  # classes, syntaxes and codes: PS3.6 A


def uid_of(text: str) -> str:
    """A UID from a UUID (PS3.5 B.2), always 44 characters long: a header's length does not depend on it."""
    numbers = (uuid.uuid5(_NAMESPACE, f"{text} {attempt}").int for attempt in itertools.count())
    return f"2.25.{next(number for number in numbers if number >= 10**38)}"


def remap(dataset: Any, text: str) -> None:
    """Map every UID that is not the standard's own, at any depth; a UID always to the same one."""
    for item in with_items(dataset):
        for element in item:
            if element.VR == "UI" and element.value:
                many = not isinstance(element.value, str)
                new = [_mapped(str(value), text) for value in (element.value if many else [element.value])]
                element.value = new if many else new[0]


def _mapped(uid: str, text: str) -> str:
    return uid if uid.startswith(_STANDARD) else uid_of(f"{text} {uid}")
