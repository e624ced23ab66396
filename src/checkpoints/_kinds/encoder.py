"""Named values as members of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import quote

from checkpoints._kinds import json_bytes
from checkpoints._kinds.families import formats_for
from checkpoints._kinds.kind import Buffer, Compound, Format, Inexact
from checkpoints._kinds.pickled import PICKLE, class_name, to_pickle, type_name
from checkpoints._kinds.plain import scalar_to_json
from checkpoints._kinds.summary import NO_HASH, holds_unhashed
from checkpoints._kinds.tree import CONTAINERS, tree_to_json
from checkpoints.errors import FormatError

__all__ = ["Encoded", "encode", "notices_of"]

Node = dict[str, Any]
Path = tuple[str, ...]

# The container's own member; no value may take its name.
_RESERVED = "checkpoint.json"
_MAX_PART_LENGTH = 120
_MAX_STEM_LENGTH = 1000
# Text, and JSON of anything but a container, up to so many bytes is put in the header.
_MAX_INLINE_BYTES = 200
_NUMBERS = frozenset({type(None), bool, int, float})
_NO_HASH = NO_HASH.encode()
# How many types of pickled objects a header names.
_MAX_TYPES = 5


class Encoded(NamedTuple):
    """
    The members that values were encoded as, and the header's node for each value.

    `pickled` has the reasons for pickles and `changed` what will be different about
    values when they are loaded, both by the path of the value.
    """

    members: list[tuple[str, list[Buffer]]]
    nodes: dict[str, Node]
    packages: set[str]
    pickled: dict[str, str]
    changed: dict[str, str]


def encode(values: Mapping[str, Any]) -> Encoded:
    """
    Encode values, each in its own format.

    Args:
        values: The values by name.

    Returns:
        The members, whose buffers may alias the values; the nodes for the header; the
        import names of the libraries that the values belong to; the values that were
        pickled, and those that will be different when they are loaded.

    Raises:
        FormatError: If a value cannot be pickled either. The message names it.
    """
    encoder = _Encoder()
    for name, value in values.items():
        try:
            encoder.add(name, value)
        except FormatError as error:
            message = f"value {name!r}: {error}"
            raise FormatError(message) from error.__cause__
    return encoder.encoded


class _Leaf(NamedTuple):
    """An object inside a value that no kind holds, and why the known ones do not."""

    path: Path
    value: Any
    reason: str


class _Encoder:
    """Turns values into members with unique names."""

    def __init__(self) -> None:
        self.encoded = Encoded([], {}, set(), {}, {})
        self._taken = {_RESERVED}
        self._begin()

    def _begin(self) -> None:
        """Forget the objects of the previous value."""
        self._leaves: list[_Leaf] = []
        # By what an object is: itself, kept alive, and the JSON that stands for it.
        self._known: dict[Any, tuple[Any, Any]] = {}

    def add(self, name: str, value: Any) -> None:
        """Encode a top-level value."""
        known = len(self.encoded.changed)
        node = self._value(name, value)
        if len(self.encoded.changed) > known:
            # Equal bytes do not mean that what was lost was equal, too.
            node = {**node, "changed": [*self.encoded.changed.values()][known]}
        self.encoded.nodes[name] = node

    def _value(self, name: str, value: Any) -> Node:
        """Return the node of a top-level value."""
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
        self._begin()
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
        described: Node = {"kind": "json", "type": type_name(value)}
        if len(self._leaves) == 1 and self._leaves[0].path == (name,):
            return self._pickled((name,), value, self._leaves[0].reason)
        if self._leaves:
            described["leaves"] = self._leaves_node(name)
        text = json_bytes.to_bytes(data)
        # Looked for in the text first, as that is much faster.
        if _NO_HASH in text and holds_unhashed(value):
            described["unproven"] = True
        if len(text) <= _MAX_INLINE_BYTES and type(value) not in CONTAINERS:
            return {**described, "value": data}
        return self._member((name,), "json", "json", [text], described)

    def _tree(self, path: Path, value: Any) -> Any:
        def embed(inner: Any, below: Path) -> Any:
            return self._embedded((*path, *below), inner)

        def embed_all(items: list[Any], below: Path) -> Any:
            start = len(self._leaves)
            # One path for all of them: a list may have millions.
            place = (*path, *below, "*")
            self._leaves += [_Leaf(place, it, "") for it in items]
            return {"$leaves": [start, len(items)]}

        return tree_to_json(value, embed, _has_kind, embed_all)

    def _embedded(self, path: Path, value: Any) -> Any:
        """Return the JSON that stands for a value that is not plain Python."""
        identity = _identity(value)
        if identity not in self._known:
            self._known[identity] = value, self._newly_embedded(path, value)
        return self._known[identity][1]

    def _newly_embedded(self, path: Path, value: Any) -> Any:
        if type(value) in (bytes, bytearray):
            described = {"type": type_name(value)}
            return {"$member": self._member(path, "bytes", "bin", [value], described)}
        before = len(self.encoded.members), len(self._leaves)
        reason = ""
        for format in formats_for(type(value)):
            try:
                return self._formatted(format, path, value)
            except (MemoryError, RecursionError, FormatError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, a pickle may hold it
                del self.encoded.members[before[0] :], self._leaves[before[1] :]
                reason = reason or _reason(error)
        self._leaves.append(_Leaf(path, value, reason))
        return {"$leaf": len(self._leaves) - 1}

    def _formatted(self, format: Format | Compound, path: Path, value: Any) -> Any:
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
        change = format.change(value) if format.change is not None else ""
        if change:
            self.encoded.changed["/".join(path)] = f"{type_name(value)}: {change}"
        return data

    def _leaves_node(self, name: str) -> Node:
        """Pickle all leaves together, so that what they share stays shared."""
        leaves = [leaf.value for leaf in self._leaves]
        if len(leaves) == 1:
            leaf = self._leaves[0]
            return {**self._pickled(*leaf), "count": 1}
        try:
            pickled = to_pickle(leaves)
        except FormatError:
            self._raise_for_leaf()
            raise
        for path, alike in groupby(self._leaves, key=itemgetter(0)):
            _, value, reason = next(alike)
            self._tell(path, value, reason or pickled.change)
        self.encoded.packages.update(pickled.packages)
        types = [class_name(kind) for kind in dict.fromkeys(map(type, leaves))]
        described = {"type": ", ".join(types[:_MAX_TYPES]), "count": len(leaves)}
        return self._member((name,), PICKLE, "pickle", [pickled.data], described)

    def _raise_for_leaf(self) -> None:
        """Raise the error of the first leaf that cannot be pickled by itself."""
        for path, value, _ in self._leaves:
            try:
                to_pickle(value)
            except FormatError as error:
                message = f"at {'/'.join(path[1:])!r}, {error}"
                raise FormatError(message) from error.__cause__

    def _pickled(self, path: Path, value: Any, reason: str = "") -> Node:
        pickled = to_pickle(value)
        reason = reason or pickled.change
        self._tell(path, value, reason)
        self.encoded.packages.update(pickled.packages)
        described = {"type": type_name(value)}
        if reason:
            described["why"] = reason
        return self._member(path, PICKLE, "pickle", [pickled.data], described)

    def _tell(self, path: Path, value: Any, reason: str) -> None:
        told = f"{type_name(value)}: {reason}" if reason else type_name(value)
        self.encoded.pickled["/".join(path)] = told

    def _member(
        self,
        path: Path,
        kind: str,
        suffix: str,
        chunks: Sequence[Buffer],
        described: Mapping[str, Any] = {},
    ) -> Node:
        name = self._member_name(path, suffix)
        size = sum([memoryview(chunk).nbytes for chunk in chunks])
        self.encoded.members.append((name, list(chunks)))
        return {"kind": kind, **described, "bytes": size, "member": name}

    def _member_name(self, path: Path, suffix: str) -> str:
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


def _has_kind(cls: type) -> bool:
    return bool(formats_for(cls))


def _identity(value: Any) -> Any:
    """Return what two references to one object, or two views of one array, share."""
    if type(value).__name__ in ("Tensor", "Parameter"):
        return _identity_of_tensor(value)
    if type(value).__name__ not in ("ndarray", "memmap"):
        return id(value)
    # Not by `__array_interface__`, in which NumPy crashes when it is out of memory.
    address = value.ctypes.data
    return address, value.shape, value.strides, str(value.dtype)


def _identity_of_tensor(value: Any) -> Any:
    # The state of a model has a new tensor for each use of the same weights.
    if (
        not hasattr(value, "data_ptr")
        or vars(value)
        or str(value.layout) != "torch.strided"
    ):
        return id(value)
    address = value.data_ptr()
    view = type(value), value.shape, value.stride(), value.dtype, value.device
    flags = value.requires_grad, value.is_conj(), value.is_neg()
    return (address, *view, *flags) if address else id(value)


def _reason(error: Exception) -> str:
    if isinstance(error, Inexact):
        return str(error)
    return f"{type(error).__name__}: {error!s:.200}"


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


def notices_of(encoded: Encoded) -> Iterator[tuple[str, str, bool]]:
    """
    Yield a name, what is to be told about its value, and whether it is news.

    That an object of an unknown class is a pickle is no news.

    >>> [(name, text)] = [found[:2] for found in notices_of(encode({"a": [complex]}))]
    >>> text
    "value 'a/0' (type) is saved as a pickle; load with trusted=True"
    """
    for name, listed in _by_name(encoded.pickled).items():
        node = encoded.nodes.get(name, {})
        form = "saved as a pickle" if len(listed) == 1 else "saved as pickles"
        text = f"{_values(listed)} {form}; load with trusted=True"
        yield name, text, node.get("kind") != PICKLE or "why" in node
    for name, listed in _by_name(encoded.changed).items():
        yield f"{name} changed", f"{_values(listed)} not saved exactly", True


def _by_name(by_path: Mapping[str, str]) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    for path, what in by_path.items():
        by_name.setdefault(path.partition("/")[0], []).append(f"{path!r} ({what})")
    return by_name


def _values(listed: list[str]) -> str:
    first, *others = listed
    return (
        f"value {first} and {len(others)} more are" if others else f"value {first} is"
    )
