"""Loading that fails: the cause, and what to do about it."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import (
    CorruptFileError,
    FileHandler,
    UnknownValueError,
    index,
    load,
    replay,
)
from checkpoints._files.archive import lay_out
from checkpoints._kinds import json_bytes
from checkpoints.storage import _local_file as local_file

SOURCES = str(Path(checkpoints.__file__).parents[1])

MANY_MAPPED = """
import os, resource, sys
sys.path.insert(0, sys.argv[1])
import numpy
from checkpoints import FileHandler, index
values = {f"x{n}": numpy.full(100, n) for n in range(200)}
FileHandler(sys.argv[2]).checkpoint("mapped.many", values)
(entry,) = index(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
before = len(os.listdir("/proc/self/fd"))
found = entry.load(mmap=True)
print(len(os.listdir("/proc/self/fd")) - before)
print(sum(int(array[0]) for array in found.values()))
"""


@pytest.fixture
def saved(tmp_path):
    """Save values; return the path of the file."""

    def saved(**values):
        FileHandler(tmp_path / "root").checkpoint("mypkg.fit", values)
        return tmp_path / "root" / "mypkg" / "fit.ckpt.zip"

    return saved


class TestMapping:
    def test_many_arrays_take_one_open_file(self, tmp_path):
        pytest.importorskip("numpy")
        pytest.importorskip("resource", reason="limits are a matter of Unix")
        if not Path("/proc/self/fd").exists():
            pytest.skip("open files cannot be listed here")
        done = subprocess.run(
            [sys.executable, "-c", MANY_MAPPED, SOURCES, tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "1\n19900\n", done.stderr


class TestSystem:
    @pytest.fixture
    def failing_after(self, monkeypatch):
        """Let the disk fail after a number of reads; count the reads."""
        original = local_file._read_at

        def failing_after(count):
            reads = []

            def read_at(handle, buffer, offset):
                reads.append(offset)
                if len(reads) > count:
                    raise OSError(errno.EIO, "the disk is broken")
                return original(handle, buffer, offset)

            monkeypatch.setattr(local_file, "_read_at", read_at)
            return reads

        return failing_after

    def check(self, path, failing_after):
        """Fail at each of the reads in turn."""
        reads = failing_after(1000)
        load(path)
        for count in range(len(reads)):
            failing_after(count)
            with pytest.raises(OSError, match="the disk is broken") as told:
                load(path)
            assert told.value.errno == errno.EIO
            assert not isinstance(told.value, CorruptFileError)
        return len(reads)

    def test_an_error_of_the_disk_is_no_damaged_file(self, saved, failing_after):
        path = saved(x="text" * 100, y=[1] * 1000, z=b"b" * 3_000_000)
        assert self.check(path, failing_after) > 5

    def test_neither_is_one_while_an_array_is_read(self, saved, failing_after):
        numpy = pytest.importorskip("numpy")
        assert self.check(saved(x=[numpy.zeros(9)]), failing_after) > 3

    def test_neither_is_one_of_a_table(self, tmp_path, failing_after):
        arrow = pytest.importorskip("pyarrow")
        table = arrow.table({"x": [1, 2]})
        FileHandler(tmp_path, format="parquet").checkpoint("a", table)
        assert self.check(tmp_path / "a.ckpt.parquet", failing_after) > 2


class TestHeader:
    @pytest.mark.parametrize("names", [(), ("a", "b")])
    def test_a_member_that_is_named_twice_is_damage(self, saved, tmp_path, names):
        (entry,) = index(saved(a=b"text").parent)
        meta = entry.meta
        node = meta["values"]["a"]
        header = {
            **meta,
            "tags": [],
            "time": "2024-01-01",
            "values": {"a": node, "b": node},
        }
        members = [(node["member"], [b"text"])]
        path = tmp_path / "twice.ckpt.zip"
        _, pieces = lay_out(members, json_bytes.to_bytes(header), seconds=0)
        path.write_bytes(b"".join(bytes(piece) for _, piece in pieces))
        assert load(path, "b") == {"b": b"text"}
        with pytest.raises(CorruptFileError, match=r"'a\.bin' is named twice") as told:
            load(path, *names)
        assert str(path) in str(told.value)

    def test_a_value_may_be_asked_for_twice(self, saved):
        assert load(saved(a="text"), "a", "a") == {"a": "text"}


class TestPath:
    @pytest.mark.parametrize("suffix", [".ckpt.zip", ".ckpt.parquet"])
    def test_one_without_its_suffix_is_told_with_it(self, tmp_path, suffix):
        (tmp_path / f"fit{suffix}").write_bytes(b"")
        with pytest.raises(FileNotFoundError) as told:
            load(tmp_path / "fit")
        assert told.value.__notes__ == [f"did you mean '{tmp_path / 'fit'}{suffix}'?"]

    @pytest.mark.parametrize("read", [load, replay])
    def test_a_name_is_told_how_to_find_its_files(self, read):
        with pytest.raises(FileNotFoundError) as told:
            read("mypkg.fit")
        expected = ["index(ROOT).where('mypkg.fit') finds the files of a name"]
        assert told.value.__notes__ == expected

    def test_one_like_no_file_is_told_as_it_is(self, tmp_path):
        with pytest.raises(FileNotFoundError) as told:
            load(tmp_path / "fit")
        assert not hasattr(told.value, "__notes__")

    def test_a_folder_is_told_with_what_lists_it(self, tmp_path):
        with pytest.raises(OSError, match=tmp_path.name) as told:
            load(tmp_path)
        (note,) = told.value.__notes__
        assert "folder" in note
        assert "index(...)" in note

    def test_a_folder_beside_a_file_of_its_name_is_told_with_both(self, tmp_path):
        handler = FileHandler(tmp_path)
        handler.checkpoint("shop", 1)
        handler.checkpoint("shop.total", 2)
        with pytest.raises(OSError, match="shop") as told:
            load(tmp_path / "shop")
        suffix, folder = told.value.__notes__
        assert f"{tmp_path / 'shop'}.ckpt.zip" in suffix
        assert "index(...)" in folder


class TestNames:
    @pytest.mark.parametrize("names", [["a"], ("a",), {"a"}, None, 1])
    def test_what_is_no_text_is_told_how_names_are_given(self, saved, names):
        path = saved(a=1)
        with pytest.raises(UnknownValueError, match="each a separate argument") as told:
            load(path, names)
        assert str(path) in str(told.value)
        assert repr(names) in str(told.value)
