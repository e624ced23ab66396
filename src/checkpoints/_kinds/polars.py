"""Polars: frames and series as Arrow files, written and read by Polars itself."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.columns import Statistics, columns_of, plain, short
from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._process.libraries import needed
from checkpoints.errors import MissingDependencyError

__all__ = ["FAMILY", "from_table", "recognise", "to_table"]


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of Polars.

    Returns:
        The format; None if values of the class are pickled.

    Example:
        >>> import polars
        >>> recognise(polars.DataFrame).kind
        'polars.DataFrame'
    """
    polars = sys.modules.get("polars")
    if polars is None:
        return None
    if cls is polars.DataFrame:
        return _FRAME
    return _SERIES if cls is polars.Series else None


def to_table(value: Any) -> tuple[Any, dict[str, Any]]:
    """
    Convert a frame to an Arrow table that can be converted back exactly.

    Args:
        value: A `polars.DataFrame`.

    Returns:
        The `pyarrow.Table`, and the frame's rows, schema and shape as metadata.

    Raises:
        Inexact: A column would come back with another dtype.

    Example:
        >>> import polars
        >>> to_table(polars.DataFrame({"a": [1, 2]}))[1]
        {'rows': 2, 'schema': [['a', 'Int64']], 'shape': [2, 1]}
    """
    import polars

    try:
        needed("pyarrow", "saving a Polars frame as an Arrow table")
        table = value.to_arrow()
        empty = polars.from_arrow(table.slice(0, 0))
    except MissingDependencyError as error:
        raise Inexact(str(error)) from error
    except (polars.exceptions.PolarsError, ValueError, TypeError) as error:
        raise Inexact(f"Arrow cannot hold the frame: {error}") from error
    _check_dtypes(value, empty)
    if table.num_rows != value.height:
        raise Inexact("Arrow does not record the height of a frame without columns")
    return table, _metadata_of(value)


def from_table(table: Any, meta: Mapping[str, Any]) -> Any:  # noqa: ARG001 - part of the signature
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
    polars = _import_polars()
    with _panics_as_errors(polars):
        return polars.from_arrow(table)


def _import_polars() -> Any:
    return needed("polars", "loading a Polars value", also="pyarrow")


def _metadata_of(frame: Any) -> dict[str, Any]:
    schema = [[name, str(dtype)] for name, dtype in frame.schema.items()]
    return {"rows": frame.height, "schema": schema, "shape": list(frame.shape)}


def _check_dtypes(frame: Any, empty: Any) -> None:
    for (name, dtype), found in zip(
        frame.schema.items(), empty.schema.values(), strict=True
    ):
        if dtype != found:
            raise Inexact(f"column {name!r} of {dtype} would come back as {found}")


def _encode_frame(frame: Any) -> tuple[list[Buffer], dict[str, Any]]:
    try:
        _check_dtypes(frame, _from_ipc(_to_ipc(frame.clear())))
        written = _to_ipc(frame)
    except Inexact:
        raise
    except Exception as error:
        # Polars raises a different error for each dtype that it cannot write.
        raise Inexact(f"Polars cannot write the frame: {error}") from error
    return [written], _metadata_of(frame)


def _decode_frame(data: memoryview, meta: Mapping[str, Any]) -> Any:
    frame = _from_ipc(data)
    if list(frame.shape) != meta["shape"]:
        raise ValueError(
            f"expected a frame of shape {meta['shape']}, found {frame.shape}"
        )
    return frame


def _to_ipc(frame: Any) -> memoryview:
    file = io.BytesIO()
    frame.write_ipc(file, compression="uncompressed")
    return file.getbuffer()


def _from_ipc(data: memoryview) -> Any:
    polars = _import_polars()
    cells_in(memoryview(data))
    with _panics_as_errors(polars):
        return polars.read_ipc(io.BytesIO(data))


@contextmanager
def _panics_as_errors(polars: Any) -> Iterator[None]:
    try:
        yield
    except polars.exceptions.PanicException as error:
        # It is not an `Exception`, so handlers of damaged files would not catch it.
        raise ValueError(f"Polars cannot read it: {error!s:.200}") from error


def _encode_series(series: Any) -> tuple[list[Buffer], dict[str, Any]]:
    buffers, meta = _encode_frame(series.to_frame())
    return buffers, {**meta, "name": series.name, "shape": [len(series)]}


def _decode_series(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return _decode_frame(data, {"shape": [meta["rows"], 1]}).to_series()


def _freeze_frame(frame: Any) -> Any:
    import polars

    if not frame.width or polars.Object in frame.dtypes:
        return frame.clone()
    # A clone would share its memory, which may belong to a NumPy array.
    return frame.select(polars.all().gather(polars.int_range(polars.len())))


def _freeze_series(series: Any) -> Any:
    return _freeze_frame(series.to_frame()).to_series()


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    has_size = hasattr(value, "estimated_size")
    return (int(value.estimated_size()), ()) if has_size else None


def _holds_nan(value: Any) -> bool:
    columns = value.get_columns() if hasattr(value, "get_columns") else [value]
    return any(
        bool(column.is_nan().any())
        for column in columns
        if getattr(column, "dtype", None) is not None and column.dtype.is_float()
    )


def _describe(value: Any, max_columns: int) -> Statistics | None:
    import polars

    if isinstance(value, polars.DataFrame):
        columns = ((column.name, column) for column in value.iter_columns())
        described = columns_of(columns, value.width, max_columns, _describe_series)
        return {"shape": list(value.shape), **described}
    if not isinstance(value, polars.Series):
        return None
    shape = {"dtype": short(value.dtype), "shape": [len(value)]}
    return shape | _describe_series(value)


def _describe_series(column: Any) -> Statistics:
    found: Statistics = {"missing": column.null_count()}
    dtype = column.dtype
    if str(dtype) == "Boolean":
        return {"true": int(column.sum() or 0), **found}
    if dtype.is_float():
        finite = column.filter(column.is_finite())
        found["nan"] = int(column.is_nan().sum() or 0)
        found["inf"] = int(column.is_infinite().sum() or 0)
        column = finite
    elif not (dtype.is_numeric() or dtype.is_temporal()):
        return found
    mean = {"mean": plain(column.mean())} if dtype.is_numeric() else {}
    return {"min": plain(column.min()), "max": plain(column.max()), **mean, **found}


def _as_table(value: Any, name: str | None) -> Any:
    import polars

    pyarrow = needed("pyarrow", "a table of Polars values")
    if isinstance(value, polars.DataFrame):
        return value.to_arrow()
    if not isinstance(value, polars.Series):
        return None
    return pyarrow.table({value.name if name is None else name: value.to_arrow()})


_FRAME = Format(
    kind="polars.DataFrame",
    suffix="arrow",
    encode=_encode_frame,
    decode=_decode_frame,
    package="polars",
    freeze=_freeze_frame,
    to_table=to_table,
    from_table=from_table,
)
_SERIES = Format(
    kind="polars.Series",
    suffix="arrow",
    encode=_encode_series,
    decode=_decode_series,
    package="polars",
    freeze=_freeze_series,
)

FAMILY = Family(
    packages=("polars",),
    kinds=(_FRAME, _SERIES),
    recognise=recognise,
    weigh=_weigh,
    holds_nan=_holds_nan,
    describe=_describe,
    as_table=_as_table,
    concat_to="polars",
)
