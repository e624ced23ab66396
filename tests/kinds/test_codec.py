"""Named values to members and back, including nested values and pickles."""

from __future__ import annotations

import collections
import copy
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checkpoints
from checkpoints import CorruptFileError, FileHandler, FormatError, UntrustedError, load
from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.same import same

SOURCES = str(Path(checkpoints.__file__).parents[1])


def written(**values):
    """Return the nodes and members for values, as a file stores them."""
    encoded = encode(values)
    members = {name: b"".join(chunks) for name, chunks in encoded.members}
    assert len(members) == len(encoded.members)
    return json.loads(json.dumps(encoded.nodes)), members


def read(nodes, members, *, trusted=False):
    def member(node):
        return memoryview(bytearray(members[node["member"]]))

    return decode(nodes, member, trusted=trusted, path="some.ckpt.zip")


def through(value, *, trusted=False):
    return read(*written(v=value), trusted=trusted)["v"]


def nested(depth, wrap):
    value = "bottom"
    for _ in range(depth):
        value = wrap(value)
    return value


class Holder:
    """A class without a format."""

    def __init__(self, held):
        self.held = held

    def __eq__(self, other):
        return type(other) is Holder and other.held == self.held

    __hash__ = None


class TestMembers:
    def test_each_value_is_a_member_named_after_it(self):
        text = "ü" * 101
        nodes, members = written(text=text, raw=b"\0", number=3, listed=[1, "x"])
        assert members == {
            "text.txt": text.encode(),
            "raw.bin": b"\0",
            "listed.json": b'[1,"x"]',
        }
        assert {name: node.get("member") for name, node in nodes.items()} == {
            "text": "text.txt",
            "raw": "raw.bin",
            "number": None,
            "listed": "listed.json",
        }

    def test_a_number_needs_no_member(self):
        nodes, members = written(a=3, b=float("nan"), c=None, d=True, e=1 << 70)
        assert members == {}
        assert nodes["a"] == {"kind": "json", "type": "int", "value": 3}
        assert str(read(nodes, members)) == str(
            {"a": 3, "b": float("nan"), "c": None, "d": True, "e": 1 << 70}
        )

    def test_a_short_text_needs_none_either(self):
        nodes, members = written(note="ü" * 100)
        assert members == {}
        assert nodes["note"] == {"kind": "text", "bytes": 200, "value": "ü" * 100}
        assert read(nodes, members) == {"note": "ü" * 100}

    def test_one_that_is_no_text_is_damage(self):
        with pytest.raises(
            CorruptFileError, match=r"the header's text is \['a'\], not a string"
        ):
            read({"note": {"kind": "text", "value": ["a"]}}, {})

    @pytest.mark.parametrize("value", ["", "ü", "\ud800", b"", 0, -1.5, None, True, ()])
    def test_a_value_alone_comes_back_exactly(self, value):
        found = through(value)
        assert type(found) is type(value)
        assert found == value

    def test_arrays_inside_are_members_of_their_own(self):
        numpy = pytest.importorskip("numpy", reason="it is about arrays")
        value = {
            "a": [numpy.arange(3), (numpy.float32(2), {"b": numpy.eye(2)})],
            5: {6},
        }
        nodes, members = written(v=value)
        assert {"v.json", "v/a/0.npy", "v/a/1/1/b.npy"} == set(members)
        found = read(nodes, members)["v"]
        assert same(found, value)
        assert type(found["a"][1]) is tuple
        assert type(found["a"][1][0]) is numpy.float32
        assert found["a"][0].flags.writeable

    def test_no_value_takes_the_member_of_another_or_of_the_header(self):
        numpy = pytest.importorskip("numpy", reason="one of the values is an array")
        values = {
            "checkpoint": [0],
            "v": {"a": numpy.zeros(1)},
            "v/a": numpy.ones(1),
            "a" * 130: [1],
            "a" * 131: [2],
            "a" * 130 + "b": [3],
            "": [4],
            ".": [5],
            "..": [6],
            "ü": [7],
            "%C3%BC": [8],
        }
        nodes, members = written(**values)
        assert "checkpoint.json" not in members
        assert same(read(nodes, members), values)

    @given(st.text(st.characters(exclude_categories=()), max_size=150))
    def test_no_name_makes_a_member_that_is_dangerous_to_unpack(self, name):
        (member,) = encode({name: [1]}).members
        assert re.fullmatch(r"[A-Za-z0-9_.\-~% ]+", member[0])
        assert not set(member[0].split("/")) & {"", ".", ".."}

    def test_members_of_one_file_can_be_unpacked_side_by_side(self):
        numpy = pytest.importorskip("numpy", reason="one of the values is an array")
        values = {"x": [1], "x.json": {"a": numpy.zeros(1)}, "X": [2]}
        names = [name.casefold() for name in written(**values)[1]]
        assert len(set(names)) == len(names)
        folders = {"/".join(name.split("/")[:-1]) for name in names}
        assert not folders & set(names)

    def test_a_deep_place_of_long_names_can_be_saved(self, tmp_path):
        numpy = pytest.importorskip("numpy", reason="the value is an array")
        value = numpy.zeros(1)
        for _ in range(60):
            value = {"😀" * 120: value}
        FileHandler(tmp_path).checkpoint("codec_deep_names", value=value)
        found = load(tmp_path / "codec_deep_names.ckpt.zip")
        assert same(found, {"value": value})


