"""A limit for all processes of a run."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import DictHandler, Rule, checkpoint, config, index, tags
from checkpoints.errors import ConfigError

SOURCES = str(Path(checkpoints.__file__).parents[1])
PROGRAM = """
import sys
from checkpoints import checkpoint, config, stats, tags
with config("shop", sys.argv[1], run_limit=5, if_exists="error", on_error="raise"):
    for turn in range(4):
        with tags(process=sys.argv[2], turn=turn):
            checkpoint("shop.a", turn)
            checkpoint("shop.b", turn)
"""


def save(root, worker):
    with config("shop", root, run_limit=5):
        for turn in range(4):
            with tags(worker=worker, turn=turn):
                checkpoint("shop.a", turn)


def count(root, name="shop.a"):
    return len(index(root).where(name)) if os.path.exists(root) else 0


class TestRunLimit:
    def test_holds_over_processes_at_the_same_time_for_each_name(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("CHECKPOINTS_RUN", "nightly")
        root = tmp_path / "saved"
        started = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, root, str(number)],
                env={**os.environ, "PYTHONPATH": SOURCES},
            )
            for number in range(4)
        ]
        assert [each.wait(100) for each in started] == [0] * 4
        assert (count(root), count(root, "shop.b")) == (5, 5)

    @pytest.mark.skipif(os.name != "posix", reason="it forks")
    def test_holds_over_forked_workers(self, tmp_path):
        context = multiprocessing.get_context("fork")
        checkpoints._process.origin.current_run()
        workers = [
            context.Process(target=save, args=(tmp_path / "saved", number))
            for number in range(3)
        ]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        assert count(tmp_path / "saved") == 5

    def test_a_name_is_off_when_the_others_have_taken_all(self, tmp_path):
        save(tmp_path / "saved", 1)
        with config("shop", tmp_path / "saved", run_limit=5) as rule:
            for turn in range(4):
                with tags(turn=turn):
                    checkpoint("shop.a", turn)
            assert not checkpoints.is_enabled("shop.a") or "shop.a" in rule.used_up
        assert count(tmp_path / "saved") == 5

    def test_another_run_counts_anew(self, tmp_path, monkeypatch):
        for run in ("one", "two"):
            monkeypatch.setenv("CHECKPOINTS_RUN", run)
            subprocess.run(
                [sys.executable, "-c", PROGRAM, tmp_path / "saved/{run}", "1"],
                env={**os.environ, "PYTHONPATH": SOURCES},
                check=True,
            )
        assert count(tmp_path / "saved/one") == count(tmp_path / "saved/two") == 4

    def test_counts_what_every_leaves(self, tmp_path):
        with config("shop", tmp_path / "saved", every=3, run_limit=2):
            for turn in range(10):
                with tags(turn=turn):
                    checkpoint("shop.a", turn)
        found = index(tmp_path / "saved").sort("turn")
        assert [entry.tags["turn"] for entry in found] == ["0", "3"]

    def test_is_said_in_the_header_and_kept_in_a_pickle(self, tmp_path):
        import pickle

        rule = Rule("shop", tmp_path, run_limit=2)
        assert "run_limit=2" in repr(pickle.loads(pickle.dumps(rule)))
        with config("shop", tmp_path / "saved", run_limit=2):
            checkpoint("shop.a", 1)
        (entry,) = index(tmp_path / "saved")
        assert entry.meta["sampling"]["run_limit"] == 2

    @pytest.mark.parametrize("target", [DictHandler(), print, None])
    def test_needs_files(self, target):
        with pytest.raises(ConfigError, match="only files can be counted"):
            Rule("shop", target, run_limit=2)

    @pytest.mark.parametrize("limit", [0, -1, True, "3"])
    def test_is_a_whole_number(self, limit, tmp_path):
        with pytest.raises(ConfigError, match="invalid run_limit"):
            Rule("shop", tmp_path, run_limit=limit)
