"""A phantom as a DICOM object: Digital Mammography X-Ray Image, For Presentation or, of raw counts, For Processing.

PS3.3 A.27 lists the modules; the comments below name each one's section. All of it follows from the phantom: no clock,
no counter, no random UID. Dates are empty, since nothing took place.
"""

from __future__ import annotations

import hashlib
import io
from typing import Any

from ..version import __version__
from .draw import Phantom

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.1.2"  # PS3.4 B.5
FOR_PRESENTATION, FOR_PROCESSING = SOP_CLASS, f"{SOP_CLASS}.1"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
VIEWS = {  # PS3.16 CID 4014, and the patient's directions along rows and columns: the chest wall is the left edge
    "CC": ("399162004", "cranio-caudal", ["A", "R"]),
    "MLO": ("399368009", "medio-lateral oblique", ["A", "FR"]),
}


def encoded(drawn: Phantom) -> bytes:
    """The file's bytes: the same for the same phantom.

    Raises
    ------
    MissingExtraError
        pydicom is not installed.
    """
    from ..files.dicom.library import import_pydicom

    pydicom = import_pydicom()
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset(drawn), enforce_file_format=True)
    return stream.getvalue()


def dataset(drawn: Phantom) -> Any:
    """The object, with its file meta information; all of type 1 and 2 that PS3.3 asks."""
    from ..files.dicom.library import import_pydicom
    from ..files.dicom.uids import uid_of

    pydicom = import_pydicom()
    p = drawn.parameters
    words = drawn.pixels.astype("<u2").tobytes()
    code, view, orientation = VIEWS[p.view]
    told = f"{p._asdict()}"
    d = pydicom.Dataset()
    # Patient, C.7.1.1
    d.PatientName, d.PatientID = "Phantom^Digital", f"PHANTOM-{p.seed}"
    d.PatientBirthDate = d.PatientSex = ""
    d.QualityControlSubject = "YES"
    d.PatientComments = "Digital phantom, nobody's breast"
    # General Study, C.7.2.1
    d.StudyInstanceUID = uid_of(f"phantom study {p.seed}")
    d.StudyDate = d.StudyTime = d.ReferringPhysicianName = d.StudyID = d.AccessionNumber = ""
    d.StudyDescription = "Digital phantom"
    # General, DX and Mammography Series, C.7.3.1, C.8.11.1, C.8.11.6
    d.Modality = "MG"
    d.SeriesInstanceUID = uid_of(f"phantom series {told}")
    d.SeriesNumber = 1
    d.SeriesDescription = f"Phantom, {p.density}, {p.preset if p.processed else 'raw'}"
    d.PresentationIntentType = "FOR PRESENTATION" if p.processed else "FOR PROCESSING"
    d.BodyPartExamined = "BREAST"
    # General Equipment, C.7.5.1
    d.Manufacturer, d.ManufacturerModelName, d.SoftwareVersions = "fsrcnn-np", "digital phantom", __version__
    # General Image, C.7.6.1
    d.InstanceNumber = 1
    d.PatientOrientation = orientation
    d.ImageType = ["DERIVED" if p.processed else "ORIGINAL", "PRIMARY", ""]
    d.QualityControlImage = "YES"
    d.ImageComments = "Digital phantom, not a patient: " + ", ".join(f"{k} {v}" for k, v in p._asdict().items())
    # Image Pixel, C.7.6.3
    d.SamplesPerPixel = 1
    d.Rows, d.Columns = drawn.pixels.shape
    bits = int(drawn.data_range).bit_length()
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, bits, bits - 1, 0
    d.PixelData = words
    # DX Anatomy Imaged, C.8.11.2, and Mammography Image, C.8.11.7
    d.ImageLaterality = "L"
    d.AnatomicRegionSequence = [_code(pydicom, "76752008", "SCT", "Breast")]
    d.PositionerType, d.OrganExposed, d.BreastImplantPresent = "MAMMOGRAPHIC", "BREAST", "NO"
    d.ViewPosition = p.view
    d.ViewCodeSequence = [_code(pydicom, code, "SCT", view)]
    d.ViewCodeSequence[0].ViewModifierCodeSequence = []
    # DX Image, C.8.11.3: a processed picture is a logarithm, bright where little arrives; raw counts are not
    d.PhotometricInterpretation = "MONOCHROME2" if p.processed else "MONOCHROME1"
    d.PresentationLUTShape = "IDENTITY" if p.processed else "INVERSE"
    d.PixelIntensityRelationship = "LOG" if p.processed else "LIN"
    d.PixelIntensityRelationshipSign = -1 if p.processed else 1
    d.RescaleIntercept, d.RescaleSlope, d.RescaleType = 0, 1, "US"
    d.LossyImageCompression, d.BurnedInAnnotation = "00", "NO"
    if p.processed:  # VOI LUT, C.11.2
        d.WindowCenter, d.WindowWidth = (drawn.data_range + 1) // 2, drawn.data_range + 1
        d.WindowCenterWidthExplanation = "whole range"
        d.AcquisitionDeviceProcessingDescription = f"preset {p.preset}"
        d.DerivationDescription = "logarithm, even thickness, unsharp mask, window"
    # DX Detector, C.8.11.4
    d.DetectorType, d.DetectorConfiguration = "DIRECT", "AREA"
    d.DetectorDescription = "simulated amorphous selenium"
    d.ImagerPixelSpacing = d.DetectorElementSpacing = [drawn.pixel_spacing] * 2
    # Acquisition Context, C.7.6.14, and SOP Common, C.12.1
    d.AcquisitionContextSequence = []
    d.SpecificCharacterSet = "ISO_IR 100"
    d.SOPClassUID = FOR_PRESENTATION if p.processed else FOR_PROCESSING
    # Other pixels, another UID, also where a later release draws others from the same parameters.
    d.SOPInstanceUID = uid_of(f"phantom image {told} {hashlib.sha256(words).hexdigest()}")
    d.file_meta = pydicom.dataset.FileMetaDataset()
    d.file_meta.TransferSyntaxUID = EXPLICIT_LITTLE_ENDIAN
    d.file_meta.ImplementationClassUID = uid_of("fsrcnn-np")
    d.file_meta.ImplementationVersionName = "FSRCNN_NP"
    return d


def _code(pydicom: Any, value: str, scheme: str, meaning: str) -> Any:
    """An item of a code sequence: PS3.3 8.8."""
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
