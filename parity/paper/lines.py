"""Both papers, one line per cell or claim: the study's claims of Honjo 2022, what is timed here, the FSRCNN tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fsrcnn_np.study.paper.claims import (
    DIFFERS,
    NOT_RUN,
    Line,
    architecture,
    binning,
    constant_score,
    line,
    lost,
    table_1,
    table_2,
    table_3,
)

MINUTE = 60.0


def one_minute(shape: tuple[int, int] = (3328, 2560)) -> list[Line]:
    """Section 4: a mammogram within a minute, measured on the procedural phantom; and its PIQE as substitute data."""
    import fsrcnn_np
    from fsrcnn_np.phantom import phantom
    from fsrcnn_np.study.scores import BICUBIC, ORIGINAL, SR

    picture = phantom(shape=shape)
    fsrcnn_np.upscale(picture.pixels[:64, :64], data_range=picture.data_range)  # compile or load
    found = fsrcnn_np.compare(picture.pixels, data_range=picture.data_range)
    seconds = found.seconds[SR]
    height, width = picture.pixels.shape
    return [
        line(
            "Section 4",
            "a mammogram within a minute",
            "< 60 s",
            f"{seconds:.1f} s",
            seconds < MINUTE,
            f"procedural phantom, {height}×{width} → {2 * height}×{2 * width}, this machine",
        ),
        lost(
            "Section 3.2",
            "PIQE falls from the original to SR",
            "12.36 → 3.2",
            "substitute data: the procedural phantom, 12 bits; original, bicubic ×2 as control, SR",
            " / ".join(f"{found.piqe(image):.2f}" for image in (ORIGINAL, BICUBIC, SR)),
        ),
    ]


def all_lines(images: Path | None) -> list[Line]:
    """Every line; what raises becomes a line that fails."""
    from ..oracles import printed

    parts: list[tuple[str, Callable[[], Iterable[Line]]]] = [
        ("Table 1", table_1),
        ("Table 2", table_2),
        ("Table 3", table_3),
        ("Section 2.2", architecture),
        ("Section 2.4", lambda: [constant_score()]),
        ("Section 4", lambda: [binning()]),
        ("Section 4", one_minute),
        ("FSRCNN paper", lambda: fsrcnn_tables(printed.published(images))),
    ]
    lines: list[Line] = []
    for place, make in parts:
        try:
            lines += make()
        except Exception as error:  # ours is on trial
            lines.append(Line(place, "all of it", "", f"{type(error).__name__}: {error}", DIFFERS))
    return lines


def fsrcnn_tables(found: Iterable[object]) -> Iterator[Line]:
    """Dong, Loy, Tang 2016 where models and images are at hand."""
    from ..oracles.printed import Published

    for entry in found:
        assert isinstance(entry, Published)
        claim = f"{entry.model} on {entry.images}, {entry.measure}"
        if entry.fault:
            yield Line("FSRCNN paper", claim, entry.printed, "–", DIFFERS, entry.fault)
        elif entry.computed is None:
            yield Line("FSRCNN paper", claim, entry.printed, "–", NOT_RUN, entry.how)
        else:
            yield line("FSRCNN paper", claim, entry.printed, f"{entry.computed:.4f}", entry.agrees, entry.how)
