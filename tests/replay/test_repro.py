"""`emit` writes a script that makes a call once more, and runs it once."""

from __future__ import annotations

import functools
import json
import math
import os
import random
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import scipy.stats

from checkpoints import replay
from checkpoints._compare.values import compare
from checkpoints._replay import script
from checkpoints.errors import ConfigError

PRICES = np.random.default_rng(1).normal(100, 5, size=60)
TABLE = pd.DataFrame({"key": list("abca"), "px": [1.5, 2.0, np.nan, 4.0]})

# The call, whether it raises, and whether the script needs this library.
CALLS = {
    "scipy.signal:savgol_filter": (
        lambda: scipy.signal.savgol_filter(PRICES, 7, 2),
        False,
    ),
    "numpy:cov": (lambda: np.cov(PRICES.reshape(6, 10)), False),
    "statistics:fmean": (lambda: __import__("statistics").fmean([1.5, 2, 3]), False),
    "statistics:mean": (lambda: __import__("statistics").mean([]), False),
    "random:choices": (lambda: random.choices([1, 2, 3], k=5), False),
    "numpy.linalg:svd": (lambda: np.linalg.svd(PRICES.reshape(6, 10)), True),
    "pandas:DataFrame.pivot_table": (lambda: TABLE.pivot_table("px", "key"), True),
    "scipy.stats:linregress": (
        lambda: scipy.stats.linregress(np.arange(60), PRICES),
        True,
    ),
}


