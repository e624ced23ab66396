"""The ways to save a value and to load it."""

from __future__ import annotations

import logging
import pickle
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle

import checkpoints
from tests.corpora.overwrite import overwrite
from tests.corpora.strict import difference

__all__ = ["WAYS", "Loaded", "NotTriedError", "Place", "copy_of", "pickled"]

_NAME = "corpora.value"


class Loaded(NamedTuple):
    """A value that was saved and loaded."""

    value: Any
    is_pickled: bool


class Place:
    """
    A folder for the files of all ways, and what the library says while it saves.

    Args:
        stack: Cleans up in the end.
    """

    def __init__(self, stack: ExitStack) -> None:
        memory = Path("/dev/shm")
        folder = str(memory) if memory.is_dir() else None
        self.folder = tempfile.mkdtemp(prefix="corpora-", dir=folder)
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = _Log()
        logger = logging.getLogger("checkpoints")
        logger.addHandler(self.log)
        logger.propagate = False
        # An object of a class that nothing is known of is told at this level.
        logger.setLevel(logging.INFO)
        stack.callback(logger.removeHandler, self.log)
        # What is said at the exit concerns nobody.
        logger.addHandler(logging.NullHandler())
        self._handlers: dict[str, checkpoints.FileHandler] = {}
        self._count = 0

    def handler(self, way: str, **options: Any) -> checkpoints.FileHandler:
        """Return the handler of a way, always the same one."""
        if way not in self._handlers:
            root = f"{self.folder}/{way}"
            self._handlers[way] = checkpoints.FileHandler(root, **options)
        return self._handlers[way]

    def data(self, value: Any) -> dict[str, Any]:
        """Return a value with a name of its own: pickles are told once for each."""
        self._count += 1
        return {f"x{self._count}": value}

    def load(self, way: str, **options: Any) -> Loaded:
        """Load the value that was saved last in a way."""
        suffix = "parquet" if way == "parquet" else "zip"
        path = f"{self.folder}/{way}/corpora/value.ckpt.{suffix}"
        try:
            (value,) = checkpoints.load(path, **options).values()
        except checkpoints.UntrustedError:
            (value,) = checkpoints.load(path, trusted=True, **options).values()
            return Loaded(value, is_pickled=True)
        return Loaded(value, is_pickled=False)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def texts(self) -> list[str]:
        """Return what was said since it was cleared."""
        return [record.getMessage() for record in self.records]


def _file(way: str, **options: Any) -> Callable[[Place, Any], Loaded]:
    def there_and_back(place: Place, value: Any) -> Loaded:
        handler = place.handler(way, **options)
        key = checkpoints.Key(_NAME)
        result: Any = handler.commit(key, place.data(value))
        if result is not None:
            result.result()
        return place.load(way)

    return there_and_back


def _mapped(place: Place, value: Any) -> Loaded:
    place.handler("mapped").commit(checkpoints.Key(_NAME), place.data(value))
    return place.load("mapped", mmap=True)


def _session(place: Place, value: Any) -> Loaded:
    with checkpoints.config(_NAME, place.handler("session"), on_error="raise"):
        session = checkpoints.Session(_NAME)
        session.checkpoint(place.data(value))
        session.commit()
    return place.load("session")


def _overwritten(place: Place, value: Any) -> Loaded:
    """Save a copy that is overwritten after it was staged."""
    copied = copy_of(value)
    with checkpoints.config(_NAME, place.handler("overwritten"), on_error="raise"):
        session = checkpoints.Session(_NAME)
        session.checkpoint(place.data(copied))
        overwrite(copied)
        session.commit()
    return place.load("overwritten")


def copy_of(value: Any) -> Any:
    """
    Return an exact copy of a value, made by pickle or cloudpickle.

    Raises:
        NotTriedError: If neither can make one.
    """
    try:
        copied = pickle.loads(pickled(value))
        changed = difference(value, copied)
    except Exception as error:
        raise NotTriedError from error
    if changed:
        raise NotTriedError(changed)
    return copied


def pickled(value: Any) -> bytes:
    """Return a pickle of a value, made by pickle or cloudpickle."""
    try:
        return pickle.dumps(value, 5)
    except Exception:
        # It can pickle classes and functions of a test.
        found: bytes = cloudpickle.dumps(value, 5)
        return found


class NotTriedError(Exception):
    """A way is not for a value."""


def _memory(place: Place, value: Any) -> Loaded:
    handler = checkpoints.DictHandler()
    handler.checkpoint(_NAME, {"x": value})
    return Loaded(handler[_NAME]["x"], is_pickled=False)


def _recorder(place: Place, value: Any) -> Loaded:
    recorder = checkpoints.Recorder(place.handler("recorder"))
    with recorder:
        recorder.checkpoint(_NAME, place.data(value))
        if not recorder.dump():
            raise checkpoints.FormatError("; ".join(place.log.texts()))
    return place.load("recorder")


WAYS: dict[str, Callable[[Place, Any], Loaded]] = {
    "plain": _file("plain"),
    "zstd": _file("zstd", compression="zstd"),
    "mapped": _mapped,
    "background": _file("background", background=True),
    "session": _session,
    "overwritten": _overwritten,
    "recorder": _recorder,
    "memory": _memory,
    "parquet": _file("parquet", format="parquet"),
}
