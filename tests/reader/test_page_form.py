"""The page as an instrument: sizes, fingers, wheel, what assistive technology finds, what it says without WebGL2."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from served import Served, shown, until, watched
from study_on_disk import study


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("form")
    left, right, _ = study(folder)
    server = Served(folder / "store", left, right, ["one"])
    yield server
    server.end()


def desk(browser, server, **options):
    page = watched(browser.new_context(**{"viewport": {"width": 1366, "height": 768}, **options}).new_page())
    page.goto(server.links["one"])
    return page


def percent(page) -> int:
    return int(page.locator("#facts").inner_text().split("Zoom ")[1].split()[0])


@pytest.mark.parametrize("size", [(1366, 768, 1), (2048, 1280, 2)])
def test_everything_is_in_sight(browser, server, size):
    """On a small laptop and on ten megapixels: images in the screen's own pixels, all criteria without scrolling."""
    width, height, ratio = size
    page = desk(browser, server, viewport={"width": width, "height": height}, device_scale_factor=ratio)
    shown(page)
    assert page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]") == [width, height]
    last = page.locator(".criterion").last.bounding_box()
    assert last["y"] + last["height"] <= height
    box = page.locator("#stage").bounding_box()
    drawn = page.evaluate("[document.getElementById('pixels').width, document.getElementById('pixels').height]")
    assert drawn == [round(box["width"] * ratio), round(box["height"] * ratio)]
    page.set_viewport_size({"width": width - 200, "height": height - 100})
    box = page.locator("#stage").bounding_box()
    until(
        lambda: page.evaluate("document.getElementById('pixels').width") == round(box["width"] * ratio),
        "the images follow the window's size",
    )
    page.context.close()


def test_what_other_programs_of_this_machine_kept_is_not_ours(browser, server):
    """Another server had this port before, or has another one: its cookies, and its own idea of a display."""
    page = watched(browser.new_context().new_page())
    page.goto(f"http://127.0.0.1:{server.port}/page.css")
    for kept in ("dark", "{}", "3"):
        page.evaluate(
            "kept => { for (const key of ['display', 'fsrcnn-np display']) localStorage.setItem(key, kept) }", kept
        )
        page.context.add_cookies([{"name": "reader", "value": "x", "url": f"http://127.0.0.1:{server.port}/"}])
        page.goto(server.links["one"])
        shown(page)
        assert not page.locator("#message").is_visible()
        assert not page.faults
    page.context.close()


def test_accessible(browser, server):
    """Nothing serious for axe-core: the desk, the help, the greys."""
    page = desk(browser, server)
    shown(page)
    for key in ("", "?", "g"):
        if key:
            page.keyboard.press(key)
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
        if key:
            page.keyboard.press("Escape")
    page.context.close()


@pytest.mark.parametrize(("scheme", "keys"), [("light", "42"), ("dark", "51")])
def test_results_page_is_accessible_and_renews_itself(browser, server, scheme, keys):
    """Table 2 and its bars; a click of a reader comes in without a reload."""
    page = desk(browser, server)
    shown(page)
    page.keyboard.press(keys[0])
    expect(page.locator("#saving")).to_have_text("all saved")
    owner = watched(browser.new_context(color_scheme=scheme).new_page())
    owner.goto(server.links["results"])
    expect(owner.locator("h2", has_text="Table 2")).to_be_visible()
    found = [v for v in Axe().run(owner).response["violations"] if v["impact"] != "minor"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    owner.evaluate("window.same = true")
    before = owner.locator("#live").inner_html()
    page.keyboard.press(keys[1])
    expect(page.locator("#saving")).to_have_text("all saved")
    owner.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as a tab that is looked at again
    until(lambda: owner.locator("#live").inner_html() != before, "the click comes in")
    assert owner.evaluate("window.same")
    assert owner.faults == page.faults == []
    for one in (owner, page):
        one.context.close()


def test_a_comment_is_not_saved_while_it_is_written(browser, server):
    """From its first letter on, not only once it has been sent."""
    page = desk(browser, server)
    shown(page)
    expect(page.locator("#saving")).to_have_text("all saved")
    said = page.evaluate(
        """() => {
          const note = document.getElementById("comment");
          note.value += "x";
          note.dispatchEvent(new Event("input"));
          return document.getElementById("saving").textContent;
        }"""
    )
    assert said == "waiting 1"
    expect(page.locator("#saving")).to_have_text("all saved")
    page.context.close()


def test_wheel_drag_and_fingers(browser, server):
    """The wheel zooms at the cursor, a drag pans, a right drag windows, two fingers zoom; both sides go together."""
    page = desk(browser, server, has_touch=True)
    shown(page)
    box = page.locator("#overlay").bounding_box()
    x, y = box["x"] + 150, box["y"] + 200
    page.mouse.move(x, y)
    cursor = page.locator("#facts").inner_text().split("\n")[-1]
    before = percent(page)
    page.mouse.wheel(0, -600)
    until(lambda: percent(page) > 2 * before, "the wheel zooms")
    assert page.locator("#facts").inner_text().split("\n")[-1] == cursor  # the place under the cursor stays
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=3)
    page.mouse.up()
    assert page.locator("#facts").inner_text().split("\n")[-1] == cursor  # it went with the hand
    facts = page.locator("#facts").inner_text()
    page.mouse.down(button="right")
    page.mouse.move(x + 160, y + 60, steps=3)
    page.mouse.up(button="right")
    until(
        lambda: page.locator("#facts").inner_text().split("Centre")[1] != facts.split("Centre")[1], "the window moves"
    )
    page.keyboard.press("f")
    until(lambda: percent(page) == before, "fits again")
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *places):
        points = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (x, y), (x + 40, y))
    for n in range(1, 6):
        fingers("touchMove", (x - 8 * n, y), (x + 40 + 8 * n, y))
    fingers("touchEnd")
    until(lambda: percent(page) == pytest.approx(3 * before, rel=0.05), "two fingers zoom")
    assert page.faults == []
    page.context.close()


def test_no_webgl(browser, server):
    """One clear line, and no exception."""
    context = browser.new_context()
    context.add_init_script(
        "const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        "  return kind === 'webgl2' ? null : real.call(this, kind, ...more); };"
    )
    page = watched(context.new_page())
    page.goto(server.links["one"])
    expect(page.locator("#message")).to_contain_text("does not offer WebGL2")
    assert page.faults == []
    context.close()


def test_without_a_link(browser, server):
    page = watched(browser.new_context().new_page())
    page.goto(f"http://127.0.0.1:{server.port}/")
    expect(page.locator("#message")).to_contain_text("link")
    assert page.faults == []
