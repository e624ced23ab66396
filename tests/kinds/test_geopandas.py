"""GeoPandas, Shapely, pyproj: geometries come back exactly, and where they lie."""

from __future__ import annotations

import os
import subprocess
import sys

import geopandas
import numpy
import pandas
import pyproj
import pytest
import shapely
from shapely import GeometryCollection, LinearRing, LineString, Point, Polygon

import checkpoints
from checkpoints import FileHandler, Session, load
from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.same import same
from checkpoints._kinds.shapely import memory_of
from checkpoints._process.budget import Budget, within
from checkpoints.errors import CheckpointError

CORNERS = [(0, 0), (1, 0), (1, 1)]
POINTS = [Point(1, 2), None]


def frame(active="shape", crs="EPSG:4326"):
    made = geopandas.GeoDataFrame(
        {
            "count": [1, 2],
            "from": geopandas.GeoSeries(POINTS, crs="EPSG:3857"),
            "text": ["x", None],
            "shape": geopandas.GeoSeries([Point(1, 2), Polygon(CORNERS)]),
        },
        geometry=active,
        crs=crs,
    )
    made.index = pandas.MultiIndex.from_tuples([("b", 1), ("a", 2)], names=["l", None])
    made.attrs = {"source": ["survey"]}
    return made


def with_columns(names):
    made = frame()
    made.columns = names
    return made


def series(*geometries, **options):
    return geopandas.GeoSeries(list(geometries), **options)


GEOMETRIES = {
    "point": Point(0.1, -0.0),
    "height": Point(1, 2, 3),
    "measure": shapely.from_wkt("POINT M (1 2 3)"),
    "height and measure": shapely.from_wkt("LINESTRING ZM (1 2 3 4, 5 6 7 8)"),
    "empty": Point(),
    "empty with height": shapely.from_wkt("POLYGON Z EMPTY"),
    "NaN in one coordinate": shapely.from_wkt("POINT Z (1 2 NaN)"),
    "reference system": shapely.set_srid(Point(1, 2), 4326),
    "ring": LinearRing(CORNERS),
    "ring with height": shapely.from_wkt("LINEARRING Z (0 0 1, 1 0 2, 1 1 3, 0 0 1)"),
    "ring with a reference system": shapely.set_srid(LinearRing(CORNERS), 5),
    "empty ring": LinearRing(),
    "polygon with a hole": Point(0, 0).buffer(2).difference(Point(0, 0).buffer(1)),
    "points, one of them empty": shapely.from_wkt("MULTIPOINT (EMPTY, (1 2))"),
    "collection": GeometryCollection([LineString(CORNERS), Point(1, 2, 3)]),
    "no valid polygon": Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
}
VALUES = {
    **GEOMETRIES,
    "series": series(*GEOMETRIES.values(), None, crs=4326, name=("a", 1)),
    "array": series(Point(1, 2), None, crs=4326).array,
    "series of nothing": series(crs=4326),
    "series of missing ones": series(None, None),
    "frame": frame(),
    "frame with another active geometry": frame("from", "EPSG:3857"),
    "frame without rows": frame().iloc[:0],
    "frame without a geometry": geopandas.GeoDataFrame({"a": [1]}),
    "columns of one name": with_columns(["a", "b", "a", "shape"]),
    "active geometry renamed": with_columns(["a", "b", "c", "d"]),
    "levels of columns": with_columns(
        pandas.MultiIndex.from_product([["z", "a"], ["y", "b"]])
    ),
    "flags": frame().set_flags(allows_duplicate_labels=False),
    "objects": geopandas.GeoDataFrame({"o": [[1], {}], "geometry": [Point()] * 2}),
    "system of PROJ": series(Point(1, 2), crs="+proj=utm +zone=33"),
    "system as text": series(Point(1, 2), crs=pyproj.CRS(4326).to_wkt()),
    "two systems in one": series(Point(1, 2), crs="EPSG:4326+5773"),
    "system": pyproj.CRS("OGC:CRS84"),
}
LOCKED = {
    "point of NaN": Point(numpy.nan, numpy.nan),
    "ring in a collection": GeometryCollection([LinearRing(CORNERS)]),
}


def strict(value):
    """Everything that belongs to a value, for `==`."""
    if isinstance(value, shapely.Geometry):
        binary = shapely.to_wkb(value, include_srid=True).hex()
        return type(value), binary, value.is_empty, shapely.get_srid(value)
    if isinstance(value, pyproj.CRS):
        return value.srs, value.to_wkt(), type(value)
    if isinstance(value, geopandas.array.GeometryArray):
        return type(value), [strict(it) for it in value], strict(value.crs)
    if not isinstance(value, (pandas.DataFrame, pandas.Series)):
        return value
    labels = [type(value.index), list(value.index), value.index.names]
    labels += [value.attrs, value.flags.allows_duplicate_labels, type(value)]
    if isinstance(value, pandas.Series):
        array = value.array
        content = strict(array) if value.dtype == "geometry" else list(map(repr, array))
        return labels, value.name, value.dtype, content
    columns = [value.iloc[:, at] for at in range(value.shape[1])]
    labels += [list(value.columns), value.columns.nlevels, value._geometry_column_name]
    return labels, [strict(pandas.Series(it)) for it in columns]


@pytest.fixture
def again(tmp_path):
    def again(value, **options):
        FileHandler(tmp_path).checkpoint("survey", value=value)
        return load(tmp_path / "survey.ckpt.zip", **options)["value"]

    return again


