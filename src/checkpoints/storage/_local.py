"""A local folder as a store, including network mounts."""

from __future__ import annotations

import bisect
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from checkpoints._process.pickling import public
from checkpoints._text import nearest
from checkpoints.errors import UnknownOutcomeError
from checkpoints.storage._case import folds_case, is_spelled
from checkpoints.storage._folder import PASS, READ, Folder, Identity
from checkpoints.storage._local_file import LocalFile
from checkpoints.storage._store import Piece, Segments, Status
from checkpoints.storage._temporary import Temporary

__all__ = ["LocalStore", "is_temporary"]

# How often to create a folder that another process keeps removing.
_TRIES = 3
_MOST_DURABLE = 1024


class LocalStore:
    """
    A local folder and everything below it.

    A file written by `put` is either complete or does not exist. Links below the root
    are not followed: `Folder` says how and why.

    Args:
        root: The folder; it is created with the first file.
        follows_links: Whether to read files that are links, for a path that somebody
            has named.

    >>> import tempfile
    >>> store = LocalStore(tempfile.mkdtemp())
    >>> store.put(["a/b.txt"], [(0, b"some text")], 9)
    'a/b.txt'
    >>> list(store.walk())
    [(('a',), ['b.txt'])]
    """

    def __init__(self, root: str, *, follows_links: bool = False) -> None:
        self.root = root
        self._follows_links = follows_links
        # Ends in a separator, unless the root is "", the current directory.
        self._start = os.path.join(root, "")
        # Folders whose directory entry is known to be on disk.
        self._durable: dict[str, Identity] = {}

    def __repr__(self) -> str:
        return f"LocalStore({self.root!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has to check by itself which folders are on disk.
        opened = partial(LocalStore, follows_links=True)
        make = opened if self._follows_links else public(type(self), "storage.")
        return make, (self.root,)

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
        mode: int = 0o666,
        time: int | None = None,
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
            mode: The permissions of the file, within the umask. Folders that are
                created get the same, and can be entered by those who may read.
            time: When it was last modified, in nanoseconds; by default now.

        Returns:
            The name that the file got.

        Raises:
            FileExistsError: If none of the names is free.
            UnknownOutcomeError: If it failed after the file got its name.
            NotADirectoryError: If a folder on the way is a link.
            OSError: If it cannot be written. No file is left behind then.
        """
        candidates = iter(names)
        name = next(candidates)
        folder, leaf = self._split(name)
        flags = READ if durable else PASS
        temporary = Temporary(folder)
        with temporary, temporary:
            try:
                folder.open(flags)
                temporary.create(mode)
            except FileNotFoundError:
                self._create(temporary, folder, mode, flags)
            temporary.write(pieces, size)
            if time is not None:
                temporary.set_time(time)
            if durable:
                temporary.sync()
                self._sync_above(folder.path)
            temporary.close()
            if replace:
                temporary.rename(leaf)
            else:
                name = self._rename_to_free(temporary, name, candidates)
            if durable:
                _confirm(folder, self.path_of(name))
        return name

    def _split(self, name: str) -> tuple[Folder, str]:
        below, _, leaf = name.rpartition("/")
        path = self.path_of(below) if below else ""
        return Folder(self.root, below, path), leaf

    def _below(self, segments: Segments) -> Folder:
        path = f"{self._start}{os.sep.join(segments)}" if segments else ""
        return Folder(self.root, "/".join(segments), path)

    def _create(
        self,
        temporary: Temporary,
        folder: Folder,
        mode: int = 0o666,
        flags: int = PASS,
    ) -> None:
        for made in _create(temporary, folder, mode, flags):
            self._durable.pop(made, None)

    def _rename_to_free(
        self, temporary: Temporary, name: str, candidates: Iterator[str]
    ) -> str:
        while True:
            try:
                temporary.rename_if_free(name.rpartition("/")[2])
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
                if len(self._durable) >= _MOST_DURABLE:
                    self._durable.clear()
                self._durable[folder] = identity
            folder = above

    def open(self, name: str) -> LocalFile:
        """
        Open a file for reading.

        Raises:
            OSError: If it does not exist, cannot be read, or is a link.
        """
        path = self.path_of(name)
        if self._follows_links:
            return LocalFile(path, name=name)
        folder, leaf = self._split(name)
        with folder, folder:
            try:
                folder.open()
                return LocalFile(path, folder.at(leaf), folder.handle, name)
            except NotADirectoryError:
                raise
            except OSError as error:
                error.filename = path
                raise

    def status(self, name: str) -> Status | None:
        """Return size and time of a file; None if it does not exist or is hidden."""
        try:
            found = os.stat(self.path_of(name), follow_symlinks=self._follows_links)
        except OSError:
            return None
        return Status(found.st_size, found.st_mtime_ns, found.st_mode & 0o777)

    def statuses(self, names: Sequence[str]) -> list[Status | None]:
        """Return the status of each of these files."""
        return [self.status(name) for name in names]

    def check_root(self) -> None:
        """
        Check that the root exists and can be listed, without walking it.

        Raises:
            OSError: If it does not exist, or cannot be read.
        """
        try:
            os.scandir(self.root).close()
        except FileNotFoundError as error:
            above, name = os.path.split(self.root)
            with suppress(OSError), os.scandir(above) as found:
                if near := nearest(name, [it.name for it in found if it.is_dir()]):
                    error.add_note(f"did you mean {near!r}?")
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
        pending: list[_Pending] = [((), None, None)]
        while pending:
            folder, files, identity = pending.pop()
            if files is not None:
                yield folder, files
                continue
            try:
                found = _scan(self._below(folder), identity)
            except OSError as error:
                if not folder:
                    raise
                # Neither is one that became a link since its parent was listed.
                if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                    on_error(error)
            else:
                pending.extend(reversed(list(_in_order(folder, *found, enters))))

    def delete(self, name: str) -> None:
        """
        Delete a file.

        Raises:
            FileNotFoundError: If it does not exist.
        """
        folder, leaf = self._split(name)
        with folder, folder:
            folder.open()
            folder.unlink(leaf)

    def remove_empty(self, names: Iterable[str]) -> None:
        """Remove the folders that these files were in, if they are empty."""
        above = {tuple(name.split("/")[:-1]) for name in names}
        steps = {found[:end] for found in above for end in range(1, len(found) + 1)}
        for *parents, last in sorted(steps, key=len, reverse=True):
            folder = self._below(tuple(parents))
            with suppress(OSError), folder, folder:
                folder.open()
                folder.rmdir(last)


def _create(
    temporary: Temporary, folder: Folder, mode: int, flags: int
) -> Sequence[str]:
    """Create a file in a folder that may be missing; return the folders created."""
    made: list[str] = []
    for tries_left in reversed(range(_TRIES)):
        try:
            made += folder.make(_mode_of_folders(mode), flags)
            temporary.create(mode)
        except FileNotFoundError:
            if not tries_left:
                raise
        else:
            break
    return made


def _mode_of_folders(mode: int) -> int:
    # Who may read files may enter their folders; who saves them enters always.
    return mode | (mode & 0o444) >> 2 | 0o300


def _sync(path: str) -> None:
    folder = Folder(path)
    with folder, folder:
        folder.open(READ)
        folder.sync()


def _confirm(folder: Folder, path: str) -> None:
    """Sync the directory entry of a file that already has its name."""
    try:
        folder.sync()
    except OSError as error:
        raise UnknownOutcomeError(
            error.errno,
            f"{error.strerror}: the file exists, but may not survive a power loss. "
            "Save it again to be sure",
            path,
        ) from error


# A folder, its files if it was listed, and what it was when its parent was listed.
_Pending: TypeAlias = "tuple[Segments, Sequence[str] | None, Identity | None]"


def _scan(
    folder: Folder, identity: Identity | None
) -> tuple[list[str], list[tuple[str, Identity]]]:
    files = []
    folders = []
    with folder, folder:
        folder.open(READ, identity)
        device, _ = folder.identity
        with folder.scan() as found:
            for item in found:
                # Most entries are files, which then cost a single call.
                if item.is_file(follow_symlinks=False) or _is_link_to_file(item):
                    if not is_temporary(item.name):
                        files.append(item.name)
                elif item.is_dir(follow_symlinks=False):
                    folders.append((item.name, (device, item.inode())))
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
    folders: list[tuple[str, Identity]],
    enters: Callable[[Segments], bool],
) -> Iterator[_Pending]:
    """Yield the subfolders of a folder in order, with the files between them."""
    start = 0
    for name, identity in folders:
        below = (*folder, name)
        if not enters(below):
            continue
        end = bisect.bisect(files, name, start)
        if end > start:
            yield folder, files[start:end], None
        yield below, None, identity
        start = end
    if start < len(files):
        yield folder, files[start:], None


def is_temporary(name: str) -> bool:
    """Tell whether a file name is that of an unfinished file of `put`."""
    return name[0] == "." and name.endswith(".ckpt.tmp")
