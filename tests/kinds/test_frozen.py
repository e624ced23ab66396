"""Copies: shared objects stay shared, and what cannot be copied is reported."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints import DictHandler, FormatError, Session, capture, checkpoint, config
from checkpoints._kinds.frozen import freeze

SOURCES = str(Path(checkpoints.__file__).parents[1])

# Written out it would fill any memory, so it is given some that is soon full.
DOUBLED = """
import sys
sys.path.insert(0, sys.argv[1])
from checkpoints import FileHandler, index
from checkpoints._kinds.frozen import freeze
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
except ImportError:
    pass

def depth(value):
    steps = 0
    while type(value[0]) is list and value[0] is value[1]:
        value, steps = value[0], steps + 1
    return steps

value = [0.5]
for _ in range(40):
    value = [value, value]
print(depth(freeze(value)))
FileHandler(sys.argv[2]).checkpoint("frozen.doubled", value)
(entry,) = index(sys.argv[2])
print(entry.meta["values"]["data"]["kind"])
print(depth(entry.load(trusted=True)["data"]))
"""


class Uncopyable:
    """Holds an object that cannot be copied."""

    def __init__(self):
        self.lock = threading.Lock()


class TestHeldTwice:
    def test_it_is_copied_once_and_held_twice_again(self):
        shared = [1]
        frozen = freeze([shared, shared, {"a": (shared,)}])
        assert frozen == [[1], [1], {"a": ([1],)}]
        assert frozen[0] is not shared
        assert frozen[0] is frozen[1]
        assert frozen[0] is frozen[2]["a"][0]

    def test_an_array_is_as_well(self):
        numpy = pytest.importorskip("numpy")
        shared = numpy.zeros(3)
        frozen = freeze({"a": shared, "b": [shared]})
        shared[0] = 9
        assert frozen["a"].tolist() == [0, 0, 0]
        assert frozen["a"] is frozen["b"][0]

    def test_equal_objects_stay_two(self):
        frozen = freeze([[1], [1]])
        assert frozen[0] is not frozen[1]

    def test_a_list_doubled_forty_times_is_copied_and_saved(self, tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", DOUBLED, SOURCES, tmp_path],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.stdout == "40\njson\n40\n", done.stderr


class TestArrow:
    @pytest.fixture
    def table(self):
        arrow = pytest.importorskip("pyarrow")

        class Celsius(arrow.ExtensionType):
            def __init__(self):
                super().__init__(arrow.float64(), "tests.celsius")

            def __arrow_ext_serialize__(self):
                return b""

            @classmethod
            def __arrow_ext_deserialize__(cls, storage, serialized):
                return cls()

        values = arrow.array([20.5, None], arrow.float64())
        column = arrow.ExtensionArray.from_storage(Celsius(), values)
        return arrow.table({"warmth": column})

    def test_a_table_with_a_type_of_the_users_own_is_staged(self, table):
        seen = DictHandler()
        with config("frozen_arrow", seen, on_error="raise"):
            session = Session("frozen_arrow")
            session.checkpoint(table)
            session.commit()
        found = seen["frozen_arrow"]["data"]
        assert found.schema.equals(table.schema)
        assert found["warmth"].to_pylist() == [20.5, None]

    def test_a_table_with_a_type_of_the_users_own_is_captured(self, table):
        with capture("frozen_arrow") as seen:
            checkpoint("frozen_arrow", warm=[table])
        assert seen["frozen_arrow"]["warm"][0].equals(table)


class TestErrors:
    def test_what_cannot_be_copied_is_named_with_its_type_and_the_way_out(self):
        with capture("frozen_errors"), pytest.raises(FormatError) as told:
            checkpoint("frozen_errors", good=1, model=[Uncopyable()])
        for text in ("'model'", "type list", "lock", "Pass the parts"):
            assert text in str(told.value)
        with pytest.raises(FormatError, match=r"'data': type .*Uncopyable"):
            DictHandler().checkpoint("frozen_errors", Uncopyable())

    def test_without_a_copy_the_object_itself_is_kept(self):
        value = Uncopyable()
        with capture("frozen_errors", copy=False) as seen:
            checkpoint("frozen_errors", value)
        assert seen["frozen_errors"]["data"] is value


def matrix_of_three_dimensions():
    np = pytest.importorskip("numpy", reason="it is one of its matrices")
    return np.arange(4).reshape(2, 2).view(np.matrix)[None]


def groups():
    pd = pytest.importorskip("pandas", reason="they are of a frame of pandas")
    return pd.DataFrame({"a": [1, 1], "b": [1, 2]}, pd.Index([5, 7])).groupby("a")


def node_of_a_tree():
    xr = pytest.importorskip("xarray", reason="it has such trees")
    sets = {"/": xr.Dataset(coords={"a": [1]}), "/sub": xr.Dataset(coords={"c": [3]})}
    return xr.DataTree.from_dict(sets)["sub"]


class TestOfAKnownLibraryAndNoKind:
    def test_a_matrix_keeps_its_dimensions(self, tmp_path):
        matrix = matrix_of_three_dimensions()
        assert freeze(matrix).shape == (1, 2, 2)
        checkpoints.FileHandler(tmp_path).checkpoint("a", {"x": matrix})
        (back,) = checkpoints.index(tmp_path)[0].load(trusted=True).values()
        assert back.shape == (1, 2, 2)

    def test_groups_share_no_labels_with_their_frame(self):
        original = groups()
        frozen = freeze(original)
        labels = [each.obj.index.to_numpy() for each in (original, frozen)]
        assert labels[0].tolist() == labels[1].tolist()
        assert not pytest.importorskip("numpy").shares_memory(*labels)

    def test_a_node_keeps_its_place_in_the_tree(self):
        frozen = freeze(node_of_a_tree())
        assert frozen.path == "/sub"
        assert list(frozen.parent.coords) == ["a"]
