"""What becomes of a value that is saved in one way and loaded."""

from __future__ import annotations

import re
import tomllib
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import checkpoints
from tests.corpora.strict import difference
from tests.corpora.ways import WAYS, Loaded, NotTriedError, Place, copy_of

__all__ = ["BAD", "GROUPS", "OUTCOMES", "Case", "Report", "outcome"]

# Refused: an error of the library at the save. Lost: saved without an error, and not
# loaded; or another error than those of the library.
OUTCOMES = (
    "tried",
    "exact",
    "pickled",
    "refused",
    "known",
    "untold",
    "changed",
    "lost",
)
BAD = ("untold", "changed", "lost")
# What is counted together: a value by the worst that became of it in one of the ways.
GROUPS = {
    **dict.fromkeys(WAYS, "all ways"),
    "parquet": "Parquet",
    "fresh": "fresh process",
}
# Paths, and the names of values, which are different each time.
_NUMBERED = re.compile(r"/\S*/value\.ckpt\.\w+:? ?|value 'x\d+'|checkpoint '\S*',? ?")
_VARIABLE = re.compile(r"\d+|\[.*?\]|dtype\(.*?\)")
_KNOWN = Path(__file__).with_name("known.toml")


class Case(NamedTuple):
    """A value whose trip did not end as it should, or ended in a pickle."""

    outcome: str
    type: str
    dtype: str
    value: str
    reason: str

    @classmethod
    def of(cls, outcome: str, value: Any, reason: str) -> Case:
        """Describe a value."""
        if outcome == "exact":
            return cls(outcome, "", "", "", "")
        kind = type(value)
        dtype = getattr(value, "dtype", getattr(value, "dtypes", ""))
        try:
            text = " ".join(repr(value).split())
        except Exception as error:
            text = f"no text: {error!r}"
        name = f"{kind.__module__}.{kind.__qualname__}"
        described = " ".join(str(dtype).split())
        return cls(outcome, name, described[:80], text[:160], reason[:300])


class Report:
    """
    Counts the outcomes of the ways of one library, and keeps examples.

    Args:
        library: Its name.
        examples: How many examples of each sort to keep.
    """

    def __init__(self, library: str, examples: int) -> None:
        self.library = library
        self.counts: dict[str, Counter[str]] = {way: Counter() for way in GROUPS}
        self.totals: dict[str, Counter[str]] = {
            group: Counter() for group in dict.fromkeys(GROUPS.values())
        }
        self.cases: dict[str, list[str]] = {}
        self._examples = examples
        self._of_sort: Counter[str] = Counter()
        self._known = tomllib.loads(_KNOWN.read_text(encoding="utf-8")).get("known", [])

    def add(self, cases: dict[str, Case]) -> str:
        """Count what became of one value, by way; return the worst outcome."""
        worst: dict[str, str] = {}
        for way, found in cases.items():
            case = found
            if case.outcome in BAD and self._is_known(case):
                case = case._replace(outcome="known")
            self.counts[way].update(["tried", case.outcome])
            if case.outcome != "exact":
                self._keep(way, case)
            before = worst.get(GROUPS[way], "exact")
            worst[GROUPS[way]] = max(before, case.outcome, key=OUTCOMES.index)
        for group, worst_outcome in worst.items():
            self.totals[group].update(["tried", worst_outcome])
        return max(worst.values(), key=OUTCOMES.index)

    def _keep(self, way: str, case: Case) -> None:
        line = (
            f"{case.outcome}: {case.type} {case.dtype} | {case.value} | {case.reason}"
        )
        sort = _VARIABLE.sub("", f"{case.outcome} {case.type} {case.reason:.80}")
        if line in self.cases:
            if way not in self.cases[line]:
                self.cases[line].append(way)
        elif self._of_sort[sort] < self._examples:
            self._of_sort[sort] += 1
            self.cases[line] = [way]

    def _is_known(self, case: Case) -> bool:
        return any(
            known["outcome"] == case.outcome
            and case.type.startswith(known["type"])
            and known["match"] in f"{case.value} | {case.reason}"
            for known in self._known
        )


def outcome(way: str, place: Place, value: Any) -> Case | None:
    """Save and load a value in a way; None if that way is not for such a value."""
    if way == "parquet" and type(value).__name__ not in ("DataFrame", "Table"):
        return None
    place.log.records.clear()
    # The tests of a library leave filters behind.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = WAYS[way](place, value)
        except NotTriedError:
            return None
        except checkpoints.CheckpointError as error:
            reason = _NUMBERED.sub("", f"{type(error).__name__}: {error}")
            return Case.of(_of_error(error), value, reason)
        except Exception as error:
            return Case.of("lost", value, f"{type(error).__name__}: {error}")
        return _compared(value, found, place.log.texts())


def _of_error(error: checkpoints.CheckpointError) -> str:
    # What is said at the load comes too late.
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_name == "load":
            return "lost"
        frame = frame.tb_next
    return "refused"


def _compared(value: Any, found: Loaded, told: list[str]) -> Case:
    try:
        changed = difference(_documented(value), found.value)
    except Exception as error:
        changed = f"cannot be compared: {error!r}"
    told = [text for text in told if "pickle" in text]
    if not found.is_pickled:
        return Case.of("changed" if changed else "exact", value, changed)
    if not told:
        return Case.of("untold", value, changed or "a pickle")
    if changed and not _is_changed_by_pickle(value, changed):
        return Case.of("changed", value, f"{changed} (as a pickle)")
    return Case.of("pickled", value, _NUMBERED.sub("", told[0]))


def _documented(value: Any) -> Any:
    """Return what is to come back of a value."""
    if type(value).__name__ == "memmap":
        return value.__array__()  # the page on kinds says so
    return value


def _is_changed_by_pickle(value: Any, changed: str) -> bool:
    """Tell whether a plain pickle of the value does not come back the same either."""
    try:
        copy_of(value)
    except NotTriedError as error:
        return not isinstance(error.__cause__, Exception) or "compared" in changed
    return False
