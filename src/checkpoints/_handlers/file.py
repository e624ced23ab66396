"""The handler that saves to files."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Literal, SupportsIndex, cast, get_args

from checkpoints._files.compression import checked_compression
from checkpoints._handlers.background import Writer
from checkpoints._handlers.contents import Contents, contents_of
from checkpoints._handlers.handler import Handler, checked_seconds
from checkpoints._handlers.job import freeze_for, settled_key
from checkpoints._handlers.notices import Notices
from checkpoints._handlers.numbering import numbered
from checkpoints._handlers.options import (
    Compression,
    FileOptions,
    Format,
    IfExists,
    OnFull,
    check_choice,
    check_needs_no_background,
    check_together,
    checked_mode,
    checked_switch,
    option_text,
)
from checkpoints._handlers.outcomes import Result
from checkpoints._handlers.replacing import put_or_replace
from checkpoints._handlers.root import checked_root, filled_root
from checkpoints._handlers.run_record import record_end_at_exit, record_run
from checkpoints._handlers.spill import Spill, checked_spill
from checkpoints._keys.julia_path import julia_path
from checkpoints._keys.key import SUFFIXES, Key
from checkpoints._keys.spelling import spelling_in
from checkpoints._process.origin import current_run
from checkpoints._process.pickling import public
from checkpoints._text import is_remote, parse_size
from checkpoints.errors import (
    AlreadyStoredError,
    UnknownOutcomeError,
)
from checkpoints.storage._store import Store
from checkpoints.storage._stores import open_store

__all__ = ["FileHandler"]

_REPLACING = (None, "replace")
# What belongs to a process.
_OWN = {"_writer", "_store", "_is_first", "_notices", "_in_progress"}
_OWN |= {"_spill", "_spare", "_kept"}
# How many saves to a server are on their way at the same time.
_AT_ONCE = 16


class FileHandler(Handler):
    """
    Saves to files: one file per key, under a root.

    Args:
        root: A folder, created when needed, or the URL of a place in an object store.
            May contain `{run}`, `{time}`, `{host}` and `{pid}`, which are filled in at
            a save; write literal braces twice.
        format: `"zip"` for an archive of any values, `"parquet"` for a file with a
            single table, which table tools read in place, or `"jlso"` for a file that
            Julia opens, in the layout of Checkpoints.jl, of values that Julia has.
        compression: `"none"`, `"zstd"` or `"gzip"`; None means none, and gzip for
            `"jlso"`, which has no zstd.
        if_exists: What to do if the key already has a file: `"replace"` it; `"keep"`
            both, with later ones numbered (the number of a deleted file is used
            again); `"skip"` the save, logged at INFO; or raise an `"error"`,
            `AlreadyStoredError`. None replaces it too, and logs a warning if it was
            saved by another run.
        store_options: For a URL: credentials, an endpoint, time-outs and the like, by
            the names that the store's library has for them. They are in no message;
            a pickle of the handler contains them.
        spill: For a URL: a folder, whose name is taken literally, that keeps the saves
            while the store fails. They count as saved, and are delivered, each once,
            when the store is back, by a later run, or by `checkpoints push`.
        mode: The permissions of the files, such as 0o600, within the umask; of a file
            that is replaced, what it forbids stays forbidden. Folders that are created
            get the same, and can be entered by those who may read.
        durable: Return only after the file has reached the disk, so that it survives a
            loss of power. About three times slower for small files.
        background: Return as soon as the values are copied, and save them in a thread.
            Accepted saves are written before the program exits, unless it is killed;
            `flush` waits for them. In workers that may be killed without notice, such
            as those of `multiprocessing.Pool`, saves are done when the call returns.
        max_pending: How many bytes of values may wait in the background, a number or
            a text such as `"64MB"`. A larger save waits until the queue is empty, and
            is done when the call returns.
        on_full: What to do with a save if the background queue is full: `"block"`
            until there is room, or `"drop"` it, counted and logged.
        max_wait: How many seconds a save waits for room in the queue, and the exit of
            the program for saves that are still waiting.

    Raises:
        ConfigError: If the root or an option is invalid.
        MissingDependencyError: If zstd is not installed but asked for.

    >>> import tempfile
    >>> handler = FileHandler(tempfile.mkdtemp(), if_exists="error")
    >>> handler.checkpoint("shop.total", 12)
    """

    OPTIONS: ClassVar[tuple[str, ...]] = tuple(FileOptions.__annotations__)

    def __init__(  # noqa: PLR0913 - separate options, given by name
        self,
        root: str | os.PathLike[str],
        *,
        format: Format = "zip",
        compression: Compression | None = None,
        if_exists: IfExists | None = None,
        store_options: Mapping[str, Any] | None = None,
        spill: str | os.PathLike[str] | None = None,
        mode: int = 0o666,
        durable: bool = False,
        background: bool = False,
        max_pending: int | str = 256 << 20,
        on_full: OnFull = "block",
        max_wait: float = 60.0,
    ) -> None:
        check_choice("format", format, get_args(Format))
        if if_exists is not None:
            check_choice("if_exists", if_exists, get_args(IfExists))
        check_choice("on_full", on_full, get_args(OnFull))
        check_together(format, compression, if_exists)
        checked_compression(compression)
        self.root: str = checked_root(root, store_options)
        self.format: Format = format
        self.compression: Compression | None = compression
        self.if_exists: IfExists | None = if_exists
        self.store_options: Mapping[str, Any] | None = store_options or None
        self.spill: str | None = checked_spill(spill, self.root)
        self.mode: int = checked_mode(mode)
        self.durable: bool = checked_switch("durable", durable)
        self.background: bool = checked_switch("background", background)
        self.max_pending: int = parse_size("max_pending", max_pending)
        self.on_full: OnFull = on_full
        self.max_wait: float = checked_seconds(max_wait, "max_wait")
        if not background:
            check_needs_no_background(self._changed())
        self._begin()

    def _begin(self) -> None:
        """Set the state that belongs to this process, which is not pickled."""
        self._writer: Writer | None = None
        if self.background:
            self._writer = Writer(
                max_pending=self.max_pending,
                on_full=self.on_full,
                max_wait=self.max_wait,
                lanes=_AT_ONCE if is_remote(self.root) else 1,
            )
        self._spill: Spill | None = None
        if self.spill is not None:
            self._begin_spill(self.spill)
        self._store: tuple[int, Store] | None = None
        # Until the first save of this process.
        self._is_first = True
        self._notices = Notices(can_number=self.format != "jlso")
        self._in_progress: set[str] = set()

    def _begin_spill(self, folder: str) -> None:
        self._spill = Spill(folder, self.root, self.store_options, self.max_wait)
        self._spare = FileHandler(
            self._spill.root,
            format=self.format,
            compression=self.compression,
            if_exists=self.if_exists,
            mode=self.mode,
            durable=self.durable,
        )
        # The keys whose last save it has.
        self._kept: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {name: it for name, it in vars(self).items() if name not in _OWN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # From now on, the processes that this one starts share its run.
        current_run()
        reduced = super().__reduce_ex__(protocol)
        # A subclass may need more than a root.
        if type(self) is not FileHandler:
            return reduced
        return public(FileHandler), (self.root,), reduced[2]

    def __repr__(self) -> str:
        changed = [
            f", {name}={option_text(name, value)}"
            for name, value in self._changed().items()
        ]
        return f"FileHandler({self.root!r}{''.join(changed)})"

    def _changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults."""
        parameters = inspect.signature(FileHandler).parameters
        values = {option: getattr(self, option) for option in self.OPTIONS}
        return {
            option: value
            for option, value in values.items()
            if value != parameters[option].default
        }

    @property
    def folder(self) -> str:
        """The root with `{run}` and the like filled in for this process."""
        return self._opened().root

    def begin(self) -> None:
        """Fix the id of the run, which processes started from now on share."""
        current_run()
        record_end_at_exit(self.root, self.mode, self.store_options)

    def commit(self, key: Key, staged: Mapping[str, Any]) -> Result:
        """
        Save values to the file of their key.

        Returns:
            None if they are saved, False if `if_exists="skip"` left an existing file;
            in the background a `Future` of that, cancelled if the save was dropped.

        Raises:
            AlreadyStoredError: If the file exists and `if_exists="error"`.
            FormatError: If a value cannot be written.
            PendingError: If the background queue stayed full for `max_wait` seconds.
            UnknownOutcomeError: If the save failed so late that the file may exist.
            OSError: If the file cannot be written.
        """
        path = julia_path(key) if self.format == "jlso" else key.path
        if self._writer is None:
            return self._save(key, path, staged)
        save = partial(self._save, settled_key(key), path)
        return cast(Result, self._writer.submit(staged, save, freeze_for(key), path))

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until every accepted background save has finished or failed.

        Args:
            timeout: In seconds; `max_wait` unless given.

        Raises:
            PendingError: If saves are unfinished by then. They continue.
        """
        if self._writer is not None:
            self._writer.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """
        Wait as `flush` does; later saves are done when the call returns.

        Args:
            timeout: In seconds; `max_wait` unless given.

        Raises:
            PendingError: If saves are unfinished by then. Those not begun are dropped.
        """
        if self._writer is not None:
            self._writer.close(timeout)

    def _save(
        self, key: Key, path: str, staged: Mapping[str, Any]
    ) -> Literal[False] | None:
        if self._spill is None:
            return self._send(key, path, staged)
        # So that both attempts have the same origin.
        key = settled_key(key)
        if not self._spill.is_away:
            try:
                result = self._send(key, path, staged)
            except FileExistsError:
                raise
            except OSError as error:
                self._spill.failed(error)
            else:
                self._tidy(self._spill, path)
                return result
        kept = self._spare.commit(key, staged)
        self._kept.add(path)
        self._spill.keeps()
        return False if kept is False else None

    def _tidy(self, spill: Spill, path: str) -> None:
        """Deliver what was kept, but for what the save of a path has replaced."""
        if path in self._kept and self.if_exists in _REPLACING:
            store, name = self._spare._opened(), path + SUFFIXES[self.format]  # noqa: SLF001 - one of ours
            with suppress(OSError):
                store.delete(spelling_in(store, name))
        self._kept.discard(path)
        spill.arrived()

    def _send(
        self, key: Key, path: str, staged: Mapping[str, Any]
    ) -> Literal[False] | None:
        store = self._opened()
        suffix = SUFFIXES[self.format]
        stem = path
        if self.format != "jlso":  # in which Checkpoints.jl escapes nothing
            stem = spelling_in(store, path + suffix).removesuffix(suffix)
        is_asked_later = self.if_exists in _REPLACING and is_remote(store.root)
        is_asked = self.if_exists != "keep" and not is_asked_later
        found = store.status(stem + suffix) if is_asked else None
        if self._is_unnecessary(key, store, stem, suffix, exists=found is not None):
            return False
        mode = self.mode & found.mode if found else self.mode
        self._in_progress.add(stem)
        try:
            contents = contents_of(key, staged, self.format, self.compression)
            self._notices.of_values(key, contents.notices)
            return self._put(key, store, stem + suffix, contents, mode)
        finally:
            self._in_progress.discard(stem)

    def _put(
        self, key: Key, store: Store, name: str, contents: Contents, mode: int
    ) -> Literal[False] | None:
        try:
            pieces, size = contents.pieces, contents.size
            if self.if_exists in _REPLACING and is_remote(store.root):
                replacing = partial(self._tell_replacing, key, store, name)
                put_or_replace(store, name, pieces, size, replacing)
            else:
                store.put(
                    numbered(store, name) if self.if_exists == "keep" else [name],
                    pieces,
                    size,
                    replace=self.if_exists in _REPLACING,
                    durable=self.durable,
                    mode=mode,
                )
        except FileExistsError as error:
            if self.if_exists == "error":
                raise self._already_stored(key, store, name) from error
            if self.if_exists != "skip":
                raise
            self._notices.of_skip(key)
            return False
        except UnknownOutcomeError:
            raise
        except OSError as error:
            checks = "this is a folder, that it is writable, that the disk is not full"
            if is_remote(store.root):
                checks = "the bucket is there, that you may write to it"
            error.add_note(
                f"while saving checkpoint {key} under {store.root}: check that {checks}"
            )
            raise
        # A copy of what another run has saved is no run of its own.
        if self._is_first and (not key.origin or key.origin.run == current_run()):
            self._is_first = False
            record_run(self.root, self.mode, self.store_options)
        return None

    def _is_unnecessary(
        self, key: Key, store: Store, stem: str, suffix: str, *, exists: bool
    ) -> bool:
        """Tell whether an existing file makes the save unnecessary."""
        name = stem + suffix
        if self.if_exists in _REPLACING and stem in self._in_progress:
            self._notices.of_replacing(key)
        if not exists:
            return False
        if self.if_exists == "skip":
            self._notices.of_skip(key)
            return True
        if self.if_exists == "error":
            raise self._already_stored(key, store, name)
        self._tell_replacing(key, store, name)
        return False

    def _tell_replacing(self, key: Key, store: Store, name: str) -> None:
        is_intended = self.if_exists is not None
        self._notices.of_file(key, store, name, is_intended=is_intended)

    def _already_stored(self, key: Key, store: Store, name: str) -> AlreadyStoredError:
        other = "'replace'" if self.format == "jlso" else "'replace' or 'keep'"
        return AlreadyStoredError(
            f"checkpoint {key} already has a file, {store.path_of(name)}: delete it, "
            f"add a tag that distinguishes the two, or use if_exists={other}"
        )

    def _opened(self) -> Store:
        # Once per process: a forked child has another {pid}.
        if self._store is None or self._store[0] != os.getpid():
            store = open_store(filled_root(self.root), self.store_options)
            self._store = (os.getpid(), store)
            self._is_first = True
        return self._store[1]
