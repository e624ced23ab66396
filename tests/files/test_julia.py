"""Values of Julia in both of its formats, written by a real Julia."""

from __future__ import annotations

import datetime
import uuid
from fractions import Fraction
from pathlib import Path

import pytest

import checkpoints
from checkpoints import CorruptFileError, FormatError, Record
from checkpoints._files.julia import deserialize
from checkpoints._index.entry import entry_at
from checkpoints._kinds.same import same

numpy = pytest.importorskip("numpy")

FOLDER = Path(__file__).parents[1] / "golden" / "julia"
FILES = sorted(path.name for path in FOLDER.glob("*.jlso"))
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


def stream(text):
    """Return a stream of Julia's serialization, after its header."""
    data = bytes.fromhex("374a4c0704000000" + text)
    return deserialize(memoryview(bytearray(data)), lambda _: None)


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
        assert found["textmatrix"].tolist() == [["a", "b"], ["c", "d"]]
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


class TestDamage:
    @pytest.mark.parametrize("name", FILES)
    def test_a_truncated_file_is_an_error_at_every_length(self, tmp_path, name):
        data = (FOLDER / name).read_bytes()
        path = tmp_path / name
        for size in range(0, len(data) - 1, max(1, len(data) // 60)):
            path.write_bytes(data[:size])
            with pytest.raises(CorruptFileError):
                checkpoints.load(path)
