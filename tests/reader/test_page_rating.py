"""Reading as readers do it, in a browser: what is shown as saved is in the store, whatever happens on the way."""

import csv
import io

import pytest
from playwright.sync_api import expect

from served import Served, saved, shown, until, watched
from study_on_disk import study

CRITERIA = 14
NAMES = ["offline", "killed", "tabs", "marks", "keys", "guest", "late"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all: each test reads as somebody else."""
    folder = tmp_path_factory.mktemp("rating")
    left, right, _ = study(folder)
    server = Served(folder / "store", left, right, ["one", "two", *NAMES])
    yield server
    server.end()


def desk(browser, server, reader, **options):
    context = browser.new_context(**{"viewport": {"width": 1000, "height": 640}, **options})
    return enter(context, server, reader)


def enter(context, server, reader):
    page = watched(context.new_page())
    page.goto(server.links[reader])
    shown(page)
    return page


def table(server, browser, name) -> list[dict[str, str]]:
    """One of the owner's CSV files."""
    context = browser.new_context()
    context.request.get(server.links["results"])
    text = context.request.get(f"http://127.0.0.1:{server.port}/results/{name}").body().decode("utf-8-sig")
    context.close()
    return list(csv.DictReader(io.StringIO(text)))


def clicks(server, browser, reader) -> int:
    """How many ratings of a reader are in the log."""
    return sum(row["kind"] == "rating" and row["reader"] == reader for row in table(server, browser, "log.csv"))


def chosen(page) -> list[str]:
    """The values that the form shows, in the order of the criteria; "" where there is none."""
    return page.evaluate(
        "[...document.querySelectorAll('.criterion')].map((c) => c.querySelector(':checked')?.value ?? '')"
    )


def kept(page, number) -> dict[str, int]:
    """What the server has of a case, asked by the same reader."""
    return page.evaluate("n => fetch(`/api/cases/${n}`).then((a) => a.json()).then((a) => a.answers.values)", number)


def test_two_readers_at_once(browser, server):
    """Both rate every criterion of every case, one by keys, one by mouse; one reloads in the middle."""
    one, two = desk(browser, server, "one"), desk(browser, server, "two")
    given = {"one": [], "two": []}
    for case in range(3):
        for n in range(CRITERIA):
            a, b = 1 + (case + n) % 5, 1 + (case + 2 * n) % 5
            one.keyboard.press(str(a))
            if (case, n) < (0, 4):
                two.locator(".criterion").nth(n).locator(f"input[value='{b}']").check()
                two.keyboard.press("j")  # from here on by keys as well
            else:
                two.keyboard.press(str(b))
            given["one"].append(a)
            given["two"].append(b)
            if (case, n) == (1, 6):
                saved(one)
                one.reload()
                shown(one)
                expect(one.locator("#where")).to_have_text("Case 2 of 3")
                assert chosen(one)[: n + 1] == [str(v) for v in given["one"][-n - 1 :]]
                for _ in range(n + 1):
                    one.keyboard.press("j")
        for page in (one, two):
            assert "" not in chosen(page)
            if case < 2:
                page.keyboard.press("n")
                shown(page)
    for page, reader in ((one, "one"), (two, "two")):
        saved(page)
        expect(page.locator("#done")).to_have_text("3 rated")
        assert [v for case in (1, 2, 3) for v in kept(page, case).values()] == given[reader]
        assert page.faults == []
    wanted = {}
    for page, reader in ((one, "one"), (two, "two")):
        for number in (1, 2, 3):
            said = page.evaluate("n => import('/api.js').then(({ openCase }) => openCase(n))", number)
            name = {(True, False): "signed", (False, True): "inverted", (False, False): "plain"}
            left = said["images"][0]
            criteria = page.locator(".criterion").evaluate_all("all => all.map((one) => one.dataset.criterion)")
            for criterion, value in zip(criteria, given[reader][(number - 1) * CRITERIA :], strict=False):
                # the values are said of left and right; kept as if the original had been on the left
                kept_value = value if left["rows"] == 651 else 6 - value
                wanted[reader, name[left["signed"], left["inverted"]], criterion] = str(kept_value)
    rows = [row for row in table(server, browser, "ratings.csv") if row["reader"] in given]
    assert {(row["reader"], row["case"], row["criterion"]): row["value"] for row in rows} == wanted
    assert len(rows) == 2 * 3 * CRITERIA


def test_offline_reload_and_back(browser, server):
    """What is rated without a network waits, says so, survives the page, and counts once."""
    page = desk(browser, server, "offline")
    page.keyboard.press("4")
    saved(page)
    page.context.set_offline(True)
    for key in "231":
        page.keyboard.press(key)
    page.locator("#comment").fill("<b>dots</b> at the nipple, =1+1")
    expect(page.locator("#saving")).to_contain_text("waiting 4")
    expect(page.locator(".criterion").nth(1).locator(".state")).to_contain_text("waiting")
    expect(page.locator(".criterion").nth(0).locator(".state")).to_contain_text("saved")
    expect(page.locator("#saving")).to_have_attribute("data-kept", "yes")
    context = page.context
    page.close()  # without asking the page, as a crash does
    context.set_offline(False)
    page = enter(context, server, "offline")
    saved(page)
    assert chosen(page)[:5] == ["4", "2", "3", "1", ""]
    assert page.locator("#comment").input_value() == "<b>dots</b> at the nipple, =1+1"
    assert list(kept(page, 1).values()) == [4, 2, 3, 1]
    page.context.set_offline(True)
    page.keyboard.press("k")  # from the first to the first
    page.keyboard.press("5")
    expect(page.locator("#saving")).to_contain_text("waiting 1")
    page.context.set_offline(False)
    saved(page)  # without a reload
    assert list(kept(page, 1).values()) == [5, 2, 3, 1]


def test_answers_older_than_what_was_saved(browser, server):
    """The answers of a case that come late, when what waited is saved, take nothing back."""
    page = desk(browser, server, "late")
    page.context.set_offline(True)
    for key in "231":
        page.keyboard.press(key)
    expect(page.locator("#saving")).to_have_text("waiting 3 (offline)")
    expect(page.locator("#saving")).to_have_attribute("data-kept", "yes")
    context = page.context
    page.close()
    context.set_offline(False)
    page = watched(context.new_page())
    late = []
    page.route("**/api/cases/1", lambda route: late.append((route, route.fetch())))
    page.goto(server.links["late"])
    saved(page)
    until(lambda: late or page.wait_for_timeout(10), "the case is asked for")
    for route, answer in late:
        answer_then = answer.json()
        answer_then["answers"]["values"] = {}  # as it was when the server was asked
        route.fulfill(response=answer, json=answer_then)
    shown(page)
    assert chosen(page)[:4] == ["2", "3", "1", ""]
    assert page.faults == []


def test_killed_server(browser, server):
    """Killed between clicks and started again: nothing shown as saved is gone, nothing that waits is lost."""
    page = desk(browser, server, "killed")
    given = []
    for n in range(CRITERIA):
        value = 1 + (3 * n) % 5
        page.keyboard.press(str(value))
        given.append(value)
        if n in (2, 7):
            # what the page shows as saved at this moment
            states = page.locator(".criterion .state").all_inner_texts()  # at once: they go on meanwhile
            server.kill()
        if n in (5, 10):
            expect(page.locator("#saving")).to_contain_text("waiting")
            server.start()
            if n == 5:
                certain = [v for v, state in zip(given, states, strict=False) if "saved" in state]
                assert list(kept(page, 1).values())[: len(certain)] == certain
    saved(page)
    assert list(kept(page, 1).values()) == given
    assert clicks(server, browser, "killed") == CRITERIA


def test_two_tabs(browser, server):
    """Both tabs of a reader show the same, send in one order, and nothing counts twice."""
    first = desk(browser, server, "tabs")
    second = enter(first.context, server, "tabs")
    first.keyboard.press("2")
    expect(second.locator(".criterion").first.locator("input[value='2']")).to_be_checked()
    saved(first)
    first.context.set_offline(True)
    for page, key in ((first, "3"), (second, "4"), (first, "5"), (second, "1")):
        page.locator(".criterion").nth(1).locator(f"input[value='{key}']").check()
        until(lambda k=key: chosen(first)[1] == chosen(second)[1] == k, "both tabs show the last click")
    expect(second.locator("#saving")).to_contain_text("waiting 4")
    first.context.set_offline(False)
    saved(first)
    saved(second)
    assert list(kept(first, 1).values()) == [2, 1]
    assert clicks(server, browser, "tabs") == 5


def test_marks_and_unreadable(browser, server):
    """A pseudo-lesion is where it was clicked, on the side that was clicked; taken back it is gone; 0 is unreadable."""
    page = desk(browser, server, "marks")
    page.keyboard.press("m")
    box = page.locator("#stage").bounding_box()
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator("#marks li")).to_contain_text("Mark 1, right, saved")
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator("#marks li")).to_have_count(2)
    page.keyboard.press("Backspace")
    expect(page.locator("#marks li")).to_have_count(1)
    saved(page)
    [mark] = page.evaluate("fetch('/api/cases/1').then((a) => a.json()).then((a) => a.answers.marks)")
    panel = (box["width"] - 2) / 2
    mm = max(651 * 0.14 / box["height"], 533 * 0.14 / panel)
    assert mark["side"] == 1
    assert mark["x"] == pytest.approx(533 * 0.14 / 2 + (0.7 * box["width"] - panel - 2 - panel / 2) * mm, abs=mm)
    assert mark["y"] == pytest.approx(651 * 0.14 / 2, abs=mm)
    allowed = page.locator(".criterion:has(input[value='0'])").first
    allowed.click(position={"x": 5, "y": 5})
    page.keyboard.press("0")
    expect(allowed.locator("input[value='0']")).to_be_checked()
    saved(page)
    assert 0 in kept(page, 1).values()


def test_keys_alone(browser, server):
    """Without a mouse: the cursor is moved and marks, fields take letters as letters, the help closes."""
    page = desk(browser, server, "keys")
    page.locator("#overlay").focus()
    for key in ("m", "Shift+ArrowRight", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#marks li")).to_have_count(1)
    page.keyboard.press("c")
    page.keyboard.type("n1pi")
    page.keyboard.press("Escape")
    saved(page)
    assert page.locator("#comment").input_value() == "n1pi"
    assert chosen(page) == [""] * CRITERIA
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("3")  # not a rating while the help is open
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    assert chosen(page) == [""] * CRITERIA


def test_another_readers_link_in_the_same_browser(browser, server):
    """What one reader does is never saved under the other's name: it waits until the reader is back."""
    page = desk(browser, server, "keys")
    page.context.request.get(server.links["guest"])
    page.keyboard.press("5")
    expect(page.locator("#saving")).to_contain_text("opened the link of guest")
    expect(page.locator("#saving")).to_contain_text("waiting 1")
    assert clicks(server, browser, "guest") == 0
    page.context.request.get(server.links["keys"])
    saved(page)
    assert (clicks(server, browser, "keys"), clicks(server, browser, "guest")) == (1, 0)
