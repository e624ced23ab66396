"""Attributes that hold a function: replacing them, and restoring them."""

from __future__ import annotations

import builtins
import functools
import inspect
import types
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from checkpoints._process.libraries import imported, needed
from checkpoints._text import hint, shown
from checkpoints.errors import ConfigError

__all__ = ["Attribute", "check_wrapt"]

Wrapper = Callable[..., Any]

_MISSING: Any = object()
_METHODS = (staticmethod, classmethod)
# What holds a function that is called in the end, and where.
_HOLDERS: dict[Any, str] = {
    property: "fget",
    functools.cached_property: "func",
    functools.partialmethod: "func",
}


class Attribute:
    """
    The attribute of a module or a class that holds a function.

    Args:
        root: A module or a class.
        path: The dotted path from there.

    Raises:
        ConfigError: If there is no function that can be replaced.
    """

    def __init__(self, root: Any, path: str) -> None:
        *outer, self.name = path.split(".")
        named = functools.reduce(_lookup, outer, root)
        definer = _defining_class(named, self.name)
        # An inherited method is replaced where it is defined: in the subclass, the
        # wrapper would hide what other base classes define.
        self.owner = named if definer is None else definer
        self.subclass: Any = None if self.owner is named else named
        self.raw = _lookup(self.owner, self.name)
        self.place = f"{_place_of(root)}.{path}"
        self._check()
        self._own = vars(self.owner).get(self.name, _MISSING)
        self._installed: Any = _MISSING

    @property
    def is_class_method(self) -> bool:
        """Whether it is a class method."""
        return isinstance(self.raw, classmethod)

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself, without `classmethod` or `staticmethod` around it."""
        function: Callable[..., Any] = _inside(self.raw)
        return function

    @property
    def python_function(self) -> Any:
        """The function, if it is written in Python."""
        function = self.function
        return function if type(function) is types.FunctionType else None

    def unchanged(self) -> Callable[[], bool]:
        """Return what tells if it still holds the function, and keeps nothing alive."""
        owner, function, name = _weak(self.owner), _weak(self.function), self.name

        def is_unchanged() -> bool:
            try:
                return _inside(_lookup(owner(), name)) is function()
            except ConfigError:
                return False

        return is_unchanged

    def _check(self) -> None:
        what = ""
        if self.python_function is not None:
            what = self._why_not_inherited()
        elif not isinstance(self.owner, (type, types.ModuleType)):
            what = "belongs to an object: only modules and classes can be probed"
        elif self.owner is builtins:
            what = "is a builtin that this library itself calls"
        elif isinstance(self.raw, type):
            what = (
                f"is a class: name one of its methods, such as '{self.name}.__init__'"
            )
        elif isinstance(self.raw, tuple(_HOLDERS)):
            what = f"is a {type(self.raw).__name__} of no Python function"
        elif not callable(self.function):
            what = f"is not a function, but {shown(self.raw)}"
        elif isinstance(self.function, _probed_class()):
            # Another module may have imported it since.
            probed: Any = self.function
            where = probed._self_place  # noqa: SLF001 - so wrapt wants it
            what = f"is already probed, in {where}: remove that probe first"
        elif isinstance(self.owner, type) and not self._binds():
            what = (
                f"is a {type(self.function).__name__}, written in C or made by a "
                "decorator, and is not bound as a method like functions are: name the "
                "Python function that calls it"
            )
        else:
            what = self._why_not_inherited()
        if what:
            raise ConfigError(f"cannot probe {self.place}: it {what}")

    def _why_not_inherited(self) -> str:
        if self.subclass is None or not isinstance(self.raw, staticmethod):
            return ""
        return (
            "is an inherited static method, which does not know its class: name it "
            f"in the class that defines it, {_place_of(self.owner)}.{self.name}"
        )

    def _binds(self) -> bool:
        if isinstance(self.raw, _METHODS):
            return True
        try:
            bound = type(self.raw).__get__(self.raw, self, type(self))
        except Exception:  # noqa: BLE001 - written in C, for its own instances only
            return False
        return isinstance(bound, types.MethodType) and bound.__func__ is self.raw

    def replace(self, wrapper: Wrapper, enabled: Callable[[], bool]) -> None:
        """
        Send calls through a wrapper, as wrapt defines it.

        Raises:
            ConfigError: If the class cannot be changed.
        """
        if self.subclass is not None:
            wrapper = _only_for(self.subclass, wrapper, of_class=self.is_class_method)
        probed = _probed_class()(self.function, wrapper, enabled)
        probed._self_place = _place_of(self.owner)  # noqa: SLF001 - as above
        if isinstance(self.raw, _METHODS):
            probed = type(self.raw)(probed)
        try:
            setattr(self.owner, self.name, probed)
        except (AttributeError, TypeError) as error:
            message = (
                f"cannot probe {self.place}: {error}. Classes written in C cannot be "
                "changed: name the Python function that calls it"
            )
            raise ConfigError(message) from error
        self._installed = probed

    @property
    def is_replaced(self) -> bool:
        """Whether the attribute still holds the wrapper."""
        return vars(self.owner).get(self.name) is self._installed

    def restore(self) -> bool:
        """Restore the function; False if other code has replaced the wrapper."""
        if not self.is_replaced:
            return False
        if self._own is _MISSING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self._own)
        return True


def _weak(subject: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(subject)
    except TypeError:
        return lambda: subject


def _inside(raw: Any) -> Any:
    """Return the function inside of what binds it, such as `classmethod`."""
    if isinstance(raw, _METHODS):
        return raw.__func__
    for kind, name in _HOLDERS.items():
        if isinstance(raw, kind):
            return getattr(raw, name)
    return raw


def _only_for(subclass: type, wrapper: Wrapper, *, of_class: bool) -> Wrapper:
    """Return a wrapper that applies to calls on a subclass only."""

    def called(function: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if is_on(subclass, args, of_class=of_class):
            return wrapper(function, instance, args, kwargs)
        return function(*args, **kwargs)

    return called


def is_on(cls: type | None, args: Sequence[Any], *, of_class: bool) -> bool:
    """
    Tell whether a call is on a class, or on what inherits from it.

    Args:
        cls: The class.
        args: The arguments of the call.
        of_class: Whether it is of a class method, whose first argument is a class.
    """
    subject: Any = args[0] if args else None
    is_class = of_class and isinstance(subject, type)
    kind: type[Any] = subject if is_class else type(subject)
    return cls in inspect.getmro(kind)


def check_wrapt() -> None:
    """Raise `MissingDependencyError` if wrapt is not installed."""
    needed("wrapt", "a probe")


def _defining_class(owner: Any, name: str) -> Any:
    """Return the class that defines an attribute; None if the owner is not a class."""
    kinds = owner.__mro__ if isinstance(owner, type) else ()
    return next((kind for kind in kinds if name in vars(kind)), None)


def _lookup(owner: Any, name: str) -> Any:
    """Return an attribute without binding methods."""
    kind = _defining_class(owner, name)
    if kind is not None:
        return vars(kind)[name]
    try:
        return getattr(owner, name)
    except AttributeError:
        advice = hint(name, [known for known in dir(owner) if known[:2] != "__"])
        if _place_of(owner) == "__main__":
            advice = "the main file has not run yet"
        message = f"cannot probe {name!r} of {_place_of(owner)}: not found; {advice}"
        raise ConfigError(message) from None


def _place_of(owner: Any) -> str:
    if isinstance(owner, type):
        return f"{owner.__module__}.{owner.__qualname__}"
    return getattr(owner, "__name__", None) or shown(owner)


@functools.cache
def _probed_class() -> Any:
    """Return the class of wrappers; `check_wrapt` has loaded wrapt before."""
    wrapper: Any = imported("wrapt").FunctionWrapper

    class Probed(wrapper):  # type: ignore[misc]
        """A wrapper that looks like the function that it wraps."""

        def __repr__(self) -> str:
            return repr(self.__wrapped__)

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            # An ordinary method, so that pickling, signatures and the like work.
            if instance is None or not hasattr(type(self.__wrapped__), "__get__"):
                return self
            return types.MethodType(self, instance)

        def __copy__(self) -> Any:
            return self

        def __deepcopy__(self, memo: dict[int, Any]) -> Any:
            return self

        def __reduce_ex__(self, protocol: Any) -> Any:
            # By name, so that a process without probes can load it. A function that is
            # not found by its name is pickled in its own way.
            resolve_name = imported("pkgutil").resolve_name
            place = f"{self.__module__}:{getattr(self, '__qualname__', '')}"
            try:
                found = resolve_name(place)
            except (AttributeError, ImportError, ValueError):
                found = None
            if found is self:
                return self.__qualname__
            if found is self.__wrapped__:
                return resolve_name, (place,)
            return self.__wrapped__.__reduce_ex__(protocol)

    return Probed
