"""Where differences began, and which of them were in the inputs already."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from checkpoints._compare.difference import Difference
from checkpoints._compare.pair import OUTCOMES, Pair, Role, has_arguments
from checkpoints._compare.side import Process

__all__ = ["Roles", "inputs_of"]

_CallKey = tuple[Process, str, tuple[tuple[str, str], ...]]


class _Finding(NamedTuple):
    role: Role
    inputs: str


class Roles:
    """
    Says of each pair that differs whether the difference began there.

    The outcome of a call is compared with its arguments: equal arguments with another
    outcome are the origin of a difference. Of a plain checkpoint the inputs are
    unknown, so it is an origin only where nothing earlier differs.

    Args:
        pairs: All pairs, in the order of the program.
        inputs: What `inputs_of` returns for them.
    """

    def __init__(self, pairs: Sequence[Pair], inputs: Mapping[int, Pair]) -> None:
        self._pairs = pairs
        self._inputs = inputs
        self._different: dict[Process, list[int]] = {}
        self._is_first = True

    def assign(self) -> None:
        """Set the role of each pair, and what is known of its inputs."""
        for pair in self._pairs:
            pair.role, pair.inputs = "", ""
            if pair.verdict == "different":
                pair.role, pair.inputs = self._finding(pair)
                self._different.setdefault(pair.process, []).append(pair.number)
                self._is_first = False
            elif pair.verdict == "unknown" or pair.why == "missing":
                # It may be where the difference began.
                self._is_first = False

    def _finding(self, pair: Pair) -> _Finding:
        inputs = self._inputs.get(pair.number)
        if inputs is not None:
            return self._of_outcome(pair, inputs)
        if has_arguments(pair):
            return _Finding("inherited", _words_for_inputs(pair))
        if self._is_first:
            return _Finding("origin", "not known; nothing earlier differs")
        return _Finding("possibly inherited", "not known; an earlier save is not equal")

    def _of_outcome(self, pair: Pair, inputs: Pair) -> _Finding:
        if inputs.verdict == "different":
            differing = [n for n, d in inputs.values.items() if d.verdict != "close"]
            return _Finding("inherited", f"{', '.join(differing)}: different")
        if inputs.verdict in ("unknown", "unpaired"):
            why = inputs.why or "they could not be compared"
            return _Finding("possibly inherited", f"unknown: {why}")
        numbers = self._different.get(pair.process, [])
        inside = bisect_left(numbers, inputs.number)
        if inside < len(numbers):
            name = self._pairs[numbers[inside] - 1].name
            return _Finding("inherited", f"equal; {name} differs within the call")
        if inputs.values:
            texts = [f"{n} {_words_for(d)}" for n, d in inputs.values.items()]
            return _Finding("origin", ", ".join(texts))
        how = "checksum" if inputs.by == "checksum" else "value"
        return _Finding("origin", f"equal by {how}")


def _words_for(found: Difference) -> str:
    return found.notes[0] if found.notes else "within tolerance"


def _words_for_inputs(pair: Pair) -> str:
    return f"these are the arguments of {pair.name}: what made them was not saved"


def inputs_of(pairs: Sequence[Pair]) -> dict[int, Pair]:
    """Return the pair with the arguments of each outcome of a call, by its number."""
    functions = {_function_of(pair.name) for pair in pairs} - {""}
    arguments: dict[_CallKey, Pair] = {}
    found = {}
    for pair in pairs:
        function = _function_of(pair.name)
        if function or pair.name in functions:
            tags = tuple(pair.entry.tags.items())
            key = pair.process, function, tags
            if function and key in arguments:
                found[pair.number] = arguments[key]
            arguments[pair.process, pair.name, tags] = pair
    return found


def _function_of(name: str) -> str:
    """Return the name of the function if a name is that of an outcome, else ""."""
    for outcome in OUTCOMES:
        if name.endswith(outcome):
            return name.removesuffix(outcome)
    return ""
