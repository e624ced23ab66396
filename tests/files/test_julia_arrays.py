"""Tables and series, as Julia has them."""

from __future__ import annotations

import os

import pytest

from checkpoints import FileHandler, FormatError, load

pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")


def saved(root, value):
    FileHandler(root, format="jlso").checkpoint("a", x=value)
    return load(os.path.join(root, "a.jlso"), "x")["x"]


class TestTables:
    def test_a_frame_becomes_a_dict_of_its_columns(self, tmp_path, caplog):
        frame = pandas.DataFrame({"n": [1, 2], "t": ["x", None]})
        found = saved(tmp_path, frame)
        assert found["n"].tolist() == [1, 2]
        assert found["t"] == ["x", None]
        assert "pandas.DataFrame is saved as a dict of its columns" in caplog.text

    def test_a_series_becomes_a_vector(self, tmp_path):
        assert saved(tmp_path, pyarrow.array(["a", None])) == ["a", None]

    def test_a_frame_that_is_no_table(self, tmp_path):
        for frame in (
            pandas.DataFrame([[1, 2]], columns=["a", "a"]),
            pandas.DataFrame({"a": [1, "b", {2}]}),
        ):
            with pytest.raises(FormatError, match="Arrow table"):
                saved(tmp_path, frame)
