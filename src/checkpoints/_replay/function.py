"""The function of a saved call: found by its name, and given its arguments again."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any, NamedTuple

from checkpoints._keys.tags import is_awaitable
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._replay.modules import (
    imported_if_there,
    in_place,
    is_of_another_file,
    module_in,
)
from checkpoints._replay.root import WAY_OUT, of_main_file
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError, ReplayError

__all__ = ["Arguments", "Function", "function_for"]

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Arguments(NamedTuple):
    """
    What a function is called with.

    Args:
        args: The positional arguments.
        kwargs: The others.
        given: The same objects, by the names of the parameters.
        notes: What there is to say about them.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    given: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class Function:
    """
    A function that is called with saved arguments.

    Args:
        function: The function; of a class method, what is below `classmethod`.
        name: Its dotted name.
        target: Where it is, as for `function_for`; empty if it is not found anywhere.
        owner: Of a class method, its class.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        target: str,
        *,
        owner: type | None = None,
    ) -> None:
        self.call = function
        self.name = name
        self.target = target
        # That which was made of a file, if the function is in such.
        self.module: ModuleType | None = None
        self._owner = owner
        try:
            self._signature = inspect.signature(function)
        except (TypeError, ValueError) as error:
            raise ReplayError(f"{name} has no signature: {error}. {WAY_OUT}") from None

    @property
    def of_class(self) -> bool:
        """Whether its first argument is a class."""
        return self._owner is not None

    @property
    def is_shadowed(self) -> bool:
        """Whether an import of its module would find that of another file."""
        return self.module is not None and is_of_another_file(self.module)

    def in_place(self) -> AbstractContextManager[None]:
        """Have its module found by its name, if it was made of a file."""
        return nullcontext() if self.module is None else in_place(self.module)

    @property
    def code(self) -> Any:
        """The code of the function below all decorators; None if it is in C."""
        return getattr(inspect.unwrap(self.call), "__code__", None)

    @property
    def place(self) -> str:
        """File and line of its definition; empty if it is written in C."""
        code = self.code
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""

    @property
    def is_async(self) -> bool:
        """Whether a call returns something to be awaited."""
        is_generator = inspect.isgeneratorfunction(self.call)
        return inspect.iscoroutinefunction(self.call) or (
            is_generator and is_awaitable(self.call)
        )

    @property
    def ends_later(self) -> bool:
        """Whether its body runs after the call has returned."""
        return self.is_async or inspect.isgeneratorfunction(self.call)

    def bind(
        self,
        values: Mapping[str, Any],
        changes: Mapping[str, Any],
        *,
        trusted: bool = False,
    ) -> Arguments:
        """
        Return saved values as the arguments of a call.

        Args:
            values: The saved arguments, by the names of their parameters.
            changes: Other values for some of them.
            trusted: Whether the module of a class that they name may be imported.

        Raises:
            ReplayError: If they do not fit the signature of the function.
            ConfigError: If one of the changes is no parameter.
        """
        parameters = self._signature.parameters
        if values.keys() == {"args", "kwargs"} and not parameters.keys() >= {*values}:
            # So a probe saves a call that does not fit the signature that is shown.
            kwargs = {**values["kwargs"], **changes}
            return Arguments(tuple(values["args"]), kwargs, values)
        given = dict(values)
        self._change(given, changes)
        self._check(given)
        if self._owner is not None:
            first, parameter = next(iter(parameters.items()))
            is_one = parameter.kind is not _VARIADIC[0]
            place, *rest = (given[first],) if is_one else given[first] or (None,)
            found = _class_at(place, self._owner, trusted=trusted)
            given[first] = found if is_one else (found, *rest)
        args, kwargs = self._spread(given)
        added = [
            name
            for name, parameter in parameters.items()
            if name not in given and parameter.kind not in _VARIADIC
        ]
        note = f"by their defaults, because not saved: {', '.join(added)}"
        return Arguments(args, kwargs, given, (note,) if added else ())

    def _spread(
        self, given: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """
        Return values by parameter as positional and keyword arguments.

        What equals its default is left out, as in most calls: a decorator may refuse
        that it is given.
        """
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        parameters = self._signature.parameters
        is_open = True  # until one is left out, or given by keyword
        has_more = any(
            p.kind is _VARIADIC[0] and given.get(n) for n, p in parameters.items()
        )
        for name, parameter in parameters.items():
            value = given.get(name, parameter.default)
            is_left_out = name not in given or _is_default(value, parameter.default)
            if parameter.kind is _VARIADIC[0]:
                args += given.get(name, ())
            elif parameter.kind is _VARIADIC[1]:
                kwargs |= given.get(name, {})
            elif parameter.kind is parameter.POSITIONAL_ONLY:
                args.append(value)
            elif parameter.kind is parameter.KEYWORD_ONLY or not (is_open or has_more):
                kwargs |= {} if is_left_out else {name: value}
            elif is_left_out and not has_more:
                is_open = False
            else:
                args.append(value)
        return tuple(args), kwargs

    def _change(self, given: dict[str, Any], changes: Mapping[str, Any]) -> None:
        parameters = self._signature.parameters
        kwargs = next((n for n, p in parameters.items() if p.kind is _VARIADIC[1]), "")
        for name, value in changes.items():
            if name in parameters:
                _check_variadic(parameters[name], value)
                given[name] = value
            elif kwargs:
                given[kwargs] = {**given.get(kwargs, {}), name: value}
            else:
                raise ConfigError(
                    f"{self.name} has no parameter {name!r}; {hint(name, parameters)}"
                )

    def _check(self, given: Mapping[str, Any]) -> None:
        parameters = self._signature.parameters
        gone = [name for name in given if name not in parameters]
        missing = [
            name
            for name, parameter in parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind not in _VARIADIC
            and name not in given
        ]
        parts = []
        if gone:
            parts.append(
                f"it has no {_listed(gone)}, which the saved call had: leave out what "
                "it can do without, with without="
            )
        if missing:
            parts.append(
                f"of {_listed(missing)} no value was saved: set one, with set="
            )
        if parts:
            raise ReplayError(
                f"the saved arguments do not fit {self.name}{self._signature}: "
                f"{'; '.join(parts)}"
            )


def function_for(given: Callable[..., Any] | str | None, name: str) -> Function:
    """
    Return the function of a call.

    Args:
        given: The function, or where it is: `"pkg.mod:Class.method"` or
            `"file.py:function"`; None if the name says it.
        name: The name of the saved call, or what its header says of the place.

    Raises:
        ReplayError: If it cannot be found.
    """
    if isinstance(given, str):
        return _in_text(given)
    if given is None:
        return _named(name)
    if isinstance(given, type) or not callable(given):
        raise ConfigError(f"function={shown(given)}: expected a function")
    function = getattr(given, "__func__", given)
    owner = getattr(given, "__self__", None) if function is not given else None
    place = str(getattr(function, "__module__", None) or "?")
    path = str(getattr(function, "__qualname__", type(function).__qualname__))
    target = f"{place}:{path}" if _leads(place, path, function) else ""
    if owner is None or isinstance(owner, type):
        return Function(function, f"{place}.{path}", target, owner=owner)
    return Function(given, f"{place}.{path}", "")


def _leads(place: str, path: str, function: Callable[..., Any]) -> bool:
    """Tell whether a function is found at its name."""
    found: Any = sys.modules.get(place)
    for part in path.split("."):
        found = getattr(found, part, None)
    found = getattr(found, "__func__", found)
    return callable(found) and inspect.unwrap(found) is inspect.unwrap(function)


def _in_text(target: str) -> Function:
    place, colon, path = target.rpartition(":")
    if not (colon and place and path):
        raise ConfigError(
            f"function {target!r}: expected package.module:function or file.py:function"
        )
    if not place.endswith(".py"):
        named = imported_if_there(place)
        if named is None:
            raise ReplayError(f"there is no module {place!r}")
        return _found(named, path, "", place)
    module = module_in(place)
    if module is None:
        raise ConfigError(f"function {target!r}: there is no file {place}")
    found = _found(module, path, "", os.path.abspath(place))
    found.module = module
    return found


def _named(name: str) -> Function:
    parts = name.split(".")
    if name.startswith(("__main__.", "__main__:")):
        raise of_main_file(name)
    if ":" in name:
        return _in_text(name)
    for end in range(len(parts) - 1, 0, -1):
        place = ".".join(parts[:end])
        module = imported_if_there(place)
        if module is not None:
            return _found(module, ".".join(parts[end:]), name, place)
    raise ReplayError(
        f"there is no module for {name}. {WAY_OUT}, such as 'module:function', if it "
        "has another name; otherwise replay where it can be imported, such as in the "
        "folder of the program"
    )


def _found(module: Any, path: str, saved: str, place: str) -> Function:
    """Return the function below a module; `saved` is its name if no one gave it."""
    name = saved or f"{module.__name__}.{path}"
    owner: Any = None
    found = module
    raw: Any = None
    for part in path.split("."):
        owner, known = found, dir(found)
        try:
            raw = found = getattr(owner, part)
        except AttributeError:
            where = getattr(owner, "__name__", shown(owner))
            names = [it for it in known if it[:2] != "__" and _may_lead(owner, it)]
            why = (
                f": the function {saved} was renamed or removed, or this is no call. "
                f"{WAY_OUT}"
            )
            raise ReplayError(
                f"{where} has no {part!r}{why if saved else ''}; {hint(part, names)}"
            ) from None
        if isinstance(owner, type):
            raw = inspect.getattr_static(owner, part)
    is_class_method = isinstance(raw, classmethod)
    function = getattr(raw, "__func__", found) if is_class_method else found
    if isinstance(function, type) or not callable(function):
        raise ReplayError(f"{name} is no function, but {shown(function)}. {WAY_OUT}")
    where = f"{place}:{path}"
    return Function(function, name, where, owner=owner if is_class_method else None)


def _may_lead(owner: Any, name: str) -> bool:
    """Tell whether a name is that of a function, or of a class with methods."""
    return callable(inspect.getattr_static(owner, name, None)) or isinstance(
        inspect.getattr_static(owner, name, None), (classmethod, staticmethod)
    )


def _check_variadic(parameter: inspect.Parameter, value: Any) -> None:
    """Raise `ConfigError` if a value cannot be spread as `*args` or `**kwargs`."""
    if parameter.kind is _VARIADIC[0] and not isinstance(value, list | tuple):
        wanted = "a list, as in [1, 2]"
    elif parameter.kind is _VARIADIC[1] and not (
        isinstance(value, Mapping) and all(isinstance(it, str) for it in value)
    ):
        wanted = "a dict by names, as in {'x': 1}"
    else:
        return
    raise ConfigError(f"{parameter}={shown(value)}: expected {wanted}")


def _is_default(value: Any, default: Any) -> bool:
    return (
        type(value) in IMMUTABLE
        and type(value) is type(default)
        and value == default
        and repr(value) == repr(default)  # -0.0 equals 0.0
    )


def _class_at(place: Any, owner: type, *, trusted: bool) -> Any:
    """
    Return the class that a probe saved as text: that of the method, or a related one.

    A file without trust may choose no other class, nor have a module imported.
    """
    if not isinstance(place, str):
        return place
    if trusted:
        imported_if_there(place.partition(":")[0])
    related: list[type] = [*owner.__mro__]
    for found in related:  # grows meanwhile
        if f"{found.__module__}:{found.__qualname__}" == place:
            return found
        related += found.__subclasses__() if issubclass(found, owner) else ()
    raise ReplayError(
        f"the class {place!r} is not related to {owner.__qualname__}, or not loaded: "
        "import its module first, or set the first argument"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
