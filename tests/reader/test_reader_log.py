"""The log: what was kept once is kept, counts once, and never changes."""

import math
import random
import sqlite3
import threading
import uuid

import pytest

from fsrcnn_np.errors import FormatError, OptionError
from fsrcnn_np.reader.criteria import read_criteria
from fsrcnn_np.reader.log import Log, same_study
from fsrcnn_np.reader.people import Unknown, check_names, new_token, person, revoke
from fsrcnn_np.reader.publish import log_csv, ratings_csv
from fsrcnn_np.study.csv_rows import read_sheet
from fsrcnn_np.study.ratings_file import read_ratings
from reader_study import rating

CASES = [f"case {n}" for n in range(12)]


@pytest.fixture
def log(tmp_path):
    found = Log(tmp_path / "reading.sqlite", read_criteria())
    for reader in ("Ann", "Bea"):
        found.arrange(reader, CASES, seed=3, repeats=4)
    yield found
    found.close()


def count(log):
    return log.rows("SELECT count(*) FROM log")[0][0]


def test_the_order_is_drawn_for_each_reader(log):
    ann, bea = log.slots("Ann"), log.slots("Bea")
    for slots in (ann, bea):
        assert [slot.number for slot in slots] == list(range(1, 17))
        assert sorted(slot.case for slot in slots if slot.occasion == 1) == sorted(CASES)
        again = [slot for slot in slots if slot.occasion == 2]
        assert len({slot.case for slot in again}) == 4
        for slot in again:
            first = next(one for one in slots if one.case == slot.case)
            assert first.occasion == 1
            assert slot.number - first.number > 1, "not one after the other"
        assert {slot.swapped for slot in slots} == {False, True}
    assert [slot.case for slot in ann] != [slot.case for slot in bea]
    assert [slot.swapped for slot in ann] != [slot.swapped for slot in bea]


def test_a_repeat_is_never_next_to_the_first(log):
    """Whatever is drawn, with as many repeats as there are cases: also of the case that came last."""
    for seed in range(40):
        log.arrange(f"reader {seed}", CASES[:3], seed=seed, repeats=3)
        slots = log.slots(f"reader {seed}")
        numbers = {name: [slot.number for slot in slots if slot.case == name] for name in CASES[:3]}
        assert all(second - first > 1 for first, second in numbers.values()), numbers


def test_what_was_drawn_stays_and_new_cases_come_last(log):
    before = log.slots("Ann")
    log.arrange("Ann", [*CASES, "new 1", "new 2"], seed=99, repeats=4)
    after = log.slots("Ann")
    assert after[:16] == before
    assert sorted(slot.case for slot in after[16:]) == ["new 1", "new 2"]


def test_an_event_counts_once(log):
    event = rating(1, "Artifacts", 4)
    for other in (event, event, event | {"id": event["id"].upper()}, event | {"id": event["id"].replace("-", "")}):
        assert log.keep("Ann", [other]) == ([other["id"]], [])
    assert count(log) == 1
    saved, refused = log.keep("Ann", [event | {"value": 5}])
    assert (saved, [one.id for one in refused]) == ([], [event["id"]])
    assert log.keep("Bea", [event])[0] == [], "somebody else's id"
    assert count(log) == 1


def test_replays_in_any_order_by_two_tabs(log):
    """Each tab sends its own clicks in order, each batch as often as its answer is lost."""
    chance = random.Random(5)
    waiting = [[rating(1, "Artifacts", chance.randint(1, 5)) for _ in range(40)] for _ in range(2)]
    arrived, last = set(), None
    while any(waiting):
        tab = chance.choice([one for one in waiting if one])
        batch = tab[: chance.randint(1, 5)]
        assert log.keep("Ann", batch) == ([event["id"] for event in batch], [])
        for event in batch:
            last = last if event["id"] in arrived else event["value"]
            arrived.add(event["id"])
        if chance.random() < 0.6:  # the answer arrives
            del tab[: len(batch)]
    assert count(log) == 80
    shown = log.criteria.shown(log.criteria.named("Artifacts"), log.answers("Ann", 1).values["Artifacts"],
                               log.slot("Ann", 1).swapped)  # fmt: skip
    assert shown == last


