"""pandas: frames, series and indexes as Arrow files, and the scalars of pandas."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.arrow import buffers_to_table, table_to_buffers
from checkpoints._kinds.arrow_ipc import cells_in
from checkpoints._kinds.kind import Buffer, Compound, Format
from checkpoints._kinds.pandas_parts import (
    CATEGORICAL,
    MIXED_FRAME,
    MIXED_INDEX,
    MIXED_SERIES,
    NA,
    NAT,
    TIMEDELTA,
    TIMESTAMP,
    freeze_frame,
    freeze_immutable,
    freeze_series,
)
from checkpoints._kinds.pandas_table import (
    from_table,
    import_pandas,
    name_from_json,
    name_to_json,
    to_table,
)

__all__ = ["KINDS", "from_table", "otherwise", "recognise", "to_table"]


_POINTER = 8


def recognise(cls: type) -> Format | Compound | None:
    """
    Say which format takes values of exactly this class.

    Args:
        cls: A class of pandas.

    Returns:
        The format; None where values of the class have to be pickled.

    Example:
        >>> import pandas
        >>> recognise(pandas.RangeIndex).kind
        'pandas.Index'
    """
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    exact: dict[Any, Format | Compound] = {
        pandas.DataFrame: _FRAME,
        pandas.Series: _SERIES,
        pandas.Categorical: CATEGORICAL,
        pandas.Timestamp: TIMESTAMP,
        pandas.Timedelta: TIMEDELTA,
        type(pandas.NaT): NAT,
        type(pandas.NA): NA,
    }
    if cls in exact:
        return exact[cls]
    is_own = cls.__module__.partition(".")[0] == "pandas"
    return _INDEX if is_own and issubclass(cls, pandas.Index) else None


def otherwise(cls: type) -> Compound | None:
    """
    Say what takes the values that the recognised format finds inexact.

    Args:
        cls: A class of pandas.

    Returns:
        The other kind, or None. It may raise `Inexact` in its turn.

    Example:
        >>> import pandas
        >>> otherwise(pandas.DataFrame).kind
        'pandas.mixed_frame'
    """
    first = recognise(cls)
    mixed = {
        _FRAME.kind: MIXED_FRAME,
        _SERIES.kind: MIXED_SERIES,
        _INDEX.kind: MIXED_INDEX,
    }
    return mixed.get(first.kind) if first else None


def _encode_frame(frame: Any) -> tuple[list[Buffer], dict[str, Any]]:
    table, meta = to_table(frame)
    return table_to_buffers(table), meta


def _decode_frame(data: memoryview, meta: Mapping[str, Any]) -> Any:
    import_pandas()
    return from_table(buffers_to_table(data), meta)


def _weight(data: memoryview, meta: Mapping[str, Any]) -> int:  # noqa: ARG001
    """How much memory pandas takes: a byte or more for a cell, where Arrow has bits."""
    cells = cells_in(data)
    # More cells than bits have no buffers, and become objects all the same.
    return cells if cells <= 8 * len(data) else _POINTER * cells


def _encode_series(series: Any) -> tuple[list[Buffer], dict[str, Any]]:
    name = name_to_json(series.name)
    buffers, meta = _encode_frame(series.to_frame("values"))
    return buffers, {**meta, "name": name, "shape": [len(series)]}


def _decode_series(data: memoryview, meta: Mapping[str, Any]) -> Any:
    series = _decode_frame(data, meta)["values"]
    series.name = name_from_json(meta["name"])
    return series


def _encode_index(index: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import pandas

    buffers, meta = _encode_frame(pandas.DataFrame(index=index))
    return buffers, {**meta, "shape": list(index.shape)}


def _decode_index(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return _decode_frame(data, meta).index


_FRAME = Format(
    kind="pandas.DataFrame",
    suffix="arrow",
    encode=_encode_frame,
    decode=_decode_frame,
    package="pandas",
    freeze=freeze_frame,
    weight=_weight,
)
_SERIES = Format(
    kind="pandas.Series",
    suffix="arrow",
    encode=_encode_series,
    decode=_decode_series,
    package="pandas",
    freeze=freeze_series,
    weight=_weight,
)
_INDEX = Format(
    kind="pandas.Index",
    suffix="arrow",
    encode=_encode_index,
    decode=_decode_index,
    package="pandas",
    freeze=freeze_immutable,
    weight=_weight,
)

KINDS: tuple[Format | Compound, ...] = (
    _FRAME,
    _SERIES,
    _INDEX,
    MIXED_FRAME,
    MIXED_SERIES,
    MIXED_INDEX,
    CATEGORICAL,
    TIMESTAMP,
    TIMEDELTA,
    NAT,
    NA,
)
