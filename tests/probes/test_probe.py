"""Probes: what is saved of calls, and that calls otherwise behave the same."""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import logging
import math
import pickle
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import cloudpickle
import pytest

import checkpoints
from checkpoints import DictHandler, capture, config, index, load, probe, tags
from checkpoints._probes.targets import checked_target, probes_from_environment
from checkpoints.errors import ConfigError, MissingDependencyError

pytest.importorskip("wrapt")


@pytest.fixture(autouse=True)
def library(monkeypatch):
    """A fresh library for each test, so that its calls count from 1."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    monkeypatch.setattr(checkpoints._probes.calls, "_numbers", {})
    for name in [name for name in sys.modules if name.split(".")[0] == "probed"]:
        monkeypatch.delitem(sys.modules, name)
    yield
    for each in list(checkpoints._probes.probe.probes.values()):
        each.remove()
    for name in [name for name in sys.modules if name.split(".")[0] == "probed"]:
        del sys.modules[name]


@pytest.fixture
def shop():
    return importlib.import_module("probed.shop")


@pytest.fixture
def seen():
    with capture("probed") as handler:
        yield handler


class TestArguments:
    def test_are_saved_by_the_names_of_their_parameters(self, shop, seen):
        probe("probed.shop:Till.add")
        shop.Till("me").add(2)
        saved = seen["call=1/probed/shop/Till/add"]
        assert saved == {"self": shop.Till("me"), "x": 2, "y": 1}

    def test_are_those_of_the_call_even_when_the_function_changes_them(
        self, shop, seen
    ):
        probe("probed.shop:total")
        prices = [1, 2]
        shop.total(prices)
        assert prices == [1, 2, 0]
        assert seen["call=1/probed/shop/total"]["prices"] == [1, 2]

    def test_call_the_function_again(self, shop, seen):
        with probe("probed.shop:total"):
            result = shop.total([1, 2], 3, 4, discount=2, tip=5)
        saved = seen["call=1/probed/shop/total"]
        bound = inspect.BoundArguments(inspect.signature(shop.total), saved)
        assert saved["more"] == (3, 4)
        assert saved["extras"] == {"tip": 5}
        assert shop.total(*bound.args, **bound.kwargs) == result == 13

    def test_are_there_when_the_function_never_returns(self, shop, tmp_path):
        probe("probed.shop:refuse")
        with config("probed", tmp_path), pytest.raises(LookupError):
            shop.refuse("closed")
        assert load(tmp_path / "call=1/probed/shop/refuse.ckpt.zip") == {
            "reason": "closed"
        }

    def test_that_cannot_be_saved_are_left_out_and_said_to_be(self, shop, tmp_path):
        probe("probed.shop:Till.add")
        lock = threading.Lock()
        with config("probed", tmp_path):
            assert shop.Till().add(lock, 5)[1] is lock
        (file,) = index(tmp_path).where(["probed.shop.Till.add"])
        saved = load(file, "y", "not saved")
        assert saved["y"] == 5
        assert "lock" in saved["not saved"]["x"]
        with pytest.raises(LookupError):
            load(file, "x")

    def test_of_a_class_method_tell_the_class(self, shop, seen):
        probe("probed.shop:Till.named")
        assert shop.Till.named("you").owner == "you"
        saved = seen["call=1/probed/shop/Till/named"]
        assert saved == {"cls": "probed.shop:Till", "name": "you"}

    def test_that_do_not_fit_raise_what_they_raise_without(self, shop, seen):
        with pytest.raises(TypeError) as plain:
            shop.Till().add()
        probe("probed.shop:Till.add")
        with pytest.raises(TypeError) as probed:
            shop.Till().add()
        assert str(probed.value) == str(plain.value)

    @pytest.mark.parametrize("name", ["later", "count"])
    def test_that_do_not_fit_a_function_that_runs_later_raise_at_once(
        self, shop, seen, name
    ):
        probe((shop, name))
        with pytest.raises(TypeError, match="positional argument"):
            getattr(shop, name)()
        assert not seen

    def test_other_than_those_that_the_signature_shows_are_saved_as_they_are(
        self, shop, seen
    ):
        probe("probed.shop:given")
        assert shop.given(1) == 8
        assert seen["call=1/probed/shop/given"] == {"args": (1,), "kwargs": {}}


class TestOutcome:
    def test_is_saved_below_the_name(self, shop, seen):
        probe("probed.shop:factorial")
        assert shop.factorial(1) == 1
        assert seen["call=1/probed/shop/factorial/result"] == {"result": 1}

    def test_of_a_mapping_is_one_value(self, shop, seen, monkeypatch):
        monkeypatch.setattr(shop, "factorial", lambda n: {"n": n})
        probe((shop, "factorial"))
        shop.factorial(3)
        assert seen["call=1/probed/shop/factorial/result"] == {"result": {"n": 3}}

    def test_of_an_error_is_its_type_its_message_and_its_traceback(self, shop, seen):
        probe("probed.shop:refuse")
        with pytest.raises(LookupError) as raised:
            shop.refuse("closed")
        saved = seen["call=1/probed/shop/refuse/exception"]
        assert (saved["type"], saved["message"]) == ("LookupError", "closed")
        assert 'shop.py"' in saved["traceback"]
        assert "calls.py" not in saved["traceback"]
        frames = [entry.path.name for entry in raised.traceback]
        assert frames == ["test_probe.py", "shop.py"]

    def test_is_the_same_object(self, shop, seen):
        probe("probed.shop:cached")
        value = object()
        assert shop.cached(value) is value

    def test_that_cannot_be_saved_is_returned_all_the_same(
        self, shop, tmp_path, monkeypatch
    ):
        lock = threading.Lock()
        monkeypatch.setattr(shop, "factorial", lambda n: lock)
        probe((shop, "factorial"))
        with config("probed", tmp_path):
            assert shop.factorial(3) is lock
        saved = load(tmp_path / "call=1/probed/shop/factorial/result.ckpt.zip")
        assert list(saved["not saved"]) == ["result"]


class TestRules:
    def test_nothing_is_saved_while_none_is_on(self, shop):
        probe("probed.shop:factorial")
        before = checkpoints.stats().saved
        assert shop.factorial(3) == 6
        assert checkpoints.stats().saved == before

    def test_nothing_of_ours_is_on_the_stack_while_none_is_on(self, shop, monkeypatch):
        monkeypatch.setattr(shop, "caller", lambda: sys._getframe(1), raising=False)
        probe((shop, "caller"))
        assert shop.caller() is sys._getframe()

    def test_the_name_is_known(self, shop):
        shop.never_called = shop.factorial
        probe("probed.shop:never_called")
        assert "probed.shop.never_called" in checkpoints.available()

    def test_a_call_counts_once_for_what_it_is_given_and_what_it_returns(self, shop):
        probe("probed.shop:Till.rounded")
        seen = DictHandler()
        with config("probed", seen, every=2, limit=2):
            for x in range(9):
                shop.Till.rounded(x)
        assert [path.split("/")[0] for path in seen] == [
            *("call=1", "call=1"),
            *("call=3", "call=3"),
        ]

    def test_every_counts_the_calls_that_it_leaves_out(self, shop):
        probe("probed.shop:Till.rounded")
        seen = DictHandler()
        with config("probed", seen, every=3):
            for x in range(7):
                shop.Till.rounded(x)
        given = {path: seen[path]["x"] for path in seen if "result" not in path}
        assert given == {
            f"call={number + 1}/probed/shop/Till/rounded": number
            for number in (0, 3, 6)
        }

    def test_where_sees_the_number_of_the_call(self, shop):
        probe("probed.shop:factorial")
        seen = DictHandler()
        with config("probed", seen, where={"call": "2"}):
            shop.factorial(1)
            shop.factorial(1)
        assert list(seen) == [
            "call=2/probed/shop/factorial",
            "call=2/probed/shop/factorial/result",
        ]

    def test_a_handler_that_fails_does_not_take_the_call_down(self, shop, caplog):
        def fails(key, data):
            raise OSError("full")

        probe("probed.shop:factorial")
        with config("probed", fails):
            assert shop.factorial(1) == 1
        assert "full" in caplog.text

    def test_a_handler_that_fails_does_not_hide_the_error_of_the_call(self, shop):
        def fails(key, data):
            if key.name.endswith(".exception"):
                raise OSError("full")

        probe("probed.shop:refuse")
        with config("probed", fails, on_error="raise"), pytest.raises(LookupError):
            shop.refuse("closed")

    def test_that_want_errors_raised_get_them_before_the_call(self, shop):
        def fails(key, data):
            raise OSError("full")

        probe("probed.shop:total")
        prices = [1]
        with config("probed", fails, on_error="raise"), pytest.raises(OSError):
            shop.total(prices)
        assert prices == [1]

    def test_errors_are_for_the_rule_that_saves_and_no_other(self, shop):
        def fails(key, data):
            raise OSError("full")

        probe("probed.shop:factorial")
        with config("probed", fails, on_error="raise"), config("other", print):
            with pytest.raises(OSError, match="full"):
                shop.factorial(1)
            with config("probed", fails):
                assert shop.factorial(1) == 1

    def test_values_that_no_rule_wants_are_not_touched(self, shop):
        class Untouched:
            def __reduce__(self):
                raise AssertionError("it was pickled")

        probe("probed.shop:total")
        kept = DictHandler()
        with config("probed", kept, values=["more", "result"]):
            shop.total([1], 2, unwanted=type("Zero", (Untouched, int), {})())
        assert kept["call=1/probed/shop/total"] == {"more": (2,)}
        assert kept["call=1/probed/shop/total/result"] == {"result": 3}

    def test_a_wanted_value_that_cannot_be_saved_is_said_to_be(self, shop):
        probe("probed.shop:refuse")
        kept = DictHandler()
        with config("probed", kept, values="reason"), pytest.raises(LookupError):
            shop.refuse(threading.Lock())
        assert list(kept["call=1/probed/shop/refuse"]["not saved"]) == ["reason"]

    def test_an_interrupt_of_a_save_passes(self, shop):
        def interrupted(key, data):
            raise KeyboardInterrupt

        probe("probed.shop:factorial")
        with config("probed", interrupted), pytest.raises(KeyboardInterrupt):
            shop.factorial(1)
        with capture("probed") as seen:
            shop.factorial(1)
        assert len(seen) == 2


class TestTags:
    def test_a_call_has_those_of_the_context_and_its_number(self, shop, seen):
        probe("probed.shop:factorial")
        with tags(day=3):
            shop.factorial(1)
        assert "day=3/call=1/probed/shop/factorial" in seen

    def test_what_is_saved_inside_has_the_number_of_the_call(self, shop, seen):
        probe("probed.shop:factorial")
        shop.factorial(2)
        assert list(seen) == [
            "call=1/probed/shop/factorial",
            "call=1/call=2/probed/shop/factorial",
            "call=1/call=2/probed/shop/factorial/result",
            "call=1/probed/shop/factorial/result",
        ]

    def test_no_two_calls_of_many_threads_have_the_same_number(self, shop, seen):
        probe("probed.shop:cached")
        threads = [
            threading.Thread(target=lambda: [shop.cached(1) for _ in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 4 * 50 * 2


class TestKinds:
    def test_a_coroutine_has_its_result_when_it_is_awaited(self, shop, seen):
        probe("probed.shop:later")

        async def both():
            return await asyncio.gather(shop.later(1), shop.later(2))

        assert asyncio.run(both()) == [2, 3]
        assert seen["call=1/probed/shop/later"] == {"x": 1, "wait": 0}
        assert seen["call=2/probed/shop/later/result"] == {"result": 3}

    def test_a_coroutine_that_is_cancelled_says_so(self, shop, seen):
        probe("probed.shop:later")

        async def cancelled():
            task = asyncio.create_task(shop.later(1, 60))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancelled())
        saved = seen["call=1/probed/shop/later/exception"]
        assert saved["type"] == "asyncio.exceptions.CancelledError"

    def test_a_coroutine_that_is_given_up_has_no_result(self, shop, seen):
        probe("probed.shop:later")

        async def given_up():
            coroutine = shop.later(1, 60)
            coroutine.send(None)
            coroutine.close()

        asyncio.run(given_up())
        assert list(seen) == ["call=1/probed/shop/later"]

    def test_a_generator_that_is_awaited_is_awaited_all_the_same(self, shop, seen):
        async def outer():
            return await shop.passed_on(1)

        probe("probed.shop:passed_on")
        steps = outer()
        assert steps.send(None) == 1
        with pytest.raises(StopIteration, match="5"):
            steps.send(5)
        assert seen["call=1/probed/shop/passed_on/result"] == {"result": 5}

    def test_coroutine_functions_are_such(self, shop, seen):
        probe("probed.shop:later")
        assert inspect.iscoroutinefunction(shop.later)
        coroutine = shop.later(1)
        assert coroutine.__qualname__ == "later"
        coroutine.close()

    def test_a_generator_yields_and_takes_what_it_does_without(self, shop, seen):
        probe("probed.shop:count")
        assert inspect.isgeneratorfunction(shop.count)
        generator = shop.count(2)
        assert next(generator) == 0
        assert generator.send("a") == 1
        with pytest.raises(StopIteration) as stop:
            generator.send("b")
        assert stop.value.value == ["a", "b"]
        assert seen["call=1/probed/shop/count"] == {"n": 2}
        assert seen["call=1/probed/shop/count/result"] == {
            "result": ["a", "b"],
            "not saved": {
                "yielded items": "its rule has no items=N, which saves the first N"
            },
        }

    def test_a_comparison_says_that_the_items_of_a_generator_are_not_saved(
        self, shop, tmp_path
    ):
        probe("probed.shop:count")
        for root in "ab":
            config("probed", tmp_path / root)
            list(shop.count(2))
            checkpoints.reset()
        found = checkpoints.diff(tmp_path / "a", tmp_path / "b")
        assert found.verdict == "equal"
        assert "count.result: not saved: yielded items" in str(found)

    def test_a_generator_that_is_closed_has_no_result(self, shop, seen):
        probe("probed.shop:count")
        generator = shop.count(2)
        next(generator)
        generator.close()
        assert list(seen) == ["call=1/probed/shop/count"]

    def test_of_an_asynchronous_generator_the_arguments_are_saved(self, shop, seen):
        probe("probed.shop:stream")

        async def listed():
            return [number async for number in shop.stream(2)]

        assert inspect.isasyncgenfunction(shop.stream)
        assert asyncio.run(listed()) == [0, 1]
        assert list(seen) == ["call=1/probed/shop/stream"]

    def test_a_static_method_works_from_the_class_and_from_its_objects(
        self, shop, seen
    ):
        probe("probed.shop:Till.rounded")
        assert shop.Till.rounded(1.2) == shop.Till().rounded(1.3) == 1
        assert seen["call=2/probed/shop/Till/rounded"] == {"x": 1.3}

    def test_an_inherited_method_is_probed_for_the_class_alone(self, shop, seen):
        probe("probed.shop:Till.inherited")
        assert shop.Till().inherited(1) == ("Till", 1)
        assert shop.Base().inherited(1) == ("Base", 1)
        assert list(seen) == [
            "call=1/probed/shop/Till/inherited",
            "call=1/probed/shop/Till/inherited/result",
        ]

    def test_the_constructor_can_be_probed(self, shop, seen):
        probe("probed.shop:Till.__init__")
        assert shop.Till("me").owner == "me"
        assert seen["call=1/probed/shop/Till/__init__"]["owner"] == "me"

    @pytest.mark.parametrize("background", [False, True])
    def test_a_function_that_a_save_needs_is_not_saved_for_it(
        self, shop, tmp_path, background
    ):
        probe("probed.shop:Till.__getstate__")
        rule = config("probed", tmp_path, background=background)
        shop.Till("me").__getstate__()
        checkpoints.flush()
        rule.remove()
        checkpoints.flush()
        assert sorted(entry.name for entry in index(tmp_path)) == [
            "probed.shop.Till.__getstate__",
            "probed.shop.Till.__getstate__.result",
        ]


class TestLooks:
    def test_of_a_function_are_unharmed(self, shop, seen):
        before = inspect.signature(shop.total), inspect.getsource(shop.total)
        probe("probed.shop:total")
        assert (inspect.signature(shop.total), inspect.getsource(shop.total)) == before
        assert shop.total.__doc__ == "Add prices up."
        assert shop.total.__name__ == "total"
        assert isinstance(shop.total, type(lambda: 0))

    def test_of_a_method_are_unharmed(self, shop, seen):
        probe("probed.shop:Till.add")
        assert str(inspect.signature(shop.Till.add)) == "(self, x, y=1)"
        assert str(inspect.signature(shop.Till().add)) == "(x, y=1)"
        assert inspect.ismethod(shop.Till().add)
        assert shop.Till().add.__doc__ == "Add to the till."
        assert shop.Till.add(self=shop.Till("me"), x=2) == ("me", 2, 1)

    @pytest.mark.parametrize("pickler", [pickle, cloudpickle])
    def test_functions_can_be_pickled(self, shop, seen, pickler):
        probe("probed.shop:total")
        data = pickler.dumps(shop.total)
        assert pickle.loads(data) is shop.total
        assert b"checkpoints" not in data

    @pytest.mark.parametrize("pickler", [pickle, cloudpickle])
    def test_methods_objects_and_classes_can_be_pickled(self, shop, seen, pickler):
        probe("probed.shop:Till.add")
        made = [shop.Till, shop.Till("me"), shop.Till("me").add]
        kind, till, method = pickle.loads(pickler.dumps(made))
        assert kind is shop.Till
        assert till.add(1) == method(1) == ("me", 1, 1)

    def test_a_function_known_by_two_names_is_pickled_by_its_own(self, shop, seen):
        shop.alias = shop.factorial
        original = shop.factorial
        probe("probed.shop:alias")
        assert pickle.loads(pickle.dumps(shop.alias)) is original

    def test_copies_are_the_function_itself(self, shop, seen):
        probe("probed.shop:total")
        assert copy.deepcopy([shop.total])[0] is copy.copy(shop.total) is shop.total

    def test_attributes_of_a_function_are_there(self, shop, seen):
        probe("probed.shop:cached")
        shop.cached(5)
        assert shop.cached.cache_info().currsize == 1


class TestRemoval:
    @pytest.mark.parametrize("name", ["add", "named", "rounded"])
    def test_leaves_a_class_as_it_was(self, shop, name):
        before = dict(vars(shop.Till))
        code = getattr(shop.Till, name).__code__
        with probe((shop.Till, name)), capture("probed"):
            assert getattr(shop.Till, name).__code__ is not code
        assert vars(shop.Till).keys() == before.keys()
        assert all(vars(shop.Till)[key] is before[key] for key in before)
        assert getattr(shop.Till, name).__code__ is code

    def test_leaves_a_module_as_it_was(self, shop):
        before = shop.total
        made = probe("probed.shop:total")
        made.remove()
        made.remove()
        assert shop.total is before

    def test_silences_what_was_taken_out_of_the_module_meanwhile(self, shop, seen):
        with probe("probed.shop:factorial"):
            taken = shop.factorial
        assert taken(1) == 1
        assert not seen

    def test_leaves_what_somebody_else_put_there(self, shop, caplog):
        made = probe("probed.shop:factorial")
        shop.factorial = len
        made.remove()
        assert shop.factorial is len
        assert "other code has replaced the function" in caplog.text

    def test_by_a_reload_makes_room_for_another_probe(self, shop, seen):
        probe("probed.shop:factorial")
        importlib.reload(shop)
        probe("probed.shop:factorial")
        shop.factorial(1)
        assert len(seen) == 2

    def test_by_a_reload_is_seen(self, shop):
        made = probe("probed.shop:factorial")
        assert repr(made) == "<Probe 'probed.shop.factorial', in place>"
        importlib.reload(shop)
        assert not made.is_in_place
        assert "replaced by something else" in repr(made)

    def test_makes_room_for_another_probe(self, shop, seen):
        probe("probed.shop:factorial").remove()
        with probe("probed.shop:factorial"):
            shop.factorial(1)
        assert len(seen) == 2


class TestTargets:
    @pytest.mark.parametrize(
        "target",
        ["probed.shop:Till.add", "probed.shop.Till.add", " probed.shop.Till.add"],
    )
    def test_may_be_texts(self, shop, target):
        made = probe(target)
        assert made.is_in_place
        assert made.name == "probed.shop.Till.add"

    def test_may_be_functions(self, shop):
        assert probe(shop.factorial).name == "probed.shop.factorial"
        assert probe(shop.Till.add).name == "probed.shop.Till.add"
        assert probe(shop.Till.named).name == "probed.shop.Till.named"

    def test_may_be_owners_and_names(self, shop):
        assert probe((shop, "factorial")).name == "probed.shop.factorial"
        assert probe((shop.Till, "add")).name == "probed.shop.Till.add"

    @pytest.mark.parametrize(
        "target", ["probed.later_module:work", "probed.later_module.work"]
    )
    def test_are_probed_when_their_module_comes(self, shop, seen, target):
        made = probe(target)
        assert not made.is_in_place
        assert "probed.later_module" not in sys.modules
        module = importlib.import_module("probed.later_module")
        assert made.is_in_place
        assert module.work(4) == 8
        assert seen["call=1/probed/later_module/work/result"] == {"result": 8}

    @pytest.mark.parametrize("target", ["early_module:work", "early_module.work"])
    def test_in_a_module_that_is_being_loaded_are_probed_at_its_end(
        self, tmp_path, monkeypatch, target
    ):
        monkeypatch.syspath_prepend(tmp_path)
        source = tmp_path / "early_module.py"
        asking = f"from checkpoints import probe\nmade = probe({target!r})\n"
        source.write_text(f"{asking}in_place = made.is_in_place\ndef work(x): return x")
        module = importlib.import_module("early_module")
        del sys.modules["early_module"]
        assert (module.in_place, module.made.is_in_place) == (False, True)
        assert type(module.__spec__) is ModuleSpec
        with capture("early_module") as seen:
            module.work(4)
        assert seen["call=1/early_module/work"] == {"x": 4}

    def test_in_a_module_that_fails_to_load_are_probed_when_it_comes(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.syspath_prepend(tmp_path)
        source = tmp_path / "failing_module.py"
        source.write_text(
            "from checkpoints import probe\nprobe(__name__ + ':work')\n1/0"
        )
        with pytest.raises(ZeroDivisionError):
            importlib.import_module("failing_module")
        source.write_text("def work(x): return x")
        importlib.invalidate_caches()
        module = importlib.import_module("failing_module")
        del sys.modules["failing_module"]
        assert checkpoints._probes.probe.probes["failing_module.work"].is_in_place
        assert module.work(1) == 1

    def test_that_are_wrong_in_a_module_that_is_being_loaded_are_told_to_the_log(
        self, tmp_path, monkeypatch, caplog
    ):
        monkeypatch.syspath_prepend(tmp_path)
        source = tmp_path / "misspelt_module.py"
        text = "from checkpoints import probe\nprobe(__name__ + ':wrok')\nwork = print"
        source.write_text(text)
        importlib.import_module("misspelt_module")
        del sys.modules["misspelt_module"]
        assert "did you mean 'work'?" in caplog.text

    def test_that_are_removed_first_are_not_probed_when_their_module_comes(self):
        probe("probed.later_module:work").remove()
        module = importlib.import_module("probed.later_module")
        assert type(module.work) is type(lambda: 0)

    def test_that_are_wrong_are_told_to_the_log_when_their_module_comes(self, caplog):
        probe("probed.later_module:wrok")
        importlib.import_module("probed.later_module")
        assert "did you mean 'work'?" in caplog.text

    def test_of_packages_that_are_not_there_wait(self):
        assert not probe("not_there.at_all:f").is_in_place
        assert not probe("not_there.at_all.f.g").is_in_place

    @pytest.mark.parametrize(
        ("target", "told"),
        [
            ("probed.shop:totl", r"did you mean 'total'\?"),
            ("probed.shop.totl", r"did you mean 'total'\?"),
            ("probed.shop:Till.ad", r"did you mean 'add'\?"),
            ("probed.shop:Till.count", "is not a function, but 7"),
            ("builtins:dict.update", "written in C"),
            ("builtins:dict.fromkeys", "written in C"),
            ("operator:itemgetter.__call__", "written in C"),
            ("operator:attrgetter", "is a class of which no method can be probed"),
            ("datetime:date.today", "written in C"),
            ("math:hypot", "cannot read its signature"),
            ("shop", "cannot probe 'shop'"),
            ("probed.shop:", "cannot probe 'probed.shop:'"),
            ("a b:c", "cannot probe 'a b:c'"),
            (5, "cannot probe 5"),
            (len, "is a builtin"),
            (("shop", "total"), r"cannot probe \('shop', 'total'\)"),
            ((math, "sqrt", 1), r"cannot probe \(<module 'math'"),
            (lambda: 0, "use @probed"),
        ],
    )
    def test_that_cannot_be_say_so_at_once(self, shop, target, told):
        with pytest.raises(ConfigError, match=told):
            probe(target)

    def test_that_are_probed_already_say_so(self, shop):
        probe("probed.shop:total")
        with pytest.raises(ConfigError, match="already probed"):
            probe("probed.shop.total")

    def test_that_are_one_function_under_two_names_are_one_probe(self, shop):
        shop.alias = shop.factorial
        probe("probed.shop:factorial")
        probe("probed.shop:alias")
        for rule in ("probed", "probed.shop.alias"):
            name = "alias" if "alias" in rule else "factorial"
            with capture(rule) as seen:
                shop.alias(1)
            assert list(seen) == [
                f"call=1/probed/shop/{name}",
                f"call=1/probed/shop/{name}/result",
            ]

    def test_that_cannot_be_replaced_twice_say_so(self, shop):
        probe("probed.shop:cached")
        shop.alias = shop.cached
        with pytest.raises(ConfigError, match="already probed"):
            probe("probed.shop:alias")

    def test_that_wait_already_say_so(self):
        probe("probed.later_module:work")
        with pytest.raises(ConfigError, match="already probed"):
            probe("probed.later_module.work")

    def test_can_be_checked_without_importing_anything(self):
        assert checked_target("a.b:C.d") == "a.b.C.d"
        with pytest.raises(ConfigError, match=r"package\.module:function"):
            checked_target("a.b:C.")

    def test_from_the_environment_are_all_put_on(self, shop, monkeypatch, caplog):
        text = "probed.shop:total; probed.shop.factorial;;probed.shop:no;nonsense"
        monkeypatch.setenv("CHECKPOINTS_PROBES", text)
        made = probes_from_environment()
        assert [each.name for each in made] == [
            "probed.shop.total",
            "probed.shop.factorial",
        ]
        assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
        caplog.clear()
        monkeypatch.setenv("CHECKPOINTS_PROBES", "probed.shop:total")
        assert probes_from_environment() == []
        assert not caplog.records

    def test_of_the_main_file_wait_for_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        waiting = probe("__main__:job")
        try:
            assert not waiting.is_in_place
        finally:
            sys.settrace(None)
            checkpoints._probes.main_file._pending.clear()

    @pytest.mark.parametrize(
        ("target", "told"),
        [
            ("nightly:job", "the main file of this program does not define it"),
            ("json.nothing:job", "was not imported, or its import failed"),
            ("jsonn:job", "no such module was imported, or its import failed; did"),
        ],
    )
    def test_that_never_came_say_why(self, monkeypatch, caplog, target, told):
        main = ModuleType("__main__")
        main.__file__ = "/somewhere/nightly.py"
        monkeypatch.setitem(sys.modules, "__main__", main)
        probe(target).warn_if_absent()
        assert told in caplog.text

    def test_from_the_environment_do_no_harm_whatever_a_module_does(
        self, monkeypatch, caplog
    ):
        class Unwilling(ModuleType):
            def __getattr__(self, name):
                raise RuntimeError("not now")

        monkeypatch.setitem(sys.modules, "unwilling", Unwilling("unwilling"))
        monkeypatch.setenv("CHECKPOINTS_PROBES", "unwilling:f")
        assert probes_from_environment() == []
        assert "not now" in caplog.text

    def test_need_wrapt(self, shop, monkeypatch):
        monkeypatch.setitem(sys.modules, "wrapt", None)
        with pytest.raises(MissingDependencyError, match="pip install wrapt"):
            probe("probed.shop:total")
