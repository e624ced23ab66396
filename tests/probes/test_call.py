"""What of a call is saved, and when: the options of rules for probed functions."""

from __future__ import annotations

import asyncio
import functools
import threading
import types
from contextlib import suppress

import numpy
import pytest

import checkpoints
from checkpoints import DictHandler, config, index, load, probed
from checkpoints.errors import ConfigError


@pytest.fixture(autouse=True)
def from_one(monkeypatch):
    monkeypatch.setattr(checkpoints._probes.calls, "_numbers", {})


@probed("called.scale")
def scale(values, by=2, how="fast"):
    if by == 0:
        raise ZeroDivisionError("by nothing")
    values.append(by)
    return [value * by for value in values]


@probed("called.count")
def count(n):
    for number in range(n):
        yield [number]


class Model:
    def __init__(self, alpha):
        self.alpha, self._hidden = alpha, 1
        self.lock = threading.Lock()

    @property
    def broken(self):
        raise RuntimeError("not now")

    @probed("called.fit")
    def fit(self, x):
        self.coef_ = x * self.alpha


class TestDefaults:
    def test_are_marked_in_the_header(self, tmp_path):
        with config("called", tmp_path):
            scale([1], how="slow")
        (entry,) = index(tmp_path).where(["called.scale"])
        assert entry.load() == {"values": [1], "by": 2, "how": "slow"}
        assert entry.meta["defaults"] == ["by"]

    def test_of_a_decorated_function_are_those_of_what_it_decorates(self, tmp_path):
        def inner(x, y=1):
            return x + y

        @functools.wraps(inner)
        def outer(*args, **kwargs):
            return inner(*args, **kwargs)

        with config("called", tmp_path):
            probed("called.outer")(outer)(5)
        (entry,) = index(tmp_path).where(["called.outer"])
        assert (entry.load(), entry.meta["defaults"]) == ({"x": 5, "y": 1}, ["y"])

    def test_of_a_decorator_itself_are_no_arguments_of_what_it_decorates(
        self, tmp_path
    ):
        def inner(x, y=1):
            return x + y

        @functools.wraps(inner)
        def outer(x, retries=3, *args, _checked=False, **kwargs):
            return inner(x, *args, **kwargs)

        with config("called", tmp_path):
            assert probed("called.outer")(outer)(5, y=2) == 7
        (entry,) = index(tmp_path).where(["called.outer"])
        assert entry.load() == {"x": 5, "y": 2}


class TestValues:
    def test_that_cannot_be_saved_leave_the_others(self, tmp_path):
        locks = numpy.array([threading.Lock()], dtype=object)
        with config("called", tmp_path), pytest.raises(AttributeError):
            scale(locks, by=3)
        saved = load(tmp_path / "call=1/called/scale.ckpt.zip")
        assert (saved["by"], list(saved["not saved"])) == (3, ["values"])

    def test_that_pickle_and_do_not_unpickle_leave_the_others(self, tmp_path):
        with config("called", tmp_path), pytest.raises(AttributeError):
            scale(Unloadable(), by=3)
        saved = load(tmp_path / "call=1/called/scale.ckpt.zip")
        assert saved["by"] == 3
        assert "cannot be loaded" in saved["not saved"]["values"]

    @pytest.mark.parametrize("background", [False, True])
    def test_that_cannot_be_saved_are_told_in_the_background_too(
        self, tmp_path, background
    ):
        rule = config("called", tmp_path, background=background)
        with rule, pytest.raises(AttributeError):
            scale(threading.Lock())
        saved = load(tmp_path / "call=1/called/scale.ckpt.zip")
        assert list(saved["not saved"]) == ["values"]

    def test_may_be_attributes_of_an_object(self, tmp_path):
        wanted = ["self.alpha", "self.coef_", "self.broken", "self.nothing", "x"]
        with config("called", tmp_path, values=wanted, after=True):
            Model(2).fit(3)
        given = load(tmp_path / "call=1/called/fit.ckpt.zip")
        assert given == {"self.alpha": 2, "x": 3}
        after = load(tmp_path / "call=1/called/fit/result.ckpt.zip")
        assert after == {
            "self.alpha after the call": 2,
            "self.coef_ after the call": 6,
        }

    def test_may_be_all_public_attributes_of_an_object(self, tmp_path):
        with config("called", tmp_path, values="self.*"):
            Model(2).fit(3)
        given = load(tmp_path / "call=1/called/fit.ckpt.zip")
        assert given["self.alpha"] == 2
        assert list(given["not saved"]) == ["self.lock"]
        assert "self._hidden" not in given


class TestWhen:
    def test_only_calls_that_raise_are_saved_with_their_arguments(self):
        kept = DictHandler()
        with config("called", kept, when="exception"):
            scale([1])
            with pytest.raises(ZeroDivisionError):
                scale([2], by=0)
        assert list(kept) == [
            "call=2/called/scale",
            "call=2/called/scale/exception",
        ]
        assert kept["call=2/called/scale"]["values"] == [2]

    def test_the_arguments_are_those_of_the_call(self):
        @probed("called.spoil")
        def spoil(values):
            values.clear()
            raise LookupError

        kept = DictHandler()
        with (
            config("called", kept, when="exception"),
            pytest.raises(LookupError),
        ):
            spoil([1, 2])
        assert kept["call=1/called/spoil"] == {"values": [1, 2]}

    def test_the_limit_counts_the_calls_that_are_saved(self):
        kept = DictHandler()
        with config("called", kept, when="exception", limit=2):
            for by in (1, 0, 1, 0, 0):
                with suppress(ZeroDivisionError):
                    scale([1], by=by)
        calls = [path for path in kept if path.endswith("scale")]
        assert calls == ["call=2/called/scale", "call=4/called/scale"]

    def test_only_calls_that_take_so_long_are_saved(self, monkeypatch):
        clock = types.SimpleNamespace(now=0.0)
        clock.perf_counter = lambda: clock.now
        monkeypatch.setattr(checkpoints._probes.call, "time", clock)

        @probed("called.rest")
        def rest(seconds):
            clock.now += seconds

        kept = DictHandler()
        with config("called", kept, min_seconds=5):
            rest(4)
            rest(5)
        assert list(kept) == ["call=2/called/rest", "call=2/called/rest/result"]

    @pytest.mark.parametrize(
        "options", [{"when": "never"}, {"min_seconds": "long"}, {"items": 0}]
    )
    def test_what_is_no_condition_is_refused(self, options):
        with pytest.raises(ConfigError, match=f"invalid {next(iter(options))}="):
            config("called", print, **options)


