"""Image files: path → pixels and what must be remembered about them → path."""

from fsrcnn_np.files.bands import Made, Rows
from fsrcnn_np.files.conversion import names_a_file
from fsrcnn_np.files.formats import SUFFIXES, suffix_of
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

__all__ = [
    "SUFFIXES",
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
