"""Tolerances with which two runs that differ would just pass."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from checkpoints._compare.difference import Difference
from checkpoints._process.libraries import imported

__all__ = ["Need", "suggested"]

_Key = tuple[str, str, str]


class Need(NamedTuple):
    """
    What a value would need to pass.

    Args:
        name: The name of the entry.
        value: The name of the value in it.
        column: The name of the column, if it is about one.
        rtol: The least `rtol`, beside `with_atol`; None if none would do.
        atol: The least `atol`, beside `with_rtol`.
        with_rtol: The largest `rtol` that was applied.
        with_atol: The largest `atol` that was applied.
        dtype: Whether it needs `dtype="any"`.
        ulp: The `ulp` that was applied.
        share: The `share` that was applied.
        nan_equal: Whether NaN equals NaN.
        by_dtype: Whether the limits that were applied are those of the dtype.
        order: Whether the order of its entries must not matter.
        passes: Whether it has passed as it is.
    """

    name: str
    value: str
    column: str
    rtol: float | None
    atol: float | None
    with_rtol: float = 0.0
    with_atol: float = 0.0
    dtype: bool = False
    ulp: int = 0
    share: float = 0.0
    nan_equal: bool = True
    by_dtype: bool = True
    order: bool = False
    passes: bool = False

    @classmethod
    def of(cls, found: Difference, name: str, value: str, column: str = "") -> Need:
        """Return what a value, or one of its columns, would need."""
        rtol, atol = found.rtol_needed, found.atol_needed
        passes = found.verdict != "different"
        if passes or not found.beyond:
            rtol = atol = 0.0
        if found.hopeless:
            rtol = atol = None
        applied = found.tolerance
        return cls(
            name,
            value,
            column,
            rtol,
            atol,
            found.rtol_most,
            found.atol_most,
            found.needs_dtype or applied.dtype == "any",
            applied.ulp or 0,
            applied.share,
            applied.nan == "equal",
            applied.is_by_dtype(),
            passes=passes,
        )

    @classmethod
    def of_order(cls, name: str) -> Need:
        """Return what entries need that were saved in another order."""
        return cls(name, "", "", 0.0, 0.0, order=True)

    def is_possible(self) -> bool:
        """Tell whether some tolerance would do."""
        return self.rtol is not None or self.atol is not None

    def is_default(self) -> bool:
        """Tell whether it has passed without any tolerance of its own."""
        is_plain = self.by_dtype and self.nan_equal and not self.share
        return self.passes and is_plain and not self.dtype


def suggested(needs: Iterable[Need]) -> str:
    """
    Return a file of tolerances that would just pass.

    Args:
        needs: What is needed by all values that differ, even if they have passed: the
            tolerances are theirs too.

    >>> print(suggested([Need("risk.cov", "cov", "", 0.0271, None)]), end="")
    [[tolerance]]
    match = "risk.cov"
    value = "cov"
    rtol = 2.8e-02
    """
    most: dict[_Key, Need] = {}
    for need in needs:
        known = most.get(need[:3])
        most[need[:3]] = need if known is None else _larger(known, need)
    for key, need in most.items():
        whole = most.get((*key[:2], ""))
        # An entry about a column outweighs that about the value as a whole.
        if key[2] and whole is not None and whole.is_possible():
            most[key] = _larger(whole, need)
    failed = {key for key, need in most.items() if not need.passes}
    # The last entry that matches counts, so what covers others comes first.
    keys = [
        key
        for key, need in sorted(most.items())
        if key in failed or not need.is_default() or _is_covered(key, failed)
    ]
    return "\n".join(_suggestion(most[key]) for key in keys)


def _is_covered(key: _Key, failed: Iterable[_Key]) -> bool:
    """Tell whether what is suggested for another name would hold for this one too."""
    return any(
        key[0].startswith(f"{name}.") and key[1] == value for name, value, _ in failed
    )


def _larger(one: Need, other: Need) -> Need:
    rtol, atol = _largest(one.rtol, other.rtol), _largest(one.atol, other.atol)
    with_atol = max(one.with_atol, other.with_atol)
    if rtol is atol is None and one.is_possible() and other.is_possible():
        # Where one needs an rtol and the other an atol, both pass with both.
        rtol = other.rtol if one.rtol is None else one.rtol
        by_atol = one.atol if one.rtol is None else other.atol
        with_atol = max(with_atol, by_atol or 0.0)
    return other._replace(
        rtol=rtol,
        atol=atol,
        with_rtol=max(one.with_rtol, other.with_rtol),
        with_atol=with_atol,
        dtype=one.dtype or other.dtype,
        ulp=max(one.ulp, other.ulp),
        share=max(one.share, other.share),
        nan_equal=one.nan_equal or other.nan_equal,
        by_dtype=one.by_dtype and other.by_dtype,
        order=one.order or other.order,
        passes=one.passes and other.passes,
    )


def _largest(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _suggestion(need: Need) -> str:
    lines = ["[[tolerance]]", f"match = {_quoted(need.name)}"]
    for key, text in (("value", need.value), ("column", need.column)):
        if text:
            lines.append(f"{key} = {_quoted(_literal(text))}")
    if need.rtol is None and need.atol is None:
        lines = [f"# {line}" for line in lines] + ["# no tolerance would pass"]
    else:
        lines += _limits(need)
    return "\n".join([*lines, ""])


def _limits(need: Need) -> Iterator[str]:
    rtol, atol = need.with_rtol, need.with_atol
    if need.rtol is not None:
        rtol = max(rtol, need.rtol)
    else:
        atol = max(atol, need.atol or 0.0)
    # Without a limit the dtype decides, as it did.
    if not need.by_dtype or need.rtol != 0:
        limits = {"rtol": rtol, "atol": atol}
        given = [f"{key} = {_rounded_up(it)}" for key, it in limits.items() if it]
        yield from given or ["rtol = 0.0"]
    if need.ulp:
        yield f"ulp = {need.ulp}"
    if need.share:
        yield f"share = {need.share!r}"
    if not need.nan_equal:
        yield 'nan = "differ"'
    if need.dtype:
        yield 'dtype = "any"'
    if need.order:
        yield 'order = "any"'


def _literal(text: str) -> str:
    """Return the pattern that only this text matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def _quoted(text: str) -> str:
    json = imported("json")
    quoted: str = json.dumps(text, ensure_ascii=False)
    letters = (it if it.isprintable() else f"\\U{ord(it):08x}" for it in quoted)
    return "".join(letters)


def _rounded_up(number: float) -> str:
    """
    Return a number with two digits that is not smaller.

    >>> _rounded_up(0.0271), _rounded_up(0.02), _rounded_up(9.91e-7)
    ('2.8e-02', '2.0e-02', '1.0e-06')
    """
    text = f"{number:.1e}"
    if math.isinf(float(text)):
        return repr(number)
    if float(text) >= number:
        return text
    digits, exponent = text.split("e")
    return (
        f"{float(digits) + 0.1:.1f}e{exponent}"
        if digits != "9.9"
        else (f"1.0e{int(exponent) + 1:+03d}")
    )
