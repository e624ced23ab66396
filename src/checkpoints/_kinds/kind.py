"""
What is known of a kind of value, and of all kinds that one library has.

A kind is a `Format` or a `Compound`: two verbs, from a value to bytes or to parts, and
back. The kinds of a library, and whatever else is known of its values, are a `Family`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Buffer", "Compound", "Family", "Format", "Inexact", "Kind"]

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
        to_table: Takes the value; returns the Arrow table that becomes exactly this
            value again, and what is to be known for that, in JSON's own types.
            Given together with `from_table` by kinds that a Parquet file can hold.
        from_table: Takes the table and what `to_table` noted; returns the value.
    """

    kind: str
    suffix: str
    encode: Callable[[Any], tuple[Sequence[Buffer], dict[str, Any]]]
    decode: Callable[[memoryview, Mapping[str, Any]], Any]
    package: str
    freeze: Callable[[Any], Any] = copy.deepcopy
    weight: Callable[[memoryview, Mapping[str, Any]], int] | None = None
    to_table: Callable[[Any], tuple[Any, dict[str, Any]]] | None = None
    from_table: Callable[[Any, Mapping[str, Any]], Any] | None = None


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


Kind: TypeAlias = Format | Compound


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """
    All that is known of one library's values.

    Each function is called with objects whose class the library defines; `describe` and
    `same` also with those of classes derived from these. It imports the library, if it
    has to, when it is called. None stands for what the library does not have.

    Args:
        packages: The root packages that classes of the library are defined in.
        kinds: Its kinds of values.
        recognise: Takes a class; returns the kind of its values, None if they are
            pickled. May import nothing.
        otherwise: Takes a class; returns the kind of those of its values for which
            the first kind raises `Inexact`.
        weigh: Takes a value; returns the bytes it takes by itself, and the values in
            it that are to be weighed too. A value of which it knows nothing (None)
            counts by its `nbytes`, or else by its attributes.
        holds_nan: Takes a value; tells whether one of its numbers is NaN.
        describe: Takes a value, and how many columns may be described; returns
            statistics in plain values, None if there is nothing to say.
        same: Takes two values of one type, and the function that compares what is in
            them; tells whether they are the same data, NaN being equal to NaN. Where
            it is not given, values are compared by `equals`, `dtype` or `==`.
        as_table: Takes a value, and a name for it or None; returns it as a
            `pyarrow.Table`, None if it has no rows. A value without columns is one
            column of that name; its own name if None.
        nan_as_null: Takes a value that has become a table; tells whether it had a NaN
            where the table has a null.
        as_array: Takes a value; returns it as a NumPy array, and a sentence part for
            each thing that the array does not tell. Tables of a library that has it
            are arrays first.
        stored: Takes a value that is no array, but keeps its numbers in one; returns
            that one, None if it has none.
        as_png: Takes a picture; returns it as PNG. Such a library describes its
            pictures by `"size"`, width and height, and `"mode"`.
        as_text: Takes a value; returns what stands for it in JSON for other tools.
        concat_to: What `Index.concat` makes of this library's values unless it is told
            otherwise: `"pandas"`, `"polars"` or `"arrow"`.
    """

    packages: tuple[str, ...]
    kinds: tuple[Kind, ...]
    recognise: Callable[[type], Kind | None]
    otherwise: Callable[[type], Kind | None] | None = None
    weigh: Callable[[Any], tuple[int, Iterable[Any]] | None] | None = None
    holds_nan: Callable[[Any], bool] | None = None
    describe: Callable[[Any, int], dict[str, Any] | None] | None = None
    same: Callable[[Any, Any, Callable[[Any, Any], bool]], bool] | None = None
    as_table: Callable[[Any, str | None], Any] | None = None
    nan_as_null: Callable[[Any], bool] | None = None
    as_array: Callable[[Any], tuple[Any, list[str]]] | None = None
    stored: Callable[[Any], Any] | None = None
    as_png: Callable[[Any], bytes] | None = None
    as_text: Callable[[Any], str] | None = None
    concat_to: str | None = None
