"""What a format is: two verbs, from a value to bytes or to parts, and back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Buffer", "Compound", "Format", "Inexact"]

Buffer = bytes | bytearray | memoryview


class Inexact(Exception):  # noqa: N818 - a turn in the road, not an error anybody sees
    """
    Raised by `encode` and `take_apart` when the value would not come back exactly.

    Another format takes the value instead, or it is pickled, and the text says why.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """
    A kind of value that is kept as one member of the file.

    Args:
        kind: The name under which the file knows the kind, such as
            `"numpy.ndarray"`. Reading finds the format by it.
        suffix: The member's suffix without the dot, such as `"npy"`.
        encode: Takes the value; returns its bytes, as buffers in order (they may
            alias the value's memory), and what is to be known without reading
            them (dtype, shape, schema), in JSON's own types.
        decode: Takes the bytes, in memory that nobody else uses (read-only under
            `mmap=True`), and what `encode` noted; returns the value.
        package: The import name of the library that the value belongs to. Its
            version is noted in the file.
        freeze: Takes the value; returns one that later changes do not reach.
        weight: Takes what `decode` takes; returns how much memory the value takes
            beyond these bytes, where that is far more.
    """

    kind: str
    suffix: str
    encode: Callable[[Any], tuple[Sequence[Buffer], dict[str, Any]]]
    decode: Callable[[memoryview, Mapping[str, Any]], Any]
    package: str
    freeze: Callable[[Any], Any] = copy.deepcopy
    weight: Callable[[memoryview, Mapping[str, Any]], int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compound:
    """
    A kind of value that is kept as several others, each in its own format.

    Args:
        kind: The name under which the file knows the kind.
        take_apart: Takes the value; returns its parts by name.
        put_together: Takes the parts; returns the value.
        package: The import name of the library that the value belongs to.
        freeze: Takes the value; returns one that later changes do not reach.
    """

    kind: str
    take_apart: Callable[[Any], dict[str, Any]]
    put_together: Callable[[dict[str, Any]], Any]
    package: str
    freeze: Callable[[Any], Any] = copy.deepcopy
