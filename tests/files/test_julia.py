"""Values of Julia in both of its formats, written by a real Julia."""

from __future__ import annotations

import datetime
import string
import struct
import tracemalloc
import uuid
from fractions import Fraction
from pathlib import Path

import pytest

import checkpoints
from checkpoints import CorruptFileError, FormatError, Record
from checkpoints._files.julia import deserialize
from checkpoints._files.julia_references import References
from checkpoints._files.julia_types import named
from checkpoints._files.julia_values import made
from checkpoints._index.entry import entry_at
from checkpoints._kinds.same import same

numpy = pytest.importorskip("numpy")

FOLDER = Path(__file__).parents[1] / "golden" / "julia"
FILES = sorted(path.name for path in FOLDER.glob("*.jlso"))
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SHARED = "a text that is longer than seven bytes"


def record(name, /, **fields):
    return Record(name, fields)


# As make.jl beside the files has them.
VALUES = {
    "int": 5, "negative": -7, "large": 2**40, "int8": numpy.int8(-3),
    "uint64": numpy.uint64(2**63), "int128": 2**100, "int32": numpy.int32(-70000),
    "small32": numpy.int32(7), "float": 1.5, "float32": numpy.float32(1.5),
    "float16": numpy.float16(0.5), "yes": True, "nothing": None, "missing": None,
    "text": "é☕", "symbol": "averylongsymbol", "char": "é",
    "vector": numpy.array([1.0, 2.0]), "matrix": numpy.array([[1, 2, 3], [4, 5, 6]]),
    "empty": numpy.zeros((0, 3)), "bytes": b"\1\xff",
    "bools": numpy.array([True, True, False]),
    "bits": numpy.array([False, True, True]),
    "bitmatrix": numpy.array([[False, True], [True, True]]),
    "any": [1, "a"], "texts": ["a", "b"],
    "float32s": numpy.array([1, 2], "f4"), "complexes": numpy.array([1 + 2j]),
    "rationals": [Fraction(1, 2), Fraction(3, 4)], "tuple": (1, "a"), "pair": (1, 2.0),
    "named": record("Core.NamedTuple", a=1, b="x"),
    "table": {"a": 1, "b": numpy.array([1, 2])}, "symbols": {"a": 1},
    "nested": {"a": {"b": {"c": 1}}},
    "arraykey": record("Base.Dict", keys=[numpy.array([1])], values=[2]),
    "set": {1, 2}, "complex": 1 + 2j, "rational": Fraction(3, 4),
    "date": datetime.date(2020, 1, 2),
    "instant": datetime.datetime(2020, 1, 2, 3, 4, 5, 6000),
    "time": datetime.time(1, 2, 3, 4005),
    "nanoseconds": record(
        "Dates.Time", instant=record("Dates.Nanosecond", value=3_723_004_005_006)
    ),
    "early": record("Dates.Date", instant=datetime.timedelta(days=-2191)),
    "dates": numpy.array(["2020-01-02", "1969-12-31"], "M8[D]"),
    "instants": numpy.array(["2020-01-02"], "M8[ms]"),
    "days": datetime.timedelta(days=3), "months": record("Dates.Month", value=2),
    "spans": numpy.array([1, 2], "m8[h]"), "uuid": uuid.UUID(int=1),
    "range": range(1, 4), "steps": range(7, 0, -2), "some": [None, 1],
    "vectors": [numpy.array([1, 2]), numpy.array([3])], "tuples": [(1, 2.5)],
    "shared": [SHARED, SHARED], "type": record("Core.DataType", name="Base.Int64"),
    "part": "el",
}  # fmt: skip


def stream(text, spend=lambda _: None):
    """Return a stream of Julia's serialization, after its header."""
    data = bytes.fromhex("374a4c0704000000" + text)
    return deserialize(memoryview(bytearray(data)), spend)


