"""What stands on the screen is what DICOM says: greys read back from a real browser, against plain NumPy."""

import io

import numpy as np
import pytest
from PIL import Image

from naive_view import View, fit, linear, sampled, sigmoid, table
from served import Served, shown, watched
from study_on_disk import SPACING, study


@pytest.fixture(scope="module")
def desk(tmp_path_factory, browser):
    """A page on three cases, and what is in them."""
    folder = tmp_path_factory.mktemp("pixels")
    left, right, cases = study(folder)
    server = Served(folder / "store", left, right, ["one"])
    page = watched(browser.new_context(viewport={"width": 900, "height": 560}).new_page())
    page.goto(server.links["one"])
    shown(page)
    page.evaluate("document.getElementById('overlay').style.opacity = 0")
    yield page, {case.name: case for case in cases}
    assert page.faults == []
    server.end()


def opened(page, cases, name):
    """Goes to the case; what the server says of its images."""
    wanted = cases[name]
    for number in (1, 2, 3):
        said = page.evaluate("n => import('/api.js').then(({ openCase }) => openCase(n))", number)
        image = said["images"][0]
        if (image["signed"], image["inverted"]) == (wanted.signed, wanted.photometric == "MONOCHROME1"):
            break
    while page.locator("#where").inner_text() != f"Case {number} of 3":
        here = int(page.locator("#where").inner_text().split()[1])
        page.keyboard.press("n" if here < number else "p")
    shown(page)
    page.mouse.move(5, 5)
    return wanted, said["images"]


def stage(page) -> np.ndarray:
    """The screen where the images are, without what is drawn over them."""
    shown(page)
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    box = page.locator("#stage").bounding_box()
    left, top = round(box["x"]), round(box["y"])
    picture = picture[top : round(box["y"] + box["height"]), left : round(box["x"] + box["width"])]
    assert (picture == picture[..., :1]).all(), "not grey"
    return picture[..., 0]


def panels(page) -> list[np.ndarray]:
    """The greys of both sides."""
    picture = stage(page)
    half = (picture.shape[1] - 2) // 2
    return [picture[:, :half], picture[:, half + 2 : 2 * half + 2]]


def agree(page, case, images, view, window, *, negative=None) -> None:
    """Every pixel of both sides, within one grey of 255 (of the graphics' own rounding)."""
    negative = case.photometric == "MONOCHROME1" if negative is None else negative
    for grey, image in zip(panels(page), images, strict=True):
        stored, spacing = case.pixels(image["rows"])
        assert image["spacing"] == pytest.approx([spacing, spacing])
        values, on_image = sampled(stored, spacing, view, grey.shape[1], grey.shape[0])
        wanted = window(values * case.slope + case.intercept)
        wanted = np.where(on_image, 255 * (1 - wanted if negative else wanted), 0)
        # where the edge of the image falls on the middle of a pixel, either is right
        inner = on_image == np.roll(on_image, 1, 0)
        for shift, axis in ((-1, 0), (1, 1), (-1, 1)):
            inner &= on_image == np.roll(on_image, shift, axis)
        assert inner.mean() > 0.95
        assert wanted[inner].std() > 3, "nothing to compare"
        assert np.abs(grey - wanted)[inner].max() <= 1.01


def windows(case):
    functions = {"LINEAR": linear, "SIGMOID": sigmoid, "LINEAR_EXACT": lambda x, c, w: np.clip((x - c) / w + 0.5, 0, 1)}
    return lambda x: functions[case.function](x, case.centre, case.width)


@pytest.mark.parametrize("name", ["plain", "inverted", "signed"])
def test_greys_at_every_zoom(desk, name):
    """Fit (from the pyramid), 100 %, 200 %, 600 %: both matrices, each interpolated alike."""
    page, cases = desk
    case, images = opened(page, cases, name)
    page.keyboard.press("f")
    height, width = panels(page)[0].shape
    view = fit(*case.original.shape, SPACING, width, height)
    agree(page, case, images, view, windows(case))
    for key, percent in (("z", 100), ("x", 600)):
        page.keyboard.press(key)
        agree(page, case, images, View(view.x, view.y, SPACING * 100 / percent), windows(case))


def test_polarity_and_window_follow_the_reader(desk):
    page, cases = desk
    case, images = opened(page, cases, "plain")
    page.keyboard.press("z")
    view = View(case.original.shape[1] * SPACING / 2, case.original.shape[0] * SPACING / 2, SPACING)
    page.keyboard.press("i")
    agree(page, case, images, view, windows(case), negative=True)
    page.keyboard.press("i")
    for _ in range(5):
        page.keyboard.press("[")
    page.keyboard.press(",")
    width = case.width * 0.9**5
    agree(page, case, images, view, lambda x: linear(x, case.centre - 0.05 * width, width))
    page.keyboard.press("v")
    page.keyboard.press("v")
    shown(page)
    page.keyboard.press("v")


