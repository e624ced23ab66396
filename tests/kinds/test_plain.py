"""Plain values as JSON: each comes back exactly, including its type."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import math
import re
import struct
import uuid
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoints._kinds.json_bytes import from_bytes, to_bytes
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.plain import (
    IMMUTABLE,
    NOT_PLAIN,
    from_json,
    scalar_to_json,
)
from checkpoints._kinds.tree import tree_to_json

# Two surrogates that JSON takes for one character.
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def refuse(*given):
    raise AssertionError(f"not plain: {given}")


def through(value):
    """Convert a value to JSON text that other tools can read, and back."""
    data = tree_to_json(value, refuse)
    json.dumps(data, allow_nan=False)
    return from_json(from_bytes(to_bytes(data)), refuse)


def exactly(value):
    """Everything that distinguishes a value from others, as text."""
    kind = type(value)
    if kind is float:
        told = "nan" if math.isnan(value) else struct.pack(">d", value).hex()
    elif kind is int:
        told = hex(value)
    elif kind is complex:
        told = exactly(value.real) + exactly(value.imag)
    elif kind is dict:
        told = str([(exactly(key), exactly(item)) for key, item in value.items()])
    elif kind in (list, tuple):
        told = str([exactly(item) for item in value])
    elif kind in (set, frozenset):
        told = str(sorted(exactly(item) for item in value))
    elif kind in (datetime.datetime, datetime.time):
        zone = value.tzinfo
        told = f"{value.replace(tzinfo=None)!r} {type(zone)} {zone} {value.fold}"
    elif kind is decimal.Decimal:
        told = str(value.as_tuple())
    else:
        told = ascii(value)
    return f"{kind.__name__}({told})"


texts = st.text(st.characters(exclude_categories=()), max_size=6).filter(
    lambda text: not PAIR.search(text)
) | st.sampled_from(
    ["", "$", "$dict", "$member", "\ud800", "\udfff", "\0", "😀", "NaN"]
)
zones = st.none() | st.timezones() | st.just(datetime.UTC)
# Offsets below a second have a test of their own.
zones |= st.integers(1_000_000, 86_399_999_999).flatmap(
    lambda offset: st.sampled_from([offset, -offset]).map(
        lambda offset: datetime.timezone(datetime.timedelta(microseconds=offset))
    )
)
hashable_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers().map(lambda number: number << 200),
    st.floats(),
    st.complex_numbers(),
    texts,
    st.binary(max_size=5),
    st.dates(),
    st.datetimes(timezones=zones),
    st.times(timezones=st.none() | st.just(datetime.UTC) | st.just(BERLIN)),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
)
hashables = st.recursive(
    hashable_scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3)
    ),
    max_leaves=5,
)
scalars = hashable_scalars | st.decimals() | st.binary(max_size=5).map(bytearray)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.sets(hashables, max_size=4),
        st.frozensets(hashables, max_size=4),
        st.dictionaries(texts, inner, max_size=4),
        st.dictionaries(hashables, inner, max_size=4),
    ),
    max_leaves=15,
)


class TestRoundTrip:
    @settings(max_examples=300)
    @given(values)
    def test_any_plain_value_comes_back_exactly(self, value):
        assert exactly(through(value)) == exactly(value)

    @pytest.mark.parametrize(
        "value",
        [
            *(2**64 - 1, 2**64, -(2**64), 2**53 + 1, 10**5000, -(10**5000)),
            *(-0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf),
            *(0.1, 1e22, 1e16, complex(-0.0, math.nan), complex(math.inf, -0.0)),
            *(True, False, None, "", b"", bytearray(b"\0\xff"), (), [], {}, set()),
            *([1, True, 1.0], {1: "int", "1": "str"}, {True: 1}, {1.0: 2}, {None: 0}),
            *(
                {"$int": "x"},
                {"$dict": []},
                {"$": {"$": {}}},
                {"": 1},
                {"a": 1, "$b": 2},
            ),
            *({(1, 2): {"a": {3}}}, frozenset({frozenset(), (1, "1")}), {1, "1", (1,)}),
            *({math.nan: 1, "x": math.nan}, {math.nan, float("nan")}),
            decimal.Decimal("1.10"),
            decimal.Decimal("-0"),
            decimal.Decimal("sNaN12"),
            decimal.Decimal("-Infinity"),
            decimal.Decimal("1E+999999"),
            decimal.Decimal("1" * 5000),
            uuid.UUID(int=2**128 - 1),
            *(fractions.Fraction(-3, 2**70), range(0), range(2**70, -1, -3)),
            datetime.date.min,
            datetime.datetime.max,
            datetime.timedelta(-1, 1, 1),
            datetime.timedelta.max,
            datetime.datetime(2024, 10, 27, 2, 30, fold=1),
            datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN),
            datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1),
            datetime.time(2, 30, tzinfo=BERLIN, fold=1),
            datetime.time(2, 30, tzinfo=datetime.UTC),
            datetime.datetime(1, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_a_known_snare_comes_back_exactly(self, value):
        assert exactly(through(value)) == exactly(value)
        assert exactly(through([{"a": (value,)}])) == exactly([{"a": (value,)}])

    @pytest.mark.parametrize(
        "value",
        [
            "\ud83d\ude00",
            ["a\udbff\udfffb"],
            {"\ud83d\ude00": 1},
            {"\ud83d\ude00": 1, "😀": 2},
            {"\ud83d\ude00", "😀"},
        ],
        ids=["alone", "in a list", "as a key", "as two keys", "in a set"],
    )
    def test_two_surrogates_do_not_become_one_character(self, value):
        assert exactly(through(value)) == exactly(value)

    def test_a_time_zone_with_a_name_keeps_it(self):
        zone = datetime.timezone(datetime.timedelta(hours=1), "CET")
        moment = datetime.datetime(2024, 1, 1, tzinfo=zone)
        found = tree_to_json(moment, lambda value, path: {"$kept": value})
        if "$kept" not in found:
            assert exactly(through(moment)) == exactly(moment)
            assert through(moment).tzname() == "CET"

    @pytest.mark.parametrize("microseconds", [1, -1, 999_999, -999_999])
    def test_a_time_zone_less_than_a_second_from_utc_is_not_utc(self, microseconds):
        zone = datetime.timezone(datetime.timedelta(microseconds=microseconds))
        moment = datetime.datetime(2024, 1, 1, tzinfo=zone)
        assert exactly(through(moment)) == exactly(moment)

    def test_the_order_of_a_dict_is_kept(self):
        value = {"b": 1, "a": 2, "$c": 3}
        assert list(through(value)) == ["b", "a", "$c"]
        assert list(through({2: 1, 1: 2})) == [2, 1]

    def test_equal_sets_give_the_same_text_whatever_their_order(self):
        texts = [f"text {number}" for number in range(100)]
        one, other = set(texts), set(texts[50:]) | set(texts[:50])
        assert tree_to_json(one, refuse) == tree_to_json(other, refuse)
        assert tree_to_json(one, refuse)["$set"] == sorted(texts)


class TestText:
    """What people and other programs see."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"a": [1, 2.5, "x", None, True]}, '{"a": [1, 2.5, "x", null, true]}'),
            ((1, 2), '{"$tuple": [1, 2]}'),
            ({1: 2}, '{"$dict": [[1, 2]]}'),
            ({"$a": 1}, '{"$dict": [["$a", 1]]}'),
            (math.nan, '{"$float": "nan"}'),
            (1 << 64, '{"$int": "0x10000000000000000"}'),
            (1j, '{"$complex": ["0.0", "1.0"]}'),
            (b"abc", '{"$bytes": "YWJj"}'),
            (decimal.Decimal("1.50"), '{"$decimal": "1.50"}'),
            (fractions.Fraction(-1, 3), '{"$fraction": ["-0x1", "0x3"]}'),
            (range(1, 4), '{"$range": ["0x1", "0x4", "0x1"]}'),
            (datetime.date(2024, 1, 2), '{"$date": "2024-01-02"}'),
            (
                datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC),
                '{"$datetime": "2024-01-02T00:00:00+00:00"}',
            ),
            (
                datetime.datetime(2024, 1, 2, tzinfo=BERLIN),
                '{"$datetime": ["2024-01-02T00:00:00", "Europe/Berlin", 0]}',
            ),
            (datetime.timedelta(1, 2, 3), '{"$timedelta": [1, 2, 3]}'),
        ],
        ids=ascii,
    )
    def test_a_value_is_this_json(self, value, text):
        assert json.dumps(tree_to_json(value, refuse)) == text
        assert exactly(from_json(json.loads(text), refuse)) == exactly(value)


