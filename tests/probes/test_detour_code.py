"""The code of a detour: copied, changed and looked at by other code."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import traceback
import types

import cloudpickle
import pytest

import checkpoints
from checkpoints import DictHandler, capture, config, probed

FACTOR = 1


@pytest.fixture(autouse=True)
def from_one(monkeypatch):
    monkeypatch.setattr(checkpoints._probes.calls, "_numbers", {})


def scale(a):
    """Scale it."""
    return a * FACTOR


def fresh(function=scale):
    """A copy of a function, to be probed anew."""
    return types.FunctionType(
        function.__code__, function.__globals__, function.__name__, (), None
    )


def closing(k):
    def inner(a):
        return a + k

    return inner


class TestCopy:
    def test_has_the_globals_that_it_was_given(self):
        function = probed("code.scale")(fresh())
        with capture("code"):
            copy = types.FunctionType(function.__code__, {"FACTOR": 100})
            assert copy(2) == 200
        assert copy(2) == 200

    def test_has_the_cells_that_it_was_given(self):
        function = probed("code.inner")(closing(1))
        with capture("code"):
            cells = (types.CellType(100),)
            copy = types.FunctionType(function.__code__, {}, "copy", None, cells)
            assert copy(2) == 102

    def test_has_the_docstring(self):
        function = probed("code.scale")(fresh())
        with capture("code"):
            assert types.FunctionType(function.__code__, {}).__doc__ == "Scale it."

    def test_that_is_pickled_by_value_needs_nothing_of_this_library(self, tmp_path):
        program = tmp_path / "program.py"
        program.write_text(
            "import pickle, sys\n"
            "function = pickle.load(open(sys.argv[1], 'rb'))\n"
            "print(function(1), 'checkpoints' in sys.modules)\n"
        )
        function = probed("code.inner")(closing(1))
        with capture("code"):
            (tmp_path / "pickle").write_bytes(cloudpickle.dumps(function))
        ended = subprocess.run(
            [sys.executable, program, tmp_path / "pickle"],
            env={"PYTHONPATH": cloudpickle.__path__[0].rpartition("/")[0]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.stdout == "2 False\n", ended.stderr

    def test_that_is_pickled_by_name_is_the_function(self):
        with config("code", DictHandler()):
            probed("code.scale")(scale)
            assert pickle.loads(pickle.dumps(scale)) is scale


class TestPatch:
    """Other code changes the code of a function, as profilers and reloaders do."""

    def test_of_the_code_in_force_never_calls_itself(self):
        function = probed("code.scale")(fresh())
        for _ in range(2):
            with config("code", DictHandler(force=True)) as rule:
                function.__code__ = function.__code__.replace(co_name="other")
                assert function(3) == 3
                assert len(rule.handlers[0].objects) == 2
            assert function(3) == 3

    def test_by_other_code_wins(self):
        function = probed("code.scale")(fresh())
        with capture("code"):
            function.__code__ = (lambda a: a + 10).__code__
            assert function(1) == 11
        assert function(1) == 11
        with capture("code") as seen:
            assert function(1) == 11
        assert seen["call=1/code/scale/result"] == {"result": 11}

    def test_that_swaps_two_functions_never_calls_itself(self):
        one, other = probed("code.one")(fresh()), probed("code.two")(fresh(len_of))
        for _ in range(3):
            with config("code", DictHandler(force=True)):
                one.__code__, other.__code__ = other.__code__, one.__code__
                assert {one("ab"), other("ab")} == {"ab", 2}
            assert {one("ab"), other("ab")} == {"ab", 2}

    def test_that_puts_back_a_code_of_before_is_harmless(self):
        function = probed("code.scale")(fresh())
        with capture("code"):
            during = function.__code__
        function.__code__ = during
        assert function(2) == 2
        with capture("code") as seen:
            assert function(2) == 2
        assert len(seen) == 2


def len_of(a):
    return len(a)


class TestLook:
    def test_finds_the_globals_that_the_function_uses(self):
        function = probed("code.scale")(fresh())
        with capture("code"):
            assert inspect.getclosurevars(function).globals == {"FACTOR": 1}

    @pytest.mark.parametrize("every", [1, 10**6])
    def test_at_a_traceback_finds_only_the_function(self, every):
        @probed("code.broken")
        def broken():
            raise ValueError

        @probed("code.steps")
        def steps():
            yield 1
            raise ValueError

        with config("code", DictHandler(force=True), every=every):
            for call in (broken, lambda: list(steps())) * 2:
                with pytest.raises(ValueError) as told:
                    call()
                frames = traceback.extract_tb(told.tb)
                assert [frame.name for frame in frames].count("broken") < 2
                assert [frame.name for frame in frames].count("steps") < 2
                assert {frame.filename for frame in frames} == {__file__}


class TestNames:
    def test_of_parameters_may_be_those_of_our_own(self):
        @probed("code.taken")
        def taken(_cp_call, _cp_inner, *_cp__call, **kwargs):
            return _cp_call, _cp_inner, _cp__call, kwargs

        with capture("code"):
            found = taken(1, 2, 3, _cp_result=4)
        assert found == (1, 2, (3,), {"_cp_result": 4})

    def test_of_parameters_that_cannot_be_written_are_left_alone(self):
        code = scale.__code__.replace(co_varnames=("class",), co_posonlyargcount=1)
        made = probed("probed.made")(types.FunctionType(code, {"FACTOR": 2}))
        with capture("probed"):
            assert made(3) == 6

    def test_of_globals_may_be_those_of_builtins(self):
        names = {"eval": None, "BaseException": 0, "__name__": __name__}
        function = probed("code.scale")(
            types.FunctionType(scale.__code__, {**names, "FACTOR": 2}, "scale")
        )
        with capture("code"):
            assert function(2) == 4


class TestFunctions:
    """Functions of every sort do what they do without a probe."""

    def test_may_belong_to_classes_with_slots_and_metaclasses(self):
        class Meta(type):
            @probed("code.call")
            def __call__(cls, *args):
                return super().__call__(*args)

        class Point(metaclass=Meta):
            __slots__ = ("x",)

            @probed("code.init")
            def __init__(self, x):
                self.x = x

            @probed("code.eq")
            def __eq__(self, other):
                return self.x == other.x

            __hash__ = None

        with capture("code"):
            assert Point(1) == Point(1)
            assert Point(1) != Point(2)

    def test_may_change_globals_and_cells(self):
        space = {"total": 0}
        exec("def add(n):\n global total\n total += n", space)
        total = 0

        @probed("code.inner")
        def inner(n):
            nonlocal total
            total += n

        probed("code.add")(space["add"])
        with capture("code"):
            for each in (inner, space["add"]):
                each(2)
        assert (total, space["total"]) == (2, 2)

    def test_may_be_called_by_finalizers(self):
        done = []

        class Temporary:
            @probed("code.close")
            def close(self):
                done.append(1)
                raise ValueError

            def __del__(self):
                try:
                    self.close()
                except ValueError:
                    done.append(2)

        with config("code", lambda *_, **__: None):
            Temporary()
        assert done == [1, 2]

    def test_of_a_class_may_be_called_with_what_is_no_class(self):
        class Base:
            @classmethod
            def made(cls):
                return cls

        class Child(Base):
            pass

        pytest.importorskip("wrapt")
        with checkpoints.probe((Child, "made")), config(__name__, DictHandler()):
            assert Base.__dict__["made"].__func__(None) is None
            assert Child.made() is Child
        with checkpoints.probe((Base, "made")), config(__name__, DictHandler()):
            assert Base.__dict__["made"].__func__(None) is None
