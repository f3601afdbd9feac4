"""What the user named → the files to work on, each with a name of its own for its outputs."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from fsrcnn_np.errors import OptionError
from fsrcnn_np.files.foreign import HEAD, packed
from fsrcnn_np.files.formats import DICOM, IN_FOLDERS, NAMED_ONLY, by_head, by_suffix
from fsrcnn_np.files.record import BEGINNING, no_picture
from fsrcnn_np.files.target import SEPARATOR, Target, folded, split

_MAGIC = re.compile(r"[*?[]")  # as in glob
_WITH_RECORD = (".png", ".tif", ".tiff")  # what masks and figures are written as
_PACKED = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".txz", ".zst", ".lz4", ".z", ".7z", ".rar")


@dataclass(frozen=True)
class Input:
    """One input of a batch.

    Parameters
    ----------
    path : str
        What `read` takes.
    name : str
        A relative path, with suffix, unique in the batch (also where upper and lower case are one, or é and e with its
        accent): where an output in the same format goes, below the output folder.
    stem : str
        The same for outputs of another format: unique without the suffix.
    error : str or None
        Why this is no input, in one line; `path` then is what the user gave.
    skipped : bool
        It is passed over because of `error`, which is no failure: a packed file of a folder, or labels, a mask or a
        figure that was written by this package.
    """

    path: str
    name: str
    stem: str
    error: str | None = None
    skipped: bool = False


def find_inputs(
    patterns: Iterable[str | os.PathLike[str]],
    *,
    suffixes: Iterable[str] | None = None,
    without: str | os.PathLike[str] | None = None,
) -> list[Input]:
    """Find the files that are meant by files, folders (with all below them), globs and FILE.h5::/dataset.

    Parameters
    ----------
    patterns : iterable of path-like
        In the order of the result; what a folder or a glob gives is sorted. Duplicates count once.
    suffixes : iterable of str, optional
        Which files of a folder are taken, default all known formats (and DICOM files without suffix). Hidden files
        are left out, and links to folders are not followed.
    without : path-like, optional
        Where the outputs go. What lies there is no input of a folder or a glob that begins further up: a second run
        would take the results of the first. What is named itself, or within it, is.

    Returns
    -------
    list of Input
        A folder without images or that cannot be read, or a glob without a match, is one entry with `error`, and so is
        each packed file of a folder (.zip, .gz, .tar, …), each .npz and .mat, and each file that says itself that it is
        a phantom's labels, a mask of PIQE or a figure: `skipped`. Missing files are found out when they are read.
    """
    wanted = tuple(suffix.lower() for suffix in (IN_FOLDERS if suffixes is None else suffixes))
    candidates: dict[str, _Candidate] = {}
    apart = None if without is None else _real(without)
    for pattern in patterns:
        for candidate in _expand(os.fspath(pattern), wanted, apart):
            candidates.setdefault(candidate.identity, candidate)
    return _named(list(candidates.values()))


@dataclass(frozen=True)
class _Candidate:
    path: str
    below: str = ""  # the path below the folder that the user gave
    error: str | None = None
    skipped: bool = False

    @property
    def identity(self) -> str:
        return f"{os.path.realpath(self.target.path)}{SEPARATOR}{self.target.dataset}{SEPARATOR}{self.error}"

    @property
    def target(self) -> Target:
        return split(self.path)


def _expand(pattern: str, wanted: tuple[str, ...], apart: str | None) -> Iterator[_Candidate]:
    if os.path.isdir(pattern):
        found = False
        for candidate in _below(pattern, wanted, None if _within(pattern, apart) else apart):
            found = found or not candidate.skipped
            yield candidate
        if not found:
            yield _Candidate(pattern, error=f"{pattern}: a folder without images ({', '.join(wanted)})")
    elif glob.has_magic(pattern) and not os.path.lexists(split(pattern).path):
        target = split(pattern)
        suffix = SEPARATOR + target.dataset if target.dataset else ""
        matches = sorted(glob.glob(str(target.path), recursive=True))
        if not _within(os.path.dirname(_MAGIC.split(str(target.path))[0]), apart):
            matches = [match for match in matches if not _within(match, apart)]
        if not matches:
            yield _Candidate(pattern, error=f"{pattern}: no file matches")
        for match in matches:
            if os.path.isdir(match):
                yield from _expand(match, wanted, apart)
            else:
                yield _Candidate(match + suffix)
    else:
        yield _Candidate(pattern)


def check_apart(patterns: Iterable[str | os.PathLike[str]], folder: str | os.PathLike[str]) -> None:
    """Raise an OptionError where pictures would be written, under other names, into a folder that all are taken of."""
    for pattern in patterns:
        if os.path.isdir(pattern) and _real(pattern) == _real(folder):
            raise OptionError(
                f"{pattern} would get outputs that the next run takes for inputs; give another folder for them"
            )


def _within(path: str, folder: str | None) -> bool:
    """Whether a path is a folder, or lies in it."""
    return folder is not None and Path(_real(path)).is_relative_to(folder)


def _real(path: str | os.PathLike[str]) -> str:
    try:
        return os.path.realpath(path)
    except OSError:  # the working directory is gone: nothing that is named from it is there
        return os.fspath(path)


def _below(folder: str, wanted: tuple[str, ...], apart: str | None) -> Iterator[_Candidate]:
    unreadable: list[OSError] = []
    for root, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not _within(os.path.join(root, name), apart)
        )
        for name in sorted(files):
            path = os.path.join(root, name)
            if not name.startswith(".") and (name.lower().endswith(wanted) or _dicom_by_content(path, wanted)):
                what = _no_picture(path)
                yield _Candidate(path, os.path.relpath(path, folder), what and f"{path}: {what}", bool(what))
            elif not name.startswith(".") and name.lower().endswith(_PACKED):
                with contextlib.suppress(OSError):
                    if what := packed(_head(path)):
                        yield _Candidate(path, error=f"{path}: {what}", skipped=True)
            elif not name.startswith(".") and wanted == IN_FOLDERS and name.lower().endswith(NAMED_ONLY):
                said = (
                    f"{path}: may be a model or a table, so it is not taken out of a folder; name it if it is an image"
                )
                yield _Candidate(path, error=said, skipped=True)
    for problem in unreadable:
        where = problem.filename
        yield _Candidate(where, error=f"{where}: a folder that cannot be read: {problem.strerror}")


def _dicom_by_content(path: str, wanted: tuple[str, ...]) -> bool:
    """DICOM media have names like IM000001, MR.1.2.840.113619 or scan.IMA, with or without preamble."""
    if not set(DICOM.suffixes) & set(wanted) or by_suffix(path) is not None:
        return False
    try:
        return by_head(_head(path)) is DICOM
    except OSError:
        return False


def _no_picture(path: str) -> str | None:
    """What a file is of ours that is not to be taken for a picture; what cannot be read is found out when it is."""
    if path.lower().endswith(_WITH_RECORD):
        with contextlib.suppress(OSError):
            return no_picture(_head(path, BEGINNING)) or None
    return None


def _head(path: str, length: int = HEAD) -> bytes:
    """A file's first bytes; none of what is no regular file: opening a pipe would wait for its other end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        return b""
    with open(path, "rb") as stream:
        return stream.read(length)


