"""The code of a detour: what a function runs while its calls are saved."""

from __future__ import annotations

import ast
import inspect
from types import CodeType
from typing import Any

from checkpoints._process.origin import passed_over

__all__ = ["Parameters", "detour_code", "passage_code"]

# Stands for the detour among the constants.
_DETOUR = " detour"
# Flags that the code must share with that of the function.
_SHARED = inspect.CO_NESTED | inspect.CO_ITERABLE_COROUTINE
_KINDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

_CALLED = """
def made({parameters}):
    _cp_detour = ' detour'
    _cp_call = _cp_detour.begin({values})
    if _cp_call is None:
        return _cp_detour.function({passed})
    try:
        _cp_result = _cp_call.target(*_cp_call.arguments)
    except BaseException as _cp_error:
        _cp_call.failed(_cp_error)
        raise
    _cp_call.returned(_cp_result)
    return _cp_result
"""
_AWAITED = """
async def made({parameters}):
    _cp_detour = ' detour'
    _cp_call = _cp_detour.begin({values})
    if _cp_call is None:
        return await _cp_detour.function({passed})
    return await _cp_call.awaited()
"""
_STEPPED = """
def made({parameters}):
    _cp_detour = ' detour'
    _cp_call = _cp_detour.begin({values})
    if _cp_call is None:
        return (yield from _cp_detour.function({passed}))
    return (yield from _cp_call.stepped())
"""
_STREAMED = """
async def made({parameters}):
    _cp_detour = ' detour'
    _cp_call = _cp_detour.begin({values})
    if _cp_call is None:
        _cp_inner = _cp_detour.function({passed})
    else:
        _cp_inner = _cp_call.streamed()
    _cp_resume, _cp_argument = _cp_inner.asend, None
    while True:
        try:
            _cp_item = await _cp_resume(_cp_argument)
        except StopAsyncIteration:
            if _cp_call is not None:
                _cp_call.ended()
            return
        except BaseException as _cp_error:
            if _cp_call is not None:
                _cp_call.broken(_cp_error)
            raise
        if _cp_call is not None:
            _cp_call.yielded(_cp_item)
        try:
            _cp_argument = yield _cp_item
            _cp_resume = _cp_inner.asend
        except GeneratorExit:
            await _cp_inner.aclose()
            raise
        except BaseException as _cp_error:
            _cp_resume, _cp_argument = _cp_inner.athrow, _cp_error
"""
# What leads to a function of which there are many, each with other free variables.
_PASSAGE = """
{kind} made({parameters}):
    {doc}
    _cp_called = ' detour'
    return ({way} _cp_called({cells}, {arguments}))
"""
_PASSAGES = {
    0: ("def", ""),
    inspect.CO_GENERATOR: ("def", "yield from"),
    inspect.CO_COROUTINE: ("async def", "await"),
}


