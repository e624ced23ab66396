"""A checkpoint file, whichever container it is, and the header in it."""

from __future__ import annotations

import datetime
import numbers
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from checkpoints._files.zip_container import ZipContainer
from checkpoints._keys.key import SUFFIXES, Key
from checkpoints._keys.tag_value import tag_text
from checkpoints._kinds import json_bytes
from checkpoints._kinds.plain import NOT_PLAIN, from_json, scalar_to_json
from checkpoints._process.budget import Budget, within
from checkpoints._process.installation import __version__
from checkpoints._process.libraries import imported, versions_of
from checkpoints._process.origin import Origin
from checkpoints.errors import CorruptFileError, FormatError, MissingDependencyError
from checkpoints.storage._store import Buffer, Source

__all__ = [
    "FORMAT_VERSION",
    "Container",
    "Facts",
    "header_for",
    "open_container",
    "tags_from_json",
    "tags_to_json",
]

FORMAT_VERSION = 1

_PYTHON = ".".join(map(str, sys.version_info[:3]))


class Container(Protocol):
    """
    A checkpoint file that is open for reading.

    Args:
        header: The header as Python values, set by `open_container`.
    """

    header: dict[str, Any]

    def header_bytes(self) -> Buffer:
        """
        Return the header as it is stored, in JSON.

        Raises:
            CorruptFileError: If it is damaged or missing.
            TooLargeError: If it takes more memory than allowed.
        """
        ...

    def values(
        self, names: Sequence[str], *, trusted: bool, placeholders: bool, mmap: bool
    ) -> dict[str, Any]:
        """
        Return values by name.

        Args:
            names: Names that are in the header.
            trusted: Whether to load pickles.
            placeholders: Whether to return a `Pickled` for each pickle, if not.
            mmap: Whether to memory-map arrays that are stored uncompressed.

        Raises:
            CheckpointError, OSError: As for `checkpoints.load`.
        """
        ...

    def checksums(self) -> dict[str, tuple[int, int]]:
        """Return size and CRC-32 of each part of the file that holds values."""
        ...

    def check(self, seen: Callable[[Buffer], object] | None = None) -> None:
        """
        Check every byte, in little memory, and that nothing in the header is missing.

        Args:
            seen: Called with the bytes that hold values, part after part. They are
                those of the checksums only if no error follows.

        Raises:
            CorruptFileError: If something has changed or is missing.
        """
        ...


def _parquet_file(source: Source, budget: Budget) -> Container:
    # Only here, as it needs all that is known about tables.
    container: Container = imported("checkpoints._files.parquet").ParquetFile(
        source, budget
    )
    return container


def _jlso_file(source: Source, budget: Budget) -> Container:
    # Likewise, as it needs what is known about the types of Julia.
    container: Container = imported("checkpoints._files.jlso").JlsoFile(source, budget)
    return container


# By a pattern for the first bytes of the file, as some formats begin with a length. A
# new container is one line here.
_Opener: TypeAlias = Callable[[Source, Budget], Container]
_OPENERS: dict[bytes, _Opener] = {
    rb"PK\x03\x04": ZipContainer,
    rb"PAR1": _parquet_file,
    # A length, and one of the elements of a document that stands for a dict of Julia.
    rb"...[\0-\x7f](\x02tag|\x03type|\x04data|\x04_backrefs)\0": _jlso_file,
}
_FIRST_BYTES = 16
# The end of a ZIP file without a comment, as those of this library are.
_ZIP_END, _ZIP_END_SIZE = b"PK\x05\x06", 22
# Values are written at most 100 levels deep, each of them as up to five levels of JSON.
# Whoever walks through a header needs a bound well below the recursion limit.
_MOST_LEVELS = 600


# Fields of a header, in JSON; None for those of this save and this process.
Facts: TypeAlias = Mapping[str, Any] | None


