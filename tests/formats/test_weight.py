"""How much memory a value is thought to hold: enough to bound what waits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from checkpoints.formats._weight import weight_of

MEGABYTE = 1_000_000


class Thing:
    def __init__(self, **held):
        self.__dict__.update(held)


class Lying:
    @property
    def nbytes(self):
        raise RuntimeError("mine")

    def __sizeof__(self):
        raise RuntimeError("mine")


FLOATS = np.zeros(MEGABYTE // 8)
LARGE = [
    pytest.param(FLOATS, id="array"),
    pytest.param(pd.DataFrame({"a": FLOATS}), id="frame"),
    pytest.param(pd.Series(FLOATS), id="series"),
    pytest.param(pd.Index(FLOATS), id="index"),
    pytest.param(pl.DataFrame({"a": FLOATS}), id="polars frame"),
    pytest.param(pl.Series(FLOATS), id="polars series"),
    pytest.param(pa.table({"a": FLOATS}), id="arrow"),
    pytest.param("x" * MEGABYTE, id="text"),
    pytest.param(b"x" * MEGABYTE, id="bytes"),
    pytest.param([b"x" * MEGABYTE], id="list"),
    pytest.param({"a": {"b": (b"x" * MEGABYTE,)}}, id="nested"),
    pytest.param(Thing(weights=FLOATS), id="object"),
]


class TestWeight:
    @pytest.mark.parametrize("value", LARGE)
    def test_a_large_value_counts_in_full(self, value):
        assert MEGABYTE <= weight_of({"data": value}) < 1.2 * MEGABYTE

    def test_a_small_save_counts_something(self):
        assert weight_of({}) > 1000

    def test_what_is_held_twice_counts_once(self):
        assert weight_of({"a": FLOATS, "b": [FLOATS, FLOATS]}) < 1.2 * MEGABYTE

    def test_what_holds_itself_comes_to_an_end(self):
        value = [FLOATS]
        value.append(value)
        assert weight_of({"data": value}) >= MEGABYTE

    def test_a_value_whose_own_words_raise_counts_something(self):
        assert weight_of({"data": Lying()}) > weight_of({})
