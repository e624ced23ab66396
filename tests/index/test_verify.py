"""Verifying: every byte of every file, in little memory, and nothing is decoded."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import ClassVar

import pytest

import checkpoints
from checkpoints import ConfigError, FileHandler, Verification, index, verify
from checkpoints._files.archive import lay_out
from checkpoints._files.zip import (
    Member,
    directory,
    dos_stamp,
    local_header,
    start_of,
)
from checkpoints._kinds import json_bytes

SOURCES = str(Path(checkpoints.__file__).parents[1])
MIB = 1 << 20

WITHOUT = """
import sys
sys.path.insert(0, sys.argv[1])
for library in sys.argv[3:]:
    sys.modules[library] = None
from checkpoints import verify
found = verify(sys.argv[2])
print(found.checked, found.ok, [text for _, text in found.unreadable])
"""


INTERRUPTED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from checkpoints import verify
from checkpoints._index import verify as module
module._INTERVAL = 0.01

def interrupt(done, total):
    if done > 10 << 20:
        os.kill(os.getpid(), signal.SIGINT)

try:
    verify(sys.argv[2], progress=interrupt)
except KeyboardInterrupt:
    print("interrupted")
"""


def write_holes(path, size):
    """Write a file with a value of this size, which takes no room on the disk."""
    FileHandler(path.parent).checkpoint("holes", data=b"bytes" * 1000)
    saved = path.parent / "holes.ckpt.zip"
    with zipfile.ZipFile(saved) as archive:
        text = archive.read("checkpoint.json")
    saved.unlink()
    stamp, name, header = dos_stamp(0), b"data.bin", b"checkpoint.json"
    start = start_of(0, name, size, size)
    value = Member(name, 0, start, 0, 0, size, size, stamp)
    length, crc = len(text), zlib.crc32(text)
    start = start_of(value.end, header, length, length)
    meta = Member(header, value.end, start, 0, crc, length, length, stamp)
    with open(path, "wb") as file:
        file.write(local_header(value))
        file.seek(value.end)
        file.write(local_header(meta) + text + directory([value, meta], meta.end))


def sizes_under(root):
    return [Path(entry.path).stat().st_size for entry in index(root)]


class Unloadable:
    """Fails when it is loaded as a pickle, except once, as a proof at the save."""

    loads: ClassVar[list[int]] = []

    def __reduce__(self):
        return _load_once, ()


def _load_once():
    Unloadable.loads.append(1)
    if len(Unloadable.loads) > 1:
        raise ValueError("loaded again")
    return Unloadable()


@pytest.fixture
def root(tmp_path):
    """Three files, one of them below a tag."""
    handler = FileHandler(tmp_path / "root")
    handler.checkpoint("shop.total", items=3, note="text" * 100)
    handler.checkpoint("shop.stock", [1, 2, 3])
    with checkpoints.config("late", tmp_path / "root"), checkpoints.tags(day="monday"):
        checkpoints.checkpoint("late.fit", data=b"bytes" * 1000)
    return tmp_path / "root"


@pytest.fixture
def meanwhile(monkeypatch):
    """Run a function after a file is listed and before it is read."""
    from checkpoints._index import verify

    def meanwhile(change):
        def listed(path, **options):
            entries = index(path, **options)
            change(entries[0].path)
            return entries

        monkeypatch.setattr(verify, "index", listed)

    return meanwhile


