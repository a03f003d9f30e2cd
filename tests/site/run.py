"""Opens every page of the docs site in a headless browser, from files and with no network: `make test-site`.

Fails on a request that leaves the folder, an error of a script, mathematics that was not drawn, a link to a page or a
section that is not there, anything that is wider than a window of 1,200 pixels allows, and if the search does not find.
Pictures of the pages that are named on the command line go to build/site-pictures, 1,200 and 1,920 pixels wide, light
and dark.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent.parent
SITE = ROOT / "build" / "site"
PICTURES = ROOT / "build" / "site-pictures"
WIDTHS, SCHEMES, WIDEST = (1200, 1920), ("light", "dark"), 1000
MATHEMATICS_IS_DRAWN = "() => !window.MathJax || (MathJax.startup && MathJax.startup.promise.then(() => true))"
RAW = r"""() => [...document.querySelectorAll("article *")].filter(e => !e.closest("pre, code, mjx-container, script"))
    .flatMap(e => [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.textContent))
    .filter(t => /\\[a-z]{3,}|\$[^$]+\$|\\\(/.test(t))"""
WIDE = """() => [...document.querySelectorAll("article pre, article mjx-container, article .table-wrapper")]
    .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
    .map(e => `${e.scrollWidth} > ${e.clientWidth}: ${e.textContent.trim().slice(0, 50)}`)"""
LINKS = """() => [...document.querySelectorAll("article a[href], nav a[href]")].map(a => a.href)"""
IDS = """() => [...document.querySelectorAll("[id]")].map(e => e.id)"""


def opened(browser: Browser, width: int, scheme: str, faults: list[str]) -> Page:
    """Return a window without a network, which tells what it does not get."""
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or faults.append(f"request {r.url}"))
    page.on("requestfailed", lambda r: faults.append(f"failed {r.url}"))
    page.on("console", lambda message: message.type == "error" and faults.append(f"console {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"script {error}"))
    return page


def visit(page: Page, file: Path, query: str = "") -> None:
    """Open a page and wait until its mathematics is drawn."""
    page.goto(f"{file.as_uri()}?{query}", wait_until="load")
    page.wait_for_function(MATHEMATICS_IS_DRAWN)


def broken(links: dict[Path, set[str]], ids: dict[Path, set[str]]) -> Iterator[str]:
    """Yield the links that lead nowhere."""
    for file, addresses in links.items():
        for address in sorted(addresses):
            url = urlsplit(address)
            target = Path(unquote(url.path))
            if url.scheme != "file":
                continue
            if not target.exists():
                yield f"{file.relative_to(SITE)}: no {address}"
            elif url.fragment and target in ids and unquote(url.fragment) not in ids[target]:
                yield f"{file.relative_to(SITE)}: no section {address}"


def searched(page: Page, words: str) -> list[str]:
    """Return the titles that the search finds."""
    page.goto(f"{(SITE / 'search.html').as_uri()}?q={words}", wait_until="load")
    page.wait_for_selector("ul.search li a", timeout=20_000)
    return page.locator("ul.search li a").all_inner_texts()


def main() -> int:
    """Look at every page; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="of which to take pictures: docs/index.html ...")
    parser.add_argument("--browser", default=shutil.which("chromium"), help="default: chromium; else playwright's own")
    chosen = parser.parse_args()
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chosen.browser, args=["--no-sandbox"])
        page = opened(browser, min(WIDTHS), "light", faults)
        links, ids, formulas = {}, {}, 0
        files = [file for file in sorted(SITE.rglob("*.html")) if "_static" not in file.parts]
        for file in files:
            if file == SITE / "index.html":  # leads to docs/index.html
                continue
            visit(page, file)
            name = file.relative_to(SITE).as_posix()
            links[file], ids[file] = set(page.evaluate(LINKS)), set(page.evaluate(IDS))
            formulas += page.locator("mjx-container").count()
            faults += [f"{name}: raw {text}" for text in page.evaluate(RAW)]
            faults += [f"{name}: error in a formula"] * page.locator("mjx-merror").count()
            # Lines of 140 characters and the tables of the benchmarks scroll.
            wide = [text for text in page.evaluate(WIDE) if float(text.split()[0]) > WIDEST]
            faults += [f"{name}: wide {text}" for text in wide if not name.startswith("benchmarks/")]
        faults += broken(links, ids)
        # From files, the lines that the search would quote are not to be had: it complains, and finds all the same.
        found = searched(opened(browser, min(WIDTHS), "light", []), "bias correction")
        if not found:
            faults.append("the search finds nothing")
        print(f"{len(links)} pages, {formulas} formulas, search: {found[:3]}")
        for scheme in SCHEMES:
            for width in WIDTHS:
                page = opened(browser, width, scheme, [])
                for name in chosen.pages:
                    address, _, section = name.partition("#")
                    address, _, query = address.partition("?")
                    visit(page, SITE / address, query)
                    if section:
                        page.evaluate(f"document.getElementById({section!r}).scrollIntoView({{behavior: 'instant'}})")
                    PICTURES.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=PICTURES / f"{re.sub(r'[/#?]', '_', name)}-{width}-{scheme}.png")
        browser.close()
    print(*faults, sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
