"""What a function changes in its arguments is saved and compared, if a rule says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

import checkpoints
from checkpoints import ConfigError, index, replay
from checkpoints._replay.call import SavedCall

AFTER = "values after the call"


def outcome_of(entry):
    (found,) = (
        it
        for it in index(entry.path.partition("saved")[0] + "saved")
        if it.name in (f"{entry.name}.result", f"{entry.name}.exception")
    )
    return found


class TestRule:
    def test_saves_the_arguments_before_and_after(self, saved, shop):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]), after=True)
        assert entry.load() == {"values": [3, 1, 2]}
        assert outcome_of(entry).load() == {"result": None, AFTER: [1, 2, 3]}

    def test_saves_them_with_an_exception_too(self, saved, shop):
        values = [2, "a", 1]
        entry = saved(
            "shop:sort", lambda: shop.sort(values), raises=TypeError, after=True
        )
        assert outcome_of(entry)[AFTER] == values

    def test_saves_them_at_the_end_of_a_coroutine(self, saved, shop):
        async def run():
            return await shop.fill(box, 3)

        box = {}
        entry = saved("shop:fill", lambda: asyncio.run(run()), after=True)
        assert outcome_of(entry).load() == {"result": 3, "box after the call": {"n": 3}}

    def test_leaves_out_what_cannot_change(self, saved, shop):
        entry = saved(
            "shop:only_positional", lambda: shop.only_positional(1), after=True
        )
        assert list(outcome_of(entry).load()) == ["result"]

    def test_does_not_without_the_option(self, saved, shop):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]))
        assert list(outcome_of(entry).load()) == ["result"]

    def test_with_another_value_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="invalid after='yes': expected True"):
            checkpoints.config("shop", tmp_path, after="yes")


class TestReplay:
    def test_of_a_function_that_does_the_same_is_equal(self, saved, shop):
        array = np.array([3.0, 1.0, 2.0])
        entry = saved("shop:sort", lambda: shop.sort(array), after=True)
        found = replay(entry, trusted=True, times=3)
        assert found.verdict == "equal"
        assert "after=True" not in str(found)

    def test_of_one_that_leaves_something_else_is_different(self, saved, shop, changed):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]), after=True)
        changed("values.sort()", "values.sort(reverse=True)")
        found = replay(entry, trusted=True)
        assert found.verdict == "different"
        assert list(found.differences) == [AFTER]

    def test_takes_what_it_leaves_behind_by_chance_for_noise(self, saved, shop):
        entry = saved("shop:shuffle", lambda: shop.shuffle([*range(50)]), after=True)
        assert replay(entry, trusted=True).verdict == "different"
        assert AFTER in str(replay(entry, trusted=True, times=20))

    def test_does_not_compare_an_argument_that_is_left_out(self, saved, shop, changed):
        entry = saved("shop:fill_two", lambda: shop.fill_two([], []), after=True)
        changed("def fill_two(one, two):", "def fill_two(one):")
        changed("two.append(1)", "pass")
        assert replay(entry, trusted=True, without=["two"]).verdict == "equal"

    def test_compares_an_argument_that_was_set(self, saved, shop):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]), after=True)
        found = replay(entry, trusted=True, set={"values": [2, 1, 4]})
        assert list(found.differences) == [AFTER]

    def test_as_a_script_compares_it_too(self, saved, shop, tmp_path):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]), after=True)
        emitted = replay(entry, trusted=True).emit(str(tmp_path / "repro"))
        assert emitted.verdict == "reproduced", emitted.output


class TestWhatWasNotSaved:
    def test_of_a_result_makes_the_verdict_unknown(self, saved, shop):
        entry = saved(
            "shop:sort_and_lock", lambda: shop.sort_and_lock([2, 1]), after=True
        )
        found = replay(entry, trusted=True)
        assert found.verdict == "unknown"
        assert "not saved: result (" in str(found)

    def test_of_an_argument_after_the_call_makes_the_verdict_unknown(
        self, saved, shop, tmp_path
    ):
        entry = saved("shop:put_lock", lambda: shop.put_lock({}), after=True)
        found = replay(entry, trusted=True)
        assert found.verdict == "unknown"
        assert "not saved: box after the call (" in str(found)
        assert found.emit(tmp_path / "emitted").verdict != "reproduced"


class TestSavedCall:
    def test_reads_the_header_of_its_outcome_once(self, saved, shop):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]), after=True)
        call = SavedCall(entry)
        Path(call.outcome.path).write_bytes(b"")
        found = call.how_it_ended, call.kept_after, call.lost
        assert found == ("result", ("values",), {})
