"""Where differences began, and which of them were in the inputs already."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from checkpoints._compare.difference import Difference
from checkpoints._compare.pair import Pair, Role, has_arguments
from checkpoints._compare.record import Process
from checkpoints._index.entry import Entry

__all__ = ["Roles", "inputs_of"]

_CallKey: TypeAlias = "tuple[Process, str, tuple[tuple[str, object], ...]]"
# What runs one step after the other: a thread of a process.
_Thread: TypeAlias = "tuple[Process, str]"

# What is said of inputs that are equal, by how they were compared.
_EQUAL = {
    "checksum": "equal by checksum",
    "bytes": "equal to the byte",
    "values": "equal by value",
}


# What is said of the saves before one, where a filter may have left out some.
_SELECTED = "in what was selected"

_ALIKE = ("equal", "close", "noise")


class _Finding(NamedTuple):
    role: Role
    inputs: str


class Roles:
    """
    Says of each pair that differs whether the difference began there.

    The outcome of a call is compared with its arguments: equal arguments with another
    outcome are the origin of a difference, unless something within the call differs, or
    may: where it is unknown, or of a thread that saved only meanwhile, or of a call
    that began before it, as of coroutines that take turns. Of a plain checkpoint the
    inputs are unknown, so it is an origin only where nothing differs that may be one:
    no earlier save of its thread, none from before its thread's first save, and none of
    a thread that saved nothing later and so may have handed on its result. The
    arguments of a call are such a checkpoint too. A save under other values of the same
    tags counts: it may be an earlier pass of a loop.

    What is saved within a call has the arguments of that as its inputs: if they are
    equal, and so is all that the call saved before, the difference began there.

    Arguments that could not be saved may differ, so an outcome that would be an origin
    is possibly inherited.

    Of a call whose random state differs, nobody knows whether it draws from it, so what
    differs after its begin, and would be an origin otherwise, is possibly inherited.

    Args:
        pairs: All pairs, in the order of the program.
        inputs: What `inputs_of` returns for them.
        is_part: Whether saves may have been left out, which were not asked for: nothing
            is known of them, so nothing rests on them.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        inputs: Mapping[int, Pair],
        *,
        is_part: bool = False,
    ) -> None:
        self._pairs = pairs
        self._inputs = inputs
        self._is_part = is_part
        # The number of the outcome of each call, by that of its arguments.
        self._ends = {made.number: number for number, made in inputs.items()}
        # The calls of each thread that have not ended, outermost first.
        self._calls: dict[_Thread, list[Pair]] = {}
        self._unpaired: dict[_Thread, list[int]] = {}
        self._different: dict[_Thread, list[int]] = {}
        self._unknown: dict[_Thread, list[int]] = {}
        # The numbers of the first and the last save of each thread.
        self._first: dict[_Thread, int] = {}
        self._last: dict[_Thread, int] = {}
        for pair in pairs:
            self._first.setdefault(_thread_of(pair), pair.number)
            self._last[_thread_of(pair)] = pair.number
        # The number of the first save of each thread that is not equal.
        self._unequal: dict[_Thread, int] = {}
        # The last call of each process before which the random state differs.
        self._random: dict[Process, Pair] = {}
        self._has_close = False

    def assign(self) -> None:
        """Set the role of each pair, and what is known of its inputs."""
        for pair in self._pairs:
            pair.role, pair.inputs = "", ""
            thread = _thread_of(pair)
            if pair.random_state:
                self._random[pair.process] = pair
            self._has_close |= pair.verdict in ("close", "noise")
            if pair.verdict == "different":
                pair.role, pair.inputs = self._finding(pair)
                self._different.setdefault(thread, []).append(pair.number)
                self._unequal.setdefault(thread, pair.number)
            elif pair.verdict == "unknown":
                self._unknown.setdefault(thread, []).append(pair.number)
                self._unequal.setdefault(thread, pair.number)
            elif pair.why in ("missing", "added"):
                # It may be where the difference began.
                self._unpaired.setdefault(thread, []).append(pair.number)
                self._unequal.setdefault(thread, pair.number)
            if pair.number in self._ends:
                self._calls_at(pair).append(pair)

    def _finding(self, pair: Pair) -> _Finding:
        inputs = self._inputs.get(pair.number)
        found = self._of_outcome(pair, inputs) if inputs else self._in_call(pair)
        if found is not None:
            return found
        # Arguments that are equal, and came in another order, were moved like any save.
        has_given = has_arguments(pair) and bool(pair.values)
        if earlier := self._earlier(pair):
            if has_given:
                return _Finding("inherited", _words_for_inputs(pair))
            place = " ".join([earlier.name, *map("=".join, earlier.tags)])
            text = f"not known; an earlier save is not equal: {place}"
            return _Finding("possibly inherited", text)
        if call := self._random.get(pair.process):
            text = f"not known; {_words_for_state(call, f'before {call.name}')}"
            return _Finding("possibly inherited", text)
        text = "nothing earlier differs"
        text += " beyond tolerance" if self._has_close else ""
        if self._unequal:
            text = "what differs earlier is of a thread that ran beside it"
        text += f" {_SELECTED}" if self._is_part else ""
        if has_given:
            text += f"; {_words_for_changed(pair)}"
        is_known = has_given and not self._is_part
        return _Finding("origin", text if is_known else f"not known; {text}")

    def _in_call(self, pair: Pair) -> _Finding | None:
        """Return that a difference began here, if the call around it proves it."""
        call = next(
            (it for it in reversed(self._calls_at(pair)) if _is_within(pair, it)), None
        )
        if call is None or call.verdict not in _ALIKE or call.not_saved:
            return None
        is_disturbed = (
            self._is_part
            or self._random.get(pair.process)
            or self._in_workers(pair, call)
            or any(
                self._within(call, numbers)
                for numbers in (self._different, self._unknown, self._unpaired)
            )
        )
        if is_disturbed:
            return None
        text = f"those of {call.name}, the call around it: {_words_for_alike(call)}"
        if has_arguments(pair) and pair.values:
            text += f"; {_words_for_changed(pair)}"
        return _Finding("origin", text)

    def _calls_at(self, pair: Pair) -> list[Pair]:
        """Return the calls of a thread that have not ended before a save of it."""
        calls = self._calls.setdefault(_thread_of(pair), [])
        calls[:] = [it for it in calls if self._ends[it.number] > pair.number]
        return calls

    def _earlier(self, pair: Pair) -> Pair | None:
        """Return the first save that is not equal and may be an input, if any is."""
        thread = _thread_of(pair)
        numbers = (
            number
            for other, number in self._unequal.items()
            if other == thread
            or number < self._first[thread]
            or self._last[other] < pair.number
        )
        number = min(numbers, default=None)
        return None if number is None else self._pairs[number - 1]

    def _of_outcome(self, pair: Pair, inputs: Pair) -> _Finding:
        if inputs.verdict == "different" and inputs.values:
            differing = [n for n, d in inputs.values.items() if d.verdict != "close"]
            return _Finding("inherited", f"{', '.join(differing)}: different")
        if inputs.verdict in ("unknown", "unpaired"):
            why = inputs.why or "they could not be compared"
            return _Finding("possibly inherited", f"unknown: {why}")
        if found := self._inside(pair, inputs):
            return found
        if inputs.not_saved:
            text = f"unknown: not saved: {', '.join(inputs.not_saved)}"
            return _Finding("possibly inherited", text)
        text = _words_for_alike(inputs)
        if inputs.random_state:
            text += f"; {_words_for_state(inputs, 'before the call')}"
            return _Finding("possibly inherited", text)
        return _Finding("origin", text)

    def _inside(self, pair: Pair, inputs: Pair) -> _Finding | None:
        """Return what is found within a call with equal arguments, if anything is."""
        if inside := self._within(inputs, self._different):
            if self._began_before(inside, inputs):
                text = f"equal; {inside.name} of a call that ran beside it differs"
                return _Finding("possibly inherited", text)
            text = f"equal; {inside.name} differs within the call"
            return _Finding("inherited", text)
        if inside := self._within(inputs, self._unknown):
            text = f"equal; {inside.name} is unknown within the call"
            return _Finding("possibly inherited", text)
        if inside := self._in_workers(pair, inputs):
            text = f"equal; {inside.name} of a thread within the call is not equal"
            return _Finding("possibly inherited", text)
        return None

    def _within(
        self, inputs: Pair, numbers: Mapping[_Thread, Sequence[int]]
    ) -> Pair | None:
        """Return the first of the pairs that a thread saved since a call began."""
        own = numbers.get(_thread_of(inputs), [])
        first = bisect_right(own, inputs.number)
        return self._pairs[own[first] - 1] if first < len(own) else None

    def _began_before(self, outcome: Pair, call: Pair) -> bool:
        """Tell whether an outcome is of an earlier call, as those of coroutines are."""
        arguments = self._inputs.get(outcome.number)
        return arguments is not None and arguments.number < call.number

    def _in_workers(self, pair: Pair, inputs: Pair) -> Pair | None:
        """Return what is not equal of a thread that saved only during a call."""
        for thread, number in self._unequal.items():
            begins, ends = self._first[thread], self._last[thread]
            if inputs.number < begins and ends < pair.number:
                return self._pairs[number - 1]
        return None


