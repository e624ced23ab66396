"""The strict comparison of Arrow values sees every change, and nothing else."""

from __future__ import annotations

import pytest

from checkpoints._kinds.arrow_equality import is_identical

numpy = pytest.importorskip("numpy", reason="it makes floats of given bits")
pyarrow = pytest.importorskip("pyarrow", reason="these are values of pyarrow")


def floats(*bits):
    return pyarrow.array(numpy.array(bits, "u8").view("f8"))


def encoded(values, **options):
    return pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0]), pyarrow.array(values), **options
    )


def runs(ends, values):
    return pyarrow.RunEndEncodedArray.from_arrays(ends, values)


def union(codes, *fields):
    return pyarrow.UnionArray.from_sparse(
        pyarrow.array(codes, "int8"), list(map(pyarrow.array, fields))
    )


def dense(codes, offsets, *fields):
    return pyarrow.UnionArray.from_dense(
        pyarrow.array(codes, "int8"),
        pyarrow.array(offsets, "int32"),
        list(map(pyarrow.array, fields)),
    )


def field(**options):
    return pyarrow.table(
        [pyarrow.array([1])], schema=pyarrow.schema([pyarrow.field("a", **options)])
    )


NAN, OTHER_NAN, NEGATIVE_NAN = 0x7FF8 << 48, (0x7FF8 << 48) + 1, 0xFFF8 << 48
ZERO, NEGATIVE_ZERO = 0, 1 << 63
NAMED = pyarrow.map_(pyarrow.field("k", "string", nullable=False), "int8")
PAIRS = [[("a", 1)], None]

