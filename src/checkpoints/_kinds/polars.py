"""Polars: frames and series as Arrow files, written and read by Polars itself."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from checkpoints._kinds.arrow_content import items_of
from checkpoints._kinds.columns import Statistics, columns_of, plain, short
from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._kinds.polars_parts import (
    COLUMNS,
    VALUES,
    freeze_frame,
    freeze_series,
)
from checkpoints._kinds.polars_table import (
    decode_frame,
    encode_frame,
    from_table,
    panics_as_errors,
    to_table,
)
from checkpoints._kinds.spread import ask_for_objects
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "recognise"]


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
    return {
        polars.DataFrame: _FRAME,
        polars.Series: _SERIES,
        polars.LazyFrame: _LAZY_FRAME,
    }.get(cls)


def _fallback(cls: type) -> Kind | None:
    polars = sys.modules["polars"]
    return {polars.DataFrame: COLUMNS, polars.Series: VALUES}.get(cls)


def _encode_series(series: Any) -> tuple[list[Buffer], dict[str, Any]]:
    buffers, meta = encode_frame(series.to_frame())
    return buffers, {**meta, "name": series.name, "shape": [len(series)]}


def _decode_series(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return decode_frame(data, {"shape": [meta["rows"], 1]}).to_series()


def _refuse(*_: Any) -> NoReturn:
    raise Inexact(
        "a LazyFrame is a query, and reads its files again when it is collected: save "
        "what .collect() returns to save its rows"
    )


def _freeze_lazy(frame: Any) -> Any:
    # A deep copy would share the memory of the frames that the query begins with.
    return pickle.loads(pickle.dumps(frame))  # noqa: S301 - made in this line


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


def _same(one: Any, other: Any, same: Callable[[Any, Any], bool]) -> bool:
    import polars

    if isinstance(one, polars.DataFrame):
        columns = one.get_columns(), other.get_columns()
        return bool(one.shape == other.shape) and all(map(same, *columns))
    if not isinstance(one, polars.Series):
        return bool(one == other)
    if one.name != other.name or one.dtype != other.dtype:
        return False
    if one.dtype == polars.Object:
        # Polars compares such columns by the identity of the objects.
        return same(one.to_list(), other.to_list())
    return bool(one.equals(other))


def _content(value: Any) -> Any:
    import polars

    if isinstance(value, polars.DataFrame):
        return {"height": value.height, "columns": value.get_columns()}
    if not isinstance(value, polars.Series):
        return None
    described = {"name": value.name, "dtype": str(value.dtype)}
    if value.dtype == polars.Object:
        return {**described, "items": value.to_list()}
    needed("pyarrow", "a digest of a Polars column")
    # Texts of one content may have other numbers in another series.
    texts = value.cast(polars.String) if _is_category(value.dtype) else value
    return {**described, **items_of(texts.rechunk().to_arrow())}


def _is_category(dtype: Any) -> bool:
    import polars

    return dtype in (polars.Categorical, polars.Enum)


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
    column = column.rechunk()
    mean = {"mean": plain(column.mean())} if dtype.is_numeric() else {}
    return {"min": plain(column.min()), "max": plain(column.max()), **mean, **found}


def _as_table(value: Any, name: str | None) -> Any:
    import polars

    pyarrow = needed("pyarrow", "a table of Polars values")
    if not isinstance(value, (polars.DataFrame, polars.Series)):
        return None
    if _objects_in(value):
        # Polars would pass on where in memory they are.
        raise TypeError(f"the column {_objects_in(value)[0]!r:.80} holds objects")
    # Arrow has each text in its own place.
    ask(value.estimated_size())
    with panics_as_errors():
        if isinstance(value, polars.Series):
            name = value.name if name is None else name
            return pyarrow.table({name: value.to_arrow()})
        # Without the names of its columns: Polars cannot pass on one with a NUL.
        numbered = value.clone()
        numbered.columns = [str(number) for number in range(value.width)]
        return numbered.to_arrow().rename_columns(value.columns)


def _objects_in(value: Any) -> list[str]:
    """Return the names of the columns of Python objects."""
    import polars

    columns = [value] if isinstance(value, polars.Series) else value.iter_columns()
    return [column.name for column in columns if column.dtype == polars.Object]


def _with_texts(value: Any) -> tuple[Any, dict[str, str]]:
    import polars

    found = value.to_frame() if isinstance(value, polars.Series) else value.clone()
    for at, column in enumerate(found.get_columns()):
        if column.dtype == polars.Object:
            cells = column.to_list()
            ask_for_objects(cells)
            texts = [None if cell is None else str(cell) for cell in cells]
            series = polars.Series(column.name, texts, dtype=polars.String)
            found.replace_column(at, series)
    return found, dict.fromkeys(_objects_in(value), "Object")


_FRAME = Format(
    kind="polars.DataFrame",
    suffix="arrow",
    encode=encode_frame,
    decode=decode_frame,
    package="polars",
    freeze=freeze_frame,
    to_table=to_table,
    from_table=from_table,
)
_SERIES = Format(
    kind="polars.Series",
    suffix="arrow",
    encode=_encode_series,
    decode=_decode_series,
    package="polars",
    freeze=freeze_series,
)

# Always pickled, and the reason told. It is in no file.
_LAZY_FRAME = Format(
    kind="polars.LazyFrame",
    suffix="arrow",
    encode=_refuse,
    decode=_refuse,
    package="polars",
    freeze=_freeze_lazy,
)

FAMILY = Family(
    packages=("polars",),
    kinds=(_FRAME, _SERIES, COLUMNS, VALUES),
    recognise=recognise,
    fallback=_fallback,
    weigh=_weigh,
    holds_nan=_holds_nan,
    describe=_describe,
    content=_content,
    same=_same,
    as_table=_as_table,
    with_texts=_with_texts,
    concat_to="polars",
)
