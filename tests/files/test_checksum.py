"""CRC-32: the same checksum from every implementation, in one thread or in two."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checkpoints
from checkpoints._files import checksum
from checkpoints._files.checksum import SLICE, Checksum, allocate, crc32_of

SOURCES = Path(checkpoints.__file__).parents[1]

buffers = st.lists(
    st.binary(max_size=100).flatmap(
        lambda data: st.sampled_from([data, bytearray(data), memoryview(data)])
    ),
    max_size=5,
)

BLOCKED = """
import sys
sys.modules["zlib_ng"] = None
sys.path.insert(0, sys.argv[1])
import zlib
from checkpoints._files import checksum
assert checksum._crc32() is zlib.crc32
data = bytes(range(256)) * (1 << 14)
with checksum.Checksum(len(data)) as checksum:
    checksum.feed(data)
assert checksum.result() == zlib.crc32(data)
print("the same")
"""


class TestOfBuffers:
    def test_it_is_the_one_that_zip_files_have(self):
        assert crc32_of([b"123456789"]) == 0xCBF43926
        assert crc32_of([]) == crc32_of([b""]) == 0

    @given(buffers)
    def test_it_does_not_depend_on_how_the_bytes_are_cut(self, chunks):
        assert crc32_of(chunks) == zlib.crc32(b"".join(chunks))


class TestBesideTheWork:
    @pytest.mark.parametrize("size", [0, 1, SLICE - 1, SLICE, SLICE + 1, 5 * SLICE + 7])
    @pytest.mark.parametrize("announced", [0, 1 << 30])
    def test_it_is_the_same_with_and_without_a_thread(self, size, announced):
        data = random.Random(size).randbytes(size)
        checksum = Checksum(announced)
        checksum.feed(data[: size // 3])
        checksum.feed(memoryview(data)[size // 3 :])
        assert checksum.result() == zlib.crc32(data)

    @pytest.mark.parametrize("announced", [0, 1 << 30])
    def test_it_may_be_asked_for_twice_and_ends_its_thread(self, announced):
        before = {*threading.enumerate()}
        with Checksum(announced) as checksum:
            checksum.feed(b"123456789")
        assert checksum.result() == checksum.result() == 0xCBF43926
        assert {*threading.enumerate()} <= before

    def test_an_error_beside_it_ends_its_thread(self):
        before = {*threading.enumerate()}
        with pytest.raises(OSError, match="mine"), Checksum(1 << 30):
            raise OSError("mine")
        assert {*threading.enumerate()} <= before

    def test_it_is_taken_all_the_same_where_no_thread_can_start(self, monkeypatch):
        def refuse(thread):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        checksum = Checksum(1 << 30)
        checksum.feed(b"123456789")
        assert checksum.result() == 0xCBF43926


class TestImplementations:
    def test_zlib_ng_counts_as_zlib_does(self):
        pytest.importorskip("zlib_ng", reason="it is one of the two")
        assert checksum._crc32() is not zlib.crc32
        for size in (0, 1, 63, 64, 65, 1000, 100_003):
            data = random.Random(size).randbytes(size)
            assert checksum._crc32()(data, 5) == zlib.crc32(data, 5)

    def test_without_zlib_ng_there_is_zlib(self):
        done = subprocess.run(
            [sys.executable, "-c", BLOCKED, SOURCES],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "the same\n", done.stderr


class TestMemory:
    @pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
    def test_it_is_of_the_size_asked_for_and_writable_bytes(self, size):
        memory = allocate(size)
        assert (len(memory), memory.format, memory.readonly) == (size, "B", False)
        memory[:] = b"x" * size
        assert bytes(memory[-2:]) == b"xx"[:size]
