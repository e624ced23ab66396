"""Tags: nested, repeated, and visible only to code that runs inside."""

from __future__ import annotations

import gc
import logging
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from checkpoints import (
    ConfigError,
    DictHandler,
    capture,
    checkpoint,
    config,
    current_tags,
    index,
    tags,
    with_checkpoint_tags,
)
from checkpoints._keys.condition import tags_match

A = ("a", 1)
B = ("b", 2)
C = ("c", 3)


class Unspeakable:
    """A value that cannot be converted to a string."""

    def __str__(self):
        raise RuntimeError("no text")


class TestContext:
    def test_there_are_none_outside(self):
        assert current_tags() == ()

    def test_the_outermost_comes_first(self):
        with tags(a=1), tags(b=2):
            assert current_tags() == (A, B)

    def test_they_end_with_the_block(self):
        with tags(a=1):
            with tags(b=2):
                pass
            assert current_tags() == (A,)
        assert current_tags() == ()

    def test_those_left_out_of_order_leave_the_later_ones(self):
        stack = ExitStack()
        stack.enter_context(tags(a=1))
        with tags(b=2):
            stack.close()
            assert current_tags() == (B,)
            with tags(c=3):
                assert current_tags() == (B, C)
            assert current_tags() == (B,)
        assert current_tags() == ()

    def test_of_those_left_out_of_order_each_leaves_its_own(self):
        outer, inner = ExitStack(), ExitStack()
        with tags(a=1):
            outer.enter_context(tags(b=2))
            inner.enter_context(tags(c=3))
            with tags(a=1):
                outer.close()
                assert current_tags() == (A, C, A)
                inner.close()
                assert current_tags() == (A, A)
            assert current_tags() == (A,)
        assert current_tags() == ()

    def test_they_end_with_an_exception_which_goes_on(self):
        with pytest.raises(KeyError, match="mine"), tags(a=1):
            raise KeyError("mine")
        assert current_tags() == ()

    def test_repeated_names_and_values_are_all_kept(self):
        with tags(("a", 1), ("a", 1), {"a": 2}, a=1), tags(a=2):
            assert current_tags() == (A, A, ("a", 2), A, ("a", 2))

    def test_pairs_and_mappings_keep_their_order_before_the_keywords(self):
        with tags({"c": 3, "a": 1}, ("b", 2), d=4):
            assert current_tags() == (C, A, B, ("d", 4))

    def test_values_are_handed_on_as_they_are(self):
        value = object()
        with tags(a=value):
            assert current_tags()[0][1] is value

    def test_a_mapping_changed_later_changes_nothing(self):
        given = {"a": 1}
        once = tags(given)
        given["b"] = 2
        with once:
            assert current_tags() == (A,)

    def test_one_object_may_be_entered_again_and_inside_itself(self):
        once = tags(a=1)
        with once:
            with once:
                assert current_tags() == (A, A)
            assert current_tags() == (A,)
        with once:
            assert current_tags() == (A,)
        assert current_tags() == ()

    def test_never_entered_are_warned_of(self):
        with pytest.warns(RuntimeWarning, match="never entered: write `with tags"):
            tags(fold=1)

    def test_a_value_whose_repr_fails_spoils_no_warning(self):
        class Value:
            def __repr__(self):
                raise RuntimeError("no repr")

        with pytest.warns(RuntimeWarning, match="<Value instance at .*never"):
            tags(fold=Value())

    def test_can_be_pickled_and_copies_are_not_warned_of(self, recwarn):
        made = tags(fold=1)
        with made:
            copies = [pickle.loads(pickle.dumps(made)) for _ in range(2)]
        with copies[0]:
            assert current_tags() == (("fold", 1),)
        copies.clear()
        gc.collect()
        assert not recwarn.list

    def test_of_a_decorator_count_as_entered(self, recwarn):
        @tags(fold=1)
        def fit():
            return current_tags()

        del fit
        gc.collect()
        assert not recwarn.list

    def test_none_given_adds_none(self):
        with tags():
            assert current_tags() == ()

    def test_they_are_on_what_is_saved(self):
        with capture("tags_on_saves") as seen, tags(a=1), tags(b="x/y"):
            checkpoint("tags_on_saves", 1)
        assert list(seen) == ["a=1/b=x%2Fy/tags_on_saves"]

    def test_a_function_can_be_called_under_them(self):
        def add(one=1):
            return one, current_tags()

        assert with_checkpoint_tags(add, ("a", 1), {"b": 2}, c=3) == (1, (A, B, C))
        assert current_tags() == ()


