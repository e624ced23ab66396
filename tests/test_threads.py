"""Threads and tasks: each has its own tags, and all share one set of rules."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import sys
import threading

import pytest

from checkpoints import (
    DictHandler,
    FileHandler,
    available,
    checkpoint,
    config,
    current_tags,
    enabled,
    index,
    is_enabled,
    load,
    register,
    rules,
    tags,
)
from checkpoints._rules.registry import Registry
from checkpoints._rules.rule import Rule

_numbers = itertools.count()


def in_force(registry, names, target, options):
    rule = Rule(names, target, **options)
    registry.add(rule)
    return rule


@pytest.fixture
def package():
    """A package name that no other test uses, because names stay registered."""
    return f"threaded{next(_numbers)}"


@pytest.fixture(autouse=True)
def switching_often():
    """Make threads switch more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(*jobs):
    """Run each job in a separate thread, all at once; return their errors."""
    barrier = threading.Barrier(len(jobs))
    errors = []

    def run(job):
        barrier.wait()
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def repeated(count, job):
    def run():
        for number in range(count):
            job(number)

    return run


class TestSaving:
    def test_eight_threads_save_under_their_own_tags(self, package, tmp_path):
        config(package, tmp_path, on_error="raise")

        def worker(thread):
            def save(number):
                with tags(thread=thread), tags(number=number):
                    checkpoint(package, (thread, number))

            return repeated(100, save)

        assert together(*map(worker, range(8))) == []
        found = {entry.tags.items(): entry.load()["data"] for entry in index(tmp_path)}
        assert found == {
            (("thread", str(thread)), ("number", str(number))): (thread, number)
            for thread in range(8)
            for number in range(100)
        }

    def test_one_key_saved_by_all_is_kept_by_all(self, package, tmp_path):
        config(package, tmp_path, if_exists="keep", on_error="raise")
        job = repeated(20, lambda number: checkpoint(package, number))
        assert together(*[job] * 4) == []
        data = sorted(entry.load()["data"] for entry in index(tmp_path))
        assert data == sorted([*range(20)] * 4)

    def test_one_key_replaced_by_all_can_be_read_at_any_time(self, package, tmp_path):
        config(package, tmp_path, on_error="raise")
        checkpoint(package, ["start"] * 1000)
        path = tmp_path / f"{package}.ckpt.zip"
        seen = []

        def save(number):
            checkpoint(package, [number] * 1000)

        def read(_):
            data = load(path)["data"]
            seen.append(len(data) == 1000 and len(set(data)) == 1)

        errors = together(repeated(50, save), repeated(50, save), repeated(50, read))
        assert errors == []
        assert seen == [True] * 50
        assert len(list(tmp_path.glob("*.ckpt.zip"))) == 1

    def test_one_key_replaced_by_two_at_once_is_told(self, package, tmp_path, caplog):
        begun, go_on = threading.Event(), threading.Event()

        class Waiting:
            def __reduce__(self):
                begun.set()
                assert go_on.wait(60)
                return int, ()

        handler = FileHandler(tmp_path)
        first = threading.Thread(target=handler.checkpoint, args=(package, Waiting()))
        first.start()
        try:
            assert begun.wait(60)
            handler.checkpoint(f"{package}.more", 1)
            assert caplog.messages == []
            handler.checkpoint(package, 2)
        finally:
            go_on.set()
            first.join()
        (message,) = [text for text in caplog.messages if "pickle" not in text]
        assert repr(package) in message
        assert "only the last save is kept" in message
        entry = next(each for each in index(tmp_path) if each.name == package)
        assert entry.load(trusted=True) == {"data": 0}

    @pytest.mark.parametrize(
        ("options", "count"),
        [({"limit": 100}, 100), ({"every": 4}, 100), ({"every": 4, "limit": 7}, 7)],
    )
    def test_every_and_limit_count_the_calls_of_all(self, package, options, count):
        saved = []
        config(package, lambda key, data: saved.append(data), **options)
        together(*[repeated(50, lambda number: checkpoint(package, number))] * 8)
        assert len(saved) == count

    def test_a_handler_in_memory_takes_from_all(self, package):
        handler = DictHandler()
        config(package, handler, on_error="raise")

        def worker(thread):
            def save(number):
                with tags(thread=thread, number=number):
                    checkpoint(package, number)

            return repeated(100, save)

        assert together(*map(worker, range(4))) == []
        assert len(handler) == 400


