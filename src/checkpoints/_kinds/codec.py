"""Encode named values as members of a file, and decode them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from checkpoints._kinds import json_bytes
from checkpoints._kinds.families import format_of_kind, formats_for
from checkpoints._kinds.kind import Buffer, Compound, Format, Inexact
from checkpoints._kinds.pickled import PICKLE, from_pickle, to_pickle, type_name
from checkpoints._kinds.plain import from_json, scalar_to_json, tree_to_json
from checkpoints.errors import (
    CheckpointError,
    CorruptFileError,
    FormatError,
    MissingDependencyError,
    TooLargeError,
    UntrustedError,
)

__all__ = [
    "Encoded",
    "decode",
    "encode",
    "versions_of",
]

Node = dict[str, Any]

# The container's own member; no value may take its name.
_RESERVED = "checkpoint.json"
_MAX_PART_LENGTH = 120
_MAX_STEM_LENGTH = 1000
# Text, and JSON of anything but a container, up to so many bytes is put in the header.
_MAX_INLINE_BYTES = 200
_NUMBERS = frozenset({type(None), bool, int, float})
_OTHER_VALUES = "Other values can be loaded by name"
_CONTAINERS = (tuple, list, dict, set, frozenset)


class Encoded(NamedTuple):
    """The members that values were encoded as, and the header's node for each value."""

    members: list[tuple[str, list[Buffer]]]
    nodes: dict[str, Node]
    packages: set[str]
    pickled: dict[str, str]


def encode(values: Mapping[str, Any]) -> Encoded:
    """
    Encode values, each in its own format.

    Args:
        values: The values by name.

    Returns:
        The members, whose buffers may alias the values; the nodes for the header; the
        import names of the libraries that the values belong to; and, for each value
        that was pickled although there is a format for its type, the reason.

    Raises:
        FormatError: If a value cannot be pickled either. The message names it.
    """
    encoder = _Encoder()
    for name, value in values.items():
        try:
            encoder.encoded.nodes[name] = encoder.value(name, value)
        except FormatError as error:
            message = f"value {name!r}: {error}"
            raise FormatError(message) from error.__cause__
    return encoder.encoded


class _Encoder:
    """Turns values into members with unique names."""

    def __init__(self) -> None:
        self.encoded = Encoded([], {}, set(), {})
        self._taken = {_RESERVED}

    def value(self, name: str, value: Any) -> Node:
        """Encode a top-level value; return its node."""
        if type(value) is bytes:
            return self._member((name,), "bytes", "bin", [value])
        if type(value) is str and _is_unicode(value):
            text = value.encode()
            if len(text) <= _MAX_INLINE_BYTES:
                return {"kind": "text", "bytes": len(text), "value": value}
            return self._member((name,), "text", "txt", [text])
        if type(value) in _NUMBERS:
            # Too small for a separate member.
            data = scalar_to_json(value)
            return {"kind": "json", "type": type_name(value), "value": data}
        before = len(self.encoded.members)
        try:
            return self._as_json(name, value)
        except (Inexact, RecursionError) as reason:
            # It contains itself or is nested too deep for JSON; pickle supports both.
            del self.encoded.members[before:]
            return self._pickled((name,), value, str(reason))

    def _as_json(self, name: str, value: Any) -> Node:
        data = self._tree((name,), value)
        if isinstance(data, dict) and "$member" in data:
            node: Node = data["$member"]
            return node
        text = json_bytes.to_bytes(data)
        described: Node = {"kind": "json", "type": type_name(value)}
        if len(text) <= _MAX_INLINE_BYTES and type(value) not in _CONTAINERS:
            return {**described, "value": data}
        return self._member((name,), "json", "json", [text], described)

    def _tree(self, path: tuple[str, ...], value: Any) -> Any:
        def embed(inner: Any, below: tuple[str, ...]) -> Any:
            return self._embedded((*path, *below), inner)

        return tree_to_json(value, embed)

    def _embedded(self, path: tuple[str, ...], value: Any) -> Any:
        """Return the JSON that stands for a value that is not plain Python."""
        before = len(self.encoded.members)
        reason = ""
        for format in formats_for(type(value)):
            try:
                return self._formatted(format, path, value)
            except Inexact as error:
                del self.encoded.members[before:]
                reason = reason or str(error)
        return {"$member": self._pickled(path, value, reason)}

    def _formatted(
        self, format: Format | Compound, path: tuple[str, ...], value: Any
    ) -> Any:
        if isinstance(format, Format):
            chunks, described = format.encode(value)
            node = self._member(path, format.kind, format.suffix, chunks, described)
            data: Any = {"$member": node}
        else:
            parts = {
                name: self._tree((*path, name), part)
                for name, part in format.take_apart(value).items()
            }
            data = {"$compound": format.kind, "parts": parts}
        self.encoded.packages.add(format.package)
        return data

    def _pickled(self, path: tuple[str, ...], value: Any, reason: str = "") -> Node:
        if reason:
            self.encoded.pickled["/".join(path)] = reason
        described = {"type": type_name(value)}
        return self._member(path, PICKLE, "pickle", [to_pickle(value)], described)

    def _member(
        self,
        path: tuple[str, ...],
        kind: str,
        suffix: str,
        chunks: Sequence[Buffer],
        described: Mapping[str, Any] = {},
    ) -> Node:
        name = self._member_name(path, suffix)
        size = sum([memoryview(chunk).nbytes for chunk in chunks])
        self.encoded.members.append((name, list(chunks)))
        return {"kind": kind, **described, "bytes": size, "member": name}

    def _member_name(self, path: tuple[str, ...], suffix: str) -> str:
        *folders, last = map(_member_part, path)
        # A file name always has a dot, so a folder cannot clash with a file.
        parts = [folder.replace(".", "%2E") for folder in folders]
        stem = "/".join([*parts, last])[:_MAX_STEM_LENGTH].rstrip("/")
        name, number = f"{stem}.{suffix}", 1
        # Some file systems do not distinguish names by case.
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}~{number}.{suffix}"
        self._taken.add(name.casefold())
        return name


