"""The reader study's page, measured and photographed in headless Chromium (extras `reader`, `test`; Debian's chromium).

    python -m benchmarks.reader_page               phantoms of full size: 3328×4096 beside SR of 6656×8192
    python -m benchmarks.reader_page --shape 1024 832 --screenshots build/page

Printed are, with median and largest: from the click on "next case" until all that the view shows is drawn, with the
browser's cache empty and with the next case fetched ahead; and the script's time for each frame of zoom, pan, window.
Headless Chromium draws in software, which takes its own time after the script's.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIZES = ((1366, 768), (4096, 2560))
CHROMIUM = ("--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader")
CASES = 3
SINCE_OPEN = (
    "performance.getEntriesByName('shown').at(-1).startTime - performance.getEntriesByName('open').at(-1).startTime"
)
FRAMES = "performance.getEntriesByName('frame').map((one) => one.duration)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0; what cannot be run raises."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reader_page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--shape", nargs=2, type=int, default=(4096, 3328), metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="PNG files of the page at two sizes")
    parser.add_argument("--chromium", default="/usr/bin/chromium", metavar="PATH")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        link, server = serve(Path(folder), *options.shape)
        try:
            look(link, options.chromium, options.screenshots)
        finally:
            server.terminate()
            server.wait()
    return 0


def serve(folder: Path, rows: int, columns: int) -> tuple[str, subprocess.Popen[str]]:
    """Draws phantoms, enlarges them, and serves both; the link of the reader."""
    command = [sys.executable, "-m", "fsrcnn_np"]
    left, right = folder / "original", folder / "sr"
    shape = ["--shape", str(rows), str(columns)]
    subprocess.run(
        [*command, "phantom", "-o", str(left), "--count", str(CASES), "--format", "dicom", *shape], check=True
    )
    for labels in left.glob("*.png"):
        labels.unlink()
    subprocess.run([*command, "upscale", str(left), "-o", str(right)], check=True)
    reading = [*command, "study", "read", str(folder / "store"), "--left", str(left), "--right", str(right)]
    server = subprocess.Popen([*reading, "--port", "0", "--prepare"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        print(line, end="")
        if line.startswith("reader 1: "):
            return line.removeprefix("reader 1: ").strip(), server
    raise RuntimeError("the server does not start")


def look(link: str, chromium: str, screenshots: Path | None) -> None:
    """Opens the page at both sizes, measures, and takes pictures."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        print("\n| display | action | median ms | largest ms |\n|---|---|---|---|")
        for width, height in SIZES:
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            page.goto(link)
            shown(page)
            first = page.evaluate(SINCE_OPEN)
            print(f"| {width}×{height} | first case, nothing in the browser's cache | {first:.1f} | |")
            if (width, height) == SIZES[0]:  # in software ten megapixels take a second a frame
                for action, times in measured(page):
                    print(f"| {width}×{height} | {action} | {statistics.median(times):.1f} | {max(times):.1f} |")
            if screenshots:
                photograph(page, screenshots, f"{width}x{height}")
            page.context.close()
        browser.close()


def shown(page: Any) -> None:
    """Waits until all tiles that the view shows are drawn."""
    page.wait_for_selector("#stage[data-shown=yes][data-complete=yes]", timeout=60_000)


def measured(page: Any) -> list[tuple[str, list[float]]]:
    """Each action with its times in ms."""
    rows: list[tuple[str, list[float]]] = []
    opened = []
    for key in "nnpp":
        page.wait_for_load_state("networkidle")
        page.keyboard.press(key)
        shown(page)
        opened.append(page.evaluate(SINCE_OPEN))
    rows.append(("next or previous case", opened))
    box = page.locator("#overlay").bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    page.mouse.move(x, y)

    def frames(action: str, moves: Any) -> None:
        page.evaluate("performance.clearMeasures('frame')")
        moves()
        shown(page)
        rows.append((f"script of a frame: {action}", page.evaluate(FRAMES)))

    def drag(button: str) -> None:
        page.mouse.down(button=button)
        page.mouse.move(x + 300, y + 200, steps=15)
        page.mouse.move(x, y, steps=15)
        page.mouse.up(button=button)

    frames("zoom by wheel", lambda: [page.mouse.wheel(0, step) for step in [-60] * 20 + [60] * 10])
    frames("pan", lambda: drag("left"))
    frames("window", lambda: drag("right"))
    page.keyboard.press("l")
    frames("magnifier", lambda: page.mouse.move(x + 200, y, steps=15))
    page.keyboard.press("l")
    return rows


def photograph(page: Any, folder: Path, name: str) -> None:
    """The page at work: side by side, magnified, at 600 %, its help."""
    folder.mkdir(parents=True, exist_ok=True)
    box = page.locator("#overlay").bounding_box()
    page.keyboard.press("f")
    page.mouse.move(box["x"] + box["width"] / 5, box["y"] + box["height"] / 2)
    for key in "44352":
        page.keyboard.press(key)
    shown(page)
    page.screenshot(path=folder / f"{name}-side-by-side.png")
    page.keyboard.press("l")
    page.keyboard.press("m")
    page.mouse.click(box["x"] + box["width"] / 5, box["y"] + box["height"] / 2)
    shown(page)
    page.screenshot(path=folder / f"{name}-magnifier.png")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    shown(page)
    page.screenshot(path=folder / f"{name}-600.png")
    page.keyboard.press("b")
    page.keyboard.press("f")
    shown(page)
    page.keyboard.press("?")
    page.screenshot(path=folder / f"{name}-help.png")
    page.keyboard.press("Escape")


if __name__ == "__main__":
    sys.exit(main())