class TestTags:
    def test_a_thread_starts_without_tags_or_with_those_of_its_maker(self):
        """Python 3.14 may pass the context on; in between there is nothing."""
        seen = []
        with tags(day="monday"):
            together(lambda: seen.append(current_tags()))
        inherited = getattr(sys.flags, "thread_inherit_context", False)
        assert seen == [(("day", "monday"),) if inherited else ()]

    def test_a_copied_context_takes_the_tags_along(self, package):
        handler = DictHandler()
        config(package, handler)
        with tags(day="monday"):
            context = contextvars.copy_context()
        together(lambda: context.run(checkpoint, package, 1))
        assert list(handler) == [f"day=monday/{package}"]

    def test_the_tags_of_one_thread_are_seen_by_no_other(self):
        strange = []

        def worker(thread):
            def look(number):
                with tags(thread=thread):
                    if current_tags()[-1:] != (("thread", thread),):
                        strange.append(current_tags())

            return repeated(200, look)

        assert together(*map(worker, range(4))) == []
        assert strange == []

    def test_tasks_save_under_their_own_tags(self, package):
        handler = DictHandler()
        config(package, handler, on_error="raise")

        async def work(number):
            with tags(task=number):
                await asyncio.sleep(0)
                checkpoint(package, number)

        async def main():
            with tags(day="monday"):
                await asyncio.gather(*map(work, range(20)))

        asyncio.run(main())
        assert dict(handler) == {
            f"day=monday/task={number}/{package}": {"data": number}
            for number in range(20)
        }


class TestRules:
    def test_rules_come_and_go_while_others_save(self, package):
        handler = DictHandler(force=True)

        def switch(number):
            with config(package, handler), config(f"{package}.a*", None):
                rules()

        def save(number):
            checkpoint(package, number)
            checkpoint(package, f"a{number % 7}", number)

        def look(number):
            is_enabled(package)
            is_enabled(f"{package}.b")
            enabled()
            available()

        jobs = [repeated(300, job) for job in (switch, switch, save, save, look)]
        assert together(*jobs) == []
        assert rules() == []
        assert not is_enabled(package)

    def test_a_rule_holds_for_every_call_after_it(self, package):
        """An earlier call must not leave its plan to later ones."""
        handler = DictHandler(force=True)
        done = threading.Event()
        missed = []

        def distract():
            while not done.is_set():
                checkpoint(package, "distraction")

        def switch():
            for number in range(300):
                with config(package, handler), tags(number=number):
                    checkpoint(package, number)
                if f"number={number}/{package}" not in handler:
                    missed.append(number)
            done.set()

        assert together(distract, distract, switch) == []
        assert missed == []

    def test_names_may_be_declared_and_renamed_meanwhile(self):
        """In a separate registry: old names make every later call slower."""
        registry = Registry()
        done = threading.Event()

        def rename():
            try:
                for number in range(300):
                    registry.names.register([f"declared{number}"])
                    registry.deprecate(f"old{number}", f"new{number}")
            finally:
                done.set()

        def use():
            while not done.is_set():
                in_force(registry, "elsewhere", None, {}).remove()
                registry.lookup("new1")
                registry.is_enabled("new2")
                registry.names.available()

        in_force(registry, "never", print, {})
        errors = together(rename, use, use)
        registry.reset()
        assert errors == []
        assert len(registry.names.renamed()) == 300
        assert {f"{kind}{n}" for kind in ("declared", "new") for n in range(300)} <= {
            *registry.names.available()
        }

    def test_a_name_registered_by_all_is_told_by_all_but_one(self, package, caplog):
        assert together(*[lambda: register(package)] * 8) == []
        assert len(caplog.messages) == 7

    def test_one_handler_opened_by_all_has_one_root(self, package, tmp_path):
        handler = FileHandler(tmp_path / "{run}" / "{time}")

        def save(thread):
            def run():
                with tags(thread=thread):
                    handler.checkpoint(package, thread)

            return run

        assert together(*map(save, range(8))) == []
        assert len(list(tmp_path.glob("*/[!.]*"))) == 1
        assert len(index(tmp_path)) == 8