class TestFilesOfJulia:
    @pytest.mark.parametrize("name", FILES)
    def test_every_value_comes_back(self, name):
        found = checkpoints.load(FOLDER / name)
        for key, expected in VALUES.items():
            assert type(found[key]) is type(expected), key
            if isinstance(expected, Record):
                assert repr(found[key]) == repr(expected)
            else:
                assert same(found[key], expected), (key, found[key])
        expected = numpy.array([["a", "b"], ["c", "d"]])
        assert same(found["textmatrix"], expected)
        version = found["version"]
        assert (version["major"], version["minor"], version["patch"]) == (1, 2, 3)
        if "bson" in name:
            assert found["point"] == record("Main.Point", _1=1.0, _2="x")
            assert found["points"] == [record("Main.Point", _1=1, _2="a")]
        else:
            assert found["big"] == -(2**70)

    @pytest.mark.parametrize("name", FILES)
    def test_the_header_has_what_julia_wrote(self, name):
        meta = entry_at(FOLDER / name).meta
        assert meta["julia"] == "1.5.3"
        assert meta["packages"] == {"JLSO": "2.7.0"}
        assert meta["image"] == "registry/image:1"
        assert "[[BSON]]" in meta["manifest"]
        assert meta["project"].startswith("[deps]")
        assert {*meta["values"]} >= {*VALUES}
        assert f"v{meta['jlso'][0]}_{meta['format']}_{meta['compression']}" in name

    @pytest.mark.parametrize("name", FILES)
    def test_arrays_are_ordinary_ones(self, name):
        found = checkpoints.load(FOLDER / name)
        for key in ("vector", "matrix", "dates", "bools", "bits"):
            flags = found[key].flags
            assert flags.writeable, key
            assert flags.aligned, key

    @pytest.mark.parametrize("name", FILES)
    def test_they_verify(self, tmp_path, name):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
        assert checkpoints.verify(tmp_path).ok


