"""Runs are named as people name them: roots, `ROOT@RUN`, names, the last two."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, diff, index, runs
from checkpoints._process.variables import RUN

LOCATION = Path(checkpoints.__file__).parents[1]
PROGRAM = textwrap.dedent("""
    import sys
    import checkpoints

    root, number, stop = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    checkpoints.config("mypkg", root)
    for stage in range(4):
        if stage == stop:
            raise RuntimeError("stopped on purpose")
        checkpoints.checkpoint(f"mypkg.stage{stage}", number if stage > 1 else 0.0)
""")


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Run a program that saves four stages under `.checkpoints`, or fewer."""
    monkeypatch.chdir(tmp_path)
    # Each is a run of its own, not a part of the run of the tests.
    others = {it: text for it, text in os.environ.items() if it != RUN}

    def save(number, root=".checkpoints/run={run}", *, name="", stop=-1):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, root, str(number), str(stop)],
            check=False,
            env={**others, "PYTHONPATH": str(LOCATION), "CHECKPOINTS_NAME": name},
            stderr=subprocess.DEVNULL,
        )
        assert done.returncode == (stop >= 0)

    return save


class TestLastTwo:
    def test_are_compared_if_nothing_is_given(self, save):
        for number in (1, 2, 2):
            save(number)
        assert diff().verdict == "equal"
        save(3)
        assert diff().first.name == "mypkg.stage2"

    def test_of_a_root_are_compared_if_it_alone_is_given(self, save):
        for number in (1, 2, 2):
            save(number, "saved/run={run}")
        assert diff("saved").verdict == "equal"

    def test_a_run_alone_is_compared_with_the_last(self, save):
        for number in (1, 2, 2):
            save(number)
        assert diff(".checkpoints@last~2").verdict == "different"

    def test_a_run_itself_is_compared_with_the_last_under_its_own_root(self, save):
        for number in (1, 2, 2):
            save(number, "saved/run={run}")
        first, second, last = runs("saved")
        assert diff(first).verdict == "different"
        assert diff(second).verdict == "equal"
        with pytest.raises(ConfigError, match="is the last run under"):
            diff(last)

    @pytest.mark.parametrize("last", [".checkpoints@last", "@last", "@last~0"])
    def test_the_last_run_is_not_compared_with_itself(self, save, last):
        save(1)
        save(2)
        with pytest.raises(ConfigError, match="name the other one too") as error:
            diff(last)
        assert "'.checkpoints@last~1'" in str(error.value)

    @pytest.mark.parametrize("given", [(), (".checkpoints",), ("@last",)])
    def test_one_run_is_too_few(self, save, given):
        save(1)
        with pytest.raises(ConfigError, match="only one run under"):
            diff(*given)

    def test_a_folder_without_runs_has_none_to_compare(self, tmp_path):
        with pytest.raises(ConfigError, match="nothing was saved there"):
            diff(tmp_path)

    def test_a_candidate_needs_a_baseline(self, save):
        save(1)
        with pytest.raises(ConfigError, match="give the baseline first"):
            diff(None, ".checkpoints")

    def test_what_is_no_run_needs_a_candidate(self, save):
        save(1)
        saved = index(".checkpoints")
        for alone in (saved, saved[0], saved[0].path):
            with pytest.raises(ConfigError, match="give a candidate too"):
                diff(alone)


class TestNames:
    def test_a_run_is_found_by_the_beginning_of_its_id(self, save):
        save(1)
        save(2)
        first, second = runs(".checkpoints")
        found = diff(f".checkpoints@{first.id}", f".checkpoints@{second.id[:-1]}")
        assert found.verdict == "different"
        assert found.as_json()["runs"][0]["runs"] == [first.id]

    def test_a_run_is_found_by_its_name(self, save):
        save(1, name="before-upgrade")
        save(2)
        save(1)
        assert diff(".checkpoints@before-upgrade", "@last").verdict == "equal"

    def test_a_run_can_be_given_itself(self, save):
        save(1)
        save(2)
        assert diff(*runs(".checkpoints")).verdict == "different"

    def test_of_a_root_with_several_runs_the_last_counts(self, save):
        save(1, "one/{run}")
        save(2, "one/{run}")
        save(2, "two")
        assert diff("one", "two").verdict == "equal"

    def test_runs_in_one_folder_are_told_apart_by_their_files(self, save):
        save(1, "saved")
        save(2, "saved", stop=3)
        # The second one has replaced three files of the first.
        first, second = runs("saved")
        assert len(first.entries()) == 1
        assert len(second.entries()) == 3

    def test_an_index_of_several_runs_is_taken_as_it_is(self, save):
        save(1)
        save(1)
        found = diff(index(".checkpoints"), index(".checkpoints"))
        assert len(found) == 8


