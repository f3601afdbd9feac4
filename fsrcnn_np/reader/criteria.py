"""What readers are asked: a TOML → Criteria. The default, honjo2022.toml, holds the paper's 14."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from piqe_np.line import has_controls

from ..errors import OptionError
from ..files.toml import read_toml

DEFAULT = Path(__file__).with_name("honjo2022.toml")
SIDES = {"left": "left (first) image", "right": "right (second) image"}
UNREADABLE = 0  #: the value of "unreadable" between page and server
MOST, LONGEST = 100, 1000  #: criteria; characters of a text


@dataclass(frozen=True)
class Criterion:
    """One question.

    Attributes
    ----------
    name : str
        As it is recorded and shown.
    definition : str
        In a sentence; may be empty.
    values : tuple of (int, str)
        What can be answered, 1 to 9, and what each means; without `unreadable`.
    unreadable : str
        What a reader chooses where the image does not show it; empty: there is no such choice.
    """

    name: str
    definition: str
    values: tuple[tuple[int, str], ...]
    unreadable: str = ""

    def allowed(self, value: object) -> bool:
        """Whether this is a value of the scale, or UNREADABLE where that can be chosen."""
        if type(value) is not int:
            return False
        return value in dict(self.values) or (value == UNREADABLE and bool(self.unreadable))

    def as_json(self) -> dict[str, Any]:
        """As the page gets it."""
        values = [*self.values, *([(UNREADABLE, self.unreadable)] if self.unreadable else [])]
        shown = [{"value": value, "text": text.format(**SIDES)} for value, text in values]
        return {"id": self.name, "text": self.name, "definition": self.definition, "values": shown}


@dataclass(frozen=True)
class Criteria:
    """All questions.

    Attributes
    ----------
    question : str
        Above them all.
    criteria : tuple of Criterion
    mirrored : bool
        Values speak of left and right: where the sides were changed, `recorded` turns them over.
    """

    question: str
    criteria: tuple[Criterion, ...]
    mirrored: bool

    def named(self, name: object) -> Criterion | None:
        """The criterion of this name."""
        return next((one for one in self.criteria if one.name == name), None)

    def recorded(self, criterion: Criterion, value: int, swapped: bool) -> int | None:
        """A value as shown → as recorded: as if the first image given had been on the left; None: unreadable."""
        if value == UNREADABLE:
            return None
        values = [value for value, _ in criterion.values]
        return min(values) + max(values) - value if swapped and self.mirrored else value

    def shown(self, criterion: Criterion, value: int | None, swapped: bool) -> int:
        """The other way round."""
        if value is None:
            return UNREADABLE
        return self.recorded(criterion, value, swapped) or UNREADABLE


def read_criteria(path: Path | None = None) -> Criteria:
    """Read a TOML of criteria; None: the paper's.

    Raises
    ------
    OptionError
        No TOML, or something in it is missing, unknown or of another type; the message names it.
    FileError
        The file cannot be read.
    """
    path = path or DEFAULT
    given = read_toml(path)
    try:
        return _criteria(given)
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from None


def _criteria(given: dict[str, Any]) -> Criteria:
    _only(given, "the file", {"question", "mirrored", "values", "criteria"})
    mirrored = given.get("mirrored", False)
    if not isinstance(mirrored, bool):
        raise OptionError(f"mirrored is {mirrored!r}; allowed are true and false")
    common = _values(given["values"], "values") if "values" in given else None
    entries = given.get("criteria")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST or not all(isinstance(e, dict) for e in entries):
        raise OptionError(f"needs 1 to {MOST} tables [[criteria]]; give as many")
    found: list[Criterion] = []
    for number, entry in enumerate(entries, 1):
        where = f"criterion {number}"
        _only(entry, where, {"name", "definition", "unreadable", "values"})
        name = _text(entry, "name", where)
        values = _values(entry["values"], where) if "values" in entry else common
        if not name or any(one.name.casefold() == name.casefold() for one in found):
            raise OptionError(f"{where} has the name {name!r}; give each one of its own")
        if values is None:
            raise OptionError(f"{where} has no [[criteria.values]], and the file no [[values]]; give one of them")
        if mirrored:
            _check_symmetric([value for value, _ in values], where)
        found.append(
            Criterion(name, _text(entry, "definition", where), values, _text(entry, "unreadable", where)),
        )
    return Criteria(_text(given, "question", "the file"), tuple(found), mirrored)


def _values(given: Any, where: str) -> tuple[tuple[int, str], ...]:
    if not isinstance(given, list) or len(given) < 2 or not all(isinstance(one, dict) for one in given):
        raise OptionError(f"{where}: a scale needs two values or more, each with value and text")
    found: dict[int, str] = {}
    for one in given:
        _only(one, f"{where}, a value", {"value", "text"})
        value = one.get("value")
        if type(value) is not int or not 1 <= value <= 9 or value in found:
            raise OptionError(f"{where}: found the value {value!r}; allowed are the whole numbers 1 to 9, each once")
        found[value] = _text(one, "text", where)
        if not _fills(found[value]):
            raise OptionError(f"{where}: {found[value]!r}: in braces only {{left}} and {{right}} are allowed")
    return tuple(sorted(found.items()))


def _fills(text: str) -> bool:
    """Whether a text has nothing in braces but sides; a width of millions, say, would be a text of millions."""
    try:
        fields = [field for field in Formatter().parse(text) if field[1] is not None]
    except ValueError:
        return False
    return all(name in SIDES and not spec and not conversion for _, name, spec, conversion in fields)


def _check_symmetric(values: list[int], where: str) -> None:
    if {min(values) + max(values) - value for value in values} != set(values):
        raise OptionError(
            f"{where}: the values {values} cannot be mirrored: their steps differ from both ends"
            "; give equal steps, or mirrored = false"
        )


def _text(given: dict[str, Any], key: str, where: str) -> str:
    text = given.get(key, "")
    if not isinstance(text, str) or len(text) > LONGEST:
        raise OptionError(f"{key} of {where} is no text of at most {LONGEST} characters; give one")
    text = " ".join(text.split())
    if has_controls(text):  # terminals, tables and CSV show it
        raise OptionError(f"{key} of {where} has characters that cannot be printed; leave them out")
    return text


def _only(given: dict[str, Any], where: str, allowed: set[str]) -> None:
    if unknown := sorted(given.keys() - allowed):
        raise OptionError(f"{where} has an unknown {unknown[0]!r}; allowed are {', '.join(sorted(allowed))}")
