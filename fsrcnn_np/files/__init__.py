"""Image files: path → pixels and what must be remembered about them → path."""

from fsrcnn_np.files.inputs import Input, find_inputs
from fsrcnn_np.files.picture import OutputExists, Picture, Provenance
from fsrcnn_np.files.reading import read
from fsrcnn_np.files.writing import write, write_text

__all__ = ["Input", "OutputExists", "Picture", "Provenance", "find_inputs", "read", "write", "write_text"]
