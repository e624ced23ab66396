"""The values in a document of Julia's BSON package, which marks them with tags."""

# ruff: noqa: SLF001 - tables name methods of a class of this module
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from checkpoints._files.bson import Int32, Raw, document
from checkpoints._files.julia_numbers import number, numbers
from checkpoints._files.julia_references import References, contains_itself
from checkpoints._files.julia_types import ANY, JuliaType, layout_of, typed
from checkpoints._files.julia_values import (
    all_in_memory,
    array,
    count_of,
    dictionary,
    in_memory,
    made,
    shaped,
    texts,
)
from checkpoints._kinds.records import Record
from checkpoints.errors import FormatError

__all__ = ["BsonValues"]

_PLAIN = frozenset({str, int, float, bool, type(None)})
_LONGEST_CACHED = 1 << 12
_DICTS = ("Dict", "IdDict")
_OBJECT = 64


class BsonValues:
    """
    The values of one document.

    Args:
        data: Its bytes.
        spend: Called with the memory that values are about to take.

    Raises:
        ValueError: If it is damaged.
    """

    def __init__(self, data: memoryview, spend: Callable[[int], None]) -> None:
        self._spend = spend
        self.root = document(data, spend, "type")
        references = self.root.pop("_backrefs", [])
        self._nodes: list[Any] = _list(references)
        self._values = References()
        self._types: dict[int, JuliaType] = {}
        self._open: set[int] = set()

    def value(self, node: Any) -> Any:
        """Return the value of a node of the document."""
        kind = type(node)
        if kind in _PLAIN:
            return node
        read = _NODES.get(kind)
        if read is None:
            tag = node.get("tag")
            read = _READERS.get(tag) if isinstance(tag, str) else None
        if read is None:
            return {key: self.value(it) for key, it in node.items()}
        return read(self, node)

    def table(self, node: Any) -> dict[str, Any]:
        """Return the nodes of a dict whose keys are texts."""
        parts = self._parts(node) if isinstance(node, dict) else []
        if len(parts) != len(("keys", "values")):
            raise ValueError("it has no table where one is expected")
        keys, values = map(_list, parts)
        if not all(isinstance(key, str) for key in keys):
            raise ValueError("the keys of a table are not texts")
        return dict(zip(keys, values, strict=True))

    def type_of(self, node: dict[str, Any]) -> str:
        """Return the type of a struct as text."""
        return str(self._type(node["type"]))

    def _parts(self, node: dict[str, Any]) -> list[Any]:
        is_struct = node.get("tag") == "struct"
        is_dict = is_struct and self._type(node["type"]).name in _DICTS
        return _list(node.get("data")) if is_dict else []

    def _position(self, node: dict[str, Any]) -> int:
        position = node.get("ref")
        if not isinstance(position, int) or not 0 < position <= len(self._nodes):
            raise ValueError("a reference leads nowhere")
        return position - 1

    def _referred(self, node: dict[str, Any]) -> Any:
        position = self._position(node)
        if position not in self._values:
            self._values[position] = self._once(position, self.value)
        return self._values[position]

    def _once(self, position: int, read: Callable[[Any], Any]) -> Any:
        """Read what a reference leads to, unless that is being read already."""
        if position in self._open:
            raise contains_itself()
        self._open.add(position)
        found = read(self._nodes[position])
        self._open.discard(position)
        return found

    def _list(self, node: list[Any]) -> list[Any]:
        return [self.value(it) for it in node]

    def _integer(self, node: Int32) -> Any:
        return number("Int32", memoryview(node.to_bytes(4, "little", signed=True)))

    def _raw(self, node: Raw) -> Any:
        return self.value(document(node.data, self._spend, "type"))

    def _struct(self, node: dict[str, Any]) -> Any:
        kind, data = self._type(node["type"]), node.get("data")
        if isinstance(data, memoryview):
            return in_memory(kind, data)
        if kind.name in _DICTS:
            keys, values = map(self._column, _list(data))
            return dictionary(keys, values, kind.name)
        if kind.name in ("Nothing", "Missing", "BSON.Undef"):
            return None
        if kind.name == "Union":
            return self._datatype(node)
        return made(kind, [self.value(it) for it in _list(data)])

    def _column(self, node: Any) -> list[Any]:
        """Return keys or values of a dict; those of one type can lie in memory."""
        if isinstance(node, memoryview):
            return numbers("UInt8", node, 0, 1)
        if isinstance(node, list):
            return _list(self.value(node))
        data = node.get("data")
        if not isinstance(data, memoryview):
            return _list(self.value(node))
        kind, dims = self._type(node["type"]), _list(node["size"])
        layout, count = layout_of(kind), count_of(dims, len(data) or 1 << 40)
        size, rest = divmod(len(data), count or 1)
        is_other = layout is not None and layout.size != size and count
        if rest or is_other or len(dims) != 1:
            raise ValueError("a dict has another size than its data")
        self._spend(count * _OBJECT * (layout.weight if layout else 1))
        if layout is not None:
            return all_in_memory(kind, data, count)
        parts = (data[at * size : (at + 1) * size] for at in range(count))
        return [in_memory(kind, part) for part in parts]

    def _array(self, node: dict[str, Any]) -> Any:
        kind, data = self._type(node["type"]), node.get("data")
        dims = _list(node.get("size"))
        if isinstance(data, memoryview):
            return array(kind, dims, data, self._spend)
        items = [self.value(it) for it in _list(data)]
        if count_of(dims, len(items)) != len(items):
            raise ValueError("an array has another size than its data")
        if kind.name == "String":
            return texts(items, dims, self._spend)
        return shaped(items, dims)

    def _tuple(self, node: dict[str, Any]) -> Any:
        return tuple([self.value(it) for it in _list(node.get("data"))])

    def _symbol(self, node: dict[str, Any]) -> Any:
        return str(self.value(node.get("name")))

    def _datatype(self, node: dict[str, Any]) -> Any:
        return Record("Core.DataType", {"name": self._of(node).full})

    def _opaque(self, _: dict[str, Any]) -> Any:
        raise FormatError("it holds a function, a module or code of Julia")

    def _type(self, node: Any) -> JuliaType:
        if isinstance(node, Raw):
            short = bytes(node.data[:_LONGEST_CACHED])
            if len(short) < _LONGEST_CACHED and b"backref" not in short:
                return _lasting_type(short)
            node = document(node.data, self._spend)
        return self._of(node)

    def _of(self, node: Any) -> JuliaType:
        """Return the type that a node describes."""
        tag = node.get("tag") if isinstance(node, dict) else None
        if tag == "backref":
            at = self._position(node)
            if at not in self._types:
                self._types[at] = self._once(at, self._of)
            return self._types[at]
        if tag == "datatype":
            params = node.get("params")
            if isinstance(params, dict):  # numbers alone, which lie in memory
                params = self._column(params)
            params, path = _list(params), _list(node.get("name"))
            kind = typed(list(map(str, path)), [self._param(it) for it in params])
            self._spend(2 * len(kind.full))
            return kind
        if tag == "unionall":
            return self._of(node.get("body"))
        if tag == "struct":  # a union, or the variable of a type
            parts = _list(node.get("data"))
            whole = self._type(node["type"])
            is_union = whole.name == "Union"
            return typed(["Union"], [self._of(it) for it in parts]) if is_union else ANY
        return _TYPES.get(tag, ANY)

    def _param(self, node: Any) -> Any:
        if isinstance(node, (str, int)):
            return node
        tag = node.get("tag") if isinstance(node, dict) else None
        if tag == "symbol":
            return str(node.get("name"))
        if tag == "tuple":
            return tuple(map(self._param, _list(node.get("data"))))
        return self._of(node)