def change(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


class TestWhole:
    def test_all_files_are_counted_and_ok(self, root):
        found = verify(root)
        assert isinstance(found, Verification)
        assert found.ok
        assert (found.checked, found.damaged, found.unreadable) == (3, (), ())
        sizes = [Path(entry.path).stat().st_size for entry in index(root)]
        assert found.bytes == sum(sizes)
        assert found.root == str(root)
        assert str(found) == (
            f"{root}: 3 files, {sum(sizes):,} bytes: 0 damaged, 0 unreadable"
        )

    def test_a_root_without_files_is_ok(self, tmp_path):
        assert verify(tmp_path).ok
        assert verify(tmp_path).checked == 0

    def test_other_files_are_left_alone(self, root):
        (root / "notes.txt").write_text("no checkpoint")
        assert verify(root).checked == 3

    def test_what_was_found_cannot_be_changed_and_can_be_pickled(self, root):
        found = verify(root)
        with pytest.raises(dataclasses.FrozenInstanceError):
            found.checked = 5
        assert pickle.loads(pickle.dumps(found)) == found

    @pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
    def test_a_large_file_takes_little_memory(self, tmp_path, compression):
        if compression == "zstd":
            pytest.importorskip("zstandard", reason="below 3.14 it packs")
        handler = FileHandler(tmp_path, compression=compression)
        handler.checkpoint("a", data=bytes(range(256)) * (128 * 1024))
        tracemalloc.start()
        try:
            assert verify(tmp_path).ok
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        finally:
            tracemalloc.stop()

    def test_pickles_are_checked_and_not_loaded(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Unloadable, "loads", [])
        FileHandler(tmp_path).checkpoint("a", data=Unloadable())
        assert verify(tmp_path).ok


class TestDamaged:
    @pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
    def test_every_byte_of_an_archive_counts(self, tmp_path, compression):
        if compression == "zstd":
            pytest.importorskip("zstandard", reason="below 3.14 it packs")
        handler = FileHandler(tmp_path, compression=compression)
        handler.checkpoint("a", text="text" * 200, data=[1, "two"])
        path = tmp_path / "a.ckpt.zip"
        size, passed = path.stat().st_size, []
        for at in range(size):
            change(path, at)
            if verify(tmp_path, max_workers=1).ok:
                passed.append(at)
            change(path, at)
        # A few bits of compressed data mean nothing; what comes out was checked.
        assert len(passed) <= (0 if compression is None else size // 100)
        assert verify(tmp_path).ok

    def test_every_byte_of_a_parquet_file_counts(self, tmp_path):
        arrow = pytest.importorskip("pyarrow", reason="it writes Parquet")
        table = arrow.table({"a": [1, 2, 3]})
        FileHandler(tmp_path, format="parquet").checkpoint("a", table)
        path = tmp_path / "a.ckpt.parquet"
        assert verify(tmp_path).ok
        for at in range(0, path.stat().st_size, 5):
            change(path, at)
            assert len(verify(tmp_path, max_workers=1).damaged) == 1, at
            change(path, at)

    def test_it_is_told_with_its_path_and_the_others_are_checked(self, root):
        (broken,) = root.rglob("fit.ckpt.zip")
        change(broken, 200)
        found = verify(root)
        ((path, text),) = found.damaged
        assert path == str(broken)
        assert "have changed" in text
        assert (found.checked, found.ok, found.unreadable) == (3, False, ())
        assert f"damaged: {broken} is damaged" in str(found)

    def test_a_member_that_the_header_names_and_that_is_not_there(self, tmp_path):
        for number, member in enumerate(("lost.txt", ["lost.txt"])):
            header = {
                "checkpoints": 1,
                "name": "a",
                "tags": [],
                "time": "2024-01-01",
                "values": {"a": {"kind": "text", "member": member}},
            }
            _, pieces = lay_out([], json_bytes.to_bytes(header), seconds=0)
            whole = b"".join(bytes(piece) for _, piece in pieces)
            (tmp_path / f"a{number}.ckpt.zip").write_bytes(whole)
        first, second = verify(tmp_path).damaged
        assert "'lost.txt' is missing" in first[1]
        assert "['lost.txt'] is not the name of a member" in second[1]

    def test_what_is_no_checkpoint_at_all(self, tmp_path):
        (tmp_path / "a.ckpt.zip").write_bytes(b"something else")
        (tmp_path / "b.ckpt.parquet").write_bytes(b"")
        names = [Path(path).name for path, _ in verify(tmp_path).damaged]
        assert names == ["a.ckpt.zip", "b.ckpt.parquet"]

    def test_a_path_that_a_terminal_would_obey_is_escaped(self, tmp_path):
        with checkpoints.config("evil", tmp_path), checkpoints.tags(day="x"):
            checkpoints.checkpoint("evil.fit", 1)
        odd = tmp_path / "\x1b[31mred"
        os.rename(tmp_path / "day=x", odd)
        change(odd / "evil" / "fit.ckpt.zip", 0)
        assert "\\x1b[31mred" in str(verify(tmp_path))
        assert "\x1b" not in str(verify(tmp_path))


class TestUnreadable:
    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything"
    )
    def test_a_file_that_may_not_be_read(self, root):
        (secret,) = root.rglob("fit.ckpt.zip")
        secret.chmod(0)
        ((path, text),) = verify(root).unreadable
        assert path == str(secret)
        assert "Permission denied" in text

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are of Unix")
    def test_what_is_no_regular_file_any_more(self, root, meanwhile):
        def piped(path):
            os.unlink(path)
            os.mkfifo(path)

        meanwhile(piped)
        found = verify(root)
        ((path, text),) = found.unreadable
        assert "a named pipe" in text
        assert (found.checked, found.ok) == (2, False)
        assert f"Is a named pipe, not a regular file: '{path}'" in str(found)

    def test_a_file_that_has_vanished_is_no_error(self, root, meanwhile):
        meanwhile(os.unlink)
        found = verify(root)
        assert found.ok
        assert found.checked == 2

    def test_one_that_needs_a_library_that_is_not_here(self, root, tmp_path):
        arrow = pytest.importorskip("pyarrow", reason="it writes Parquet")
        handler = FileHandler(root, format="parquet")
        handler.checkpoint("a", arrow.table({"a": [1]}))
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, SOURCES, root, "pyarrow"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout.startswith("3 False ['a Parquet file needs pyarrow: pip in")


class TestAsking:
    def test_a_root_that_is_not_there_is_told_as_index_does(self, tmp_path):
        with pytest.raises(FileNotFoundError) as told:
            verify(tmp_path / "nowhere")
        with pytest.raises(FileNotFoundError) as same:
            index(tmp_path / "nowhere")
        assert str(told.value) == str(same.value)
        (tmp_path / "file").touch()
        with pytest.raises(NotADirectoryError):
            verify(tmp_path / "file")

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True], ids=repr)
    def test_a_number_of_workers_that_is_none_is_told(self, root, wrong):
        with pytest.raises(ConfigError, match=r"invalid max_workers=.*from 1 up"):
            verify(root, max_workers=wrong)

    @pytest.mark.parametrize("workers", [1, 2, 20])
    def test_any_number_of_workers_finds_the_same(self, root, workers):
        change(next(root.rglob("fit.ckpt.zip")), 100)
        assert verify(root, max_workers=workers) == verify(root)


