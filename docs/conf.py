"""The docs site: `make docs`. Its root is the repository's, so that links between pages are those of the repository."""

import shutil
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import site_api  # noqa: E402  beside this file
import site_docstrings  # noqa: E402
import site_pages  # noqa: E402
import site_source  # noqa: E402

project = "mlpcore"
author = "mlpcore contributors"
copyright = author  # noqa: A001  Sphinx's name
version = release = installed_version("mlpcore")
language = "en"

root_doc = "docs/index"
include_patterns = site_pages.PATTERNS
exclude_patterns = [".*", "build", "dist", "csrc", "mlpcore", "tests", "benchmarks/ladder", "**/.ipynb_checkpoints"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx.ext.mathjax", "sphinx_copybutton"]
smartquotes = False  # σ' has a prime
highlight_language = "none"  # blocks without a language are shell, output and diagrams
nitpicky = False
suppress_warnings = ["myst.xref_missing_download"]

# Docstrings: NumPy's style, types in their text and not in the signatures; `name` is code.
default_role = "literal"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
numpydoc_use_plots = False
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

# Markdown, as GitHub has it: anchors, $ and $$.
myst_enable_extensions = ["amsmath", "dollarmath", "colon_fence", "fieldlist"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

# Lessons run while the site is built; what did not change is taken from the cache.
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

html_title = "mlpcore"
html_theme = "furo"
pygments_style = "tango"
pygments_dark_style = "github-dark"
html_baseurl = ""
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "to_docs.html"}
templates_path = ["_templates"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
# MathJax is one file of the site itself; Sphinx would fetch it from a network.
mathjax_path = "mathjax/tex-svg.js"
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True


def add_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy MathJax beside the pages, from the package that carries it."""
    if exception is None and app.builder.format == "html":
        from importlib.resources import files

        target = app.outdir / "_static" / "mathjax" / "tex-svg.js"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js"), target)


def add_playground(app: Sphinx, exception: Exception | None) -> None:
    """Copy the playground, which `make playground` makes, beside the page that tells of it."""
    made = ROOT / "build" / "playground" / "index.html"
    if exception is None and app.builder.format == "html" and made.exists():
        (app.outdir / "docs" / "playground").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, app.outdir / "docs" / "playground" / "index.html")


def add_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let Teaching hold the pages that no toctree names, and the API its pages in their order."""
    if docname == root_doc:
        source[0] = site_pages.with_rest(ROOT, source[0])
    if docname == "docs/api":
        source[0] = source[0].replace("api/*", "\n".join(f"api/{name}" for name in site_api.pages()))


class WithoutLastBlankLine(SphinxTransform):
    """Show no blank line where doctest needs one: before the end of a block."""

    default_priority = 500

    def apply(self) -> None:
        """Take it out of every block."""
        for block in self.document.findall(nodes.literal_block):
            if block.astext().endswith("\n"):
                block[:] = [nodes.Text(block.astext().rstrip())]
                block.rawsource = block.astext()


def outdated(app: Sphinx, env: object, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Read the pages anew that `add_pages` fills."""
    return [root_doc, "docs/api"]


def read_docstring(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Read a docstring before its sections are found."""
    lines[:] = site_docstrings.plain(lines)


class Source(SphinxDirective):
    """``{source} FILE FUNCTION ...``: functions of a file of the repository, below its name and their lines."""

    required_arguments, final_argument_whitespace, has_content = 1, True, False

    def run(self) -> list[nodes.Node]:
        """Return the caption and the code."""
        file, *names = self.arguments[0].split()
        self.env.note_dependency(str(ROOT / file))
        try:
            found = site_source.excerpt(ROOT / file, names)
        except (KeyError, OSError) as error:
            raise self.error(f"{file}: {error}") from None
        caption = nodes.paragraph("", "", nodes.literal("", file), nodes.Text(f", lines {found.first} to {found.last}"))
        caption["classes"].append("source-caption")
        code = nodes.literal_block(found.text, found.text, language="c" if file.endswith((".c", ".h")) else "python")
        return [caption, code]


def setup(app: Sphinx) -> None:
    """Take part in the build."""
    app.add_directive("source", Source)
    app.add_transform(WithoutLastBlankLine)
    site_api.write(HERE / "api")
    app.connect("env-get-outdated", outdated)
    app.connect("source-read", add_pages)
    app.connect("autodoc-process-docstring", read_docstring, priority=100)
    app.connect("build-finished", add_mathjax)
    app.connect("build-finished", add_playground)
