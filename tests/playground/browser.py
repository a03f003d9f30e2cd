"""The page in headless Chromium, from a file server on localhost."""

from __future__ import annotations

import hashlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

SIZE = {"width": 1200, "height": 1000}
LEAST_RATE = 30.0
RATE_STATE = "data=spiral&layers=8,8&activation=tanh&output=softmax-cce&seed=1"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.html"
    finally:
        server.shutdown()


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    if not chromium:
        sys.exit("test-playground needs what is not here: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def opened(browser: Browser, url: str, requests: list[str], **options: Any) -> Page:
    """A page that has drawn itself; what it asks for comes into a list, and an error of its own ends the test."""
    page = browser.new_page(viewport=SIZE, **options)
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: sys.exit(f"the page failed: {error}"))
    page.goto(url)
    page.wait_for_function("Number(document.querySelector('#playground').dataset.pictures) > 0")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def settled(page: Page) -> None:
    page.evaluate("document.querySelector('#playground').app.queue")


def weights(page: Page) -> str:
    """The SHA-256 of all parameters, which the engine copies out of the module's memory."""
    text = page.evaluate(
        "document.querySelector('#playground').app.engine.ask({ do: 'params' })"
        ".then(({ params }) => Array.from(new Uint8Array(params.buffer)))"
    )
    return hashlib.sha256(bytes(text)).hexdigest()


def pictures(page: Page) -> int:
    return int(page.evaluate("document.querySelector('#playground').dataset.pictures"))


def rate(page: Page, seconds: float) -> tuple[float, float]:
    """Pictures a second while it runs, and milliseconds that the page computes for each."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def computed() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "ThreadTime"))

    press(page, "▶ Run")
    time.sleep(1)
    before, busy, began = pictures(page), computed(), time.perf_counter()
    time.sleep(seconds)
    drawn, took = pictures(page) - before, time.perf_counter() - began
    each = 1000 * (computed() - busy) / drawn
    press(page, "❚❚ Pause")
    settled(page)
    return drawn / took, each
