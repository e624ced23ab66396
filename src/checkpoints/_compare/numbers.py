"""Numbers, times and None: the values of Python that are single cells."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from checkpoints._compare.difference import Comparer, Difference
from checkpoints._compare.distance import ulps_of
from checkpoints._compare.dtypes import compare_dtypes
from checkpoints._compare.tally import Found, Place, Tally, Where
from checkpoints._compare.vectors import ArrayVector, compare_vectors
from checkpoints._kinds.pickled import type_name
from checkpoints._process.libraries import imported
from checkpoints._text import shown

__all__ = [
    "DTYPES",
    "compare_list",
    "compare_plain",
    "compare_scalars",
    "has_same_bits",
    "is_number",
    "is_scalar",
    "size_of",
]

_NUMBERS = (int, float, complex, decimal.Decimal, fractions.Fraction)
_TIMES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta)
DTYPES = {float: "float64", complex: "complex128", int: "int64", bool: "bool"}
_EXACT = (int, decimal.Decimal, fractions.Fraction)
_Number: TypeAlias = Any
_Here: TypeAlias = Callable[[], Place]
_FORMS = {float: "d", int: "q"}
# Shorter lists are compared before NumPy would have begun.
_MANY = 64
_SECOND = datetime.timedelta(seconds=1)
# A fraction of a decimal with more zeros would take too much memory.
_MOST_ZEROS = 5000
# Longer integers have no text, and are no floats.
_MOST_BITS = 1024


def is_scalar(value: Any) -> bool:
    """Tell whether a value is a single plain one, and not one of NumPy."""
    is_plain = value is None or isinstance(value, (*_NUMBERS, *_TIMES))
    return is_plain and not hasattr(value, "dtype")


def has_same_bits(one: _Number, other: _Number) -> bool:
    """
    Tell whether two numbers of one type are the same to the bit; NaN equals NaN.

    >>> has_same_bits(0.0, -0.0), has_same_bits(float("nan"), float("nan"))
    (False, True)
    """
    if isinstance(one, float):
        same_sign = math.copysign(1, one) == math.copysign(1, other)
        return (one == other and same_sign) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, complex):
        return has_same_bits(one.real, other.real) and has_same_bits(
            one.imag, other.imag
        )
    if isinstance(one, decimal.Decimal):
        return bool(one.as_tuple() == other.as_tuple())
    return bool(one == other)


def compare_numbers(one: _Number, other: _Number, tally: Tally, where: _Here) -> None:
    """
    Compare two numbers.

    Args:
        one: An int, float, complex, decimal or fraction.
        other: Another one.
        tally: Where the result goes.
        where: Returns their place.
    """
    bounds = tally.tolerance.bounds(_dtype_of(one, other))
    if bounds.of_largest:
        largest = size_of(one) if tally.largest is None else tally.largest
        bounds = bounds.scaled(largest)
    cell = Found(where, (one, other), bounds=bounds)
    nan = _is_nan(one), _is_nan(other)
    if all(nan):
        if not bounds.nan_equal:
            tally.note_cells("NaN on both sides", 1)
            tally.differ(cell)
            return
        if not isinstance(one, complex) and not isinstance(other, complex):
            return
        one, other = _without_shared_nan(complex(one), complex(other))
        nan = _is_nan(one), _is_nan(other)
    if type(one) is type(other) and has_same_bits(one, other):
        return
    if any(nan) or ((_is_infinite(one) or _is_infinite(other)) and one != other):
        if any(nan):
            side = "baseline" if nan[0] else "candidate"
            tally.note_cells(f"NaN in the {side} only", 1)
        tally.differ(cell)
        return
    _measure(one, other, cell, tally)


def _measure(one: _Number, other: _Number, cell: Found, tally: Tally) -> None:
    """Measure how far the numbers of a cell are apart."""
    bounds = cell.bounds
    distance = 0 if one == other else _distance(one, other)
    size = size_of(one)
    limit = bounds.atol + (bounds.rtol * size if bounds.rtol else 0.0)
    steps = None
    if type(one) is type(other) is float:
        steps = ulps_of(one, other)
    # What is too far for a float is beyond each limit.
    is_far = distance > limit or distance == math.inf
    beyond = is_far and not (bounds.ulp and (steps or math.inf) <= bounds.ulp)
    is_bit = distance or type(one) is type(other)
    is_measured = distance != math.inf
    tally.count(int(bool(is_bit)), int(beyond), is_measured=is_measured)
    if not is_bit:
        return
    if not distance and not one:
        tally.note_cells("-0.0 against 0.0", 1)
    tally.saw(distance, _quotient(distance, size) if size else None)
    if beyond:
        off = _float(distance)
        rtol = _quotient(off - bounds.atol, size) if size else math.inf
        tally.needs(rtol * (1 + 1e-15), off - bounds.rtol * size)
    excess = (_quotient(distance, limit) if limit else math.inf) if distance else 0.0
    cell = cell._replace(excess=excess, distance=distance, ulp=steps or None)
    tally.sample(cell, beyond=beyond)
    tally.found(cell)


def _distance(one: _Number, other: _Number) -> float:
    """Return |other - one|, exactly for integers."""
    if type(one) in (int, bool) and type(other) in (int, bool):
        whole = abs(int(other) - int(one))
        return whole if whole.bit_length() < _MOST_BITS else math.inf
    are_exact = [isinstance(value, _EXACT) for value in (one, other)]
    is_real = not isinstance(one, complex) and not isinstance(other, complex)
    try:
        if is_real and any(are_exact) and all(map(_is_moderate, (one, other))):
            exact: list[Any] = [one, other]
            first, second = map(fractions.Fraction, exact)
            return float(abs(second - first))
        if any(are_exact):
            one, other = _float(one), _float(other)
        found = float(abs(other - one))
    except ArithmeticError:
        return math.inf
    return math.inf if math.isnan(found) else found


def _is_moderate(value: _Number) -> bool:
    """Tell whether a number has few enough zeros to become a fraction."""
    if not isinstance(value, decimal.Decimal):
        return True
    exponent = value.as_tuple().exponent
    is_short = isinstance(exponent, int) and exponent > -_MOST_ZEROS
    return is_short and value.adjusted() < _MOST_ZEROS


def _float(value: _Number) -> Any:
    if isinstance(value, complex):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_number(value: Any) -> bool:
    """Tell whether a value is a plain number, which is what `max` counts."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def size_of(value: _Number) -> float:
    """Return the absolute value of a number, 0 of NaN."""
    try:
        size = float(abs(value))
    except (ArithmeticError, ValueError):
        return math.inf
    return 0.0 if math.isnan(size) else size


