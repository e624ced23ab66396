"""Files: one for each key under a root, and what happens if it already exists."""

from __future__ import annotations

import itertools
import logging
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import (
    AlreadyStoredError,
    ConfigError,
    FileHandler,
    FormatError,
    checkpoint,
    config,
    index,
    load,
    tags,
)
from checkpoints.storage import _case

_numbers = itertools.count()
HERE = Path(__file__).parents[1]
LOCATION = Path(checkpoints.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{LOCATION}{os.pathsep}{HERE}"}


@pytest.fixture
def name():
    """A checkpoint name that no other test uses, because names stay registered."""
    return f"filed{next(_numbers)}.fit"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def files(root):
    """Every file below a folder, including hidden ones, without records of runs."""
    found = [path for path in Path(root).rglob("*") if path.is_file()]
    names = sorted(path.relative_to(root).as_posix() for path in found)
    return [name for name in names if ".runs/" not in name]


def saved(root):
    """What was saved, in the order of the paths."""
    return [entry.load()["data"] for entry in index(root)]


OLD = "model=%52idge/mypkg/fit.ckpt.zip"
NEW = "model=Ridge/mypkg/fit.ckpt.zip"


@pytest.fixture
def folds(root, monkeypatch):
    """Tell the store of the root what its file system does with case."""

    def folds(answer):
        monkeypatch.setitem(_case._known, str(root), answer)

    return folds


def save_ridge(root, value, **options):
    with tags(model="Ridge"):
        FileHandler(root, **options).checkpoint("mypkg.fit", value)


class TestCapitals:
    def test_stay_as_they_are_where_case_is_kept(self, root, folds):
        folds(False)
        save_ridge(root, 1)
        assert files(root) == [NEW]

    def test_are_encoded_where_case_is_folded(self, root, folds):
        folds(True)
        save_ridge(root, 1)
        assert files(root) == [OLD]

    def test_are_read_alike_also_mixed_in_one_root(self, root, folds):
        folds(True)
        FileHandler(root).checkpoint("MyPkg.Fit", 1)
        folds(False)
        FileHandler(root).checkpoint("MyPkg.Other", 2)
        assert files(root) == ["%4Dy%50kg/%46it.ckpt.zip", "MyPkg/Other.ckpt.zip"]
        assert {it.name for it in index(root)} == {"MyPkg.Fit", "MyPkg.Other"}

    @pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
    @pytest.mark.parametrize(
        ("if_exists", "values"), [("replace", [2]), ("keep", [1, 2]), ("skip", [1])]
    )
    def test_a_key_saved_in_the_other_spelling_keeps_its_file(
        self, root, folds, before, after, if_exists, values
    ):
        """As after a move of the root to another file system."""
        folds(before)
        save_ridge(root, 1)
        (there,) = files(root)
        folds(after)
        save_ridge(root, 2, if_exists=if_exists)
        assert saved(root) == values
        assert {os.path.dirname(it) for it in files(root)} == {os.path.dirname(there)}
        with pytest.raises(AlreadyStoredError, match="already has a file"):
            save_ridge(root, 3, if_exists="error")
        assert saved(root) == values

    def test_of_a_key_in_both_spellings_that_of_the_file_system_is_replaced(
        self, root, folds
    ):
        folds(True)
        save_ridge(root, 1)
        (root / OLD).rename(root / "aside")
        folds(False)
        save_ridge(root, 2)
        (root / OLD).parent.mkdir(parents=True, exist_ok=True)
        (root / "aside").rename(root / OLD)
        save_ridge(root, 3)
        assert load(root / OLD) == {"data": 1}
        assert load(root / NEW) == {"data": 3}

    def test_in_the_background_too(self, root, folds):
        folds(True)
        save_ridge(root, 1)
        folds(False)
        handler = FileHandler(root, background=True)
        with tags(model="Ridge"):
            handler.checkpoint("mypkg.fit", 2)
            handler.checkpoint("mypkg.Fit", 3)
        handler.flush()
        assert files(root) == [OLD, "model=Ridge/mypkg/Fit.ckpt.zip"]
        assert sorted(saved(root)) == [2, 3]

    def test_another_value_is_another_file_whatever_its_case(self, root, folds):
        for answer in (True, False):
            folds(answer)
            for model in ("Ridge", "ridge", "RIDGE", "%52idge"):
                with tags(model=model):
                    FileHandler(root).checkpoint("mypkg.fit", model)
            assert sorted(saved(root)) == ["%52idge", "RIDGE", "Ridge", "ridge"]
            assert all(it.tags["model"] == it["data"] for it in index(root))


class TestLayout:
    def test_tags_then_prefixes_then_the_name(self, root):
        handler = FileHandler(root)
        with tags(("day", "monday"), ("fold", 1), ("fold", 2)):
            handler.checkpoint("mypkg.sub.fit", 1)
        handler.checkpoint("mypkg", 2)
        path = "day=monday/fold=1/fold=2/mypkg/sub/fit.ckpt.zip"
        assert files(root) == [path, "mypkg.ckpt.zip"]
        assert load(root / path) == {"data": 1}

    def test_no_folder_is_made_before_there_is_a_file(self, root):
        FileHandler(root)
        assert not root.exists()

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"durable": True},
            {"compression": "gzip"},
            {"compression": "gzip", "durable": True, "if_exists": "keep"},
            {"if_exists": "skip"},
            {"if_exists": "error"},
        ],
    )
    def test_nothing_but_the_file_is_left_in_the_folder(self, root, options):
        FileHandler(root, **options).checkpoint("mypkg.fit", list(range(9999)))
        assert files(root) == ["mypkg/fit.ckpt.zip"]
        assert saved(root) == [list(range(9999))]

    def test_compression_makes_it_smaller_and_changes_no_value(self, root):
        if sys.version_info < (3, 14):
            pytest.importorskip("zstandard")
        sizes = []
        for compression in (None, "gzip", "zstd"):
            target = root / str(compression)
            FileHandler(target, compression=compression).checkpoint("a", "x" * 100_000)
            assert saved(target) == ["x" * 100_000]
            sizes.append((target / "a.ckpt.zip").stat().st_size)
        assert max(sizes[1:]) < sizes[0] / 10

    def test_a_save_that_fails_leaves_no_file(self, root):
        with pytest.raises(FormatError, match="generator"):
            FileHandler(root).checkpoint("a", [0, (number for number in [1])])
        assert not root.exists() or files(root) == []


