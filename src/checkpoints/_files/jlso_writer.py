"""Values as a file of JLSO, version 4, with objects in BSON."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from checkpoints._files.bson_writer import BsonWriter
from checkpoints._files.checksum import crc32_of
from checkpoints._files.jlso_header import project_of
from checkpoints._files.julia_converter import JuliaValues
from checkpoints._files.julia_encoder import JuliaArray, JuliaEncoder
from checkpoints._files.julia_types import named
from checkpoints._kinds.kind import Buffer
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.summary import holds_unhashed
from checkpoints.errors import FormatError
from checkpoints.storage._store import Piece

__all__ = ["JlsoObjects", "encode_objects", "lay_out_jlso"]

# That of the Julia whose package wrote such files first, as a version that it parses.
_JULIA = "1.0.0+python"
_GZIP = zlib.MAX_WBITS + 16


class JlsoObjects(NamedTuple):
    """
    Values as the objects of a file.

    Args:
        stored: The bytes of each, by name.
        nodes: What the header says of each.
        packages: The import names of the libraries that the values belong to.
        changed: What will be different about values that are loaded, by name.
        compression: `"none"` or `"gzip"`.
    """

    stored: dict[str, list[Buffer]]
    nodes: dict[str, dict[str, Any]]
    packages: set[str]
    changed: dict[str, str]
    compression: str


def encode_objects(values: Mapping[str, Any], compression: str) -> JlsoObjects:
    """
    Encode values, each as an object of its own.

    Args:
        values: The values by name.
        compression: `"none"` or `"gzip"`.

    Raises:
        FormatError: If Julia has no word for one of them. The message names it.
    """
    found = JlsoObjects({}, {}, set(), {}, compression)
    for name, value in values.items():
        try:
            _encode(found, name, value)
        except FormatError as error:
            message = f"value {name!r} cannot be saved for Julia: {error}"
            raise FormatError(message) from error
    return found


def _encode(found: JlsoObjects, name: str, value: Any) -> None:
    _check_text(name)
    convert = JuliaValues()
    writer = BsonWriter()
    # JLSO takes the first value of a dict, whatever its key is.
    opened = writer.open()
    JuliaEncoder(writer, convert).value("object", value)
    writer.close(opened)
    pieces = writer.pieces
    size = sum(map(len, pieces))
    node = {"kind": "julia.bson", **_described(value), "bytes": size}
    if found.compression == "gzip":
        compressor = zlib.compressobj(wbits=_GZIP)
        packed = [compressor.compress(piece) for piece in pieces]
        pieces[:] = [b"".join([*packed, compressor.flush()])]
    else:
        node["crc32"] = crc32_of(pieces)
    found.stored[name], found.nodes[name] = pieces, node
    found.packages.add(type(value).__module__.partition(".")[0])
    if holds_unhashed(value):
        node["unproven"] = True
    if convert.changed:
        node["changed"] = "; ".join(sorted(convert.changed))
        found.changed[name] = node["changed"]


def _check_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise FormatError("its name is not Unicode text: choose another one") from error
    if "\0" in name:
        raise FormatError("its name contains NUL: choose another one")


def _document(root: Mapping[str, Any]) -> list[Buffer]:
    writer = BsonWriter()
    JuliaEncoder(writer, lambda value: value).document(root)
    return writer.pieces


def _described(value: Any) -> dict[str, Any]:
    """Return what a table of values says of one."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if isinstance(shape, tuple) and type(value).__module__.startswith("numpy"):
        return {"dtype": str(getattr(dtype, "str", dtype)), "shape": list(shape)}
    return {"type": type_name(value)}


def lay_out_jlso(objects: JlsoObjects, header: bytes) -> tuple[int, Iterator[Piece]]:
    """
    Return the size and the pieces of a file.

    Args:
        objects: The objects.
        header: This library's header, in JSON.
    """
    manifest = zlib.compress(b"", wbits=_GZIP) if objects.compression == "gzip" else b""
    metadata = {
        "version": "4.0.0",
        "julia": _JULIA,
        "format": "bson",
        "compression": objects.compression,
        "image": f"python:{'.'.join(map(str, sys.version_info[:3]))}",
        "project": project_of(header),
        "manifest": manifest,
    }
    sizes = [sum(map(len, pieces)) for pieces in objects.stored.values()]

    def document(starts: Sequence[int]) -> list[Buffer]:
        root = {
            "metadata": metadata,
            "object-names": list(objects.stored),
            "object-nbytes": _integers(sizes),
            "object-pos": _integers(starts),
        }
        return _document(root)

    # Its length does not depend on what the positions are.
    start = sum(map(len, document([0] * len(sizes))))
    starts = list(accumulate(sizes, initial=start))
    pieces = [it for stored in objects.stored.values() for it in stored]
    return starts[-1], _placed([*document(starts[:-1]), *pieces])


def _integers(numbers: Sequence[int]) -> JuliaArray:
    data = b"".join(it.to_bytes(8, "little") for it in numbers)
    return JuliaArray(named("Int64"), (len(numbers),), data)


def _placed(pieces: Sequence[Buffer]) -> Iterator[Piece]:
    offset = 0
    for piece in pieces:
        yield offset, piece
        offset += len(piece)
