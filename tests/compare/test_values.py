"""Values of every kind, in one form; and what cannot be compared."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys

import numpy
import pandas
import PIL.Image
import pytest
import scipy.sparse

from checkpoints._compare.difference import Difference
from checkpoints._compare.tolerance import Tolerance
from checkpoints._compare.values import compare
from checkpoints._kinds.pickled import Pickled
from checkpoints._kinds.summary import summaries_of


class Raises:
    __hash__ = None

    def __eq__(self, other):
        raise ValueError("no")


class Vague:
    __hash__ = None

    def __eq__(self, other):
        return "perhaps"


class Broken(dict):
    def __getitem__(self, key):
        raise OSError("gone")


class NoLength(list):
    def __len__(self):
        raise OSError("gone")


class NoDtype:
    @property
    def dtype(self):
        raise OSError("gone")


class Model:
    def __init__(self, weights):
        self.weights = weights


class Rounded(Model):
    __hash__ = None

    def __eq__(self, other):
        return round(self.weights) == round(other.weights)


def test_the_info_of_a_picture_is_part_of_it():
    image = pytest.importorskip("PIL.Image", reason="it is a picture")
    one = image.new("L", (3, 3))
    other = one.copy()
    other.info = {"dpi": (72, 72)}
    assert compare(one, one.copy()).verdict == "equal"
    assert compare(one, other).notes == ('info ["dpi"]',)
    assert compare(one, other).verdict == "different"


class TestTexts:
    def test_the_first_line_that_differs_is_told(self):
        found = compare("a\nbc\nd", "a\nbd\nd")
        assert (found.where, found.texts) == (
            "line 2, column 2",
            ("'bc\\n'", "'bd\\n'"),
        )
        assert (found.cells, found.beyond) == (3, 1)

    def test_an_inserted_line_is_one_difference(self):
        assert compare("a\nb\nc", "a\nx\nb\nc").beyond == 1

    def test_long_texts_are_shown_where_they_differ(self):
        found = compare("a" * 500 + "b", "a" * 500 + "c")
        assert found.texts[0].endswith("ab'")
        assert found.texts[1].endswith("ac'")
        assert max(map(len, found.texts)) < 80

    def test_only_the_ends_of_lines_are_told(self):
        assert "only the ends of lines differ" in compare("a\nb", "a\r\nb").notes

    def test_a_diff_is_made(self):
        assert compare("a\nb", "a\nc").lines == ("@@ -1,2 +1,2 @@", " a", "-b", "+c")

    def test_many_lines_are_compared(self):
        lines = [str(number) for number in range(20_000)]
        found = compare("\n".join(lines), "\n".join([*lines[:9], "x", *lines[9:]]))
        assert (found.verdict, found.where) == ("different", "line 10, column 1")

    def test_bytes_are_compared_byte_by_byte(self):
        found = compare(b"abcd", b"abXd!")
        assert (found.where, found.bits, found.cells) == ("byte 2", 2, 5)


class TestSparse:
    MATRIX = scipy.sparse.random(50, 40, 0.05, format="csr", random_state=1)

    @pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr"])
    def test_the_same_matrix_is_equal(self, form):
        one = self.MATRIX.asformat(form)
        found = compare(one, one.copy())
        assert (found.verdict, found.cells, found.bits) == ("equal", 2000, 0)

    def test_cells_are_compared_wherever_they_are_stored(self):
        other = self.MATRIX.tolil()
        other[3, 4] = 7.0
        found = compare(self.MATRIX, other.tocsr())
        assert (found.bits, found.where, found.texts) == (1, "[3, 4]", ("0.0", "7.0"))

    def test_another_format_is_told(self):
        found = compare(self.MATRIX, self.MATRIX.tocoo())
        assert (found.verdict, found.bits) == ("close", 0)
        assert found.notes == ("csr_matrix against coo_matrix",)

    def test_a_huge_shape_takes_no_memory(self):
        one = scipy.sparse.coo_array(([1.0], ([9], [8])), shape=(10**9, 10**9))
        other = scipy.sparse.coo_array(([2.0], ([9], [8])), shape=(10**9, 10**9))
        found = compare(one, other)
        assert (found.where, found.cells) == ("[9, 8]", 10**18)


class TestPictures:
    def test_pixels_are_compared(self):
        one, other = (PIL.Image.new("RGB", (4, 3), "white") for _ in range(2))
        assert compare(one, other).verdict == "equal"
        other.putpixel((2, 1), (255, 0, 255))
        found = compare(one, other)
        assert (found.where, found.bits, found.shape[0]) == ("[1, 2, 1]", 1, "4 x 3")

    def test_another_mode_or_size_is_different(self):
        one = PIL.Image.new("L", (4, 3))
        assert compare(one, one.convert("RGB")).verdict == "different"
        assert compare(one, PIL.Image.new("L", (3, 4))).verdict == "different"


class TestTensors:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch", exc_type=ImportError)

    @pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
    def test_each_dtype_has_its_tolerance(self, torch, dtype):
        one = torch.ones(3, dtype=getattr(torch, dtype))
        other = one.clone()
        other[1] += torch.finfo(one.dtype).eps
        found = compare(one, other)
        assert (found.verdict, found.bits, found.dtype) == ("close", 1, (dtype, dtype))
        assert found.max_ulp == 1

    def test_one_beside_an_array_is_told(self, torch):
        found = compare(torch.ones(3), numpy.ones(3, "float32"))
        assert (found.verdict, found.bits) == ("close", 0)
        assert "against numpy.ndarray" in found.notes[0]


class TestSummaries:
    def made(self, value):
        return summaries_of({"value": value})["value"]

    def test_the_same_hash_is_equal(self):
        one, other = (self.made(numpy.arange(9.0)) for _ in range(2))
        found = compare(one, other)
        assert (found.verdict, found.kind[0]) == ("equal", "numpy.ndarray")

    def test_statistics_within_the_tolerance_are_close_as_far_as_is_known(self):
        one = numpy.arange(9.0)
        found = compare(self.made(one), self.made(one[::-1].copy()))
        assert (found.verdict, found.bits) == ("close", 1)
        assert "only summaries were saved" in found.notes[0]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("hello world", "hello worlt"),
            (b"abc", b"abd"),
            (numpy.array([True, False]), numpy.array([False, True])),
            (numpy.array([1, 2, 3, 4]), numpy.array([2, 1, 3, 4])),
            ([1, 2, 4], [2, 1, 4]),
            ({"a": "x", "n": 1}, {"a": "y", "n": 1}),
        ],
    )
    def test_what_is_exact_differs_if_its_hash_does(self, one, other):
        found = compare(self.made(one), self.made(other))
        assert (found.verdict, found.notes[0]) == ("different", "the hashes differ")

    @pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
    def test_columns_and_items_of_floats_may_be_close(self, dtype):
        one = {"n": 1, "x": numpy.array([1, 2, 3], dtype)}
        other = {"n": 1, "x": numpy.array([2, 1, 3], dtype)}
        found = compare(self.made(one), self.made(other))
        assert (found.verdict, found.hopeless) == ("close", False)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (numpy.array([1, math.inf]), numpy.array([1, -math.inf])),
            (numpy.array([1, 1, math.nan]), numpy.array([1, math.nan, 1])),
            (pandas.Series([1.0, 2.0]), pandas.Series([1.0, 2.0], [1, 0])),
            (pandas.DataFrame({"x": [1.0]}), pandas.DataFrame({"x": [1.0]}, [1])),
        ],
    )
    def test_what_no_tolerance_is_about_differs(self, one, other):
        assert compare(self.made(one), self.made(other)).verdict == "different"
        close = self.made(one + 1e-12)
        assert compare(self.made(one), close).verdict == "close"
        # An earlier version wrote no hashes of such parts.
        for summary in (close, *close.get("columns", ())):
            summary.pop("labels", None)
            summary.pop("not_finite", None)
        found = compare(self.made(one), close)
        assert (found.verdict, found.why[:20]) == ("unknown", "the statistics agree")

    def test_which_cells_are_missing_is_not_known(self):
        one = pandas.array([1.5, None], dtype="Float64")
        found = compare(self.made(one), self.made(one[::-1]))
        assert found.why.endswith("they do not tell which cells are missing")

    def test_integers_may_be_close_where_a_tolerance_says_so(self):
        one, other = (numpy.array(it) for it in ([1, 2, 3], [2, 1, 3]))
        allowed = Tolerance(atol=1)
        assert compare(self.made(one), self.made(other), allowed).verdict == "close"

    def test_statistics_beyond_it_are_different(self):
        found = compare(self.made(numpy.ones(9)), self.made(numpy.ones(9) * 2))
        assert (found.verdict, found.where) == ("different", '["min"]')

    def test_one_beside_the_value_is_compared(self):
        value = numpy.arange(9.0)
        assert compare(self.made(value), value).verdict == "close"
        assert compare(value + 1, self.made(value)).verdict == "different"

    def test_without_a_hash_the_same_statistics_are_unknown(self):
        one, other = (self.made(Model(1.0)) for _ in range(2))
        assert compare(one, other).verdict == "unknown"


class TestObjects:
    def test_fields_are_compared_where_there_is_no_equality(self):
        one, other = Model(numpy.ones(2)), Model(numpy.array([1, 2.0]))
        assert compare(one, Model(numpy.ones(2))).verdict == "equal"
        assert compare(one, other).where == ".weights[1]"

    def test_its_own_equality_counts_and_fields_are_told(self):
        found = compare(Rounded(1.0), Rounded(1.1))
        assert (found.verdict, found.where) == ("close", ".weights")
        assert compare(Rounded(1.0), Rounded(1.9)).verdict == "different"

    @pytest.mark.parametrize(
        ("make", "why"),
        [
            (Raises, "its == raises ValueError: no"),
            (Vague, "its == returns str, not a bool"),
            (object, "has no fields"),
        ],
    )
    def test_what_cannot_be_compared_is_unknown_with_the_reason(self, make, why):
        found = compare(make(), make())
        assert found.verdict == "unknown"
        assert why in found.why
        inner = compare({"a": 1, "b": make()}, {"a": 1, "b": make()})
        assert (inner.verdict, inner.parts[0].name) == ("unknown", '["b"]')

    @pytest.mark.parametrize("value", [Broken({"b": 1}), NoLength([1]), NoDtype()])
    def test_what_raises_is_unknown_and_the_rest_is_compared(self, value):
        found = compare({"a": value, "b": 1}, {"a": copy.copy(value), "b": 2})
        assert (found.verdict, found.where) == ("different", '["b"]')
        (unknown,) = [part for part in found.parts if part.verdict == "unknown"]
        assert (unknown.name, unknown.why) == ('["a"]', "OSError: gone")

    def test_objects_nested_too_deep_are_unknown(self):
        one, other = Model(1.0), Model(2.0)
        for _ in range(100):
            one, other = Model(one), Model(other)
        found = compare(one, other)
        assert (found.verdict, "nested too deep" in found.why) == ("unknown", True)

    def test_a_difference_outweighs_what_is_unknown(self):
        found = compare({"a": 1, "b": Raises()}, {"a": 2, "b": Raises()})
        assert (found.verdict, found.beyond) == ("different", 1)

    def test_pickles_are_compared_by_their_bytes(self):
        one = Pickled("m.Model", "", "ab")
        assert compare(one, Pickled("m.Model", "", "ab")).verdict == "equal"
        other = compare(one, Pickled("m.Model", "", "cd"))
        assert (other.verdict, "trusted=True" in other.why) == ("unknown", True)
        assert compare(one, Pickled("m.Other", "", "ab")).verdict == "different"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (numpy.ones(2), "a"),
            (pandas.DataFrame({"a": [1]}), numpy.ones((1, 1))),
            (Model(1), 1),
            (None, numpy.ones(1)),
            ([1.0], {"a": 1.0}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_values_of_different_kinds_are_different(self, one, other):
        found = compare(one, other)
        assert found.verdict == "different"
        assert found.kind[0] != found.kind[1]

    def test_a_list_beside_an_array_is_compared_and_told(self):
        found = compare([1.0, 2.0], numpy.array([1.0, 3.0]))
        assert (found.verdict, found.where) == ("different", "[1]")
        assert "list against numpy.ndarray" in found.notes

    def test_other_libraries_are_compared_by_their_parts(self):
        xarray = pytest.importorskip("xarray")
        one = xarray.Dataset({"t": ("x", [1.0, 2.0])})
        other = xarray.Dataset({"t": ("x", [1.0, 2.5])})
        assert compare(one, one.copy(deep=True)).verdict == "equal"
        found = compare(one, other)
        assert (found.verdict, found.texts) == ("different", ("2.0", "2.5"))


class TestForm:
    def test_it_is_json(self):
        other = {"a": numpy.array([1.0, numpy.nan]), "b": 2**70}
        found = compare({"a": numpy.array([0.0, 1.0]), "b": 1}, other)
        again = json.loads(json.dumps(found.as_json(), allow_nan=False))
        assert again["verdict"] == "different"
        assert again["formula"] == "|c-b| <= atol + rtol*|b|"
        assert [part["name"] for part in again["parts"]] == ['["a"]', '["b"]']

    def test_the_tolerance_that_was_applied_is_told(self):
        found = compare(numpy.ones(1), numpy.full(1, 2.0))
        assert (found.rtol, found.atol) == (1e-7, 1e-7)
        given = compare(1.0, 2.0, Tolerance(rtol=1e-9, source="t.toml:3"))
        assert str(given.tolerance) == "rtol 1e-09 (t.toml:3)"

    def test_texts_are_safe_to_print(self):
        assert "\x1b" not in str(compare(["\x1b[2J"], ["\x1b[3J"]))

    def test_no_library_is_imported_for_values_of_python(self):
        code = (
            "import sys; from checkpoints._compare.values import compare\n"
            "compare([1.0] * 500, [2.0] * 500); compare({'a': 1}, {'a': 'b'})\n"
            "print({'numpy', 'pandas', 'pyarrow', 'difflib'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout == "set()\n"

    def test_an_equal_difference_says_nothing_more(self):
        assert compare(1, 1) == Difference(
            verdict="equal", kind=("int", "int"), cells=1, dtype=("int64", "int64")
        )
