"""Every type, shape and division of Arrow values comes back to the bit."""

from __future__ import annotations

import datetime
import decimal

import pytest

from checkpoints._kinds.arrow import recognise
from checkpoints._kinds.arrow_equality import is_identical, is_same_schema
from checkpoints._kinds.arrow_table import (
    decode_table,
    encode_table,
    from_table,
    to_table,
)
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.same import same

numpy = pytest.importorskip("numpy", reason="it makes floats of given bits")
pyarrow = pytest.importorskip("pyarrow", reason="these are values of pyarrow")

NOON = datetime.datetime(2020, 1, 1, 12)


def of(values, kind):
    return pyarrow.array(values, kind)


def encoded(values, **options):
    indices = pyarrow.array([1, None, 0], "int8")
    return pyarrow.DictionaryArray.from_arrays(indices, values, **options)


def stored(kind, values):
    storage = pyarrow.array(values, kind.storage_type)
    return pyarrow.ExtensionArray.from_storage(kind, storage)


def flat():
    """Return an array of each type without others inside, by name."""
    numbers = [1, None, 0]
    names = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64"
    arrays = {name: of(numbers, getattr(pyarrow, name)()) for name in names.split()}
    arrays["bool"] = of([True, None, False], "bool")
    arrays["float16"] = of(numpy.array([1, 2], "f2"), "float16")
    bits = [0, 1 << 63, 0x7FF8 << 48, (0x7FF8 << 48) + 1, 0xFFF8 << 48]
    arrays["zeros and NaN"] = of(numpy.array(bits, "u8").view("f8"), None)
    arrays["null"] = pyarrow.nulls(3)
    for unit in ("s", "ms", "us", "ns"):
        arrays[f"timestamp {unit}"] = of(numbers, pyarrow.timestamp(unit))
        arrays[f"duration {unit}"] = of(numbers, pyarrow.duration(unit))
    for zone in ("UTC", "utc", "Etc/UTC", "+01:00", "Europe/Paris", "Nowhere", "ü"):
        arrays[f"zone {zone}"] = of(numbers, pyarrow.timestamp("us", zone))
    arrays["interval"] = of(
        [pyarrow.MonthDayNano([1, -2, 3]), None], pyarrow.month_day_nano_interval()
    )
    for kind in (pyarrow.time32("s"), pyarrow.time32("ms"), pyarrow.time64("us")):
        arrays[str(kind)] = of(numbers, kind)
    arrays["date32"] = of(numbers, pyarrow.date32())
    arrays["date64"] = of([NOON.date(), None], pyarrow.date64())
    for kind in (pyarrow.decimal128(30, 2), pyarrow.decimal256(70, 2)):
        arrays[str(kind)] = of([decimal.Decimal("1.50"), None], kind)
    arrays["negative scale"] = of(
        [decimal.Decimal(100), None], pyarrow.decimal128(5, -2)
    )
    for name in ("decimal32", "decimal64"):
        if hasattr(pyarrow, name):
            kind = getattr(pyarrow, name)(5, 2)
            arrays[name] = of([decimal.Decimal("1.50"), None], kind)
    for name in ("string", "large_string", "string_view"):
        texts = ["a", None, "", "too long for a view"]
        arrays[name] = of(texts, getattr(pyarrow, name)())
    for name in ("binary", "large_binary", "binary_view"):
        arrays[name] = of([b"\xff", None, b"", b"\0" * 20], getattr(pyarrow, name)())
    arrays["bytes of one size"] = of([b"ab", None], pyarrow.binary(2))
    arrays["bytes of no size"] = of([b"", None], pyarrow.binary(0))
    return arrays