class TestProgress:
    @pytest.mark.parametrize("workers", [1, 3])
    def test_it_is_called_after_each_file_in_the_calling_thread(self, root, workers):
        calls = []

        def progress(done, total):
            calls.append((done, total, threading.current_thread()))

        change(next(root.rglob("fit.ckpt.zip")), 100)
        found = verify(root, max_workers=workers, progress=progress)
        here, sizes = threading.current_thread(), sizes_under(root)
        done = [sum(sizes[:count]) for count in (1, 2, 3)]
        assert calls == [(count, sum(sizes), here) for count in done]
        assert found == verify(root)

    def test_a_file_that_has_vanished_counts_as_done(self, root, meanwhile):
        meanwhile(os.unlink)
        calls = []
        verify(root, progress=lambda *numbers: calls.append(numbers))
        first, second = sizes_under(root)
        total = first + second
        assert calls == [(0, total), (first, total), (total, total)]

    def test_without_files_it_is_not_called(self, tmp_path):
        verify(tmp_path, progress=pytest.fail)

    def test_its_error_ends_the_verification(self, root):
        def stop(done, total):
            raise KeyError(done, total)

        before = {*threading.enumerate()}
        with pytest.raises(KeyError) as stopped:
            verify(root, max_workers=1, progress=stop)
        assert stopped.value.args == (sizes_under(root)[0], sum(sizes_under(root)))
        assert {*threading.enumerate()} <= before

    @pytest.mark.skipif(sys.platform != "linux", reason="it needs a file with holes")
    def test_an_interrupt_ends_it_in_the_middle_of_a_file(self, tmp_path):
        # To read it to its end would take many minutes.
        write_holes(tmp_path / "huge.ckpt.zip", 1 << 40)
        command = [sys.executable, "-c", INTERRUPTED, SOURCES, str(tmp_path)]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True
        )
        assert ended.stdout == "interrupted\n"

    def test_nothing_is_printed(self, root, capsys):
        verify(root, progress=lambda *_: None)
        assert capsys.readouterr() == ("", "")
