"""A call is replayed at a revision of git, with all that belongs to it from there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import venv

import pytest

from checkpoints._replay.elsewhere import Elsewhere, replay_at
from checkpoints.errors import ReplayError

TRUSTED = Elsewhere("", {"trusted": True})
SOURCE = """
def fee(qty, rate=2.0):
    return qty * rate
"""
USES_HELPER = "import helper\ndef fee(qty): return qty * helper.FACTOR\n"


class TestRevision:
    def test_of_the_function_is_the_one_that_is_called(self, repository, tmp_path):
        old = repository.commit(SOURCE, "first")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "second")
        entry = repository.call(3)
        found = replay_at(entry, old, TRUSTED)
        assert found["verdict"] == "different"
        assert found["values"][0]["texts"] == ["7.0", "6.0"]
        assert replay_at(entry, "HEAD", TRUSTED)["verdict"] == "equal"

    def test_leaves_the_repository_and_its_changes_alone(self, repository, tmp_path):
        old = repository.commit(SOURCE, "first")
        repository.commit(SOURCE + "\n", "second")
        entry = repository.call(3)
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
        entry = repository.call(3)
        with pytest.raises(ReplayError, match="has no revision 'no-such-revision'"):
            replay_at(entry, "no-such-revision", TRUSTED)

    def test_needs_a_repository(self, repository, tmp_path):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        shutil.rmtree(repository.folder / ".git")
        with pytest.raises(ReplayError, match="not a git repository"):
            replay_at(entry, "HEAD", TRUSTED)


class TestRepository:
    def test_is_not_touched_and_none_of_its_hooks_runs(self, repository, tmp_path):
        old = repository.commit(SOURCE, "first")
        repository.commit(SOURCE + "\n", "second")
        entry = repository.call(3)
        hook = repository.folder / ".git" / "hooks" / "post-checkout"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\n")
        hook.chmod(0o755)
        # So that a status would refresh the index.
        os.utime(repository.file, (1, 1))
        before = repository.state()
        replay_at(entry, old, TRUSTED)
        assert repository.state() == before
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize("where", ["call", "checkout"])
    def test_has_nothing_left_of_a_replay_that_is_interrupted(
        self, repository, tmp_path, monkeypatch, where
    ):
        started = tmp_path / "started"
        wait = f"open({str(started)!r}, 'w').close(); import time; time.sleep(60)"
        slow = {"call": f"def fee(qty, rate=2.0): {wait}\n", "checkout": SOURCE}[where]
        repository.commit(slow, "slow", files={".gitattributes": "*.py filter=slow\n"})
        repository.commit(SOURCE, "second")
        entry = repository.call(3)
        if where == "checkout":
            smudge = f"touch '{started}'; sleep 60"
            repository.git("config", "filter.slow.smudge", smudge)
        before = repository.state()
        (tmp_path / "temporary").mkdir()
        monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
        words = ("replay", entry.path, "--trusted", "--rev", "HEAD~1")
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "checkpoints", *words],
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        ) as process:
            while not started.exists():
                assert process.poll() is None
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
        assert process.returncode == 130
        assert repository.state() == before
        assert [*(tmp_path / "temporary").iterdir()] == []

    def test_may_be_a_worktree_itself(self, repository, tmp_path, monkeypatch):
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "first")
        repository.commit(SOURCE, "second")
        entry = repository.call(3)
        linked = tmp_path / "a link\u00e9"
        repository.git("worktree", "add", "--quiet", "--detach", str(linked), "HEAD~1")
        monkeypatch.syspath_prepend(linked / "src")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        before = repository.state()
        repository.forget()
        # That of the worktree, not that of the repository.
        assert replay_at(entry, "HEAD", TRUSTED)["verdict"] == "different"
        assert repository.state() == before


class TestModules:
    """All that can be imported from the repository comes from the revision."""

    @pytest.fixture
    def library(self, repository, monkeypatch):
        """A second source folder, whose module is another one in each commit."""
        monkeypatch.syspath_prepend(repository.folder / "lib")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        for factor in (2, 3):
            files = {"lib/helper.py": f"FACTOR = {factor}\n"}
            repository.commit(USES_HELPER, f"factor {factor}", files=files)
        return repository

    def test_of_a_second_source_folder(self, library):
        found = replay_at(library.call(10), "HEAD~1", TRUSTED)
        assert found["values"][0]["texts"] == ["30", "20"]
        assert found["warnings"] == []

    def test_of_packages_that_are_installed_for_editing(
        self, library, tmp_path, monkeypatch
    ):
        entry = library.call(10)
        venv.create(tmp_path / "venv", with_pip=False)
        (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
        (packages / "stand.pth").write_text(f"{library.folder / 'src'}\n")
        # As setuptools writes them.
        place = str(library.folder / "lib" / "helper.py")
        (packages / "finder.py").write_text(
            "import sys\n"
            "from importlib.util import spec_from_file_location\n"
            "class Finder:\n"
            "    @staticmethod\n"
            "    def find_spec(name, path=None, target=None):\n"
            f"        if name == 'helper':\n"
            f"            return spec_from_file_location(name, {place!r})\n"
            "sys.meta_path.append(Finder)\n"
        )
        (packages / "helper.pth").write_text("import finder\n")
        paths = [it for it in sys.path if it and str(library.folder) not in it]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
        how = TRUSTED._replace(python=str(tmp_path / "venv"))
        found = replay_at(entry, "HEAD~1", how)
        assert found["values"][0]["texts"] == ["30", "20"]
        assert found["warnings"] == []

    def test_and_files_of_the_current_folder(self, library, monkeypatch):
        source = "import pathlib\n"
        source += "def fee(qty): return int(pathlib.Path('rates').read_text())\n"
        library.commit(source, "one", files={"lib/rates": "1"})
        library.commit(source, "two", files={"lib/rates": "2"})
        monkeypatch.chdir(library.folder / "lib")
        found = replay_at(library.call(10), "HEAD~1", TRUSTED)
        assert found["values"][0]["texts"] == ["2", "1"]

    def test_that_are_not_committed_are_told_by_their_names(
        self, library, tmp_path, monkeypatch
    ):
        source = "import helper, mine.rates\ndef fee(qty): return mine.rates.RATE\n"
        library.commit(source, "uses mine")
        library.write({"own/mine/rates.py": "RATE = 1", "own/mine/__init__.py": ""})
        monkeypatch.syspath_prepend(library.folder / "own")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        library.file.write_text(source + "# a local change\n")
        found = replay_at(library.call(10), "HEAD", TRUSTED)
        (warning,) = found["warnings"]
        assert warning.endswith(" now: mine")
        assert not any("not executed" in note for note in found["notes"])

    def test_that_the_revision_does_not_have_are_not_those_of_now(self, library):
        library.git("rm", "--quiet", "lib/helper.py")
        library.git("commit", "--quiet", "-m", "without")
        library.commit(USES_HELPER, "with", files={"lib/helper.py": "FACTOR = 4"})
        with pytest.raises(ReplayError, match="No module named 'helper'"):
            replay_at(library.call(10), "HEAD~1", TRUSTED)

    def test_of_a_package_that_is_gone_now(self, repository, monkeypatch):
        repository.commit(SOURCE, "first")
        entry = repository.call(3)
        repository.git("mv", "src/stand", "src/stall")
        repository.git("commit", "--quiet", "-m", "renamed")
        shutil.rmtree(repository.folder / "src" / "stand", ignore_errors=True)
        repository.forget()
        monkeypatch.chdir(repository.folder / "src")
        assert replay_at(entry, "HEAD~1", TRUSTED)["verdict"] == "equal"

    def test_of_a_namespace_of_which_another_project_has_a_part(
        self, repository, tmp_path, monkeypatch
    ):
        (tmp_path / "other" / "space" / "far").mkdir(parents=True)
        (tmp_path / "other" / "space" / "far" / "place.py").touch()
        monkeypatch.syspath_prepend(tmp_path / "other")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        for factor in (1, 2):
            files = {"src/space/near/rates.py": f"def fee(x): return x * {factor}"}
            repository.commit(SOURCE, f"factor {factor}", files=files)
        entry = repository.call(3, name="space.near.rates:fee")
        found = replay_at(entry, "HEAD~1", TRUSTED)
        assert found["values"][0]["texts"] == ["6", "3"]

    def test_must_have_the_function_itself(self, library):
        library.write({"src/stand/mine.py": SOURCE})
        file = library.folder / "src" / "stand" / "mine.py"
        how = TRUSTED._replace(function=f"{file}:fee")
        with pytest.raises(ReplayError, match="not from the revision: commit it"):
            replay_at(library.call(10), "HEAD", how)

    def test_of_the_main_file_of_a_program(self, library, monkeypatch):
        files = {"app/main file.py": USES_HELPER + "if __name__ == '__main__': 1 / 0"}
        for factor in (4, 5):
            files["app/helper.py"] = f"FACTOR = {factor}"
            library.commit(USES_HELPER, "app", files=files)
        monkeypatch.chdir(library.folder)
        how = TRUSTED._replace(function="app/main file.py:fee")
        found = replay_at(library.call(10), "HEAD~1", how)
        assert found["values"][0]["texts"] == ["30", "40"]
        assert found["place"].startswith("app/main file.py:2 of ")


class TestSubmodules:
    @pytest.fixture
    def vendored(self, repository, tmp_path, monkeypatch):
        """A repository with a submodule, whose commits it follows."""
        monkeypatch.syspath_prepend(repository.folder / "vend")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        origin, inside = tmp_path / "origin", repository.folder / "vend"
        origin.mkdir()
        repository.git("init", "--quiet", folder=origin)
        for factor in (2, 3):
            (origin / "helper.py").write_text(f"FACTOR = {factor}\n")
            repository.git("add", "-A", folder=origin)
            repository.git("commit", "--quiet", "-m", "one", folder=origin)
            if not inside.exists():
                repository.git("submodule", "--quiet", "add", str(origin), "vend")
            repository.git("pull", "--quiet", folder=inside)
            repository.commit(USES_HELPER, f"factor {factor}")
        return repository

    def test_are_those_of_the_revision(self, vendored):
        before = vendored.state()
        entry = vendored.call(10)
        found = replay_at(entry, "HEAD~1", TRUSTED)
        assert found["values"][0]["texts"] == ["30", "20"]
        assert found["warnings"] == []
        assert vendored.state() == before

    def test_that_are_not_there_are_told(self, vendored):
        entry = vendored.call(10)
        vendored.git("submodule", "--quiet", "deinit", "--force", "vend")
        with pytest.raises(ReplayError, match="the submodule vend is not checked out"):
            replay_at(entry, "HEAD~1", TRUSTED)