def nested():
    """Return arrays of types that have other types inside, by name."""
    lists = [[1, None], [], None]
    item = pyarrow.field("element", "int8", nullable=False, metadata={"a": "b"})
    texts = pyarrow.array(["z", "a"])
    arrays = {
        "list": of(lists, pyarrow.list_(pyarrow.int8())),
        "large list": of(lists, pyarrow.large_list(pyarrow.int8())),
        "list view": of(lists, pyarrow.list_view(pyarrow.int8())),
        "large list view": of(lists, pyarrow.large_list_view(pyarrow.int8())),
        "list view out of order": pyarrow.ListViewArray.from_arrays(
            [2, 0, 0], [1, 2, 3], pyarrow.array([1, 2, 3])
        ),
        "list of one length": of([[1, 2], None], pyarrow.list_(pyarrow.int8(), 2)),
        "list of no length": of([[], None], pyarrow.list_(pyarrow.int8(), 0)),
        "list with a named element": of([[1]], pyarrow.list_(item)),
        "map": of([[("a", 1)], None], pyarrow.map_("string", "int8")),
        "sorted map": of([[("a", 1)]], pyarrow.map_("string", "int8", True)),
        "struct": of([{"a": 1.5, "b": "x"}, None], None),
        "struct with one name twice": pyarrow.StructArray.from_arrays(
            [texts, texts], ["a", "a"]
        ),
        "struct without fields": of([{}, None], pyarrow.struct([])),
        "dictionary": encoded(texts),
        "ordered dictionary": encoded(texts, ordered=True),
        "dictionary of numbers": encoded(pyarrow.array([5, 3])),
        "dictionary with a null": encoded(pyarrow.array(["a", None])),
        "dictionary with one value twice": encoded(pyarrow.array(["a", "a"])),
        "dictionary with unused values": encoded(pyarrow.array(["b", "a", "c"])),
        "dictionary of zeros": encoded(pyarrow.array([0.0, -0.0])),
        "dictionary of lists": encoded(pyarrow.array([[1], [2]])),
        "dictionary of nulls": encoded(pyarrow.nulls(2)),
        "dictionary in a list": pyarrow.ListArray.from_arrays([0, 3], encoded(texts)),
        "runs": pyarrow.RunEndEncodedArray.from_arrays([2, 3], ["a", None]),
        "divided runs": pyarrow.RunEndEncodedArray.from_arrays([1, 2], [0.0, -0.0]),
        "sparse union": pyarrow.UnionArray.from_sparse(
            of([0, 1], "int8"), [of([1, 2], None), texts]
        ),
        "dense union": pyarrow.UnionArray.from_dense(
            of([5, 7], "int8"),
            of([0, 0], "int32"),
            [of([1], None), texts],
            None,
            [5, 7],
        ),
        "tensor": stored(
            pyarrow.fixed_shape_tensor(pyarrow.int8(), [2, 1], permutation=[1, 0]),
            [[1, 2], None],
        ),
    }
    own = {"uuid": [b"a" * 16, None], "json_": ["[]", None], "bool8": [1, None, 7]}
    for name, values in own.items():
        if hasattr(pyarrow, name):
            arrays[name] = stored(getattr(pyarrow, name)(), values)
    if hasattr(pyarrow, "opaque"):
        arrays["opaque"] = stored(pyarrow.opaque(pyarrow.int8(), "a", "b"), [1, None])
    return arrays


ARRAYS = flat() | nested()
# An empty union that was read makes pyarrow crash, so it is pickled.
WITHOUT_UNIONS = [name for name in ARRAYS if "union" not in name]


def again(value):
    format = recognise(type(value))
    buffers, meta = format.encode(value)
    return format.decode(memoryview(bytearray(b"".join(buffers))), meta)


def addresses(array):
    return {buffer.address for buffer in array.buffers() if buffer and buffer.size}


