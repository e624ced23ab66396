"""`checkpoints replay` calls a saved call again."""

from __future__ import annotations

import io
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys

import pytest

from checkpoints import config, probe
from checkpoints._probes import calls

SOURCE = """
def price(qty, fee=0.5):
    rate = 2.0
    return qty * rate + fee


def fail(qty):
    raise ValueError(f"no {qty}")
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A folder with a module, some of whose calls are saved in `saved`."""
    pytest.importorskip("wrapt", reason="it wraps the functions")
    monkeypatch.setattr(calls, "_numbers", {})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "stall.py"
    module.write_text(SOURCE, encoding="utf-8")
    import stall

    with (
        config("stall", "saved"),
        probe("stall:price"),
        probe("stall:fail"),
        pytest.raises(ValueError, match="no 1"),
    ):
        for qty in (1, 2, 3):
            stall.price(qty)
        stall.fail(1)
    del sys.modules["stall"]
    yield module
    sys.modules.pop("stall", None)


def change(module, old, new):
    module.write_text(SOURCE.replace(old, new), encoding="utf-8")
    sys.modules.pop("stall", None)


ONE = ("saved", "stall.price", "--where", "call=2", "--trusted")


class TestOneCall:
    def test_that_does_what_it_did_exits_with_0(self, run, program):
        done = run("replay", *ONE)
        assert done.code == 0
        assert done.out.startswith("EQUAL  it does what it did: stall.price  call=2\n")
        assert f"stall.price at {program}:2, and nothing after it" in done.out

    def test_that_differs_exits_with_1_and_names_the_next_command(self, run, program):
        change(program, "2.0", "3.0")
        done = run("replay", *ONE)
        assert done.code == 1
        assert "value   4.5  ->  6.5" in done.out
        assert done.out.splitlines()[-1].startswith("  next       checkpoints replay ")
        assert done.out.splitlines()[-1].endswith("price.ckpt.zip --trusted --pdb")

    def test_keeps_the_given_options_in_the_next_command(self, run, program):
        change(program, "2.0", "3.0")
        words = ("--set", "fee='1'", "--function", "stall:price")
        told = run("replay", *ONE, *words).out.splitlines()[-1]
        typed = shlex.split(told)[4:]
        assert typed == ["--trusted", *words[2:], *words[:2], "--pdb"]

    def test_that_cannot_be_called_exits_with_2(self, run, program):
        change(program, "def price", "def prize")
        done = run("replay", *ONE)
        assert done.code == 2
        assert "stall has no 'price'" in done.out
        assert "with --function; did you mean 'prize'?" in done.out
        assert run("replay", *ONE, "--bisect").code == 125
        assert run("replay", *ONE, "--function", "stall:prize").code == 0

    def test_of_a_function_that_was_given_wrongly_hints_at_functions(
        self, run, program
    ):
        change(program, "def fail", "prices = 1\n\n\ndef fail")
        done = run("replay", *ONE, "--function", "stall:prices_")
        assert done.code == 2
        assert "stall has no 'prices_'; did you mean 'price'?" in done.out
        assert "Give the function" not in done.out

    def test_is_named_by_its_header_wherever_its_file_lies(self, run, program):
        change(program, "def price", "def prize")
        (program.parent / "saved/call=2/stall/price.ckpt.zip").rename("moved.ckpt.zip")
        done = run("replay", "moved.ckpt.zip", "--trusted")
        assert done.out.startswith("COULD NOT TELL  stall.price  call=2\n")

    def test_needs_trust_unless_the_function_is_named(self, run, program):
        done = run("replay", *ONE[:-1])
        assert done.code == 2
        assert "give it with --function, or pass --trusted" in done.out
        assert run("replay", *ONE[:-1], "--function", "stall.py:price").code == 0

    def test_may_get_other_arguments(self, run, program):
        done = run("replay", *ONE, "--set", "fee=[1, 2]", "--set", "qty=x", "--json")
        (call,) = json.loads(done.out)["calls"]
        assert call["changed"] == {"qty": "'x'", "fee": "[1, 2]"}
        assert call["verdict"] == "different"
        assert "TypeError" in call["raised"]

    def test_with_an_argument_of_another_name_is_an_error(self, run, program):
        done = run("replay", *ONE, "--set", "fees=1")
        assert (done.code, done.out) == (2, "")
        assert "no parameter 'fees'; did you mean 'fee'?" in done.err
        assert "expected NAME=VALUE" in run("replay", *ONE, "--set", "fees").err

    def test_is_called_several_times_if_asked_for(self, run, program):
        done = run("replay", *ONE, "--times", 3)
        assert "called 3 times: always the same" in done.out

    def test_is_not_replayed_here_if_the_place_is_empty(self, run, program):
        for option in ("--rev", "--python"):
            done = run("replay", *ONE, option, "")
            assert (done.code, done.out) == (2, "")
            assert f"'{option}': it is empty" in done.err

    def test_is_not_found_where_there_is_none(self, run, program):
        done = run("replay", "saved", "stall.prize", "--trusted")
        # 1 would say that it differs.
        assert (done.code, done.out) == (2, "")
        assert "no entry has the name 'stall.prize'" in done.err
        assert run("replay", "saved", "nothing", "--all", "--trusted").code == 2
        assert run("replay", "nowhere.ckpt.zip", "--trusted").code == 2


