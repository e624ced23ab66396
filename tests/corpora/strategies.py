"""Values that the libraries' own strategies for hypothesis make, and their fixtures."""

from __future__ import annotations

import importlib
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpora.collect import Collector

__all__ = ["STRATEGIES", "draw", "fixtures_of"]


def _numpy() -> Iterator[Any]:
    from hypothesis.extra import numpy as from_numpy

    dtypes = (
        from_numpy.scalar_dtypes()
        | from_numpy.nested_dtypes(max_leaves=4, max_itemsize=200)
        | from_numpy.array_dtypes()
    )
    shapes = from_numpy.array_shapes(min_dims=0, max_dims=3, max_side=3, min_side=0)
    yield dtypes.flatmap(lambda dtype: from_numpy.arrays(dtype, shapes))
    yield dtypes.flatmap(from_numpy.from_dtype)
    yield dtypes


def _pandas() -> Iterator[Any]:
    from hypothesis import strategies
    from hypothesis.extra import numpy as from_numpy
    from hypothesis.extra import pandas as from_pandas

    numbers = (
        from_numpy.integer_dtypes()
        | from_numpy.floating_dtypes(sizes=(32, 64))
        | from_numpy.boolean_dtypes()
        | strategies.sampled_from(["M8[ns]", "m8[ns]", "c16", object, "M8[s]"])
    )
    texts = strategies.text(max_size=3)
    yield numbers.flatmap(
        lambda dtype: from_pandas.data_frames(
            from_pandas.columns(2, dtype=dtype)
            if dtype is not object
            else from_pandas.columns(2, elements=texts)
        )
    )
    yield from_pandas.series(dtype=float)
    yield from_pandas.series(elements=texts)
    yield from_pandas.indexes(dtype=int)
    yield from_pandas.indexes(elements=texts, dtype=object)
    yield from_pandas.range_indexes(name=strategies.none() | strategies.text())


def _polars() -> Iterator[Any]:
    import polars
    from polars.testing import parametric

    nested = [polars.List, polars.Struct, polars.Array, polars.Enum, polars.Categorical]
    yield parametric.dataframes(max_cols=4, max_size=6)
    yield parametric.series(max_size=6)
    for dtype in (*nested, polars.Decimal, polars.Datetime, polars.Binary):
        yield parametric.series(max_size=4, dtype=dtype)
    yield parametric.dataframes(max_cols=2, max_size=3, lazy=True)


def _arrow() -> Iterator[Any]:
    import hypothesis
    from pyarrow.tests import strategies

    # It skips the whole test where a single example does not fit.
    strategies.pytest = types.SimpleNamespace(skip=lambda *_: hypothesis.reject())
    yield strategies.all_arrays
    yield strategies.all_chunked_arrays
    yield strategies.all_record_batches
    yield strategies.all_tables
    yield strategies.all_types
    yield strategies.all_schemas


def _scipy() -> Iterator[Any]:
    import scipy.sparse
    from hypothesis import strategies
    from hypothesis.extra import numpy as from_numpy

    names = [f"{name}_{end}" for name in _FORMATS for end in ("array", "matrix")]
    arrays = strategies.sampled_from(["?", "i1", "u8", "f4", "f8", "c16"]).flatmap(
        lambda dtype: from_numpy.arrays(dtype, from_numpy.array_shapes(max_dims=2))
    )
    for name in names:
        cls = getattr(scipy.sparse, name)
        yield arrays.filter(lambda array: array.ndim == 2).map(cls)


def _xarray() -> Iterator[Any]:
    import xarray
    from xarray.testing import strategies

    variables = strategies.variables()
    yield variables
    yield variables.map(lambda found: xarray.DataArray(found, name="a"))
    yield variables.map(lambda found: xarray.Dataset({"a": found}, attrs={"b": 1}))


def _nothing() -> Iterator[Any]:
    """Yield nothing, for a library that has no strategies."""
    yield from ()


_FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
STRATEGIES: dict[str, Callable[[], Iterator[Any]]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _arrow,
    "scipy": _scipy,
    "xarray": _xarray,
    "geopandas": _nothing,
    "shapely": _nothing,
}


def draw(library: str, collector: Collector, seconds: float, most: int) -> None:
    """
    Collect what the strategies of a library make, from a fixed seed.

    Args:
        library: Its import name.
        collector: Keeps the values.
        seconds: How long to draw.
        most: How many values to draw from each strategy.
    """
    try:
        strategies = list(STRATEGIES[library]())
    except ImportError:
        return
    for strategy in strategies:
        _draw(strategy, collector, seconds / len(strategies), most)


class _Enough(Exception):
    pass


def _draw(strategy: Any, collector: Collector, seconds: float, most: int) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings

    end = time.monotonic() + seconds

    @seed(1)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def example(value: Any) -> None:
        collector.add(value)
        if time.monotonic() > end:
            raise _Enough

    try:
        example()
    except (_Enough, BaseExceptionGroup):
        return
    except Exception as error:  # a strategy may not fit the installed versions
        print(f"\n{strategy!r:.60}: {error!r:.200}")


def fixtures_of(library: str, collector: Collector) -> None:
    """Collect the values that modules of a library have for its tests."""
    names = {
        "pandas": ("pandas.conftest", "pandas._testing", "pandas._testing._hypothesis"),
        "pyarrow": ("pyarrow.tests.pandas_examples", "pyarrow.tests.conftest"),
        "numpy": ("numpy.conftest", "numpy.testing"),
        "shapely": ("shapely.tests.common",),
    }
    for name in names.get(library, ()):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        for value in list(vars(module).values()):
            collector.add(value)
            _add_items(value, collector)
    if library == "pandas":
        _of_dtypes(collector)


def _add_items(value: Any, collector: Collector) -> None:
    if type(value) in (list, tuple, dict):
        for item in value.values() if isinstance(value, dict) else value:
            collector.add(item)


def _of_dtypes(collector: Collector) -> None:
    """Collect a series of each dtype that pandas lists for its tests."""
    import pandas
    import pandas._testing as testing

    names = [name for name in vars(testing) if name.endswith("DTYPES")]
    dtypes = [dtype for name in names for dtype in vars(testing)[name]]
    for dtype in dtypes:
        for content in ([], [1, 0], [None, 1], ["1"], [None]):
            try:
                series = pandas.Series(content, dtype=dtype)
                collector.add(series)
                collector.add(series.to_frame("a").set_index(series))
                collector.add(pandas.Index(series))
            except Exception:  # not every dtype has such a value
                continue
