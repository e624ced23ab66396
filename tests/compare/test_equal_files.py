"""Pairs that are equal by their checksums, and what that leaves out."""

from __future__ import annotations

import math
import zipfile

import numpy
import pytest

from checkpoints import FileHandler, diff
from checkpoints._compare.tolerances import Tolerances


def roots(runs):
    return [run.root for run in runs]


class TestTolerances:
    def test_equal_files_with_nan_differ_where_nan_differs(self, runs):
        for run in runs:
            run.save("risk", numpy.array([1.0, math.nan]))
            run.save("other", numpy.array([math.nan]))
        rule = Tolerances("[[tolerance]]\nmatch = 'risk'\nnan = 'differ'")
        verdicts = [pair.verdict for pair in diff(*roots(runs), tolerances=rule)]
        assert verdicts == ["different", "equal"]

    def test_so_they_do_where_it_differs_in_all_values(self, runs):
        for run in runs:
            run.save("risk", numpy.array([1.0, math.nan]))
        found = diff(*roots(runs), tolerances={"nan": "differ"})
        assert found.verdict == "different"

    def test_a_rule_about_a_pair_of_equal_files_is_used(self, runs):
        for run in runs:
            run.save("risk", 1.0)
        rules = "[[tolerance]]\nmatch = '{}'\nrtol = 1e-3\n"
        table = Tolerances(rules.format("risk") + rules.format("none"), "t.toml")
        found = diff(*roots(runs), tolerances=table).as_json()
        assert found["tolerances"]["unused"] == ["t.toml:4 match='none'"]

    def test_one_about_a_value_that_is_in_no_equal_file_is_not(self, runs):
        for run in runs:
            run.save("risk", {"cov": 1.0, "var": 2.0}).save("risk.x", {"x": 1.0})
        rules = "[[tolerance]]\nvalue = '{}'\nrtol = 1e-3\n"
        table = Tolerances(rules.format("v*") + rules.format("typo"), "t.toml")
        found = diff(*roots(runs), tolerances=table).as_json()
        assert found["tolerances"]["unused"] == ["t.toml:4 value='typo'"]

    def test_one_about_a_column_that_is_in_no_equal_table_is_not(self, runs):
        pandas = pytest.importorskip("pandas")
        for run in runs:
            run.save("risk", {"table": pandas.DataFrame({"price": [1.0]})})
        rules = "[[tolerance]]\ncolumn = '{}'\nrtol = 1e-3\n"
        table = Tolerances(rules.format("p*") + rules.format("prcie"), "t.toml")
        found = diff(*roots(runs), tolerances=table).as_json()
        assert found["tolerances"]["unused"] == ["t.toml:4 column='prcie'"]

    def test_after_the_first_difference_none_is_called_unused(self, runs):
        for run, number in zip(runs, (1.0, 2.0), strict=True):
            run.save("risk", number).save("last", number)
        table = Tolerances("[[tolerance]]\nmatch = 'last'\nrtol = 1e-3\n", "t.toml")
        found = diff(*roots(runs), tolerances=table, first_only=True).as_json()
        assert found["tolerances"]["unused"] == []


class TestBytes:
    """What equals no copy of itself is no difference where the bytes are equal."""

    @pytest.mark.parametrize("exact", [False, True])
    @pytest.mark.parametrize(
        "value", [{math.nan, 1.0}, {(math.nan, 1): 2}], ids=["set", "key"]
    )
    def test_nan_within_a_set_or_a_key_is_equal(self, runs, value, exact):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("before", {"v": value}).save("after", number)
        found = diff(*roots(runs), exact=exact)
        assert [pair.verdict for pair in found] == ["equal", "different"]
        assert next(iter(found)).by == "bytes"
        assert found.first.inputs == "not known; nothing earlier differs"

    def test_a_trusted_function_is_equal(self, runs):
        for run in runs:
            run.save("f", lambda x: x)
        (pair,) = diff(*roots(runs), exact=True, trusted=True)
        assert pair.verdict == "equal"

    def test_bytes_that_differ_below_one_checksum_are_found(self, runs):
        # Both texts have the same CRC-32, whatever is before them.
        for run, text in zip(runs, (b"plumless", b"buckeroo"), strict=True):
            run.save("text", numpy.frombuffer(bytes(1000) + text, "u1"))
        assert [pair.by for pair in diff(*roots(runs))] == ["checksum"]
        assert diff(*roots(runs), exact=True).verdict == "different"

    def test_a_large_file_takes_no_more_memory_than_allowed(self, runs):
        for run in runs:
            run.save("risk", numpy.zeros(1_000_000))
        (pair,) = diff(*roots(runs), exact=True, memory="200KB")
        assert (pair.verdict, pair.by) == ("equal", "bytes")

    def test_a_table_is_compared_to_the_byte(self, tmp_path):
        pyarrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet")
        for root in ("one", "two"):
            handler = FileHandler(tmp_path / root, format="parquet")
            handler.checkpoint("t", pyarrow.table({"x": [1.0, math.nan]}))
        (pair,) = diff(tmp_path / "one", tmp_path / "two", exact=True)
        assert (pair.verdict, pair.by) == ("equal", "bytes")


class TestDamage:
    def test_a_flipped_byte_is_found_where_contents_are_read(self, runs, tmp_path):
        for run in runs:
            run.save("risk", numpy.arange(1000.0))
        (path,) = (tmp_path / "two").rglob("risk*.zip")
        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda it: it.file_size)
            at = largest.header_offset + largest.compress_size // 2
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
        by_checksum = diff(*roots(runs))
        assert by_checksum.verdict == "equal"
        assert "1 equal (1 by checksum, unread)" in str(by_checksum)
        exact = diff(*roots(runs), exact=True)
        assert (exact.verdict, exact.exit_code) == ("unknown", 2)
        assert "damaged" in exact.unknown[0].why
        assert "--exact" not in str(exact)
