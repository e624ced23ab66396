"""What a target stands for: a path, a handler, a function, or a list of these."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import FunctionHandler, Handler
from checkpoints._keys.key import Key
from checkpoints.errors import ConfigError

__all__ = ["OtherTarget", "PathTarget", "Target", "handlers_for", "target_of"]

_Path: TypeAlias = str | os.PathLike[str]
_Other: TypeAlias = Handler | Callable[[Key, dict[str, Any]], object] | None

# With the options of a file handler, and without.
PathTarget: TypeAlias = _Path | Sequence[_Path | _Other]
OtherTarget: TypeAlias = _Other | Sequence[_Other]
Target: TypeAlias = PathTarget | OtherTarget


def handlers_for(target: Target, options: Mapping[str, Any]) -> tuple[Handler, ...]:
    """
    Return the handlers that a target stands for.

    Args:
        target: A path or URL, a handler, a function, a list of these, or None.
        options: Those of a file handler, for every path among them.

    Raises:
        ConfigError: If it is none of these, or there are options and no path.
    """
    targets: Sequence[Any] = [target]
    if isinstance(target, Sequence) and not isinstance(target, (str, bytes, Handler)):
        targets = target
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


def target_of(handlers: tuple[Handler, ...]) -> Target:
    """Return a target that stands for handlers, with functions as they were given."""
    targets = [
        handler.function if type(handler) is FunctionHandler else handler
        for handler in handlers
    ]
    if len(targets) == 1:
        return targets[0]
    return targets or None