def _thread_of(pair: Pair) -> _Thread:
    return pair.process, pair.thread


def _is_within(pair: Pair, call: Pair) -> bool:
    """Tell whether the tags of a pair begin with those of a call, on both sides."""
    sides = ((pair.baseline, call.baseline), (pair.candidate, call.candidate))
    for saved, arguments in sides:
        if saved is None or arguments is None:
            return False
        tags = tuple(arguments.tags.items())
        if tuple(saved.tags.items())[: len(tags)] != tags:
            return False
    return True


def _words_for_alike(inputs: Pair) -> str:
    texts = [f"{n} {_words_for(d)}" for n, d in inputs.values.items()]
    return ", ".join(texts) or _EQUAL[inputs.by]


def _words_for(found: Difference) -> str:
    if found.verdict == "different":  # by itself, in a pair that is noise
        return "within noise"
    return found.notes[0] if found.notes else "within tolerance"


def _words_for_inputs(pair: Pair) -> str:
    return f"these are the arguments of {pair.name}: what made them was not saved"


def _words_for_state(call: Pair, when: str) -> str:
    return f"random state {when} differs: {', '.join(call.random_state)}"


def _words_for_changed(pair: Pair) -> str:
    names = [name for name, found in pair.values.items() if found.verdict != "close"]
    given = f"{', '.join(names)} was given otherwise"
    return f"{given}, has another default, or was made by what is not saved"


def inputs_of(pairs: Sequence[Pair]) -> dict[int, Pair]:
    """Return the pair with the arguments of each outcome of a call, by its number."""
    arguments: dict[_CallKey, Pair] = {}
    found = {}
    for pair in pairs:
        if not pair.part:
            continue
        tags = tuple(pair.entry.tags.items())
        if has_arguments(pair):
            arguments[pair.process, pair.name, tags] = pair
            continue
        function = pair.name.removesuffix(f".{pair.part}")
        made = arguments.get((pair.process, function, tags))
        if made and _is_same_call(pair.candidate, made.candidate):
            found[pair.number] = made
    return found


def _is_same_call(outcome: Entry | None, arguments: Entry | None) -> bool:
    """Tell whether both are of one call, as far as both are there."""
    if outcome is None or arguments is None:
        return True
    return tuple(outcome.tags.items()) == tuple(arguments.tags.items())