class Parameters:
    """
    The parameters of a function, as its code has them.

    Args:
        code: The code.

    Attributes:
        names: Their names, in the order of the signature.
    """

    def __init__(self, code: CodeType) -> None:
        self._count, self._only = code.co_argcount, code.co_posonlyargcount
        end = self._count + code.co_kwonlyargcount
        names = code.co_varnames
        self._positional, self._keywords = (
            names[: self._count],
            names[self._count : end],
        )
        has_args = bool(code.co_flags & inspect.CO_VARARGS)
        has_kwargs = bool(code.co_flags & inspect.CO_VARKEYWORDS)
        self._args = names[end : end + has_args]
        self._kwargs = names[end + has_args : end + has_args + has_kwargs]
        self.names: tuple[str, ...] = (
            *self._positional,
            *self._args,
            *self._keywords,
            *self._kwargs,
        )

    @property
    def defined(self) -> str:
        """The parameters in a definition."""
        only = [*self._positional[: self._only], "/"] if self._only else []
        star = [f"*{name}" for name in self._args] or (["*"] if self._keywords else [])
        double = [f"**{name}" for name in self._kwargs]
        rest = self._positional[self._only :]
        return ", ".join([*only, *rest, *star, *self._keywords, *double])

    @property
    def passed(self) -> str:
        """The parameters, passed on in a call."""
        return ", ".join(
            [
                *self._positional,
                *[f"*{name}" for name in self._args],
                *[f"{name}={name}" for name in self._keywords],
                *[f"**{name}" for name in self._kwargs],
            ]
        )

    @property
    def split(self) -> str:
        """The parameters as a tuple and a dict, in a call."""
        args = "".join([*[f"{it}, " for it in self._positional]])
        args += "".join(f"*{it}, " for it in self._args)
        kwargs = ", ".join(
            [
                *[f"{it!r}: {it}" for it in self._keywords],
                *[f"**{it}" for it in self._kwargs],
            ]
        )
        return f"({args}), {{{kwargs}}}"

    def spread(self, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the values of all parameters as arguments of a call."""
        given = dict(zip(self.names, values, strict=True))
        args = values[: self._count]
        for name in self._args:
            args += given[name]
        kwargs = {name: given[name] for name in self._keywords}
        for name in self._kwargs:
            kwargs |= given[name]
        return args, kwargs

    def named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Return values by name, without variadic parameters that got nothing."""
        variadic = {*self._args, *self._kwargs}
        pairs = zip(self.names, values, strict=True)
        return {name: it for name, it in pairs if name not in variadic or it}

    def defaults(self, function: object, given: dict[str, object]) -> tuple[str, ...]:
        """Return the parameters whose values are the default objects of a function."""
        last: tuple[object, ...] = getattr(function, "__defaults__", None) or ()
        pairs = dict(zip(self._positional[len(self._positional) - len(last) :], last))  # noqa: B905 - as many as there are
        pairs |= getattr(function, "__kwdefaults__", None) or {}
        return tuple(
            name for name, value in pairs.items() if given.get(name, pairs) is value
        )


def detour_code(code: CodeType, detour: object) -> CodeType | None:
    """
    Return code that leads through a detour to the function that had this code.

    It has the parameters, the name, the place and the kind of the code, so that what
    looks at the function sees no difference.

    Args:
        code: The code of a function.
        detour: What the code calls.

    Returns:
        The code; None if Python can express no such function, as for the inside of a
        comprehension.
    """
    parameters = Parameters(code)
    free = code.co_freevars
    if not all(name.isidentifier() for name in (*parameters.names, *free)):
        return None
    values = ", ".join([*parameters.names, ""]).strip()
    text = _template(code).format(
        parameters=parameters.defined, values=f"({values})", passed=parameters.passed
    )
    made = _compiled(text, free)
    if made.co_freevars != free:
        return None
    return _disguised(made, code, detour)


def _disguised(made: CodeType, code: CodeType, detour: object) -> CodeType:
    """Return code that looks like that of a function, with what it calls."""
    constants = tuple(detour if it == _DETOUR else it for it in made.co_consts)
    return passed_over(
        made.replace(
            co_consts=constants,
            co_filename=code.co_filename,
            co_firstlineno=code.co_firstlineno,
            co_name=code.co_name,
            co_qualname=code.co_qualname,
            co_flags=made.co_flags | code.co_flags & _SHARED,
        )
    )


def passage_code(
    code: CodeType, called: object, doc: str | None = None
) -> CodeType | None:
    """
    Return code that passes its free variables and arguments on.

    Args:
        code: The code of a function.
        called: What it calls: with the cells of the free variables or None, the
            positional arguments and those by keyword.
        doc: The docstring of what is made of the code.

    Returns:
        The code; None if Python can express no such function, or it is an asynchronous
        generator.
    """
    parameters, free = Parameters(code), code.co_freevars
    passage = _PASSAGES.get(code.co_flags & _KINDS)
    names = (*parameters.names, *free)
    if passage is None or not all(name.isidentifier() for name in names):
        return None
    kind, way = passage
    text = _PASSAGE.format(
        kind=kind,
        way=way,
        doc="pass" if doc is None else repr(doc),
        parameters=parameters.defined,
        cells=f"(lambda: ({', '.join(free)},)).__closure__" if free else None,
        arguments=parameters.split,
    )
    made = _compiled(text, free)
    inner = next((it for it in made.co_consts if isinstance(it, CodeType)), made)
    if (made.co_freevars, inner.co_freevars) != (free, free):
        return None
    return _disguised(made, code, called)


def _template(code: CodeType) -> str:
    if code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return _STREAMED
    if code.co_flags & inspect.CO_COROUTINE:
        return _AWAITED
    return _STEPPED if code.co_flags & inspect.CO_GENERATOR else _CALLED


def _compiled(text: str, free: tuple[str, ...]) -> CodeType:
    tree = ast.parse(text)
    if free:
        tree = _enclosed(tree.body[0], free)
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            # All in the line of the definition.
            vars(node).update(lineno=1, end_lineno=1, col_offset=0, end_col_offset=0)
    whole = compile(tree, "<detour>", "exec", dont_inherit=True)
    for _ in (1, 2) if free else (1,):
        whole = next(it for it in whole.co_consts if isinstance(it, CodeType))
    return whole


def _enclosed(made: Any, free: tuple[str, ...]) -> ast.Module:
    """
    Return a function within another one that has its free variables.

    Only then does its code copy the cells of the function when it begins. Without it,
    Python crashes as soon as somebody looks at the variables of its frame.
    """
    names = ", ".join(free)
    outer = ast.parse(f"def outer():\n    {names} = None")
    # It is never run, but makes these the free variables.
    # After a docstring, which has to be the first.
    made.body.insert(1, ast.parse(f"if 0: {names}").body[0])
    function: Any = outer.body[0]
    function.body.append(made)
    return outer
