"""The main file of a program: its functions, as soon as it defines them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["is_main_file", "when_defined"]

_MAIN = "__main__"

_pending: list[tuple[str, Callable[[], object]]] = []


def is_main_file(module: str) -> bool:
    """Tell whether a module is what this program runs as its main file."""
    if module == _MAIN:
        return True
    spec = getattr(sys.modules.get(_MAIN), "__spec__", None)
    file = getattr(sys.modules.get(_MAIN), "__file__", None)
    first = next(iter(getattr(sys, "argv", ())), "")
    if file is None and first == "-m":
        # It is not found yet: Python is only starting.
        words = sys.orig_argv
        return module in (word.removeprefix("-m") for word in words)
    stem, _ = os.path.splitext(os.path.basename(file or first))
    return module in (stem, getattr(spec, "name", stem))


def when_defined(name: str, action: Callable[[], object]) -> None:
    """
    Run an action when the main file has defined a name, at the line that follows.

    Nothing happens if other code traces the program, such as a debugger, if the main
    file never defines the name, or if it has ended.
    """
    if name in vars(sys.modules[_MAIN]):
        action()
        return
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the stack is needed
    while frame is not None and not _is_main(frame):
        frame = frame.f_back
    has_begun = hasattr(sys.modules[_MAIN], "__file__")
    if sys.gettrace() not in (None, _trace) or (has_begun and frame is None):
        return
    _pending.append((name, action))
    if frame is not None:
        frame.f_trace = _trace_main
    sys.settrace(_trace)


def _is_main(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>" and frame.f_globals is vars(
        sys.modules[_MAIN]
    )


def _trace(frame: FrameType, _event: str, _argument: Any) -> Any:
    return _trace_main if _is_main(frame) else None


def _trace_main(frame: FrameType, event: str, _argument: Any) -> Any:
    for name, action in list(_pending):
        if name in frame.f_globals:
            _pending.remove((name, action))
            action()
    if _pending and event != "return":
        return _trace_main
    _pending.clear()
    sys.settrace(None)
    return None
