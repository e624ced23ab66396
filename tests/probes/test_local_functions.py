"""Probes of functions that another function makes each time it runs."""

from __future__ import annotations

import asyncio
import inspect
import sys
import types

import pytest

import checkpoints
from checkpoints import capture, probe
from checkpoints._probes.targets import checked_target
from checkpoints._rules.settings import probed_names
from checkpoints.errors import ConfigError

pytest.importorskip("wrapt")

SOURCE = '''
import functools, sys, warnings

def closing(seed):
    def inner(x, *more, y=seed, **rest):
        """Add."""
        return x + y + seed
    return inner

def plain():
    def inner(x):
        return x + 1
    return inner(1)

def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

@logged
def work(n):
    def step(m):
        return m * n
    return step(n)

def counting(n):
    def items():
        for each in range(n):
            yield each
    return items

def waiting(n):
    async def wait():
        return n
    async def stream():
        yield n
    return wait, stream

def deep():
    class Local:
        def method(self):
            def innermost():
                return super(Local, self).__init__() or "deep"
            return innermost()
    return Local()

def asking():
    def ask():
        frame = sys._getframe(1)
        warnings.warn("here", stacklevel=2)
        return frame.f_code.co_name, frame.f_locals["secret"]
    secret = 7
    return ask()

def raising():
    def fail():
        raise ValueError("no")
    fail()

def twice(flag):
    if flag:
        def same(): return 1
    else:
        def same(): return 2
    return same()

def sorting(words):
    return sorted(words, key=lambda word: word[-1])
'''


@pytest.fixture(autouse=True)
def library(monkeypatch):
    """A fresh module for each test."""
    module = types.ModuleType("local_library")
    exec(compile(SOURCE, "local_library.py", "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "local_library", module)
    monkeypatch.setattr(checkpoints._probes.calls, "_numbers", {})
    yield module
    for each in list(checkpoints._probes.probe.probes.values()):
        each.remove()


def probed(path):
    return probe(f"local_library:{path}")


class TestLocalFunctions:
    def test_made_after_the_probe_are_seen_and_those_made_before(self, library):
        before = library.closing(10)
        probed("closing.<locals>.inner")
        after = library.closing(20)
        with capture("local_library.closing.inner") as seen:
            assert (before(1), after(1, y=2)) == (21, 23)
        assert seen["call=1/local_library/closing/inner"] == {"x": 1, "y": 10}
        assert seen["call=2/local_library/closing/inner"] == {"x": 1, "y": 2}
        assert seen["call=2/local_library/closing/inner/result"] == {"result": 23}

    def test_that_are_called_inside_are_seen(self, library):
        made = probed("plain.<locals>.inner")
        assert repr(made) == "<Probe 'local_library.plain.inner', in place>"
        with capture("local_library") as seen:
            assert library.plain() == 2
        assert seen["call=1/local_library/plain/inner/result"] == {"result": 2}

    def test_look_as_before(self, library):
        bare = library.closing(1)
        facts = [
            (inspect.signature(it), it.__doc__, it.__qualname__, it.__code__.co_name)
            for it in (bare, (probed("closing.<locals>.inner"), library.closing(1))[1])
        ]
        assert facts[0] == facts[1]
        assert bare.__code__.co_firstlineno == 5

    def test_of_a_decorator_and_of_what_it_decorates_are_seen(self, library):
        probed("logged.<locals>.wrapper")
        probed("work.<locals>.step")
        with capture("local_library") as seen:
            assert library.work(3) == 9
        assert seen["call=1/local_library/logged/wrapper"] == {"args": (3,)}
        assert seen["call=1/call=1/local_library/work/step"] == {"m": 3}

    def test_may_be_generators_and_coroutines(self, library):
        probed("counting.<locals>.items")
        probed("waiting.<locals>.wait")
        items, (wait, _) = library.counting(3), library.waiting(4)
        assert inspect.isgeneratorfunction(items)
        assert inspect.iscoroutinefunction(wait)
        assert (list(items()), asyncio.run(wait())) == ([0, 1, 2], 4)
        with capture("local_library") as seen:
            assert (list(items()), asyncio.run(wait())) == ([0, 1, 2], 4)
        assert seen["call=1/local_library/waiting/wait/result"] == {"result": 4}
        assert "call=1/local_library/counting/items/result" in seen

    def test_may_be_deep_inside(self, library):
        probed("deep.<locals>.Local.method.<locals>.innermost")
        with capture("local_library") as seen:
            assert library.deep().method() == "deep"
        assert "call=1/local_library/deep/Local/method/innermost" in seen

    def test_may_be_lambdas(self, library):
        probed("sorting.<locals>.<lambda>")
        with capture("*") as seen:
            assert library.sorting(["ab", "ca"]) == ["ca", "ab"]
        assert [it["word"] for it in seen.values() if "word" in it] == ["ab", "ca"]

    def test_find_their_caller(self, library):
        probed("asking.<locals>.ask")
        with capture("local_library"), pytest.warns(UserWarning, match="here") as told:
            assert library.asking() == ("asking", 7)
        assert told[0].filename == "local_library.py"

    def test_raise_what_they_raise(self, library):
        probed("raising.<locals>.fail")
        with capture("local_library") as seen, pytest.raises(ValueError, match="no"):
            library.raising()
        assert "call=1/local_library/raising/fail/exception" in seen

    @pytest.mark.parametrize("is_first", [True, False])
    def test_are_seen_together_with_the_outer_function(self, library, is_first):
        paths = ["plain", "plain.<locals>.inner"]
        with capture("local_library") as seen:
            for path in paths if is_first else paths[::-1]:
                probed(path)
            assert library.plain() == 2
        assert "call=1/local_library/plain/result" in seen
        assert "call=1/call=1/local_library/plain/inner/result" in seen
        assert library.plain() == 2

    def test_are_left_alone_when_the_probe_is_removed(self, library):
        own, before = library.plain.__code__, library.closing(1)
        code = before.__code__
        with probed("plain.<locals>.inner"), probed("closing.<locals>.inner"):
            during = library.closing(2)
            assert before.__code__ is not code
        assert library.plain.__code__ == own
        assert before.__code__ is code
        assert during.__code__ is code

    def test_of_a_rule_from_outside_go_by_the_name_without_locals(self):
        assert checked_target("a:f.<locals>.g") == probed_names("a:f.<locals>.g")
        assert probed_names("a:f.<locals>.g") == "a.f.g"

    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("plain.<locals>.outer", "no Python function of this name is defined"),
            ("twice.<locals>.same", "2 functions have this name"),
            ("waiting.<locals>.stream", "can express no function that leads to it"),
            ("plain.<locals>", "cannot probe 'local_library:plain.<locals>': expected"),
        ],
    )
    def test_that_cannot_be_probed_are_refused_with_the_reason(self, path, why):
        with pytest.raises(ConfigError, match=why):
            probed(path)
