"""SECURITY.md: what a file asks for beyond its pixels is not done: plugins, XML entities, members that lead out."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fsrcnn_np import cli, files
from fsrcnn_np.errors import FormatError
from fsrcnn_np.files.hdf5_plugins import without_plugins

PLUGIN = 32015  # Zstandard's number, which HDF5 itself does not have
GREY = (np.arange(64, dtype=np.uint32) * 7919 % 251).astype(np.uint8).reshape(8, 8)


def packed_by_a_plugin(path, name="x"):
    """A dataset whose chunk says that a plugin packed it."""
    import h5py

    with h5py.File(path, "w") as file:
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_chunk(GREY.shape)
        how.set_filter(PLUGIN, h5py.h5z.FLAG_OPTIONAL, ())
        kind, space = h5py.h5t.NATIVE_UINT8, h5py.h5s.create_simple(GREY.shape)
        h5py.h5d.create(file.id, name.encode(), kind, space, how).write_direct_chunk((0, 0), GREY.tobytes(), 0)


READ_AS_IT_IS = "import h5py, sys; h5py.File(sys.argv[1])['x'][()]"
UPSCALE = (
    "import sys; from fsrcnn_np.cli import main; "
    "sys.exit(main(['upscale', sys.argv[1], '-o', sys.argv[2], '--engine', 'reference']))"
)


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of others does not tell what it loads")
def test_no_plugin_of_hdf5_is_loaded(tmp_path):
    packed_by_a_plugin(tmp_path / "a.h5")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "libevil.so").write_bytes(b"no library")
    told = os.environ | {"HDF5_PLUGIN_PATH": str(tmp_path / "plugins"), "LD_DEBUG": "files"}

    def run(code):
        command = [sys.executable, "-c", code, str(tmp_path / "a.h5"), str(tmp_path / "out")]
        return subprocess.run(command, env=told, capture_output=True, text=True, errors="replace")

    assert "libevil.so" in run(READ_AS_IT_IS).stderr, "HDF5 itself would have loaded it"
    done = run(UPSCALE)
    assert "libevil.so" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fsrcnn-np: ")]
    assert f"the dataset /x is packed with filter {PLUGIN}, a plugin, and none is loaded" in line
    assert done.returncode == 1


def test_the_users_folders_of_plugins_are_back_afterwards(tmp_path):
    from h5py import h5pl

    before = [h5pl.get(n) for n in range(h5pl.size())]
    with without_plugins(), without_plugins():
        assert h5pl.size() == 0
    packed_by_a_plugin(tmp_path / "a.h5")
    with pytest.raises(FormatError, match="a plugin, and none is loaded; pack it with gzip: h5repack"):
        files.read(tmp_path / "a.h5")
    assert [h5pl.get(n) for n in range(h5pl.size())] == before


FORK = """
import os, sys, threading
from h5py import h5pl
from fsrcnn_np.files.hdf5_plugins import without_plugins
inside, over = threading.Event(), threading.Event()
def other():
    with without_plugins():
        inside.set()
        over.wait()
before = h5pl.size()
def said():
    return {before: "all", 0: "none"}[h5pl.size()]
thread = threading.Thread(target=other)
if sys.argv[1] == "another":
    thread.start()
    inside.wait()
    child = os.fork()
    sizes = [said()]
else:
    with without_plugins():
        child = os.fork()
        sizes = [said()]
    sizes.append(said())
with without_plugins():
    sizes.append(said())
sizes.append(said())
if child == 0:
    os.write(1, (" ".join(sizes) + "\\n").encode())
    os._exit(0)
