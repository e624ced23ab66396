"""Arrow values that are no single Arrow file come back from their parts."""

from __future__ import annotations

import pytest

from checkpoints import FileHandler, UntrustedError, index, load
from checkpoints._kinds.arrow_equality import is_identical
from checkpoints._kinds.arrow_parts import TABLE_OF_COLUMNS
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.pickled import Pickled

pyarrow = pytest.importorskip("pyarrow", reason="these are values of pyarrow")


def with_dictionaries(*dictionaries):
    return pyarrow.chunked_array(
        [
            pyarrow.DictionaryArray.from_arrays(
                pyarrow.array([0], "int8"), pyarrow.array(texts)
            )
            for texts in dictionaries
        ]
    )


def schema(*names):
    fields = [
        pyarrow.field(name, "int64", nullable=False, metadata={"unit": "m"})
        for name in names
    ]
    return pyarrow.schema(fields, {"made": "here"})


VALUES = {
    "columns divided differently": pyarrow.table(
        [pyarrow.chunked_array([[1], [2]]), pyarrow.chunked_array([[1, 2]])],
        schema=schema("a", "a"),
    ),
    "a column without chunks": pyarrow.table(
        [pyarrow.chunked_array([], "int64"), pyarrow.array([], "int64")],
        schema=schema("", "b"),
    ),
    "dictionaries that grow": with_dictionaries(["a"], ["a", "b"]),
    "dictionaries that differ": with_dictionaries(["a"], ["b"], ["a"]),
    "dictionaries that differ by sign": with_dictionaries([0.0], [-0.0]),
    "a table of such dictionaries": pyarrow.table(
        {"a": with_dictionaries(["a"], ["b"]), "b": pyarrow.chunked_array([[1], [2]])}
    ),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("background", [False, True])
def test_it_comes_back_without_trust(name, background, tmp_path):
    handler = FileHandler(tmp_path, background=background)
    handler.checkpoint("arrow.parts", value=VALUES[name])
    handler.flush()
    (entry,) = index(tmp_path)
    assert is_identical(entry.load()["value"], VALUES[name])


class TestOneOddColumn:
    @pytest.fixture
    def columns(self):
        odd = pyarrow.map_(pyarrow.field("k", "string", nullable=False), "int8")
        return {"odd": pyarrow.array([[("a", 1)]], odd), "even": pyarrow.array([1])}

    @pytest.mark.parametrize("make", [pyarrow.table, pyarrow.record_batch])
    def test_it_alone_is_a_pickle(self, columns, make, tmp_path):
        value = make(columns)
        kinds = [name.rpartition(".")[2] for name, _ in encode({"v": value}).members]
        assert sorted(kinds) == ["arrow", "json", "pickle"]
        FileHandler(tmp_path).checkpoint("arrow.odd", value)
        back = load(tmp_path / "arrow/odd.ckpt.zip", trusted=True)["data"]
        assert is_identical(back, value)

    @pytest.mark.parametrize("make", [pyarrow.table, pyarrow.record_batch])
    def test_the_others_load_without_trust(self, columns, make, tmp_path, caplog):
        value = make(columns)
        FileHandler(tmp_path).checkpoint("arrow.odd", value)
        assert "not give it back exactly" in caplog.text
        path = tmp_path / "arrow/odd.ckpt.zip"
        back = load(path, placeholders=True)["data"]
        assert type(back) is type(value)
        assert is_identical(back.column("even"), value.column("even"))
        (text,) = back.column("odd").to_pylist()
        assert text.startswith("<Pickled pyarrow.lib.")
        with pytest.raises(UntrustedError, match="placeholders=True"):
            load(path)

    def test_a_placeholder_takes_no_memory_for_each_row(self, columns):
        rows = pyarrow.Array.from_buffers(pyarrow.null(), 2**40, [None])
        parts = TABLE_OF_COLUMNS.take_apart(pyarrow.table(columns))
        parts["columns"] = [Pickled("some.Type", "", ""), rows]
        parts["fields"][1][1] = True
        back = TABLE_OF_COLUMNS.put_together(parts)
        assert back.num_rows == len(rows)
        assert back.column("odd").nbytes < 1000

    def test_a_table_of_odd_columns_only_is_a_placeholder(self, columns, tmp_path):
        value = pyarrow.table({"odd": columns["odd"]})
        FileHandler(tmp_path).checkpoint("arrow.odd", value)
        back = load(tmp_path / "arrow/odd.ckpt.zip", placeholders=True)["data"]
        assert isinstance(back, Pickled)
