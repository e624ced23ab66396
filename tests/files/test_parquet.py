"""The one-table container: ordinary Parquet, sealed against every changed byte."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, FormatError, index, load, tags
from checkpoints._files.parquet import ParquetFile, _sealed, to_parquet
from checkpoints._kinds import json_bytes
from checkpoints.errors import CorruptFileError
from checkpoints.storage import LocalFile

pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read and written by it")
parquet = pytest.importorskip("pyarrow.parquet", reason="a part of pyarrow")

SOURCES = str(Path(checkpoints.__file__).parents[1])
HEADER = {"checkpoints": 1, "text": "ü", "numbers": [1, 2]}
TEXT = json_bytes.to_bytes(HEADER)
# What the seal of a file looks like before it is taken, and after.
MARK = "crc32:00000000:00000000"
OTHER = "crc32:01234567:89abcdef"
KEYED = f"checkpoints.crc32 {OTHER} " * 50
SEAL = re.compile(rb"crc32:[0-9a-f]{8}:[0-9a-f]{8}")
COMPRESSIONS = [None, "zstd", "gzip"]

WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None
sys.path.insert(0, sys.argv[1])
import checkpoints
(entry,) = checkpoints.index(sys.argv[2])
print(entry.name)
for attempt in (entry.load, lambda: entry.meta):
    try:
        attempt()
    except checkpoints.MissingDependencyError as error:
        print("pip install pyarrow" in str(error))
"""

LOAD = """
import sys
sys.path.insert(0, sys.argv[2])
import checkpoints
try:
    checkpoints.load(sys.argv[1])
except checkpoints.CorruptFileError as error:
    print(repr(error))
"""


class InMemory:
    """A file that is not on the disk."""

    path = "memory.ckpt.parquet"

    def __init__(self, data):
        self.data = data
        self.size = len(data)

    def read_into(self, offset, buffer):
        part = self.data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    def map(self):
        return self.data


def categorical():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"x": pandas.Categorical([1, 2, 1])})


def union():
    kinds = pyarrow.array([0, 1], pyarrow.int8())
    children = [pyarrow.array([1, 2]), pyarrow.array(["a", "b"])]
    return pyarrow.table({"x": pyarrow.UnionArray.from_sparse(kinds, children)})


def run_ends():
    ends = pyarrow.array([2, 3], pyarrow.int32())
    values = pyarrow.array([1.5, 2.5])
    return pyarrow.table({"x": pyarrow.RunEndEncodedArray.from_arrays(ends, values)})


CHANGED = {
    "a categorical of numbers": categorical,
    "a union": union,
    "run-end encoded": run_ends,
}


@pytest.fixture
def table():
    return pyarrow.table({"n": [1, 2, None], "text": ["a", None, "ü"]})


def opened(data):
    """Return the header and the table of a file, with everything checked."""
    file = ParquetFile(InMemory(data))
    return json_bytes.from_bytes(file.header_bytes()), file.read()