os.wait()
over.set()
print(before > 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize(("who", "expected"), [("another", "all none all"), ("the same", "none all none all")])
def test_a_forked_process_has_no_plugins_either(who, expected):
    """Whichever thread had a file open; what the other threads of its parent had open it has not."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, who],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == [expected, "True"]


SECRET = "a line of a file that is nobody's business"


@pytest.fixture
def described(tmp_path):
    """Pictures of every format that has a place for XML, with entities: of another file, and that grow without end."""
    (tmp_path / "secret.txt").write_text(SECRET)
    entities = f'<!ENTITY f SYSTEM "file://{tmp_path}/secret.txt"><!ENTITY a0 "boom">'
    entities += "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xml = f"<?xml version='1.0'?><!DOCTYPE OME [{entities}]><OME><rdf:RDF>&f;&a9;</rdf:RDF></OME>"
    data, folder = xml.encode(), tmp_path / "in"
    folder.mkdir()
    tags = [(700, "B", len(data), data, True)]
    tifffile.imwrite(folder / "a.tif", GREY, description=xml, metadata=None, extratags=tags)
    tifffile.imwrite(folder / "a.ome.tif", GREY, description=xml, metadata=None)
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xml)
    Image.fromarray(GREY).save(folder / "a.png", pnginfo=texts)
    Image.fromarray(GREY).convert("RGB").save(folder / "a.webp", lossless=True, xmp=data)
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "JPEG")
    app1 = b"http://ns.adobe.com/xap/1.0/\0" + data
    jpeg = stream.getvalue()
    (folder / "a.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpeg[2:])
    files.write(folder / "a.jp2", GREY)
    before, box, after = (folder / "a.jp2").read_bytes().partition(b"jp2c")
    xml_box = struct.pack(">I", len(data) + 8) + b"xml " + data
    (folder / "a.jp2").write_bytes(before[:-4] + xml_box + before[-4:] + box + after)
    (tmp_path / "a.svg").write_text(xml.replace("OME", "svg"))
    return folder


def test_no_entity_of_xml_is_expanded(described, tmp_path, monkeypatch, capsys):
    """Nothing parses XML at all: what is there is text, and stays the text that it is."""
    from xml.dom import minidom, pulldom
    from xml.parsers import expat

    def parse(*_, **__):
        raise AssertionError("XML was parsed")

    for module, names in (
        (ElementTree, ("XML", "fromstring", "parse", "iterparse", "XMLParser", "XMLPullParser")),
        (expat, ("ParserCreate",)), (minidom, ("parse", "parseString")), (pulldom, ("parse", "parseString")),
    ):  # fmt: skip
        for name in names:
            monkeypatch.setattr(module, name, parse)
    for library in ("lxml", "lxml.etree", "defusedxml", "defusedxml.ElementTree"):
        monkeypatch.setitem(sys.modules, library, None)
    inputs = sorted(described.iterdir())
    assert len(inputs) == 6
    assert cli.main(["upscale", str(described), "-o", str(tmp_path / "out"), "--engine", "reference"]) == 0
    assert capsys.readouterr().err == ""
    results = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in results] == [path.name for path in inputs]
    assert cli.main(["provenance", *map(str, results), str(tmp_path / "a.svg")]) == 1
    told = capsys.readouterr()
    for text in (told.out, told.err, *(path.read_bytes().decode("latin-1") for path in results)):
        assert SECRET not in text
        assert "boomboom" not in text
        assert len(text) < 40_000


def npz(path, *members):
    array = io.BytesIO()
    np.save(array, GREY)
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name")
        for name in members:
            archive.writestr(name, array.getvalue())


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "..\\x", "C:\\x", "a/../../x", "x\n\x1b[31m"])
def test_members_of_an_npz_are_no_paths(tmp_path, name, capsys):
    inner = tmp_path / "inner"
    inner.mkdir()
    npz(inner / "a.npz", f"{name}.npy")
    before = sorted(tmp_path.rglob("*"))
    picture = files.read(inner / "a.npz")
    assert np.array_equal(picture.pixels, GREY)
    assert sorted(tmp_path.rglob("*")) == before
    out = inner / "out"
    assert cli.main(["upscale", str(inner / "a.npz"), "-o", f"{out}/", "--engine", "reference"]) == 1  # .npz: read only
    assert "\x1b" not in capsys.readouterr().err
    assert cli.main(["upscale", str(inner / "a.npz"), "-o", str(out / "a.npy"), "--engine", "reference"]) == 0
    assert {*tmp_path.rglob("*")} == {*before, out, out / "a.npy"}


@pytest.mark.parametrize("members", [("x.npy", "x.npy"), ("x.npy", "x")])
def test_two_members_of_one_name_are_refused(tmp_path, members):
    npz(tmp_path / "a.npz", *members)
    for name in ("a.npz", "a.npz::x"):
        with pytest.raises(FormatError, match="has two arrays x; allowed is one of a name"):
            files.read(tmp_path / name)
