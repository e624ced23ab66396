"""A call is replayed with another Python, at other revisions, and bisected."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import venv

import pytest

from checkpoints import config, index, probe
from checkpoints._probes import calls
from checkpoints._replay.elsewhere import (
    Elsewhere,
    bisect_call,
    replay_at,
    replay_elsewhere,
)
from checkpoints.errors import ReplayError

TRUSTED = Elsewhere("", ["--trusted"])
SOURCE = """
def fee(qty, rate=2.0):
    return qty * rate
"""

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="it runs git")


class Repository:
    """A repository of a package `stand`, with a commit for each source."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "src" / "stand").mkdir(parents=True)
        (folder / "src" / "stand" / "__init__.py").write_text("")
        self.file = folder / "src" / "stand" / "fees.py"
        self.git("init", "--quiet")

    def git(self, *words):
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        done = subprocess.run(
            ["git", *identity, "-C", self.folder, *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, source, subject):
        self.file.write_text(source)
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setattr(calls, "_numbers", {})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path / "repository" / "src")
    # The library and what it needs, for whichever Python runs.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    yield Repository(tmp_path / "repository")
    forget()


def forget():
    for name in [it for it in sys.modules if it.split(".")[0] == "stand"]:
        del sys.modules[name]


def saved_call(root, *args):
    """Save a call with the source as it is now."""
    pytest.importorskip("wrapt", reason="it wraps the function")
    forget()
    import stand.fees

    with config("stand", root), probe("stand.fees:fee"):
        stand.fees.fee(*args)
    (entry,) = (it for it in index(root) if it.name == "stand.fees.fee")
    return entry


