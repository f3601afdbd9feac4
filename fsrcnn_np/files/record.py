"""Provenance ↔ the line of JSON that an output carries; a digest of its own tells when somebody edited it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from fsrcnn_np.errors import FormatError, unreadable
from fsrcnn_np.files.picture import Provenance
from fsrcnn_np.files.target import split
from fsrcnn_np.images.value_range import ValueRange

KEYWORD = "fsrcnn-np provenance"  #: under this name it stands, where the format has names
BEGINNING = 1 << 14  #: bytes of a PNG or TIFF in which a record of ours stands, if it has one
_SCHEMA = 1
_LONGEST_NAME = 64  # letters of a model's name: all of it has to fit into a DICOM's 1024
_TEXTS = {field.name for field in fields(Provenance)} - {"scale", "value_range", "allow", "settings"}

#: What shows something of a picture and is none: the beginning of its record's label, as `text_of` writes it.
_NO_PICTURES = {
    b"phantom": "holds the labels of a phantom's calcifications",  # where they are that part of it
    b"PIQE mask": "is a mask of PIQE",
    b"comparison": "is the figure of a comparison",
    b"measure": "is a figure of measurements",
}
_LABELLED = re.compile(
    b'"format":"' + KEYWORD.encode() + b'","label":"(phantom(?=[^{}]*"part=labels")|PIQE mask|comparison|measure)'
)


def made_by(process: str, label: str, *, settings: Mapping[str, object] | None = None, **facts: Any) -> Provenance:
    """The record of an output of this version: `settings` are what else decides it, `facts` its other parts."""
    from fsrcnn_np.version import __version__

    facts = {"scale": 1, "model": "", "sha256": "", **facts}
    said = tuple(f"{name}={value}" for name, value in (settings or {}).items())
    return Provenance(process, label, software="fsrcnn-np", version=__version__, settings=said, **facts)


def source_of(source: str | os.PathLike[str]) -> dict[str, Any]:
    """What a record says of its source, FILE or FILE::/part.

    Raises
    ------
    FileError
        It cannot be read.
    """
    path, part = split(source)
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error
    return {"source_sha256": digest, "source_part": short_digest((part or "").strip("/"))}


def short_digest(text: str) -> str:
    """For a text that may tell something of a person, like a dataset's name."""
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def text_of(provenance: Provenance, **more: str) -> str:
    """One line of ASCII; the same provenance gives the same line."""
    facts: dict[str, Any] = {"format": KEYWORD, "schema": _SCHEMA, **asdict(provenance), **more}
    facts["model"] = provenance.model[:_LONGEST_NAME]
    if not provenance.settings:
        del facts["settings"]
    return _line({**facts, "digest": _digest(facts)})


def no_picture(beginning: bytes) -> str:
    """What a file is, that begins like this, of ours that no folder of pictures has as one; empty: not known as such.

    Parameters
    ----------
    beginning : bytes
        The first `BEGINNING` of a PNG or TIFF, or all of a shorter one.
    """
    found = _LABELLED.search(beginning)
    return "" if found is None else f"{_NO_PICTURES[found[1]]}, as it says itself; name the file if it is meant"


def parsed(text: str) -> tuple[Provenance, dict[str, str]]:
    """What `text_of` was given.

    Raises
    ------
    FormatError
        It is no such line, of another schema, or not as it was written.
    """
    try:
        facts = json.loads(text)
        digest, kind, schema = facts.pop("digest"), facts.pop("format"), facts.pop("schema")
        if kind != KEYWORD or schema != _SCHEMA:
            raise FormatError(f"its provenance is of schema {str(schema)[:20]}; this version reads {_SCHEMA}")
        if digest != _digest({"format": kind, "schema": schema, **facts}):
            raise FormatError("its provenance was edited: it is not as it was written; copy it again")
        span = facts.pop("value_range")
        known = {name: facts.pop(name) for name in sorted(_TEXTS)}
        provenance = Provenance(
            scale=int(facts.pop("scale")),
            allow=tuple(facts.pop("allow")),
            settings=tuple(facts.pop("settings", ())),
            value_range=span and ValueRange(**span),
            **known,
        )
    except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("its provenance is damaged: it is no record of fsrcnn-np; copy it again") from None
    return provenance, facts


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(_line(facts).encode()).hexdigest()


def _line(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))
