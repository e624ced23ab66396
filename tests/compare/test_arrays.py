"""Arrays: counts, worst places and tolerances, beside a slow obvious reference."""

from __future__ import annotations

import math
import tracemalloc

import hypothesis
import numpy
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from checkpoints._compare.measure import CHUNK
from checkpoints._compare.tolerance import Tolerance
from checkpoints._compare.values import compare

NAN, INF = math.nan, math.inf
EXACT = Tolerance(rtol=0, atol=0)
FLOATS = ["float16", "float32", "float64", "longdouble"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def array(*cells, dtype="float64"):
    return numpy.array(cells, dtype=dtype)


def of(one, other, *names, **options):
    found = compare(one, other, Tolerance(**options))
    return tuple(getattr(found, name) for name in names)


class TestVerdict:
    @pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool", "complex64", "U3"])
    def test_the_same_content_is_equal(self, dtype):
        one = numpy.arange(6).reshape(2, 3).astype(dtype)
        assert of(one, one.copy(), "verdict", "bits", "cells") == ("equal", 0, 6)

    @pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1, 1)])
    def test_empty_arrays_and_single_cells_are_compared(self, shape):
        one = numpy.zeros(shape)
        assert of(one, one.copy(), "verdict", "cells") == ("equal", one.size)
        assert compare(one, one + 1).verdict == ("different" if one.size else "equal")

    def test_only_nan_is_equal(self):
        one = numpy.full(5, NAN)
        assert compare(one, one.copy()).verdict == "equal"

    def test_bits_that_differ_within_the_tolerance_are_close(self):
        found = compare(array(1.0, 2.0), array(1.0, 2.0 + 2**-50))
        assert (found.verdict, found.bits, found.beyond) == ("close", 1, 0)
        assert found.max_ulp == 2

    @pytest.mark.parametrize("dtype", [*FLOATS, "complex128"])
    def test_the_sign_of_zero_is_a_bit_and_no_difference(self, dtype):
        found = compare(array(0.0, dtype=dtype), array(-0.0, dtype=dtype), EXACT)
        assert (found.verdict, found.bits, found.beyond) == ("close", 1, 0)
        assert found.notes == ("-0.0 against 0.0 in 1 cell",)

    def test_a_nan_of_other_bits_is_told_and_equal(self):
        found = compare(array(NAN, 1.0), array(-NAN, 1.0))
        assert (found.verdict, found.bits) == ("equal", 0)
        assert found.notes == ("NaN with other bits in 1 cell",)

    def test_nan_differs_where_that_was_asked_for(self):
        found = of(array(NAN), array(NAN), "verdict", "beyond", nan="differ")
        assert found == ("different", 1)

    def test_nan_and_infinity_on_one_side_are_beyond_each_tolerance(self):
        one, other = array(1, NAN, INF, INF, 5), array(NAN, 2, 3, -INF, 5)
        found = compare(one, other, Tolerance(rtol=1e9, atol=1e9))
        assert (found.verdict, found.bits, found.beyond) == ("different", 4, 4)
        assert set(found.notes) == {
            "NaN in the candidate only in 1 cell",
            "NaN in the baseline only in 1 cell",
            "Inf in the baseline only in 1 cell",
            "Inf on both sides in 1 cell",
        }
        assert (found.rtol_needed, found.atol_needed) == (None, None)

    def test_a_share_of_the_cells_may_be_beyond(self):
        one = numpy.ones(100)
        other = one.copy()
        other[:2] = 2
        assert compare(one, other, Tolerance(share=0.02)).verdict == "close"
        assert compare(one, other, Tolerance(share=0.01)).verdict == "different"

    def test_some_units_in_the_last_place_may_be_allowed(self):
        one, other = array(1.0), array(1.0 + 2**-50)
        assert compare(one, other, Tolerance(ulp=4)).verdict == "close"
        assert compare(one, other, Tolerance(ulp=3)).verdict == "different"

    def test_the_tolerance_may_be_relative_to_the_largest_value(self):
        one, other = array(1000.0, -1.0), array(1000.0, -1.0 + 1e-10)
        assert compare(one, other, Tolerance(atol="1e-12*max")).verdict == "close"
        assert compare(one, other, Tolerance(atol="1e-14*max")).verdict == "different"