class TestSharedFolders:
    def test_a_run_whose_files_a_later_one_may_have_replaced_is_told(self, save):
        save(1, "alone")
        save(1, "shared")
        save(1, "shared", stop=2)
        text = " ".join(str(diff("alone", "shared@last~1")).split())
        assert "of 4 saves 2 files are left here" in text
        assert f"run {runs('shared')[1].id}, which saved here later" in text
        assert "left here" not in str(diff("alone", "shared@last"))

    def test_a_damaged_file_may_be_of_any_run_and_is_told(self, save):
        save(1, "alone")
        save(1, "shared")
        save(1, "shared", stop=2)
        Path(index("shared")[3].path).write_bytes(b"")
        for run in ("shared@last~1", "shared"):
            text = " ".join(str(diff("alone", run)).split())
            assert "of 1 file under" in text
            assert "the run is not known, and may be this one" in text

    def test_of_a_root_with_a_folder_for_each_run_the_last_is_compared(self, save):
        save(1, "alone")
        save(1)
        save(1)
        assert (
            "\n             .checkpoints has 2 runs: the last one is compared"
            in str(diff("alone", ".checkpoints"))
        )


class TestWhatIsNotThere:
    def test_files_that_a_later_run_replaced_are_told_with_the_run_and_the_way_out(
        self, save
    ):
        for number in (1, 2):
            save(number, "saved")
        first, second = runs("saved")
        said = f"run {first.id} has no files under .* replaced by run {second.id}"
        for words in (["saved"], ["saved@last~1", "saved@last"]):
            with pytest.raises(ConfigError, match=said) as caught:
                diff(*words)
            assert "With run={run} in the root" in str(caught.value)

    @pytest.fixture(autouse=True)
    def two_runs(self, save):
        save(1, name="before")
        save(2, name="after")

    def test_may_be_the_name_of_a_run(self):
        with pytest.raises(FileNotFoundError, match=r"mean '\.checkpoints@before'"):
            diff("before", "after")

    def test_has_a_message_with_the_runs_that_there_are(self):
        with pytest.raises(FileNotFoundError) as error:
            diff("@before", "nope")
        said = str(error.value)
        assert "folder 'nope' does not exist" in said
        assert "no run 'nope' under '.checkpoints'" in said
        assert "(before)" in said
        assert "(after)" in said

    def test_may_begin_several_ids(self):
        begin = runs(".checkpoints")[0].id[:2]
        with pytest.raises(ConfigError, match=f"several runs begin with '{begin}'"):
            diff(f"@{begin}", "@last")

    @pytest.mark.parametrize("place", ["there/is/none", "none.ckpt.zip", "none@last"])
    def test_is_an_error_whatever_it_was_meant_to_be(self, place):
        for given in ((place,), (place, "@last"), ("@last", place)):
            with pytest.raises((FileNotFoundError, ConfigError)):
                diff(*given)
        with pytest.raises(FileNotFoundError):
            diff("@last", place)

    def test_a_file_that_is_no_checkpoint_file_says_so(self):
        Path("pipe.py").touch()
        with pytest.raises(ConfigError, match="is a file, but no checkpoint file"):
            diff("@last", "pipe.py")


class TestUnfinished:
    def test_what_the_candidate_did_not_reach_is_told(self, save):
        save(1)
        save(1, stop=2)
        found = diff()
        assert [pair.why for pair in found.unpaired] == ["not reached"] * 2
        assert found.verdict == "different"
        assert "not reached by the candidate" in str(found)
        assert "failed" in str(found)

    def test_what_it_left_out_on_the_way_is_missing(self, save):
        save(1)
        save(1, stop=3)
        os.remove(runs(".checkpoints")[-1].entries().where("mypkg.stage1")[0].path)
        found = diff()
        assert [pair.why for pair in found.unpaired] == ["missing", "not reached"]


class TestEnvironment:
    def test_a_program_that_compares_does_not_make_one_run_of_its_children(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.delenv("CHECKPOINTS_RUN", raising=False)
        programs = (
            "cp.config('a', 'one'); cp.checkpoint('a', v=1)",
            "cp.config('a', 'two'); cp.checkpoint('a', v=1)",
            "str(cp.diff('one', 'two')); assert 'CHECKPOINTS_RUN' not in os.environ",
        )
        for program in programs:
            text = f"import os, checkpoints as cp; {program}"
            subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
