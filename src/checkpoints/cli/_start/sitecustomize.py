# ruff: noqa: INP001 - Python finds it by its name alone
"""
Load the library at the start of every Python process of a program.

Python imports a module of this name at startup. `checkpoints run` puts this folder on
the path for --probe and --record, because the program may not import the library
itself.
"""

from __future__ import annotations

import contextlib
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _import_shadowed() -> None:
    """Import the module of the same name that this one shadows, if there is one."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    this = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ModuleNotFoundError:
        sys.modules[__name__] = this


# Another environment may lack the library; its program must run anyway.
try:
    with contextlib.suppress(ImportError):
        import checkpoints  # noqa: F401 - imported for its effects
finally:
    _import_shadowed()
