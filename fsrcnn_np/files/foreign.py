"""What a file is that is not read here, by its first bytes: a name that a user knows, and the way to a picture."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

HEAD = 348  #: bytes that tell: of NIfTI the last of them
_CONVERT = "convert it with another program, to .png or .tif"
_UNPACK = "unpack it first"
_AGAIN = "copy or download it again"
_ARRAY = "export the array as .npy, .h5 or .tif"


class _Kind(NamedTuple):
    what: str
    remedy: str
    starts: tuple[bytes, ...]
    at: int = 0


#: Of packed files, which a folder may hold for good reasons.
_PACKED = (
    _Kind("is compressed with gzip", f"{_UNPACK} (gunzip)", (b"\x1f\x8b\x08",)),
    _Kind("is a ZIP archive", f"{_UNPACK}, and give the folder", (b"PK\3\4", b"PK\5\6", b"PK\7\x08")),
    _Kind("is compressed with bzip2", f"{_UNPACK} (bunzip2)", (b"BZh",)),
    _Kind("is compressed with xz", f"{_UNPACK} (unxz)", (b"\xfd7zXZ\0",)),
    _Kind("is compressed with Zstandard", f"{_UNPACK} (unzstd)", (b"\x28\xb5\x2f\xfd",)),
    _Kind("is compressed with LZ4", f"{_UNPACK} (unlz4)", (b"\x04\x22\x4d\x18",)),
    _Kind("is compressed with compress", f"{_UNPACK} (uncompress)", (b"\x1f\x9d\x90",)),
    _Kind("is a 7-Zip archive", f"{_UNPACK}, and give the folder", (b"7z\xbc\xaf\x27\x1c",)),
    _Kind("is a RAR archive", f"{_UNPACK}, and give the folder", (b"Rar!\x1a\x07",)),
    _Kind("is a tar archive", f"{_UNPACK}, and give the folder", (b"ustar",), 257),
)
_SAVE = "in MATLAB load it and save it again: save FILE.mat -v7 (or -v7.3)"
_KINDS = (
    *_PACKED,
    _Kind("is a text of Octave (save -text)", "in Octave load it and save it again: save -v7 FILE.mat NAME",
          (b"# Created by Octave",)),
    _Kind("is Octave's binary format", "in Octave load it and save it again: save -v7 FILE.mat NAME",
          (b"Octave-1-L", b"Octave-1-B")),
    _Kind("is a pointer of git-lfs, not the file that it stands for", "fetch it: git lfs pull",
          (b"version https://git-lfs",)),
    _Kind("is AVIF", _CONVERT, (b"ftypavif", b"ftypavis"), 4),
    _Kind("is HEIF (HEIC)", _CONVERT, tuple(b"ftyp" + b for b in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx",
                                                                  b"mif1", b"msf1", b"mif2")), 4),
    _Kind("is a film (MP4 or QuickTime)", "extract its frames, as .png or .tif", (b"ftyp", b"moov", b"mdat"), 4),
    _Kind("is JPEG XL", _CONVERT, (b"\0\0\0\x0cJXL ", b"\xff\x0a")),
    _Kind("is JPEG XR", _CONVERT, (b"II\xbc",)),
    _Kind("is MNG or JNG", _CONVERT, (b"\x8aMNG\r\n\x1a\n", b"\x8bJNG\r\n\x1a\n")),
    _Kind("is an icon (ICO)", _CONVERT, tuple(bytes((0, 0, 1, 0, count)) for count in range(1, 64))),
    _Kind("is a cursor (CUR)", _CONVERT, tuple(bytes((0, 0, 2, 0, count)) for count in range(1, 64))),
    _Kind("is a document (PDF)", "extract its pictures: pdfimages -all", (b"%PDF",)),
    _Kind("is PostScript", _CONVERT, (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    _Kind("is a document of Photoshop (PSD)", "in Photoshop save it flattened, as .tif or .png", (b"8BPS",)),
    _Kind("is a document of GIMP (XCF)", "in GIMP export it, as .tif or .png", (b"gimp xcf",)),
    _Kind("is OpenEXR", f"{_CONVERT} of floats", (b"\x76\x2f\x31\x01",)),
    _Kind("is Radiance HDR", f"{_CONVERT} of floats", (b"#?RADIANCE", b"#?RGBE")),
    _Kind("is PFM (floats)", f"{_CONVERT} of floats", (b"PF\n", b"Pf\n")),
    _Kind("is PAM", "convert it: pamtopnm IN > OUT", (b"P7\n",)),
    _Kind("is SGI", _CONVERT, (b"\x01\xda\0", b"\x01\xda\1")),
    _Kind("is a Sun raster", _CONVERT, (b"\x59\xa6\x6a\x95",)),
    _Kind("is DPX", _CONVERT, (b"SDPX", b"XPDS")),
    _Kind("is an icon of macOS (ICNS)", _CONVERT, (b"icns",)),
    _Kind("is DDS", _CONVERT, (b"DDS ",)),
    _Kind("is QOI", _CONVERT, (b"qoif",)),
    _Kind("is BPG", _CONVERT, (b"BPG\xfb",)),
    _Kind("is JBIG2", _CONVERT, (b"\x97JB2\r\n\x1a\n",)),
    _Kind("is DjVu", _CONVERT, (b"AT&TFORM",)),
    _Kind("is XPM", _CONVERT, (b"/* XPM */",)),
    _Kind("is a camera's raw file", "develop it, to a TIFF of 16 bits",
          (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"\0MRM", b"FOVb")),
    _Kind("is a film (AVI)", "extract its frames, as .png or .tif", (b"AVI ",), 8),
    _Kind("is a film (Matroska or WebM)", "extract its frames, as .png or .tif", (b"\x1a\x45\xdf\xa3",)),
    _Kind("is NIfTI", _ARRAY, (b"n+1\0", b"ni1\0"), 344),
    _Kind("is NIfTI", _ARRAY, (b"n+2\0", b"ni2\0"), 4),
    _Kind("is NRRD", _ARRAY, (b"NRRD000",)),
    _Kind("is MetaImage", _ARRAY, (b"ObjectType", b"NDims")),
    _Kind("is FITS", _ARRAY, (b"SIMPLE  =",)),
    _Kind("is HDF4", "convert it: h4toh5 IN.hdf OUT.h5", (b"\x0e\x03\x13\x01",)),
    _Kind("is netCDF of the classic kind", "convert it: nccopy -k netCDF-4 IN.nc OUT.h5",
          (b"CDF\1", b"CDF\2", b"CDF\5")),
    _Kind("is a pickle of Python, which is never loaded", "save the array with numpy.save",
          (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")),
    _Kind("is an extra of macOS for a file of that name (AppleDouble)", "give the file itself",
          (b"\0\5\x16\7", b"\0\5\x16\0")),
    _Kind("is a shortcut of Windows", "give the file that it leads to", (b"L\0\0\0\1\x14\2\0",)),
    _Kind("is a PNG whose line ends were changed on its way, as if it were text",
          "copy or download it again, as binary (FTP: mode I; git: -text)",
          (b"\x89PNG\n", b"\x89PNG\r\r\n", b"\x89PNG\r\n\x1a\r\n")),
    _Kind("is a PNG that was stored as if it were text", f"{_AGAIN}, as binary",
          (b"\xef\xbf\xbdPNG", b"\xc2\x89PNG", b"\tPNG\r\n", b"?PNG\r\n")),
    _Kind("is a JPEG that was stored as if it were text", f"{_AGAIN}, as binary",
          (b"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", b"\xc3\xbf\xc3\x98\xc3\xbf")),
)  # fmt: skip
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*\0")
_MARKUP = re.compile(rb"\s*<(!doctype html|html|head|body|\?xml|svg|!--|Error|ListBucket)", re.IGNORECASE)


def what(head: bytes) -> str:
    """What a file is that begins like this, and what to do: a line without the file's name. Empty: not known.

    Parameters
    ----------
    head : bytes
        The first `HEAD`, or all of a shorter file. They may also be those of a format that is read.
    """
    if head.startswith(b"PK\3\4") and head[30:].partition(b".npy")[1]:
        return "is a ZIP archive of arrays, as .npz is; give it that suffix"
    if is_mat4(head):
        return f"is a MAT-file of version 4 (save -v4); allowed are -v6, -v7 and -v7.3; {_SAVE}"
    if found := next((k for k in _KINDS if head[k.at :].startswith(k.starts)), None):
        return f"{found.what}; {found.remedy}"
    if head.startswith(b"BA") and head[14:16] == b"BM":
        return f"is an array of bitmaps of OS/2; {_CONVERT}"
    if markup := _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        if b"<svg" in head:
            return f"is SVG, a drawing; {_CONVERT}"
        kind = "HTML" if markup[1].lower() in (b"!doctype html", b"html", b"head", b"body") else "XML"
        return f"is a text ({kind}), like a server's answer in place of a file; look into it, and download it again"
    if len(head) >= 16 and not any(head):
        return f"begins with nothing but zeros, as a file whose copy was broken off; {_AGAIN}"
    return ""


def packed(head: bytes) -> str:
    """The same of what has to be unpacked first; empty if it is none."""
    return next((f"{k.what}; {k.remedy}" for k in _PACKED if head[k.at :].startswith(k.starts)), "")


def is_mat4(head: bytes) -> bool:
    """Whether a file begins with a variable of MATLAB's version 4: "MAT-File Format", chapter 1, level 4.

    Five integers, of which the first has the decimal digits machine, 0, precision and type; then the variable's name.
    """
    if len(head) < 22:
        return False
    for order, machines in (("<", (0, 2, 3)), (">", (1, 2, 3, 4))):
        kind, _, _, imaginary, length = struct.unpack_from(order + "5i", head)
        machine, zero, precision, matrix = kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10
        known = machine in machines and zero == 0 and precision <= 5 and matrix <= 2 and imaginary in (0, 1)
        if known and 2 <= length <= 64 and (name := _NAME.match(head, 20)) and name.end() == 20 + length:
            return True
    return False
