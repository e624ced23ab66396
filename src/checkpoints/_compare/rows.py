"""Rows of two tables brought together by key columns, or by the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from checkpoints._compare.columns import Column
from checkpoints._process.libraries import imported, needed
from checkpoints._text import count_text, hint, shown

__all__ = ["Rows", "Unkeyed", "label_at", "rows_by_index", "rows_by_key"]


# The product of the numbers of values must fit into 64 bits.
_MOST_CODES = 1 << 62
_LONGEST = 60
_SIDES = "baseline", "candidate"
_SPARSEST = 4


class Unkeyed(Exception):  # noqa: N818 - becomes the reason of an unknown difference
    """
    The key columns do not identify the rows.

    Args:
        why: Why.
        is_of_one: Whether they do in the other table, so that the two differ.
    """

    def __init__(self, why: str, *, is_of_one: bool = False) -> None:
        super().__init__(why)
        self.is_of_one = is_of_one


class Rows(NamedTuple):
    """
    Which rows belong together.

    Args:
        places: The places of the rows that are on both sides, in each table.
        only: The places of those that are on one side only.
        label: Returns the key of a row, given the side and the place, as text.
        are_of_index: Whether the index brought them together, without key columns.
    """

    places: tuple[Any, Any]
    only: tuple[Any, Any]
    label: Callable[[int, int], str]
    are_of_index: bool = False

    def taken(self, side: int) -> Any:
        """Return the places to take from a table; None if they are all, in order."""
        places = self.places[side]
        is_all = not len(self.only[side]) and _rises(places)
        return None if is_all else places


def rows_by_key(
    one: Sequence[Column], other: Sequence[Column], keys: Sequence[str]
) -> Rows:
    """
    Find the rows of two tables that have the same keys.

    Args:
        one: The columns of the baseline, and the levels of its index.
        other: Those of the candidate.
        keys: The names of the columns whose values identify a row.

    Raises:
        Unkeyed: If a column is missing, or keys are null or occur more than once.
    """
    # Named in the message, if one of them is missing.
    needed("numpy", "comparing rows by key")
    needed("pyarrow", "comparing rows by key")
    columns = [
        [_key_array(_key_column(columns, side, key), side, key) for key in keys]
        for side, columns in zip(_SIDES, (one, other), strict=True)
    ]
    return _rows(columns, keys)


def rows_by_index(one: Sequence[Column], other: Sequence[Column]) -> Rows | None:
    """
    Find the rows of two tables that have the same labels in their indexes.

    Args:
        one: The levels of the index of the baseline.
        other: Those of the candidate.

    Returns:
        The rows; None if labels are repeated or cannot be compared, if they are the
        same at each position, or where those of less than half of the rows are in
        both, in the same order: then the index does not say which rows are the same.
    """
    if not one or len(one) != len(other) or _only_count(one, other):
        return None
    names = list(map(_level_name, one))
    try:
        columns = [
            [
                _key_array(level, side, name)
                for level, name in zip(levels, names, strict=True)
            ]
            for side, levels in zip(_SIDES, (one, other), strict=True)
        ]
        rows = _rows(columns, names)
    except Exception:  # noqa: BLE001 - labels of any type, or no pyarrow
        return None
    first, second = rows.places
    most = min(len(first) + len(only) for only in rows.only)
    is_told = 2 * len(first) >= most > 0 and _rises(second)
    is_elsewhere = bool((first != second).any())
    return rows._replace(are_of_index=True) if is_told and is_elsewhere else None


def _only_count(one: Sequence[Column], other: Sequence[Column]) -> bool:
    """Tell whether two indexes count the rows alike, so that labels are positions."""
    return all(
        it.steps and its.steps and it.steps[::2] == its.steps[::2]
        for it, its in zip(one, other, strict=True)
    )


def label_at(one: Sequence[Column], other: Sequence[Column], place: int) -> str:
    """
    Return the name of the row at a position: its label, if that is the same in both.

    Args:
        one: The levels of the index of the baseline.
        other: Those of the candidate.
        place: The position.
    """
    sides = [[it.at(place) for it in levels if it.at] for levels in (one, other)]
    is_position = all(it.steps and it.steps[::2] == (0, 1) for it in one)
    # As texts: a label of a range is an integer of Python, one of an array of NumPy.
    if is_position or [*map(str, sides[0])] != [*map(str, sides[1])]:
        return str(place)
    names = map(_level_name, one)
    return _label(zip(names, sides[0], strict=True))


def _level_name(level: Column) -> str:
    return str(level.title if level.name is None else level.name)


def _label(pairs: Iterable[tuple[str, Any]]) -> str:
    return ", ".join(f"{key}={_short(value)}" for key, value in pairs)


def _rows(columns: Sequence[Sequence[Any]], keys: Sequence[str]) -> Rows:
    """Return which rows belong together, given the arrays of the keys of both sides."""
    codes = _codes([*columns[0]], [*columns[1]], keys)

    def label(side: int, place: int) -> str:
        values = (column[place].as_py() for column in columns[side])
        return _label(zip(keys, values, strict=True))

    repeated = [
        number
        for number, side in enumerate(codes)
        # Sorting values is several times as fast as finding their order.
        if not (_rises(side) or _rises(imported("numpy").sort(side)))
    ]
    for number in repeated:
        why = _why_repeated(codes[number], _SIDES[number], partial(label, number))
        raise Unkeyed(why, is_of_one=len(repeated) == 1)
    places = _matched(*codes)
    only = _others(len(codes[0]), places[0]), _others(len(codes[1]), places[1])
    return Rows(places, only, label)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _key_column(columns: Sequence[Column], side: str, key: str) -> Column:
    found = [column for column in columns if column.name == key]
    if not found:
        names = [str(column.name) for column in columns if column.name is not None]
        raise Unkeyed(f"the {side} has no key column {shown(key)}: {hint(key, names)}")
    if len(found) > 1:
        raise Unkeyed(f"the {side} has {len(found)} columns named {shown(key)}")
    return found[0]


def _key_array(column: Column, side: str, key: str) -> Any:
    array = _combined(column.arrow())
    if array.null_count:
        nulls = count_text(array.null_count, "null")
        raise Unkeyed(f"the key column {shown(key)} of the {side} has {nulls}")
    return array


def _combined(array: Any) -> Any:
    pyarrow = imported("pyarrow")
    if isinstance(array, pyarrow.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pyarrow.ChunkedArray):
            array = pyarrow.concat_arrays(array.chunks)
    if pyarrow.types.is_dictionary(array.type):
        return array.dictionary_decode()
    if str(array.type) in ("string_view", "string"):
        return array.cast(pyarrow.large_string())
    return array


def _codes(one: list[Any], other: list[Any], keys: Sequence[str]) -> tuple[Any, Any]:
    """Return integers that stand for the keys of the rows, for each table."""
    pairs = []
    for first, second, key in zip(one, other, keys, strict=True):
        pairs.append(_alike(first, second, key))
    if len(pairs) == 1 and _is_whole(pairs[0][0].type):
        return _whole(pairs[0][0]), _whole(pairs[0][1])
    size, found = _encoded(*pairs[0])
    for pair in pairs[1:]:
        more, codes = _encoded(*pair)
        if size * more > _MOST_CODES:
            size, found = _dense(*found)
        size, found = (
            size * more,
            (
                found[0] * more + codes[0],
                found[1] * more + codes[1],
            ),
        )
    return found


def _alike(one: Any, other: Any, key: str) -> tuple[Any, Any]:
    """Return the keys in the type of one of them that holds both."""
    for narrow, wide in ((other, one), (one, other)):
        try:
            cast = narrow.cast(wide.type)
        except imported("pyarrow").ArrowException:
            continue
        return (one, cast) if narrow is other else (cast, other)
    types = f"{one.type} against {other.type}"
    raise Unkeyed(f"the key column {shown(key)} is {types}")


def _is_whole(type: Any) -> bool:  # noqa: A002 - Arrow's word
    types = imported("pyarrow").types
    is_whole: bool = types.is_integer(type) or types.is_temporal(type)
    return is_whole and not types.is_interval(type)


def _whole(array: Any) -> Any:
    whole = array.view(f"int{array.type.bit_width}")
    return whole.to_numpy(zero_copy_only=False).astype("int64", copy=False)


def _encoded(one: Any, other: Any) -> tuple[int, tuple[Any, Any]]:
    """Number the values of two arrays; return how many there are, and the numbers."""
    pyarrow = imported("pyarrow")
    both = pyarrow.chunked_array([one, other]).dictionary_encode().unify_dictionaries()
    codes = both.combine_chunks()
    if isinstance(codes, pyarrow.ChunkedArray):
        codes = pyarrow.concat_arrays(codes.chunks)
    numbers = codes.indices.to_numpy().astype("int64")
    return len(codes.dictionary), (numbers[: len(one)], numbers[len(one) :])


def _dense(one: Any, other: Any) -> tuple[int, tuple[Any, Any]]:
    """Number the codes anew, so that another column can be added without overflow."""
    numpy = imported("numpy")
    known, numbers = numpy.unique(numpy.concatenate([one, other]), return_inverse=True)
    return len(known), (numbers[: len(one)], numbers[len(one) :])


def _why_repeated(codes: Any, side: str, label: Callable[[int], str]) -> str:
    """
    Say which keys occur more than once.

    Args:
        codes: The integers that stand for the keys.
        side: Whose keys they are, for the message.
        label: Returns the key of a row as text.
    """
    _, places, counts = imported("numpy").unique(
        codes, return_index=True, return_counts=True
    )
    again = places[counts > 1]
    number = len(again)
    return (
        f"{number:,} {'key' if number == 1 else 'keys'} of the {side} "
        f"{'occurs' if number == 1 else 'occur'} more than once, such as "
        f"{label(int(again[0]))}: name more key columns"
    )


def _rises(codes: Any) -> bool:
    return bool((codes[1:] > codes[:-1]).all())


def _matched(one: Any, other: Any) -> tuple[Any, Any]:
    """Return the places of equal keys, in the order of the first table."""
    numpy = imported("numpy")
    if numpy.array_equal(one, other):
        places = numpy.arange(len(one))
        return places, places
    if not len(one) or not len(other):
        return numpy.arange(0), numpy.arange(0)
    low, high = int(other.min()), int(other.max())
    if high - low <= _SPARSEST * len(other):
        # Where most integers between are keys, a list of them all is fastest.
        place_of = numpy.full(high - low + 1, -1)
        place_of[other - low] = numpy.arange(len(other))
        inside = (one >= low) & (one <= high)
        partner = numpy.full(len(one), -1)
        partner[inside] = place_of[one[inside] - low]
    else:
        order = other.argsort()
        ranks = numpy.searchsorted(other, one, sorter=order).clip(max=len(other) - 1)
        partner = order[ranks]
        partner[other[partner] != one] = -1
    found = numpy.flatnonzero(partner >= 0)
    return found, partner[found]


def _others(number: int, places: Any) -> Any:
    """Return the places that are not among some."""
    numpy = imported("numpy")
    left = numpy.ones(number, bool)
    left[places] = False
    return numpy.flatnonzero(left)
