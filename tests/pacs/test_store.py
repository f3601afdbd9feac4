"""The store's folder when something is missing or too much in it, and derivations that end for other reasons."""

import contextlib
import time

import pytest

from fsrcnn_np import load_weights
from fsrcnn_np.errors import FileError, FormatError
from fsrcnn_np.pacs.deriving import Deriver
from fsrcnn_np.pacs.ledger import OtherBytes
from fsrcnn_np.pacs.metrics import Metrics
from fsrcnn_np.pacs.receiving import row_of
from fsrcnn_np.pacs.store import Store
from fsrcnn_np.pacs.whole import NotWhole, facts_of
from pacs_peers import mammogram, save


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "store")
    yield made
    made.close()


def received(store, tmp_path, number=1):
    path = save(mammogram(number), tmp_path / "a.dcm")
    facts = facts_of(path)
    file = store.keep(path, facts.sha256)
    return store.ledger.add(row_of(facts, file) | {"state": "received", "forward": 1, "treat": 1})


def test_what_the_ledger_does_not_know_is_set_aside(store, tmp_path):
    received(store, tmp_path)
    (kept,) = (tmp_path / "store" / "objects").rglob("*.dcm")
    stray = kept.with_name("0" * 64 + ".dcm")
    stray.write_bytes(b"whole")
    (kept.parent / ".half.part").write_bytes(b"half")
    store.close()
    again = Store(tmp_path / "store")
    assert list((tmp_path / "store" / "objects").rglob("*.*")) == [kept]
    assert (tmp_path / "store" / "unknown" / stray.name).read_bytes() == b"whole"
    again.close()


@pytest.mark.parametrize(
    ("error", "kept"), [(FileError("disk full"), True), (FormatError("no image"), False), (IndexError("odd"), False)]
)
def test_a_full_disk_is_no_fault_of_the_object(error, kept, store, tmp_path, monkeypatch):
    number = received(store, tmp_path)
    deriver = Deriver(store, load_weights("x2"), "explicit", Metrics())

    def fail(*_):
        raise error

    monkeypatch.setattr(deriver, "_upscale", fail)
    for _ in range(12):
        if kept:
            with pytest.raises(FileError):
                deriver.step()
        else:
            deriver.step()
    row = store.ledger.row(number)
    assert (row.treat, bool(row.remark), row.state) == (int(kept), not kept, "received")
    assert [each.id for each in store.ledger.to_send(0)] == [number]
    monkeypatch.undo()
    store.ledger.retry()
    assert deriver.step()
    assert [each.state for each in store.ledger.rows()] == ["received", "derived"]
    assert deriver.step()
    assert not deriver.step()
    assert [each.state for each in store.ledger.rows()] == ["received", "checked"]


def test_a_derived_object_that_breaks_a_rule_is_not_sent(store, tmp_path, monkeypatch):
    received(store, tmp_path)
    deriver = Deriver(store, load_weights("x2"), "explicit", Metrics())
    deriver.step()
    (derived,) = store.ledger.to_check()
    path = store.path(derived.file)
    path.write_bytes(path.read_bytes().replace(b"DERIVED\\", b"ORIGINAL"))
    deriver.step()
    row = store.ledger.row(derived.id)
    assert row.parked
    assert row.note.startswith("breaks 1 rules, (0008,0008) Image") or "(0008,0008)" in row.note


def test_steps_go_forward_only(store, tmp_path):
    number = received(store, tmp_path)
    ledger = store.ledger
    ledger.committed([number])  # not sent yet
    assert ledger.row(number).state == "received"
    for _ in range(2):
        ledger.sent(number)
        assert ledger.row(number).state == "sent"
    for _ in range(2):
        ledger.committed([number])
        ledger.sent(number)
        ledger.send_again(number, 0, "")
        assert ledger.row(number).state == "committed"
    row = {name: getattr(ledger.row(number), name) for name in ("uid", "sop_class", "syntax", "file", "size")}
    with pytest.raises(OtherBytes):
        ledger.add(row | {"sha256": "other", "state": "received", "forward": 1, "treat": 0})
    assert ledger.counts()["committed"] == 1


def test_no_part_of_an_object_is_whole(tmp_path):
    """From its end back to (0028,0010) Rows; zeros behind it mean nothing."""
    path = save(mammogram(1), tmp_path / "a.dcm")
    data = path.read_bytes()
    for cut in range(1, len(data) - data.index(b"\x28\x00\x10\x00US") - 10, 3):
        path.write_bytes(data[:-cut])
        with pytest.raises(NotWhole):
            facts_of(path)
    path.write_bytes(data + b"\0")
    assert facts_of(path).uid == "1.2.826.99.1.1"


def test_nesting_and_lengths_that_lie(tmp_path):
    path = save(mammogram(1), tmp_path / "a.dcm")
    data = path.read_bytes()
    at = data.index(b"\x08\x00\x60\x00CS")
    nested = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
    long = b"\x08\x00\x15\x11UN\0\0\xf0\xff\xff\xff"
    for lie in (nested, long):
        path.write_bytes(data[:at] + lie + data[at:])
        with pytest.raises(NotWhole):
            facts_of(path)


