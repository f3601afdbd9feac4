"""DICOM through pydicom (extra `dicom`): a file in, a derived object of a new series out."""

from fsrcnn_np.files.dicom.derived import BURNED_IN, check, encode, made
from fsrcnn_np.files.dicom.encoding import TRANSFER_SYNTAXES
from fsrcnn_np.files.dicom.opening import bare
from fsrcnn_np.files.dicom.presentation import carry_over, is_state
from fsrcnn_np.files.dicom.reading import read
from fsrcnn_np.files.dicom.stored import HIGH_BITS

ALLOWANCES = (BURNED_IN, HIGH_BITS)  #: what a caller can allow: see `fsrcnn_np.files.read`

__all__ = ["ALLOWANCES", "TRANSFER_SYNTAXES", "bare", "carry_over", "check", "encode", "is_state", "made", "read"]
