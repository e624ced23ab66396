"""One execution of a function to its end, under a debugger if asked for."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import pdb  # noqa: T100 - a debugger is what the user asks for
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NamedTuple

from checkpoints._kinds.frozen import freeze
from checkpoints._replay.function import Arguments, Function
from checkpoints._text import printable, text_of
from checkpoints.errors import ReplayError

__all__ = ["Execution", "execute"]


class Execution(NamedTuple):
    """
    What became of a call.

    Args:
        result: What it returned; of a coroutine and a generator, at its end.
        error: What it raised; None if it returned.
        items: What a generator yielded.
        given: Its arguments by parameter, as they are after the call.
        seconds: How long it took.
    """

    result: Any
    error: BaseException | None
    items: list[Any] | None
    given: Mapping[str, Any]
    seconds: float

    def frozen(self) -> tuple[Execution, str]:
        """
        Return it with copies of what was made, and why that cannot be copied, if so.

        A function may return the same buffer again, with other contents.
        """
        try:
            result, items = freeze((self.result, self.items))
        except Exception as error:  # noqa: BLE001 - the values' own code may raise anything
            reason = f"{type(error).__name__}: {text_of(error)}"
            return self, printable(
                f"its result cannot be copied ({reason}); if it returns the same "
                "object again, no difference shows"
            )
        return self._replace(result=result, items=items), ""


def execute(
    function: Function, arguments: Arguments, *, debugs: bool = False
) -> Execution:
    """
    Call a function, and run what it returns to its end.

    Args:
        function: The function.
        arguments: Its arguments.
        debugs: Whether to stop at its first line, and at an exception in it.

    Raises:
        ReplayError: If there is no terminal for the debugger, or the user leaves it.
    """

    def run() -> tuple[Any, list[Any] | None]:
        return _to_its_end(function, function.call(*arguments.args, **arguments.kwargs))

    started = time.perf_counter()
    result, items, error = None, None, None
    with _interrupts() as interrupts:
        try:
            result, items = _debugged(function, run) if debugs else run()
        except ReplayError:
            raise
        except BaseException as raised:
            if interrupts and isinstance(raised, KeyboardInterrupt):
                raise
            error = raised
    seconds = time.perf_counter() - started
    return Execution(result, error, items, arguments.given, seconds)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """
    Yield a list of the interrupts by the user.

    A function may raise KeyboardInterrupt on its own, as what became of its call.
    """
    found: list[int] = []
    before: Any = signal.getsignal(signal.SIGINT)

    def noted(number: int, frame: FrameType | None) -> None:
        found.append(number)
        before(number, frame)

    # Other threads get no signals; nor does who ignores this one.
    in_main = threading.current_thread() is threading.main_thread()
    if not (in_main and callable(before)):
        yield found
        return
    signal.signal(signal.SIGINT, noted)
    try:
        yield found
    finally:
        # The function may have set another one, to stay.
        if signal.getsignal(signal.SIGINT) is noted:
            signal.signal(signal.SIGINT, before)


def _to_its_end(function: Function, made: Any) -> tuple[Any, list[Any] | None]:
    """Return the result, and what was yielded."""
    if function.is_async:
        return _awaited(made), None
    if inspect.isgeneratorfunction(function.call):
        items: list[Any] = []
        while True:
            try:
                items.append(next(made))
            except StopIteration as end:
                return end.value, items
    if inspect.isasyncgenfunction(function.call):
        return None, _awaited(_collected(made))
    return made, None


async def _collected(made: Any) -> list[Any]:
    return [item async for item in made]


def _awaited(made: Any) -> Any:
    async def main() -> Any:
        return await made

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    # A loop runs here already, as in a notebook; another needs a thread of its own.
    return _in_thread(lambda: asyncio.run(main()))


def _in_thread(run: Callable[[], Any]) -> Any:
    found: list[Any] = []
    context = contextvars.copy_context()

    def body() -> None:
        try:
            found.append((context.run(run), None))
        except BaseException as error:  # noqa: BLE001 - raised by the other thread
            found.append((None, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    result, error = found[0]
    if error is not None:
        raise error
    return result


def _debugged(function: Function, run: Callable[[], Any]) -> Any:
    if not _has_terminal():
        raise ReplayError("a debugger needs a terminal: run this in one")
    debugger = _Debugger(function.code)
    try:
        # It returns nothing if the user leaves it.
        found = debugger.runcall(run)
    except Exception as error:
        sys.settrace(None)
        print(f"{type(error).__name__}: {error}")  # noqa: T201 - as pdb itself does
        debugger.reset()
        debugger.interaction(None, error.__traceback__)
        raise
    if found is None:
        raise ReplayError("left in the debugger, before the end of the call")
    return found


def _has_terminal() -> bool:
    # A daemon has none at all, or has closed it.
    stdin = sys.stdin
    return stdin is not None and not stdin.closed and stdin.isatty()


class _Debugger(pdb.Pdb):
    """A debugger that first stops in the function, not in what calls it."""

    def __init__(self, code: CodeType | None) -> None:
        super().__init__(nosigint=True)
        self._code = code
        self._is_there = False

    def stop_here(self, frame: FrameType) -> bool:
        if not self._is_there and frame.f_code is not self._code:
            return False
        return super().stop_here(frame)

    def user_call(self, frame: FrameType, argument_list: Any) -> None:
        if self._is_there:
            super().user_call(frame, argument_list)

    def user_line(self, frame: FrameType) -> None:
        self._is_there = self._is_there or frame.f_code is self._code
        super().user_line(frame)
