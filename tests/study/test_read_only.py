"""Results on a disk that cannot be written: read all the same, or one line where something would be lost."""

import shutil

import pytest

from fsrcnn_np.cli import main
from fsrcnn_np.errors import FileError
from fsrcnn_np.study import store
from fsrcnn_np.study.cohort import Cohort, Entry
from fsrcnn_np.study.records import About, LeftOut, Rating

RATING = Rating("R1", "a.png", "Overall", 4, "good", 1, "A")


def not_writable(database):
    """SQLite cannot make the file that all share who have the database open: root's rights would let it elsewhere."""
    shared = database.with_name(f"{database.name}-shm")
    shared.unlink(missing_ok=True)
    shared.symlink_to("/no such folder/shared")


@pytest.fixture
def results(tmp_path):
    kept = store.Store(tmp_path / "results", About(), {"model": "x2"})
    entry = Entry("a.png", str(tmp_path / "a.png"), "a.png")
    kept.begin(Cohort("made", (entry,), (LeftOut("b.png", "is no picture"),)))
    kept.close()
    store.add_ratings(tmp_path / "results", [RATING])
    return tmp_path / "results"


def test_a_store_is_read(results):
    not_writable(results / store.NAME)
    assert store.read_study(results).ratings == [RATING]
    with pytest.raises(FileError, match="give a folder with space and permission"):
        store.add_ratings(results, [RATING])


def test_what_was_not_taken_over_is_not_lost_in_silence(results):
    writes = store._connect(results / store.NAME)
    writes.execute("DELETE FROM ratings")
    shutil.copytree(results, results.with_name("copied"))  # as a backup of a running study does
    writes.close()
    not_writable(results.with_name("copied") / store.NAME)
    with pytest.raises(FileError, match=r"lies in study\.sqlite-wal and cannot be taken over here.*copy the folder"):
        store.read_study(results.with_name("copied"))
    assert store.read_study(results).ratings == []


def test_tables_and_a_report_elsewhere(results, tmp_path, capsys):
    not_writable(results / store.NAME)
    assert main(["study", "table2", str(results), "-o", str(tmp_path / "table2.csv")]) == 0
    elsewhere = tmp_path / "report"
    assert main(["study", "report", str(results), "-o", str(elsewhere), "--no-plates"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"wrote {elsewhere / 'report.html'}")
    assert not (results / "report.html").exists()


def test_the_log_of_readers_is_exported(results, tmp_path):
    from fsrcnn_np.reader.criteria import read_criteria
    from fsrcnn_np.reader.log import NAME, Log, same_study

    made = Log(results / NAME, read_criteria(None))
    same_study(made, "sides", "original and sr", "the sides")
    made.close()
    not_writable(results / NAME)
    found = Log(results / NAME, read_criteria(None), reading=True)
    try:
        assert found.setting("sides", "others") == "original and sr"
        assert found.setting("never kept", "mine") == "mine"
        assert found.ratings({}) == []
    finally:
        found.close()


def test_the_queue_of_a_service_is_shown(tmp_path, capsys):
    from fsrcnn_np.pacs.ledger import Ledger

    Ledger(tmp_path / "ledger.sqlite").close()
    not_writable(tmp_path / "ledger.sqlite")
    assert main(["dicom", "queue", str(tmp_path)]) == 0
    assert "received 0" in capsys.readouterr().out
