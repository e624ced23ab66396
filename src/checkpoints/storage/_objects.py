"""An object store, such as S3, as a store: a flat set of keys that look like paths."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice, takewhile
from typing import Any

from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.libraries import imported
from checkpoints.errors import ConfigError, UnknownOutcomeError
from checkpoints.storage._bucket import Bucket, Options, UncertainError
from checkpoints.storage._local import is_temporary
from checkpoints.storage._object_file import ObjectFile, status_of
from checkpoints.storage._store import Buffer, Piece, Segments, Status, gathered

__all__ = ["ObjectStore", "split_url"]

logger = logging.getLogger("checkpoints")

# How often to write what a server neither took nor found taken, or had no time for.
_TRIES = 3
_THREADS = 8
# As many as a server lists with one answer.
_FEW = 1000
_FEW_FOLDERS = 20
# Above it, one listing of all takes less than one of each folder.
_MOST_LISTED = 200
# Above it, one listing takes less than asking for each.
_MOST_ASKED = 32
# Whether a server keeps to the condition of a create, by root.
_keeps_to_it: dict[str, bool] = {}

Opener = Callable[[str, Options], Bucket]


class ObjectStore:
    """
    Objects below a URL.

    An object is complete or not there: it is written by one request.

    Args:
        root: The URL.
        options: What the client is opened with; it is in no message.
        opener: Opens the client.
    """

    folds_case = False

    def __init__(self, root: str, options: Options, opener: Opener) -> None:
        self.root = root
        self.options, self._opener = options, opener
        self._renew()
        after_fork_in_child(self._renew)

    def _renew(self) -> None:
        # No client outlives a fork.
        self._opened: Bucket | None = None
        # Reentrant: a signal handler may save at any point.
        self._opening = imported("threading").RLock()

    def __repr__(self) -> str:
        return f"ObjectStore({self.root!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return ObjectStore, (self.root, self.options, self._opener)

    @property
    def _bucket(self) -> Bucket:
        if self._opened is None:
            with self._opening:
                # One for all threads: each has its own connections.
                if self._opened is None:
                    self._opened = self._opener(self.root, self.options)
        return self._opened

    def path_of(self, name: str) -> str:
        """Return the URL of an object."""
        return f"{self.root}/{name}"

    def put(
        self,
        names: Iterable[str],
        pieces: Iterable[Piece],
        size: int,
        *,
        replace: bool = False,
        durable: bool = False,  # noqa: ARG002 - what is acknowledged is durable
        mode: int = 0o666,  # noqa: ARG002 - objects have no permissions of their own
        time: int | None = None,  # noqa: ARG002 - a server keeps its own time
    ) -> str:
        """
        Write an object under the first of the names that is free.

        All of its bytes are in memory meanwhile, where they are not copied.

        Raises:
            FileExistsError: If none of the names is free.
            UnknownOutcomeError: If the request got no answer, and the object may exist.
            OSError: If it cannot be written. No object is left behind then.
        """
        data = gathered(pieces, size)
        candidates = iter(names)
        name = next(candidates)
        if replace:
            self._write(name, data, creates=False)
            return name
        while True:
            try:
                self._create(name, data)
            except FileExistsError:
                following = next(candidates, None)
                if following is None:
                    raise
                name = following
            else:
                return name

    def _create(self, name: str, data: Sequence[Buffer]) -> None:
        if not self._keeps_conditions() and self._bucket.find(name):
            raise self._error(FileExistsError, errno.EEXIST, name)
        self._write(name, data, creates=True)

    def _write(self, name: str, data: Sequence[Buffer], *, creates: bool) -> None:
        # A request that is repeated may find what it has written itself.
        mark = os.urandom(8).hex()
        bucket = self._bucket
        for tries_left in reversed(range(_TRIES)):
            try:
                bucket.write(name, data, mark, creates=creates)
            except FileExistsError:
                try:
                    found = bucket.mark_of(name)
                except OSError as error:
                    raise self._unknown(error, name) from None
                if found == mark:
                    return
                # None: two requests met, and neither was taken, which some servers
                # tell in the same way.
                if found is not None or not tries_left:
                    raise
            except UncertainError as error:
                # The client has asked again and again, with longer and longer pauses.
                is_throttled = error.errno == errno.EBUSY
                if self._is_written(name, mark):
                    return
                if not is_throttled or not tries_left:
                    raise self._unknown(error, name) from None
            else:
                return

    def _is_written(self, name: str, mark: str) -> bool:
        try:
            return self._bucket.mark_of(name) == mark
        except OSError:
            return False

    def _unknown(self, error: OSError, name: str) -> UnknownOutcomeError:
        what = f"{error.strerror}: the file may exist. Check for it or save again"
        return UnknownOutcomeError(error.errno, what, self.path_of(name))

    def _keeps_conditions(self) -> bool:
        """Tell whether a create leaves existing objects; tried once for each root."""
        bucket = self._bucket
        if not bucket.may_ignore_conditions:
            return True
        if self.root not in _keeps_to_it:
            with self._opening:
                if self.root not in _keeps_to_it:
                    self._try_conditions(bucket)
        return _keeps_to_it.get(self.root, True)

    def _try_conditions(self, bucket: Bucket) -> None:
        # A name that a walk leaves out.
        name = f".{os.getpid()}-{os.urandom(6).hex()}-0.ckpt.tmp"
        try:
            self._write(name, [b"first"], creates=True)
        except PermissionError:
            return  # the save itself is refused too, and told by its own name
        try:
            bucket.write(name, [b"second"], "", creates=True)
        except FileExistsError:
            _keeps_to_it[self.root] = True
        except UncertainError:
            pass  # tried again the next time
        else:
            _keeps_to_it[self.root] = False
            logger.warning(
                "%s: this server replaces existing objects even if it is asked not "
                "to. Of two processes that save the same key at the same time, one "
                "is lost: add a tag that distinguishes them",
                self.root,
            )
        finally:
            with suppress(OSError):
                bucket.delete(name)

    def open(self, name: str) -> ObjectFile:
        """
        Open an object for reading.

        Raises:
            FileNotFoundError: If it does not exist.
            IsADirectoryError: If there are objects below it.
            OSError: If it cannot be read.
        """
        try:
            return ObjectFile(self._bucket, name, self.path_of(name))
        except FileNotFoundError:
            if not any(self._bucket.list(f"{name}/", only_first=True)):
                raise
        raise self._error(IsADirectoryError, errno.EISDIR, name)

    def status(self, name: str) -> Status | None:
        """Return size and time of an object; None if it does not exist or is hidden."""
        try:
            found = self._bucket.find(name)
        except OSError:
            return None
        return found and status_of(found)

    def statuses(self, names: Sequence[str]) -> list[Status | None]:
        """Return the status of each of these objects; of many by one listing."""
        if len(names) <= _MOST_ASKED:
            return [self.status(name) for name in names]
        listed = self._bucket.list(_shared_folder(min(names), max(names)))
        found = {blob.key: status_of(blob) for blob in listed}
        return [found.get(name) for name in names]

    def has(self, name: str) -> bool:
        """Tell whether there is an object of this name."""
        return self.status(name) is not None

    def check_root(self) -> None:
        """
        Check that there are objects below the root.

        Raises:
            FileNotFoundError: If there are none.
            OSError: If they cannot be listed.
        """
        if any(self._bucket.list("", only_first=True)):
            return
        raise self._missing()

    def _missing(self) -> OSError:
        return FileNotFoundError(
            errno.ENOENT,
            "There is nothing below it; correct the root, or save there first",
            self.root,
        )

    def walk(
        self,
        enters: Callable[[Segments], bool] = lambda _: True,
        on_error: Callable[[OSError], object] = lambda _: None,  # noqa: ARG002 - all or none is listed
    ) -> Iterator[tuple[Segments, Sequence[str]]]:
        """
        Yield each folder, as its segments below the root, with its file names.

        Everything is listed at once; or, if there is much in few folders, or `enters`
        rejects some, each that is entered by itself, several at a time.

        Raises:
            OSError: If the root does not exist, or cannot be listed.
        """
        is_entered = lru_cache(maxsize=None)(enters)
        keys = [
            key
            for key in self._keys(is_entered)
            if not is_temporary(key[key.rfind("/") + 1 :])
        ]
        if not keys:
            self.check_root()
        # A slash sorts before all that a segment contains.
        keys.sort(key=lambda key: key.replace("/", "\0"))
        yield from _by_folder(keys, is_entered)

    def _keys(self, enters: Callable[[Segments], bool]) -> list[str]:
        bucket = self._bucket
        listed = iter(bucket.list(""))
        keys = [blob.key for blob in islice(listed, _FEW)]
        # A server needs as long to tell the folders as to list all, if all are small.
        seen = {key.partition("/")[0] for key in keys}
        is_wide = len(seen) > _FEW_FOLDERS and all(enters((name,)) for name in seen)
        if len(keys) < _FEW or is_wide:
            return keys + [blob.key for blob in listed]
        folders, at_top = bucket.level("")
        entered = [name for name in folders if enters((name,))]
        if len(entered) == len(folders) > _MOST_LISTED or folders == entered[:1]:
            return keys + [blob.key for blob in listed]
        threads = imported("concurrent.futures").ThreadPoolExecutor(_THREADS)
        with threads as pool:
            below = pool.map(partial(_keys_below, bucket), entered)
            return [blob.key for blob in at_top] + [it for keys in below for it in keys]

    def delete(self, name: str) -> None:
        """
        Delete an object.

        Raises:
            FileNotFoundError: If it does not exist.
        """
        if self._bucket.find(name) is None:
            raise self._error(FileNotFoundError, errno.ENOENT, name)
        self._bucket.delete(name)

    def _error(self, kind: type[OSError], number: int, name: str) -> OSError:
        return kind(number, os.strerror(number), self.path_of(name))


def _shared_folder(first: str, last: str) -> str:
    """Return the folder that two names are in, with a slash at its end."""
    pairs = zip(first.split("/")[:-1], last.split("/")[:-1], strict=False)
    return "".join(f"{one}/" for one, _ in takewhile(lambda it: it[0] == it[1], pairs))


def _keys_below(bucket: Bucket, folder: str) -> list[str]:
    return [blob.key for blob in bucket.list(f"{folder}/")]


def _by_folder(
    keys: Sequence[str], enters: Callable[[Segments], bool]
) -> Iterator[tuple[Segments, list[str]]]:
    """Yield the folders of sorted keys that are entered, with their files."""
    current, files, is_wanted = "", list[str](), True
    folder: Segments = ()
    for key in keys:
        above, _, name = key.rpartition("/")
        if above != current:
            if files:
                yield folder, files
            current, files = above, []
            folder = tuple(above.split("/")) if above else ()
            steps = range(1, len(folder) + 1)
            is_wanted = all(enters(folder[:end]) for end in steps)
        if is_wanted:
            files.append(name)
    if files:
        yield folder, files


def split_url(root: str) -> tuple[str, str, str]:
    """
    Split a URL into scheme, bucket and what is below it, without slashes at the end.

    Raises:
        ConfigError: If there is no bucket, or a part that cannot be in a key.
    """
    scheme, _, rest = root.partition("://")
    bucket, _, below = rest.rstrip("/").partition("/")
    if not bucket or {"", ".", ".."} & set(below.split("/") if below else ()):
        raise ConfigError(
            f"invalid root {root!r}: expected {scheme}://BUCKET/FOLDER, without empty "
            "parts, . and .."
        )
    return scheme.lower(), bucket, below
