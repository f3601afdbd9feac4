"""The owner's page: who has read how much, Table 2 and its bars; drawn here; its script only renews it."""

from __future__ import annotations

import statistics
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from ..study.records import Rating
from ..study.tables import Table, repeated, table2
from .cases import Comparison
from .criteria import Criteria
from .log import Log
from .tiles import Tiles

WIDTH, HEIGHT = 300, 14  #: of a bar


class ResultsPage:
    """Made again only when something was clicked since.

    Parameters
    ----------
    title : str
    comparison : Comparison
    criteria : Criteria
    log : Log
    tiles : Tiles
    """

    def __init__(self, title: str, comparison: Comparison, criteria: Criteria, log: Log, tiles: Tiles) -> None:
        self.title, self.comparison, self.criteria, self.log, self.tiles = title, comparison, criteria, log, tiles
        self._lock = threading.Lock()
        self._made: tuple[object, str] = (None, "")

    def html(self) -> str:
        """The page."""
        with self._lock:
            now = (self.log.rows("SELECT max(seq) FROM log")[0][0], tuple(self.tiles.failures().items()))
            if self._made[0] != now or not self._made[1]:
                self._made = (now, "\n".join(self._lines()))
            return self._made[1]

    def _lines(self) -> Iterator[str]:
        patients = {case.name: case.patient for case in self.comparison.cases}
        ratings = self.log.ratings(patients)
        title = escape(self.title)
        yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        yield f'<title>Results: {title}</title><script type="module" src="/results.js"></script>'
        yield '<link rel="icon" href="data:,"><link rel="stylesheet" href="/results.css"></head><body>'
        yield f"<main><h1>{title}</h1>"
        sides = " and ".join(escape(side) for side in self.comparison.sides)
        yield f"<p>{len(self.comparison.cases)} cases, {sides}. This page renews itself."
        yield '<a href="/results/ratings.csv">ratings.csv</a> <a href="/results/log.csv">log.csv</a></p><div id="live">'
        yield "<h2>Readers</h2>"
        yield from self._progress()
        if ratings:
            yield "<h2>Ratings</h2>"
            yield from self._bars([one for one in ratings if one.occasion == 1])
        if ratings and {value for one in self.criteria.criteria for value, _ in one.values} <= {1, 2, 3, 4, 5}:
            yield from _table(table2(ratings))
            yield from _table(repeated(ratings))
        yield from self._trouble()
        yield "</div></main></body></html>"

    def _progress(self) -> Iterator[str]:
        yield '<table><thead><tr><th scope="col">reader</th><th scope="col">cases rated</th><th scope="col">of</th>'
        yield '<th scope="col">begun</th><th scope="col">minutes in all</th><th scope="col">seconds a case, median</th>'
        yield "</tr></thead><tbody>"
        every = len(self.criteria.criteria)
        for reader in self.log.readers():
            progress = self.log.progress(reader).values()
            times = [seconds for rated, seconds in progress if rated == every]
            cells = (
                sum(rated == every for rated, _ in progress), len(self.log.slots(reader)),
                sum(0 < rated < every for rated, _ in progress),
                f"{sum(seconds for _, seconds in progress) / 60:.0f}",
                f"{statistics.median(times):.0f}" if times else "",
            )  # fmt: skip
            yield f'<tr><th scope="row">{escape(reader)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        yield "</tbody></table>"

    def _bars(self, ratings: Sequence[Rating]) -> Iterator[str]:
        """Of each criterion and reader a bar with the share of every value, the lowest on the left."""
        counted: dict[tuple[str, str], Counter[int]] = {}
        for one in ratings:
            if one.value is not None:
                counted.setdefault((one.criterion, one.reader), Counter())[one.value] += 1
        lowest, highest = self.comparison.sides
        if self.criteria.mirrored:
            yield f"<p>From left to right: for {escape(lowest)} … for {escape(highest)}.</p>"
        yield '<table class="bars"><tbody>'
        for criterion in self.criteria.criteria:
            values = [value for value, _ in criterion.values]
            for reader in self.log.readers():
                counts = counted.get((criterion.name, reader))
                if counts:
                    yield f'<tr><th scope="row">{escape(criterion.name)}</th><td>{escape(reader)}</td>'
                    yield f"<td>{_bar(values, counts)}</td><td>{counts.total()}</td></tr>"
        yield "</tbody></table>"

    def _trouble(self) -> Iterator[str]:
        lines = [
            *self.comparison.left_out,
            *(
                f"case {self.tiles.numbers[name]} cannot be shown: it {why}"
                for name, why in self.tiles.failures().items()
            ),
        ]
        if lines:
            yield f"<h2>Left out</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _bar(values: Sequence[int], counts: Counter[int]) -> str:
    total, x, parts = counts.total(), 0.0, []
    for place, value in enumerate(values):
        width = WIDTH * counts[value] / total
        if width:
            level = round(4 * place / (len(values) - 1))
            what = f"<title>{value}: {counts[value]}</title>"
            parts.append(f'<rect class="v{level}" x="{x:.1f}" width="{width:.1f}" height="{HEIGHT}">{what}</rect>')
        x += width
    said = ", ".join(f"{value}: {counts[value]}" for value in values)
    return f'<svg role="img" aria-label="{said}" width="{WIDTH}" height="{HEIGHT}">{"".join(parts)}</svg>'


def _table(table: Table) -> Iterator[str]:
    yield f"<h2>{escape(table.title)}</h2><table><thead><tr>"
    yield (
        "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in table.head)
        + "</tr></thead><tbody>"
    )
    for line in table.lines:
        if line.heading:
            yield f'<tr><th scope="rowgroup" colspan="{len(table.head)}">{escape(line.cells[0])}</th></tr>'
        else:
            first, *rest = (escape(cell) for cell in line.cells)
            yield f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
    yield "</tbody></table>" + "".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
