"""Aligning two sequences of keys."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from checkpoints._compare import alignment
from checkpoints._compare.alignment import align, anchored

KEYS = st.text("abc", max_size=12)


def longest_common(one, other):
    """The length of the longest common subsequence, by the textbook's table."""
    row = [0] * (len(other) + 1)
    for left in one:
        above, row = row, [0]
        for number, right in enumerate(other):
            best = (
                above[number] + 1 if left == right else max(above[number + 1], row[-1])
            )
            row.append(best)
    return row[-1]


class TestAlign:
    @given(KEYS, KEYS)
    def test_matches_are_equal_items_in_order_and_as_many_as_possible(self, one, other):
        found = align(one, other)
        assert found.is_certain
        assert all(one[left] == other[right] for left, right in found.matches)
        for side in zip(*found.matches, strict=True):
            assert list(side) == sorted(set(side))
        assert len(found.matches) == longest_common(one, other)

    def test_a_dropped_iteration_of_a_loop_is_found_by_its_values(self):
        one = [(name, step) for step in range(50) for name in "ab"]
        other = [item for item in one if item[1] not in (7, 30)]
        keys = [name for name, _ in one], [name for name, _ in other]
        found = align(*keys, anchored(keys, (one, other)))
        assert all(one[left] == other[right] for left, right in found.matches)
        assert len(found.matches) == 96

    def test_a_dropped_item_is_found_though_no_value_occurs_once(self):
        one = [("a", number % 3) for number in range(30)]
        other = one[:10] + one[11:]
        keys = "a" * 30, "a" * 29
        found = align(*keys, anchored(keys, (one, other)))
        assert len(found.matches) == 29
        assert all(one[left] == other[right] for left, right in found.matches)

    def test_where_the_keys_fit_repeated_values_shift_nothing(self):
        one, other = ([("a", it) for it in values] for values in ("TFTFF", "FTFTF"))
        keys = "aaaaa", "aaaaa"
        found = align(*keys, anchored(keys, (one, other)))
        assert found.matches == [(at, at) for at in range(5)]

    def test_values_that_all_differ_are_aligned_by_keys(self):
        names = ["a", "b"] * 20
        keys = names, names[:10] + names[11:]
        exact = [("x", n) for n in range(40)], [("y", n) for n in range(39)]
        found = align(*keys, anchored(keys, exact))
        assert len(found.matches) == 39

    def test_insertions_and_deletions_in_a_long_loop_do_not_shift_the_rest(self):
        chance = random.Random(1)
        one = [("a", n) for n in range(10_000)]
        other = [item for item in one if chance.random() > 0.01]
        for _ in range(100):
            other.insert(chance.randrange(len(other)), ("a", object()))
        keys = ["a"] * len(one), ["a"] * len(other)
        found = align(*keys, anchored(keys, (one, other)))
        wrong = [pair for pair in found.matches if one[pair[0]] != other[pair[1]]]
        # Where an item was dropped and another inserted, these two are a match.
        assert len(wrong) <= 100
        assert len(found.matches) - len(wrong) == len({*one} & {*other})

    def test_too_many_edits_are_matched_in_order_and_told(self, monkeypatch):
        monkeypatch.setattr(alignment, "_MAX_EDITS", 3)
        found = align("abcdefgh", "hgfedcba")
        assert not found.is_certain
        assert sorted(left for left, _ in found.matches) == list(range(8))
