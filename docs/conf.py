"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from checkpoints import __version__

project = "checkpoints"
author = "The checkpoints authors"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
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


def setup(app: Any) -> None:
    event = "autodoc-process-docstring"
    app.connect(event, listener(before_napoleon), priority=400)
    app.connect(event, listener(after_napoleon), priority=600)
