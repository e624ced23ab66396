"""Summaries: a few hundred bytes that describe a value."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy
import pandas
import polars
import pyarrow
import pytest

import checkpoints
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._kinds.summary import summaries_of

SOURCES = str(Path(checkpoints.__file__).parents[1])

# What other processes make as well; sets are in another order in each of them.
VALUES = """
import datetime, decimal
import numpy, pandas, polars, pyarrow
values = {
    "array": numpy.arange(12.0).reshape(3, 4),
    "objects": numpy.array([1, "a", None], dtype=object),
    "masked": numpy.ma.masked_array([1.0, 2.0], [0, 1]),
    "frame": pandas.DataFrame({"x": [1.5, None], "y": ["a", "b"]}),
    "categories": pandas.Series(["a", "b", "a"], dtype="category"),
    "polars": polars.DataFrame({"x": [1, None], "y": ["a", "b"]}),
    "arrow": pyarrow.table({"x": [1, None], "y": ["a", "b"]}),
    "sets": {"a": {"one", "two", "three", "four"}, "b": frozenset("abcdefgh")},
    "plain": [None, True, 2, 0.1, "text", b"bytes", decimal.Decimal("1.10")],
    "moment": datetime.datetime(2017, 3, 1, 10, tzinfo=datetime.timezone.utc),
    "text": "text" * 100,
    "number": 5,
}
"""


def summary_of(value):
    return summaries_of({"value": value})["value"]


def nested(depth):
    value = ["end"]
    for _ in range(depth):
        value = [value, "x"]
    return value


class Uncooperative:
    """Raises on every operation."""

    __array__ = __len__ = __iter__ = __reduce_ex__ = __repr__ = property(
        lambda _: (_ for _ in ()).throw(ValueError("ask somebody else"))
    )


class TestHash:
    def test_equal_content_has_an_equal_one_in_every_process(self):
        program = VALUES + (
            "import json\n"
            "from checkpoints._kinds.summary import summaries_of\n"
            "found = summaries_of(values)\n"
            "print(json.dumps({name: one['hash'] for name, one in found.items()}))\n"
        )
        runs = [
            subprocess.run(
                [sys.executable, "-c", program],
                check=True,
                capture_output=True,
                text=True,
                timeout=100,
                env={**os.environ, "PYTHONPATH": SOURCES, "PYTHONHASHSEED": seed},
            )
            for seed in ("1", "2")
        ]
        first, second = (json.loads(run.stdout) for run in runs)
        assert first == second
        assert None not in first.values()

    def test_other_content_has_another(self):
        values = [
            numpy.zeros(3),
            numpy.zeros((3, 1)),
            numpy.zeros(3, "float32"),
            numpy.array([0.0, 0.0, 5e-324]),
            [0.0, 0.0, 0.0],
            (0.0, 0.0, 0.0),
            "",
            b"",
            0,
            False,
            0.0,
            None,
            {},
            [],
        ]
        hashes = {summary_of(value)["hash"] for value in values}
        assert len(hashes) == len(values)

    def test_it_is_not_of_the_name(self):
        array = numpy.arange(3)
        found = summaries_of({"a": array, "b": array.copy()})
        assert found["a"] == found["b"]

    def test_a_value_in_memory_of_any_layout_has_the_same(self):
        array = numpy.arange(12.0).reshape(3, 4)
        other = numpy.zeros((6, 8))[::2, ::2]
        other[:] = array
        assert summary_of(other)["hash"] == summary_of(array)["hash"]

    def test_the_size_is_that_of_the_bytes_that_would_be_saved(self):
        assert summary_of("é" * 10)["bytes"] == 20
        assert 8000 <= summary_of(numpy.zeros(1000))["bytes"] < 8200

    @pytest.mark.parametrize(
        "value",
        [object(), threading.Lock(), [object()], {"a": lambda: 1}, nested(100_000)],
    )
    def test_what_would_be_pickled_has_none_and_says_why(self, value):
        found = summary_of(value)
        assert found["hash"] is None
        assert "no hash: " in found["why"]

    def test_an_object_of_no_format_is_not_even_pickled(self):
        pickled = []

        class Noticing:
            def __reduce__(self):
                pickled.append(self)
                return int, ()

        assert summary_of(Noticing())["hash"] is None
        assert pickled == []


class TestSize:
    @pytest.mark.parametrize(
        "value",
        [
            numpy.zeros((100, 100)),
            "x" * 100_000,
            b"x" * 100_000,
            pytest.param(10**100_000, id="a number"),
            decimal.Decimal("1." + "3" * 5000),
            [0.5] * 100_000,
            pytest.param([10**100_000], id="a list of a number"),
            set(range(100_000)),
        ],
    )
    def test_it_is_a_few_hundred_bytes(self, value):
        assert len(json.dumps(summary_of(value))) < 400

    @pytest.mark.parametrize(
        "value",
        [
            pandas.DataFrame(numpy.zeros((2, 2000))),
            polars.DataFrame(numpy.zeros((2, 2000))),
            pyarrow.table({f"column {n}": [0.0] for n in range(2000)}),
            {f"name {n}": numpy.zeros(2) for n in range(2000)},
            [pandas.DataFrame(numpy.zeros((2, 40)))] * 100,
            ["x"] * 100_000,
            [[["x"] * 100] * 100] * 100,
            {"x" * 10_000: "x", ("y",) * 10_000: "y"},
            pandas.DataFrame({"x" * 100_000: [1]}),
        ],
    )
    def test_it_is_bounded_where_there_are_many_parts(self, value):
        assert len(json.dumps(summary_of(value))) < 15_000

    def test_what_is_left_out_is_counted(self):
        assert summary_of({str(n): "" for n in range(2000)})["more"] == 1950
        assert summary_of([""] * 2000)["more"] == 1950
        assert summary_of(pandas.DataFrame(numpy.zeros((1, 70))))["more"] == 20


class TestContent:
    def test_texts_say_their_length_and_nothing_else(self):
        for secret in ("s3cret", b"s3cret", bytearray(b"s3cret")):
            found = summary_of(secret)
            assert found["length"] == 6
            assert "s3cret" not in str(found)

    @pytest.mark.parametrize(
        "value",
        [None, True, 3, 2.5, 1j, decimal.Decimal("1.5"), datetime.date(2017, 3, 1)],
    )
    def test_small_plain_values_are_said_as_they_are(self, value):
        assert summary_of(value)["value"] == value

    @pytest.mark.parametrize(
        "value",
        [
            math.nan,
            complex(math.nan, 1),
            decimal.Decimal("NaN"),
            [math.nan],
            {"a": math.nan},
        ],
    )
    def test_nan_is_text_so_that_equal_summaries_are_equal(self, value):
        assert summary_of(value) == summary_of(value)
        assert summary_of(math.nan)["value"] == "nan"

    def test_a_number_that_is_no_small_value_says_its_bits(self):
        assert summary_of(1 << 1000)["bits"] == 1001

    def test_numbers_in_a_list_have_statistics(self):
        found = summary_of([1, 2.5, math.nan, -math.inf])
        expected = {"length": 4, "min": 1, "max": 2.5, "mean": 1.75, "nan": 1, "inf": 1}
        assert found.items() >= expected.items()

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ([10**400, 1], {"length": 2, "min": 1, "max": "about 2**1329"}),
            ([-(10**400)], {"length": 1, "min": "about -2**1329", "nan": 0}),
            ([10**400, math.nan, math.inf], {"length": 3, "nan": 1, "inf": 1}),
            ([1e308] * 3, {"length": 3, "min": 1e308, "max": 1e308, "inf": 0}),
        ],
    )
    def test_numbers_without_a_mean_have_the_rest(self, value, said):
        found = summary_of(value)
        assert found.items() >= said.items()
        assert found["mean"] is None
        assert found["why"].startswith("no mean: OverflowError")
        assert found["hash"] is not None

    def test_numbers_in_a_dict_have_too(self):
        assert summary_of({"a": 1, "b": 3})["mean"] == 2

    def test_containers_are_described_down_to_a_depth(self):
        found = summary_of({"a": [numpy.ones(2), {"b": ("c", {"d": {"e": "f"}})}]})
        array, below = found["items"]["a"]["items"]
        assert (array["kind"], array["max"]) == ("numpy.ndarray", 1)
        assert below["items"]["b"] == {"kind": "tuple", "length": 2}

    def test_one_that_holds_itself_comes_to_an_end(self):
        value = ["x"]
        value.append(value)
        found = summary_of(value)
        assert found["length"] == 2
        assert found["hash"] is None

    def test_the_kind_is_that_of_the_file(self):
        assert summary_of(pandas.DataFrame())["kind"] == "pandas.DataFrame"
        assert summary_of(numpy.float32(1))["kind"] == "numpy.scalar"
        assert summary_of([1])["kind"] == "list"
        assert summary_of(object())["kind"] == "object"

    def test_it_is_made_of_plain_values(self):
        def check(value):
            if type(value) is dict:
                assert all(type(key) is str for key in value)
                value = list(value.values())
            if type(value) is list:
                for item in value:
                    check(item)
            else:
                assert type(value) in IMMUTABLE

        namespace = {}
        exec(VALUES, namespace)
        check(summaries_of(namespace["values"]))


class TestFailures:
    def test_a_value_that_answers_nothing_says_so(self):
        found = summary_of(Uncooperative())
        assert found["kind"].endswith("Uncooperative")
        assert found["hash"] is None

    def test_what_could_not_be_said_is_said_beside_the_rest(self):
        class Broken(list):
            def __len__(self):
                raise LookupError("length unknown" * 100)

        found = summary_of(Broken([1]))
        assert found["why"].startswith("LookupError: length unknown")
        assert "; no hash: " in found["why"]
        assert len(found["why"]) < 300

    def test_one_value_that_fails_hinders_no_other(self):
        found = summaries_of({"a": Uncooperative(), "b": numpy.zeros(2)})
        assert found["b"]["shape"] == [2]

    def test_no_library_is_loaded_that_was_not_there(self):
        program = (
            "import sys, threading\n"
            "from checkpoints._kinds.summary import summaries_of\n"
            "before = set(sys.modules)\n"
            "summaries_of({'a': [1, 2.5], 'b': {'c': threading.Lock()}, 'd': 'e'})\n"
            "heavy = {'numpy', 'pandas', 'polars', 'pyarrow', 'scipy', 'torch'}\n"
            "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", program],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": SOURCES},
        )
        assert run.stderr == ""
        assert run.returncode == 0
