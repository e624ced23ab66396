"""Paths of Checkpoints.jl, which escapes nothing."""

from __future__ import annotations

import pytest

from checkpoints import FormatError, Key
from checkpoints._keys.julia_path import (
    Verbatim,
    is_ambiguous,
    julia_path,
    parse_verbatim,
)


class TestJuliaPath:
    @pytest.mark.parametrize(
        ("tags", "expected"),
        [
            ((), "mypkg/fit"),
            ((("day", 1), ("model", "Ridge")), "day=1/model=Ridge/mypkg/fit"),
            ((("a", "x y"), ("a", "10%")), "a=x y/a=10%/mypkg/fit"),
            ((("a", "b=c"), ("b", "ü")), "a=b=c/b=ü/mypkg/fit"),
            ((("a", ""),), "a=/mypkg/fit"),
        ],
    )
    def test_names_and_values_are_as_they_are(self, tags, expected):
        assert julia_path(Key("mypkg.fit", tags)) == expected

    @pytest.mark.parametrize(
        "key",
        [
            Key("a", (("tag", "x/y"),)),
            Key("a", (("tag", "..\\x"),)),
            Key("a", (("t/g", "x"),)),
            Key("a", (("tag", "\0"),)),
            Key("a", (("tag", "\ud800"),)),
            Key("a", (("tag", "x" * 300),)),
            Key("a.b=c"),
            Key("a.b/c"),
        ],
    )
    def test_what_would_mean_another_key_is_refused(self, key):
        with pytest.raises(FormatError, match="format='zip'"):
            julia_path(key)

    @pytest.mark.parametrize("value", ["a b", "10%25", "=", "b=c", "..", "ü", ""])
    def test_a_path_is_read_back_as_it_was_meant(self, value):
        key = Key("mypkg.fit", (("tag", value), ("tag", "2")))
        *folders, name = julia_path(key).split("/")
        tags, prefixes = parse_verbatim(folders)
        assert tags.items() == key.tags
        assert (*prefixes, name) == ("mypkg", "fit")


class TestVerbatim:
    def test_it_is_no_other_folder_of_the_same_names(self):
        folder = ("a=b%20c",)
        assert Verbatim(folder) != folder
        assert folder != Verbatim(folder)
        assert Verbatim(folder) == Verbatim(folder)

    @pytest.mark.parametrize(
        ("folder", "expected"),
        [
            (("a=1", "b"), False),
            (("a=%41",), True),
            (("b", "=c"), True),
            ((), False),
        ],
    )
    def test_only_escapes_and_empty_tags_are_ambiguous(self, folder, expected):
        assert is_ambiguous(folder) is expected
