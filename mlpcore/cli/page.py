"""A page in one file: HTML without scripts, in light and dark, that asks the network for nothing."""

from collections.abc import Iterable, Sequence

from mlpcore import html

__all__ = ["bars", "figure", "grid", "page", "section"]

# The colours of mlpcore.plot, which colour-blind readers can tell apart, on light and on dark.
_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #202020; --pale: #6a6a6a; --line: #d8d8d8; --card: #f7f7f7;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #5b5b5b; --c5: #332288; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #ececec; --pale: #a6a6a6; --line: #3a3d44;
  --card: #1e2127; --c0: #56b4e9; --c1: #e69f00; --c2: #6fe8a8; --c3: #cc79a7; --c4: #ffffff; --c5: #ffb3da; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(0.8rem, 3vw, 2.5rem) 3rem; max-width: 62rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 0.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.5rem; padding-top: 0.9rem; border-top: 1px solid var(--line); }
p { margin: 0.4rem 0; max-width: 46rem; } .said { color: var(--pale); }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.2rem 2rem;
  align-items: start; } .row > * { min-width: 0; }
figure { margin: 0; } figcaption { color: var(--pale); font-size: 0.9rem; margin-bottom: 0.3rem; }
svg { width: 100%; max-width: 36rem; height: auto; display: block; }
.scroll { overflow-x: auto; } table { font-variant-numeric: tabular-nums; }
.grid { border-collapse: collapse; font-size: 0.9rem; } .grid th { font-weight: 500; padding: 0.15rem 0.5rem; }
.grid td { min-width: 2.4rem; padding: 0.25rem 0.4rem; text-align: right; border: 1px solid var(--line); }
.grid tbody th { text-align: right; } .grid .right { font-weight: 600; } .grid .none { color: var(--pale); }
.bars { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr max-content; gap: 0.25rem 0.7rem;
  align-items: center; max-width: 46rem; font-size: 0.95rem; font-variant-numeric: tabular-nums; }
.bars span:nth-child(3n + 1) { overflow-wrap: anywhere; max-width: 16rem; } .bars i { display: block; height: 0.8rem;
  background: var(--c0); border-radius: 2px; } .bars span:nth-child(3n) { text-align: right; }
.words td:last-child { min-width: 15rem; }
@media (max-width: 40rem) { .scroll table:not(.grid) :is(th, td) { white-space: normal !important; } }
@media print { :root { color-scheme: light; } body { max-width: none; } figure, table { break-inside: avoid; } }
"""


def page(title: str, subtitle: Iterable[str], sections: Iterable[str]) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
    subtitle : iterable of str
        Lines below it.
    sections : iterable of str
        HTML, as `section` returns it.

    Returns
    -------
    str
    """
    said = "".join(f'<p class="said">{html.escaped(line)}</p>' for line in subtitle)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{html.escaped(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<header><h1>{html.escaped(title)}</h1>{said}</header>\n<main>\n"
        + "\n".join(sections)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(title: str, said: str, *parts: str) -> str:
    """Return a part of a page.

    Parameters
    ----------
    title : str
    said : str
        A sentence about it; "" for none.
    *parts : str
        HTML, side by side where there is room.

    Returns
    -------
    str
    """
    sentence = f"<p>{html.escaped(said)}</p>" if said else ""
    shown = "".join(f'<div class="scroll">{part}</div>' for part in parts)
    body = f'<div class="row">{shown}</div>' if len(parts) > 1 else shown
    return f"<section><h2>{html.escaped(title)}</h2>{sentence}{body}</section>"


def figure(caption: str, picture: str) -> str:
    """Return a picture with what it shows.

    Parameters
    ----------
    caption : str
    picture : str
        An ``svg`` element, or other HTML.

    Returns
    -------
    str
    """
    return f"<figure><figcaption>{html.escaped(caption)}</figcaption>{picture}</figure>"


def grid(names: Sequence[object], counts: Sequence[Sequence[int]], *, rows: str, columns: str) -> str:
    """Return counts by two things of the same names, the deeper coloured the more there are of its row.

    Parameters
    ----------
    names : sequence
    counts : sequence of sequences of int
        Square.
    rows, columns : str
        What the rows and the columns are.

    Returns
    -------
    str
    """
    head = "".join(f'<th scope="col">{html.escaped(name)}</th>' for name in names)
    body = ""
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        whole = max(1, sum(row))
        cells = ""
        for k, count in enumerate(row):
            share = round(65 * count / whole)
            colour = "var(--c0)" if i == k else "var(--c1)"
            style = f' style="background:color-mix(in srgb, {colour} {share}%, transparent)"' if share else ""
            kind = "right" if i == k else "none" if not count else "wrong"
            cells += f'<td class="{kind}"{style}>{count:,}</td>'
        body += f'<tr><th scope="row">{html.escaped(name)}</th>{cells}</tr>'
    corner = f"<th>{html.escaped(rows)} ↓ {html.escaped(columns)} →</th>"
    return f'<table class="grid"><thead><tr>{corner}{head}</tr></thead><tbody>{body}</tbody></table>'


def bars(values: Sequence[tuple[str, float, str]]) -> str:
    """Return a bar for each of some values.

    Parameters
    ----------
    values : sequence of (str, float, str)
        A name, how long its bar is, negative numbers having none, and what stands behind it.

    Returns
    -------
    str
    """
    longest = max((value for _, value, _ in values), default=0.0) or 1.0
    rows = (
        f'<span>{html.escaped(name)}</span><i style="width:{max(0.0, 100 * value / longest):.1f}%"></i>'
        f"<span>{html.escaped(text)}</span>"
        for name, value, text in values
    )
    return f'<div class="bars">{"".join(rows)}</div>'
