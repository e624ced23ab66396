# ruff: noqa: ANN202, INP001, UP036 - found by name, by any version of Python
"""
Load the library at the start of every Python process of a program.

Python imports a module of this name at startup. `checkpoints run` puts this folder on
the path for --probe and --record, because the program may not import the library
itself. Pythons too old for the library, down to Python 2, read this file as well.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _import_shadowed():
    # type: () -> None
    """Import the module of the same name that this one shadows, if there is one."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    this = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ImportError as error:
        # Python 2 does not tell which module is missing.
        if getattr(error, "name", __name__) != __name__:
            raise
        sys.modules[__name__] = this


# Another environment may lack the library; its program must run anyway.
try:
    if sys.version_info >= (3, 11):
        import checkpoints  # noqa: F401 - imported for its effects
except ImportError:
    pass
finally:
    _import_shadowed()
