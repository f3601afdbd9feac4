"""The tables of docs/dependencies.md: licence, size and reason of what is installed with the core and each extra.

In an environment that holds the package and its extras (and PyTorch, or its row is left out):

    python docs/dependencies.py --page docs/dependencies.md

Without --page the tables are printed. Sizes are those that the wheels' own RECORD states, without bytecode.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

try:
    from packaging.requirements import Requirement
except ModuleNotFoundError:
    print(f"{sys.argv[0]}: the tables need packaging: pip install 'fsrcnn-np[test]'", file=sys.stderr)
    raise SystemExit(2) from None

ROOT = Path(__file__).parents[1]
#: Why the core has it; one line each.
WHY = {
    "numpy": "arrays: the reference, and what every function takes and gives",
    "scipy": "phantoms, `compare`'s squares, SSIM, distributions of the study and of `measure`, writing MAT-files",
    "numba": "the readable engines, the phantom's drawing, the walk through a JPEG's data",
    "llvmlite": "the default engines: LLVM text to machine code; Numba stands on it, so it costs nothing more",
    "h5py": "the format of the models; HDF5 and MATLAB v7.3 files",
    "imageio": "one door to Pillow's formats, whole pictures and their metadata",
    "pillow": "BMP, JPEG, WebP, GIF, PCX, TGA; imageio stands on it; text and previews",
    "tifffile": "TIFF: 10 and 12 packed bits, floats, tags that are kept",
    "imagecodecs": "16-bit RGB PNG, LZW and predictors of TIFF, JPEG 2000, lossless JPEG: with Pillow 8 bits or none",
    "isal": "deflate of PNG and TIFF, several times faster than zlib",
    "tqdm": "progress at a terminal",
}
#: Development only; nobody who installs the package gets them.
TOOLS = ("test", "lint", "docs", "bench", "train", "fuzz")


def name_of(text: str) -> str:
    """A distribution's normalised name: PEP 503."""
    return re.sub(r"[-_.]+", "-", text).lower()


def requirements() -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """What pyproject.toml asks for: of the core, and of each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(text) for text in project["dependencies"]], {
        extra: [Requirement(text) for text in texts] for extra, texts in extras.items()
    }


def licence(name: str) -> str:
    """As the distribution states it: the SPDX expression, else its classifier, else its first words on it."""
    stated = metadata.metadata(name)
    if expression := stated.get("License-Expression"):
        return expression
    classifiers = [text.split(" :: ")[-1] for text in stated.get_all("Classifier") or () if text.startswith("License")]
    named = [text for text in classifiers if text != "OSI Approved"]
    return " and ".join(named) or (stated.get("License") or "not stated").strip().splitlines()[0][:40]


def mebibytes(names: Iterable[str]) -> float:
    """What these distributions' files take, without bytecode."""
    files = (file for name in names for file in metadata.files(name) or () if file.suffix != ".pyc")
    return sum(file.size or 0 for file in files) / 2**20


def closure(asked: Iterable[Requirement]) -> set[str]:
    """Everything that these requirements bring."""
    found: set[str] = set()
    waiting = [
        (name_of(one.name), frozenset(one.extras)) for one in asked if one.marker is None or one.marker.evaluate()
    ]
    while waiting:
        name, extras = waiting.pop()
        if name == "fsrcnn-np":
            waiting += [(name_of(r.name), frozenset(r.extras)) for extra in extras for r in requirements()[1][extra]]
            continue
        new = name not in found
        found.add(name)
        for text in metadata.requires(name) or ():
            one = Requirement(text)
            markers = [{"extra": extra} for extra in extras] or [{"extra": ""}]
            if one.marker is None or any(one.marker.evaluate(marker) for marker in markers):
                entry = (name_of(one.name), frozenset(one.extras))
                if (new or extras) and entry[0] not in found:
                    waiting.append(entry)
    return found


def tables() -> Iterator[str]:
    """The lines of both tables."""
    core, extras = requirements()
    yield "| core | version | licence | MiB | why |"
    yield "| --- | --- | --- | --- | --- |"
    for one in core:
        if one.marker is None or one.marker.evaluate():
            name = name_of(one.name)
            size = mebibytes([name])
            yield f"| {name} | {metadata.version(name)} | {licence(name)} | {size:.1f} | {WHY[name]} |"
    base = closure(core)
    rest = base - {name_of(one.name) for one in core}
    yield f"| (all, with {', '.join(sorted(rest)) or 'nothing more'}) | | | {mebibytes(base):.0f} | |"
    yield ""
    yield "| extra | brings, with licences | MiB more than the core |"
    yield "| --- | --- | --- |"
    for extra, asked in extras.items():
        if extra in TOOLS:
            continue
        try:
            more = closure(asked) - base
            brings = ", ".join(f"{name} ({licence(name)})" for name in sorted(more))
            yield f"| `{extra}` | {brings} | {mebibytes(more):.1f} |"
        except metadata.PackageNotFoundError as error:
            print(f"{extra} is left out: {error.name} is not installed", file=sys.stderr)


def main() -> int:
    """Print the tables, or renew them in a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--page", type=Path, help="renew the tables between the page's markers")
    page = parser.parse_args().page
    text = "\n".join(tables())
    if page is None:
        print(text)
        return 0
    first, begin, rest = page.read_text(encoding="utf-8").partition("<!-- dependencies -->\n")
    end = rest.partition("<!-- /dependencies -->")
    page.write_text(f"{first}{begin}{text}\n{end[1]}{end[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
