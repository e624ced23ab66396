"""Tags as a decorator: in force only while the function runs."""

from __future__ import annotations

import asyncio
import inspect
import types

import pytest

from checkpoints import current_tags, tags

A = ("a", 1)
B = ("b", 2)
C = ("c", 3)


class TestFunctions:
    def test_each_call_has_them_and_only_it(self):
        @tags(a=1)
        def inside(*args, key=None):
            return args, key, current_tags()

        assert inside(5, key=6) == ((5,), 6, (A,))
        assert current_tags() == ()

    def test_a_recursion_repeats_them(self):
        @tags(a=1)
        def down(depth):
            return down(depth - 1) if depth else current_tags()

        assert down(3) == (A,) * 4
        assert current_tags() == ()

    def test_an_exception_passes_and_takes_them_off(self):
        @tags(a=1)
        def fail():
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            fail()
        assert current_tags() == ()

    def test_methods_of_every_sort_can_have_them(self):
        class Model:
            @tags(a=1)
            def fit(self):
                return self, current_tags()

            @classmethod
            @tags(b=2)
            def make(cls):
                return cls, current_tags()

            @staticmethod
            @tags(c=3)
            def check():
                return current_tags()

        model = Model()
        assert model.fit() == (model, (A,))
        assert Model.make() == (Model, (B,))
        assert Model.check() == (C,)

    def test_the_function_stays_what_it_was(self):
        @tags(a=1)
        def named(x: int) -> int:
            """Say what."""
            return x

        assert (named.__name__, named.__doc__) == ("named", "Say what.")
        assert str(inspect.signature(named, eval_str=True)) == "(x: int) -> int"

    def test_every_kind_of_function_stays_of_its_kind(self):
        @tags(a=1)
        def steps():
            yield

        @tags(a=1)
        async def later():
            pass

        @tags(a=1)
        async def later_steps():
            yield

        assert inspect.isgeneratorfunction(steps)
        assert inspect.iscoroutinefunction(later)
        assert inspect.isasyncgenfunction(later_steps)


class TestGenerators:
    def test_it_has_them_while_it_runs_and_its_caller_never(self):
        @tags(a=1)
        def steps():
            for _ in range(3):
                yield current_tags()

        outside = []
        inside = [outside.append(current_tags()) or seen for seen in steps()]
        assert inside == [(A,)] * 3
        assert outside == [()] * 3

    def test_inner_tags_survive_a_step_and_do_not_leak(self):
        @tags(a=1)
        def steps():
            with tags(b=2):
                yield current_tags()
                with tags(c=3):
                    yield current_tags()
                yield current_tags()
            yield current_tags()

        running = steps()
        expected = [(A, B), (A, B, C), (A, B), (A,)]
        for seen in expected:
            assert next(running) == seen
            assert current_tags() == ()
        assert list(running) == []

    def test_each_step_is_inside_the_tags_of_who_asks_for_it(self):
        @tags(b=2)
        def steps():
            with tags(c=3):
                while True:
                    yield current_tags()

        running = steps()
        with tags(a=1):
            assert next(running) == (A, B, C)
        assert next(running) == (B, C)
        with tags(d=4), tags(e=5):
            assert next(running) == (("d", 4), ("e", 5), B, C)
            assert current_tags() == (("d", 4), ("e", 5))

    def test_what_is_sent_arrives_and_the_return_value_comes_back(self):
        @tags(a=1)
        def add():
            total = 0
            while (number := (yield total)) is not None:
                total += number
            return total, current_tags()

        running = add()
        assert [next(running), running.send(2), running.send(3)] == [0, 2, 5]
        with pytest.raises(StopIteration) as stop:
            running.send(None)
        assert stop.value.value == (5, (A,))

    def test_what_is_thrown_arrives_and_can_be_caught(self):
        @tags(a=1)
        def steps():
            with tags(b=2):
                try:
                    yield "waiting"
                except KeyError as error:
                    yield error.args[0], current_tags()

        running = steps()
        next(running)
        assert running.throw(KeyError("mine")) == ("mine", (A, B))
        assert current_tags() == ()

    def test_what_is_thrown_and_not_caught_comes_out_again(self):
        @tags(a=1)
        def steps():
            with tags(b=2):
                yield

        running = steps()
        next(running)
        with pytest.raises(KeyError, match="mine"):
            running.throw(KeyError("mine"))
        assert current_tags() == ()
        assert list(running) == []

    def test_a_close_cleans_up_inside_them(self):
        seen = []

        @tags(a=1)
        def steps():
            try:
                with tags(b=2):
                    yield
            finally:
                seen.append(current_tags())

        running = steps()
        next(running)
        running.close()
        assert seen == [(A,)]
        assert current_tags() == ()
        assert list(running) == []

    def test_two_that_take_turns_do_not_see_each_other(self):
        @tags(a=1)
        def steps(name):
            with tags({name: 0}):
                while True:
                    yield current_tags()

        one, two = steps("one"), steps("two")
        for _ in range(3):
            assert next(one) == (A, ("one", 0))
            assert next(two) == (A, ("two", 0))

    def test_one_that_delegates_to_itself_repeats_them(self):
        @tags(a=1)
        def down(depth):
            yield current_tags()
            if depth:
                yield from down(depth - 1)
            yield current_tags()

        assert [len(seen) for seen in down(2)] == [1, 2, 3, 3, 2, 1]
        assert current_tags() == ()


class TestAsync:
    def test_a_coroutine_has_them_across_its_waits(self):
        @tags(a=1)
        async def wait():
            await asyncio.sleep(0)
            return current_tags()

        async def main():
            return await wait(), current_tags()

        assert asyncio.run(main()) == ((A,), ())

    def test_tasks_side_by_side_keep_their_own(self):
        async def work(number):
            with tags(task=number):
                for _ in range(5):
                    await asyncio.sleep(0)
                    assert current_tags() == (A, ("task", number))
            return current_tags()

        async def main():
            with tags(a=1):
                return await asyncio.gather(*map(work, range(10)))

        assert asyncio.run(main()) == [(A,)] * 10

    def test_a_generator_that_is_awaited_has_them_while_it_runs(self):
        @tags(fold=1)
        @types.coroutine
        def awaited():
            yield current_tags()

        async def outer():
            await awaited()

        assert outer().send(None) == (("fold", 1),)
        assert current_tags() == ()

    def test_an_asynchronous_generator_has_them_only_while_it_runs(self):
        @tags(a=1)
        async def steps():
            with tags(b=2):
                got = yield current_tags()
                await asyncio.sleep(0)
                try:
                    yield got, current_tags()
                except KeyError:
                    yield "caught", current_tags()
            yield current_tags()

        async def main():
            running = steps()
            return [
                (await anext(running), current_tags()),
                (await running.asend("sent"), current_tags()),
                (await running.athrow(KeyError()), current_tags()),
                (await anext(running), current_tags()),
                (await anext(running, "ended"), current_tags()),
            ]

        assert asyncio.run(main()) == [
            ((A, B), ()),
            (("sent", (A, B)), ()),
            (("caught", (A, B)), ()),
            ((A,), ()),
            ("ended", ()),
        ]

    def test_closing_an_asynchronous_generator_cleans_up_inside_them(self):
        seen = []

        @tags(a=1)
        async def steps():
            try:
                yield
            finally:
                await asyncio.sleep(0)
                seen.append(current_tags())

        async def main():
            running = steps()
            await anext(running)
            await running.aclose()
            assert current_tags() == ()

        asyncio.run(main())
        assert seen == [(A,)]
