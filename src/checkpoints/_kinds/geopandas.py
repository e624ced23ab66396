"""GeoPandas: frames and series, with their geometries as well-known binary (WKB)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checkpoints._kinds.arrow_file import buffers_to_table, table_to_buffers
from checkpoints._kinds.kind import Buffer, Compound, Family, Format, Inexact, Kind
from checkpoints._kinds.pickled import Pickled
from checkpoints._kinds.pyproj import crs_from_json, crs_to_json
from checkpoints._kinds.shapely import from_wkb, memory_of, to_wkb, weight
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "recognise"]


def recognise(cls: type) -> Kind | None:
    """
    Return the kind for values of exactly this class.

    Args:
        cls: A class of GeoPandas.

    Returns:
        The kind; None if values of the class are pickled.

    Example:
        >>> import geopandas
        >>> recognise(geopandas.GeoSeries).kind
        'geopandas.GeoSeries'
    """
    geopandas = sys.modules.get("geopandas")
    if geopandas is None:
        return None
    exact: dict[Any, Kind] = {
        geopandas.GeoDataFrame: _FRAME,
        geopandas.GeoSeries: _SERIES,
        geopandas.array.GeometryArray: _ARRAY,
    }
    return exact.get(cls)


def _import_geopandas() -> Any:
    return needed("geopandas", "loading a GeoPandas value")


def _encode_array(array: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import numpy

    pyarrow = needed("pyarrow", "saving geometries")
    binary, rings = to_wkb(numpy.asarray(array, dtype=object))
    columns = {"geometry": pyarrow.array(binary, pyarrow.large_binary())}
    if rings.any():
        columns["is_ring"] = rings
    crs = None if array.crs is None else crs_to_json(array.crs)
    meta = {"shape": [len(array)], "crs": crs}
    return table_to_buffers(pyarrow.table(columns)), meta


def _decode_array(data: memoryview, meta: Mapping[str, Any]) -> Any:
    geopandas = _import_geopandas()
    numpy = needed("numpy", "loading geometries")
    table = buffers_to_table(data)
    if not _is_binary(table["geometry"].type):
        raise ValueError("geometries are not saved as bytes")
    binary = table["geometry"].to_numpy()
    rings = numpy.zeros(len(binary), dtype=bool)
    if "is_ring" in table.column_names:
        rings = table["is_ring"].to_numpy()
    crs = None if meta["crs"] is None else crs_from_json(meta["crs"])
    return geopandas.array.GeometryArray(from_wkb(binary, rings), crs=crs)


def _is_binary(kind: Any) -> bool:
    # In a dictionary or in views, a few bytes would stand for any number of geometries.
    types = needed("pyarrow", "loading geometries").types
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _freeze_array(array: Any) -> Any:
    # The geometries themselves are immutable.
    return array.copy()


def _take_series_apart(series: Any) -> dict[str, Any]:
    parts = {
        "values": series.array,
        "index": series.index,
        "name": series.name,
        **_notes_of(series),
    }
    _check_same(series, _put_series_together(parts))
    return parts


def _put_series_together(parts: dict[str, Any]) -> Any:
    cls = _import_geopandas().GeoSeries
    if isinstance(parts["values"], Pickled):
        cls = needed("pandas", "loading a GeoSeries").Series
    series = cls(parts["values"], index=parts["index"])
    series.name = parts["name"]
    return _with_notes(series, parts)


def _take_frame_apart(frame: Any) -> dict[str, Any]:
    positions = {at for at, dtype in enumerate(frame.dtypes) if dtype == "geometry"}
    others = [at for at in range(frame.shape[1]) if at not in positions]
    rest = needed("pandas", "saving a GeoDataFrame").DataFrame(frame.iloc[:, others])
    rest.attrs = {}
    parts = {
        "frame": rest,
        "geometry": {str(at): frame.iloc[:, at].array for at in sorted(positions)},
        "columns": frame.columns,
        # Not the public name, which is None while there is no such column.
        "active": frame._geometry_column_name,  # noqa: SLF001 - for the reason above
        **_notes_of(frame),
    }
    _check_same(frame, _put_frame_together(parts))
    return parts


def _put_frame_together(parts: dict[str, Any]) -> Any:
    rest = parts["frame"]
    # Under names of its own choice, GeoPandas would convert columns.
    rest = rest.set_axis(range(rest.shape[1]), axis="columns")
    for at, values in parts["geometry"].items():
        rest.insert(int(at), -1 - int(at), values)
    frame = _import_geopandas().GeoDataFrame(rest)
    frame.columns = parts["columns"]
    frame._geometry_column_name = parts["active"]  # noqa: SLF001 - `set_geometry` requires the column
    return _with_notes(frame, parts)


def _notes_of(value: Any) -> dict[str, Any]:
    can_repeat = value.flags.allows_duplicate_labels
    return {"attrs": value.attrs, "allows_duplicate_labels": can_repeat}


def _with_notes(value: Any, parts: dict[str, Any]) -> Any:
    value.attrs = parts["attrs"]
    value.flags.allows_duplicate_labels = parts["allows_duplicate_labels"]
    return value


def _check_same(value: Any, again: Any) -> None:
    """Raise `Inexact` if more than the contents of a value's parts belongs to it."""
    is_same = value.index.identical(again.index) and value.flags == again.flags
    if value.ndim > 1:
        is_same &= value.columns.identical(again.columns)
        is_same &= list(value.dtypes) == list(again.dtypes)
    if not is_same:
        raise Inexact("GeoPandas puts its labels, types or flags together differently")


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    import numpy

    if hasattr(value, "columns"):
        columns = [value.iloc[:, at].array for at in range(value.shape[1])]
        return 0, [value.index, *columns]
    if not hasattr(value, "geom_type"):
        return None
    return memory_of(numpy.asarray(value, dtype=object)), [getattr(value, "index", ())]


def _content(value: Any) -> dict[str, Any] | None:
    if not isinstance(recognise(type(value)), Format):
        return None
    import numpy

    binary, rings = to_wkb(numpy.asarray(value, dtype=object))
    crs = None if value.crs is None else crs_to_json(value.crs)
    return {"geometries": binary.tolist(), "is_ring": rings, "crs": crs}


def _same(one: Any, other: Any, same: Callable[[Any, Any], bool]) -> bool:
    kind = recognise(type(one))
    if isinstance(kind, Compound):
        return same(kind.take_apart(one), kind.take_apart(other))
    if not hasattr(one, "geom_type"):
        return bool(one == other)
    # `equals` of pandas does not look at the reference system.
    return bool(one.crs == other.crs) and same(list(one), list(other))


_ARRAY = Format(
    kind="geopandas.GeometryArray",
    suffix="arrow",
    encode=_encode_array,
    decode=_decode_array,
    package="geopandas",
    freeze=_freeze_array,
    weight=weight,
)
_SERIES = Compound(
    kind="geopandas.GeoSeries",
    take_apart=_take_series_apart,
    put_together=_put_series_together,
    package="geopandas",
)
_FRAME = Compound(
    kind="geopandas.GeoDataFrame",
    take_apart=_take_frame_apart,
    put_together=_put_frame_together,
    package="geopandas",
)

FAMILY = Family(
    packages=("geopandas",),
    kinds=(_ARRAY, _SERIES, _FRAME),
    recognise=recognise,
    weigh=_weigh,
    same=_same,
    content=_content,
)
