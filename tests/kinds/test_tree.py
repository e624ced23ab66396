"""Containers: shared objects, lists of tuples, large bytes."""

from __future__ import annotations

import collections
import json

import pytest

from checkpoints import CorruptFileError
from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode


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


def through(value, *, trusted=False):
    return read(*written(value), trusted=trusted)


class Model:
    """A class without a kind."""

    def __init__(self, weights):
        self.weights = weights


class TestShared:
    @pytest.mark.parametrize("make", [list, dict, bytearray, lambda: [{}]])
    def test_an_object_in_two_places_comes_back_as_one(self, make):
        one = make()
        found = through({"a": one, "b": [one, (one,)]})
        assert found["a"] is found["b"][0] is found["b"][1][0]
        assert found["a"] == one

    def test_equal_objects_stay_two(self):
        found = through([[1], [1]])
        assert found[0] is not found[1]

    def test_shared_objects_inside_shared_objects(self):
        inner = [1]
        outer = {"inner": inner}
        found = through([outer, inner, outer])
        assert found[0] is found[2]
        assert found[0]["inner"] is found[1]

    def test_an_array_in_two_places_is_one_member(self):
        numpy = pytest.importorskip("numpy", reason="it is about arrays")
        array = numpy.arange(5)
        nodes, members = written({"a": array, "b": [array, array[:]]})
        assert set(members) == {"v.json", "v/a.npy"}
        found = read(nodes, members)
        assert found["a"] is found["b"][0]
        assert found["b"][1].tolist() == array.tolist()

    def test_views_of_one_array_are_not_confused(self):
        numpy = pytest.importorskip("numpy", reason="it is about arrays")
        array = numpy.arange(6)
        views = [array, array[:3], array[::2], array.view("u8"), array.reshape(2, 3)]
        for found, view in zip(through(views), views, strict=True):
            assert found.dtype == view.dtype
            assert found.tolist() == view.tolist()

    def test_objects_without_a_kind_share_what_they_shared(self):
        weights = [1, 2]
        found = through({"a": Model(weights), "b": [Model(weights)]}, trusted=True)
        assert found["a"].weights is found["b"][0].weights

    def test_one_constant_is_no_shared_object(self):
        nodes, members = written([(0, 0)] * 1000 + [[()] * 9])
        assert b"$ref" not in members["v.json"]
        assert read(nodes, members) == [(0, 0)] * 1000 + [[()] * 9]

    def test_lists_doubled_forty_times_are_small(self):
        value = [0]
        for _ in range(40):
            value = [value, value]
        nodes, members = written(value)
        assert sum(map(len, members.values())) < 4000
        found = read(nodes, members)
        for _ in range(40):
            assert found[0] is found[1]
            found = found[0]

    @pytest.mark.parametrize(
        "forged",
        [
            {"$ref": 0},
            {"$let": [[], {"$ref": 0}]},
            {"$let": [[{"$ref": 0}], 1]},
            {"$let": [[1], {"$ref": -1}]},
            {"$let": [[1], {"$ref": "0"}]},
            {"$leaf": 0},
            {"$rows": [[1], [1, 2]]},
            {"$record": ["os", "system", {"x": 1}]},
        ],
        ids=str,
    )
    def test_a_forged_reference_is_damage_or_harmless(self, forged):
        nodes = {"v": {"kind": "json", "type": "list", "member": "v.json"}}
        members = {"v.json": json.dumps([forged]).encode()}
        try:
            found = read(nodes, members)
        except CorruptFileError:
            return
        assert repr(found) == "[Record('os.system', x=1)]"


class TestRows:
    ROWS = (
        [(1, "a", None), (2, "b", True)],
        [(1.5,), (float("inf"),)],
        [(1 << 70, b"x"), (-3, b"y")],
        [()],
        [(1,), (1, 2)],
        [(1, [2]), (3, [4])],
        [(True, 1), (1, True)],
        [("x", 0.1)] * 3,
    )

    @pytest.mark.parametrize("rows", ROWS, ids=repr)
    def test_a_list_of_tuples_comes_back(self, rows):
        found = through(rows)
        assert repr(found) == repr(rows)
        assert list(map(type, found)) == [tuple] * len(rows)

    def test_they_are_columns_in_the_file(self):
        _, members = written([(1, "a"), (2, "b")])
        assert members["v.json"] == b'{"$rows":[[1,2],["a","b"]]}'


class Key(str):
    __slots__ = ()


class TestRowsOfDicts:
    def test_a_key_keeps_its_type_where_another_row_has_an_equal_one(self):
        rows = [{"a": 1}, {Key("a"): 2}]
        found = through(rows, trusted=True)
        assert [type(key) for row in found for key in row] == [str, Key]


class TestBytes:
    @pytest.mark.parametrize("kind", [bytes, bytearray])
    def test_large_ones_are_members(self, kind):
        data = kind(range(256)) * 40
        nodes, members = written({"a": [data], "b": kind(b"small")})
        assert members["v/a/0.bin"] == data
        found = read(nodes, members)
        assert found == {"a": [data], "b": kind(b"small")}
        assert type(found["a"][0]) is kind


class TestLeaves:
    def test_many_objects_without_a_kind_are_one_pickle(self):
        value = [collections.Counter("ab"), [collections.Counter("c"), 3]]
        nodes, members = written(value)
        assert set(members) == {"v.json", "v.pickle"}
        assert nodes["v"]["leaves"]["count"] == 2
        assert read(nodes, members, trusted=True) == value

    def test_a_single_one_is_named_by_its_place(self):
        _, members = written({"a": [1, collections.Counter("ab")]})
        assert set(members) == {"v.json", "v/a/1.pickle"}


class TestHashes:
    @pytest.mark.parametrize("make", [set, frozenset, dict.fromkeys])
    def test_with_many_that_are_equal_it_is_a_pickle(self, make):
        value = make(number * (2**61 - 1) for number in range(1_500))
        nodes, members = written(value)
        assert nodes["v"]["kind"] == "pickle"
        assert read(nodes, members, trusted=True) == value

    def test_with_many_that_differ_it_is_not(self):
        value = {"numbers": set(range(5_000)), "pairs": dict.fromkeys(range(5_000))}
        assert read(*written(value)) == value
