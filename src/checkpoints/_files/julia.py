"""
The format of Julia's own serialization, as far as data is written in it.

It says neither how many fields a type has nor how its values lie in memory, so only the
types of `julia_types.py` can be read. Functions and code are never looked at.
"""

# ruff: noqa: SLF001 - tables name methods of a class of this module
from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from operator import index
from typing import Any, NamedTuple

from checkpoints._files.bson import text_of
from checkpoints._files.julia_numbers import number
from checkpoints._files.julia_references import References, contains_itself
from checkpoints._files.julia_tags import (
    CONSTANTS,
    INT32_AT,
    INT64_AT,
    NUMBERS,
    TYPES,
)
from checkpoints._files.julia_types import (
    ANY,
    NO_FUNCTION,
    JuliaType,
    fields_of,
    is_function,
    is_known,
    layout_of,
    named,
    typed,
)
from checkpoints._files.julia_values import (
    array,
    count_of,
    dictionary,
    made,
    shaped,
    texts,
)
from checkpoints._kinds.records import Record
from checkpoints.errors import FormatError

__all__ = ["deserialize"]

_START, _HEADER_BYTES = b"7JL", 8
# Little-endian, with words of 64 bits.
_FLAGS = 4
# Symbols that are longer take a slot.
_SHORT = 7
_MOST_IN_A_RUN = 127
_DIGITS, _MOST_DIGITS = re.compile("(-?)([0-9A-Za-z]+)"), 10_000
# As many as make a small integer, with which it is fast to count.
_AT_ONCE = 10
_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE, _DIGIT = len(_BASE_62), {char: at for at, char in enumerate(_BASE_62)}
# The memory that an item takes with its place in a container, a struct, and an array
# with what it is a view of, roughly.
_ITEM, _STRUCT, _ARRAY = 100, 200, 400
_UNDEFINED, _LITERAL, _END_OF_PATH = 0x29, 0x00, 0x44
# A later version of DataFrames made its type mutable, with metadata.
_MORE_FIELDS = {"DataFrames.DataFrame": 3}


def deserialize(data: memoryview, spend: Callable[[int], None]) -> Any:
    """
    Return the value in a stream; what follows it is ignored.

    Args:
        data: The bytes.
        spend: Called with the memory that values are about to take.

    Raises:
        ValueError: If it is damaged.
        FormatError: If it holds what cannot be read without Julia.
    """
    if bytes(data[: len(_START)]) != _START or len(data) < _HEADER_BYTES:
        raise ValueError("it does not begin like a stream of Julia")
    if data[4] != _FLAGS:
        raise FormatError(
            "it was written on a machine that is not 64-bit little-endian"
        )
    return _Stream(data, spend).value()


class _Module(NamedTuple):
    path: tuple[str, ...]


