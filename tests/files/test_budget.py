"""The memory limit of a load: memory is always requested before it is used."""

from __future__ import annotations

import tracemalloc

import pytest

from checkpoints import (
    ConfigError,
    CorruptFileError,
    FileHandler,
    TooLargeError,
    index,
    load,
)
from checkpoints._process.budget import Budget, ask, within

KIB = 1 << 10
MIB = 1 << 20


@pytest.fixture
def saved(tmp_path):
    """Save values; return the path of the file."""

    def saved(*data, compression=None, **values):
        handler = FileHandler(tmp_path, compression=compression)
        handler.checkpoint("a", *data, **values)
        return tmp_path / "a.ckpt.zip"

    return saved


def needs(path, *names, **options):
    """Return the smallest limit with which these values can be loaded."""
    low, high = 1, 1 << 30
    while low < high:
        limit = (low + high) // 2
        try:
            load(path, *names, max_bytes=limit, **options)
        except TooLargeError:
            low = limit + 1
        else:
            high = limit
    return low


class TestBudget:
    def test_what_is_taken_is_gone(self):
        budget = Budget("a", 100)
        budget.take(60, "the first")
        budget.check(40, "the second")
        with pytest.raises(TooLargeError):
            budget.take(41, "the second")
        budget.take(40, "the second")
        assert budget.left == 0

    def test_the_message_says_what_how_much_and_the_way_out(self):
        budget = Budget("root/a.ckpt.zip", 100)
        budget.take(60, "the first")
        with pytest.raises(MemoryError) as told:
            budget.take(5000, "the second")
        for text in (
            *("root/a.ckpt.zip", "the second", "at least 5,060 bytes", "limit is 100"),
            *("by name", "mmap=True", "raise max_bytes"),
        ):
            assert text in str(told.value)

    def test_it_gives_no_number_that_is_not_enough(self, saved):
        path = saved(a=[1, "a", 2.5] * 1000)
        with pytest.raises(TooLargeError) as told:
            load(path, max_bytes=1)
        assert "max_bytes=" not in str(told.value)

    def test_without_a_limit_it_is_the_memory_of_this_process(self):
        assert Budget("a").left == Budget("a", None).left > 64 * MIB
        with pytest.raises(TooLargeError):
            Budget("a").take(1 << 80, "everything")

    def test_what_is_asked_for_is_taken_from_the_budget_around(self):
        ask(1 << 80)  # of none: nothing is being read
        budget = Budget("a", 100)
        with within(budget, "a list"):
            ask(60)
            with pytest.raises(TooLargeError, match="a list"):
                ask(50)
        ask(1 << 80)
        assert (budget.left, budget.taken) == (40, 60)

    def test_one_inside_another_has_no_more_than_is_left_there(self):
        around = Budget("a", 100)
        with within(around, "a preview"):
            ask(60)
            assert Budget("b").left == Budget("b", 500).left == 40
            assert Budget("b", 30).left == 30
            with pytest.raises(TooLargeError, match=r"110 bytes .* limit is 100\."):
                Budget("b").take(50, "a list")

    def test_what_is_loaded_inside_another_is_taken_from_both(self, saved):
        path = saved(a=b"a" * 100 * KIB)
        around = Budget("a")
        with within(around, "a preview"):
            load(path)
        assert around.taken >= 100 * KIB
        with within(Budget("a", 90 * KIB), "a preview"), pytest.raises(TooLargeError):
            load(path, max_bytes="1GB")

    def test_it_may_be_written_as_people_do(self, saved):
        path = saved(a=b"a" * 10 * KIB)
        assert len(load(path, max_bytes="1MB")["a"]) == 10 * KIB
        (entry,) = index(path.parent)
        with pytest.raises(TooLargeError, match="limit is 1,000"):
            entry.load(max_bytes="1kB")

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, "1 gross", "0", True, [1]], ids=repr)
    def test_what_is_no_count_of_bytes_is_told(self, saved, wrong):
        path = saved(a=1)
        with pytest.raises(ConfigError, match=r"invalid max_bytes=.*from 1 up"):
            load(path, max_bytes=wrong)


class TestLoad:
    def test_the_bytes_of_the_values_that_are_wanted_count(self, saved):
        path = saved(a=b"a" * 100 * KIB, b=b"b" * 300 * KIB)
        least = needs(path, "a")
        # Read into one place, and made into an object in another.
        assert 200 * KIB < least < 220 * KIB
        assert needs(path, "b") - least == 400 * KIB
        assert needs(path) - least == 600 * KIB
        (entry,) = index(path.parent)
        assert len(entry.load("a", max_bytes=least)["a"]) == 100 * KIB
        with pytest.raises(TooLargeError):
            entry.load("a", max_bytes=least - 1)

    def test_it_is_refused_before_any_value_is_read(self, saved):
        path = saved(a=b"a" * MIB, b=b"b" * 20 * MIB)
        tracemalloc.start()
        try:
            with pytest.raises(TooLargeError, match="2 members"):
                load(path, max_bytes=10 * MIB)
            assert tracemalloc.get_traced_memory()[1] < MIB
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("compression", ["gzip", "zstd"])
    def test_compressed_values_count_as_what_they_become(self, saved, compression):
        if compression == "zstd":
            pytest.importorskip("zstandard", reason="below 3.14 it packs")
        path = saved(a=bytes(10 * MIB), compression=compression)
        assert path.stat().st_size < MIB
        assert 20 * MIB < needs(path) < 20 * MIB + 20 * KIB

    def test_values_inside_others_count(self, saved):
        numpy = pytest.importorskip("numpy", reason="an array is inside")
        path = saved(a=[{"deep": numpy.zeros(100 * KIB, "u1")}])
        assert 100 * KIB < needs(path) < 115 * KIB

    def test_mapped_arrays_do_not_count(self, saved):
        numpy = pytest.importorskip("numpy", reason="arrays are mapped")
        path = saved(a=numpy.zeros(MIB, "u1"), b=[numpy.zeros(MIB, "u1")])
        assert needs(path) > 2 * MIB
        assert needs(path, mmap=True) < 20 * KIB

    def test_json_counts_as_the_objects_that_it_becomes(self, saved):
        path = saved(a=[[] for _ in range(10 * KIB)])
        assert needs(path) > 10 * KIB * 64

    def test_a_header_counts(self, saved):
        path = saved(**{f"value{number}": number for number in range(1000)})
        assert needs(path, "value1") > 60_000

    def test_pixels_count_and_not_the_bytes_of_the_picture(self, saved):
        images = pytest.importorskip("PIL.Image", reason="it makes a picture")
        path = saved(a=images.new("RGB", (1000, 1000)))
        assert path.stat().st_size < 10 * KIB
        assert needs(path) > 2 * 4_000_000

    def test_rows_count_and_not_the_bytes_of_a_parquet_file(self, tmp_path):
        arrow = pytest.importorskip("pyarrow", reason="it makes a table")
        handler = FileHandler(tmp_path, format="parquet", compression="zstd")
        handler.checkpoint("a", arrow.table({"a": [0] * MIB, "b": ["text"] * MIB}))
        path = tmp_path / "a.ckpt.parquet"
        assert path.stat().st_size < MIB
        with pytest.raises(TooLargeError, match="rows"):
            load(path, max_bytes=15 * MIB)
        assert load(path, max_bytes=64 * MIB)["data"].num_rows == MIB

    def test_too_large_is_no_damage(self, saved):
        path = saved(a=b"a" * KIB)
        with pytest.raises(TooLargeError) as told:
            load(path, max_bytes=1)
        assert not isinstance(told.value, CorruptFileError)
