"""The headers of many files: read in parallel, in order, including damaged ones."""

from __future__ import annotations

import datetime
import threading
import time
from pathlib import Path

import pytest

from checkpoints import CorruptFileError, FileHandler, FormatError, index, tags
from checkpoints._files.archive import lay_out
from checkpoints._index.headers import Header, ReadOnce, read_headers
from checkpoints._kinds import json_bytes
from checkpoints._process.origin import current_run


@pytest.fixture
def files(tmp_path):
    for number in range(200):
        with tags(number=number):
            FileHandler(tmp_path).checkpoint("a", number)
    return index(tmp_path).sort("number")


def written(path, **changed):
    """Write an intact file with a different header."""
    header = {
        "checkpoints": 1,
        "name": "a",
        "tags": [],
        "time": "2026-03-02T10:00:00+00:00",
        "values": {},
        **changed,
    }
    _, pieces = lay_out([], json_bytes.to_bytes(header), seconds=0)
    path.write_bytes(b"".join(bytes(piece) for _, piece in pieces))
    return path.parent


def headers(files, kept=Header.of):
    return list(read_headers(files._listing, kept))


def header_of(root):
    (header,) = headers(index(root))
    return header


class TestReadHeaders:
    def test_they_come_in_order(self, files):
        found = headers(files, lambda meta: dict(meta["tags"])["number"])
        assert found == list(range(200))

    def test_they_come_in_order_side_by_side(self, files):
        threads = set()

        def slow(meta):
            time.sleep(0.001)
            threads.add(threading.get_ident())
            return dict(meta["tags"])["number"]

        assert headers(files, slow) == list(range(200))
        assert len(threads) > 1

    def test_an_error_stands_in_the_place_of_a_damaged_one(self, files):
        Path(files[1].path).write_bytes(b"nothing of ours")
        Path(files[3].path).unlink()
        kinds = [type(it) for it in headers(files[:5])]
        assert kinds == [Header, CorruptFileError, Header, FileNotFoundError, Header]

    def test_one_of_a_later_version_is_an_error_in_its_place(self, tmp_path):
        found = header_of(written(tmp_path / "a.ckpt.zip", checkpoints=99))
        assert isinstance(found, FormatError)

    def test_one_at_the_end_of_a_large_file_is_found(self, tmp_path):
        FileHandler(tmp_path).checkpoint("a", b"x" * 1_000_000)
        header = header_of(tmp_path)
        assert header.values[0]["bytes"] == 1_000_000

    def test_one_in_a_parquet_file_is_found(self, tmp_path):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"x": [1.5]})
        FileHandler(tmp_path, format="parquet").checkpoint("a", frame)
        header = header_of(tmp_path)
        assert header.values[0]["kind"] == "pandas.DataFrame"


class TestHeader:
    def test_what_makes_no_sense_is_none(self, tmp_path):
        node = {"kind": "x", "dtype": ["a"], "shape": [1, "b"], "bytes": -1}
        path = written(
            tmp_path / "a.ckpt.zip", run=[1], sequence=1 << 63, values={"v": node}
        )
        header = header_of(path)
        assert (header.run, header.sequence) == (None, None)
        assert header.values == [
            {"name": "v", "kind": "x", "dtype": None, "shape": None, "bytes": None}
        ]

    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ("2026-03-02T10:00:00+02:00", datetime.datetime(2026, 3, 2, 8)),
            ("0001-01-01T00:00:00+10:00", None),
        ],
    )
    def test_the_time_is_utc(self, tmp_path, told, expected):
        header = header_of(written(tmp_path / "a.ckpt.zip", time=told))
        utc = expected and expected.replace(tzinfo=datetime.UTC)
        assert header.saved == utc


class TestFilesReadOnce:
    @pytest.fixture
    def once(self):
        return ReadOnce(lambda container: dict(container.header["tags"])["number"])

    def test_are_not_opened_again_for_what_was_kept_of_them(self, files, once):
        runs = {run for run, _ in once.runs(files._listing)}
        for entry in files:
            Path(entry.path).write_bytes(b"")
        assert list(once.extracts(files._listing)) == list(range(200))
        assert runs == {current_run()}

    def test_are_opened_if_their_run_was_not_asked_for(self, files, once):
        list(once.runs(files[::2]._listing))
        assert list(once.extracts(files._listing)) == list(range(200))

    def test_have_their_errors_in_their_places(self, files, once):
        Path(files[3].path).write_bytes(b"")
        for read in (once.runs, once.extracts):
            found = list(read(files._listing))
            assert [isinstance(it, Exception) for it in found].index(True) == 3
            assert len(found) == 200
