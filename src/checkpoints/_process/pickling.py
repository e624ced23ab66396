"""Classes in pickles: stored by their public names, whatever file defines them."""

from __future__ import annotations

from typing import Any

from checkpoints._process.libraries import imported

__all__ = ["public"]

_OURS = __name__.partition(".")[0]


class _Public:
    """
    A class that is pickled by its public name.

    Setting `__module__` would do the same, but `inspect` and `typing` use it to find
    the source of a class and the names in its annotations.
    """

    def __init__(self, kind: type[Any], room: str) -> None:
        self.kind = kind
        self.room = room

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.kind(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        resolve_name = imported("pkgutil").resolve_name
        return resolve_name, (f"{_OURS}:{self.room}{self.kind.__qualname__}",)


def public(kind: type[Any], room: str = "") -> Any:
    """
    Return a stand-in for a class in a `__reduce__`, which is pickled by public name.

    Args:
        kind: The class. One from elsewhere, such as a subclass, is returned as it is.
        room: The public module of this package that contains it, followed by a dot;
            the package itself unless given.
    """
    is_ours = kind.__module__.startswith(f"{_OURS}.")
    return _Public(kind, room) if is_ours else kind
