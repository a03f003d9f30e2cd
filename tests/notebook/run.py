"""What a notebook shows by itself, in a real JupyterLab in headless Chromium, without a network: `make test-notebook`.

Each page is a function that looks at some cells; pictures, to be looked at, are left in build/notebook. The lessons'
first one is run too, from its first cell to its last.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jupytext
from playwright.sync_api import Locator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "notebook"
sys.path.insert(0, str(HERE.parent / "playground"))

import browser as chromium  # noqa: E402
import lab  # noqa: E402

GIVEN = """\
import time, numpy as np, mlpcore
from mlpcore import gradcheck
X = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=1)
print("ready")"""
FIT = """\
options = dict(epochs=2000, batch_size=4, validation_split=0.2, metrics=["f1", "precision", "recall"])
history = model.fit(X, y, "bce", **options, callbacks=[lambda *told: time.sleep(0.003)])  # the bar can be looked at"""
CELLS = {
    "given": GIVEN,
    "model": "model",
    "summary": "model.summary()",
    "fit": FIT,
    "history": "history",
    "pandas": "import pandas; pandas.DataFrame(history).tail(2)",
    "layer": "a = model.forward(X[:5]); loss = model.backward(y[:5], loss='bce'); model.layers[0]",
    "check": "gradcheck.check_model(model, X[:5], y[:5], 'bce')",
    "trace": "t = model.trace([[1.0, 2.0]], [[1]], loss='bce'); t",
    "step": "steps = model.steps([[1.0, 2.0]], [[1]], loss='bce'); steps.find(equation=2)[0]",
    "curves": "display = history.plot()",
    "help": "model.fit(",
    "stop": "model.fit(X, y, 'bce', epochs=1_000_000, batch_size=1)",
    "kept": "print('kept', len(model.history.epoch) == len(model.history['loss']))",
}
WIDTHS = (1200, 1920)


