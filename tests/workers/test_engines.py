"""Work that engines hand to their workers saves under the tags of who handed it on."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints as cp
from checkpoints import workers
from tests.workers import work

TOP = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path, monkeypatch):
    # Processes that others start must find this module.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TOP), *sys.path[1:]]))
    return tmp_path / "out"


def saved(root):
    return {(it.tags["x"], it["y"]) for it in cp.index(root)}


SQUARES = {(str(x), x * x) for x in range(6)}


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(root, backend):
    joblib = pytest.importorskip("joblib")
    with cp.config("work", root):
        calls = []
        for x in range(6):
            with cp.tags(x=x):
                calls.append(joblib.delayed(cp.carry(work.square))(x))
        joblib.Parallel(n_jobs=2, backend=backend)(calls)
    assert saved(root) == SQUARES
    assert len({it.meta["run"] for it in cp.index(root)}) == 1


class TestDask:
    @pytest.fixture
    def client(self, root):
        distributed = pytest.importorskip("distributed")
        options = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.ERROR}
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, **options
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client

    def test_carried_work_of_every_kind(self, client, root):
        dask = pytest.importorskip("dask")
        with cp.config("work", root):
            calls = []
            for x in range(3):
                with cp.tags(x=x):
                    calls.append(client.submit(cp.carry(work.square), x, pure=False))
            client.gather(calls)
            for x in range(3, 5):
                with cp.tags(x=x):
                    client.gather(client.map(cp.carry(work.square), [x]))
            with cp.tags(x=5):
                dask.delayed(cp.carry(work.square))(5).compute()
        assert saved(root) == SQUARES
        assert len({it.meta["run"] for it in cp.index(root)}) == 1

    def test_workers_that_have_rules_from_the_start(self, client, root):
        with cp.config("work", root):
            client.register_worker_callbacks(workers.Initializer())
            client.submit(work.square, 3).result()
        assert [it["y"] for it in cp.index(root)] == [9]

    def test_a_worker_that_is_killed_leaves_a_set_that_is_complete(self, client, root):
        with cp.config("work", root):
            calls = []
            for x in range(40):
                with cp.tags(x=x):
                    call = cp.carry(work.square_slowly)
                    calls.append(client.submit(call, x, pure=False))
            pid = next(iter(client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
            client.gather(calls)
        assert saved(root) == {(str(x), x * x) for x in range(40)}
        assert cp.verify(root).ok


def test_ray(root):
    ray = pytest.importorskip("ray", reason="it is in make engines")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.environ["PYTHONPATH"]}},
    )
    try:
        call = ray.remote(lambda function, x: function(x))
        with cp.config("work", root):
            calls = []
            for x in range(6):
                with cp.tags(x=x):
                    calls.append(call.remote(cp.carry(work.square), x))
            ray.get(calls)
    finally:
        ray.shutdown()
    assert saved(root) == SQUARES


def test_spark(root):
    pytest.importorskip("pyspark", reason="it is in make engines")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java")
    program = TOP / "tests" / "workers" / "spark_program.py"
    subprocess.run([sys.executable, program, root], check=True, timeout=500)
    assert {it.tags["by"] for it in cp.index(root)} == {"rdd", "udf", "frames"}
