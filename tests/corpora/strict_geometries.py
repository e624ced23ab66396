"""What geometries of Shapely and arrays of GeoPandas consist of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.corpora.leaf import Leaf

__all__ = ["parts", "parts_of_array"]

Parts = Iterator[tuple[str, Any]]


def parts(value: Any) -> Parts | None:
    """Return the parts of a geometry of Shapely, None for other values."""
    import shapely

    return _of_geometry(value) if isinstance(value, shapely.Geometry) else None


def _of_geometry(value: Any) -> Parts:
    import shapely

    yield ".srid", int(shapely.get_srid(value))
    yield ".dimensions", Leaf((bool(value.has_z), bool(value.has_m)))
    if hasattr(value, "geoms"):
        yield ".geoms", list(value.geoms)
    elif hasattr(value, "exterior"):
        yield ".exterior", value.exterior
        yield ".interiors", list(value.interiors)
    else:
        options = {"include_z": bool(value.has_z), "include_m": bool(value.has_m)}
        yield ".coordinates", shapely.get_coordinates(value, **options)


def parts_of_array(value: Any) -> Parts | None:
    """Return the parts of an array of GeoPandas, None for other values."""
    import geopandas

    is_array = isinstance(value, geopandas.array.GeometryArray)
    return _of_array(value) if is_array else None


def _of_array(value: Any) -> Parts:
    yield ".crs", value.crs
    yield ".geometries", list(value)
