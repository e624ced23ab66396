"""A table comes back from Parquet to the bit, or is refused with the column's name."""

from __future__ import annotations

import base64
import datetime
import decimal

import pytest

from checkpoints import FileHandler, FormatError, index
from checkpoints._files import parquet_table
from checkpoints._files.parquet_table import read_table, write_table
from checkpoints._kinds.arrow_equality import is_identical
from checkpoints._kinds.tables import from_table, to_table
from checkpoints._process.budget import Budget

numpy = pytest.importorskip("numpy", reason="it makes floats of given bits")
pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read and written by it")

NUMBERS = [1, None, 0]
BITS = [0, 1 << 63, 0x7FF8 << 48, (0x7FF8 << 48) + 1, 0xFFF8 << 48] * 20


def of(values, kind):
    return pyarrow.array(values, kind)


def encoded(values, indices=(0, 1), kind="int8", **options):
    return pyarrow.DictionaryArray.from_arrays(
        pyarrow.array(indices, kind), pyarrow.array(values), **options
    )


def stored(kind, values):
    storage = pyarrow.array(values, kind.storage_type)
    return pyarrow.ExtensionArray.from_storage(kind, storage)


def one(column, **options):
    field = pyarrow.field("x", column.type, **options)
    return pyarrow.table([column], schema=pyarrow.schema([field]))


EXACT = {
    **{
        f"{sign}int{width}": of(NUMBERS, f"{sign}int{width}")
        for sign in ("", "u")
        for width in (8, 16, 32, 64)
    },
    "zeros and NaN": of(numpy.array(BITS, "u8").view("f8"), None),
    "floats": of(NUMBERS, "float64"),
    "halves": of(numpy.array([1, 2], "f2"), None),
    "booleans": of([True, None], None),
    "nulls": pyarrow.nulls(3),
    **{
        f"timestamps in {unit}": of(NUMBERS, pyarrow.timestamp(unit, zone))
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "+01:00", "Nowhere")
    },
    **{
        f"durations in {unit}": of(NUMBERS, pyarrow.duration(unit))
        for unit in ("s", "ms", "us", "ns")
    },
    "days": of(NUMBERS, pyarrow.date32()),
    "days in milliseconds": of([datetime.date(2020, 1, 1), None], pyarrow.date64()),
    "times in seconds": of(NUMBERS, pyarrow.time32("s")),
    "times in nanoseconds": of(NUMBERS, pyarrow.time64("ns")),
    "decimals": of([decimal.Decimal("1.50"), None], pyarrow.decimal256(70, 2)),
    "text": of(["a", None, ""], None),
    "large text": of(["a", None, ""], "large_string"),
    "bytes": of([b"\xff", None, b""], None),
    "bytes of one size": of([b"ab", None], pyarrow.binary(2)),
    "lists": of([[1, None], [], None], None),
    "lists of NaN": of([[float("nan")], None], None),
    "structs": of([{"a": 1, "b": "x"}, None], None),
    "maps": of([[("a", 1)], None], pyarrow.map_("string", "int8")),
    "categories": encoded(["b", "a"]),
    "unused categories": encoded(["b", "a", "c"]),
    "ordered categories": encoded(["b", "a"], ordered=True),
    "categories of large text": pyarrow.DictionaryArray.from_arrays(
        of([1, None], "uint8"), of(["b", "a"], "large_string"), ordered=True
    ),
    "categories of large bytes": pyarrow.DictionaryArray.from_arrays(
        of([1, None], "int32"), of([b"b", b"a"], "large_binary")
    ),
    "a tensor": stored(pyarrow.fixed_shape_tensor(pyarrow.int8(), [2]), [[1, 2]]),
}
REFUSED = {
    "lists of no length": one(of([[], None], pyarrow.list_(pyarrow.int8(), 0))),
    "bytes of no size": one(of([b""], pyarrow.binary(0))),
    "structs without fields": one(of([{}], pyarrow.struct([]))),
    "a negative scale": one(of([decimal.Decimal(100)], pyarrow.decimal128(5, -2))),
    "seconds inside a list": one(of([[1]], pyarrow.list_(pyarrow.timestamp("s")))),
    "seconds that are too many": one(of([2**62], pyarrow.timestamp("s"))),
    "an invalid time": one(of([10**9], "int32").view(pyarrow.time32("s"))),
    "text that is none": one(of([b"\xff"], None).view("string")),
    "intervals": one(pyarrow.nulls(1, pyarrow.month_day_nano_interval())),
    "categories that are numbers": one(encoded([5, 3])),
    "categories without rows": one(encoded(["b"], [])),
    "categories of bytes without rows": one(encoded([b"b"], [])),
    "one category twice": one(encoded(["a", "a"])),
    "a null among the categories": one(encoded(["a", None])),
    "categories of lists": one(encoded([[1], [2]])),
    "a null that is not allowed": one(of([1, None], "int8"), nullable=False),
    "a null that is not allowed in a list": one(
        of([[1, None]], pyarrow.list_(pyarrow.field("a", "int8", nullable=False)))
    ),
    "a null that is not allowed in a struct": one(
        pyarrow.StructArray.from_arrays(
            [of([1, None], "int8")], fields=[pyarrow.field("a", "int8", nullable=False)]
        )
    ),
    "names inside a map": one(
        of(
            [[[("a", 1)]]],
            pyarrow.list_(
                pyarrow.map_(pyarrow.field("k", "string", nullable=False), "int8")
            ),
        )
    ),
    "a union": one(
        pyarrow.UnionArray.from_sparse(
            of([0], "int8"), [of([1], None), of(["a"], None)]
        )
    ),
    "runs": one(pyarrow.RunEndEncodedArray.from_arrays([2], [1.5])),
}


