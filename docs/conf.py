"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes

from checkpoints import __version__

project = "checkpoints"
author = "The checkpoints authors"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
# What a block prints is not for copying, and neither is the prompt.
copybutton_selector = "div:not(.highlight-text) > div.highlight > pre"
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
exclude_patterns = ["_build"]

napoleon_google_docstring = True
napoleon_numpy_docstring = False
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
add_module_names = False
python_maximum_signature_line_length = 80

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

html_theme = "furo"
html_title = f"checkpoints {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["output.css"]
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"

# Napoleon takes what stands before the first colon of a property for its type, and
# of `Returns` too, unless it is code.
COLON, STAND_IN = ":", "\ue000"


def listener(change: Callable[[list[str], str], None]) -> Callable[..., None]:
    def listen(*event: Any) -> None:
        _, what, _, _, _, lines = event
        change(lines, what)

    return listen


def before_napoleon(lines: list[str], what: str) -> None:
    # Docstrings are written to be read in an editor, where one backtick is enough.
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]
    if what == "property":
        lines[0] = lines[0].replace(COLON, STAND_IN)


def after_napoleon(lines: list[str], _: str) -> None:
    lines[:] = [line.replace(STAND_IN, COLON) for line in lines]


def outline(app: Any) -> Iterator[str]:
    """Yield the lines of llms.txt: each page with its title and first sentence."""
    yield f"# {project}"
    for name in sorted(app.env.found_docs, key=lambda name: (name != "index", name)):
        paragraphs = app.env.get_doctree(name).findall(nodes.paragraph)
        texts = (" ".join(paragraph.astext().split()) for paragraph in paragraphs)
        first = next(filter(None, texts), "").partition(". ")[0].rstrip(".:")
        yield f"- [{app.env.titles[name].astext()}]({name}.html): {first}"


def write_outline(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        text = "\n".join(outline(app)) + "\n"
        Path(app.outdir, "llms.txt").write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    app.connect("build-finished", write_outline)
    event = "autodoc-process-docstring"
    app.connect(event, listener(before_napoleon), priority=400)
    app.connect(event, listener(after_napoleon), priority=600)
