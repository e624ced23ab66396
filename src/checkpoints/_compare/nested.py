"""Lists, dicts, tuples, sets and records, compared item by item, with paths."""

from __future__ import annotations

import json
import math
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from checkpoints._compare.difference import Comparer, Difference
from checkpoints._compare.flat import SEQUENCES, Flat, flattened, largest_of
from checkpoints._compare.identity import take_unequal
from checkpoints._compare.numbers import DTYPES, compare_list, compare_plain, is_scalar
from checkpoints._compare.state import adds_state
from checkpoints._compare.tally import Place, Tally, joined
from checkpoints._kinds.families import families_of
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.records import Record, form_of
from checkpoints._kinds.summary import is_summary
from checkpoints._text import count_text, shown, text_of

__all__ = ["are_nested", "compare_fields", "compare_nested", "fields_of"]

_EXACT = {int, float, str, bytes, type(None), bool}
_DEEPEST = 60
# What is nested deeper may be in several places, and is compared once.
_SHALLOW = 4
_LONGEST_KEY = 80
_SIDES = ("baseline", "candidate")
_Path: TypeAlias = Callable[[], str]


def are_nested(one: Any, other: Any) -> bool:
    """Tell whether two values are containers or records that can be compared."""
    if any(map(is_summary, (one, other))):
        return False
    if type(one) is type(other) and type(one) in (list, dict):
        return True
    # Of its tuples, dicts and records, such as results of functions, it knows no more.
    is_plain = isinstance(one, tuple | dict) or fields_of(one) is not None
    if _is_of_library(one) and not is_plain:
        return False
    return any(
        isinstance(one, sort) and isinstance(other, sort)
        for sort in (Mapping, SEQUENCES, AbstractSet)
    ) or (fields_of(one) is not None and fields_of(other) is not None)


def _is_of_library(value: Any) -> bool:
    """Tell whether a data library knows more about a value than its items."""
    return next(families_of(type(value)), None) is not None


