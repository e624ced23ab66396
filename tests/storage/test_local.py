"""Storage: a file is there completely or not at all, and nothing else is left."""

from __future__ import annotations

import errno
import ntpath
import os
import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import checkpoints
from checkpoints import UnknownOutcomeError
from checkpoints.storage import _folder, _local, _temporary
from checkpoints.storage._local import LocalStore

SOURCES = str(Path(checkpoints.__file__).parents[1])

# Says that it is ready, waits for a byte, then races for a name.
RACER = """
import sys
sys.path.insert(0, sys.argv[1])
from checkpoints.storage import LocalStore
store = LocalStore(sys.argv[2])
text = sys.argv[3].encode() * 3
names = sys.argv[4].split()
print("ready", flush=True)
sys.stdin.readline()
try:
    print(store.put(names, [(0, text)], len(text)))
except FileExistsError:
    print("late")
"""

WITH_A_LIMIT = """
import errno, resource, sys
sys.path.insert(0, sys.argv[1])
from checkpoints.storage import LocalStore
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
store = LocalStore(sys.argv[2])
for size in (2000, 3 << 20):
    try:
        store.put(["a/b.txt"], [(0, bytes(size))], size)
    except OSError as error:
        print(errno.errorcode[error.errno])
print(store.put(["small.txt"], [(0, b"x")], 1))
"""


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path / "root"))


def put(store, name, text="text", **options):
    data = text.encode()
    names = [name] if isinstance(name, str) else name
    return store.put(names, [(0, data)], len(data), **options)


def read(store, name):
    return Path(store.path_of(name)).read_text()


def files_under(folder):
    """Every file, including those that the store does not list."""
    return sorted(
        str(path.relative_to(folder))
        for path in Path(folder).rglob("*")
        if not path.is_dir()
    )


def open_handles():
    """The number of open files of this process, if the system reports it."""
    return len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else None


class TestPut:
    def test_the_file_and_its_folders_are_made(self, store):
        assert put(store, "a/b/c.txt") == "a/b/c.txt"
        assert read(store, "a/b/c.txt") == "text"
        assert files_under(store.root) == ["a/b/c.txt"]

    def test_pieces_may_come_in_any_order(self, store):
        pieces = [(6, memoryview(b"third")), (0, b"one"), (3, bytearray(b"two"))]
        store.put(["a.txt"], pieces, 11)
        assert read(store, "a.txt") == "onetwothird"

    @pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, 3_000_001])
    def test_files_of_every_size_are_of_that_size(self, store, size):
        store.put(["a.bin"], [(0, b"x" * size)] if size else [], size)
        assert Path(store.path_of("a.bin")).read_bytes() == b"x" * size

    def test_a_name_that_is_taken_is_left_as_it_is(self, store):
        put(store, "a.txt", "first")
        with pytest.raises(FileExistsError):
            put(store, "a.txt", "second")
        assert read(store, "a.txt") == "first"
        assert files_under(store.root) == ["a.txt"]

    def test_the_first_free_name_is_taken(self, store):
        names = ["a.txt", "b.txt", "c.txt"]
        assert [put(store, names, text) for text in "123"] == names
        with pytest.raises(FileExistsError):
            put(store, names, "4")
        assert [read(store, name) for name in names] == ["1", "2", "3"]
        assert files_under(store.root) == names

    def test_replacing_takes_the_first_name_in_any_case(self, store):
        assert put(store, ["a.txt", "b.txt"], "1", replace=True) == "a.txt"
        assert put(store, ["a.txt", "b.txt"], "2", replace=True) == "a.txt"
        assert read(store, "a.txt") == "2"
        assert files_under(store.root) == ["a.txt"]

    def test_who_reads_while_it_is_replaced_has_the_old_file_whole(self, store):
        put(store, "a.txt", "old")
        with store.open("a.txt") as file:
            put(store, "a.txt", "newer", replace=True)
            buffer = bytearray(3)
            assert file.read_into(0, memoryview(buffer)) == 3
        assert buffer == b"old"

    def test_a_link_under_the_name_is_replaced_and_not_followed(self, store, tmp_path):
        target = tmp_path / "target.txt"
        target.write_text("precious")
        os.makedirs(store.root)
        os.symlink(target, store.path_of("a.txt"))
        with pytest.raises(FileExistsError):
            put(store, "a.txt")
        put(store, "a.txt", replace=True)
        assert target.read_text() == "precious"
        assert not os.path.islink(store.path_of("a.txt"))

    def test_the_usual_permissions_hold(self, store, tmp_path):
        (tmp_path / "ordinary").write_text("")
        put(store, "a.txt")
        ordinary = (tmp_path / "ordinary").stat().st_mode
        assert os.stat(store.path_of("a.txt")).st_mode == ordinary

    def test_it_works_where_there_are_no_links(self, store, monkeypatch):
        def no_links(*_, **__):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", no_links)
        names = ["a.txt", "b.txt"]
        assert [put(store, names, text) for text in "12"] == names
        with pytest.raises(FileExistsError):
            put(store, names, "3")
        assert [read(store, name) for name in names] == ["1", "2"]
        assert files_under(store.root) == names


