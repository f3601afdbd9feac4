"""The derived object: what must change, what must stay, what must be said; row by row of PS3.3."""

import copy
import hashlib
import io
import json
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from fsrcnn_np import cli, files, upscale, upscale_file
from fsrcnn_np.errors import FormatError, OptionError
from fsrcnn_np.files.dicom import TRANSFER_SYNTAXES
from fsrcnn_np.files.dicom.check import check_files
from fsrcnn_np.files.dicom.reading import stored_words
from fsrcnn_np.images.padding import filled, restored


def provenance(scale, model, sha256, version):
    words = {"process": f"Super-resolution x{scale} by FSRCNN", "label": f"FSRCNN x{scale}", "software": "fsrcnn-np"}
    return files.Provenance(scale=scale, model=model, sha256=sha256, version=version, **words)


PROVENANCE = provenance(scale=2, model="fsrcnn_x2", sha256="0123456789abcdef" * 4, version="0.1.0")


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def mammogram():
    """A small original with everything in it that the derived object has to treat."""
    d = Dataset()
    d.SpecificCharacterSet = "ISO_IR 100"
    d.ImageType = ["ORIGINAL", "PRIMARY", ""]
    d.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    d.SOPInstanceUID, d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = (
        "1.2.1",
        "1.2.2",
        "1.2.3",
        "1.2.4",
    )
    d.PatientName, d.PatientID, d.StudyDate, d.Modality = "Müller^Eva", "17", "20220101", "MG"
    d.SeriesNumber, d.InstanceNumber, d.SeriesDescription = 4, 2, "R CC " + "x" * 55
    d.PresentationIntentType, d.BurnedInAnnotation, d.LossyImageCompression = "FOR PRESENTATION", "YES", "01"
    d.ImagerPixelSpacing = ["0.09409090909091", "0.07"]
    d.PixelSpacing, d.NominalScannedPixelSpacing = ["0.1", "0.1"], ["0.2", "0.2"]
    d.DetectorElementSpacing, d.EstimatedRadiographicMagnificationFactor = ["0.1", "0.1"], "1.05"
    d.DerivationDescription = "Lossless JPEG"
    d.DerivationCodeSequence = [
        item(CodeValue="121327", CodingSchemeDesignator="DCM", CodeMeaning="Full fidelity image")
    ]
    d.SourceImageSequence = [
        item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.1.2.1", ReferencedSOPInstanceUID="1.9")
    ]
    d.WindowCenter, d.WindowWidth, d.RescaleSlope, d.RescaleIntercept = ["2000", "1000"], ["500", "900"], "1", "0"
    d.VOILUTSequence = [item(LUTDescriptor=[2, 0, 12], LUTData=b"\x00\x01\x02\x03")]
    d.VOILUTSequence[0]["LUTDescriptor"].VR, d.VOILUTSequence[0]["LUTData"].VR = "US", "OW"
    d.PixelPaddingValue = 0
    d["PixelPaddingValue"].VR = "US"
    d.SmallestImagePixelValue, d.LargestImagePixelValue = 0, 4000
    d["SmallestImagePixelValue"].VR = d["LargestImagePixelValue"].VR = "US"
    d.CollimatorShape = ["RECTANGULAR", "CIRCULAR"]
    d.CollimatorLeftVerticalEdge, d.CollimatorRightVerticalEdge = 0, 8
    d.CollimatorUpperHorizontalEdge, d.CollimatorLowerHorizontalEdge = 1, 5
    d.ShutterShape = "POLYGONAL"
    d.VerticesOfThePolygonalShutter = [1, 1, 5, 7]
    d.CenterOfCircularCollimator, d.RadiusOfCircularCollimator = [3, 4], 2
    d.IconImageSequence = [item(Rows=1, Columns=1, PixelData=b"\0\0")]
    d.IconImageSequence[0]["PixelData"].VR = "OB"
    block = d.private_block(0x0019, "MAKER", create=True)
    block.add_new(1, "LO", "secret of the maker")
    overlay = np.zeros((5, 7), np.uint8)
    overlay[1, 2] = overlay[4, 6] = 1
    for element, vr, value in (
        (0x0010, "US", 5), (0x0011, "US", 7), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]), (0x0100, "US", 1),
        (0x0102, "US", 0), (0x3000, "OW", np.packbits(overlay, bitorder="little").tobytes() + b"\0"),
    ):  # fmt: skip
        d.add_new((0x6000, element), vr, value)
    d.add_new((0x6002, 0x0010), "US", 5)  # an overlay in unused bits of the pixels
    d.add_new((0x6002, 0x0011), "US", 7)
    d.add_new((0x6002, 0x0102), "US", 12)
    pixels = (np.arange(35).reshape(5, 7) * 100 + 500).astype(np.uint16)
    pixels[:, :2] = 0
    return set_pixels(d, pixels, 12)


def set_pixels(d, pixels, bits):
    d.Rows, d.Columns = pixels.shape[:2]
    d.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    d.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        d.PlanarConfiguration = 0
    d.BitsAllocated, d.BitsStored, d.HighBit = 8 * pixels.itemsize, bits, bits - 1
    d.PixelRepresentation = int(pixels.dtype.kind == "i")
    data = pixels.tobytes()
    d.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    return d


def save(dataset, path, syntax=ExplicitVRLittleEndian):
    dataset = copy.deepcopy(dataset)
    if syntax == ExplicitVRBigEndian:
        for element in dataset.iterall():
            if element.VR == "OW":
                element.value = np.frombuffer(element.value, "<u2").byteswap().tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def upscaled(pixels, factor=2):
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def derive(path, pixels=None, *, how=PROVENANCE, original=None, syntax=ExplicitVRLittleEndian):
    """original → (what was read of it, what pydicom reads of the derived object, the remarks)."""
    source = save(original or mammogram(), path.with_suffix(".original"), syntax)
    picture = files.read(source, every_frame=True, allow=["burned-in"])
    large = upscaled(picture.pixels, how.scale) if pixels is None else pixels
    remarks = files.write(path, large, like=picture, provenance=how, overwrite=True)
    return picture, pydicom.dcmread(path), remarks


@pytest.fixture
def done(tmp_path):
    return derive(tmp_path / "a.dcm")


def test_pixels_bits_and_encoding(done):
    picture, derived, _ = done
    assert (derived.Rows, derived.Columns) == (10, 14)
    assert (derived.BitsAllocated, derived.BitsStored, derived.HighBit, derived.PixelRepresentation) == (16, 12, 11, 0)
    assert derived.PhotometricInterpretation == "MONOCHROME2"
    assert derived.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    np.testing.assert_array_equal(derived.pixel_array, upscaled(picture.pixels))


