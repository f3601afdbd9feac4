"""Compiled kernels are kept where they can be, read where they cannot be written, and never taken from strangers."""

import importlib.util
import itertools
import os
import sys

import pytest

from piqe_np import code_cache

SOURCE = "from piqe_np.compiled import kernel\n\n\n@kernel\ndef twice(x):\n    return 2 * x\n"
NAMES = (f"cached_kernel_{number}" for number in itertools.count())


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A module with a kernel, and no cache folder but those beside it and in the environment."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # which takes a file of the same second and size for the same
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code_cache.writable.cache_clear()
    path = tmp_path / "code" / "kernels.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    return path


def run(path, answer=42):
    """What a new process would do: (taken from the cache, compiled)."""
    spec = importlib.util.spec_from_file_location(next(NAMES), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.twice(21) == answer
    stats = module.twice.stats
    return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())


def read_only(monkeypatch, *folders):
    """Folders that cannot be written: also where the tests run as root, which no permission stops."""
    real = code_cache.writable
    monkeypatch.setattr(code_cache, "writable", lambda folder: folder not in folders and real(folder))


def test_kept_beside_the_source_and_used(source):
    assert run(source) == (0, 1)
    assert list((source.parent / "__pycache__").glob("*.nbc"))
    assert run(source) == (1, 0)


def test_what_an_image_holds_is_used_though_it_cannot_be_written(source, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "image"))
    assert run(source) == (0, 1)
    before = sorted((tmp_path / "image").rglob("*"))
    read_only(monkeypatch, *(path for path in before if path.is_dir()), source.parent / "__pycache__")
    os.utime(source, (0, 0))  # an image's layers round the times of files
    assert run(source) == (1, 0)
    assert sorted((tmp_path / "image").rglob("*")) == before


def test_a_changed_source_is_compiled_anew(source):
    run(source)
    source.write_text(SOURCE.replace("2 * x", "3 * x"))
    assert run(source, 63) == (0, 1)
    assert run(source, 63) == (1, 0)


def test_the_user_s_folder_where_the_package_is_read_only(source, monkeypatch, tmp_path):
    read_only(monkeypatch, source.parent / "__pycache__")
    assert run(source) == (0, 1)
    assert list((tmp_path / "cache" / "fsrcnn-np").rglob("*.nbc"))
    assert run(source) == (1, 0)


def test_nowhere_is_said_once(source, monkeypatch):
    monkeypatch.setattr(code_cache, "writable", lambda folder: False)
    code_cache._warn_without_cache.cache_clear()
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR") as said:
        assert [run(source), run(source)] == [(0, 1)] * 2
    assert len(said) == 1


@pytest.mark.parametrize("left", [0, 10, 200])
def test_a_damaged_cache_is_compiled_anew(source, left):
    """A disk that was full, a machine that lost power."""
    run(source)
    for path in (source.parent / "__pycache__").glob("*.nb[ic]"):
        path.write_bytes(path.read_bytes()[:left])
    assert run(source)[1] == 1


def test_a_full_disk_is_no_failure(source, monkeypatch, tmp_path):
    from numba.core.caching import IndexDataCacheFile

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    code_cache._warn_without_cache.cache_clear()
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        assert run(source) == (0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owner and mode of this kind")
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_can_write_is_not_read(source, monkeypatch, tmp_path, mode):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    assert run(source) == (0, 1)
    (folder,) = (tmp_path / "shared").iterdir()
    folder.chmod(mode)
    code_cache._warn_without_cache.cache_clear()
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        assert run(source) == (0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owner of this kind")
def test_a_stranger_s_folder_is_not_read(source, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    run(source)
    (folder,) = (tmp_path / "shared").iterdir()
    assert code_cache.trusted(folder, source)
    if os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    else:
        other = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)
    assert not code_cache.trusted(folder, source)
    code_cache._warn_without_cache.cache_clear()
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        assert run(source) == (0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' users have no mask")
def test_what_is_made_others_can_read_and_not_write(source, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "image"))
    mask = os.umask(0)
    try:
        run(source)
    finally:
        os.umask(mask)
    made = list((tmp_path / "image").rglob("*"))
    assert len(made) == 3
    for path in made:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_without_a_home_no_folder_is_called_tilde(source, monkeypatch):
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # of a user whom the password file does not know
    found = list(code_cache.folders(source))
    assert found[0] == source.parent / "__pycache__"
    assert all(path.is_absolute() and "~" not in path.parts for path in found)
