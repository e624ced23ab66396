"""What became of a value is told by its right name, and what is known is documented."""

from __future__ import annotations

import logging
import math
import threading
import tomllib
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from checkpoints import register_format
from tests.corpora.__main__ import Trials
from tests.corpora.collect import Collector, TooLongError, limited
from tests.corpora.trial import BAD, GROUPS, OUTCOMES, Case, Report, outcome
from tests.corpora.ways import WAYS, Place

numpy = pytest.importorskip("numpy", reason="most values are of its kinds")

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "corpora.md"
KNOWN = tomllib.loads((HERE / "known.toml").read_text(encoding="utf-8"))["known"]
OF_FILES = sorted(set(WAYS) - {"memory", "parquet"})


@pytest.fixture
def place():
    logger = logging.getLogger("checkpoints")
    before = logger.level, logger.propagate, list(logger.handlers)
    with ExitStack() as stack:
        yield Place(stack)
    logger.level, logger.propagate, logger.handlers = before


class Unknown:
    """Of no kind, so that it is pickled."""

    def __init__(self):
        self.number = 1


class Shared:
    """Has its own format, by which a copy shares the memory of the original."""

    def __init__(self, data):
        self.array = numpy.frombuffer(bytearray(data), "u1")


register_format(
    Shared,
    kind=f"corpora.{uuid.uuid4().hex}",
    suffix="bin",
    encode=lambda value: value.array.tobytes(),
    decode=Shared,
    freeze=lambda value: value,
)


def fails(_):
    raise ValueError("a defect")


def of_format(**changes):
    """Return a value of a class with its own format, which may have a defect."""
    cls = type("Model", (), {"number": 1, "__module__": __name__})
    given = {"encode": lambda _: b"", "decode": lambda _: cls(), **changes}
    kind = f"corpora.{uuid.uuid4().hex}"
    register_format(cls, kind=kind, suffix="bin", freeze=lambda it: it, **given)
    return cls()


class TestOutcome:
    @pytest.mark.parametrize("way", sorted(set(WAYS) - {"parquet"}))
    def test_is_exact_where_the_same_comes_back(self, place, way):
        value = {"a": numpy.arange(3), "b": [1]}
        assert outcome(way, place, value).outcome == "exact"

    def test_is_exact_for_a_table_in_parquet(self, place):
        frame = pytest.importorskip("pandas").DataFrame({"a": [1]})
        assert outcome("parquet", place, frame).outcome == "exact"

    def test_is_none_for_another_value_in_parquet(self, place):
        assert outcome("parquet", place, numpy.arange(3)) is None

    @pytest.mark.parametrize("way", OF_FILES)
    def test_is_pickled_where_the_log_says_so(self, place, way):
        assert outcome(way, place, Unknown()).outcome == "pickled"

    @pytest.mark.parametrize("way", OF_FILES)
    def test_is_untold_where_the_log_is_silent(self, place, way):
        logging.getLogger("checkpoints").removeHandler(place.log)
        assert outcome(way, place, Unknown()).outcome == "untold"

    @pytest.mark.parametrize("way", sorted(set(WAYS) - {"parquet", "overwritten"}))
    def test_is_refused_where_the_save_fails(self, place, way):
        assert outcome(way, place, threading.Lock()).outcome == "refused"

    @pytest.mark.parametrize("way", sorted(set(OF_FILES) - {"overwritten"}))
    def test_is_changed_where_another_value_comes_back(self, place, way):
        value = of_format(decode=lambda _: 1)
        assert outcome(way, place, value).outcome == "changed"

    @pytest.mark.parametrize("way", sorted(set(OF_FILES) - {"overwritten"}))
    def test_is_lost_where_only_loading_fails(self, place, way):
        assert outcome(way, place, of_format(decode=fails)).outcome == "lost"

    def test_is_changed_where_memory_is_shared_with_the_caller(self, place):
        assert outcome("overwritten", place, Shared(b"a")).outcome == "changed"
        assert outcome("session", place, Shared(b"a")).outcome == "exact"


class TestTrials:
    def test_go_on_after_each_value_and_load_what_they_can_in_a_fresh_process(
        self, place
    ):
        local = numpy.arange(2).view(type("Local", (numpy.ndarray,), {}))
        report = Report("numpy", examples=1)
        trials = Trials(report, place, kept=None)
        trials.run([numpy.arange(2), local, Unknown(), 1], math.inf)
        trials.run_fresh(math.inf)
        assert report.totals["all ways"]["tried"] == 4
        assert report.totals["fresh process"]["exact"] >= 2
        assert not {*report.totals["fresh process"]} & {*BAD}


class TestReport:
    def test_counts_a_value_by_the_worst_of_its_ways(self):
        report = Report("numpy", examples=1)
        cases = {"plain": "exact", "zstd": "changed", "mapped": "pickled"}
        worst = report.add({way: Case.of(it, 1, "") for way, it in cases.items()})
        assert worst == "changed"
        assert report.totals["all ways"] == Counter(tried=1, changed=1)
        assert report.counts["plain"] == Counter(tried=1, exact=1)

    def test_has_parquet_apart_which_refuses_most_values(self):
        report = Report("numpy", examples=1)
        cases = {"plain": "exact", "parquet": "refused"}
        report.add({way: Case.of(it, 1, "") for way, it in cases.items()})
        assert report.totals["all ways"] == Counter(tried=1, exact=1)
        assert report.totals["Parquet"] == Counter(tried=1, refused=1)

    def test_knows_each_way(self):
        assert {*GROUPS} == {*WAYS, "fresh"}
        assert set(BAD) < set(OUTCOMES)


class TestKnownExceptions:
    @pytest.mark.parametrize("known", KNOWN, ids=lambda it: it["match"])
    def test_have_their_reason_on_the_page(self, known):
        assert known["outcome"] in BAD
        assert known["why"] in PAGE.read_text(encoding="utf-8")

    def test_are_no_more_than_on_the_page(self):
        _, _, section = PAGE.read_text(encoding="utf-8").partition("## Known")
        table = section.partition("\n## ")[0].splitlines()
        assert len([line for line in table if line.startswith("| ")]) == len(KNOWN) + 1


class TestCollector:
    def test_keeps_different_values_of_libraries(self):
        collector = Collector(most=9)
        for value in (1, "a", numpy.arange(2), numpy.arange(2), numpy.arange(3), numpy):
            collector.add(value)
        assert [value.tolist() for value in collector.values] == [[0, 1], [0, 1, 2]]

    def test_keeps_no_more_than_it_may(self):
        collector = Collector(most=2)
        for number in range(4):
            collector.add(numpy.float64(number))
        assert len(collector.values) == 2

    def test_keeps_nothing_that_is_long_though_it_takes_no_memory(self):
        pyarrow = pytest.importorskip("pyarrow", reason="it has such arrays")
        collector = Collector(most=9)
        collector.add(pyarrow.nulls(10**9))
        assert collector.values == []

    def test_keeps_no_object_that_only_a_test_knows(self):
        collector = Collector(most=9)
        collector.add(type("TestArray", (), {"__module__": "numpy.tests.test_a"})())
        assert collector.values == []


def test_what_takes_too_long_is_stopped():
    with pytest.raises(TooLongError), limited(0.01):
        while True:
            pass