def test_what_the_archive_keeps_is_removed_after_its_days(store, tmp_path, monkeypatch):
    """Committed objects alone, an original last; a ledger that was killed before it wrote that down goes on."""
    from fsrcnn_np.pacs.keeping import Keeper
    from fsrcnn_np.pacs.settings import Keep

    source, ledger = received(store, tmp_path), store.ledger
    deriver = Deriver(store, load_weights("x2"), "explicit", Metrics())
    assert deriver.step()
    assert deriver.step()
    kept = received(store, tmp_path, 2)  # is still to be treated
    ledger.sent(kept)
    ledger.committed([kept])
    (derived,) = [row.id for row in ledger.rows() if row.source]
    ledger.sent(source)
    ledger.committed([source])
    now = [time.time()]
    monkeypatch.setattr("time.time", lambda: now[0])
    now[0] += 3 * 86400

    def files():
        return {row.id for row in ledger.rows() if store.path(row.file).exists()}

    assert not Keeper(store, Keep()).step()
    assert not Keeper(store, Keep(days=1)).step()  # what was made of it is not committed
    ledger.sent(derived)
    ledger.committed([derived])
    now[0] += 2 * 86400
    assert not Keeper(store, Keep(days=9)).step()
    assert files() == {source, derived, kept}
    removed = ledger.removed
    monkeypatch.setattr(ledger, "removed", lambda number: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        Keeper(store, Keep(days=1)).step()
    monkeypatch.setattr(ledger, "removed", removed)
    assert Keeper(store, Keep(days=1)).step()
    assert not Keeper(store, Keep(days=1)).step()
    assert files() == {kept}
    assert [row.removed for row in ledger.rows()] == [int(row.id != kept) for row in ledger.rows()]
    ledger.retry()
    assert ledger.known("1.2.826.99.1.1").state == "committed"


def test_a_ledger_of_an_earlier_version_goes_on(tmp_path):
    """Its committed objects count from now."""
    import sqlite3

    from fsrcnn_np.pacs import ledger

    old = "".join(
        line
        for line in ledger._SCHEMA.splitlines(keepends=True)
        if "committed_at" not in line and "removed" not in line
    ).replace("DEFAULT '',         -- why nothing", "DEFAULT ''  -- why nothing")
    with contextlib.closing(sqlite3.connect(tmp_path / "a.sqlite")) as base, base:
        base.executescript(old)
        values = "(1, '1.2', '1', '1', 'f', 1, 'x', NULL, 'committed', 1, 0, 0, 0, 0, '', '')"
        base.execute(f"INSERT INTO objects VALUES {values}")
    made = ledger.Ledger(tmp_path / "a.sqlite")
    (row,) = made.rows()
    made.close()
    assert row.removed == 0
    assert time.time() - 60 < row.committed_at <= time.time()


def test_nothing_is_derived_where_the_disk_is_nearly_full(store, tmp_path):
    number = received(store, tmp_path)
    deriver = Deriver(store, load_weights("x2"), "explicit", Metrics(), free_bytes=1 << 60)
    with pytest.raises(FileError, match="are free on the disk"):
        deriver.step()
    assert store.ledger.row(number).treat == 1


@pytest.mark.parametrize(
    ("hours", "send", "ask"),
    [(-400, 0, 0), (-5, 0, 0), (-0.2, 1320, 0), (0, 600, 3600), (0.1, 240, 3240), (5, 0, 0), (400, 0, 0)],
)
def test_a_clock_that_is_set_while_objects_wait(hours, send, ask, store, tmp_path):
    """However far and in which direction: nothing waits longer than the longest wait, nor is asked for without end."""
    from fsrcnn_np.pacs.settings import Settings

    number, longest, before = received(store, tmp_path), Settings().longest_wait, 1.7e9
    ledger, now = store.ledger, before + 3600 * hours

    def waited(due):
        return next(seconds for seconds in range(0, 7201, 60) if due(now + seconds, longest))

    ledger.wait(number, before + 600, "no answer")
    assert waited(ledger.to_send) == send
    ledger.sent(number)
    ledger.asked([number], "1.2.3", before + 3600)
    assert waited(ledger.to_ask) == ask
    ledger.wait(number, now + 600)
    assert waited(ledger.to_ask) == 600


def test_what_was_committed_by_a_clock_that_was_ahead_goes_one_day(store, tmp_path, monkeypatch):
    from fsrcnn_np.pacs import keeping
    from fsrcnn_np.pacs.settings import Keep

    number, true = received(store, tmp_path), time.time()
    store.ledger.not_derived(number, "nothing of it")
    store.ledger.sent(number)
    monkeypatch.setattr("fsrcnn_np.pacs.ledger.time.time", lambda: true + 20 * 365 * 86400)
    store.ledger.committed([number])
    monkeypatch.setattr("fsrcnn_np.pacs.ledger.time.time", lambda: true)
    assert not keeping.Keeper(store, Keep(days=1)).step()
    monkeypatch.setattr("fsrcnn_np.pacs.keeping.time.time", lambda: true + 86400 + 60)
    assert keeping.Keeper(store, Keep(days=1)).step()
    assert store.ledger.row(number).removed
