"""Conditions on tags: strings, numbers, dates, ranges, functions, alternatives."""

from __future__ import annotations

import datetime
import decimal
import enum
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints import ConfigError, DictHandler, Key, checkpoint, config, tags
from checkpoints._keys.comparison import read_like
from checkpoints._keys.condition import (
    checked_tag_filter,
    condition_of,
    conditions_in,
    may_match,
    tags_match,
)
from checkpoints._keys.entry_tags import ExactText
from checkpoints._keys.key import parse_folder

DAY = datetime.date(2017, 3, 2)
UTC = datetime.UTC


class Color(enum.Enum):
    RED = 1


def fits(text, wanted):
    return tags_match([("tag", text)], {"tag": wanted})


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("4", ">3"),
            ("10", ">9"),
            ("3", ">=3"),
            ("3.0", "<= 3"),
            ("-1", "<0"),
            ("1e3", ">999.5"),
            ("5", "3..7"),
            ("3", "3..7"),
            ("7", "3..7"),
            ("07", "7..7"),
            ("0.5", "-1..1"),
            ("8", "3.."),
            ("-8", "..7"),
            ("2017-03-01", ">=2017-03-01"),
            ("2017-03-31T23:59:00", "2017-03-01..2017-03-31"),
            ("2017-04-01", ">2017-03-31"),
            ("2017-03-02T10:00:00", "<2017-03-02T10:30"),
            ("2017-03-02T10:00:00+00:00", "<2017-03-02T10:30Z"),
            ("10:30:00", "10:00..11:00"),
            (">3", ">3"),
            ("3..7", "3..7"),
            ("b", [">3", "b"]),
            ("../x", "../*"),
            ("<lambda>", "==<lambda>"),
            ("==3", "====3"),
            ("=3", "===3"),
            ("!=3", "==!=3"),
            ("3", "==3"),
            ("", "=="),
            ("a*b", "==a*b"),
            ("a*b", ["x", "==a*b"]),
            ("7..3", "==7..3"),
            ("=3", lambda text: text == "=3"),
            ("!x", "!x"),
            ("a...b", "a...b"),
            ("v1..v2", "v1..v2"),
        ],
    )
    def test_it_compares_and_fits(self, text, wanted):
        assert fits(text, wanted)

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("3", ">3"),
            ("three", ">3"),
            ("", "<3"),
            ("nan", "<3"),
            ("nan", ">3"),
            ("8", "3..7"),
            ("2", "3.."),
            ("8", "..7"),
            ("2017-04-01T00:00:00", "2017-03-01..2017-03-31"),
            ("2017-03-31T23:00:00", ">2017-03-31"),
            ("20170302", "<2017-03-02T10:30Z"),
            ("2017-03-02T10:00:00", "<2017-03-02T10:30Z"),
            ("10", ">2017-03-01"),
            ("2017-03-01", ">3"),
            ("../data", "../x"),
            ("a", "v1..v2"),
            ("03", "==3"),
            ("axb", "==a*b"),
            ("x", "=="),
        ],
    )
    def test_it_compares_and_does_not_fit(self, text, wanted):
        assert not fits(text, wanted)

    @pytest.mark.parametrize(
        ("wanted", "told"),
        [
            (">", "expected a number, date or time after >; "),
            (">=soon", "expected a number, date or time after >=; "),
            ("<lambda>", "after <; write ==<lambda> for the literal text"),
            (">nan", "expected a number, date or time after >; "),
            (">=2017-03", "2017-03 is a month, not a date"),
            ("2017-01..2017-03", "2017-01 is a month"),
            ("7..3", "empty range: lower bound is above the upper"),
            ("1..x", "two numbers, two dates or two times"),
            ("3..2017-03-01", "two numbers, two dates or two times"),
            (["a", ">"], "expected a number, date or time after >; "),
            ("=3", "write ==3 for exactly 3, or ===3 for the literal text"),
            ("=>3", "write >=3"),
            ("=<3", "write <=3"),
            ("!=3", "cannot exclude a value: list the wanted values"),
            (["a", "!=3"], "cannot exclude a value: list the wanted values"),
            ("3...7", "two dots"),
            ("...7", "two dots"),
            (">2026-02-30", "no such date or time as 2026-02-30"),
            ("2026-02-30..", "no such date or time as 2026-02-30"),
            ("<2026-02-03T25:00", "no such date or time"),
            ("<9:30", "as in 2026-03-01 or 09:30"),
        ],
    )
    def test_one_that_cannot_be_read_is_an_error_before_anything_is_saved(
        self, wanted, told
    ):
        with pytest.raises(ConfigError, match=f"^'date'=.*{told}"):
            config("pkg", DictHandler(), where={"date": wanted})

    def test_a_rule_may_ask_for_several_at_once(self):
        handler = DictHandler()
        config("compared", handler, where={"step": [">8", "1..2"]})
        for step in range(10):
            with tags(step=step):
                checkpoint("compared", step)
        assert [value["data"] for value in handler.values()] == [1, 2, 9]


