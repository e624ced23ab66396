"""A local folder as a store, including network mounts."""

from __future__ import annotations

import bisect
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from checkpoints._process.pickling import public
from checkpoints.errors import UnknownOutcomeError
from checkpoints.storage._case import folds_case, is_spelled
from checkpoints.storage._local_file import LocalFile
from checkpoints.storage._store import Piece, Segments, Status
from checkpoints.storage._temporary import Folder, Temporary

__all__ = ["LocalStore", "is_temporary"]

_WHY_NO_ROOT = (
    "A root is a folder that the first save creates. If nothing was saved, enabled() "
    "and rules() show what is switched on and where it is saved"
)
# How often to create a folder that another process keeps removing.
_TRIES = 3


class LocalStore:
    """
    A local folder and everything below it.

    A file written by `put` is either complete or does not exist.

    Args:
        root: The folder; it is created with the first file.

    >>> import tempfile
    >>> store = LocalStore(tempfile.mkdtemp())
    >>> store.put(["a/b.txt"], [(0, b"some text")], 9)
    'a/b.txt'
    >>> list(store.walk())
    [(('a',), ['b.txt'])]
    """

    def __init__(self, root: str) -> None:
        self.root = root
        # Ends in a separator, unless the root is "", the current directory.
        self._start = os.path.join(root, "")
        # Folders whose directory entry is known to be on disk, by device and inode.
        self._durable: dict[str, tuple[int, int]] = {}

    def __repr__(self) -> str:
        return f"LocalStore({self.root!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has to check by itself which folders are on disk.
        return public(type(self), "storage."), (self.root,)

    def path_of(self, name: str) -> str:
        """Return the path of a file in the file system."""
        return f"{self._start}{name.replace('/', os.sep)}"

    @property
    def folds_case(self) -> bool:
        """Whether `Ridge` and `ridge` are the same name; tried once for each root."""
        return folds_case(self.root, self._create)

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name, in exactly this case."""
        if self.status(name) is None:
            return False
        return not self.folds_case or is_spelled(self.root, name)

    def put(
        self,
        names: Iterable[str],
        pieces: Iterable[Piece],
        size: int,
        *,
        replace: bool = False,
        durable: bool = False,
    ) -> str:
        """
        Write a file atomically under the first of the names that is free.

        Args:
            names: Names in the same folder, tried in this order.
            pieces: Offsets and bytes, which together make up the file.
            size: The size of the file in bytes.
            replace: Take the first name, and replace an existing file.
            durable: Return only once the file and its folders are on disk, so that
                they survive a power loss.

        Returns:
            The name that the file got.

        Raises:
            FileExistsError: If none of the names is free.
            UnknownOutcomeError: If it failed after the file got its name.
            OSError: If it cannot be written. No file is left behind then.
        """
        candidates = iter(names)
        name = next(candidates)
        path = self.path_of(name)
        folder = os.path.dirname(path) or os.curdir
        temporary = Temporary(folder)
        with temporary, temporary:
            self._create(temporary, folder)
            temporary.write(pieces, size)
            if durable:
                temporary.sync()
                self._sync_above(folder)
            temporary.close()
            if replace:
                temporary.rename(path)
            else:
                name = self._rename_to_free(temporary, name, candidates)
            if durable:
                _confirm(folder, self.path_of(name))
        return name

    def _create(self, temporary: Temporary, folder: str) -> None:
        for made in _create(temporary, folder):
            self._durable.pop(made, None)

    def _rename_to_free(
        self, temporary: Temporary, name: str, candidates: Iterator[str]
    ) -> str:
        while True:
            try:
                temporary.rename_if_free(self.path_of(name))
            except FileExistsError:
                following = next(candidates, None)
                if following is None:
                    raise
                name = following
            else:
                return name

    def _sync_above(self, folder: str) -> None:
        """Sync the directory entries of a folder and of its parents to disk."""
        while (above := os.path.dirname(folder)) != folder:
            found = os.stat(folder)
            # A folder that was removed and created again has another inode.
            identity = (found.st_dev, found.st_ino)
            if self._durable.get(folder) != identity:
                try:
                    _sync(above)
                except PermissionError:
                    # Above the root the folders may belong to other users.
                    if folder.startswith(self._start):
                        raise
                self._durable[folder] = identity
            folder = above

    def open(self, name: str) -> LocalFile:
        """
        Open a file for reading.

        Raises:
            OSError: If it does not exist, or cannot be read.
        """
        return LocalFile(self.path_of(name))

    def status(self, name: str) -> Status | None:
        """Return size and time of a file; None if it does not exist or is hidden."""
        try:
            found = os.stat(self.path_of(name))
        except OSError:
            return None
        return Status(found.st_size, found.st_mtime_ns)

    def check_root(self) -> None:
        """
        Check that the root exists and can be listed, without walking it.

        Raises:
            OSError: If it does not exist, or cannot be read.
        """
        try:
            os.scandir(self.root).close()
        except OSError as error:
            error.add_note(_WHY_NO_ROOT)
            raise

    def walk(
        self,
        enters: Callable[[Segments], bool] = lambda _: True,
        on_error: Callable[[OSError], object] = lambda _: None,
    ) -> Iterator[tuple[Segments, Sequence[str]]]:
        """
        Yield each folder, as its segments below the root, with its file names.

        The order is by segment. Links to folders are not followed, unfinished files
        are left out, and a folder that disappears during the walk is skipped.

        Args:
            enters: Called with each folder below the root; if it returns false, the
                folder is not listed.
            on_error: Called with the error of each folder that cannot be listed.

        Raises:
            OSError: If the root does not exist, or cannot be read.
        """
        pending: list[tuple[Segments, Sequence[str] | None]] = [((), None)]
        while pending:
            folder, files = pending.pop()
            if files is not None:
                yield folder, files
                continue
            try:
                found = _scan(os.path.join(self.root, *folder))
            except OSError as error:
                if not folder:
                    error.add_note(_WHY_NO_ROOT)
                    raise
                if not isinstance(error, FileNotFoundError):
                    on_error(error)
            else:
                pending.extend(reversed(list(_in_order(folder, *found, enters))))

    def delete(self, name: str) -> None:
        """
        Delete a file.

        Raises:
            FileNotFoundError: If it does not exist.
        """
        os.unlink(self.path_of(name))


def _create(temporary: Temporary, folder: str) -> Sequence[str]:
    """Create a file, and its folder if necessary; return the folders created."""
    made: list[str] = []
    for tries_left in reversed(range(_TRIES)):
        try:
            temporary.create()
        except FileNotFoundError:
            if not tries_left:
                raise
            made += _make_folders(folder)
        else:
            break
    return made


def _make_folders(folder: str) -> list[str]:
    """Create a folder and its parents; return those that were missing."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        above = os.path.dirname(folder)
        folder = above if above != folder else ""  # a drive that does not exist
    for path in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(path)
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return missing


def _sync(path: str) -> None:
    folder = Folder(path)
    with folder, folder:
        folder.sync()


def _confirm(folder: str, path: str) -> None:
    """Sync the directory entry of a file that already has its name."""
    try:
        _sync(folder)
    except OSError as error:
        raise UnknownOutcomeError(
            error.errno,
            f"{error.strerror}: the file exists, but may not survive a power loss. "
            "Save it again to be sure",
            path,
        ) from error


def _scan(folder: str) -> tuple[list[str], list[str]]:
    files = []
    folders = []
    with os.scandir(folder) as found:
        for item in found:
            # Most entries are files, which then cost a single call.
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
    except OSError:  # a link that points to itself
        return False


def _in_order(
    folder: Segments,
    files: list[str],
    folders: list[str],
    enters: Callable[[Segments], bool],
) -> Iterator[tuple[Segments, Sequence[str] | None]]:
    """Yield the subfolders of a folder in order, with the files between them."""
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
    """Tell whether a file name is that of an unfinished file of `put`."""
    return name[0] == "." and name.endswith(".ckpt.tmp")
