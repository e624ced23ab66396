"""Pairs of values of xarray, Shapely and GeoPandas that differ in one thing."""

from __future__ import annotations

import geopandas
import pandas as pd
import shapely
import xarray as xr

from tests.corpora.planted import NAN, OTHER_NAN

__all__ = ["GEOMETRIES", "XARRAY"]


def data(values=(1.5, 2.5), **options):
    given = {"coords": {"x": [1, 2]}, "dims": "x", "name": "t", **options}
    return xr.DataArray(list(values), **given)


def encoded(number):
    made = data()
    made.encoding["scale_factor"] = number
    return made


def places(*points, **options):
    return geopandas.GeoSeries(list(points), **options)


def framed(name):
    places_of_both = {"a": places(ORIGIN), "b": places(ORIGIN)}
    return geopandas.GeoDataFrame(places_of_both, geometry=name)


XARRAY = {
    "value": lambda: (data(), data([1.5, 3.5])),
    "sign of zero": lambda: (data([0.0, 1.0]), data([-0.0, 1.0])),
    "name": lambda: (data(), data(name="u")),
    "attributes": lambda: (data(attrs={"unit": "m"}), data(attrs={"unit": "s"})),
    "type of an attribute": lambda: (data(attrs={"a": 1}), data(attrs={"a": True})),
    "encoding": lambda: (encoded(1), encoded(2)),
    "label": lambda: (data(), data(coords={"x": [1, 3]})),
    "labels that are missing": lambda: (data(), data(coords={})),
    "dtype of labels": lambda: (data(), data(coords={"x": [1.0, 2.0]})),
    "index": lambda: (data(), data().drop_indexes("x")),
    "name of a dimension": lambda: (data(coords={}), data(coords={}, dims="y")),
    "dtype": lambda: (data(), data().astype("f4")),
    "levels of labels": lambda: (
        data().stack(z=["x"]),  # noqa: PD013 - it is of xarray
        data().rename(x="y").stack(z=["y"]),  # noqa: PD013 - it is of xarray
    ),
    "order of variables": lambda: (
        xr.Dataset({"a": 1, "b": 1}),
        xr.Dataset({"b": 1, "a": 1}),
    ),
    "variable or label": lambda: (
        xr.Dataset({"a": ("x", [1])}),
        xr.Dataset(coords={"a": ("x", [1])}),
    ),
    "attributes of a variable": lambda: (
        xr.Dataset({"a": ("x", [1], {"unit": "m"})}),
        xr.Dataset({"a": ("x", [1], {"unit": "s"})}),
    ),
    "variable": lambda: (xr.Variable("x", [1]), xr.Variable("x", [2])),
    "class of a variable": lambda: (xr.Variable("x", [1]), xr.IndexVariable("x", [1])),
}

ORIGIN = shapely.Point(0, 0)
GEOMETRIES = {
    "coordinate": lambda: (ORIGIN, shapely.Point(0, 1)),
    "sign of zero": lambda: (ORIGIN, shapely.Point(0, -0.0)),
    "bits of NaN": lambda: (shapely.Point(1, NAN), shapely.Point(1, OTHER_NAN)),
    "height": lambda: (ORIGIN, shapely.Point(0, 0, 0)),
    "SRID": lambda: (ORIGIN, shapely.set_srid(ORIGIN, 4326)),
    "ring": lambda: (
        shapely.LinearRing([(0, 0), (0, 1), (1, 1), (0, 0)]),
        shapely.LineString([(0, 0), (0, 1), (1, 1), (0, 0)]),
    ),
    "hole": lambda: (
        shapely.box(0, 0, 9, 9),
        shapely.Polygon(
            shapely.box(0, 0, 9, 9).exterior, [shapely.box(1, 1, 2, 2).exterior]
        ),
    ),
    "part": lambda: (
        shapely.MultiPoint([(0, 0), (1, 1)]),
        shapely.MultiPoint([(0, 0), (1, 2)]),
    ),
    "one or several": lambda: (ORIGIN, shapely.MultiPoint([(0, 0)])),
    "empty": lambda: (shapely.Point(), shapely.Polygon()),
    "height of nothing": lambda: (
        shapely.from_wkt("MULTIPOINT EMPTY"),
        shapely.from_wkt("GEOMETRYCOLLECTION EMPTY"),
    ),
    "missing": lambda: (places(ORIGIN, None), places(ORIGIN, shapely.Point())),
    "reference system": lambda: (
        places(ORIGIN, crs="EPSG:4326"),
        places(ORIGIN, crs="EPSG:3857"),
    ),
    "no reference system": lambda: (places(ORIGIN), places(ORIGIN, crs="EPSG:4326")),
    "label": lambda: (places(ORIGIN, index=[1]), places(ORIGIN, index=["a"])),
    "active geometry": lambda: (framed("a"), framed("b")),
    "class": lambda: (framed("a"), pd.DataFrame(framed("a"))),
}
