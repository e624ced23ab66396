"""Objects of any class: by their parts, their fields, or their own `==`."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from checkpoints._compare.difference import Comparer, Difference, unlike
from checkpoints._compare.dtypes import dtype_name
from checkpoints._compare.excerpts import excerpts
from checkpoints._compare.identity import are_one_class, has_no_equality
from checkpoints._compare.nested import compare_fields, compare_nested
from checkpoints._compare.numbers import DTYPES
from checkpoints._compare.state import pickled_state_of, state_of
from checkpoints._compare.tolerance import Tolerance
from checkpoints._kinds.families import families_of, formats_for
from checkpoints._kinds.kind import Compound
from checkpoints._kinds.pickled import class_name, type_name
from checkpoints._kinds.same import same
from checkpoints._kinds.summary import is_summary, summaries_of
from checkpoints._text import text_of

__all__ = ["compare_objects", "compare_summaries"]

# They describe the saved value, not what it holds.
_NOT_STATISTICS = {"hash", "bytes", "why"}
# Hashes of what no tolerance is about, and the kinds that have labels.
_EXACT_PARTS = ("labels", "not_finite")
_LABELLED = ("pandas.DataFrame", "pandas.Series", "xarray.")
# What has statistics of its own.
_INNER = ("columns", "items")
# What these dtypes begin with is measured; texts and booleans are equal or not.
_MEASURED = (
    *("float", "bfloat", "int", "uint", "complex", "longdouble", "clongdouble"),
    *("decimal", "date", "duration"),
)


def compare_objects(
    one: Any, other: Any, comparer: Comparer, *, is_leaf: bool = False
) -> Difference:
    """
    Compare two objects.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What compares the values in them.
        is_leaf: Whether to leave these alone, because they are nested too deep.
    """
    if one is other:
        return Difference(verdict="equal", cells=1)
    if not are_one_class(type(one), type(other)):
        types = f"{type_name(one)} against {type_name(other)}"
        return unlike(types, texts=excerpts(one, other))
    if isinstance(one, type):
        return _of_classes(one, other)
    if is_leaf:
        return _of_leaf(one, other)
    return _by_content(one, other, comparer)


def _of_classes(one: type, other: type) -> Difference:
    if are_one_class(one, other):
        return _unknown(one, f"{class_name(one)} was made by its pickle on each side")
    return unlike(texts=excerpts(one, other))


def _of_leaf(one: Any, other: Any) -> Difference:
    """Compare two objects as they are, because they are nested too deep."""
    if _equals_no_copy(one, other):
        return _unknown(one, "is nested too deep to compare what it holds")
    note = "nested too deep to say where it differs"
    found = _by_equality(one, other)
    return found if found.verdict != "different" else replace(found, notes=(note,))


def _equals_no_copy(one: Any, other: Any) -> bool:
    # The == of a class that was made twice mostly asks for objects of its own.
    return has_no_equality(type(one)) or type(one) is not type(other)


def _by_content(one: Any, other: Any, comparer: Comparer) -> Difference:
    """Compare objects of one class."""
    if type(one).__name__ == "Pickled" and hasattr(one, "digest"):
        return _by_digest(one, other)
    first, second = _parts_of(one), _parts_of(other)
    if first is not None and second is not None:
        return compare_nested(first, second, comparer)
    is_known = any(family.same is not None for family in families_of(type(one)))
    if is_known and type(one) is type(other):
        if same(one, other):
            return Difference(verdict="equal", cells=1)
        if formats_for(type(one)):
            return unlike(texts=excerpts(one, other))
        # Of a class that its library's family does not know, it knows no equality.
    found = _by_fields(one, other, comparer)
    return _by_pickles(one, other, comparer) or found if _is_equal(found) else found


def _is_equal(found: Difference) -> bool:
    return found.verdict == "equal"


def _by_pickles(one: Any, other: Any, comparer: Comparer) -> Difference | None:
    """Compare what pickles of two equal objects hold; None if it is the same."""
    try:
        if pickle.dumps(one, 5) == pickle.dumps(other, 5):
            return None
    except Exception:  # noqa: BLE001 - then nothing else speaks against its ==
        return None
    states = pickled_state_of(one), pickled_state_of(other)
    if not states[0] or not states[1]:
        return _unknown(one, "== says equal, but their pickles differ")
    found = compare_fields(states[0], states[1], comparer)
    return None if _is_equal(found) else found


def _by_digest(one: Any, other: Any) -> Difference:
    """Compare pickles that were not loaded by their bytes."""
    if one.type != other.type:
        return unlike("of another type", texts=(one.type, other.type))
    if one.digest and one.digest == other.digest:
        return Difference(verdict="equal", cells=1, notes=("equal bytes of a pickle",))
    why = (
        "a pickle: --trusted (trusted=True) loads it; the bytes of both "
        f"{one.type} differ, and those of equal objects may"
    )
    return Difference(verdict="unknown", cells=1, why=why)


def _parts_of(value: Any) -> dict[str, Any] | None:
    kind = next(iter(formats_for(type(value))), None)
    if not isinstance(kind, Compound):
        return None
    try:
        return kind.take_apart(value)
    except Exception:  # noqa: BLE001 - then it was not saved by parts either
        return None


def _by_fields(one: Any, other: Any, comparer: Comparer) -> Difference:
    """Compare objects by their fields; their own `==` decides what equality is."""
    by_identity = _equals_no_copy(one, other)
    fields = state_of(one), state_of(other)
    if not fields[0] and not fields[1] and by_identity:
        fields = pickled_state_of(one), pickled_state_of(other)
        if fields[0] and fields[1]:
            return compare_fields(fields[0], fields[1], comparer)
    if not fields[0] and not fields[1]:
        return (
            _unknown(one, "has no fields and no ==")
            if by_identity
            else _by_equality(one, other)
        )
    found = compare_fields(fields[0], fields[1], comparer)
    if by_identity:
        return found
    equality = _by_equality(one, other)
    if equality.verdict == "equal":
        verdict = "equal" if found.verdict == "equal" else "close"
        notes = ("equal by its own ==",) if verdict == "close" else ()
        return replace(found, verdict=verdict, notes=(*notes, *found.notes))  # type: ignore[arg-type]
    return found if found.verdict != "equal" else equality


def _by_equality(one: Any, other: Any) -> Difference:
    try:
        result: Any = one == other
    except Exception as error:  # noqa: BLE001 - an object's own code may raise anything
        return _unknown(one, f"its == raises {type(error).__name__}: {text_of(error)}")
    if result is NotImplemented or not isinstance(result, bool):
        return _unknown(one, f"its == returns {type_name(result)}, not a bool")
    if result:
        return Difference(verdict="equal", cells=1)
    return unlike(texts=excerpts(one, other))


def _unknown(value: Any, why: str) -> Difference:
    return Difference(
        verdict="unknown", cells=1, why=f"an object of {type_name(value)}: {why}"
    )


def compare_summaries(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two summaries, or a summary with a value, which is summarised too.

    The same hash means the same content. Otherwise the statistics are compared, and
    where they are within the tolerance the values are close as far as is known, if
    they have numbers that may differ; what is exact differs if its hash does.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed.
    """
    notes = []
    if not (is_summary(one) and is_summary(other)):
        side = "baseline" if is_summary(one) else "candidate"
        notes.append(f"summary in the {side} only")
    summaries = [
        value if is_summary(value) else summaries_of({"value": value})["value"]
        for value in (one, other)
    ]
    kinds = summaries[0]["kind"], summaries[1]["kind"]
    hashes = [summary.get("hash") for summary in summaries]
    if hashes[0] is not None and hashes[0] == hashes[1]:
        # A summary and a value are never the same saved value.
        verdict = "close" if notes else "equal"
        notes.append("equal by the hash of a summary")
        return Difference(verdict=verdict, kind=kinds, notes=tuple(notes))  # type: ignore[arg-type]
    statistics = _statistics(summaries[0]), _statistics(summaries[1])
    lacking = _lacking(*statistics)
    found = compare_nested(*statistics, comparer)
    notes.append("only summaries were saved: statistics were compared, not cells")
    found = replace(found, kind=kinds, notes=(*notes, *found.notes))
    if found.verdict not in ("equal", "close"):
        return found
    if None in hashes:
        return replace(
            found, verdict="unknown", why="the statistics agree, but there is no hash"
        )
    # The hashes differ, so some bit does.
    found = replace(found, bits=max(1, found.bits))
    if all(_may_be_close(summary, comparer.tolerance) for summary in summaries):
        why = f"the statistics agree, but not the hashes; they do not tell {lacking}"
        known = {"verdict": "unknown", "why": why} if lacking else {"verdict": "close"}
        return replace(found, **known)  # type: ignore[arg-type]
    return replace(
        found,
        verdict="different",
        beyond=max(1, found.beyond),
        excess=math.inf,
        hopeless=True,
        notes=("the hashes differ", *found.notes),
    )