def test_sides_in_one_place(desk):
    """The flicker shows the same two images, one after the other, at the same place."""
    page, cases = desk
    case, images = opened(page, cases, "signed")
    page.keyboard.press("b")
    page.keyboard.press("z")
    window = windows(case)
    for image in images:
        grey = stage(page)
        stored, spacing = case.pixels(image["rows"])
        view = View(case.original.shape[1] * SPACING / 2, case.original.shape[0] * SPACING / 2, SPACING)
        values, on_image = sampled(stored, spacing, view, grey.shape[1], grey.shape[0])
        wanted = 255 * window(values * case.slope + case.intercept)
        inner = on_image & np.roll(on_image, 1, 1) & np.roll(on_image, -1, 1)
        assert np.abs(grey - wanted)[inner].max() <= 1.01
        page.keyboard.press("Space")
    page.keyboard.press("b")


def test_a_lost_context_comes_back(desk):
    """A graphics card that is reset: the same pixels again, without a reload."""
    page, cases = desk
    opened(page, cases, "plain")
    page.keyboard.press("f")
    before = panels(page)
    page.evaluate(
        """async () => {
          const canvas = document.getElementById("pixels");
          const loss = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
          const heard = (name) => new Promise((resolve) => canvas.addEventListener(name, resolve, { once: true }));
          const lost = heard("webglcontextlost");
          loss.loseContext();
          await lost;
          await new Promise((resolve) => setTimeout(resolve));
          const restored = heard("webglcontextrestored");
          loss.restoreContext();
          await restored;
        }"""
    )
    for was, now in zip(before, panels(page), strict=True):
        np.testing.assert_array_equal(was, now)


def test_voi_lut_is_a_table(desk):
    """A table as the protocol sends it, through the page's own modules: PS3.3 C.11.2.1.1."""
    page, _ = desk
    values = [0, 10, 40, 90, 160, 250]
    grey = page.evaluate(
        """async (values) => {
          const { Screen } = await import("/screen.js");
          const { windowOf } = await import("/greys.js");
          const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 1 });
          const screen = new Screen(canvas, () => {}, () => {});
          const image = { key: "table", rows: 1, columns: 64, spacing: [1, 1], signed: false, inverted: false, slope: 1,
                          intercept: -10, url: () => "" };
          const window = windowOf({ table: { first: 5, values, maximum: 250 } });
          const panel = { left: 0, top: 0, width: 64, height: 1 };
          const tile = { image, level: 0, column: 0, row: 0, key: "table/0/0/0" };
          screen.tiles.place(tile, Uint16Array.from({ length: 64 }, (_, n) => n));
          screen.draw([{ image, view: { x: 32, y: 0.5, mm: 1 }, panel, window, inverted: false }]);
          const pixels = new Uint8Array(64 * 4);
          screen.gl.readPixels(0, 0, 64, 1, screen.gl.RGBA, screen.gl.UNSIGNED_BYTE, pixels);
          return [...pixels].filter((_, n) => n % 4 === 0);
        }""",
        values,
    )
    wanted = 255 * table(np.arange(64) - 10.0, 5, np.array(values) / 250)
    assert np.abs(np.array(grey) - wanted).max() <= 1.01
    assert len(set(grey)) == len(values)


def test_standard_display_function(desk):
    """PS3.14, Table B-1: luminance of JND indices; and equal steps of P-values are equal steps of it."""
    page, _ = desk
    found = page.evaluate(
        """async () => {
          const { luminance, jnd, standardCurve } = await import("/greys.js");
          const display = { darkest: 0.5, brightest: 250, gamma: 2.2 };
          return [[1, 2, 3, 1023].map(luminance), jnd(luminance(400)), [...standardCurve(display, 256)]];
        }"""
    )
    assert found[0] == pytest.approx([0.0500, 0.0547, 0.0594, 3993.404], abs=5e-5, rel=1e-4)
    assert found[1] == pytest.approx(400, abs=1e-6)
    light = 0.5 + 249.5 * np.array(found[2]) ** 2.2
    steps = np.diff(page.evaluate("l => import('/greys.js').then(({ jnd }) => l.map(jnd))", light.tolist()))
    assert steps == pytest.approx(np.full(255, steps.mean()), rel=1e-3)
