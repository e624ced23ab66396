"""A pattern of names: the names it covers, and the prefixes that may contain them."""

from __future__ import annotations

import pytest

from checkpoints import ConfigError
from checkpoints._keys.pattern import NamePattern

NAMES = [
    "mypkg",
    "mypkg.fit",
    "mypkg.sub.fit",
    "mypkgfoo",
    "mypkgfoo.fit",
    "fit",
    "a.b",
]

CASES = [
    ("mypkg", ["mypkg", "mypkg.fit", "mypkg.sub.fit"]),
    ("mypkg.sub", ["mypkg.sub.fit"]),
    ("mypkg.fit", ["mypkg.fit"]),
    ("mypkg.*", ["mypkg.fit", "mypkg.sub.fit"]),
    ("mypkg*", ["mypkg", "mypkg.fit", "mypkg.sub.fit", "mypkgfoo", "mypkgfoo.fit"]),
    ("*fit", ["mypkg.fit", "mypkg.sub.fit", "mypkgfoo.fit", "fit"]),
    ("?.[bc]", ["a.b"]),
    ("*", NAMES),
    (["fit", "mypkg"], ["mypkg", "fit"]),
    ([], []),
]


class TestNamePattern:
    @pytest.mark.parametrize(("names", "expected"), CASES)
    def test_it_covers_a_name_a_prefix_a_glob_or_a_list(self, names, expected):
        covers = NamePattern(names).covers
        assert [name for name in NAMES if covers(name)] == expected

    @pytest.mark.parametrize(("names", "expected"), CASES)
    def test_it_may_cover_below_every_prefix_of_what_it_covers(self, names, expected):
        pattern = NamePattern(names)
        for name in expected:
            parts = name.split(".")
            for count in range(1, len(parts)):
                assert pattern.may_cover_below(".".join(parts[:count]))

    @pytest.mark.parametrize(
        ("names", "prefix"),
        [
            ("mypkg", "mypkgfoo"),
            ("mypkg.sub", "mypkg.other"),
            ("mypkg.sub.*", "mypkg.subs"),
            ("mypkg.*", "other"),
            (["mypkg.fit"], "mypkg.fit"),
            ([], "mypkg"),
        ],
    )
    def test_it_knows_prefixes_below_which_there_is_nothing(self, names, prefix):
        assert not NamePattern(names).may_cover_below(prefix)

    @pytest.mark.parametrize("bad", ["", "a..b", 3, ["a", ""], [3]])
    def test_what_is_no_name_is_an_error(self, bad):
        with pytest.raises(ConfigError):
            NamePattern(bad)
