"""The formats there are: by which first bytes and suffixes they are known, and who reads and writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fsrcnn_np.files import arrays, containers, dicom, jpeg2000, netpbm, photos, png, tiff
from fsrcnn_np.files.foreign import HEAD
from fsrcnn_np.files.picture import DicomForm, Encoded, Output, Picture, Provenance


@dataclass(frozen=True)
class Format:
    """One kind of file.

    `read(path)` gives a Picture (HDF5's takes the dataset's name too, DICOM's a frame's number and options),
    `encode(output)` gives Encoded, and `check(like, provenance, form)` says beforehand what `encode` would refuse.
    `made(path)` finds the record of provenance that `encode` put in, and raises where the file is cut; None: the format
    has no place for one.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    read: Callable[..., Picture]
    encode: Callable[[Output], Encoded]
    magic_offset: int = 0
    check: Callable[[Picture, Provenance, DicomForm], None] | None = None
    made: Callable[[Path], str | None] | None = None

    def starts(self, head: bytes) -> bool:
        """Whether a file with this beginning is of this format."""
        return head[self.magic_offset :].startswith(self.magic)


def _photo(name: str, suffixes: tuple[str, ...], magic: tuple[bytes, ...], magic_offset: int = 0) -> Format:
    check, made = photos.checker(name), photos.PLACES.get(name)
    return Format(name, suffixes, magic, photos.reader(name), photos.encoder(name), magic_offset, check, made)


_NETPBM = tuple(f"P{kind}{blank}".encode() for kind in range(1, 7) for blank in " \t\r\n#")
HDF5 = Format(
    "HDF5",
    (".h5", ".hdf5", ".hdf"),
    (b"\x89HDF\r\n\x1a\n",),
    arrays.read_hdf5,
    arrays.encode_hdf5,
    made=arrays.made_hdf5,
)
TGA = _photo("TGA", (".tga",), ())  # has no first bytes of its own: the suffix tells
NPZ = Format("NPZ", (".npz",), (), containers.read_npz, containers.refuse, check=containers.refuse_early)  # a ZIP
MAT = Format(
    "MAT",
    (".mat",),
    (b"MATLAB 5.0", b"MATLAB 7.3"),
    containers.read_mat,
    containers.refuse,
    check=containers.refuse_early,
)
WITH_PARTS = (HDF5, NPZ, MAT)  #: FILE::name names one of the arrays inside
DICOM = Format("DICOM", (".dcm", ".dicom"), (b"DICM",), dicom.read, dicom.encode, 128, dicom.check, dicom.made)
FORMATS = (
    Format("PNG", (".png",), (png.SIGNATURE,), png.read, png.encode, made=png.made),
    Format("TIFF", (".tif", ".tiff"), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), tiff.read, tiff.encode, made=tiff.made),
    Format("PGM", (".pgm", ".pnm"), _NETPBM, netpbm.read, netpbm.encode),
    Format("PPM", (".ppm",), _NETPBM, netpbm.read, netpbm.encode),
    _photo("BMP", (".bmp", ".dib"), (b"BM",)),
    _photo("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), (b"\xff\xd8\xff",)),
    Format("JPEG 2000", (".jp2", ".j2k", ".j2c"), jpeg2000.MAGIC, jpeg2000.read, jpeg2000.encode, made=jpeg2000.made),
    _photo("WebP", (".webp",), (b"WEBP",), magic_offset=8),
    _photo("GIF", (".gif",), (b"GIF87a", b"GIF89a")),
    _photo("PCX", (".pcx",), tuple(bytes((10, version, 1)) for version in (0, 2, 3, 4, 5))),
    TGA,
    NPZ,
    MAT,
    Format("NPY", (".npy",), (b"\x93NUMPY",), arrays.read_npy, arrays.encode_npy),
    HDF5,
    DICOM,
)
SUFFIXES = tuple(suffix for format in FORMATS for suffix in format.suffixes)
#: Those that an output can have.
WRITTEN = tuple(s for format in FORMATS if format.encode is not containers.refuse for s in format.suffixes)
#: What is not taken out of folders: it is as likely a model or a table there, and is named if it is meant.
NAMED_ONLY = (*NPZ.suffixes, *MAT.suffixes)
IN_FOLDERS = tuple(suffix for suffix in SUFFIXES if suffix not in NAMED_ONLY)


def by_suffix(name: str) -> Format | None:
    """The format that a file name's suffix stands for."""
    lower = name.lower()
    return next((format for format in FORMATS if lower.endswith(format.suffixes)), None)


def by_head(head: bytes) -> Format | None:
    """The format that a file's first bytes show.

    DICOM goes first: its preamble may look like a TIFF; and last, without a preamble.
    """
    found = next((format for format in (DICOM, *FORMATS) if format.starts(head)), None)
    return DICOM if found is None and dicom.bare(head) else found


def suffix_of(path: Path) -> str:
    """The usual suffix of what a file's first bytes show; empty where they show nothing."""
    with open(path, "rb") as stream:
        found = by_head(stream.read(HEAD))
    return found.suffixes[0] if found else ""


def by_name(name: str) -> Format:
    """The format of this name."""
    return next(format for format in FORMATS if format.name == name)
