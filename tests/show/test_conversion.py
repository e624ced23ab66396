"""Files for other tools, and previews, of values that take little until then."""

from __future__ import annotations

import pytest

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from checkpoints import TooLargeError  # noqa: E402 - needs NumPy
from checkpoints._process.budget import Budget, within  # noqa: E402 - as above
from checkpoints._show.conversion import CONVERSIONS, Conversion  # noqa: E402 - as above
from checkpoints._show.preview import preview_of  # noqa: E402 - as above

MANY = 10**9


def shared(width, depth):
    found = "text"
    for _ in range(depth):
        found = [found] * width
    return found


@pytest.fixture
def limited():
    with within(Budget("a", 50_000_000), "a file"):
        yield


@pytest.mark.usefixtures("limited")
class TestMemory:
    @pytest.mark.parametrize("suffix", [".json", ".csv", ".parquet"])
    def test_rows_without_cells_are_not_written_if_they_take_too_much(self, suffix):
        for value in (
            pandas.DataFrame(index=pandas.RangeIndex(1, MANY)),
            numpy.broadcast_to(numpy.zeros(()), MANY),
            numpy.empty((MANY, 0)),
        ):
            with pytest.raises(TooLargeError, match="at least"):
                CONVERSIONS[suffix](Conversion(value))

    def test_columns_take_memory_too(self):
        with pytest.raises(TooLargeError):
            CONVERSIONS[".csv"](Conversion(numpy.zeros((1, 1_000_000), bool)))

    @pytest.mark.parametrize("suffix", [".json", ".txt"])
    def test_what_is_the_same_object_everywhere_is_written_everywhere(self, suffix):
        with pytest.raises(TooLargeError):
            CONVERSIONS[suffix](Conversion(shared(2, 40)))

    def test_what_fits_is_written(self):
        assert CONVERSIONS[".json"](Conversion([1.5])) == b"[\n  1.5\n]\n"

    def test_a_preview_of_such_objects_ends(self):
        (line,) = preview_of(shared(20, 8), 5).lines[:1]
        assert line.startswith("[[[[")

    def test_a_preview_does_not_write_rows_out(self):
        frame = pandas.DataFrame(index=pandas.RangeIndex(1, MANY))
        assert preview_of(frame, 5).lines

    def test_a_preview_counts_lines_as_python_does(self):
        for text in ("", "a", "a\n", "a\r\nb", "\r\n\r\n", "a\u2028b\x85", "\v\fa"):
            assert preview_of(text, 5).facts["lines"] == len(text.splitlines())


LEVELS = pandas.MultiIndex.from_tuples([(1.0, 2.0), (None, 3.0)], names=["a", "b"])


class TestIndexes:
    def test_a_preview_has_each_level_once_with_its_own_labels(self):
        found = preview_of(LEVELS, 5)
        assert found.heading == ["a", "b"]
        assert found.rows == [["1.0", "2.0"], ["nan", "3.0"]]

    @pytest.mark.parametrize(
        ("index", "text"),
        [
            (LEVELS, b'"a","b"\n1,2\n,3\n'),
            (pandas.Index([1, 2], name="year"), b'"year"\n1\n2\n'),
            (pandas.Index([1, "a"], name="mixed"), b'"mixed"\n"1"\n"a"\n'),
        ],
    )
    def test_a_file_has_each_level_once(self, index, text):
        assert CONVERSIONS[".csv"](Conversion(index)) == text

    @pytest.mark.parametrize("names", [[0, "k"], [None, None], ["k", None]])
    def test_that_levels_become_texts_is_told_by_their_names_in_the_file(self, names):
        labels = pandas.MultiIndex.from_tuples([(1, 2), ("a", "b")], names=names)
        conversion = Conversion(pandas.DataFrame({"x": [1, 2]}, index=labels))
        header = CONVERSIONS[".csv"](conversion).splitlines()[0].decode()
        columns = header.replace('"', "").split(",")[1:]
        assert conversion.lost == [
            f"the type of column {name} (object), written as text" for name in columns
        ]
