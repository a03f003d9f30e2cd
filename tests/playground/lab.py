"""The widget in a real JupyterLab, in headless Chromium: it trains, goes equation by equation, follows its state.

Pictures, to be looked at, are left in build/playground.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "playground"
sys.path.insert(0, str(HERE))

import browser as chromium  # noqa: E402

from mlpcore.widget.session import Session  # noqa: E402
from mlpcore.widget.state import parse  # noqa: E402

GIVEN = """\
import mlpcore, numpy as np, hashlib
from mlpcore.widget import Playground
random = np.random.default_rng(0)
X = random.normal(size=(200, 2)); y = np.digitize(X[:, 0] + X[:, 1] ** 2, [0, 1])
model = mlpcore.Sequential([mlpcore.Dense(6, "tanh"), mlpcore.Dense(3, "softmax")], seed=1)
mine = Playground(model, X, y)
p = Playground(state="data=xor&layers=4,4&seed=3&steps=40")
p"""
TELL = "print('STATE', p.state, hashlib.sha256(p._session.ask({'do': 'params'})['params'].tobytes()).hexdigest())"
GO = "p.state = 'data=circle&layers=3&seed=5&steps=60'; mine"


def notebook(*cells: str) -> str:
    made = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for i, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """JupyterLab, with nothing of this user's settings."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--IdentityProvider.token="]
    command += ["--ServerApp.port=0", f"--ServerApp.root_dir={folder}"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(folder / ".c"), "JUPYTERLAB_SETTINGS_DIR": str(folder / ".s")}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/lab", line):
                break
        else:
            sys.exit("JupyterLab did not start")
        yield f"http://127.0.0.1:{found[1]}"
    finally:
        process.terminate()
        process.wait()


def run_cell(page: chromium.Page, i: int) -> None:
    page.locator(".jp-Notebook .jp-CodeCell").nth(i).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def told(page: chromium.Page, i: int) -> tuple[str, str]:
    """Run the cell that prints state and hash, and return both."""
    run_cell(page, i)
    output = page.locator(".jp-Notebook .jp-CodeCell").nth(i).locator(".jp-OutputArea-output").filter(has_text="STATE")
    output.wait_for()
    _, state, digest = output.inner_text().split()
    return state, digest


def check(state: str, digest: str) -> None:
    """The kernel's network is the one that its state says."""
    params = Session(state=state).ask({"do": "params"})["params"]
    assert hashlib.sha256(params.tobytes()).hexdigest() == digest, state


def try_widget(page: chromium.Page) -> None:
    run_cell(page, 0)
    widget = page.locator(".mlp-playground").first
    widget.locator("button.unit").first.wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    widget.scroll_into_view_if_needed()
    for _ in range(9):
        widget.get_by_role("button", name="Equation", exact=True).click()
        page.wait_for_timeout(150)
    widget.locator("button.unit").nth(3).hover()
    page.wait_for_timeout(500)
    page.screenshot(path=BUILD / "lab_light.png")
    widget.get_by_role("button", name="▶ Run").click()
    page.wait_for_timeout(1000)
    before, began = int(widget.get_attribute("data-pictures") or 0), time.perf_counter()
    page.wait_for_timeout(4000)
    rate = (int(widget.get_attribute("data-pictures") or 0) - before) / (time.perf_counter() - began)
    widget.get_by_role("button", name="❚❚ Pause").click()
    page.wait_for_timeout(2000)
    state, digest = told(page, 1)
    assert parse(state).steps > 40, state
    check(state, digest)
    print(f"JupyterLab: {rate:.1f} pictures a second; the kernel's network is the one of its state, SHA-256 {digest}")
    run_cell(page, 2)
    page.locator(".mlp-playground").nth(1).locator("button.unit").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    assert "circle" in widget.locator("select[name=data]").input_value()
    assert not widget.locator(".message").is_visible()


def main() -> None:
    """Run it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium.browser() as browser:
        folder = Path(name)
        (folder / "playground.ipynb").write_text(notebook(GIVEN, TELL, GO))
        with lab(folder) as url:
            outside: list[str] = []
            page = browser.new_page(viewport={"width": 1400, "height": 1200})
            page.on("request", lambda request: outside.append(request.url) if url not in request.url else None)
            page.goto(f"{url}/lab/tree/playground.ipynb")
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
            page.wait_for_timeout(3000)
            try_widget(page)
            page.evaluate("document.body.dataset.jpThemeLight = 'false'")
            page.locator(".mlp-playground").nth(1).get_by_role("button", name="Rewind").scroll_into_view_if_needed()
            page.wait_for_timeout(1000)
            page.screenshot(path=BUILD / "lab_dark.png")
            wrong = [address for address in outside if address.startswith(("http:", "https:", "ws:"))]
            assert [address for address in wrong if url.replace("http", "ws") not in address] == [], wrong


if __name__ == "__main__":
    sys.exit(main())
