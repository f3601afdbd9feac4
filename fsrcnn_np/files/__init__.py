"""Image files: path → pixels and what must be remembered about them → path.

Names load what they need when first used: whoever writes a text beside needs no DICOM for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from piqe_np.on_demand import names_of

if TYPE_CHECKING:
    from fsrcnn_np.files.bands import Made, Rows
    from fsrcnn_np.files.conversion import names_a_file
    from fsrcnn_np.files.formats import SUFFIXES, WRITTEN, suffix_of
    from fsrcnn_np.files.inputs import Input, find_inputs
    from fsrcnn_np.files.made import check_made, provenance
    from fsrcnn_np.files.picture import (
        DicomForm,
        Frame,
        NoPicture,
        OutputDiffers,
        OutputExists,
        Picture,
        Provenance,
    )
    from fsrcnn_np.files.reading import allowances, read, read_or_leave
    from fsrcnn_np.files.writing import check_target, write, write_text

_HOMES = {
    "bands": "Made Rows",
    "conversion": "names_a_file",
    "formats": "SUFFIXES WRITTEN suffix_of",
    "inputs": "Input find_inputs",
    "made": "check_made provenance",
    "picture": "DicomForm Frame NoPicture OutputDiffers OutputExists Picture Provenance",
    "reading": "allowances read read_or_leave",
    "writing": "check_target write write_text",
}

__all__ = [
    "SUFFIXES",
    "WRITTEN",
    "DicomForm",
    "Frame",
    "Input",
    "Made",
    "NoPicture",
    "OutputDiffers",
    "OutputExists",
    "Picture",
    "Provenance",
    "Rows",
    "allowances",
    "check_made",
    "check_target",
    "find_inputs",
    "names_a_file",
    "provenance",
    "read",
    "read_or_leave",
    "suffix_of",
    "write",
    "write_text",
]

__getattr__ = names_of(__name__, _HOMES)
