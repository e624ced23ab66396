"""Lists, dicts, tuples, sets and records, compared item by item, with paths."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sized
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._compare.flat import Flat, flattened
from checkpoints._compare.numbers import DTYPES, compare_list
from checkpoints._compare.scalars import compare_plain
from checkpoints._compare.sorts import are_nested, fields_of, is_scalar
from checkpoints._compare.tally import Tally, joined
from checkpoints._kinds.pickled import type_name
from checkpoints._text import count_text, shown

__all__ = ["compare_fields", "compare_nested"]

_EXACT = {int, float, str, bytes, type(None), bool}
_DEEPEST = 60
_Path: TypeAlias = Callable[[], str]


def _nowhere() -> str:
    return ""


def compare_nested(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two containers or records.

    Args:
        one: A mapping, list, tuple, set or record.
        other: Another one of the same sort.
        comparer: What compares the values in them.
    """
    walk = _Walk(comparer)
    walk.tally.shape = _length(one), _length(other)
    walk.visit(one, other, _nowhere, comparer.depth)
    return walk.tally.result()


def compare_fields(
    one: Mapping[str, Any], other: Mapping[str, Any], comparer: Comparer
) -> Difference:
    """Compare the fields of two objects."""
    walk = _Walk(comparer)
    walk.mapping(one, other, (_nowhere, _field), comparer.depth)
    return walk.tally.result()


def _length(value: Any) -> str:
    return f"({len(value)},)" if isinstance(value, Sized) else ""