class TestRoundTrip:
    @pytest.mark.parametrize("compression", COMPRESSIONS)
    def test_the_table_and_the_header_come_back(self, table, compression):
        header, found = opened(to_parquet(table, TEXT, compression))
        assert header == HEADER
        assert found.equals(table)

    @pytest.mark.parametrize("compression", COMPRESSIONS)
    def test_any_other_reader_sees_the_table_and_the_header(
        self, table, compression, tmp_path
    ):
        path = tmp_path / "a.parquet"
        path.write_bytes(to_parquet(table, TEXT, compression))
        assert parquet.read_table(path).equals(table)
        metadata = parquet.read_metadata(path)
        assert json.loads(metadata.metadata[b"checkpoints"]) == HEADER
        used = (compression or "uncompressed").upper()
        assert metadata.row_group(0).column(1).compression == used

    @pytest.mark.parametrize(
        "columns",
        [{}, {"n": []}, {"n": list(range(200_000))}],
        ids=["none", "no", "many"],
    )
    def test_tables_of_every_size_come_back(self, columns):
        given = pyarrow.table(columns)
        assert opened(to_parquet(given, TEXT, None))[1].equals(given)

    @pytest.mark.parametrize("metadata", [{}, {OTHER: MARK}, {MARK: OTHER}])
    def test_a_table_that_looks_like_a_seal_comes_back(self, metadata):
        given = pyarrow.table({MARK: [MARK, OTHER], OTHER: [OTHER, MARK]})
        given = given.replace_schema_metadata(metadata)
        found = opened(to_parquet(given, TEXT, None))[1]
        assert found.equals(given)
        assert found.schema.metadata == given.schema.metadata

    @pytest.mark.parametrize(
        "header", [{"text": MARK}, {"text": OTHER}, {MARK: OTHER}, {KEYED: [KEYED]}]
    )
    def test_a_header_that_looks_like_a_seal_comes_back(self, table, header):
        assert opened(to_parquet(table, json_bytes.to_bytes(header), None))[0] == header

    def test_a_table_full_of_seals_with_their_key_comes_back(self):
        given = pyarrow.table({KEYED: [KEYED, None]})
        header, found = opened(to_parquet(given, TEXT, None))
        assert header == HEADER
        assert found.equals(given)

    @pytest.mark.parametrize(
        "metadata",
        [{KEYED: KEYED}, {"checkpoints.crc32": OTHER}, {"checkpoints": "{}"}],
        ids=["full", "seal", "header"],
    )
    def test_a_table_whose_metadata_look_like_ours_comes_back(self, table, metadata):
        given = table.replace_schema_metadata(metadata)
        header, found = opened(to_parquet(given, TEXT, None))
        assert header == HEADER
        assert found.equals(given)

    def test_the_header_alone_can_be_read(self, table, tmp_path):
        path = tmp_path / "a.parquet"
        path.write_bytes(to_parquet(table, TEXT, None))
        with LocalFile(str(path)) as file:
            found = ParquetFile(file).header_bytes()
        assert json_bytes.from_bytes(found) == HEADER


