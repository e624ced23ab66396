"""The estimated memory of a value: accurate enough to bound the queue."""

from __future__ import annotations

import copy
import dataclasses
import gc
import io
import logging
import pickle
import random
import sys
import tracemalloc
import weakref
from collections import deque
from unittest.mock import Mock

import numpy as np
import pandas as pd
import PIL.Image
import polars as pl
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor

from checkpoints._kinds import weight
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.weight import size_of, weight_of

MEGABYTE = 1_000_000


class Thing:
    def __init__(self, **held):
        self.__dict__.update(held)


class Labelled:
    def __init__(self, x, label):
        self.x, self.label = x, label


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


def text(length):
    return "".join(RANDOM.choices("abcdef", k=length))


RANDOM = random.Random(1)
# Of each, more objects than are weighed one by one.
MANY = {
    "floats": lambda: [RANDOM.random() for _ in range(200_000)],
    "texts": lambda: [text(RANDOM.randrange(40)) for _ in range(100_000)],
    "a set": lambda: {RANDOM.random() for _ in range(200_000)},
    "lists": lambda: [[RANDOM.random() for _ in range(100)] for _ in range(2000)],
    "lists of any length": lambda: [
        [RANDOM.random() for _ in range(RANDOM.randrange(50))] for _ in range(10_000)
    ],
    "dicts": lambda: [
        {"x": (RANDOM.random(), RANDOM.random()), "y": text(50)} for _ in range(50_000)
    ],
    "one deep inside": lambda: {
        "a": [1],
        "b": {"c": {"d": [RANDOM.random() for _ in range(200_000)]}, "e": 1},
    },
    "arrays and numbers": lambda: [
        *(np.zeros(1000) for _ in range(2000)),
        *(RANDOM.random() for _ in range(100_000)),
    ],
    "one array many times": lambda: [np.zeros(100_000)] * 200_000,
    "few numbers many times": lambda: [RANDOM.randrange(10) for _ in range(200_000)],
}


def memory_of(make):
    """The memory that a value takes, and the value."""
    gc.collect()
    tracemalloc.start()
    try:
        value = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], value
    finally:
        tracemalloc.stop()


def visits(monkeypatch):
    """How many objects have been weighed."""
    weighed, count = weight._weighed, []
    monkeypatch.setattr(
        weight, "_weighed", lambda it: (count.append(1), weighed(it))[1]
    )
    return count


class TestManyObjects:
    @pytest.mark.parametrize("name", MANY)
    def test_a_sample_of_them_is_right_within_a_fifth(self, name):
        memory, value = memory_of(MANY[name])
        assert size_of({"data": value}) == pytest.approx(memory, rel=0.2)

    @pytest.mark.parametrize("name", MANY)
    def test_the_same_value_has_the_same_weight(self, name):
        value = MANY[name]()
        assert size_of({"data": value}) == size_of({"data": value})

    def test_no_more_are_looked_at_however_many_there_are(self, monkeypatch):
        count = visits(monkeypatch)
        size_of({"a": [[[0.5] * 10] * 1000 for _ in range(1000)], "b": [*range(10**6)]})
        assert len(count) < 150_000

    def test_a_long_chain_comes_to_an_end(self, monkeypatch):
        count = visits(monkeypatch)
        chain = None
        for _ in range(300_000):
            chain = [chain]
        assert size_of({"data": chain}) > 0
        assert len(count) < 150_000
        while chain:  # else its end would be deeper than Python can go
            (chain,) = chain

    def test_small_objects_count_with_what_their_copies_do_not_share(self):
        things = [Labelled(RANDOM.random(), text(20)) for _ in range(1000)]
        memory, copied = memory_of(lambda: copy.deepcopy(things))
        shared = sum(sys.getsizeof(it.label) + sys.getsizeof(it.x) for it in copied)
        # From 3.13 on, objects have their attributes within, which cannot be measured.
        rel = 0.2 if sys.version_info < (3, 13) else 0.4
        assert size_of({"data": things}) == pytest.approx(memory + shared, rel=rel)


class TestWhatACopyShares:
    @pytest.mark.parametrize(
        "value",
        [
            sys.modules[__name__],
            Thing,
            text,
            len,
            logging.getLogger("checkpoints"),
            weakref.ref(Thing),
            Thing.__init__.__code__,
        ],
    )
    def test_it_is_not_followed(self, value):
        assert size_of({"data": value}) == 0

    def test_a_dict_of_all_modules_costs_little_to_weigh(self, monkeypatch):
        count = visits(monkeypatch)
        size_of({"modules": dict(sys.modules)})
        assert len(count) < 5 * len(sys.modules)


class TestCompiledObjects:
    @pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I", "F"])
    def test_a_picture_counts_its_pixels(self, mode):
        picture = PIL.Image.new(mode, (1000, 1000))
        each = 1 if mode in ("1", "L", "P") else 4
        assert size_of({"data": picture}) == pytest.approx(each * 10**6, rel=0.01)

    def test_an_opened_picture_counts_the_pixels_that_it_will_have(self, tmp_path):
        PIL.Image.new("RGB", (1000, 1000)).save(tmp_path / "picture.png")
        with PIL.Image.open(tmp_path / "picture.png") as picture:
            assert size_of({"data": picture}) == pytest.approx(4e6, rel=0.01)

    def test_a_figure_counts_what_its_copy_takes(self):
        figure = Figure()
        for axes in figure.subplots(2, 2).flat:
            axes.plot(np.arange(100_000.0))
        axes.imshow(np.ones((300, 300)))
        figure.canvas.draw()
        memory, _ = memory_of(lambda: freeze(figure))
        assert size_of({"data": figure}) == pytest.approx(memory, rel=0.2)

    @pytest.mark.parametrize(
        "model", [RandomForestRegressor(60), KNeighborsRegressor(algorithm="kd_tree")]
    )
    def test_a_fitted_model_counts_its_compiled_parts(self, model):
        numbers = np.random.default_rng(1).random((1000, 5))
        model.fit(numbers, numbers[:, 0])
        # Compiled code holds them; a pickle has all of them, and hardly more.
        pickled = len(pickle.dumps(model))
        assert size_of({"data": model}) == pytest.approx(pickled, rel=0.2)

    def test_what_tells_its_own_size_counts_once(self):
        for value in (io.BytesIO(b"x" * MEGABYTE), bytearray(MEGABYTE)):
            assert size_of({"data": value}) == pytest.approx(MEGABYTE, rel=0.01)

    def test_a_subclass_of_an_array_counts_as_one(self):
        class Own(np.ndarray):
            pass

        assert size_of({"data": FLOATS.view(Own)}) == pytest.approx(MEGABYTE, rel=0.01)
