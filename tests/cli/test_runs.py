"""`checkpoints runs`, and ROOT@RUN in the other commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, Run, index
from checkpoints._process.origin import host_name
from checkpoints.cli._runs import state_of

LOCATION = str(Path(checkpoints.__file__).parents[1])

SAVES = """
import sys
from checkpoints import FileHandler, tags
handler = FileHandler(sys.argv[1])
for day in range(int(sys.argv[2])):
    with tags(day=day):
        handler.checkpoint("bakery.order", day)
if sys.argv[3:]:
    raise ValueError(sys.argv[3])
"""
OWN = "run={run}"


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Save in a run of its own, under a folder in the working directory."""
    monkeypatch.chdir(tmp_path)

    def save(run, count=2, place=f".checkpoints/{OWN}", name="", error=()):
        chosen = {"CHECKPOINTS_RUN": run, "CHECKPOINTS_NAME": name}
        subprocess.run(
            [sys.executable, "-c", SAVES, place, str(count), *error],
            check=not error,
            env={**os.environ, "PYTHONPATH": LOCATION, **chosen},
            capture_output=True,
        )

    return save


@pytest.fixture
def three(save):
    save("a", 2)
    save("b1", 3, name="before-upgrade")
    save("b2", 1, error=["no such day"])


def rows(out):
    return [line.split() for line in out.splitlines()[1:]]


