"""What differs between two loaded values of any kind."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from checkpoints._compare.arrays import (
    array_of,
    compare_arrays,
    compare_pictures,
    compare_sparse,
    is_picture,
)
from checkpoints._compare.difference import Comparer, Difference, Verdict, worse
from checkpoints._compare.frames import table_of
from checkpoints._compare.nested import (
    are_nested,
    compare_fields,
    compare_nested,
    fields_of,
)
from checkpoints._compare.numbers import compare_scalars, is_scalar
from checkpoints._compare.objects import compare_objects, compare_summaries
from checkpoints._compare.state import adds_state, state_of
from checkpoints._compare.tables import compare_tables
from checkpoints._compare.tally import Tally
from checkpoints._compare.text import compare_bytes, compare_texts
from checkpoints._compare.tolerance import EXACT_BY_DTYPE, Tolerance
from checkpoints._kinds.families import families_of, formats_for
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.summary import is_summary
from checkpoints._text import shown, text_of

__all__ = ["compare"]

_DEEPEST = 60
_WITH_MAKINGS = (defaultdict, array, deque)


def compare(
    baseline: object,
    candidate: object,
    tolerance: Tolerance = EXACT_BY_DTYPE,
    *,
    of_column: Callable[[str], Tolerance] | None = None,
    keys: Sequence[str] = (),
    with_grid: bool = False,
) -> Difference:
    """
    Compare two loaded values of any kind.

    It never raises: what cannot be compared is `"unknown"`, with the reason.

    Args:
        baseline: The value that is taken as right.
        candidate: The other one.
        tolerance: How far it may be from the baseline.
        of_column: Returns the tolerance of a column of a table, given its name.
        keys: The columns whose values identify the rows of a table; without them rows
            are compared by position.
        with_grid: Whether to fill in the `grid` of arrays, which takes longer than the
            comparison itself.

    >>> found = compare([1.0, 2.0], [1.0, 2.5])
    >>> found.verdict, found.where, found.texts, found.max_rel
    ('different', '[1]', ('2.0', '2.5'), 0.25)
    """
    comparer = Comparer(
        tolerance=tolerance.in_force(),
        of_column=of_column,
        keys=tuple(keys),
        with_grid=with_grid,
        dispatch=_compared,
    )
    found = comparer.dispatch(comparer, baseline, candidate)
    if not tolerance.is_expired():
        return found
    note = f"the tolerance {tolerance.source or tolerance} expired on {tolerance.until}"
    return replace(found, notes=(note, *found.notes))


def _compared(comparer: Comparer, one: Any, other: Any) -> Difference:
    try:
        kind = _kind_of(one), _kind_of(other)
        found = _by_kind(comparer, one, other)
    except Exception as error:  # noqa: BLE001 - the values' own code may raise anything
        return _unknown(comparer, one, other, error)
    except BaseException as error:
        # A panic of Polars is no Exception, and no reason to end the program.
        if type(error).__name__ != "PanicException":
            raise
        return _unknown(comparer, one, other, error)
    if found.verdict in ("equal", "close") and (adds_state(one) or adds_state(other)):
        found = _with_state(found, one, other, comparer)
    return found if found.kind != ("", "") else replace(found, kind=kind)


def _with_state(
    found: Difference, one: Any, other: Any, comparer: Comparer
) -> Difference:
    """Return the difference of two plain values, with what their classes add."""
    if fields_of(one) is not None or next(families_of(type(one)), None) is not None:
        return found
    state = compare_fields(state_of(one), state_of(other), comparer)
    if state.verdict == "equal":
        return found
    tally = Tally(comparer.tolerance)
    for part in (found, state):
        tally.include(part)
    return tally.result()


def _unknown(
    comparer: Comparer, one: Any, other: Any, error: BaseException
) -> Difference:
    why = f"{type(error).__name__}: {text_of(error)}"
    kind = type(one).__name__, type(other).__name__
    return Difference(
        verdict="unknown", kind=kind, why=why, tolerance=comparer.tolerance
    )


def _kind_of(value: Any) -> str:
    formats = formats_for(type(value))
    return formats[0].kind if formats else type_name(value)


def _by_kind(comparer: Comparer, one: Any, other: Any) -> Difference:
    if comparer.depth > _DEEPEST:
        return compare_objects(one, other, comparer, is_leaf=True)
    if is_summary(one) or is_summary(other):
        return compare_summaries(one, other, comparer)
    for fits, compared in _PLAIN:
        if fits(one) and fits(other):
            return compared(one, other, comparer)
    if are_nested(one, other):
        return _with_makings(compare_nested(one, other, comparer), one, other)
    return _of_libraries(comparer, one, other)


def _of_libraries(comparer: Comparer, one: Any, other: Any) -> Difference:
    tables = table_of(one), table_of(other)
    if tables[0] is not None and tables[1] is not None:
        found = compare_tables(tables[0], tables[1], comparer)
        is_one = tables[0].library == tables[1].library
        return _with_types(found, one, other) if is_one else found
    arrays = array_of(one, other), array_of(other, one)
    if arrays[0] is None or arrays[1] is None:
        return compare_objects(one, other, comparer)
    found = compare_arrays(
        arrays[0][0], arrays[1][0], comparer, (arrays[0][1], arrays[1][1])
    )
    return _with_types(found, one, other)


def _with_types(found: Difference, one: Any, other: Any) -> Difference:
    """Return the difference of two contents, with what their types add to it."""
    kinds = _public_name(one), _public_name(other)
    notes = [] if kinds[0] == kinds[1] else [f"{kinds[0]} against {kinds[1]}"]
    for trait in ("device", "requires_grad"):
        traits = str(getattr(one, trait, "")), str(getattr(other, trait, ""))
        if traits[0] != traits[1] and kinds[0] == kinds[1]:
            notes.append(f"{trait} {traits[0]} against {traits[1]}")
    notes = [note for note in notes if note not in found.notes]
    if not notes or found.verdict == "unknown":
        return found
    level: Verdict = "different" if {"list", "tuple"} & set(kinds) else "close"
    verdict = worse(found.verdict, level)
    return replace(
        found,
        verdict=verdict,
        hopeless=found.hopeless or level == "different",
        notes=(*notes, *found.notes),
    )


def _with_makings(found: Difference, one: Any, other: Any) -> Difference:
    """Return the difference of two containers, with what they make of new items."""
    notes = []
    for trait in ("default_factory", "typecode", "maxlen"):
        both = getattr(one, trait, None), getattr(other, trait, None)
        is_made_alike = both[0] == both[1] or type(one) is not type(other)
        if isinstance(one, _WITH_MAKINGS) and not is_made_alike:
            notes.append(f"{trait} {shown(both[0])} against {shown(both[1])}")
    if not notes:
        return found
    verdict = worse(found.verdict, "different")
    return replace(found, verdict=verdict, hopeless=True, notes=(*notes, *found.notes))


def _public_name(value: Any) -> str:
    """Return the name of a type as people import it, without its private modules."""
    library, dot, _ = _kind_of(value).partition(".")
    is_known = dot and formats_for(type(value))
    return f"{library}.{type(value).__name__}" if is_known else type_name(value)


def _is_text(value: Any) -> bool:
    if type(value) is str:
        return True
    # A text of NumPy is an array, and an enumeration may have texts as values.
    is_plain = not hasattr(value, "dtype") and fields_of(value) is None
    return isinstance(value, str) and is_plain


def _compare_texts(one: Any, other: Any, comparer: Comparer) -> Difference:
    return _with_types(compare_texts(one, other, comparer.tolerance), one, other)


def _compare_bytes(one: Any, other: Any, comparer: Comparer) -> Difference:
    return _with_types(compare_bytes(one, other, comparer.tolerance), one, other)


_PLAIN: tuple[tuple[Callable[[Any], bool], Callable[..., Difference]], ...] = (
    (_is_text, _compare_texts),
    (lambda value: isinstance(value, bytes | bytearray), _compare_bytes),
    (is_scalar, compare_scalars),
    (is_picture, compare_pictures),
    (lambda value: hasattr(value, "tocoo") and hasattr(value, "nnz"), compare_sparse),
)
