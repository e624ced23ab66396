"""What a probe adds to the calls of a function that takes 70 ns, and 1 us."""

from __future__ import annotations

import sys
import types
from timeit import Timer

import checkpoints
from benchmarks.rounds import Row, show_progress

SOURCE = """
def short(a, b=1):
    return a

def long(a, b=1):
    total = 0
    for number in range(20):
        total += number
    return total
"""
# In seconds, added to a call: at most.
OFF, LEFT_OUT = 0.1e-6, 0.5e-6
SAVED = 1.3


def measure(folder: str, *, quick: bool) -> list[Row]:
    rounds, times = (3, 2_000) if quick else (50, 20_000)
    module = types.ModuleType("benchmarked")
    exec(SOURCE, vars(module))
    sys.modules[module.__name__] = module
    rows = []
    for name in ("short", "long"):
        function = getattr(module, name)

        def taken() -> float:
            timer = Timer("f(1)", globals={"f": function})  # noqa: B023 - called here
            show_progress()
            return min(timer.repeat(rounds, times)) / times

        bare = taken()
        with checkpoints.probe((module, name)):
            rows += _added(name, bare, taken)
            rows.append(_saved(name, function, folder, quick=quick))
    return rows


def _added(name: str, bare: float, taken: object) -> list[Row]:
    def row(what: str, most: float) -> Row:
        added = max(taken() - bare, 0.0)  # type: ignore[operator]
        beside = f"{most * 1e6:g} us, added"
        return Row(
            f"probe, {name} function, {what}", beside, added / most, 1, added, most
        )

    def ignore(_key: object, _data: object) -> None:
        pass

    rows = [row("off", OFF)]
    for what, options in (
        ("`limit` used up", {"limit": 1}),
        ("between turns of `every`", {"every": 10**9}),
        ("`where` that does not match", {"where": {"day": "1"}}),
    ):
        with checkpoints.config("benchmarked", ignore, **options):  # type: ignore[call-overload]
            taken()  # type: ignore[operator]
            rows.append(row(what, LEFT_OUT))
    return rows


def _saved(name: str, function: object, folder: str, *, quick: bool) -> Row:
    rounds, times = (2, 20) if quick else (20, 200)
    number = iter(range(10**9))

    def by_hand() -> None:
        with checkpoints.tags(call=next(number)):
            checkpoints.checkpoint("by.hand", a=1, b=1)
            checkpoints.checkpoint("by.hand.result", result=1)

    best = []
    for code, names in (("f(1)", "benchmarked"), ("f()", "by.hand")):
        called = function if code == "f(1)" else by_hand
        with checkpoints.config(names, f"{folder}/{name}/{names}"):
            timer = Timer(code, globals={"f": called})
            best.append(min(timer.repeat(rounds, times)) / times)
    ours, other = best
    what, beside = (
        f"probe, {name} function, saved",
        "two checkpoints of the same values",
    )
    return Row(what, beside, ours / other, SAVED, ours, other)
