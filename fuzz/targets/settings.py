"""Settings in TOML."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from fsrcnn_np.pacs.settings import load_settings
from fsrcnn_np.reader.criteria import DEFAULT, read_criteria

from ..mutate import words_changed
from ..target import Target, of_file

_CRITERIA = b"""question = "Which?"
mirrored = true
[[values]]
value = 1
text = "{left} is better"
[[values]]
value = 3
text = "{right} is better"
[[criteria]]
name = "Noise"
definition = "Grain."
unreadable = "not shown"
[[criteria]]
name = "Edges"
values = [{value = 1, text = "a"}, {value = 2, text = "b"}]
"""
_PACS = b"""[treat]
sop_classes = ["1.2.840.10008.5.1.4.1.1.1.2"]
modalities = ["MG"]
weights = "x2"
[forward]
originals = true
first_wait_seconds = 2.5
[commitment]
how = "qido"
qido_url = "https://archive.example/dicom-web"
answer_seconds = 60
[keep]
days = 30
[limits]
associations = 4
pdu_bytes = 131072
"""


def _changed(rng: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    words = (
        "[", "]", "[[", "]]", "{", "}", "=", '"""', "'''", "inf", "nan", "1979-05-27T07:32:00Z", "07:32:00", "[" * 3000,
        "a.b.c", "[values]", "[[values]]", "[criteria]", '"{left.__class__}"', '"{left!r:>99999999}"', '"{0}"', "1e999",
        '"\\u0007"', "9" * 5000, "0x" + "f" * 5000, "{value = 1, text = 2}", "[treat]", "[limits]",
    )  # fmt: skip
    return words_changed(rng, data, seeds, words=words)


def _target(name: str, seeds: tuple[bytes, ...], read: Callable[[Path], object]) -> Target:
    return Target(name, lambda: seeds, of_file(".toml", lambda path: repr(read(path))), _changed, ratio=4096)


def _criteria(path: Path) -> object:
    found = read_criteria(path)
    return [one.as_json() for one in found.criteria]


TARGETS = {
    "criteria": _target("criteria", (_CRITERIA, DEFAULT.read_bytes()[:4000]), _criteria),
    "pacs-settings": _target("pacs-settings", (_PACS,), load_settings),
}
