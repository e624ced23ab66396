"""What is compared, checked and combined by workers is what one process finds."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent import futures

import numpy
import pandas
import pytest

import checkpoints as cp
from tests.workers import engines, work

EXECUTORS = ["threads", "fork", "spawn", "dask", "ray"]


@pytest.fixture(scope="module", params=EXECUTORS)
def executor(request):
    with engines.executor(request.param) as found:
        yield found


def values(number):
    return {
        "nothing": None,
        "number": number / 3,
        "text": f"line {number}\nand more",
        "nested": {"a": [number, (1, 2)], "b": {1.5, number}},
        "array": numpy.arange(50.0) + number,
        "frame": pandas.DataFrame({"x": range(5), "y": [number / 7] * 5}),
        "series": pandas.Series([1.0, float("nan"), number]),
    }


def save(root, changed):
    """Save 36 entries of all kinds, of which each third differs where it is changed."""
    with cp.config("kinds", root, if_exists="keep"):
        for number in range(36):
            step = 1 if changed and number % 3 == 0 else 0
            with cp.tags(number=number):
                cp.checkpoint("kinds.all", **values(number + step))
        for number in range(9):
            cp.checkpoint("kinds.loop", number + (number == 4 and changed))
        cp.checkpoint("kinds.odd", odd=work.Odd(), plain=1 + changed)
        cp.checkpoint("kinds.lock", lock=threading.Lock(), plain=1)
        cp.checkpoint("kinds.new" if changed else "kinds.old", 1)
        cp.checkpoint("kinds.damaged", "x" * 5000 + str(changed))


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    found = [tmp_path_factory.mktemp(it) / "saved" for it in ("one", "other")]
    for root, changed in zip(found, (0, 1), strict=True):
        save(root, changed)
    (entry,) = cp.index(found[1]).where("kinds.damaged")
    with open(entry.path, "r+b") as file:
        file.seek(1000)
        file.write(b"?")
    cp.reset()
    return found


def document(found):
    return {name: it for name, it in found.as_json().items() if name != "seconds"}


TOLERANCES = """
[[tolerance]]
match = "kinds.all"
value = "number"
atol = 1.0

