"""The command `study read` as a process that can be killed, and a browser that reads with it."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=20_000)


class Served:
    """A reader study on loopback; `links` by reader."""

    def __init__(self, store: Path, left: Path, right: Path, readers: list[str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        names = [word for name in readers for word in ("--reader", name)]
        self.command = [sys.executable, "-m", "fsrcnn_np", "study", "read", str(store), "--left", str(left), "--right",
                        str(right), "--port", str(self.port), *names]  # fmt: skip
        self.said = store.parent / "said.txt"
        self.links: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """Returns when the links are printed: then the port answers."""
        with self.said.open("w") as said:
            self.process = subprocess.Popen(self.command, stdout=said, stderr=subprocess.STDOUT)
        until(lambda: "results: " in self.said.read_text() or self.process.poll() is not None, "the links", 120)
        assert self.process.poll() is None, self.said.read_text()
        for line in self.said.read_text().splitlines():
            if found := re.fullmatch(r"(.+): (http://127\.0\.0\.1:\d+/enter/\S+)", line):
                self.links.setdefault(found[1], found[2])

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, without a screen, drawing in software."""
    options = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader", "--force-color-profile=srgb"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()


def until(true, what: str, seconds: float = 20) -> None:
    """Waits for a state, not for a time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def watched(page: Page) -> Page:
    """A page whose errors are the test's: exceptions, and what the policy of the page forbids."""
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: page.faults.append(m.text) if "Content Security Policy" in m.text else None)
    return page


def shown(page: Page) -> None:
    """All tiles that the view shows are drawn."""
    page.wait_for_selector("#stage[data-shown=yes]")
    expect(page.locator("#stage")).to_have_attribute("data-complete", "yes")


def saved(page: Page) -> None:
    expect(page.locator("#saving")).to_have_text("all saved")
