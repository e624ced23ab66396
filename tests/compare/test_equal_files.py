"""Pairs that are equal by their checksums, and what that leaves out."""

from __future__ import annotations

import math
import zipfile

import numpy

from checkpoints import diff
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

    def test_a_rule_about_a_pair_of_equal_files_is_used(self, runs):
        for run in runs:
            run.save("risk", 1.0)
        rules = "[[tolerance]]\nmatch = '{}'\nrtol = 1e-3\n"
        table = Tolerances(rules.format("risk") + rules.format("none"), "t.toml")
        found = diff(*roots(runs), tolerances=table).as_json()
        assert found["tolerances"]["unused"] == ["t.toml:4 match='none'"]


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
        assert "(1 by checksum, not read: see --exact)" in str(by_checksum)
        exact = diff(*roots(runs), exact=True)
        assert (exact.verdict, exact.exit_code) == ("unknown", 2)
        assert "damaged" in exact.unknown[0].why
        assert "--exact" not in str(exact)
