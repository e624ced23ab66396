"""Every dtype of NumPy comes back with all that belongs to it, or is refused."""

from __future__ import annotations

import json
import re

import pytest

from checkpoints._kinds.dtypes import (
    DTYPE,
    dtype_from_layout,
    has_long_double,
    is_same_dtype,
    layout_of,
)
from checkpoints._kinds.kind import Inexact

numpy = pytest.importorskip("numpy", reason="these are its dtypes")

AT = {"names": ["a", "b"], "formats": ["i4", "f8"]}
PLAIN = [*"?bBhHiIlLqQefdgFDG", "S3", "S0", "U3", "U0", "V3", "V0", "M8", "m8"]
DTYPES = {
    **{char: numpy.dtype(char) for char in PLAIN},
    **{f"swapped {char}": numpy.dtype(char).newbyteorder() for char in PLAIN},
    **{
        f"{kind}8[{count}{unit}]": numpy.dtype(f"{kind}8[{count}{unit}]")
        for kind in "Mm"
        for unit in ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs")
        for count in ("", "25")
    },
    "objects": numpy.dtype(object),
    "an array": numpy.dtype(("f4", (2, 3))),
    "an array of arrays": numpy.dtype((numpy.dtype(("f4", (2,))), (3,))),
    "no fields": numpy.dtype([]),
    "only padding": numpy.dtype(
        {"names": [], "formats": [], "offsets": [], "itemsize": 5}
    ),
    "fields": numpy.dtype([("a", "i4"), ("b", ">f8"), ("c", "U2")]),
    "fields in fields": numpy.dtype([("a", [("b", [("c", "M8[s]")])])]),
    "array fields": numpy.dtype([("a", "f8", (2, 3)), ("b", "i1", (1,))]),
    "array fields of nothing": numpy.dtype([("a", "f8", (0,)), ("b", "i1")]),
    "array fields of arrays": numpy.dtype([("c", ("<f8", (5,)), (2,))]),
    "deeper": numpy.dtype([("a", [("c", ("<f8", (5,)), (2,))], (3,))]),
    "aligned": numpy.dtype("i1,f8,i2", align=True),
    "aligned without padding": numpy.dtype("f8,f8", align=True),
    "aligned inside": numpy.dtype([("a", numpy.dtype("i1,f8", align=True))]),
    "a record": numpy.dtype((numpy.record, [("a", "f8")])),
    "an aligned record": numpy.dtype((numpy.record, numpy.dtype("i1,f8", align=True))),
    "a record inside": numpy.dtype(
        [("a", numpy.dtype((numpy.record, [("b", "f8")])), (2,))]
    ),
    "offsets": numpy.dtype({**AT, "offsets": [0, 8]}),
    "backwards": numpy.dtype({**AT, "offsets": [8, 0]}),
    "overlapping": numpy.dtype({**AT, "offsets": [0, 0]}),
    "padded at the end": numpy.dtype({**AT, "offsets": [0, 4], "itemsize": 99}),
    "padded at the start": numpy.dtype({**AT, "offsets": [5, 10]}),
    "titles": numpy.dtype([(("a title", "a"), "f4"), ("b", "f4")]),
    "titles and offsets": numpy.dtype(
        {**AT, "titles": ["the first", None], "offsets": [8, 0]}
    ),
    "names beyond Latin": numpy.dtype([("日本", "f4"), ("", "i1")]),
    "objects in fields": numpy.dtype([("a", "O"), ("b", [("c", "O", 2)], 2)]),
    "long long in fields": numpy.dtype([("a", "q"), ("b", "Q", 2), ("c", ">q")]),
}


