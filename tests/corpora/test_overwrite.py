"""A value that is overwritten is another one afterwards, wherever its memory is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from tests.corpora.overwrite import overwrite
from tests.corpora.strict import difference

MADE = {
    "array": lambda: np.arange(3),
    "Fortran order": lambda: np.ones((2, 3), order="F"),
    "objects": lambda: np.array([1, "a"], object),
    "masked array": lambda: np.ma.array([1, 2], mask=[False, True]),
    "list": lambda: [1],
    "array in a dict": lambda: {"a": [np.arange(3)]},
    "frame": lambda: pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}),
    "index of a frame": lambda: pd.DataFrame(index=pd.Index([1, 5])),
    "series": lambda: pd.Series([1.5]),
    "categories": lambda: pd.Categorical(["a", "b"]),
    "nullable": lambda: pd.array([1, None], "Int64"),
    "times": lambda: pd.date_range("2024", periods=2),
    "sparse": lambda: scipy.sparse.csr_array([[0.0, 1.0]]),
}


@pytest.mark.parametrize("name", MADE)
def test_an_overwritten_value_differs(name):
    value = MADE[name]()
    overwrite(value)
    assert difference(MADE[name](), value)