def test_identity(done):
    _, derived, _ = done
    source = mammogram()
    assert derived.SOPInstanceUID != source.SOPInstanceUID
    assert derived.file_meta.MediaStorageSOPInstanceUID == derived.SOPInstanceUID
    assert derived.file_meta.MediaStorageSOPClassUID == derived.SOPClassUID == source.SOPClassUID
    assert derived.SeriesInstanceUID not in (source.SeriesInstanceUID, derived.SOPInstanceUID)
    assert derived.SOPInstanceUID.is_valid
    assert derived.SeriesInstanceUID.is_valid
    assert derived.SeriesNumber == 1004
    assert derived.SeriesDescription == ("R CC " + "x" * 55)[:54] + " FSRCNN x2"
    assert len(derived.SeriesDescription) == 64


def test_what_stays(done):
    _, derived, _ = done
    source = mammogram()
    for keyword in (
        "StudyInstanceUID", "FrameOfReferenceUID", "PatientName", "PatientID", "StudyDate", "Modality",
        "InstanceNumber",
        "PresentationIntentType", "BurnedInAnnotation", "LossyImageCompression", "DetectorElementSpacing",
        "EstimatedRadiographicMagnificationFactor", "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept",
        "VOILUTSequence", "PixelPaddingValue", "SpecificCharacterSet", "ShutterShape", "CollimatorShape",
    ):  # fmt: skip
        assert derived[keyword].value == source[keyword].value, keyword
    assert derived[0x0019, 0x1001].value == "secret of the maker"


def test_spacing_is_halved_within_sixteen_characters(done):
    _, derived, _ = done
    assert [float(v) for v in derived.ImagerPixelSpacing] == pytest.approx([0.09409090909091 / 2, 0.035])
    assert derived.PixelSpacing == [0.05, 0.05]
    assert derived.NominalScannedPixelSpacing == [0.1, 0.1]
    for keyword in ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing"):
        assert all(len(str(value)) <= 16 for value in derived[keyword].value)
    raw = pydicom.dcmread(derived.filename)  # the characters in the file, before pydicom parses them
    value = raw.get_item("ImagerPixelSpacing").value
    assert all(len(part.strip()) <= 16 for part in value.split(b"\\"))


def test_provenance(done):
    _, derived, _ = done
    assert list(derived.ImageType) == ["DERIVED", "PRIMARY", ""]
    assert derived.DerivationDescription == (
        "Lossless JPEG; Super-resolution x2 by FSRCNN, model fsrcnn_x2, sha256 "
        + PROVENANCE.sha256
        + ", fsrcnn-np 0.1.0"
    )
    codes = [(code.CodeValue, code.CodingSchemeDesignator) for code in derived.DerivationCodeSequence]
    assert codes == [("121327", "DCM"), ("113085", "DCM")]
    (source,) = derived.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == "1.2.1"
    assert source.ReferencedSOPClassUID == derived.SOPClassUID
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    (equipment,) = derived.ContributingEquipmentSequence
    assert equipment.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
    assert (equipment.Manufacturer, equipment.ManufacturerModelName, equipment.SoftwareVersions) == (
        "fsrcnn-np", "fsrcnn_x2", "0.1.0",
    )  # fmt: skip


def test_uids_follow_the_pixels_the_model_and_the_series(tmp_path):
    picture, first, _ = derive(tmp_path / "a.dcm")
    again = derive(tmp_path / "b.dcm")[1]
    assert (again.SOPInstanceUID, again.SeriesInstanceUID) == (first.SOPInstanceUID, first.SeriesInstanceUID)
    pixels = upscaled(picture.pixels)
    pixels[9, 9] += 1
    other_pixels = derive(tmp_path / "c.dcm", pixels)[1]
    assert other_pixels.SOPInstanceUID != first.SOPInstanceUID, "changed pixels under an old UID vanish in a PACS"
    assert other_pixels.SeriesInstanceUID == first.SeriesInstanceUID
    model = provenance(2, "other", "f" * 64, "0.1.0")
    other_model = derive(tmp_path / "d.dcm", how=model)[1]
    assert other_model.SOPInstanceUID != first.SOPInstanceUID
    assert other_model.SeriesInstanceUID != first.SeriesInstanceUID
    neighbour = mammogram()
    neighbour.SOPInstanceUID = "1.2.77"
    sibling = derive(tmp_path / "e.dcm", original=neighbour)[1]
    assert sibling.SOPInstanceUID != first.SOPInstanceUID
    assert sibling.SeriesInstanceUID == first.SeriesInstanceUID


def test_padding_comes_back(tmp_path):
    ringing = np.full((10, 14), 1234, np.uint16)
    picture, derived, _ = derive(tmp_path / "a.dcm", ringing)
    padded = upscaled(picture.pixels == 0)
    assert (derived.pixel_array[padded] == 0).all()
    assert (derived.pixel_array[~padded] == 1234).all()
    limited = mammogram()
    limited.PixelPaddingRangeLimit = 1000
    limited["PixelPaddingRangeLimit"].VR = "US"
    picture, derived, _ = derive(tmp_path / "b.dcm", ringing, original=limited)
    padded = upscaled(picture.pixels <= 1000)
    np.testing.assert_array_equal(derived.pixel_array, np.where(padded, upscaled(picture.pixels), 1234))


def test_overshoot_is_clipped_to_the_stored_bits(tmp_path):
    bright = np.full((10, 14), 5000, np.uint16)
    _, derived, remarks = derive(tmp_path / "a.dcm", bright)
    assert derived.pixel_array.max() == 4095
    assert remarks[0] == "values beyond the original's BitsStored 12 are clipped"
    assert derived.LargestImagePixelValue == 4095
    assert derived.SmallestImagePixelValue == 0


def test_pixel_coordinates(done):
    _, derived, remarks = done
    assert derived.CollimatorLeftVerticalEdge == 0, "just outside stays just outside"
    assert derived.CollimatorRightVerticalEdge == 15
    assert derived.CollimatorUpperHorizontalEdge == 1
    assert derived.CollimatorLowerHorizontalEdge == 10
    assert derived.CenterOfCircularCollimator == [6, 8]
    assert derived.RadiusOfCircularCollimator == 4
    assert derived.VerticesOfThePolygonalShutter == [1, 1, 10, 14], "the first pixel stays the first, the last the last"
    (scaled,) = (remark for remark in remarks if remark.startswith("in pixel coordinates, scaled: "))
    assert scaled.split(": ")[1].split(", ") == [
        "VerticesOfThePolygonalShutter", "CollimatorLeftVerticalEdge", "CollimatorUpperHorizontalEdge",
        "CollimatorRightVerticalEdge", "CollimatorLowerHorizontalEdge", "CenterOfCircularCollimator",
        "RadiusOfCircularCollimator",
    ]  # fmt: skip


