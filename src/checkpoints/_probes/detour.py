"""A detour: a Python function whose calls are saved, without being replaced."""

from __future__ import annotations

import os
import threading
import weakref
from types import CodeType, FunctionType
from typing import Any

from checkpoints._probes.call import Call
from checkpoints._probes.calls import CallSaver, Given
from checkpoints._probes.detour_code import Parameters, detour_code
from checkpoints._probes.stand_in import stand_in
from checkpoints._process.work import at_work

__all__ = ["Detour", "detour_of"]


class Detour:
    """
    A function whose code leads through its savers while a rule is on for one of them.

    The function stays the object that it is, whoever holds it under whatever name.
    While no rule is on, its code is its own.

    Args:
        function: The function, which is not kept alive.

    Attributes:
        function: A twin of the function, with its own code.
    """

    def __init__(self, function: FunctionType) -> None:
        self._probed = weakref.ref(function)
        self._savers: tuple[CallSaver, ...] = ()
        self._prepare(function)

    def _prepare(self, function: FunctionType) -> None:
        self._code = function.__code__
        self._made: CodeType | None = None
        self._parameters = Parameters(self._code)
        self.function = FunctionType(
            self._code,
            function.__globals__,
            function.__name__,
            None,
            function.__closure__,
        )
        self.function.__qualname__ = function.__qualname__

    @property
    def code(self) -> CodeType:
        """The function's own code, whether or not it is in force."""
        function = self._probed()
        is_own = function is not None and function.__code__ is not self._made
        return function.__code__ if function and is_own else self._code

    def __reduce__(self) -> tuple[Any, ...]:
        # cloudpickle pickles code by value: that of the function counts.
        return _Passage, (self.function,)

    def add(self, saver: CallSaver) -> None:
        """Let a saver see the calls; of several that are on, the first one saves."""
        with _locked():
            self._savers += (saver,)
            self.update()

    def remove(self, saver: CallSaver) -> None:
        """Let a saver see no more calls."""
        with _locked():
            self._savers = tuple(it for it in self._savers if it is not saver)
            self.update()

    def update(self) -> None:
        """Put the code in force that is right while the savers are as they are."""
        function = self._probed()
        if function is None:
            return
        # What is called here, such as the parser, may be probed itself.
        with _locked(), at_work:
            is_made = self._made is not None and function.__code__ is self._made
            is_wanted = any(saver.is_on() for saver in self._savers)
            if is_wanted and not is_made:
                if function.__code__ is not self._code:  # changed by other code
                    self._prepare(function)
                self._made = self._made or detour_code(self._code, self)
                if self._made is not None:
                    function.__code__ = self._made
            elif is_made and not is_wanted:
                function.__code__ = self._code

    def begin(self, values: tuple[Any, ...]) -> Call | None:
        """
        Save the arguments of a call.

        Args:
            values: The values of all parameters.

        Returns:
            The call; None if it is not saved.
        """
        if at_work.depth:
            return None
        for saver in self._savers:
            if saver.is_on() and saver.wants(values):
                turn = saver.early_turn()
                return None if turn is None else self._begun(saver, values, turn)
        return None

    def _begun(
        self, saver: CallSaver, values: tuple[Any, ...], turn: int
    ) -> Call | None:
        def given() -> Given | None:
            function = self._probed()
            if hasattr(function, "__wrapped__"):
                # A decorator: the names are those of what it decorates.
                return saver.bound(*self._parameters.spread(values))
            named = self._parameters.named(values)
            return named, self._parameters.defaults(function, named)

        call = saver.begin(given, turn)
        if call is not None:
            call.leads_to(self.function, *self._parameters.spread(values))
            call.target, call.arguments = stand_in(call.run, self._code)
        return call


class _Passage:
    """What a pickled detour becomes: it saves nothing."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function

    def begin(self, _: tuple[Any, ...]) -> None:
        return None


def detour_of(function: FunctionType) -> Detour:
    """Return the detour of a function, which has one at most."""
    with _locked():
        if function not in _detours:
            _detours[function] = Detour(function)
        return _detours[function]


def _locked() -> threading.RLock:
    """Return the lock of this process: a rule may need it first thing after a fork."""
    global _lock  # noqa: PLW0603 - process-wide; replaced only after a fork
    if _lock[0] != os.getpid():
        _lock = os.getpid(), threading.RLock()
    return _lock[1]


_detours: weakref.WeakKeyDictionary[FunctionType, Detour] = weakref.WeakKeyDictionary()
_lock = os.getpid(), threading.RLock()
