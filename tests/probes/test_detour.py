"""A detour: a probed function that neither itself nor its caller can notice."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import contextvars
import functools
import gc
import importlib
import inspect
import itertools
import logging
import pickle
import subprocess
import sys
import threading
import types
import warnings
import weakref
from pathlib import Path

import cloudpickle
import pytest

import checkpoints
from checkpoints import (
    DictHandler,
    capture,
    checkpoint,
    config,
    current_tags,
    probe,
    probed,
)
from checkpoints._probes.calls import CallSaver
from checkpoints._probes.detour import detour_of

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
def noticing():
    return importlib.import_module("probed.noticing")


@pytest.fixture
def seen():
    with capture("probed") as handler:
        yield handler


class TestFunction:
    def test_is_the_same_object_of_the_same_type_and_repr(self, noticing, seen):
        before = noticing.depth, repr(noticing.depth)
        probe("probed.noticing:depth")
        assert (noticing.depth, repr(noticing.depth)) == before
        assert type(noticing.depth) is types.FunctionType

    def test_has_its_own_code_while_no_rule_is_on(self, noticing):
        code = noticing.kind.__code__
        probe("probed.noticing:kind")
        assert noticing.kind.__code__ is code
        with capture("probed"):
            assert noticing.kind.__code__ is not code
        assert noticing.kind.__code__ is code

    def test_has_its_own_code_again_when_the_limit_is_used_up(self, noticing):
        code = noticing.kind.__code__
        probe("probed.noticing:kind")
        with config("probed", DictHandler(), limit=2):
            for _ in range(3):
                assert noticing.kind.__code__ is not code
                noticing.kind("x")
            assert noticing.kind.__code__ is code

    def test_is_seen_by_code_that_had_imported_it_before(self, noticing, seen):
        early = noticing.kind
        probe("probed.noticing:kind")
        early("x")
        assert "call=1/probed/noticing/kind" in seen

    def test_is_seen_under_any_name(self, noticing, seen):
        probe("probed.noticing:alias")
        with pytest.raises(TypeError):
            noticing.depth("a")
        assert "call=1/probed/noticing/alias/exception" in seen

    def test_keeps_the_facts_of_its_code(self, noticing):
        def facts(function):
            code = function.__code__
            return (
                *(code.co_filename, code.co_name, code.co_qualname),
                *(code.co_firstlineno, code.co_freevars, code.co_argcount),
                *(code.co_posonlyargcount, code.co_kwonlyargcount),
                inspect.signature(function),
                inspect.getsource(function),
                inspect.getclosurevars(function).nonlocals,
            )

        inner = noticing.closing(2)
        before = facts(inner)
        with capture("probed"):
            probed("probed.inner")(inner)
            assert facts(inner) == before

    def test_keeps_the_flags_of_its_code(self):
        def made(x):
            return x

        flags = made.__code__.co_flags
        with capture("probed"):
            assert probed("probed.made")(made).__code__.co_flags == flags

    def test_can_be_a_closure_with_defaults(self, noticing):
        inner = probed("probed.inner")(noticing.closing(2))
        with capture("probed") as seen:
            assert (inner(1), inner(1, y=5)) == (5, 8)
        assert seen["call=1/probed/inner"] == {"x": 1, "y": 2}

    def test_is_forgotten_when_nothing_else_holds_it(self):
        def made():
            return 1

        with capture("probed"):
            probed("probed.made")(made)
            made()
            gone = weakref.ref(made)
            del made
            gc.collect()
            assert gone() is None

    @pytest.mark.parametrize("is_on", [False, True])
    def test_can_be_pickled_by_value(self, is_on):
        def made(x):
            return x + 1

        with config("probed", DictHandler() if is_on else None):
            data = cloudpickle.dumps(probed("probed.made")(made))
        assert pickle.loads(data)(2) == 3

    def test_is_switched_in_all_threads_at_once(self, noticing):
        probe("probed.noticing:kind")
        kept = DictHandler()
        ready, go = threading.Event(), threading.Event()

        def work():
            noticing.kind("a")
            ready.set()
            go.wait(10)
            noticing.kind("b")

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait(10)
        with config("probed", kept):
            go.set()
            thread.join()
        assert next(iter(kept.objects.values())) == {"fields": "b"}


class TestDepth:
    def test_of_a_recursion_is_unchanged_while_no_rule_is_on(self, noticing):
        before = noticing.depth(0)
        probe("probed.noticing:depth")
        assert noticing.depth(0) == before
        with config("probed", DictHandler(copy=False), where={"day": 1}):
            noticing.depth(0)
        assert noticing.depth(0) == before

    def test_of_a_recursion_has_one_frame_more_while_a_rule_is_on(self, noticing):
        before = noticing.depth(0)
        probe("probed.noticing:depth")
        with config("probed", DictHandler(copy=False), where={"day": 1}):
            assert noticing.depth(0) >= before // 2 - 30


class TestCaller:
    def test_is_the_module_that_a_function_finds(self, noticing, seen):
        probe("probed.noticing:kind")
        assert noticing.kind("a b").__module__ == __name__

    def test_is_the_line_that_a_logger_names(self, noticing, seen, caplog):
        probe("probed.noticing:say")
        noticing.say("hello")
        line = sys._getframe().f_lineno - 1
        (record,) = (it for it in caplog.records if it.name == "noticing")
        assert (record.filename, record.lineno) == ("test_detour.py", line)
        assert record.funcName == sys._getframe().f_code.co_name

    def test_is_the_line_that_a_warning_names(self, noticing, seen):
        probe("probed.noticing:warn")
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            noticing.warn("careful")
            line = sys._getframe().f_lineno - 1
        assert (found[0].filename, found[0].lineno) == (__file__, line)

    def test_has_the_variables_that_a_function_looks_up(self, noticing, seen):
        limit = 7
        probe("probed.noticing:ask")
        assert noticing.ask("limit") == limit

    @pytest.mark.parametrize(
        "options",
        [{"every": 3}, {"limit": 1}, {"where": {"day": 1}}, {"given": {"name": "x"}}],
    )
    def test_has_them_also_where_the_call_is_not_saved(self, noticing, options):
        limit = 7
        probe("probed.noticing:ask")
        with config("probed", DictHandler(force=True), **options):
            for _ in range(4):
                assert noticing.ask("limit") == limit

    @pytest.mark.parametrize("options", [{}, {"where": {"day": 1}}])
    def test_has_them_where_the_function_is_replaced(self, noticing, options):
        limit = 7
        noticing.ask_cached = functools.lru_cache(noticing.ask)
        probe("probed.noticing:ask_cached")
        with config("probed", DictHandler(force=True), **options):
            assert noticing.ask_cached("limit") == limit

    @pytest.mark.parametrize("options", [{}, {"where": {"day": 1}}])
    def test_is_found_five_callers_up(self, options):
        @probed("probed.ask")
        def ask(level):
            return sys._getframe(level).f_locals["limit"]

        @probed("probed.fourth")
        def fourth():
            return ask(5)

        def third(level):
            return ask(4) if level == 4 else fourth()

        @probed("probed.second")
        def second(level):
            return ask(3) if level == 3 else third(level)

        @probed("probed.first")
        def first(level):
            return ask(2) if level == 2 else second(level)

        def outer(level, limit):
            return first(level)

        with config("probed", DictHandler(force=True), **options):
            assert [outer(level, 7) for level in (2, 3, 4, 5)] == [7] * 4

    @pytest.mark.parametrize("options", [{}, {"where": {"day": 1}}])
    def test_may_be_missing(self, noticing, options):
        @probed("probed.shout")
        def shout(text):
            said.append(text.upper())
            ended.set()

        said, ended = [], threading.Event()
        with config("probed", DictHandler(force=True), **options):
            _thread.start_new_thread(shout, ("a",))
            assert ended.wait(10)
        assert said == ["A"]

    def test_is_the_site_of_a_save(self, noticing, tmp_path):
        probe("probed.noticing:kind")
        with config("probed", tmp_path):
            noticing.kind("x")
            line = sys._getframe().f_lineno - 1
        for entry in checkpoints.index(tmp_path):
            site = entry.meta["site"]
            assert (site["file"], site["line"]) == (__file__, line)

    def test_sees_a_traceback_without_us(self, noticing, seen):
        probe("probed.noticing:ask")
        with pytest.raises(KeyError) as raised:
            noticing.ask("nothing")
        files = [entry.path.name for entry in raised.traceback]
        assert files[:2] == ["test_detour.py", "noticing.py"]
        assert "detour" not in str(raised.traceback[1].frame.code.path)


class TestKinds:
    def test_a_property_is_saved_as_a_call(self, noticing, seen):
        probe("probed.noticing:Shelf.doubled")
        assert noticing.Shelf().doubled == 6
        assert seen["call=1/probed/noticing/Shelf/doubled/result"] == {"result": 6}

    def test_a_cached_property_is_saved_once(self, noticing, seen):
        probe("probed.noticing:Shelf.once")
        shelf = noticing.Shelf()
        assert (shelf.once, shelf.once) == (4, 4)
        assert len(seen) == 2

    def test_a_partial_method_is_saved(self, noticing, seen):
        probe("probed.noticing:Shelf.tripled")
        assert noticing.Shelf().tripled() == 9
        assert seen["call=1/probed/noticing/Shelf/tripled"]["by"] == 3

    def test_a_single_dispatch_function_is_saved(self, noticing, seen):
        probe("probed.noticing:shown")
        assert noticing.shown(5) == "5"
        assert seen["call=1/probed/noticing/shown"] == {"value": 5}

    def test_a_function_that_an_object_holds_is_saved(self, noticing, seen):
        noticing.settings = types.SimpleNamespace(job=lambda x: x + 1)
        probe("probed.noticing:settings.job")
        assert noticing.settings.job(1) == 2
        assert seen["call=1/probed/noticing/settings/job"] == {"x": 1}

    def test_two_classes_that_inherit_a_method_can_both_be_probed(self, seen):
        shop = importlib.import_module("probed.shop")
        shop.Other = type("Other", (shop.Base,), {})
        probe("probed.shop:Till.inherited")
        probe("probed.shop:Other.inherited")
        shop.Till().inherited(1)
        shop.Other().inherited(2)
        shop.Base().inherited(3)
        assert [path for path in seen if "result" not in path] == [
            "call=1/probed/shop/Till/inherited",
            "call=1/probed/shop/Other/inherited",
        ]

    def test_an_asynchronous_generator_takes_what_it_is_sent(self):
        @probed("probed.stream")
        async def stream(n):
            try:
                got = yield n
            except LookupError:
                got = "caught"
            yield got

        async def steps():
            one, other = stream(1), stream(2)
            found = [await one.asend(None), await one.asend("a")]
            found += [await other.asend(None), await other.athrow(LookupError)]
            return [*found, [item async for item in stream(3)]]

        with capture("probed"):
            assert asyncio.run(steps()) == [1, "a", 2, "caught", [3, None]]

    def test_a_pytest_fixture_stays_one(self, noticing):
        with capture("probed"):
            function = probed("probed.fixture")(lambda request: request)
            assert pytest.fixture(function) is not None
            assert list(inspect.signature(function).parameters) == ["request"]


class TestLevels:
    def test_of_logging_are_as_without(self, noticing, seen):
        assert logging.getLogger("noticing").isEnabledFor(logging.WARNING)
        probe("probed.noticing:callers")
        assert noticing.callers()[0] == sys._getframe().f_code.co_name


class TestFreeVariables:
    """Debuggers and reports of errors look at the variables of every frame."""

    def frames(self):
        frame = sys._getframe(1)
        while frame is not None:
            yield dict(frame.f_locals)
            frame = frame.f_back

    @pytest.mark.parametrize("every", [1, 2])
    def test_their_frames_can_be_looked_at_like_any_other(self, every):
        look = self.frames

        class Base:
            def value(self):
                return 1

        class Model(Base):
            @probed("probed.value")
            def value(self):
                list(look())
                return super().value() + 1

        with config("probed", DictHandler(force=True), every=every):
            assert [Model().value() for _ in range(3)] == [2, 2, 2]

    def test_those_of_a_traceback_can_be_too(self):
        def make(k):
            @probed("probed.broken")
            def broken(a):
                raise ValueError(a + k)

            return broken

        broken = make(1)
        with config("probed", DictHandler(force=True), every=2):
            for _ in range(3):
                with pytest.raises(ValueError, match="2") as told:
                    broken(1)
                trace = told.value.__traceback__
                while trace is not None:
                    dict(trace.tb_frame.f_locals)
                    trace = trace.tb_next


class TestLifetime:
    def test_of_a_closure_that_calls_itself_ends_with_its_last_use(self):
        def made():
            @probed("probed.factorial")
            def factorial(n):
                return n * factorial(n - 1) if n else 1

            with capture("probed"):
                assert factorial(3) == 6
            return weakref.ref(factorial)

        gone = made()
        gc.collect()
        assert gone() is None

    def test_of_a_class_that_its_method_refers_to_ends_too(self):
        def made():
            class Model:
                @probed("probed.Model.same")
                def same(self, other: Model = None) -> Model:
                    return super().__init__()

            Model.same.__defaults__ = (Model(),)
            with capture("probed"):
                Model().same()
            return weakref.ref(Model)

        gone = made()
        gc.collect()
        assert gone() is None

    @pytest.mark.parametrize("is_on", [False, True])
    @pytest.mark.parametrize("name", ["'probed.Writer.close'", "(Writer, 'close')"])
    def test_of_what_a_program_holds_ends_with_it(self, tmp_path, is_on, name):
        program = tmp_path / "program.py"
        program.write_text(
            "import checkpoints\n"
            "class Writer:\n"
            "    def close(self): return 'flushed'\n"
            "    def __del__(self): print(self.close())\n"
            "writer = Writer()\n"
            + "checkpoints.config('probed', 'saved', where={'day': 1})\n"
            * is_on
        )
        ended = subprocess.run(
            [sys.executable, program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stdout == "flushed\n"


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


class TestRecursion:
    def run(self, tmp_path, limit, depth, rule):
        """Run two functions that call each other in a process of its own."""
        program = tmp_path / "program.py"
        program.write_text(
            "import sys, checkpoints\n"
            f"{inspect.getsource(even)}\n{inspect.getsource(odd)}\n"
            "even, odd = map(checkpoints.probed, (even, odd))\n"
            f"sys.setrecursionlimit({limit})\n"
            f"with checkpoints.config('__main__', lambda *_, **__: None, {rule}):\n"
            f"    print(even({depth}))\n"
        )
        return subprocess.run(
            [sys.executable, program], capture_output=True, text=True, check=False
        )

    def test_of_two_functions_may_be_as_deep_as_the_program_allows(self, tmp_path):
        ended = self.run(tmp_path, 10**6, 30000, "every=10**9")
        assert ended.stdout == "True\n", ended.stderr

    def test_that_is_saved_uses_no_stack_that_has_no_limit(self, tmp_path):
        # Only what is outermost takes a place on the stack of C.
        ended = self.run(tmp_path, 10**6, 30000, "where={'day': 1}, every=10**9")
        assert ended.stdout == "True\n", ended.stderr

    def test_within_half_of_the_limit_works(self, tmp_path):
        ended = self.run(tmp_path, 1000, 430, "every=1")
        assert ended.stdout == "True\n", ended.stderr


class TestSteps:
    """Whoever steps coroutines and generators by hand has tags of its own."""

    @types.coroutine
    def pause(self):
        yield

    @pytest.mark.parametrize("every", [1, 2])
    def test_of_two_coroutines_have_their_own_tags(self, every):
        seen = []

        @probed("probed.work")
        async def work():
            await self.pause()
            seen.append([name for name, _ in checkpoints.current_tags()])

        with config("probed", DictHandler(), every=every):
            one, other = work(), work()
            one.send(None)
            assert checkpoints.current_tags() == ()
            other.send(None)
            for each in (one, other):
                with pytest.raises(StopIteration):
                    each.send(None)
        assert seen == [["call"], ["call"] if every == 1 else []]

    def test_may_be_made_in_several_contexts(self):
        @probed("probed.work")
        async def work():
            await self.pause()
            return checkpoints.current_tags()

        with config("probed", DictHandler()):
            made = work()
            contextvars.copy_context().run(made.send, None)
            with pytest.raises(StopIteration) as ended:
                made.send(None)
        assert ended.value.value == (("call", 1),)

    def test_of_a_closed_generator_save_what_it_has_yielded(self):
        @probed("probed.count")
        def count():
            yield 1
            yield 2

        kept = DictHandler()
        with config("probed", kept, items=5):
            made = count()
            next(made)
            made.close()
        assert kept["call=1/probed/count/result"] == {"yielded items": [1]}


class TestThreads:
    def test_may_call_while_others_switch_rules(self):
        @probed("probed.add")
        def add(a, *, b=2):
            return a + b + 3

        @probed("probed.count")
        def count(n):
            yield from range(3, n + 3)

        wrong, is_over = [], threading.Event()

        def work():
            while not is_over.is_set():
                found = add(1), add(1, b=5), list(count(3))
                if found != (6, 9, [3, 4, 5]):
                    wrong.append(found)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for every in range(1, 40):
            with config("probed", DictHandler(force=True), every=every):
                add(1)
        is_over.set()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_that_declare_and_switch_at_once_do_not_wait_for_each_other(self):
        def add(a):
            return a

        @probed("probed.remove")
        def remove(a):
            return a

        def switch():
            config("probed.remove", DictHandler())

        switching = threading.Thread(target=switch, daemon=True)

        class Saver(CallSaver):
            def is_on(self):
                if switching.ident is None:
                    switching.start()
                    switching.join(0.2)
                    # As a finalizer may that runs in the middle of it.
                    checkpoint("probed.of_a_finalizer", a=1)
                return super().is_on()

        detour = detour_of(add)
        saver = Saver("probed.add", add, changed=detour.update)
        declaring = threading.Thread(target=detour.add, args=(saver,), daemon=True)
        declaring.start()
        declaring.join(20)
        switching.join(20)
        assert not declaring.is_alive()
        assert not switching.is_alive()


class TestInterrupt:
    # An interrupt may come between the tags and their `with`.
    @pytest.mark.filterwarnings("ignore:.*was never entered:RuntimeWarning")
    def test_before_the_function_runs_leaves_no_tags(self):
        @probed("probed.add")
        def add(a):
            sys.settrace(None)
            ended.append(a)

        ours = str(Path(checkpoints.__file__).parent)
        ended, kept = [], []

        def call(number):
            left = itertools.count(number, -1)

            def interrupt(frame, *_):
                if frame.f_code.co_filename.startswith(ours) and next(left) == 1:
                    sys.settrace(None)
                    raise KeyboardInterrupt

            sys.settrace(interrupt)
            with contextlib.suppress(KeyboardInterrupt):
                add(1)
            kept.append(current_tags())

        config("probed", lambda *_, **__: None)
        add(1)
        ended.clear()
        for number in range(1, 300):
            thread = threading.Thread(target=call, args=(number,))
            thread.start()
            thread.join()
            if ended:
                break
        assert len(kept) > 20
        assert set(kept) == {()}
