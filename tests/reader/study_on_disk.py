"""Three small breasts of nobody, each as an original and with twice its matrix: three ways to store greys."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

SPACING = 0.14  # mm, of the originals


@dataclass
class Case:
    """How a case is stored; `original` and `fine` are the stored values of its two images."""

    name: str
    photometric: str
    signed: bool
    slope: float
    intercept: float
    function: str
    centre: float
    width: float
    original: np.ndarray
    fine: np.ndarray

    def pixels(self, rows: int) -> tuple[np.ndarray, float]:
        """Stored values and spacing of the image that has so many rows."""
        return (self.original, SPACING) if rows == self.original.shape[0] else (self.fine, SPACING / 2)


def breast(rows: int, columns: int, seed: int) -> np.ndarray:
    """12 bits: a bright bulge on the left, noise, a few bright dots, and a corner of each extreme."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    bulge = 2600 * np.exp(-2 * (x / columns) ** 2 - 8 * (y / rows - 0.5) ** 2)
    drawn = np.round(bulge + rng.normal(300, 60, (rows, columns)))
    for row, column in rng.integers(50, 450, (12, 2)):
        drawn[row : row + 3, column : column + 3] = 3900
    drawn[:8, :8], drawn[-8:, -8:] = 0, 4095
    return np.clip(drawn, 0, 4095).astype(np.int32)


def cases() -> list[Case]:
    """12 bits as they are, MONOCHROME1, and signed with a rescale and a sigmoid; tiles that end in odd places."""
    made = []
    for seed, (name, photometric, signed, slope, intercept, window) in enumerate(
        [
            ("plain", "MONOCHROME2", False, 1, 0, ("LINEAR", 1800, 3200)),
            ("inverted", "MONOCHROME1", False, 1, 0, ("LINEAR_EXACT", 2000, 3000)),
            ("signed", "MONOCHROME2", True, 0.5, 100, ("SIGMOID", 200, 900)),
        ]
    ):
        original = breast(651, 533, seed) - 2048 * signed
        fine = np.kron(original, np.ones((2, 2), np.int32))
        fine[1::2, 1::2] = (fine[1::2, 1::2] * 3) // 4  # not the same picture twice
        made.append(Case(name, photometric, signed, slope, intercept, *window, original, fine))
    return made


def write(case: Case, pixels: np.ndarray, spacing: float, path: Path) -> None:
    """A mammogram for presentation with one window, and a VOI LUT that brightens (case "plain")."""
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.SOPClassUID = d.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1.2")
    number = sum(case.name.encode()) * 10 + (pixels.shape[0] == case.original.shape[0])
    d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.826.0.1.3680043.8.498.{number}")
    d.PatientName, d.PatientID = "Nobody^Hidden", "SECRET-17"
    d.Modality, d.PhotometricInterpretation = "MG", case.photometric
    d.Rows, d.Columns = pixels.shape
    d.SamplesPerPixel, d.BitsAllocated, d.BitsStored, d.HighBit = 1, 16, 12, 11
    d.PixelRepresentation = int(case.signed)
    d.ImagerPixelSpacing = [spacing, spacing]
    d.RescaleSlope, d.RescaleIntercept, d.RescaleType = case.slope, case.intercept, "US"
    d.WindowCenter, d.WindowWidth, d.VOILUTFunction = case.centre, case.width, case.function
    d.WindowCenterWidthExplanation = "STANDARD"
    d.PixelData = (pixels & (0xFFFF if case.signed else 0xFFF)).astype("<u2").tobytes()
    d.save_as(path, enforce_file_format=True)


def study(folder: Path) -> tuple[Path, Path, list[Case]]:
    """The two folders of images, and what is in them."""
    left, right = folder / "originals", folder / "fine"
    made = cases()
    for place in (left, right):
        place.mkdir(parents=True)
    for case in made:
        write(case, case.original, SPACING, left / f"{case.name}.dcm")
        write(case, case.fine, SPACING / 2, right / f"{case.name}.dcm")
    return left, right, made
