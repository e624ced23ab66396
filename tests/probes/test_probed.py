"""`probed`: a decorator that saves calls, and is otherwise not to be noticed."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import pickle
import sys
import types

import pytest

import checkpoints
from checkpoints import capture, probed
from checkpoints.errors import ConfigError


@pytest.fixture(autouse=True)
def from_one(monkeypatch):
    monkeypatch.setattr(checkpoints._probes.calls, "_numbers", {})


@pytest.fixture
def seen():
    with capture("*probed*") as handler:
        yield handler


@probed("probed.top")
def top(x, *, y=2):
    """Say."""
    return x + y


class TestProbed:
    def test_saves_what_a_function_takes_and_returns(self, seen):
        assert top(1) == 3
        assert dict(seen) == {
            "call=1/probed/top": {"x": 1, "y": 2},
            "call=1/probed/top/result": {"result": 3},
        }

    def test_saves_nothing_while_no_rule_is_on(self):
        before = checkpoints.stats().saved
        assert top(1) == 3
        assert checkpoints.stats().saved == before

    @pytest.mark.parametrize("decorator", [probed, probed()], ids=["bare", "called"])
    def test_takes_the_name_of_the_function_where_none_is_given(self, decorator):
        @decorator
        def inner():
            return 1

        name = f"{__name__}.TestProbed.{sys._getframe().f_code.co_name}.inner"
        with capture(name) as seen:
            inner()
        assert len(seen) == 2

    def test_saves_what_is_raised(self, seen):
        @probed("probed.fail")
        def fail():
            raise LookupError("lost")

        with pytest.raises(LookupError):
            fail()
        assert seen["call=1/probed/fail/exception"]["message"] == "lost"

    def test_needs_no_wrapt(self, seen, monkeypatch):
        monkeypatch.setitem(sys.modules, "wrapt", None)
        assert probed("probed.plain")(lambda x: x)(5) == 5
        assert "call=1/probed/plain" in seen

    def test_keeps_the_looks_of_a_function(self):
        assert str(inspect.signature(top)) == "(x, *, y=2)"
        assert (top.__doc__, top.__name__) == ("Say.", "top")

    def test_leaves_a_function_that_can_be_pickled(self, monkeypatch):
        module = type(sys)("probed_by_test")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(
            "import checkpoints\n@checkpoints.probed\ndef f(x): return x",
            vars(module),
        )
        assert pickle.loads(pickle.dumps(module.f)) is module.f

    def test_is_for_methods_of_each_kind(self, seen):
        class Till:
            @probed("probed.plain")
            def plain(self, x):
                return x

            @probed("probed.inside")
            @classmethod
            def inside(cls, x):
                return cls, x

            @classmethod
            @probed("probed.outside")
            def outside(cls, x):
                return cls, x

            @probed("probed.still")
            @staticmethod
            def still(x):
                return x

        assert Till().plain(1) == Till.still(1) == Till().still(1) == 1
        assert Till.inside(1) == Till.outside(1) == (Till, 1)
        assert seen["call=1/probed/inside"]["cls"].endswith("Till")

    def test_is_for_coroutines(self, seen):
        @probed("probed.wait")
        async def wait(x):
            await asyncio.sleep(0)
            return x

        assert inspect.iscoroutinefunction(wait)
        assert asyncio.run(wait(4)) == 4
        assert seen["call=1/probed/wait/result"] == {"result": 4}

    def test_is_for_generators(self, seen):
        @probed("probed.count")
        def count(n):
            got = yield n
            return got

        assert inspect.isgeneratorfunction(count)
        generator = count(3)
        assert next(generator) == 3
        with pytest.raises(StopIteration):
            generator.send("a")
        result = seen["call=1/probed/count/result"]
        assert (result["result"], [*result["not saved"]]) == ("a", ["yielded items"])

    def test_is_for_generators_that_are_awaited(self, seen):
        @probed("probed.awaited")
        @types.coroutine
        def awaited(x):
            return (yield x)

        async def outer():
            return await awaited(1)

        steps = outer()
        assert steps.send(None) == 1
        with pytest.raises(StopIteration, match="5"):
            steps.send(5)
        assert seen["call=1/probed/awaited/result"] == {"result": 5}

    def test_is_for_asynchronous_generators(self, seen):
        @probed("probed.stream")
        async def stream(n):
            got = yield n
            yield got

        async def both():
            async with contextlib.aclosing(stream(3)) as generator:
                return await generator.asend(None), await generator.asend("a")

        assert inspect.isasyncgenfunction(stream)
        assert asyncio.run(both()) == (3, "a")
        assert list(seen) == ["call=1/probed/stream"]

    @pytest.mark.parametrize("subject", [int, 5, None])
    def test_is_for_nothing_else(self, subject):
        with pytest.raises(ConfigError, match="write @probed or @probed"):
            probed(subject)

    def test_takes_a_name_that_can_be_one(self):
        with pytest.raises(ConfigError):
            probed("a..b")(top)
