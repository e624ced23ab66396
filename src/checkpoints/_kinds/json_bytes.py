"""JSON as bytes, encoded the same way in every file."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["as_utf8", "from_bytes", "to_bytes", "to_text", "weight"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_CONTAINER = 72
_ITEM = 40
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
    Decode bytes into JSON types.

    Raises:
        ValueError: If they are not JSON.
        RecursionError: If the data is nested too deep for the decoder.
    """
    return json.loads(bytes(data).decode("utf-8", "surrogatepass"))


def weight(data: bytes | bytearray | memoryview) -> int:
    """
    Estimate how many bytes of memory the decoded data takes.

    A pair of brackets and a comma take three bytes as text, but over sixty as a list.
    """
    text = bytes(data)
    containers = text.count(b"[") + text.count(b"{")
    return len(text) + _CONTAINER * containers + _ITEM * text.count(b",")