def test_threads_at_once(log):
    events = [rating(1 + n % 16, "Artifacts", 1 + n % 5) for n in range(60)]
    threads = [threading.Thread(target=log.keep, args=("Ann", events)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(log) == 60


def test_the_log_is_append_only(log, tmp_path):
    log.keep("Ann", [rating(1)])
    other = sqlite3.connect(tmp_path / "reading.sqlite")
    for statement in ("UPDATE log SET value = 5", "DELETE FROM log"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(statement)
    assert other.execute("PRAGMA synchronous").fetchone()[0] == 2, "the default of SQLite; the log asks for it"
    other.close()
    assert log.rows("PRAGMA synchronous")[0][0] == 2


def test_old_values_are_told(log):
    slot = log.slot("Ann", 2)
    for value in (1, 3, 5):
        log.keep("Ann", [rating(2, "Artifacts", value)])
    rows = log.rows("SELECT value, old_value, rated_before, swapped FROM log ORDER BY seq")
    kept = [6 - value if slot.swapped else value for value in (1, 3, 5)]
    assert [tuple(row) for row in rows] == [
        (kept[0], None, 0, slot.swapped), (kept[1], kept[0], 1, slot.swapped), (kept[2], kept[1], 1, slot.swapped),
    ]  # fmt: skip


def test_clocks_that_jump_change_nothing(log):
    for at, value in ((2e12, 1), (0, 2), (-5e11, 3), (None, 4)):
        assert log.keep("Ann", [rating(1, "Artifacts", value, at=at)])[1] == []
    slot = log.slot("Ann", 1)
    assert log.answers("Ann", 1).values == {"Artifacts": 2 if slot.swapped else 4}, "the last one that arrived"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": "x"}, "no UUID"), ({"id": 3}, "no UUID"), ({"case": 0}, "no such case"), ({"case": 17}, "no such case"),
        ({"case": "1"}, "no such case"), ({"case": True}, "no such case"), ({"kind": "delete"}, "its kind"),
        ({"criterion": "artifacts"}, "no such criterion"), ({"criterion": ["x"]}, "no such criterion"),
        ({"value": 0}, "allowed are 1, 2, 3, 4, 5"), ({"value": 6}, "allowed are"), ({"value": 3.0}, "allowed are"),
        ({"value": True}, "allowed are"), ({"value": None}, "allowed are"), ({"seconds": -1}, "out of range"),
        ({"seconds": "1"}, "no number"), ({"seconds": math.inf}, "not finite"), ({"at": 1e300}, "out of range"),
    ],
)  # fmt: skip
def test_what_is_refused_for_good(log, change, why):
    good = rating(2)
    saved, refused = log.keep("Ann", [rating(1) | change, good])
    assert saved == [good["id"]], "the rest of the batch is kept"
    assert why in refused[0].why
    assert count(log) == 1


def test_events_that_are_none(log):
    saved, refused = log.keep("Ann", [None, 3, "x", [], {}])
    assert (saved, len(refused)) == ([], 5)


def test_unreadable_only_where_it_can_be_said(log):
    event = rating(1, "Visibility of pectoral muscles", 0)
    assert log.keep("Ann", [event])[1] == []
    assert log.answers("Ann", 1).values == {"Visibility of pectoral muscles": None}
    assert log.progress("Ann") == {1: (1, 1.5)}


def test_marks_stay_on_their_image(log):
    slot = log.slot("Ann", 3)
    mark = {"id": str(uuid.uuid4()), "kind": "mark", "case": 3, "side": 0, "x": 1.5, "y": 2, "text": "?"}
    assert log.keep("Ann", [mark])[1] == []
    (found,) = log.answers("Ann", 3).marks
    assert found == {"id": mark["id"], "side": int(slot.swapped), "x": 1.5, "y": 2.0, "text": "?"}
    log.keep("Ann", [{"id": str(uuid.uuid4()), "kind": "unmark", "case": 3, "mark": mark["id"]}])
    assert log.answers("Ann", 3).marks == []
    for change in ({"side": 2}, {"side": True}, {"x": None}, {"x": "1"}, {"text": 3}):
        assert len(log.keep("Ann", [mark | {"id": str(uuid.uuid4())} | change])[1]) == 1


NASTY = [
    "<script>alert(1)</script> & \"quotes\" ' ; , \t end",
    "=HYPERLINK(\"http://x\")", "+1", "-1", "@x", "a\r\nb\rc\nd", "'quoted", "zero\0byte", "\ud800 alone", "é漢字🙂",
    "<b>" * 3333,
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_comments_come_back_and_through_csv(log, tmp_path, text):
    comment = {"id": str(uuid.uuid4()), "kind": "comment", "case": 1, "text": text, "seconds": 1}
    assert log.keep("Ann", [rating(1, "Artifacts", 3), rating(1, "Overall scores", 3), comment])[1] == []
    kept = log.answers("Ann", 1).comment
    assert kept == text.replace("\0", "�").replace("\ud800", "?")
    path = tmp_path / "ratings.csv"
    path.write_text(ratings_csv(log.ratings({})), encoding="utf-8", newline="")
    file = read_ratings(path)
    assert (file.left_out, file.remarks) == ((), ())
    assert [one.criterion for one in file.ratings] == ["Artifacts", "Overall scores"]
    lines = kept.replace("\r\n", "\n").replace("\r", "\n")
    assert [one.comment for one in file.ratings] == ["", lines]
    for cell in path.read_text().split(","):
        assert not cell.lstrip('"').startswith(("=", "+", "@")), "a spreadsheet would run it"


def test_too_long_a_comment_is_refused(log):
    comment = {"id": str(uuid.uuid4()), "kind": "comment", "case": 1, "text": "x" * 10_001}
    assert log.keep("Ann", [comment])[1][0].why == "its text has 10001 characters; allowed are 10000"


def test_the_csv_is_right_to_the_last_click(log, tmp_path):
    """Against a plain dictionary, over random clicks of two readers."""
    chance = random.Random(1)
    expected = {}
    names = [one.name for one in log.criteria.criteria]
    for _ in range(100):
        reader, number, name = chance.choice(["Ann", "Bea"]), chance.randint(1, 16), chance.choice(names)
        value = chance.randint(0 if "pectoral" in name else 1, 5)
        assert log.keep(reader, [rating(number, name, value)])[1] == []
        slot = log.slot(reader, number)
        right = None if value == 0 else 6 - value if slot.swapped else value
        expected[reader, slot.case, name, slot.occasion] = right
    path = tmp_path / "ratings.csv"
    path.write_text(ratings_csv(log.ratings({"case 1": "smith"})), newline="")
    file = read_ratings(path)
    found = {(one.reader, one.case, one.criterion, one.occasion): one.value for one in file.ratings}
    assert found == expected
    assert {one.patient for one in file.ratings if one.case == "case 1"} == {"smith"}
    whole = tmp_path / "log.csv"
    whole.write_text(log_csv(log), newline="")
    assert len(read_sheet(whole, needed={"reader", "value", "old_value", "received", "seconds"}).rows) == 100


def test_another_file_is_left_alone(tmp_path):
    path = tmp_path / "reading.sqlite"
    path.write_text("no database, but long enough to be taken for one" * 30)
    with pytest.raises(FormatError, match="move it away"):
        Log(path, read_criteria())
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(FormatError, match="move it away"):
        Log(path, read_criteria())


def test_other_questions_need_another_folder(log):
    same_study(log, "criteria", "a", "the criteria")
    same_study(log, "criteria", "a", "the criteria")
    with pytest.raises(OptionError, match="choose another folder"):
        same_study(log, "criteria", "b", "the criteria")


def test_tokens(log, monkeypatch):
    token, owner = new_token(log, "Ann"), new_token(log, "owner", owner=True)
    assert person(log, token) == ("Ann", False)
    assert person(log, token) == ("Ann", False), "a link can be opened again"
    assert person(log, owner) == ("owner", True)
    dump = "".join(str(tuple(row)) for row in log.rows("SELECT * FROM tokens"))
    assert token not in dump, "only its digest is kept"
    for other in ("", "x", token[:-1], token + "a", "ü" * 43, token.swapcase()):
        with pytest.raises(Unknown, match="not of this study"):
            person(log, other)
    late = new_token(log, "Ann", days=-1)
    with pytest.raises(Unknown, match="expired"):
        person(log, late)
    assert revoke(log, "Ann") == 2
    with pytest.raises(Unknown, match="revoked"):
        person(log, token)
    assert person(log, new_token(log, "Ann")) == ("Ann", False)


@pytest.mark.parametrize(
    "names", [["Ann", "ann"], [""], [" Ann"], ["a\nb"], ["x" * 61], ["Owner"], ["\udcff"], ["Zo\u00eb", "Zoe\u0308"]]
)
def test_names_that_are_none(names):
    with pytest.raises(OptionError, match="--reader"):
        check_names(names)