class TestValues:
    @pytest.mark.parametrize("name", VALUES)
    def test_it_comes_back_whole_and_without_trust(self, again, name):
        assert strict(again(VALUES[name])) == strict(VALUES[name])

    @pytest.mark.parametrize("name", VALUES)
    def test_a_copy_of_it_is_whole(self, again, name):
        copied = freeze(VALUES[name])
        assert strict(copied) == strict(VALUES[name])
        assert strict(again(copied)) == strict(VALUES[name])

    def test_the_value_is_that_of_the_call(self, tmp_path):
        value = frame()
        with checkpoints.config("survey", tmp_path), Session("survey") as session:
            session.checkpoint(value=value)
            value.iloc[0, 0] = 9
            value.loc[:, "from"] = None
            value.attrs["source"].append("later")
        found = load(tmp_path / "survey.ckpt.zip")["value"]
        assert strict(found) == strict(frame())

    def test_all_of_them_load_in_a_process_that_imported_nothing(self, tmp_path):
        FileHandler(tmp_path).checkpoint("survey", VALUES)
        # The child saves again what it has loaded: its pickle would lose rings.
        program = (
            "import checkpoints, sys\n"
            "found = checkpoints.load(sys.argv[1] + '/survey.ckpt.zip')\n"
            "checkpoints.FileHandler(sys.argv[1]).checkpoint('again', found)\n"
        )
        subprocess.run(
            [sys.executable, "-c", program, tmp_path],
            check=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        found = load(tmp_path / "again.ckpt.zip")
        assert found.keys() == VALUES.keys()
        for name, value in found.items():
            assert strict(value) == strict(VALUES[name]), name

    def test_other_programs_can_read_the_geometries(self):
        members = {name: b"".join(it) for name, it in encode({"v": POINTS[0]}).members}
        assert shapely.from_wkb(members["v.wkb"]) == POINTS[0]


class TestWhatIsNotKept:
    @pytest.mark.parametrize("name", LOCKED)
    def test_what_its_binary_form_would_change_is_told(self, name):
        (why,) = encode({"v": LOCKED[name]}).pickled.values()
        assert "WKB" in why

    def test_a_column_that_is_locked_leaves_the_others(self, again):
        value = frame()
        value["odd"] = series(*list(LOCKED.values())[:2]).array
        assert list(encode({"v": value}).pickled) == ["v/geometry/4"]
        found = again(value, placeholders=True)
        assert type(found) is geopandas.GeoDataFrame
        assert strict(found.drop(columns="odd")) == strict(frame())

    def test_a_series_that_is_locked_shows_what_it_was(self, again):
        found = again(series(LOCKED["point of NaN"], index=["a"]), placeholders=True)
        assert found["a"].type == "geopandas.array.GeometryArray"

    def test_a_system_that_text_does_not_describe_is_told(self):
        value = pyproj.CRS(pyproj.CRS(4326).to_json())
        (why,) = encode({"v": value}).pickled.values()
        assert "well-known text" in why


class TestKnowledge:
    @pytest.mark.parametrize("name", VALUES)
    def test_equal_values_are_the_same(self, name):
        assert same(VALUES[name], freeze(VALUES[name]))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (frame(), frame("from", "EPSG:3857")),
            (series(Point(1, 2), crs=4326), series(Point(1, 2), crs=3857)),
            (series(Point(1, 2)).array, series(Point(1, 3)).array),
            (Point(1, 2), Point(1, 2, 3)),
            (pyproj.CRS(4326), pyproj.CRS(3857)),
        ],
    )
    def test_different_values_are_not(self, one, other):
        assert not same(one, other)

    @pytest.mark.parametrize(
        ("geometries", "bytes_each"),
        [
            # As measured by the growth of the process.
            (numpy.array([Point(1, 2)] * 100), 217),
            (numpy.array([LineString([(0, 0), (1, 1)] * 500)] * 100), 17_431),
            (numpy.array([Polygon([*CORNERS, (0, 1)])] * 100), 400),
            (numpy.array([None] * 100), 0),
        ],
    )
    def test_their_weight_is_right_within_a_fifth(self, geometries, bytes_each):
        assert memory_of(geometries) == pytest.approx(100 * bytes_each, rel=0.2)


class TestDamage:
    @pytest.mark.parametrize(
        "crs",
        [
            {"name": "+init=/etc/passwd:1", "wkt": ""},
            {"name": "../../etc/passwd", "wkt": ""},
            {"name": None, "wkt": "no text"},
            {"name": "EPSG:4326", "wkt": "no text"},
        ],
    )
    def test_a_forged_reference_system_is_an_error(self, crs):
        encoded = encode({"v": series(Point(1, 2), crs=4326).array})
        encoded.nodes["v"]["crs"] = crs
        with pytest.raises(CheckpointError):
            decoded(encoded.nodes, encoded.members)

    def test_the_memory_that_geometries_take_is_asked_for_first(self):
        collection = GeometryCollection([GeometryCollection()] * 10_000)
        encoded = encode({"v": collection})
        budget = Budget("some.ckpt.zip")
        with within(budget, "a value"):
            decoded(encoded.nodes, encoded.members)
        assert budget.taken > 200 * 10_000


def decoded(nodes, members):
    memory = {name: b"".join(it) for name, it in members}
    return decode(
        nodes,
        lambda node: memoryview(bytearray(memory[node["member"]])),
        trusted=False,
        path="some.ckpt.zip",
    )
