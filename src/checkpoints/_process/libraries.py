"""Modules that are imported on demand."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from checkpoints._process.forks import forks_wait
from checkpoints.errors import MissingDependencyError

__all__ = ["imported", "needed", "versions_of"]

# Distributions that have another name than what is imported.
_DISTRIBUTIONS = {"PIL": "pillow", "zlib_ng": "zlib-ng"}


def imported(name: str) -> Any:
    """
    Return a module, importing it if necessary.

    A child that is forked while another thread imports a module would block for ever
    when it imports the same module. So forks wait until the import is done.

    Args:
        name: The full name of the module.

    Raises:
        ImportError: If it cannot be imported.

    >>> imported("json").dumps([1])
    '[1]'
    """
    module = sys.modules.get(name)
    if module is None or _is_initializing(module):
        with forks_wait():
            module = import_module(name)
    return module


def _is_initializing(module: Any) -> bool:
    """Tell whether the source of a module is being executed, as Python notes it."""
    spec = getattr(module, "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def needed(name: str, what: str, *, also: str = "") -> Any:
    """
    Return a module that a feature requires.

    Args:
        name: The full name of the module.
        what: What needs it, for the beginning of the message.
        also: Another distribution that must be installed with it.

    Raises:
        MissingDependencyError: If it cannot be imported. The message says how to
            install it.

    >>> needed("json", "writing JSON").dumps([1])
    '[1]'
    """
    try:
        return imported(name)
    except ImportError as error:
        package = name.partition(".")[0]
        wanted = " ".join(filter(None, (_DISTRIBUTIONS.get(package, package), also)))
        message = f"{what} needs {wanted}: pip install {wanted}"
        raise MissingDependencyError(message) from error


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those libraries that are loaded."""
    found = {}
    for package in sorted(packages):
        version = getattr(sys.modules.get(package), "__version__", None)
        if isinstance(version, str):
            found[package] = version
    return found