class Word(str):
    __slots__ = ()


class Zone(datetime.tzinfo):
    def utcoffset(self, moment):
        return datetime.timedelta(hours=1)


SPECIAL = [
    *(Word("a"), collections.OrderedDict(a=1), object(), int),
    *(collections.Counter("a"), collections.deque([1]), Ellipsis),
    datetime.datetime(2024, 1, 1, tzinfo=Zone()),
    datetime.time(1, tzinfo=Zone()),
    memoryview(b"a"),
]


class TestOtherValues:
    @pytest.mark.parametrize(
        "value",
        [value for value in SPECIAL if type(value) not in IMMUTABLE],
        ids=lambda value: type(value).__name__,
    )
    def test_what_only_looks_plain_is_handed_over_with_where_it_stands(self, value):
        handed = []

        def embed(inner, path):
            handed.append((inner, path))
            return {"$special": len(handed) - 1}

        given = {"a": [0, (value,)], "$b": value}
        data = json.loads(json.dumps(tree_to_json(given, embed)))
        # It occurs twice, and is handed over once.
        assert [path for _, path in handed] == [("a", "1", "0")]
        assert handed[0][0] is value
        table, _ = data["$let"]
        assert table == [{"$special": 0}]

    def test_one_as_a_key_is_handed_over_too(self):
        data = tree_to_json({Ellipsis: 1}, lambda *given: ascii(given))
        assert data == {"$dict": [["(Ellipsis, ('0.key',))", 1]]}

    @pytest.mark.parametrize("value", SPECIAL, ids=lambda value: type(value).__name__)
    def test_none_is_a_plain_scalar(self, value):
        assert scalar_to_json(value) is NOT_PLAIN

    def test_what_can_change_is_not_immutable(self):
        assert not {list, dict, set, bytearray, tuple, frozenset} & IMMUTABLE
        assert {int, str, bytes, float, decimal.Decimal, type(None)} <= IMMUTABLE

    @pytest.mark.parametrize("kind", [list, dict, "inside"])
    def test_what_holds_itself_is_told(self, kind):
        value = [] if kind is not dict else {}
        if kind is list:
            value.append(value)
        elif kind is dict:
            value["self"] = (value,)
        else:
            value.append({"a": [value]})
        with pytest.raises(Inexact, match="contains itself"):
            tree_to_json(value, refuse)


class TestUnicode:
    """JSON is read by other programs, which insist on UTF-8."""

    @pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800", "ü\ud9ff"])
    def test_a_lone_surrogate_is_escaped(self, text):
        data = to_bytes({text: [text]})
        assert json.loads(data.decode()) == {text: [text]}
        assert from_bytes(data) == {text: [text]}

    def test_two_that_look_like_a_character_stay_two(self):
        assert from_bytes(to_bytes(["\ud83d\ude00"])) == ["\ud83d\ude00"]
