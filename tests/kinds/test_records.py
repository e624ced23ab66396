"""Records: dataclasses, named tuples, attrs classes, enumerations, paths."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import pathlib
import pickle
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

import checkpoints
from checkpoints import Record
from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode

SOURCES = str(pathlib.Path(checkpoints.__file__).parents[1])


def written(value):
    encoded = encode({"v": value})
    members = {name: b"".join(chunks) for name, chunks in encoded.members}
    return json.loads(json.dumps(encoded.nodes)), members


def read(nodes, members, *, trusted=False):
    return decode(
        nodes,
        lambda node: memoryview(bytearray(members[node["member"]])),
        trusted=trusted,
        path="file",
    )["v"]


def through(value):
    return read(*written(value))


def is_pickled(value):
    return any(name.endswith(".pickle") for name in written(value)[1])


@dataclasses.dataclass
class Config:
    rate: float
    names: list[str] = dataclasses.field(default_factory=list)
    made: int = dataclasses.field(init=False, default=7)


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: Any
    y: Any


@dataclasses.dataclass
class Loud:
    x: int

    def __post_init__(self):
        if not EXPECTED:
            raise AssertionError("loading must not run the code of a class")


@dataclasses.dataclass
class Derived(Config):
    more: Any = None


class Pair(NamedTuple):
    left: Any
    right: Any


Plain = collections.namedtuple("Plain", "a b")  # noqa: PYI024 - as many people write it


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796 - an alias
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1


class Mode(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


EXPECTED = [True]
VALUES = [
    Config(0.5, ["a"]),
    Point(1, (2, 3)),
    Loud(3),
    Derived(0.1, more=Point(1, 2)),
    Pair(1, [Plain(2, 3)]),
    Colour.RED,
    Colour.CRIMSON,
    Colour.BLUE,
    Level.LOW,
    Mode.READ,
    pathlib.PurePosixPath("a/b"),
    pathlib.PureWindowsPath("C:/a"),
    pathlib.Path("some") / "where",
    {Colour.RED: Point(1, None), Point(1, 2): {Level.LOW}},
]


class TestRecords:
    @pytest.mark.parametrize("value", VALUES, ids=repr)
    def test_it_comes_back_without_trust_and_without_running_its_code(
        self, value, monkeypatch
    ):
        nodes, members = written(value)
        monkeypatch.setattr(sys.modules[__name__], "EXPECTED", [])
        found = read(nodes, members)
        assert type(found) is type(value)
        assert found == value
        assert repr(found) == repr(value)

    def test_a_member_of_an_enumeration_is_itself(self):
        assert through([Colour.RED])[0] is Colour.RED

    def test_fields_have_their_own_kinds(self):
        numpy = pytest.importorskip("numpy", reason="one field is an array")
        nodes, members = written(Point(numpy.arange(3), {"a": numpy.eye(2)}))
        assert set(members) == {"v.json", "v/x.npy", "v/y/a.npy"}
        found = read(nodes, members)
        assert found.x.tolist() == [0, 1, 2]
        assert type(found) is Point

    def test_one_that_is_held_twice_comes_back_as_one(self):
        config = Config(1.0)
        found = through([config, {"a": config}])
        assert found[0] is found[1]["a"]

    def test_classes_of_attrs_are_records(self):
        attrs = pytest.importorskip("attrs", reason="it is about attrs")
        module = sys.modules[__name__]
        module.Attrs = attrs.define(type("Attrs", (), {"__annotations__": {"x": int}}))
        module.Attrs.__module__ = __name__
        found = through(module.Attrs(3))
        assert type(found) is module.Attrs
        assert found.x == 3


class WithState:
    def __getstate__(self):
        return {"x": 1}


@dataclasses.dataclass
class Stateful(WithState):
    x: int


@dataclasses.dataclass
class Deleted:
    x: int

    def __del__(self):
        pass


class Undecorated(Config):
    pass


class Extended(Plain):
    pass


class TestPickled:
    @pytest.mark.parametrize(
        "value",
        [
            Stateful(1),
            Deleted(1),
            Undecorated(1.0),
            Extended(1, 2),
            Mode.READ | Mode.WRITE,
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_does_more_than_hold_fields(self, value):
        assert is_pickled(value)

    def test_a_dataclass_with_another_attribute(self):
        value = Config(1.0)
        value.extra = 3
        assert is_pickled(value)


class TestLocal:
    def test_a_class_without_a_name_of_its_module_is_pickled(self):
        pytest.importorskip("cloudpickle", reason="pickle cannot")

        @dataclasses.dataclass
        class Local:
            x: int

        assert is_pickled(Local(1))
        nodes, members = written([Local(1)])
        assert read(nodes, members, trusted=True) == [Local(1)]


class TestElsewhere:
    """Where the class is not imported, or is another one now."""

    PROGRAM = (
        "import sys, checkpoints\n"
        "value = checkpoints.load(sys.argv[1])['v']\n"
        "print(repr(value))\n"
        "print(value['x'], value.y[0], value.type, dict(value) == {'x': 1, 'y': [2]})\n"
        "assert 'tests.kinds.test_records' not in sys.modules\n"
    )

    def test_a_program_without_the_class_gets_a_record(self, tmp_path):
        checkpoints.FileHandler(tmp_path).checkpoint("records", v=Point(1, [2]))
        done = subprocess.run(
            [sys.executable, "-c", self.PROGRAM, tmp_path / "records.ckpt.zip"],
            env={"PYTHONPATH": SOURCES},
            capture_output=True,
            text=True,
            check=True,
        )
        name = f"{__name__}.Point"
        assert done.stdout == (f"Record('{name}', x=1, y=[2])\n1 2 {name} True\n")

    @pytest.mark.parametrize("value", [Config(1.0), Pair(1, 2), Colour.RED], ids=repr)
    def test_a_class_with_other_fields_is_a_record(self, value, monkeypatch):
        nodes, members = written([value])
        name = type(value).__name__
        other = {
            "Config": dataclasses.make_dataclass("Config", ["rate"]),
            "Pair": collections.namedtuple("Pair", "left"),  # noqa: PYI024 - short
            "Colour": enum.Enum("Colour", {"RED": 2}),
        }[name]
        monkeypatch.setattr(sys.modules[__name__], name, other)
        (found,) = read(nodes, members)
        assert type(found) is Record
        assert found.type == f"{__name__}.{name}"

    @pytest.mark.parametrize(
        "name",
        [["os", "system"], ["subprocess", "Popen"], ["builtins", "dict"], ["x", "y"]],
    )
    def test_a_forged_class_is_a_record(self, name):
        data = json.dumps({"$record": [*name, {"args": "true"}]}).encode()
        nodes = {"v": {"kind": "json", "type": "x", "member": "v.json"}}
        found = read(nodes, {"v.json": data})
        assert found == Record(".".join(name), {"args": "true"})

    def test_records_can_be_compared_hashed_and_pickled(self):
        one, other = Record("a.B", {"x": 1}), Record("a.B", {"x": 1})
        assert (one, hash(one)) == (other, hash(other))
        assert one != Record("a.C", {"x": 1})
        assert pickle.loads(pickle.dumps(one)) == one
        with pytest.raises(AttributeError, match="no field 'z'"):
            _ = one.z
