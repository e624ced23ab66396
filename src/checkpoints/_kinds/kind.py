"""
The description of a kind of value, and of all the kinds of one library.

A kind is a `Format` or a `Compound`: a pair of functions, one that turns a value into
bytes or parts and one that turns these back. A `Family` holds the kinds of a library
and everything else that is known about its values.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from checkpoints.storage._store import Buffer

__all__ = ["Buffer", "Compound", "Family", "Format", "Inexact", "Kind"]


class Inexact(Exception):  # noqa: N818 - control flow, not an error that users see
    """
    Raised by `encode` and `take_apart` when the value would not come back exactly.

    The value is then saved in another format or pickled; the message is the reason.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """
    A kind of value that is saved as one member of the file.

    Args:
        kind: The name of the kind in files, such as `"numpy.ndarray"`. The reader
            finds the format by it.
        suffix: The member's suffix without the dot, such as `"npy"`.
        encode: Takes the value; returns its bytes as a sequence of buffers, which may
            alias the value's memory, and metadata in JSON types (dtype, shape,
            schema), which can be read without the bytes.
        decode: Takes the bytes, in memory that has no other user (read-only under
            `mmap=True`), and the metadata; returns the value.
        package: The import name of the value's library. Its version is recorded in
            the file.
        freeze: Takes the value; returns a copy that later changes do not affect.
        weight: Takes the arguments of `decode`; returns how many bytes of memory the
            value takes in addition to its encoded bytes, if that is far more.
        to_table: Takes the value; returns an Arrow table, and the metadata in JSON
            types that `from_table` needs. Set for kinds that Parquet can hold.
        from_table: Takes the table and the metadata; returns exactly the same value.
        change: Takes the value; returns what will be different about it when it is
            loaded, "" if nothing. It is told when the value is saved.
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
    change: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compound:
    """
    A kind of value that is saved as several others, each in its own format.

    Args:
        kind: The name of the kind in files.
        take_apart: Takes the value; returns its parts by name.
        put_together: Takes the parts; returns the value. Calls `ask` (`memory.py`)
            before it takes far more memory than they do.
        package: The import name of the value's library.
        freeze: Takes the value; returns a copy that later changes do not affect. None
            to copy its parts, so that nothing is lost that saving would keep.
        change: As that of a `Format`.
    """

    kind: str
    take_apart: Callable[[Any], dict[str, Any]]
    put_together: Callable[[dict[str, Any]], Any]
    package: str
    freeze: Callable[[Any], Any] | None = None
    change: Callable[[Any], str] | None = None


Kind: TypeAlias = Format | Compound


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """
    Everything that is known about one library's values.

    Each function is called with objects of the library's own classes; `weigh`,
    `describe` and `same` also with objects of subclasses. It imports the library, if
    necessary, when it is called. None means that the library does not support the
    operation.

    Args:
        packages: The root packages that define the library's classes.
        kinds: Its kinds of values.
        recognise: Takes a class; returns the kind of its values, None if they are
            pickled. Must not import anything.
        fallback: Takes a class; returns the kind for values that the recognised kind
            rejects with `Inexact`.
        weigh: Takes a value; returns its size in bytes, and the values inside it that
            must be weighed too. None means that the value's `nbytes` counts, or else
            what it holds.
        holds_nan: Takes a value; returns whether one of its numbers is NaN.
        labels: Takes a value; returns what of it is no cell, such as an index, names
            and attributes, as values of any kind; None if there is nothing.
        describe: Takes a value and the maximum number of columns; returns statistics
            as plain values, None if there are none.
        same: Takes two values of one type and the function that compares their
            contents; returns whether they are the same data, where NaN equals NaN.
            Without it, values are compared by `equals`, `dtype` or `==`.
        content: Takes a value of one of the kinds; returns what its hash covers, as
            plain values, buffers, generators of buffers, and values of any kind: equal
            values have equal content. None means that it is what would be saved.
        as_table: Takes a value, and a name for it or None; returns a `pyarrow.Table`,
            None if the value has no rows. A value without columns becomes one column,
            called by the name or else by the value's own.
        with_texts: Takes a frame or a series; returns a frame with texts in place of
            the cells of each column that Arrow cannot represent, and the dtypes that
            these columns had, by name.
        with_nan: Takes a value and the table that it was converted to; returns the
            table with NaN in place of each null that is NaN in the value.
        as_array: Takes a value; returns a NumPy array, and a phrase for each property
            that the array does not keep. If a library has both, this one comes before
            `as_table`.
        stored: Takes a value that is not an array but keeps its numbers in one;
            returns that array, None if there is none.
        as_png: Takes a picture; returns PNG bytes. The library's `describe` must
            return `"size"` (width and height) and `"mode"`.
        as_text: Takes a value; returns the text for it in JSON for other tools.
        concat_to: The default result of `Index.concat` for this library's values:
            `"pandas"`, `"polars"` or `"arrow"`.
    """

    packages: tuple[str, ...]
    kinds: tuple[Kind, ...]
    recognise: Callable[[type], Kind | None]
    fallback: Callable[[type], Kind | None] | None = None
    weigh: Callable[[Any], tuple[int, Iterable[Any]] | None] | None = None
    holds_nan: Callable[[Any], bool] | None = None
    labels: Callable[[Any], Any] | None = None
    describe: Callable[[Any, int], dict[str, Any] | None] | None = None
    same: Callable[[Any, Any, Callable[[Any, Any], bool]], bool] | None = None
    content: Callable[[Any], Any] | None = None
    as_table: Callable[[Any, str | None], Any] | None = None
    with_texts: Callable[[Any], tuple[Any, Mapping[str, str]]] | None = None
    with_nan: Callable[[Any, Any], Any] | None = None
    as_array: Callable[[Any], tuple[Any, list[str]]] | None = None
    stored: Callable[[Any], Any] | None = None
    as_png: Callable[[Any], bytes] | None = None
    as_text: Callable[[Any], str] | None = None
    concat_to: str | None = None
