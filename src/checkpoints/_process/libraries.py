"""Modules that are imported when something needs them, and not before."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from checkpoints._process.forks import forks_wait
from checkpoints.errors import MissingDependencyError

__all__ = ["imported", "needed"]

# Distributions that have another name than what is imported.
_DISTRIBUTIONS = {"PIL": "pillow", "zlib_ng": "zlib-ng"}


def imported(name: str) -> Any:
    """
    Return a module, imported if it is not there yet.

    A child that is forked while another thread imports a module would wait for ever as
    soon as it imports the same one, so forks wait until this is over.

    Args:
        name: The full name of the module.

    Raises:
        ImportError: If it cannot be imported.

    >>> imported("json").dumps([1])
    '[1]'
    """
    module = sys.modules.get(name)
    # Python sets it for as long as the source of the module is being executed.
    if module is None or getattr(module.__spec__, "_initializing", False):
        with forks_wait():
            module = import_module(name)
    return module


def needed(name: str, what: str, *, also: str = "") -> Any:
    """
    Return a module that something cannot be done without.

    Args:
        name: The full name of the module.
        what: What needs it, to stand at the beginning of the message.
        also: What else has to be installed for it.

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