class TestScript:
    @pytest.mark.parametrize("target", CALLS)
    def test_reproduces_calls_of_real_functions(self, saved, tmp_path, target):
        run, needs_library = CALLS[target]
        entry = saved(target, run, random=True, raises=ValueError)
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        assert emitted.verdict == "reproduced", emitted.output
        source = (tmp_path / "out" / "repro.py").read_text()
        assert ("import checkpoints" in source) == needs_library

    @pytest.mark.parametrize(
        ("target", "run"),
        [
            ("shop:Till.open", lambda shop: shop.Kiosk.open("x")),
            ("shop:Till.many", lambda shop: shop.Kiosk.many(1, 2)),
            ("shop:Till.close", lambda shop: shop.Till.close("ab")),
            ("shop:Till.add", lambda shop: shop.Till("me").add(2)),
            ("shop:steps", lambda shop: list(shop.steps(3))),
            ("shop:mean", lambda shop: shop.mean([1.0, 2.0], 5, unit="kg")),
            ("shop:draw", lambda shop: shop.draw(1)),
            ("shop:fail", lambda shop: shop.fail(1)),
            ("shop:move", lambda shop: shop.move(*[[1, 2, 3]] * 2)),
        ],
    )
    def test_reproduces_calls_of_every_sort(self, saved, shop, tmp_path, target, run):
        entry = saved(target, lambda: run(shop), random=True, raises=ValueError)
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        assert emitted.verdict == "reproduced", emitted.output

    def test_that_needs_no_library_runs_without_it(self, saved, tmp_path):
        entry = saved("numpy:cov", lambda: np.cov(PRICES.reshape(6, 10)))
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        program = f"""
import runpy, sys
sys.modules["checkpoints"] = None
runpy.run_path({emitted.script!r}, run_name="__main__")
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "reproduced")

    def test_says_if_the_call_ends_otherwise(self, saved, shop, changed, tmp_path):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        changed("sum(more)", "sum(more) + 1")
        emitted = replay(entry, trusted=True).emit(tmp_path / "one")
        assert emitted.verdict == "differs otherwise"
        assert "result was 2.0 and is 3.0" in emitted.output
        changed("sum(more) + 1", "sum(more) + {}")
        emitted = replay(entry, trusted=True).emit(tmp_path / "two")
        assert emitted.verdict == "did not reproduce"

    def test_does_not_take_a_failing_script_for_an_answer(
        self, saved, shop, tmp_path, monkeypatch
    ):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        found = replay(entry, trusted=True)
        os.unlink(shop.__file__)
        emitted = found.emit(tmp_path / "out")
        assert emitted.verdict == "did not reproduce"
        assert "No module named 'shop'" in emitted.output

    def test_reproduces_a_call_that_leaves_the_program(self, saved, shop, tmp_path):
        entry = saved("shop:leave", lambda: shop.leave(3), raises=SystemExit)
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        assert emitted.verdict == "reproduced", emitted.output

    def test_calls_the_module_it_names_and_no_other_of_that_name(
        self, saved, shop, tmp_path, monkeypatch
    ):
        entry = saved("shop:Till.close", lambda: shop.Till.close("ab"))
        found = replay(entry, trusted=True)
        other = tmp_path / "other"
        other.mkdir()
        (other / "shop.py").write_text("raise ImportError('the other one')\n")
        monkeypatch.setenv("PYTHONPATH", str(other))
        emitted = found.emit(tmp_path / "out")
        assert emitted.verdict == "reproduced", emitted.output

    def test_has_the_values_that_were_set(self, saved, shop, tmp_path):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        found = replay(entry, trusted=True, set={"prices": [5.0]})
        emitted = found.emit(tmp_path / "out")
        assert (found.verdict, emitted.verdict) == ("different", "differs otherwise")

    def test_ends_with_its_answer_whatever_the_function_prints_later(
        self, saved, shop, tmp_path
    ):
        entry = saved("shop:noisy", lambda: shop.noisy(1))
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        assert emitted.verdict == "reproduced", emitted.output
        assert "at exit" in emitted.output
        assert "in a thread" in emitted.output

    def test_says_that_it_cannot_tell_where_the_outcome_was_not_saved(
        self, saved, shop, tmp_path
    ):
        entry = saved("shop:sort_and_lock", lambda: shop.sort_and_lock([2, 1]))
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        assert emitted.verdict == emitted.output.splitlines()[-1] == "unknown"
        done = subprocess.run([sys.executable, emitted.script], check=False)
        assert done.returncode == 3

    @pytest.mark.parametrize("is_partial", [False, True])
    def test_is_refused_for_a_function_that_it_cannot_name(
        self, saved, shop, tmp_path, is_partial
    ):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        given = (
            functools.partial(shop.mean) if is_partial else lambda prices, weights: 2
        )
        found = replay(entry, function=given)
        with pytest.raises(ConfigError, match="no script can name the function"):
            found.emit(tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_is_not_written_into_a_folder_with_files(self, saved, shop, tmp_path):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        with pytest.raises(ConfigError, match="is not empty: name a new folder"):
            replay(entry, trusted=True).emit(tmp_path)


class TestTolerances:
    @pytest.mark.parametrize("is_file", [False, True])
    def test_of_the_replay_are_those_of_the_script(
        self, saved, shop, changed, tmp_path, is_file
    ):
        limits = {"rtol": 1e-2}
        if is_file:
            limits = tmp_path / "limits.toml"
            limits.write_text("[[tolerance]]\nmatch='shop.mean.*'\nrtol = 1e-2\n")
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        changed("sum(more)", "sum(more) + 0.001")
        found = replay(entry, trusted=True, tolerances=limits)
        emitted = found.emit(tmp_path / "out")
        assert (found.verdict, emitted.verdict) == ("close", "reproduced")
        found = replay(entry, trusted=True)
        emitted = found.emit(tmp_path / "exact")
        assert (found.verdict, emitted.verdict) == ("different", "differs otherwise")

    def test_by_dtype_are_those_of_a_script_that_needs_no_library(
        self, saved, shop, changed, tmp_path
    ):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        changed("sum(more)", "sum(more) + 1e-9")
        found = replay(entry, trusted=True)
        emitted = found.emit(tmp_path / "out")
        assert (found.verdict, emitted.verdict) == ("close", "reproduced")
        assert "import checkpoints" not in (tmp_path / "out" / "repro.py").read_text()

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (1.0, 1.0 + 1e-9),
            (1.0, 1.1),
            (1, 2),
            (1, 1.0),
            (math.nan, math.nan),
            (math.nan, 1.0),
            (math.inf, 1.0),
            (1.0, math.inf),
            (math.inf, -math.inf),
            (math.inf, math.inf),
            (1j, 1j + 1e-9),
            (1j, 2j),
            ([1.0, (2.0, "a")], [1.0, (2.0 + 1e-9, "a")]),
            ([1.0, 2.0], [1.0]),
            ({"a": 1.0}, {"a": 1.5}),
            ({"a": 1.0}, {"b": 1.0}),
            ("a", "b"),
            (np.float32(1), np.float32(1 + 1e-6)),
            (np.float32(1), np.float64(1)),
            (np.float16([1, 65504]), np.float16([1.0005, 65504])),
            (np.array([1.0, np.nan, np.inf]), np.array([1 + 1e-9, np.nan, np.inf])),
            (np.array([1.0, np.inf]), np.array([1.0, 2.0])),
            (np.array([1.0, 2.0]), np.array([1.0, np.inf])),
            (np.array([1, 2]), np.array([1, 3])),
            (np.array([1.0, 2.0]), np.array([[1.0, 2.0]])),
            (np.array([]), np.array([])),
        ],
    )
    def test_allow_there_what_they_allow_here(self, one, other):
        there = {"limits": script.limits()}
        with warnings.catch_warnings(action="ignore"):
            exec(script.SAME, there)
            found = there["same"](one, other)
        assert found == (compare(one, other).verdict in ("equal", "close"))


class TestEnvironment:
    def test_is_written_beside_it(self, saved, shop, tmp_path, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        entry = saved("shop:mean", lambda: shop.mean(PRICES), random=True)
        replay(entry, trusted=True).emit(tmp_path / "out")
        found = json.loads((tmp_path / "out" / "environment.json").read_text())
        assert found["run"] == entry.meta["run"]
        assert found["saved_with"]["numpy"] == np.__version__
        assert found["variables"]["OMP_NUM_THREADS"] == "1"

    def test_of_the_run_is_that_of_the_process(
        self, saved, shop, changed, tmp_path, monkeypatch
    ):
        changed("return {", "import os; return {")
        monkeypatch.setenv("PYTHONHASHSEED", "42")
        shop = changed(
            "def fail(price):",
            "def seed():\n    import os\n"
            "    return os.environ['PYTHONHASHSEED']\n\n\ndef fail(price):",
        )
        entry = saved("shop:seed", lambda: shop.seed(), random=True)
        monkeypatch.setenv("PYTHONHASHSEED", "7")
        emitted = replay(entry, trusted=True).emit(tmp_path / "out")
        assert emitted.verdict == "reproduced"