def _quotient(one: float, other: float) -> float:
    try:
        found = float(one / other) if other else math.inf
    except OverflowError:
        return math.inf
    return math.inf if math.isnan(found) else found


def _dtype_of(one: _Number, other: _Number) -> str:
    names = [DTYPES.get(type(value), "") for value in (one, other)]
    for name in ("complex128", "float64"):
        if name in names:
            return name
    return names[0]


def _is_nan(value: _Number) -> bool:
    try:
        return bool(value != value)  # noqa: PLR0124 - only NaN differs
    except decimal.InvalidOperation:  # a signaling NaN
        return True


def _without_shared_nan(one: complex, other: complex) -> tuple[complex, complex]:
    """Return two numbers with 0 for the parts that are NaN in both."""
    real, imag = (
        (0.0, 0.0) if first != first and second != second else (first, second)  # noqa: PLR0124 - only NaN differs
        for first, second in ((one.real, other.real), (one.imag, other.imag))
    )
    return complex(real[0], imag[0]), complex(real[1], imag[1])


def _is_infinite(value: _Number) -> bool:
    if isinstance(value, complex):
        return math.isinf(value.real) or math.isinf(value.imag)
    return isinstance(value, float | decimal.Decimal) and value in (
        type(value)("inf"),
        type(value)("-inf"),
    )


