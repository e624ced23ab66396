"""The functions that a pattern stands for: those that a module or a class defines."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import BuiltinFunctionType, FunctionType
from typing import Any

__all__ = ["functions_like", "is_public"]

# Of the names with underscores, those that everyone calls without writing them.
_PUBLIC = ("__init__", "__call__")
_DEEPEST = 5


def functions_like(owner: Any, pattern: str) -> Iterator[str]:
    """
    Yield the paths of the functions and methods that a module or a class defines.

    Not those that it has imported or inherited, nor properties. Each function once, by
    its own name if it has several.

    Args:
        owner: The module or the class.
        pattern: A glob for the path, in which `*` crosses dots; a class stands for its
            methods. What has an underscore first is meant only where the pattern has.
    """
    module = owner.__module__ if isinstance(owner, type) else owner.__name__
    seen: dict[int, str] = {}
    for path, function in _defined(owner, module, ()):
        is_wanted = fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}.*")
        if is_wanted and is_public(path, pattern):
            own = getattr(function, "__qualname__", path)
            if id(function) not in seen or own.endswith(path):
                seen[id(function)] = path
    yield from seen.values()


def is_public(path: str, pattern: str) -> bool:
    """Tell whether a path has no private part beyond those of a pattern."""
    asked = any(part.startswith("_") for part in pattern.split("."))
    parts = path.split(".")
    return asked or all(part[:1] != "_" or part in _PUBLIC for part in parts)


def _defined(
    owner: Any, module: str, above: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    for name, value in list(vars(owner).items()):
        if isinstance(value, type):
            is_own = value.__module__ == module and value.__name__ == name
            if is_own and len(above) < _DEEPEST:
                yield from _defined(value, module, (*above, name))
            continue
        function = _function_in(value)
        if function is not None and _is_defined_in(module, function):
            yield ".".join((*above, name)), function


def _is_defined_in(module: str, function: Any) -> bool:
    if getattr(function, "__module__", "") == module:
        return True
    # Some packages, such as NumPy, give functions the module that users import.
    inner = getattr(function, "__wrapped__", function)
    return getattr(inner, "__globals__", {}).get("__name__") == module


def _function_in(value: Any) -> Any:
    """Return the function of an attribute; None if it holds none."""
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    if isinstance(value, functools.partialmethod):
        value = value.func
    is_function = isinstance(value, (FunctionType, BuiltinFunctionType))
    is_like_one = callable(value) and hasattr(value, "__qualname__")
    return value if is_function or is_like_one else None
