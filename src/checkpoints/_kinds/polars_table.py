"""Polars frames as Arrow files and as Arrow tables, exactly."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.arrow_memory import memory_of
from checkpoints._kinds.kind import Buffer, Inexact
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed
from checkpoints.errors import MissingDependencyError

__all__ = [
    "check_same",
    "decode_frame",
    "encode_frame",
    "from_table",
    "import_polars",
    "panics_as_errors",
    "to_table",
]


def encode_frame(frame: Any) -> tuple[list[Buffer], dict[str, Any]]:
    """
    Write a frame as an Arrow file.

    Args:
        frame: A `polars.DataFrame`.

    Returns:
        The bytes of the file, and the frame's rows, schema and shape as metadata.

    Raises:
        Inexact: The frame would not come back exactly.

    Example:
        >>> import polars
        >>> encode_frame(polars.DataFrame({"a": [1, 2]}))[1]
        {'rows': 2, 'schema': [['a', 'Int64']], 'shape': [2, 1]}
    """
    try:
        with panics_as_errors():
            written = _to_ipc(frame)
            if not all(map(_is_simple, frame.dtypes)):
                check_same(frame, _from_ipc(written))
    except (Inexact, MemoryError):
        raise
    except Exception as error:
        # Polars raises a different error for each dtype that it cannot write.
        raise Inexact(f"Polars cannot write the frame: {error}") from error
    return [written], _metadata_of(frame)


def decode_frame(data: memoryview, meta: Mapping[str, Any]) -> Any:
    """
    Read a frame from an Arrow file, the inverse of `encode_frame`.

    Args:
        data: The bytes of the file.
        meta: The metadata from `encode_frame`.

    Returns:
        A `polars.DataFrame`.

    Raises:
        ValueError: The file and the metadata do not match.
        MissingDependencyError: Polars is not installed.

    Example:
        >>> import polars
        >>> buffers, meta = encode_frame(polars.DataFrame({"a": [1, 2]}))
        >>> decode_frame(memoryview(b"".join(buffers)), meta).shape
        (2, 1)
    """
    frame = _from_ipc(data)
    if list(frame.shape) != meta["shape"]:
        raise ValueError(
            f"expected a frame of shape {meta['shape']}, found {frame.shape}"
        )
    return frame


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Convert a frame to an Arrow table that can be converted back exactly.

    Categories are texts in the table, as Parquet has no type for them.

    Args:
        value: A `polars.DataFrame`.

    Returns:
        The `pyarrow.Table`, and the frame's rows, schema and shape as metadata.

    Raises:
        Inexact: It would not come back exactly.

    Example:
        >>> import polars
        >>> to_table(polars.DataFrame({"a": [1, 2]}))[1]
        {'rows': 2, 'schema': [['a', 'Int64']], 'shape': [2, 1]}
    """
    import polars

    meta = _metadata_of(value)
    enums = {
        str(position): dtype.categories.to_list()
        for position, dtype in enumerate(value.dtypes)
        if isinstance(dtype, polars.Enum)
    }
    categories = [
        position
        for position, dtype in enumerate(value.dtypes)
        if isinstance(dtype, polars.Categorical)
    ]
    meta |= {"enums": enums} if enums else {}
    meta |= {"categories": categories} if categories else {}
    if any(map(_has_no_width, value.dtypes)):
        raise Inexact("Arrow cannot hold an array of width 0 from Polars")
    try:
        needed("pyarrow", "saving a Polars frame as an Arrow table")
        with panics_as_errors():
            as_text = polars.col(polars.Categorical, polars.Enum).cast(polars.String)
            table = value.with_columns(as_text).to_arrow()
            check_same(value, from_table(table, meta))
    except (Inexact, MemoryError):
        raise
    except MissingDependencyError as error:
        raise Inexact(str(error)) from error
    except Exception as error:
        raise Inexact(f"Arrow cannot hold the frame: {error}") from error
    return table, meta


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:
    """
    Convert an Arrow table back to the original frame.

    Args:
        table: A `pyarrow.Table`.
        meta: The metadata from `to_table`.

    Returns:
        A `polars.DataFrame`.

    Raises:
        MissingDependencyError: Polars is not installed.

    Example:
        >>> import polars
        >>> from_table(*to_table(polars.DataFrame({"a": [1, 2]}))).shape
        (2, 1)
    """
    polars = import_polars()
    if not table.num_columns:
        return (
            polars.DataFrame(height=meta["rows"])
            if meta["rows"]
            else polars.DataFrame()
        )
    ask(sum(memory_of(column, objects=False) for column in table.columns))
    names = table.column_names
    # Polars would give a column without a name another one.
    numbered = table.rename_columns(list(map(str, range(len(names)))))
    with panics_as_errors():
        frame = polars.from_arrow(numbered)
        dtypes = {
            position: polars.Enum(texts)
            for position, texts in meta.get("enums", {}).items()
        }
        dtypes |= {
            str(position): polars.Categorical for position in meta.get("categories", ())
        }
        frame = frame.cast(dtypes)
    frame.columns = names
    return frame


def check_same(known: Any, found: Any) -> None:
    """
    Check that two frames are the same, with names and dtypes.

    Raises:
        Inexact: They are not.

    Example:
        >>> import polars
        >>> check_same(polars.DataFrame({"a": [1]}), polars.DataFrame({"a": [1]}))
    """
    if known.columns != found.columns or known.shape != found.shape:
        raise Inexact("columns or rows of the frame would be lost")
    for name, one, other in zip(known.columns, known.dtypes, found.dtypes, strict=True):
        if one != other or repr(one) != repr(other):
            raise Inexact(f"column {name!r} of {one} would come back as {other}")
    if not known.equals(found):
        raise Inexact("values of the frame would change")


def import_polars() -> Any:
    """Return Polars, for a value that is being loaded."""
    return needed("polars", "loading a Polars value", also="pyarrow")


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Raise a `ValueError` in place of a panic of Polars, which is no `Exception`."""
    polars = import_polars()
    try:
        yield
    except polars.exceptions.PanicException as error:
        raise ValueError(f"Polars cannot do it: {error!s:.200}") from error


def _metadata_of(frame: Any) -> dict[str, Any]:
    schema = [[name, str(dtype)] for name, dtype in frame.schema.items()]
    return {"rows": frame.height, "schema": schema, "shape": list(frame.shape)}


def _is_simple(dtype: Any) -> bool:
    """Tell whether Polars is known to write columns of a dtype exactly."""
    import polars

    is_number = dtype.is_numeric() or dtype.is_temporal()
    return is_number or dtype in (polars.Boolean, polars.String, polars.Binary)


def _has_no_width(dtype: Any) -> bool:
    import polars

    if isinstance(dtype, polars.Struct):
        return any(_has_no_width(field.dtype) for field in dtype.fields)
    if not isinstance(dtype, polars.Array | polars.List):
        return False
    return 0 in getattr(dtype, "shape", ()) or _has_no_width(dtype.inner)


def _to_ipc(frame: Any) -> memoryview:
    file = io.BytesIO()
    frame.write_ipc(file, compression="uncompressed")
    return file.getbuffer()


def _from_ipc(data: memoryview) -> Any:
    polars = import_polars()
    cells_in(memoryview(data))
    # The stream holds a copy, and Polars makes its own.
    ask(2 * len(data))
    with panics_as_errors():
        return polars.read_ipc(io.BytesIO(data))
