"""The API reference, made of the docstrings: `python docs/reference.py -o FOLDER` (extra `docs`).

Nothing is built on a broken reference: a public name that the pages lack, a `fsrcnn_np.…` or `piqe_np.…` in a docstring
or a page that is no object, a link in a page that leads nowhere, a command `python -m …` of no module, and every
warning of the generator (pdoc) end it with one line each.
"""

from __future__ import annotations

import argparse
import html
import importlib
import importlib.util
import re
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from inspect import formatannotation
from pathlib import Path
from typing import Any
from unittest.mock import patch

from numpy.typing import ArrayLike, DTypeLike

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PACKAGES = ("fsrcnn_np", "piqe_np")
PAGES = ("*.md", "docs/*.md", "weights/*.md", "parity/*.md")
# `fsrcnn_np.files.read(path)` → fsrcnn_np.files.read; not a file's name like fsrcnn_np/cli.py
NAME = re.compile(rf"(?<![\w./-])((?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+)")
CODE = re.compile(r"`+([^`]+)`+")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
MODULE = re.compile(r"python3? (?:-W \w+ )?-m ([A-Za-z_][\w.]*)")
# pdoc looks for the names in a NamedTuple's constructor in the module of NamedTuple; the fields are shown all the same.
KNOWN = r"Error parsing type annotation .* for fsrcnn_np\.\w+\.__init__\. Import of np failed"


def build(folder: Path) -> list[str]:
    """Write the reference; give what is missing in it or what the generator warned of."""
    import pdoc

    pdoc.render.configure(docformat="numpy", show_source=False, footer_text="fsrcnn-np, made of its docstrings")
    readably = patch("inspect.formatannotation", readable), patch("pdoc.doc.formatannotation", readable)
    with warnings.catch_warnings(record=True) as heard, readably[0], readably[1]:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", KNOWN)
        pdoc.pdoc(*PACKAGES, output_directory=folder)
    problems = [f"pdoc: {warning.message}" for warning in heard]
    for package in PACKAGES:
        problems += missing(package, (folder / f"{package}.html").read_text(encoding="utf-8"))
    return problems


def readable(annotation: Any, **options: Any) -> str:
    """A type as people write it: NumPy's wide types by their names. Python 3.14 says how to quote, too."""
    text = formatannotation(annotation, **options)
    for name, wide in (("ArrayLike", ArrayLike), ("DTypeLike", DTypeLike)):
        text = text.replace(formatannotation(wide).removeprefix("Union[").removesuffix("]"), name)
    text = re.sub(r"Union\[((?:\w+Like)(?:, [\w.]+)*)\]", lambda found: found[1].replace(", ", " | "), text)
    text = re.sub(r"numpy\.ndarray\[tuple\[[\w.]+, \.\.\.\], numpy\.dtype\[([\w.]+)\]\]", r"NDArray[\1]", text)
    return text.replace("typing.Any", "Any")


def missing(package: str, page: str) -> Iterator[str]:
    """Public names that the page has no entry for, and references in it that are no objects."""
    for name in importlib.import_module(package).__all__:
        if f'id="{name}"' not in page and name != "__version__":
            yield f"{package}.{name} is public, and not in the reference"
    for code in re.findall(r"<code>([^<]+)</code>", page):
        yield from (f"reference of {package}: {name} is no object" for name in unresolved(html.unescape(code)))


def unresolved(text: str) -> Iterator[str]:
    """Dotted names of our packages that stand for nothing."""
    for name in NAME.findall(text):
        if not resolves(name):
            yield name


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one (or of its attribute)."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for attribute in parts[length:]:
            fields = getattr(found, "__dataclass_fields__", {})
            if not hasattr(found, attribute) and attribute not in fields:
                return False
            found = getattr(found, attribute, fields.get(attribute))
        return True
    return False


def broken(path: Path) -> Iterator[str]:
    """What a Markdown page refers to and is not there: files, headings, names, modules."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for pair in LINK.findall(prose):
        target, _, heading = (pair[0] or pair[1]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = path.parent / target if target else path
        if not file.exists():
            yield f"{path.relative_to(ROOT)}: no file {target}"
        elif heading and file.suffix == ".md" and heading not in headings(file.read_text(encoding="utf-8")):
            yield f"{path.relative_to(ROOT)}: no heading #{heading} in {file.name}"
    for name in (name for code in CODE.findall(prose) for name in unresolved(code)):
        yield f"{path.relative_to(ROOT)}: {name} is no object"
    for module in MODULE.findall(text):
        if module.partition(".")[0] in (*PACKAGES, "parity", "benchmarks") and not findable(module):
            yield f"{path.relative_to(ROOT)}: no module {module}"


def headings(text: str) -> set[str]:
    """A page's anchors, as GitHub makes them."""
    found = re.findall(r"^#+ +(.*?) *$", text, flags=re.M)
    kept = ("".join(c for c in title.lower() if c in " -_" or unicodedata.category(c)[0] in "LNM") for title in found)
    return {title.replace(" ", "-") for title in kept}


def findable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    if importlib.util.find_spec("pdoc") is None:
        parser.exit(2, f"{parser.prog}: the reference needs pdoc: pip install 'fsrcnn-np[docs]'\n")
    problems = build(options.output)
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            problems += broken(path)
    print(*problems, sep="\n", file=sys.stderr, end="\n" if problems else "")
    if not problems:
        print(f"wrote {options.output / 'index.html'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
