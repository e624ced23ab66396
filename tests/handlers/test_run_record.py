"""The record of a run: one beginning for each root, one end for each process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, config, index
from checkpoints._handlers import run_record
from checkpoints._process.git import revision_of
from checkpoints._process.program import _without_secrets

LOCATION = Path(checkpoints.__file__).parents[1]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")

SAVES = """
    import sys
    import checkpoints
    checkpoints.config("mypkg", sys.argv[1])
    checkpoints.checkpoint("mypkg.fit", 1)
    checkpoints.checkpoint("mypkg.score", 2)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder for programs, apart from the roots."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "saved"


@pytest.fixture
def run(folder):
    """Run a program to its end; return its exit code."""

    def run(program, *arguments, **variables):
        (folder / "program.py").write_text(textwrap.dedent(program))
        environment = {**os.environ, "PYTHONPATH": str(LOCATION), **variables}
        for name in ("CHECKPOINTS_RUN", "CHECKPOINTS_FIRST_PROCESS"):
            if name not in variables:
                environment.pop(name, None)
        return subprocess.run(
            [sys.executable, "program.py", *map(str, arguments)],
            check=False,
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
        ).returncode

    return run


def beginnings(root):
    found = [path for path in Path(root).rglob(".runs/*.json") if not is_end(path)]
    return [json.loads(path.read_text()) for path in found]


def ends(root):
    found = filter(is_end, Path(root).rglob(".runs/*.json"))
    return [json.loads(path.read_text()) for path in found]


def is_end(path):
    return path.name.endswith(".end.json")


class TestBeginning:
    def test_says_what_ran_where_and_by_which_rules(self, run, folder, root):
        assert run(SAVES, root, "--day=3", CHECKPOINTS_NAME="before-upgrade") == 0
        (found,) = beginnings(root)
        (entry, _) = index(root)
        assert found["run"] == entry.meta["run"]
        assert found["name"] == "before-upgrade"
        assert found["command"] == ["program.py", str(root), "--day=3"]
        assert found["file"] == str(folder / "program.py")
        assert found["host"] == entry.meta["host"]
        assert found["pid"] == entry.meta["pid"]
        assert found["python"] == ".".join(map(str, sys.version_info[:3]))
        (rule,) = found["rules"]
        assert rule["names"] == "mypkg"
        assert str(root) in rule["targets"][0]
        assert found["started"] <= entry.meta["time"].isoformat()

    def test_has_the_versions_of_libraries_that_are_loaded(self, run, root):
        pytest.importorskip("numpy", reason="it is the library")
        run("import numpy\n" + textwrap.dedent(SAVES), root)
        import numpy

        assert beginnings(root)[0]["versions"]["numpy"] == numpy.__version__

    def test_is_written_once_for_all_processes_of_a_run(self, run, root):
        for _ in range(2):
            run(SAVES, root, CHECKPOINTS_RUN="nightly")
        (found,), both = beginnings(root), ends(root)
        assert found["pid"] in [it["pid"] for it in both]
        assert len(both) == 2

    def test_runs_that_share_a_folder_have_one_each(self, run, root):
        for _ in range(2):
            run(SAVES, root)
        assert len({it["run"] for it in beginnings(root)}) == 2
        assert not any(it["own_folder"] for it in beginnings(root))

    @pytest.mark.parametrize("last", ["run={run}", "{run}", "day-{run}/{pid}"])
    def test_is_in_the_folder_of_the_run_if_it_has_one(self, run, root, last):
        run(SAVES, root / "exp=first" / last, CHECKPOINTS_RUN="nightly")
        (path,) = [it for it in root.rglob(".runs/*.json") if not is_end(it)]
        own = last.partition("/")[0].format(run="nightly")
        assert path.parents[1] == root / "exp=first" / own
        assert beginnings(root)[0]["own_folder"]

    def test_is_no_entry_and_no_file_of_the_index(self, root):
        FileHandler(root).checkpoint("a", 1)
        assert len(index(root, all_files=True)) == 1
        assert checkpoints.verify(root).checked == 1

    def test_hides_the_values_of_secret_options(self):
        words = ["p.py", "--api-key", "x", "--password=y", "--day", "3", "--token"]
        shown = ["p.py", "--api-key", "***", "--password=***", "--day", "3", "--token"]
        assert _without_secrets(words) == shown

    def test_an_id_that_no_file_could_have_is_encoded(self, run, root):
        run(SAVES, root, CHECKPOINTS_RUN="nightly/7: ä")
        assert beginnings(root)[0]["run"] == "nightly/7: ä"


