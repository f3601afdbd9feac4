"""Comparisons as a table: text for people, CSV for statistics, JSON for programs.

All three are made of the same records, so that a job can go on with the table of an earlier one.
"""

from __future__ import annotations

import json as json_module
import math
import platform
from collections.abc import Iterable
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piqe_np.line import writable

from .. import csv_cells
from ..errors import FileError
from ..version import __version__
from .comparison import Comparison
from .scores import BICUBIC, ORIGINAL, SR

if TYPE_CHECKING:
    from ..files import Provenance

FORMAT, SCHEMA = "fsrcnn-np comparison", 1
NOTES = (
    "Lower is better in PIQE. Bicubic is the control: interpolation alone changes the score; compare SR with it, too.",
    "Scores are of the stored values, scaled as the row says. PIQE is no measure of diagnostic quality.",
    "Substitute data: the paper's mammograms are private, and its 12.36 ± 5.03 (original) and 3.20 ± 1.33 (SR)",
    "cannot be reproduced; its procedure is repeated here on other images.",
)
Record = dict[str, Any]


def record(c: Comparison) -> Record:
    """Everything that is known of a comparison except its pictures, as JSON can hold it."""
    return {
        "input": c.name,
        "note": c.note,
        "shape": list(c.shape),
        "dtype": c.dtype,
        "value_range": {"low": c.value_range.low, "high": c.value_range.high, "origin": c.value_range.origin},
        "range": str(c.value_range),
        "model": {"name": c.model, "sha256": c.sha256, "scale": c.scale},
        "square": {**c.square._asdict(), "origin": c.square_origin},
        "shown_as_negative": c.inverted,
        "pixel_spacing_mm": c.pixel_spacing,
        "checkerboard": c.checkerboard.facts(),
        "grid_amplitude": {image: None if math.isnan(v) else v for image, v in c.grid_amplitude.items()},
        "seconds": c.seconds,
        "versions": versions(),
        "scores": [score._asdict() | {"shape": list(score.shape)} for score in c.scores],
    }


def versions() -> dict[str, str]:
    """Of this package, of Python, and of the libraries that decide a number."""
    libraries = {name: metadata.version(name) for name in ("numpy", "scipy", "numba")}
    return {"fsrcnn-np": __version__, "python": platform.python_version(), **libraries}


def text(records: Iterable[Record]) -> str:
    """A block for each input, scores with four decimals, and what has to be known to read them."""
    return "\n\n".join([*map(block, records), "\n".join(NOTES)]) + "\n"


def block(r: Record) -> str:
    """One input's part of the text."""
    model, square = r["model"], r["square"]
    lines = [
        f"{r['input']}{': ' + r['note'] if r['note'] else ''}",
        f"{'×'.join(map(str, r['shape']))} {r['dtype']}, values {r['range']}",
        f"{model['name']}, sha256 {model['sha256'][:12]}",
        f"square of {square['side']} pixels from row {square['row']}, column {square['column']}: {square['origin']}",
    ]
    if r["shown_as_negative"]:
        lines.append("MONOCHROME1: shown as the negative, scored as stored")
    scores = {(score["scoring"], score["image"]): score["piqe"] for score in r["scores"]}
    scorings = list(dict.fromkeys(scoring for scoring, _ in scores))
    width = max(map(len, scorings))
    heads = (ORIGINAL, f"{BICUBIC} ×{model['scale']}", f"{SR} ×{model['scale']}")
    lines.append(f"{'PIQE':{width}}" + "".join(f"{head:>14}" for head in heads))
    for scoring in scorings:
        cells = (scores[scoring, image] for image in (ORIGINAL, BICUBIC, SR))
        lines.append(f"{scoring:{width}}" + "".join(f"{cell:14.4f}" for cell in cells))
    lines += _checkerboard_lines(r)
    lines.append(", ".join(f"{what} {seconds:.1f} s" for what, seconds in r["seconds"].items()))
    return "\n".join(lines)


def _checkerboard_lines(r: Record) -> list[str]:
    """What the model draws on flat fields, and what the enlarged pictures have at the same frequencies."""
    if "checkerboard" not in r:  # a table of an earlier version
        return []
    found, picture = r["checkerboard"], r["grid_amplitude"]
    here = ", ".join(f"{image} {100 * v:.3f} %" for image, v in picture.items() if v is not None)
    line = f"checkerboard of the model: {100 * found['offset_amplitude']:.3f} % of the range, "
    line += f"{100 * found['gain_amplitude']:.3f} % of the signal"
    lines = [line + (f"; in the picture, at the pixel grid's frequencies: {here}" if here else "")]
    return lines + ([f"WARNING: {found['warning']}"] if found["warning"] else [])


def csv(records: Iterable[Record]) -> str:
    """One row for each score, in full precision."""
    rows = [row for r in records for row in _rows(r)]
    return csv_cells.table(list(rows[0]) if rows else [], rows)