class TestRuns:
    def test_lists_the_runs_of_the_default_root_the_last_one_last(self, run, three):
        done = run("runs")
        assert (done.code, done.err) == (0, "")
        assert [row[0] for row in rows(done.out)] == ["a", "b1", "b2"]
        assert "before-upgrade" in rows(done.out)[1]
        assert "failed" in rows(done.out)[2]
        assert done.out.splitlines()[0].split()[:2] == ["run", "name"]

    def test_leaves_out_columns_that_no_run_fills(self, run, save):
        save("a")
        assert run("runs").out.splitlines()[0].split()[:2] == ["run", "started"]

    def test_fits_a_narrow_terminal_and_keeps_ids_and_names(
        self, run, save, monkeypatch
    ):
        save("20261128-094634-bf3c99", name="before-upgrade")
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "80")
        done = run("runs")
        assert max(map(len, done.out.splitlines())) <= 80
        assert "20261128-094634-bf3c99  before-upgrade" in done.out

    def test_a_name_that_several_have_is_as_it_is_written_after_a_root(self, run, save):
        for each in ("a", "b", "c"):
            save(each, name="" if each == "b" else "nightly")
        listed = rows(run("runs").out)
        assert [row[1] for row in listed if "nightly" in row[1]] == [
            "nightly~1",
            "nightly",
        ]
        names = [it["name"] for it in json.loads(run("runs", "--json").out)]
        assert names == ["nightly", "", "nightly"]

    def test_counts_the_files_of_a_run_that_did_not_end(self, run, tmp_path):
        for name in ("a", "b"):
            FileHandler(tmp_path / OWN).checkpoint(name, 1)
        (row,) = rows(run("runs", tmp_path).out)
        assert "2" in row
        assert "running" in row

    def test_of_an_unknown_process_is_unfinished(self, run, tmp_path):
        FileHandler(tmp_path).checkpoint("a", 1)
        (path,) = (tmp_path / ".runs").iterdir()
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "host": "elsewhere", "began_by": {}}))
        assert "unfinished" in run("runs", tmp_path).out

    def test_shows_all_that_is_known_of_one(self, run, three):
        done = run("runs", "@b2")
        assert "failed: ValueError: no such day" in done.out
        assert "1 saved" in done.out
        assert run("runs", "@before").err.startswith("Error: no run 'before'")

    def test_prints_json(self, run, three):
        found = json.loads(run("runs", ".checkpoints", "--json").out)
        assert [it["id"] for it in found] == ["a", "b1", "b2"]
        assert [it["state"] for it in found] == ["ended", "ended", "failed"]
        assert [it["saves"]["saved"] for it in found] == [2, 3, 1]
        (one,) = json.loads(run("runs", "@last", "--json").out)
        assert one == found[-1]

    def test_finds_runs_that_have_no_record(self, run, root):
        for path in (root / ".runs").iterdir():
            path.unlink()
        (row,) = rows(run("runs", root).out)
        assert (row[0], row[-1]) == (index(root)[0].meta["run"], "unknown")
        assert "5" in row

    def test_what_a_record_says_does_no_harm_to_a_terminal(
        self, run, save, assert_harmless
    ):
        save("a", name="\x1b[2J\n\u202e", error=["\x9b\x1b[2J"])
        for words in (["runs"], ["runs", "@last"], ["ls", "@none"]):
            done = run(*words)
            assert_harmless(done.out + done.err)

    @pytest.mark.parametrize("name", [".checkpoints", "saved"])
    def test_a_folder_with_a_root_in_it_is_warned_of(self, run, tmp_path, name):
        FileHandler(tmp_path / "pipe" / name).checkpoint("a", 1)
        for command in ("ls", "runs"):
            told = run(command, f"{tmp_path}/pipe").err
            assert told.endswith(
                f"has a root in it, '{tmp_path}/pipe/{name}': give that\n"
            )

    def test_the_folders_of_the_runs_of_a_root_are_none(self, run, tmp_path):
        FileHandler(f"{tmp_path}/pipe/run={{run}}").checkpoint("a", 1)
        assert run("ls", f"{tmp_path}/pipe").err == ""

    def test_no_root_and_no_run_are_said(self, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = run("runs")
        assert done.code == 2
        missing = "folder '.checkpoints' does not exist"
        way = "give the folder that was saved to, or save to this one: checkpoints run"
        assert done.err == f"Error: {missing}; {way} NAME -- PROGRAM\n"
        (tmp_path / "empty").mkdir()
        done = run("runs", "empty", "--json")
        assert (done.code, json.loads(done.out)) == (1, [])
        assert "no run has saved anything there" in done.err


class TestRootOfARun:
    def test_ls_lists_the_last_run_without_a_root(self, run, three):
        done = run("ls")
        place = os.path.join(".checkpoints", "run=b2")
        assert done.err == f"{place}, the last run:\n"
        assert len(rows(done.out)) == 1

    def test_ls_lists_all_runs_of_a_root_with_a_column_for_the_run(self, run, three):
        done = run("ls", ".checkpoints")
        assert [row[1] for row in rows(done.out)] == ["a"] * 2 + ["b1"] * 3 + ["b2"]

    @pytest.mark.parametrize("wanted", ["@b1", "@before-upgrade", "@last~1"])
    def test_is_taken_by_each_command(self, run, three, wanted, tmp_path):
        assert len(rows(run("ls", wanted).out)) == 3
        assert len(rows(run("ls", f".checkpoints{wanted}", "bakery").out)) == 3
        assert run("show", wanted, "bakery.order", "--where", "day=2").code == 0
        assert run("verify", wanted, "--json").out.count('"checked": 3') == 1
        export = ["bakery.order", "--where", "day=2", "--to", str(tmp_path / "x.json")]
        assert run("export", wanted, *export).code == 0
        assert (tmp_path / "x.json").read_text().strip() == "2"
        assert run("cp", wanted, "copied").code == 0
        assert len(index("copied")) == 3
        assert run("rm", wanted, "--all", "--yes").code == 0
        assert len(index(".checkpoints")) == 3

    def test_is_no_place_to_copy_or_save_to(self, run, three):
        for words in (
            ("cp", "@last", "@before-upgrade"),
            ("run", "bakery", "--to", "@before-upgrade", "--", "echo"),
            ("run", "bakery=@before-upgrade", "--", "echo"),
        ):
            done = run(*words)
            assert (done.code, done.out) == (2, "")
            assert "write './@before-upgrade' for a folder of this name" in done.err
        done = run("cp", "@last", "./@before-upgrade")
        assert done.out.endswith(" to ./@before-upgrade\n")
        assert "bakery.order" in run("ls", "./@before-upgrade").out
        shown = run("show", "@before-upgrade", "bakery.order", "--where", "day=2")
        assert shown.code == 0  # the copy has no such day

    def test_of_runs_in_one_folder_finds_the_files_of_one(self, run, save):
        save("a", 4, place="out")
        save("b", 2, place="out")
        assert len(rows(run("ls", "out@a").out)) == 2
        save("c", 4, place="out")
        done = run("ls", "out@a")
        assert done.code == 1
        assert "run a has no files under" in done.err
        assert "they were deleted, or replaced by run c, which saved there" in done.err
        assert "With run={run} in the root, or `checkpoints run`" in done.err

    def test_of_a_name_that_several_have_is_told_to_be_the_last(self, run, save):
        save("a", name="nightly")
        assert run("ls", "@nightly").err == ""
        save("b", 3, name="nightly")
        said = "2 runs are named nightly: @nightly is the last, @nightly~1 the one"
        for words in (["ls", "@nightly"], ["runs", "@nightly"]):
            assert said in run(*words).err
        assert len(rows(run("ls", "@nightly~1").out)) == 2
        assert run("ls", "@nightly~1").err == ""
        assert said in run("diff", "@nightly~1", "@nightly").out

    def test_an_unknown_one_names_those_that_there_are(self, run, three):
        done = run("ls", "@c")
        assert done.code == 2
        assert "there are a, b1 (before-upgrade), b2" in done.err


class TestGc:
    def test_keeps_the_last_runs_whole_and_deletes_the_others(self, run, save):
        for number, name in enumerate("abc"):
            save(name, number + 1)
        assert "would delete 3 files" in run("gc", ".checkpoints", "--keep-runs", 1).out
        run("gc", ".checkpoints", "--keep-runs", 1, "--yes")
        assert os.listdir(".checkpoints") == ["run=c"]
        assert len(index(".checkpoints")) == 3

    def test_keeps_named_runs_unless_told(self, run, three):
        options = [".checkpoints", "--keep-runs", 1, "--yes"]
        run("gc", *options)
        assert sorted(os.listdir(".checkpoints")) == ["run=b1", "run=b2"]
        run("gc", *options, "--named")
        assert os.listdir(".checkpoints") == ["run=b2"]

    def test_keeps_runs_that_began_lately(self, run, three):
        run("gc", ".checkpoints", "--keep-runs", 1, "--older-than", "1h", "--yes")
        assert len(os.listdir(".checkpoints")) == 3

    def test_keeps_a_run_that_is_running(self, run, save):
        FileHandler(f".checkpoints/{OWN}").checkpoint("a", 1)
        save("later")
        done = run("gc", ".checkpoints", "--keep-runs", 1, "--yes")
        assert "is running" in done.err
        assert len(os.listdir(".checkpoints")) == 2

    def test_deletes_the_files_and_records_of_runs_that_share_a_folder(self, run, save):
        save("a", 4, place="out")
        save("b", 2, place="out")
        run("gc", "out", "--keep-runs", 1, "--yes")
        assert {entry.meta["run"] for entry in index("out")} == {"b"}
        assert [it.id for it in checkpoints.runs("out")] == ["b"]

    def test_with_names_deletes_only_these_and_no_record(self, run, save):
        for name in "ab":
            save(name)
        words = ["--where", "day=0", "--keep-runs", 1, "--yes"]
        run("gc", ".checkpoints", *words)
        assert [it.id for it in checkpoints.runs(".checkpoints")] == ["a", "b"]
        assert len(index(".checkpoints")) == 3

    def test_keep_last_says_if_it_keeps_a_part_of_a_run(self, run, save):
        for name in "ab":
            save(name)
        done = run("gc", ".checkpoints", "--keep-last", 1)
        assert (
            "1 run would keep only a part; --keep-runs N keeps runs whole" in done.err
        )
        options = ["--keep-last", 1, "--per", "day", "--per", "run"]
        assert run("gc", ".checkpoints", *options).err == ""

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--named"], "--named needs --keep-runs"),
            (["--keep-runs", 1, "--keep-last", 1], "cannot be combined"),
        ],
    )
    def test_options_that_do_not_go_together_are_an_error(
        self, run, root, options, says
    ):
        done = run("gc", root, *options)
        assert done.code == 2
        assert says in done.err


