"""Compressed members: smaller or left alone, and never larger than declared."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import checkpoints
from checkpoints import ConfigError, FileHandler, load
from checkpoints._files.compression import DEFLATE, STORED, ZSTD, compress, decompress

SOURCES = Path(checkpoints.__file__).parents[1]
MIB = 1 << 20

WITHOUT_ZSTD = """
import sys, tempfile
sys.modules["zstandard"] = None
sys.modules["compression"] = None
sys.path.insert(0, sys.argv[1])
import checkpoints
root = tempfile.mkdtemp()
for attempt in (
    lambda: checkpoints.FileHandler(root, compression="zstd"),
    lambda: checkpoints.config("a", root, compression="zstd"),
    lambda: checkpoints.load(sys.argv[2]),
):
    try:
        attempt()
    except checkpoints.MissingDependencyError as error:
        assert isinstance(error, ImportError)
        way_out = "pip install zstandard, or use compression='gzip'"
        assert way_out in str(error), error
    else:
        raise SystemExit("nothing was raised")
checkpoints.FileHandler(root, compression="gzip").checkpoint("a", "b" * 1000)
assert checkpoints.load(root + "/a.ckpt.zip") == {"data": "b" * 1000}
print("told", checkpoints.load(sys.argv[2], "small"))
"""


@pytest.fixture(params=["gzip", "zstd"])
def name(request):
    if request.param == "zstd":
        pytest.importorskip("zstandard", reason="below 3.14, zstd is a package")
    return request.param


def packed(chunks, name):
    """Return the method and the compressed bytes."""
    made = compress(chunks, sum(map(len, chunks)), name)
    assert made is not None
    method, parts = made
    return method, b"".join(parts)


def texts(size, letters=b"ab", seed=0):
    """Bytes that compress, but not to almost nothing."""
    return bytes(random.Random(seed).choices(letters, k=size))


class TestRoundTrip:
    @settings(max_examples=50)
    @given(
        st.sampled_from(["gzip", "zstd"]),
        st.lists(st.integers(0, 3000), min_size=1, max_size=5),
        st.integers(1, 5),
    )
    def test_what_was_packed_comes_back(self, name, sizes, letters):
        if name == "zstd":
            pytest.importorskip("zstandard", reason="below 3.14, zstd is a package")
        chunks = [texts(size, b"abcde"[:letters], seed=size) for size in sizes]
        whole = b"".join(chunks)
        made = compress(chunks, len(whole), name)
        if made is not None:
            method, parts = made
            found = decompress(io.BytesIO(b"".join(parts)), len(whole), method)
            assert found is not None
            assert bytes(found) == whole

    @pytest.mark.parametrize("size", [4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB + 5])
    def test_what_is_read_in_several_steps_comes_back(self, name, size):
        method, data = packed([texts(1000), bytes(size - 1000)], name)
        found = decompress(io.BytesIO(data), size, method)
        assert found is not None
        assert bytes(found) == texts(1000) + bytes(size - 1000)

    def test_zeros_of_any_length_around_a_step_come_back(self, name):
        """A decompressor may hold back the last bytes when its input ends."""
        lost = []
        for size in range(4 * MIB - 1, 4 * MIB + 9):
            method, data = packed([bytes(size)], name)
            if decompress(io.BytesIO(data), size, method) is None:
                lost.append(size)
        assert lost == []

    def test_a_file_with_zeros_of_such_a_length_can_be_loaded(self, name, tmp_path):
        zeros = bytes(4 * MIB + 1)
        FileHandler(tmp_path, compression=name).checkpoint("zeros", data=zeros)
        assert load(tmp_path / "zeros.ckpt.zip") == {"data": zeros}

    def test_each_name_is_a_method_of_zip(self):
        assert (STORED, DEFLATE, ZSTD) == (0, 8, 93)
        method, data = packed([bytes(1000)], "gzip")
        assert method == DEFLATE
        assert zlib.decompress(data, wbits=-15) == bytes(1000)

    def test_what_comes_back_is_writable(self, name):
        method, data = packed([bytes(1000)], name)
        found = decompress(io.BytesIO(data), 1000, method)
        assert found is not None
        assert not found.readonly


class TestNotWorthIt:
    @pytest.mark.parametrize("size", [0, 1, 100, 300, 100_000])
    def test_noise_and_little_are_left_alone(self, name, size):
        data = random.Random(1).randbytes(size)
        assert compress([data], size, name) is None

    def test_such_a_value_is_stored_and_loads(self, name, tmp_path):
        noise = random.Random(1).randbytes(5000)
        FileHandler(tmp_path, compression=name).checkpoint(
            "noise", data=noise, text="t"
        )
        assert load(tmp_path / "noise.ckpt.zip") == {"data": noise, "text": "t"}

    @pytest.mark.parametrize("wrong", ["lzma", "", "GZIP", 1, True, []])
    def test_a_name_that_is_not_known_is_told(self, wrong, tmp_path):
        with pytest.raises(ConfigError, match="'zstd' or 'gzip'"):
            FileHandler(tmp_path, compression=wrong)


class TestUntruth:
    @pytest.mark.parametrize("declared", [0, 1, 999, 1001, 5000, 1 << 40])
    def test_a_size_that_is_not_the_data_gives_nothing(self, name, declared):
        method, data = packed([bytes(1000)], name)
        assert decompress(io.BytesIO(data), declared, method) is None

    def test_a_bomb_goes_off_in_no_more_memory_than_it_declares(self, name):
        method, data = packed([bytes(64 * MIB)], name)
        tracemalloc.start()
        try:
            assert decompress(io.BytesIO(data), 1000, method) is None
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()

    def test_what_declares_much_and_holds_little_takes_little_memory(self, name):
        method, data = packed([bytes(1000)], name)
        tracemalloc.start()
        try:
            assert decompress(io.BytesIO(data), 1 << 50, method) is None
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()

    def test_data_cut_short_gives_nothing_or_all(self, name):
        whole = texts(5000)
        method, data = packed([whole], name)
        for length in range(0, len(data), 7):
            assert decompress(io.BytesIO(data[:length]), 5000, method) in (None, whole)

    def test_noise_gives_nothing(self, name):
        method = {"gzip": DEFLATE, "zstd": ZSTD}[name]
        for size in range(100):
            data = random.Random(size).randbytes(size)
            assert decompress(io.BytesIO(data), 1000, method) is None

    @pytest.mark.parametrize("method", [1, 9, 12, 14, 95, 99, 65535])
    def test_a_method_that_is_not_ours_gives_nothing(self, method):
        assert decompress(io.BytesIO(b"abc"), 3, method) is None


class TestMissingLibrary:
    def test_without_zstd_saving_and_loading_say_what_to_install(self, tmp_path):
        pytest.importorskip("zstandard", reason="a file that needs it is made first")
        handler = FileHandler(tmp_path, compression="zstd")
        handler.checkpoint("packed", small="s", large="l" * 1000)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_ZSTD, SOURCES, tmp_path / "packed.ckpt.zip"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "told {'small': 's'}\n", done.stderr