class TestAllCalls:
    def test_are_counted_and_those_that_differ_listed(self, run, program):
        done = run("replay", "saved", "--all", "--trusted")
        assert (done.code, done.out) == (0, "EQUAL  4 calls: 4 equal\n")
        change(program, "qty * rate", "qty * rate + (qty > 2)")
        done = run("replay", "saved", "--all", "--trusted")
        assert done.code == 1
        lines = done.out.splitlines()
        assert lines[0] == "DIFFERENT  4 calls: 3 equal, 1 different"
        assert [line.split()[1:3] for line in lines[3:4]] == [["stall.price", "call=3"]]

    def test_may_be_those_of_one_run(self, run, program):
        shutil.copytree("saved", ".checkpoints")
        for place in ("saved@last", "@last"):
            done = run("replay", place, "--all", "--trusted")
            assert (done.code, done.out) == (0, "EQUAL  4 calls: 4 equal\n")
        done = run("replay", "@nightly", "--all", "--trusted")
        assert (done.code, "no run 'nightly'" in done.err) == (2, True)

    def test_are_narrowed_by_names_and_tags(self, run, program):
        found = run("replay", "saved", "stall.fail", "--all", "--trusted", "--json")
        assert [it["name"] for it in json.loads(found.out)["calls"]] == ["stall.fail"]
        where = ("--where", "call>=2", "--all", "--trusted")
        assert "2 calls" in run("replay", "saved", *where).out

    def test_go_on_after_one_that_cannot_be_called(self, run, program):
        change(program, "def fail", "def failed")
        done = run("replay", "saved", "--all", "--trusted")
        assert done.code == 2
        assert "UNKNOWN  4 calls: 3 equal, 1 unknown" in done.out
        assert "1 call: stall has no 'fail'" in done.out

    def test_need_a_root(self, run, program):
        done = run("replay", "saved/call=2/stall/price.ckpt.zip", "--all", "--trusted")
        assert (done.code, done.out) == (2, "")
        assert "--all needs a root" in done.err


def in_terminal(words, typed):
    """Run a command in a terminal of its own; return what it shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "checkpoints", *words]
    environment = {**os.environ, "TERM": "dumb"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:
                break
            if not more:
                break
            shown += more
    os.close(ours)
    return process.returncode, shown.decode()


class TestDebugger:
    def test_stops_at_the_first_line_of_the_function(self, program):
        code, shown = in_terminal(["replay", *ONE, "--pdb"], "p qty, fee\nn\nc\n")
        assert "stall.py(3)price()" in shown
        assert "(2, 0.5)" in shown
        assert "EQUAL" in shown
        assert code == 0

    def test_stops_at_an_exception_in_it(self, program):
        words = ["replay", "saved", "stall.fail", "--trusted", "--pdb"]
        code, shown = in_terminal(words, "c\np qty * 100\nq\n")
        assert "ValueError: no 1" in shown
        assert "\n100\r" in shown
        assert "EQUAL" in shown
        assert code == 0

    def test_can_be_left(self, program):
        code, shown = in_terminal(["replay", *ONE, "--pdb"], "q\n")
        assert "left in the debugger, before the end of the call" in shown
        assert code == 2

    def test_without_a_terminal_is_refused(self, run, program, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        done = run("replay", *ONE, "--pdb")
        assert done.code == 2
        assert "a debugger needs a terminal" in done.out


class TestManyCallsInOrder:
    def test_are_replayed_as_the_program_made_them(self, run, program):
        import stall

        with config("stall", "many"), probe("stall:price"), probe("stall:fail"):
            for qty in range(11):
                stall.price(qty)
            with pytest.raises(ValueError, match="no 1"):
                stall.fail(1)
            stall.price(11)
        done = run("replay", "many", "--all", "--trusted", "--json")
        calls = json.loads(done.out)["calls"]
        names = ["stall.price"] * 11 + ["stall.fail", "stall.price"]
        assert [it["name"] for it in calls] == names
        numbers = [dict(it["tags"])["call"] for it in calls if it["name"] == names[0]]
        assert numbers == sorted(numbers, key=int)