class TestRunning:
    @pytest.mark.parametrize("which", ["pid", "began_by"])
    def test_is_a_run_whose_first_saver_or_beginner_still_runs(self, which):
        host = host_name()
        record = {"host": host, "pid": 0, "began_by": {"host": host, "pid": 0}}
        assert state_of(Run("r", "", record=record)) == "unfinished"
        own = os.getpid()
        record[which] = own if which == "pid" else {"host": host, "pid": own}
        assert state_of(Run("r", "", record=record)) == "running"


class TestExitCode:
    PROGRAM = "import checkpoints, sys; checkpoints.checkpoint('mypkg.fit', 1); "

    def run(self, rest):
        words = [sys.executable, "-m", "checkpoints", "run", "--quiet", "mypkg"]
        others = {it: v for it, v in os.environ.items() if "CHECKPOINTS" not in it}
        return subprocess.run(
            [*words, "--", "-c", self.PROGRAM + rest],
            check=False,
            env={**others, "PYTHONPATH": LOCATION},
            capture_output=True,
        ).returncode

    @pytest.mark.parametrize(
        ("rest", "code", "state", "error"),
        [
            ("sys.exit(3)", 3, "failed", "exit code 3"),
            ("sys.exit()", 0, "ended", ""),
            ("raise ValueError('no')", 1, "failed", "ValueError: no"),
        ],
    )
    def test_of_a_program_says_whether_its_run_failed(
        self, tmp_path, monkeypatch, rest, code, state, error
    ):
        monkeypatch.chdir(tmp_path)
        assert self.run(rest) == code
        (found,) = checkpoints.runs(".checkpoints")
        assert (found.state, found.error) == (state, error)
        assert found.ended is not None
