"""JSON as bytes, in the one way that all files here have it."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["from_bytes", "to_bytes", "weight"]

_CONTAINER = 72
_ITEM = 40
# What is encoded here was made for it, as a tree.
_encode = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def to_bytes(data: Any) -> bytes:
    """
    Turn JSON's own types into bytes of UTF-8.

    A lone surrogate, which is no Unicode and still has to come back as it was, becomes
    three bytes that a strict reader refuses.

    Raises:
        RecursionError: If the data is nested deeper than the encoder goes.
    """
    return _encode(data).encode("utf-8", "surrogatepass")


def from_bytes(data: bytes | bytearray | memoryview) -> Any:
    """
    Turn bytes back into JSON's own types.

    Raises:
        ValueError: If they are no JSON.
        RecursionError: If it is nested deeper than the decoder goes.
    """
    return json.loads(bytes(data).decode("utf-8", "surrogatepass"))


def weight(data: bytes | bytearray | memoryview) -> int:
    """
    Return about how many bytes of memory it takes as JSON's own types.

    Two brackets are three bytes with their comma, and an object of more than sixty.
    """
    text = bytes(data)
    containers = text.count(b"[") + text.count(b"{")
    return len(text) + _CONTAINER * containers + _ITEM * text.count(b",")