class TestLayouts:
    @pytest.mark.parametrize("name", DTYPES)
    def test_is_the_same_dtype_again(self, name):
        dtype = DTYPES[name]
        layout = json.loads(json.dumps(layout_of(dtype)))
        back = dtype_from_layout(layout, objects=True)
        assert is_same_dtype(back, dtype)
        assert repr(back) == repr(dtype)
        assert back.alignment == dtype.alignment

    @pytest.mark.parametrize(
        "dtype",
        [
            numpy.dtype("f8", metadata={"unit": "m"}),
            numpy.dtype("f8", metadata={}),
            numpy.dtype([("a", numpy.dtype("f8", metadata={"unit": "m"}))]),
            numpy.dtype([("a", numpy.dtype("f8", metadata={"unit": "m"}), (2,))]),
            numpy.dtype((type("Own", (numpy.void,), {}), [("a", "f8")])),
            numpy.dtype(("i4", [("a", "i2"), ("b", "i2")])),
            numpy.dtype({"names": ["a"], "formats": ["f8"], "titles": [("x", 1)]}),
        ],
        ids=str,
    )
    def test_what_json_cannot_say_is_inexact(self, dtype):
        with pytest.raises(Inexact):
            layout_of(dtype)

    @pytest.mark.parametrize(
        "layout",
        [
            None,
            8,
            ["<f8"],
            "O",
            "|O",
            "f8",
            "<f8,<f8",
            "<f7",
            "|V99999999999",
            {},
            {"char": "O", "dtype": "<f8"},
            {"char": "q", "dtype": "|O"},
            {"char": ["q"], "dtype": "<i8"},
            {"of": "|O", "shape": [2]},
            {"of": "<f8", "shape": [-1]},
            {"of": "<f8", "shape": [2**40, 2**40]},
            {"of": "<f8", "shape": "ab"},
            {"of": "<f8", "shape": None},
            {"offsets": [-1]},
            {"offsets": [8]},
            {"offsets": []},
            {"offsets": [2**70]},
            {"offsets": None},
            {"itemsize": 3},
            {"itemsize": -1},
            {"itemsize": 2**40},
            {"itemsize": "8"},
            {"names": "ab"},
            {"names": None},
            {"names": [1]},
            {"names": ["a", "a"]},
            {"titles": [1]},
            {"titles": ["a"]},
            {"formats": ["|O"]},
            {"formats": ["<f4,<f4"]},
            {"aligned": True, "offsets": [1], "itemsize": 16},
        ],
        ids=lambda layout: re.sub(r"\W+", " ", str(layout))[:50],
    )
    def test_a_forged_layout_is_refused(self, layout):
        if isinstance(layout, dict) and {"char", "of"}.isdisjoint(layout) and layout:
            layout = {**layout_of(numpy.dtype([("a", "<f8")])), **layout}
        with pytest.raises((TypeError, ValueError, LookupError, OverflowError)):
            dtype_from_layout(layout)

    @pytest.mark.parametrize("offsets", [[0, 4], [0, 0], [4, 0]])
    def test_objects_never_overlap(self, offsets):
        layout = layout_of(numpy.dtype([("a", "O"), ("b", "i8")]))
        with pytest.raises(TypeError):
            dtype_from_layout({**layout, "offsets": offsets}, objects=True)


class TestComparison:
    @pytest.mark.parametrize("name", DTYPES)
    def test_no_two_of_them_are_the_same(self, name):
        same = [other for other in DTYPES if is_same_dtype(DTYPES[name], DTYPES[other])]
        alike = {repr(DTYPES[other]) + DTYPES[other].char for other in same}
        assert len(alike) == 1

    @pytest.mark.parametrize(
        ("dtype", "expected"),
        [("g", True), ("G", True), ("d", False), ([("a", "g", 2)], True)],
    )
    def test_long_doubles_are_found_at_any_depth(self, dtype, expected):
        dtype = numpy.dtype(dtype)
        assert has_long_double(dtype) == expected
        assert has_long_double(numpy.dtype([("x", dtype)])) == expected


class TestDtypesAsValues:
    @pytest.mark.parametrize("name", DTYPES)
    def test_comes_back_as_it_was(self, round_trip, name):
        back = round_trip(DTYPES[name])
        assert is_same_dtype(back, DTYPES[name])
        assert round_trip.kinds == ["numpy.dtype"]
        assert round_trip.left == []

    @pytest.mark.skipif(
        not hasattr(numpy.dtypes, "StringDType"), reason="NumPy 1 has no such dtype"
    )
    @pytest.mark.parametrize("coerce", [True, False])
    @pytest.mark.parametrize("missing", [[], [None], [float("nan")], ["none"]])
    def test_text_of_any_length_keeps_its_missing_value(
        self, round_trip, coerce, missing
    ):
        named = {"na_object": missing[0]} if missing else {}
        dtype = numpy.dtypes.StringDType(coerce=coerce, **named)
        back = round_trip(dtype)
        assert back == dtype
        assert back.coerce == coerce
        assert hasattr(back, "na_object") == bool(missing)

    @pytest.mark.parametrize("name", DTYPES)
    def test_a_frozen_one_is_the_same(self, name):
        assert is_same_dtype(DTYPE.freeze(DTYPES[name]), DTYPES[name])

    def test_renaming_the_fields_does_not_change_a_frozen_one(self):
        dtype = numpy.dtype([("a", "f8")])
        frozen = DTYPE.freeze(dtype)
        dtype.names = ("b",)
        assert frozen.names == ("a",)
