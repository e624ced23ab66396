"""Whether a folder takes names that differ by their case for the same."""

from __future__ import annotations

import os
from collections.abc import Callable

from checkpoints.storage._folder import Folder
from checkpoints.storage._temporary import Temporary

__all__ = ["folds_case", "is_spelled"]

# By root: what a trial has told in this process.
_known: dict[str, bool] = {}


def folds_case(root: str, create: Callable[[Temporary, Folder], object]) -> bool:
    """
    Tell whether a folder takes `Ridge` and `ridge` for the same name.

    Args:
        root: The folder; it is made where it is not there.
        create: Creates a temporary file in a folder, and the folder for it.
    """
    if root in _known:
        return _known[root]
    found = _tried(root, create)
    if found is None:
        # Right on both kinds, if less readable; and asked again the next time.
        return True
    _known[root] = found
    return found


def _tried(root: str, create: Callable[[Temporary, Folder], object]) -> bool | None:
    place = Folder(root)
    temporary = Temporary(place)
    try:
        with temporary, temporary:
            create(temporary, place)
            folder, name = os.path.split(temporary.path)
            return _is_there(os.path.join(folder, name.upper()))
    except OSError:
        return _seen(root)


def _seen(root: str) -> bool | None:
    """Tell it by the names that are there, where no file can be made."""
    try:
        names = os.listdir(root)
        for name in names:
            other = name.swapcase()
            if other == name or not name.isascii():
                continue
            if other in names:
                return False
            if _is_there(os.path.join(root, other)):
                return True
            # One that has vanished meanwhile tells nothing.
            if _is_there(os.path.join(root, name)):
                return False
    except OSError:
        pass
    return None


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def is_spelled(root: str, name: str) -> bool:
    """Tell whether each part of a name stands in its folder in exactly this case."""
    folder = root
    for part in name.split("/"):
        try:
            if part not in os.listdir(folder):
                return False
        except OSError:
            return False
        folder = os.path.join(folder, part)
    return True
