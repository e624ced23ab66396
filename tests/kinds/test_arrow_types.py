"""Extension types come back as what they are, in any process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints._kinds.arrow_equality import is_identical
from checkpoints._kinds.arrow_table import decode_table, encode_table, to_table
from checkpoints._kinds.kind import Inexact
from checkpoints.errors import FormatError, MissingDependencyError

pyarrow = pytest.importorskip("pyarrow", reason="these are values of pyarrow")

SOURCES = str(Path(checkpoints.__file__).parents[1])
NAME = "ARROW:extension:name"
IN_A_NEW_PROCESS = """
import sys
sys.path.insert(0, sys.argv[2])
for missing in sys.argv[3:]:
    sys.modules[missing] = None
import checkpoints
(entry,) = checkpoints.index(sys.argv[1])
try:
    print(*[str(value.type) for value in entry.load().values()])
except checkpoints.CheckpointError as error:
    print(type(error).__name__, "pip install pandas" in str(error))
"""


def again(table):
    buffers, meta = encode_table(table)
    assert json.loads(json.dumps(meta)) == meta
    return decode_table(memoryview(b"".join(buffers)), meta)


def marked(name, *, inside=False):
    field = pyarrow.field("a", "int64", metadata={NAME: name, "unit": "m"})
    if inside:
        field = pyarrow.field("a", pyarrow.struct([field]))
    column = pyarrow.array([{"a": 1}] if inside else [1], field.type)
    return pyarrow.table([column], schema=pyarrow.schema([field]))


@pytest.fixture
def own_type():
    class Own(pyarrow.ExtensionType):
        def __init__(self):
            super().__init__(pyarrow.int64(), "tests.own")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, serialized):
            return cls()

    pyarrow.register_extension_type(Own())
    yield Own()
    pyarrow.unregister_extension_type("tests.own")


class TestTypesOfAProcess:
    @pytest.mark.parametrize("nested", [False, True])
    def test_they_are_inexact(self, own_type, nested):
        array = pyarrow.ExtensionArray.from_storage(own_type, pyarrow.array([1]))
        if nested:
            array = pyarrow.StructArray.from_arrays([array], ["inside"])
        for save in (encode_table, to_table):
            with pytest.raises(Inexact, match=r"tests\.own"):
                save(pyarrow.table({"a": array}))

    @pytest.mark.parametrize("name", ["tests.own", "arrow.uuid", "checkpoints:a"])
    def test_a_field_that_only_names_one_stays_as_it_is(self, own_type, name):
        table = marked(name)
        back = again(table)
        assert is_identical(back, table)
        assert is_identical(again(back), table)

    def test_metadata_that_look_escaped_come_back(self):
        field = pyarrow.field(
            "a", "int64", metadata={f"checkpoints:{NAME}": "a", NAME: "b"}
        )
        table = pyarrow.table([pyarrow.array([1])], schema=pyarrow.schema([field]))
        assert is_identical(again(table), table)

    def test_a_field_inside_a_type_that_names_one_is_inexact(self):
        with pytest.raises(Inexact, match="marked as an extension type"):
            again(marked("tests.own", inside=True))

    def test_one_that_this_version_does_not_know_is_told(self):
        buffers, meta = encode_table(pyarrow.table({"a": [1]}))
        data = memoryview(b"".join(buffers))
        with pytest.raises(FormatError, match=r"arrow\.new.*use a later version"):
            decode_table(data, {**meta, "extensions": ["arrow.new"]})


class TestTypesOfPandas:
    @pytest.fixture
    def columns(self):
        pandas = pytest.importorskip("pandas", reason="it defines the types")
        periods = pandas.period_range("2024-01", periods=2, freq="M")
        intervals = pandas.interval_range(0, 2)
        return {
            "periods": pyarrow.array(periods),
            "intervals": pyarrow.array(intervals),
        }

    @pytest.mark.parametrize("name", ["periods", "intervals"])
    def test_they_come_back(self, columns, name):
        table = pyarrow.table({"a": columns[name]})
        assert is_identical(again(table), table)

    def test_they_come_back_in_a_process_that_did_not_import_pandas(
        self, columns, tmp_path
    ):
        checkpoints.FileHandler(tmp_path).checkpoint("types.pandas", **columns)
        assert self.run(tmp_path) == [*map(str, (c.type for c in columns.values()))]

    def test_without_pandas_loading_says_what_to_install(self, columns, tmp_path):
        checkpoints.FileHandler(tmp_path).checkpoint("types.pandas", **columns)
        name = MissingDependencyError.__name__
        assert self.run(tmp_path, "pandas") == [f"{name} True"]

    def run(self, root, *missing):
        done = subprocess.run(
            [sys.executable, "-c", IN_A_NEW_PROCESS, root, SOURCES, *missing],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        text = done.stdout.strip()
        marks = text.split(" extension") if not missing else [text]
        return [marks[0], *(f"extension{mark}" for mark in marks[1:])]

    def test_they_are_refused_in_parquet(self, columns):
        with pytest.raises(Inexact, match=r"pandas\.period"):
            to_table(pyarrow.table({"a": columns["periods"]}))


DEEP = {
    "type": lambda kind: kind,
    "field": lambda kind: pyarrow.field("a", kind),
    "schema": lambda kind: pyarrow.schema([("a", kind)]),
    "table without rows": lambda kind: pyarrow.table({"a": pyarrow.nulls(0, kind)}),
    "table without chunks": lambda kind: pyarrow.schema([("a", kind)]).empty_table(),
    "table": lambda kind: pyarrow.table({"a": pyarrow.nulls(2, kind)}),
    "array": lambda kind: pyarrow.nulls(2, kind),
    "scalar": lambda kind: pyarrow.scalar(None, kind),
}


class TestTypesNestedDeeply:
    @pytest.mark.parametrize("depth", [60, 100, 130])
    @pytest.mark.parametrize("name", DEEP)
    def test_come_back_from_the_file_or_from_a_pickle(self, name, depth, tmp_path):
        kind = pyarrow.int8()
        for _ in range(depth):
            kind = pyarrow.list_(kind)
        value = DEEP[name](kind)
        checkpoints.FileHandler(tmp_path).checkpoint("a", {"value": value})
        back = checkpoints.index(tmp_path)[0].load(trusted=True)["value"]
        assert type(back) is type(value)
        assert back.equals(value)
