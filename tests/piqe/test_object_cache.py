"""LLVM's code is kept where it can be, read where it cannot be written, and never taken from strangers or damaged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from piqe_np import code_cache, object_cache

ROOT = Path(__file__).parents[2]


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """The folder beside the source, where there is no other but the user's."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(object_cache, "_SOURCE", tmp_path / "code" / "target.py")
    code_cache.writable.cache_clear()
    (tmp_path / "code").mkdir()
    return tmp_path / "code" / "__pycache__"


def compiled(key="a", code=b"machine code"):
    """(the code of a key, whether it had to be compiled)"""
    made = []
    found = object_cache.kept(key, lambda: made.append(key) or code)
    return found, bool(made)


def kept(folder):
    return sorted(folder.rglob("*.llvm"))


def test_compiled_once(beside):
    assert compiled() == (b"machine code", True)
    assert compiled(code=b"another") == (b"machine code", False)
    assert len(kept(beside)) == len(list(beside.iterdir())) == 1


def test_another_key_is_another_code(beside):
    compiled("a")
    assert compiled("b", b"other") == (b"other", True)
    assert compiled("a") == (b"machine code", False)


@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: c[:10], lambda c: c[:40], lambda c: c[:-1] + b"x"])
def test_what_is_damaged_is_compiled_anew(beside, damage):
    """A disk that was full, a machine that lost power, a bit that fell over."""
    compiled()
    (path,) = kept(beside)
    path.write_bytes(damage(path.read_bytes()))
    assert compiled() == (b"machine code", True)
    assert compiled() == (b"machine code", False)


def test_what_an_image_holds_is_used_though_nothing_can_be_written(beside, monkeypatch):
    compiled()
    monkeypatch.setattr(code_cache, "writable", lambda folder: False)
    assert compiled() == (b"machine code", False)
    assert compiled("b", b"other") == compiled("b", b"other") == (b"other", True)  # and nothing is said
    assert len(kept(beside)) == 1


def test_the_user_s_folder_where_the_package_is_read_only(beside, monkeypatch, tmp_path):
    real = code_cache.writable
    monkeypatch.setattr(code_cache, "writable", lambda folder: folder != beside and real(folder))
    assert [compiled(), compiled()] == [(b"machine code", True), (b"machine code", False)]
    assert len(kept(tmp_path / "cache" / "fsrcnn-np")) == 1


def test_a_full_disk_is_no_failure(beside, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert compiled() == compiled() == (b"machine code", True)
    assert kept(tmp_path) == []


def strangers(path, code):
    """Another's code in place of what was kept, whole in form."""
    path.write_bytes(object_cache.hashlib.sha256(code).digest() + code)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owner and mode of this kind")
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_can_write_is_neither_read_nor_filled(beside, monkeypatch, tmp_path, mode):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    compiled()
    (path,) = kept(tmp_path / "shared")
    strangers(path, b"hostile")
    assert compiled() == (b"hostile", False), "the form is right: only the folder can be what is refused"
    path.parent.chmod(mode)
    assert compiled() == (b"machine code", True)
    assert compiled("b") == (b"machine code", True)
    assert kept(tmp_path / "shared") == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owner of this kind")
def test_a_stranger_s_folder_is_not_read(beside, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    compiled()
    (path,) = kept(tmp_path / "shared")
    strangers(path, b"hostile")
    if os.geteuid() == 0:
        os.chown(path.parent, 12345, 12345)
    else:
        other = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)
    assert compiled() == (b"machine code", True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' users have no mask")
def test_what_is_made_others_can_read_and_not_write(beside):
    mask = os.umask(0)
    try:
        compiled()
    finally:
        os.umask(mask)
    assert [path.stat().st_mode & 0o777 for path in (beside, *kept(beside))] == [0o755, 0o644]


def test_a_folder_keeps_so_many_and_no_more(beside, monkeypatch):
    monkeypatch.setattr(object_cache, "MOST", 3)
    for number, key in enumerate("abcde"):
        compiled(key)
        for path in set(kept(beside)):
            os.utime(path, (min(path.stat().st_mtime, number + 1),) * 2)
    assert len(kept(beside)) == 3
    assert [compiled(key)[1] for key in "edc"] == [False] * 3
    assert compiled("a")[1]


PROCESS = """
import hashlib, numpy as np
import fsrcnn_np, piqe_np
from llvmlite import binding
made, real = [], binding.TargetMachine.emit_object
binding.TargetMachine.emit_object = lambda self, module: made.append(module) or real(self, module)
image = np.random.default_rng(0).integers(0, 256, (70, 90)).astype(np.uint8)
result = fsrcnn_np.upscale(image)
score = piqe_np.piqe(result).score
print(len(made), hashlib.sha256(result.tobytes()).hexdigest(), score.hex())
"""


def test_a_second_process_compiles_nothing_and_has_the_same_bits(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}

    def run():
        done = subprocess.run([sys.executable, "-c", PROCESS], env=environment, capture_output=True, text=True)
        assert done.stderr == ""
        count, *answer = done.stdout.split("\n")[0].split()
        return int(count), answer

    (first, answer), second = run(), run()
    assert first >= 3
    assert second == (0, answer)
    files = kept(tmp_path)
    assert len(files) == first
    for path in files:
        path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    assert run() == (first, answer)
