"""Tables of records as HTML: well formed, escaped, in the colours of the page, with nothing to load or to run."""

import re
from html.parser import HTMLParser

import pytest

from mlpcore import html


class Read(HTMLParser):
    """What a browser sees: elements that close in order, their attributes, the cells of every row."""

    def __init__(self, markup):
        super().__init__()
        self.open, self.tags, self.attributes, self.rows, self.text = [], [], [], [], []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


def check_plain(markup):
    """Assert that markup has no fixed colour, no script and no reference; return what it shows."""
    read = Read(markup)
    assert set(read.tags) <= {"div", "p", "table", "thead", "tbody", "tfoot", "tr", "th", "td"}
    assert {name for attributes in read.attributes for name in attributes} <= {"style", "scope"}
    styles = ";".join(attributes.get("style", "") for attributes in read.attributes)
    colours = set(re.findall(r"(?:color|background)\s*:\s*([^;]+)", styles))
    assert colours <= {"inherit", "transparent"}
    assert not re.search(r"#[0-9a-fA-F]{3}|rgb|url\(|javascript", styles)
    return read


HOSTILE = "<script>alert(\"x\")</script> & 'q' </td> \ud800"


def test_every_text_is_escaped():
    shown = check_plain(html.block(html.line(HOSTILE), html.table([HOSTILE], [[HOSTILE]], foot=[HOSTILE])))
    seen = HOSTILE.replace("\ud800", "?")
    assert shown.rows == [[seen]] * 3
    assert shown.text.count(seen) == 4


def test_a_table_has_headings_of_columns_and_rows():
    markup = html.table(("name", "n"), [("a", 1), ("b", 22)], foot=("all", 23), numbers=[1])
    shown = check_plain(markup)
    assert shown.rows == [["name", "n"], ["a", "1"], ["b", "22"], ["all", "23"]]
    scopes = [attributes.get("scope") for attributes in shown.attributes if "scope" in attributes]
    assert scopes == ["col", "col", "row", "row", "row"]
    assert markup.count("text-align:right") == 4


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"a row has 1 cells, expected 2: name, n"):
        html.table(("name", "n"), [("a",)])
