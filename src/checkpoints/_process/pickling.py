"""Objects on their way to another process: by public names, or told why they cannot."""

from __future__ import annotations

import copyreg
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

from checkpoints._text import shown, text_of
from checkpoints.errors import FormatError

__all__ = ["pickler_at_work", "public", "told"]

_OURS = __name__.partition(".")[0]
_WAY_OUT = (
    "Give functions that a module has under their names, or pickle with cloudpickle; "
    "what belongs to one process, such as a lock or a connection, is left out by a "
    "__getstate__ of the handler"
)
_here = threading.local()


class _Public:
    """A class that is pickled by its public name: its file may move, the name stays."""

    # It could have that name as its `__module__`. But `inspect` and `typing` look there
    # for its source and for the names in its annotations.
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
    Return what stands for a class in a `__reduce__`: one of ours, by its public name.

    Args:
        kind: The class; one of somebody else, such as a subclass, stands for itself.
        room: The public module below the catalogue that has it, with a dot behind.
    """
    is_ours = kind.__module__.startswith(f"{_OURS}.")
    return _Public(kind, room) if is_ours else kind


def told(owner: object, reduced: Any) -> Any:
    """
    Return what a `__reduce__` returns, if it can be pickled.

    Each part is tried, by the pickler that asks, which may know more than `pickle`.

    Args:
        owner: Whose it is.
        reduced: What it is pickled as.

    Raises:
        FormatError: If a part cannot be pickled. Python would tell of a lock, for one,
            and not of whose it is.
    """
    if isinstance(reduced, str) or getattr(_here, "is_trying", False):
        return reduced
    pickler = pickler_at_work()
    if pickler is not None:
        _here.is_trying = True
        try:
            for part in _parts(*reduced):
                _try(pickler, owner, part)
        finally:
            _here.is_trying = False
    return reduced


def pickler_at_work() -> Any:
    """Return the class of the pickler that asks; None where it is `copy`."""
    import pickle

    frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack() costs milliseconds
    while frame.f_back is not None:
        frame = frame.f_back
        module = frame.f_globals.get("__name__")
        if module == "copy":
            return None
        if module == "multiprocessing.reduction":
            return _trial(frame.f_globals["ForkingPickler"])
        if frame.f_code.co_name == "dump":
            mine = frame.f_locals.get("self")
            if isinstance(mine, (pickle.Pickler, pickle._Pickler)):  # noqa: SLF001 - dill's base
                return type(mine)
    return pickle.Pickler


def _trial(forking: Any) -> Any:
    """Return a pickler that takes what `multiprocessing` does, and hands nothing on."""
    import pickle

    # To reduce a connection twice would hand it on twice.
    own = dict.fromkeys(vars(forking)["_extra_reducers"], lambda _: (object, ()))
    table = {**copyreg.dispatch_table, **own}
    return type("Trial", (pickle.Pickler,), {"dispatch_table": table})


def _parts(
    made: Any, args: tuple[Any, ...], state: Any = None, *_: Any
) -> Iterator[Any]:
    yield from args
    if isinstance(made, partial):
        yield from made.keywords.values()
    if isinstance(state, dict):
        yield from state.values()
    else:
        yield state


def _try(pickler: Any, owner: object, part: object) -> None:
    try:
        pickler(_Nowhere()).dump(part)
    except FormatError:
        raise
    except Exception as error:
        message = (
            f"{shown(owner)} cannot be pickled, because of {shown(part)}: "
            f"{type(error).__name__}: {text_of(error)}. {_WAY_OUT}"
        )
        raise FormatError(message) from error


class _Nowhere:
    """A file that forgets."""

    def write(self, data: Any) -> int:
        return len(data)