class TestParquet:
    @pytest.fixture
    def pandas(self):
        pytest.importorskip("pyarrow")
        return pytest.importorskip("pandas")

    @pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
    def test_a_table_comes_back(self, pandas, root, compression):
        frame = pandas.DataFrame({"x": [1, 2], "y": ["a", None]})
        handler = FileHandler(root, format="parquet", compression=compression)
        with tags(day="monday"):
            handler.checkpoint("mypkg.fit", frame=frame)
        assert files(root) == ["day=monday/mypkg/fit.ckpt.parquet"]
        (entry,) = index(root)
        pandas.testing.assert_frame_equal(entry.load()["frame"], frame)

    def test_any_tool_reads_it_in_place(self, pandas, root):
        frame = pandas.DataFrame({"x": [1, 2]})
        FileHandler(root, format="parquet").checkpoint("a", frame)
        assert pandas.read_parquet(root / "a.ckpt.parquet")["x"].tolist() == [1, 2]

    def test_several_values_are_an_error_that_says_the_way_out(self, pandas, root):
        frame = pandas.DataFrame({"x": [1]})
        with pytest.raises(FormatError, match=r"'a', 2 values.*format='zip'"):
            FileHandler(root, format="parquet").checkpoint("a", x=frame, y=frame)

    def test_what_is_no_table_is_an_error_that_names_it(self, pandas, root):
        with pytest.raises(FormatError, match=r"'a'.*'x'.*format='zip'"):
            FileHandler(root, format="parquet").checkpoint("a", x=1)
        assert not root.exists() or files(root) == []