class TestBadTags:
    @pytest.mark.parametrize("name", ["", "=", "a=b", "=a", 1, None, b"a"])
    def test_a_name_that_cannot_be_one_is_told(self, name):
        for given in ((name, 1), {name: 1}):
            with pytest.raises(ConfigError, match="invalid tag name"):
                tags(given)

    def test_a_keyword_that_cannot_be_a_name_is_told(self):
        with pytest.raises(ConfigError, match="'a=b'"):
            tags(**{"a=b": 1})
        with pytest.raises(ConfigError, match="use non-empty text"):
            with_checkpoint_tags(current_tags, **{"": 1})

    @pytest.mark.parametrize("item", ["ab", ("a",), ("a", 1, 2), ["a", 1], None, 3])
    def test_what_is_no_pair_is_told_with_an_example(self, item):
        with pytest.raises(ConfigError, match=r"tags\(date=day\)"):
            tags(item)

    @pytest.mark.parametrize("thing", [int, 3, None])
    def test_what_is_no_function_is_not_decorated(self, thing):
        with pytest.raises(ConfigError, match="decorates functions"):
            tags(a=1)(thing)

    @pytest.mark.parametrize("files", [True, False])
    def test_a_value_without_a_text_costs_the_save_and_not_the_program(
        self, files, tmp_path, caplog
    ):
        target = tmp_path if files else DictHandler()
        with config(f"tags_unspeakable_{files}", target), tags(a=Unspeakable()):
            checkpoint(f"tags_unspeakable_{files}", 1)
        assert "no text" in caplog.text
        assert len(index(tmp_path) if files else target) == 0

    def test_a_value_without_a_text_does_not_break_a_filter(self, caplog):
        caplog.set_level(logging.WARNING)
        with (
            config("tags_filter", DictHandler(), where={"a": 1}),
            tags(a=Unspeakable()),
        ):
            checkpoint("tags_filter", 1)
        assert "no text" in caplog.text


class TestThreads:
    def test_one_object_can_be_shared(self):
        shared = tags(a=1)
        ready = threading.Barrier(4)

        def work(number):
            for _ in range(50):
                with tags(thread=number), shared:
                    ready.wait(10)
                    assert current_tags() == (("thread", number), A)
                    ready.wait(10)
                assert current_tags() == ()
            return True

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(4)))

    def test_a_generator_may_be_stepped_by_one_thread_after_another(self):
        @tags(a=1)
        def steps():
            with tags(b=2):
                while True:
                    yield current_tags()

        running = steps()
        for _ in range(3):
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(next, running).result() == (A, B)
                assert pool.submit(current_tags).result() == ()


class TestMatching:
    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ({}, True),
            ({"a": 1}, True),
            ({"a": "1"}, True),
            ({"a": 2}, False),
            ({"a": [2, 1]}, True),
            ({"b": "x"}, True),
            ({"b": "z*"}, False),
            ({"b": "?"}, True),
            ({"a": 1, "b": "[ab]"}, False),
            ({"c": "*"}, False),
            ({"d": "[x]"}, True),
        ],
    )
    def test_texts_lists_and_globs_match_any_of_a_tags_values(self, where, expected):
        pairs = (A, ("b", "x"), ("b", "y"), ("d", "[x]"))
        assert tags_match(pairs, where) is expected
