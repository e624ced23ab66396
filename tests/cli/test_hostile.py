"""A root with malicious and odd files: each command goes on with the good ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from checkpoints import FileHandler, index, tags

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
for library in ("pyarrow", "PIL", "scipy", "zstandard"):
    pytest.importorskip(library, reason="the files are made for every library")
if os.name != "posix":
    pytest.skip("some of the files are pipes and links", allow_module_level=True)

# No file of ours, and nothing that can be copied or read to its end.
NO_FILES = ("named-pipe", "folder", "endless-device", "link-to-itself")
# To read a terabyte, or a million names of members, takes its time in each command.
SLOW = ("directory-of-a-million", "sparse-terabyte", "sparse-terabyte-compressed")
PRIME = 2**61 - 1  # integers that differ by it have the same hash
LIMIT = ("--max-bytes", "50MB")


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    from hostile import FILES, archive, sound

    root = tmp_path_factory.mktemp("hostile")
    sound(root / "evil" / "sound")
    for name, make in FILES.items():
        if name not in SLOW:
            make(root / "evil" / f"{name.replace('/', '-')}.ckpt.zip")
    node = {"kind": "json", "value": 1}
    for field in ("shape", "type", "schema", "unknown"):
        evil = archive({"v": {**node, field: deep(700)}})
        (root / "evil" / f"deep-{field}.ckpt.zip").write_bytes(evil)
    numbers = [number * PRIME for number in range(60_000)]
    for mark, items in (("$set", numbers), ("$dict", [[n, 0] for n in numbers])):
        evil = archive({"v": {"kind": "json", "value": {mark: items}}})
        (root / "evil" / f"colliding-{mark[1:]}.ckpt.zip").write_bytes(evil)
    handler = FileHandler(root / "good")
    for number in range(3):
        with tags(number=number):
            frame = polars.DataFrame({"a\0b": [number], "c": ["x"]})
            handler.checkpoint("nul", v=frame)
    handler.checkpoint("range", v=pandas.RangeIndex(10**9))
    handler.checkpoint("empty", v=numpy.empty((10**12, 0)))
    handler.checkpoint("zero", v=numpy.empty(10**12, dtype="V0"))
    return root


@pytest.fixture(scope="module")
def files(root):
    found = [file for file in (root / "evil").glob("*") if file.is_file()]
    return sorted(file for file in found if file.name.split(".")[0] not in NO_FILES)


class TestListings:
    @pytest.mark.parametrize(
        "options",
        ["", "--long", "--long --json", "--long --csv", "--tree", "--sort saved"],
    )
    def test_lists_the_good_ones(self, run, root, options):
        done = run("ls", root, *options.split())
        assert done.code in (0, 1)
        assert "range" in done.out

    def test_tells_of_each_file_that_is_damaged(self, run, root):
        listed = json.loads(run("ls", root, "--long", "--json").out)
        damaged = {Path(each["path"]).name for each in listed if each.get("error")}
        assert {f"deep-{field}.ckpt.zip" for field in ("shape", "type")} <= damaged
        assert not any(each.get("error") for each in listed if "good" in each["path"])

    def test_verifies_the_good_ones(self, run, root):
        done = run("verify", root / "good", "--json")
        assert json.loads(done.out)["ok"] is True

    @pytest.mark.parametrize("command", ["verify", "runs", "gc", "available"])
    def test_ends_without_a_traceback(self, run, root, command):
        words = ["--unfinished"] if command == "gc" else []
        assert run(command, root, *words).code in (0, 1, 2)


class TestFiles:
    def test_shows_each_file_or_says_why_not(self, run, files):
        for file in files:
            done = run("show", file, "--values", *LIMIT)
            assert done.code in (0, 1, 2), file
            assert done.out or done.err, file

    @pytest.mark.parametrize("suffix", [".csv", ".json", ".npy", ".txt"])
    def test_exports_each_file_or_says_why_not(self, run, files, tmp_path, suffix):
        for file in files:
            done = run("export", file, "--to", tmp_path / f"it{suffix}", *LIMIT)
            assert done.code in (0, 1, 2), file
            assert done.out or done.err, file

    @pytest.mark.parametrize("kind", ["set", "dict"])
    def test_refuses_what_would_take_a_minute_to_build(self, run, root, kind):
        done = run("show", root / "evil" / f"colliding-{kind}.ckpt.zip", "v")
        assert done.code == 1
        assert "60,000 of its items have the same hash" in done.out


class TestGoodFiles:
    def test_shows_a_name_with_a_nul(self, run, root):
        done = run("show", root, "good.nul", "v", "--where", "number=1")
        assert done.code == 0
        assert "a\\x00b" in done.out

    def test_combines_frames_with_such_a_name(self, root):
        table = index(root / "good").where("nul").concat("v", to="arrow")
        assert table.column("a\0b").to_pylist() == [0, 1, 2]

    @pytest.mark.parametrize("to", ["pandas", "polars"])
    def test_combines_them_for_every_library(self, root, to):
        found = index(root / "good").where("nul")
        assert "a\0b" in list(found.concat("v", to=to).columns)

    @pytest.mark.parametrize("name", ["range", "empty"])
    def test_shows_what_is_large_without_taking_the_memory(self, run, root, name):
        done = run("show", root, f"good.{name}", "v", *LIMIT)
        assert done.code == 0

    @pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
    @pytest.mark.parametrize("name", ["range", "empty", "zero"])
    def test_does_not_write_what_has_no_end(self, run, root, tmp_path, name, suffix):
        target = tmp_path / f"it{suffix}"
        done = run("export", root, f"good.{name}", "--to", target, *LIMIT)
        assert done.code == 2
        assert "at least" in done.err

    def test_writes_what_takes_no_memory(self, run, root, tmp_path):
        target = tmp_path / "it.npy"
        assert run("export", root, "good.empty", "--to", target, *LIMIT).code == 0
        assert numpy.load(target).shape == (10**12, 0)
