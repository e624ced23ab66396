"""The random state just before a call is saved by `random=True`, and restored."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
import sklearn.model_selection
import sklearn.utils

import checkpoints
from checkpoints import capture, config, diff, index, replay
from checkpoints._process.random_state import (
    ENVIRONMENT,
    RANDOM_STATE,
    captured,
    restored,
)


def draw():
    return random.random(), random.gauss(0, 1), *np.random.normal(size=3)  # noqa: NPY002 - the old generator is meant


class TestState:
    def test_that_is_restored_gives_the_same_numbers(self):
        random.gauss(0, 1)  # one more is kept for the next time
        np.random.normal()  # noqa: NPY002 - the old generator is meant
        state = captured()
        first = draw()
        with restored(state) as reasons:
            assert draw() == first
        assert reasons == []

    def test_is_afterwards_what_it_was(self):
        state = captured()
        before = captured()
        with restored(state):
            draw()
        assert captured() == before

    def test_of_another_bit_generator_is_not_kept_and_that_is_told(self):
        program = (
            "import numpy as np; np.random.set_bit_generator(np.random.PCG64(1))\n"
            "from checkpoints._process.random_state import captured, restored\n"
            "with restored(captured()) as reasons: print(*reasons)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout == (
            "the state of numpy was not kept: TypeError: its bit generator is PCG64, "
            "not MT19937\n"
        )

    @pytest.mark.parametrize(
        ("part", "change"),
        [
            ("numpy", {"position": 10**6}),
            ("numpy", {"words": b"12"}),
            ("numpy", {"gauss": "x"}),
            ("random", {"words": b"1234"}),
            ("random", {"version": 1}),
            ("random", None),
        ],
    )
    def test_that_is_none_is_told_and_changes_nothing(self, part, change):
        state = captured()
        state[part] = None if change is None else {**state[part], **change}
        with restored(state) as reasons:
            draw()
        assert len(reasons) == 1
        assert reasons[0].startswith(f"the state of {part} cannot be restored: ")

    def test_has_the_variables_that_a_process_reads_when_it_starts(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        assert captured()[ENVIRONMENT]["OMP_NUM_THREADS"] == "3"
        assert "PYTHONHASHSEED" in captured()[ENVIRONMENT]


class TestRule:
    @pytest.mark.parametrize("name", ["draw_later", "draw_steps"])
    def test_saves_that_of_the_begin_of_a_coroutine_and_of_a_generator(
        self, saved, shop, name
    ):
        made = {}

        def run():
            body = getattr(shop, name)()
            random.random()
            if name == "draw_later":
                made["result"] = asyncio.run(body)
            else:
                made["result"] = next(body)
                list(body)

        entry = saved(f"shop:{name}", run, random=True)
        found = replay(entry, trusted=True)
        assert found.verdict == "equal"
        assert found.result == made["result"]

    def test_saves_it_with_the_arguments_if_asked_to(self, saved, shop):
        entry = saved("shop:draw", lambda: shop.draw(1), random=True)
        assert list(entry.meta["values"]) == ["n", RANDOM_STATE]
        assert set(entry[RANDOM_STATE]) >= {"random", "numpy", ENVIRONMENT}
        result = checkpoints.load(entry.path.replace(".ckpt", "/result.ckpt"))
        assert list(result) == ["result"]

    def test_saves_none_otherwise(self, saved, shop):
        entry = saved("shop:draw", lambda: shop.draw(1))
        assert list(entry.meta["values"]) == ["n"]

    def test_saves_it_whatever_else_is_left_out(self, saved, shop):
        options = {"random": True, "values": ["n"], "summary": True}
        entry = saved("shop:draw", lambda: shop.draw(1), **options)
        assert isinstance(entry[RANDOM_STATE]["random"]["words"], bytes)

    def test_may_be_written_as_text(self, monkeypatch):
        from checkpoints._rules.options import known_options
        from checkpoints._rules.settings import settings_in_text

        (setting,) = settings_in_text("a=out?random=true", "here", known_options())
        assert setting.options == {"random": True}

    def test_with_another_value_is_refused(self, tmp_path):
        with pytest.raises(checkpoints.ConfigError, match="invalid random=1"):
            config("shop", tmp_path, random=1)

    def test_has_no_effect_on_plain_checkpoints(self, tmp_path):
        with config("shop.plain", tmp_path, random=True):
            checkpoints.checkpoint("shop.plain", x=1)
        assert list(index(tmp_path)[0].load()) == ["x"]

    def test_does_not_change_what_the_function_draws(self, saved, shop):
        with restored(captured()):
            expected = shop.draw(1)
        entry = saved("shop:draw", lambda: shop.draw(1), random=True)
        result = checkpoints.load(entry.path.replace(".ckpt", "/result.ckpt"))
        assert result == {"result": expected}


ARRAY = np.arange(20.0)
DRAWING = {
    "sklearn.utils:shuffle": lambda: sklearn.utils.shuffle(ARRAY),
    "sklearn.model_selection:train_test_split": lambda: (
        sklearn.model_selection.train_test_split(ARRAY)
    ),
    "scipy.stats:bootstrap": lambda: scipy.stats.bootstrap(
        (ARRAY,), np.mean, n_resamples=50, random_state=np.random.default_rng(7)
    ),
    "random:choices": lambda: random.choices([1, 2, 3], k=5),
}


class TestReplay:
    @pytest.mark.parametrize("target", DRAWING)
    def test_of_a_function_that_draws_draws_the_same(self, saved, target):
        pytest.importorskip("wrapt")
        found = replay(saved(target, DRAWING[target], random=True), trusted=True)
        assert found.verdict == "equal", str(found)
        assert "with the random state of the run" in str(found)

    def test_has_generators_among_the_arguments_as_they_were(self, saved, shop):
        rng = np.random.default_rng(3)
        entry = saved("shop:sample", lambda: shop.sample(rng, 4))
        assert replay(entry, trusted=True, times=2).verdict == "equal"

    def test_without_it_says_so_where_the_results_differ(self, saved, shop):
        found = replay(saved("shop:draw", lambda: shop.draw(1)), trusted=True)
        assert found.verdict == "different"
        assert "only a rule with random=True saves them" in str(found)

    def test_says_which_variables_were_others(self, saved, shop, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        entry = saved("shop:draw", lambda: shop.draw(1), random=True)
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        shop.draw = lambda n: n
        found = replay(entry, function=shop.draw)
        assert "OMP_NUM_THREADS was 3 in the run, and is 4 here" in str(found)

    def test_leaves_the_generators_of_the_program_alone(self, saved, shop):
        entry = saved("shop:draw", lambda: shop.draw(1), random=True)
        before = captured()
        replay(entry, trusted=True)
        assert captured() == before


class TestDiff:
    def test_does_not_take_another_state_for_another_argument(self, tmp_path, shop):
        shop.double = checkpoints.probed("shop.double")(lambda n: 2 * n)
        for name in ("one", "two"):
            random.random()
            with config("shop.double", tmp_path / name, random=True):
                shop.double(3)
        found = diff(tmp_path / "one", tmp_path / "two")
        assert found.verdict == "equal"

    def test_of_a_capture_it_is_none_of_the_values(self, shop):
        shop.triple = checkpoints.probed("shop.triple")(lambda n: 3 * n)
        with capture("shop.triple") as seen:
            shop.triple(3)
        assert all(RANDOM_STATE not in values for values in seen.values())
