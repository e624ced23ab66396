"""The demo, and many tasks, on four workers of Dask."""

from __future__ import annotations

import os

import pytest

import checkpoints as cp
from tests.workers import engines, work

# Ten times as many in `make engines`.
TASKS = int(os.environ.get("TASKS", "1000"))


class TestDemo:
    def test_on_four_workers_the_stage_that_changed_is_the_same(self, tmp_path):
        pytest.importorskip("sklearn", reason="the demo uses it")
        pytest.importorskip("distributed", reason="it is in make engines")
        for hasty in (False, True):
            work.pipeline_alone(tmp_path / f"alone-{hasty}", hasty)
        with engines.dask_client(4) as client:
            for hasty in (False, True):
                with cp.config("harvest", tmp_path / f"dask-{hasty}"):
                    calls = []
                    for model, fold in work.parts():
                        with cp.tags(model=model, fold=fold):
                            call = cp.carry(work.pipeline_of)
                            calls.append(
                                client.submit(call, model, fold, hasty, pure=False)
                            )
                    client.gather(calls)
        alone, dask = (
            cp.diff(tmp_path / f"{it}-False", tmp_path / f"{it}-True")
            for it in ("alone", "dask")
        )
        assert alone.first.name == dask.first.name == "harvest.folds.scaled"
        assert alone.first.role == "origin"
        assert len(list(alone)) == len(list(dask))


def test_each_of_many_tasks_saves_one_entry_under_its_tag(tmp_path):
    with engines.dask_client(4) as client, cp.config("work", tmp_path):
        calls = []
        for x in range(TASKS):
            with cp.tags(x=x):
                calls.append(client.submit(cp.carry(work.square), x, pure=False))
        client.gather(calls)
    found = cp.index(tmp_path)
    assert len(found) == TASKS
    assert {int(it.tags["x"]) for it in found} == set(range(TASKS))
    assert all(it["x"] == int(it.tags["x"]) for it in found[::100])