class TestArrays:
    @pytest.mark.parametrize("name", ARRAYS)
    @pytest.mark.parametrize("part", [slice(None), slice(1, None)])
    def test_an_array_and_its_end_come_back(self, name, part):
        array = ARRAYS[name][part] if len(ARRAYS[name]) > 1 else ARRAYS[name]
        assert is_identical(again(array), array)

    @pytest.mark.parametrize("name", WITHOUT_UNIONS)
    def test_an_array_comes_back_without_rows(self, name):
        array = ARRAYS[name][:0]
        assert is_identical(again(array), array)

    @pytest.mark.parametrize("name", ARRAYS)
    @pytest.mark.parametrize("around", ["list", "struct", "map", "dictionary"])
    def test_an_array_comes_back_or_is_refused_inside_another(self, name, around):
        array = ARRAYS[name]
        length = len(array)
        wrapped = {
            "list": lambda: pyarrow.ListArray.from_arrays([0, length], array),
            "struct": lambda: pyarrow.StructArray.from_arrays([array], ["a"]),
            "map": lambda: pyarrow.MapArray.from_arrays(
                [0, length], list(map(str, range(length))), array
            ),
            "dictionary": lambda: pyarrow.DictionaryArray.from_arrays([0], array),
        }[around]()
        try:
            back = again(wrapped)
        except Exception:
            assert around == "dictionary"
        else:
            assert is_identical(back, wrapped)

    @pytest.mark.parametrize("name", ARRAYS)
    def test_a_copy_is_the_same_and_shares_no_memory(self, name):
        array = ARRAYS[name]
        copy = recognise(type(array)).freeze(array)
        assert is_identical(copy, array)
        addresses = [
            {b.address for b in a.buffers() if b and b.size} for a in (copy, array)
        ]
        assert not addresses[0] & addresses[1]

    def test_names_inside_a_map_are_kept_or_refused(self):
        kind = pyarrow.map_(pyarrow.field("k", "string", nullable=False), "int8")
        with pytest.raises(Inexact, match="not give it back exactly"):
            again(of([[("a", 1)]], kind))


class TestSchemas:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_types_fields_and_schemas_come_back(self, name):
        kind = ARRAYS[name].type
        field = pyarrow.field("", kind, metadata={"unit": "m"})
        schema = pyarrow.schema([field, field], {"made": "here"})
        assert is_same_schema(again(schema), schema)
        assert again(field).equals(field, check_metadata=True)
        assert type(again(kind)) is type(kind)
        assert str(again(kind)) == str(kind)

    def test_a_schema_without_fields_comes_back(self):
        schema = pyarrow.schema([], {"made": "here"})
        assert is_same_schema(again(schema), schema)

    def test_nothing_else_is_taken_for_one(self):
        buffers, meta = encode_table(pyarrow.table({"a": [1], "b": [2]}))
        data = memoryview(b"".join(buffers))
        for kind in (pyarrow.Field, pyarrow.DataType):
            with pytest.raises(ValueError, match="expected one field, found 2"):
                recognise(kind).decode(data, meta)


class TestScalars:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_each_value_of_an_array_comes_back(self, name):
        for scalar in ARRAYS[name]:
            back = again(scalar)
            assert type(back) is type(scalar)
            assert str(back.type) == str(scalar.type)
            assert back.is_valid == scalar.is_valid
            assert back.equals(scalar) or str(back) == str(scalar)

    def test_a_payload_of_nan_is_kept(self):
        bits = numpy.array([(0x7FF8 << 48) + 5], "u8")
        (scalar,) = pyarrow.array(bits.view("f8"))
        back = numpy.array(again(scalar).as_py())
        assert back.view("u8") == bits

    def test_nan_is_the_same_as_nan(self):
        one, other = pyarrow.array([float("nan"), float("nan")])
        assert same(one, other)
        assert not same(one, pyarrow.scalar(1.0))
        assert not same(one, pyarrow.scalar(float("nan"), "float32"))

    def test_more_than_one_value_is_none(self):
        format = recognise(type(pyarrow.scalar(1)))
        buffers, meta = recognise(pyarrow.Array).encode(pyarrow.array([1, 2]))
        with pytest.raises(ValueError, match="expected one value, found 2"):
            format.decode(memoryview(b"".join(buffers)), meta)


