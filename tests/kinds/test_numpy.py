"""NumPy values come back exactly, and .npy members contain nothing that runs."""

from __future__ import annotations

import datetime
import decimal
import io
import re

import pytest

from checkpoints._kinds.decoder import decode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.npy import decode_array, encode_array
from checkpoints._kinds.numpy import fallback, recognise
from checkpoints.errors import CorruptFileError

numpy = pytest.importorskip("numpy", reason="these are values of NumPy")

STRUCTURED = numpy.dtype(
    [("n", "<i2"), ("text", "<U3"), ("grid", ">f4", (2, 3)), ("in", [("d", "M8[s]")])]
)
ARRAYS = {
    "floats": numpy.arange(6.0).reshape(2, 3),
    "one number": numpy.array(1.5),
    "nothing": numpy.zeros((3, 0, 2)),
    "no elements": numpy.zeros(0, "f4"),
    "columns first": numpy.asfortranarray(numpy.arange(6).reshape(2, 3)),
    "every other": numpy.arange(24).reshape(4, 6)[::2, 1::3],
    "backwards": numpy.arange(5)[::-1],
    "axes changed": numpy.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "big-endian": numpy.arange(3, dtype=">i4"),
    "half": numpy.array([1, numpy.nan, -0.0], "f2"),
    "long double": numpy.array([1, 2], numpy.longdouble),
    "complex": numpy.array([1 + 2j, numpy.inf], "c8"),
    "booleans": numpy.array([True, False]),
    "dates": numpy.array(["2020-01-01", "NaT"], "M8[ns]"),
    "dates by 25 seconds": numpy.array([0, 1], "M8[25s]"),
    "durations": numpy.array([1, 2], ">m8[ms]"),
    "text": numpy.array([["a", "ü"], ["", "longer"]]),
    "no text": numpy.array(["", ""], "U0"),
    "bytes": numpy.array([b"a", b"\0b"]),
    "raw": numpy.array([b"abc", b"\0\0\0"], "V3"),
    "structured": numpy.zeros((2, 2), STRUCTURED),
    "padded": numpy.zeros(
        2, {"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8]}
    ),
    "titled": numpy.zeros(2, [(("a title", "a"), "f4")]),
    "names beyond Latin": numpy.zeros(2, [("日本", "f4")]),
    "a thousand fields": numpy.zeros(1, [(f"field{n:05}", "f8") for n in range(3000)]),
}
SCALARS = [
    numpy.float64(1.5),
    numpy.float32("nan"),
    numpy.int64(-3),
    numpy.longlong(3),
    numpy.ulonglong(3),
    numpy.intc(3),
    numpy.uint8(255),
    numpy.bool_(True),
    numpy.complex64(1 + 2j),
    numpy.longdouble(1) / 3,
    numpy.float16(0.1),
    numpy.str_("ü"),
    numpy.str_(""),
    numpy.bytes_(b"a"),
    numpy.datetime64("2020-01-01T00", "h"),
    numpy.datetime64("NaT", "s"),
    numpy.timedelta64(3, "D"),
    numpy.void(b"ab"),
    numpy.zeros(1, STRUCTURED)[0],
]


def assert_same(one, other):
    assert type(other) is numpy.ndarray
    assert other.dtype == one.dtype
    assert other.dtype.str == one.dtype.str
    assert other.shape == one.shape
    if one.dtype.names is None:
        assert other.tobytes() == one.tobytes()
    else:
        # What lies between fields is nobody's, and NumPy copies it or not.
        assert repr(other) == repr(one)


def same_memory(buffer, array):
    at = numpy.frombuffer(buffer, "u1").__array_interface__["data"][0]
    return at == array.__array_interface__["data"][0]


class TestArrays:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_comes_back_as_it_was(self, round_trip, name):
        array = ARRAYS[name]
        back = round_trip(array)
        assert_same(array, back)
        assert back.flags.writeable
        assert round_trip.kinds == ["numpy.ndarray"]

    @pytest.mark.parametrize("name", ARRAYS)
    def test_is_what_numpy_load_reads(self, name):
        written = b"".join(encode_array(ARRAYS[name])[0])
        loaded = numpy.load(io.BytesIO(written), max_header_size=10**6)
        assert_same(ARRAYS[name], loaded)

    @pytest.mark.parametrize("name", ARRAYS)
    def test_the_data_starts_at_a_multiple_of_64_bytes(self, name):
        assert len(encode_array(ARRAYS[name])[0][0]) % 64 == 0

    @pytest.mark.parametrize(
        "name", ["floats", "columns first", "dates", "structured", "big-endian"]
    )
    def test_one_block_of_memory_is_not_copied(self, name):
        array = ARRAYS[name]
        assert same_memory(encode_array(array)[0][1], array)

    def test_is_read_without_a_copy(self):
        buffers, meta = encode_array(numpy.arange(3))
        memory = bytearray(b"".join(buffers))
        decode_array(memoryview(memory), meta)[0] = 7
        assert memory[len(buffers[0])] == 7

    def test_is_read_only_over_read_only_memory(self, round_trip):
        back = round_trip(numpy.arange(3), read_only=True)
        assert back.tolist() == [0, 1, 2]
        assert not back.flags.writeable

    def test_keeps_its_memory_order(self, round_trip):
        back = round_trip(ARRAYS["columns first"])
        assert back.flags.f_contiguous
        assert round_trip.notes["order"] == "F"
        assert round_trip(ARRAYS["floats"]).flags.c_contiguous

    def test_says_what_it_is_without_being_read(self):
        meta = encode_array(numpy.zeros((2, 3), "<f4"))[1]
        assert meta == {"dtype": "<f4", "shape": [2, 3], "order": "C"}

    def test_a_read_only_array_comes_back_writable(self, round_trip):
        array = numpy.arange(3)
        array.flags.writeable = False
        round_trip(array)[0] = 1

    def test_a_mapped_file_comes_back_as_an_array(self, round_trip, tmp_path):
        mapped = numpy.memmap(tmp_path / "a", "f4", "w+", shape=(2,))
        mapped[:] = 3
        back = round_trip(mapped)
        assert type(back) is numpy.ndarray
        assert back.tolist() == [3, 3]

    @pytest.mark.skipif(
        not hasattr(numpy.dtypes, "StringDType"), reason="NumPy 1 has no such dtype"
    )
    def test_text_of_any_length_is_inexact(self):
        array = numpy.array(["a", "b" * 100], dtype=numpy.dtypes.StringDType())
        with pytest.raises(Inexact):
            encode_array(array)


class TestForgedHeaders:
    @pytest.mark.parametrize(
        "forged",
        [
            {"shape": [4]},
            {"shape": [2]},
            {"shape": [-3]},
            {"shape": [-1, -3]},
            {"shape": [True, 3]},
            {"shape": [3.0]},
            {"shape": ["3"]},
            {"shape": 3},
            {"shape": None},
            {"shape": [2**62, 2**62]},
            {"shape": [2**200]},
            {"shape": [0, 2**70]},
            {"shape": [1] * 70 + [3]},
            {"dtype": "<U0", "shape": [2**62, 2**62]},
            {"dtype": "<f4"},
            {"dtype": "|O"},
            {"dtype": "O"},
            {"dtype": "object"},
            {"dtype": "f8"},
            {"dtype": "<f8,<f8"},
            {"dtype": "<f7"},
            {"dtype": "<f8\n"},
            {"dtype": "|V99999999999"},
            {"dtype": "<U4294967295"},
            {"dtype": "<M8[parsec]"},
            {"dtype": "numpy.float64"},
            {"dtype": None},
            {"dtype": 8},
            {"dtype": {"names": ["a"], "formats": ["O"]}},
            {"dtype": [["a", "|O"]]},
            {"dtype": [["a", [["b", "|O"]]]]},
            {"dtype": [["a", "<f8", [-1]]]},
            {"dtype": [["a", "<f8", [2**40, 2**40]]]},
            {"dtype": [["a", "<f4"], ["a", "<f4"]]},
            {"dtype": [["a"]]},
            {"dtype": [[1, "<f8"]]},
            {"dtype": [[["title", "name", "more"], "<f8"]]},
            {"dtype": ["<f8"]},
            {"order": "K"},
            {"order": None},
        ],
        ids=lambda forged: re.sub(r"\W+", " ", str(forged))[:50],
    )
    def test_what_does_not_add_up_is_refused(self, forged):
        buffers, meta = encode_array(numpy.arange(3.0))
        data = memoryview(b"".join(buffers))
        with pytest.raises(CorruptFileError):
            decode_array(data, {**meta, **forged})

    def test_a_dtype_nested_without_end_is_refused(self):
        buffers, meta = encode_array(numpy.arange(3.0))
        nested = "<f8"
        for _ in range(5000):
            nested = [["a", nested]]
        with pytest.raises(CorruptFileError):
            decode_array(memoryview(b"".join(buffers)), {**meta, "dtype": nested})

    @pytest.mark.parametrize("missing", ["dtype", "shape", "order"])
    def test_a_note_that_is_missing_is_refused(self, missing):
        buffers, meta = encode_array(numpy.arange(3.0))
        del meta[missing]
        with pytest.raises(CorruptFileError):
            decode_array(memoryview(b"".join(buffers)), meta)

    @pytest.mark.parametrize(
        "change",
        [
            lambda data: b"",
            lambda data: data[:5],
            lambda data: data[:9],
            lambda data: b"\x93NUMPX" + data[6:],
            lambda data: data[:6] + b"\x09" + data[7:],
            lambda data: data[:7] + b"\x01" + data[8:],
            lambda data: data[:8] + b"\xff\xff" + data[10:],
            lambda data: data[:-1],
            lambda data: data + b"\0",
        ],
    )
    def test_bytes_of_another_form_are_refused(self, change):
        buffers, meta = encode_array(numpy.arange(3.0))
        with pytest.raises(CorruptFileError):
            decode_array(memoryview(change(b"".join(buffers))), meta)

    def test_the_text_of_the_header_is_not_evaluated(self):
        buffers, meta = encode_array(numpy.arange(3.0))
        header = buffers[0][:10] + b"x" * (len(buffers[0]) - 10)
        data = memoryview(header + bytes(buffers[1]))
        assert decode_array(data, meta).tolist() == [0, 1, 2]

    def test_the_error_says_what_is_wrong_and_the_way_out(self):
        buffers, meta = encode_array(numpy.arange(3.0))
        node = {"kind": "numpy.ndarray", **meta, "shape": [4]}
        written = memoryview(b"".join(buffers))
        what = "damaged array: expected 32 bytes of data, found 24"
        with pytest.raises(CorruptFileError, match=rf"'x'.*{what}\. .*save") as told:
            decode({"x": node}, lambda _: written, trusted=False, path="a.ckpt.zip")
        assert str(told.value).startswith("a.ckpt.zip ")


class TestScalars:
    @pytest.mark.parametrize("scalar", SCALARS, ids=lambda x: f"{type(x).__name__} {x}")
    def test_comes_back_with_its_exact_type(self, round_trip, scalar):
        back = round_trip(scalar)
        assert type(back) is type(scalar)
        assert back.dtype == scalar.dtype
        assert str(back) == str(scalar)
        assert back == scalar or back != back  # noqa: PLR0124
        assert round_trip.kinds[0] == "numpy.scalar"

    @pytest.mark.parametrize("char", ["O", "V", "x", "", 1, ["i"]])
    def test_a_forged_type_is_refused(self, char):
        scalar = recognise(numpy.float64)
        with pytest.raises(ValueError):
            scalar.put_together({"array": numpy.array(1), "char": char})


class TestObjectArrays:
    def test_comes_back_with_elements_of_any_kind(self, round_trip):
        array = numpy.empty((2, 3), object)
        array[0] = ["a", None, decimal.Decimal("1.50")]
        array[1] = [datetime.date(2020, 1, 1), [1, [2]], numpy.arange(3)]
        back = round_trip(array)
        assert back.dtype == object
        assert back.shape == (2, 3)
        assert back[0].tolist() == array[0].tolist()
        assert back[1, :2].tolist() == array[1, :2].tolist()
        assert_same(array[1, 2], back[1, 2])
        assert round_trip.kinds[0] == "numpy.object_array"

    @pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 1)])
    def test_keeps_its_shape(self, round_trip, shape):
        back = round_trip(numpy.full(shape, "a", object))
        assert back.shape == shape
        assert set(back.ravel().tolist()) <= {"a"}

    def test_keeps_its_memory_order(self, round_trip):
        array = numpy.array([["a", "b", "c"], ["d", "e", "f"]], object, order="F")
        back = round_trip(array)
        assert back.tolist() == array.tolist()
        assert back.flags.f_contiguous

    def test_lists_of_one_length_stay_elements(self, round_trip):
        array = numpy.empty(2, object)
        array[0], array[1] = [1, 2], [3, 4]
        assert round_trip(array).tolist() == [[1, 2], [3, 4]]

    @pytest.mark.parametrize("shape", [[3], [-1, -2], [-2], [1, 3], [2**70]])
    def test_a_forged_shape_is_refused(self, shape):
        put_together = fallback(numpy.ndarray).put_together
        with pytest.raises(ValueError):
            put_together({"shape": shape, "order": "C", "items": ["a", "b"]})


