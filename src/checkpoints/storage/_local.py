"""A folder of this machine as a store; network mounts included."""

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
    "A root is a folder, made by the first save. If nothing was saved there, enabled() "
    "and rules() tell what is, and where"
)
# How often a folder is made that somebody else takes away again meanwhile.
_TRIES = 3


class LocalStore:
    """
    A folder of this machine, and all below it.

    A file that `put` wrote is complete under its name, or not there at all.

    Args:
        root: The folder; it is made with the first file.

    >>> import tempfile
    >>> store = LocalStore(tempfile.mkdtemp())
    >>> store.put(["a/b.txt"], [(0, b"some text")], 9)
    'a/b.txt'
    >>> list(store.walk())
    [(('a',), ['b.txt'])]
    """

    def __init__(self, root: str) -> None:
        self.root = root
        # With the separator, where there is one: "" is the working folder.
        self._start = os.path.join(root, "")
        # Folders whose own names are on the disk.
        self._durable: dict[str, tuple[int, int]] = {}

    def __repr__(self) -> str:
        return f"LocalStore({self.root!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self), "storage."), (self.root,)

    def path_of(self, name: str) -> str:
        """Return where a name lies in the file system."""
        return f"{self._start}{name.replace('/', os.sep)}"

    @property
    def folds_case(self) -> bool:
        """Whether `Ridge` and `ridge` are one name; found out by a trial, once."""
        return folds_case(self.root, self._create)

    def has(self, name: str) -> bool:
        """Tell whether a file lies under a name in exactly this case."""
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
        Write a file under the first of the names that is free.

        Args:
            names: Names of the same folder, tried in this order.
            pieces: Offset and bytes, which together make up the file.
            size: The size of the file in bytes.
            replace: Take the first name, and whatever lies there is gone.
            durable: Return only when the file and its folders are on the disk, so
                that they outlast a loss of power.

        Returns:
            The name that was taken.

        Raises:
            FileExistsError: If none of the names is free.
            UnknownOutcomeError: If an error came after the file got its name.
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
        """Have the names of a folder, and of those above it, on the disk."""
        while (above := os.path.dirname(folder)) != folder:
            found = os.stat(folder)
            # A folder that somebody took away and made again is another one.
            identity = (found.st_dev, found.st_ino)
            if self._durable.get(folder) != identity:
                try:
                    _sync(above)
                except PermissionError:
                    # Above the root, among folders that were there before.
                    if folder.startswith(self._start):
                        raise
                self._durable[folder] = identity
            folder = above

    def open(self, name: str) -> LocalFile:
        """
        Open a file.

        Raises:
            OSError: If it is not there, or may not be read.
        """
        return LocalFile(self.path_of(name))

    def status(self, name: str) -> Status | None:
        """Return size and time of a file; None if it is not there, or hidden."""
        try:
            found = os.stat(self.path_of(name))
        except OSError:
            return None
        return Status(found.st_size, found.st_mtime_ns)

    def check_root(self) -> None:
        """
        Look at the root, without a walk.

        Raises:
            OSError: If it is not there, or may not be read.
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

        Sorted. Links to folders are not followed, unfinished files are left out, and a
        folder that vanishes meanwhile is passed over.

        Args:
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
            FileNotFoundError: If it is not there.
        """
        os.unlink(self.path_of(name))


def _create(temporary: Temporary, folder: str) -> Sequence[str]:
    """Create a file, and its folder where there is none; return what was made."""
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
    """Make a folder and those above it; return those that are new."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        above = os.path.dirname(folder)
        folder = above if above != folder else ""  # a drive that is not there
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
    """Have the name of a file on the disk."""
    try:
        _sync(folder)
    except OSError as error:
        raise UnknownOutcomeError(
            error.errno,
            f"{error.strerror}. The file is there under its name, but whether it "
            "outlasts a loss of power is unknown: save it again to be sure",
            path,
        ) from error


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
