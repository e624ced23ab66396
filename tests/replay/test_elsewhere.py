"""A call is replayed in another process: with another Python, or watched."""

from __future__ import annotations

import signal
import subprocess
import sys
import venv

import pytest

from checkpoints import replay
from checkpoints._replay.elsewhere import Elsewhere, replay_at, replay_elsewhere
from checkpoints._replay.replay import _about_chance
from checkpoints.errors import ReplayError

TRUSTED = Elsewhere("", {"trusted": True})
SOURCE = """
def fee(qty, rate=2.0):
    return qty * rate
"""


class TestPython:
    def test_may_be_that_of_another_environment(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        venv.create(tmp_path / "venv", with_pip=False)
        how = Elsewhere(str(tmp_path / "venv"), {"trusted": True, "set": {"qty": 4}})
        found = replay_elsewhere(entry, how)
        assert found["verdict"] == "different"
        assert found["changed"] == {"qty": "4"}

    def test_must_have_the_library(self, repository, tmp_path, monkeypatch):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        venv.create(tmp_path / "venv", with_pip=False)
        monkeypatch.delenv("PYTHONPATH")
        how = Elsewhere(str(tmp_path / "venv"), {"trusted": True})
        with pytest.raises(ReplayError, match="-m pip install named-checkpoints"):
            replay_elsewhere(entry, how)
        with pytest.raises(ReplayError, match="cannot be run"):
            replay_elsewhere(entry, Elsewhere(str(tmp_path / "nowhere" / "python")))

    def test_gets_the_variables_of_the_run(self, repository, tmp_path, monkeypatch):
        source = "import os\ndef fee(name): return os.environ.get(name)\n"
        repository.commit(source, "first")
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        entry = repository.call("OMP_NUM_THREADS", random=True)
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert replay_elsewhere(entry, TRUSTED)["verdict"] == "equal"

    def test_has_no_variable_that_the_run_did_not_have(self, repository, monkeypatch):
        source = "import os\ndef fee(name): return os.environ.get(name)\n"
        repository.commit(source, "first")
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        entry = repository.call("OMP_NUM_THREADS", random=True)
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert replay_elsewhere(entry, TRUSTED)["verdict"] == "equal"
        here = replay(entry, trusted=True).as_json()["calls"][0]
        told = "OMP_NUM_THREADS was not set in the run, and is 4 here"
        assert told in here["notes"]

    def test_tells_no_variable_that_only_a_file_names(self, monkeypatch):
        monkeypatch.setenv("SECRET", "xyzzy")
        state = {"environment": {"SECRET": "", "OMP_NUM_THREADS": "77"}}
        told = " ".join(_about_chance(state))
        assert "OMP_NUM_THREADS was 77" in told
        assert "xyzzy" not in told

    def test_may_print_at_its_end(self, repository):
        noise = "import atexit\natexit.register(print, '{}')\nprint('{')\n"
        repository.commit(noise + SOURCE, "first")
        entry = repository.call(3)
        assert replay_elsewhere(entry, TRUSTED)["verdict"] == "equal"

    def test_that_ends_without_an_answer_is_told_with_its_last_words(self, repository):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        source = "import os\ndef fee(qty, rate): print('bye', flush=True); os._exit(3)"
        repository.file.write_text(source)
        with pytest.raises(ReplayError, match="ended with 3, and last it printed: bye"):
            replay_elsewhere(entry, TRUSTED)

    def test_tells_an_error_in_its_own_words(self, repository):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        how = Elsewhere("", {"trusted": True, "set": {"qyt": 1}})
        with pytest.raises(ReplayError, match=r"^stand.fees.fee has no parameter"):
            replay_elsewhere(entry, how)

    def test_may_be_named_from_the_current_folder(
        self, repository, tmp_path, monkeypatch
    ):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        venv.create(tmp_path / "venv", with_pip=False)
        monkeypatch.chdir(tmp_path)
        how = Elsewhere("venv", {"trusted": True}, "repository/src/stand/fees.py:fee")
        found = replay_at(entry, "HEAD", how)
        assert found["verdict"] == "equal"

    def test_may_print_whatever_it_likes(self, repository, tmp_path):
        repository.commit(
            SOURCE.replace("    return", "    print('{')\n    return"), "a"
        )
        entry = repository.call(3)
        assert replay_elsewhere(entry, TRUSTED)["verdict"] == "equal"


class TestWatch:
    def test_replays_again_when_the_source_changes(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        command = [sys.executable, "-P", "-m", "checkpoints", "replay", entry.path]
        with subprocess.Popen(
            [*command, "--trusted", "--watch"], stdout=subprocess.PIPE, text=True
        ) as process:
            lines = iter(process.stdout.readline, "")
            first = next(line for line in lines if "what it did" in line)
            repository.file.write_text(SOURCE.replace("* rate", "* rate + 1"))
            second = next(line for line in lines if "what it did" in line)
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        assert first.startswith("EQUAL")
        assert second.startswith("DIFFERENT")
        assert process.returncode == 0


class TestCommand:
    def test_replay_takes_a_revision_or_a_folder_for_a_script(
        self, repository, command, tmp_path
    ):
        repository.commit(SOURCE, "one")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "two")
        entry = repository.call(3)
        words = ("replay", entry.path, "--trusted")
        code, out, _ = command(*words, "--rev", "HEAD~1")
        assert code == 1
        assert "7.0  ->  6.0" in out
        code, out, err = command(*words, "--emit", tmp_path / "out")
        assert code == 0, err
        script = tmp_path / "out" / "repro.py"
        assert out.splitlines()[-1] == f"REPRODUCED  by {script}"
        assert command(*words, "--rev", "HEAD", "--pdb")[0] == 2
