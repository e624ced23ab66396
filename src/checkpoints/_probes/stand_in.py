"""Stand-ins: frames that look like the callers of a function, to that function."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from types import CodeType, FrameType
from typing import Any

from checkpoints._process.origin import is_ours, passed_over

__all__ = ["call_inside", "left", "stand_in"]

# The callers that a function finds where it expects them: pandas and patsy look so far
# up, from some of their functions.
_FRAMES = 5
# Of a thread, the calls that have some: they take of the stack, also of that of C,
# which no limit of Python guards.
_MOST = 30

# Of the callers, by the id of their code and the place in it: their code, and ours. A
# hash of code takes long.
_MOST_CODES = 1024
_codes: dict[tuple[int, int], tuple[CodeType, CodeType]] = {}

# No variable has this name.
_CALL = " call"


class _Standing(threading.local):
    """How many calls of a thread have stand-ins."""

    count = 0


_standing = _Standing()


def stand_in(
    call: Callable[[], Any], code: CodeType | None, ours: int = 1
) -> tuple[Callable[..., Any] | None, tuple[Any, ...]]:
    """
    Return what to call, and with what, so that a function sees its callers.

    None if there are too many already, as in a deep recursion. After the call, `left`
    is to be called.

    Loggers, warnings, named tuples and others look at the frames that called them:
    their modules, lines, variables.

    Args:
        call: Calls the function; written in C, as it must have no frame.
        code: The code of the function: one that is among its callers goes without,
            because the depth of a recursion is limited.
        ours: Which frame to begin at, one of this package: 1 is that of the caller.
    """
    if _standing.count >= _MOST:
        return None, ()
    arguments: tuple[Any, ...] = ()
    count = 0
    # Python makes no objects for the frames that are left out here.
    frame: FrameType | None = sys._getframe(ours)  # noqa: SLF001 - the stack is needed
    while frame is not None and count < _FRAMES:
        own = frame.f_code
        known = _codes.get((id(own), frame.f_lasti))
        if known is not None and known[0] is own:
            made: CodeType | None = known[1]
        else:
            made = _code_like(frame)
        if made is not None:
            if own is code:
                return None, ()
            if arguments:
                call = functools.partial(eval, *arguments)
            arguments = made, frame.f_globals, _Variables(frame, call)
            count += 1
        frame = frame.f_back
    if not arguments:
        # Python calls the function itself, as at the end of a process.
        return None, ()
    _standing.count += 1
    return eval, arguments


def left() -> None:
    """Count a call with stand-ins that has ended."""
    _standing.count -= 1


def call_inside(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a function that sees its callers, as far as that is possible."""
    call = functools.partial(function, *args, **kwargs)
    target, arguments = stand_in(call, getattr(function, "__code__", None))
    if target is None:
        return call()
    try:
        return target(*arguments)
    finally:
        left()


def _code_like(frame: FrameType) -> CodeType | None:
    """Return code that looks like that of a frame; None for a frame of ours."""
    code = frame.f_code
    if is_ours(code):
        return None
    made = compile("call()", code.co_filename, "eval", dont_inherit=True).replace(
        co_names=(_CALL,),
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_firstlineno=frame.f_lineno,
    )
    if len(_codes) >= _MOST_CODES:
        _codes.clear()
    _codes[id(code), frame.f_lasti] = code, passed_over(made)
    return made


class _Variables(MutableMapping[str, Any]):
    """
    The variables of a frame, read when something asks for them.

    Before Python 3.13, reading them keeps them alive for as long as the frame.
    """

    __slots__ = ("_call", "_frame")

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