def again(table, compression=None):
    """Return what a file of the table gives back."""
    stored, node, _ = to_table("v", table)
    data = write_table(stored, {b"checkpoints": b"{}"}, compression)
    return from_table(read_table(data, Budget("a file")), node)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("compression", [None, "zstd"])
class TestExact:
    def test_a_column_comes_back(self, name, compression):
        table = pyarrow.table({"": EXACT[name], "b.c": EXACT[name]})
        assert is_identical(again(table, compression), table)

    def test_chunks_come_back(self, name, compression):
        column = EXACT[name]
        chunked = pyarrow.chunked_array([column, column[1:], column])
        table = pyarrow.table({"a": chunked, "b": list(range(len(chunked)))})
        assert is_identical(again(table, compression), table)


class TestRefused:
    @pytest.mark.parametrize("what", REFUSED)
    def test_the_message_names_the_column_and_the_way_out(self, what, tmp_path):
        table = REFUSED[what].append_column("fine", [[1] * REFUSED[what].num_rows])
        handler = FileHandler(tmp_path, format="parquet")
        with pytest.raises(FormatError, match=r"'x'.*format='zip'") as told:
            handler.checkpoint("parquet.refused", table)
        assert "'fine'" not in str(told.value)
        assert list(tmp_path.rglob("*.*")) == []

    @pytest.mark.parametrize("what", REFUSED)
    def test_zip_takes_it(self, what, tmp_path):
        FileHandler(tmp_path).checkpoint("parquet.refused", REFUSED[what])
        (entry,) = index(tmp_path)
        back = entry.load(trusted=True)["data"]
        assert is_identical(back, REFUSED[what])


class TestTables:
    def test_rows_without_columns_come_back(self):
        table = pyarrow.table({"a": [1, 2]}, metadata={"made": "here"}).select([])
        assert is_identical(again(table), table)

    def test_a_column_without_chunks_comes_back(self):
        table = pyarrow.table(
            {"a": pyarrow.chunked_array([], "int8"), "b": of([], "i8")}
        )
        assert is_identical(again(table), table)

    def test_empty_chunks_come_back(self):
        table = pyarrow.table({"a": pyarrow.chunked_array([[], ["x"], []], "string")})
        assert is_identical(again(table), table)

    def test_many_rows_come_back_in_one_chunk(self):
        numbers = list(range(300_000))
        columns = {
            "a": numbers,
            "b": list(map(str, numbers)),
            "c": [[1]] * len(numbers),
        }
        table = pyarrow.table(columns)
        assert is_identical(again(table), table)

    def test_a_name_given_twice_comes_back(self):
        table = pyarrow.table([of([1], "int8"), of(["a"], None)], names=["a", "a"])
        assert is_identical(again(table), table)

    def test_metadata_that_name_an_extension_type_come_back(self):
        metadata = {"ARROW:extension:name": "geoarrow.wkb", "unit": "m"}
        field = pyarrow.field("x", "binary", metadata=metadata)
        table = pyarrow.table([of([b"a"], None)], schema=pyarrow.schema([field]))
        assert is_identical(again(table), table)

    def test_plain_columns_are_not_read_back(self, monkeypatch):
        names = ("int64", "uint8", "floats", "booleans", "text", "large text")
        table = pyarrow.table(
            {name: pyarrow.concat_arrays([EXACT[name]] * 6)[:6] for name in names}
        )
        # What is known to be exact costs a large table no second pass.
        monkeypatch.setattr(parquet_table, "read_table", None)
        write_table(table, {}, None)

    def test_the_schema_is_decoded_no_more_often_for_many_columns(self, monkeypatch):
        file = parquet_table.import_parquet().parquet.ParquetFile
        schema = file.schema_arrow.fget
        decoded = []
        counted = property(lambda file: decoded.append(file) or schema(file))
        monkeypatch.setattr(file, "schema_arrow", counted)

        def times(columns):
            table = pyarrow.table({f"{it}": ["a", "b"] for it in range(columns)})
            written = write_table(table, {}, None)
            decoded.clear()
            read_table(written, Budget("a table"))
            return len(decoded)

        assert 0 < times(1) == times(9)


class TestHostileFiles:
    def test_a_type_that_is_no_unit_of_the_stored_one_is_not_restored(self):
        """Else a forged schema could ask for a conversion that takes any memory."""
        wanted = pyarrow.schema([("a", pyarrow.dictionary("int8", "string"))])
        text = base64.b64encode(wanted.serialize())
        back = read_table(self.made(text), Budget("a file"))
        assert back.schema.types == [pyarrow.int64()]

    @pytest.mark.parametrize("schema", [b"", b"!", b"AAAA", b"/////w=="])
    def test_a_schema_that_makes_no_sense_is_an_error(self, schema):
        with pytest.raises((pyarrow.ArrowException, OSError, ValueError)):
            read_table(self.made(schema), Budget("a file"))

    def made(self, schema):
        table, sink = pyarrow.table({"a": [1]}), pyarrow.BufferOutputStream()
        parquet = pytest.importorskip("pyarrow.parquet", reason="a part of pyarrow")
        with parquet.ParquetWriter(sink, table.schema, store_schema=False) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({b"ARROW:schema": schema})
        return sink.getvalue()