class TestDamage:
    @pytest.mark.parametrize("compression", COMPRESSIONS)
    def test_every_changed_byte_is_found(self, table, compression):
        data = to_parquet(table, TEXT, compression)
        silent = []
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            try:
                opened(bytes(changed))
                silent.append(at)
            except CorruptFileError:
                pass
        assert silent == []

    def test_every_changed_byte_of_a_file_is_a_damaged_file(self, table, tmp_path):
        FileHandler(tmp_path, format="parquet").checkpoint("pq.damage", table)
        path = tmp_path / "pq/damage.ckpt.parquet"
        data = path.read_bytes()
        for at in range(0, len(data), 7):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            path.write_bytes(changed)
            with pytest.raises(CorruptFileError, match=r"damage\.ckpt"):
                load(path)

    def test_what_no_reader_understands_is_a_damaged_file(self, table, tmp_path):
        """Even if a forged file has correct checksums."""
        FileHandler(tmp_path, format="parquet").checkpoint("pq.made", table)
        path = tmp_path / "pq/made.ckpt.parquet"
        data = bytearray(path.read_bytes())
        start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        data[4:start] = bytes(start - 4)
        mark = SEAL.findall(data)[-1]
        path.write_bytes(_sealed(data, mark))
        with pytest.raises(CorruptFileError, match="cannot be read") as told:
            load(path)
        assert str(path) in str(told.value)

    def test_columns_that_contradict_themselves_are_damage(self, table, tmp_path):
        """pyarrow's own view of such metadata would end the process."""
        FileHandler(tmp_path, format="parquet").checkpoint("pq.made", table)
        path = tmp_path / "pq/made.ckpt.parquet"
        data = path.read_bytes()
        # Two counts of values by level become one, which is stored in two bytes.
        changed = bytearray(re.sub(rb"\x19\x26\x02\x04", b"\x19\x16\x84\x00", data))
        assert changed != data
        path.write_bytes(_sealed(changed, SEAL.findall(data)[-1]))
        done = subprocess.run(
            [sys.executable, "-c", LOAD, path, SOURCES],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "CorruptFileError" in done.stdout, done.stderr
        assert str(path) in done.stdout

    def test_every_shorter_file_is_found_cut(self, table):
        data = to_parquet(table, TEXT, None)
        for length in range(len(data)):
            with pytest.raises(CorruptFileError):
                opened(data[:length])

    @pytest.mark.parametrize("more", [b"\0", b"PAR1", b"\0\0\0\0PAR1", b"x" * 500])
    def test_bytes_before_or_behind_are_found(self, table, more):
        data = to_parquet(table, TEXT, None)
        for changed in (more + data, data + more):
            with pytest.raises(CorruptFileError):
                opened(changed)

    def test_another_programs_parquet_is_no_checkpoint(self, table):
        for metadata in (None, {"checkpoints": "{}"}, {"checkpoints": "{"}):
            sink = pyarrow.BufferOutputStream()
            given = table.replace_schema_metadata(metadata)
            parquet.write_table(given, sink)
            with pytest.raises(CorruptFileError, match="without a checkpoint header"):
                opened(sink.getvalue().to_pybytes())


class TestFiles:
    def test_a_saved_table_is_found_and_loaded_with_its_header(self, table, tmp_path):
        day = datetime.date(2024, 2, 29)
        with tags(day=day):
            FileHandler(tmp_path, format="parquet").checkpoint("pq.table", table)
        (entry,) = index(tmp_path)
        assert entry.path.endswith("day=2024-02-29/pq/table.ckpt.parquet")
        assert entry.load()["data"].equals(table)
        assert entry.load("data")["data"].equals(table)
        assert entry.meta["tags"] == (("day", day),)
        assert entry.meta["values"]["data"]["kind"] == "pyarrow.Table"

    def test_a_tree_of_them_is_read_in_place_with_the_tags_as_columns(
        self, table, tmp_path
    ):
        dataset = pytest.importorskip("pyarrow.dataset", reason="it reads trees")
        for model in ("ridge", "lasso"):
            with tags(model=model):
                FileHandler(tmp_path, format="parquet").checkpoint("pq.tree", table)
        found = dataset.dataset(tmp_path, partitioning="hive").to_table()
        assert found.num_rows == 2 * table.num_rows
        assert set(found["model"].to_pylist()) == {"ridge", "lasso"}

    @pytest.mark.parametrize("value", [3, "text", [1, 2], None, {"a": {"b": 1}}])
    def test_what_is_no_table_is_told_with_the_way_out(self, value, tmp_path):
        handler = FileHandler(tmp_path, format="parquet")
        with pytest.raises(FormatError, match="format='zip'"):
            handler.checkpoint("pq.other", value)
        assert list(tmp_path.rglob("*.*")) == []

    def test_tags_and_values_that_look_like_seals_are_saved_and_loaded(
        self, table, tmp_path
    ):
        with tags(("day", KEYED), ("day", KEYED)):
            FileHandler(tmp_path, format="parquet").checkpoint(
                "pq.seals", {KEYED: table}
            )
        (entry,) = index(tmp_path)
        assert entry.meta["tags"] == (("day", KEYED), ("day", KEYED))
        assert entry.load()[KEYED].equals(table)

    @pytest.mark.parametrize("make", CHANGED.values(), ids=CHANGED)
    def test_what_parquet_would_change_is_told_with_the_way_out(self, make, tmp_path):
        handler = FileHandler(tmp_path, format="parquet")
        with pytest.raises(FormatError, match="format='zip'") as told:
            handler.checkpoint("pq.changed", make())
        assert "pq.changed" in str(told.value)
        assert list(tmp_path.rglob("*.*")) == []

    def test_two_tables_are_one_too_many(self, table, tmp_path):
        handler = FileHandler(tmp_path, format="parquet")
        with pytest.raises(FormatError, match="one table"):
            handler.checkpoint("pq.two", one=table, other=table)

    def test_a_value_that_the_file_does_not_hold_is_told(self, table, tmp_path):
        FileHandler(tmp_path, format="parquet").checkpoint("pq.names", table)
        with pytest.raises(LookupError, match="'dato'"):
            load(tmp_path / "pq/names.ckpt.parquet", "dato")

    def test_without_pyarrow_the_index_works_and_loading_says_what_to_install(
        self, table, tmp_path
    ):
        FileHandler(tmp_path, format="parquet").checkpoint("pq.missing", table)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_PYARROW, SOURCES, tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "pq.missing\nTrue\nTrue\n", done.stderr
