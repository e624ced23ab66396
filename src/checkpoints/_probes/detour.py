"""A detour: a Python function whose calls are saved, without being replaced."""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

from checkpoints._probes.call import Call, begin_at
from checkpoints._probes.calls import CallSaver, Given
from checkpoints._probes.detour_code import (
    Parameters,
    detour_code,
    detour_template,
    leads_through,
    may_look_up,
)
from checkpoints._probes.stand_in import left, stand_in
from checkpoints._process.work import at_work
from checkpoints._rules.registry import registry

__all__ = ["Detour", "detour_of"]


class UnsavedCall:
    """
    A call that is not saved, of a function that sees its callers.

    Args:
        target, arguments: As for `Call`.
    """

    __slots__ = ("arguments", "target")

    def __init__(self, target: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.target, self.arguments = target, arguments

    def returned(self, _result: object) -> None:
        """End the call."""
        left()

    def failed(self, error: BaseException, inner: FunctionType) -> None:
        """End the call, and take us out of the traceback."""
        left()
        begin_at(error, inner)


class Detour:
    """
    A function whose code leads through its savers while a rule is on for one of them.

    The function stays the object that it is, whoever holds it under whatever name.
    While no rule is on, its code is its own. The function is not kept alive, nor is
    anything that it refers to: the collector does not look into code.

    Args:
        function: The function.
    """

    def __init__(self, function: FunctionType) -> None:
        self._probed = weakref.ref(function)
        self._savers: tuple[CallSaver, ...] = ()
        self._on: tuple[CallSaver, ...] = ()
        self._names: tuple[str, ...] = ()
        self._take(function.__code__)

    def _take(self, code: CodeType) -> None:
        """Take a code for that of the function."""
        self._code = code
        self._parameters = Parameters(code)
        self._may_look_up = may_look_up(code)
        self._template: CodeType | None = None
        # Weak, because this code refers to the detour.
        self._made: Callable[[], CodeType | None] = lambda: None

    @property
    def code(self) -> CodeType:
        """The function's own code, whether or not it is in force."""
        function = self._probed()
        if function is None or function.__code__ is self._made():
            return self._code
        return function.__code__

    def __reduce__(self) -> tuple[Any, ...]:
        # cloudpickle pickles code by value: elsewhere, this one saves nothing, and
        # needs nothing of this library.
        inert = {"begin": operator.is_, "failed": operator.is_}
        return functools.partial(SimpleNamespace, **inert), ()

    def add(self, saver: CallSaver) -> None:
        """Let a saver see the calls; of several that are on, the first one saves."""
        with registry.lock:
            self._savers += (saver,)
            self.update()

    def remove(self, saver: CallSaver) -> None:
        """Let a saver see no more calls."""
        with registry.lock:
            self._savers = tuple(it for it in self._savers if it is not saver)
            self.update()

    def update(self) -> None:
        """Put the code in force that is right while the savers are as they are."""
        function = self._probed()
        # What is called here, such as the parser, may be probed itself.
        with registry.lock, at_work:
            self._on = tuple(saver for saver in self._savers if saver.is_on())
            if function is None:
                return
            # The names of a decorator's parameters are not those of the call.
            is_decorator = hasattr(function, "__wrapped__")
            self._names = () if is_decorator else self._parameters.names
            code = function.__code__
            # Code that others made of this one leads here as well, and stays.
            if self._on and not leads_through(code, self):
                self._divert(function)
            elif not self._on and code is self._made():
                function.__code__ = self._code

    def _divert(self, function: FunctionType) -> None:
        if function.__code__ is not self._code:  # changed by other code
            self._take(function.__code__)
        self._template = self._template or detour_template(self._code)
        if self._template is not None:
            made = detour_code(self._template, self)
            self._made = weakref.ref(made)
            function.__code__ = made

    def begin(
        self, values: tuple[Any, ...], inner: FunctionType
    ) -> Call | UnsavedCall | None:
        """
        Save the arguments of a call.

        Args:
            values: The values of all parameters.
            inner: The function that the call leads to.

        Returns:
            The call; None if nothing has to be done for it.
        """
        if at_work.depth:
            return None
        for saver in self._on:
            if saver.subclass is None or saver.wants(values):
                turn = saver.early_turn(self._names, values)
                if turn is None:
                    break
                call = self._begun(saver, values, inner, turn)
                return call or self._unsaved(values, inner)
        return self._unsaved(values, inner)

    def _unsaved(
        self, values: tuple[Any, ...], inner: FunctionType
    ) -> UnsavedCall | None:
        """Let a function whose call is not saved see its callers all the same."""
        if not self._may_look_up:
            return None
        args, kwargs = self._parameters.spread(values)
        call = functools.partial(inner, *args, **kwargs)
        target, arguments = stand_in(call, inner.__code__, ours=3)
        return None if target is None else UnsavedCall(target, arguments)

    def _begun(
        self, saver: CallSaver, values: tuple[Any, ...], inner: FunctionType, turn: int
    ) -> Call | None:
        def given() -> Given | None:
            function = self._probed()
            if function is not None and hasattr(function, "__wrapped__"):
                # A decorator: the names are those of what it decorates.
                return saver.bound(function, *self._parameters.given(function, values))
            named = self._parameters.named(values)
            return named, self._parameters.defaults(function, named)

        call = saver.begin(given, turn)
        if call is not None and not call.later:
            if self._may_look_up:
                args, kwargs = self._parameters.spread(values)
                run = functools.partial(inner, *args, **kwargs)
                call.stands_in(run, inner.__code__)
            # Last: whoever interrupts what is before leaves no tags.
            call.enter()
        return call

    def failed(self, error: BaseException, inner: FunctionType) -> None:
        """Take us out of the traceback of a call that is not saved."""
        begin_at(error, inner)


def detour_of(function: FunctionType) -> Detour:
    """Return the detour of a function, which has one at most."""
    with registry.lock:
        if function not in _detours:
            _detours[function] = Detour(function)
        return _detours[function]


_detours: weakref.WeakKeyDictionary[FunctionType, Detour] = weakref.WeakKeyDictionary()
