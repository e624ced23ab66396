"""What happens when a save fails, and what is logged at the end of the program."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import DictHandler, Handler, checkpoint, config, index, tags
from checkpoints._handlers.handler import ABSENT
from checkpoints._rules.registry import Registry
from checkpoints._rules.rule import Rule

_numbers = itertools.count()
LOCATION = Path(checkpoints.__file__).parents[1]
ON_ERROR = ["warn", "raise", "ignore"]


def in_force(registry, names, target, options):
    rule = Rule(names, target, **options)
    registry.add(rule)
    return rule


@pytest.fixture
def name():
    """A checkpoint name that no other test uses, because names stay registered."""
    return f"failing{next(_numbers)}.fit"


class Stop(BaseException):
    """A BaseException that does not end the program."""


class Failing(Handler):
    def __init__(self, error):
        self.error = error

    def commit(self, key, staged):
        raise self.error


class Unpicklable:
    def __reduce__(self):
        raise ValueError("this holds an open connection")


class Stopping:
    def __reduce__(self):
        raise Stop("enough")


class Wordless:
    def __str__(self):
        raise ValueError("this tag has no text")


class Speechless(Failing):
    def __repr__(self):
        raise ValueError("this handler cannot be shown")


def below_a_file(folder):
    (folder / "file").write_text("in the way")
    return folder / "file" / "root"


def in_proc(_):
    if not Path("/proc/self").exists():
        pytest.skip("there is no /proc here")
    return "/proc/checkpoints"


def unwritable(name, folder, root):
    return root(folder), lambda: checkpoint(name, 1)


def failing_value(value):
    return lambda name, folder: (folder, lambda: checkpoint(name, model=value))


def failing_tag(name, folder):
    def call():
        with tags(day=Wordless()):
            checkpoint(name, 1)

    return folder, call


# How a save is made to fail: the target and the call, its error, what is told of it.
FAILURES = {
    "a root below a file": (
        lambda name, folder: unwritable(name, folder, below_a_file),
        OSError,
        ["file", "check that this is a folder"],
    ),
    "a root in /proc": (
        lambda name, folder: unwritable(name, folder, in_proc),
        OSError,
        ["/proc/checkpoints", "check that this is a folder"],
    ),
    "a value that cannot be pickled": (
        failing_value(Unpicklable()),
        checkpoints.FormatError,
        ["'model'", "Unpicklable", "open connection", "Save the parts of it"],
    ),
    "a value whose pickling ends in no ordinary error": (
        failing_value(Stopping()),
        Stop,
        ["Stop", "enough"],
    ),
    "a tag without a text": (failing_tag, ValueError, ["this tag has no text"]),
    "a value given twice": (
        lambda name, folder: (folder, lambda: checkpoint(name, {"x": 1}, x=2)),
        checkpoints.ConfigError,
        ["'x' is given twice"],
    ),
}


@pytest.fixture(params=FAILURES.values(), ids=FAILURES.keys())
def failure(request, name, tmp_path):
    prepare, error, texts = request.param
    (tmp_path / "there").mkdir()
    target, call = prepare(name, tmp_path / "there")
    return target, call, error, texts


class TestOnError:
    def test_warn_tells_what_and_where_and_goes_on(self, name, failure, caplog):
        target, call, _, texts = failure
        config(name, target)
        call()
        (message,) = caplog.messages
        for text in (name, str(target), *texts, "on_error='raise' stops it"):
            assert text in message

    def test_raise_raises_the_error_itself(self, name, failure, caplog):
        target, call, error, _ = failure
        config(name, target, on_error="raise")
        with pytest.raises(error):
            call()
        assert caplog.messages == []

    def test_ignore_says_nothing(self, name, failure, caplog):
        target, call, *_ = failure
        config(name, target, on_error="ignore")
        call()
        assert caplog.messages == []

    @pytest.mark.parametrize("on_error", ON_ERROR)
    def test_nothing_is_left_behind(self, name, failure, on_error, tmp_path):
        target, call, error, _ = failure
        before = sorted(tmp_path.rglob("*"))
        config(name, target, on_error=on_error)
        try:
            call()
        except error:
            assert on_error == "raise"
        assert sorted(tmp_path.rglob("*")) == before

    def test_a_value_that_cannot_be_pickled_names_its_checkpoint(self, name, tmp_path):
        config(name, tmp_path, on_error="raise")
        message = rf"'{name}' \[day=monday\].*'model'.*\.Unpicklable"
        with tags(day="monday"), pytest.raises(checkpoints.FormatError, match=message):
            checkpoint(name, model=Unpicklable())

    @pytest.mark.parametrize("on_error", ON_ERROR)
    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_what_ends_the_program_passes_through(self, name, on_error, error):
        config(name, Failing(error()), on_error=on_error)
        with pytest.raises(error):
            checkpoint(name, 1)

    @pytest.mark.parametrize("on_error", ["warn", "ignore"])
    def test_a_handler_that_cannot_be_shown_takes_nobody_down(self, name, on_error):
        config(name, Speechless(ValueError("no room")), on_error=on_error)
        checkpoint(name, 1)

    @pytest.mark.parametrize("on_error", ["warn", "ignore"])
    def test_data_that_cannot_be_shown_takes_nobody_down(self, name, on_error):
        class Data:
            def __repr__(self):
                raise ValueError("this cannot be shown")

        handler = DictHandler(copy=False)
        config(name, handler, on_error=on_error)
        checkpoint(name, Data())
        checkpoint(name, 2)
        assert len(handler) == 1

    def test_data_already_stored_does_not_fill_the_log(self, name, caplog):
        handler = DictHandler()
        config(name, handler)
        checkpoint(name, "long" * 1000)
        checkpoint(name, 2)
        (message,) = caplog.messages
        assert len(message) < 1000

    def test_an_error_whose_text_cannot_be_had_is_told_by_its_type(self, name, caplog):
        class Garbled(Exception):
            def __str__(self):
                raise ValueError

        config(name, Failing(Garbled()))
        checkpoint(name, 1)
        assert "Garbled" in caplog.text

    def test_failures_are_told_the_1st_10th_and_100th_time(self, name, caplog):
        config(name, Failing(OSError("the disk is full")))
        counts = [len(caplog.messages)]
        for _ in range(150):
            checkpoint(name, 1)
            counts.append(len(caplog.messages))
        told = [call for call in range(1, 151) if counts[call] > counts[call - 1]]
        assert told == [1, 10, 100]
        assert "10th time" in caplog.messages[1]
        assert "100th time" in caplog.messages[2]

    def test_failures_of_each_name_and_error_are_told_apart(self, name, caplog):
        full, broken = OSError("the disk is full"), ValueError("it is broken")
        for error in (full, broken):
            for each in (name, f"{name}.more"):
                with config(each, Failing(error)):
                    checkpoint(each, 1)
        assert len(caplog.messages) == 4

    def test_after_a_failure_the_next_save_is_made(self, name, tmp_path):
        config(name, tmp_path)
        checkpoint(name, model=Unpicklable())
        checkpoint(name, model=1)
        assert [entry.load() for entry in index(tmp_path)] == [{"model": 1}]


@pytest.fixture
def run(tmp_path):
    """Run a separate program; return the lines that it wrote to stderr."""

    def run(program):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        ended = subprocess.run(
            [sys.executable, str(file)],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        assert ended.returncode == 0
        return ended.stderr.splitlines()

    return run


class TestEndOfProgram:
    def test_a_rule_that_matched_nothing_is_told_once_with_the_nearest(self, run):
        (line,) = run("""
            from checkpoints import checkpoint, config, register
            register("mypkg", ["forecast", "load"])
            config("mypkg.forcast", print)
            config("mypkg.load", print)
        """)
        assert "'mypkg.forcast'" in line
        assert "matched no checkpoint" in line
        assert "did you mean 'mypkg.forecast'?" in line

    def test_it_is_told_too_where_nothing_like_it_is_known(self, run):
        (line,) = run("""
            from checkpoints import config
            config("mypkg.*", print)
        """)
        assert "'mypkg.*'" in line
        assert "; there are none" in line

    def test_what_the_started_file_defines_is_told_by_its_name_there(self, run):
        (line,) = run("""
            from checkpoints import config, probed

            @probed
            def forecast(sales):
                pass

            config("bakery", print)
        """)
        assert "there is '__main__.forecast'; what the started file itself" in line

    def test_each_rule_is_told_even_after_a_reset_in_between(self, run):
        lines = run("""
            from checkpoints import config, reset
            config("forgotten", print)
            reset()
            config("first", print)
            config("second", None)
        """)
        assert len(lines) == 2
        assert "'first'" in lines[0]
        assert "'second'" in lines[1]

    @pytest.mark.parametrize(
        "program",
        [
            "config('mypkg', print); reset()",
            "config('mypkg', None); checkpoint('mypkg.fit', 1)",
            "register('mypkg.fit'); config('mypkg', None)",
            "register('new'); config('mypkg.o*', None); deprecate('mypkg.old', 'new')",
        ],
    )
    def test_there_is_nothing_else_to_tell(self, run, program):
        start = "import warnings; warnings.simplefilter('ignore')\n"
        assert run(f"{start}from checkpoints import *\n{program}") == []

    def test_a_rule_that_is_removed_in_vain_is_told_at_once(self, run):
        (line,) = run("""
            from checkpoints import config, register
            register("mypkg.fit")
            with config("mypgk", print):
                pass
        """)
        assert "matched no checkpoint" in line
        assert "'mypkg'" in line

    def test_a_where_that_no_call_has_is_told(self, run):
        (line,) = run("""
            from checkpoints import checkpoint, config, tags
            config("mypkg", print, where={"dya": "monday"})
            with tags(day="monday"):
                checkpoint("mypkg.fit", 1)
        """)
        assert "no call had the tags" in line

    def test_a_rule_after_the_last_call_is_told(self, run):
        (line,) = run("""
            from checkpoints import checkpoint, config
            checkpoint("mypkg.fit", 1)
            config("mypkg", print)
        """)
        assert "after the last call of 'mypkg.fit'" in line

    def test_a_list_of_no_names_is_no_error(self, run):
        lines = run("""
            from checkpoints import config
            config([], print)
        """)
        assert len(lines) <= 1

    def test_a_forked_child_does_not_tell_it_again(self, run):
        if not hasattr(os, "fork"):
            pytest.skip("this system has no fork")
        lines = run("""
            import os, sys
            from checkpoints import config
            config("nothing", print)
            child = os.fork()
            if child:
                os.waitpid(child, 0)
        """)
        assert len(lines) == 1

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_workers_do_not_tell_it(self, run, method):
        if os.name == "nt" and method != "spawn":
            pytest.skip("this system has only spawn")
        lines = run(f"""
            import multiprocessing
            from checkpoints import config
            config("nothing", print)
            if __name__ == "__main__":
                context = multiprocessing.get_context("{method}")
                workers = [context.Process(target=int) for _ in range(2)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
        """)
        assert len(lines) == 1

    def test_failures_that_were_not_told_are_counted(self, run):
        lines = run("""
            from checkpoints import checkpoint, config
            config("mypkg", lambda key, data: 1 / 0)
            for _ in range(7):
                checkpoint("mypkg.fit", 1)
        """)
        assert len(lines) == 2
        assert "ZeroDivisionError" in lines[0]
        assert "of 7 saves: 7 failed ('mypkg.fit' 7). The first: " in lines[1]
        assert "ZeroDivisionError: division by zero" in lines[1]


class TestRegistry:
    """A separate registry instead of the shared one."""

    @pytest.fixture
    def registry(self):
        own = Registry()
        yield own
        own.reset()

    def test_a_plan_is_the_rules_that_could_save_newest_first(self, registry):
        oldest = in_force(registry, "a", print, {})
        plain = in_force(registry, "a", print, {})
        picky = in_force(registry, "a.b", print, {"where": {"x": 1}})
        assert registry.plan("a.b") == (picky, plain)
        assert registry.plan("a") == (plain,)
        assert registry.plan("b") is None
        assert oldest in registry.rules()

    def test_a_plan_of_nothing_but_none_is_off(self, registry):
        in_force(registry, "a", print, {})
        in_force(registry, "a", None, {})
        assert registry.plan("a") is None

    def test_plans_are_forgotten_by_every_change(self, registry):
        def kept():
            registry.lookup("a")
            return registry.plans["a"]

        assert kept() is ABSENT
        rule = in_force(registry, "a", print, {})
        assert kept() == (rule,)
        rule.remove()
        assert kept() is ABSENT
        in_force(registry, "old", print, {})
        with pytest.warns(DeprecationWarning, match="old"):
            registry.deprecate("old", "a")
        assert kept() is not ABSENT
        registry.reset()
        assert kept() is ABSENT

    def test_the_plans_are_one_dict_for_good(self, registry):
        plans = registry.plans
        in_force(registry, "a", print, {}).remove()
        registry.reset()
        assert registry.plans is plans


class TestFlush:
    def test_is_for_handlers_without_a_hash_as_well(self):
        with checkpoints.capture("shop"):
            checkpoints.flush()
