"""What a mark says, as text, as HTML, and as data."""

import json
import re
from html.parser import HTMLParser

import pytest

import mlpcore
from mlpcore.exercises import Mark, Part

PARTS = (
    Part("phi, one sample", 1, True),
    Part("phi, a batch of 4 samples", 2, False, "`phi` is wrong: a < b.", "missing-dsigma"),
    Part("phi, more", 2, False, "`phi` is wrong: a < b.", "missing-dsigma"),
)
MARK = Mark("eq2", "Equation 2", "ada", PARTS, ("`eq2` prints a line.",))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_score_and_sentences():
    assert MARK.score == float(MARK) == 0.2
    assert not MARK.ok
    assert MARK.sentences == ("`phi` is wrong: a < b.", "`eq2` prints a line.")
    assert MARK.mistakes == ("missing-dsigma",)


def test_points_of_a_maximum():
    assert MARK.points(4) == 0.8
    assert MARK.points() == 0.2
    assert repr(MARK.points(3)) == "0.6"
    with pytest.raises(ValueError, match="of is -1"):
        MARK.points(-1)


def test_as_a_dict_it_is_json():
    told = MARK.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["score"] == 0.2
    assert [part["points"] for part in told["parts"]] == [1, 0, 0]
    assert [part["of"] for part in told["parts"]] == [1, 2, 2]
    assert told["seed"] == "ada"


def test_as_text():
    assert str(MARK).splitlines() == [
        "eq2: 20 % (1 of 5 points)",
        "  1 of 1  phi, one sample",
        "  0 of 2  phi, a batch of 4 samples",
        "  0 of 2  phi, more",
        "  - `phi` is wrong: a < b.",
        "  - `eq2` prints a line.",
    ]


def test_as_html_it_is_a_table_without_colours_of_its_own_and_escapes_what_is_not_ours():
    html = MARK._repr_html_()
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert tags.seen.count("tr") == 4
    assert "<code>phi</code> is wrong: a &lt; b." in html
    assert "script" not in html
    assert "http" not in html
    assert re.search(r"#[0-9a-f]{3,6}|rgb", html) is None
    odd = Mark("x", "<b>", 0, (Part("p", 1, False, "`<i>"),))._repr_html_()
    assert "<b>" not in odd
    assert "`&lt;i&gt;" in odd


def test_exercise_and_table_show_themselves_in_a_notebook():
    exercises = mlpcore.exercises.all()
    shown = exercises["eq2"]._repr_markdown_()
    assert "```python\nimport numpy as np" in shown
    assert exercises._repr_markdown_().count("\n|") == len(exercises) + 1
