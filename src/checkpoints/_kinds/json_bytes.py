"""JSON as bytes, encoded the same way in every file."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from checkpoints._process.budget import ask
from checkpoints.errors import TooLargeError

__all__ = ["as_utf8", "from_bytes", "text_of", "to_bytes", "to_text", "weight"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# In bytes, for the tree that the decoder makes and for the value that is made of it: a
# list, a dict, a value in one of them, a set of a few elements.
_LIST, _DICT, _VALUE, _SET = 232, 340, 84, 2048
_SHORT = 1 << 12
_SLICE = 1 << 16
# The first byte of a character that takes two or four bytes in memory, in place of one.
_WIDEST = 4
_WIDE = {1: re.compile(b"[\xc4-\xff]"), 2: re.compile(b"[\xf0-\xff]")}
# Only trees that were built for the encoder get here, so cycles cannot occur.
_encode = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def to_bytes(data: Any) -> bytes:
    """
    Encode JSON types as UTF-8.

    A lone surrogate, which UTF-8 does not allow, is escaped. Two of them that JSON
    would take for one character become bytes that a strict reader rejects.

    Raises:
        RecursionError: If the data is nested too deep for the encoder.
    """
    return as_utf8(to_text(data))


def to_text(data: Any) -> str:
    """
    Encode JSON types as text.

    Raises:
        RecursionError: If the data is nested too deep for the encoder.
    """
    return _encode(data)


def as_utf8(text: str) -> bytes:
    """Encode JSON text as UTF-8, as `to_bytes` does."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        if not _PAIR.search(text):
            text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        return text.encode("utf-8", "surrogatepass")


def from_bytes(data: bytes | bytearray | memoryview) -> Any:
    """
    Decode bytes into JSON types, after asking for the memory that they take.

    Raises:
        ValueError: If they are not JSON.
        RecursionError: If the data is nested too deep for the decoder.
        TooLargeError: If it takes more memory than allowed.
    """
    text = text_of(data, "surrogatepass")
    ask(weight(text))
    return json.loads(text)


def weight(text: str) -> int:
    """
    Estimate how many bytes of memory decoded JSON takes in addition to its text.

    A pair of brackets and a comma take three bytes as text, but far more as a list.

    >>> weight("[1,2]") > 100
    True
    """
    lists, dicts = text.count("["), text.count("{")
    values = text.count(",") + text.count(":")
    sets = text.count('set":[') if "$" in text else 0
    return _LIST * lists + _DICT * dicts + _VALUE * values + _SET * sets


def text_of(data: bytes | bytearray | memoryview, errors: str = "strict") -> str:
    """
    Decode UTF-8, after asking for the memory that the text takes.

    >>> text_of(b"text")
    'text'
    """
    size = _WIDEST * len(data)
    if len(data) < _SHORT:
        ask(size)
        return str(data, "utf-8", errors)
    try:
        ask(size)
    except TooLargeError:
        # Looked at only where that matters: it takes as long as decoding.
        size = _width_of(data) * len(data)
        ask(size)
    text = str(data, "utf-8", errors)
    ask(sys.getsizeof(text) - size)
    return text


def _width_of(data: bytes | bytearray | memoryview) -> int:
    """Return how many bytes each character of this UTF-8 takes in a text, at most."""
    width = 1
    for start in range(0, len(data), _SLICE):
        part = bytes(data[start : start + _SLICE])
        while not part.isascii() and width in _WIDE and _WIDE[width].search(part):
            width *= 2
    return width
