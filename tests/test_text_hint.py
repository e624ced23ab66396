"""Hints at known names, for messages about an unknown one."""

from __future__ import annotations

from checkpoints._text import hint, known_text, nearest


class TestHint:
    def test_a_similar_name_is_suggested(self):
        assert hint("evry", ["where", "every"]) == "did you mean 'every'?"

    def test_without_a_similar_name_the_known_ones_are_listed_as_given(self):
        assert hint("x", ["where", "every"]) == "there are 'where', 'every'"

    def test_a_name_is_escaped(self):
        assert hint("a\x1b", ["a\x1bb"]) == r"did you mean 'a\x1bb'?"


class TestKnown:
    def test_one_name(self):
        assert known_text(["every"]) == "there is 'every'"

    def test_no_names(self):
        assert known_text([]) == "there are none"

    def test_eight_names_are_listed_and_others_counted(self):
        assert known_text("abcdefgh").endswith("'g', 'h'")
        assert known_text("abcdefghij").endswith("'g', 'h' and 2 more")


class TestNearest:
    def test_the_cutoff_says_how_similar_a_name_must_be(self):
        assert nearest("evry", ["every"]) == "every"
        assert nearest("evry", ["every"], cutoff=0.9) == ""
