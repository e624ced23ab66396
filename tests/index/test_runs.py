"""Runs: listed by their records, found by what people type, and their entries."""

from __future__ import annotations

import datetime
import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, FileHandler, Run, index, runs, verify
from checkpoints._index import runs as module

LOCATION = Path(checkpoints.__file__).parents[1]
OWN = "run={run}"

SAVES = """
import sys
from checkpoints import FileHandler, tags
handler = FileHandler(sys.argv[1])
for number in range(int(sys.argv[2])):
    with tags(number=number):
        handler.checkpoint("mypkg.fit", number)
if sys.argv[3:]:
    raise ValueError(sys.argv[3])
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "saved"


@pytest.fixture
def save(root):
    """Save in a run of its own."""

    def save(run, count=1, place=OWN, name="", error=()):
        environment = {
            **os.environ,
            "PYTHONPATH": str(LOCATION),
            "CHECKPOINTS_RUN": run,
            "CHECKPOINTS_NAME": name,
        }
        words = [sys.executable, "-c", SAVES, str(root / place), str(count), *error]
        subprocess.run(words, check=not error, env=environment, capture_output=True)

    return save


def without_records(root):
    """Delete the records, as if a version without them had saved."""
    for path in root.rglob(".runs/*"):
        path.unlink()
    for path in root.rglob(".runs"):
        path.rmdir()


def ids(root):
    return [run.id for run in runs(root)]


class TestRuns:
    @pytest.mark.parametrize("place", [OWN, "", "exp=1/{run}/{pid}", "{pid}"])
    def test_are_listed_in_the_order_of_their_start(self, save, root, place):
        for number, run in enumerate(("b", "a", "c")):
            save(run, number + 1, place=place)
        found = runs(root)
        assert [run.id for run in found] == ["b", "a", "c"]
        assert [run.saves["saved"] for run in found] == [1, 2, 3]
        # In a single folder the last run replaced the files of the others.
        there = [1, 2, 3] if place else [0, 0, 3]
        assert [len(run.entries()) for run in found] == there
        assert [run.state for run in found] == ["ended"] * 3
        assert {run.is_alone for run in found} == {"{run}" in place}

    def test_have_what_their_record_says(self, save, root):
        save("a", name="before-upgrade")
        (run,) = runs(root)
        assert run.name == "before-upgrade"
        assert run.program.startswith("-c ")
        assert run.path == str(root / "run=a")
        assert run.started <= run.ended <= datetime.datetime.now(datetime.UTC)
        assert run.record["python"] == ".".join(map(str, sys.version_info[:3]))

    def test_that_failed_say_so(self, save, root):
        save("a", error=["no such day"])
        (run,) = runs(root)
        assert (run.state, run.error) == ("failed", "ValueError: no such day")

    def test_that_are_running_or_were_killed_are_unfinished(self, root):
        FileHandler(root).checkpoint("a", 1)
        (run,) = runs(root)
        assert (run.state, run.ended, dict(run.saves)) == ("unfinished", None, {})

    @pytest.mark.parametrize("place", [OWN, "", "exp=1/{run}/{pid}"])
    def test_of_a_version_without_records_are_found_by_headers(self, save, root, place):
        for number, run in enumerate(("b", "a")):
            save(run, number + 2, place=place)
        without_records(root)
        found = runs(root)
        assert [run.id for run in found] == ["b", "a"] if place else ["a"]
        assert {run.state for run in found} == {"unknown"}
        assert [len(run.entries()) for run in found] == ([2, 3] if place else [3])
        assert all(run.started for run in found)

    def test_with_and_without_a_record_are_listed_together(self, save, root):
        save("old", place="exp=1")
        without_records(root)
        save("shared", place="exp=2")
        save("own", place="exp=2/run={run}")
        assert ids(root) == ["old", "shared", "own"]

    def test_in_many_files_are_found_by_some_of_them(
        self, save, root, monkeypatch, caplog
    ):
        save("a", 30, place="")
        without_records(root)
        monkeypatch.setattr(module, "_MOST_READ", 10)
        assert ids(root) == ["a"]
        assert "only one in 3 was read" in caplog.text
        assert len(runs(root)[0].entries()) == 30

    def test_of_two_targets_under_a_root_are_one(self, save, root):
        for place in ("x/run={run}", "y/run={run}"):
            save("a", 2, place=place)
        (run,) = runs(root)
        assert (run.is_alone, len(run.entries())) == (False, 4)

    def test_that_were_moved_are_found(self, save, root, tmp_path):
        save("a", 2)
        (root / "run=a").rename(tmp_path / "elsewhere")
        (run,) = runs(tmp_path / "elsewhere")
        assert (run.id, len(run.entries())) == ("a", 2)

    def test_can_be_pickled_and_printed(self, save, root):
        save("a", 2, name="x")
        (run,) = runs(root)
        assert pickle.loads(pickle.dumps(run)) == run
        assert repr(run) == "<Run a 'x', 2 saves, ended>"

    @pytest.mark.parametrize("place", [OWN, ""])
    def test_have_their_own_entries_beside_those_of_others(self, save, root, place):
        for number, run in enumerate(("a", "b")):
            save(run, 3 - 2 * number, place=place)
        folders = module.SharedFolders()
        found = [folders.entries(run) for run in runs(root)]
        assert [len(entries) for entries in found] == ([3, 1] if place else [2, 1])
        for run, entries in zip(runs(root), found, strict=True):
            assert [it.path for it in entries] == [it.path for it in run.entries()]

    def test_in_one_folder_are_told_apart_by_a_single_reading(self, save, root):
        for number, run in enumerate(("a", "b")):
            save(run, 3 - 2 * number, place="")
        folders = module.SharedFolders()
        first, second = runs(root)
        assert len(folders.entries(first)) == 2
        for path in root.rglob("*.ckpt.zip"):
            path.write_bytes(b"")
        assert len(folders.entries(second)) == 1

    def test_know_the_root_that_they_were_found_under(self, save, root):
        save("a")
        (run,) = runs(root)
        assert run.root == str(root)
        assert pickle.loads(pickle.dumps(run)).root == run.root

    def test_a_folder_whose_name_begins_with_an_at_sign_hides_no_run(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        FileHandler(".checkpoints").checkpoint("b", 1)
        FileHandler("./@last").checkpoint("a", 1)
        assert index("@last").names() == ["b"]
        assert index("./@last").names() == ["a"]

    def test_a_root_that_does_not_exist_is_an_error(self, root):
        with pytest.raises(FileNotFoundError):
            runs(root)

    @pytest.mark.parametrize(
        "damaged",
        [
            "",
            "[]",
            "{",
            "[" * 100_000,
            '{"checkpoints_run": 2}',
            '{"checkpoints_run": 1, "run": 5}',
        ],
    )
    def test_a_damaged_record_is_as_none(self, save, root, damaged):
        save("a", 2)
        (root / "run=a" / ".runs" / "run=a.json").write_text(damaged)
        (run,) = runs(root)
        assert (run.id, run.state, len(run.entries())) == ("a", "unknown", 2)

    def test_fields_may_be_anything(self, save, root):
        save("a")
        path = root / "run=a" / ".runs" / "run=a.json"
        fields = json.loads(path.read_text())
        for field in fields.keys() - {"checkpoints_run", "run"}:
            for odd in (None, [], {}, {"a": []}, [None], "x", -1, 1e400):
                path.write_text(json.dumps({**fields, field: odd}))
                (run,) = runs(root)
                assert (run.id, isinstance(repr(run), str)) == ("a", True)


PROCESS = {"host": "a", "pid": 1}
WORKER = {"host": "a", "pid": 2, "ended": "2026-01-01T00:00:01+00:00"}
LATER = {"host": "a", "pid": 1, "ended": "2026-01-01T00:00:02+00:00"}


class TestEnds:
    def of(self, *ends, **start):
        fields = {"run": "r", **start}
        return Run.of("", fields, iter(ends), is_alone=True)

    def test_is_that_of_the_process_that_began_it(self):
        start = {**WORKER, "began_by": PROCESS}
        assert self.of(WORKER, **start).state == "unfinished"
        assert self.of(LATER, WORKER, **start).state == "ended"

    def test_is_that_of_the_first_to_save_in_records_that_do_not_say_more(self):
        assert self.of(WORKER, **WORKER).state == "ended"

    def test_may_be_any_iterable(self):
        ends = {**LATER, "error": "exit code 1"}, {**WORKER, "error": "no"}
        found = self.of(*ends, **PROCESS)
        assert (found.state, found.error) == ("failed", "no")


class TestRunOfARoot:
    @pytest.fixture
    def five(self, save, root):
        """Five runs: two of one name, and two ids that begin alike."""
        for number, run in enumerate(("n1", "n2", "abc-1", "abc-2", "x")):
            save(run, number + 1, name="night" if run[0] == "n" else "")
        return root

    @pytest.mark.parametrize(
        ("wanted", "run"),
        [
            ("last", "x"),
            ("", "x"),
            ("last~1", "abc-2"),
            ("~4", "n1"),
            ("abc-1", "abc-1"),
            ("abc-2~1", "abc-1"),
            ("n2", "n2"),
            ("night", "n2"),
            ("night~1", "n1"),
        ],
    )
    def test_finds_what_is_meant(self, five, wanted, run):
        entries = index(f"{five}@{wanted}")
        assert {entry.meta["run"] for entry in entries} == {run}

    @pytest.mark.parametrize(
        ("wanted", "says"),
        [
            ("y", "no run 'y'"),
            ("abc", "several runs begin with 'abc'"),
            ("last~5", "only 4 before it"),
            ("night~2", "only 1 before it"),
            ("~", "no run '~'"),
        ],
    )
    def test_an_error_names_the_runs_that_there_are(self, five, wanted, says):
        with pytest.raises(ConfigError) as error:
            index(f"{five}@{wanted}")
        assert says in str(error.value)
        assert "abc-1, abc-2" in str(error.value)

    def test_an_error_says_the_names_of_runs(self, five):
        with pytest.raises(ConfigError, match=r"n1 \(night\)"):
            index(f"{five}@y")

    def test_an_error_asks_whether_the_most_similar_run_was_meant(self, five):
        with pytest.raises(ConfigError, match="did you mean @night"):
            index(f"{five}@nigth")

    def test_the_whole_id_comes_before_a_name_and_a_beginning(self, save, root):
        save("a1", name="a")
        save("a", name="a1")
        assert index(f"{root}@a")[0].meta["run"] == "a"
        assert index(f"{root}@a1")[0].meta["run"] == "a1"

    def test_without_a_root_is_of_the_default_root(self, save, tmp_path):
        save("a", place=f"../.checkpoints/{OWN}")
        assert index("@last")[0].meta["run"] == "a"
        assert len(index(".checkpoints")) == 1

    def test_is_verified(self, five):
        assert verify(f"{five}@night").checked == 2

    def test_without_a_run_is_all_that_is_there(self, five):
        assert len(index(str(five))) == 15

    def test_a_folder_whose_name_has_an_at_sign_is_a_root(self, root):
        folder = root.with_name("me@home")
        FileHandler(folder).checkpoint("a", 1)
        FileHandler(folder / "below").checkpoint("a", 2)
        assert [len(index(f"{folder}{end}")) for end in ("", "@last", "/below")] == [
            2,
            2,
            1,
        ]

    def test_a_file_whose_name_has_an_at_sign_is_no_run(self, root):
        root.mkdir()
        file = root.with_name(f"{root.name}@last")
        file.write_text("text")
        with pytest.raises(NotADirectoryError, match="@last' is a file"):
            index(str(file))

    def test_a_url_with_an_at_sign_is_a_root_by_its_store_options(self, tmp_path):
        pytest.importorskip("fsspec")
        place = "dir://me@home"
        options = {"path": str(tmp_path), "target_protocol": "file"}
        FileHandler(place, store_options=options).checkpoint("a", 1)
        assert index(place, store_options=options)[0].load() == {"data": 1}

    def test_a_root_that_does_not_exist_is_an_error(self, root):
        for place in (root, f"{root}@last", "@last", "a@b/c"):
            with pytest.raises(FileNotFoundError):
                index(str(place))

    def test_a_root_without_runs_says_so(self, root):
        root.mkdir()
        with pytest.raises(ConfigError, match="nothing was saved there"):
            index(f"{root}@last")


class TestTables:
    def test_have_the_runs_of_the_default_root_as_a_tag(self, save, root):
        for run in ("a", "b"):
            save(run)
        assert index(root).tag_values("run") == ["a", "b"]

    def test_reading_warns_of_nothing(self, save, root, caplog):
        save("a")
        with caplog.at_level(logging.INFO):
            runs(root)
        assert caplog.messages == []


class TestRoot:
    def test_of_runs_is_the_default_one_unless_given(self, root):
        FileHandler(".checkpoints").checkpoint("mypkg.fit", 1)
        assert [run.id for run in runs()] == [run.id for run in runs(".checkpoints")]
        assert runs()

    def test_that_is_not_there_or_a_file_is_told_in_words(self, root):
        Path("main.py").write_text("")
        with pytest.raises(FileNotFoundError, match="folder 'nope' does not exist"):
            runs("nope")
        with pytest.raises(NotADirectoryError, match="is a file; give its folder"):
            runs("main.py")

    def test_that_is_a_name_is_told_to_be_one(self, root):
        FileHandler(".checkpoints").checkpoint("mypkg.fit", 1)
        told = "'mypkg.fit' does not exist; it is a name: checkpoints ls @last"
        with pytest.raises(FileNotFoundError, match=told):
            index("mypkg.fit")

    def test_of_a_run_has_no_other_files(self, save, root):
        save("a")
        with pytest.raises(ConfigError, match="all_files is for a root"):
            index(f"{root}@last", all_files=True)
