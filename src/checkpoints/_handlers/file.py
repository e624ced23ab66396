"""The handler that saves to files."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Literal, SupportsIndex, cast, get_args

from checkpoints._files.archive import lay_out
from checkpoints._files.compression import checked_compression
from checkpoints._files.container import header_for, open_container
from checkpoints._files.parquet import to_parquet
from checkpoints._handlers.background import Writer
from checkpoints._handlers.handler import Handler
from checkpoints._handlers.options import (
    Compression,
    FileOptions,
    Format,
    IfExists,
    OnFull,
)
from checkpoints._handlers.outcomes import Result
from checkpoints._handlers.root import checked_root, filled_root
from checkpoints._handlers.seconds import checked_seconds
from checkpoints._keys.key import SUFFIXES, Key
from checkpoints._keys.spelling import spelling_in
from checkpoints._kinds.codec import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.tables import to_table
from checkpoints._process.origin import Origin, current_run
from checkpoints._process.pickling import public
from checkpoints._text import parse_size
from checkpoints.errors import (
    AlreadyStoredError,
    CheckpointError,
    ConfigError,
    FormatError,
    UnknownOutcomeError,
)
from checkpoints.storage._store import Piece, Store
from checkpoints.storage._stores import open_store

__all__ = ["FileHandler"]

logger = logging.getLogger("checkpoints")


class FileHandler(Handler):
    """
    Saves to files: one for each key, under a root.

    Args:
        root: A folder, made when it is needed. May hold `{run}`, `{time}`, `{host}`
            and `{pid}`, filled in where it is used; other braces are written twice.
        format: `"zip"` for an archive that takes anything, or `"parquet"` for a
            single table in a file that every table tool reads in place.
        compression: None, `"zstd"` or `"gzip"`.
        if_exists: What to do where the key has a file already. `"replace"` it;
            `"keep"` both, the later ones numbered (a number is free again when its
            file is deleted); `"skip"` the save, told to the log at INFO; or raise an
            `"error"`, `AlreadyStoredError`.
        durable: Return only when the file is on the disk, so that it outlasts a loss
            of power. Some three times slower for small files.
        background: Return when the values are copied, and save them in a thread.
            What is accepted is saved before the program ends, unless it is killed;
            `flush` waits for it. In workers that are killed without notice, as those
            of `multiprocessing.Pool`, a save is done when the call returns.
        max_pending: How many bytes of values may wait in the background, a number or
            a text such as `"64MB"`. A larger save waits until it is alone, and is done
            when the call returns.
        on_full: What to do with a save that finds no room in the background:
            `"block"` until there is, or `"drop"` it, counted and told.
        max_wait: For how many seconds a save may wait for room, and the end of the
            program for what is not saved yet.

    Raises:
        ConfigError: If the root or an option cannot be.
        MissingDependencyError: If zstd is asked for and not installed.

    >>> import tempfile
    >>> handler = FileHandler(tempfile.mkdtemp(), if_exists="error")
    >>> handler.checkpoint("shop.total", 12)
    """

    OPTIONS: ClassVar[tuple[str, ...]] = tuple(FileOptions.__annotations__)

    def __init__(  # noqa: PLR0913 - each is an option of its own, named at the call
        self,
        root: str | os.PathLike[str],
        *,
        format: Format = "zip",
        compression: Compression | None = None,
        if_exists: IfExists = "replace",
        durable: bool = False,
        background: bool = False,
        max_pending: int | str = 256 << 20,
        on_full: OnFull = "block",
        max_wait: float = 60.0,
    ) -> None:
        _check_choice("format", format, get_args(Format))
        _check_choice("if_exists", if_exists, get_args(IfExists))
        _check_choice("on_full", on_full, get_args(OnFull))
        checked_compression(compression)
        self.root: str = checked_root(root)
        self.format: Format = format
        self.compression: Compression | None = compression
        self.if_exists: IfExists = if_exists
        self.durable: bool = _checked_switch("durable", durable)
        self.background: bool = _checked_switch("background", background)
        self.max_pending: int = parse_size("max_pending", max_pending)
        self.on_full: OnFull = on_full
        self.max_wait: float = checked_seconds(max_wait, "max_wait")
        if not background:
            self._check_needs_no_background()
        self._begin()

    def _begin(self) -> None:
        """Begin with nothing, in this process: what is not pickled."""
        self._writer: Writer | None = None
        if self.background:
            self._writer = Writer(
                max_pending=self.max_pending,
                on_full=self.on_full,
                max_wait=self.max_wait,
            )
        self._store: tuple[int, Store] | None = None
        self._told: set[str] = set()
        self._under_way: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        own = ("_writer", "_store", "_told", "_under_way")
        return {name: value for name, value in vars(self).items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # Settled here, so that the processes that are started from now on share it.
        current_run()
        reduced = super().__reduce_ex__(protocol)
        # A class of somebody else may ask for more than a root.
        if type(self) is not FileHandler:
            return reduced
        return public(FileHandler), (self.root,), reduced[2]

    def __repr__(self) -> str:
        options = [f", {name}={value!r}" for name, value in self._unusual().items()]
        return f"FileHandler({self.root!r}{''.join(options)})"

    def _unusual(self) -> dict[str, Any]:
        """Return the options that are not what they are unless given."""
        usual = inspect.signature(FileHandler).parameters
        values = {option: getattr(self, option) for option in self.OPTIONS}
        return {it: value for it, value in values.items() if value != usual[it].default}

    def _check_needs_no_background(self) -> None:
        idle = self._unusual().keys() & {"max_pending", "on_full", "max_wait"}
        if idle:
            message = (
                f"{' and '.join(sorted(idle))}: for saves in the background only. Give "
                "background=True as well, or leave it out"
            )
            raise ConfigError(message)

    @property
    def folder(self) -> str:
        """The root as it is in this process, with `{run}` and the others filled in."""
        return self._opened().root

    def begin(self) -> None:
        """Settle the id of the run, which the processes started from now on share."""
        current_run()

    def commit(self, key: Key, staged: Mapping[str, Any]) -> Result:
        """
        Save values to the file of their key.

        Returns:
            None when they are saved, False where `if_exists="skip"` left the file that
            was there; in the background a `Future` of that, cancelled where they were
            dropped.

        Raises:
            AlreadyStoredError: If there is a file already and `if_exists="error"`.
            FormatError: If a value cannot be written.
            PendingError: If there was no room in the background in time.
            UnknownOutcomeError: If an error came so late that the file may be there.
            OSError: If the file cannot be written.
        """
        if self._writer is None:
            return self._save(key, key.path, staged)
        path = key.path
        settled = Key(key.name, freeze(key.tags), key.origin or Origin.here())
        save = partial(self._save, settled, path)
        return cast(Result, self._writer.submit(staged, save))

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until all that was accepted in the background is saved.

        Args:
            timeout: Seconds; `max_wait` unless given.

        Raises:
            PendingError: If it is not saved then. It goes on.
        """
        if self._writer is not None:
            self._writer.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """
        Wait as `flush` does, and make every save from now on when it is called.

        Args:
            timeout: Seconds; `max_wait` unless given.

        Raises:
            PendingError: If it is not saved then. What has not begun is dropped.
        """
        if self._writer is not None:
            self._writer.close(timeout)

    def _save(
        self, key: Key, path: str, staged: Mapping[str, Any]
    ) -> Literal[False] | None:
        store = self._opened()
        suffix = SUFFIXES[self.format]
        stem = spelling_in(store, path + suffix).removesuffix(suffix)
        if self._is_settled(key, store, stem, suffix):
            return False
        self._under_way.add(stem)
        try:
            size, pieces = self._contents(key, staged)
            return self._put(key, store, stem + suffix, pieces, size)
        finally:
            self._under_way.discard(stem)

    def _put(
        self, key: Key, store: Store, name: str, pieces: Iterator[Piece], size: int
    ) -> Literal[False] | None:
        try:
            store.put(
                self._names(store, name),
                pieces,
                size,
                replace=self.if_exists == "replace",
                durable=self.durable,
            )
        except FileExistsError as error:
            if self.if_exists == "error":
                raise self._already_stored(key, store, name) from error
            if self.if_exists != "skip":
                raise
            self._tell_of_skipping(key)
            return False
        except UnknownOutcomeError:
            raise
        except OSError as error:
            error.add_note(
                f"while saving checkpoint {key} under {store.root}: see that it is a "
                "folder, no file is in its way, it may be written, and has room"
            )
            raise
        return None

    def _is_settled(self, key: Key, store: Store, stem: str, suffix: str) -> bool:
        """Tell whether nothing has to be written, as far as can be told beforehand."""
        name = stem + suffix
        if self.if_exists == "replace" and stem in self._under_way:
            self._tell_of_replacing(key)
        if self.if_exists == "keep" or store.status(name) is None:
            return False
        if self.if_exists == "skip":
            self._tell_of_skipping(key)
            return True
        if self.if_exists == "error":
            raise self._already_stored(key, store, name)
        self._warn_of_replacing(key, store, name)
        return False

    def _contents(
        self, key: Key, values: Mapping[str, Any]
    ) -> tuple[int, Iterator[Piece]]:
        try:
            if self.format == "parquet":
                return self._table_contents(key, values)
            encoded = encode(values)
        except FormatError as error:
            message = f"checkpoint {key}, {error}"
            raise FormatError(message) from error.__cause__
        for name, reason in encoded.pickled.items():
            self._tell_once(
                f"{key.name} {name}",
                "checkpoint %s: value %r is saved as a pickle, and so is loaded only "
                "with trusted=True: %s",
                key,
                name,
                reason,
            )
        header, seconds = header_for(key, encoded.nodes, encoded.packages)
        return lay_out(
            encoded.members, header, seconds=seconds, compression=self.compression
        )

    def _table_contents(
        self, key: Key, values: Mapping[str, Any]
    ) -> tuple[int, Iterator[Piece]]:
        if len(values) != 1:
            message = (
                f"{len(values)} values cannot be kept as Parquet, which holds one "
                "table: save one at a time, or use format='zip'"
            )
            raise FormatError(message)
        ((name, value),) = values.items()
        table, node, package = to_table(name, value)
        header, _ = header_for(key, {name: node}, {package, "pyarrow"})
        data = to_parquet(table, header, self.compression)
        return len(data), iter([(0, data)])

    def _names(self, store: Store, name: str) -> Iterator[str]:
        """Yield the names that a file may take: the key's own, then numbered ones."""
        yield name
        if self.if_exists != "keep":
            return
        suffix = SUFFIXES[self.format]
        stem = name.removesuffix(suffix)
        taken, free = 1, 2
        while store.status(f"{stem}.{free}{suffix}"):
            taken, free = free, free * 2
        while free - taken > 1:
            middle = (taken + free) // 2
            if store.status(f"{stem}.{middle}{suffix}"):
                taken = middle
            else:
                free = middle
        while True:
            yield f"{stem}.{free}{suffix}"
            free += 1

    def _warn_of_replacing(self, key: Key, store: Store, name: str) -> None:
        if key.name in self._told:
            return
        try:
            with store.open(name) as file:
                run = open_container(file).header.get("run")
        except (OSError, CheckpointError):
            return
        if run == (key.origin.run if key.origin else current_run()):
            self._tell_of_replacing(key)

    def _tell_of_replacing(self, key: Key) -> None:
        self._tell_once(
            key.name,
            "checkpoint %s was saved before by this run, and only the last one is "
            "kept: add a tag that tells them apart, or use if_exists='keep'",
            key,
        )

    def _tell_once(self, subject: str, message: str, *arguments: object) -> None:
        if subject not in self._told:
            self._told.add(subject)
            logger.warning(message, *arguments)

    def _tell_of_skipping(self, key: Key) -> None:
        logger.info("checkpoint %s has a file already, and was skipped", key)

    def _already_stored(self, key: Key, store: Store, name: str) -> AlreadyStoredError:
        return AlreadyStoredError(
            f"checkpoint {key} has a file already, {store.path_of(name)}: delete it, "
            "add a tag that tells the two apart, or use if_exists='replace' or 'keep'"
        )

    def _opened(self) -> Store:
        # Once in each process: a forked child has a {pid} of its own.
        if self._store is None or self._store[0] != os.getpid():
            self._store = (os.getpid(), open_store(filled_root(self.root)))
        return self._store[1]


def _check_choice(option: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        message = f"{option}={value!r} is not known: it is one of {known}"
        raise ConfigError(message)


def _checked_switch(option: str, value: object) -> bool:
    if not isinstance(value, bool):
        message = f"{option}={value!r} has to be True or False"
        raise ConfigError(message)
    return value
