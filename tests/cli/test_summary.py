"""What `checkpoints run` reports about rules and processes without effect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints

pytest.importorskip("click", reason="it reads the arguments")
pytest.importorskip("rich", reason="the command line needs it")

SOURCES = str(Path(checkpoints.__file__).parents[1])
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
ENDED = "1 process ended without reporting the outcome of its saves"

PROGRAM = """
from checkpoints import checkpoint, register, tags
register("mypkg", ["fit", "load", "never"])
checkpoint("mypkg.load", 1)
for fold in range(3):
    with tags(fold=fold):
        checkpoint("mypkg.fit", coef=fold)
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Run a program; return the summary lines, and the JSON."""

    monkeypatch.chdir(tmp_path)

    def told(*arguments, program=PROGRAM, words=("program.py",)):
        (tmp_path / "program.py").write_text(textwrap.dedent(program))
        ours = {key: it for key, it in os.environ.items() if "CHECKPOINTS" not in key}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "checkpoints", "run", "--json", "told.json"),
                *(*arguments, "--", *words),
            ],
            cwd=tmp_path,
            env={**ours, "PYTHONPATH": SOURCES},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert "Traceback" not in done.stderr, done.stderr
        lines = [line.strip() for line in done.stderr.splitlines()]
        return lines, json.loads((tmp_path / "told.json").read_text())

    return told


class TestNoRule:
    def test_is_told_with_one_in_one_line(self, told):
        (line,), _ = told()
        assert line == (
            "checkpoints: no rules given, so nothing was switched on; put a rule "
            "before --, as in `checkpoints run mypkg.fit -- PROGRAM`"
        )

    def test_is_not_told_to_who_wants_quiet(self, told):
        lines, _ = told("--quiet")
        assert lines == []


class TestRules:
    def test_of_a_value_in_place_of_a_name_are_told_how_to_ask_for_it(self, told):
        lines, _ = told("mypkg.fit.coef")
        assert "did you mean 'mypkg.fit?values=coef'?" in lines[1]

    def test_below_another_are_told_with_that_as_it_was_written(self, told):
        lines, summary = told("mypkg.fit=a", "mypkg=b")
        (line,) = [line for line in lines if "rule 1" in line]
        assert line.endswith(
            "the last one wins, which is command line, rule 2, 'mypkg=b'"
        )
        assert list(summary["idle_rules"]) == ["command line, rule 1, 'mypkg.fit=a'"]

    def test_that_were_to_switch_off_and_do_not_are_told(self, told):
        lines, _ = told("mypkg.fit=off", "mypkg=b")
        assert any("'mypkg.fit=off' switched nothing off" in line for line in lines)

    def test_that_switch_off_are_not(self, told):
        lines, summary = told("mypkg=out", "mypkg.fit=off")
        assert not any("rule" in line for line in lines)
        assert summary["idle_rules"] == {}

    def test_that_all_switch_off_are_told_to_do_so(self, told):
        lines, _ = told("mypkg=off")
        assert lines == ["checkpoints: saved nothing", "all rules switch names off"]

    def test_of_names_without_a_call_are_told_so(self, told):
        lines, _ = told("mypkg.never")
        assert "'mypkg.never' is known, but no call of it was seen" in lines[1]

    def test_are_told_by_the_process_that_knows_most(self, told):
        command = (
            f"{sys.executable} -c 'import checkpoints'; {sys.executable} program.py"
        )
        lines, _ = told("mypkg?where=fold=9", words=("sh", "-c", command))
        assert lines[1].endswith("`where` asks for; one had fold=2")

    def test_whose_files_are_there_already_are_told_so(self, told):
        told("mypkg.load=out?if_exists=skip")
        lines, _ = told("mypkg.load=out?if_exists=skip")
        assert lines[1] == (
            "1 save skipped: the file existed already, or `values` or `transform` left "
            "nothing"
        )

    def test_whose_files_are_gone_are_told_so(self, told):
        end = "import shutil; shutil.rmtree('out')"
        lines, _ = told("mypkg=out", program=PROGRAM + end)
        assert lines[1] == "4 saves succeeded, but the files no longer exist"

    def test_of_a_session_without_its_commit_are_told_so(self, told):
        program = """
            from checkpoints import Session
            session = Session("mypkg.fit")
            session.checkpoint(x=1)
            session.discard()
        """
        lines, _ = told("mypkg", program=program)
        assert (
            lines[1] == "no call was completed, as in a session that is never committed"
        )

    def test_of_a_probe_that_found_nothing_are_told_as_that(self, told):
        pytest.importorskip("wrapt", reason="probes need it")
        lines, _ = told("--probe", "nowhere:run")
        assert lines[-1] == (
            "--probe nowhere:run probed no function: no such module was imported, "
            "or its import failed"
        )


class TestFailures:
    PROGRAM = """
        import logging
        from checkpoints import checkpoint, register
        logging.disable()
        register("mypkg", ["fit", "load"])
        for number in range(3):
            checkpoint("mypkg.fit", lock=__import__("threading").Lock())
        checkpoint("mypkg.load", 1)
        checkpoint("mypkg.load", 2)
    """

    def test_are_told_with_the_first_reason_of_each_name(self, told):
        lines, summary = told("mypkg=out", program=self.PROGRAM)
        at = lines.index("3 saves failed:")
        assert lines[at + 1].startswith("checkpoint 'mypkg.fit' was not saved by ")
        assert "cannot be pickled" in lines[at + 1]
        assert "cannot be pickled" in summary["reasons"]["mypkg.fit"]["failed"]

    def test_that_are_not_logged_are_told_as_well(self, told):
        lines, _ = told("mypkg.fit=out?on_error=ignore", program=self.PROGRAM)
        assert any("cannot be pickled" in line for line in lines)

    def test_saves_that_replaced_each_other_are_told(self, told):
        lines, _ = told("mypkg.load=out", program=self.PROGRAM)
        assert lines[-2] == (
            "only the last save is kept of each tag of mypkg.load: add a tag that "
            "distinguishes them, or use if_exists=keep"
        )

    def test_of_many_names_are_counted(self, told):
        program = """
            from checkpoints import checkpoint
            for number in range(24):
                checkpoint(f"mypkg.n{number}", __import__("threading").Lock())
        """
        lines, _ = told("mypkg=out", program=program)
        assert "and 4 more names" in lines


class TestRecorder:
    def test_that_had_no_reason_to_write_is_told_so(self, told):
        lines, _ = told("--record", "1MB")
        assert lines[1] == "nothing went wrong, so the recorder wrote nothing"

    def test_that_could_keep_nothing_is_not_told_that_all_went_well(self, told):
        lines, _ = told("--record", "1")
        assert "4 saves failed:" in lines
        assert sum("more than the recorder keeps" in line for line in lines) >= 2
        assert not any("nothing went wrong" in line for line in lines)

    def test_of_a_process_that_was_ended_is_told_to_be_lost(self, told):
        program = """
            import os, subprocess, sys, checkpoints
            if len(sys.argv) < 2:
                subprocess.run([sys.executable, "program.py", "again"])
            else:
                checkpoints.checkpoint("mypkg.fit", 1)
                os._exit(0)
        """
        lines, _ = told("--record", "1MB", program=program)
        assert lines[1:] == [
            ENDED,
            "saves that the recorder kept in memory ended with the process",
        ]


class TestOwnRules:
    def test_of_the_program_are_told_where_they_saved_and_their_runs_end(self, told):
        program = """
            import checkpoints
            checkpoints.config("mypkg", "own/run={run}")
            checkpoints.config("other", "own{{x}}/run={run}")
            checkpoints.checkpoint("mypkg.fit", 1)
            checkpoints.checkpoint("other.fit", 1)
        """
        lines, summary = told("mypkg=out/run={run}", program=program)
        (run,) = checkpoints.runs("out")
        own = [f"own{{x}}/run={run.id}"]
        assert f"rules of the program itself saved under {own[0]}" in lines
        assert summary["files"] == 1
        assert [os.path.relpath(it) for it in summary["own_roots"]] == own
        (same,) = checkpoints.runs(own[0])
        assert (same.id, same.state) == (run.id, run.state)

    def test_that_save_nothing_are_not_told(self, told):
        lines, summary = told("mypkg=out/run={run}")
        assert summary["own_roots"] == []
        assert not any("of the program itself" in line for line in lines)


class TestProcesses:
    @FORKS
    def test_that_save_after_their_last_word_are_heard_all_the_same(self, told):
        program = """
            import atexit, os, sys
            def save():
                checkpoints.checkpoint("mypkg.fit", 1)
            import checkpoints
            checkpoints.register("mypkg", ["fit"])
            atexit.register(save)
            if not os.fork():
                sys.exit()
            os.wait()
        """
        _, summary = told("mypkg?if_exists=keep", program=program)
        assert summary["files"] == 2
        assert (summary["untold"], summary["idle_rules"]) == (0, {})

    @pytest.mark.skipif(os.name == "nt", reason="it has no such signal")
    def test_that_are_killed_are_told(self, told):
        lines, summary = told(
            "mypkg=out", program=f"{PROGRAM}\nimport os; os.kill(os.getpid(), 9)"
        )
        assert lines[0].startswith("checkpoints: saved 4 files")
        assert ENDED in lines
        assert (summary["processes"], summary["untold"]) == (0, 1)
        assert summary["exit_code"] == 128 + signal.SIGKILL

    def test_that_end_themselves_before_a_save_are_told_too(self, told):
        lines, _ = told("mypkg", program="import checkpoints, os; os._exit(0)")
        assert lines == ["checkpoints: saved nothing", ENDED]

    def test_that_tell_are_not(self, told):
        lines, summary = told("mypkg")
        assert summary["untold"] == 0
        assert not any("ended without" in line for line in lines)

    @FORKS
    @pytest.mark.parametrize("end", ["os._exit(0)", "os.execlp('true', 'true')"])
    def test_that_are_forked_and_use_no_rule_may_end_in_any_way(self, told, end):
        program = f"""
            import os, checkpoints
            checkpoints.checkpoint("mypkg.fit", 1)
            checkpoints.checkpoint("off", 1)
            if not os.fork():
                checkpoints.checkpoint("off", 1)
                {end}
            os.wait()
        """
        lines, summary = told("mypkg", program=program)
        assert summary["untold"] == 0
        assert not any("ended without" in line for line in lines)

    @FORKS
    def test_that_are_forked_and_save_may_not(self, told):
        program = """
            import os, checkpoints
            if not os.fork():
                checkpoints.checkpoint("mypkg.fit", 1)
                os._exit(0)
            os.wait()
        """
        lines, summary = told("mypkg", "nowhere", program=program)
        assert (summary["processes"], summary["untold"]) == (1, 1)
        # That one had a use for the first rule, whatever the others say.
        assert f"{ENDED}; the others report:" in lines
        assert list(summary["idle_rules"]) == ["command line, rule 2, 'nowhere'"]

    @FORKS
    def test_of_a_pool_that_had_nothing_to_do_may_be_ended(self, told):
        program = """
            import multiprocessing, checkpoints
            if __name__ == "__main__":
                checkpoints.checkpoint("mypkg.fit", 1)
                for method in ("fork", "spawn"):
                    with multiprocessing.get_context(method).Pool(2) as pool:
                        pool.map(abs, [1, 2])
        """
        _, summary = told("mypkg", program=program)
        assert summary["untold"] == 0

    @FORKS
    def test_that_become_another_program_tell_as_that(self, told):
        program = """
            import os, sys, checkpoints
            checkpoints.checkpoint("mypkg.fit", 1)
            if len(sys.argv) < 2:
                os.execv(sys.executable, [sys.executable, "program.py", "again"])
        """
        _, summary = told("mypkg", program=program)
        assert (summary["processes"], summary["untold"]) == (1, 0)

    @FORKS
    def test_that_run_on_are_told(self, told):
        program = """
            import os, time, checkpoints
            checkpoints.checkpoint("mypkg.fit", 1)
            if not os.fork():
                os.setsid()
                for each in (0, 1, 2):
                    os.close(each)
                checkpoints.checkpoint("mypkg.load", 1)
                open("forked", "w").close()
                end = time.monotonic() + 60
                while not os.path.exists("told") and time.monotonic() < end:
                    time.sleep(0.01)
                os._exit(0)
            while not os.path.exists("forked"):
                time.sleep(0.01)
        """
        try:
            lines, summary = told("mypkg", program=program)
        finally:
            Path("told").touch()
        assert "1 process is still running and may save more" in lines
        assert summary["untold"] == 0

    def test_that_clear_their_environment_tell_all_the_same(self, told):
        end = "import os; os.environ.clear()"
        _, summary = told("mypkg", program=PROGRAM + end)
        assert summary["outcomes"] == {"saved": 4}

    def test_of_no_library_are_told_what_there_is_for_them(self, told):
        lines, _ = told("mypkg", program="pass")
        assert (
            lines[0]
            == "checkpoints: saved nothing: the program did not import checkpoints"
        )
        assert lines[1].startswith("--probe MODULE:FUNCTION")
