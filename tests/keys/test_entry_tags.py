"""The tags of an entry: a mapping in which names may repeat."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping

import pytest

from checkpoints import DictHandler, FileHandler, index, load, tags
from checkpoints._keys.entry_tags import ExactText, Tags

FOUND = Tags([("a", "1"), ("b", "x"), ("b", "y")])
ONCE = Tags([("a", "1"), ("b", "x")])


class TestOneValue:
    def test_is_found_by_its_name(self):
        assert FOUND["a"] == "1"

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("b", r"values_of\('b'\), or items\(\)"),
            ("c", "no tag 'c'; there are 'a', 'b'"),
            (0, "no tag 0; "),
        ],
    )
    def test_none_and_more_than_one_are_errors_that_tell_what_there_is(
        self, name, told
    ):
        with pytest.raises(LookupError, match=told):
            FOUND[name]

    def test_get_gives_a_default_where_there_is_none(self):
        assert FOUND.get("a") == FOUND.get("a", "0") == "1"
        assert FOUND.get("c") is None
        assert FOUND.get("c", "0") == "0"

    def test_get_does_not_choose_among_several(self):
        with pytest.raises(LookupError, match="values_of"):
            FOUND.get("b", "0")


class TestAllOfThem:
    def test_names_values_and_pairs_go_along_with_each_other(self):
        assert FOUND.keys() == tuple(FOUND) == ("a", "b", "b")
        assert FOUND.values() == ("1", "x", "y")
        assert FOUND.items() == (("a", "1"), ("b", "x"), ("b", "y"))
        assert len(FOUND) == 3

    def test_in_asks_for_a_name(self):
        assert "b" in FOUND
        assert "x" not in FOUND
        assert ("a", "1") not in FOUND

    def test_values_of_a_name_are_those_that_it_has(self):
        assert FOUND.values_of("b") == ["x", "y"]
        assert FOUND.values_of("c") == []

    def test_a_dict_has_all_of_them_or_is_an_error(self):
        assert dict(ONCE) == {**ONCE} == {"a": "1", "b": "x"}
        with pytest.raises(LookupError, match="tag 'b' has 2 values, x, y: "):
            dict(FOUND)
        assert dict(FOUND.items()) == {"a": "1", "b": "y"}

    def test_they_are_no_mapping_whose_names_are_there_once(self):
        assert not isinstance(FOUND, Mapping)

    def test_none_at_all_is_false(self):
        assert not Tags([])
        assert repr(Tags([("a", "1")])) == "Tags([('a', '1')])"


class TestEquality:
    def test_is_that_of_the_pairs_in_their_order(self):
        assert Tags(FOUND.items()) == FOUND
        assert Tags(FOUND.items()[::-1]) != FOUND
        assert FOUND.items() != FOUND
        assert {FOUND: 1, ONCE: 2}[Tags(FOUND.items())] == 1

    def test_lasts_through_a_pickle(self):
        copied = pickle.loads(pickle.dumps(FOUND))
        assert copied == FOUND
        assert type(copied["a"]) is ExactText


class TestAsText:
    def test_a_value_is_a_text_like_any_other(self):
        value = FOUND["a"]
        assert isinstance(value, str)
        assert (repr(value), f"{value}", json.dumps(value)) == ("'1'", "1", '"1"')
        assert {value: 1} == {"1": 1}

    def test_saved_again_it_is_a_plain_text(self, tmp_path):
        value = FOUND["a"]
        with tags(day=value):
            FileHandler(tmp_path).checkpoint("a", alone=value, inside={value: [value]})
        (entry,) = index(tmp_path)
        assert load(entry) == {"alone": "1", "inside": {"1": ["1"]}}
        assert type(entry["alone"]) is str
        assert entry.meta["tags"] == (("day", "1"),)
        assert type(entry.meta["tags"][0][1]) is str

    def test_in_a_dict_it_is_the_same_key_as_a_plain_text(self):
        handler = DictHandler()
        for day in ("1", FOUND["a"]):
            with tags(day=day):
                handler.checkpoint("a", 1)
        assert list(handler.objects) == ["day=1/a"]
