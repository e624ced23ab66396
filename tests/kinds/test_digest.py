"""Digests: equal values have equal ones, and different values have different ones."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import threading

import geopandas
import numpy
import pandas
import PIL.Image
import polars
import pyarrow
import pytest
import scipy.sparse
import shapely
import xarray

from checkpoints._kinds.digest import digest_of
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.summary import summaries_of

GRID = numpy.arange(12.0).reshape(3, 4)
ALIGNED = numpy.dtype([("a", "i1"), ("b", "f8")], align=True)
TEXTS = pyarrow.array(["zz", "a", None, "b"])
LEVELS = pandas.MultiIndex.from_product([["a", "b"], [1, 2]])
MANY = numpy.random.default_rng(1).random(100_000)


@dataclasses.dataclass
class Point:
    x: float
    notes: dict


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


Pair = collections.namedtuple("Pair", "a b")  # noqa: PYI024 - as programs have them


def hidden(array, under):
    """The same array, with another value under its mask."""
    found = array.copy()
    found._data[found._mask] = under
    return found


def under_null(numbers, valid):
    data = pyarrow.py_buffer(numpy.array(numbers, "i8").tobytes())
    return pyarrow.Array.from_buffers(
        pyarrow.int64(), len(numbers), [pyarrow.py_buffer(valid), data]
    )


def other_nan():
    array = numpy.array([math.nan, 1.0])
    array.view("u8")[0] |= (1 << 63) + 5
    return array


def by_columns(**columns):
    frame = pandas.DataFrame(index=range(2))
    for name, values in columns.items():
        frame[name] = values
    return frame


def tables(*chunks):
    kind = pyarrow.array(chunks[0]).type
    return pyarrow.table({"a": pyarrow.chunked_array(chunks, kind)})


def series(*chunks):
    return polars.concat([polars.Series("a", it) for it in chunks], rechunk=False)


def twice(value):
    return [value, value]


NULLABLE = pandas.array([1, None, 3], dtype="Int64")
EQUAL = {
    "memory order": (GRID, numpy.asfortranarray(GRID)),
    "strides": (GRID[::2, ::-1], GRID[::2, ::-1].copy()),
    "bits of a NaN": (numpy.array([math.nan, 1.0]), other_nan()),
    "a NaN": (math.nan, -math.nan),
    "complex NaN": (numpy.array([complex(math.nan, 1)]), other_nan()[:1] + 1j),
    "padding of a struct": (
        numpy.zeros(2, ALIGNED),
        numpy.frombuffer((b"\0\7\7\7\7\7\7\7" + b"\0" * 8) * 2, ALIGNED),
    ),
    "under a mask": (
        numpy.ma.array([1, 2], mask=[0, 1]),
        numpy.ma.array([1, 9], mask=[0, 1]),
    ),
    "no mask": (numpy.ma.array([1, 2]), numpy.ma.array([1, 2], mask=[0, 0])),
    "under NA": (NULLABLE, hidden(NULLABLE, 77)),
    "under NA in a frame": (
        pandas.DataFrame({"a": NULLABLE}),
        pandas.DataFrame({"a": hidden(NULLABLE, 77)}),
    ),
    "under NaN of booleans": (
        pandas.array([True, None], dtype="boolean"),
        hidden(pandas.array([True, None], dtype="boolean"), under=True),
    ),
    "blocks": (
        pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": ["x", None]}),
        by_columns(a=[1.0, 2.0], b=[3.0, 4.0], c=["x", None]),
    ),
    "memory order of a frame": (
        pandas.DataFrame(GRID),
        pandas.DataFrame(numpy.asfortranarray(GRID)),
    ),
    "many columns": (
        pandas.DataFrame(numpy.ones((2, 150))),
        pandas.DataFrame({at: [1.0, 1.0] for at in range(150)}),
    ),
    "unused levels": (LEVELS[:2], pandas.MultiIndex.from_product([["a"], [1, 2]])),
    "a range of labels": (
        pandas.DataFrame({"a": [1, 2, 3]}, index=pandas.RangeIndex(0, 5, 2)),
        pandas.DataFrame({"a": [1, 2, 3]}, index=pandas.Index([0, 2, 4])),
    ),
    "an empty range of labels": (pandas.RangeIndex(5, 5), pandas.Index([], "int64")),
    "frequency": (
        pandas.date_range("2020", periods=3),
        pandas.DatetimeIndex(pandas.date_range("2020", periods=3), freq=None),
    ),
    "chunks in a frame": (
        pandas.DataFrame({"a": pandas.array(["x", None], "string[pyarrow]")}),
        pandas.concat(
            [
                pandas.DataFrame({"a": pandas.array([it], "string[pyarrow]")})
                for it in ("x", None)
            ],
            ignore_index=True,
        ),
    ),
    "under a null": (
        under_null([1, 0, 3], b"\x05"),
        under_null([1, 99, 3], b"\x05"),
    ),
    "chunks": (tables([1, 2, 3]), tables([1], [], [2, 3])),
    "slice of texts": (pyarrow.array(["a", None, "b"]), TEXTS.slice(1)),
    "slice of booleans": (
        pyarrow.array([True, None, False]),
        pyarrow.array([False, True, None, False]).slice(1),
    ),
    "slice of floats": (
        pyarrow.array([1.5, math.nan, None]),
        pyarrow.array([0, 1.5, math.nan, None]).slice(1),
    ),
    "slice of lists": (
        pyarrow.array([[1], None, [2, 3]]),
        pyarrow.array([[5], [1], None, [2, 3]]).slice(1),
    ),
    "slice of pairs": (
        pyarrow.array([[1, 2], None], pyarrow.list_(pyarrow.int8(), 2)),
        pyarrow.array([[0, 0], [1, 2], None], pyarrow.list_(pyarrow.int8(), 2))[1:],
    ),
    "slice of structs": (
        pyarrow.array([{"a": 1, "b": ["x"]}, None]),
        pyarrow.array([None, {"a": 1, "b": ["x"]}, None]).slice(1),
    ),
    "slice of decimals": (
        pyarrow.array([decimal.Decimal("1.5"), None]),
        pyarrow.array([decimal.Decimal("2.5"), decimal.Decimal("1.5"), None])[1:],
    ),
    "dictionaries of chunks": (
        pyarrow.chunked_array(
            [pyarrow.array(it).dictionary_encode() for it in (["a", "b"], ["b"])]
        ),
        pyarrow.chunked_array([pyarrow.array(["a", "b", "b"]).dictionary_encode()]),
    ),
    "metadata of a schema": (
        tables([1]),
        tables([1]).replace_schema_metadata({"pandas_version": "2"}),
    ),
    "chunks of Polars": (series([1, 2, 3]), series([1], [2, 3])),
    "numbers of categories": (
        polars.Series(["b", "a"], dtype=polars.Categorical),
        polars.Series(["a", "b", "a"], dtype=polars.Categorical).slice(1),
    ),
    "order of a dict": ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
    "order of a set": ({1, "a", (2,)}, {(2,), "a", 1}),
    "one object twice": (twice(GRID), [GRID, GRID.copy()]),
    "one list twice": (twice([1]), [[1], [1]]),
    "records": (Point(1.0, {"a": 1, "b": 2}), Point(1.0, {"b": 2, "a": 1})),
    "order of attributes": (
        xarray.DataArray(GRID, dims=("x", "y"), attrs={"a": 1, "b": 2}),
        xarray.DataArray(
            numpy.asfortranarray(GRID), dims=("x", "y"), attrs={"b": 2, "a": 1}
        ),
    ),
    "geometries of a slice": (
        geopandas.GeoSeries.from_xy([1], [2], crs=4326),
        geopandas.GeoSeries.from_xy([0, 1], [0, 2], crs=4326)[1:].reset_index(
            drop=True
        ),
    ),
    "mean in another order": (
        MANY.reshape(400, 250),
        numpy.asfortranarray(MANY.reshape(400, 250)),
    ),
    "mean of chunks": (tables(MANY), tables(MANY[:777], MANY[777:])),
    "mean of Polars": (series(MANY), series(MANY[:777], MANY[777:])),
}
DAY = pandas.Timestamp("2020")
DIFFERENT = [
    *(None, True, 1, 1.0, 1j, "1", b"1", bytearray(b"1"), "", b"", 0.0, -0.0),
    *([1], (1,), {1}, frozenset({1}), {"a": 1}, {"a": 2}, {"a": 1, "b": 1}, {1: "a"}),
    *([], (), {}, [[]], [[], []], [()], [[1], [2]], [[1, 2]], [(1, 2)], [[1], [2.0]]),
    *(["a", "b"], ["ab"], ["a", "b", ""], 10**5000, 10**5000 + 1, "\ud800", [None]),
    *(decimal.Decimal("1.5"), Colour.RED, Colour.GREEN),
    *(Pair(1, 2), Pair(2, 1), Point(1.0, {}), Point(1, {}), pathlib.PurePosixPath("a")),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    *(numpy.array([1]), numpy.array([1], "i4"), numpy.array([1], ">i8")),
    *(numpy.array([[1]]), numpy.array(1), numpy.int64(1), numpy.array([1], object)),
    *(numpy.array(["1"]), numpy.array([b"1"]), numpy.array([]), numpy.zeros((0, 1))),
    *(numpy.ma.array([1]), numpy.ma.array([1], mask=[1])),
    numpy.ma.array([1], fill_value=7),
    *(numpy.zeros(1, ALIGNED), numpy.zeros(1, [("a", "i1"), ("b", "f8")])),
    *(numpy.array(["2020"], "M8[D]"), numpy.array(["2020"], "M8[s]")),
    *(pandas.Series([1]), pandas.Series([1], name="a"), pandas.Series([1], [1])),
    *(pandas.Series([1], ["a"]), pandas.Series([1.0]), pandas.Series(NULLABLE[:1])),
    *(
        pandas.Series(NULLABLE[1:2]),
        pandas.Series(["a"]),
        pandas.Series(["a"], dtype=object),
    ),
    *(pandas.Series([None], dtype=object), pandas.Series([math.nan], dtype=object)),
    *(pandas.Series([DAY]), pandas.Series([DAY.tz_localize("UTC")])),
    pandas.Series([DAY.tz_localize("Europe/Berlin")]),
    *(pandas.Categorical(["a"]), pandas.Categorical(["a"], ["a", "b"])),
    pandas.Categorical(["a"], ["a", "b"], ordered=True),
    pandas.Categorical(["a"], ["b", "a"]),
    *(pandas.DataFrame({"a": [1]}), pandas.DataFrame({"b": [1]})),
    *(pandas.DataFrame({"a": [1], "b": [2]}), pandas.DataFrame({"b": [2], "a": [1]})),
    pandas.DataFrame({"a": [1]}, pandas.Index([0], name="n")),
    pandas.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
    pandas.DataFrame({"a": [1]}).rename_axis("n", axis="columns"),
    pandas.DataFrame(numpy.ones((2, 150))),
    pandas.DataFrame(numpy.ones((2, 150)), dtype="f4"),
    *(LEVELS, LEVELS[::-1], LEVELS.rename(["a", None]), pandas.RangeIndex(3)),
    *(pyarrow.array([1]), pyarrow.array([1], "i4"), pyarrow.chunked_array([[1]])),
    *(pyarrow.array([None], "i8"), pyarrow.array([0]), pyarrow.array([""])),
    *(pyarrow.array([None], "string"), pyarrow.array(["a", "bc"])),
    *(pyarrow.array(["ab", "c"]), pyarrow.array([[1], [2, 3]])),
    *(pyarrow.array([[1, 2], [3]]), pyarrow.array([[None], [1, 2]])),
    *(pyarrow.array([[], [1, 2]]), pyarrow.array([None, [1, 2]])),
    *(tables([1]), tables([2]), pyarrow.table({"b": [1]}), pyarrow.table({})),
    *(pyarrow.record_batch({"a": [1]}), pyarrow.schema({"a": pyarrow.int64()})),
    *(series([1]), polars.Series("b", [1]), polars.DataFrame({"a": [1]})),
    *(series([1]).cast(polars.Int32), polars.Series("a", ["x"])),
    polars.Series("a", ["x"], dtype=polars.Categorical),
    polars.Series("a", ["x"], dtype=polars.Enum(["x", "y"])),
    *(polars.DataFrame(), polars.DataFrame(height=3)),
    *(scipy.sparse.csr_array(numpy.eye(2)), scipy.sparse.csc_array(numpy.eye(2))),
    *(xarray.DataArray([1.0], dims="x"), xarray.DataArray([1.0], dims="y")),
    xarray.DataArray([1.0], dims="x", name="n"),
    xarray.DataArray([1.0], dims="x", attrs={"a": 1}),
    xarray.DataArray([1.0], {"x": [0]}, dims="x"),
    *(shapely.Point(1, 2), shapely.Point(1, 2, 3)),
    *(geopandas.GeoSeries.from_xy([1], [2]), geopandas.GeoSeries.from_xy([1], [3])),
    geopandas.GeoSeries.from_xy([1], [2], crs=4326),
    *(PIL.Image.new("RGB", (3, 3)), PIL.Image.new("L", (3, 3))),
    PIL.Image.new("L", (3, 3), 1),
]
# So that a hash means the same in each version; a change must be on purpose.
GOLDEN = {
    "none": (None, "4042e433d73e84abc98494ff990cd411"),
    "numbers": ([1, 2.5, math.nan, True, -0.0], "33023d7c92acaf79f3dad7f6f81b03fc"),
    "nested": (
        {"a": [1, {"b": ("c", b"d")}], 2: {3}},
        "985c5a0b1f9a12d68b4bb7352fe3950a",
    ),
    "array": (GRID, "c1f12d62bfb92c3d0654e652411d72e2"),
    "objects": (
        numpy.array([1, "a", None], dtype=object),
        "baf0a8372c8b5ded1f62ef6dd58847c6",
    ),
    "masked": (
        numpy.ma.array([1, 2], "i8", mask=[0, 1]),
        "f02d1f39828bf566386302bfbfe2328e",
    ),
    "frame": (
        pandas.DataFrame({7: [1.5, None], 4: NULLABLE[:2]}),
        "f68dbbac16e017448c584bf25ba21104",
    ),
    "table": (
        tables([1, None]).append_column("b", [["x", None]]),
        "7e426af81035adcc3943db194a885b27",
    ),
    "polars": (
        polars.DataFrame({"a": [1, None], "b": ["x", None]}),
        "3916ca0bcb45853d4f55879d3f5f0e6a",
    ),
    "dataset": (
        xarray.Dataset({"t": ("x", [1.0])}, {"x": [1]}, {"k": "v"}),
        "1bda6ca0789b443d5c889787ef64b51c",
    ),
    "point": (shapely.Point(1, 2), "70c24e567a95395ae0a8ebf7af71a90a"),
}


def summary_of(value):
    return summaries_of({"value": value})["value"]


class TestEqualContent:
    @pytest.mark.parametrize("name", EQUAL)
    def test_it_has_an_equal_digest(self, name):
        one, other = EQUAL[name]
        assert digest_of(one) == digest_of(other)

    @pytest.mark.parametrize("name", EQUAL)
    def test_it_has_an_equal_digest_inside_of_others(self, name):
        one, other = EQUAL[name]
        assert digest_of({"a": (one, 1)}) == digest_of({"a": (other, 1)})

    @pytest.mark.parametrize("name", EQUAL)
    def test_it_has_an_equal_summary(self, name):
        one, other = EQUAL[name]
        assert summary_of(one) == summary_of(other)


class TestDifferentContent:
    def test_it_has_different_hashes(self):
        found = {}
        for value in DIFFERENT:
            digest = digest_of(value).hash
            assert digest not in found, (value, found[digest])
            found[digest] = value

    def test_attributes_of_a_frame_count(self):
        one, other = pandas.DataFrame({"a": [1]}), pandas.DataFrame({"a": [1]})
        other.attrs["unit"] = "K"
        assert digest_of(one).hash != digest_of(other).hash


class TestNoDigest:
    @pytest.mark.parametrize(
        "value",
        [
            threading.Lock(),
            [threading.Lock()],
            {"a": lambda: 1},
            numpy.array([object()], dtype=object),
            pandas.Series([object()]),
            xarray.DataArray([1.0], attrs={"a": object()}),
        ],
    )
    def test_what_is_pickled_has_none(self, value):
        with pytest.raises(Inexact, match="pickles of equal objects"):
            digest_of(value)

    def test_what_holds_itself_has_none(self):
        value = []
        value.append(value)
        with pytest.raises(Inexact, match="contains itself"):
            digest_of(value)


class TestGolden:
    @pytest.mark.parametrize("name", GOLDEN)
    def test_it_is_what_it_was_in_the_first_version(self, name):
        value, expected = GOLDEN[name]
        assert digest_of(value).hash.removeprefix("blake2b:") == expected


class TestSize:
    def test_it_is_that_of_the_content_however_it_is_shared(self):
        assert digest_of("é" * 10).bytes == 20
        assert digest_of(twice(GRID)).bytes == digest_of([GRID, GRID.copy()]).bytes
        assert 800_000 <= digest_of(MANY).bytes < 800_100
