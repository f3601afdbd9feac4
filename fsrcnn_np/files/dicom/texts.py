"""Texts of a data set byte by byte, in whatever character set they are.

pydicom decodes a text when it is looked at, and encodes it anew when it is written. Where (0008,0005) Specific
Character Set does not fit (a name in Latin-1 that is said to be UTF-8), or is one that pydicom cannot encode (ISO_IR
13), letters become question marks on that way. So the bytes are kept beside the text, and written in its place while
it is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fsrcnn_np.files.dicom.library import import_pydicom, with_items

_TEXTS = ("LO", "LT", "PN", "SH", "ST", "UC", "UT")  # that (0008,0005) is about: PS3.5 6.1.2.2
_UNDECODED = "\N{REPLACEMENT CHARACTER}"


class _Name:
    """What pydicom's writer asks a person's name for, in any character set."""

    def __init__(self, stored: bytes) -> None:
        self.stored = stored

    def encode(self, encodings: object) -> bytes:
        """The name's bytes."""
        return self.stored


def keep_stored(dataset: Any) -> None:
    """Keep the bytes of every text that nobody has looked at yet, at any depth."""
    for tag in list(dataset.keys()):
        try:
            _keep(dataset, tag)
        except Exception:  # one that cannot be read is found by who reads it
            continue


def stored(element: Any) -> bytes | None:
    """The bytes of a text, while it is what it was."""
    data, text = getattr(element, "as_stored", (None, ""))
    return data if data is not None and str(element.value) == text else None


def garbled(text: object) -> bool:
    """Whether a decoded text has letters that its character set does not know."""
    return _UNDECODED in str(text)


def survives(text: str, dataset: Any) -> bool:
    """Whether a text can be written in the data set's own character set, and read again."""
    charset = import_pydicom().charset
    encodings = charset.convert_encodings(dataset.get("SpecificCharacterSet") or charset.default_encoding)
    return not garbled(text) and charset.decode_bytes(charset.encode_string(text, encodings), encodings, set()) == text


@contextmanager
def as_stored(dataset: Any) -> Iterator[None]:
    """While this lasts texts have the bytes that were read in place of their values, for who writes the data set."""
    changed = []
    try:
        for item in with_items(dataset):
            for element in item:
                if (data := stored(element)) is not None:
                    changed.append((element, element._value))
                    element._value = _Name(data) if element.VR == "PN" else data
        yield
    finally:
        for element, value in changed:
            element._value = value


def _keep(dataset: Any, tag: Any) -> None:
    pydicom = import_pydicom()
    raw = dataset.get_item(tag, keep_deferred=True)
    if raw.is_raw:
        if raw.VR not in (None, "SQ", *_TEXTS):
            return
        if raw.value is None and raw.length:
            source = dataset.filename or dataset.buffer
            raw = pydicom.filereader.read_deferred_data_element(dataset.fileobj_type, source, dataset.timestamp, raw)
            dataset[tag] = raw
        data, raw = raw.value, dataset[tag]
        if raw.VR in _TEXTS and data:
            raw.as_stored = data, str(raw.value)
    if raw.VR == "SQ":
        for item in raw.value or ():
            keep_stored(item)