DIFFERENT = {
    "the type": (pyarrow.array([1], "int8"), pyarrow.array([1], "int16")),
    "the zone": (
        pyarrow.array([1], pyarrow.timestamp("s", "UTC")),
        pyarrow.array([1], pyarrow.timestamp("s", "Etc/UTC")),
    ),
    "a value": (pyarrow.array([1, 2]), pyarrow.array([1, 3])),
    "a null": (pyarrow.array([1, None]), pyarrow.array([1, 0])),
    "the length": (pyarrow.array([1]), pyarrow.array([1, 1])),
    "a sign of zero": (floats(ZERO), floats(NEGATIVE_ZERO)),
    "a payload of NaN": (floats(NAN), floats(OTHER_NAN)),
    "a sign of NaN": (floats(NAN), floats(NEGATIVE_NAN)),
    "a dictionary's order": (encoded(["a", "b"]), encoded(["b", "a"])),
    "an unused category": (encoded(["a", "b"]), encoded(["a"])),
    "that it is ordered": (encoded(["a"]), encoded(["a"], ordered=True)),
    "a sign in a dictionary": (encoded([0.0]), encoded([-0.0])),
    "how runs are divided": (runs([1, 2], [5, 5]), runs([2], [5])),
    "a sign in a run": (runs([2], [0.0]), runs([2], [-0.0])),
    "names inside a map": (
        pyarrow.array(PAIRS, pyarrow.map_("string", "int8")),
        pyarrow.array(PAIRS, NAMED),
    ),
    "a sign in a map": (
        pyarrow.array([[("a", 0.0)]], pyarrow.map_("string", "float64")),
        pyarrow.array([[("a", -0.0)]], pyarrow.map_("string", "float64")),
    ),
    "a name inside a list": (
        pyarrow.array([[1]], pyarrow.list_(pyarrow.field("item", "int8"))),
        pyarrow.array([[1]], pyarrow.list_(pyarrow.field("element", "int8"))),
    ),
    "a sign in a list": (pyarrow.array([[0.0]]), pyarrow.array([[-0.0]])),
    "where lists are divided": (
        pyarrow.array([[0.0], [0.0, 0.0]]),
        pyarrow.array([[0.0, 0.0], [0.0]]),
    ),
    "a sign in a struct": (pyarrow.array([{"a": 0.0}]), pyarrow.array([{"a": -0.0}])),
    "a chosen value": (union([0], [1], ["a"]), union([0], [2], ["a"])),
    "a choice": (union([0, 1], [1, 1], ["a", "a"]), union([1, 1], [1, 1], ["a", "a"])),
    "the chunks": (
        pyarrow.chunked_array([[1, 2]]),
        pyarrow.chunked_array([[1], [2]]),
    ),
    "an empty chunk": (
        pyarrow.chunked_array([[1]]),
        pyarrow.chunked_array([[1], pyarrow.array([], "int64")]),
    ),
    "the class": (pyarrow.array([1]), pyarrow.chunked_array([[1]])),
    "a name": (pyarrow.table({"a": [1]}), pyarrow.table({"b": [1]})),
    "metadata": (
        pyarrow.table({"a": [1]}),
        pyarrow.table({"a": [1]}, metadata={"unit": "m"}),
    ),
    "metadata of a field": (
        field(type="int64"),
        field(type="int64", metadata={"unit": "m"}),
    ),
    "whether nulls are allowed": (
        field(type="int64"),
        field(type="int64", nullable=False),
    ),
    "rows without columns": (
        pyarrow.table({"a": [1]}).select([]),
        pyarrow.table({"a": [1, 2]}).select([]),
    ),
}
SAME = {
    "NaN": (floats(NAN), floats(NAN)),
    "a value under a null": (
        pyarrow.array(numpy.array([1, 2]), mask=numpy.array([False, True])),
        pyarrow.array(numpy.array([1, 3]), mask=numpy.array([False, True])),
    ),
    "a slice": (pyarrow.array([0.0, 1, 2])[1:], pyarrow.array([1.0, 2])),
    "a slice of text": (
        pyarrow.array(["a", None, "c"])[1:],
        pyarrow.array([None, "c"]),
    ),
    "a slice of lists": (
        pyarrow.array([[1.0], [2.0, 3.0], None])[1:],
        pyarrow.array([[2.0, 3.0], None]),
    ),
    "a slice of maps": (
        pyarrow.array([*PAIRS, [("b", 2)]], pyarrow.map_("string", "int8"))[1:],
        pyarrow.array([None, [("b", 2)]], pyarrow.map_("string", "int8")),
    ),
    "a slice of structs": (
        pyarrow.array([{"a": 1.0}, None, {"a": 2.0}])[1:],
        pyarrow.array([None, {"a": 2.0}]),
    ),
    "a slice of runs": (runs([2, 5], [1.0, 2.0])[1:4], runs([1, 3], [1.0, 2.0])),
    "a slice of a union": (
        union([0, 1, 0], [1.0, 2.0, 3.0], ["a", "b", "c"])[1:],
        union([1, 0], [9.0, 3.0], ["b", "z"]),
    ),
    "a slice of a dense union": (
        dense([0, 1, 0], [0, 0, 1], [1.0, 2.0], ["a"])[1:],
        dense([1, 0], [0, 0], [2.0], ["a"]),
    ),
    "a slice of a dictionary": (encoded(["a", "b"])[:1], encoded(["a", "b"])),
    "a dictionary of nulls": (encoded([None]), encoded([None])),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_change_is_seen(what):
    one, other = DIFFERENT[what]
    assert not is_identical(one, other)
    assert is_identical(one, one)
    assert is_identical(other, other)


@pytest.mark.parametrize("what", SAME)
def test_what_is_no_part_of_the_value_is_ignored(what):
    assert is_identical(*SAME[what])


ARRAYS = [
    what
    for what, pair in DIFFERENT.items()
    if all(isinstance(each, pyarrow.Array) for each in pair)
]


@pytest.mark.parametrize("what", ARRAYS)
@pytest.mark.parametrize("around", ["a list", "a struct", "a table"])
def test_a_change_is_seen_inside(what, around):
    one, other = DIFFERENT[what]
    wrap = {
        "a list": lambda array: pyarrow.ListArray.from_arrays([0, len(array)], array),
        "a struct": lambda array: pyarrow.StructArray.from_arrays([array], ["a"]),
        "a table": lambda array: pyarrow.table({"a": array}),
    }[around]
    assert not is_identical(wrap(one), wrap(other))
    assert is_identical(wrap(one), wrap(one))
