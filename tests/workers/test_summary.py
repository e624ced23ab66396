"""One summary at the end of a run tells of all its workers."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints as cp
from tests.workers import engines

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


class TestSummary:
    def test_it_names_the_worker_whose_root_cannot_be_written(self, program, tmp_path):
        done = program(
            """
            import multiprocessing, os, sys
            from concurrent.futures import ProcessPoolExecutor
            import checkpoints as cp

            def save(root):
                if root:
                    open(f"{root}/{os.getpid()}", "x").close()  # no folder, so
                cp.checkpoint("work.part", 1)
                return os.getpid()

            if __name__ == "__main__":
                os.mkdir("out")
                save("")
                spawn = multiprocessing.get_context("spawn")
                with ProcessPoolExecutor(1, spawn) as pool:
                    print(pool.submit(save, "out").result())
            """,
            before=("-m", "checkpoints", "run", "work=out/{pid}", "--"),
        )
        pid = done.stdout.strip()
        assert "1 save failed:" in done.stderr
        assert f"process {pid} on {platform.node()}: checkpoint" in done.stderr

    def test_it_counts_what_workers_of_a_cluster_have_saved(self, program, tmp_path):
        report = tmp_path / "summary.json"
        done = program(
            """
            import os, pickle, subprocess, sys
            import checkpoints as cp
            from tests.workers import work

            cp.checkpoint("work.own", 1)
            # As a worker that had been running before.
            clean = {k: v for k, v in os.environ.items() if "CHECKPOINTS" not in k}
            code = "import pickle, sys; pickle.load(sys.stdin.buffer)(5)"
            luggage = pickle.dumps(cp.carry(work.square))
            subprocess.run([sys.executable, "-c", code], input=luggage, env=clean)
            """,
            before=("-m", "checkpoints", "run", "work=out", "--json", report, "--"),
        )
        assert "saved 2 files" in done.stderr
        assert "1 save by 1 process not started by this program" in done.stderr
        found = json.loads(report.read_text())
        assert found["outcomes"]["saved"] == 2
        own, other = found["workers"]
        assert own["host"] == other["host"] == platform.node()
        assert own["pid"] != other["pid"]