class TestSerialization:
    """Julia's own serialization, by bytes that Julia wrote."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("e4", 5),
            ("31f9ffffff", -7),
            ("080000000000010000", 2**40),
            ("0e000000000000f83f", 1.5),
            ("4d", True),
            ("4e", None),
            ("21026869", "hi"),
            ("3921083132333435363738", "12345678"),
            ("0103616263", "abc"),
            ("0fc3a9", "é"),
            ("1546e1e0210161", [1, "a"]),
            ("150021e1210161210162", ["a", "b"]),
            ("1402e0210161", (1, "a")),
            ("2202000000e0e1", (1, 2)),
            ("0afd" + "ff" * 15, -3),
            ("381001064964446963741f4e9e44020000000008000801000000e0e1", {1: 2}),
            (
                # Any[Array, Vector]
                (
                    "1546e11201020010501f4e9b440000000012001c62474610501f4e9b44"
                    "020000002c0200e0"
                ),
                [
                    record("Core.DataType", name="Base.Array"),
                    record("Core.DataType", name="Base.Array{Any,1}"),
                ],
            ),
            ("35100104446963741f4e9e44020000000021000801000000210161e0", {"a": 1}),
            ("15111001074d697373696e671f4e9e440008e1342c0100e0", [None, 1]),
            (
                "34100106426967496e741f4e9e0103474d504439210c4d6764653942384d63374d57",
                2**70,
            ),
        ],
    )
    def test_a_value_comes_back(self, text, expected):
        assert stream(text) == expected

    def test_what_no_reader_can_know_names_the_type(self):
        # A struct `Foo` of the module `Main`.
        with pytest.raises(FormatError, match=r"Main\.Foo.*format=:bson"):
            stream("341001 03466f6f 1f4e 01044d61696e 44".replace(" ", ""))

    def test_a_function_is_refused(self):
        with pytest.raises(FormatError, match="code"):
            stream("1b")

    def test_a_module_is_refused(self):
        with pytest.raises(FormatError, match="module"):
            stream("1546e01f4e9e44")

    @pytest.mark.parametrize(
        "text",
        [
            "2cffff",  # a reference to nowhere
            "1500" + "0e" + "08" + "ff" * 7 + "7f",  # an array of 2**63 numbers
            "2d" + "ffffff7f",  # a tuple of as many items
            "30" + "ff" * 8,  # a text of a negative length
            "15451402e1e1",  # booleans without their runs
            "",
        ],
    )
    def test_lengths_beyond_the_stream_are_damage(self, text):
        with pytest.raises(ValueError, match=r"stream|reference|array|longer"):
            stream(text)

    def test_another_machine_is_refused(self):
        data = bytes.fromhex("374a4c07010000004e")
        with pytest.raises(FormatError, match="64-bit"):
            deserialize(memoryview(data), lambda _: None)


def symbol(text):
    return f"01{len(text):02x}{text.encode().hex()}"


def described(name, *params, module="Base"):
    """Return the type of a value in a stream; a module of Base is `4e` and its name."""
    count = struct.pack("<i", len(params)).hex() if params else ""
    return f"10{symbol(name)}1f4e{symbol(module)}44{count}{''.join(params)}"


def numbered(*items):
    """Return a list in a stream."""
    return f"1546e{len(items) - 1:x}" + "".join(items)


class TestWhatASmallFileStandsFor:
    """No short stream takes long, or stands for more than memory holds."""

    def test_lists_that_refer_to_the_one_before_twice(self):
        lists = [f"1546e1 2c{at:02x}00 2c{at:02x}00" for at in range(1, 40)]
        count = struct.pack("<i", 1 + len(lists)).hex()
        with pytest.raises(FormatError, match="references stand for more than"):
            stream(f"1546 31{count} 1546e1e0e1" + "".join(lists))

    def test_an_array_with_many_long_lengths(self):
        # Multiplied with each other, they would take hours.
        kind = f"10{symbol('BigInt')}1f4e{symbol('Base')}{symbol('GMP')}44"
        long = "30" + struct.pack("<q", 9000).hex() + "7a" * 9000
        dims = f"2d{struct.pack('<i', 20_000).hex()}35{kind}{long}" + "2c0100" * 19_999
        with pytest.raises(ValueError, match="larger than its data"):
            stream(f"1546{dims}")

    def test_matrices_that_refer_to_the_one_before_twice(self):
        lists = [f"15461402e0e1 2c{at:02x}00 2c{at:02x}00" for at in range(1, 40)]
        count = struct.pack("<i", 1 + len(lists)).hex()
        with pytest.raises(FormatError, match="references stand for more than"):
            stream(f"154631{count} 15461402e0e1 e0e1" + "".join(lists))

    def test_frames_that_refer_to_the_one_before_twice(self):
        pandas = pytest.importorskip("pandas")
        references = References()
        references[0] = pandas.DataFrame({"a": [1, "b"]})
        with pytest.raises(FormatError, match="references stand for more than"):
            for at in range(1, 40):
                column = [references[at - 1], references[at - 1]]
                frame = pandas.DataFrame({"a": pandas.Series(column, dtype=object)})
                references[at] = frame

    def test_a_list_that_contains_itself(self):
        with pytest.raises(FormatError, match="contains itself"):
            stream("1546e1 2c0000")
        with pytest.raises(ValueError, match="leads nowhere"):
            stream("1546e1 2c0100")

    def test_a_function_is_told_to_be_one(self):
        kind = f"10{symbol('#sin')}1f4e{symbol('Base')}44"
        with pytest.raises(FormatError, match="holds a function"):
            stream(f"34{kind}")

    def test_only_texts_are_shared_by_their_mark(self):
        with pytest.raises(ValueError, match="no text"):
            stream("391402e0e1")

    def test_a_tuple_cannot_change_and_is_not_shared(self):
        kind = described("Tuple", "0008", module="Core")
        assert stream(f"34{kind}e0") == (1,)
        with pytest.raises(ValueError, match="tuple"):
            stream(f"35{kind}e0")

    def test_types_without_memory_that_double_at_each_level(self):
        kind = described("Nothing")
        for _ in range(30):
            kind = described("Complex", kind)
        with pytest.raises(ValueError, match="more than its memory"):
            stream(f"15{kind}e0")

    def test_a_type_whose_text_is_long(self):
        kind = "0008"
        for _ in range(20):
            kind = described("Pair", kind, kind)
            if len(kind) > 1_000_000:
                break
        with pytest.raises(ValueError, match="too large"):
            stream(f"15{kind}df")

    def test_a_type_with_a_long_parameter_again_and_again(self):
        name = "2e" + struct.pack("<i", 50_000).hex() + "61" * 50_000
        names = f"2d{struct.pack('<i', 20_000).hex()}" + "2c0200" * 20_000
        for params in ((name, "2c0200"), (name, names)):
            with pytest.raises(ValueError, match="too large"):
                stream(f"15{described('Tuple', *params)}e0")

    def test_types_take_memory_for_their_texts(self):
        name = "2e" + struct.pack("<i", 50_000).hex() + "61" * 50_000
        kinds = [described("Type", "2c0200" if at else name) for at in range(99)]
        spent = []
        stream(f"154631{struct.pack('<i', 99).hex()}" + "".join(kinds), spent.append)
        assert sum(spent) > 99 * 100_000

    @pytest.mark.parametrize(
        "item",
        [
            "1546df",  # an empty list
            "15000edf",  # an empty array of numbers
            "0201",  # a number of NumPy
            "30" + "05" + "00" * 7 + "61f09f9880",  # a text of wide characters
            "34" + "2c0100" + "e0",  # a record of one field
        ],
    )
    def test_what_items_take_is_asked_for(self, item):
        count, spent = 20_000, []
        kind = described("Some", "0008")
        text = f"1546 31{struct.pack('<i', 1 + count).hex()} 34{kind}e0"
        data = bytes.fromhex("374a4c0704000000" + text + item * count)
        tracemalloc.start()
        found = deserialize(memoryview(bytearray(data)), spent.append)
        taken = tracemalloc.get_traced_memory()[0] - len(data)
        tracemalloc.stop()
        assert len(found) == 1 + count
        assert sum(spent) > 0.7 * taken

    def test_a_long_integer_is_read_from_all_of_its_digits(self):
        digits = "7" + "zA0" * 3000
        expected = 0
        for digit in digits:
            expected = expected * 62 + DIGITS.index(digit)
        text = "30" + struct.pack("<q", len(digits)).hex() + digits.encode().hex()
        kind = f"10{symbol('BigInt')}1f4e{symbol('Base')}{symbol('GMP')}44"
        assert stream(f"34{kind}{text}") == expected


class TestNumbersInStructs:
    """Numbers of fewer bits are NumPy's, which count round at their ends."""

    def test_a_range_to_the_end_of_its_type(self):
        for kind, first, last, expected in (
            ("0002", "0201", "027f", range(1, 128)),
            ("0003", "0301", "03ff", range(1, 256)),
        ):
            assert stream(f"34{described('UnitRange', kind)}{first}{last}") == expected
            steps = f"34{described('StepRange', kind, kind)}{first}{first}{last}"
            assert stream(steps) == expected

    @pytest.mark.parametrize("other", ["a" * 1000, [1] * 1000, 0.5, numpy.array("a")])
    @pytest.mark.parametrize("name", ["Dates.Second", "UUID", "Rational", "UnitRange"])
    def test_other_values_than_integers_are_those_of_a_record(self, name, other):
        tracemalloc.start()
        found = made(named(name), [other, other])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert type(found) is Record
        assert most < 1_000_000

    def test_a_fraction_has_integers_of_python(self):
        found = stream(f"34{described('Rational', '0002')}02030204")
        assert (found, type(found.numerator)) == (Fraction(3, 4), int)

    def test_a_complex_number_of_integers_that_floats_cannot_hold(self):
        large = struct.pack("<q", 2**60 + 1).hex()
        found = stream(f"34{described('Complex', '0008')}08{large}e1")
        assert found == record("Base.Complex{Int64}", re=2**60 + 1, im=2)
        assert stream(f"34{described('Complex', '0008')}e0e1") == 1 + 2j
        unsigned = [numpy.uint64(2**64 - 1), numpy.uint64(1)]
        found = made(named("Complex", named("UInt64")), unsigned)
        assert (found["re"], found["im"]) == (2**64 - 1, 1)