class TestKind:
    def test_another_width_of_floats_is_compared_and_told(self):
        one = array(0.1, 0.5)
        found = compare(one, one.astype("float32"))
        assert (found.verdict, found.bits, found.beyond) == ("different", 1, 0)
        assert found.notes == ("float64 against float32",)
        assert found.texts == ("0.1", "0.10000000149011612")
        assert compare(one, one.astype("f4"), Tolerance(dtype="any")).verdict == "close"

    @pytest.mark.parametrize("other", ["int32", "uint8", "float64", "complex128"])
    def test_another_dtype_with_the_same_values_is_different_and_nothing_is_beyond(
        self, other
    ):
        found = compare(array(1, 2, dtype="int64"), array(1, 2, dtype=other))
        assert (found.verdict, found.bits, found.beyond) == ("different", 0, 0)
        assert found.notes == (f"int64 against {other}",)

    def test_the_order_in_memory_is_told(self):
        one = numpy.arange(6.0).reshape(2, 3)
        found = compare(one, numpy.asfortranarray(one))
        assert (found.verdict, found.bits) == ("close", 0)
        assert found.notes == ("C order against Fortran order",)

    def test_the_order_of_bytes_is_told(self):
        one = array(1.0, 2.0)
        found = compare(one, one.astype(">f8"))
        assert (found.verdict, found.notes) == ("close", ("float64 against >f8",))

    def test_rows_at_the_end_are_counted_and_the_others_compared(self):
        one = numpy.zeros((3, 2))
        other = numpy.zeros((4, 2))
        other[1, 1] = 5
        found = compare(one, other)
        assert (found.cells, found.bits, found.where) == (8, 3, "[1, 1]")
        assert "1 row at the end of the candidate only" in found.notes

    def test_other_shapes_are_not_compared_by_cell(self):
        found = compare(numpy.zeros((2, 3)), numpy.zeros((3, 2)))
        assert (found.verdict, found.beyond) == ("different", 6)
        assert found.shape == ("(2, 3)", "(3, 2)")


