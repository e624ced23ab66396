"""The report of a comparison as text, Markdown and JUnit's XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from checkpoints._show.facts import number_text
from checkpoints._show.findings import findings_of
from checkpoints._show.junit import junit_of
from checkpoints._show.markdown import markdown_of
from checkpoints._show.page import page_of
from checkpoints._show.report import report_of, styled_report
from checkpoints._show.rows import COLUMNS, Row, kept, rows_of
from tests.show.conftest import ODD


class TestReport:
    def test_names_the_first_divergence_in_its_first_line(self, document):
        first = report_of(document)[0]
        assert first == "DIFFERENT  first beyond tolerance: risk.cov  day=2"

    @pytest.mark.parametrize(
        ("pairs", "told"), [(1, "the only pair"), (12_345, "all 12,345 pairs")]
    )
    def test_counts_the_pairs_that_are_equal(self, document, pairs, told):
        counts = {**document["counts"], "pairs": pairs}
        equal = {**document, "verdict": "equal", "counts": counts}
        assert findings_of(equal).headline == f"EQUAL  {told}"

    def test_has_the_worst_place_with_both_values(self, document):
        (line,) = [line for line in report_of(document) if line.startswith("  worst ")]
        assert "[10, 5]" in line
        assert "1.0  ->  1.001" in line

    def test_names_the_first_bit_before_it(self, document):
        text = "\n".join(report_of(document))
        assert "earlier    first bit: feed.px  day=2" in text

    def test_names_what_the_differences_have_in_common(self, document):
        text = "\n".join(report_of(document))
        assert "have day=2; 2 other values of day do not differ" in text

    def test_has_a_row_for_each_pair_that_is_not_equal(self, document):
        rows = findings_of(document).rows
        assert [row.cells[1] for row in rows][:3] == ["feed.px", "risk.cov", "note"]
        assert rows[0].cells[-1] == "close"

    @pytest.mark.parametrize("width", [60, 80, 120])
    def test_is_no_wider_than_the_terminal(self, document, width):
        lines = report_of(document, width)
        # Words that cannot be broken, such as paths, stay whole.
        tables = [line for line in lines if line.startswith("  ") and "day=" in line]
        assert tables
        assert all(len(line) <= width for line in tables)

    def test_escapes_what_files_say(self, document):
        text = "\n".join(report_of(document))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[2J" in text

    def test_ends_with_what_to_type_next(self, document):
        last = [*styled_report(document, 80, ["checkpoints show x"])][-1]
        assert (last.label.strip(), last.text) == ("next", "checkpoints show x")

    def test_long_tables_are_cut_unless_all_is_asked_for(self, document):
        many = {**document, "pairs": document["pairs"] * 30}
        short = [line.text for line in styled_report(many, 80)]
        assert any("more that differ less (--all)" in line for line in short)
        lines = [line.text for line in styled_report(many, 80, shows_all=True)]
        assert sum("risk.cov" in line for line in lines) >= 30

    def test_names_options_only_where_there_is_a_command_line(self, document):
        counts = {**document["counts"], "equal": 3, "by_checksum": 2}
        many = {**document, "pairs": document["pairs"] * 30, "counts": counts}
        many["noise"] = {"repeats": 0}
        for options in ("with --noise", "3 equal (2 by checksum, unread; --exact"):
            assert options in "\n".join(it.text for it in styled_report(many, None))
        assert "--" not in "\n".join(report_of(many))
        assert "with --noise" not in page_of(many, is_embedded=True)

    def test_what_moved_is_not_counted_as_equal_by_checksum(self, document):
        moved = {**document["pairs"][0], "compared_by": "checksum"}
        counts = {"pairs": 3, "equal": 2, "different": 1, "by_checksum": 3}
        counted = {**document, "pairs": [moved], "counts": counts}
        assert "3 pairs: 2 equal (2 by checksum, unread), 1 different" in "\n".join(
            report_of(counted)
        )

    @pytest.mark.parametrize(
        ("number", "text"),
        [(0.000_031_4, "3.1e-05"), (1e-300, "1e-300"), (3, "3"), ("inf", "inf")],
    )
    def test_numbers_are_never_rounded_to_zero(self, number, text):
        assert number_text(number) == text


class TestMarkdown:
    def test_begins_with_the_verdict(self, document):
        assert markdown_of(document).startswith(
            "### DIFFERENT: first beyond tolerance: risk.cov  day=2\n"
        )

    def test_has_a_table(self, document):
        lines = markdown_of(document).splitlines()
        heading = lines.index(f"| {' | '.join(COLUMNS)} |")
        assert lines[heading + 3].startswith("| 6 | risk.cov | day=2 | cov |")

    def test_what_files_say_is_no_markup(self, document):
        text = markdown_of(document)
        assert "<b>" not in text.replace("\\<b\\>", "")
        assert ODD not in text

    def test_what_files_say_mentions_nobody_and_links_nowhere(self, document):
        odd = "@octocat #12 https://evil.example www.evil.example a&lt;b@c.de"
        value = {**document["first"]["values"][0], "texts": [odd, odd]}
        first = {**document["first"], "values": [value]}
        text = markdown_of({**document, "first": first})
        assert "octocat" in text
        for mark in ("@o", "#1", "://", "www.", "&lt;", "@c"):
            assert mark not in text


class TestJUnit:
    def test_has_a_case_for_each_difference(self, document):
        suite = ET.fromstring(junit_of(document))
        outcomes = ("failure", "error", "skipped")
        numbers = [len(suite.findall(f"testcase/{it}")) for it in outcomes]
        told = [suite.get(it) for it in ("failures", "errors", "skipped")]
        assert told == list(map(str, numbers))
        assert suite.get("tests") == str(len(suite))
        names = [case.get("name") for case in suite if case.find("failure") is not None]
        assert names[0] == "risk.cov day=2 (6)"
        assert "[10, 5]" in suite[1].find("failure").text

    def test_what_cannot_be_compared_is_an_error(self, document):
        unknown = {**document["pairs"][0], "verdict": "unknown", "why": "\x00damaged"}
        suite = ET.fromstring(junit_of({**document, "pairs": [unknown]}))
        assert suite[0].find("error") is not None

    def test_what_the_rule_left_out_is_skipped_with_a_message(self, document):
        left_out = {**document["unpaired"][0], "why": "not sampled"}
        suite = ET.fromstring(junit_of({**document, "unpaired": [left_out]}))
        assert suite.get("skipped") == "1"
        assert "not sampled" in suite.find("testcase/skipped").get("message")

    def test_runs_with_nothing_in_common_are_no_success(self, document):
        counts = {"pairs": 0, "by_checksum": 0}
        empty = {"verdict": "unknown", "counts": counts, "pairs": [], "unpaired": []}
        suite = ET.fromstring(junit_of({**document, **empty, "first": None}))
        assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


class TestRows:
    def test_those_that_say_least_are_cut_and_the_others_stay_in_order(self):
        rows = [
            Row({"number": at, "values": []}, verdict, (), is_first)
            for at, (verdict, is_first) in enumerate(
                [
                    ("close", False),
                    ("different", False),
                    ("close", False),
                    ("unknown", False),
                    ("different", True),
                ]
            )
        ]
        found, left = kept(rows, 3)
        assert [row.pair["number"] for row in found] == [1, 3, 4]
        assert left == 2
        assert kept(rows, 1)[0][0].is_first

    def test_the_one_that_is_furthest_off_is_kept(self):
        rows = [
            Row({"number": at, "values": [{"excess": at}]}, "different", (), False)
            for at in range(30)
        ]
        assert kept(rows, 1)[0][0].pair["number"] == 29

    @pytest.mark.parametrize(
        ("why", "in_its_row"),
        [
            ("a pickle: --trusted loads it", "a pickle: --trusted loads it"),
            (f"/runs/{'x' * 60}: it is truncated", "could not be compared"),
        ],
    )
    def test_one_that_is_unknown_says_why(self, document, why, in_its_row):
        value = document["pairs"][0]["values"][0]
        value = {**value, "verdict": "unknown", "bits": 0, "cells": 1, "notes": []}
        pair = {**document["pairs"][0], "verdict": "unknown"}
        pair |= {"values": [{**value, "why": why}], "why": why}
        many = {**document, "pairs": [pair]}
        (row,) = rows_of(many)
        assert row.cells[4] == in_its_row
        assert f"feed.px  day=2: {why}" in "\n".join(report_of(many, 200))

    def test_counts_that_are_texts_are_shown(self, document):
        value = {**document["pairs"][0]["values"][0], "cells": str(2**80), "bits": "7"}
        pair = {**document["pairs"][0], "values": [{**value, "notes": []}]}
        assert rows_of({**document, "pairs": [pair]})[0].cells[4].startswith("7 of 1,2")