@lru_cache(maxsize=1024)
def _lasting_type(data: bytes) -> JuliaType:
    """Return the type that a document describes by itself."""
    described = BsonValues(memoryview(data), lambda _: None)
    return described._of(described.root)


def _list(node: Any) -> list[Any]:
    if not isinstance(node, list):
        raise ValueError("it has no list where one is expected")  # noqa: TRY004 - of a file
    return node


# What the types of functions without a name are made of is code.
_TYPES: dict[Any, JuliaType] = {
    "jl_bottom_type": typed(["Union"]),
    "jl_anonymous": typed(["#"]),
}
_NODES: dict[type, Callable[[BsonValues, Any], Any]] = {
    list: BsonValues._list,
    memoryview: lambda _, node: bytes(node),
    Int32: BsonValues._integer,
    Raw: BsonValues._raw,
}
_READERS: dict[str, Callable[[BsonValues, dict[str, Any]], Any]] = {
    "array": BsonValues._array,
    "backref": BsonValues._referred,
    "struct": BsonValues._struct,
    "tuple": BsonValues._tuple,
    "svec": BsonValues._tuple,
    "symbol": BsonValues._symbol,
    "datatype": BsonValues._datatype,
    "unionall": BsonValues._datatype,
    "jl_bottom_type": BsonValues._datatype,
    "jl_anonymous": BsonValues._opaque,
    "ref": BsonValues._opaque,
}
