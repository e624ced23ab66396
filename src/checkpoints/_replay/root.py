"""The folder that a function's module is imported from."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from itertools import accumulate

from checkpoints.errors import ReplayError

__all__ = ["WAY_OUT", "of_main_file", "root_of"]

WAY_OUT = "Give the function itself, with function="


def root_of(target: str) -> str:
    """
    Return the folder that a function's module is imported from, without importing it.

    Args:
        target: The name of a function, or where it is, as for `function_for`.

    Raises:
        ReplayError: If it is not found.
    """
    place, colon, _ = target.rpartition(":")
    if colon and place.endswith(".py"):
        return os.path.dirname(os.path.abspath(place))
    package, *parts = (place or target).split(".")
    if package == "__main__":
        raise of_main_file(target)
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise ReplayError(f"there is no module {package!r}")
    folders = list(spec.submodule_search_locations or ())
    if folders and not spec.has_location and parts:
        # A namespace may have several folders, of several projects.
        folders.sort(key=lambda folder: -_depth(folder, parts))
    return os.path.dirname(os.path.abspath(folders[0] if folders else str(spec.origin)))


def of_main_file(name: str) -> ReplayError:
    """Return the error that a function of a program's main file is not imported."""
    path = name.replace(":", ".", 1).partition(".")[2]
    return ReplayError(
        f"{name} belongs to the main file of a program, which is not imported: "
        f"{WAY_OUT}, which may be a text: 'file.py:{path}'"
    )


def _depth(folder: str, parts: Sequence[str]) -> int:
    """Return how many packages and modules of a dotted name are in a folder."""
    paths = accumulate(parts, os.path.join, initial=folder)
    return sum(os.path.isdir(it) or os.path.isfile(f"{it}.py") for it in paths)
