"""DICOM images, and presentation states beside them."""

from __future__ import annotations

import functools
import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fsrcnn_np import files
from fsrcnn_np.files.dicom.check import check_files
from fsrcnn_np.files.dicom.presentation import carry_over, is_state
from fsrcnn_np.files.picture import PACKED

from .. import shapes
from ..made import of_tests
from ..target import Target, of_file


def _bytes(dataset: Any) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _image() -> Iterator[bytes]:
    import pydicom
    from pydicom import uid

    peers = of_tests("pacs_peers", "pacs")
    plain = peers.mammogram(1, shape=(40, 36), fill=np.arange(1440, dtype=np.uint16).reshape(40, 36) * 2)
    plain.file_meta.MediaStorageSOPClassUID, plain.file_meta.MediaStorageSOPInstanceUID = plain.SOPClassUID, plain.SOPInstanceUID  # fmt: skip
    plain.WindowCenter, plain.WindowWidth, plain.RescaleSlope, plain.RescaleIntercept = 2000, 3000, 1, 0
    yield _bytes(plain)
    for syntax in (uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.RLELossless):
        packed = pydicom.dcmread(io.BytesIO(_bytes(plain)))
        packed.compress(syntax, encoding_plugin="pylibjpeg" if syntax != uid.JPEGLSLossless else "pyjpegls")
        yield _bytes(packed)
    frames = pydicom.dcmread(io.BytesIO(_bytes(plain)))
    frames.NumberOfFrames, frames.PixelData = 2, frames.PixelData * 2
    yield _bytes(frames)
    deflated = pydicom.dcmread(io.BytesIO(_bytes(plain)))
    deflated.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    yield _bytes(deflated)


def _read(path: Path) -> None:
    picture = files.read(path, every_frame=True, allow=("burned-in", "high-bits"))
    for _ in picture.frames or ():
        pass


@functools.cache
def _study() -> tuple[Path, Path]:
    """An image and what was derived of it; kept as long as the process."""
    import fsrcnn_np

    states = of_tests("test_dicom_states", "files")
    folder = Path(_KEPT.name)
    states.save(states.image(1), folder / "1.dcm")
    fsrcnn_np.upscale_file(folder / "1.dcm", folder / "2.dcm")
    return folder / "1.dcm", folder / "2.dcm"


_KEPT = tempfile.TemporaryDirectory()


def _states() -> Iterator[bytes]:
    states = of_tests("test_dicom_states", "files")
    state = states.state(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        states.save(state, path)
        yield path.read_bytes()


def _carry(path: Path) -> None:
    if is_state(path):
        derived = path.with_name("derived.dcm")
        carry_over(path, [_study()], derived, overwrite=True)
        check_files(path, derived)


TARGETS = {
    "dicom": Target("dicom", _image, of_file(".dcm", _read), shapes.dicom, ratio=PACKED),
    "presentation-state": Target("presentation-state", _states, of_file("", _carry), shapes.dicom, ratio=1032),
}