class TestReplace:
    def test_the_last_is_kept_and_told_once_for_each_name(self, root, caplog):
        handler = FileHandler(root)
        for number in range(3):
            handler.checkpoint("a", number)
            handler.checkpoint("b", number)
        assert saved(root) == [2, 2]
        assert len(caplog.messages) == 2
        for name, message in zip("ab", caplog.messages, strict=True):
            assert f"'{name}' was already saved by this run" in message
            assert "only the last save is kept" in message
            assert "add a tag that distinguishes them" in message
            assert "if_exists='keep'" in message

    def test_keys_that_differ_in_a_tag_are_no_repetition(self, root, caplog):
        handler = FileHandler(root)
        for number in range(3):
            with tags(fold=number):
                handler.checkpoint("a", number)
        assert saved(root) == [0, 1, 2]
        assert caplog.messages == []

    @pytest.fixture
    def of_another_run(self, root):
        """A root with two files that another run has saved."""
        save = "import checkpoints as cp; FILES = cp.FileHandler('.')\n"
        save += "for name in 'ab': FILES.checkpoint(name, 1)"
        root.mkdir()
        subprocess.run(
            [sys.executable, "-c", save],
            check=True,
            timeout=100,
            cwd=root,
            env={**ENVIRONMENT, "CHECKPOINTS_RUN": "another"},
        )
        return root

    def test_that_files_of_another_run_are_replaced_is_told_once(
        self, of_another_run, caplog
    ):
        handler = FileHandler(of_another_run)
        for name in "ab":
            handler.checkpoint(name, 2)
        assert saved(of_another_run) == [2, 2]
        (message,) = caplog.messages
        assert message.startswith("checkpoint 'a' replaces the file of another run")
        assert " run={run} " in message
        assert "if_exists='replace'" in message

    def test_it_is_not_told_where_replacing_was_asked_for(self, of_another_run, caplog):
        handler = FileHandler(of_another_run, if_exists="replace")
        handler.checkpoint("a", 2)
        assert saved(of_another_run) == [2, 1]
        assert caplog.messages == []
        assert repr(handler) == f"FileHandler({handler.root!r}, if_exists='replace')"

    def test_another_handler_of_the_run_tells_it_too(self, root, caplog):
        for number in range(2):
            FileHandler(root).checkpoint("a", number)
        assert "already saved by this run" in caplog.text

    @pytest.mark.parametrize("there", [b"", b"PK\3\4 and no more", b"a plain text"])
    def test_what_is_no_checkpoint_is_replaced_as_well(self, root, caplog, there):
        root.mkdir()
        (root / "a.ckpt.zip").write_bytes(there)
        FileHandler(root).checkpoint("a", 1)
        assert saved(root) == [1]
        assert caplog.messages == []

    def test_a_folder_in_the_way_is_an_error_that_names_it(self, root):
        (root / "a.ckpt.zip").mkdir(parents=True)
        with pytest.raises(OSError, match=re.escape("a.ckpt.zip")):
            FileHandler(root).checkpoint("a", 1)
        assert files(root) == []


class TestKeep:
    def test_later_ones_are_numbered(self, root, caplog):
        handler = FileHandler(root, if_exists="keep")
        for number in range(1, 4):
            handler.checkpoint("mypkg.fit", number)
        assert files(root) == [
            f"mypkg/fit{number}.ckpt.zip" for number in (".2", ".3", "")
        ]
        assert {entry.number: entry.load()["data"] for entry in index(root)} == {
            1: 1,
            2: 2,
            3: 3,
        }
        assert caplog.messages == []

    def test_fifty_saves_are_fifty_files(self, root):
        handler = FileHandler(root, if_exists="keep")
        for number in range(1, 51):
            handler.checkpoint("a", number)
        entries = index(root)
        assert sorted(entry.number for entry in entries) == list(range(1, 51))
        assert {entry.number for entry in entries if entry.stem != "a"} == set()
        assert all(entry.number == entry.load()["data"] for entry in entries)

    def test_it_goes_on_where_another_handler_ended(self, root):
        for number in range(1, 4):
            FileHandler(root, if_exists="keep").checkpoint("a", number)
        assert sorted(saved(root)) == [1, 2, 3]

    def test_the_numbers_of_one_name_are_no_other_name(self, root):
        handler = FileHandler(root, if_exists="keep")
        for name in ("a", "a.2", "a", "a.2"):
            handler.checkpoint(name, name)
        names = sorted((entry.name, entry.number) for entry in index(root))
        assert names == [("a", 1), ("a", 2), ("a.2", 1), ("a.2", 2)]
        assert all(entry.load() == {"data": entry.name} for entry in index(root))

    def test_four_processes_lose_nothing(self, root):
        program = "import sys, fakelib.workers as w; w.save_many(*eval(sys.argv[1]))"
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", program, repr((str(root), worker, 25))],
                env=ENVIRONMENT,
            )
            for worker in range(4)
        ]
        assert [worker.wait(100) for worker in workers] == [0] * 4
        rows = [tuple(entry.load("rows")["rows"]) for entry in index(root)]
        assert sorted(rows) == [(w, n) for w in range(4) for n in range(25)]
        assert len(files(root)) == 100


