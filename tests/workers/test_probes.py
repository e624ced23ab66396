"""Probes are placed on workers by an initializer."""

from __future__ import annotations

import multiprocessing
from concurrent import futures
from pathlib import Path

import pytest

import checkpoints as cp
from checkpoints import workers
from tests.workers import engines, work

METHODS = ["fork", "spawn"]
SOURCE = Path(cp.__file__).parents[1]


class TestProbes:
    @pytest.mark.parametrize("method", METHODS)
    def test_an_initializer_places_them_in_a_pool(self, tmp_path, method):
        context = multiprocessing.get_context(method)
        with cp.config("tests.workers.work.halved", tmp_path, if_exists="keep"):
            begin = workers_initializer()
            with futures.ProcessPoolExecutor(2, context, begin) as pool:
                assert list(pool.map(work.halved, [2, 4])) == [1, 2]
        check_probed(tmp_path)

    def test_an_initializer_places_them_in_dask(self, tmp_path):
        rule = cp.config("tests.workers.work.halved", tmp_path, if_exists="keep")
        with engines.dask_client() as client, rule:
            client.register_worker_callbacks(workers_initializer())
            client.gather(client.map(work.halved, [2, 4]))
        check_probed(tmp_path)


def workers_initializer():
    return workers.Initializer(work.place_probe)


def check_probed(root):
    results = [it["result"] for it in cp.index(root) if it.meta["part"] == "result"]
    assert sorted(results) == [1, 2]
