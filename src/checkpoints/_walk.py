"""A walk through the files below a folder, in the order of their paths."""

from __future__ import annotations

import bisect
import os
from collections.abc import Callable, Iterator, Sequence

__all__ = ["Segments", "check_root", "is_temporary", "walk"]

Segments = tuple[str, ...]

_WHY_NO_ROOT = (
    "A root is a folder, made by the first save. If nothing was saved there, enabled() "
    "and rules() tell what is, and where"
)


def walk(
    root: str,
    enters: Callable[[Segments], bool] = lambda _: True,
    on_error: Callable[[OSError], object] = lambda _: None,
) -> Iterator[tuple[Segments, Sequence[str]]]:
    """
    Yield each folder, as its segments below the root, with its file names.

    Sorted. Links to folders are not followed, unfinished files are left out, and a
    folder that vanishes meanwhile is passed over.

    Args:
        root: The folder to begin with.
        enters: Asked for each folder below the root before it is listed.
        on_error: Called with the error of each folder that cannot be listed.

    Raises:
        OSError: If the root is not there, or may not be read.
    """
    pending: list[tuple[Segments, Sequence[str] | None]] = [((), None)]
    while pending:
        folder, files = pending.pop()
        if files is not None:
            yield folder, files
            continue
        try:
            found = _scan(os.path.join(root, *folder))
        except OSError as error:
            if not folder:
                error.add_note(_WHY_NO_ROOT)
                raise
            if not isinstance(error, FileNotFoundError):
                on_error(error)
        else:
            pending.extend(reversed(list(_in_order(folder, *found, enters))))


def check_root(root: str) -> None:
    """
    Look at a root, without a walk.

    Raises:
        OSError: If it is not there, or may not be read.
    """
    try:
        os.scandir(root).close()
    except OSError as error:
        error.add_note(_WHY_NO_ROOT)
        raise


def _scan(folder: str) -> tuple[list[str], list[str]]:
    files = []
    folders = []
    with os.scandir(folder) as found:
        for item in found:
            # Most are files, so this one question has to do for most.
            if item.is_file(follow_symlinks=False) or _is_link_to_file(item):
                if not is_temporary(item.name):
                    files.append(item.name)
            elif item.is_dir(follow_symlinks=False):
                folders.append(item.name)
    files.sort()
    folders.sort()
    return files, folders


def _is_link_to_file(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_symlink() and item.is_file()
    except OSError:  # a link to itself
        return False


def _in_order(
    folder: Segments,
    files: list[str],
    folders: list[str],
    enters: Callable[[Segments], bool],
) -> Iterator[tuple[Segments, Sequence[str] | None]]:
    """Yield the files of a folder in runs, and between them the folders it has."""
    start = 0
    for name in folders:
        below = (*folder, name)
        if not enters(below):
            continue
        end = bisect.bisect(files, name, start)
        if end > start:
            yield folder, files[start:end]
        yield below, None
        start = end
    if start < len(files):
        yield folder, files[start:]


def is_temporary(name: str) -> bool:
    """Tell whether a file name is that of a file that `put` has not finished."""
    return name[0] == "." and name.endswith(".ckpt.tmp")