def compare_times(one: Any, other: Any, tally: Tally, where: _Here) -> None:
    """Compare two dates, times or durations of one type."""
    if one != one and other != other:  # noqa: PLR0124 - only NaT does
        return
    is_folded = getattr(one, "fold", 0) != getattr(other, "fold", 0)
    if one == other and not is_folded:
        return
    try:
        # In one zone, Python subtracts and compares what the clock shows.
        offsets = (_offset_of(one), _offset_of(other)) if is_folded else (None, None)
        if one == other and None not in offsets and offsets[0] == offsets[1]:
            return
        if None not in offsets and isinstance(one, datetime.datetime):
            one, other = (it.astimezone(datetime.UTC) for it in (one, other))
        elif one == other:
            # Which of the two it is depends on a zone that is not known.
            tally.differ(Found(where, (str(one), str(other))))
            return
        between = abs(other - one)
    except (OverflowError, TypeError):  # times of a day, or only one has a zone
        tally.differ(Found(where, (str(one), str(other))))
        return
    seconds = between / _SECOND
    bounds = tally.tolerance.bounds("datetime")
    beyond = seconds > bounds.atol
    tally.count(1, int(beyond))
    tally.saw(seconds, None)
    tally.needs(math.inf, seconds)
    excess = seconds / bounds.atol if bounds.atol else math.inf
    cell = Found(where, (one, other), excess, seconds, None, bounds)
    tally.sample(cell, beyond=beyond)
    tally.found(cell)


def _offset_of(time: Any) -> datetime.timedelta | None:
    """Return how far a time is from UTC, None if that is not known."""
    return time.utcoffset() if time == time else None  # noqa: PLR0124 - only NaT differs


def compare_list(
    one: Sequence[Any], other: Sequence[Any], tally: Tally, where: Where
) -> None:
    """
    Compare two lists of one length, of numbers of one type.

    Args:
        one: The numbers.
        other: The other ones.
        tally: Where the result goes.
        where: Returns a place.
    """
    arrays = _arrays_of(one, other) if len(one) > _MANY else None
    if arrays is not None:
        vectors = ArrayVector(arrays[0]), ArrayVector(arrays[1])
        compare_vectors(*vectors, tally, where, _no_others)
        return
    tally.cells += len(one)
    for place, (value, found) in enumerate(zip(one, other, strict=True)):
        # Zero may have another sign.
        if value != found or not value:
            compare_numbers(value, found, tally, lambda place=place: where(place))  # type: ignore[misc]


def _no_others(*_: Any) -> None:
    raise TypeError("a list of numbers became something else")


def _arrays_of(one: Sequence[Any], other: Sequence[Any]) -> tuple[Any, Any] | None:
    """Return lists as arrays, if NumPy is there and has a dtype for their numbers."""
    form = _FORMS.get(type(one[0]))
    if form is None or "numpy" not in sys.modules:
        return None
    numpy = imported("numpy")
    try:
        return numpy.array(one, form), numpy.array(other, form)
    except (OverflowError, struct.error):
        return None


def compare_scalars(one: Any, other: Any, comparer: Comparer) -> Difference:
    """Compare two numbers, times or None."""
    tally = Tally(comparer.tolerance)
    tally.cells = 1
    compare_plain(one, other, tally, Place)
    return tally.result()


def compare_plain(one: Any, other: Any, tally: Tally, where: _Here) -> None:
    """
    Compare two numbers, times or None, which the caller counts as a cell.

    Args:
        one: The baseline.
        other: The candidate.
        tally: Where the result goes.
        where: Returns their place.
    """
    if type(one) is type(other) is bool:
        tally.dtype = _dtype(one), _dtype(other)
        if one != other:
            # As in arrays, no distance is between them.
            tally.differ(Found(where, (one, other)))
    elif isinstance(one, _NUMBERS) and isinstance(other, _NUMBERS):
        tally.dtype = _dtype(one), _dtype(other)
        if type(one) is not type(other):
            named = [(name, name) for name in tally.dtype]
            compare_dtypes(named[0], named[1], tally)
        compare_numbers(one, other, tally, where)
    elif type(one) is type(other) and isinstance(one, _TIMES):
        compare_times(one, other, tally, where)
        if one == other and repr(one) != repr(other):
            tally.note(f"{shown(one)} against {shown(other)}", "close")
        # What pandas adds to a time, its text does not show.
        units = getattr(one, "unit", ""), getattr(other, "unit", "")
        if units[0] != units[1]:
            tally.note(f"unit {units[0]} against {units[1]}", "close")
    elif type(one) is not type(other) or one != other:
        tally.differ(Found(where, (one, other)))


def _dtype(value: Any) -> str:
    return DTYPES.get(type(value), type_name(value))
