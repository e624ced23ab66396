"""Pickles: what goes to another process, under which names, and what cannot."""

from __future__ import annotations

import copy
import datetime
import inspect
import os
import pickle
import pickletools
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import get_type_hints

import cloudpickle
import pytest

import checkpoints
from checkpoints import (
    DictHandler,
    FileHandler,
    FormatError,
    Key,
    Recorder,
    Rule,
    capture,
    checkpoint,
    config,
    index,
    stats,
    tags,
    verify,
)
from checkpoints._rules.registry import registry
from checkpoints.storage import open_store

LOCATION = Path(checkpoints.__file__).parents[1]
PICKLERS = [pickle, cloudpickle]
CLASSES = [
    each
    for name in checkpoints.__all__
    if isinstance(each := getattr(checkpoints, name), type)
]


@pytest.fixture
def run(tmp_path):
    """Run a program in a folder of its own, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(LOCATION)}

    def run(program, *arguments, stdin=b"", says=""):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        ended = subprocess.run(
            [sys.executable, "-W", "error", str(file), *map(str, arguments)],
            check=False,
            input=stdin,
            capture_output=True,
            timeout=100,
            env=environment,
        )
        told = ended.stderr.decode()
        assert (ended.returncode, re.sub(says, "", told)) == (0, ""), told
        return ended.stdout.decode()

    return run


@pytest.fixture
def things(tmp_path):
    """One of each public class that can be pickled."""
    root = tmp_path / "saved"
    kept = []
    with config("pickles", lambda key, _: kept.append(key)), tags(day="monday"):
        checkpoint("pickles.a", 1)
    with config("pickles", root), tags(day="monday"):
        checkpoint("pickles.a", 1)
    found = index(root)
    recorder = Recorder(root, max_bytes="1MB", when="nan", if_exists="keep")
    recorder.close()
    return [
        *kept,
        found,
        found.where("pickles"),
        found[0],
        found[0].tags,
        verify(root),
        stats(),
        open_store(str(root)),
        FileHandler(root, if_exists="keep", background=True, max_pending="1MB"),
        recorder,
        Rule("pickles", [root, print], where={"day": datetime.date(2026, 3, 1)}),
        Rule(["a", "b"], None, every=2, limit=3, on_error="raise"),
        Rule("a.*", recorder, values="x", summary=True, max_bytes=9, transform=sorted),
    ]


def names_in(data: bytes) -> set[str]:
    """What of this library a pickle names."""
    texts = [arg for _, arg, _ in pickletools.genops(data) if isinstance(arg, str)]
    return {text for text in texts if re.match(r"checkpoints[.: ]|checkpoints$", text)}


def again(value, pickler=pickle):
    return pickle.loads(pickler.dumps(value))


class TestPublicNames:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_pickle_names_nothing_that_is_private(self, things, protocol):
        for thing in things:
            names = names_in(pickle.dumps(thing, protocol))
            assert (
                f"checkpoints:{type(thing).__name__}" in names
                or "LocalStore" in str(names)
            )
            assert [name for name in names if re.search(r"[.: ]_", name)] == []

    def test_a_process_that_has_imported_nothing_reads_it(self, things, run):
        program = """
            import pickle, sys
            for thing in pickle.load(sys.stdin.buffer):
                print(repr(thing))
        """
        printed = run(program, stdin=pickle.dumps(things)).splitlines()
        assert printed == [repr(thing) for thing in things]

    @pytest.mark.parametrize("way", [again, copy.copy, copy.deepcopy])
    def test_a_copy_is_as_the_original(self, things, way):
        for thing in things:
            assert type(way(thing)) is type(thing)
            assert repr(way(thing)) == repr(thing)

    def test_a_key_comes_with_its_origin(self, things):
        key = things[0]
        assert again(key) == key
        assert again(key).origin == key.origin
        assert type(again(key).origin) is type(key.origin)
        assert again(Key("a")).origin is None

    def test_an_index_comes_with_its_entries(self, things):
        assert list(again(things[1])) == list(things[1])

    def test_a_class_of_somebody_else_comes_as_it_is(self):
        class Mine(FileHandler):
            def __init__(self, number):
                super().__init__("out", if_exists="keep")
                self.number = number

        found = again(Mine(3), cloudpickle)
        assert (type(found), found.number, found.if_exists) == (Mine, 3, "keep")


class TestClasses:
    """They keep the module that they lie in, where others look for their source."""

    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    def test_the_source_of_each_is_found(self, kind):
        assert inspect.getsource(kind).startswith(("class ", "@dataclass"))

    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    def test_the_types_of_each_are_found(self, kind):
        assert isinstance(get_type_hints(kind), dict)


SAVE = """
    import pickle, sys
    import checkpoints
    from checkpoints._rules.registry import registry

    rule = pickle.load(sys.stdin.buffer)
    registry.add(rule)
    with checkpoints.tags(day="monday"):
        checkpoints.checkpoint("pickles.a", x=1, y=-2)
    rule.remove()
    checkpoints.flush()