def test_overlays(done):
    _, derived, remarks = done
    expected = np.zeros((5, 7), np.uint8)
    expected[1, 2] = expected[4, 6] = 1
    np.testing.assert_array_equal(derived.overlay_array(0x6000), upscaled(expected))
    assert derived[0x6000, 0x0050].value == [1, 1]
    assert (0x6002, 0x0010) not in derived
    assert "overlay (6000,xxxx) is scaled" in remarks
    assert "overlay (6002,xxxx) cannot be scaled (its bits are in the pixels' unused ones) and is left out" in remarks


def test_icons_are_left_out_and_private_tags_kept_and_both_said(done):
    _, derived, remarks = done
    assert "IconImageSequence" not in derived
    assert "small pictures of the original are left out: IconImageSequence" in remarks
    assert "private tags, whatever they say of the original, are kept: groups 0019" in remarks
    assert all("\n" not in remark for remark in remarks)


def test_signatures_do_not_survive(tmp_path):
    signed = mammogram()
    signed.DigitalSignaturesSequence = [item(MACIDNumber=1)]
    signed.MACParametersSequence = [item(MACIDNumber=1)]
    _, derived, remarks = derive(tmp_path / "a.dcm", original=signed)
    assert "DigitalSignaturesSequence" not in derived
    assert any("DigitalSignaturesSequence, MACParametersSequence" in remark for remark in remarks)


def test_an_original_with_little_in_it(tmp_path):
    bare = Dataset()
    bare.SOPClassUID, bare.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.1"
    _, derived, remarks = derive(tmp_path / "a.dcm", original=set_pixels(bare, np.zeros((3, 3), np.uint8), 8))
    assert list(derived.ImageType) == ["DERIVED", "SECONDARY"]
    assert derived.SeriesNumber == 1000
    assert derived.SeriesDescription == "FSRCNN x2"
    assert "LossyImageCompression" not in derived
    assert remarks == []
    assert len(derived.PixelData) == 36


def test_no_reference_without_uids(tmp_path):
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        nameless = mammogram()
        path = tmp_path / "a.original"
        stream = io.BytesIO()
        nameless.file_meta = FileMetaDataset()
        nameless.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        del nameless[keyword]
        pydicom.dcmwrite(stream, nameless, enforce_file_format=False)
        path.write_bytes(stream.getvalue())
        picture = (
            files.read(path) if stream.getvalue()[128:132] == b"DICM" else files.read(path.rename(tmp_path / "a.dcm"))
        )
        with pytest.raises(FormatError, match=r"b\.dcm: the original has no \(0008,0016\)"):
            files.write(tmp_path / "b.dcm", upscaled(picture.pixels), like=picture, provenance=PROVENANCE)
    assert not (tmp_path / "b.dcm").exists()


def test_what_does_not_fit_the_original(tmp_path):
    picture = files.read(save(mammogram(), tmp_path / "a.dcm"))
    with pytest.raises(OptionError, match="give provenance="):
        files.write(tmp_path / "b.dcm", upscaled(picture.pixels), like=picture)
    with pytest.raises(OptionError, match=r"allowed is the original's \(5, 7\) times 2"):
        files.write(tmp_path / "b.dcm", picture.pixels, like=picture, provenance=PROVENANCE)
    with pytest.raises(FormatError, match="this DICOM original cannot hold float32; it holds uint16"):
        files.write(tmp_path / "b.dcm", upscaled(picture.pixels).astype("f4"), like=picture, provenance=PROVENANCE)
    assert not (tmp_path / "b.dcm").exists()


@pytest.mark.parametrize("scale", [3, 4])
def test_other_scales(tmp_path, scale):
    how = provenance(scale, "m", "0" * 64, "1")
    picture, derived, _ = derive(tmp_path / "a.dcm", how=how)
    assert (derived.Rows, derived.Columns) == (5 * scale, 7 * scale)
    assert derived.PixelSpacing[0] == pytest.approx(0.1 / scale)
    assert derived.SeriesDescription.endswith(f"FSRCNN x{scale}")
    np.testing.assert_array_equal(derived.pixel_array, upscaled(picture.pixels, scale))


def test_an_odd_number_of_bytes_is_filled_up(tmp_path):
    grey = set_pixels(mammogram(), np.arange(35, dtype=np.uint8).reshape(5, 7), 8)
    picture, derived, _ = derive(tmp_path / "a.dcm", original=grey, how=provenance(3, "m", "0" * 64, "1"))
    assert len(derived.PixelData) == 5 * 7 * 9 + 1
    np.testing.assert_array_equal(derived.pixel_array, upscaled(picture.pixels, 3))


def test_signed_pixels(tmp_path):
    ct = mammogram()
    set_pixels(ct, (np.arange(35).reshape(5, 7) * 100 - 2000).astype(np.int16), 14)
    ct["PixelPaddingValue"].VR, ct["SmallestImagePixelValue"].VR, ct["LargestImagePixelValue"].VR = "SS", "SS", "SS"
    ct.PixelPaddingValue = -2000
    _, derived, _ = derive(tmp_path / "a.dcm", np.full((10, 14), -9000, np.int16), original=ct)
    assert derived.PixelRepresentation == 1
    assert derived.pixel_array.min() == -8192
    assert derived.pixel_array[0, 0] == -2000
    assert derived.SmallestImagePixelValue == -8192
    assert derived.PixelPaddingValue == -2000
    # Some devices write the padding of signed pixels unsigned.
    ct["PixelPaddingValue"].VR = "US"
    ct.PixelPaddingValue = 65536 - 2000
    _, derived, _ = derive(tmp_path / "b.dcm", np.full((10, 14), -9000, np.int16), original=ct)
    assert derived.pixel_array[0, 0] == -2000


def test_the_first_pixel_moves_with_the_pixels(tmp_path):
    """The corner of the image stays where it was in the patient."""
    mr = mammogram()
    mr.ImagePositionPatient, mr.ImageOrientationPatient = ["10", "20", "30"], ["1", "0", "0", "0", "0", "-1"]
    mr.PixelSpacing = ["0.4", "0.8"]
    _, derived, _ = derive(tmp_path / "a.dcm", original=mr)

    def corner(dataset):
        axes = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        between_rows, between_columns = dataset.PixelSpacing
        return np.array(dataset.ImagePositionPatient, float) - (axes[0] * between_columns + axes[1] * between_rows) / 2

    np.testing.assert_allclose(corner(derived), corner(mr))
    np.testing.assert_allclose(np.array(derived.ImagePositionPatient, float), [9.8, 20, 30.1])


def test_functional_groups(tmp_path):
    enhanced = mammogram()
    del enhanced.PixelSpacing
    enhanced.NumberOfFrames = 1
    enhanced.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=["0.1", "0.1"], SliceThickness="1")],
            PlaneOrientationSequence=[item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])],
            XRay3DFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])],
        )
    ]
    enhanced.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=["5", "6", "7"])])
    ]
    _, derived, _ = derive(tmp_path / "a.dcm", original=enhanced)
    position = derived.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
    np.testing.assert_allclose(np.array(position, float), [4.975, 5.975, 7])
    group = derived.SharedFunctionalGroupsSequence[0]
    assert group.PixelMeasuresSequence[0].PixelSpacing == [0.05, 0.05]
    assert group.PixelMeasuresSequence[0].SliceThickness == 1
    assert list(group.XRay3DFrameTypeSequence[0].FrameType) == ["DERIVED", "PRIMARY", "VOLUME", "NONE"]


