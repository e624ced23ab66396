"""The outcomes of saves: counted by name, and summarised at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import Stats, UnknownOutcomeError, checkpoint, config, reset, stats

LOCATION = Path(checkpoints.__file__).parents[1]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture(autouse=True)
def from_zero():
    reset()


def failing(error):
    def fail(key, data):
        raise error

    return fail


def stderr_of(program, *arguments):
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": str(LOCATION)},
    )
    return ended.stderr.splitlines()


class TestStats:
    def test_nothing_is_counted_before_the_first_save(self):
        assert stats() == Stats(0, 0, 0, 0, 0, 0, 0, {}, {})

    def test_a_save_counts_for_each_handler(self):
        config("outcomes.a", [lambda *_: None, lambda *_: None])
        checkpoint("outcomes.a", 1)
        assert stats().by_name == {"outcomes.a": {"saved": 2}}

    def test_failures_and_unknown_outcomes_count_apart(self):
        config("outcomes.b", failing(OSError("mine")), on_error="ignore")
        checkpoint("outcomes.b", 1)
        config("outcomes.b", failing(UnknownOutcomeError("mine")), on_error="ignore")
        checkpoint("outcomes.b", 1)
        assert stats().by_name == {"outcomes.b": {"failed": 1, "unknown": 1}}
        assert (stats().failed, stats().unknown) == (1, 1)

    def test_a_failure_that_is_raised_counts(self):
        config("outcomes.c", failing(OSError("mine")), on_error="raise")
        with pytest.raises(OSError, match="mine"):
            checkpoint("outcomes.c", 1)
        assert stats().failed == 1

    def test_what_was_skipped_or_dropped_counts_by_its_reason_too(self, tmp_path):
        config("outcomes.h", [lambda *_: None, tmp_path], if_exists="skip")
        for _ in range(3):
            checkpoint("outcomes.h", 1)
        config("outcomes.h", print, values="x")
        checkpoint("outcomes.h", 1)
        config("outcomes.h", print, max_bytes=1)
        checkpoint("outcomes.h", 1)
        assert stats().by_reason == {"handler": 2, "max_bytes": 1, "values": 1}
        assert (stats().saved, stats().skipped, stats().dropped) == (4, 3, 1)

    def test_a_call_that_is_off_does_not_count(self):
        config("outcomes.d", None)
        checkpoint("outcomes.d", 1)
        assert stats().by_name == {}

    @needs_fork
    def test_a_forked_child_begins_at_zero(self):
        config("outcomes.e", lambda *_: None)
        checkpoint("outcomes.e", 1)
        pid = os.fork()
        if not pid:
            os._exit(stats().saved)
        assert os.waitpid(pid, 0)[1] == 0
        assert stats().saved == 1


class TestLog:
    def test_an_unknown_outcome_is_told_as_one(self, caplog):
        config("outcomes.f", failing(UnknownOutcomeError("mine")))
        checkpoint("outcomes.f", 1)
        assert "checkpoint 'outcomes.f' may not have been saved" in caplog.text

    def test_notes_that_are_no_texts_are_told_all_the_same(self, caplog):
        error = OSError("mine")
        error.__notes__ = [7]
        config("outcomes.g", failing(error))
        checkpoint("outcomes.g", 1)
        assert "OSError: mine 7" in caplog.text


class TestEnd:
    def test_nothing_is_said_where_nothing_went_wrong(self):
        assert (
            stderr_of("""
                import checkpoints as cp
                cp.config("a", lambda *_: None)
                cp.checkpoint("a", 1)
            """)
            == []
        )

    def test_the_sum_names_what_failed_and_the_first_error(self):
        *_, last = stderr_of("""
            import checkpoints as cp
            def fail(key, data):
                raise OSError(f"no {data['data']}")
            cp.config("a", fail)
            cp.config("b", lambda *_: None)
            for number in range(3):
                cp.checkpoint("a.x", number)
                cp.checkpoint("a.y", number)
                cp.checkpoint("b", number)
        """)
        assert last.startswith("of 9 saves: 6 failed ('a.x' 3, 'a.y' 3). The first: ")
        assert last.endswith("OSError: no 0")

    def test_failures_that_are_to_be_ignored_are_not_in_it(self):
        assert (
            stderr_of("""
                import checkpoints as cp
                cp.config("a", lambda *_: 1 / 0, on_error="ignore")
                cp.checkpoint("a", 1)
            """)
            == []
        )

    def test_an_error_that_no_call_came_to_raise_is_told(self):
        (line,) = stderr_of("""
            import atexit
            from concurrent.futures import Future
            import checkpoints as cp

            class Later(cp.Handler):
                def commit(self, key, staged):
                    future = Future()
                    atexit.register(future.set_exception, OSError("mine"))
                    return future

            cp.config("a.b", Later(), on_error="raise")
            with cp.tags(day="monday"):
                cp.checkpoint("a.b", 1)
        """)
        assert line.startswith("checkpoint 'a.b' [day=monday] was not saved by ")
        assert "OSError: mine. It was never raised: no later call or flush()" in line

    @needs_fork
    def test_a_worker_tells_of_its_own(self):
        lines = stderr_of("""
            import multiprocessing
            import checkpoints as cp
            def work():
                cp.checkpoint("a", 1)
            cp.config("a", lambda *_: 1 / 0)
            context = multiprocessing.get_context("fork")
            worker = context.Process(target=work)
            worker.start()
            worker.join()
        """)
        assert sum("of 1 save: 1 failed ('a' 1)" in line for line in lines) == 1


class TestConfiguredLogging:
    PROGRAM = """
        import logging, logging.config, sys
        import checkpoints
        logging.config.dictConfig({
            "version": 1,
            "handlers": {"own": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["own"]},
            **eval(sys.argv[1]),
        })
        def fail(key, data):
            raise OSError("mine")
        checkpoints.config("mypkg.fit", fail)
        checkpoints.checkpoint("mypkg.fit", 1)
    """

    @pytest.mark.parametrize("options", [{}, {"disable_existing_loggers": True}])
    def test_a_failure_is_seen_where_only_other_loggers_are_named(self, options):
        lines = stderr_of(self.PROGRAM, options)
        assert sum("OSError: mine" in line for line in lines) == 2

    def test_a_configuration_that_names_the_logger_decides(self):
        named = {"loggers": {"checkpoints": {"level": "CRITICAL"}}}
        assert stderr_of(self.PROGRAM, named) == []

    def test_a_program_can_silence_it(self):
        off = "logging.getLogger('checkpoints').setLevel('CRITICAL')\n"
        program = textwrap.dedent(self.PROGRAM).replace("def fail", off + "def fail")
        assert stderr_of(program, {"disable_existing_loggers": False}) == []

    def test_a_configuration_by_file_does_not_disable_it_either(self, tmp_path):
        file = tmp_path / "logging.ini"
        file.write_text(
            "[loggers]\nkeys=root\n[handlers]\nkeys=own\n[formatters]\nkeys=\n"
            "[logger_root]\nhandlers=own\n"
            "[handler_own]\nclass=StreamHandler\nargs=()\n"
        )
        program = textwrap.dedent(self.PROGRAM)
        before, _, after = program.partition("logging.config.dictConfig")
        configured = "logging.config.fileConfig(sys.argv[1])\n"
        after = after[after.index("def fail") :]
        lines = stderr_of(before + configured + after, file)
        assert any("OSError: mine" in line for line in lines)


class TestReplacedSaves:
    PROGRAM = """
        import sys
        import checkpoints
        checkpoints.config("mypkg", sys.argv[1])
        def test_saves():
            for number in range(3):
                checkpoints.checkpoint("mypkg.fit", number)
    """
    TOLD = "of 3 saves: some replaced others of this run, of which only the last is"

    def test_they_are_told_once_where_the_log_is_seen(self, tmp_path):
        (line,) = stderr_of(textwrap.dedent(self.PROGRAM) + "test_saves()", tmp_path)
        assert line.startswith("checkpoint 'mypkg.fit' was already saved by this run")

    def test_they_are_told_where_a_test_framework_keeps_the_log(self, tmp_path):
        (tmp_path / "test_it.py").write_text(
            textwrap.dedent(self.PROGRAM).replace("sys.argv[1]", repr(str(tmp_path)))
        )
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        ended = subprocess.run(
            [*command, "test_it.py"],
            check=True,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
        )
        assert f"{self.TOLD} kept ('mypkg.fit')." in ended.stderr
