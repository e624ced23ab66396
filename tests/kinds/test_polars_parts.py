"""Polars columns that no Arrow file holds come back from their values."""

from __future__ import annotations

import pytest

from checkpoints import FileHandler, UntrustedError, index, load
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.pickled import Pickled
from checkpoints._kinds.polars_parts import COLUMNS
from checkpoints._kinds.same import same

polars = pytest.importorskip("polars", reason="these are values of Polars")

NO_WIDTH = polars.Array(polars.Int8, 0)
SERIES = {
    "arrays of no width": ([[], None], NO_WIDTH),
    "only arrays of no width": ([[], []], NO_WIDTH),
    "arrays of arrays of no width": ([[[], []], None], polars.Array(NO_WIDTH, 2)),
    "no arrays of arrays": (
        [[], None],
        polars.Array(polars.Array(polars.Int8, 2), 0),
    ),
    "arrays of no width in lists": ([[[]], None], polars.List(NO_WIDTH)),
    "arrays of no width in structs": (
        [{"a": [], "b": 1}, None],
        polars.Struct({"a": NO_WIDTH, "b": polars.Int8}),
    ),
    "objects": ([{"a": [1]}, None], polars.Object),
}


def made(what):
    values, dtype = SERIES[what]
    try:
        return polars.Series(values, dtype=dtype)
    except polars.exceptions.PolarsError:
        pytest.skip("this version of Polars has no arrays of width 0")


def assert_same(back, known):
    assert type(back) is type(known)
    if isinstance(known, polars.Series):
        back, known = back.to_frame(), known.to_frame()
    assert back.columns == known.columns
    assert list(map(repr, back.dtypes)) == list(map(repr, known.dtypes))
    assert repr(back.rows()) == repr(known.rows())


def saved(value, root, **options):
    handler = FileHandler(root, **options)
    handler.checkpoint("polars.parts", value=value)
    handler.flush()
    (entry,) = index(root)
    return entry.load()["value"]


@pytest.mark.parametrize("what", SERIES)
@pytest.mark.parametrize("name", ["a", ""])
@pytest.mark.parametrize("background", [False, True])
class TestValues:
    def test_a_series_comes_back_without_trust(self, what, name, background, tmp_path):
        series = made(what).alias(name)
        assert_same(saved(series, tmp_path, background=background), series)

    def test_a_frame_comes_back_without_trust(self, what, name, background, tmp_path):
        frame = polars.DataFrame([polars.Series("b", [1, 2]), made(what).alias("c")])
        frame.columns = [name, "c"]
        assert_same(saved(frame, tmp_path, background=background), frame)


@pytest.mark.parametrize("what", SERIES)
def test_a_series_comes_back_without_rows(what, tmp_path):
    series = made(what).clear()
    assert_same(saved(series, tmp_path), series)


class TestOneOddColumn:
    def test_the_others_are_arrow_files(self):
        frame = polars.DataFrame({"a": [1, 2], "b": made("objects")})
        suffixes = [name.rpartition(".")[2] for name, _ in encode({"v": frame}).members]
        assert sorted(suffixes) == ["arrow", "json"]

    def test_objects_without_a_kind_are_pickles(self, tmp_path):
        series = polars.Series([complex, None], dtype=polars.Object)
        FileHandler(tmp_path).checkpoint("polars.objects", series)
        back = load(tmp_path / "polars/objects.ckpt.zip", trusted=True)["data"]
        assert back.to_list() == [complex, None]

    def test_objects_without_a_kind_are_placeholders_without_trust(self, tmp_path):
        objects = polars.Series("b", [complex, None], dtype=polars.Object)
        frame = polars.DataFrame([polars.Series("a", [1, 2]), objects])
        FileHandler(tmp_path).checkpoint("polars.objects", frame)
        path = tmp_path / "polars/objects.ckpt.zip"
        back = load(path, placeholders=True)["data"]
        assert back["a"].to_list() == [1, 2]
        assert back.dtypes == frame.dtypes
        assert isinstance(back["b"][0], Pickled)
        with pytest.raises(UntrustedError):
            load(path)

    def test_a_column_that_is_a_placeholder_is_one_in_each_row(self):
        column = Pickled("some.Type", "", "")
        parts = {"names": ["a", "b"], "columns": [polars.Series("a", [1, 2]), column]}
        back = COLUMNS.put_together(parts)
        assert back["b"].to_list() == [column, column]
        assert back.columns == ["a", "b"]

    def test_a_placeholder_needs_rows_that_are_really_there(self):
        column = Pickled("some.Type", "", "")
        nothing = polars.Series("a", [None] * 1000, dtype=polars.Null)
        with pytest.raises(ValueError, match="more rows than bits"):
            COLUMNS.put_together({"names": ["a", "b"], "columns": [nothing, column]})


@pytest.mark.parametrize(("other", "is_same"), [([1], True), ([2], False)])
def test_objects_are_the_same_if_their_contents_are(other, is_same):
    frames = [
        polars.DataFrame({"a": polars.Series([{"b": each}], dtype=polars.Object)})
        for each in ([1], other)
    ]
    assert same(*frames) is is_same


class TestFreeze:
    def test_objects_are_copied(self):
        inner = [1]
        frame = polars.DataFrame({"a": polars.Series([inner], dtype=polars.Object)})
        frozen = freeze(frame)
        inner.append(2)
        assert frozen["a"].to_list() == [[1]]

    def test_numbers_beside_objects_are_copied(self):
        numpy = pytest.importorskip("numpy", reason="the memory is an array's")
        array = numpy.zeros(1)
        objects = polars.Series("b", [[1]], dtype=polars.Object)
        frozen = freeze(polars.DataFrame([polars.Series("a", array), objects]))
        array[0] = 9
        assert frozen["a"].to_list() == [0]
