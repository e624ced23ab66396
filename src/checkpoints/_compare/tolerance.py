"""How far two values may be apart."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = ["EXACT_BY_DTYPE", "FORMULA", "Bounds", "Tolerance"]

FORMULA = "|c-b| <= atol + rtol*|b|"

# As in `torch.testing.assert_close`; all others are exact.
_BY_DTYPE = {
    "float64": (1e-7, 1e-7),
    "float32": (1.3e-6, 1e-5),
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "complex128": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
}
# These have more digits than the widest that has a row of its own.
_WIDER = {"longdouble": "float64", "clongdouble": "complex128"}
_WORDS = {
    "nan": ("equal", "differ"),
    "dtype": ("same", "any"),
    "order": ("same", "any"),
}
_OF_LARGEST = re.compile(r"\s*([0-9.eE+-]+)\s*\*\s*max\s*")


class Bounds(NamedTuple):
    """
    What applies to the cells of one dtype.

    Args:
        rtol: The factor of the baseline's absolute value.
        atol: The constant.
        of_largest: The factor of the largest absolute value of the baseline, whose
            product is added to `atol`.
        ulp: The units in the last place that are allowed in any case.
        nan_equal: Whether NaN equals NaN.
    """

    rtol: float = 0.0
    atol: float = 0.0
    of_largest: float = 0.0
    ulp: int = 0
    nan_equal: bool = True

    def scaled(self, largest: float) -> Bounds:
        """Return the bounds where the baseline's largest absolute value is known."""
        atol = self.atol + self.of_largest * largest
        return self._replace(atol=atol, of_largest=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """
    How far a candidate may be from its baseline: `|c-b| <= atol + rtol*|b|`.

    Without `rtol`, `atol` and `ulp` the dtype decides: floats and complex numbers may
    differ as in `torch.testing.assert_close`, everything else is exact. If one of them
    is given, the others are zero.

    Args:
        rtol: The factor of the baseline's absolute value.
        atol: The constant; a text such as `"1e-12*max"` is a factor of the largest
            absolute value of the baseline: in an array, a column, or a list with the
            lists in it. Of times and durations, in seconds.
        ulp: The units in the last place that are allowed in any case.
        share: The share of the cells that may be beyond the tolerance, from 0 to 1.
        nan: Whether two NaN are `"equal"` or `"differ"`.
        dtype: Whether the dtype must be the `"same"`, or may be `"any"` that holds
            values within the tolerance. A difference is told in both cases.
        order: Whether what one thread saves under one key must come in the `"same"`
            order, or may come in `"any"`.
        reason: Why, to be shown.
        until: The last day on which it applies.
        source: Where it was written, such as `"tolerances.toml:12"`.

    Raises:
        ConfigError: If one of them is invalid.
    """

    rtol: float | None = None
    atol: float | str | None = None
    ulp: int | None = None
    share: float = 0.0
    nan: Literal["equal", "differ"] = "equal"
    dtype: Literal["same", "any"] = "same"
    order: Literal["same", "any"] = "same"
    reason: str = ""
    until: datetime.date | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("rtol", "ulp", "share"):
            given = getattr(self, name)
            if given is not None and not _is_bound(given):
                _refuse(name, given, "a number from 0 up, such as 1e-9")
        if self.atol is not None and _atol_of(self.atol) is None:
            _refuse("atol", self.atol, "a number from 0 up, or a text as '1e-12*max'")
        if self.ulp is not None and not isinstance(self.ulp, int):
            _refuse("ulp", self.ulp, "a whole number, such as 4")
        if self.share > 1:
            _refuse("share", self.share, "a share of the cells, from 0 to 1")
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                expected = f"{words[0]!r} or {words[1]!r}"
                _refuse(name, getattr(self, name), expected)
        if self.until is not None and type(self.until) is not datetime.date:
            _refuse(
                "until",
                self.until,
                "a date, without quotes in TOML, such as 2027-01-01",
            )

    def is_by_dtype(self) -> bool:
        """Tell whether the dtype decides how far the cells may be apart."""
        return self.rtol is None and self.atol is None and self.ulp is None

    def bounds(self, dtype: str) -> Bounds:
        """
        Return what applies to the cells of a dtype.

        >>> Tolerance().bounds("float32").rtol, Tolerance().bounds("int64").rtol
        (1.3e-06, 0.0)
        """
        nan_equal = self.nan == "equal"
        if self.is_by_dtype():
            rtol, atol = _BY_DTYPE.get(_WIDER.get(dtype, dtype), (0.0, 0.0))
            return Bounds(rtol, atol, nan_equal=nan_equal)
        atol, of_largest = _atol_of(self.atol or 0.0) or (0.0, 0.0)
        return Bounds(self.rtol or 0.0, atol, of_largest, self.ulp or 0, nan_equal)

    def is_expired(self, today: datetime.date | None = None) -> bool:
        """Tell whether it does not apply any more."""
        if self.until is None:
            return False
        return self.until < (today or datetime.datetime.now(tz=datetime.UTC).date())

    def in_force(self) -> Tolerance:
        """Return what applies today: after its last day, what the dtype decides."""
        if not self.is_expired():
            return self
        return Tolerance(reason=self.reason, until=self.until, source=self.source)

    def __str__(self) -> str:
        limits = [
            f"{name} {given if isinstance(given, str) else f'{given:.2g}'}"
            for name in ("rtol", "atol", "ulp")
            if (given := getattr(self, name)) is not None
        ]
        parts = limits or ["by dtype"]
        parts += [f"{self.share:.2g} of the cells"] if self.share else []
        parts += ["NaN differs"] if self.nan == "differ" else []
        parts += ["any dtype"] if self.dtype == "any" else []
        parts += ["any order"] if self.order == "any" else []
        origin = " ".join(filter(None, (self.source, self.reason)))
        return ", ".join(parts) + (f" ({origin})" if origin else "")


def _is_bound(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf


def _atol_of(atol: Any) -> tuple[float, float] | None:
    """Return a constant and a factor of the largest value; None if it is neither."""
    if isinstance(atol, str):
        found = _OF_LARGEST.fullmatch(atol)
        try:
            factor = float(found[1]) if found else math.nan
        except ValueError:
            return None
        return (0.0, factor) if _is_bound(factor) else None
    return (float(atol), 0.0) if _is_bound(atol) else None


def _refuse(name: str, value: object, expected: str) -> None:
    raise ConfigError(f"invalid {name}={shown(value)}: expected {expected}")


EXACT_BY_DTYPE = Tolerance()
