"""The papers' lines that parity adds: what is timed, what raises, the FSRCNN paper's tables."""

import pytest

from fsrcnn_np.study.paper import claims
from parity.paper import lines


def test_a_small_mammogram_within_a_minute(monkeypatch):
    measured, substitute = lines.one_minute((320, 256))
    assert measured.status == claims.REPRODUCED
    assert substitute.status == claims.NOT_REPRODUCIBLE
    assert len(substitute.computed.split(" / ")) == 3
    monkeypatch.setattr(lines, "MINUTE", 0.0)
    assert lines.one_minute((320, 256))[0].status == claims.DIFFERS


def test_what_raises_is_a_line_that_differs(monkeypatch):
    import piqe_np

    def broken(*_, **__):
        raise RuntimeError("no luck")

    monkeypatch.setattr(piqe_np, "piqe", broken)
    monkeypatch.setattr(lines, "one_minute", list)
    found = [line for line in lines.all_lines(None) if line.status == claims.DIFFERS]
    assert [(line.place, line.computed) for line in found] == [("Section 2.4", "RuntimeError: no luck")]


@pytest.mark.shared
def test_the_fsrcnn_papers_tables_where_the_images_are(shared):
    from parity.oracles import printed

    found = list(lines.fsrcnn_tables(printed.published(shared)))
    assert {line.status for line in found if "Set5 ×2" in line.claim} == {claims.REPRODUCED}
    assert all("--images" in line.note for line in found if line.status == claims.NOT_RUN)
