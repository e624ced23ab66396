"""The estimated memory of a value: accurate enough to bound the queue."""

from __future__ import annotations

import dataclasses
from collections import deque
from unittest.mock import Mock

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from checkpoints._kinds.weight import size_of, weight_of

MEGABYTE = 1_000_000


class Thing:
    def __init__(self, **held):
        self.__dict__.update(held)


@dataclasses.dataclass(slots=True)
class Slotted:
    weights: object


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
    pytest.param(Slotted(FLOATS), id="object with slots"),
    pytest.param(deque([FLOATS]), id="deque"),
    pytest.param(np.array([FLOATS, None], dtype=object), id="array of objects"),
    pytest.param(pd.DataFrame({"a": [FLOATS, None]}), id="frame of objects"),
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

    def test_a_list_that_cannot_be_gone_through_counts_something(self):
        class Broken(list):
            def __iter__(self):
                raise RuntimeError("mine")

        assert weight_of({"data": Broken()}) > weight_of({})

    def test_nothing_is_asked_of_a_value_that_it_is_not_known_for(self):
        mock = Mock()
        weight_of({"data": mock})
        assert mock.mock_calls == []

    def test_a_value_whose_own_words_raise_counts_something(self):
        assert weight_of({"data": Lying()}) > weight_of({})

    def test_keeping_a_save_takes_some_more_than_its_values(self):
        assert size_of({}) == 0
        assert weight_of({"a": FLOATS}) - size_of({"a": FLOATS}) == weight_of({})
