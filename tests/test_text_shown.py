"""What is shown: any repr, without anything that a terminal would interpret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints import FileHandler, index, tags
from checkpoints._text import printable, shown, text_of


class TestPrintable:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("plain, 'text' \\ and ü, 日本, 🎂", "plain, 'text' \\ and ü, 日本, 🎂"),
            ("\x1b[2J", "\\x1b[2J"),
            ("two\nlines\r\t", "two\\nlines\\r\\t"),
            ("\x9b31m", "\\x9b31m"),
            ("gpj.\u202eexe", "gpj.\\u202eexe"),
            ("\u2066a\u2069\u200b", "\\u2066a\\u2069\\u200b"),
            ("\udcff", "\\udcff"),
            ("\x00\x7f", "\\x00\\x7f"),
            ("", ""),
        ],
    )
    def test_what_a_terminal_would_obey_is_escaped(self, text, expected):
        assert printable(text) == expected

    @given(st.text())
    def test_what_comes_out_is_printable_and_stays_as_it_is(self, text):
        once = printable(text)
        assert once.isprintable()
        assert printable(once) == once

    def test_an_entry_is_shown_so(self, tmp_path):
        with tags(day="\x1b[31m\nred"):
            FileHandler(tmp_path).checkpoint("shop.total", 1)
        (entry,) = index(tmp_path)
        assert repr(entry) == "<Entry shop.total, day=\\x1b[31m\\nred>"


class TestShown:
    def test_a_long_value_is_cut_in_the_middle(self):
        assert len(shown("a" * 1000)) == 200

    def test_a_value_whose_repr_fails_is_shown_by_its_type(self):
        class Odd:
            def __repr__(self):
                raise SystemExit

        assert shown(Odd()) == "<unprintable Odd object>"


class TestTextOf:
    def test_an_error_is_what_it_says(self):
        assert text_of(OSError("full")) == "full"

    def test_an_error_that_says_nothing_is_none_itself(self):
        class Odd(Exception):
            def __str__(self):
                raise ValueError

        assert text_of(Odd()) == "<unprintable Odd object>"