def wide_csv(records: Iterable[Record]) -> str:
    """One row for each input, in full precision; a column for each score: "SR, native depth"."""
    rows = []
    for r in records:
        of_scores = ("image", "scoring", "scaling", "rows", "columns", "piqe", "grid_amplitude")
        row = {name: value for name, value in _rows(r)[0].items() if name not in of_scores}
        row |= {"rows": r["shape"][0], "columns": r["shape"][1]}
        rows.append(row | {f"{score['image']}, {score['scoring']}": score["piqe"] for score in r["scores"]})
    return csv_cells.table(list(dict.fromkeys(name for row in rows for name in row)), rows)


def _rows(r: Record) -> list[Record]:
    span, model, square = r["value_range"], r["model"], r["square"]
    return [
        {
            "input": r["input"],
            "note": r["note"],
            "image": score["image"],
            "scoring": score["scoring"],
            "scaling": score["scaling"],
            "rows": score["shape"][0],
            "columns": score["shape"][1],
            "piqe": score["piqe"],
            "grid_amplitude": r.get("grid_amplitude", {}).get(score["image"]),
            "model_checkerboard_offset": r.get("checkerboard", {}).get("offset_amplitude"),
            "model_checkerboard_gain": r.get("checkerboard", {}).get("gain_amplitude"),
            "low": span["low"],
            "high": span["high"],
            "range_origin": span["origin"],
            "model": model["name"],
            "model_sha256": model["sha256"],
            "square_row": square["row"],
            "square_column": square["column"],
            "square_side": square["side"],
            "fsrcnn_np": r["versions"]["fsrcnn-np"],
        }
        for score in r["scores"]
    ]


def json(records: Iterable[Record]) -> str:
    """The records themselves."""
    document = {"format": FORMAT, "schema": SCHEMA, "notes": NOTES, "comparisons": list(records)}
    return json_module.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


class Tables:
    """`comparison.txt`, `.csv` and `.json` of a directory, renewed whenever a comparison is added.

    Parameters
    ----------
    directory : path
    overwrite : bool
        Begin new tables; otherwise those that are there are continued.
    wide : bool
        The CSV has one row an input, else one a score.

    Raises
    ------
    FileError
        There are tables that cannot be continued.
    """

    def __init__(self, directory: str | PathLike[str], *, overwrite: bool = False, wide: bool = False) -> None:
        renders = {".txt": text, ".csv": wide_csv if wide else csv, ".json": json}
        self.paths = {Path(directory, f"comparison{suffix}"): render for suffix, render in renders.items()}
        self._records: dict[str, Record] = {} if overwrite else self._earlier()

    def __contains__(self, name: object) -> bool:
        return writable(str(name)) in self._records

    def made(self, name: str) -> Provenance | None:
        """What made the record of an input; None where it does not say."""
        from ..files.record import parsed

        facts = self._records[writable(name)].get("provenance")
        return parsed(json_module.dumps(facts))[0] if facts else None

    def check(self, name: str, wanted: Provenance) -> None:
        """Raise OutputDiffers where there is a record of this input that other means made."""
        from ..files.made import differences
        from ..files.picture import differs

        if name not in self:
            return
        found = self.made(name)
        why = ["it does not say what made it"] if found is None else differences(found, wanted)
        if why:
            raise differs(list(self.paths)[-1], f"has a comparison of {name}, made otherwise: {', '.join(why)}")

    def add(self, comparison: Comparison, provenance: Provenance | None = None) -> None:
        """Write the tables with this comparison, in place of an earlier one of the same input."""
        from ..files.record import text_of

        name = writable(comparison.name)
        self._records[name] = record(comparison) | {"input": name}
        if provenance is not None:
            self._records[name]["provenance"] = json_module.loads(text_of(provenance))
        self.renew()

    def renew(self) -> None:
        """Write what is not there as it would be: the text and the CSV show what the JSON holds, in the form asked."""
        from ..files import write_text

        for path, render in reversed(self.paths.items()):  # what the others follow from comes first
            shown = writable(render(self._records.values()))
            if self._records and not (path.is_file() and path.read_bytes() == shown.encode()):
                write_text(path, shown, overwrite=True)

    def _earlier(self) -> dict[str, Record]:
        there = [path for path in self.paths if path.exists()]
        if not there:
            return {}
        path = list(self.paths)[-1]
        try:
            document = json_module.loads(path.read_bytes())
            if (document["format"], document["schema"]) != (FORMAT, SCHEMA):
                raise ValueError
            records = {r["input"]: r for r in document["comparisons"]}
            for render in self.paths.values():
                render(records.values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise FileError(
                f"{path} is missing, or is no table that could be continued, beside {there[0].name}; "
                "choose another folder, or --overwrite (overwrite=True)"
            ) from None
        return records
