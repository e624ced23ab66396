"""Where a save came from: run, number, time, host, process, thread, call site."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints import DictHandler, FileHandler, Session, config, index, tags
from checkpoints._process.origin import Origin, outside_level

LOCATION = Path(checkpoints.__file__).parents[1]
VARIABLE = "CHECKPOINTS_RUN"


@pytest.fixture
def metas(tmp_path):
    """Save by a rule; return the headers of all that was saved, in order."""
    config("origin", tmp_path, if_exists="keep", on_error="raise")

    def metas():
        found = sorted(index(tmp_path), key=lambda entry: entry.number)
        return [entry.meta for entry in found]

    return metas


@pytest.fixture
def run(tmp_path):
    """Run a program under an environment; return what it printed, as JSON."""

    def run(program, **variables):
        environment = {**os.environ, "PYTHONPATH": str(LOCATION)}
        environment.pop(VARIABLE, None)
        ended = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=100,
            cwd=tmp_path,
            env={**environment, **variables},
        )
        return json.loads(ended.stdout)

    return run


def line_here():
    return sys._getframe(1).f_lineno


class TestCallSite:
    def test_it_is_where_checkpoint_was_called(self, metas):
        line = line_here() + 1
        checkpoints.checkpoint("origin.a", 1)
        (meta,) = metas()
        function = "TestCallSite.test_it_is_where_checkpoint_was_called"
        assert meta["site"] == {"file": __file__, "line": line, "function": function}

    def test_it_is_where_a_decorated_function_called(self, metas):
        @tags(fold=1)
        def save():
            checkpoints.checkpoint("origin.a", 1)

        save()
        assert metas()[0]["site"]["function"].endswith("<locals>.save")

    def test_it_is_where_a_session_was_committed(self, metas):
        session = Session("origin.a")
        session.checkpoint(1)
        line = line_here() + 1
        session.commit()
        assert metas()[0]["site"]["line"] == line
        assert metas()[0]["site"]["file"] == __file__

    def test_it_is_where_a_session_ended(self, metas):
        with Session("origin.a") as session:
            session.checkpoint(1)
        assert metas()[0]["site"]["file"] == __file__

    def test_it_is_where_a_handler_was_told_to_save(self, tmp_path):
        line = line_here() + 1
        FileHandler(tmp_path).checkpoint("origin.a", 1)
        (entry,) = index(tmp_path)
        assert entry.meta["site"]["line"] == line

    def test_a_warning_tells_of_the_caller_outside(self):
        assert outside_level() == 1


class TestProcess:
    def test_host_process_and_thread_are_noted(self, metas):
        thread = threading.Thread(
            target=checkpoints.checkpoint, args=("origin.a", 1), name="worker-7"
        )
        thread.start()
        thread.join()
        checkpoints.checkpoint("origin.a", 2)
        first, second = metas()
        assert first["thread"] == "worker-7"
        assert second["thread"] == threading.current_thread().name
        for meta in (first, second):
            assert meta["host"] == platform.node()
            assert meta["pid"] == os.getpid()

    def test_the_versions_of_what_wrote_it_are_noted(self, metas):
        checkpoints.checkpoint("origin.a", 1)
        (meta,) = metas()
        assert meta["python"] == platform.python_version().rstrip("+")
        assert meta["packages"] == {"checkpoints": checkpoints.__version__}

    def test_the_version_of_the_library_of_a_value_is_noted(self, metas):
        numpy = pytest.importorskip("numpy")
        checkpoints.checkpoint("origin.a", numpy.zeros(1))
        assert metas()[0]["packages"]["numpy"] == numpy.__version__

    def test_the_time_is_that_of_the_save(self, metas):
        before = datetime.datetime.now(datetime.UTC)
        checkpoints.checkpoint("origin.a", 1)
        after = datetime.datetime.now(datetime.UTC)
        (meta,) = metas()
        assert before <= meta["time"] + datetime.timedelta(microseconds=1)
        assert meta["time"] <= after
        assert meta["time"].utcoffset() == datetime.timedelta(0)

    def test_saves_are_numbered_in_order(self, metas):
        for number in range(5):
            checkpoints.checkpoint("origin.a", number)
        numbers = [meta["sequence"] for meta in metas()]
        assert numbers == sorted(set(numbers))
        assert numbers[0] >= 1

    def test_no_two_threads_share_a_number(self):
        numbers = []

        def take():
            numbers.extend([Origin.here().sequence for _ in range(200)])

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(numbers)) == 800


class TestRun:
    def test_all_saves_of_a_process_are_of_one_run(self, metas):
        for _ in range(2):
            checkpoints.checkpoint("origin.a", 1)
        assert len({meta["run"] for meta in metas()}) == 1

    def test_it_is_the_one_that_the_environment_has(self, run):
        program = """
import checkpoints, json
checkpoints.FileHandler(".").checkpoint("a", 1)
print(json.dumps(checkpoints.index(".")[0].meta["run"]))
"""
        assert run(program, CHECKPOINTS_RUN="nightly-12") == "nightly-12"

    def test_it_is_made_up_where_the_environment_has_none(self, run):
        program = """
import checkpoints, json
handler = checkpoints.FileHandler("{run}")
handler.checkpoint("a", 1)
entries = checkpoints.index(".")
print(json.dumps([entries[-1].prefixes[0], *{entry.meta["run"] for entry in entries}]))
"""
        folder, noted = run(program)
        assert folder == noted
        assert re.fullmatch(r"[0-9]{8}-[0-9]{6}-[0-9a-f]+", noted)
        assert len(run(program)) == 3

    def test_a_program_that_is_started_from_it_is_of_the_same_run(self, run):
        program = """
import checkpoints, json, os, subprocess, sys
checkpoints.FileHandler("root").checkpoint("a", 1)
again = "import checkpoints; checkpoints.FileHandler('root').checkpoint('b', 1)"
subprocess.run([sys.executable, "-c", again], check=True)
entries = checkpoints.index("root")
print(json.dumps([[e.meta["run"], e.meta["pid"]] for e in entries]))
"""
        (first, pid), (second, other) = run(program)
        assert first == second
        assert pid != other


class TestKey:
    def test_where_a_save_came_from_is_no_part_of_what_it_is(self):
        keys = []

        class Keys(checkpoints.Handler):
            def commit(self, key, staged):
                keys.append(key)

        for _ in range(2):
            Keys().checkpoint("a", 1)
        assert keys[0] == keys[1]
        assert keys[0].origin.sequence < keys[1].origin.sequence

    def test_off_calls_are_not_numbered(self):
        before = Origin.here().sequence
        for _ in range(5):
            checkpoints.checkpoint("origin.off", 1)
        assert Origin.here().sequence == before + 1

    def test_a_capture_has_no_need_of_it(self):
        handler = DictHandler()
        handler.commit(checkpoints.Key("a"), {"x": 1})
        assert dict(handler) == {"a": {"x": 1}}
