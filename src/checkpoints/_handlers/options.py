"""The options of a file handler: their names, types and choices."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

__all__ = ["Compression", "FileOptions", "Format", "IfExists", "OnFull"]

Format: TypeAlias = Literal["zip", "parquet"]
Compression: TypeAlias = Literal["zstd", "gzip"]
IfExists: TypeAlias = Literal["replace", "keep", "skip", "error"]
OnFull: TypeAlias = Literal["block", "drop"]


class FileOptions(TypedDict, total=False):
    """The options of `FileHandler`, and of `config` for a path."""

    format: Format
    compression: Compression | None
    if_exists: IfExists
    durable: bool
    background: bool
    max_pending: int | str
    on_full: OnFull
    max_wait: float
