"""Classes in pickles: by their public names, whatever file they are in."""

from __future__ import annotations

from typing import Any

__all__ = ["public"]

_OURS = __name__.partition(".")[0]


class _Public:
    """
    A class that is pickled by its public name.

    Setting `__module__` would do the same, but `inspect` and `typing` look there for
    the source of the class and the names in its annotations.
    """

    def __init__(self, kind: type[Any], room: str) -> None:
        self.kind = kind
        self.room = room

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.kind(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        from pkgutil import resolve_name

        return resolve_name, (f"{_OURS}:{self.room}{self.kind.__qualname__}",)


def public(kind: type[Any], room: str = "") -> Any:
    """
    Return what a `__reduce__` gives for a class, so that a pickle has its public name.

    Args:
        kind: The class. One that is not ours, such as a subclass, stands for itself.
        room: The public module of this package that has it, followed by a dot; the
            package itself unless given.
    """
    is_ours = kind.__module__.startswith(f"{_OURS}.")
    return _Public(kind, room) if is_ours else kind
