"""A generator whose items are seen as it yields them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

__all__ = ["Watched"]


class Watched(Iterator[Any]):
    """
    Passes everything on to a generator, for `yield from`.

    Args:
        generator: The generator.
        seen: Called with each item.
    """

    def __init__(
        self, generator: Generator[Any, Any, Any], seen: Callable[[Any], object]
    ) -> None:
        self._generator, self._seen = generator, seen

    def __next__(self) -> Any:
        return self._noted(next(self._generator))

    def send(self, value: Any) -> Any:
        """Send a value into the generator."""
        return self._noted(self._generator.send(value))

    def throw(self, *error: Any) -> Any:
        """Raise an error inside the generator."""
        return self._noted(self._generator.throw(*error))

    def close(self) -> None:
        """Close the generator."""
        self._generator.close()

    def _noted(self, item: Any) -> Any:
        self._seen(item)
        return item