class TestOneValue:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("a", "a"),
            ("abc", "a*"),
            ("[x]", "[x]"),
            ("3", 3),
            ("03", 3),
            ("3.0", 3),
            ("1e-1", 0.1),
            ("0.1", decimal.Decimal("0.1")),
            ("100000000000000000001", 100000000000000000001),
            ("True", True),
            ("None", None),
            ("nan", float("nan")),
            ("2017-03-02", DAY),
            ("20170302", DAY),
            ("2017-03-02T10:00:00", DAY),
            ("2017-03-02T10:00:00", datetime.datetime(2017, 3, 2, 10)),
            ("2017-03-02T10:00:00Z", datetime.datetime(2017, 3, 2, 10, tzinfo=UTC)),
            ("10:30:00", datetime.time(10, 30)),
            ("Color.RED", Color.RED),
            ("5", range(3, 6)),
            ("05", range(3, 6)),
            ("5", lambda text: int(text) > 4),
            ("b", ["a", "b"]),
            ("b", ("a", "?")),
            ("03", {2, 3}),
            ("b", {"b": 1}.keys()),
            ("12", [str.isalpha, str.isdigit]),
        ],
    )
    def test_it_fits(self, text, wanted):
        assert fits(text, wanted)

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("a", "A"),
            ("a", ""),
            ("33", 3),
            ("three", 3),
            ("20_17", 2017),
            ("100000000000000000001", 100000000000000000000),
            ("1", True),
            ("2017-03-03", DAY),
            ("2017-03-03T00:00:00", DAY),
            ("10:00:00", DAY),
            ("2017-03-02", datetime.datetime(2017, 3, 2, 10)),
            ("2017-03-02T10:00:00Z", datetime.datetime(2017, 3, 2, 10)),
            ("6", range(3, 6)),
            ("x", range(3, 6)),
            ("4.5", range(10**18)),
            ("inf", range(3, 6)),
            ("nan", slice(1, 3)),
            ("nan", slice(decimal.Decimal(1), None)),
            ("4", lambda text: int(text) > 4),
            ("c", ["a", "b"]),
            ("c", []),
        ],
    )
    def test_it_does_not_fit(self, text, wanted):
        assert not fits(text, wanted)

    @pytest.mark.parametrize(
        "wanted",
        [
            slice(float("nan"), 5),
            slice(None, decimal.Decimal("nan")),
            slice(decimal.Decimal("sNaN"), None),
        ],
    )
    def test_a_range_that_ends_nowhere_is_an_error(self, wanted):
        with pytest.raises(ConfigError, match="the ends of a range"):
            checked_tag_filter({"step": wanted})

    def test_a_nan_that_signals_fits_itself_alone(self):
        wanted = decimal.Decimal("sNaN")
        assert fits("sNaN", wanted)
        assert not fits("3", wanted)

    def test_a_tag_that_nobody_asks_for_is_not_looked_at(self):
        class Mute:
            def __str__(self):
                raise RuntimeError("not now")

        assert tags_match([("a", 1), ("b", Mute())], {"a": "1"})

    def test_what_was_saved_as_the_same_fits_whatever_it_is(self):
        for value in (DAY, 3, 0.1, True, None, "a*", Color.RED, datetime.time(1), b"x"):
            assert tags_match([("tag", value)], {"tag": value})


