"""Summaries, which are saved in place of values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from checkpoints._kinds.columns import reason, short
from checkpoints._kinds.digest import digest_of
from checkpoints._kinds.families import families_of, formats_for
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._kinds.statistics import statistics_of

__all__ = ["NO_HASH", "holds_unhashed", "is_summary", "summaries_of"]

# What the reason begins with that a summary has instead of a hash.
NO_HASH = "no hash: "

_TEXTS = (str, bytes, bytearray, memoryview)
_CONTAINERS = (tuple, list, dict, set, frozenset)
_MAX_DEPTH = 3
# The maximum number of columns and contained values that a summary describes.
_MAX_ITEMS = 50
_MAX_LENGTH = 120
_MAX_BITS = 128
_HASH = re.compile("blake2b:[0-9a-f]{32}")


def is_summary(value: Any) -> bool:
    """
    Tell whether a value is the summary of another one.

    A summary is saved as a dict, and told from others by the keys that each has.
    """
    if type(value) is not dict or not isinstance(value.get("kind"), str):
        return False
    digest = value.get("hash", "")
    if digest is None:
        why = value.get("why")
        return isinstance(why, str) and NO_HASH in why
    is_hash = isinstance(digest, str) and _HASH.fullmatch(digest) is not None
    return is_hash and type(value.get("bytes")) is int


def holds_unhashed(value: Any) -> bool:
    """Tell whether a plain value is, or holds, a summary that has no hash."""
    waiting = [value]
    while waiting:
        it = waiting.pop()
        if isinstance(it, dict):
            if it.get("hash", "") is None and is_summary(it):
                return True
            waiting.extend(it.values())
        elif isinstance(it, list | tuple):
            waiting.extend(it)
    return False


def summaries_of(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """
    Summarise named values in a few hundred bytes each.

    Args:
        values: The values by name.

    Returns:
        For each value a dict of plain values: its kind; statistics such as dtype,
        shape, extremes and mean; the size and the hash of its content, so that equal
        content has the same hash in every process; and `why`, if something could not
        be determined. Equal values have equal summaries.

    >>> summary = summaries_of({"total": [1, 2.5, 3.5]})["total"]
    >>> summary["length"], summary["max"]
    (3, 3.5)
    """
    return {name: _summary_of(value) for name, value in values.items()}


def _summary_of(value: Any) -> dict[str, Any]:
    described: dict[str, Any] = _comparable(_Describer().describe(value, _MAX_DEPTH))
    try:
        digest = digest_of(value)
    except Inexact as why:
        return _unhashed(described, short(why))
    except Exception as error:  # noqa: BLE001 - the rest of the summary is valid
        return _unhashed(described, reason(error))
    return {**described, "bytes": digest.bytes, "hash": digest.hash}


def _comparable(found: Any) -> Any:
    """Return statistics with text for NaN, which is not equal to itself."""
    if isinstance(found, dict):
        return {name: _comparable(each) for name, each in found.items()}
    if isinstance(found, list):
        return [_comparable(each) for each in found]
    return found if found == found else str(found).lower()  # noqa: PLR0124 - only NaN differs


def _unhashed(described: dict[str, Any], why: str) -> dict[str, Any]:
    reasons = [described["why"]] if "why" in described else []
    return {**described, "hash": None, "why": "; ".join([*reasons, f"{NO_HASH}{why}"])}


class _Describer:
    """Describes one value, up to a maximum number of items."""

    def __init__(self) -> None:
        self._items_left = _MAX_ITEMS

    def describe(self, value: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": _kind_of(value)}
        try:
            found.update(self._content(value, depth))
            found.update(_labels_of(value))
        except Exception as error:  # noqa: BLE001 - the value's own code may raise anything
            found["why"] = reason(error)
        return found

    def _content(self, value: Any, depth: int) -> dict[str, Any]:
        found = statistics_of(value, self._items_left)
        if found is not None:
            self._items_left -= len(found.get("columns", ()))
            return found
        if isinstance(value, _TEXTS):
            return {"length": len(value)}
        if isinstance(value, _CONTAINERS):
            return {"length": len(value), **self._items(value, depth)}
        if type(value) in IMMUTABLE:
            return _of_scalar(value)
        return {}

    def _items(self, value: Any, depth: int) -> dict[str, Any]:
        items = value.values() if isinstance(value, dict) else value
        if value and all(type(item) in (int, float) for item in items):
            return _of_numbers(list(items))
        if not depth:
            return {}
        if isinstance(value, dict):
            named = {_label(key): item for key, item in self._described(value, depth)}
            found: dict[str, Any] = {"items": named}
        elif isinstance(value, (list, tuple)):
            numbered = self._described(dict(enumerate(value)), depth)
            found = {"items": [item for _, item in numbered]}
        else:
            return {}
        left = len(value) - len(found["items"])
        return {**found, "more": left} if left else found

    def _described(self, items: dict[Any, Any], depth: int) -> Iterator[Any]:
        for key, item in islice(items.items(), _MAX_ITEMS):
            if self._items_left < 1:
                return
            self._items_left -= 1
            yield key, self.describe(item, depth - 1)


def _labels_of(value: Any) -> dict[str, str]:
    """Return a hash of what is no cell, of which there are no statistics."""
    for family in families_of(type(value)):
        labels = family.labels(value) if family.labels else None
        if labels is not None:
            return {"labels": digest_of(labels).hash}
    return {}


def _kind_of(value: Any) -> str:
    formats = formats_for(type(value))
    return (formats[0].kind if formats else type_name(value))[:_MAX_LENGTH]


def _of_scalar(value: Any) -> dict[str, Any]:
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return {"bits": value.bit_length()}
    return {"value": value} if len(str(value)) <= _MAX_LENGTH else {}


def _of_numbers(numbers: list[Any]) -> dict[str, Any]:
    # An int is always finite, and may be too large for `math.isfinite`.
    finite = [
        number for number in numbers if type(number) is int or math.isfinite(number)
    ]
    nan = sum(number != number for number in numbers)  # noqa: PLR0124 - only NaN differs
    return {
        "min": _extreme(min(finite, default=None)),
        "max": _extreme(max(finite, default=None)),
        **_mean(finite),
        "nan": nan,
        "inf": len(numbers) - len(finite) - nan,
    }


def _extreme(number: Any) -> Any:
    if type(number) is int and number.bit_length() > _MAX_BITS:
        return f"about {'-' * (number < 0)}2**{number.bit_length()}"
    return number


def _mean(numbers: list[Any]) -> dict[str, Any]:
    try:
        return {"mean": math.fsum(numbers) / len(numbers) if numbers else None}
    except OverflowError as error:
        return {"mean": None, "why": f"no mean: {reason(error)}"}


def _label(key: object) -> str:
    text = key if isinstance(key, str) else repr(key)
    return text[:_MAX_LENGTH]
