"""The numbers of Julia, from how they lie in memory."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from checkpoints._files.julia_types import NUMBERS
from checkpoints._process.libraries import needed

__all__ = ["number", "numbers"]


def number(name: str, data: memoryview) -> Any:
    """
    Return a number from its bytes: of Python's type if it has 64 bits, else of NumPy's.

    Args:
        name: The name of its type.
        data: Its bytes, as many as the type has.
    """
    return numbers(name, data, 0, len(data))[0]


def numbers(name: str, data: memoryview, start: int, step: int) -> list[Any]:
    """
    Return numbers that lie in memory at equal distances.

    Args:
        name: The name of their type.
        data: The memory, a multiple of the distance.
        start: Where the first one starts.
        step: From each one to the next.

    Raises:
        ValueError: If a boolean is neither true nor false.
    """
    if name in _FORMS:
        size, form, make = _FORMS[name]
        each = struct.iter_unpack(f"<{start}x{form}{step - start - size}x", data)
        found = [number for (number,) in each]
        return found if make is None else list(map(make, found))
    numpy = needed("numpy", f"a number of Julia's type {name}")
    count = len(data) // step
    return [*numpy.ndarray((count,), NUMBERS[name], data, start, (step,))]


def _bool(byte: int) -> bool:
    if byte > 1:
        raise ValueError("a boolean is neither true nor false")
    return bool(byte)


def _char(data: bytes) -> str:
    # The bytes of its UTF-8, from the highest one down.
    text = data[::-1].rstrip(b"\0") or b"\0"
    return text.decode("utf-8", "surrogateescape")


_FORMS: dict[str, tuple[int, str, Callable[[Any], Any] | None]] = {
    "Int64": (8, "q", None),
    "Float64": (8, "d", None),
    "Bool": (1, "B", _bool),
    "Char": (4, "4s", _char),
    "Int128": (16, "16s", lambda data: int.from_bytes(data, "little", signed=True)),
    "UInt128": (16, "16s", lambda data: int.from_bytes(data, "little")),
}