class TestSkip:
    def test_the_first_is_kept_and_the_log_knows(self, root, caplog):
        caplog.set_level(logging.INFO, "checkpoints")
        handler = FileHandler(root, if_exists="skip")
        for number in range(3):
            handler.checkpoint("mypkg.fit", number)
        assert saved(root) == [0]
        assert len(caplog.messages) == 2
        assert "'mypkg.fit'" in caplog.messages[0]
        assert "was skipped" in caplog.messages[0]
        assert {record.levelname for record in caplog.records} == {"INFO"}


class TestError:
    def test_the_first_is_kept_and_the_message_says_the_way_out(self, root):
        handler = FileHandler(root, if_exists="error")
        with tags(fold=1):
            handler.checkpoint("mypkg.fit", 1)
            with pytest.raises(AlreadyStoredError, match="already has a file") as told:
                handler.checkpoint("mypkg.fit", 2)
        assert isinstance(told.value, FileExistsError)
        path = root / "fold=1" / "mypkg" / "fit.ckpt.zip"
        for text in ("'mypkg.fit' [fold=1]", str(path), "'replace' or 'keep'"):
            assert text in str(told.value)
        assert saved(root) == [1]
        assert len(files(root)) == 1

    def test_under_a_rule_it_is_told_and_the_program_goes_on(self, root, name, caplog):
        config(name, root, if_exists="error")
        checkpoint(name, 1)
        checkpoint(name, 2)
        assert saved(root) == [1]
        assert "AlreadyStoredError" in caplog.text


class TestRoot:
    def test_placeholders_are_filled_in(self, tmp_path):
        handler = FileHandler(tmp_path / "{run}-{host}" / "{pid}" / "{time}")
        handler.checkpoint("a", 1)
        (path,) = tmp_path.rglob("*.ckpt.zip")
        whole, pid, time, file = path.relative_to(tmp_path).parts
        assert whole == f"{os.environ['CHECKPOINTS_RUN']}-{platform.node()}"
        assert pid == str(os.getpid())
        assert re.fullmatch(r"[0-9]{8}-[0-9]{6}", time)
        assert file == "a.ckpt.zip"

    def test_all_handlers_of_a_process_agree_on_them(self, tmp_path):
        for name in ("a", "b"):
            target = tmp_path / "{run}" / "{host}" / "{pid}" / "{time}"
            FileHandler(target).checkpoint(name, 1)
        folders = {path.parent for path in tmp_path.rglob("*.ckpt.zip")}
        assert len(folders) == 1

    def test_a_run_that_nobody_named_has_a_name_that_fits_a_folder(self, tmp_path):
        FileHandler(tmp_path / "{run}").checkpoint("a", 1)
        (folder,) = tmp_path.iterdir()
        assert re.fullmatch(r"[A-Za-z0-9_-]+", folder.name)
        assert folder.name == os.environ["CHECKPOINTS_RUN"]

    @pytest.mark.parametrize(
        "field", ["{date}", "{run.x}", "{pid[0]}", "{}", "{0}", "{RUN}", "{ run}"]
    )
    def test_an_unknown_placeholder_is_an_error_that_lists_the_known(self, field):
        with pytest.raises(ConfigError, match="unknown placeholder") as told:
            FileHandler(f"out/{field}")
        for text in (field, "{run}", "{time}", "{host}", "{pid}", "twice"):
            assert text in str(told.value)

    @pytest.mark.parametrize("root", ["a{", "a}", "{run", "{pid:nonsense}", "{pid!x}"])
    def test_a_brace_that_cannot_be_filled_is_an_error_at_once(self, root):
        with pytest.raises(ConfigError, match="root"):
            FileHandler(root)

    def test_a_doubled_brace_is_a_brace(self, tmp_path):
        FileHandler(tmp_path / "{{run}}").checkpoint("a", 1)
        assert files(tmp_path) == ["{run}/a.ckpt.zip"]

    def test_a_change_of_folder_moves_no_relative_root(self, tmp_path, monkeypatch):
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        handler = FileHandler("out")
        monkeypatch.chdir("elsewhere")
        handler.checkpoint("a", 1)
        assert files(tmp_path) == ["out/a.ckpt.zip"]

    def test_a_brace_in_the_working_folder_is_no_placeholder(
        self, tmp_path, monkeypatch
    ):
        (tmp_path / "{odd}").mkdir()
        monkeypatch.chdir(tmp_path / "{odd}")
        FileHandler("out").checkpoint("a", 1)
        assert files(tmp_path) == ["{odd}/out/a.ckpt.zip"]

    def test_a_tilde_is_the_home_folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        FileHandler("~/out").checkpoint("a", 1)
        assert files(tmp_path) == ["out/a.ckpt.zip"]

    def test_a_file_url_is_a_folder(self, tmp_path):
        FileHandler(f"file://{tmp_path}").checkpoint("a", 1)
        assert files(tmp_path) == ["a.ckpt.zip"]

    def test_a_url_of_another_kind_says_what_can_be_done(self):
        with pytest.raises(ConfigError, match=r"s4://.*Give a path"):
            FileHandler("s4://bucket/out")

    def test_it_shows_the_root_and_what_is_unusual(self, root):
        assert repr(FileHandler(root)) == f"FileHandler({str(root)!r})"
        shown = repr(FileHandler(root, if_exists="keep", durable=True))
        assert shown.endswith(", if_exists='keep', durable=True)")


