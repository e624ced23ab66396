"""The contents of a file: values in one of the formats, under the header of a save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from checkpoints._files.archive import lay_out
from checkpoints._files.container import Facts, header_for
from checkpoints._files.parquet import to_parquet
from checkpoints._handlers.job import leniently
from checkpoints._handlers.options import Compression, Format
from checkpoints._keys.key import Key
from checkpoints._kinds.encoder import encode, notices_of
from checkpoints._kinds.tables import to_table
from checkpoints._process.libraries import imported
from checkpoints.errors import FormatError
from checkpoints.storage._store import Piece

__all__ = ["Contents", "contents_of"]


class Contents(NamedTuple):
    """
    What becomes of values in a file.

    Args:
        size: The size of the file in bytes.
        pieces: Offsets and bytes, which together make up the file.
        notices: A name, what is to be told about its value, and whether it is news.
    """

    size: int
    pieces: Iterator[Piece]
    notices: Iterable[tuple[str, str, bool]] = ()


def contents_of(
    key: Key,
    values: Mapping[str, Any],
    format: Format,
    compression: Compression | None,
    facts: Facts = None,
) -> Contents:
    """
    Return values as the contents of a file.

    Args:
        key: Their key, with the origin of the save.
        values: The values by name.
        format: The format of the file.
        compression: How it is compressed; None means as the format mostly is.
        facts: Of a copy, what `header_for` takes as what is known of the save.

    Raises:
        FormatError: If a value cannot be written in this format.
        MissingDependencyError: If the library for it is not installed.
    """
    try:
        return _WAYS[format](key, values, compression, facts)
    except FormatError as error:
        message = f"checkpoint {key}, {error}"
        raise FormatError(message) from error.__cause__


def _zip(
    key: Key, values: Mapping[str, Any], compression: str | None, facts: Facts
) -> Contents:
    encoded = leniently(key, encode)(values)
    header, seconds = header_for(key, encoded.nodes, encoded.packages, facts)
    packing = None if compression == "none" else compression
    size, pieces = lay_out(
        encoded.members, header, seconds=seconds, compression=packing
    )
    return Contents(size, pieces, notices_of(encoded))


def _parquet(
    key: Key, values: Mapping[str, Any], compression: str | None, facts: Facts
) -> Contents:
    if len(values) != 1:
        message = (
            f"{len(values)} values cannot be saved as Parquet, which holds one "
            "table: save one at a time, or use format='zip'"
        )
        raise FormatError(message)
    ((name, value),) = values.items()
    table, node, package = to_table(name, value)
    header, _ = header_for(key, {name: node}, {package, "pyarrow"}, facts)
    data = to_parquet(table, header, None if compression == "none" else compression)
    return Contents(len(data), iter([(0, data)]))


def _jlso(
    key: Key, values: Mapping[str, Any], compression: str | None, facts: Facts
) -> Contents:
    # Only here, as few programs write for Julia.
    writer = imported("checkpoints._files.jlso_writer")
    objects = writer.encode_objects(values, compression or "gzip")
    header, _ = header_for(key, objects.nodes, objects.packages, facts)
    notices = [
        (f"{name} changed", f"value {name!r}: {what}", True)
        for name, what in objects.changed.items()
    ]
    size, pieces = writer.lay_out_jlso(objects, header)
    return Contents(size, pieces, notices)


_WAYS: dict[str, Callable[[Key, Mapping[str, Any], str | None, Facts], Contents]] = {
    "zip": _zip,
    "parquet": _parquet,
    "jlso": _jlso,
}
