"""Trees of `.jlso` files, as Checkpoints.jl means them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, diff, index, tags

pytest.importorskip("numpy")

FROM_JULIA = (Path(__file__).parents[1] / "golden/julia/v4_bson_gzip.jlso").read_bytes()


@pytest.fixture
def tree(tmp_path):
    """Files under paths that Checkpoints.jl would give them, among others."""
    root = tmp_path / "a" / "b=1" / "tree"
    for place in (
        "date=2017-01-01/oven=a b/TestPkg/bar.jlso",
        "date=2017-01-01/oven=50%25/TestPkg/bar.jlso",
        "date=2017-01-01/oven=50%25/TestPkg/bar.ckpt.zip",
        "=x/bar.v2.jlso",
        "other.txt",
    ):
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FROM_JULIA)
    return root


class TestJuliaFiles:
    def test_they_are_listed_with_their_own_tags_and_names(self, tree):
        found = {
            (entry.name, entry.tags.items())
            for entry in index(tree)
            if entry.path.endswith(".jlso")
        }
        assert found == {
            ("TestPkg.bar", (("date", "2017-01-01"), ("oven", "a b"))),
            ("TestPkg.bar", (("date", "2017-01-01"), ("oven", "50%25"))),
            ("bar.v2", (("", "x"),)),
        }

    def test_a_folder_means_to_each_format_what_it_means_there(self, tree):
        found = index(tree).where(oven="50%25")
        assert [entry.path[-5:] for entry in found] == [".jlso"]
        assert [entry.path[-4:] for entry in index(tree).where(oven="50%")] == [".zip"]
        assert index(tree).tag_values("oven") == ["50%", "50%25", "a b"]

    def test_the_header_has_the_tags_of_the_path_below_the_root(self, tree):
        (entry,) = index(tree).where(oven="a b")
        meta = entry.meta
        assert meta["name"] == "TestPkg.bar"
        assert meta["tags"] == (("date", "2017-01-01"), ("oven", "a b"))
        assert meta["time"].timestamp() == pytest.approx(
            Path(entry.path).stat().st_mtime
        )
        assert index(tree / "date=2017-01-01").where(oven="a b")[0].meta["tags"] == (
            ("oven", "a b"),
        )

    def test_an_entry_survives_a_pickle(self, tree):
        (entry,) = index(tree).where(oven="50%25")
        again = pickle.loads(pickle.dumps(entry))
        assert (again, again.tags.items()) == (entry, entry.tags.items())

    def test_numbered_files_stay_in_order_beside_them(self, tmp_path):
        handler = FileHandler(tmp_path, if_exists="keep")
        for number in range(11):
            handler.checkpoint("b", number)
        for name in ("a", "c", "d"):
            (tmp_path / f"{name}.jlso").write_bytes(FROM_JULIA)
        for name in ("b", "b.3", "b.4"):
            (tmp_path / f"{name}.ckpt.zip").unlink()
        numbers = [entry.number for entry in index(tmp_path).where("b")]
        assert numbers == sorted(numbers)

    def test_they_are_compared_with_those_of_python(self, tmp_path):
        for number, format in enumerate(("jlso", "zip")):
            with tags(day=1, model="a b"):
                handler = FileHandler(tmp_path / str(number), format=format)
                handler.checkpoint("shop.total", x=[1, 2], y="text")
        assert diff(tmp_path / "0", tmp_path / "1").verdict == "equal"

    def test_files_of_two_runs_of_julia_are_paired_by_their_paths(self, tree, tmp_path):
        other = tmp_path / "other" / "date=2017-01-01" / "oven=a b" / "TestPkg"
        other.mkdir(parents=True)
        (other / "bar.jlso").write_bytes(FROM_JULIA)
        found = diff(index(tree).where(oven="a b"), tmp_path / "other")
        assert found.verdict == "equal"

    def test_they_verify(self, tree):
        (tree / "date=2017-01-01/oven=50%25/TestPkg/bar.ckpt.zip").unlink()
        assert checkpoints.verify(tree).ok