class TestRevision:
    def test_of_the_function_is_the_one_that_is_called(self, repository, tmp_path):
        old = repository.commit(SOURCE, "first")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "second")
        entry = saved_call(tmp_path / "saved", 3)
        found = replay_at(entry, old, TRUSTED)
        assert found["verdict"] == "different"
        assert found["values"][0]["texts"] == ["7.0", "6.0"]
        assert replay_at(entry, "HEAD", TRUSTED)["verdict"] == "equal"

    def test_leaves_the_repository_and_its_changes_alone(self, repository, tmp_path):
        old = repository.commit(SOURCE, "first")
        repository.commit(SOURCE + "\n", "second")
        entry = saved_call(tmp_path / "saved", 3)
        repository.file.write_text(SOURCE + "# not committed\n")
        before = repository.git("status", "--porcelain"), repository.git("branch", "-v")
        found = replay_at(entry, old, TRUSTED)
        assert any("local changes" in note for note in found["notes"])
        after = repository.git("status", "--porcelain"), repository.git("branch", "-v")
        assert after == before
        assert repository.file.read_text().endswith("# not committed\n")
        assert len(repository.git("worktree", "list").splitlines()) == 1

    def test_that_is_not_there_is_told(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = saved_call(tmp_path / "saved", 3)
        with pytest.raises(ReplayError, match="has no revision 'no-such-revision'"):
            replay_at(entry, "no-such-revision", TRUSTED)

    def test_needs_a_repository(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = saved_call(tmp_path / "saved", 3)
        shutil.rmtree(repository.folder / ".git")
        with pytest.raises(ReplayError, match="not a git repository"):
            replay_at(entry, "HEAD", TRUSTED)


class TestPython:
    def test_may_be_that_of_another_environment(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = saved_call(tmp_path / "saved", 3)
        venv.create(tmp_path / "venv", with_pip=False)
        how = Elsewhere(str(tmp_path / "venv"), ["--trusted", "--set", "qty=4"])
        found = replay_elsewhere(entry, how)
        assert found["verdict"] == "different"
        assert found["changed"] == {"qty": "4"}

    def test_must_have_the_library(self, repository, tmp_path, monkeypatch):
        repository.commit(SOURCE, "first")
        entry = saved_call(tmp_path / "saved", 3)
        venv.create(tmp_path / "venv", with_pip=False)
        monkeypatch.delenv("PYTHONPATH")
        how = Elsewhere(str(tmp_path / "venv"), ["--trusted"])
        with pytest.raises(ReplayError, match=r"-m pip install 'checkpoints\[cli\]'"):
            replay_elsewhere(entry, how)
        with pytest.raises(ReplayError, match="cannot be run"):
            replay_elsewhere(entry, Elsewhere(str(tmp_path / "nowhere" / "python")))

    def test_gets_the_variables_of_the_run(self, repository, tmp_path, monkeypatch):
        source = "import os\ndef fee(name): return os.environ.get(name)\n"
        repository.commit(source, "first")
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        pytest.importorskip("wrapt")
        forget()
        import stand.fees

        root = tmp_path / "saved"
        with config("stand", root, random=True), probe("stand.fees:fee"):
            stand.fees.fee("OMP_NUM_THREADS")
        entry = next(it for it in index(root) if it.stem == "fee")
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert replay_elsewhere(entry, TRUSTED)["verdict"] == "equal"

    def test_may_print_whatever_it_likes(self, repository, tmp_path):
        repository.commit(
            SOURCE.replace("    return", "    print('{')\n    return"), "a"
        )
        entry = saved_call(tmp_path / "saved", 3)
        assert replay_elsewhere(entry, TRUSTED)["verdict"] == "equal"


class TestBisection:
    def commits(self, repository):
        """Make 30 commits, of which the 20th changes what the function does."""
        hashes = []
        for number in range(1, 31):
            source = SOURCE if number < 20 else SOURCE.replace("* rate", "* rate + 1")
            if number in (15, 22):
                source = "this is no Python\n"
            hashes.append(repository.commit(f"# {number}\n{source}", f"step {number}"))
        return hashes

    def test_names_the_commit_and_leaves_the_repository_alone(
        self, repository, tmp_path
    ):
        hashes = self.commits(repository)
        entry = saved_call(tmp_path / "saved", 3)
        steps = list(bisect_call(entry, hashes[0], "HEAD", TRUSTED))
        assert steps[-1].word == "first bad"
        assert steps[-1].commit.endswith("step 20")
        assert len(steps) < 12
        assert repository.git("status", "--porcelain") == ""
        assert repository.git("rev-parse", "HEAD") == hashes[-1]
        assert repository.git("for-each-ref", "refs/bisect") == ""

    def test_takes_an_entry_of_the_good_end_too(self, repository, tmp_path):
        repository.commit(SOURCE, "step 1")
        entry = saved_call(tmp_path / "saved", 3)
        for number in range(2, 6):
            change = "* rate + 1" if number > 3 else "* rate"
            source = f"# {number}\n{SOURCE.replace('* rate', change)}"
            repository.commit(source, f"step {number}")
        *_, last = bisect_call(entry, "HEAD~4", "HEAD", TRUSTED)
        assert last.commit.endswith("step 4")
        assert last.call["verdict"] == "different"

    def test_of_ends_that_do_the_same_is_an_error(self, repository, tmp_path):
        repository.commit(SOURCE, "one")
        repository.commit(SOURCE + "\n", "two")
        entry = saved_call(tmp_path / "saved", 3)
        with pytest.raises(ReplayError, match="does what it did at both ends"):
            list(bisect_call(entry, "HEAD~1", "HEAD", TRUSTED))

    def test_of_ends_in_the_wrong_order_is_an_error(self, repository, tmp_path):
        repository.commit(SOURCE, "one")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "two")
        entry = saved_call(tmp_path / "saved", 3)
        with pytest.raises(ReplayError, match="is before the good end, HEAD: exchange"):
            list(bisect_call(entry, "HEAD", "HEAD~1", TRUSTED))

    def test_names_each_commit_that_it_may_be_if_some_cannot_be_tested(
        self, repository, tmp_path
    ):
        repository.commit(SOURCE, "one")
        entry = saved_call(tmp_path / "saved", 3)
        repository.commit("this is no Python\n", "two")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "three")
        *_, skipped, last = bisect_call(entry, "HEAD~2", "HEAD", TRUSTED)
        assert (skipped.word, last.word) == ("maybe", "maybe")
        assert skipped.commit.endswith("two")
        assert "SyntaxError" in skipped.call["why"]
        assert last.commit.endswith("three")
        assert last.call["verdict"] == "different"
        assert len(repository.git("worktree", "list").splitlines()) == 1

    def test_prints_what_is_left_and_exits_with_2(self, repository, tmp_path):
        repository.commit(SOURCE, "one")
        repository.commit("this is no Python\n", "two")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "three")
        entry = saved_call(tmp_path / "saved", 3)
        words = ("--good", "HEAD~2", "--bad", "HEAD", "--trusted")
        command = [sys.executable, "-P", "-m", "checkpoints", "bisect", entry.path]
        done = subprocess.run(
            [*command, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert " two or " in done.stdout.splitlines()[0]
        assert "SyntaxError" in done.stdout
        assert "EQUAL" in done.stdout
        # It was saved at the bad end.
        assert "differs from the saved call" in done.stderr
        done = subprocess.run(
            [*command, *words, "--json"], capture_output=True, text=True, check=False
        )
        assert [it["word"] for it in json.loads(done.stdout)][-2:] == ["maybe"] * 2


class TestWatch:
    def test_replays_again_when_the_source_changes(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = saved_call(tmp_path / "saved", 3)
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
    def run(self, *words):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "checkpoints", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def test_bisect_prints_the_steps_and_the_commit(self, repository, tmp_path):
        for number in range(1, 5):
            source = SOURCE.replace("* rate", "* rate" if number < 3 else "- rate")
            repository.commit(f"# {number}\n{source}", f"step {number}")
        entry = saved_call(tmp_path / "saved", 3)
        words = ("bisect", entry.path, "--good", "HEAD~3", "--bad", "HEAD")
        code, out, err = self.run(*words, "--trusted")
        assert code == 0, err
        assert "step 3" in out.splitlines()[0]
        assert out.startswith("FIRST BAD  ")
        assert err.splitlines()[0].startswith("good       ")
        code, out, _ = self.run(*words, "--trusted", "--json")
        assert json.loads(out)[-1]["word"] == "first bad"
        code, out, err = self.run(*words)
        assert (code, out) == (2, "")
        assert "pass --trusted" in err

    def test_replay_takes_a_revision_or_a_folder_for_a_script(
        self, repository, tmp_path
    ):
        repository.commit(SOURCE, "one")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "two")
        entry = saved_call(tmp_path / "saved", 3)
        words = ("replay", entry.path, "--trusted")
        code, out, _ = self.run(*words, "--rev", "HEAD~1")
        assert code == 1
        assert "7.0  ->  6.0" in out
        code, out, err = self.run(*words, "--emit", tmp_path / "out")
        assert code == 0, err
        script = tmp_path / "out" / "repro.py"
        assert out.splitlines()[-1] == f"REPRODUCED  by {script}"
        assert self.run(*words, "--rev", "HEAD", "--pdb")[0] == 2
