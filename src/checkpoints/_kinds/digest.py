"""
Digests of content: equal values have equal ones, however they lie in memory.

What counts is types, dtypes, shapes, order, names and labels, and the values; what does
not is the memory order of an array, the blocks or chunks of a table, what lies under a
missing value, the bits of a NaN, and the order of a dict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from types import GeneratorType
from typing import Any, NamedTuple

from checkpoints._keys.entry_tags import ExactText
from checkpoints._kinds.families import family_of, formats_for
from checkpoints._kinds.kind import Compound, Inexact, Kind
from checkpoints._kinds.plain import IMMUTABLE, NOT_PLAIN, scalar_to_json
from checkpoints._kinds.records import form_of

__all__ = ["Digest", "digest_of"]

_SIZE = 16
# The names of the types of plain values. A tag of an entry is ordinary text.
_PLAIN = {cls: cls.__name__ for cls in IMMUTABLE | {bytearray, memoryview}}
_PLAIN[ExactText] = "str"
_JSON_TYPES = frozenset({type(None), bool, int, float, str})


class Digest(NamedTuple):
    """
    What stands for the content of a value.

    Args:
        hash: Equal for equal content, in every process and in every version.
        bytes: How many bytes of content there are.
    """

    hash: str
    bytes: int


def digest_of(value: Any) -> Digest:
    """
    Return the digest of a value.

    Raises:
        Inexact: The value, or a part of it, would be saved as a pickle; those of equal
            objects may differ.
        RecursionError: It is nested too deep.
        Exception: What an object's own code raised.

    >>> digest_of({"a": 1, "b": 2}).hash == digest_of({"b": 2, "a": 1}).hash
    True
    """
    digester = _Digester()
    return Digest(f"blake2b:{digester.of(value).hex()}", digester.size)


class _Digester:
    """Digests a value from the digests of its parts, each of which is made once."""

    def __init__(self) -> None:
        self.size = 0
        # With the sizes; and the values, because an id is unique only among the living.
        self._done: dict[int, tuple[bytes, int, Any]] = {}
        self._open: set[int] = set()

    def of(self, value: Any) -> bytes:
        """Return the digest of a value."""
        if type(value) in _PLAIN:
            data = _bytes_of(value)
            if data is not None:
                return self._data(_PLAIN[type(value)], [data])
        if id(value) in self._open:
            raise Inexact("it contains itself")
        if id(value) in self._done:
            found, size, _ = self._done[id(value)]
            self.size += size
            return found
        before = self.size
        self._open.add(id(value))
        try:
            found = self._composed(value)
        finally:
            self._open.discard(id(value))
        self._done[id(value)] = found, self.size - before, value
        return found

    def _composed(self, value: Any) -> bytes:
        cls = type(value)
        if cls in (list, tuple):
            return self._sequence(cls.__name__, value)
        if cls is dict:
            pairs = (self.of(key) + self.of(item) for key, item in value.items())
            return _hashed("dict", sorted(pairs))
        if cls in (set, frozenset):
            return _hashed(cls.__name__, sorted(map(self.of, value)))
        if cls is GeneratorType:
            return self._data(memoryview.__name__, value)
        return self._object(value)

    def _object(self, value: Any) -> bytes:
        formats = formats_for(type(value))
        if not formats:
            return self._record(value)
        family = family_of(type(value))
        content = family.content(value) if family and family.content else None
        if content is None:
            return self._saved(value, formats)
        return _hashed(formats[0].kind, [self.of(content)])

    def _sequence(self, name: str, items: Any) -> bytes:
        types = set(map(type, items))
        if types in ({tuple}, {list}):
            # Rows of a table: all at once.
            name += f" of {types.pop().__name__}"
            types = set(map(type, chain.from_iterable(items)))
        if types <= _JSON_TYPES:
            # Fails for an integer of thousands of digits.
            with suppress(ValueError):
                return self._data(f"{name} of JSON", [json.dumps(items).encode()])
        return _hashed(name, map(self.of, items))

    def _record(self, value: Any) -> bytes:
        form = form_of(value)
        if form is None:
            raise Inexact("the pickles of equal objects may differ")
        return _hashed(form.mark, [self.of(form.name), self.of(form.fields)])

    def _saved(self, value: Any, formats: list[Kind]) -> bytes:
        """Digest what would be saved of an object, by the first kind that holds it."""
        reasons: list[Exception] = []
        for format in formats:
            size = self.size
            try:
                return self._formatted(format, value)
            except RecursionError:
                raise
            except Exception as error:  # noqa: BLE001 - the next kind may hold it
                reasons.append(error)
                self.size = size
        raise reasons[0]

    def _formatted(self, format: Kind, value: Any) -> bytes:
        if isinstance(format, Compound):
            return _hashed(format.kind, [self.of(format.take_apart(value))])
        chunks, described = format.encode(value)
        meta = json.dumps(described, sort_keys=True).encode()
        return _hashed(format.kind, [_hashed("", [meta]), self._data("bytes", chunks)])

    def _data(self, name: str, chunks: Iterable[Any]) -> bytes:
        """Digest bytes, and count them."""
        return _hashed(name, map(self._counted, chunks))

    def _counted(self, chunk: Any) -> Any:
        self.size += memoryview(chunk).nbytes
        return chunk


def _hashed(name: str, chunks: Iterable[Any]) -> bytes:
    digest = hashlib.blake2b(name.encode() + b"\0", digest_size=_SIZE)
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _bytes_of(value: Any) -> Any:
    """Return a plain value as bytes; None if it is of no standard time zone."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes | bytearray | memoryview):
        return value
    data = scalar_to_json(value)
    return None if data is NOT_PLAIN else json.dumps(data).encode()
