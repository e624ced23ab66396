"""Tags that are entered in one context and left in another."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager

import pytest

from checkpoints import current_tags, tags
from checkpoints._keys import tags as module

A = ("a", 1)
B = ("b", 2)


@pytest.fixture(autouse=True)
def untold(monkeypatch):
    monkeypatch.setattr(module, "_told", set())


async def numbers(**named):
    with tags(**named):
        yield 1
        yield 2


async def closed():
    """Let the event loop close the generators that nobody holds any more."""
    for _ in range(5):
        await asyncio.sleep(0)


async def broken_off(**named):
    async for _ in numbers(**named):
        break
    await closed()


class TestBrokenOff:
    def test_the_tag_is_gone_when_the_loop_has_closed_the_generator(self):
        async def main():
            await broken_off(a=1)
            return current_tags()

        assert asyncio.run(main()) == ()

    def test_those_around_it_and_inside_of_it_stay(self):
        async def main():
            with tags(a=1):
                await broken_off(c=3)
                before = current_tags()
                with tags(b=2):
                    inside = current_tags()
                    await broken_off(d=4)
                    assert current_tags() == inside
                assert current_tags() == before
            return before, inside, current_tags()

        assert asyncio.run(main()) == ((A,), (A, B), ())

    def test_those_entered_after_it_stay(self):
        async def main():
            async for _ in numbers(c=3):
                break
            with tags(b=2):
                await closed()
                inside = current_tags()
            return inside, current_tags()

        assert asyncio.run(main()) == ((B,), ())

    def test_each_of_several_is_gone(self):
        async def main():
            async for _ in numbers(a=1):
                async for _ in numbers(b=2):
                    break
                await closed()
                assert current_tags() == (A,)
                break
            await closed()
            return current_tags()

        assert asyncio.run(main()) == ()

    def test_it_is_told_once_for_each_name(self, caplog):
        async def main():
            for _ in range(3):
                await broken_off(a=1)
            await broken_off(b=2)

        with caplog.at_level(logging.WARNING, "checkpoints"):
            asyncio.run(main())
        assert len(caplog.records) == 2
        assert "@tags(...)" in caplog.text

    def test_a_task_keeps_its_own_tags(self):
        async def work():
            with tags(b=2):
                await closed()
                return current_tags()

        async def main():
            task = asyncio.create_task(work())
            await broken_off(a=1)
            return await task

        assert asyncio.run(main()) == (B,)

    def test_a_block_that_is_left_in_a_copy_of_its_context_is_left(self):
        stack = ExitStack()
        stack.enter_context(tags(a=1))
        contextvars.copy_context().run(stack.close)
        assert current_tags() == ()


class TestNotBrokenOff:
    @pytest.fixture(autouse=True)
    def silent(self, caplog):
        yield
        assert not caplog.records

    def test_a_generator_that_is_closed_in_its_context_leaves_nothing(self):
        async def main():
            async with aclosing(numbers(a=1)) as found:
                async for _ in found:
                    break
            return current_tags()

        assert asyncio.run(main()) == ()

    def test_a_decorated_generator_leaves_nothing(self):
        @tags(a=1)
        async def decorated():
            yield current_tags()
            yield current_tags()

        async def main():
            async for inside in decorated():
                return inside, current_tags()
            return None

        assert asyncio.run(main()) == ((A,), ())

    def test_a_task_that_outlives_the_block_keeps_its_tags(self):
        async def work():
            await closed()
            return current_tags()

        async def main():
            with tags(a=1):
                task = asyncio.create_task(work())
            assert current_tags() == ()
            return await task

        assert asyncio.run(main()) == (A,)

    def test_context_managers_made_of_generators_put_on_their_tags(self):
        @contextmanager
        def one():
            with tags(a=1):
                yield

        @asynccontextmanager
        async def two():
            with tags(b=2):
                yield

        async def main():
            with one():
                async with two():
                    inside = current_tags()
            return inside, current_tags()

        assert asyncio.run(main()) == ((A, B), ())
