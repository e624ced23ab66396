"""Modules of this package that are loaded when something of them is needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Later"]


class Later:
    """
    Stands for a module, and loads it when one of its names is asked for.

    For what a program that saves nothing never needs, so that `import checkpoints`
    stays cheap. Beside it the module is imported where types are checked, which is
    where the floors of the house are checked as well.

    Args:
        name: The full name of the module.

    >>> Later("checkpoints._size").parse_size("max_bytes", "1kB")
    1000
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
