"""Tables and series, as Julia has them."""

from __future__ import annotations

import datetime
import os

import pytest

from checkpoints import FileHandler, FormatError, load
from checkpoints._files.bson_writer import BsonWriter
from checkpoints._files.julia_arrays import JuliaValues
from checkpoints._files.julia_bson import BsonValues
from checkpoints._files.julia_encoder import JuliaEncoder, JuliaStruct
from checkpoints._files.julia_types import named
from checkpoints._kinds.same import same

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")


def saved(root, value):
    FileHandler(root, format="jlso").checkpoint("a", x=value)
    return load(os.path.join(root, "a.jlso"), "x")["x"]


MISSING = JuliaStruct(named("Missing"), [])


def frame(**columns):
    """Return what a DataFrame of Julia becomes."""
    return read(list(columns.values()), [*columns])


def read(columns, names):
    """Return what a DataFrame of these columns becomes."""
    lookup = {name: at for at, name in enumerate(names, 1)}
    index = JuliaStruct(named("DataFrames.Index"), [lookup, names])
    value = JuliaStruct(named("DataFrames.DataFrame"), [columns, index])
    writer = BsonWriter()
    JuliaEncoder(writer, JuliaValues()).document({"object": value})
    data = memoryview(bytearray(b"".join(writer.pieces)))
    document = BsonValues(data, lambda _: None)
    return document.value(document.root)["object"]


class TestFramesOfJulia:
    def test_a_column_of_bytes_has_as_many_rows(self):
        found = frame(a=b"\1\2", b=numpy.array([1.5, 2.5]))
        assert (found["a"].dtype, found["a"].tolist()) == ("uint8", [1, 2])

    def test_columns_of_lists_stay_lists(self):
        arrays = [numpy.array([1, 2]), numpy.array([3])]
        found = frame(a=arrays, b=[arrays[0], MISSING])
        assert [it.tolist() for it in found["a"]] == [[1, 2], [3]]
        assert (found["b"][0].tolist(), found["b"].isna()[1]) == ([1, 2], True)

    @pytest.mark.parametrize(
        ("some", "dtype"),
        [
            ([1.0, -0.0], "Float64"),
            ([1.5, float("nan")], "Float64"),
            ([1, 2**62 + 1], "Int64"),
            ([True, False], "boolean"),
            ([numpy.float32(1), numpy.float32(2)], "Float32"),
            ([numpy.uint8(1), numpy.uint8(2)], "UInt8"),
            (["a", "b"], "string"),
        ],
    )
    def test_values_beside_a_missing_one_are_what_they_were(self, some, dtype):
        column = frame(a=[MISSING, *some])["a"]
        assert column.dtype == dtype
        assert column[0] is pandas.NA
        assert repr(column[1:].tolist()) == repr(numpy.array(some).tolist())

    def test_values_of_several_types_keep_them(self):
        found = frame(a=[1, 2.5], b=[MISSING, True], c=[MISSING, MISSING])
        assert list(map(type, found["a"])) == [int, float]
        assert found["c"].isna().all()

    def test_names_that_are_no_texts_make_a_record(self):
        assert read([numpy.array([1.5])], [1]).type == "DataFrames.DataFrame"

    @pytest.mark.parametrize(
        "column",
        [
            numpy.array([1.5, 2.5, 3.5]),
            numpy.zeros((2, 2)),
            "ab",
            JuliaStruct(named("PooledArrays.PooledArray"), [1, 2]),
        ],
    )
    def test_columns_that_pandas_cannot_have_make_a_record(self, column):
        found = frame(a=numpy.array([1.5, 2.5]), b=column)
        assert found.type == "DataFrames.DataFrame"
        assert len(found["columns"]) == 2


class TestTables:
    def test_a_frame_becomes_a_dict_of_its_columns(self, tmp_path, caplog):
        frame = pandas.DataFrame({"n": [1, 2], "t": ["x", None]})
        found = saved(tmp_path, frame)
        assert found["n"].tolist() == [1, 2]
        assert found["t"] == ["x", None]
        assert "pandas.DataFrame is saved as a dict of its columns" in caplog.text

    def test_a_series_becomes_a_vector(self, tmp_path):
        assert saved(tmp_path, pyarrow.array(["a", None])) == ["a", None]

    def test_times_with_nulls_are_those_of_python(self, tmp_path):
        for unit in ("ms", "ns"):
            hour = {"ms": 3_600_000, "ns": 3_600_000_000_000}[unit]
            table = {
                "instant": pyarrow.array([hour, None], pyarrow.timestamp(unit)),
                "span": pyarrow.array([hour, None], pyarrow.duration(unit)),
            }
            found = saved(tmp_path, pyarrow.table(table))
            instant = datetime.datetime(1970, 1, 1, 1)
            assert found["instant"] == [instant, None]
            assert found["span"] == [datetime.timedelta(hours=1), None]

    def test_spans_keep_their_unit(self, tmp_path):
        for unit in ("s", "ms", "us", "ns"):
            column = pyarrow.array([1, -2], pyarrow.duration(unit))
            found = saved(tmp_path, pyarrow.table({"a": column}))["a"]
            assert same(found, numpy.array([1, -2], f"m8[{unit}]"))

    def test_nanoseconds_beside_a_null_are_refused(self, tmp_path):
        for kind in (pyarrow.timestamp("ns"), pyarrow.duration("ns")):
            with pytest.raises(FormatError, match="round"):
                saved(tmp_path, pyarrow.table({"a": pyarrow.array([1, None], kind)}))

    def test_a_frame_that_is_no_table(self, tmp_path):
        for frame in (
            pandas.DataFrame([[1, 2]], columns=["a", "a"]),
            pandas.DataFrame({"a": [1, "b", {2}]}),
        ):
            with pytest.raises(FormatError, match="Arrow table"):
                saved(tmp_path, frame)