def test_colour(tmp_path):
    photo = mammogram()
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(np.uint8)
    set_pixels(photo, pixels, 8)
    del photo.PixelPaddingValue
    photo.PlanarConfiguration = 1
    photo.PixelData = np.moveaxis(pixels, -1, 0).tobytes() + b"\0"
    picture, derived, _ = derive(tmp_path / "a.dcm", original=photo)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert derived.PlanarConfiguration == 0
    np.testing.assert_array_equal(derived.pixel_array, upscaled(pixels))


def test_palettes_become_rgb(tmp_path):
    coloured = mammogram()
    indices = (np.arange(35).reshape(5, 7) % 4).astype(np.uint8)
    set_pixels(coloured, indices, 8)
    del coloured.PixelPaddingValue
    coloured.PhotometricInterpretation = "PALETTE COLOR"
    table = np.array([[0, 10, 200, 255], [1, 2, 3, 4], [90, 80, 70, 60]], np.uint16)
    for name, values in zip(("Red", "Green", "Blue"), table, strict=True):
        setattr(coloured, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 16])
        coloured[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        coloured.add_new(f"{name}PaletteColorLookupTableData", "OW", (values * 257).tobytes())
    picture, derived, remarks = derive(tmp_path / "a.dcm", original=coloured)
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels, table.T[indices])
    assert (derived.PhotometricInterpretation, derived.SamplesPerPixel, derived.BitsStored) == ("RGB", 3, 8)
    assert "RedPaletteColorLookupTableData" not in derived
    np.testing.assert_array_equal(derived.pixel_array, upscaled(picture.pixels))
    assert "(0028,0004) PhotometricInterpretation PALETTE COLOR is written as RGB" in remarks


TABLE = np.array([[0, 1000, 200, 65535], [1, 2, 3, 4], [90, 80, 70, 60]], np.uint16)
INDICES = (np.arange(35).reshape(5, 7) % 4).astype(np.uint16)


def with_palette(indices, stored, table=TABLE, *, first=0, bits=16):
    """The mammogram in colours; tables of 8 bits have two entries in a word."""
    d = set_pixels(mammogram(), indices, stored)
    del d.PixelPaddingValue
    d.add_new((0x6002, 0x0100), "US", 16)
    d.PhotometricInterpretation = "PALETTE COLOR"
    for name, values in zip(("Red", "Green", "Blue"), table, strict=True):
        setattr(d, f"{name}PaletteColorLookupTableDescriptor", [len(values), first, bits])
        d[f"{name}PaletteColorLookupTableDescriptor"].VR = "US" if first >= 0 else "SS"
        data = values.tobytes()
        d.add_new(f"{name}PaletteColorLookupTableData", "OW", data + b"\0" * (len(data) % 2))
    return d


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(
    ("indices", "options"),
    [
        (INDICES, {}),
        (INDICES | 0x1000, {}),  # the overlay that (6002,0102) says is in bit 12
        (INDICES + 40, {"first": 40}),
        (INDICES.astype(np.int16) - 2, {"first": -2}),
        (((INDICES.astype(np.int16) - 2) & 0xFF).astype(np.int16), {"first": -2}),  # its sign is in bit 7
        (INDICES, {"table": (TABLE[:, :3] & 0xFF).astype(np.uint8), "bits": 8}),  # an odd number of bytes
        (INDICES, {"table": TABLE & 0xFF, "bits": 8}),  # a word each
    ],
)
def test_palettes_by_the_stored_bits_alone_in_any_byte_order(tmp_path, indices, options, syntax):
    table = options.get("table", TABLE)
    save(with_palette(indices, 8, **options), tmp_path / "a.dcm", syntax)
    found = files.read(tmp_path / "a.dcm").pixels
    assert found.dtype == (np.uint8 if options.get("bits") == 8 else np.uint16)
    np.testing.assert_array_equal(found, table.T[INDICES.clip(0, table.shape[1] - 1)])


def test_frames_of_a_palette_have_one_dtype(tmp_path):
    d = with_palette(INDICES, 8)
    d.NumberOfFrames, d.PixelData = 2, (INDICES * 0).tobytes() + INDICES.tobytes()
    picture = files.read(save(d, tmp_path / "a.dcm"), every_frame=True)
    assert [frame.pixels.dtype for frame in picture.frames] == [np.uint16, np.uint16]


def without(keyword):
    return lambda d: delattr(d, keyword)


def set_to(keyword, value):
    return lambda d: setattr(d, keyword, value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: set_pixels(d, INDICES | 0x0100, 8), "beyond .0028,0101. BitsStored 8"),
        (without("GreenPaletteColorLookupTableData"), "has no GreenPalette"),
        (without("BluePaletteColorLookupTableDescriptor"), r"\(0028,1103\) Blue"),
        (set_to("RedPaletteColorLookupTableDescriptor", [3, 0, 16]), "the same for all colours"),
        (set_to("RedPaletteColorLookupTableDescriptor", [4, 0, 12]), "entries have 12 bits"),
        (set_to("RedPaletteColorLookupTableData", b"\0" * 6), "has 6 bytes for 4 entries"),
        (set_to("AlphaPaletteColorLookupTableData", TABLE[0].tobytes()), "transparency"),
    ],
)
def test_palettes_that_are_none(tmp_path, change, said):
    d = with_palette(INDICES, 8)
    change(d)
    d.PhotometricInterpretation = "PALETTE COLOR"
    with pytest.raises(FormatError, match=said):
        files.read(save(d, tmp_path / "a.dcm"))


def test_big_endian_words_are_turned(tmp_path):
    _, derived, _ = derive(tmp_path / "a.dcm", syntax=ExplicitVRBigEndian)
    _, expected, _ = derive(tmp_path / "b.dcm")
    assert derived.VOILUTSequence == expected.VOILUTSequence
    np.testing.assert_array_equal(derived.overlay_array(0x6000), expected.overlay_array(0x6000))
    np.testing.assert_array_equal(derived.pixel_array, expected.pixel_array)


def test_the_lossy_flag_is_set_by_a_lossy_encoding(tmp_path):
    """JPEG-LS near-lossless; and a flag that stands is never reset."""
    import imagecodecs
    from pydicom.encaps import encapsulate

    plain = mammogram()
    del plain.LossyImageCompression
    pixels = np.zeros((5, 7), np.uint8)
    set_pixels(plain, pixels, 8)
    plain.PixelData = encapsulate([imagecodecs.jpegls_encode(pixels, level=2)])
    plain["PixelData"].is_undefined_length = True
    _, derived, _ = derive(tmp_path / "a.dcm", original=plain, syntax="1.2.840.10008.1.2.4.81")
    assert derived.LossyImageCompression == "01"
    assert derived.LossyImageCompressionMethod == "ISO_14495_1"
    assert derived.LossyImageCompressionRatio > 0


