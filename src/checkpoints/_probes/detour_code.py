"""The code of a detour: what a function runs while its calls are saved."""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
import textwrap
from keyword import iskeyword
from types import CellType, CodeType, FunctionType
from typing import Any

from checkpoints._process.origin import passed_over

__all__ = [
    "Parameters",
    "detour_code",
    "detour_template",
    "leads_through",
    "may_look_up",
    "passage_code",
]

# Stands for the detour among the constants.
_DETOUR = " detour"
# Flags that the code must share with that of the function.
_SHARED = (
    inspect.CO_NESTED
    | inspect.CO_ITERABLE_COROUTINE
    | __future__.annotations.compiler_flag
)
_LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

# What runs other code by name. Operators and attributes may too, but nobody expects to
# find the caller of the function from there.
_CALLING = frozenset(
    number
    for name, number in dis.opmap.items()
    if name.startswith(("CALL", "BEFORE_", "IMPORT_NAME"))
)

# The function inside gets the code of the probed one. As each call makes it anew, it
# has the globals and the cells of what is called, be that a copy, and nothing keeps
# them alive.
_BEGIN = """
{kind}def made({parameters}):
    {doc!r}
    def {inner}(): {free}
    {call} = ' detour'.begin({values}, {inner})
"""
_PLAIN = """
    try:
        if not {call}:
            return ({word}{inner}({passed}))
        {result} = ({word}{run})
    except BaseException as {error}:
        ({call} or ' detour').failed({error}, {inner})
        raise
    {call}.returned({result})
    return {result}
"""
_STREAMED = """
    {steps} = {call}.streamed({inner}({passed})) if {call} else {inner}({passed})
    {resume}, {sent} = {steps}.asend, None
    while True:
        try:
            {item} = await {resume}({sent})
        except StopAsyncIteration:
            if {call}:
                {call}.ended()
            return
        except BaseException as {error}:
            ({call} or ' detour').failed({error}, {inner})
            raise
        if {call}:
            {call}.yielded({item})
        try:
            {sent} = yield {item}
            {resume} = {steps}.asend
        except GeneratorExit:
            await {steps}.aclose()
            if {call}:
                {call}.ended()
            raise
        except BaseException as {error}:
            {resume}, {sent} = {steps}.athrow, {error}
"""
_OURS = ("call", "error", "inner", "item", "resume", "result", "sent", "steps")
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
        if len(values) == self._count:
            return values, {}
        given = dict(zip(self.names, values, strict=True))
        args = values[: self._count]
        for name in self._args:
            args += given[name]
        kwargs = {name: given[name] for name in self._keywords}
        for name in self._kwargs:
            kwargs |= given[name]
        return args, kwargs

    def given(
        self, function: FunctionType, values: tuple[Any, ...]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return values as arguments of a call that leaves out the defaults."""
        args, kwargs = self.spread(values)
        last, own = function.__defaults__ or (), function.__kwdefaults__ or {}
        if len(args) == self._count:
            while last and args[-1] is last[-1]:
                args, last = args[:-1], last[:-1]
        return args, {k: it for k, it in kwargs.items() if own.get(k, own) is not it}

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


def may_look_up(code: CodeType) -> bool:
    """Tell whether a function may ask who calls it: not if it only computes."""
    return not code.co_flags & _LATER and not _CALLING.isdisjoint(code.co_code[::2])


def detour_template(code: CodeType) -> CodeType | None:
    """
    Return code that leads through a detour to a function with the code given.

    It has the parameters, the name, the place and the kind of that, so that what looks
    at the function sees no difference.

    Args:
        code: The code of a function.

    Returns:
        The code without the detour; None if Python can express no such function, as
        for the inside of a comprehension.
    """
    parameters = Parameters(code)
    free = code.co_freevars
    if not all(map(_can_be_written, (*parameters.names, *free))):
        return None
    made = _compiled(_text(code, parameters), free)
    inner = next(it for it in made.co_consts if isinstance(it, CodeType))
    if made.co_freevars != free or inner.co_freevars != free:
        return None
    consts = tuple(code if it is inner else it for it in made.co_consts)
    # What looks for the globals that a function uses goes by the names.
    names = made.co_names + code.co_names
    return _disguised(made.replace(co_consts=consts, co_names=names), code)


def _disguised(made: CodeType, code: CodeType) -> CodeType:
    """Return code that looks like that of a function."""
    return made.replace(
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_flags=made.co_flags | code.co_flags & _SHARED,
    )


def detour_code(template: CodeType, detour: object) -> CodeType:
    """Return the code of a template, with the detour that it leads through."""
    constants = (detour if it == _DETOUR else it for it in template.co_consts)
    return passed_over(template.replace(co_consts=tuple(constants)))


def leads_through(code: CodeType, detour: object) -> bool:
    """Tell whether code leads through a detour, be it as others have changed it."""
    return any(it is detour for it in code.co_consts)


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
    passage = _PASSAGES.get(code.co_flags & _LATER)
    names = (*parameters.names, *free)
    if passage is None or not all(map(_can_be_written, names)):
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
    return detour_code(_disguised(made, code), called)


def _text(code: CodeType, parameters: Parameters) -> str:
    """Return the source of a detour."""
    is_async = code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR)
    is_streamed = code.co_flags & inspect.CO_ASYNC_GENERATOR
    word = "await " if code.co_flags & inspect.CO_COROUTINE else ""
    word = "yield from " if code.co_flags & inspect.CO_GENERATOR else word
    mark = "_cp_"
    while any(name.startswith(mark) for name in (*parameters.names, *code.co_freevars)):
        mark += "_"
    names = {name: mark + name for name in _OURS}
    passed = f"{names['inner']}({parameters.passed})"
    call = names["call"]
    plain = f"({call}.target(*{call}.arguments) if {call}.target else {passed})"
    return (_BEGIN + (_STREAMED if is_streamed else _PLAIN)).format(
        kind="async " if is_async else "",
        # A copy gets its docstring from the code.
        doc=FunctionType(code, {}, None, None, _cells(code)).__doc__,
        parameters=parameters.defined,
        passed=parameters.passed,
        values=f"({', '.join([*parameters.names, ''])})" if parameters.names else "()",
        free="; ".join(code.co_freevars) or "pass",
        word=word,
        run=f"{call}.steps({passed})" if word else plain,
        **names,
    )


def _can_be_written(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def _cells(code: CodeType) -> tuple[CellType, ...]:
    return tuple(CellType() for _ in code.co_freevars)


def _compiled(text: str, free: tuple[str, ...]) -> CodeType:
    if free:
        # Only within another function are these its free variables.
        around = f"def outer():\n {' = '.join(free)} = None\n"
        text = around + textwrap.indent(text, " ")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            # All in the line of the definition.
            vars(node).update(lineno=1, end_lineno=1, col_offset=0, end_col_offset=0)
    whole = compile(tree, "<detour>", "exec", dont_inherit=True)
    for _ in (1, 2) if free else (1,):
        whole = next(it for it in whole.co_consts if isinstance(it, CodeType))
    return whole