class Lesson:
    """A notebook that is open: its cells by name, what they put out, and everything that went wrong on the page."""

    def __init__(self, page: chromium.Page, cells: list[str]) -> None:
        self.page, self.cells = page, cells

    def cell(self, name: str) -> Locator:
        """The cell of a name."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(self.cells.index(name))

    def start(self, name: str) -> None:
        """Begin to run a cell; a page that is not ready yet may need to be told twice."""
        for _ in range(5):
            self.cell(name).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            for _ in range(10):
                self.page.wait_for_timeout(100)
                if self.prompt(name).inner_text().strip() not in ("[ ]:", ""):
                    return
        raise AssertionError(f"{name} cannot be run")

    def prompt(self, name: str) -> Locator:
        """What stands before a cell: [ ] before it runs, [*] while it does, and then a number."""
        return self.cell(name).locator(".jp-InputPrompt")

    def run(self, name: str, *, seconds: int = 60) -> str:
        """Run a cell, and return the text that it put out."""
        self.start(name)
        for _ in range(10 * seconds):
            if re.match(r"\[\d+\]", self.prompt(name).inner_text()):
                self.page.wait_for_timeout(400)
                return self.output(name).inner_text()
            self.page.wait_for_timeout(100)
        self.page.screenshot(path=BUILD / "late.png")
        raise AssertionError(f"{name} did not end: {BUILD / 'late.png'}")

    def output(self, name: str) -> Locator:
        """What a cell has put out."""
        return self.cell(name).locator(".jp-OutputArea").first

    def picture(self, name: str, file: str) -> None:
        """Leave a picture of a cell with its output."""
        self.cell(name).scroll_into_view_if_needed()
        self.page.wait_for_timeout(200)
        self.cell(name).screenshot(path=BUILD / f"{file}.png")

    def fits(self, name: str) -> None:
        """Assert that nothing put out is wider than its place."""
        outputs = self.output(name).locator(".jp-OutputArea-output").all()
        wide = [o for o in outputs if o.evaluate("o => o.scrollWidth > o.clientWidth + 1")]
        assert wide == [], f"the output of {name} is wider than its place"


def check_tables(lesson: Lesson, how: str) -> None:
    """Model, summary, history, layer and gradient check are tables, once each, and no text is beside them."""
    expected = {
        "model": ["Sequential: inputs 2, float32, seed 1", "layer", "1 Dense", "tanh", "total"],
        "summary": ["layer", "parameters", "17"],
        "history": ["History of 2,000 epochs", "val_loss", "1999", "⋮"],
        "pandas": ["loss", "1999"],
        "layer": ["Dense(4, 'tanh'", "σ(z) = ", "grad_w", "equations 1 and 2"],
        "check": ["17 components agree", "layers[0].w", "worst error"],
    }
    for name, texts in expected.items():
        shown = lesson.run(name)
        assert [text for text in texts if text not in shown] == [], f"{name} shows {shown}"
        assert lesson.output(name).locator("table").count() == 1, name
        colour, ground = (
            lesson.output(name)
            .locator("td")
            .first.evaluate(
                "e => { let g = e; const of = x => getComputedStyle(x).backgroundColor;"
                "while (g && /rgba\\(.*, 0\\)|transparent/.test(of(g))) g = g.parentElement;"
                "return [getComputedStyle(e).color, of(g || document.body)] }"
            )
        )
        assert contrast(colour, ground) > 7, f"{name}: {colour} on {ground}"
        if name != "pandas":  # whose table is its own
            lesson.fits(name)
        lesson.picture(name, f"{name}-{how}")


def contrast(one: str, two: str) -> float:
    """Return the contrast of WCAG 2 between two colours of CSS."""

    def luminance(colour: str) -> float:
        rgb = [int(float(number)) / 255 for number in re.findall(r"[\d.]+", colour)[:3]]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def check_bar(lesson: Lesson, how: str) -> None:
    """The bar runs within its place, without ipywidgets, and leaves one line."""
    lesson.start("fit")
    bar = lesson.output("fit").locator("progress")
    bar.wait_for(timeout=30_000)
    lesson.page.wait_for_timeout(1200)
    shown = lesson.output("fit").inner_text()
    assert re.search(r"[\d,]+ of 2,000 epochs, .* left: loss ", shown), shown
    lesson.fits("fit")
    lesson.picture("fit", f"bar-{how}")
    bar.wait_for(state="detached", timeout=120_000)
    left = lesson.output("fit").inner_text().strip()
    assert re.fullmatch(r"2,000 epochs in [\d.]+ (s|min.*): loss .*val_recall [\d.]+", left), left
    lesson.picture("fit", f"bar-left-{how}")


def check_formulas(lesson: Lesson, how: str) -> None:
    """A trace and one of its steps are typeset, with matrices as tables."""
    for name, texts in {"trace": ("Forward", "Backward", "layer 2"), "step": ("φ",)}.items():
        shown = lesson.run(name)
        assert [text for text in texts if text not in shown] == [], f"{name} shows {shown}"
        assert lesson.output(name).locator("table").count() > 3, name
        lesson.fits(name)
        lesson.picture(name, f"{name}-{how}")


def check_curves(lesson: Lesson, how: str) -> None:
    """A history draws itself once."""
    lesson.run("curves")
    assert lesson.output("curves").locator("img").count() == 1
    lesson.picture("curves", f"curves-{how}")


def check_help(lesson: Lesson, how: str) -> None:
    """Shift+Tab on fit shows its signature, with names and not what types stand for, and its docstring."""
    lesson.cell("help").locator(".cm-content").click()
    lesson.page.keyboard.press("End")
    lesson.page.keyboard.press("Shift+Tab")
    tip = lesson.page.locator(".jp-Tooltip")
    tip.wait_for(timeout=20_000)
    lesson.page.wait_for_timeout(500)
    shown = tip.inner_text()
    for text in "Train for some epochs", "X: 'ArrayLike'", "Array_like of shape".lower(), "epochs: 'int' = 1":
        assert text in shown, shown
    lesson.page.screenshot(path=BUILD / f"help-{how}.png")
    lesson.page.keyboard.press("Escape")


def check_stop(lesson: Lesson, how: str) -> None:
    """The Stop button ends a fit with a short message, and history holds what there was."""
    lesson.start("stop")
    lesson.output("stop").locator("progress").wait_for(timeout=30_000)
    lesson.page.wait_for_timeout(1500)
    lesson.page.keyboard.press("Escape")
    lesson.page.locator('[data-command="notebook:interrupt-kernel"]').first.click()
    message = lesson.output("stop").get_by_text("KeyboardInterrupt")
    message.wait_for(timeout=20_000)
    shown = lesson.output("stop").inner_text()
    stopped = re.search(r"KeyboardInterrupt: fit was stopped after ([\d,]+) of 1,000,000 epochs", shown)
    assert stopped, shown
    assert shown.startswith(f"{stopped[1]} of 1,000,000 epochs in "), shown
    assert "Traceback" not in shown, shown
    assert ".py" not in shown, shown
    lesson.picture("stop", f"stop-{how}")
    assert "kept True" in lesson.run("kept")


def check_saved(lesson: Lesson, file: Path) -> None:
    """What is saved, and so exported, has one line for the bar."""
    lesson.page.keyboard.press("Control+s")
    lesson.page.wait_for_timeout(2500)
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    (bar,) = cells[lesson.cells.index("fit")]["outputs"]
    (line,) = "".join(bar["data"]["text/plain"]).splitlines()
    assert line.startswith("2,000 epochs in ")
    assert "<progress" not in "".join(bar["data"]["text/html"])


@contextmanager
def opened(browser: chromium.Browser, url: str, file: str, width: int, cells: list[str]) -> Iterator[Lesson]:
    """Open a notebook; at the end no request went anywhere else, and the page logged no error."""
    outside: list[str] = []
    errors: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 1000})
    home = url.removeprefix("http://")
    page.on("request", lambda request: outside.append(request.url) if home not in request.url else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.goto(f"{url}/lab/tree/{file}?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    yield Lesson(page, cells)
    page.close()
    wrong = [address for address in outside if address.startswith(("http:", "https:", "ws:", "wss:"))]
    assert wrong == [], wrong
    assert errors == [], errors


def check_lesson(browser: chromium.Browser, url: str, file: str) -> None:
    """A lesson of the course runs from its first cell to its last, without an error."""
    with opened(browser, url, file, 1200, []) as lesson:
        lesson.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        lesson.page.get_by_role("menuitem", name="Run", exact=True).click()
        lesson.page.locator('[data-command="runmenu:run-all"]').first.click()
        lesson.page.wait_for_timeout(3000)
        lesson.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for(timeout=120_000)
        lesson.page.wait_for_timeout(1500)
        assert lesson.page.locator('.jp-OutputArea-output[data-mime-type*="error"]').count() == 0
        lesson.page.screenshot(path=BUILD / "lesson.png")


def settle(folder: Path, name: str) -> None:
    """Choose the theme of JupyterLab for the pages that will be opened, and no news."""
    settings = folder / ".s" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    chosen = {"themes": {"theme": name}, "notification": {"fetchNews": "false", "checkForUpdates": False}}
    for plugin, values in chosen.items():
        (settings / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values), encoding="utf-8")


def main() -> None:
    """Run it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium.browser() as browser:
        folder = Path(name)
        for width in WIDTHS:
            (folder / f"shown-{width}.ipynb").write_text(lab.notebook(*CELLS.values()), encoding="utf-8")
        lessons = sorted((ROOT / "notebooks").glob("01-*.md"))
        for each in lessons:
            jupytext.write(jupytext.read(each), folder / f"{each.stem}.ipynb")
        with lab.lab(folder) as url:
            for width, colours in zip(WIDTHS, ("Light", "Dark"), strict=True):
                settle(folder, f"JupyterLab {colours}")
                file, how = f"shown-{width}.ipynb", f"{width}-{colours.lower()}"
                with opened(browser, url, file, width, list(CELLS)) as lesson:
                    assert "ready" in lesson.run("given", seconds=120)
                    check_bar(lesson, how)
                    check_tables(lesson, how)
                    check_formulas(lesson, how)
                    check_curves(lesson, how)
                    check_help(lesson, how)
                    check_stop(lesson, how)
                    check_saved(lesson, folder / file)
                print(f"{width} pixels, {colours.lower()}: all as it should be")
            for each in lessons:
                check_lesson(browser, url, f"{each.stem}.ipynb")
                print(f"{each.name}: ran to its end")
    print(f"pictures: {BUILD.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