def test_the_original_is_not_touched(tmp_path):
    path = save(mammogram(), tmp_path / "a.dcm")
    before = hashlib.sha256(path.read_bytes()).digest()
    picture = files.read(path, allow=["burned-in"])
    pixels = picture.pixels.copy()
    dump = str(picture.details["dataset"])
    files.write(tmp_path / "b.dcm", upscaled(pixels), like=picture, provenance=PROVENANCE)
    assert str(picture.details["dataset"]) == dump
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_more_rows_than_dicom_can_count(tmp_path):
    tall = set_pixels(mammogram(), np.zeros((40000, 1), np.uint16), 12)
    with pytest.raises(FormatError, match=r"\(0028,0010\) Rows and \(0028,0011\) Columns hold at most 65535"):
        derive(tmp_path / "a.dcm", original=tall)


def test_long_texts_are_cut_not_refused(tmp_path):
    wordy = mammogram()
    wordy.DerivationDescription = "y" * 1024
    wordy.SeriesNumber = 2**31 - 1
    how = provenance(2, "m" * 80, "0" * 64, "1")
    _, derived, _ = derive(tmp_path / "a.dcm", original=wordy, how=how)
    assert len(derived.DerivationDescription) <= 1024
    assert "0" * 64 in derived.DerivationDescription
    assert len(derived.ContributingEquipmentSequence[0].ManufacturerModelName) <= 64
    assert derived.SeriesNumber == 2**31 - 1 - 1000


def test_uids_that_pydicom_makes_are_fine_too(tmp_path):
    original = mammogram()
    original.SOPInstanceUID = generate_uid()
    _, derived, _ = derive(tmp_path / "a.dcm", original=original)
    assert derived.SourceImageSequence[0].ReferencedSOPInstanceUID == original.SOPInstanceUID


@pytest.mark.shared
def test_the_mammogram(shared, tmp_path):
    """GH133: half of its spacing has 17 characters; two icons, one private, are compressed as its pixels were."""
    path = shared / "mammograms" / "GH133.dcm"
    picture = files.read(path)
    remarks = files.write(tmp_path / "a.dcm", upscaled(picture.pixels), like=picture, provenance=PROVENANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file itself has values too long for their kind
        source, derived = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "a.dcm")
        assert (derived.Rows, derived.Columns) == (6124, 4788)
        np.testing.assert_array_equal(derived.pixel_array, upscaled(picture.pixels))
        assert [float(v) for v in derived.ImagerPixelSpacing] == pytest.approx([0.09409090909091 / 2] * 2)
        assert all(len(str(v)) <= 16 for v in derived.ImagerPixelSpacing)
        edges = [
            derived[f"Collimator{e}Edge"].value
            for e in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
        ]
        assert edges == [0, 4789, 0, 6125], "as in the original: just outside"
        assert derived.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        for keyword in (
            "StudyInstanceUID",
            "PatientID",
            "WindowCenter",
            "BurnedInAnnotation",
            "BitsStored",
            "PixelPaddingValue",
        ):
            assert derived.get(keyword) == source.get(keyword)
        assert "small pictures of the original are left out: IconImageSequence, (07A3,10CE)" in remarks
        changed = {e.tag for e in source} ^ {e.tag for e in derived}
        assert {pydicom.datadict.keyword_for_tag(t) for t in changed} == {
            "ContributingEquipmentSequence", "IconImageSequence", "",
        }  # fmt: skip
    again = files.read(tmp_path / "a.dcm")
    assert again.data_range == 4095


def test_the_same_again_is_the_same_file(tmp_path):
    derive(tmp_path / "a.dcm")
    derive(tmp_path / "b.dcm")
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_what_belongs_to_the_old_instance_is_left_out(tmp_path):
    original = mammogram()
    original.InstanceCreationDate, original.InstanceCreationTime, original.InstanceCreatorUID = "20200101", "12", "1.7"
    original.SOPAuthorizationDateTime, original.ConcatenationUID, original.InConcatenationNumber = "2020", "1.8", 1
    _, derived, remarks = derive(tmp_path / "a.dcm", original=original)
    gone = "InstanceCreationDate InstanceCreationTime InstanceCreatorUID SOPAuthorizationDateTime ConcatenationUID"
    assert not any(keyword in derived for keyword in gone.split())
    assert any("ConcatenationUID, InConcatenationNumber, SOPAuthorizationDateTime" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("spacing", "shown"),
    [
        (b"0.07", "'0.07'"),
        (b"0.07\\", ""),
        (b"0,07\\0,07 ", "0,07"),
        (b"nan\\nan ", ""),
        (b"0\\0.1 ", ""),
        (b"text", "text"),
    ],
)
def test_a_spacing_that_is_none_is_left_out(tmp_path, spacing, shown):
    path = save(mammogram(), tmp_path / "a.dcm")
    data, old = path.read_bytes(), b"0.09409090909091\\0.07 "
    at = data.index(old)
    new = spacing + b" " * (len(spacing) % 2)
    path.write_bytes(data[: at - 2] + len(new).to_bytes(2, "little") + new + data[at + len(old) - len(old) % 2 :])
    picture = files.read(path, allow=["burned-in"])
    remarks = files.write(tmp_path / "b.dcm", upscaled(picture.pixels), like=picture, provenance=PROVENANCE)
    assert "ImagerPixelSpacing" not in pydicom.dcmread(tmp_path / "b.dcm")
    (said,) = (remark for remark in remarks if "(0018,1164)" in remark)
    assert said.endswith("is left out")
    assert shown in said


def raw(dataset, path, tag, vr, value):
    """Save, then put an element that no writer writes behind (0020,0013)."""
    data = save(dataset, path).read_bytes()
    at = data.index(b"\x20\x00\x13\x00IS")
    made = tag[0].to_bytes(2, "little") + tag[1].to_bytes(2, "little") + vr + len(value).to_bytes(2, "little") + value
    end = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    path.write_bytes(data[:end] + made + data[end:])
    return path


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [((0x20, 0x21), b"ZZ", b"ab"), ((0x20, 0x9057), b"UL", b"abcdef"), ((0x20, 0x1041), b"DS", b"0,5 ")],
)
def test_a_side_element_does_not_spoil_a_good_image(tmp_path, tag, vr, value):
    path = raw(mammogram(), tmp_path / "a.dcm", tag, vr, value)
    picture = files.read(path, allow=["burned-in"])
    files.write(tmp_path / "b.dcm", upscaled(picture.pixels), like=picture, provenance=PROVENANCE)
    np.testing.assert_array_equal(
        pydicom.dcmread(tmp_path / "b.dcm").pixel_array[:, 4:], upscaled(picture.pixels)[:, 4:]
    )