class TestDtypes:
    @pytest.mark.parametrize("dtype", INTEGERS)
    def test_integers_are_exact_at_both_ends(self, dtype):
        ends = numpy.iinfo(dtype)
        found = compare(array(ends.min, dtype=dtype), array(ends.max, dtype=dtype))
        assert found.max_abs == int(ends.max) - int(ends.min)

    def test_the_largest_integers_differ_by_one(self):
        one, other = array(2**64 - 1, dtype="u8"), array(2**64 - 2, dtype="u8")
        assert of(one, other, "verdict", "max_abs") == ("different", 1)

    def test_signed_and_unsigned_integers_of_64_bits_are_exact(self):
        one, other = array(2**64 - 1, dtype="u8"), array(-1, dtype="i8")
        assert compare(one, other).max_abs == 2**64

    def test_a_large_integer_is_no_float(self):
        one, other = array(2**53 + 1, dtype="i8"), array(2.0**53)
        assert compare(one, other).max_abs == 1

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_floats_of_each_width_have_a_tolerance_of_their_own(self, dtype):
        one = numpy.ones(1, dtype)
        other = numpy.nextafter(one, numpy.array(2, dtype))
        assert compare(one, other).verdict == "close"
        assert compare(one, other, EXACT).verdict == "different"

    def test_complex_numbers_are_compared_by_their_distance(self):
        found = compare(array(3 + 4j, dtype="c16"), array(0j, dtype="c16"))
        assert (found.max_abs, found.max_rel) == (5.0, 1.0)

    def test_times_differ_by_seconds(self):
        one = numpy.array(["2024-03-08", "NaT", "2024-03-09"], "M8[D]")
        other = numpy.array(["2024-03-08T00:00:01", "NaT", "NaT"], "M8[ms]")
        found = compare(one, other)
        assert (found.bits, found.max_abs) == (2, 1.0)
        assert "NaT in the candidate only in 1 cell" in found.notes
        assert compare(one[:1], other[:1], Tolerance(atol=1.0)).beyond == 0

    def test_times_that_no_common_unit_holds_are_unknown(self):
        one = numpy.array([2**62], "M8[s]")
        found = compare(one, numpy.array([0], "M8[ns]"))
        assert (found.verdict, found.why[:13]) == ("unknown", "OverflowError")

    @pytest.mark.parametrize("dtype", ["m8[s]", "m8[Y]", "M8[M]"])
    def test_durations_and_long_units_are_exact(self, dtype):
        found = compare(numpy.array([1], dtype), numpy.array([2], dtype))
        assert (found.verdict, found.beyond) == ("different", 1)

    @pytest.mark.parametrize("dtype", ["U9", "S9", "object"])
    def test_texts_are_exact(self, dtype):
        one, other = numpy.array(["a", "b"], dtype), numpy.array(["a", "c"], dtype)
        assert of(one, other, "verdict", "bits", "where") == ("different", 1, "[1]")

    def test_texts_of_any_length_are_exact(self):
        one, other = (numpy.array(["a", it], "T") for it in ("b", "c"))
        assert of(one, other, "verdict", "texts") == ("different", ("'b'", "'c'"))

    def test_objects_are_compared_each_by_its_kind(self):
        one = numpy.array([1, None, [1.0, 2.0], "a"], object)
        other = numpy.array([1, None, [1.0, 2.5], "a"], object)
        found = compare(one, other)
        assert (found.cells, found.bits, found.where) == (4, 1, "[2][1]")

    def test_fields_are_compared_each_by_its_dtype(self):
        dtype = [("a", "i4"), ("b", "f8")]
        one = numpy.array([(1, 1.0), (2, 2.0)], dtype)
        other = numpy.array([(1, 1.0), (2, 2.5)], dtype)
        found = compare(one, other)
        assert (found.cells, found.bits) == (4, 1)
        assert (found.where, found.parts[0].name) == ("field 'b', [1]", "field 'b'")

    def test_a_field_on_one_side_is_told(self):
        one = numpy.zeros(2, [("a", "i4"), ("b", "f8")])
        found = compare(one, numpy.zeros(2, [("a", "i4")]))
        assert found.verdict == "different"
        assert "field 'b' in the baseline only" in found.notes

    def test_what_is_masked_is_not_compared(self):
        one = numpy.ma.array([1.0, 2.0, 3.0], mask=[True, False, False])
        other = numpy.ma.array([9.0, 2.0, 3.0], mask=[True, False, True])
        found = compare(one, other)
        assert (found.bits, found.where, found.texts) == (1, "[2]", ("3.0", "None"))

    def test_raw_bytes_are_exact(self):
        one, other = (numpy.frombuffer(data, "V2") for data in (b"abcd", b"abce"))
        assert of(one, other, "verdict", "bits") == ("different", 1)

    def test_numbers_beside_texts_are_all_different(self):
        assert of(array(1.0), numpy.array(["1"]), "verdict", "beyond") == (
            "different",
            1,
        )

    def test_a_scalar_of_numpy_is_compared_with_one_of_python(self):
        found = compare(numpy.float64(1.5), 1.5)
        assert (found.verdict, found.notes) == (
            "close",
            ("numpy.float64 against float",),
        )


def cells_of(dtype):
    if dtype.startswith("float"):
        width = int(dtype[5:])
        few = [0.0, -0.0, 1.0, 1.0 + 2.0**-9, -1.0, NAN, INF, -INF]
        return st.sampled_from(few) | st.floats(width=width)
    ends = numpy.iinfo(dtype)
    return st.sampled_from([0, 1]) | st.integers(int(ends.min), int(ends.max))


@st.composite
def pairs(draw, dtype):
    shape = draw(arrays_of.array_shapes(max_dims=3, max_side=4))
    one = draw(arrays_of.arrays(dtype, shape, elements=cells_of(dtype)))
    other = draw(arrays_of.arrays(dtype, shape, elements=cells_of(dtype)))
    keep = draw(arrays_of.arrays("bool", shape))
    return one, numpy.where(keep, one, other)


