"""What is done when an exception ends this process, or a thread of it."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["on_crash", "stop_on_crash"]

Called = Callable[[BaseException], object]

_waiting: list[weakref.WeakMethod[Called]] = []
_before: dict[str, Any] = {}


def on_crash(method: Called) -> None:
    """
    Have a method called with the exception that ends the process, or a thread.

    The hooks of `sys` and `threading` that were there are called first. The object of
    the method is not kept alive.
    """
    _waiting.append(weakref.WeakMethod(method))
    if not _before:
        _before.update(process=sys.excepthook, thread=threading.excepthook)
        sys.excepthook, threading.excepthook = _process_ends, _thread_ends


def stop_on_crash(method: Called) -> None:
    """Call a method no more; with the last one, the hooks are those of before."""
    _waiting[:] = [each for each in _waiting if each() not in (method, None)]
    ours = (sys.excepthook, threading.excepthook) == (_process_ends, _thread_ends)
    # Whoever has put a hook above ours calls ours, and ours those of before.
    if not _waiting and ours:
        sys.excepthook, threading.excepthook = _before["process"], _before["thread"]
        _before.clear()


def _process_ends(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    try:
        _before.get("process", sys.__excepthook__)(kind, error, trace)
    finally:
        _call_all(error)


def _thread_ends(arguments: Any) -> None:
    try:
        _before.get("thread", threading.__excepthook__)(arguments)
    finally:
        if arguments.exc_value is not None:
            _call_all(arguments.exc_value)


def _call_all(error: BaseException) -> None:
    if not isinstance(error, SystemExit):
        for method in [each() for each in _waiting]:
            if method is not None:
                method(error)