def header_for(
    key: Key, nodes: Mapping[str, Any], packages: set[str], facts: Facts = None
) -> tuple[bytes, float]:
    """
    Return the header of a save as it is stored, and the time in it.

    Args:
        key: The key, with the origin of the save.
        nodes: What it says of each value.
        packages: The libraries whose versions it says.
        facts: Of a copy, all that its original says besides: the copy says no more.
    """
    if facts is not None:
        return _header_of_copy(key, nodes, facts)
    origin = key.origin or Origin.here()
    moment = datetime.datetime.fromtimestamp(origin.time, datetime.UTC)
    versions = {"checkpoints": __version__, **versions_of(packages)}
    further = f'"dumped":{_text(origin.dumped)},' if origin.dumped else ""
    if origin.call:
        further += f'"call":{origin.call},'
    if origin.part:
        further += f'"part":{_text(origin.part)},'
    if origin.called:
        further += f'"called":{_text(origin.called)},'
    if origin.defaults:
        further += f'"defaults":{json_bytes.to_text(list(origin.defaults))},'
    if origin.within:
        name, number = origin.within
        further += f'"within":{{"name":{_text(name)},"call":{number}}},'
    if origin.sampling:
        # Another one for each save: not for the cache.
        further += f'"sampling":{json_bytes.to_text(dict(origin.sampling))},'
    if origin.parent:
        pid, sequence, host = origin.parent
        place = "" if host == origin.host else f',"host":{_text(host)}'
        further += f'"parent":{{"pid":{pid},"sequence":{sequence}{place}}},'
    if origin.attempt:
        task, number = origin.attempt
        further += f'"attempt":{{"task":{json_bytes.to_text(task)},"number":{number}}},'
    # Written piece by piece, because most of it is the same for every save.
    header = (
        f'{{"checkpoints":{FORMAT_VERSION},"name":{_text(key.name)},'
        f'"tags":{json_bytes.to_text(tags_to_json(key.tags))},'
        f'"run":{_text(origin.run)},"sequence":{origin.sequence},'
        f'"host":{_text(origin.host)},"pid":{origin.pid},'
        f'"thread":{_text(origin.thread)},'
        f'"time":"{moment.isoformat(timespec="microseconds")}",'
        f'"site":{{"file":{_text(origin.file)},"line":{origin.line},'
        f'"function":{_text(origin.function)}}},{further}"python":"{_PYTHON}",'
        f'"packages":{_object(tuple(versions.items()))},'
        f'"values":{json_bytes.to_text(nodes)}}}'
    )
    return json_bytes.as_utf8(header), origin.time


def _header_of_copy(
    key: Key, nodes: Mapping[str, Any], facts: Mapping[str, Any]
) -> tuple[bytes, float]:
    header = {
        "checkpoints": FORMAT_VERSION,
        "name": key.name,
        "tags": tags_to_json(key.tags),
        **facts,
        "values": nodes,
    }
    moment = _moment(facts["time"])
    return json_bytes.as_utf8(json_bytes.to_text(header)), moment.timestamp()


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    return json_bytes.to_text(text)


@lru_cache(maxsize=64)
def _object(items: tuple[tuple[str, str | int], ...]) -> str:
    return json_bytes.to_text(dict(items))


def open_container(source: Source, budget: Budget | None = None) -> Container:
    """
    Open a file as the container that its last or first bytes indicate.

    Its header has Python values: tags have their types, the time is a datetime.

    Args:
        source: The file.
        budget: The memory that reading it may take.

    Raises:
        CorruptFileError: If it is damaged, or not a checkpoint file.
        FormatError: If a later version of this library wrote it.
        MissingDependencyError: If it is Parquet, and pyarrow is not installed.
        TooLargeError: If its header takes more memory than allowed.
    """
    opener = _opener_for(source)
    if opener is None:
        what = "it does not start like one" if source.size else "it is empty"
        if not source.path.endswith(tuple(SUFFIXES.values())):
            raise CorruptFileError(f"{source.path} is not a checkpoint file: {what}")
        raise CorruptFileError.at(source.path, what)
    budget = budget or Budget(source.path)
    container = opener(source, budget)
    text = container.header_bytes()
    with within(budget, "its header"):
        container.header = _meta_of(text, source.path)
    return container


