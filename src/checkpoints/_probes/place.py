"""Places: where the functions of a probe are, as its target says."""

from __future__ import annotations

import functools
import importlib.util
import sys
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = ["LOCALS", "Place", "Target", "is_submodule", "place_in_text", "place_of"]

Target: TypeAlias = "str | tuple[Any, str] | Any"

_GLOB = set("*?[")
# In the qualified name of a function, before what is defined inside of it.
LOCALS, _LAMBDA = "<locals>", "<lambda>"


class Place(NamedTuple):
    """
    Where the functions of a probe are.

    Args:
        name: The target with dots.
        splits: The ways to split it into module and path, likeliest first.
    """

    name: str
    splits: tuple[tuple[str, str], ...]

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for any number of functions."""
        return bool(set(self.name) & _GLOB)

    def covers_module(self, name: str) -> bool:
        """Tell whether a module may have functions of a pattern."""
        module = self.splits[0][0]
        # The package itself defines functions too.
        return name == module.removesuffix(".*") or fnmatchcase(name, module)


def place_of(target: Target) -> tuple[Place, Any]:
    """
    Return the place of a target, and the module or class that has it, if known.

    Raises:
        ConfigError: If it is no target.
    """
    if isinstance(target, str):
        return place_in_text(target), None
    if isinstance(target, tuple):
        if len(target) != 2:  # noqa: PLR2004 - an owner and a name
            raise _invalid(target)
        return _place_in_owner(*target)
    function = getattr(target, "__func__", target)
    module = getattr(function, "__module__", None)
    path = getattr(function, "__qualname__", None)
    if not (module and path) or module not in sys.modules:
        raise _invalid(target)
    root = sys.modules[module]
    if _found(root, path) is not function:
        message = (
            f"cannot probe {shown(target)}: it is not found as {module}:{path}. Give "
            "the module or class that has it, as (owner, 'name'), or use @probed"
        )
        raise ConfigError(message)
    return Place(f"{module}.{path}", ((module, path),)), root


def place_in_text(text: str) -> Place:
    """
    Return the place of a target that is given as text.

    Raises:
        ConfigError: If it is no target.
    """
    module, colon, path = text.strip().partition(":")
    parts = [*module.split("."), *path.split(".")] if colon else module.split(".")
    is_pattern = bool(colon and set(text) & _GLOB)
    is_part = _is_glob if is_pattern else str.isidentifier
    is_local = colon and f".{LOCALS}." in path
    checked = [it for it in parts if not (is_local and it in (LOCALS, _LAMBDA))]
    if len(parts) == 1 or not all(map(is_part, checked)) or path.endswith(LOCALS):
        raise _invalid(text)
    if colon:
        name = ".".join(it for it in parts if it != LOCALS)
        return Place(name, ((module, path),))
    splits = [
        (".".join(parts[:end]), ".".join(parts[end:]))
        for end in range(len(parts) - 1, 0, -1)
    ]
    return Place(".".join(parts), tuple(splits))


def _is_glob(part: str) -> bool:
    return bool(part) and all(it in "*?[]!-" or f"a{it}".isidentifier() for it in part)


def is_submodule(module: ModuleType, path: str) -> bool:
    """Tell whether a path may begin with a submodule that is not loaded yet."""
    first = path.partition(".")[0]
    if "." not in path or first in vars(module) or not hasattr(module, "__path__"):
        return False
    return importlib.util.find_spec(f"{module.__name__}.{first}") is not None


def _found(root: ModuleType, path: str) -> Any:
    try:
        found = functools.reduce(getattr, path.split("."), root)
    except AttributeError:
        return None
    return getattr(found, "__func__", found)


def _place_in_owner(owner: Any, path: Any) -> tuple[Place, Any]:
    if not isinstance(owner, (type, ModuleType)) or not isinstance(path, str):
        raise _invalid((owner, path))
    is_class = isinstance(owner, type)
    name = f"{owner.__module__}.{owner.__qualname__}" if is_class else owner.__name__
    name = name.replace(".<locals>", "")
    return Place(f"{name}.{path}", (("", path),)), owner


def _invalid(target: Any) -> ConfigError:
    message = (
        f"cannot probe {shown(target)}: expected 'package.module:function', "
        "'package.module:Class.method', 'package.module:*', a function, or "
        "(owner, 'name')"
    )
    if isinstance(target, str) and set(target) & set("=?"):
        message += (
            "; to choose where calls are saved, and which, add a rule for the name, "
            "such as package.module.function=./out?limit=10"
        )
    return ConfigError(message)