class TestRange:
    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (slice(3, 10), ["3", "03", "5.5", "10"]),
            (slice(3, None), ["3", "03", "5.5", "10", "11"]),
            (slice(None, 3), ["2", "3", "03"]),
            (slice("3", "5.5"), ["3", "5.5"]),
        ],
    )
    def test_both_ends_are_in_it(self, wanted, expected):
        texts = ["2", "3", "03", "5.5", "10", "11", "x"]
        assert [text for text in texts if fits(text, wanted)] == expected

    def test_of_days_has_all_the_times_of_the_last_one(self):
        march = slice(datetime.date(2017, 3, 1), datetime.date(2017, 3, 31))
        assert fits("2017-03-31T23:59:00", march)
        assert not fits("2017-04-01", march)
        assert not fits("march", march)

    def test_times_with_a_zone_are_in_no_range_of_times_without(self):
        wanted = slice(datetime.datetime(2017, 3, 1), None)
        assert fits("2017-03-02T00:00:00", wanted)
        assert not fits("2017-03-02T00:00:00Z", wanted)

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (DAY, 3),
            (3, "5"),
            (datetime.datetime(2017, 3, 1), datetime.datetime(2017, 4, 1, tzinfo=UTC)),
            (datetime.time(1), datetime.time(2, tzinfo=UTC)),
            (DAY, datetime.time(2)),
            (None, True),
            (b"a", None),
            (datetime.timedelta(1), None),
        ],
    )
    def test_whose_ends_are_of_no_one_kind_is_an_error(self, first, last):
        for wanted in (slice(first, last), [slice(first, last)]):
            with pytest.raises(ConfigError, match="two numbers, two dates"):
                checked_tag_filter({"n": wanted})

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (3, decimal.Decimal(7)),
            (DAY, datetime.datetime(2017, 3, 4, tzinfo=UTC)),
            (None, None),
            ("a", "b"),
        ],
    )
    def test_whose_ends_can_be_compared_is_none(self, first, last):
        assert checked_tag_filter({"n": slice(first, last)})

    def test_with_a_step_is_an_error(self):
        with pytest.raises(ConfigError, match=r"slice\(first, last\)"):
            checked_tag_filter({"n": slice(1, 5, 2)})
        with pytest.raises(ConfigError, match="without a step"):
            config("a", None, where={"n": slice(1, 5, 2)})


class TestFunctions:
    def test_they_get_the_text_whatever_was_given(self):
        seen = []
        tags_match([("day", DAY), ("n", 3)], {"day": seen.append})
        assert seen == ["2017-03-02"]

    def test_an_error_of_theirs_tells_of_the_tag(self):
        with pytest.raises(ValueError) as told:
            fits("x", int)
        assert "tag='x'" in told.value.__notes__[0]

    def test_rules_ask_the_same_way(self):
        memory = DictHandler()
        where = {"step": lambda text: int(text) > 3, "day": slice(DAY, None)}
        with config("filtered", memory, where=where, on_error="raise"):
            for step in (3, 4):
                with tags(step=step, day=DAY):
                    checkpoint("filtered.a", step)
        assert list(memory.objects) == ["step=4/day=2017-03-02/filtered/a"]


class TestSeveralTags:
    def test_a_repeated_tag_fits_by_any_of_its_values(self):
        pairs = [("a", "x"), ("a", "y")]
        assert tags_match(pairs, {"a": "x"})
        assert tags_match(pairs, {"a": "y"})
        assert not tags_match(pairs, {"a": "z"})

    def test_every_tag_that_is_asked_for_has_to_be_there(self):
        assert not tags_match([("a", "x")], {"a": "x", "b": "*"})

    def test_tags_that_are_not_there_yet_speak_against_nothing(self):
        assert may_match([("a", "x")], {"a": "x", "b": "y"})
        assert may_match([], {"a": "x"})
        assert not may_match([("a", "y")], {"a": "x"})
        assert may_match([("a", "y"), ("a", "x")], {"a": "x"})