class TestNesting:
    WRAPS = (
        lambda value: [value],
        lambda value: (value,),
        lambda value: {"a": value},
        lambda value: {1: value},
        lambda value: frozenset({value}),
    )

    @pytest.mark.parametrize(
        "wrap", WRAPS, ids=["list", "tuple", "dict", "keys", "set"]
    )
    def test_a_value_of_any_depth_comes_back(self, wrap):
        for depth in (10, 50, 100, 150, 200, 250, 300):
            value = nested(depth, wrap)
            found = through(value, trusted=True)
            assert found == value

    def test_a_very_deep_one_is_a_pickle(self):
        value = nested(sys.getrecursionlimit() // 3, lambda value: [value])
        encoded = encode({"v": value})
        assert encoded.nodes["v"]["kind"] == "pickle"
        assert "v" in encoded.pickled

    def test_one_that_holds_itself_is_a_pickle_and_comes_back(self):
        value = {"list": [1]}
        value["list"].append(value)
        with pytest.raises(UntrustedError):
            through(value)
        found = through(value, trusted=True)
        assert found["list"][1] is found

    def test_the_members_of_a_failed_attempt_are_not_kept(self):
        numpy = pytest.importorskip("numpy", reason="an array would be a member")
        value = [numpy.zeros(3)]
        value.append(value)
        _, members = written(v=value)
        assert list(members) == ["v.pickle"]


class TestPickles:
    def test_any_other_object_comes_back_when_trusted(self):
        value = {"a": Holder([1]), "b": [collections.OrderedDict(x=1), Holder(2)]}
        found = through(value, trusted=True)
        assert found == value
        assert type(found["b"][0]) is collections.OrderedDict

    def test_untrusted_it_names_the_value_the_type_and_the_way_out(self):
        nodes, members = written(good=1, bad=[Holder(2)])
        with pytest.raises(UntrustedError) as told:
            read(nodes, members)
        for word in ("some.ckpt.zip", "'bad'", "Holder", "load(..., trusted=True)"):
            assert word in str(told.value)
        assert read({"good": nodes["good"]}, members) == {"good": 1}

    def test_the_other_values_of_a_file_load_by_their_names(self, tmp_path):
        FileHandler(tmp_path).checkpoint("codec_trust", good=1, bad=Holder(2))
        path = tmp_path / "codec_trust.ckpt.zip"
        assert load(path, "good") == {"good": 1}
        for names in ((), ("bad",), ("good", "bad")):
            with pytest.raises(UntrustedError, match="'bad'"):
                load(path, *names)
        assert load(path, trusted=True) == {"good": 1, "bad": Holder(2)}

    def test_nothing_runs_before_somebody_trusts_it(self, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "went-off",))

        nodes, members = written(v=[{"a": Bomb()}])
        # It is loaded once by the program that made it.
        (tmp_path / "went-off").unlink()
        with pytest.raises(UntrustedError):
            read(nodes, members)
        assert not (tmp_path / "went-off").exists()
        read(nodes, members, trusted=True)
        assert (tmp_path / "went-off").exists()

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (threading.Lock(), "_thread.lock"),
            ([1, {"a": (number for number in ())}], "generator"),
            (Holder(threading.Lock()), "Holder"),
        ],
        ids=["lock", "generator", "holder"],
    )
    def test_what_cannot_be_pickled_is_told_with_its_name_and_type(self, value, kind):
        with pytest.raises(FormatError) as told:
            encode({"good": 1, "bad": value})
        assert "'bad'" in str(told.value)
        assert kind in str(told.value)
        assert "Save the parts" in str(told.value)

    def test_a_pickle_that_does_not_load_here_says_why(self):
        nodes, members = written(v=Holder(1))
        members["v.pickle"] = members["v.pickle"].replace(b"Holder", b"Folder")
        with pytest.raises(FormatError, match=r"'v'.*Folder"):
            read(nodes, members, trusted=True)

    def test_lambdas_and_local_classes_come_back(self):
        pytest.importorskip("cloudpickle", reason="pickle cannot")

        class Local:
            number = 3

        assert through(lambda x: x + 1, trusted=True)(2) == 3
        assert through([Local()], trusted=True)[0].number == 3

    @pytest.mark.parametrize(
        "value",
        [
            "Model(3)",
            "[Model(3)]",
            "Model",
            "double",
            "lambda x: double(x)",
            "[collections.OrderedDict(model=Model(3))]",
            "functools.partial(double, 3)",
        ],
    )
    def test_what_a_script_defines_comes_back_in_another_program(self, value, tmp_path):
        pytest.importorskip("cloudpickle", reason="pickle cannot")
        script = tmp_path / "script.py"
        script.write_text(
            "import collections, functools, sys\n"
            "from checkpoints import FileHandler\n"
            "class Model:\n"
            "    def __init__(self, x):\n"
            "        self.x = x\n"
            "def double(x):\n"
            "    return 2 * x\n"
            f"FileHandler(sys.argv[1]).checkpoint('script', {value})\n"
        )
        subprocess.run(
            [sys.executable, script, tmp_path], env={"PYTHONPATH": SOURCES}, check=True
        )
        found = load(tmp_path / "script.ckpt.zip", trusted=True)["data"]
        if "Model" in value:
            model = found(3) if value == "Model" else found
            model = model[0] if isinstance(model, list) else model
            model = model["model"] if isinstance(model, dict) else model
            assert model.x == 3
        else:
            assert found(*() if "partial" in value else (3,)) == 6


class TestFreezing:
    def test_later_changes_do_not_reach_it(self):
        value = {"list": [1, {2}], "bytes": bytearray(b"a"), "own": Holder([1])}
        before = copy.deepcopy(value)
        frozen = freeze(value)
        value["list"][1].add(3)
        value["list"].append(4)
        value["bytes"] += b"b"
        value["own"].held.append(2)
        assert frozen == before

    def test_what_cannot_change_is_not_copied(self):
        text = "text" * 1000
        assert freeze([text])[0] is text

    def test_what_holds_itself_or_is_very_deep_is_frozen_too(self):
        value = [[1]]
        value.append(value)
        frozen = freeze(value)
        value[0].append(2)
        assert frozen[0] == [1]
        assert frozen[1] is frozen
        deep = nested(200, lambda value: (value,))
        assert freeze(deep) == deep