class TestMaskedArrays:
    @pytest.mark.parametrize(
        "masked",
        [
            numpy.ma.array([1.0, 2.0], mask=[True, False]),
            numpy.ma.array([1, 2]),
            numpy.ma.array([1, 2], mask=[False, False], fill_value=7),
            numpy.ma.array([[1, 2], [3, 4]], mask=[[1, 0], [0, 0]], hard_mask=True),
            numpy.ma.array([(1, 2.0)], mask=[(True, False)], dtype="i4,f8"),
            numpy.ma.array(["2020-01-01"], dtype="M8[D]", mask=[True]),
            numpy.ma.array(["a", None], dtype=object, mask=[True, False]),
            numpy.ma.array(["a", "b"], fill_value="?"),
        ],
        ids=lambda masked: str(masked.dtype),
    )
    def test_comes_back_with_mask_and_fill_value(self, round_trip, masked):
        back = round_trip(masked)
        assert type(back) is numpy.ma.MaskedArray
        assert back.dtype == masked.dtype
        assert back.data.tolist() == masked.data.tolist()
        assert (back.mask is numpy.ma.nomask) == (masked.mask is numpy.ma.nomask)
        assert numpy.array_equal(back.mask, masked.mask)
        assert repr(back.fill_value) == repr(masked.fill_value)
        assert back.hardmask == masked.hardmask

    def test_a_fill_value_nobody_chose_stays_open(self, round_trip):
        back = round_trip(numpy.ma.array([1, 2], mask=[True, False]))
        as_floats = back.astype(float)
        assert as_floats.fill_value == 1e20

    def test_a_mask_of_another_shape_is_refused(self):
        parts = {"data": numpy.zeros(3), "mask": numpy.zeros(2, bool)}
        with pytest.raises(ValueError):
            recognise(numpy.ma.MaskedArray).put_together(
                {**parts, "fill_value": None, "hard": False}
            )


class TestFreeze:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_an_array_is_a_copy_in_the_same_order(self, name):
        array = ARRAYS[name].copy("K")
        frozen = freeze(array)
        assert_same(array, frozen)
        assert frozen.flags.f_contiguous == array.flags.f_contiguous
        assert not numpy.shares_memory(frozen, array)

    def test_the_objects_in_an_array_are_copied_too(self):
        array = numpy.array([[1], None], dtype=object)
        frozen = freeze(array)
        array[0].append(2)
        assert frozen.tolist() == [[1], None]

    def test_a_masked_array_is_a_copy(self):
        masked = numpy.ma.array([1, 2], mask=[True, False])
        frozen = freeze(masked)
        masked[0] = 5
        assert frozen.mask.tolist() == [True, False]

    def test_a_structured_scalar_is_a_copy(self):
        scalar = numpy.zeros(1, [("a", "i4")])[0]
        frozen = freeze(scalar)
        scalar["a"] = 5
        assert frozen["a"] == 0
