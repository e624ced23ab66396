# ruff: noqa: INP001 - Python finds it by its name alone
"""
Load the library in every Python that a program starts, before any code of its own.

Python imports a module of this name as it starts; `checkpoints run` puts this folder in
its way, where functions are to be looked into whose programs do not know the library.
"""

from __future__ import annotations

import contextlib
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _give_way() -> None:
    """Let the module of this name that would have been found have its turn."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    own = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ModuleNotFoundError:
        sys.modules[__name__] = own


# A Python of another environment may be without it; its program runs all the same.
try:
    with contextlib.suppress(ImportError):
        import checkpoints  # noqa: F401 - what it does at its import is all
finally:
    _give_way()
