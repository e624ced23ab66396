"""A recorder on a worker writes what came before an error of carried work."""

from __future__ import annotations

import multiprocessing
from concurrent import futures
from pathlib import Path

import pytest

import checkpoints as cp
from tests.workers import engines, work

METHODS = ["fork", "spawn"]
SOURCE = Path(cp.__file__).parents[1]


class TestRecorder:
    @pytest.mark.parametrize("method", METHODS)
    def test_it_writes_what_came_before_an_error_of_carried_work(
        self, tmp_path, method
    ):
        context = multiprocessing.get_context(method)
        with (
            cp.config("work", cp.Recorder(tmp_path / "out")),
            futures.ProcessPoolExecutor(1, context) as pool,
        ):
            assert pool.submit(cp.carry(work.square), 2).result()[0] == 4
            assert not (tmp_path / "out").exists()
            error = pool.submit(cp.carry(work.square_and_fail), 3).exception()
        assert isinstance(error, RuntimeError)
        dumped = {it.meta["dumped"] for it in cp.index(tmp_path / "out")}
        assert dumped == {"exception: RuntimeError: after 3"}

    def test_it_does_so_in_dask(self, tmp_path):
        rule = cp.config("work", cp.Recorder(tmp_path / "out"))
        with engines.dask_client(1) as client, rule:
            call = client.submit(cp.carry(work.square_and_fail), 3)
            assert isinstance(call.exception(), RuntimeError)
        assert [it["y"] for it in cp.index(tmp_path / "out")] == [9]