def test_overlays_that_are_incomplete_and_curves_are_left_out(tmp_path):
    odd = mammogram()
    odd.add_new((0x6000, 0x3000), "OW", b"\1\0")  # a few bits short
    odd.add_new((0x6004, 0x0010), "US", 5)
    odd.add_new((0x6004, 0x0011), "US", 7)
    odd.add_new((0x6004, 0x0050), "SS", None)
    odd.add_new((0x6004, 0x3000), "OW", bytes(6))
    odd.add_new((0x5000, 0x0010), "US", 2)
    _, derived, remarks = derive(tmp_path / "a.dcm", original=odd)
    assert not [e for e in derived if e.tag.group in (0x6000, 0x6004, 0x5000)]
    for group in ("overlay (6000,xxxx)", "overlay (6004,xxxx)", "curve (5000,xxxx)"):
        assert any(remark.startswith(group) and remark.endswith("is left out") for remark in remarks)


def test_an_overlay_of_several_frames(tmp_path):
    original = mammogram()
    bits = np.random.default_rng(0).integers(0, 2, (3, 5, 7)).astype(np.uint8)
    packed = np.packbits(bits, bitorder="little").tobytes()
    original.add_new((0x6000, 0x0015), "IS", 3)
    original.add_new((0x6000, 0x3000), "OW", packed + b"\0" * (len(packed) % 2))
    _, derived, _ = derive(tmp_path / "a.dcm", original=original)
    found = np.unpackbits(np.frombuffer(derived[0x6000, 0x3000].value, np.uint8), bitorder="little")[: bits.size * 4]
    np.testing.assert_array_equal(found.reshape(3, 10, 14), bits.repeat(2, 1).repeat(2, 2))


@pytest.mark.parametrize(("given", "new"), [("A1", 1000), ("2147483647", 2147482647), ("", 1000), ("-3", 997)])
def test_series_numbers(tmp_path, given, new):
    path = save(mammogram(), tmp_path / "a.dcm")
    data = path.read_bytes()
    at = data.index(b"\x20\x00\x11\x00IS") + 6
    text = given.encode() + b" " * (len(given) % 2)
    end = at + 2 + int.from_bytes(data[at : at + 2], "little")
    path.write_bytes(data[:at] + len(text).to_bytes(2, "little") + text + data[end:])
    picture = files.read(path, allow=["burned-in"])
    files.write(tmp_path / "b.dcm", upscaled(picture.pixels), like=picture, provenance=PROVENANCE)
    assert pydicom.dcmread(tmp_path / "b.dcm").SeriesNumber == new


def test_ultrasound_regions_are_scaled_with_their_calibration(tmp_path):
    original = mammogram()
    region = item(
        RegionLocationMinX0=1, RegionLocationMinY0=0, RegionLocationMaxX1=6, RegionLocationMaxY1=4, ReferencePixelX0=2,
        ReferencePixelY0=1, PhysicalDeltaX=0.1, PhysicalDeltaY=0.2, ReferencePixelPhysicalValueX=5.0,
    )  # fmt: skip
    original.SequenceOfUltrasoundRegions = [region]
    _, derived, remarks = derive(tmp_path / "a.dcm", original=original)
    (new,) = derived.SequenceOfUltrasoundRegions
    assert [new.RegionLocationMinX0, new.RegionLocationMaxX1] == [2, 13]
    assert [new.RegionLocationMinY0, new.RegionLocationMaxY1] == [0, 9]
    assert new.PhysicalDeltaX == pytest.approx(0.05)
    # old pixel 2 of the region, whose centre is at 5.0, is now pixels 4 and 5, with centres at 5.0 ∓ 0.025
    assert new.ReferencePixelX0 == 4
    assert new.ReferencePixelPhysicalValueX == pytest.approx(4.975)
    assert any("SequenceOfUltrasoundRegions" in remark for remark in remarks)


def test_frame_shutters_and_regions_in_functional_groups(tmp_path):
    """PS3.3 C.7.6.16.2: a viewer that applies an unscaled frame shutter blanks most of the image."""
    original = mammogram()
    shutter = item(ShutterShape="RECTANGULAR", ShutterLeftVerticalEdge=1, ShutterRightVerticalEdge=7)
    sensing = item(
        ExposureControlSensingRegionShape="POLYGONAL", VerticesOfThePolygonalExposureControlSensingRegion=[1, 1, 5, 7]
    )
    shift = item(MaskSubPixelShift=[0.5, -1.0], RegionPixelShiftSequence=[item(VerticesOfTheRegion=[1, 7, 5, 1])])
    original.SharedFunctionalGroupsSequence = [
        item(FrameDisplayShutterSequence=[shutter], ExposureControlSensingRegionsSequence=[sensing])
    ]
    original.PerFrameFunctionalGroupsSequence = [item(FramePixelShiftSequence=[shift])]
    _, derived, _ = derive(tmp_path / "a.dcm", original=original)
    (shared,) = derived.SharedFunctionalGroupsSequence
    assert shared.FrameDisplayShutterSequence[0].ShutterRightVerticalEdge == 14
    assert shared.FrameDisplayShutterSequence[0].ShutterLeftVerticalEdge == 1
    regions = shared.ExposureControlSensingRegionsSequence[0]
    assert regions.VerticesOfThePolygonalExposureControlSensingRegion == [1, 1, 10, 14]
    (frame,) = derived.PerFrameFunctionalGroupsSequence
    assert frame.FramePixelShiftSequence[0].MaskSubPixelShift == [1.0, -2.0]
    assert frame.FramePixelShiftSequence[0].RegionPixelShiftSequence[0].VerticesOfTheRegion == [1, 14, 10, 1]
    (step,) = shared.DerivationImageSequence
    assert step.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.1"


def tomosynthesis(count=3):
    original = mammogram()
    del original.PixelSpacing
    frames = np.stack([np.full((5, 7), 300 * (number + 1), np.uint16) for number in range(count)])
    frames[:, :, :2] = 0
    frames[1, 4, 6] = 0  # padding of one frame alone
    set_pixels(original, frames[0], 12)
    original.NumberOfFrames = count
    data = frames.tobytes()
    original.PixelData = data + b"\0" * (len(data) % 2)
    original.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[0.1, 0.2])],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        )
    ]
    original.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, number])]) for number in range(count)
    ]
    return original, frames


