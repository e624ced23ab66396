"""Work that an engine repeats is told apart by its attempt, and the last one counts."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
from concurrent import futures

import pytest

import checkpoints as cp
from tests.workers import engines, work


def attempts(root):
    return sorted((it.name, it.meta["attempt"]["number"]) for it in cp.index(root))


def check_repeated(root, alone):
    """Check the saves of a task whose first attempt was killed between two of three."""
    found = attempts(root)
    first, second = sorted({number for _, number in found})
    assert first < second
    assert found == [
        ("work.first", first),
        ("work.first", second),
        ("work.last", second),
        ("work.middle", first),
        ("work.middle", second),
    ]
    assert len({it.meta["attempt"]["task"] for it in cp.index(root)}) == 1
    assert cp.verify(root).ok
    work.three_steps(alone)
    compared = cp.diff(alone, root)
    assert compared.verdict == "equal"
    assert [pair.name for pair in compared] == [
        "work.first",
        "work.middle",
        "work.last",
    ]
    assert "2 saves of the candidate left out" in str(compared)


def test_dask_repeats_the_task_of_a_worker_that_was_killed(tmp_path):
    rule = cp.config("work", tmp_path / "out", if_exists="keep")
    with engines.dask_client() as client, rule:
        call = cp.carry(work.three_steps_killed_once)
        client.submit(call, str(tmp_path / "mark"), pure=False).result()
    check_repeated(tmp_path / "out", tmp_path / "alone")


def test_ray_repeats_the_task_of_a_worker_that_was_killed(tmp_path):
    with engines.ray_cluster() as ray:
        call = ray.remote(lambda function, mark: function(mark))
        with cp.config("work", tmp_path / "out", if_exists="keep"):
            function = cp.carry(work.three_steps_killed_once)
            ray.get(call.remote(function, str(tmp_path / "mark")))
    check_repeated(tmp_path / "out", tmp_path / "alone")


def test_spark_repeats_a_task_that_failed(tmp_path):
    pytest.importorskip("pyspark", reason="it is in make engines")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java")
    program = engines.TOP / "tests" / "workers" / "spark_attempts.py"
    words = [sys.executable, program, tmp_path / "out", tmp_path / "mark"]
    environment = engines.environment()
    subprocess.run(words, check=True, timeout=500, env=environment)
    check_repeated(tmp_path / "out", tmp_path / "alone")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_whose_worker_was_killed_is_completed_by_another(tmp_path, method):
    context = multiprocessing.get_context(method)
    mark, root = tmp_path / "mark", tmp_path / "out"
    with cp.config("work", root):
        for _ in range(2):
            with futures.ProcessPoolExecutor(1, context) as pool:
                call = pool.submit(cp.carry(work.three_steps_killed_once), str(mark))
                if call.exception() is None:
                    break
    found = {it.name: it.meta for it in cp.index(root)}
    assert sorted(found) == ["work.first", "work.last", "work.middle"]
    # A pool repeats nothing by itself, and so does not tell that this was repeated.
    assert "attempt" not in found["work.first"]
    assert len({it["pid"] for it in found.values()}) == 1
    assert cp.verify(root).ok


def test_outside_of_an_engine_there_is_no_attempt(tmp_path):
    pytest.importorskip("distributed", reason="it is in make engines")
    import distributed.worker  # noqa: F401 - as in a program that has a cluster

    work.three_steps(tmp_path)
    assert all("attempt" not in it.meta for it in cp.index(tmp_path))
