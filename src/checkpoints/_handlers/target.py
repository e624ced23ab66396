"""What a target stands for: a path, a handler, a function, or a list of these."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import FunctionHandler, Handler
from checkpoints._keys.key import Key
from checkpoints.errors import ConfigError

__all__ = ["Target", "handlers_for"]

Target: TypeAlias = (
    str
    | os.PathLike[str]
    | Handler
    | Callable[[Key, dict[str, Any]], object]
    | list[Any]
    | tuple[Any, ...]
    | None
)


def handlers_for(target: Target, options: Mapping[str, Any]) -> tuple[Handler, ...]:
    """
    Return the handlers that a target stands for.

    Args:
        target: A path or URL, a handler, a function, a list of these, or None.
        options: Those of a file handler, for every path among them.

    Raises:
        ConfigError: If it is none of these, or there are options and no path.
    """
    targets = target if isinstance(target, list | tuple) else [target]
    paths = [item for item in targets if isinstance(item, (str, os.PathLike))]
    if options and not paths:
        message = (
            f"options {', '.join(options)} are for files, and the target is no path: "
            "give a path, or set them on the handler"
        )
        raise ConfigError(message)
    if not targets:
        raise ConfigError("an empty list is no target; None switches the names off")
    return tuple(_handler(item, options) for item in targets if item is not None)


def _handler(target: Any, options: Mapping[str, Any]) -> Handler:
    if isinstance(target, (str, os.PathLike)):
        return FileHandler(target, **options)
    if isinstance(target, Handler):
        return target
    if callable(target) and not isinstance(target, type):
        return FunctionHandler(target)
    message = (
        f"{target!r} cannot be a target: give a path, a Handler, a function "
        "f(key, data), a list of these, or None to switch off"
    )
    raise ConfigError(message)
