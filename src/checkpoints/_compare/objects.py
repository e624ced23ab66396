"""Objects of any class: by their parts, their fields, or their own `==`."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from checkpoints._compare.difference import Comparer, Difference, unlike
from checkpoints._compare.dtypes import dtype_name
from checkpoints._compare.excerpts import excerpts
from checkpoints._compare.identity import has_no_equality
from checkpoints._compare.nested import compare_fields, compare_nested, is_summary
from checkpoints._compare.numbers import DTYPES
from checkpoints._compare.tolerance import Tolerance
from checkpoints._kinds.families import families_of, formats_for
from checkpoints._kinds.kind import Compound
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.same import same
from checkpoints._kinds.summary import summaries_of
from checkpoints._text import text_of

__all__ = ["compare_objects", "compare_summaries"]

# Functions of the module `copyreg`, for objects of which there is no more to tell.
_MAKE_ANY_OBJECT = ("__newobj__", "_reconstructor")
# A function and its arguments; the state may follow.
_PARTS_OF_A_PICKLE = 2
# They describe the saved value, not what it holds.
_NOT_STATISTICS = {"hash", "bytes", "why"}
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
    if type(one) is not type(other):
        types = f"{type_name(one)} against {type_name(other)}"
        return unlike(types, texts=excerpts(one, other))
    if isinstance(one, type):
        return unlike(texts=excerpts(one, other))
    if is_leaf:
        return _of_leaf(one, other)
    if type(one).__name__ == "Pickled" and hasattr(one, "digest"):
        return _by_digest(one, other)
    return _by_content(one, other, comparer)


def _of_leaf(one: Any, other: Any) -> Difference:
    """Compare two objects as they are, because they are nested too deep."""
    if has_no_equality(type(one)):
        return _unknown(one, "is nested too deep to compare what it holds")
    note = "nested too deep to say where it differs"
    found = _by_equality(one, other)
    return found if found.verdict != "different" else replace(found, notes=(note,))


def _by_content(one: Any, other: Any, comparer: Comparer) -> Difference:
    """Compare objects of one class."""
    first, second = _parts_of(one), _parts_of(other)
    if first is not None and second is not None:
        return compare_nested(first, second, comparer)
    if any(family.same is not None for family in families_of(type(one))):
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
    states = _pickled_state_of(one), _pickled_state_of(other)
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
    by_identity = has_no_equality(type(one))
    fields = _state_of(one), _state_of(other)
    if not fields[0] and not fields[1] and by_identity:
        fields = _pickled_state_of(one), _pickled_state_of(other)
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


def _state_of(value: Any) -> dict[str, Any]:
    fields = dict(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                fields[name] = getattr(value, name)
    return fields


def _pickled_state_of(value: Any) -> dict[str, Any]:
    """Return what a class in C, whose fields are hidden, gives to a pickle."""
    try:
        reduced = value.__reduce_ex__(2)
    except Exception:  # noqa: BLE001 - an object's own code may raise anything
        return {}
    if not isinstance(reduced, tuple) or len(reduced) < _PARTS_OF_A_PICKLE:
        return {}
    made_by, arguments, *state = reduced
    is_plain = getattr(made_by, "__name__", "") in _MAKE_ANY_OBJECT
    if is_plain and not any(part is not None for part in state):
        return {}
    return {"arguments": arguments, "state": state[0] if state else None}


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
    found = compare_nested(
        _statistics(summaries[0]), _statistics(summaries[1]), comparer
    )
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
        return replace(found, verdict="close")
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
    inner = [summary.get(key) for key in ("columns", "items")]
    parts = [it for items in inner for it in _listed(items)]
    return any(isinstance(it, dict) and _may_be_close(it, tolerance) for it in parts)


def _listed(items: Any) -> list[Any]:
    if isinstance(items, dict):
        return list(items.values())
    return items if isinstance(items, list) else []


def _statistics(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in summary.items() if key not in _NOT_STATISTICS}