def _named(candidates: list[_Candidate]) -> list[Input]:
    good = [candidate for candidate in candidates if candidate.error is None]
    names = _unique_names(good)
    stems = [os.path.splitext(name)[0] for name in names]
    counts = Counter(map(folded, stems))
    # a.png and a.tif → a_png and a_tif
    stems = _numbered([n.replace(".", "_") if counts[folded(s)] > 1 else s for n, s in zip(names, stems, strict=True)])
    found = iter(zip(names, stems, strict=True))
    return [Input(c.path, *(("", "") if c.error else next(found)), c.error, c.skipped) for c in candidates]


def _unique_names(candidates: list[_Candidate]) -> list[str]:
    """The path below the given folder, or the file's own name; where that is not unique, with folders before it."""
    paths = [_full_parts(candidate) for candidate in candidates]
    for i, candidate in enumerate(candidates):
        if candidate.target.dataset:  # always, so that a name does not depend on what else is in the batch
            stem, suffix = os.path.splitext(paths[i][-1])
            paths[i] = (*paths[i][:-1], stem + candidate.target.dataset.replace("/", "_") + suffix)
    depths = [len(Path(c.below).parts) or 1 for c in candidates]
    same = [tuple(map(folded, path)) for path in paths]
    while True:
        meanings: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for path, depth in zip(same, depths, strict=True):
            meanings.setdefault(path[-depth:], set()).add(path)
        unclear = [i for i, path in enumerate(same) if len(meanings[path[-depths[i] :]]) > 1]
        if not unclear:
            return _numbered([os.path.join(*p[-d:]) for p, d in zip(paths, depths, strict=True)])
        for i in unclear:
            depths[i] += 1


def _full_parts(candidate: _Candidate) -> tuple[str, ...]:
    return PurePath(os.path.abspath(candidate.target.path)).parts[1:] or (candidate.path,)


def _numbered(names: list[str]) -> list[str]:
    """Names that are one where case or composed letters do not count get a number: no output may overwrite another."""
    taken: set[str] = set()
    unique = []
    for name in names:
        stem, suffix = os.path.splitext(name)
        numbers = itertools.count(2)
        while folded(name) in taken:
            name = f"{stem}-{next(numbers)}{suffix}"
        taken.add(folded(name))
        unique.append(name)
    return unique
