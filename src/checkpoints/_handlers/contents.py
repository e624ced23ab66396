"""What a file will contain: the values of one key, encoded and laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from checkpoints._files.archive import lay_out
from checkpoints._files.container import header_for
from checkpoints._handlers.job import leniently
from checkpoints._handlers.options import Compression, Format
from checkpoints._handlers.table_contents import table_contents
from checkpoints._keys.key import Key
from checkpoints._kinds.encoder import Encoded, encode
from checkpoints.errors import FormatError
from checkpoints.storage._store import Piece

__all__ = ["contents_of"]


def contents_of(
    key: Key,
    values: Mapping[str, Any],
    format: Format,
    compression: Compression | None,
    tell: Callable[[Key, Encoded], object],
) -> tuple[int, Iterator[Piece]]:
    """
    Return the size of a file and its pieces.

    Args:
        key: The key.
        values: The values by name.
        format: The format of the file.
        compression: Its compression.
        tell: Called with the key and the encoded values, before they are laid out.

    Raises:
        FormatError: If a value cannot be written.
    """
    try:
        if format == "parquet":
            return table_contents(key, values, compression)
        encoded = leniently(key, encode)(values)
    except FormatError as error:
        message = f"checkpoint {key}, {error}"
        raise FormatError(message) from error.__cause__
    tell(key, encoded)
    header, seconds = header_for(key, encoded.nodes, encoded.packages)
    return lay_out(encoded.members, header, seconds=seconds, compression=compression)
