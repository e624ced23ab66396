"""The outcome of a call, compared with the saved one or with that of a repetition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkpoints._compare.difference import Difference, Verdict, unlike, worse
from checkpoints._compare.pair import Pair
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.values import compare
from checkpoints._keys.tag_value import tag_text
from checkpoints._kinds.pickled import type_name
from checkpoints._replay.call import AFTER, SavedCall
from checkpoints._replay.execution import Execution
from checkpoints._text import printable, text_of

__all__ = ["Comparison", "error_text"]

_ENDS = {"result", "type", "message"}


class Comparison:
    """
    Compares an execution of a call with its saved outcome, or with another one.

    Args:
        call: The saved call.
        tolerances: How far values may be apart.
        trusted: Whether to load pickles.
    """

    def __init__(
        self, call: SavedCall, tolerances: Tolerances, *, trusted: bool
    ) -> None:
        self._call, self._tolerances, self._trusted = call, tolerances, trusted
        self._name = f"{call.name}.{call.how_it_ended or 'result'}"
        texts = tuple((tag, tag_text(value)) for tag, value in call.tags)
        self._key = (self._name, texts)

    def of(self, execution: Execution, first: Execution | None) -> Pair:
        """Return what differs from the first execution, or else from what was saved."""
        if first is not None:
            return self._repeat(first, execution)
        return self._with_the_saved(execution)

    def _with_the_saved(self, execution: Execution) -> Pair:
        """Return what differs from the saved outcome."""
        pair = self._pair()
        expected = self._call.expected(trusted=self._trusted)
        self._compare(pair, expected, execution)
        worst = pair.worst
        if pair.verdict == "unknown" and worst is not None:
            pair.why = worst[1].why
        not_saved = self._not_saved(expected)
        if not_saved and pair.verdict != "different":
            pair.verdict, pair.why = "unknown", not_saved
        return pair

    def _not_saved(self, expected: Mapping[str, Any]) -> str:
        """Return in words what of the outcome was not saved; empty if all was."""
        lost = self._call.lost
        if not {"result", "type"} & (expected.keys() | lost.keys()):
            return "its outcome was not saved"
        parts = (f"{name} ({reason})" for name, reason in lost.items())
        return printable(f"not saved: {', '.join(parts)}") if lost else ""

    def _repeat(self, execution: Execution, other: Execution) -> Pair:
        """Return what differs between two executions."""
        pair = self._pair()
        self._compare(pair, self._values_of(execution), other)
        return pair

    def _pair(self) -> Pair:
        meta = self._call.meta
        process = str(meta.get("run")), str(meta.get("host")), int(meta.get("pid", 0))
        return Pair(
            number=1,
            key=self._key,
            baseline=self._call.outcome or self._call.entry,
            candidate=None,
            process=process,
            how="key",
            by="values",
        )

    def _compare(
        self, pair: Pair, expected: Mapping[str, Any], execution: Execution
    ) -> None:
        found = self._values_of(execution)
        if _ENDS & (expected.keys() - found.keys()):
            pair.verdict = "different"
            pair.values = {"result": _of_another_kind(expected, execution)}
            return
        verdict: Verdict = "equal"
        # An argument that is left out has nothing to be compared with.
        for name in filter(found.__contains__, expected):
            part = self._difference(name, expected[name], found[name])
            if part.verdict != "equal" or part.bits:
                pair.values[name] = part
            verdict = worse(verdict, part.verdict)
        pair.verdict = verdict

    def _values_of(self, execution: Execution) -> dict[str, Any]:
        """Return what became of a call, as a probe saves it, and what it yielded."""
        error, given = execution.error, execution.given
        found: dict[str, Any] = (
            {"result": execution.result}
            if error is None
            else {"type": type_name(error), "message": text_of(error)}
        )
        if execution.items is not None:
            found["items"] = execution.items
        kept = [name for name in self._call.kept_after if name in given]
        return found | {f"{name}{AFTER}": given[name] for name in kept}

    def _difference(self, name: str, one: Any, other: Any) -> Difference:
        allowed = self._tolerances
        key, pairs = self._key
        return compare(
            one,
            other,
            allowed.for_(key, pairs, name),
            of_column=lambda column: allowed.for_(key, pairs, name, column),
        )


def _of_another_kind(expected: Mapping[str, Any], execution: Execution) -> Difference:
    then = "returned" if "result" in expected else f"raised {expected.get('type')}"
    error = execution.error
    now = "returns" if error is None else f"raises {error_text(error)}"
    return unlike(f"it {then} in the run, and {now} now")


def error_text(error: BaseException) -> str:
    """Return type and message of an error."""
    return f"{type_name(error)}: {text_of(error)}"