class TestFailures:
    @pytest.mark.parametrize("replace", [True, False])
    @pytest.mark.parametrize("error", [OSError, ZeroDivisionError, KeyboardInterrupt])
    def test_pieces_that_fail_leave_nothing_behind(self, store, error, replace):
        def pieces():
            yield 0, b"some"
            raise error("mine")

        put(store, "a/old.txt", "old")
        before = open_handles()
        with pytest.raises(error, match="mine"):
            store.put(["a/new.txt"], pieces(), 4, replace=replace)
        with pytest.raises(error, match="mine"):
            store.put(["a/old.txt"], pieces(), 4, replace=True)
        assert files_under(store.root) == ["a/old.txt"]
        assert read(store, "a/old.txt") == "old"
        assert open_handles() == before

    def test_pieces_are_closed_when_writing_fails(self, store, monkeypatch):
        ended = []

        def pieces():
            try:
                yield 0, b"first"
                yield 5, b"second"
            finally:
                ended.append(True)

        def full(handle, buffer, offset):
            raise OSError(errno.ENOSPC, "no room")

        monkeypatch.setattr(_temporary, "_write_at", full)
        # Held here, so that it does not end just because nobody holds it.
        given = pieces()
        with pytest.raises(OSError, match="no room"):
            store.put(["a.txt"], given, 11)
        assert ended == [True]
        assert files_under(store.root) == []

    def test_a_drive_that_is_not_there_is_an_error(self, monkeypatch):
        """As on Windows, where the parent of a drive is the drive itself."""
        asked = []

        def isdir(path):
            asked.append(path)
            assert len(asked) < 100
            return False

        def mkdir(path, mode):
            raise FileNotFoundError(errno.ENOENT, "no such drive", path)

        windows = types.SimpleNamespace(
            path=types.SimpleNamespace(isdir=isdir, dirname=ntpath.dirname),
            mkdir=mkdir,
            strerror=os.strerror,
        )
        monkeypatch.setattr(_folder, "os", windows)
        with pytest.raises(FileNotFoundError, match="no such drive") as told:
            _folder._make_folders("Z:\\out\\run", 0o777)
        assert told.value.filename == "Z:\\"

    def test_a_file_where_a_folder_should_be_is_an_error_and_stays(self, store):
        put(store, "a", "in the way")
        for replace in (True, False):
            for name in ("a/b.txt", "a/b/c.txt"):
                with pytest.raises(OSError):
                    put(store, name, replace=replace)
        assert files_under(store.root) == ["a"]
        assert read(store, "a") == "in the way"

    def test_a_folder_where_the_file_should_be_is_an_error_and_stays(self, store):
        put(store, "a.txt/b.txt")
        for replace in (True, False):
            with pytest.raises(OSError):
                put(store, "a.txt", replace=replace)
        assert files_under(store.root) == ["a.txt/b.txt"]

    def test_a_name_too_long_is_an_error(self, store):
        with pytest.raises(OSError):
            put(store, "a" * 300)
        assert files_under(store.root) == []

    def test_a_disk_without_room_leaves_nothing_behind(self, tmp_path):
        pytest.importorskip("resource", reason="the limit stands for a full disk")
        done = subprocess.run(
            [sys.executable, "-c", WITH_A_LIMIT, SOURCES, tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "EFBIG\nEFBIG\nsmall.txt\n", done.stderr
        assert files_under(tmp_path) == ["small.txt"]


class TestRaces:
    def test_of_many_threads_one_gets_the_name(self, store):
        ready = threading.Barrier(8)

        def race(number):
            ready.wait(10)
            try:
                return put(store, "new/a.txt", str(number) * 1000)
            except FileExistsError:
                return None

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(race, range(8)))
        assert sum(name is not None for name in won) == 1
        winner = next(at for at, name in enumerate(won) if name)
        assert read(store, "new/a.txt") == str(winner) * 1000
        assert files_under(store.root) == ["new/a.txt"]

    def test_threads_that_replace_each_other_leave_one_whole_file(self, store):
        texts = [str(number) * 10_000 for number in range(8)]

        def work(text):
            for _ in range(20):
                put(store, "a.txt", text, replace=True)
                assert read(store, "a.txt") in texts

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, texts))
        assert files_under(store.root) == ["a.txt"]

    @pytest.mark.parametrize(
        ("names", "got"),
        [
            (["one.txt"], ["late"] * 7 + ["one.txt"]),
            ([f"{n}.txt" for n in range(8)], [f"{n}.txt" for n in range(8)]),
        ],
    )
    def test_of_many_processes_each_gets_another_name_or_none(self, store, names, got):
        racers = [
            subprocess.Popen(
                [
                    *(sys.executable, "-c", RACER),
                    *(SOURCES, store.root, str(n), " ".join(names)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(8)
        ]
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.flush()
        told = [racer.communicate(timeout=60)[0].strip() for racer in racers]
        assert sorted(told) == sorted(got)
        for number, name in enumerate(told):
            assert name == "late" or read(store, name) == str(number) * 3
        assert files_under(store.root) == sorted({*told} - {"late"})


class TestDurability:
    @pytest.fixture
    def synced(self, monkeypatch):
        """What was synced, as `"file"` or the path of a folder."""
        done = []
        fsync = os.fsync

        def noting(handle):
            place = os.readlink(f"/proc/self/fd/{handle}")
            done.append(place if os.path.isdir(place) else "file")
            fsync(handle)

        monkeypatch.setattr(os, "fsync", noting)
        if not os.path.isdir("/proc/self/fd"):
            pytest.skip("only Linux tells the path of a handle")
        return done

    @pytest.mark.parametrize("replace", [True, False])
    def test_the_file_is_synced_first_its_own_folder_last_and_all_above_between(
        self, store, synced, tmp_path, replace
    ):
        put(store, "a/b/c.txt", durable=True, replace=replace)
        root = store.root
        assert synced[0] == "file"
        assert set(synced[1:-1]) >= {f"{root}/a", root, str(tmp_path), "/"}
        assert synced[-1] == f"{root}/a/b"

    def test_folders_that_another_save_made_are_synced_too(
        self, store, synced, tmp_path
    ):
        put(store, "a/b.txt")
        assert synced == []
        put(store, "a/c.txt", durable=True)
        root = store.root
        assert set(synced) >= {"file", str(tmp_path), root, f"{root}/a"}

    def test_folders_are_synced_once(self, store, synced):
        put(store, "a/b.txt", durable=True)
        synced.clear()
        put(store, "a/c.txt", durable=True)
        assert synced == ["file", f"{store.root}/a"]

    def test_a_folder_that_is_made_again_is_synced_again(self, store, synced):
        put(store, "a/b.txt", durable=True)
        os.unlink(store.path_of("a/b.txt"))
        os.rmdir(store.path_of("a"))
        synced.clear()
        put(store, "a/b.txt", durable=True)
        assert synced == ["file", store.root, f"{store.root}/a"]

    def test_what_is_remembered_of_many_folders_is_bounded(self, store, monkeypatch):
        monkeypatch.setattr(_local, "_MOST_DURABLE", 8)
        monkeypatch.setattr(_folder, "_MOST_KNOWN", 8)
        monkeypatch.setattr(_folder, "_known", {})
        for number in range(50):
            put(store, f"a/{number}/b.txt", durable=True)
        assert len(store._durable) <= 8
        assert len(_folder._known) <= 8

    def test_an_error_of_the_last_step_says_that_the_file_is_there(
        self, store, monkeypatch
    ):
        put(store, "b.txt", durable=True)
        calls = []

        def fail_later(handle):
            calls.append(handle)
            if len(calls) > 1:
                raise OSError(errno.EIO, "mine")

        monkeypatch.setattr(os, "fsync", fail_later)
        with pytest.raises(UnknownOutcomeError, match="mine") as told:
            put(store, "a.txt", durable=True)
        assert "the file exists, but may not survive a power loss" in str(told.value)
        assert told.value.errno == errno.EIO
        assert told.value.filename == store.path_of("a.txt")
        assert read(store, "a.txt") == "text"

    def test_an_error_before_leaves_nothing_behind(self, store, monkeypatch):
        def fail(handle):
            raise OSError(errno.EIO, "mine")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="mine"):
            put(store, "a.txt", durable=True)
        assert files_under(store.root) == []