def test_frames_one_by_one(tmp_path):
    original, frames = tomosynthesis()
    source = save(original, tmp_path / "a.dcm")
    done = upscale_file(source, tmp_path / "b.dcm", allow=["burned-in"])
    assert done.shape == (3, 10, 14)
    derived = pydicom.dcmread(tmp_path / "b.dcm")
    assert derived.NumberOfFrames == 3
    pixels = derived.pixel_array
    for number in range(3):
        alone = files.read(f"{source}::{number + 1}")
        expected = restored(
            upscale(filled(*(alone.pixels, alone.padding)), data_range=4095), alone.pixels, alone.padding
        )
        np.testing.assert_array_equal(pixels[number], expected)
        assert (pixels[number][upscaled(frames[number]) == 0] == 0).all()
    places = [group.PlanePositionSequence[0].ImagePositionPatient for group in derived.PerFrameFunctionalGroupsSequence]
    assert [[float(v) for v in place] for place in places] == [[-0.05, -0.025, number] for number in range(3)]
    upscale_file(source, tmp_path / "c.dcm", allow=["burned-in"])
    assert (tmp_path / "b.dcm").read_bytes() == (tmp_path / "c.dcm").read_bytes()


def test_frames_go_into_no_single_picture(tmp_path):
    source = save(tomosynthesis()[0], tmp_path / "a.dcm")
    with pytest.raises(OptionError, match="PNG holds one picture, and there are several frames"):
        upscale_file(source, tmp_path / "b.png", allow=["burned-in"])
    upscale_file(f"{source}::2", tmp_path / "b.png", allow=["burned-in"])
    assert files.read(tmp_path / "b.png").pixels.shape == (10, 14)
    with pytest.raises(FormatError, match="is one frame of 3, which is not written as DICOM alone"):
        upscale_file(f"{source}::2", tmp_path / "c.dcm", allow=["burned-in"])


def test_what_would_be_refused_is_refused_before_computing(tmp_path, monkeypatch):
    monkeypatch.setattr("fsrcnn_np.pipeline._upscale", None)  # never reached
    nameless = mammogram()
    del nameless.SOPInstanceUID
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nameless.file_meta = FileMetaDataset()
        nameless.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pydicom.dcmwrite(tmp_path / "a.dcm", nameless, implicit_vr=False, little_endian=True)
    with pytest.raises(FormatError, match=r"a\.dcm: the original has no \(0008,0016\)"):
        upscale_file(tmp_path / "a.dcm", tmp_path / "b.dcm", allow=["burned-in"])
    save(mammogram(), tmp_path / "c.dcm")
    with pytest.raises(FormatError, match=r"c\.dcm: \(0028,0301\) BurnedInAnnotation is YES"):
        upscale_file(tmp_path / "c.dcm", tmp_path / "d.dcm")
    assert not (tmp_path / "d.dcm").exists()


@pytest.mark.parametrize(("vr", "value", "word"), [("US", 65535, 65535), ("SS", -2000, 63536), ("US", 0, 0)])
def test_padding_comes_back_in_its_own_words_and_rings_nowhere(tmp_path, vr, value, word):
    original = mammogram()
    pixels = np.full((40, 30), 2000, np.uint16)
    pixels[:, 12:] = word
    set_pixels(original, pixels, 12)
    original["PixelPaddingValue"].VR, original["PixelPaddingValue"].value = vr, value
    upscale_file(save(original, tmp_path / "a.dcm"), tmp_path / "b.dcm", allow=["burned-in"])
    derived = pydicom.dcmread(tmp_path / "b.dcm")
    stored = np.frombuffer(derived.PixelData, "<u2").reshape(80, 60)
    assert (stored[:, 24:] == word).all()
    assert np.ptp(stored[4:-4, 4:24].astype(int)) <= 6, "as a flat picture, up to the padding's edge"
    assert derived["PixelPaddingValue"].value == value


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
@pytest.mark.parametrize(
    ("dtype", "bits", "shape"),
    [
        ("uint8", 8, (9, 7)),
        ("uint16", 12, (9, 7)),
        ("int16", 12, (9, 7)),
        ("int16", 16, (9, 7)),
        ("uint8", 8, (9, 7, 3)),
    ],
)
def test_compressed_pixels_are_the_same_pixels(tmp_path, syntax, dtype, bits, shape):
    low = -(2 ** (bits - 1)) if dtype == "int16" else 0
    pixels = np.random.default_rng(0).integers(low, low + 2**bits, shape).astype(dtype)
    plain = mammogram()
    del plain.PixelPaddingValue
    source = save(set_pixels(plain, pixels, bits), tmp_path / "a.dcm")
    upscale_file(source, tmp_path / "b.dcm", allow=["burned-in"])
    done = upscale_file(source, tmp_path / "c.dcm", allow=["burned-in"], transfer_syntax=syntax)
    assert pydicom.dcmread(tmp_path / "c.dcm").file_meta.TransferSyntaxUID == TRANSFER_SYNTAXES[syntax]
    np.testing.assert_array_equal(files.read(tmp_path / "c.dcm").pixels, files.read(tmp_path / "b.dcm").pixels)
    assert [breach for breach in check_files(source, done.path) if not breach.inherited] == []
    again = upscale_file(source, tmp_path / "d.dcm", allow=["burned-in"], transfer_syntax=syntax)
    assert again.path.read_bytes() == done.path.read_bytes()


@pytest.mark.parametrize("syntax", ["jpeg-ls", "jpeg2000", "htj2k", "rle"])
def test_compressed_frames_and_padding_beyond_the_bits(tmp_path, syntax):
    original, frames = tomosynthesis()
    original["PixelPaddingValue"].value = 65535
    original.PixelData = np.where(frames == 0, 65535, frames).astype(np.uint16).tobytes()
    source = save(original, tmp_path / "a.dcm")
    for name, how in (("b.dcm", "explicit"), ("c.dcm", syntax)):
        upscale_file(source, tmp_path / name, allow=["burned-in"], transfer_syntax=how)
    assert [breach for breach in check_files(source, tmp_path / "c.dcm") if not breach.inherited] == []
    for one, other in zip(stored_words(tmp_path / "b.dcm"), stored_words(tmp_path / "c.dcm"), strict=True):
        np.testing.assert_array_equal(one, other)
        assert (one[:, :4] == 65535).all()


def test_no_such_transfer_syntax(tmp_path):
    source = save(mammogram(), tmp_path / "a.dcm")
    with pytest.raises(OptionError, match="transfer_syntax is 'zip'; allowed are explicit, rle"):
        upscale_file(source, tmp_path / "b.dcm", allow=["burned-in"], transfer_syntax="zip")


