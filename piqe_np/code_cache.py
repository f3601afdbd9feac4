"""Where compiled kernels are kept: folders that may be read, one that may be written, and none that others can fill.

numba's own cache takes only folders that it can write, so what was compiled into an image that is read-only later would
be compiled again; it trusts whoever wrote the folder (its files are pickles: reading them runs what they say); where
HOME is unset it makes a folder called "~"; and before 0.68 it took a source of another time for changed, which an
image's layers round.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def attach(dispatcher: Any) -> None:
    """Give one of numba's compiled functions its cache: `dispatcher` as `numba.njit` returns it, without `cache`."""
    dispatcher._cache = KernelCache(dispatcher.py_func)


class KernelCache:
    """One kernel's machine code, as numba's dispatcher asks for it: read from any trusted folder, written to one.

    Parameters
    ----------
    function : callable
        What is compiled; its file's content is the stamp, so that a changed source is compiled anew.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._folders = list(folders(Path(function.__code__.co_filename)))
        self._caches: dict[Path, Any] = {}

    @property
    def cache_path(self) -> str | None:
        """Where numba's statistics say that it is kept."""
        return str(self._folders[0]) if self._folders else None

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled code of this signature, or None: of a damaged or unreadable file, too."""
        for folder in self._folders:
            if not trusted(folder, self._source):
                continue
            try:
                found = self._cache(folder).load_overload(signature, target)
            except Exception:  # whatever a file cut by a full disk makes pickle raise; it is compiled and written anew
                found = None
            if found is not None:
                return found
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep it in the first folder that can be written; else say once that nothing is kept."""
        for folder in self._folders:
            if not writable(folder) or not trusted(folder, self._source):
                continue
            try:
                with for_others_to_read():
                    self._save(self._cache(folder), signature, compiled)
                return
            except OSError:  # a full disk, a quota: the next one
                continue
        _warn_without_cache()

    def _save(self, cache: Any, signature: Any, compiled: Any) -> None:
        try:
            cache.save_overload(signature, compiled)
        except OSError:
            raise
        except Exception:  # the list of what is kept is damaged
            cache.flush()
            cache.save_overload(signature, compiled)

    def flush(self) -> None:
        """Part of numba's interface: forget what is kept where we write."""
        for folder in self._folders:
            if writable(folder) and trusted(folder, self._source):
                self._cache(folder).flush()

    def enable(self) -> None:
        """Part of numba's interface: it is enabled."""

    disable = enable

    @property
    def _source(self) -> Path:
        return Path(self._function.__code__.co_filename)

    def _cache(self, folder: Path) -> Any:
        if folder not in self._caches:
            self._caches[folder] = _numba_cache(self._function, folder)
        return self._caches[folder]


def folders(source: Path) -> Iterator[Path]:
    """Where kernels of this file may be kept, in this order.

    $NUMBA_CACHE_DIR, if it is set, and no other if that can be written; `__pycache__` beside the file; the user's
    cache folder ($XDG_CACHE_HOME, else ~/.cache of a home that is known).
    """
    name = f"{source.parent.name}-{hashlib.sha256(bytes(source.parent)).hexdigest()[:16]}"
    if asked := os.environ.get("NUMBA_CACHE_DIR", ""):
        yield (mine := Path(asked).absolute() / name)
        if writable(mine):
            return
    yield source.parent / "__pycache__"
    if (user := _user_cache()) is not None:
        yield user / "fsrcnn-np" / name


def trusted(folder: Path, source: Path) -> bool:
    """Whether only this user, root, or whoever can change the source itself can have put files there."""
    try:
        found, code = folder.stat(), source.parent.stat()
    except OSError:
        return False
    if not hasattr(os, "geteuid"):  # Windows: these folders belong to their user
        return True
    beside = folder.parent == source.parent  # as safe as the code there
    owners = {os.geteuid(), 0} | ({code.st_uid} if beside else set())
    return found.st_uid in owners and not found.st_mode & OTHERS_WRITE & ~(code.st_mode if beside else 0)


def _user_cache() -> Path | None:
    """The user's cache folder; None where no home is known (a container's user without a name)."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return Path(local) if os.path.isabs(local) else None
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):  # "paths that are not absolute are to be ignored": XDG Base Directory Specification
        return Path(xdg)
    home = os.path.expanduser("~")  # the password file's where HOME is unset; "~" where that does not know the user
    return Path(home, ".cache") if os.path.isabs(home) else None


@functools.cache
def writable(folder: Path) -> bool:
    """Whether files can be made there; the folder is made if it is missing, for this user alone to write."""
    import tempfile  # what reads alone needs none

    try:
        with for_others_to_read():
            folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def for_others_to_read() -> Iterator[None]:
    """What is made meanwhile cannot be written by the group or by others."""
    mask = os.umask(0o022)
    os.umask(mask | OTHERS_WRITE)
    try:
        yield
    finally:
        os.umask(mask)


def _numba_cache(function: Callable[..., Any], folder: Path) -> Any:
    """numba's cache of this function in this folder, which is neither searched for nor tried to be written."""
    from numba.core.caching import CompileResultCacheImpl, FunctionCache

    class Locator:
        """What numba asks a place."""

        _py_file = function.__code__.co_filename  # named where something cannot be kept

        @classmethod
        def from_function(cls, function: Callable[..., Any], file: str) -> Locator:
            return cls()

        def ensure_cache_path(self) -> None:
            folder.mkdir(parents=True, exist_ok=True)

        def get_cache_path(self) -> str:
            return str(folder)

        def get_source_stamp(self) -> str:
            return hashlib.sha256(Path(function.__code__.co_filename).read_bytes()).hexdigest()

        def get_disambiguator(self) -> str:
            return str(function.__code__.co_firstlineno)

    class Implementation(CompileResultCacheImpl):
        _locator_classes = (Locator,)

    class Cache(FunctionCache):
        _impl_class = Implementation

    return Cache(function)


@functools.cache
def _warn_without_cache() -> None:
    warnings.warn(
        "No folder for compiled kernels can be written by this user alone, so every process compiles them again (some "
        "seconds); set NUMBA_CACHE_DIR to such a folder to avoid that.",
        RuntimeWarning,
        stacklevel=3,
    )
