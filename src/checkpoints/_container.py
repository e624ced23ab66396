"""A file of ours, whichever container it is, and the header that both hold."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._archive import Archive
from checkpoints._budget import Budget
from checkpoints._key import Key
from checkpoints._origin import Origin
from checkpoints._parquet import ParquetFile
from checkpoints._source import Source
from checkpoints.errors import CorruptFileError, FormatError
from checkpoints.formats._codec import versions_of
from checkpoints.formats._tags_json import tags_from_json, tags_to_json

__all__ = [
    "FORMAT_VERSION",
    "__version__",
    "header_for",
    "meta_of",
    "open_container",
]

__version__ = "0.1.0"
FORMAT_VERSION = 1

_PYTHON = ".".join(map(str, sys.version_info[:3]))
_ORIGIN_FIELDS = ("run", "sequence", "host", "pid", "thread")


def header_for(
    key: Key, nodes: Mapping[str, Any], packages: set[str]
) -> tuple[dict[str, Any], float]:
    """Return the header of a save, and the time it gives."""
    origin = key.origin or Origin.here()
    moment = datetime.datetime.fromtimestamp(origin.time, datetime.UTC)
    header = {
        "checkpoints": FORMAT_VERSION,
        "name": key.name,
        "tags": tags_to_json(key.tags),
        **{field: getattr(origin, field) for field in _ORIGIN_FIELDS},
        "time": moment.isoformat(timespec="microseconds"),
        "site": {
            "file": origin.file,
            "line": origin.line,
            "function": origin.function,
        },
        **({"dumped": origin.dumped} if origin.dumped else {}),
        "python": _PYTHON,
        "packages": {"checkpoints": __version__, **versions_of(packages)},
        "values": nodes,
    }
    return header, origin.time


def meta_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return a header as Python values: typed tags, and the time as a datetime."""
    return {
        **header,
        "tags": tags_from_json(header["tags"]),
        "time": datetime.datetime.fromisoformat(header["time"]),
    }


def open_container(
    source: Source, budget: Budget | None = None
) -> Archive | ParquetFile:
    """
    Open a file, as the container that it is.

    Args:
        source: The file.
        budget: The memory that reading it may take.

    Raises:
        CorruptFileError: If it is damaged, or not ours.
        FormatError: If a later version of this library wrote it.
        MissingDependencyError: If it is Parquet, and pyarrow is not installed.
        TooLargeError: If its header takes more memory than allowed.
    """
    magic = bytearray(4)
    source.read_into(0, memoryview(magic))
    if magic == b"PK\3\4":
        container: Archive | ParquetFile = Archive(source, budget)
    elif magic == b"PAR1":
        container = ParquetFile(source, budget)
    else:
        what = "it does not begin as one" if source.size else "it is empty"
        raise CorruptFileError.at(source.path, what)
    _check(container.header, source.path)
    return container


def _check(header: object, path: str) -> None:
    version = header.get("checkpoints") if isinstance(header, dict) else None
    if not isinstance(header, dict) or type(version) is not int:
        raise CorruptFileError.at(path, "its header is not that of a checkpoint")
    if version > FORMAT_VERSION:
        message = (
            f"{path} has format version {version}, and this version of checkpoints, "
            f"{__version__}, reads up to {FORMAT_VERSION}: take a later version"
        )
        raise FormatError(message)
    try:
        meta_of(header)
        sane = all(
            isinstance(node, dict) and isinstance(node.get("kind"), str)
            for node in header["values"].values()
        )
    except Exception:  # noqa: BLE001 - made up by somebody, it can raise anything
        sane = False
    if not sane:
        raise CorruptFileError.at(path, "its header does not make sense")
