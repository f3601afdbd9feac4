"""What the service does with which objects, and how much of everything it takes: a TOML file → Settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OptionError
from ..files.toml import read_toml

BEFORE_SENDING_AGAIN = 30.0  # seconds, after the archive said that it does not have an object
_MAMMOGRAPHY = "1.2.840.10008.5.1.4.1.1.1.2"  # Digital Mammography X-Ray Image Storage - For Presentation: PS3.4 B.5
MOST, MOST_WHOLE = 1e8, (1 << 63) - 1  #: seconds or days, three years and more, which every clock can wait; bytes
LEAST_IDLE = 0.1  #: seconds; with none, nobody could say anything


@dataclass(frozen=True)
class Treat:
    """Which objects are super-resolved: all three must fit. An empty list fits everything."""

    sop_classes: tuple[str, ...] = (_MAMMOGRAPHY,)
    modalities: tuple[str, ...] = ("MG",)
    presentation_intents: tuple[str, ...] = ("FOR PRESENTATION",)
    weights: str = "x2"  #: a shipped model's name, or a file
    transfer_syntax: str = "explicit"  #: of the derived objects, see `fsrcnn-np upscale --transfer-syntax`


@dataclass(frozen=True)
class Forward:
    """What goes on to the peer beside the derived objects. What does not is kept in the store."""

    originals: bool = True  #: of the objects that are treated
    rest: bool = True  #: the objects that are not treated
    first_wait_seconds: float = 2.0  #: before the second try; doubled each time, times 0.5 to 1.5 by chance
    longest_wait_seconds: float = 600.0


@dataclass(frozen=True)
class Commitment:
    """How it is made sure that the peer keeps what it was sent."""

    how: str = "commitment"  #: "commitment" (PS3.4 J), "query" (C-FIND), "qido" (QIDO-RS), "none": sent is the end
    qido_url: str = ""  #: the DICOMweb root of the archive, for "qido"
    fall_back: bool = True  #: to QIDO-RS or C-FIND where the peer offers no storage commitment
    answer_seconds: float = 3600.0  #: after which the peer is asked again
    linger_seconds: float = 2.0  #: for an answer on the association that asked; later ones come on a new one
    read_back: bool = True  #: by WADO-RS what QIDO-RS finds: its pixels must be the very bytes that were sent


@dataclass(frozen=True)
class Keep:
    """How long the store keeps what the archive has committed itself to keep. Everything else stays."""

    days: float = 0.0  #: since then, after which its file is removed; 0: never


@dataclass(frozen=True)
class Limits:
    """How much of everything a peer may use."""

    associations: int = 16
    pdu_bytes: int = 1 << 17
    object_bytes: int = 4 << 30
    free_bytes: int = 100 << 20  #: what stays free on the disk of the store
    idle_seconds: float = 60.0  #: without a word, or for a single PDU
    drain_seconds: float = 60.0  #: after SIGTERM, for associations that are under way


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured, with defaults."""

    treat: Treat = field(default_factory=Treat)
    forward: Forward = field(default_factory=Forward)
    commitment: Commitment = field(default_factory=Commitment)
    limits: Limits = field(default_factory=Limits)
    keep: Keep = field(default_factory=Keep)

    @property
    def longest_wait(self) -> float:
        """Seconds that no try waits longer than, whatever it waits for."""
        return max(1.5 * self.forward.longest_wait_seconds, self.commitment.answer_seconds, BEFORE_SENDING_AGAIN)


def load_settings(path: Path | None) -> Settings:
    """Read a TOML file with the tables [treat], [forward], [commitment], [limits] and [keep].

    Raises
    ------
    OptionError
        No TOML, an unknown name, or a value of another type; the message names it.
    FileError
        The file cannot be read.
    """
    if path is None:
        return Settings()
    given = read_toml(path)
    tables = {table.name: table.default_factory for table in dataclasses.fields(Settings)}
    unknown = sorted(given.keys() - tables.keys())
    if unknown:
        raise OptionError(f"{path}: unknown {unknown[0]!r}; allowed are {', '.join(f'[{name}]' for name in tables)}")
    made = {name: _table(path, name, kind, given.get(name, {})) for name, kind in tables.items()}
    settings = Settings(**made)
    _check(path, settings)
    return settings


def _table(path: Path, name: str, kind: Any, given: Any) -> Any:
    if not isinstance(given, dict):
        raise OptionError(f"{path}: {name} is no table; write [{name}]")
    defaults = {each.name: each.default for each in dataclasses.fields(kind)}
    values = {}
    for key, value in given.items():
        if key not in defaults:
            raise OptionError(f"{path}: unknown {key!r} in [{name}]; allowed are {', '.join(defaults)}")
        values[key] = _as(defaults[key], value, f"{path}: {key} in [{name}]")
    return kind(**values)


def _as(like: Any, value: Any, where: str) -> Any:
    """The value, if it is of the default's kind."""
    if isinstance(like, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise OptionError(f"{where} is {value!r}; allowed is a list of texts")
    if isinstance(like, bool) or isinstance(value, bool):
        fits = isinstance(like, bool) and isinstance(value, bool)
    elif isinstance(like, str):
        fits = isinstance(value, str)
    else:
        whole = isinstance(like, int)
        fits = isinstance(value, int if whole else int | float) and 0 <= value <= (MOST_WHOLE if whole else MOST)
    if not fits:
        numbers = {int: f"a whole number from 0 to {MOST_WHOLE}", float: f"a number from 0 to {MOST:.0f}"}
        kinds = {bool: "true or false", str: "a text"} | numbers
        raise OptionError(f"{where} is {value!r}; allowed is {kinds[type(like)]}")
    return value


def _check(path: Path, settings: Settings) -> None:
    ways = ("commitment", "query", "qido", "none")
    if settings.commitment.how not in ways:
        raise OptionError(f"{path}: how in [commitment] is {settings.commitment.how!r}; allowed are {', '.join(ways)}")
    if settings.commitment.how == "qido" and not settings.commitment.qido_url:
        raise OptionError(f'{path}: how = "qido" in [commitment] needs qido_url')
    if settings.commitment.qido_url and not settings.commitment.qido_url.startswith(("http://", "https://")):
        raise OptionError(f"{path}: qido_url in [commitment] is no http:// or https:// address; give one")
    if settings.limits.idle_seconds < LEAST_IDLE:
        raise OptionError(
            f"{path}: idle_seconds in [limits] is {settings.limits.idle_seconds:g}; give {LEAST_IDLE} or more"
        )
    if settings.limits.associations < 1 or not 4096 <= settings.limits.pdu_bytes < 1 << 31:
        raise OptionError(f"{path}: [limits] need associations from 1 and pdu_bytes from 4096")