class _Walk:
    """Compares what is in two containers, and in the containers in these."""

    def __init__(self, comparer: Comparer) -> None:
        self.tally = Tally(comparer.tolerance)
        self._comparer = comparer

    def visit(self, one: Any, other: Any, path: _Path, depth: int) -> None:
        """Compare two containers or records at a path."""
        if type(one) is type(other) and type(one) in (list, dict):
            first = second = None
        else:
            first, second = fields_of(one), fields_of(other)
            self._types(one, other, (first, second), path)
        if first is not None and second is not None:
            self.mapping(first[1], second[1], (path, _field), depth)
        elif isinstance(one, Mapping):
            self.mapping(one, other, (path, _key), depth)
        elif isinstance(one, AbstractSet):
            self._set(one, other, path)
        else:
            self._sequence(one, other, path, depth)

    def _types(
        self, one: Any, other: Any, fields: tuple[Any, Any], path: _Path
    ) -> None:
        names = type_name(one), type_name(other)
        if None not in fields:
            names = fields[0][0], fields[1][0]
        if names[0] == names[1]:
            return
        # A list is not a tuple; another sort of mapping may hold the same.
        is_same = isinstance(one, Mapping | AbstractSet) and None in fields
        place = f"{path()}: " if path() else ""
        note = f"{place}{names[0]} against {names[1]}"
        self.tally.note(note, "close" if is_same else "different")

    def mapping(
        self, one: Any, other: Any, path: tuple[_Path, Callable[[Any], str]], depth: int
    ) -> None:
        """Compare two mappings, given their path and the function for that of a key."""
        start, step = path
        for key in one:
            if key not in other:
                place = f"{start()}{step(key)}"
                self._one_sided(place, one[key], "baseline")
            elif not self._is_equal(one[key], other[key]):
                inner = partial(_joined, start, step, key)
                self._item(one[key], other[key], inner, depth)
        for key in other:
            if key not in one:
                place = f"{start()}{step(key)}"
                self._one_sided(place, other[key], "candidate")
        if list(one) != list(other) and _common(one, other) != _common(other, one):
            place = f"{start()}: " if start() else ""
            self.tally.note(f"{place}other order of keys", "close")

    def _sequence(self, one: Any, other: Any, path: _Path, depth: int) -> None:
        length = min(len(one), len(other))
        if len(one) != len(other):
            self._rest(one, other, length, path)
            one, other = one[:length], other[:length]
        flat = flattened(one, other)
        if flat is not None:
            self._numbers(flat, path)
            return
        for place, (item, found) in enumerate(zip(one, other, strict=True)):
            if not self._is_equal(item, found):
                inner = partial(_joined, path, "[{}]".format, place)
                self._item(item, found, inner, depth)

    def _numbers(self, flat: Flat, path: _Path) -> None:
        name = path()
        part = Tally(self._comparer.tolerance)
        dtype = DTYPES[type(flat.one[0])]
        part.dtype = dtype, dtype
        compare_list(flat.one, flat.other, part, flat.where)
        self.tally.include(part.result(name), keep=bool(name))
        if not name:
            self.tally.dtype = part.dtype

    def _rest(self, one: Any, other: Any, length: int, path: _Path) -> None:
        longer, side = (one, "baseline") if len(one) > length else (other, "candidate")
        more = count_text(len(longer) - length, "item")
        place = f"{path()}: " if path() else ""
        note = f"{place}{more} at the end of the {side} only"
        self.tally.note(note, "different")
        for at in range(length, len(longer)):
            self._one_sided(f"{path()}[{at}]", longer[at], side)

    def _set(self, one: AbstractSet[Any], other: AbstractSet[Any], path: _Path) -> None:
        self.tally.cells += len(one & other)
        for side, items in (("baseline", one - other), ("candidate", other - one)):
            for item in sorted(items, key=shown):
                self._one_sided(f"{path()}{{{shown(item)}}}", item, side)

    def _is_equal(self, one: Any, other: Any) -> bool:
        """Tell whether two items are plain and equal; most are."""
        kind = type(one)
        if kind is not type(other) or kind not in _EXACT or one != other:
            return False
        # Zero may have another sign.
        if kind is float and not one:
            return False
        self.tally.cells += 1
        return True

    def _item(self, one: Any, other: Any, path: _Path, depth: int) -> None:
        """Compare two items that may differ."""
        if is_scalar(one) and is_scalar(other):
            self._scalar(one, other, path)
        elif are_nested(one, other) and depth < _DEEPEST:
            self.visit(one, other, path, depth + 1)
        else:
            inner = replace(self._comparer, depth=depth)
            part = inner.compare(one, other)
            if part.verdict != "equal":
                part = replace(part, name=path())
            self._include(part)

    def _scalar(self, one: Any, other: Any, path: _Path) -> None:
        if self.tally.is_full() and type(one) is type(other):
            bits = self.tally.bits
            compare_plain(one, other, self.tally, path)
            self.tally.leave_out(self.tally.bits - bits)
            return
        part = Tally(self._comparer.tolerance)
        compare_plain(one, other, part, _nowhere)
        self.tally.include(part.result(path()))

    def _include(self, part: Difference) -> None:
        """Take a part into account; its own parts, if it has some, one by one."""
        if not part.parts:
            self.tally.include(part)
            return
        self.tally.include(part, keep=False)
        for inner in part.parts:
            self.tally.keep(replace(inner, name=joined(part.name, inner.name)))
        self.tally.leave_out(part.more_parts)

    def _one_sided(self, path: str, value: Any, side: str) -> None:
        texts = (
            (shown(value), "absent") if side == "baseline" else ("absent", shown(value))
        )
        self.tally.include(
            Difference(
                verdict="different",
                name=path,
                cells=1,
                bits=1,
                beyond=1,
                excess=math.inf,
                texts=texts,
                notes=(f"in the {side} only",),
            )
        )


def _joined(path: _Path, step: Callable[[Any], str], key: Any) -> str:
    return f"{path()}{step(key)}"


def _common(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> list[Any]:
    return [key for key in one if key in other]


def _field(name: str) -> str:
    return f".{name}"


def _key(key: Any) -> str:
    text = json.dumps(key, ensure_ascii=False) if isinstance(key, str) else shown(key)
    return f"[{text}]"
