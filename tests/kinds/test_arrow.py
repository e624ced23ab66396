"""Arrow values come back exactly, over the memory they were read from."""

from __future__ import annotations

import datetime
import decimal

import pytest

from checkpoints._kinds.arrow import recognise
from checkpoints._kinds.arrow_file import buffers_to_table, table_to_buffers
from checkpoints._kinds.arrow_table import encode_table
from checkpoints._kinds.kind import Inexact

numpy = pytest.importorskip("numpy", reason="it shows where memory is")
pyarrow = pytest.importorskip("pyarrow", reason="these are values of pyarrow")

DAY = datetime.datetime(2020, 1, 1, 12)
ARRAYS = {
    "ints": pyarrow.array([1, None, 3]),
    "no values": pyarrow.array([], "int8"),
    "nulls": pyarrow.nulls(3),
    "booleans": pyarrow.array([True, None, False]),
    "halves": pyarrow.array(numpy.array([1.5, 2], "f2")),
    "text": pyarrow.array(["a", None, ""]),
    "large text": pyarrow.array(["a", None], "large_string"),
    "bytes": pyarrow.array([b"a\0", None]),
    "bytes of one size": pyarrow.array([b"ab", None], pyarrow.binary(2)),
    "decimals": pyarrow.array([decimal.Decimal("1.50"), None]),
    "times": pyarrow.array([DAY, None], pyarrow.timestamp("ns", "Europe/Paris")),
    "dates": pyarrow.array([DAY.date(), None], "date64"),
    "durations": pyarrow.array([1, None], pyarrow.duration("us")),
    "times of day": pyarrow.array([DAY.time(), None]),
    "lists": pyarrow.array([[1, None], [], None]),
    "lists of one length": pyarrow.array([[1, 2]], pyarrow.list_(pyarrow.int8(), 2)),
    "maps": pyarrow.array([[("a", 1)]], pyarrow.map_("string", "int8")),
    "structs": pyarrow.array([{"a": 1, "b": "x"}, None]),
    "dictionary": pyarrow.array(["a", "b", "a"]).dictionary_encode(),
    "ordered dictionary": pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0, None]), pyarrow.array(["z", "a"]), ordered=True
    ),
    "runs": pyarrow.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"]),
    "a slice": pyarrow.array(list(range(100)))[3:17],
    "a slice of text": pyarrow.array([str(n) for n in range(100)])[3:17],
}
if hasattr(pyarrow, "string_view"):
    texts = ["a", None, "too long for a view"]
    ARRAYS["text views"] = pyarrow.array(texts, pyarrow.string_view())


def same_memory(buffer, column):
    at = numpy.frombuffer(buffer, "u1").__array_interface__["data"][0]
    return at == column.chunk(0).buffers()[1].address


@pytest.fixture
def table():
    schema = pyarrow.schema(
        [
            pyarrow.field("n", "int64", nullable=False, metadata={"unit": "m"}),
            pyarrow.field("text", "string"),
        ],
        metadata={"made": "here"},
    )
    return pyarrow.table({"n": [1, 2, 3], "text": ["a", None, "c"]}, schema)


class TestTables:
    def test_comes_back_with_schema_and_metadata(self, round_trip, table):
        back = round_trip(table)
        assert type(back) is pyarrow.Table
        assert back.schema.equals(table.schema, check_metadata=True)
        assert back.equals(table)

    def test_says_what_it_is_without_being_read(self, table):
        notes = {"rows": 3, "schema": [["n", "int64"], ["text", "string"]]}
        assert encode_table(table)[1] == {**notes, "shape": [3, 2]}

    @pytest.mark.parametrize(
        "make",
        [
            lambda table: table.slice(0, 0),
            lambda table: table.select([]),
            lambda table: pyarrow.table({}),
            lambda table: pyarrow.concat_tables([table, table]),
            lambda table: table.slice(1, 1),
            lambda table: table.rename_columns(["same", "same"]),
        ],
        ids=["no rows", "no columns", "nothing", "chunks", "a slice", "one name twice"],
    )
    def test_comes_back_in_every_shape(self, round_trip, table, make):
        made = make(table)
        back = round_trip(made)
        assert back.equals(made)
        assert back.shape == made.shape

    def test_columns_are_written_without_a_copy(self):
        table = pyarrow.table({"a": [float(n) for n in range(1000)], "b": [1] * 1000})
        columns = [x for x in table_to_buffers(table) if memoryview(x).nbytes > 4000]
        assert len(columns) == 2
        assert all(map(same_memory, columns, table.columns))

    def test_the_buffers_outlive_the_table(self):
        table = pyarrow.table({"a": list(range(1000))})
        buffers = table_to_buffers(table)
        del table
        back = buffers_to_table(memoryview(b"".join(buffers)))
        assert back.column("a").to_pylist() == list(range(1000))

    def test_columns_are_read_without_a_copy(self):
        table = pyarrow.table({"a": list(range(1000))})
        memory = bytearray(b"".join(table_to_buffers(table)))
        back = buffers_to_table(memoryview(memory))
        memory[:] = bytes(len(memory))
        assert back.column("a").to_pylist() == [0] * 1000

    def test_one_chunk_is_one_record_batch(self):
        table = pyarrow.table({"a": list(range(300_000))})
        written = b"".join(table_to_buffers(table))
        assert pyarrow.ipc.open_file(written).num_record_batches == 1

    def test_text_that_is_none_is_inexact(self):
        broken = pyarrow.array([b"\xff"]).view("string")
        with pytest.raises(Inexact, match="UTF8"):
            encode_table(pyarrow.table({"a": broken}))


