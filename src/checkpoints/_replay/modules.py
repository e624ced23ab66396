"""The modules of functions: imported by their names, or made of a file."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from checkpoints._text import text_of
from checkpoints.errors import ReplayError

__all__ = ["imported_if_there", "in_place", "is_of_another_file", "module_in"]


def imported_if_there(name: str) -> Any:
    """Import a module; return None if there is none of this name."""
    try:
        return _run_import(name, lambda: import_module(name))
    except ReplayError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name is not None:
            missing = cause.name
            if name == missing or name.startswith(f"{missing}."):
                return None
        raise


def module_in(file: str) -> ModuleType | None:
    """
    Run a file as a module of its name; return None if there is no such file.

    Raises:
        ReplayError: If it raises an error.
    """
    name, _ = os.path.splitext(os.path.basename(file))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not os.path.isfile(file):
        return None
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    with in_place(module):
        _run_import(name, lambda: loader.exec_module(module))
    return module


@contextmanager
def in_place(module: ModuleType) -> Iterator[None]:
    """
    Have a module that was made of a file found by its name, such as by pickles.

    Another module of the file is back afterwards, and one of another file stays.
    """
    if is_of_another_file(module):
        yield
        return
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        yield
    except BaseException:
        if before is None:
            sys.modules.pop(module.__name__, None)
        raise
    finally:
        if before is not None:
            sys.modules[module.__name__] = before


def is_of_another_file(module: ModuleType) -> bool:
    """Tell whether an import of the name of a module means another file."""
    name, file = module.__name__, os.path.realpath(str(module.__file__))
    known = sys.modules.get(name)
    if known is not None:
        place = getattr(known, "__file__", None)
    elif not name.isidentifier():
        return False
    else:
        spec = importlib.util.find_spec(name)
        if spec is None:
            return False
        place = spec.origin
    return place is None or os.path.realpath(place) != file


def _run_import(name: str, run: Callable[[], Any]) -> Any:
    try:
        return run()
    except (Exception, SystemExit) as error:
        raise ReplayError(
            f"importing {name} fails: {type(error).__name__}: {text_of(error)}. A "
            'program must do its work below `if __name__ == "__main__":`'
        ) from error
