"""The save points that the source code of a package declares."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES
from typing import NamedTuple

from checkpoints._text import nearest, shown

__all__ = [
    "Declaration",
    "Unreadable",
    "declarations_in",
    "is_compiled",
    "module_at",
    "modules_beside",
    "sources_of",
]

_FUNCTIONS = ("checkpoint", "point", "register", "Session", "probed")
_LIBRARY = "checkpoints"


class Declaration(NamedTuple):
    """
    A call that declares a save point.

    Args:
        name: The dotted name; None if it is known only when the program runs.
        file: The source file.
        line: The line in it.
        function: The function called: `checkpoint`, `point`, `register`, `Session`
            or `probed`.
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
        ModuleNotFoundError: If there is no such package, or no source code of it.
    """
    given, package = package, module_at(package)
    top, *below = package.split(".")
    paths = _locations(top)
    for part in below:
        paths = [os.path.join(path, part) for path in paths]
    count = 0
    for path in paths:
        for file, name in _files_at(path, package):
            count += 1
            yield file, name
    if not count and given.endswith(".py"):
        raise ModuleNotFoundError(_missing_file(given), name=package)
    if not count:
        message = (
            f"no source code found for package {package!r}; check the spelling, and "
            "that this Python has it installed"
        )
        raise ModuleNotFoundError(message, name=package)


def _missing_file(path: str) -> str:
    folder = os.path.dirname(path)
    with suppress(OSError):
        files = [it for it in os.listdir(folder or os.curdir) if it.endswith(".py")]
        if near := nearest(os.path.basename(path), files):
            meant = os.path.join(folder, near)
            return f"no file {shown(path)}; did you mean {shown(meant)}?"
    return f"no file {shown(path)}; check the path"


def module_at(text: str) -> str:
    """Return the module of a path below this folder; any other text as it is."""
    if text.endswith((".py", os.sep)) and os.path.exists(text):
        path = os.path.relpath(text).removesuffix(".py")
        return path.removesuffix(f"{os.sep}__init__").replace(os.sep, ".")
    return text


def modules_beside(file: str) -> Iterator[str]:
    """Yield the modules of the same folder that a source file imports."""
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), file)
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            path = os.path.join(os.path.dirname(file), name.partition(".")[0])
            if os.path.isfile(f"{path}.py") or os.path.isdir(path):
                yield name


def _locations(top: str) -> list[str]:
    """Return the paths of a top-level module, without `.py`; it is not imported."""
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


def is_compiled(module: str) -> bool:
    """Tell whether a module is one of C, as those of Cython and mypyc are."""
    top, *below = module.split(".")
    paths = [os.path.join(path, *below) for path in _locations(top)]
    ends = EXTENSION_SUFFIXES
    return any(path.endswith(tuple(ends)) for path in paths) or any(
        os.path.isfile(f"{path}{end}") for path in paths for end in ends
    )


def _files_at(path: str, name: str) -> Iterator[tuple[str, str]]:
    if os.path.isfile(f"{path}.py"):
        yield f"{path}.py", name
    for folder, folders, files in os.walk(path):
        folders.sort()
        relative = os.path.relpath(folder, path)
        parts = [name, *([] if relative == os.curdir else relative.split(os.sep))]
        for file in sorted(files):
            if file.endswith(".py"):
                stem = file.removesuffix(".py")
                last = [] if stem == "__init__" else [stem]
                yield os.path.join(folder, file), ".".join([*parts, *last])


def declarations_in(file: str, module: str) -> Iterator[Declaration | Unreadable]:
    """Yield the declarations of a source file, in order."""
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read(), file)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        yield Unreadable(file, f"{type(error).__name__}: {error}")
        return
    nodes = list(ast.walk(tree))
    imports = _Imports(nodes)
    strings = _Strings(tree, nodes, module)
    found: list[tuple[ast.expr, str | None, str]] = [
        (call, name, function)
        for call in nodes
        if isinstance(call, ast.Call) and (function := imports.called(call.func))
        for name in strings.names_in(function, call.args)
    ]
    for decorator, path in _decorators(tree, module):
        if function := imports.called(decorator):
            found.append((decorator, path, function))
    for node, name, function in sorted(
        found, key=lambda it: (it[0].lineno, it[0].col_offset)
    ):
        yield Declaration(name, file, node.lineno, function)


def _decorators(node: ast.AST, path: str) -> Iterator[tuple[ast.expr, str]]:
    """Yield the decorators of functions, with module and name as `probed` sees them."""
    for child in ast.iter_child_nodes(node):
        inner = path
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = f"{path}.{child.name}"
            yield from ((each, inner) for each in child.decorator_list)
        yield from _decorators(child, inner)


class _Imports:
    """The names under which a file imports this library and its functions."""

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
        """Return which function of this library is called, if it declares names."""
        name = None
        if isinstance(function, ast.Name):
            name = self._functions.get(function.id)
        elif isinstance(function, ast.Attribute) and isinstance(
            function.value, ast.Name
        ):
            name = function.attr if function.value.id in self._modules else None
        return name if name in _FUNCTIONS else None


class _Strings:
    """The values of string expressions, as far as literals and constants go."""

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
                # A name bound more than once may have another value at the call.
                if bound[name] == 1:
                    self._constants[name] = value

    def names_in(self, function: str, arguments: list[ast.expr]) -> list[str | None]:
        """Return the names that a call declares; None for one that is unknown."""
        if not arguments or any(isinstance(arg, ast.Starred) for arg in arguments):
            return [None]
        has_prefix = len(arguments) > (2 if function == "checkpoint" else 1)
        names = self._list(arguments[1 if has_prefix else 0], set())
        if not has_prefix:
            return names
        prefix = self._text(arguments[0], set())
        return [name and prefix and f"{prefix}.{name}" for name in names]

    def _list(self, node: ast.expr, seen: set[str]) -> list[str | None]:
        if isinstance(node, ast.Name) and node.id in self._constants:
            if node.id not in seen:
                return self._list(self._constants[node.id], {*seen, node.id})
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [self._text(item, seen) for item in node.elts]
        return [self._text(node, seen)]

    def _text(self, node: ast.expr, seen: set[str]) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            value = None if node.id in seen else self._constants.get(node.id)
            return self._text(value, {*seen, node.id}) if value else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = (node.left, node.right)
            return _joined([self._text(side, seen) for side in sides])
        if isinstance(node, ast.JoinedStr):
            return _joined([self._text(part, seen) for part in node.values])
        if isinstance(node, ast.FormattedValue):
            is_plain = node.conversion == -1 and node.format_spec is None
            return self._text(node.value, seen) if is_plain else None
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
