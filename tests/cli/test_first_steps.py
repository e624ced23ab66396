"""What somebody meets who uses the command line for the first time."""

from __future__ import annotations

import json

import pytest

from checkpoints import FileHandler

PROGRAM = "import stages, checkpoints\ncheckpoints.checkpoint('load.day', x=1)\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a program, a module and a notebook, to stand in."""
    (tmp_path / "nightly.py").write_text(PROGRAM)
    stages = "from checkpoints import checkpoint\ncheckpoint('stages.scale', 1)\n"
    (tmp_path / "stages.py").write_text(stages)
    (tmp_path / "main.py").write_text("import stages\n")
    (tmp_path / "look.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestHelp:
    def test_it_is_there_for_h_and_names_variables_and_completion(self, run):
        assert run("-h").out == run("--help").out
        assert "CHECKPOINTS='mypkg=./out'" in run("-h").out
        assert "checkpoints completion bash" in run("-h").out
        assert run("ls", "-h").code == 0


class TestRun:
    def test_a_notebook_is_no_program_and_jupyter_runs_it(self, run, folder):
        done = run("run", "load", "--", "look.ipynb")
        assert done.code == 2
        assert "`-- jupyter execute look.ipynb`" in done.err

    def test_a_rule_without_the_target_it_announces_is_an_error(self, run, folder):
        done = run("run", "load=", "--", "nightly.py")
        assert done.code == 2
        assert "no target after the '='" in done.err

    def test_a_file_in_place_of_a_module_to_probe_names_the_module(self, run, folder):
        done = run("run", "--probe", "stages.py:scale", "--", "main.py")
        assert (done.code, done.out) == (2, "")
        assert "did you mean 'stages:scale'?" in done.err


class TestAvailable:
    def test_a_path_stands_for_its_module(self, run, folder):
        assert run("available", "stages.py").out == run("available", "stages").out
        assert run("available", "stages.py").out.startswith("stages.scale ")

    def test_a_path_that_is_not_there_names_the_nearest(self, run, folder):
        done = run("available", "stagse.py")
        assert done.code == 2
        assert "no file 'stagse.py'; did you mean 'stages.py'?" in done.err
        assert "no file 'x/y.py'; check the path" in run("available", "x/y.py").err

    def test_it_names_the_modules_beside_that_a_program_imports(self, run, folder):
        done = run("available", "main")
        assert done.err == (
            "no save points found in the source code of main; it imports stages: try "
            "one of these\n"
        )


class TestRemoval:
    def test_without_a_condition_gc_says_that_nothing_is_old(self, run, root):
        assert "no entry is old without --older-than" in run("gc", root).err

    def test_paths_are_those_from_here(self, run, root, monkeypatch):
        monkeypatch.chdir(root.parent)
        listed = run("gc", "saved", "oven", "--older-than", "1s").out
        assert run("rm", "saved", "oven", "--dry-run").out.startswith("saved/oven.")
        assert "would delete 0 files" in listed

    def test_json_has_the_files_and_their_bytes(self, run, root):
        found = json.loads(run("gc", root, "--keep-last", "1", "--json").out)
        assert [len(found["files"]), found["deleted"]] == [3, 0]
        assert found["bytes"] == sum(file["size"] for file in found["files"])
        deleted = json.loads(run("rm", root, "oven", "--json", "--yes").out)
        assert deleted["deleted"] == 1
        assert run("rm", root, "--all", "--json").code == 2


class TestListing:
    def test_json_has_tags_as_an_object_and_all_pairs(self, run, root):
        first = json.loads(run("ls", root, "--json").out)[0]
        assert first["tags"] == {"day": "10", "shop": "north"}
        assert first["tag_pairs"] == [["day", "10"], ["shop", "north"]]


class TestShow:
    def test_numbers_are_short_and_dtypes_have_one_vocabulary(self, run, tmp_path):
        pandas = pytest.importorskip("pandas", reason="it saves a frame")
        pytest.importorskip("pyarrow", reason="it saves a frame")
        frame = pandas.DataFrame({"a": [1 / 3, 2], "c": pandas.Categorical(["x", "y"])})
        records = frame[["a"]].to_numpy()[:, 0].astype([("x", "f8")])
        handler = FileHandler(tmp_path)
        handler.checkpoint("a", frame=frame, records=records)
        out = run("show", tmp_path / "a.ckpt.zip", "frame").out
        assert "0.333333  x" in out
        assert "  c       category" in out
        assert "numpy.ndarray     x float64" in out
        assert "double" not in out
