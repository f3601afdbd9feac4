"""Every reader in this process at a small fixed budget, by the oracle of `fuzz/`; and inputs that fell."""

import random
import sys
from collections import Counter

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsrcnn_np.errors import FormatError, FsrcnnError, OptionError
from fsrcnn_np.files.hdf5_heap import opened
from fsrcnn_np.files.toml import read_toml
from fsrcnn_np.pacs.peer import parse_peer
from fsrcnn_np.pacs.web_sending import _told_of
from fuzz import counts
from fuzz.__main__ import main as fuzz_main
from fuzz.campaign import ROOT, Count, campaign
from fuzz.child import case
from fuzz.oracle import judge, watched
from fuzz.targets import NAMES, shares, target_named

#: those that start no service, run no command and compile nothing
QUICK = (
    "jpeg2000", "pnm", "webp", "gif", "pcx", "tga", "npy", "npz", "mat-image", "provenance", "matlab5", "safetensors",
    "data-ranges", "cohort", "ratings", "cases", "criteria", "pacs-settings", "options", "reader-events",
)  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_nothing_but_our_own_line(tmp_path, name):
    target = target_named(name)
    seeds = list(target.seeds())

    @settings(max_examples=25, derandomize=True, database=None)
    @given(st.integers(0, 2**32))
    def check(seed):
        rng = random.Random(seed)
        fault = judge(target, target.change(rng, rng.choice(seeds), seeds), tmp_path)
        assert fault is None, fault

    with watched():
        for data in seeds:
            judge(target, data, tmp_path)
        check()


def test_a_message_is_one_printable_line():
    for text in ("a\nb", "\x1b[2J", "\x00", "x" * 9000):
        assert str(FsrcnnError(text)).isprintable()
        assert len(str(FsrcnnError(text))) < 2000


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a = 0x" + "f" * 5000, "a = " + "[" * 5000])
def test_toml_without_end(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(OptionError, match="no TOML"):
        read_toml(tmp_path / "a.toml")


def test_numbers_that_are_none():
    with pytest.raises(OptionError, match="is no AE@HOST:PORT"):
        parse_peer("AE@host:" + "9" * 5000)
    status = b'{"00081199": {"Value": [{"00081155": {"Value": ["1.4"]}, "00081196": {"Value": [Infinity]}}]}}'
    assert _told_of(status, "1.4") is None


def test_a_heap_of_texts_that_goes_in_a_circle(tmp_path):
    """HDF5 itself walks through it for ever."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["unit"] = "mm"
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    with opened(path) as file:
        assert file.attrs["unit"] == "mm"
    data[at : at + 16] = bytes(16)
    path.write_bytes(data)
    with pytest.raises(FormatError, match="a heap of texts"), opened(path):
        pass


# How cases are run and counted


def test_a_campaign_counts_and_keeps_what_falls(tmp_path):
    """In a child process, cases by their number alone; one that ends the process is kept, and others follow."""
    found = campaign("data-ranges", seconds=60, seed=1, cases=40, found=tmp_path / "found")
    assert (found.cases, dict(found.faults)) == (40, {})
    target = target_named("data-ranges")
    seeds = list(target.seeds())
    assert [case(target, seeds, 1, number) for number in (3, 3)] == [case(target, seeds, 1, 3)] * 2


def test_the_table_is_the_sum_of_the_rows(tmp_path):
    counts.add(tmp_path / "rows", "a", 1, False, Count(1200, 2.0))
    counts.add(tmp_path / "rows", "a", 1, True, Count(30, 1.0, Counter({"hang": 1})))
    found = counts.rows(tmp_path / "rows")
    assert found[1]["faults"] == {"hang": 1}
    assert "| a | 1,200 | 30 |" in counts.table(found)
    assert "together 1,230" in counts.table(found)


def test_the_pages_table_is_of_the_rows_that_are_kept():
    assert counts.table(counts.rows(counts.RESULTS)) in (ROOT / "docs" / "attacks.md").read_text()


def test_guided_by_coverage_where_atheris_is_not(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fuzz", "--guided", "cohort"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        fuzz_main()
    assert "need atheris, which is not installed: pip install" in capsys.readouterr().err


def test_shares_are_of_all_targets():
    assert sum(shares().values()) == pytest.approx(1)
    assert tuple(shares()) == NAMES
