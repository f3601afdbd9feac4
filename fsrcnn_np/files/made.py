"""What made a file: read from the place that its format has for it, and held against what would make it now."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from fsrcnn_np.errors import FormatError, FsrcnnError
from fsrcnn_np.files import drawings
from fsrcnn_np.files.atomic import check_place
from fsrcnn_np.files.formats import by_suffix
from fsrcnn_np.files.picture import OutputDiffers, Provenance, differs, exists
from fsrcnn_np.files.reading import identify, one_line_errors
from fsrcnn_np.files.record import parsed
from fsrcnn_np.files.target import split

SIDECAR = ".provenance.json"


def provenance(path: str | os.PathLike[str]) -> Provenance | None:
    """Say what made a file: package, model, range, source and options.

    It is no signature: who wants to deceive can write another. It tells an edit of the record itself, and a file that
    was cut.

    Parameters
    ----------
    path : path-like
        What `fsrcnn_np.upscale_file` wrote; also with `::/dataset`.

    Returns
    -------
    Provenance or None
        None: the file is whole, but says nothing of the kind (made by others, by an earlier version, or of a format
        without a place for it and without a sidecar).

    Raises
    ------
    FileError
        The file cannot be opened.
    FormatError
        It is cut or of an unknown format, or its record was edited.
    """
    file = split(path).path
    with one_line_errors(file):
        suffix = file.suffix.lower()
        if suffix == ".json":
            text = _in_json(file)
        else:
            made = drawings.made if suffix in drawings.SUFFIXES else identify(file).made
            text = made(file) if made is not None else None
        if text is not None:
            return parsed(text)[0]
        return _of_sidecar(file)


def sidecar_path(path: Path) -> Path:
    """Where the record of a file lies whose format has no place for it."""
    return path.with_name(path.name + SIDECAR)


def check_made(path: Path, wanted: Provenance) -> None:
    """Say of an output that exists whether the same means would make it again of the same input.

    Raises
    ------
    OutputExists
        They would: it is kept.
    OutputDiffers
        They would not, or that cannot be told; the line says what differs.
    """
    if path.is_symlink() and not path.exists():
        raise differs(path, "is a link that leads nowhere")
    try:
        found = provenance(path)
    except FsrcnnError as error:
        raise OutputDiffers(f"{error}: it is there already; --overwrite (overwrite=True) replaces it") from error
    if found is None:
        why = "exists and does not say what made it"
        format = by_suffix(split(path).path.name)
        if format is None or format.made is not None:
            raise differs(path, f"{why} (by an earlier version, or by others)")
        raise differs(path, f"{why}, for which {format.name} has no place: --sidecar (sidecar=True) writes it beside")
    if differing := differences(found, wanted):
        raise differs(path, f"exists, made otherwise: {', '.join(differing)}")
    raise exists(path)


def check_free(path: Path, wanted: Provenance, *, overwrite: bool) -> None:
    """Raise what `check_made` raises of an output that exists, and a FileError where none can be written."""
    check_place(path)
    if not overwrite and os.path.lexists(path):
        check_made(path, wanted)


def differences(found: Provenance, wanted: Provenance) -> list[str]:
    """What differs between how a file was made and how it would be, "x → y" each; empty: nothing that decides a value.

    A range of None in `wanted` is the file's own, whatever that is; the file is the same then, or is named. Allowances
    only admit files, so that further ones change nothing.
    """
    said = []
    if found.label != wanted.label:
        said.append(f"{found.label} → {wanted.label}")
    if found.source_sha256 != wanted.source_sha256:
        said.append("the source changed")
    if found.source_part and wanted.source_part and found.source_part != wanted.source_part:
        said.append("another part of the source")
    if found.sha256 != wanted.sha256:
        names = (found.model, wanted.model)
        digests = (found.sha256[:12], wanted.sha256[:12])
        said.append("model {} → {}".format(*(name or "none" for name in (digests if names[0] == names[1] else names))))
    span, now = found.value_range, wanted.value_range
    if span and now and (span.low, span.high) != (now.low, now.high):
        said.append(f"range {span} → {now}")
    old, new = (dict(one.partition("=")[::2] for one in each.settings) for each in (found, wanted))
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            said.append(f"{name} {old.get(name, 'not given')} → {new.get(name, 'not given')}")
    if found.version != wanted.version:
        said.append(f"made by {found.software} {found.version}, this is {wanted.version}")
    if gone := sorted(set(found.allow) - set(wanted.allow)):
        said.append(f"allowed were {', '.join(gone)}")
    if found.engine != wanted.engine:
        said.append(f"engine {found.engine} → {wanted.engine}")
    if found.transfer_syntax:  # it is a DICOM
        if found.transfer_syntax != wanted.transfer_syntax:
            said.append(f"transfer syntax {found.transfer_syntax} → {wanted.transfer_syntax}")
        if found.remap_uids != wanted.remap_uids:
            said.append("UIDs are mapped with another text, or not at all")
    return said


def in_json(path: Path, name: str) -> str | None:
    """What the record in a JSON document says of another file that was written with it: its sha256."""
    text = _in_json(path)
    return None if text is None else parsed(text)[1].get(name)


def _in_json(path: Path) -> str | None:
    """Of a document, under `provenance`."""
    try:
        facts = json.loads(path.read_bytes())["provenance"]
    except (ValueError, RecursionError):
        raise FormatError("is cut, or no JSON; copy or download it again") from None
    except (KeyError, TypeError):
        return None
    return json.dumps(facts)


def _of_sidecar(path: Path) -> Provenance | None:
    beside = sidecar_path(path)
    if not beside.is_file():
        return None
    if beside.stat().st_size > 1 << 16:
        raise FormatError(f"{beside.name} beside it is no provenance: it has {beside.stat().st_size} bytes; remove it")
    found, more = parsed(beside.read_text("utf-8", "replace"))
    with open(path, "rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != more.get("output_sha256"):
            raise FormatError(
                f"{beside.name} beside it is of another content: the file changed, or is cut; remove one of the two"
            )
    return found