"""

SPAWN = """
    import multiprocessing, sys
    import checkpoints
    from checkpoints._rules.registry import registry

    def save(rule, number):
        registry.add(rule)
        with checkpoints.tags(worker=number):
            checkpoints.checkpoint("pickles.a", x=number)
        checkpoints.flush()

    if __name__ == "__main__":
        spawn = multiprocessing.get_context("spawn")
        rule = checkpoints.Rule(
            "pickles", sys.argv[1] + "/{run}/{pid}", background=True, on_error="raise"
        )
        for number in range(2):
            worker = spawn.Process(target=save, args=(rule, number))
            worker.start()
            worker.join()
            assert worker.exitcode == 0
"""


class TestRule:
    @pytest.mark.parametrize("pickler", PICKLERS)
    def test_a_fresh_process_saves_through_it(self, run, tmp_path, pickler):
        root = tmp_path / "root"
        rule = Rule("pickles", root, values="x", where={"day": "m*"}, limit=1)
        run(SAVE, stdin=pickler.dumps(rule))
        (entry,) = index(root)
        assert (entry.load(), dict(entry.tags)) == ({"x": 1}, {"day": "monday"})

    def test_spawned_processes_save_through_it_in_one_run(self, run, tmp_path):
        run(SPAWN, tmp_path / "root")
        entries = list(index(tmp_path / "root"))
        assert sorted(entry.load()["x"] for entry in entries) == [0, 1]
        assert len({entry.meta["run"] for entry in entries}) == 1
        folders = {Path(entry.path).relative_to(tmp_path).parts for entry in entries}
        assert len({run for _, run, *_ in folders}) == 1
        assert len({pid for _, _, pid, *_ in folders}) == 2

    @pytest.mark.parametrize("way", [again, copy.copy])
    def test_it_comes_in_force_nowhere_and_with_counts_at_zero(self, tmp_path, way):
        kept = tmp_path / "kept"
        options = {"limit": 1, "max_total_bytes": "3 kB", "if_exists": "keep"}
        with config("pickles.b", kept, **options) as rule:
            checkpoint("pickles.b", 1)
            checkpoint("pickles.b", 2)
            found = way(rule)
            assert found not in checkpoints.rules()
        assert found.holder is None
        registry.add(found)
        checkpoint("pickles.b", 3)
        checkpoint("pickles.b", 4)
        assert [entry.load()["data"] for entry in index(kept)] == [1, 3]

    def test_it_keeps_where_it_was_written_and_its_layer(self, tmp_path):
        with capture("pickles"):
            (rule,) = checkpoints.rules()
        rule = Rule("pickles", tmp_path)
        rule.source, rule.layer = "a file, line 3", 2
        assert (again(rule).source, again(rule).layer) == ("a file, line 3", 2)

    def test_a_function_that_a_module_has_comes_as_a_handler(self):
        (handler,) = again(Rule("pickles", print)).handlers
        assert handler.function is print

    def test_no_handler_switches_its_names_off(self):
        assert again(Rule("pickles", None)).handlers == ()

    def test_one_that_did_nothing_says_why(self, caplog):
        registry.add(rule := again(Rule("pickles.nobody", print)))
        rule.remove()
        assert "matched no checkpoint" in caplog.text


def nameless(tmp_path):
    """Rules with a function that no module has under a name."""
    recorder = Recorder(tmp_path, when=lambda _, values: values["x"] == 1)
    recorder.close()
    return {
        "where": Rule("pickles", tmp_path, where=lambda pairs: bool(pairs)),
        "where of a tag": Rule("pickles", tmp_path, where={"day": lambda _: True}),
        "transform": Rule("pickles", tmp_path, transform=lambda values: values),
        "function": Rule("pickles", lambda key, values: print(key.path, values)),
        "when": Rule("pickles", recorder),
    }


NAMELESS = ["where", "where of a tag", "transform", "function", "when"]


class TestFunctions:
    @pytest.mark.parametrize("what", NAMELESS)
    def test_pickle_refuses_a_nameless_one(self, tmp_path, what):
        rule = nameless(tmp_path)[what]
        with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
            pickle.dumps(rule)

    @pytest.mark.parametrize("what", NAMELESS)
    def test_cloudpickle_takes_it_to_a_fresh_process(self, run, tmp_path, what):
        data = cloudpickle.dumps(nameless(tmp_path)[what])
        printed = run(
            SAVE, stdin=data, says=r"Recorder.* wrote 1 of 1 recorded saves.*\n"
        )
        if what == "function":
            assert printed == "day=monday/pickles/a {'x': 1, 'y': -2}\n"
        else:
            (entry,) = index(tmp_path)
            assert entry.load() == {"x": 1, "y": -2}
            assert entry.meta.get("dumped", "").startswith("when: " * (what == "when"))


class TestHandlers:
    @pytest.mark.parametrize("pickler", PICKLERS)
    def test_a_dict_in_memory_is_told_and_the_way_out(self, pickler):
        for thing in (DictHandler(), Rule("a", DictHandler())):
            with pytest.raises(
                FormatError, match=r"cannot pickle .*: the saves of a copy"
            ):
                pickler.dumps(thing)

    def test_what_multiprocessing_hands_on_is_left_to_it(self, run):
        program = """
            import multiprocessing
            import checkpoints

            class Sending(checkpoints.Handler):
                def __init__(self, end):
                    self.end = end
                def commit(self, key, staged):
                    self.end.send((key, staged))

            def save(handler):
                handler.checkpoint("pickles.a", 1)

            if __name__ == "__main__":
                spawn = multiprocessing.get_context("spawn")
                mine, theirs = spawn.Pipe()
                worker = spawn.Process(target=save, args=(Sending(theirs),))
                worker.start()
                print(*mine.recv())
                worker.join()
        """
        assert run(program) == "'pickles.a' {'data': 1}\n"

    def test_one_that_was_used_begins_anew_with_its_own_thread(self, tmp_path):
        handler = FileHandler(tmp_path, background=True)
        handler.checkpoint("pickles.a", 1)
        found = again(handler)
        assert found._writer is not handler._writer
        handler.close()
        found.checkpoint("pickles.a", 2)
        found.flush()
        assert index(tmp_path)[0].load() == {"data": 2}

    def test_a_recorder_leaves_what_it_keeps_at_home(self, tmp_path):
        with Recorder(tmp_path, max_bytes=10_000) as recorder:
            recorder.checkpoint("pickles.a", 1)
            with again(recorder) as found:
                assert (len(recorder), len(found)) == (1, 0)
                found.checkpoint("pickles.b", 2)
                found.dump()
        assert [entry.load() for entry in index(tmp_path)] == [{"data": 2}]

    def test_a_place_for_the_process_is_filled_where_it_is_used(self, tmp_path):
        handler = FileHandler(tmp_path / "{run}-{pid}")
        assert handler.folder.endswith(f"-{os.getpid()}")
        assert again(handler).root == handler.root == str(tmp_path / "{run}-{pid}")


MAKE = """
    import atexit, os, signal, sys, threading
    import checkpoints as cp

    cp.Rule, cp.FileHandler

    def state():
        return (
            dict(os.environ), threading.enumerate(), os.listdir(), atexit._ncallbacks(),
            sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGINT),
        )

    def refuse(**_):
        raise AssertionError("nothing is to be registered at fork")

    if hasattr(os, "register_at_fork"):
        os.register_at_fork = refuse
    os.chdir(sys.argv[1])
    before = state()
    handler = cp.FileHandler("out/{run}/{pid}", background=True)
    rule = cp.Rule("mypkg", ["out/{run}", handler, print], every=2, background=True)
    assert state() == before
    assert cp.rules() == [] and rule.holder is None
"""


class TestMaking:
    def test_a_rule_or_a_handler_leaves_the_process_as_it_is(self, run, tmp_path):
        assert run(MAKE, tmp_path) == ""
