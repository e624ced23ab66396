"""`replay` calls a function again with saved arguments, and compares what it does."""

from __future__ import annotations

import asyncio
import importlib
import pickle
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import scipy.interpolate
import scipy.signal
import scipy.stats
from sklearn.linear_model import Ridge

import checkpoints
from checkpoints import FileHandler, config, index, replay, tags
from checkpoints._probes import calls
from checkpoints._process import origin
from checkpoints._replay.elsewhere import Elsewhere, replay_elsewhere
from checkpoints.errors import ConfigError, ReplayError, UntrustedError

RNG = np.random.default_rng(1)
TABLE = pd.DataFrame({"key": list("abca"), "px": [1.5, 2.0, np.nan, 4.0]})
OTHER = pd.DataFrame({"key": list("ab"), "qty": [3, 4]})
PRICES = RNG.normal(100, 5, size=60)

CALLS = {
    "pandas:DataFrame.merge": lambda: TABLE.merge(OTHER, on="key", how="left"),
    "pandas:pivot_table": lambda: pd.pivot_table(TABLE, "px", "key"),
    "pandas:DataFrame.groupby": lambda: TABLE.groupby("key"),
    "pandas:DataFrame.sort_values": lambda: TABLE.sort_values(["key", "px"]),
    "pandas:DataFrame.from_records": lambda: pd.DataFrame.from_records([(1, "a")]),
    "pandas:to_datetime": lambda: pd.to_datetime(["2024-01-05", None]),
    "numpy:cov": lambda: np.cov(PRICES.reshape(6, 10)),
    "numpy:histogram": lambda: np.histogram(PRICES, bins=5),
    "numpy.linalg:svd": lambda: np.linalg.svd(PRICES.reshape(6, 10)),
    "numpy:polyfit": lambda: np.polyfit(np.arange(60), PRICES, 3),
    "scipy.signal:savgol_filter": lambda: scipy.signal.savgol_filter(PRICES, 7, 2),
    "scipy.stats:linregress": lambda: scipy.stats.linregress(np.arange(60), PRICES),
    "scipy.interpolate:make_interp_spline": lambda: (
        scipy.interpolate.make_interp_spline(np.arange(60), PRICES)
    ),
    "scipy.stats:zscore": lambda: scipy.stats.zscore(PRICES),
    "sklearn.linear_model:Ridge.fit": lambda: Ridge(0.5).fit(
        PRICES.reshape(20, 3), PRICES[:20]
    ),
}


class TestFunctionsOfOthers:
    @pytest.mark.parametrize("target", CALLS)
    def test_do_again_what_they_did(self, saved, target):
        found = replay(saved(target, CALLS[target]), trusted=True)
        assert found.verdict == "equal", str(found)

    def test_that_return_the_same_buffer_again_differ_from_themselves(
        self, saved, shop
    ):
        entry = saved("shop:refill", lambda: shop.refill(1))
        assert replay(entry, trusted=True, times=3).verdict == "noise"
        shop.buffer[:] = 0
        found = replay(entry, trusted=True, times=3)
        assert found.verdict == "equal"
        assert found.result.tolist() == [1, 1, 1]
        assert "called 3 times, it differs from itself" in str(found)

    def test_get_one_object_where_the_call_had_one(self, saved, shop):
        entry = saved("shop:move", lambda: shop.move(*[[1, 2, 3]] * 2))
        assert replay(entry, trusted=True).verdict == "equal"
        entry = saved("shop:move", lambda: shop.move([1, 2, 3], [1, 2, 3]))
        assert replay(entry, trusted=True).verdict == "equal"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"more": 5}, r"\*more=5: expected a list"),
            ({"options": 5}, r"\*\*options=5: expected a dict"),
            ({"options": {1: 2}}, r"\*\*options=.* expected a dict"),
        ],
    )
    def test_are_not_called_with_what_cannot_be_spread(
        self, saved, shop, changes, expected
    ):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0], 5))
        with pytest.raises(ConfigError, match=expected):
            replay(entry, trusted=True, set=changes)
        assert replay(entry, trusted=True, set={"more": [1, 2]}).result == 5.0

    def test_are_called_with_copies_of_the_arguments_each_time(self, saved, shop):
        entry = saved("shop:sort", lambda: shop.sort([3, 1, 2]))
        found = replay(entry, trusted=True, times=3)
        assert found.verdict == "equal"
        assert entry["values"] == [3, 1, 2]
        assert "only a rule with after=True saves what it changes" in str(found)


