"""Targets of rules: a path, a handler, a function, or a list of these."""

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

# Targets that take the options of a file handler, and those that do not.
PathTarget: TypeAlias = _Path | Sequence[_Path | _Other]
OtherTarget: TypeAlias = _Other | Sequence[_Other]
Target: TypeAlias = PathTarget | OtherTarget


def handlers_for(target: Target, options: Mapping[str, Any]) -> tuple[Handler, ...]:
    """
    Return the handlers that a target stands for.

    Args:
        target: A path or URL, a handler, a function, a list of these, or None.
        options: The options of a file handler, for every path among the targets.

    Raises:
        ConfigError: If it is none of these, or there are options but no path.
    """
    targets: Sequence[Any] = [target]
    if isinstance(target, Sequence) and not isinstance(target, (str, bytes, Handler)):
        targets = target
    paths = [item for item in targets if isinstance(item, (str, os.PathLike))]
    if options and not paths:
        message = (
            f"options {', '.join(options)} are for files, but the target is not a "
            "path: give a path, or set them on the handler"
        )
        raise ConfigError(message)
    if not targets:
        message = f"invalid target {target!r}: give a path, or None to switch off"
        raise ConfigError(message)
    return tuple(_handler(item, options) for item in targets if item is not None)


def _handler(target: Any, options: Mapping[str, Any]) -> Handler:
    if isinstance(target, (str, os.PathLike)):
        return FileHandler(target, **options)
    if isinstance(target, Handler):
        return target
    if callable(target) and not isinstance(target, type):
        return FunctionHandler(target)
    message = (
        f"invalid target {target!r}: give a path, a Handler, a function f(key, data), "
        "a list of these, or None to switch off"
    )
    raise ConfigError(message)


def target_of(handlers: tuple[Handler, ...]) -> Target:
    """Return the target for these handlers, with functions unwrapped."""
    targets = [
        handler.function if type(handler) is FunctionHandler else handler
        for handler in handlers
    ]
    if len(targets) == 1:
        return targets[0]
    return targets or None
