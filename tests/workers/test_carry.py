"""Work that is handed on saves under the tags, rules and run of who hands it on."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import logging
import multiprocessing
import pickle
import sys
import threading
from concurrent import futures

import pytest

import checkpoints as cp
from checkpoints import workers
from tests.workers import work

METHODS = [it for it in multiprocessing.get_all_start_methods() if it != "forkserver"]


async def steps():
    yield 1


def pool_of(method, **options):
    context = multiprocessing.get_context(method)
    return futures.ProcessPoolExecutor(2, mp_context=context, **options)


def in_thread(function, *args):
    """Call a function in a thread that knows nothing of this context."""
    found = []
    made = threading.Thread(target=lambda: found.append(function(*args)))
    contextvars.Context().run(made.start)
    made.join()
    return found[0]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "out"


class TestThreads:
    def test_a_carried_function_has_the_tags_of_where_it_was_carried(self):
        with cp.tags(day="mon", model=3):
            carried = cp.carry(cp.current_tags)
        assert in_thread(carried) == (("day", "mon"), ("model", 3))

    def test_it_has_no_other_tags(self):
        with cp.tags(a=1):
            carried = cp.carry(cp.current_tags)
        with cp.tags(b=2):
            assert carried() == (("a", 1),)
            assert cp.current_tags() == (("b", 2),)

    def test_a_coroutine_function_has_them_while_it_is_awaited(self, root):
        async def both():
            with cp.tags(x=1):
                first = cp.carry(work.square_later)(3)
            with cp.tags(x=2):
                second = cp.carry(work.square_later)(4)
            return await asyncio.gather(first, second)

        with cp.config("work", root):
            asyncio.run(both())
        found = cp.index(root)
        assert {(it.tags["x"], it["x"]) for it in found} == {("1", 3), ("2", 4)}

    def test_a_generator_has_them_while_it_runs_and_its_caller_does_not(self, root):
        with cp.config("work", root):
            with cp.tags(day="mon"):
                carried = pickle.loads(pickle.dumps(cp.carry(work.squares)))
            for _ in carried((3, 4)):
                assert cp.current_tags() == ()
        tags = [tuple(it.tags.items()) for it in cp.index(root)]
        assert tags == [(("day", "mon"), ("inner", x)) for x in ("3", "4")]

    def test_an_error_passes_and_leaves_no_tags(self):
        with cp.tags(a=1):
            carried = cp.carry(int)
        with pytest.raises(ValueError, match="invalid literal"):
            carried("x")
        assert cp.current_tags() == ()

    def test_memory_is_shared_by_threads(self):
        with cp.capture("work") as seen, cp.tags(x=1):
            in_thread(cp.carry(work.square), 3)
        assert seen["x=1/work/square"]["y"] == 9

    @pytest.mark.parametrize("wrong", [3, None, "work", steps])
    def test_what_is_no_function_is_refused(self, wrong):
        with pytest.raises(cp.ConfigError, match="cannot carry"):
            cp.carry(wrong)


@pytest.mark.parametrize("method", METHODS)
class TestProcesses:
    def test_save_under_the_tags_rules_and_run_of_the_caller(self, root, method):
        with cp.config("work", root), pool_of(method) as pool:
            tasks = []
            for x in range(6):
                with cp.tags(x=x):
                    tasks.append(pool.submit(cp.carry(work.square), x))
            pids = {task.result()[1] for task in tasks}
        found = cp.index(root)
        assert {(it.tags["x"], it["y"]) for it in found} == {
            (str(x), x * x) for x in range(6)
        }
        assert {it.meta["pid"] for it in found} == pids
        assert len({it.meta["run"] for it in found}) == 1
        assert len(cp.runs(root)) == 1

    def test_tell_which_process_they_work_for_and_how_far_it_was(self, root, method):
        import os

        with cp.config("work", root), pool_of(method) as pool:
            cp.checkpoint("work.before", 0)
            task = pool.submit(cp.carry(work.square), 3)
            task.result()
        before, after = sorted(cp.index(root), key=lambda it: it.meta["time"])
        parent = after.meta["parent"]
        assert parent["pid"] == os.getpid()
        assert parent["sequence"] == before.meta["sequence"]

    def test_of_a_rule_of_which_nothing_is_left_nothing_is_saved(self, root, method):
        with pool_of(method) as pool:
            with cp.config("work", root):
                pool.submit(cp.carry(work.square), 1).result()
            for x in range(4):
                pool.submit(cp.carry(work.square), x + 2).result()
        assert [it["x"] for it in cp.index(root)] == [1]

    def test_conditions_and_counts_hold_there(self, root, method):
        rule = cp.config("work", root, where=work.is_odd, if_exists="keep")
        with rule, pool_of(method) as pool:
            for x in range(4):
                with cp.tags(x=x):
                    pool.submit(cp.carry(work.square), x).result()
        assert sorted(it["x"] for it in cp.index(root)) == [1, 3]

    def test_what_waits_in_the_background_is_saved_before_the_result(
        self, root, method
    ):
        with cp.config("work", root, background=True), pool_of(method) as pool:
            pool.submit(cp.carry(work.square), 3).result()
            assert len(cp.index(root)) == 1

    def test_an_initializer_puts_them_in_force_for_good(self, root, method):
        context = multiprocessing.get_context(method)
        with cp.config("work", root), cp.tags(day="mon"):
            pool = context.Pool(2, workers.Initializer())
            with pool:
                pool.map(work.square, range(5), chunksize=1)
                pool.close()
                pool.join()
        # Each save replaces the one before, as they have one key.
        assert {it.tags["day"] for it in cp.index(root)} == {"mon"}

    def test_pools_of_the_library_carry_all_that_they_are_given(self, root, method):
        context = multiprocessing.get_context(method)
        with (
            cp.config("work", root, if_exists="keep"),
            cp.tags(day="mon"),
            workers.ProcessPoolExecutor(2, mp_context=context) as pool,
        ):
            assert [it[0] for it in pool.map(work.square, range(4))] == [0, 1, 4, 9]
        assert [it.tags["day"] for it in cp.index(root)] == ["mon"] * 4


class TestTravel:
    def test_a_rule_that_cannot_be_pickled_stays_and_is_told(self, caplog):
        with cp.capture("work"), caplog.at_level(logging.WARNING, "checkpoints"):
            sent = pickle.dumps(cp.carry(work.square))
        assert pickle.loads(sent)(3)[0] == 9
        # Alone, this test also gets a warning that the program knows no such name.
        (told,) = (it for it in caplog.messages if "stays in this process" in it)
        assert "DictHandler" in told

    def test_a_rule_that_cannot_be_loaded_there_fails_no_work(
        self, root, tmp_path, monkeypatch, caplog
    ):
        monkeypatch.syspath_prepend(tmp_path)
        (tmp_path / "only_here.py").write_text("def wanted(pairs):\n    return True\n")
        wanted = importlib.import_module("only_here").wanted
        with cp.config("work", root, where=wanted):
            sent = pickle.dumps(cp.carry(work.square))
        (tmp_path / "only_here.py").unlink()
        monkeypatch.delitem(sys.modules, "only_here")
        with caplog.at_level(logging.WARNING, "checkpoints"):
            assert pickle.loads(sent)(3)[0] == 9
        (told,) = (it.message for it in caplog.records)
        assert "is not in force here (ModuleNotFoundError" in told

    def test_it_is_small(self, root):
        with cp.config("work", root), cp.tags(day="mon"):
            assert len(pickle.dumps(cp.carry(work.square))) < 2_000

    def test_it_is_called_as_its_function_is(self):
        import inspect

        carried = cp.carry(work.square)
        assert carried.__name__ == "square"
        assert inspect.signature(carried) == inspect.signature(work.square)
        assert "square" in repr(carried)

    def test_it_works_where_it_was_pickled_too(self, root):
        with cp.config("work", root, if_exists="keep"):
            pickle.loads(pickle.dumps(cp.carry(work.square)))(3)
            assert len(cp.rules()) == 1
        assert len(cp.index(root)) == 1


class Later:
    """Its body runs after the call has returned."""

    async def __call__(self):
        return cp.current_tags()


class TestBodiesThatRunLater:
    def test_of_a_callable_object_have_the_tags(self):
        with cp.tags(fold=1):
            carried = cp.carry(Later())
        assert asyncio.run(carried()) == (("fold", 1),)

    def test_that_a_function_returns_have_the_tags(self):
        async def inner():
            return cp.current_tags()

        def items():
            yield cp.current_tags()

        with cp.tags(fold=1):
            one, other = cp.carry(lambda: inner()), cp.carry(lambda: items())
        assert asyncio.run(one()) == (("fold", 1),)
        assert list(other()) == [(("fold", 1),)]

    def test_take_what_they_are_sent(self):
        def steps():
            try:
                got = yield 1
            except LookupError:
                got = "caught"
            yield got
            return "end"

        one, other = cp.carry(steps)(), cp.carry(steps)()
        assert [next(one), one.send("a"), next(other)] == [1, "a", 1]
        assert other.throw(LookupError) == "caught"
        with pytest.raises(StopIteration, match="end"):
            next(other)