class _Stream:
    """One stream of values, read from its start to its end."""

    def __init__(self, data: memoryview, spend: Callable[[int], None]) -> None:
        self._data = data
        self._spend = spend
        self._at = _HEADER_BYTES
        self._slots = References()
        self._next = 0

    def value(self) -> Any:
        """Return the next value as users see it."""
        return _shown(self._item(self._byte()))

    def _take(self, size: int) -> memoryview:
        if not 0 <= size <= len(self._data) - self._at:
            raise ValueError("a value is longer than the stream")
        self._at += size
        return self._data[self._at - size : self._at]

    def _byte(self) -> int:
        return self._take(1)[0]

    def _integer(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little", signed=True)

    def _count(self, size: int) -> int:
        """Return a number of items, each of which takes at least a byte."""
        count = int.from_bytes(self._take(size), "little")
        if count > len(self._data) - self._at:
            raise ValueError("a collection is longer than the stream")
        self._spend(_ITEM * count)
        return count

    def _slot(self) -> int:
        self._next += 1
        return self._next - 1

    def _item(self, tag: int) -> Any:
        """Return the item that a tag begins: a value, a type or a module."""
        if tag in NUMBERS:
            name, size = NUMBERS[tag]
            return number(name, self._take(size))
        if tag in CONSTANTS:
            return CONSTANTS[tag]
        if INT32_AT <= tag < INT64_AT:
            integer = (tag - INT32_AT).to_bytes(4, "little")
            return number("Int32", memoryview(integer))
        read = _ITEMS.get(tag)
        if read is not None:
            return read(self)
        if tag > _END_OF_PATH and tag in TYPES:
            return TYPES[tag]
        raise FormatError("it holds a function, an expression or code of Julia")

    def _next_item(self) -> Any:
        return self._item(self._byte())

    def _type(self) -> JuliaType:
        found = self._next_item()
        return found if isinstance(found, JuliaType) else ANY

    def _literal(self) -> Any:
        tag = self._byte()
        if tag in TYPES:
            return TYPES[tag]
        return self._item(tag) if tag > _END_OF_PATH else ANY

    def _char(self) -> str:
        first = self._byte()
        length = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4  # noqa: PLR2004 - of UTF-8
        text = bytes([first, *self._take(length - 1)])
        return text.decode("utf-8", "surrogateescape")

    def _text(self, size: int) -> str:
        return text_of(self._take(size), self._spend)

    def _symbol(self, size: int) -> str:
        text = self._text(size)
        if size > _SHORT:
            self._slots[self._slot()] = text
        return text

    def _shared(self) -> Any:
        slot = self._slot()
        self._slots[slot] = found = self._next_item()
        if type(found) is not str:
            raise ValueError("it shares a value that is no text")
        return found

    def _reference(self, size: int) -> Any:
        slot = int.from_bytes(self._take(size), "little")
        if slot < self._next and slot not in self._slots:
            raise contains_itself()
        return self._slots[slot]

    def _items(self, count: int) -> list[Any]:
        return [self._field() for _ in range(count)]

    def _field(self) -> Any:
        tag = self._byte()
        return None if tag == _UNDEFINED else _shown(self._item(tag))

    def _tuple(self, size: int) -> tuple[Any, ...]:
        # Types stay types: a tuple can be a parameter.
        return tuple([self._next_item() for _ in range(self._count(size))])

    def _array(self) -> Any:
        slot = self._slot()
        self._spend(_ARRAY)
        kind, dims = named("UInt8"), self._next_item()
        if isinstance(dims, JuliaType):
            kind, dims = dims, self._next_item()
        dims = [index(n) for n in (dims if isinstance(dims, tuple) else (dims,))]
        self._slots[slot] = found = self._elements(kind, dims)
        return found

    def _elements(self, kind: JuliaType, dims: Sequence[int]) -> Any:
        layout = layout_of(kind)
        left = len(self._data) - self._at
        if kind.name == "Bool":
            return self._bools(dims)
        if layout is None:
            if is_known(kind.name) is None:
                raise _unknown(kind)
            count = count_of(dims, left)
            self._spend(_ITEM * count)
            items = self._items(count)
            if kind.name == "String" and len(dims) != 1:
                return texts(items, dims, self._spend)
            return shaped(items, dims)
        if kind.name == "UInt8" and len(dims) == 1:
            return bytes(self._take(dims[0]))
        count = count_of(dims, left // layout.size if layout.size else 1 << 40)
        return array(kind, dims, self._take(count * layout.size), self._spend)

    def _bools(self, dims: Sequence[int]) -> Any:
        """Return booleans, which are stored as runs of equal ones."""
        left = len(self._data) - self._at
        count = count_of(dims, _MOST_IN_A_RUN * left)
        self._spend(2 * count)
        found = bytearray()
        while len(found) < count:
            run = self._byte()
            found += bytes([run >> 7]) * (run & _MOST_IN_A_RUN)
        if len(found) != count:
            raise ValueError("an array is smaller than its data")
        return array(named("Bool"), dims, memoryview(found), self._spend)

    def _datatype(self) -> JuliaType:
        slot = self._slot()
        name, module = self._next_item(), self._next_item()
        if not isinstance(name, str) or not isinstance(module, _Module):
            raise ValueError("a type has no name or module")  # noqa: TRY004 - of a file
        kind = typed([*module.path, name])
        has_params = is_known(kind.name)
        if has_params is None:
            raise _unknown(kind)
        if has_params:
            count = self._count(4)
            params = [self._next_item() for _ in range(count)]
            kind = typed([*module.path, name], params)
        self._spend(2 * len(kind.full))
        self._slots[slot] = kind
        return kind

    def _module(self) -> _Module:
        root = self._next_item()
        if isinstance(root, tuple):  # of early versions
            return _Module(tuple(map(str, root)) or ("Main",))
        path = [self._next_item()]
        while (part := self._next_item()) != ():
            path.append(part)
        if not all(isinstance(part, str) for part in path):
            raise ValueError("the path of a module is not made of names")
        return _Module(tuple(path))

    def _union(self) -> JuliaType:
        return typed(["Union"], [self._type(), self._type()])

    def _union_all(self) -> JuliaType:
        if self._byte():
            self._take(2)
            return self._type()
        self._next_item()
        return self._type()

    def _variable(self) -> JuliaType:
        slot = self._slot()
        for _ in ("name", "lower", "upper"):
            self._next_item()
        self._slots[slot] = ANY
        return ANY

    def _object(self, *, is_mutable: bool = False) -> Any:
        slot = self._slot() if is_mutable else None
        kind = self._type()
        read = _SPECIAL.get(kind.name)
        found = (
            self._struct(kind, is_mutable=is_mutable)
            if read is None
            else read(self, kind)
        )
        if slot is not None:
            if type(found) is tuple:
                raise ValueError("it has a tuple that can change")
            self._slots[slot] = found
        return found

    def _struct(self, kind: JuliaType, *, is_mutable: bool) -> Any:
        fields, layout = fields_of(kind), layout_of(kind)
        if fields is None and layout is not None:
            data = self._take(layout.size)
            return number(kind.name, data) if layout.size else None
        if fields is None:
            raise _unknown(kind)
        self._spend(_STRUCT + _ITEM * len(fields))
        parts = self._items(len(fields))
        if is_mutable:
            self._items(_MORE_FIELDS.get(kind.name, 0))
        return made(kind, parts)

    def _dict(self, kind: JuliaType) -> Any:
        count = self._count(4)
        self._spend(_ITEM * count)
        pairs = [(self.value(), self.value()) for _ in range(count)]
        keys, values = [key for key, _ in pairs], [value for _, value in pairs]
        return dictionary(keys, values, kind.name)

    def _big(self, _: JuliaType) -> int:
        text = self._next_item()
        found = _DIGITS.fullmatch(text) if isinstance(text, str) else None
        # The time to read one grows with the square of its length.
        if found is None or len(found[2]) > _MOST_DIGITS:
            raise ValueError("a large integer is not written in digits, or too long")
        value = _integer_of(found[2])
        return -value if found[1] else value

    def _regex(self, kind: JuliaType) -> Record:
        names = ("pattern", "compile_options", "match_options")
        return Record(kind.full, dict(zip(names, self._items(len(names)), strict=True)))


def _integer_of(digits: str) -> int:
    """Return what digits stand for; half by half, as long integers multiply slowly."""
    if len(digits) > _AT_ONCE:
        half = len(digits) // 2
        upper, weight = _integer_of(digits[:-half]), int(_BASE**half)
        return upper * weight + _integer_of(digits[-half:])
    found = 0
    for digit in digits:
        found = found * _BASE + _DIGIT[digit]
    return found


def _shown(found: Any) -> Any:
    """Return an item as users see it: a type as a record."""
    if isinstance(found, JuliaType):
        return Record("Core.DataType", {"name": found.full})
    if isinstance(found, _Module):
        raise FormatError("it holds a module of Julia")
    if type(found) is tuple:
        return tuple(map(_shown, found))
    return found


def _unknown(kind: JuliaType) -> FormatError:
    if is_function(kind):
        return FormatError(NO_FUNCTION)
    return FormatError(
        f"it holds a value of type {kind.full:.200}, and Julia's own serialization "
        "does not say what that is made of: save it in Julia with format=:bson"
    )


_SPECIAL: dict[str, Callable[[_Stream, JuliaType], Any]] = {
    "Dict": _Stream._dict,
    "IdDict": _Stream._dict,
    "GMP.BigInt": _Stream._big,
    "Regex": _Stream._regex,
}
_ITEMS: dict[int, Callable[[_Stream], Any]] = {
    _LITERAL: _Stream._literal,
    0x01: lambda stream: stream._symbol(stream._byte()),
    0x2E: lambda stream: stream._symbol(stream._integer(4)),
    0x0F: _Stream._char,
    0x10: _Stream._datatype,
    0x11: _Stream._union,
    0x12: _Stream._union_all,
    0x14: lambda stream: stream._tuple(1),
    0x2D: lambda stream: stream._tuple(4),
    0x15: _Stream._array,
    0x1C: _Stream._variable,
    0x1F: _Stream._module,
    0x21: lambda stream: stream._text(stream._byte()),
    0x22: lambda stream: stream._tuple(4),
    0x2A: lambda stream: stream._reference(4),
    0x2B: lambda stream: stream._reference(8),
    0x2C: lambda stream: stream._reference(2),
    0x30: lambda stream: stream._text(stream._integer(8)),
    0x31: lambda stream: stream._integer(4),
    0x34: _Stream._object,
    0x35: lambda stream: stream._object(is_mutable=True),
    0x38: lambda stream: stream._object(is_mutable=True),
    0x39: _Stream._shared,
}
