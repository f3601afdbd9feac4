"""Elements of a data set that is to be written: made, left out where nobody can write them, put in our byte order."""

from __future__ import annotations

from typing import Any

import numpy as np

from fsrcnn_np.files.dicom.library import import_pydicom, name, with_items


def item(**values: Any) -> Any:
    """An item of a sequence, keyword by keyword."""
    made = import_pydicom().dataset.Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def code(value: str, meaning: str) -> Any:
    """An item of a code sequence, of the DICOM Controlled Terminology: PS3.16 D."""
    return item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)


def leave_out_unreadable(derived: Any, remarks: list[str]) -> None:
    """Elements whose value pydicom cannot make sense of: an unknown VR, a length that is none."""
    for tag in list(derived.keys()):
        try:
            element = derived[tag]
            if element.VR == "SQ":
                for part in element.value or ():
                    leave_out_unreadable(part, remarks)
        except Exception as error:  # whatever the value's own parser raises
            del derived[tag]
            remarks.append(f"{name(tag)} cannot be read ({short(error)}) and is left out")


def leave_out_unwritable(derived: Any, remarks: list[str]) -> None:
    """Elements that were read but that no writer can write; a text where a number must be is the usual one."""
    pydicom = import_pydicom()
    for tag in list(derived.keys()):
        stream = pydicom.filebase.DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, False
        try:
            pydicom.filewriter.write_dataset(stream, derived[tag : tag + 1])
        except Exception as error:
            del derived[tag]
            keyword = pydicom.datadict.keyword_for_tag(tag)
            remarks.append(f"{name(tag)} {keyword} cannot be written ({short(error)}) and is left out")


def short(error: Exception) -> str:
    """A message in a hundred characters."""
    return " ".join(str(error).split())[:100] or type(error).__name__


def to_little_endian(derived: Any, original: Any) -> None:
    """Swap the raw words of a big-endian original; pydicom has parsed all else."""
    if original.original_encoding[1] is not False:
        return
    widths = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
    for part in with_items(derived):
        for element in part:
            if element.VR in widths and element.value:
                element.value = np.frombuffer(element.value, f">u{widths[element.VR]}").byteswap().tobytes()