def _opener_for(source: Source) -> _Opener | None:
    # The end first: a store has it in memory already, and the start is far away.
    end = bytearray(_ZIP_END_SIZE)
    source.read_into(max(0, source.size - len(end)), memoryview(end))
    if end.startswith(_ZIP_END):
        return ZipContainer
    start = bytearray(_FIRST_BYTES)
    source.read_into(0, memoryview(start))
    fits = (it for sign, it in _OPENERS.items() if re.match(sign, start, re.DOTALL))
    return next(fits, None)


def _meta_of(text: Buffer, path: str) -> dict[str, Any]:
    header: object = None
    with suppress(ValueError, RecursionError):
        header = json_bytes.from_bytes(text)
    version = header.get("checkpoints") if isinstance(header, dict) else None
    if not isinstance(header, dict) or type(version) is not int:
        raise CorruptFileError.at(path, "its header is not a checkpoint header")
    if _has_more_levels(header, text):
        raise CorruptFileError.at(path, "its header is nested too deep")
    if version > FORMAT_VERSION:
        message = (
            f"{path} has format version {version}, but checkpoints {__version__} reads "
            f"only up to {FORMAT_VERSION}: install a later version of checkpoints"
        )
        raise FormatError(message)
    found = None
    with suppress(Exception):  # a forged header can raise anything
        found = _as_python(header)
    # Raised out here, so that it has no context, which would hold the file's bytes.
    if found is None:
        raise CorruptFileError.at(path, "its header is invalid")
    return found


def _has_more_levels(header: dict[str, Any], text: Buffer) -> bool:
    """Tell whether a header is nested deeper than what this library writes."""
    whole = bytes(text)
    if whole.count(b"[") + whole.count(b"{") <= _MOST_LEVELS:
        return False
    level: list[Any] = [header]
    for _ in range(_MOST_LEVELS):
        items = (it.values() if isinstance(it, dict) else it for it in level)
        level = [it for each in items for it in each if isinstance(it, (dict, list))]
    return bool(level)


def _as_python(header: dict[str, Any]) -> dict[str, Any] | None:
    """Return a header as Python values; None, or any error, if it is invalid."""
    tags = tags_from_json(header["tags"])
    texts = [header["name"], *(name for name, _ in tags)]
    texts += [node["kind"] for node in header["values"].values()]
    if not all(isinstance(text, str) for text in texts):
        return None
    return {**header, "tags": tags, "time": _moment(header["time"])}


def _moment(text: str) -> datetime.datetime:
    """Return a time as a datetime; in UTC if it has no zone, which we never write."""
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def tags_to_json(pairs: Iterable[tuple[str, object]]) -> list[list[Any]]:
    """Turn tags into JSON: plain values with their types, other values as text."""
    return [[name, _tag_to_json(value)] for name, value in pairs]


def _tag_to_json(value: object) -> Any:
    data = scalar_to_json(value)
    if data is not NOT_PLAIN:
        return data
    text = tag_text(value)
    # NumPy's integers, for example; an enumeration's members have their own text.
    if isinstance(value, numbers.Integral) and text == str(int(value)):
        return scalar_to_json(int(value))
    return {"$text": text}


def tags_from_json(data: Iterable[Sequence[Any]]) -> tuple[tuple[str, Any], ...]:
    """Turn tags in JSON back into pairs; a time in an unknown zone becomes a text."""
    return tuple((name, _tag_from_json(value)) for name, value in data)


def _tag_from_json(data: Any) -> Any:
    if isinstance(data, str):
        return data
    try:
        value = from_json(data, lambda mark, given: given[mark])
    except MissingDependencyError:
        # Only tags do this, so that a file can be read without its time zone's data.
        ((text, zone, _),) = data.values()
        return f"{text}[{zone}]"
    if isinstance(data, dict):
        tag_text(value)  # a value without a text, such as a huge number, is not a tag
    return value