def reference(one, other, rtol, atol):
    """Count with plain loops; NaN equals NaN, the sign of zero is a bit."""
    bits = beyond = 0
    distances = []
    for b, c in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True):
        if math.isnan(b) and math.isnan(c):
            continue
        if b == c and math.copysign(1, b) == math.copysign(1, c):
            continue
        bits += 1
        if not (math.isfinite(b) and math.isfinite(c)):
            beyond += 1
            continue
        distance = abs(c - b)
        distances.append(distance)
        beyond += distance > atol + rtol * abs(b)
    return bits, beyond, max(distances, default=None)


class TestReference:
    @pytest.mark.parametrize(
        "dtype", ["float16", "float32", "float64", "int8", "int64"]
    )
    @hypothesis.given(st.data())
    @hypothesis.settings(deadline=None, max_examples=50)
    def test_counts_and_largest_difference_are_those_of_a_plain_loop(self, dtype, data):
        one, other = data.draw(pairs(dtype))
        bounds = st.sampled_from([0.0, 1e-3, 0.5, 2.0])
        rtol, atol = data.draw(bounds), data.draw(bounds)
        found = compare(one, other, Tolerance(rtol=rtol, atol=atol))
        expected = reference(one, other, rtol, atol)
        assert (found.bits, found.beyond, found.max_abs) == expected

    @pytest.mark.parametrize("dtype", ["float64", "int64"])
    @hypothesis.given(st.data())
    @hypothesis.settings(deadline=None, max_examples=50)
    def test_the_worst_place_is_where_its_values_are_and_none_is_worse(
        self, dtype, data
    ):
        one, other = data.draw(pairs(dtype))
        found = compare(one, other, Tolerance(rtol=0.25, atol=0.5))
        if not found.bits:
            assert found.where == ""
            return
        place = tuple(map(int, found.where.strip("[]").split(",")))
        assert found.texts == (repr(one[place].item()), repr(other[place].item()))
        excess = [
            abs(c - b) / (0.5 + 0.25 * abs(b)) if math.isfinite(c - b) else INF
            for b, c in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)
            if b != c and not (math.isnan(b) and math.isnan(c))
        ]
        assert found.excess == pytest.approx(max(excess, default=0.0))

    @hypothesis.given(pairs("float64"))
    @hypothesis.settings(deadline=None, max_examples=50)
    def test_the_tolerance_that_is_needed_passes(self, pair):
        found = compare(*pair)
        if found.rtol_needed is not None:
            again = Tolerance(rtol=found.rtol_needed, atol=found.atol)
            assert compare(*pair, again).verdict == "close"
        if found.atol_needed is not None and found.atol_needed < 1e300:
            again = Tolerance(rtol=found.rtol, atol=found.atol_needed)
            assert compare(*pair, again).verdict == "close"


class TestChunks:
    @pytest.mark.parametrize("every", [1, 2, 7, 70_000])
    @pytest.mark.parametrize("order", ["C", "F", "strided"])
    def test_they_change_nothing(self, every, order):
        shape = (3, CHUNK // 2 + 11)
        one = numpy.linspace(1, 2, shape[0] * shape[1]).reshape(shape)
        other = one.copy()
        other.reshape(-1)[::every] += 1e-3
        other[2, 5] += 1.0
        if order == "F":
            one, other = numpy.asfortranarray(one), numpy.asfortranarray(other)
        if order == "strided":
            one, other = (numpy.repeat(it, 2, axis=1)[:, ::2] for it in (one, other))
        found = compare(one, other)
        expected = int((one != other).sum())
        assert (found.bits, found.beyond, found.where) == (expected, expected, "[2, 5]")
        assert found.max_abs == float(abs(other - one).max())

    def test_the_memory_is_that_of_a_few_chunks(self):
        one = numpy.ones(4_000_000)
        other = one + 1e-3
        compare(one[:10], other[:10])
        tracemalloc.start()
        compare(one, other)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < one.nbytes / 4

    def test_few_samples_are_kept(self):
        found = compare(numpy.zeros(1000), numpy.ones(1000))
        assert len(found.samples) == 20
        assert found.samples[3] == ("[3]", "0.0", "1.0")