class TestPickled:
    def test_a_value_of_another_class_is_saved_as_a_pickle(self, root, caplog):
        FileHandler(root).checkpoint("a", kind=re.compile("x"))
        (entry,) = index(root)
        with pytest.raises(checkpoints.UntrustedError, match="trusted=True"):
            entry.load()
        assert entry.load(trusted=True) == {"kind": re.compile("x")}

    def test_that_of_an_unknown_class_is_told_at_the_level_info(self, root, caplog):
        caplog.set_level("INFO", "checkpoints")
        handler = FileHandler(root, if_exists="keep")
        for _ in range(2):
            handler.checkpoint("a", kind=re.compile("x"))
        (message,) = caplog.messages
        assert message == (
            "checkpoint 'a': value 'kind' (re.Pattern) is saved as a pickle; load with "
            "trusted=True"
        )

    def test_objects_inside_of_a_value_are_told_in_one_line(self, root, caplog):
        FileHandler(root).checkpoint("a", x={"one": slice(3), "two": [slice(4)]})
        (message,) = caplog.messages
        assert message == (
            "checkpoint 'a': value 'x/one' (slice) and 1 more are saved as pickles; "
            "load with trusted=True"
        )

    def test_the_header_has_the_versions_of_what_was_pickled(self, root):
        joblib = pytest.importorskip("joblib", reason="its objects are pickled")
        FileHandler(root).checkpoint("a", x=[joblib.parallel_config, joblib.Memory])
        assert index(root)[0].meta["packages"]["joblib"] == joblib.__version__

    def test_one_whose_type_is_known_is_told_once(self, root, caplog):
        ring = []
        ring.append(ring)
        handler = FileHandler(root, if_exists="keep")
        for _ in range(2):
            handler.checkpoint("a", ring=ring)
        (message,) = caplog.messages
        for text in ("checkpoint 'a'", "'ring'", "pickle", "trusted=True"):
            assert text in message


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"max_pending": "64MB"}, "max_pending: for background saves only"),
            (
                {"on_full": "drop", "max_wait": 1},
                "max_wait and on_full: for background saves only",
            ),
        ],
    )
    def test_one_of_the_background_needs_it(self, root, options, told):
        with pytest.raises(ConfigError, match=f"{told}.*Add background=True"):
            FileHandler(root, **options)
        FileHandler(root, background=True, **options).close()