def test_uids_are_mapped_alike_and_the_standards_own_are_kept(tmp_path):
    source = save(mammogram(), tmp_path / "a.dcm")
    other = mammogram()
    other.SOPInstanceUID = "1.2.99"
    found = []
    for name, original in (("b.dcm", source), ("c.dcm", save(other, tmp_path / "d.dcm"))):
        upscale_file(original, tmp_path / name, allow=["burned-in"], remap_uids="secret")
        found.append(pydicom.dcmread(tmp_path / name))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert found[0].get(keyword) == found[1].get(keyword)
        assert found[0].get(keyword).startswith("2.25.")
    assert found[0].SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.2"
    reference = found[0].SourceImageSequence[0]
    assert reference.ReferencedSOPInstanceUID.startswith("2.25.")
    assert reference.ReferencedSOPInstanceUID != found[1].SourceImageSequence[0].ReferencedSOPInstanceUID
    assert {e.value for e in found[0].iterall() if e.VR == "UI"}.isdisjoint({"1.2.1", "1.2.2", "1.2.3", "1.2.4"})
    assert not [b for b in check_files(source, tmp_path / "b.dcm", remap_uids="secret") if not b.inherited]
    assert [b for b in check_files(source, tmp_path / "b.dcm") if b.tag == "(0020,000D) StudyInstanceUID"]


def test_a_private_element_of_an_unknown_vr_is_left_out_and_the_image_goes_on(tmp_path):
    path = save(mammogram(), tmp_path / "o.dcm")
    data = path.read_bytes()
    at = data.index(b"\xe0\x7f\x10\0OW")
    path.write_bytes(data[:at] + b"\x01\x40\x02\x10ZZ\x04\0abcd" + data[at:])
    remarks = upscale_file(path, tmp_path / "d.dcm", allow=["burned-in"]).remarks
    assert any(remark.startswith("(4001,1002) cannot be read") for remark in remarks)
    assert not [breach for breach in check_files(path, tmp_path / "d.dcm") if not breach.inherited]


@pytest.mark.parametrize("said", [b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0"])
def test_explicit_in_a_file_that_says_implicit_and_the_other_way_round(tmp_path, said):
    """The pixels lie four bytes later or earlier than such a file's reader thinks."""
    original, other = mammogram(), said[-2:] == b"1\0"
    path = save(original, tmp_path / "o.dcm", "1.2.840.10008.1.2" if other else ExplicitVRLittleEndian)
    data = path.read_bytes()
    start = data.index(b"\2\0\x10\0UI")
    end = start + 8 + int.from_bytes(data[start + 6 : start + 8], "little")
    length = int.from_bytes(data[140:144], "little") + 8 + len(said) - (end - start)
    meta = data[132:140] + length.to_bytes(4, "little") + data[144:start]
    path.write_bytes(data[:132] + meta + b"\2\0\x10\0UI" + bytes([len(said), 0]) + said + data[end:])
    picture = files.read(path)
    np.testing.assert_array_equal(picture.pixels, files.read(save(original, tmp_path / "right.dcm")).pixels)
    assert any("(0002,0010) TransferSyntaxUID says" in remark for remark in picture.remarks)
    upscale_file(path, tmp_path / "d.dcm", allow=["burned-in"])
    assert not [breach for breach in check_files(path, tmp_path / "d.dcm") if not breach.inherited]


def test_a_text_that_maps_uids_is_one(tmp_path):
    with pytest.raises(OptionError, match="remap_uids"):
        upscale_file(save(mammogram(), tmp_path / "o.dcm"), tmp_path / "d.dcm", remap_uids="\udcff")


def spelled(path, charset, text, syntax):
    """The mammogram with one text in five places, in bytes that no writer would write; some below sequences."""
    d = mammogram()
    d.SpecificCharacterSet, mark = "CHARSET" if len(charset) % 2 else "CHARSETS", "x" * (len(text) + len(text) % 2)
    for keyword in ("PatientName", "InstitutionName", "PatientComments", "OperatorsName", "SeriesDescription"):
        setattr(d, keyword, mark)
    d.RequestAttributesSequence = [item(RequestedProcedureDescription=mark)]
    d.private_block(0x0019, "MAKER").add_new(2, "UT", mark)
    d.SpecificCharacterSet = "c" * (len(charset) + len(charset) % 2)
    save(d, path, syntax)
    data = path.read_bytes().replace(mark.encode(), text.ljust(len(mark)))
    path.write_bytes(data.replace(d.SpecificCharacterSet.encode(), charset.ljust(len(d.SpecificCharacterSet)), 1))


@pytest.mark.filterwarnings("ignore:.*value for VR CS|The value length")
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, "1.2.840.10008.1.2"])
@pytest.mark.parametrize(
    ("charset", "text"),
    [
        (b"ISO_IR 192", b"M\xfcller^J\xfcrgen"),  # Latin-1 that is said to be UTF-8
        (b"ISO_IR 192", b"M\xc3x"),
        (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),  # PS3.5 H.3.2; pydicom writes ????
        (b"ISO_IR 126", b"\xae\xff\xd2A"),
        (b"GB18030", b"\xff\xfe^A"),
        (b"ISO_IR 999", b"M\xfcller"),
        (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),  # PS3.5 H.3.1
        (b"\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"),  # PS3.5 I.2
        (b"ISO 2022 IR 100\\ISO 2022 IR 144", b"M\xfcller^\x1b-L\xbb\xee\xda"),
    ],
)
def test_texts_come_byte_for_byte_in_any_character_set(tmp_path, charset, text, syntax):
    path, out = tmp_path / "o.dcm", tmp_path / "d.dcm"
    spelled(path, charset, text, syntax)
    written = text.ljust(len(text) + len(text) % 2)
    assert path.read_bytes().count(written) == 7
    upscale_file(path, out, allow=["burned-in"])
    data = out.read_bytes()
    assert data.count(written) >= 6, charset  # behind the series' description stands ours
    assert b"FSRCNN x2" in data
    assert charset in data
    assert not [breach for breach in check_files(path, out) if not breach.inherited]
    if b"\xfc" in text and charset == b"ISO_IR 192":  # as one that decodes and encodes has it: it decodes alike
        lost = text.replace(b"\xfc", "\N{REPLACEMENT CHARACTER}".encode()).ljust(18)
        was, new = (b"PN" + bytes((len(name), 0)) + name for name in (written, lost))
        assert was in data
        out.write_bytes(data.replace(was, new))
        assert "PatientName" in next(breach.tag for breach in check_files(path, out))


def test_what_is_burned_in_is_said_by_each_command(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    original, log = mammogram(), tmp_path / "night.jsonl"
    original.Rows = original.Columns = 40
    original.PixelData = np.arange(1600, dtype="<u2").tobytes()
    source = str(save(original, tmp_path / "images" / "a.dcm"))
    said = "(0028,0301) BurnedInAnnotation is YES: a name may stand in its pixels"
    for command in (
        ["upscale", source, "-o", str(tmp_path / "b.png")],
        ["compare", source, "-o", str(tmp_path / "c")],
        ["study", "run", str(tmp_path / "images"), "-o", str(tmp_path / "r"), "--workers", "0", "--no-report"],
    ):
        assert cli.main([*command, "--weights", "x2-small", "--report", str(log)]) == 0
        assert said in capsys.readouterr().out
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [said in record["remarks"] for record in records] == [True] * 3
