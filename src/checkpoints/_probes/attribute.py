"""The attribute that holds a function: replaced, and put back as it was."""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Callable
from typing import Any

from checkpoints._process.libraries import needed
from checkpoints._text import nearest, shown
from checkpoints.errors import ConfigError

__all__ = ["Attribute", "check_wrapt"]

Wrapper = Callable[..., Any]

_MISSING: Any = object()
_METHODS = (staticmethod, classmethod)


class Attribute:
    """
    A function where it is found.

    Args:
        root: A module or a class.
        path: The dotted way from there.

    Raises:
        ConfigError: If there is no function that can be replaced.
    """

    def __init__(self, root: Any, path: str) -> None:
        *outer, self.name = path.split(".")
        named = functools.reduce(_looked_up, outer, root)
        definer = _definer(named, self.name)
        # An inherited method is replaced where it is defined: in the class that was
        # named it would hide what a sibling of that class defines.
        self.owner = named if definer is None else definer
        self._heir = None if self.owner is named else named
        self.raw = _looked_up(self.owner, self.name)
        self.place = f"{_place_of(root)}.{path}"
        self._check()
        self._own = vars(self.owner).get(self.name, _MISSING)
        self._installed: Any = _MISSING

    @property
    def is_class_method(self) -> bool:
        """Whether the function gets a class."""
        return isinstance(self.raw, classmethod)

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself, without what makes it a class or a static method."""
        function: Callable[..., Any] = (
            self.raw.__func__ if isinstance(self.raw, _METHODS) else self.raw
        )
        return function

    def _check(self) -> None:
        what = ""
        if not isinstance(self.owner, (type, types.ModuleType)):
            what = "belongs to an object: only modules and classes can be probed"
        elif self.owner is builtins:
            what = "is a part of Python that this library itself calls"
        elif isinstance(self.raw, type):
            what = f"is a class: name a method of it, such as '{self.name}.__init__'"
        elif isinstance(self.raw, property):
            what = "is a property, and no function"
        elif not callable(self.function):
            what = f"is no function, but {shown(self.raw)}"
        elif isinstance(self.function, _probed_class()):
            where = _place_of(self.owner)
            what = f"is probed already, in {where}: remove that probe first"
        elif isinstance(self.owner, type) and not self._binds():
            what = (
                f"is a {type(self.function).__name__}, written in C or made by some "
                "decorator, which does not become a method as functions do: name the "
                "Python function that calls it"
            )
        elif self._heir is not None and isinstance(self.raw, staticmethod):
            what = (
                "is inherited, and gets no object that could tell whose it is: name it "
                f"in the class that defines it, {_place_of(self.owner)}.{self.name}"
            )
        if what:
            message = f"{self.place} cannot be probed: it {what}"
            raise ConfigError(message)

    def _binds(self) -> bool:
        if isinstance(self.raw, _METHODS):
            return True
        try:
            bound = type(self.raw).__get__(self.raw, self, type(self))
        except Exception:  # noqa: BLE001 - of C, and for its own instances only
            return False
        return isinstance(bound, types.MethodType) and bound.__func__ is self.raw

    def replace(self, wrapper: Wrapper, enabled: Callable[[], bool]) -> None:
        """
        Have calls go through a wrapper, as wrapt defines it.

        Raises:
            ConfigError: If the class cannot be changed.
        """
        if self._heir is not None:
            wrapper = _only_for(self._heir, wrapper, of_class=self.is_class_method)
        probed = _probed_class()(self.function, wrapper, enabled)
        if isinstance(self.raw, _METHODS):
            probed = type(self.raw)(probed)
        try:
            setattr(self.owner, self.name, probed)
        except (AttributeError, TypeError) as error:
            message = (
                f"{self.place} cannot be probed: {error}. Classes that are written in "
                "C cannot be changed: name the Python function that calls it"
            )
            raise ConfigError(message) from error
        self._installed = probed

    @property
    def is_replaced(self) -> bool:
        """Whether calls go through the wrapper, and nobody has put another there."""
        return vars(self.owner).get(self.name) is self._installed

    def restore(self) -> bool:
        """Put back what was there; False where somebody else has replaced it."""
        if not self.is_replaced:
            return False
        if self._own is _MISSING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self._own)
        return True


def _only_for(heir: type, wrapper: Wrapper, *, of_class: bool) -> Wrapper:
    """Return a wrapper for those calls of a method that an heir of it gets."""

    def called(function: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        subject: Any = args[0] if args else None
        kind = subject if args and of_class else type(subject)
        if heir in kind.__mro__:
            return wrapper(function, instance, args, kwargs)
        return function(*args, **kwargs)

    return called


def check_wrapt() -> None:
    """Raise `MissingDependencyError` where probes cannot be."""
    needed("wrapt", "a probe")


def _definer(owner: Any, name: str) -> Any:
    """Return the class that an attribute comes from, None where it is no class."""
    kinds = owner.__mro__ if isinstance(owner, type) else ()
    return next((kind for kind in kinds if name in vars(kind)), None)


def _looked_up(owner: Any, name: str) -> Any:
    """Return an attribute as it stands, a method of a class unbound."""
    kind = _definer(owner, name)
    if kind is not None:
        return vars(kind)[name]
    try:
        return getattr(owner, name)
    except AttributeError:
        near = nearest(name, dir(owner))
        hint = f"the nearest is {near!r}" if near else "there is none like it"
        if _place_of(owner) == "__main__":
            hint = "what a program's main file defines comes later: use @probed there"
        message = f"{_place_of(owner)} has no {name!r} that could be probed; {hint}"
        raise ConfigError(message) from None


def _place_of(owner: Any) -> str:
    if isinstance(owner, type):
        return f"{owner.__module__}.{owner.__qualname__}"
    return getattr(owner, "__name__", None) or shown(owner)


@functools.cache
def _probed_class() -> Any:
    """Return the class of wrappers; wrapt is there, as `check_wrapt` has seen."""
    import wrapt

    class Probed(wrapt.FunctionWrapper):  # type: ignore[type-arg, misc, unused-ignore]
        """A function in whose place nobody sees another one."""

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            # A method like any other, so that whatever is done with methods, pickling
            # and looking at signatures among it, can be done with this one.
            if instance is None or not hasattr(type(self.__wrapped__), "__get__"):
                return self
            return types.MethodType(self, instance)

        def __copy__(self) -> Any:
            return self

        def __deepcopy__(self, memo: dict[int, Any]) -> Any:
            return self

        def __reduce_ex__(self, protocol: Any) -> Any:
            # By its name, so that it is found where nobody knows of probes; what lies
            # there under another name, or has none, goes its own way.
            import pkgutil

            place = f"{self.__module__}:{getattr(self, '__qualname__', '')}"
            try:
                found = pkgutil.resolve_name(place)
            except (AttributeError, ImportError, ValueError):
                found = None
            if found is self:
                return self.__qualname__
            if found is self.__wrapped__:
                return pkgutil.resolve_name, (place,)
            return self.__wrapped__.__reduce_ex__(protocol)

    return Probed