class TestGiven:
    def test_chooses_by_arguments(self):
        kept = DictHandler()
        with config("called", kept, given={"by": ">2", "how": "fast"}):
            for by in (1, 3):
                scale([1], by=by)
            scale([1], by=4, how="slow")
        assert [path for path in kept if "result" not in path] == [
            "call=2/called/scale"
        ]

    def test_chooses_by_attributes(self):
        kept = DictHandler(copy=False)
        with config("called", kept, given={"self.alpha": 2}):
            for alpha in (1, 2):
                Model(alpha).fit(1)
        assert "call=2/called/fit" in kept
        assert "call=1/called/fit" not in kept

    def test_leaves_the_rest_to_earlier_rules(self):
        few, rest = DictHandler(), DictHandler()
        with config("called", rest), config("called", few, given={"by": 3}):
            scale([1], by=3)
            scale([1], by=4)
        assert ("call=1/called/scale" in few, "call=2/called/scale" in rest) == (
            True,
            True,
        )

    def test_is_for_the_values_of_checkpoints_too(self):
        kept = DictHandler(force=True)
        with config("called.point", kept, given={"n": 2}):
            for n in (1, 2, 3):
                checkpoints.checkpoint("called.point", n=n)
        assert kept["called.point"] == {"n": 2}

    def test_of_what_is_not_there_matches_nothing(self):
        with config("called", kept := DictHandler(), given={"nothing": 1}):
            scale([1])
        assert not kept


class TestCaller:
    def test_chooses_by_the_module_that_calls(self):
        kept = DictHandler()
        other = {"__name__": "elsewhere.mod", "scale": scale}
        with config("called", kept, caller="elsewhere"):
            scale([1])
            exec("scale([2])", other)
        assert list(kept) == ["call=2/called/scale", "call=2/called/scale/result"]

    def test_that_is_refused_ends_a_call_before_other_conditions_are_asked(self):
        @probed("probed.add")
        def add(a):
            return a

        asked = []
        with config("probed", DictHandler(), caller="elsewhere", where=asked.append):
            add(1)  # the first call finds out which rules there are
            asked.clear()
            assert add(1) == 1
        assert asked == []


class TestItems:
    def test_are_saved_as_they_were_and_no_more_than_asked_for(self):
        kept = DictHandler()
        with config("called", kept, items=2):
            for item in count(4):
                item.clear()
        saved = kept["call=1/called/count/result"]
        assert saved == {"result": None, "yielded items": [[0], [1]]}

    def test_of_a_generator_that_is_closed_are_saved(self):
        kept = DictHandler()
        with config("called", kept, items=5):
            generator = count(4)
            next(generator)
            generator.close()
        assert kept["call=1/called/count/result"] == {"yielded items": [[0]]}

    def test_of_an_asynchronous_generator_are_saved(self):
        @probed("called.stream")
        async def stream():
            yield 1
            yield 2

        async def listed():
            return [item async for item in stream()]

        kept = DictHandler()
        with config("called", kept, items=5):
            assert asyncio.run(listed()) == [1, 2]
        assert kept["call=1/called/stream/result"] == {"yielded items": [1, 2]}

    def test_that_cannot_be_kept_are_told(self):
        @probed("called.locks")
        def locks():
            yield threading.Lock()
            yield 2

        kept = DictHandler()
        with config("called", kept, items=5):
            assert len(list(locks())) == 2
        saved = kept["call=1/called/locks/result"]
        assert saved["yielded items"] == [None, 2]
        assert list(saved["not saved"]) == ["yielded items/0"]


class TestWithin:
    def test_says_in_which_call_another_was_made(self, tmp_path):
        @probed("called.outer")
        def outer():
            scale([1])

        with config("called", tmp_path):
            outer()
            scale([2])
        found = {
            (entry.name, entry.meta["call"]): entry.meta.get("within")
            for entry in index(tmp_path)
        }
        assert found["called.scale", 1] == {"name": "called.outer", "call": 1}
        assert found["called.scale.result", 1] == found["called.scale", 1]
        assert found["called.scale", 2] is found["called.outer", 1] is None


class Unloadable:
    def __getstate__(self):
        return {"cannot": "be loaded"}

    def __setstate__(self, state):
        raise ValueError("cannot be loaded")


class TestVariadic:
    def test_parameters_that_got_nothing_are_left_out(self):
        @probed("called.gather")
        def gather(*more, **options):
            return more, options

        kept = DictHandler()
        with config("called", kept):
            gather()
            gather(1, a=2)
        assert kept["call=1/called/gather"] == {}
        assert kept["call=2/called/gather"] == {"more": (1,), "options": {"a": 2}}