def _may_be_close(summary: Mapping[str, Any], tolerance: Tolerance) -> bool:
    """Tell whether a summarised value has numbers for which something is allowed."""
    if tolerance.share:
        return True
    dtypes = [DTYPES.get(type(summary.get(key)), "") for key in ("value", "min", "max")]
    dtypes.append(dtype_name(str(summary.get("dtype", ""))))
    measured = [dtype for dtype in dtypes if dtype.startswith(_MEASURED)]
    if any(any(tolerance.bounds(dtype)[:4]) for dtype in measured):
        return True
    inner = [summary.get(key) for key in _INNER]
    parts = [it for items in inner for it in _listed(items)]
    return any(isinstance(it, dict) and _may_be_close(it, tolerance) for it in parts)


def _lacking(one: dict[str, Any], other: dict[str, Any]) -> str:
    """
    Return what statistics do not tell, though no tolerance is about it.

    What only one of them tells, as another version wrote it, is taken out of both.
    """
    for key in _EXACT_PARTS:
        if (key in one) != (key in other):
            one.pop(key, None)
            other.pop(key, None)
    if one.get("missing") and other.get("missing"):
        return "which cells are missing"
    is_odd = any(one.get(key) and other.get(key) for key in ("nan", "inf"))
    if is_odd and "not_finite" not in one:
        return "where NaN and infinities are"
    if "labels" not in one and str(one.get("kind")).startswith(_LABELLED):
        return "labels and attributes"
    inner = [[_listed(it.get(key)) for key in _INNER] for it in (one, other)]
    pairs = (
        pair
        for both in zip(*inner, strict=True)
        for pair in zip(*both, strict=False)
        if all(isinstance(it, dict) for it in pair)
    )
    return next(filter(None, (_lacking(*pair) for pair in pairs)), "")


def _listed(items: Any) -> list[Any]:
    if isinstance(items, dict):
        return list(items.values())
    return items if isinstance(items, list) else []


def _statistics(summary: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: item for key, item in summary.items() if key not in _NOT_STATISTICS}
    # Copied, as what only one side tells is taken out.
    return copy.deepcopy(found)
