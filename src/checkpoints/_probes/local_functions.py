"""Local functions: those that another function makes each time it runs."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from checkpoints._probes.attribute import Attribute
from checkpoints._probes.detour import detour_of
from checkpoints._probes.detour_code import passage_code
from checkpoints._probes.place import LOCALS
from checkpoints._probes.stand_in import call_inside
from checkpoints.errors import ConfigError

__all__ = ["LocalFunctions"]


class LocalFunctions:
    """
    The functions of one definition inside of a function, as an attribute is one.

    Python makes a function of the code that the outer one has among its constants. It
    is replaced there, and in the functions that have been made of it.

    Args:
        root: A module or a class.
        path: The qualified name, such as `outer.<locals>.inner`.

    Raises:
        ConfigError: If the outer function has no such code, or several of this name.

    Attributes:
        function: A function of this code, for its signature only.
    """

    is_class_method = False
    subclass = None
    python_function = None

    def __init__(self, root: Any, path: str) -> None:
        before, _, self._path = path.partition(f".{LOCALS}.")
        outer = Attribute(root, before)
        self._place = f"{outer.place}.{LOCALS}.{self._path}"
        self._outer, self._code = self._found(outer.function)
        free = tuple(CellType() for _ in self._code.co_freevars)
        self._globals = self._outer.__globals__
        self.function = self._made_of(self._code, free)
        self._replacement: CodeType | None = None

    def _found(self, outer: Any) -> tuple[FunctionType, CodeType]:
        """Return the function whose code has that of the local one, and that code."""
        while outer is not None:
            if type(outer) is FunctionType:
                codes = [detour_of(outer).code]
                for name in self._path.replace(f"{LOCALS}.", "").split("."):
                    codes = [it for code in codes for it in _inner(code, name)]
                if len(codes) > 1:
                    message = f"{len(codes)} functions have this name"
                    raise self._refused(f"{message}, and cannot be told apart")
                if codes:
                    return outer, codes[0]
            outer = getattr(outer, "__wrapped__", None)
        raise self._refused("no Python function of this name is defined there")

    def _refused(self, why: str) -> ConfigError:
        return ConfigError(f"cannot probe {self._place}: {why}")

    def _made_of(
        self, code: CodeType, cells: tuple[CellType, ...] | None
    ) -> FunctionType:
        made = FunctionType(code, self._globals, code.co_name, None, cells)
        made.__qualname__ = code.co_qualname
        return made

    def replace(self, wrapper: Callable[..., Any], enabled: Callable[[], bool]) -> None:
        """
        Send calls through a wrapper, as wrapt defines it.

        Raises:
            ConfigError: If Python can express no such function.
        """
        is_simple = not inspect.isgeneratorfunction(self.function)
        is_simple &= not inspect.iscoroutinefunction(self.function)

        def called(
            cells: tuple[CellType, ...] | None, args: Any, kwargs: dict[str, Any]
        ) -> Any:
            function = self._made_of(self._code, cells)
            if enabled():
                return wrapper(function, None, args, kwargs)
            if is_simple:
                return call_inside(function, args, kwargs)
            return function(*args, **kwargs)

        self._replacement = passage_code(self._code, called, self.function.__doc__)
        if self._replacement is None:
            raise self._refused("Python can express no function that leads to it")
        self._exchange(self._code, self._replacement)

    @property
    def is_replaced(self) -> bool:
        """Whether the outer function still makes what was probed."""
        codes = _all_inner(detour_of(self._outer).code)
        return any(code is self._replacement for code in codes)

    def restore(self) -> bool:
        """Restore the functions; False if other code has replaced the outer one."""
        if self._replacement is None or not self.is_replaced:
            return False
        self._exchange(self._replacement, self._code)
        return True

    def _exchange(self, old: CodeType, new: CodeType) -> None:
        self._outer.__code__ = _with(detour_of(self._outer).code, old, new)
        # It may be probed itself.
        detour_of(self._outer).update()
        for made in gc.get_referrers(old):
            if type(made) is FunctionType and made is not self.function:
                made.__code__ = new


def _inner(code: CodeType, name: str) -> Iterator[CodeType]:
    for it in code.co_consts:
        if isinstance(it, CodeType) and it.co_name == name:
            yield it


def _all_inner(code: CodeType) -> Iterator[CodeType]:
    for it in code.co_consts:
        if isinstance(it, CodeType):
            yield it
            yield from _all_inner(it)


def _with(code: CodeType, old: CodeType, new: CodeType) -> CodeType:
    """Return code in which other code is replaced, wherever it is."""
    constants = tuple(
        (new if it is old else _with(it, old, new)) if isinstance(it, CodeType) else it
        for it in code.co_consts
    )
    is_same = all(map(lambda a, b: a is b, constants, code.co_consts))
    return code if is_same else code.replace(co_consts=constants)
