"""The texts of csrc/reference, cut into declarations, of which a C file takes those that it needs.

The reference is C for either type, with `real` for float or double. Here a chapter becomes a list of declarations for
one of the two; the functions that a network calls, and whatever these use, are then written in their order. So a
formula stands in csrc/reference and nowhere else.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

CHAPTERS = ("elementary.h", "sums.h", "dense.c", "activations.c", "softmax.c", "norm.c", "scale.c")
"""Those that a network's forward is made of, in the order of csrc/reference/reference.inc.c; fma.h is a unit."""

_HERE = Path(__file__).parent
_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/)
      | (?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
      | (?P<space>\s+)
      | (?P<sign>.)""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
# What real.h says that these are.
_WORDS = {
    "float32": {
        "real": "float",
        "real_abs": "fabsf",
        "real_sqrt": "sqrtf",
        "REAL_SMALLEST": "FLT_MIN",
        "REAL_LARGEST": "FLT_MAX",
    },
    "float64": {
        "real": "double",
        "real_abs": "fabs",
        "real_sqrt": "sqrt",
        "REAL_SMALLEST": "DBL_MIN",
        "REAL_LARGEST": "DBL_MAX",
    },
}


# A product's block is handed to an epilogue while it is in the caches: what a network of batches needs.
_EPILOGUE = r",\s*const REAL_NAME\(mlp_epilogue\) \* epilogue", r"\n *run_epilogue\([^;]*;"


class Token(NamedTuple):
    """A piece of C: its kind, one of the groups of the pattern above, and its text."""

    kind: str
    text: str


class Declaration(NamedTuple):
    """A declaration at the top level of a file.

    Attributes
    ----------
    declared : frozenset of str
        The names that it declares.
    used : frozenset of str
        All names in it.
    tokens : tuple of Token
        With the comment above it.
    """

    declared: frozenset[str]
    used: frozenset[str]
    tokens: tuple[Token, ...]


def read(chapter: str) -> str:
    """Return the text of a chapter: beside this file in an installed package, in csrc beside an editable one."""
    installed = _HERE / "reference"
    folder = installed if installed.is_dir() else _HERE.parents[1] / "csrc" / "reference"
    return (folder / chapter).read_text(encoding="utf-8")


@cache
def declarations(dtype: str) -> tuple[Declaration, ...]:
    """Return all declarations of the chapters, of steps.c and of columns.c, for one type."""
    texts = [*map(read, CHAPTERS), *((_HERE / each).read_text(encoding="utf-8") for each in ("steps.c", "columns.c"))]
    for pattern in _EPILOGUE:
        texts = [re.sub(pattern, "", text) for text in texts]
    return tuple(each for text in texts for each in _declarations(_for_type(_tokens(text), dtype)))


@cache
def fma(dtype: str) -> tuple[Token, ...]:
    """Return fma.h: real_fma, where no instruction and no library gives it."""
    text = re.sub(r"\bMLP_REAL_BITS == 32 \? (.+) : (.+)", r"\1" if dtype == "float32" else r"\2", read("fma.h"))
    tokens = [token for token in _for_type(_tokens(text), dtype) if "#include" not in token.text]
    return tuple(tokens[next(i for i, token in enumerate(tokens) if token.kind == "directive") :])


def names_of(tokens: Iterable[Token]) -> set[str]:
    """Return the names that some C declares at its top level, or defines as a macro."""
    tokens = list(tokens)
    macros = {token.text.split()[1] for token in tokens if token.text.startswith("#define")}
    return macros.union(*(each.declared for each in _declarations(tokens)))


def needed(dtype: str, roots: Iterable[str]) -> list[Declaration]:
    """Return the declarations of these names and of all that they use, in order."""
    home = {name: i for i, each in enumerate(declarations(dtype)) for name in each.declared}
    found: set[int] = set()
    waiting = {home[name] for name in roots}
    while waiting:
        found |= waiting
        used = set[str]().union(*(declarations(dtype)[i].used for i in waiting))
        waiting = {home[name] for name in used if name in home} - found
    return [declarations(dtype)[i] for i in sorted(found)]


def written(tokens: Iterable[Token], names: Mapping[str, str]) -> str:
    """Return the text of tokens with other names; what a comment says stays as it is."""
    parts = []
    for kind, text in tokens:
        if kind == "name":
            text = names.get(text, text)
        elif kind == "directive":
            text = re.sub(r"[A-Za-z_]\w*", lambda word: names.get(word[0], word[0]), text)
        parts.append(text)
    return "".join(parts).strip()


def _tokens(text: str) -> list[Token]:
    return [Token(str(match.lastgroup), match[0]) for match in _TOKEN.finditer(text)]


def _for_type(tokens: Iterable[Token], dtype: str) -> list[Token]:
    """Return C for one type: the parts for the other are left out, `real` and its like become the type's own."""
    kept = list(_of_type(tokens, dtype))
    ending = "_f32" if dtype == "float32" else "_f64"
    found: list[Token] = []
    i = 0
    while i < len(kept):
        kind, text = kept[i]
        if kind == "directive":
            text = re.sub(r"\bREAL_NAME\((\w+)\)", rf"\1{ending}", text)
        if text in ("REAL", "REAL_NAME"):  # a macro of one argument, in which no parentheses are
            end = next(j for j in range(i, len(kept)) if kept[j].text == ")")
            argument = "".join(token.text for token in kept[i + 2 : end])
            suffix = "f" if dtype == "float32" else ""
            found.append(Token("number", argument + suffix) if text == "REAL" else Token("name", argument + ending))
            i = end
        else:
            found.append(Token(kind, _WORDS[dtype].get(text, text)))
        i += 1
    return found


def _of_type(tokens: Iterable[Token], dtype: str) -> Iterator[Token]:
    """Yield what is left when each ``#if MLP_REAL_BITS == 32`` is decided."""
    open_: list[bool | None] = []  # for each #if that is open whether what follows is kept; None: it decides nothing
    for token in tokens:
        word = token.text.strip() if token.kind == "directive" else ""
        ours = bool(open_) and open_[-1] is not None
        if word == "#if MLP_REAL_BITS == 32":
            open_.append(dtype == "float32")
        elif word.startswith("#if"):
            open_.append(None)
            if False not in open_:
                yield token
        elif word == "#else" and ours:
            open_[-1] = not open_[-1]
        elif word.startswith("#endif"):
            if open_.pop() is None and False not in open_:
                yield token
        elif False not in open_:
            yield token


def _declarations(tokens: Iterable[Token]) -> Iterator[Declaration]:
    part: list[Token] = []
    depth, is_function = 0, False
    for token in tokens:
        if depth == 0 and token.kind == "directive":
            part = []
            continue
        if depth == 0 and token.text == "{":
            is_function = _last_sign(part) == ")"
        part.append(token)
        depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0 and (token.text == ";" or (token.text == "}" and is_function)):
            yield from _split(_with_own_comment(part))
            part, is_function = [], False


def _last_sign(tokens: list[Token]) -> str:
    return next((token.text for token in reversed(tokens) if token.kind not in ("space", "comment")), "")


def _with_own_comment(part: list[Token]) -> list[Token]:
    """Return a declaration with the comment directly above it, if there is one, and nothing before that."""
    first = next(i for i, token in enumerate(part) if token.kind not in ("space", "comment"))
    above = part[max(first - 3, 0) : first]
    if [token.kind for token in above[-2:]] == ["comment", "space"] and above[-1].text == "\n":
        starts_line = len(above) < 3 or "\n" in above[0].text
        return part[first - 2 :] if starts_line else part[first:]
    return part[first:]


def _split(part: list[Token]) -> Iterator[Declaration]:
    """Yield a declaration, or one for each constant of a list of them: a C file takes none that it does not use."""
    words = [token.text for token in part if token.kind == "name"]
    if words[:2] != ["static", "const"]:
        yield _declaration(part, _declared(part))
        return
    first = [i for i, token in enumerate(part) if token.kind == "name"][3]  # behind static, const and the type
    start, depth = first, 0
    for i, token in enumerate(part[first:], first):
        depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0 and token.text in ",;":
            yield _declaration([*part[:first], *part[start:i], Token("sign", ";")], {part[start].text})
            start = i + 1
            while part[start : start + 1] and part[start].kind == "space":
                start += 1


def _declared(part: list[Token]) -> set[str]:
    code = [token for token in part if token.kind not in ("space", "comment")]
    texts = [token.text for token in code]
    if texts[0] == "typedef":
        return {texts[-2]}
    if texts[0] == "enum":
        return {token.text for token in code[1:] if token.kind == "name"}
    end = texts.index("{") if "{" in texts else len(texts) - 1
    depth = 0
    for i in range(end - 1, -1, -1):  # back over the parameters
        depth += (texts[i] == ")") - (texts[i] == "(")
        if depth == 0:
            return {texts[i - 1]}
    raise ValueError(f"not a declaration: {' '.join(texts)}")


def _declaration(part: list[Token], declared: set[str]) -> Declaration:
    used = frozenset(token.text for token in part if token.kind == "name")
    return Declaration(frozenset(declared), used, tuple(part))
