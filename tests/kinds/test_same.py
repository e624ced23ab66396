"""Equality of type, labels and content, for values of every library."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from checkpoints import Record
from checkpoints._kinds.same import same


@dataclass
class Fit:
    coefficients: object
    score: float


class TestRecords:
    @pytest.mark.parametrize(
        "make", [Fit, lambda *fields: Record("m.Fit", dict(enumerate(fields)))]
    )
    def test_arrays_and_nan_in_their_fields_are_compared_as_elsewhere(self, make):
        numpy = pytest.importorskip("numpy")
        fit = make(numpy.arange(3), math.nan)
        assert same([fit], [make(numpy.arange(3), math.nan)])
        assert not same(fit, make(numpy.arange(3), 1.0))
        assert not same(fit, make(numpy.zeros(3), math.nan))
        assert not same(fit, make(numpy.arange(3.0), math.nan))

    def test_their_type_and_the_names_of_their_fields_count(self):
        assert not same(Record("m.A", {"x": 1}), Record("m.B", {"x": 1}))
        assert not same(Record("m.A", {"x": 1}), Record("m.A", {"y": 1}))


class TestSparse:
    def test_the_type_of_the_numbers_counts(self):
        sparse = pytest.importorskip("scipy.sparse")
        for make in (sparse.csr_matrix, sparse.csr_array):
            whole = make([[0, 1], [2, 0]])
            assert same(whole, whole.copy())
            assert not same(whole, whole.astype(float))
            assert not same(whole, make([[0, 1], [3, 0]]))


class TestPolars:
    def test_the_type_of_a_series_counts(self):
        polars = pytest.importorskip("polars")
        wide = polars.Series("x", [1, 2], dtype=polars.Int64)
        assert same(wide, polars.Series("x", [1, 2], dtype=polars.Int64))
        assert not same(wide, polars.Series("x", [1, 2], dtype=polars.Int8))

    def test_the_type_of_a_column_counts(self):
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame({"x": [1, 2]})
        assert same(frame, frame.clone())
        assert not same(frame, frame.cast(polars.Int8))


class TestNames:
    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_the_name_of_a_series_counts(self, library):
        series = pytest.importorskip(library).Series
        assert same(series([1, 2]).rename("x"), series([1, 2]).rename("x"))
        assert not same(series([1, 2]).rename("x"), series([1, 2]).rename("y"))

    def test_the_name_of_an_index_counts(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"x": [1, 2]})
        for where in ("index", "columns"):
            renamed = frame.rename_axis(**{where: "day"})
            assert same(renamed, renamed.copy())
            assert not same(renamed, frame)
        series = pandas.Series([1, 2])
        assert not same(series, series.rename_axis("day"))
        labels = pandas.Index(["a", "b"], name="x")
        assert same(labels, labels.copy())
        assert not same(labels, labels.rename("y"))

    def test_the_names_of_all_levels_count(self):
        pandas = pytest.importorskip("pandas")

        def frame(*names):
            index = pandas.MultiIndex.from_tuples([(1, 2), (1, 3)], names=names)
            return pandas.DataFrame({"x": [1, 2]}, index=index)

        assert same(frame("a", "b"), frame("a", "b"))
        assert not same(frame("a", "b"), frame("a", "c"))