class TestChunks:
    @pytest.mark.parametrize("name", WITHOUT_UNIONS)
    @pytest.mark.parametrize("sizes", [[], [0], [0, 0], [0, 1, 0], [1, 0, 0, 1]])
    def test_chunks_come_back_as_they_were(self, name, sizes):
        array = ARRAYS[name]
        chunks = [array[:size] for size in sizes]
        chunked = pyarrow.chunked_array(chunks, array.type)
        assert is_identical(again(chunked), chunked)
        table = pyarrow.table({"a": chunked, "": chunked}, metadata={"made": "here"})
        assert is_identical(again(table), table)

    def test_columns_divided_differently_are_inexact(self):
        columns = {"a": pyarrow.chunked_array([[1], [2]]), "b": [1, 2]}
        with pytest.raises(Inexact, match="divided into chunks differently"):
            again(pyarrow.table(columns))

    @pytest.mark.parametrize("values", [["a", "b"], [0.0, -0.0], [0.0, float("nan")]])
    def test_dictionaries_that_differ_by_chunk_are_inexact(self, values):
        chunks = [pyarrow.array([value]).dictionary_encode() for value in values]
        with pytest.raises(Inexact):
            again(pyarrow.chunked_array(chunks))

    def test_a_slice_is_saved_without_the_rest(self):
        table = pyarrow.table({"a": list(range(100_000))})[50:60]
        buffers, _ = encode_table(table)
        assert sum(memoryview(buffer).nbytes for buffer in buffers) < 2000


class TestRows:
    @pytest.mark.parametrize("metadata", [None, {"made": "here"}])
    def test_rows_without_columns_come_back(self, metadata):
        table = pyarrow.table({"a": [1, 2]}, metadata=metadata).select([])
        assert is_identical(again(table), table)
        batch = pyarrow.record_batch({"a": [1, 2]}, metadata=metadata).select([])
        assert is_identical(again(batch), batch)

    def test_rows_that_a_forged_file_claims_take_no_memory(self):
        stored, meta = to_table(pyarrow.table({}))
        assert from_table(stored, {**meta, "rows": 2**62}).num_rows == 2**62

    @pytest.mark.parametrize("rows", [0, 2])
    def test_a_batch_of_every_type_comes_back(self, rows):
        names = [name for name in WITHOUT_UNIONS if len(ARRAYS[name]) >= 2]
        batch = pyarrow.record_batch([ARRAYS[name][:rows] for name in names], names)
        assert is_identical(again(batch), batch)

    def test_two_batches_are_no_batch(self):
        buffers, meta = encode_table(
            pyarrow.table({"a": pyarrow.chunked_array([[1], [2]])})
        )
        with pytest.raises(ValueError, match="expected one chunk, found 2"):
            recognise(pyarrow.RecordBatch).decode(memoryview(b"".join(buffers)), meta)


class TestTables:
    def test_a_table_for_parquet_comes_back_in_its_chunks(self):
        columns = {"a": pyarrow.chunked_array([[1], [], [2, 3]]), "b": [1, 2, 3]}
        table = pyarrow.table(columns)
        stored, meta = to_table(table)
        assert is_identical(from_table(stored.combine_chunks(), meta), table)

    @pytest.mark.parametrize("chunks", [[[2]], [[3, 1]], [[4, -1]], [[3], [3]]])
    def test_chunks_that_do_not_fit_are_refused(self, chunks):
        stored, meta = to_table(pyarrow.table({"a": [1, 2, 3]}))
        with pytest.raises(ValueError, match=r"chunks|zip\(\)"):
            from_table(stored, {**meta, "chunks": chunks})

    def test_more_chunks_than_the_rows_justify_are_refused(self):
        chunked = pyarrow.chunked_array([[]] * 1_000, "int8")
        table = pyarrow.table({str(number): chunked for number in range(100)})
        with pytest.raises(Inexact, match="too many"):
            to_table(table)
        stored, meta = to_table(table.slice(0, 0))
        with pytest.raises(ValueError, match="more chunks"):
            from_table(stored, {**meta, "chunks": [[0] * 1_000]})

    def test_what_earlier_versions_wrote_is_read(self):
        table = pyarrow.table({"a": [1, 2]})
        buffers, meta = encode_table(table)
        assert {*meta} == {"rows", "schema", "shape"}
        assert is_identical(decode_table(memoryview(b"".join(buffers)), {}), table)
        assert from_table(table, meta) is table
