"""A stand-in: a frame that looks like the caller of a function, to that function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, MutableMapping
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from checkpoints._process.origin import outside_frame, passed_over

__all__ = ["left", "stand_in"]

# Each takes some of the stack of C, which no limit of Python guards.
_MOST = 20

# No variable has this name.
_CALL = " call"


class _Standing(threading.local):
    """How many there are in a thread."""

    count = 0


_standing = _Standing()


def stand_in(
    call: Callable[[], Any], code: CodeType
) -> tuple[Callable[..., Any] | None, tuple[Any, ...]]:
    """
    Return what to call, and with what, so that a function sees its caller.

    None if there are too many already, as in a deep recursion. After the call, `left`
    is to be called.

    Loggers, warnings, named tuples and others look at the frame that called them: its
    module, its line, its variables.

    Args:
        call: Calls the function; written in C, as it must have no frame.
        code: The code of the function: one that calls itself goes without, because its
            depth is limited.
    """
    frame = outside_frame()
    if frame.f_code is code or _standing.count >= _MOST:
        return None, ()
    _standing.count += 1
    caller = frame.f_code
    made = _code(caller.co_filename, caller.co_name, caller.co_qualname, frame.f_lineno)
    return eval, (made, frame.f_globals, _Variables(frame, call))


def left() -> None:
    """Count a stand-in that was left."""
    _standing.count -= 1


@lru_cache(maxsize=1024)
def _code(file: str, name: str, place: str, line: int) -> CodeType:
    made = compile("call()", file, "eval", dont_inherit=True)
    return passed_over(
        made.replace(
            co_names=(_CALL,), co_name=name, co_qualname=place, co_firstlineno=line
        )
    )


class _Variables(MutableMapping[str, Any]):
    """
    The variables of a frame, read when something asks for them.

    Before Python 3.13, reading them keeps them alive for as long as the frame.
    """

    def __init__(self, frame: FrameType, call: Callable[[], Any]) -> None:
        self._frame, self._call = frame, call

    def __getitem__(self, name: str) -> Any:
        return self._call if name == _CALL else self._frame.f_locals[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._frame.f_locals[name] = value

    def __delitem__(self, name: str) -> None:
        del self._frame.f_locals[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame.f_locals)

    def __len__(self) -> int:
        return len(self._frame.f_locals)

    def copy(self) -> dict[str, Any]:
        """Return a copy, as a dict does."""
        return dict(self._frame.f_locals)
