"""Work that is spread over the workers of an executor, and comes back in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

from checkpoints._process.installation import differing_versions, versions_here
from checkpoints.errors import ConfigError, ExecutorError

__all__ = ["Executor", "Spread"]

T = TypeVar("T")

# Small enough to be done soon after an interrupt, large enough that what handing on a
# chunk costs does not count.
_CHUNK = 16
_LONGEST = 1024
# Enough for the workers of a cluster to have something to do.
_WINDOW = 128

_ADVICE = (
    "The workers need this library, in the same version, and what was saved under the "
    "same paths as here"
)


class Executor(Protocol):
    """What has a `submit` like that of the pools in `concurrent.futures`."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any:
        """Return the future of a call, with its `result` and `cancel`."""


class _Raised(NamedTuple):
    """An error of the function itself, not of whoever calls it."""

    error: Exception


class Spread:
    """
    Work that is spread over the workers of an executor.

    Args:
        executor: The executor.

    Raises:
        ConfigError: If it is none.
    """

    def __init__(self, executor: Executor) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise ConfigError(
                f"executor={executor!r}: expected what has a method submit, such as "
                "a pool of concurrent.futures or Dask's client.get_executor()"
            )
        self._executor = executor
        # Engines may take calls with equal arguments for one.
        self._number = os.urandom(8).hex()

    def in_order(
        self,
        function: Callable[[list[T]], Any],
        items: Iterable[T],
        needs_work: Callable[[T], bool] = lambda _: True,
    ) -> Generator[tuple[list[T], list[T], Any]]:
        """
        Call a function for items, in chunks, of which a bounded number is on its way.

        What waits is taken back when this generator is closed.

        Args:
            function: Takes a list of items; both must be picklable.
            items: The items.
            needs_work: Tells whether an item goes to the workers at all.

        Yields:
            The next items; those of them that went to a worker; and what the function
            returned for these.

        Raises:
            ExecutorError: If the executor fails, or its workers have other versions.
            Exception: Whatever the function raises.
        """
        chunks = _chunks(iter(items), needs_work)
        waiting: deque[tuple[list[T], list[T], Any]] = deque()
        try:
            while True:
                for chunk, work in islice(chunks, _WINDOW - len(waiting)):
                    waiting.append((chunk, work, self._submitted(function, work)))
                if not waiting:
                    return
                chunk, work, future = waiting.popleft()
                yield chunk, work, self._result(future)
        finally:
            for *_, future in waiting:
                future.cancel()

    def _submitted(self, function: Callable[[list[T]], Any], work: list[T]) -> Any:
        try:
            return self._executor.submit(
                _called, self._number, versions_here(), function, work
            )
        except Exception as error:
            raise self._failure(error) from error

    def _result(self, future: Any) -> Any:
        try:
            found = future.result()
        except BaseException as error:
            with suppress(Exception):
                future.cancel()
            if isinstance(error, Exception):
                raise self._failure(error) from error
            raise
        if isinstance(found, _Raised):
            raise found.error
        return found

    def _failure(self, error: Exception) -> ExecutorError:
        if isinstance(error, ExecutorError):
            return error
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        return ExecutorError(
            f"{type(self._executor).__name__} could not do its part of the work: "
            f"{reason}. {_ADVICE}"
        )


def _chunks(
    items: Iterator[T], needs_work: Callable[[T], bool]
) -> Iterator[tuple[list[T], list[T]]]:
    chunk: list[T] = []
    work: list[T] = []
    for item in items:
        chunk.append(item)
        if needs_work(item):
            work.append(item)
        if len(work) == _CHUNK or len(chunk) == _LONGEST:
            yield chunk, work
            chunk, work = [], []
    if chunk:
        yield chunk, work


def _called(
    number: str,  # noqa: ARG001 - so that no two calls are equal
    versions: dict[str, str],
    function: Callable[[Sequence[Any]], Any],
    work: Sequence[Any],
) -> Any:
    """Call the function, in a worker."""
    if differing := differing_versions(versions):
        raise ExecutorError(f"{differing}. {_ADVICE}")
    try:
        return function(work)
    except Exception as error:  # noqa: BLE001 - raised where the work comes from
        return _Raised(error)
