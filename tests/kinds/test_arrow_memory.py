"""The memory of Arrow columns whose values are written out."""

from __future__ import annotations

import pytest

pa = pytest.importorskip("pyarrow")

from checkpoints._kinds.arrow_memory import memory_of  # noqa: E402 - needs pyarrow

TEXTS = ["x" * 1000] * 50
NUMBERS = [1, 2, None, 4]


def column(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def dense(values, kind):
    return memory_of(column(values, kind), objects=False)


class TestMemoryOf:
    @pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
    def test_text_counts_as_its_bytes_in_each_row(self, kind):
        found = memory_of(column(TEXTS, getattr(pa, kind)()), objects=False)
        assert 50_000 < found < 60_000

    def test_a_category_counts_in_each_row(self):
        found = memory_of(column(TEXTS).dictionary_encode(), objects=False)
        assert 50_000 < found < 60_000

    def test_a_run_counts_in_each_row(self):
        runs = pa.RunEndEncodedArray.from_arrays(pa.array([50], "i4"), ["x" * 1000])
        assert 50_000 < memory_of(pa.chunked_array([runs]), objects=False) < 60_000

    def test_a_part_of_lists_counts_as_often_as_it_is_viewed(self):
        values, zeros = pa.array(range(1000)), pa.array([0] * 50, "i4")
        sizes = pa.array([1000] * 50, "i4")
        views = pa.ListViewArray.from_arrays(zeros, sizes, values)
        found = memory_of(pa.chunked_array([views]), objects=False)
        assert 400_000 < found < 420_000

    def test_texts_as_objects_count_as_objects(self):
        short = column(["ab", "cd"] * 100)
        assert memory_of(short, objects=True) > 200 * 60

    def test_one_wide_character_makes_all_characters_wide(self):
        wide = column(["x" * 1000 + "\N{SLICE OF PIZZA}"])
        assert memory_of(wide, objects=True) > 4000

    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            (pa.int8(), NUMBERS),
            (pa.bool_(), [True, None]),
            (pa.date32(), NUMBERS),
            (pa.decimal128(5), NUMBERS),
            (pa.null(), [None, None]),
            (pa.list_(pa.string()), [["a"], None, []]),
            (pa.list_(pa.int8(), 2), [[1, 2], None]),
            (pa.map_(pa.string(), pa.int8()), [[("a", 1)], None]),
            (pa.struct({"a": pa.int8(), "b": pa.string()}), [{"a": 1}, None]),
            (pa.binary(), [b"a", None]),
            (pa.binary(2), [b"ab", None]),
            (pa.list_view(pa.string()), [["a"], None]),
            (pa.month_day_nano_interval(), [None, (1, 2, 3)]),
        ],
        ids=str,
    )
    def test_a_value_of_any_type_takes_a_byte_at_least(self, kind, values):
        for objects in (True, False):
            found = memory_of(column(values, kind), objects=objects)
            assert len(values) <= found < 2000 * len(values)
            assert memory_of(column([], kind), objects=objects) == 0

    def test_a_slice_counts_as_itself(self):
        whole = column(TEXTS * 100)
        assert memory_of(whole.slice(10, 50), objects=False) < 60_000
