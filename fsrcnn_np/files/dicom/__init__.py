"""DICOM through pydicom (extra `dicom`): a file in, a derived object of a new series out."""

from fsrcnn_np.files.dicom.derived import encode
from fsrcnn_np.files.dicom.reading import read

__all__ = ["encode", "read"]