[[tolerance]]
match = "nothing.*"
atol = 1.0
"""


class TestDiff:
    def test_finds_what_one_process_finds(self, roots, executor, tmp_path):
        limits = tmp_path / "tolerances.toml"
        limits.write_text(TOLERANCES)
        for options in (
            {"exact": True, "trusted": True, "tolerances": limits},
            {"tolerances": {"nan": "differ"}, "memory": "1KB", "with_grids": True},
        ):
            alone = cp.diff(*roots, **options)
            found = cp.diff(*roots, **options, executor=executor)
            assert document(found) == document(alone)
            assert len(list(found)) > 40

    def test_stops_at_the_first_difference(self, roots, executor):
        options = {"first_only": True, "names": "kinds.all"}
        found = cp.diff(*roots, **options, executor=executor)
        assert document(found) == document(cp.diff(*roots, **options))

    def test_measures_noise_there_too(self, roots, executor, tmp_path):
        save(tmp_path / "again", 1)
        options = {"noise": tmp_path / "again"}
        found = cp.diff(roots[0], roots[1], **options, executor=executor)
        assert document(found) == document(cp.diff(*roots, **options))


class TestVerify:
    def test_finds_what_one_process_finds(self, roots, executor):
        told = []
        found = cp.verify(
            roots[1], executor=executor, progress=lambda *it: told.append(it)
        )
        assert found == cp.verify(roots[1])
        assert len(found.damaged) == 1
        assert told[-1][0] == told[-1][1]
        assert len(told) == found.checked

    def test_threads_and_an_executor_exclude_each_other(self, roots):
        with pytest.raises(cp.ConfigError, match="max_workers= is about threads"):
            cp.verify(roots[0], max_workers=2, executor=object())


class TestConcat:
    @pytest.mark.parametrize("value", ["frame", "array", "number"])
    def test_makes_the_table_that_one_process_makes(self, roots, executor, value):
        entries = cp.index(roots[0]).where("kinds.all")
        found = entries.concat(value, executor=executor)
        pandas.testing.assert_frame_equal(found, entries.concat(value))

    def test_names_the_first_entry_that_fails(self, roots, executor):
        entries = cp.index(roots[0])
        with pytest.raises(cp.UnknownValueError) as alone:
            entries.concat("number")
        with pytest.raises(cp.UnknownValueError) as error:
            entries.concat("number", executor=executor)
        assert str(error.value) == str(alone.value)

    def test_names_the_entry_that_does_not_fit(self, roots, executor):
        entries = cp.index(roots[0]).where("kinds.all")
        with pytest.raises(cp.FormatError, match="kinds/all") as error:
            entries.concat("nested", executor=executor)
        with pytest.raises(cp.FormatError) as alone:
            entries.concat("nested")
        assert str(error.value) == str(alone.value)


class Counting:
    """Threads, and how many calls they were given and have not returned."""

    def __init__(self, pool):
        self.pool = pool
        self.handed = self.most = 0
        self.futures = []

    def submit(self, function, *args):
        self.handed += 1
        self.most = max(self.most, sum(not it.done() for it in self.futures) + 1)
        self.futures.append(future := self.pool.submit(function, *args))
        return future


class TestSpread:
    def test_hands_out_a_bounded_number_of_chunks(self, tmp_path):
        from checkpoints._process.executor import Spread

        with futures.ThreadPoolExecutor(2) as pool:
            counting = Counting(pool)
            found = Spread(counting).in_order(work.doubled, range(10_000))
            assert [it for *_, chunk in found for it in chunk] == list(
                range(0, 20_000, 2)
            )
        assert counting.handed == 10_000 / 16
        assert counting.most <= 128

    def test_takes_back_what_waits_when_it_is_left(self):
        from checkpoints._process.executor import Spread

        with futures.ThreadPoolExecutor(1) as pool:
            counting = Counting(pool)
            found = Spread(counting).in_order(work.doubled_slowly, range(10_000))
            next(found)
            found.close()
        assert sum(it.cancelled() for it in counting.futures) > 100

    def test_what_needs_no_work_stays_here(self):
        from checkpoints._process.executor import Spread

        with futures.ThreadPoolExecutor(2) as pool:
            found = list(
                Spread(pool).in_order(work.doubled, range(40), lambda it: it % 2 == 0)
            )
        assert [it for all_, _, _ in found for it in all_] == list(range(40))
        assert [it for *_, it in found] == [
            list(range(0, 64, 4)),
            list(range(64, 80, 4)),
        ]


class TestBadInput:
    @pytest.mark.parametrize("wrong", [3, "processes", os])
    def test_what_is_no_executor_is_refused(self, roots, wrong):
        for call in (
            lambda: cp.diff(*roots, executor=wrong),
            lambda: cp.verify(roots[0], executor=wrong),
            lambda: cp.index(roots[0]).concat("frame", executor=wrong),
        ):
            with pytest.raises(cp.ConfigError, match="expected what has a method"):
                call()

    def test_a_worker_that_is_killed_is_told(self, roots):
        context = multiprocessing.get_context("spawn")
        with futures.ProcessPoolExecutor(1, context) as pool:
            pool.submit(work.die_soon)
            with pytest.raises(cp.ExecutorError, match="BrokenProcessPool"):
                for _ in range(1000):
                    cp.verify(roots[0], executor=pool)

    def test_a_pool_that_was_shut_down_is_told(self, roots):
        pool = futures.ThreadPoolExecutor(1)
        pool.shutdown()
        with pytest.raises(cp.ExecutorError, match="could not do its part of the work"):
            cp.diff(*roots, executor=pool)

    def test_a_cluster_that_is_gone_is_told(self, roots):
        with engines.dask_client() as client:
            executor = client.get_executor()
        with pytest.raises(cp.ExecutorError, match="could not do its part of the work"):
            cp.verify(roots[0], executor=executor)

    def test_a_worker_with_another_version_is_told(self, roots, monkeypatch):
        from checkpoints._process import executor as module

        there = {"checkpoints": "0.0.1", "Python": "3.9"}
        monkeypatch.setattr(module, "versions_here", lambda: there)
        with (
            futures.ThreadPoolExecutor(1) as pool,
            pytest.raises(cp.ExecutorError, match=r"comes from checkpoints 0\.0\.1"),
        ):
            cp.verify(roots[0], executor=pool)