class TestRevision:
    @pytest.fixture
    def repository(self, folder):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder)]
        (folder / "tracked.txt").write_text("1")
        try:
            for words in (["init"], ["add", "."], ["commit", "-m", "a"]):
                subprocess.run([*git, *words], check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("git is not installed")
        return folder

    def test_is_that_of_the_folder_of_the_program(self, run, repository, root):
        run(SAVES, root)
        (repository / "tracked.txt").write_text("2")
        run(SAVES, root)
        found = sorted(beginnings(root), key=lambda it: it["started"])
        assert [it["git"]["dirty"] for it in found] == [False, True]
        assert len({it["git"]["commit"] for it in found}) == 1
        assert len(found[0]["git"]["commit"]) == 40

    def test_is_not_there_outside_of_a_repository(self, run, root, tmp_path):
        run(SAVES, root, GIT_CEILING_DIRECTORIES=str(tmp_path))
        assert revision_of(str(tmp_path / "missing")) is None
        assert "git" not in beginnings(root)[0]


class TestEnd:
    def test_counts_what_became_of_the_saves(self, run, root):
        program = SAVES + '    checkpoints.checkpoint("mypkg.bad", (it for it in ()))\n'
        run(program, root)
        (found,) = ends(root)
        assert (found["saves"]["saved"], found["saves"]["failed"]) == (2, 1)
        assert found["error"] == ""

    def test_counts_what_was_before_a_reset(self, run, root):
        run(SAVES + "    checkpoints.reset()\n", root)
        assert ends(root)[0]["saves"]["saved"] == 2

    def test_has_the_error_that_ended_the_program(self, run, root):
        assert run(SAVES + '    raise ValueError("no such day")\n', root) == 1
        assert ends(root)[0]["error"] == "ValueError: no such day"

    def test_counts_saves_of_the_background_and_of_exit_functions(self, run, root):
        program = """
            import atexit, sys
            import checkpoints
            checkpoints.config("mypkg", sys.argv[1], background=True)
            atexit.register(checkpoints.checkpoint, "mypkg.last", 3)
            for number in range(20):
                with checkpoints.tags(number=number):
                    checkpoints.checkpoint("mypkg.fit", number)
        """
        run(program, root)
        assert ends(root)[0]["saves"]["saved"] == 21

    @needs_fork
    def test_is_told_by_each_forked_process_that_saved(self, run, root):
        program = """
            import multiprocessing, sys
            import checkpoints

            def save(number):
                checkpoints.checkpoint(f"mypkg.fit{number}", number)

            checkpoints.config("mypkg", sys.argv[1])
            save(0)
            fork = multiprocessing.get_context("fork").Process
            workers = [fork(target=save, args=(number,)) for number in (1, 2)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        """
        run(program, root)
        assert len(beginnings(root)) == 1
        assert [it["saves"]["saved"] for it in ends(root)] == [1, 1, 1]

    def test_a_killed_run_has_none(self, run, root):
        kill = "    import os; os.kill(os.getpid(), 9)\n"
        assert run(SAVES + kill, root) == -signal.SIGKILL
        assert (len(beginnings(root)), ends(root)) == (1, [])

    def test_does_not_bring_back_a_folder_that_was_removed(self, run, root):
        run(SAVES + "    import shutil; shutil.rmtree(sys.argv[1])\n", root)
        assert not root.exists()


class TestHarmlessness:
    def test_a_record_that_cannot_be_written_is_logged_and_the_save_is_done(
        self, root, caplog
    ):
        root.mkdir()
        (root / ".runs").write_text("a file, where the folder would be")
        with caplog.at_level(logging.INFO, "checkpoints"):
            FileHandler(root).checkpoint("a", 1)
        assert index(root)[0].load() == {"data": 1}
        assert "no record of this run" in caplog.text

    def test_whatever_goes_wrong_inside_is_no_error(self, root, monkeypatch):
        monkeypatch.setattr(run_record, "program", lambda: 1 / 0)
        FileHandler(root).checkpoint("a", 1)
        assert len(index(root)) == 1

    def test_nothing_is_written_without_a_save(self, root):
        config("mypkg", root)
        assert not root.exists()

    def test_a_git_that_hangs_is_given_up(self, run, folder, root, tmp_path):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 60\n")
        (tmp_path / "bin" / "git").chmod(0o755)
        path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
        start = time.monotonic()
        assert run(SAVES, root, PATH=path) == 0
        assert time.monotonic() - start < 30
        assert "git" not in beginnings(root)[0]


POOL = """
    import multiprocessing
    import sys
    import checkpoints

    def work(number):
        checkpoints.checkpoint("mypkg.fit", number)

    if __name__ == "__main__":
        checkpoints.config("mypkg", sys.argv[1], if_exists="keep")
        method = multiprocessing.get_context("fork")
        worker = method.Process(target=work, args=(1,))
        worker.start()
        worker.join()
"""


@needs_fork
class TestBeginner:
    def test_a_run_whose_worker_alone_saved_has_ended(self, run, root):
        assert run(POOL, root) == 0
        (found,) = checkpoints.runs(root)
        assert (found.state, found.saves["saved"]) == ("ended", 1)
        (beginning,) = beginnings(root)
        assert beginning["began_by"]["pid"] != beginning["pid"]

    def test_a_rule_that_nothing_was_saved_under_leaves_no_record(self, run, root):
        assert run(POOL.replace("worker.start()", "sys.exit()"), root) == 0
        assert not root.exists()

    def test_a_run_whose_first_process_is_killed_is_unfinished(self, run, root):
        kill = "import os; os.kill(os.getpid(), 9)"
        program = POOL.replace("worker.join()", f"worker.join(); {kill}")
        assert run(program, root) == -signal.SIGKILL
        (found,) = checkpoints.runs(root)
        assert found.state == "unfinished"
