"""The metadata of an Arrow file: read without Arrow, and limited to what we write."""

from __future__ import annotations

import random

import pytest

from checkpoints._kinds.arrow_ipc import cells_in

pyarrow = pytest.importorskip("pyarrow", reason="it writes the files")
pytest.importorskip("numpy", reason="it fills them")

TABLES = {
    "numbers": ({"a": [1, 2, 3]}, 6),
    "nested": ({"a": [[1, 2], [], None], "b": [{"c": 1}] * 3}, 14),
    "dictionary": ({"a": pyarrow.array(["x", "y"]).dictionary_encode()}, 8),
    "nulls": ({"a": pyarrow.nulls(7)}, 14),
    "no rows": ({"a": pyarrow.array([], "int8")}, 0),
    "no columns": ({}, 0),
}


def written(table, **options) -> bytes:
    sink = pyarrow.BufferOutputStream()
    options = pyarrow.ipc.IpcWriteOptions(**options)
    with pyarrow.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


class TestCells:
    @pytest.mark.parametrize("name", TABLES)
    def test_the_rows_of_each_batch_and_of_each_column_are_counted(self, name):
        columns, cells = TABLES[name]
        assert cells_in(memoryview(written(pyarrow.table(columns)))) == cells

    def test_several_batches_are_counted(self):
        table = pyarrow.table({"a": pyarrow.chunked_array([[1, 2], [3]])})
        assert cells_in(memoryview(written(table))) == 6

    def test_what_polars_writes_is_counted(self, tmp_path):
        polars = pytest.importorskip("polars", reason="it writes the file")
        frame = polars.DataFrame({"a": [1, 2], "b": ["x", None]})
        frame.write_ipc(tmp_path / "a", compression="uncompressed")
        assert cells_in(memoryview((tmp_path / "a").read_bytes())) == 6


class TestRefused:
    @pytest.mark.parametrize("compression", ["lz4", "zstd"])
    def test_compressed_buffers(self, compression):
        data = written(pyarrow.table({"a": [0] * 1000}), compression=compression)
        with pytest.raises(
            ValueError, match="buffers of the Arrow file are compressed"
        ):
            cells_in(memoryview(data))

    def test_a_file_cut_at_any_length(self):
        data = written(pyarrow.table({"a": [1, 2, 3]}))
        for length in range(len(data)):
            with pytest.raises(ValueError, match=r"Arrow|batches"):
                cells_in(memoryview(data[:length]))

    def test_whatever_the_bytes_are_there_is_one_sort_of_error(self):
        data = written(pyarrow.table(TABLES["nested"][0]))
        noise, refused = random.Random(1), 0
        for _ in range(3000):
            changed = bytearray(data)
            for _ in range(noise.randrange(1, 4)):
                changed[noise.randrange(len(data))] = noise.choice((0, 1, 127, 255))
            try:
                cells_in(memoryview(changed))
            except ValueError:
                refused += 1
        assert refused > 300
