"""A file's header: its contents, and what happens if it is malformed."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import enum
import json
import os
import socket
import sys
import threading
import uuid
import zipfile
import zoneinfo
from importlib.util import find_spec

import pytest

from checkpoints import (
    Entry,
    FileHandler,
    FormatError,
    Key,
    MissingDependencyError,
    UnknownValueError,
    index,
    load,
    tags,
    verify,
)
from checkpoints._files import container
from checkpoints._files.archive import lay_out
from checkpoints._files.container import FORMAT_VERSION, header_for
from checkpoints._kinds import json_bytes
from checkpoints._process.installation import __version__
from checkpoints._process.origin import Origin
from checkpoints.errors import CorruptFileError
from checkpoints.storage import split_path

ORIGIN = Origin(
    *("run-1", 7, 1_700_000_000.25, "host-1", 42, "MainThread"),
    *("model.py", 12, "Model.fit"),
)
TAGS = (
    ("text", "ü"),
    ("text", "again"),
    ("whole", 3),
    ("large", 10**40),
    ("real", 0.1),
    ("infinite", float("-inf")),
    ("truth", True),
    ("nothing", None),
    ("day", datetime.date(2024, 2, 29)),
    ("moment", datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)),
    ("local", datetime.datetime(2024, 6, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))),
    ("clock", datetime.time(1, 2, 3, 4)),
    ("price", decimal.Decimal("1.50")),
    ("id", uuid.UUID(int=5)),
)


def good_header(**changes):
    header, _ = header_for(Key("a.b", (("t", 1),), ORIGIN), {}, set())
    return json.loads(header) | changes


def read_meta(path):
    store, name = split_path(str(path))
    return Entry(store, (), name).meta


@pytest.fixture
def written(tmp_path):
    """Write an archive with any header, and return its path."""

    def write(header, members=()):
        text = json_bytes.to_bytes(header)
        size, pieces = lay_out(list(members), text, seconds=0)
        data = bytearray(size)
        for offset, piece in pieces:
            data[offset : offset + len(piece)] = piece
        path = tmp_path / "made-up.ckpt.zip"
        path.write_bytes(data)
        return path

    return write


class TestHeader:
    def test_it_has_every_field_and_the_origin_in_them(self):
        text, seconds = header_for(Key("a.b", (("t", 1),), ORIGIN), {}, {"json"})
        assert seconds == 1_700_000_000.25
        assert json.loads(text) == {
            "checkpoints": FORMAT_VERSION,
            "name": "a.b",
            "tags": [["t", 1]],
            "run": "run-1",
            "sequence": 7,
            "host": "host-1",
            "pid": 42,
            "thread": "MainThread",
            "time": "2023-11-14T22:13:20.250000+00:00",
            "site": {"file": "model.py", "line": 12, "function": "Model.fit"},
            "python": ".".join(map(str, sys.version_info[:3])),
            "packages": {"checkpoints": __version__, "json": json.__version__},
            "values": {},
        }

    def test_a_save_tells_where_it_came_from(self, tmp_path):
        before = datetime.datetime.now(datetime.UTC)
        with tags(fold=1):
            FileHandler(tmp_path).checkpoint("container.origin", 1)
        (entry,) = index(tmp_path)
        meta = entry.meta
        assert meta["name"] == "container.origin"
        assert before <= meta["time"] <= datetime.datetime.now(datetime.UTC)
        assert meta["host"] == socket.gethostname()
        assert meta["pid"] == os.getpid()
        assert meta["thread"] == threading.current_thread().name
        assert meta["run"] == os.environ["CHECKPOINTS_RUN"]
        assert os.path.samefile(meta["site"]["file"], __file__)
        assert meta["site"]["function"].endswith("test_a_save_tells_where_it_came_from")
        assert meta["site"]["line"] > 1

    def test_saves_are_numbered_in_their_order(self, tmp_path):
        for name in ("a", "b", "c"):
            FileHandler(tmp_path).checkpoint(f"container.{name}", 1)
        numbers = [entry.meta["sequence"] for entry in index(tmp_path)]
        assert numbers == sorted(set(numbers))

    def test_a_name_of_a_thread_is_that_of_who_called(self, tmp_path):
        save = FileHandler(tmp_path).checkpoint
        thread = threading.Thread(target=save, args=("container.t", 1), name="mine")
        thread.start()
        thread.join()
        assert index(tmp_path)[0].meta["thread"] == "mine"

    def test_tags_come_back_with_their_types(self, tmp_path):
        with tags(*TAGS):
            FileHandler(tmp_path).checkpoint("container.tags", 1)
        found = index(tmp_path)[0].meta["tags"]
        assert found == TAGS
        assert [type(value) for _, value in found] == [type(value) for _, value in TAGS]

    def test_tags_of_other_types_come_back_as_their_texts(self, tmp_path):
        with tags(list=[1, 2], path=tmp_path, kind=int):
            FileHandler(tmp_path).checkpoint("container.texts", 1)
        assert index(tmp_path)[0].meta["tags"] == (
            ("list", "[1, 2]"),
            ("path", str(tmp_path)),
            ("kind", "<class 'int'>"),
        )

    def test_a_member_of_an_enumeration_is_the_text_that_paths_have(self, tmp_path):
        class Stage(int, enum.Enum):
            FIRST = 1

        with tags(stage=Stage.FIRST, number=True):
            FileHandler(tmp_path).checkpoint("container.members", 1)
        (entry,) = index(tmp_path)
        assert entry.meta["tags"] == (("stage", "Stage.FIRST"), ("number", True))
        assert entry.tags["stage"] == "Stage.FIRST"

    def test_a_tag_whose_zone_is_not_known_here_is_a_text(self, tmp_path, monkeypatch):
        moment = datetime.datetime(
            2024, 6, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Kathmandu")
        )
        with tags(n=1, moment=moment):
            FileHandler(tmp_path).checkpoint("container.zones", at=moment, x=2)
        zoneinfo.ZoneInfo.clear_cache(only_keys=["Asia/Kathmandu"])
        zoneinfo.reset_tzpath(to=[])
        for package in ("tzdata", "tzdata.zoneinfo", "tzdata.zoneinfo.Asia"):
            monkeypatch.setitem(sys.modules, package, None)
        try:
            (entry,) = index(tmp_path)
            text = "2024-06-01T00:00:00[Asia/Kathmandu]"
            assert entry.meta["tags"] == (("n", 1), ("moment", text))
            assert entry.load("x") == {"x": 2}
            with pytest.raises(MissingDependencyError, match="tzdata"):
                entry.load("at")
        finally:
            zoneinfo.reset_tzpath()
        assert entry.load()["at"] == moment

    def test_each_value_tells_its_kind_its_bytes_and_its_member(self, tmp_path):
        numpy = pytest.importorskip("numpy", reason="one of the values is an array")
        FileHandler(tmp_path).checkpoint(
            "container.values",
            array=numpy.zeros((2, 3), "<f4"),
            text="ü",
            raw=b"abc",
            plain=(1, 2),
        )
        meta = index(tmp_path)[0].meta
        assert {name: node["kind"] for name, node in meta["values"].items()} == {
            "array": "numpy.ndarray",
            "text": "text",
            "raw": "bytes",
            "plain": "json",
        }
        array = meta["values"]["array"]
        assert (array["dtype"], array["shape"]) == ("<f4", [2, 3])
        assert (array["member"], array["bytes"]) == ("array.npy", 128 + 24)
        assert meta["values"]["text"]["bytes"] == 2
        assert meta["values"]["plain"]["type"] == "tuple"
        assert meta["packages"]["numpy"] == numpy.__version__

    def test_it_is_plain_json_that_any_tool_reads(self, tmp_path):
        with tags(*TAGS):
            FileHandler(tmp_path).checkpoint("container.json", [float("nan")])
        with zipfile.ZipFile(index(tmp_path)[0].path) as file:
            for name in file.namelist():
                text = file.read(name)
                json.loads(text, parse_constant=lambda constant: pytest.fail(constant))

    @pytest.mark.parametrize("text", ["\ud800", "\ud83d\ude00", "\0", "ü", "😀"])
    def test_names_tags_and_value_names_come_back_exactly(self, text, tmp_path):
        with tags({text: text}):
            FileHandler(tmp_path).checkpoint(f"container.{text}", {text: 1})
        (entry,) = index(tmp_path)
        assert entry.meta["name"] == f"container.{text}"
        assert entry.meta["tags"] == ((text, text),)
        assert list(entry.meta["values"]) == [text]
        assert entry.load() == {text: 1}

    def test_two_value_names_of_one_look_are_two_values(self, tmp_path):
        values = {"😀": 1, "\ud83d\ude00": 2, "é": 3, "e\u0301": 4, "A": 5, "a": 6}
        FileHandler(tmp_path).checkpoint("container.looks", values)
        assert index(tmp_path)[0].load() == values


class Toy:
    """A container of one text: its header is the line behind the magic."""

    def __init__(self, source, budget):
        data = bytearray(source.size)
        source.read_into(0, memoryview(data))
        _, self._text, self._value = bytes(data).split(b"\n", 2)

    def header_bytes(self):
        return self._text

    def values(self, names, *, trusted, placeholders, mmap):
        return dict.fromkeys(names, self._value.decode())

    def check(self):
        if b"?" in self._value:
            raise CorruptFileError("a question")


class TestContracts:
    def test_a_container_is_one_class_and_one_line(self, tmp_path, monkeypatch):
        monkeypatch.setitem(container._OPENERS, rb"TOY\n", Toy)
        for name, text in (("a", b"a b c"), ("b", b"why?")):
            line = json_bytes.to_bytes(good_header(values={"v": {"kind": "toy"}}))
            (tmp_path / f"{name}.ckpt.zip").write_bytes(b"TOY\n" + line + b"\n" + text)
        first, second = index(tmp_path)
        assert load(first) == load(first, "v") == {"v": "a b c"}
        assert first.meta["values"] == {"v": {"kind": "toy"}}
        with pytest.raises(UnknownValueError, match="no value 'w'"):
            load(first, "w")
        assert verify(tmp_path).damaged == ((second.path, "a question"),)


class TestLaterVersions:
    @pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 10**30])
    def test_a_file_of_one_says_to_upgrade(self, written, version):
        path = written(good_header(checkpoints=version, values="another layout"))
        for read in (load, read_meta):
            with pytest.raises(FormatError, match="install a later version") as told:
                read(path)
            assert str(version) in str(told.value)
            assert str(path) in str(told.value)


class TestStrangeFiles:
    def assert_corrupt(self, path):
        for read in (load, read_meta):
            with pytest.raises(CorruptFileError) as told:
                read(path)
            assert str(path) in str(told.value)

    def test_the_header_that_the_others_are_made_from_is_a_good_one(self, written):
        path = written(good_header())
        assert load(path) == {}
        assert read_meta(path)["tags"] == (("t", 1),)

    @pytest.mark.parametrize(
        "data", [b"", b"P", b"PK\3\4", b"PAR1", b"text", b"\0" * 99]
    )
    def test_what_is_no_container_is_told(self, data, tmp_path):
        path = tmp_path / "a.ckpt.zip"
        path.write_bytes(data)
        self.assert_corrupt(path)

    @pytest.mark.parametrize("header", [None, 1, "text", [], {}, {"checkpoints": "1"}])
    def test_a_header_that_is_none_is_told(self, written, header):
        self.assert_corrupt(written(header))

    @pytest.mark.parametrize("version", [None, True, 1.0, "1", [1], {}])
    def test_a_version_that_is_no_number_is_told(self, written, version):
        self.assert_corrupt(written(good_header(checkpoints=version)))

    @pytest.mark.parametrize("field", ["name", "tags", "time", "values"])
    def test_a_missing_field_is_told(self, written, field):
        header = good_header()
        del header[field]
        self.assert_corrupt(written(header))

    @pytest.mark.parametrize(
        "tag",
        [
            *(1, None, "ab c", [], ["a"], ["a", 1, 2], [5, 1], [["a"], 1], [None, 1]),
            ["a", {"$int": hex(10**5000)}],
            *(["a", {"$float": "x"}], ["a", {"$int": 1}]),
            *(["a", {"$decimal": "x"}], ["a", {"$timedelta": [1e300, 0, 0]}]),
            *(["a", {"$timedelta": ["x"]}], ["a", {"$date": "tomorrow"}]),
            pytest.param(
                ["a", {"$datetime": ["2024-01-01T00:00:00", "Europe", 0]}],
                marks=pytest.mark.skipif(
                    find_spec("tzdata") is None,
                    reason="without tzdata it may be a zone that is not known here",
                ),
            ),
            ["a", {"$datetime": ["2024-01-01T00:00:00", "../../etc/passwd", 0]}],
            *(["a", {"$set": [[]]}], ["a", {"$bytes": "?"}], ["a", {"$uuid": 3}]),
        ],
        ids=lambda tag: str(tag)[:40],
    )
    def test_a_tag_that_makes_no_sense_is_told(self, written, tag):
        self.assert_corrupt(written(good_header(tags=[tag])))

    def test_a_tag_nested_beyond_measure_is_told(self, written):
        deep = 1
        for _ in range(sys.getrecursionlimit() * 2 // 3):
            deep = [deep]
        path = written(good_header(tags=[["a", deep]]))
        # How deep a reader gets depends on the Python.
        with contextlib.suppress(CorruptFileError):
            assert index(path.parent)[0].meta["tags"] == (("a", deep),)

    @pytest.mark.parametrize("time", [None, 1, "yesterday", [], "2024-13-01"])
    def test_a_time_that_is_none_is_told(self, written, time):
        self.assert_corrupt(written(good_header(time=time)))

    def test_a_time_without_a_zone_is_one_of_utc(self, written):
        found = read_meta(written(good_header(time="2024-01-01T12:00:00")))["time"]
        assert found == datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)

    @pytest.mark.parametrize("name", [None, 1, ["a"]])
    def test_a_name_that_is_no_text_is_told(self, written, name):
        self.assert_corrupt(written(good_header(name=name)))

    @pytest.mark.parametrize(
        "values", [None, 1, [], "x", {"a": None}, {"a": {}}, {"a": {"kind": 1}}]
    )
    def test_values_that_make_no_sense_are_told(self, written, values):
        self.assert_corrupt(written(good_header(values=values)))

    def test_a_strange_file_under_a_name_does_not_hinder_the_next_save(self, tmp_path):
        path = tmp_path / "strange.ckpt.zip"
        for header in ({"checkpoints": 1}, good_header(values=3), {}):
            _, pieces = lay_out([], json_bytes.to_bytes(header), seconds=0)
            path.write_bytes(next(pieces)[1])
            FileHandler(tmp_path).checkpoint("strange", 1)
            assert load(path) == {"data": 1}

    def test_a_header_without_a_run_does_not_hinder_the_next_save(self, tmp_path):
        header = good_header()
        del header["run"]
        _, pieces = lay_out([], json_bytes.to_bytes(header), seconds=0)
        path = tmp_path / "strange.ckpt.zip"
        path.write_bytes(next(pieces)[1])
        FileHandler(tmp_path).checkpoint("strange", 1)
        assert load(path) == {"data": 1}
