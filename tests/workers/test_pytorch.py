"""Workers of PyTorch save under the tags and rules of the program."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints as cp
from checkpoints import workers
from tests.workers import engines, work

METHODS = ["fork", "spawn"]
SOURCE = Path(cp.__file__).parents[1]


@pytest.fixture
def program(tmp_path):
    """Run a program in a process of its own."""

    def run(text, *arguments, before=()):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(text))
        words = [sys.executable, *before, file, *arguments]
        done = subprocess.run(
            list(map(str, words)),
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
            env=engines.environment() | {"HARVEST": "1"},
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


class TestPyTorch:
    @pytest.mark.parametrize("method", METHODS)
    def test_workers_of_a_data_loader_save_with_their_number(self, tmp_path, method):
        pytest.importorskip("torch", reason="it is in the group tensors")
        from torch.utils.data import DataLoader

        with cp.config("work", tmp_path, if_exists="keep"), cp.tags(epoch=1):
            loader = DataLoader(
                work.Squares(8),
                num_workers=2,
                multiprocessing_context=method,
                worker_init_fn=workers.Initializer(),
            )
            assert sorted(int(it) for it in loader) == [x * x for x in range(8)]
        found = cp.index(tmp_path)
        assert sorted(it["y"] for it in found) == [x * x for x in range(8)]
        assert {it.tags["worker"] for it in found} == {"0", "1"}
        assert {it.tags["epoch"] for it in found} == {"1"}
        assert len({it.meta["run"] for it in found}) == 1

    def test_torchrun_saves_each_rank_under_a_tag(self, program, tmp_path):
        pytest.importorskip("torch", reason="it is in the group tensors")
        program(
            """
            import os
            import checkpoints as cp

            with cp.tags(rank=int(os.environ["RANK"])):
                cp.checkpoint("work.rank", int(os.environ["RANK"]) ** 2)
            """,
            before=(
                *("-m", "checkpoints", "run", "work=out", "--", sys.executable),
                *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
            ),
        )
        found = cp.index(tmp_path / "out")
        assert {(it.tags["rank"], it["data"]) for it in found} == {("0", 0), ("1", 1)}
        assert len({it.meta["run"] for it in found}) == 1