class TestZones:
    """A `ZonedDateTime` has the name of its zone, and its offset at that time."""

    @staticmethod
    def zoned(zone, hours):
        hour, none = datetime.timedelta(hours=hours), datetime.timedelta()
        offset = made(named("TimeZones.UTCOffset"), [hour, none])
        fixed = made(named("TimeZones.FixedTimeZone"), ["a", offset])
        name = made(named("TimeZones.VariableTimeZone"), [zone, [], None])
        utc = datetime.datetime(2020, 1, 2, 3)
        return made(named("TimeZones.ZonedDateTime"), [utc, name, fixed])

    def test_a_known_zone_is_that_of_python(self):
        found = self.zoned("Europe/Berlin", 1)
        assert str(found) == "2020-01-02 04:00:00+01:00"
        assert found.tzinfo.key == "Europe/Berlin"

    @pytest.mark.parametrize("name", ["Europe/Berlin", "Here/There", "../etc/passwd"])
    def test_another_zone_is_its_offset(self, name):
        found = self.zoned(name, -5)
        assert str(found) == "2020-01-01 22:00:00-05:00"
        assert type(found.tzinfo) is datetime.timezone


class TestBits:
    """A `BitArray` has words of 64 booleans, and leaves some of its size open."""

    @pytest.mark.parametrize(
        ("length", "size", "expected"),
        [
            (3, (-5,), numpy.array([True, False, True])),
            (1, (), numpy.array(True)),
            (2, (1, 2), numpy.array([[True, False]])),
        ],
    )
    def test_the_shape_is_that_of_its_dimensions(self, length, size, expected):
        chunks = numpy.array([5], "u8")
        assert same(made(named("BitArray"), [chunks, length, size]), expected)

    def test_a_size_of_other_than_its_bits_is_no_array(self):
        found = made(named("BitArray"), [numpy.array([5], "u8"), 2, (3, 2)])
        assert type(found) is Record

    def test_a_range_of_words_is_not_written_out(self):
        found = made(named("BitArray"), [range(1 << 62), 2, (2,)])
        assert found["chunks"] == range(1 << 62)


class TestDamage:
    @pytest.mark.parametrize("name", FILES)
    def test_a_truncated_file_is_an_error_at_every_length(self, tmp_path, name):
        data = (FOLDER / name).read_bytes()
        path = tmp_path / name
        for size in range(0, len(data) - 1, max(1, len(data) // 60)):
            path.write_bytes(data[:size])
            with pytest.raises(CorruptFileError):
                checkpoints.load(path)