def _is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _member_part(text: str) -> str:
    """Return a path component that is safe to unpack anywhere."""
    if text.isidentifier() and text.isascii() and len(text) <= _MAX_PART_LENGTH:
        return text
    part = quote(text[:_MAX_PART_LENGTH], safe=" ", errors="surrogatepass")
    return part if part.strip(".") else "%" + part.replace(".", "2E%")


def decode(
    nodes: Mapping[str, Node],
    read: Callable[[Node], memoryview],
    spend: Callable[[int], None],
    *,
    trusted: bool,
    path: str,
) -> dict[str, Any]:
    """
    Decode values.

    Args:
        nodes: The header's nodes of the requested values.
        read: Returns the bytes of a node's member.
        spend: Called with the number of bytes of memory that a value is about to take
            in addition to its member.
        trusted: Whether pickles may be loaded.
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
    return {
        name: _Decoder(name, read, spend, trusted=trusted, path=path).value(node)
        for name, node in nodes.items()
    }


class _Decoder:
    """Decodes one value."""

    def __init__(
        self,
        name: str,
        read: Callable[[Node], memoryview],
        spend: Callable[[int], None],
        *,
        trusted: bool,
        path: str,
    ) -> None:
        self._name = name
        self._read = read
        self._spend = spend
        self._trusted = trusted
        self._path = path

    def value(self, node: Node) -> Any:
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
                node["value"] if inline else self._json(node), self._embedded
            )
        if kind == "text":
            return self._text(node)
        if kind == "bytes":
            return bytes(self._read(node))
        format = format_of_kind(kind)
        if not isinstance(format, Format):
            raise self._unknown(kind)
        return self._with_package(lambda: self._decoded(format, node))

    def _json(self, node: Node) -> Any:
        data = self._read(node)
        self._spend(json_bytes.weight(data))
        return json_bytes.from_bytes(data)

    def _text(self, node: Node) -> str:
        text = node["value"] if "value" in node else bytes(self._read(node)).decode()
        if not isinstance(text, str):
            raise TypeError(f"the header's text is {text!r:.80}, not a string")
        return text

    def _decoded(self, format: Format, node: Node) -> Any:
        data = self._read(node)
        if format.weight is not None:
            self._spend(format.weight(data, node))
        return format.decode(data, node)

    def _embedded(self, mark: str, data: dict[str, Any]) -> Any:
        """Return the value that a JSON object stands for."""
        if mark == "$member":
            if data[mark]["kind"] == "json":
                # Never written, and such members could refer to each other for ever.
                raise ValueError("a nested value is stored as separate JSON")
            return self._node(data[mark])
        if mark != "$compound":
            raise self._unknown(mark)
        format = format_of_kind(data[mark])
        if not isinstance(format, Compound):
            raise self._unknown(data[mark])
        parts = {
            name: from_json(part, self._embedded)
            for name, part in data["parts"].items()
        }
        return self._with_package(lambda: format.put_together(parts))

    def _with_package(self, restore: Callable[[], Any]) -> Any:
        try:
            return restore()
        except ModuleNotFoundError as error:
            message = f"{error.name} is not installed: pip install {error.name}"
            raise MissingDependencyError(message) from error

    def _unpickled(self, node: Node) -> Any:
        kind = node.get("type", "object")
        if not self._trusted:
            message = (
                f"{self._path}: value {self._name!r} contains a pickle of {kind!r}, "
                "and loading a pickle can run any code. If you trust its source, use "
                f"load(..., trusted=True). {_OTHER_VALUES}"
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


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those libraries that are loaded."""
    found = {}
    for package in sorted(packages):
        version = getattr(sys.modules.get(package), "__version__", None)
        if isinstance(version, str):
            found[package] = version
    return found
