"""
Write the golden files of a version, one for each family of values, or some of them.

    python tests/golden/make.py tests/golden/0.1
    python tests/golden/make.py tests/golden/0.1 arrow_kinds polars_kinds

Never rewrite the files of a released version: they show whether later versions still
read them. `VALUES` creates the values in them again.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import math
import pathlib
import sys
import uuid
import zoneinfo

from checkpoints import FileHandler, Key
from checkpoints._process.origin import Origin

NESTED = {
    "none": None,
    "numbers": [True, 1, -(2**70), 0.1, -0.0, math.inf, 1 - 2j],
    "texts": ("ü", "", "\ud800", b"\0\xff", bytearray(b"ab")),
    "moments": [
        datetime.date(2024, 2, 29),
        datetime.time(1, 2, 3, 4),
        datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
        datetime.datetime(
            2024, 10, 27, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=1
        ),
        datetime.timedelta(-1, 2, 3),
    ],
    "exact": {decimal.Decimal("1.50"), uuid.UUID(int=5)},
    "keys": {1: "int", "1": "str", (1, 2): frozenset({3}), "$a": {"$b": None}},
}


def plain():
    return {
        "nested": NESTED,
        "whole": 3,
        "real": math.nan,
        "text": "two\nlines, ü",
        "raw": b"\0\1\2",
        "nothing": None,
    }


def numpy_values():
    import numpy

    grid = numpy.arange(6, dtype="<f4").reshape(2, 3)
    return {
        "grid": grid,
        "columns": numpy.asfortranarray(grid),
        "days": numpy.array(["2024-02-29", "NaT"], "<M8[D]"),
        "texts": numpy.array(["a", "ü"], "<U2"),
        "rows": numpy.array([(1, 2.5)], [("n", "<i4"), ("x", ">f8")]),
        "scalar": numpy.float32(1.5),
        "objects": numpy.array(["a", None, {"b": 1}], object),
        "masked": numpy.ma.MaskedArray(numpy.arange(3), [False, True, False]),
        "inside": {"list": [numpy.zeros(2), 1]},
    }


def numpy_kinds():
    """Return a value of each kind that NumPy 1.26 and NumPy 2 can both save."""
    import numpy

    generator = numpy.random.Generator(numpy.random.PCG64(7))
    generator.random(3)
    records = numpy.rec.array([(1, "a"), (2, "b")], dtype="i4,U2")
    masked = numpy.ma.MaskedArray([1.5, 2], [False, True], fill_value=-1)
    pairs = numpy.array([(1, 2), (3, 4)], "i4,i4")
    inner = ("<f8", (2,))
    return {
        "aligned": numpy.zeros(2, numpy.dtype("i1,f8", align=True)),
        "titled": numpy.zeros(2, [(("title", "name"), "<i2")]),
        "of arrays": numpy.ones(2, [("a", inner, (3,))]),
        "of objects": numpy.array([(1, "a"), (None, [2])], [("x", "O"), ("y", "O")]),
        "records": records,
        "record": records[1],
        "row": pairs[1],
        "matrix": numpy.arange(4).reshape(2, 2).view(numpy.matrix),
        "masked": masked,
        "masked records": numpy.ma.MaskedArray(pairs, [(True, False), (False, True)]),
        "constant": numpy.ma.masked,
        "repeated": numpy.broadcast_to(numpy.arange(3), (2, 3)),
        "long long": numpy.array([1], "q"),
        "big": numpy.array([1.5, -0.0], ">f8"),
        "bytes": numpy.array([b"a\0b", b""], "S3"),
        "void": numpy.array([b"ab", b"cd"], "V2"),
        "times": numpy.array([1, "NaT"], "m8[25us]"),
        "without axes": numpy.array("ü"),
        "empty": numpy.zeros((2, 0), "?", "F"),
        "scalars": [numpy.int8(-1), numpy.complex64(1j), numpy.datetime64("2024-02")],
        "dtypes": [numpy.dtype("i1,f8", align=True), numpy.dtype("q")],
        "generator": generator,
        "random state": numpy.random.RandomState(7),
        "seed": numpy.random.SeedSequence(7).spawn(2)[1],
    }


def numpy_text():
    import numpy

    dtype = numpy.dtypes.StringDType(na_object=None)
    return {"text": numpy.array(["a", None, "a text of any length"], dtype)}


def pandas_values():
    import pandas

    index = pandas.Index(["x", "y", "z"], name="row")
    frame = pandas.DataFrame(
        {"n": [1, 2, 3], "real": [0.5, None, -1.0], "text": ["a", "ü", ""]}, index=index
    )
    frame["day"] = pandas.to_datetime(["2024-02-29", None, "1970-01-01"])
    frame["kind"] = pandas.Categorical(["a", "b", "a"], ["b", "a"], ordered=True)
    return {"frame": frame, "series": frame["real"], "index": index}


def pandas_kinds():
    import numpy
    import pandas
    import pyarrow

    days = pandas.date_range("2024-02-28", periods=3, unit="us")
    paris = days.tz_localize(zoneinfo.ZoneInfo("Europe/Paris"))
    lists = pandas.ArrowDtype(pyarrow.list_(pyarrow.int64()))
    columns = {
        "paris": pandas.Series(paris),
        "utc": pandas.Series(days.tz_localize(datetime.UTC)),
        "period": pandas.Series(pandas.period_range("2024-01", periods=3, freq="M")),
        "interval": pandas.Series(pandas.interval_range(0, 3)),
        "sparse": pandas.Series(pandas.arrays.SparseArray([0, 0, 1])),
        "lists": pandas.Series([[1], None, []], dtype=lists),
        "nullable": pandas.Series([1, None, 3], dtype="Int8"),
        "floats": pandas.Series([1.5, None, 3], dtype="Float32"),
        "flags": pandas.Series([True, None, False], dtype="boolean"),
        "python": pandas.Series(["a", None, "c"], dtype="string[python]"),
        "arrow": pandas.Series(["a", None, "c"], dtype="string[pyarrow]"),
        "mixed": pandas.Series(["a", 1, None], dtype=object),
        "texts": pandas.Series(["a", "b", None], dtype=object),
        "complex": pandas.Series([1j, 2, 3]),
    }
    levels = pandas.MultiIndex.from_arrays(
        [pandas.Categorical(["b", "a", "b"], ["b", "a"]), days], names=["kind", None]
    )
    frame = pandas.DataFrame(columns).set_axis(levels)
    frame.attrs = {"unit": "m"}
    return {
        "frame": frame,
        **{f"array {name}": column.array for name, column in columns.items()},
        "series": columns["paris"].set_axis(levels),
        "levels": levels,
        "days": days,
        "range": pandas.RangeIndex(3, name=7),
        "objects": pandas.Index(["a", "b"], dtype=object),
        "one level": pandas.MultiIndex.from_arrays([[1, 2]]),
        "wide": pandas.DataFrame(numpy.arange(240.0).reshape(2, 120)),
        "scalars": [
            paris[0],
            pandas.Timedelta(1, "s"),
            pandas.Period("2024-01", "M"),
            pandas.Interval(0, 1, closed="both"),
            pandas.NaT,
            pandas.NA,
            pandas.offsets.BDay(2),
        ],
    }


def records():
    shared = [1, 2]
    return {
        "path": pathlib.PurePosixPath("a/b"),
        "shared": {"one": shared, "other": [shared]},
        "rows": [(1, "a"), (2, "b")],
        "large": [bytes(5000)],
    }


def shown(values):
    """Return values, and their texts, for a file that another version is to read."""
    return {**values, "shown": {name: as_text(it) for name, it in values.items()}}


def as_text(value):
    """Return what every version of pandas says of a value."""
    is_array = hasattr(value, "dtype") and not hasattr(value, "to_frame")
    text = ", ".join(map(str, value)) if is_array else repr(value)
    return f"{getattr(value, 'dtype', '')} {' '.join(text.split())}"


def polars_values():
    import polars

    frame = polars.DataFrame(
        {"n": [1, None, 3], "text": ["a", "ü", None], "list": [[1], [], [2, 3]]}
    )
    return {"frame": frame, "series": frame["n"]}


def polars_kinds():
    import polars

    noon = datetime.datetime(2024, 2, 29, 12)
    columns = {
        "": polars.Series([1.5, None], dtype=polars.Float32),
        "texts": polars.Series(["b", "a"], dtype=polars.Categorical),
        "levels": polars.Series(["b", None], dtype=polars.Enum(["b", "a"])),
        "moments": polars.Series([noon, None], dtype=polars.Datetime("ns", "UTC")),
        "spans": polars.Series([datetime.timedelta(1), None]),
        "times": polars.Series([noon.time(), None]),
        "bytes": polars.Series([b"\xff", None]),
        "nothing": polars.Series([None, None]),
        "structs": polars.Series([{"a": 1, "b": [2]}, None]),
        "pairs": polars.Series([[1, 2], None], dtype=polars.Array(polars.Int8, 2)),
    }
    odd = {
        "even": polars.Series([1, 2]),
        "objects": polars.Series([{"a": 1}, None], dtype=polars.Object),
    }
    return {"frame": polars.DataFrame(columns), "odd": polars.DataFrame(odd)}


def arrow_values():
    return {"table": arrow_table()}


def arrow_table():
    import pyarrow

    return pyarrow.table(
        {"n": pyarrow.array([1, None], pyarrow.int16()), "text": ["a", "ü"]},
        metadata={"unit": "m"},
    )


def arrow_kinds():
    import pyarrow

    columns = arrow_columns()
    field = pyarrow.field(
        "named", "int8", nullable=False, metadata={"ARROW:extension:name": "a.b"}
    )
    divided = pyarrow.chunked_array([[1], [], [2, 3]])
    dictionaries = [pyarrow.array([text]).dictionary_encode() for text in "ab"]
    return {
        "table": pyarrow.table(columns, metadata={"unit": "m"}),
        "batch": pyarrow.record_batch({"a": [1, 2]}),
        "divided": divided,
        "divided differently": pyarrow.table({"a": divided, "b": [1, 2, 3]}),
        "dictionaries": pyarrow.chunked_array(dictionaries),
        "rows": pyarrow.table({"a": [1, 2]}).select([]),
        "array": columns["runs"],
        "scalars": [columns[name][0] for name in ("structs", "texts", "sparse")],
        "schema": pyarrow.schema([field], {"unit": "m"}),
        "field": pyarrow.field("a", pyarrow.list_(pyarrow.int8()), metadata={"b": "c"}),
        "type": columns["maps"].type,
    }


def arrow_columns():
    """Return one column of two rows for each type with a mechanism of its own."""
    import pyarrow

    tensor = pyarrow.fixed_shape_tensor(pyarrow.int8(), [2])
    pairs = pyarrow.array([[1, 2], None], pyarrow.list_(pyarrow.int8(), 2))
    return {
        "": pyarrow.array([1.5, None], "float32"),
        "moments": pyarrow.array([1, None], pyarrow.timestamp("s", "Europe/Paris")),
        "spans": pyarrow.array([1, None], pyarrow.duration("us")),
        "exact": pyarrow.array([decimal.Decimal("1.50"), None]),
        "views": pyarrow.array(
            ["a text too long for a view", None], pyarrow.string_view()
        ),
        "texts": pyarrow.DictionaryArray.from_arrays(
            pyarrow.array([1, None], "int8"), pyarrow.array(["b", "a"]), ordered=True
        ),
        "lists": pyarrow.array([[1, None], None], pyarrow.large_list(pyarrow.int8())),
        "maps": pyarrow.array([[("a", 1)], None], pyarrow.map_("string", "int8")),
        "structs": pyarrow.array([{"a": 1, "b": ["x"]}, None]),
        "runs": pyarrow.RunEndEncodedArray.from_arrays([1, 2], [0.0, -0.0]),
        "sparse": pyarrow.UnionArray.from_sparse(
            pyarrow.array([0, 1], "int8"),
            [pyarrow.array([1, 2]), pyarrow.array(["a", "b"])],
        ),
        "pairs": pyarrow.ExtensionArray.from_storage(tensor, pairs),
    }


def parquet_table():
    import pyarrow

    wanted = ("", "moments", "spans", "exact", "texts", "lists", "maps", "structs")
    columns = arrow_columns()
    chunks = {name: pyarrow.chunked_array([columns[name]] * 2) for name in wanted}
    chunks["divided"] = pyarrow.chunked_array([[1], [], [2, 3, 4]])
    return pyarrow.table(chunks, metadata={"unit": "m"})


def scipy_values():
    import scipy.sparse

    triples = ([1.0, 2.0], ([0, 2], [1, 0]))
    return {
        "rows": scipy.sparse.csr_array(triples, shape=(3, 2)),
        "columns": scipy.sparse.csc_matrix(triples, shape=(3, 2)),
        "triples": scipy.sparse.coo_array(triples, shape=(3, 2)),
    }


def scipy_kinds():
    import numpy
    import scipy.sparse

    triples = ([1.0, 2.0], ([0, 2], [1, 0]))
    formats = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    classes = [f"{form}_{kind}" for form in formats for kind in ("matrix", "array")]
    full = scipy.sparse.coo_array(triples, shape=(3, 2))
    spare = scipy.sparse.csr_array((2, 2))
    spare.indptr = numpy.array([0, 1, 2], "i8")
    spare.indices, spare.data = numpy.array([0, 1, 1], "i8"), numpy.array([1, 2, 9.0])
    canonical = full.copy()
    canonical.has_canonical_format = True
    keys = scipy.sparse.dok_array((3, 2))
    keys[2, 1], keys[0, 0] = 5, 2
    return {
        **{name: getattr(scipy.sparse, name)(full) for name in classes},
        "spare": spare,
        "canonical": canonical,
        "keys": keys,
    }


def picture_values():
    import PIL.Image

    image = PIL.Image.new("RGB", (3, 2), (1, 2, 3))
    image.putpixel((1, 1), (250, 0, 100))
    return {"image": image}


def picture_kinds():
    image = picture_values()["image"]
    image.info = {"dpi": (72, 72), "comment": b"ab"}
    return {"with info": image, "palette": image.quantize(4)}


# The name of a file, the library that it needs, and what stands in it.
VALUES = {
    "plain": (None, plain),
    "numpy": ("numpy", numpy_values),
    "numpy_kinds": ("numpy", numpy_kinds),
    "numpy_text": ("numpy.dtypes", numpy_text),
    # To be written by the oldest versions of NumPy and SciPy.
    "numpy1_kinds": ("numpy", numpy_kinds),
    "scipy1_kinds": ("scipy", scipy_kinds),
    "pandas": ("pandas", pandas_values),
    "pandas_kinds": ("pandas", pandas_kinds),
    "records": (None, records),
    "polars": ("polars", polars_values),
    "polars_kinds": ("polars", polars_kinds),
    "arrow": ("pyarrow", arrow_values),
    "arrow_kinds": ("pyarrow", arrow_kinds),
    "scipy": ("scipy", scipy_values),
    "scipy_kinds": ("scipy", scipy_kinds),
    "pictures": ("PIL", picture_values),
    "picture_kinds": ("PIL", picture_kinds),
}


def main(root, *wanted):
    pairs = (("day", datetime.date(2024, 2, 29)), ("seen", "a/b"), ("seen", "C"))
    # Made up, so that the files tell nothing of who makes them.
    origin = Origin("run", 1, 1.7e9, "host", 1, "MainThread", "make.py", 1, "main")

    def save(name, values, **options):
        if wanted and name not in wanted:
            return
        key = Key(f"golden.{name}", pairs, origin)
        FileHandler(root, **options).commit(key, values())

    for name, (_, values) in VALUES.items():
        save(name, values)
    # To be written by the oldest version of pandas.
    save("pandas2_kinds", lambda: shown(pandas_kinds()))
    save("pickled", lambda: {"counted": collections.Counter("abca")})
    save("packed", lambda: {"text": "a" * 999}, compression="gzip")
    save("table", lambda: {"data": arrow_table()}, format="parquet")
    save("parquet_kinds", lambda: {"data": parquet_table()}, format="parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
