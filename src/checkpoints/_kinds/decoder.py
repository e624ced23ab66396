"""Members of a file as named values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from checkpoints._kinds import json_bytes
from checkpoints._kinds.families import format_of_kind
from checkpoints._kinds.kind import Compound, Format
from checkpoints._kinds.pickled import PICKLE, Pickled, from_pickle
from checkpoints._kinds.plain import from_json
from checkpoints._kinds.records import RECORD_MARKS, maker_of
from checkpoints._process.budget import ask
from checkpoints._process.libraries import imported
from checkpoints.errors import (
    CheckpointError,
    CorruptFileError,
    FormatError,
    MissingDependencyError,
    TooLargeError,
    UntrustedError,
)

__all__ = ["decode"]

Node = dict[str, Any]

_OTHER_VALUES = "Other values can be loaded by name"
# What a record takes in memory while it is made, and each of its fields: roughly.
_RECORD, _FIELD = 400, 80
# The methods by the marks that they read, as names: a table of bound methods would keep
# a decoder, and with it the file and its values, alive until a garbage collection.
_LISTS = {"$let": "_let", "$leaves": "_range_of_leaves", "$records": "_records"}
_NUMBERS = ("$ref", "$leaf")


def decode(
    nodes: Mapping[str, Node],
    read: Callable[[Node], memoryview],
    *,
    trusted: bool,
    placeholders: bool = False,
    path: str,
) -> dict[str, Any]:
    """
    Decode values.

    Args:
        nodes: The header's nodes of the requested values.
        read: Returns the bytes of a node's member.
        trusted: Whether pickles may be loaded.
        placeholders: Whether to return a `Pickled` for each pickle that may not.
        path: The file, for messages.

    Returns:
        The values by name.

    Raises:
        UntrustedError: If a value is or contains a pickle, and `trusted` is False.
        CorruptFileError: If the bytes of a value are invalid.
        FormatError: If the kind of a value is unknown, or a pickle cannot be loaded.
        MissingDependencyError: If the library of a value is not installed.
        TooLargeError: If there is not enough memory.
    """
    options = {"trusted": trusted, "placeholders": placeholders}
    return {
        name: _Decoder(name, read, **options, path=path).value(node)
        for name, node in nodes.items()
    }


class _Decoder:
    """Decodes one value."""

    def __init__(
        self,
        name: str,
        read: Callable[[Node], memoryview],
        *,
        trusted: bool,
        placeholders: bool,
        path: str,
    ) -> None:
        self._name = name
        self._read = read
        self._trusted = trusted
        self._placeholders = placeholders and not trusted
        # How many placeholders there are so far.
        self._locked = 0
        self._path = path
        self._refs: list[list[Any]] = []
        self._members: dict[str, tuple[Node, Any]] = {}
        self._leaves: list[Any] | None = None
        self._leaves_node: Node | None = None

    def value(self, node: Node) -> Any:
        self._leaves_node = node.get("leaves")
        try:
            return self._node(node)
        except (CorruptFileError, FormatError, TooLargeError) as error:
            if self._path in str(error):
                raise
            what = f"value {self._name!r}: {error}"
            if isinstance(error, TooLargeError):
                raise TooLargeError(f"{self._path}: {what}") from error
            if isinstance(error, FormatError):
                raise FormatError(f"{self._path}: {what}") from error
            raise CorruptFileError.at(self._path, what) from error
        except MissingDependencyError as error:
            raise MissingDependencyError(
                f"{self._path}: value {self._name!r}: {error}. {_OTHER_VALUES}"
            ) from error
        except CheckpointError:
            raise
        except MemoryError as error:
            what = f"value {self._name!r}"
            raise TooLargeError.beyond(self._path, what) from error
        except Exception as error:
            if getattr(error, "errno", None) is not None:
                raise  # an error of the system, not of the file
            what = (
                f"value {self._name!r}, of kind {node.get('kind')!r}, cannot be "
                f"decoded ({type(error).__name__}: {error})"
            )
            raise CorruptFileError.at(self._path, what) from error

    def _node(self, node: Node) -> Any:
        kind = node["kind"]
        if kind == PICKLE:
            return self._unpickled(node)
        if kind == "json":
            inline = "value" in node
            return from_json(
                node["value"] if inline else json_bytes.from_bytes(self._read(node)),
                self._embedded,
            )
        if kind == "text":
            return self._text(node)
        if kind == "bytes":
            data = self._read(node)
            ask(len(data))
            return bytearray(data) if node.get("type") == "bytearray" else bytes(data)
        format = format_of_kind(kind)
        if not isinstance(format, Format):
            raise self._unknown(kind)
        return self._with_package(lambda: self._decoded(format, node))

    def _text(self, node: Node) -> str:
        is_inline = "value" in node
        text = node["value"] if is_inline else json_bytes.text_of(self._read(node))
        if not isinstance(text, str):
            raise TypeError(f"the header's text is {text!r:.80}, not a string")
        return text

    def _decoded(self, format: Format, node: Node) -> Any:
        data = self._read(node)
        if format.weight is not None:
            ask(format.weight(data, node))
        return format.decode(data, node)

    def _embedded(self, mark: str, data: dict[str, Any]) -> Any:
        """Return the value that a JSON object stands for."""
        if mark == "$compound":
            return self._compound(data)
        if mark in RECORD_MARKS:
            module, name, fields = data[mark]
            found = {key: from_json(it, self._embedded) for key, it in fields.items()}
            return maker_of(mark, module, name, tuple(found))(found)
        given = data[mark]
        if mark == "$member":
            return self._nested(given)
        if mark in _LISTS:
            return getattr(self, _LISTS[mark])(*given)
        if mark not in _NUMBERS:
            raise self._unknown(mark)
        number = _position(given)
        return self._refs[-1][number] if mark == "$ref" else self._leaf(number)

    def _records(
        self, mark: str, module: str, name: str, fields: list[str], columns: list[Any]
    ) -> list[Any]:
        make = maker_of(mark, module, name, tuple(fields))
        found = [from_json(column, self._embedded) for column in columns]
        if len(found) != len(fields) or set(map(type, found)) - {list}:
            raise ValueError("records have other columns than fields")
        ask(len(found[0]) * (_RECORD + _FIELD * len(fields)) if found else 0)
        rows = zip(*found, strict=True)
        return [make(dict(zip(fields, row, strict=True))) for row in rows]

    def _nested(self, node: Node) -> Any:
        if node["kind"] == "json":
            # Never written, and such members could refer to each other for ever.
            raise ValueError("a nested value is stored as separate JSON")
        known = self._members.get(node["member"])
        if known is None or known[0] != node:
            known = self._members[node["member"]] = node, self._node(node)
        return known[1]

    def _let(self, table: list[Any], data: Any) -> Any:
        """Return a value in which some objects occur more than once."""
        refs: list[Any] = []
        self._refs.append(refs)
        for item in table:
            refs.append(from_json(item, self._embedded))  # noqa: PERF401 - it may refer to those before
        found = from_json(data, self._embedded)
        self._refs.pop()
        return found

    def _leaf(self, number: int) -> Any:
        if self._leaves is not None:
            return self._leaves[number]
        if self._leaves_node is None:
            raise ValueError("the pickle of an object is missing")
        is_single = self._leaves_node["count"] == 1
        if self._placeholders and not is_single:
            self._locked += 1
            return Pickled(str(self._leaves_node["type"]), "", "")
        found = self._unpickled(self._leaves_node)
        leaves: list[Any] = [found] if is_single else found
        self._leaves = leaves
        return leaves[number]

    def _range_of_leaves(self, start: int, count: int) -> list[Any]:
        if _position(count) and self._leaves is None and self._leaves_node is not None:
            # A forged range must not be longer than what is there.
            _position(self._leaves_node["count"] - start - count)
        return [self._leaf(_position(start) + number) for number in range(count)]

    def _compound(self, data: dict[str, Any]) -> Any:
        format = format_of_kind(data["$compound"])
        if not isinstance(format, Compound):
            raise self._unknown(data["$compound"])
        before = self._locked
        parts = {
            name: from_json(part, self._embedded)
            for name, part in data["parts"].items()
        }
        try:
            return self._with_package(lambda: format.put_together(parts))
        except (TypeError, ValueError, AttributeError) as error:
            if self._locked == before:
                raise
            why = f"a part of it is a pickle ({error!s:.80})"
            return Pickled(format.kind, why, "")

    def _with_package(self, restore: Callable[[], Any]) -> Any:
        try:
            return restore()
        except ModuleNotFoundError as error:
            message = f"{error.name} is not installed: pip install {error.name}"
            raise MissingDependencyError(message) from error

    def _unpickled(self, node: Node) -> Any:
        kind = node.get("type", "object")
        if self._placeholders:
            self._locked += 1
            digest = imported("hashlib").blake2b(self._read(node), digest_size=16)
            why = str(node.get("why", ""))
            return Pickled(str(kind), why, f"blake2b:{digest.hexdigest()}")
        if not self._trusted:
            message = (
                f"{self._path}: value {self._name!r} contains a pickle of {kind!r}, "
                "and loading a pickle can run any code. If you trust its source, use "
                f"load(..., trusted=True), or placeholders=True for the rest of the "
                f"value. {_OTHER_VALUES}"
            )
            raise UntrustedError(message)
        try:
            return from_pickle(self._read(node))
        except CheckpointError:
            raise
        except Exception as error:
            message = (
                f"{self._path}: value {self._name!r}, a pickle of {kind!r}, cannot be "
                f"loaded here ({type(error).__name__}: {error}). The file's header, "
                ".meta, lists the versions that it was written with"
            )
            raise FormatError(message) from error

    def _unknown(self, kind: object) -> FormatError:
        message = (
            f"{self._path}: value {self._name!r} is of the unknown kind {kind!r}. Call "
            "register_format for it, or import the package that does"
        )
        return FormatError(message)


def _position(number: object) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r:.80} is not a position")
    return number
