"""The contract of a store: one in memory does all that a folder does."""

from __future__ import annotations

import os

import pytest
from memory_store import DISK, MemoryStore

import checkpoints
from checkpoints import FileHandler, index, load, tags, verify
from checkpoints.storage import _stores
from checkpoints.storage._store import gathered


@pytest.fixture
def root(monkeypatch, tmp_path):
    """A root in memory, and no folder that anything could be written to instead."""
    monkeypatch.setitem(_stores._OPENERS, "memory", MemoryStore)
    monkeypatch.chdir(tmp_path)
    DISK.clear()
    yield "memory://bucket/a"
    assert list(tmp_path.iterdir()) == []


def save_days(root, **options):
    handler = FileHandler(root, **options)
    for day in (9, 10, 11):
        with tags(day=day):
            handler.checkpoint("shop.total", day * 100)
            handler.checkpoint("shop.text", "some text" * day)


class TestMemoryStore:
    def test_what_is_saved_is_found_and_loaded(self, root):
        save_days(root)
        found = index(root).where("shop.total").sort("day")
        assert [entry.load()["data"] for entry in found] == [900, 1000, 1100]
        assert found[0].path == "memory://bucket/a/day=9/shop/total.ckpt.zip"
        assert found[0].meta["tags"] == (("day", 9),)
        assert load(found[0].path) == load(found[0]) == {"data": 900}

    def test_folders_that_a_filter_rules_out_are_not_entered(self, root, monkeypatch):
        save_days(root)
        walk = MemoryStore.walk
        seen = []

        def watched(store, enters, on_error):
            for folder, files in walk(store, enters, on_error):
                seen.append(folder)
                yield folder, files

        monkeypatch.setattr(MemoryStore, "walk", watched)
        assert len(index(root).where("other.name")) == 0
        assert seen == []

    @pytest.mark.parametrize(
        ("if_exists", "expected"), [("replace", [2]), ("keep", [1, 2]), ("skip", [1])]
    )
    def test_a_key_that_is_there_is_dealt_with(self, root, if_exists, expected):
        handler = FileHandler(root, if_exists=if_exists)
        for number in (1, 2):
            handler.checkpoint("shop.total", number)
        assert [entry.load()["data"] for entry in index(root)] == expected

    def test_an_error_names_the_url(self, root):
        handler = FileHandler(root, if_exists="error")
        handler.checkpoint("shop.total", 1)
        with pytest.raises(checkpoints.AlreadyStoredError, match="memory://bucket/a/s"):
            handler.checkpoint("shop.total", 2)
        with pytest.raises(FileNotFoundError) as told:
            load(f"{root}/shop/total")
        assert told.value.__notes__ == [f"did you mean '{root}/shop/total.ckpt.zip'?"]
        with pytest.raises(FileNotFoundError):
            index("memory://bucket/b")

    def test_saves_in_the_background_arrive(self, root):
        handler = FileHandler(root, background=True)
        handler.checkpoint("shop.total", 1)
        handler.close()
        assert index(root)[0].load() == {"data": 1}

    def test_places_in_the_root_are_filled_in(self, root):
        handler = FileHandler(f"{root}/{{run}}")
        handler.checkpoint("shop.total", 1)
        assert handler.folder == f"{root}/{os.environ['CHECKPOINTS_RUN']}"
        assert len(index(handler.folder)) == 1

    def test_verify_reads_every_byte(self, root):
        save_days(root)
        assert (verify(root).checked, verify(root).ok) == (6, True)
        path = index(root)[-1].path
        data, moment = DISK[path]
        DISK[path] = data[:70] + bytes([data[70] ^ 1]) + data[71:], moment
        ((damaged, _),) = verify(root).damaged
        assert damaged == path

    def test_tables_are_made_of_all_files(self, root):
        pytest.importorskip("pyarrow", reason="tables are made by it")
        save_days(root)
        found = index(root)
        table = found.to_arrow(details=True)
        assert table["size"].to_pylist() == [len(DISK[it.path][0]) for it in found]
        assert table["time"].null_count == table["error"].null_count - 6 == 0
        joined = found.where("shop.total").concat("data", to="arrow")
        assert sorted(joined["data"].to_pylist()) == [900, 1000, 1100]

    def test_an_array_that_was_to_be_mapped_is_read(self, root):
        numpy = pytest.importorskip("numpy")
        FileHandler(root).checkpoint("shop.prices", numpy.arange(1000))
        found = index(root)[0].load(mmap=True)["data"]
        assert found.tolist() == list(range(1000))

    def test_a_parquet_file_is_read_as_well(self, root):
        pyarrow = pytest.importorskip("pyarrow")
        table = pyarrow.table({"x": [1, 2]})
        FileHandler(root, format="parquet").checkpoint("shop.table", table)
        assert index(root)[0].load()["data"].equals(table)
        assert verify(root).ok


class TestGathered:
    def test_pieces_become_buffers_in_order_that_are_no_copies(self):
        large = bytearray(b"large")
        pieces = iter([(4, memoryview(large)), (0, b"abcd"), (11, b"end")])
        buffers = gathered(pieces, 16)
        assert b"".join(buffers) == b"abcdlarge\0\0end\0\0"
        large[:] = b"other"
        assert bytes(buffers[1]) == b"other"

    def test_an_empty_file_is_one_empty_buffer(self):
        assert gathered(iter(()), 0) == [b""]
