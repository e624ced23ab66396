"""Change a value in place, as the program that saved it may do afterwards."""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

__all__ = ["overwrite"]

# What is not part of a value, though a value refers to it.
_SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
_SHARED += (types.FrameType, types.CodeType)
# Tables of hashes, places of blocks and the like.
_COMPILED = "pandas._libs"
_MAX_OBJECTS = 20_000


def overwrite(value: Any) -> None:
    """Overwrite the arrays of NumPy in a value, and empty it if it is a container."""
    for part in list(_parts(value)):
        if type(part).__module__ == "numpy" and hasattr(part, "setflags"):
            _overwrite_array(part)
    if type(value) in (list, dict, set):
        value.clear()


def _parts(value: Any) -> Iterator[Any]:
    """Yield all objects that a value consists of."""
    found: dict[int, Any] = {}
    waiting = [value]
    while waiting and len(found) < _MAX_OBJECTS:
        part = waiting.pop()
        if id(part) in found or isinstance(part, _SHARED):
            continue
        found[id(part)] = part
        yield part
        if not str(type(part).__module__).startswith(_COMPILED):
            waiting += _referents(part)


def _referents(part: Any) -> list[Any]:
    found = gc.get_referents(part)
    if type(part).__name__ == "BlockManager":
        # Its own arrays say where its blocks are; pandas would read beyond them.
        return [each for each in found if type(each).__module__ != "numpy"]
    return found


def _overwrite_array(array: Any) -> None:
    import numpy

    # Of an index pandas says that it cannot be written, and its owner may.
    with suppress(ValueError):
        array.setflags(write=True)
    if not array.flags.writeable or not array.size:
        return
    if array.dtype.hasobject:
        with suppress(Exception):
            array[...] = None
    elif array.flags.c_contiguous or array.flags.f_contiguous:
        flat = array.ravel(order="K").view(numpy.uint8)
        if numpy.shares_memory(flat, array):
            flat ^= 0xFF