class TestExactTexts:
    @pytest.mark.parametrize("value", ["a*b", ">3", "3..7", "7..3", "=x", "==x", ""])
    def test_the_value_of_a_tag_fits_itself_alone(self, value):
        wanted = ExactText(value)
        checked_tag_filter({"tag": wanted})
        others = ["a*b", "axb", "4", "5", "=x", "==x", "x", "", ">3", "3..7", "7..3"]
        assert [text for text in others if fits(text, wanted)] == [value]

    @given(text=st.text(), other=st.text())
    def test_so_does_any_text_behind_two_equals_signs(self, text, other):
        assert fits(text, f"=={text}")
        assert fits(other, f"=={text}") == (other == text)

    def test_one_that_was_cut_in_a_path_fits_the_whole_in_a_rule(self):
        handler, text = DictHandler(), "x" * 300
        key = Key("a", (("tag", text),))
        (value,) = parse_folder(key.path.split("/")[:1])[0].values()
        assert value != text
        config("cut", handler, where={"tag": value})
        for number, given_text in enumerate([text, text + "x", "x"]):
            with tags(tag=given_text):
                checkpoint("cut", number)
        assert [it["data"] for it in handler.objects.values()] == [0]


class TestConditions:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("day=1", {"day": "1"}),
            ("day=", {"day": ""}),
            ("day=a|b", {"day": ["a", "b"]}),
            ("day=1, shop=n*", {"day": "1", "shop": "n*"}),
            ("step>3", {"step": ">3"}),
            ("step >= 3", {"step": ">= 3"}),
            ("step<=3|x", {"step": ["<=3", "x"]}),
            ("step=>3", {"step": ">3"}),
            ("day==a*b", {"day": "==a*b"}),
            ("day == a*b", {"day": "==a*b"}),
            ("day===x", {"day": "===x"}),
            ("day==", {"day": "=="}),
            ("day=a=b", {"day": "a=b"}),
            ("day=a!=b", {"day": "a!=b"}),
            ("at=12:30", {"at": "12:30"}),
            ("a%3Ab%2C=c%2Cd%7Ce", {"a:b,": "c,d|e"}),
            ("model=%52idge%20", {"model": "Ridge "}),
            ("half=50%", {"half": "50%"}),
        ],
    )
    def test_are_read_as_what_is_wanted_of_each_tag(self, text, wanted):
        assert conditions_in(text) == wanted

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "TAG=VALUE"),
            ("day", "TAG=VALUE"),
            ("=9", "TAG=VALUE"),
            (">9", "TAG=VALUE"),
            ("day=1,", "TAG=VALUE"),
            ("shop=a,b", "a comma in a text as %2C"),
            ("day:tuesday", "write day=tuesday;"),
            ("day:", "write day=;"),
            ("at:12:30", "write at=12:30;"),
            ("step:>=3", "write step>=3;"),
            ("day:a=b", "write day=a=b;"),
            ("day!=9", "as in 'day=this|that'"),
            ("d=1,d=2", "only one condition per tag is allowed"),
        ],
    )
    def test_that_cannot_be_read_tell_the_way_out(self, text, told):
        with pytest.raises(ConfigError, match=re.escape(told)):
            conditions_in(text)

    @given(tag=st.text(min_size=1).filter(lambda it: "=" not in it), text=st.text())
    def test_one_that_is_made_of_a_value_takes_it_and_nothing_else(self, tag, text):
        written = condition_of(tag, text)
        ((name, wanted),) = conditions_in(written).items()
        assert name == tag
        assert fits(text, wanted)
        assert not fits(f"{text}x", wanted)
        assert not set(written) & set(" ,|;&?*'\"\n")


class TestReadLike:
    @pytest.mark.parametrize("like", [True, None, "a", b"a", datetime.timedelta(1)])
    def test_a_text_is_read_as_numbers_dates_and_times_only(self, like):
        assert read_like("1", like) is None

    def test_a_text_that_is_none_is_none(self):
        assert read_like("x", 1) is None
        assert read_like("1", DAY) is None
        assert read_like("x", decimal.Decimal(1)) is None
