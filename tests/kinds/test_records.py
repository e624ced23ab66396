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
import types
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


CAT, DOG = Record("zoo.Cat", {"_1": "a"}), Record("zoo.Dog", {"_1": "b"})


class TestTypes:
    """Records of several types whose fields have the same names."""

    PROGRAM = (
        "import sys, checkpoints\n"
        "for name, value in checkpoints.load(sys.argv[1]).items():\n"
        "    items = getattr(value, 'tolist', lambda: value)()\n"
        "    items = items.values() if type(items) is dict else items\n"
        "    print(name, *sorted(f'{it.type}:{it[\"_1\"]}' for it in items))\n"
    )
    CONTAINERS = (list, tuple, set, frozenset, dict, "object array", "series")

    @pytest.mark.parametrize("background", [False, True], ids=["now", "background"])
    @pytest.mark.parametrize(
        "kind", CONTAINERS, ids=lambda it: getattr(it, "__name__", it)
    )
    def test_each_keeps_its_own_in_another_program(self, kind, background, tmp_path):
        value = self.held(kind)
        handler = checkpoints.FileHandler(tmp_path, background=background)
        handler.checkpoint("types", v=value)
        checkpoints.flush()
        done = subprocess.run(
            [sys.executable, "-c", self.PROGRAM, tmp_path / "types.ckpt.zip"],
            env={"PYTHONPATH": SOURCES},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "v zoo.Cat:a zoo.Dog:b\n"

    def held(self, kind):
        if kind is dict:
            return {"one": CAT, "other": DOG}
        if isinstance(kind, type):
            return kind([CAT, DOG])
        numpy = pytest.importorskip("numpy", reason="it makes the array")
        array = numpy.array([None, None])
        array[:] = [CAT, DOG]
        if kind == "object array":
            return array
        pandas = pytest.importorskip("pandas", reason="it makes the series")
        return pandas.Series(array)

    def test_each_keeps_its_own_inside_other_values(self):
        value = {"rows": [Point([CAT, DOG], 1)], "lists": [[CAT], [DOG], [CAT, DOG]]}
        assert repr(through(value)) == repr(value)

    def test_parameters_of_a_type_are_part_of_it(self):
        pairs = [
            Record("Base.Pair{Int64,Int64}", {"first": 1, "second": 2}),
            Record("Base.Pair{String,Float64}", {"first": "a", "second": 2.0}),
        ]
        assert repr(through(pairs)) == repr(pairs)

    def test_those_of_one_type_are_columns_in_the_file(self):
        _, members = written([CAT, Record("zoo.Cat", {"_1": "c"})])
        assert members["v.json"] == (
            b'{"$records":["$record","zoo","Cat",["_1"],[["a","c"]]]}'
        )

    def test_classes_of_one_name_in_two_modules_stay_two(self, monkeypatch):
        twins = []
        for module in ("zoo_one", "zoo_other"):
            made = types.ModuleType(module)
            made.Cat = dataclasses.make_dataclass("Cat", ["x"])
            made.Cat.__module__ = module
            monkeypatch.setitem(sys.modules, module, made)
            twins.append(made.Cat)
        found = through([twins[0](1), twins[1](2), twins[0](3)])
        assert [type(it) for it in found] == [twins[0], twins[1], twins[0]]


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
