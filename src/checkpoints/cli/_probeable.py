"""The functions of a package that a probe can name, from its source code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Probeable", "probeable_in"]

_PUBLIC = ("__init__", "__call__")
_HOLDERS = ("property", "cached_property", "setter", "deleter", "getter")


class Probeable(NamedTuple):
    """
    A function or method.

    Args:
        target: What `--probe` takes.
        file: The source file.
        line: The line in it.
    """

    target: str
    file: str
    line: int


def probeable_in(file: str, module: str) -> Iterator[Probeable]:
    """
    Yield the public functions and methods that a source file defines, in order.

    Raises:
        OSError: If it cannot be read.
        SyntaxError, ValueError, RecursionError: If it cannot be parsed.
    """
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), file)
    for path, line in _defined(tree.body, ()):
        yield Probeable(f"{module}:{path}", file, line)


def _defined(body: list[ast.stmt], above: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            handled = getattr(node, "handlers", [])
            inside = [it for handler in handled for it in handler.body]
            yield from _defined([*node.body, *inside, *node.orelse], above)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _defined(node.body, (*above, node.name))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            is_public = not node.name.startswith("_") or node.name in _PUBLIC
            if is_public and not any(map(_is_holder, node.decorator_list)):
                yield ".".join((*above, node.name)), node.lineno


def _is_holder(decorator: ast.expr) -> bool:
    name = decorator.attr if isinstance(decorator, ast.Attribute) else ""
    return (name or getattr(decorator, "id", "")) in _HOLDERS