def fields_of(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the type and the fields of a record, None for another value."""
    if isinstance(value, Record):
        return value.type, {name: value[name] for name in value.keys()}  # noqa: SIM118 - a record is not iterable
    form = form_of(value)
    return None if form is None else (".".join(form.name), form.fields)


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
        # Containers by their addresses, and kept so that these stay theirs.
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._of_largest = comparer.tolerance.bounds("").of_largest > 0
        # The largest number of the outermost list around.
        self._largest: float | None = None

    def visit(self, one: Any, other: Any, path: _Path, depth: int) -> None:
        """Compare two containers or records at a path."""
        outer, self._largest = self._largest, self._largest_in(one)
        try:
            self._contents(one, other, path, depth)
        finally:
            self._largest = outer

    def _largest_in(self, value: Any) -> float | None:
        """Return what `max` is in a list; None in what is none."""
        is_list = self._of_largest and isinstance(value, SEQUENCES)
        if not is_list or fields_of(value) is not None:
            return None
        return largest_of(value) if self._largest is None else self._largest

    def _part(self) -> Tally:
        part = Tally(self._comparer.tolerance)
        part.largest = self._largest
        return part

    def _contents(self, one: Any, other: Any, path: _Path, depth: int) -> None:
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
            if key in other and not self._is_equal(one[key], other[key]):
                inner = partial(_joined, start, step, key)
                self._item(one[key], other[key], inner, depth)
        place = f"{start()}: " if start() else ""
        if list(one) == list(other):
            self._forms(one, other, f"{place}key")
            return
        only = [[key for key in one if key not in other]]
        only += [[key for key in other if key not in one]]
        for key, same in _without_nan(only):
            inner = partial(_joined, start, step, key)
            self._item(one[key], other[same], inner, depth)
        self._untold(take_unequal(only), place)
        for keys, side, items in zip(only, _SIDES, (one, other), strict=True):
            named = ((f"{start()}{step(key)}", items[key]) for key in keys)
            self._only(named, len(keys), side)
        # That of fields says how an object was made: often another way when loaded.
        if step is _key and _common(one, other) != _common(other, one):
            self.tally.note(f"{place}other order of keys", "close")
        self._forms(one, other, f"{place}key")

    def _forms(self, one: Iterable[Any], other: Iterable[Any], what: str) -> None:
        """Note the first key or item that equals one of another form, as 0.0 -0.0."""
        if {type(it) for items in (one, other) for it in items} <= {str}:
            return
        partners = {it: it for it in other}
        for it in one:
            found = partners.get(it, it)
            if found is it or _is_plainly_same(it, found):
                continue
            names = type_name(it), type_name(found)
            if names[0] != names[1]:
                note = f"{what} {shown(it)} is {names[0]} against {names[1]}"
                self.tally.note(note, "different")
                return
            verdict = self._comparer.compare(it, found).verdict
            if verdict != "equal":
                note = f"{what} {shown(it)} equals {shown(found)}, which is another one"
                self.tally.note(note, "close" if verdict == "close" else "different")
                return

    def _sequence(self, one: Any, other: Any, path: _Path, depth: int) -> None:
        limits = [getattr(items, "maxlen", None) for items in (one, other)]
        if limits[0] != limits[1] and type(one) is type(other):
            start = f"{path()}: " if path() else ""
            note = f"{start}maxlen {limits[0]} against {limits[1]}"
            self.tally.note(note, "different")
        length = min(len(one), len(other))
        if isinstance(one, deque | array) or isinstance(other, deque | array):
            one, other = list(one), list(other)
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
        part = self._part()
        dtype = DTYPES[type(flat.one[0])]
        part.dtype = dtype, dtype
        compare_list(flat.one, flat.other, part, flat.where)
        self.tally.include(part.result(name), keep=bool(name), by_cells=True)
        if not name:
            self.tally.dtype = part.dtype

    def _rest(self, one: Any, other: Any, length: int, path: _Path) -> None:
        longer, side = (one, "baseline") if len(one) > length else (other, "candidate")
        more = count_text(len(longer) - length, "item")
        place = f"{path()}: " if path() else ""
        note = f"{place}{more} at the end of the {side} only"
        self.tally.note(note, "different")
        rest = ((f"{path()}[{at}]", longer[at]) for at in range(length, len(longer)))
        self._only(rest, len(longer) - length, side)

    def _set(self, one: AbstractSet[Any], other: AbstractSet[Any], path: _Path) -> None:
        self.tally.cells += len(one & other)
        only = [list(one - other), list(other - one)]
        self._untold(take_unequal(only), f"{path()}: " if path() else "")
        for side, items in zip(_SIDES, only, strict=True):
            named = (
                (f"{path()}{{{shown(item)}}}", item)
                for item in sorted(items, key=shown)
            )
            self._only(named, len(items), side)
        self._forms(one, other, f"{path()}: item" if path() else "item")

    def _untold(self, items: Sequence[Any], place: str) -> None:
        """Count items that cannot be found again on the other side."""
        if items:
            self.tally.cells += len(items)
            what = f"objects of {type_name(items[0])} as keys or items of a set"
            self.tally.cannot_tell(f"{place}{what}: they have no ==")

    def _only(self, items: Iterable[tuple[str, Any]], number: int, side: str) -> None:
        """Count items that are on one side only, given their paths and values."""
        room = self.tally.room
        for path, value in islice(items, room):
            self._one_sided(path, value, side)
        if number > room:
            left = number - room
            self.tally.note(f"more items in the {side} only", "different")
            self.tally.cells += left
            self.tally.lose(left)
            self.tally.leave_out(left)

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
        try:
            has_more = adds_state(one) or adds_state(other)
            if is_scalar(one) and is_scalar(other) and not has_more:
                self._scalar(one, other, path)
            elif are_nested(one, other) and depth < _DEEPEST and not has_more:
                if not self._is_seen(one, other, depth):
                    self.visit(one, other, path, depth + 1)
            else:
                inner = replace(self._comparer, depth=depth)
                part = inner.compare(one, other)
                if part.verdict != "equal":
                    part = replace(part, name=path())
                self._include(part)
        except Exception as error:  # noqa: BLE001 - the values' own code may raise anything
            why = f"{type(error).__name__}: {text_of(error)}"
            self._include(Difference(verdict="unknown", name=path(), why=why))

    def _is_seen(self, one: Any, other: Any, depth: int) -> bool:
        """Tell whether two containers have been compared, or are being so."""
        pair = id(one), id(other)
        if depth <= _SHALLOW or pair in self._seen:
            return pair in self._seen
        self._seen[pair] = one, other
        return False

    def _scalar(self, one: Any, other: Any, path: _Path) -> None:
        if not self.tally.room and type(one) is type(other):
            bits = self.tally.bits
            self.tally.cells += 1
            self.tally.largest = self._largest
            compare_plain(one, other, self.tally, lambda: Place(path()))
            self.tally.leave_out(self.tally.bits - bits)
            return
        part = self._part()
        part.cells = 1
        compare_plain(one, other, part, Place)
        self.tally.include(part.result(path()), by_cells=True)

    def _include(self, part: Difference) -> None:
        """Take a part into account; its own parts, if it has some, one by one."""
        if not part.parts:
            self.tally.include(part, by_cells=True)
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
                hopeless=True,
                texts=texts,
                notes=(f"in the {side} only",),
            )
        )


def _is_plainly_same(one: Any, other: Any) -> bool:
    """Tell whether two equal values are plain and the same, tuples of such too."""
    kinds = {type(one), type(other)}
    if kinds == {tuple}:
        kinds = {*map(type, one), *map(type, other)}
        return kinds <= _EXACT and repr(one) == repr(other)
    return len(kinds) == 1 and kinds <= _EXACT and (bool(one) or kinds != {float})


def _joined(path: _Path, step: Callable[[Any], str], key: Any) -> str:
    return f"{path()}{step(key)}"


def _without_nan(only: list[list[Any]]) -> list[tuple[Any, Any]]:
    """Take NaN out of the keys that are on one side only, and return it as a pair."""
    found = [[key for key in keys if key != key] for keys in only]  # noqa: PLR0124 - only NaN differs
    pairs = list(zip(*found, strict=False))
    for keys, paired in zip(only, zip(*pairs, strict=True), strict=False):
        keys[:] = [key for key in keys if not any(key is nan for nan in paired)]
    return pairs


def _common(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> list[Any]:
    return [key for key in one if key in other]


def _field(name: str) -> str:
    return f".{name}"


def _key(key: Any) -> str:
    if not isinstance(key, str) or len(key) > _LONGEST_KEY:
        return f"[{shown(key)}]"
    return f"[{json.dumps(str(key), ensure_ascii=False)}]"
