"""Callbacks for the end of a process run, in each kind of process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints

LOCATION = Path(checkpoints.__file__).parents[1]
METHODS = ["fork", "spawn", "forkserver"] if os.name == "posix" else ["spawn"]

PROGRAM = """
    import multiprocessing, os, sys
    from checkpoints._process.exit import at_exit, is_worker, may_be_killed

    def note():
        with open(sys.argv[1], "a") as file:
            print("worker" if is_worker() else "main", file=file)

    def work():
        at_exit(note)
        at_exit(note)

    def look(_):
        return is_worker(), may_be_killed()

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[2])
        if sys.argv[3] == "too":
            at_exit(note)
        worker = context.Process(target=work)
        worker.start()
        worker.join()
        with context.Pool(1) as pool:
            print(*pool.map(look, [1]), look(1))
"""


@pytest.fixture
def run(tmp_path):
    def run(*arguments):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(PROGRAM))
        noted = tmp_path / "noted"
        ended = subprocess.run(
            [sys.executable, str(file), str(noted), *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
        )
        return noted.read_text().split(), ended.stdout

    return run


class TestAtExit:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_worker_does_what_was_asked_for_in_it(self, run, method):
        noted, _ = run(method, "alone")
        assert set(noted) == {"worker"}

    @pytest.mark.parametrize("method", METHODS)
    def test_so_does_the_main_process_once(self, run, method):
        noted, _ = run(method, "too")
        assert noted.count("main") == 1
        assert "worker" in noted

    @pytest.mark.parametrize("method", [it for it in METHODS if it != "fork"])
    def test_so_is_what_a_worker_is_asked_for_while_it_imports(self, tmp_path, method):
        program = """
            import multiprocessing, sys
            from checkpoints._process.exit import at_exit, is_worker

            def note():
                with open(sys.argv[1], "a") as file:
                    print("worker" if is_worker() else "main", file=file)

            at_exit(note)
            if __name__ == "__main__":
                context = multiprocessing.get_context(sys.argv[2])
                worker = context.Process(target=print)
                worker.start()
                worker.join()
        """
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        noted = tmp_path / "noted"
        subprocess.run(
            [sys.executable, str(file), str(noted), method],
            check=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
        )
        assert sorted(set(noted.read_text().split())) == ["main", "worker"]


class TestKinds:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_worker_of_a_pool_may_be_killed_and_this_process_not(self, run, method):
        _, printed = run(method, "alone")
        assert printed == "(True, True) (False, False)\n"


FIRST = """
    import multiprocessing, os, subprocess, sys
    from checkpoints._process.exit import is_first_process

    def look(_):
        return is_first_process()

    if __name__ == "__main__":
        first = "child" in sys.argv or "late" in sys.argv or is_first_process()
        with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
            print(first, *pool.map(look, [0]), is_first_process())
        if len(sys.argv) == 2:
            subprocess.run([sys.executable, *sys.argv, "child"], check=True)
"""


class TestFirstProcess:
    @pytest.mark.parametrize("method", METHODS)
    def test_is_the_one_that_asks_first_and_none_that_it_starts(self, method, tmp_path):
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(FIRST))
        environment = {**os.environ, "PYTHONPATH": str(LOCATION)}
        environment.pop("CHECKPOINTS_FIRST_PROCESS", None)
        ended = subprocess.run(
            [sys.executable, str(program), method],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert sorted(ended.stdout.split("\n")) == [
            "",
            "True False False",
            "True False True",
        ]

    @pytest.mark.parametrize("method", METHODS)
    def test_is_no_worker_even_if_that_asks_before_its_parent(self, method, tmp_path):
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(FIRST))
        environment = {**os.environ, "PYTHONPATH": str(LOCATION)}
        environment.pop("CHECKPOINTS_FIRST_PROCESS", None)
        ended = subprocess.run(
            [sys.executable, str(program), method, "late"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert ended.stdout == "True False True\n"
