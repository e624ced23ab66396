"""`probed`: a decorator that saves the calls of a function like a probe."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any, TypeVar, overload

from checkpoints._keys.tags import in_async_steps, is_awaitable
from checkpoints._probes.calls import CallSaver
from checkpoints._probes.detour import detour_of
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = ["probed"]

F = TypeVar("F", bound=Callable[..., Any])


@overload
def probed(function: F, /) -> F: ...
@overload
def probed(name: str = ..., /) -> Callable[[F], F]: ...
def probed(subject: Any = "", /) -> Any:
    """
    Save the arguments of a function's calls, and what they return or raise.

    A decorator. Nothing is saved until a rule is on for the name; then the same is
    saved as by `probe`. The arguments of a generator are saved at its first step.

    Args:
        subject: The function, or the name to save under: `@probed` and `@probed()` use
            the module and the name of the function, `@probed("shop.fit")` another name.

    Returns:
        The decorated function.

    Raises:
        ConfigError: If it is not a function, or the name is invalid.

    >>> @probed("shop.add")
    ... def add(a, b=1):
    ...     return a + b
    >>> from checkpoints import capture
    >>> with capture("shop") as seen:
    ...     result = add(2)
    >>> seen["call=1/shop/add"], seen["call=1/shop/add/result"]
    ({'a': 2, 'b': 1}, {'result': 3})
    """
    if isinstance(subject, str):
        return functools.partial(_probed, name=subject)
    return _probed(subject)


def _probed(subject: Any, name: str = "") -> Any:
    is_method = isinstance(subject, (staticmethod, classmethod))
    function = subject.__func__ if is_method else subject
    if isinstance(function, type) or not callable(function):
        message = (
            f"probed decorates functions and methods, not {shown(subject)}: write "
            "@probed or @probed('name') above the function"
        )
        raise ConfigError(message)
    given, name = name, name or _name_of(function)
    make = functools.partial(
        CallSaver,
        name,
        function,
        of_class=isinstance(subject, classmethod),
        called=_place_of(function) if given else "",
    )
    if type(function) is types.FunctionType:
        detour = detour_of(function)
        detour.add(make(changed=detour.update))
        return subject
    saver = make()
    wrapped = _wrapped(function, saver)
    return type(subject)(wrapped) if is_method else wrapped


def _name_of(function: Callable[..., Any]) -> str:
    place = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{function.__module__}.{place.replace('.<locals>', '')}"


def _place_of(function: Callable[..., Any]) -> str:
    """Return where a function is found; empty for a lambda or a local one."""
    path = getattr(function, "__qualname__", type(function).__qualname__)
    return "" if "<" in path else f"{function.__module__}:{path}"


def _wrapped(function: Callable[..., Any], saver: CallSaver) -> Callable[..., Any]:
    """Return a wrapper of the same kind, such as a coroutine function."""
    run = saver.run

    def called(*args: Any, **kwargs: Any) -> Any:
        if saver.is_on():
            return run(function, None, args, kwargs)
        return function(*args, **kwargs)

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await run(function, None, args, kwargs)

    def stepped(*args: Any, **kwargs: Any) -> Any:
        return (yield from run(function, None, args, kwargs))

    if inspect.iscoroutinefunction(function):
        return functools.wraps(function)(awaited)
    if inspect.isgeneratorfunction(function):
        made = types.coroutine(stepped) if is_awaitable(function) else stepped
        return functools.wraps(function)(made)
    if inspect.isasyncgenfunction(function):
        return functools.wraps(function)(in_async_steps(called, ()))
    return functools.wraps(function)(called)
