"""The save points that a package declares, as its source tells, without running it."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Declaration", "Unreadable", "declarations_in", "sources_of"]

_FUNCTIONS = ("checkpoint", "register", "Session")
_LIBRARY = "checkpoints"


class Declaration(NamedTuple):
    """
    A place that declares a save point.

    Args:
        name: The dotted name; None where it is made when the program runs.
        file: The source file.
        line: The line in it.
        function: What is called there: `checkpoint`, `register` or `Session`.
    """

    name: str | None
    file: str
    line: int
    function: str


class Unreadable(NamedTuple):
    """A source file that could not be read, and why."""

    file: str
    reason: str


def sources_of(package: str) -> Iterator[tuple[str, str]]:
    """
    Yield the source files of a module or package, each with its dotted name.

    Raises:
        ModuleNotFoundError: If there is none, or none with a source.
    """
    top, *below = package.split(".")
    paths = _locations(top)
    for part in below:
        paths = [os.path.join(path, part) for path in paths]
    count = 0
    for path in paths:
        for file, name in _files_at(path, package):
            count += 1
            yield file, name
    if not count:
        message = (
            f"there is no package {package!r} with a source: see its spelling, and "
            "whether this Python has it installed"
        )
        raise ModuleNotFoundError(message, name=package)


def _locations(top: str) -> list[str]:
    """Return where a top-level module is, without `.py`; it is not imported."""
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        spec = importlib.util.find_spec(top)
    except (ValueError, ImportError):
        spec = None
    finally:
        sys.path.remove(here)
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return list(spec.submodule_search_locations)
    return [spec.origin.removesuffix(".py")] if spec.origin else []


def _files_at(path: str, name: str) -> Iterator[tuple[str, str]]:
    if os.path.isfile(f"{path}.py"):
        yield f"{path}.py", name
    for folder, folders, files in os.walk(path):
        folders.sort()
        below = os.path.relpath(folder, path)
        parts = [name, *([] if below == os.curdir else below.split(os.sep))]
        for file in sorted(files):
            if file.endswith(".py"):
                stem = file.removesuffix(".py")
                own = [] if stem == "__init__" else [stem]
                yield os.path.join(folder, file), ".".join([*parts, *own])


def declarations_in(file: str, module: str) -> Iterator[Declaration | Unreadable]:
    """Yield what a source file declares, in its order."""
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read(), file)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        yield Unreadable(file, f"{type(error).__name__}: {error}")
        return
    nodes = list(ast.walk(tree))
    ours = _Names(nodes)
    texts = _Texts(tree, nodes, module)
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        function = ours.called(call.func)
        if function:
            for name in texts.named_by(function, call.args):
                yield Declaration(name, file, call.lineno, function)


class _Names:
    """Under which names a file knows this library, and functions of it."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self._modules: set[str] = set()
        self._functions: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name == _LIBRARY:
                        self._modules.add(alias.asname or alias.name)
            elif isinstance(node, ast.ImportFrom) and node.module == _LIBRARY:
                for alias in node.names if not node.level else ():
                    names = _FUNCTIONS if alias.name == "*" else [alias.name]
                    for name in names:
                        self._functions[alias.asname or name] = name

    def called(self, function: ast.expr) -> str | None:
        """Return which of our functions is called, if it is one that declares."""
        name = None
        if isinstance(function, ast.Name):
            name = self._functions.get(function.id)
        elif isinstance(function, ast.Attribute) and isinstance(
            function.value, ast.Name
        ):
            name = function.attr if function.value.id in self._modules else None
        return name if name in _FUNCTIONS else None


class _Texts:
    """What expressions come to, as far as texts and constants go."""

    def __init__(self, tree: ast.Module, nodes: list[ast.AST], module: str) -> None:
        bound = Counter(
            node.arg if isinstance(node, ast.arg) else node.id
            for node in nodes
            if isinstance(node, ast.arg)
            or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
        )
        self._constants: dict[str, ast.expr] = {"__name__": ast.Constant(module)}
        for statement in tree.body:
            for name, value in _assigned(statement):
                # What has the name elsewhere as well may be something else there.
                if bound[name] == 1:
                    self._constants[name] = value

    def named_by(self, function: str, arguments: list[ast.expr]) -> list[str | None]:
        """Return the names of a call; None for one that cannot be told."""
        if any(isinstance(each, ast.Starred) for each in arguments) or not arguments:
            return [None]
        prefixed = len(arguments) > (2 if function == "checkpoint" else 1)
        names = self._listed(arguments[1 if prefixed else 0], set())
        if not prefixed:
            return names
        prefix = self._text(arguments[0], set())
        return [name and prefix and f"{prefix}.{name}" for name in names]

    def _listed(self, node: ast.expr, seen: set[str]) -> list[str | None]:
        if isinstance(node, ast.Name) and node.id in self._constants:
            if node.id not in seen:
                return self._listed(self._constants[node.id], {*seen, node.id})
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [self._text(each, seen) for each in node.elts]
        return [self._text(node, seen)]

    def _text(self, node: ast.expr, seen: set[str]) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            value = None if node.id in seen else self._constants.get(node.id)
            return self._text(value, {*seen, node.id}) if value else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self._text(it, seen) for it in (node.left, node.right)])
        if isinstance(node, ast.JoinedStr):
            return _joined([self._text(part, seen) for part in node.values])
        if isinstance(node, ast.FormattedValue):
            plain = node.conversion == -1 and node.format_spec is None
            return self._text(node.value, seen) if plain else None
        return None


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value
    elif (
        isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and statement.value is not None
    ):
        yield statement.target.id, statement.value


def _joined(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None
