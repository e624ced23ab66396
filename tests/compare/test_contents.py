"""The values of a file that is open, one after the other."""

from __future__ import annotations

import pytest

from checkpoints import FileHandler, TooLargeError
from checkpoints._compare.contents import Contents
from checkpoints._index.entry import entry_at, source_of


class Counting:
    """A file that counts how often it is read."""

    def __init__(self, file):
        self.path, self.name, self.size = file.path, file.name, file.size
        self.map, self._file = file.map, file
        self.count = 0

    def read_into(self, offset, buffer):
        self.count += 1
        return self._file.read_into(offset, buffer)


@pytest.fixture
def entry(tmp_path):
    def entry(**values):
        FileHandler(tmp_path).checkpoint("a", **values)
        return entry_at(tmp_path / "a.ckpt.zip")

    return entry


class TestHeader:
    def test_is_read_once_however_many_values_there_are(self, entry):
        values = {f"v{number}": number for number in range(50)}
        with source_of(entry(**values)) as file:
            source = Counting(file)
            contents = Contents(source, trusted=False, memory=1 << 20)
            source.count = 0
            assert {name: contents.load(name) for name in contents.names} == values
            assert source.count == 0


class TestMemory:
    def test_is_that_of_one_value_and_not_of_all(self, entry):
        values = {name: bytes(300_000) for name in "abcde"}
        with source_of(entry(**values)) as file:
            contents = Contents(file, trusted=False, memory=1 << 20)
            assert {name: contents.load(name) for name in contents.names} == values

    def test_of_a_value_that_is_too_large_leaves_the_next_ones(self, entry):
        with source_of(entry(a=1, b=bytes(2_000_000), c=bytes(300_000))) as file:
            contents = Contents(file, trusted=False, memory=1 << 20)
            with pytest.raises(TooLargeError):
                contents.load("b")
            assert contents.load("c") == bytes(300_000)