class TestArrays:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_comes_back_as_it_was(self, round_trip, name):
        array = ARRAYS[name]
        back = round_trip(array)
        assert type(back) is type(array)
        assert back.type.equals(array.type)
        assert back.equals(array)
        assert round_trip.kinds == ["pyarrow.Array"]

    @pytest.mark.parametrize("name", ARRAYS)
    def test_comes_back_in_chunks(self, round_trip, name):
        chunked = pyarrow.chunked_array([ARRAYS[name], ARRAYS[name]])
        back = round_trip(chunked)
        assert type(back) is pyarrow.ChunkedArray
        assert back.type.equals(chunked.type)
        assert back.equals(chunked)

    def test_comes_back_without_chunks(self, round_trip):
        chunked = pyarrow.chunked_array([], "int8")
        assert round_trip(chunked).equals(chunked)

    def test_the_shape_is_its_length(self, round_trip):
        round_trip(ARRAYS["ints"])
        assert round_trip.notes["shape"] == [3]

    def test_more_than_one_column_is_refused(self):
        buffers = table_to_buffers(pyarrow.table({"a": [1], "b": [2]}))
        with pytest.raises(ValueError, match="expected one column, found 2"):
            recognise(pyarrow.Int64Array).decode(memoryview(b"".join(buffers)), {})


class TestRecordBatches:
    @pytest.mark.parametrize("rows", [0, 1, 3])
    def test_comes_back_as_it_was(self, round_trip, table, rows):
        batch = pyarrow.RecordBatch.from_arrays(
            [column.combine_chunks() for column in table.columns], schema=table.schema
        ).slice(0, rows)
        back = round_trip(batch)
        assert type(back) is pyarrow.RecordBatch
        assert back.schema.equals(batch.schema, check_metadata=True)
        assert back.equals(batch)

    def test_comes_back_without_columns(self, round_trip):
        batch = pyarrow.RecordBatch.from_arrays([], names=[])
        assert round_trip(batch).equals(batch)


class TestDamage:
    def test_other_bytes_are_refused(self):
        with pytest.raises(ValueError, match="not an Arrow file"):
            buffers_to_table(memoryview(b"no Arrow file at all"))

    @pytest.mark.parametrize("cut", [1, 10, 100])
    def test_a_file_cut_short_is_refused(self, table, cut):
        written = b"".join(table_to_buffers(table))
        with pytest.raises(ValueError, match="not an Arrow file"):
            buffers_to_table(memoryview(written[:-cut]))

    def test_offsets_that_lead_out_of_their_buffer_are_refused(self):
        table = pyarrow.table({"a": ["x" * 7, "y" * 7]})
        written = bytearray(b"".join(table_to_buffers(table)))
        offsets = b"\0\0\0\0\7\0\0\0\x0e\0\0\0"
        assert written.count(offsets) == 1
        forged = written.replace(offsets, b"\0\0\0\0\xff\xff\0\0\x0e\0\0\0")
        with pytest.raises(pyarrow.ArrowInvalid):
            buffers_to_table(memoryview(forged))


class TestRecognition:
    @pytest.mark.parametrize(
        "value", [pyarrow.py_buffer(b"a"), pyarrow.default_memory_pool()]
    )
    def test_other_classes_are_left_to_a_pickle(self, value):
        assert recognise(type(value)) is None

    def test_freezing_copies_what_may_be_the_memory_of_an_array(self):
        array = numpy.arange(3)
        table = pyarrow.table({"x": array})
        frozen = recognise(pyarrow.Table).freeze(table)
        array[:] = 9
        assert frozen["x"].to_pylist() == [0, 1, 2]