class TestKindsOfCalls:
    def test_a_variadic_signature_gets_its_arguments_back(self, saved, shop):
        entry = saved(
            "shop:mean",
            lambda: shop.mean([1.0, 2.0], 5, 6, weights=[1, 3], label="x", unit="kg"),
        )
        found = replay(entry, trusted=True)
        assert (found.verdict, found.result) == ("equal", 1.75 + 11 + 2)

    def test_positional_only_parameters_too(self, saved, shop):
        entry = saved("shop:only_positional", lambda: shop.only_positional(7, c=4))
        assert replay(entry, trusted=True).result == (7, 2, 4)

    @pytest.mark.parametrize(
        ("target", "run", "result"),
        [
            ("shop:Till.add", lambda shop: shop.Till("me").add(2), ["me", 3]),
            ("shop:Till.open", lambda shop: shop.Kiosk.open("x"), "Kioskx"),
            ("shop:Till.close", lambda shop: shop.Till.close("ab"), "ba"),
            ("shop:steps", lambda shop: list(shop.steps(3)), 6),
            ("shop:fetch", lambda shop: asyncio.run(shop.fetch("k")), {"key": "k"}),
        ],
    )
    def test_methods_generators_and_coroutines_run_to_their_end(
        self, saved, shop, target, run, result
    ):
        found = replay(saved(target, lambda: run(shop)), trusted=True)
        assert (found.verdict, found.result) == ("equal", result)

    def test_a_coroutine_runs_although_a_loop_runs_already(self, saved, shop):
        entry = saved("shop:fetch", lambda: asyncio.run(shop.fetch("k")))

        async def notebook():
            return replay(entry, trusted=True)

        assert asyncio.run(notebook()).verdict == "equal"

    def test_the_items_of_an_asynchronous_generator_have_no_saved_counterpart(
        self, saved, shop
    ):
        async def run():
            return [item async for item in shop.stream(3)]

        found = replay(saved("shop:stream", lambda: asyncio.run(run())), trusted=True)
        assert found.verdict == "unknown"
        assert "yielded 3 items" in str(found)

    def test_an_exception_of_the_same_type_and_message_is_equal(self, saved, shop):
        entry = saved("shop:fail", lambda: shop.fail(3), raises=ValueError)
        found = replay(entry, trusted=True)
        assert found.verdict == "equal"
        assert isinstance(found.error, ValueError)

    def test_another_message_is_not(self, saved, shop):
        entry = saved("shop:fail", lambda: shop.fail(3), raises=ValueError)
        found = replay(entry, trusted=True, set={"price": 4})
        assert found.verdict == "different"
        assert list(found.differences) == ["message"]

    def test_a_decorated_function_of_the_program_is_replayed_by_its_name(
        self, tmp_path, shop
    ):
        shop.twice = checkpoints.probed("shop.twice")(lambda x: 2 * x)
        with config("shop", tmp_path / "saved"):
            shop.twice(4)
        (entry,) = (it for it in index(tmp_path / "saved") if it.stem == "twice")
        assert replay(entry, trusted=True).result == 8

    def test_a_decorated_function_with_another_name_is_found_where_it_is_defined(
        self, tmp_path, monkeypatch
    ):
        (tmp_path / "ledger.py").write_text(
            "import checkpoints\n\n\nclass Book:\n"
            "    @staticmethod\n    @checkpoints.probed('etl.totals')\n"
            "    def totals(x):\n        return 2 * x\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        ledger = importlib.import_module("ledger")
        with config("etl", tmp_path / "saved"):
            ledger.Book.totals(4)
        monkeypatch.delitem(sys.modules, "ledger")
        for entry in index(tmp_path / "saved"):
            assert entry.meta["called"] == "ledger:Book.totals"
            assert replay(entry, trusted=True).result == 8
            how = Elsewhere(sys.executable, {"trusted": True})
            assert replay_elsewhere(entry, how)["verdict"] == "equal"
            with pytest.raises(UntrustedError, match=r"ledger:Book\.totals: give it"):
                replay(entry)

    def test_of_the_main_file_one_with_another_name_is_refused_with_the_way(
        self, tmp_path
    ):
        def totals(x):
            return x

        totals.__module__, totals.__qualname__ = "__main__", "totals"
        with config("etl", tmp_path):
            checkpoints.probed("etl.totals")(totals)(4)
        with pytest.raises(ReplayError, match=r"main file.*'file\.py:totals'"):
            replay(index(tmp_path)[0], trusted=True)


class TestVerdict:
    def test_a_changed_function_is_different_and_the_report_says_how(
        self, saved, shop, changed
    ):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        changed("np.average(prices, weights=weights)", "float(np.median(prices)) + 1")
        found = replay(entry, trusted=True)
        assert (found.verdict, found.exit_code) == ("different", 1)
        assert found.differences["result"].max_abs == 1
        text = str(found)
        assert text.startswith("DIFFERENT  from what it did: shop.mean  call=1\n")
        assert "nothing after it" in " ".join(text.split())
        assert "2.0  ->  3.0" in text

    def test_a_tolerance_for_the_result_applies(self, saved, shop, changed, tmp_path):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        changed("sum(more)", "sum(more) + 1e-3")
        file = tmp_path / "tolerances.toml"
        file.write_text('[[tolerance]]\nmatch = "shop.mean.result"\natol = 0.01\n')
        assert replay(entry, trusted=True).verdict == "different"
        assert replay(entry, trusted=True, tolerances=str(file)).verdict == "close"

    def test_an_error_instead_of_a_result_is_different(self, saved, shop, changed):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        changed("sum(more)", "sum(more) + {}")
        found = replay(entry, trusted=True)
        assert found.verdict == "different"
        assert "it returned in the run, and raises TypeError" in str(found)

    def test_a_call_that_never_ended_is_unknown(self, saved, shop):
        entry = saved("shop:steps", lambda: shop.steps(2).send(None))
        found = replay(entry, trusted=True)
        assert (found.verdict, found.exit_code) == ("unknown", 2)
        assert "its outcome was not saved" in str(found)

    def test_a_function_that_differs_from_itself_is_noise(self, saved, shop):
        entry = saved("shop:draw", lambda: shop.draw(1))
        assert replay(entry, trusted=True).verdict == "different"
        found = replay(entry, trusted=True, times=20)
        assert found.verdict == "noise"
        assert "called 20 times, it differs from itself" in str(found)

    def test_asking_for_its_truth_is_an_error(self, saved, shop):
        found = replay(saved("shop:mean", lambda: shop.mean([1.0])), trusted=True)
        with pytest.raises(TypeError, match="verdict"):
            bool(found)


class TestEntry:
    def test_may_be_that_of_the_outcome_or_a_path(self, saved, shop):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        result = entry.path.replace("mean.ckpt.zip", "mean/result.ckpt.zip")
        for given in (result, entry.path, pickle.loads(pickle.dumps(entry))):
            assert replay(given, trusted=True).entry.path == entry.path

    def test_finds_the_outcome_of_its_own_run_where_files_were_kept(
        self, saved, shop, tmp_path, monkeypatch
    ):
        def run():
            for price in (1.0, 2.0):
                monkeypatch.setattr(calls, "_numbers", {})
                monkeypatch.setattr(origin, "_run", [f"{price}"])
                shop.mean([price])

        saved("shop:mean", run, if_exists="keep")
        entries = [it for it in index(tmp_path / "saved") if it.name == "shop.mean"]
        verdicts = [replay(it, trusted=True).verdict for it in entries]
        assert verdicts == ["equal", "equal"]

    def test_that_is_no_call_is_told(self, tmp_path):
        FileHandler(tmp_path).checkpoint("shop.total", price=3)
        with pytest.raises(ReplayError, match="is no call, but a checkpoint"):
            replay(index(tmp_path)[0], trusted=True)

    def test_that_was_saved_inside_a_call_is_told_too(self, tmp_path, shop):
        with config("shop.inside", tmp_path), tags(call=1):
            shop.mean([1.0])
        with pytest.raises(ReplayError, match="is no call, but a checkpoint"):
            replay(index(tmp_path)[0], trusted=True)

    def test_is_not_replaced_by_what_the_replay_saves(self, saved, shop, tmp_path):
        with config("shop.inside", tmp_path / "saved"):
            entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
            before = {it.path: it.meta["time"] for it in index(tmp_path / "saved")}
            replay(entry, trusted=True, set={"prices": [9.0]})
        after = index(tmp_path / "saved")
        kept = {e.path: e.meta["time"] for e in after if "replay" not in e.tags}
        assert kept == before
        (inside,) = (e for e in after if "replay" in e.tags)
        assert (inside["total"], inside.tags["call"]) == (9.0, "1")


class TestTrust:
    def test_a_file_does_not_decide_what_is_called(self, saved, shop):
        entry = saved("shop:mean", lambda: shop.mean([1.0]))
        with pytest.raises(UntrustedError, match="names the function to call"):
            replay(entry)

    def test_a_function_that_was_given_needs_none(self, saved, shop):
        entry = saved("shop:mean", lambda: shop.mean([1.0]))
        assert replay(entry, function=shop.mean).verdict == "equal"

    def test_pickles_do(self, saved, shop):
        entry = saved("shop:Till.add", lambda: shop.Till("me").add(2))
        with pytest.raises(UntrustedError):
            replay(entry, function=shop.Till.add)
        till = shop.Till("you")
        found = replay(entry, function=shop.Till.add, set={"self": till})
        assert found.result == ["you", 3]
        assert replay(entry, function=till.add, without=["self"]).result == ["you", 3]


class TestWhatHasChanged:
    def test_a_function_that_is_gone_is_told_with_a_hint(self, saved, shop, changed):
        entry = saved("shop:mean", lambda: shop.mean([1.0]))
        changed("def mean(", "def means(")
        with pytest.raises(ReplayError, match=r"has no 'mean'.*'means'"):
            replay(entry, trusted=True)
        assert replay(entry, function="shop:means", trusted=True).verdict == "equal"

    def test_a_module_that_is_gone_is_told(self, saved, shop, tmp_path, monkeypatch):
        entry = saved("shop:mean", lambda: shop.mean([1.0]))
        monkeypatch.delitem(sys.modules, "shop")
        (tmp_path / "lib" / "shop.py").rename(tmp_path / "lib" / "store.py")
        with pytest.raises(ReplayError, match=r"no module for shop\.mean"):
            replay(entry, trusted=True)
        place = f"{tmp_path / 'lib' / 'store.py'}:mean"
        assert replay(entry, function=place, trusted=True).verdict == "equal"

    def test_a_parameter_that_is_gone_can_be_left_out(self, saved, shop, changed):
        entry = saved("shop:only_positional", lambda: shop.only_positional(1))
        changed("(a, b=2, /, c=3)", "(a, b=2, /)")
        changed("return a, b, c", "return a, b, 3")
        with pytest.raises(ReplayError, match="it has no 'c', which the saved call"):
            replay(entry, trusted=True)
        assert replay(entry, trusted=True, without=["c"]).verdict == "equal"

    def test_a_new_parameter_must_be_set(self, saved, shop, changed):
        entry = saved("shop:fail", lambda: shop.fail(3), raises=ValueError)
        changed("def fail(price)", "def fail(price, book)")
        with pytest.raises(ReplayError, match="of 'book' no value was saved"):
            replay(entry, trusted=True)
        assert replay(entry, trusted=True, set={"book": 1}).verdict == "equal"

    def test_a_new_parameter_with_a_default_is_told(self, saved, shop, changed):
        entry = saved("shop:fail", lambda: shop.fail(3), raises=ValueError)
        changed("def fail(price)", "def fail(price, book=1)")
        found = replay(entry, trusted=True)
        assert "by their defaults, because not saved: book" in str(found)

    def test_a_class_that_is_gone_is_told(self, saved, shop, changed):
        entry = saved("shop:Till.add", lambda: shop.Till("me").add(2))
        changed("(Till)", "")
        changed("class Till:", "class Counter:")
        with pytest.raises(ReplayError, match="has no 'Till'"):
            replay(entry, trusted=True)
        with pytest.raises(
            ReplayError, match=r"pickle of 'shop.Till', cannot be loaded"
        ):
            replay(entry, function="shop:Counter.add", trusted=True)

    def test_a_module_that_runs_a_program_is_told(self, saved, shop, tmp_path):
        entry = saved("shop:mean", lambda: shop.mean([1.0]))
        script = tmp_path / "program.py"
        script.write_text("def mean(prices): pass\nraise SystemExit(3)\n")
        with pytest.raises(ReplayError, match="importing program fails: SystemExit: 3"):
            replay(entry, function=f"{script}:mean")


class TestArguments:
    def test_that_could_not_be_saved_are_told(self, saved, shop):
        lock = threading.Lock()
        entry = saved("shop:unpicklable", lambda: shop.unpicklable(lock, 3))
        with pytest.raises(ReplayError, match="'lock' could not be saved"):
            replay(entry, trusted=True)
        assert replay(entry, trusted=True, set={"lock": None}).verdict == "equal"

    def test_of_which_there_is_a_summary_are_told(self, saved, shop):
        entry = saved("shop:mean", lambda: shop.mean(PRICES), summary=True)
        with pytest.raises(ReplayError, match="only a summary was saved"):
            replay(entry, trusted=True)

    def test_that_a_rule_left_out_are_told(self, saved, shop):
        entry = saved("shop:mean", lambda: shop.mean([1.0]), values="weights")
        with pytest.raises(ReplayError, match="of 'prices' no value was saved"):
            replay(entry, trusted=True)
        found = replay(entry, trusted=True, set={"prices": [1.0]})
        assert found.result == 1
        assert found.verdict == "unknown"

    def test_that_are_set_replace_the_saved_ones(self, saved, shop):
        entry = saved("shop:mean", lambda: shop.mean([1.0, 3.0]))
        found = replay(entry, trusted=True, set={"prices": [5.0], "label": "new"})
        assert found.result == 6.0
        assert "set        prices = [5.0]" in str(found)

    def test_that_are_set_but_not_known_are_told(self, saved, shop):
        entry = saved("shop:fail", lambda: shop.fail(3), raises=ValueError)
        with pytest.raises(ConfigError, match=r"no parameter 'prize'.*'price'"):
            replay(entry, trusted=True, set={"prize": 3})


class TestArgumentsToChange:
    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"without": ["windw"]}, "no argument 'windw' was saved.*'weights'"),
            ({"without": "weights"}, "invalid without='weights'"),
            ({"set": {"weights": None}, "without": ["weights"]}, "both set and left"),
            ({"set": [1]}, "invalid set="),
        ],
    )
    def test_that_make_no_sense_are_refused(self, saved, shop, given, told):
        entry = saved("shop:mean", lambda: shop.mean([1, 2], weights=[1, 1]))
        with pytest.raises(ConfigError, match=told):
            replay(entry, trusted=True, **given)

    def test_can_be_left_out_when_they_could_not_be_saved(self, saved, shop):
        entry = saved(
            "shop:unpicklable",
            lambda: shop.unpicklable(threading.Lock(), 2),
            on_error="ignore",
        )
        with pytest.raises(ReplayError, match="no value was saved"):
            replay(entry, trusted=True, without=["lock"])

    def test_are_those_of_a_file_not_of_a_folder(self, tmp_path):
        with pytest.raises(ReplayError, match="is a folder: give the file of one call"):
            replay(tmp_path, trusted=True)
