"""How many bytes values hold, as far as they say."""

from __future__ import annotations

import numpy

from checkpoints.formats._weight import size_of, weight_of


class TestSize:
    def test_nothing_holds_nothing(self):
        assert size_of({}) == 0

    def test_arrays_and_texts_count_in_full(self):
        assert size_of({"a": numpy.zeros(1000)}) == 8000
        assert 1000 < size_of({"a": "x" * 1000}) < 1100

    def test_what_is_held_twice_counts_once(self):
        array = numpy.zeros(1000)
        assert size_of({"a": array, "b": array}) == 8000

    def test_keeping_a_save_takes_some_more(self):
        values = {"a": numpy.zeros(1000)}
        assert weight_of(values) - size_of(values) == weight_of({}) > 0
