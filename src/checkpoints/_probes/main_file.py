"""The main file of a program: its functions, as soon as it defines them."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

__all__ = ["is_main_file", "main_names", "when_any_defined", "when_defined"]

_MAIN = "__main__"


class _Awaited(NamedTuple):
    """A name that the main file may define; until it has passed a line."""

    name: str
    action: Callable[[], object]
    until: float = math.inf


_pending: list[_Awaited] = []
# Actions for whatever a main file defines that has not begun.
_for_any: list[Callable[[], object]] = []


def main_names() -> tuple[str, ...]:
    """Return the names that what this program runs as its main file may have."""
    spec = getattr(sys.modules.get(_MAIN), "__spec__", None)
    file = getattr(sys.modules.get(_MAIN), "__file__", None)
    first = next(iter(getattr(sys, "argv", ())), "")
    if file is None and first == "-m":
        # It is not found yet: Python is only starting.
        words = [word.removeprefix("-m") for word in sys.orig_argv]
        return (*words, *(f"{word}.{_MAIN}" for word in words), _MAIN)
    stem, _ = os.path.splitext(os.path.basename(file or first))
    return getattr(spec, "name", stem), stem, _MAIN


def is_main_file(module: str) -> bool:
    """Tell whether a module is what this program runs as its main file."""
    return module in main_names()


def when_defined(name: str, action: Callable[[], object]) -> None:
    """
    Run an action when the main file has defined a name, at the line that follows.

    Nothing happens if other code traces the program, such as a debugger, if the main
    file never defines the name, or if it has ended.
    """
    if name in vars(sys.modules[_MAIN]):
        action()
    elif _follows():
        _pending.append(_Awaited(name, action))


def when_any_defined(action: Callable[[], object]) -> None:
    """Run an action whenever the main file has defined a function or a class."""
    action()
    if _follows():
        _for_any.append(action)


def _follows() -> bool:
    """Follow the main file while it runs, or tell that it is not possible."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the stack is needed
    while frame is not None and not _is_main(frame):
        frame = frame.f_back
    has_begun = hasattr(sys.modules[_MAIN], "__file__")
    if sys.gettrace() not in (None, _trace) or (has_begun and frame is None):
        return False
    if frame is not None:
        frame.f_trace = _trace_main
    sys.settrace(_trace)
    return True


def _is_main(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>" and frame.f_globals is vars(
        sys.modules[_MAIN]
    )


def _trace(frame: FrameType, _event: str, _argument: Any) -> Any:
    return _trace_main if _is_main(frame) else None


def _trace_main(frame: FrameType, event: str, _argument: Any) -> Any:
    while _for_any:
        _pending.extend(_all_awaited(frame.f_code, _for_any.pop(0)))
    for awaited in list(_pending):
        if awaited.name in frame.f_globals:
            _pending.remove(awaited)
            awaited.action()
        elif frame.f_lineno > awaited.until:
            _pending.remove(awaited)
    if _pending and event != "return":
        return _trace_main
    _pending.clear()
    sys.settrace(None)
    return None


def _all_awaited(code: CodeType, action: Callable[[], object]) -> Iterator[_Awaited]:
    """Yield all that a main file may define, until its last definition is passed."""
    codes = [it for it in code.co_consts if isinstance(it, CodeType)]
    lines = [line for it in codes for *_, line in it.co_lines() if line]
    for name in {it.co_name for it in codes if it.co_name.isidentifier()}:
        yield _Awaited(name, action, max(lines))
