"""Rows of pandas that were added or removed are found by the labels of the index."""

from __future__ import annotations

import pandas
import pytest

from checkpoints._compare.values import compare

SHOPS = pandas.DataFrame({"shop": list("abcdef"), "n": range(6)})
DAYS = pandas.Series(
    range(6), pandas.date_range("2024-03-04", periods=6, name="day"), dtype="float64"
)


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        (SHOPS, SHOPS.iloc[1:], "1 row in the baseline only, such as index=0"),
        (SHOPS, SHOPS.drop([2, 4]), "2 rows in the baseline only, such as index=2"),
        (SHOPS.drop(3), SHOPS, "1 row in the candidate only, such as index=3"),
        (
            DAYS,
            DAYS.iloc[1:],
            "1 row in the baseline only, such as day=2024-03-04 00:00:00",
        ),
        (
            SHOPS.set_index(["shop", "n"], drop=False),
            SHOPS.set_index(["shop", "n"], drop=False).iloc[1:],
            "1 row in the baseline only, such as shop=a, n=0",
        ),
    ],
)
def test_only_the_row_that_is_gone_differs(one, other, note):
    found = compare(one, other)
    assert (found.verdict, found.notes, found.parts) == ("different", (note,), ())


def test_a_changed_cell_beside_it_is_named_by_its_label():
    other = SHOPS.drop(0)
    other.loc[4, "n"] = 9
    (part,) = compare(SHOPS, other).parts
    assert (part.name, part.bits, part.where) == ("column 'n'", 1, "row index=4")


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (DAYS, "row day=2024-03-09 00:00:00"),
        (SHOPS.set_index("shop"), "column 'n', row shop=f"),
        (SHOPS.set_axis(list("uvwxyz")), "column 'n', row index=z"),
        (SHOPS.set_index(["shop", "n"], drop=False), "column 'n', row shop=f, n=5"),
        (SHOPS, "column 'n', row 5"),
    ],
)
def test_a_row_is_named_by_its_label_where_that_is_no_position(one, place):
    other = one.copy()
    if one is DAYS:
        other.iloc[5] = 9
    else:
        other.iloc[5, -1] = 9
    assert compare(one, other).where == place


def test_a_label_is_the_same_whether_a_range_or_an_array_has_it():
    ranged = SHOPS.set_axis(pandas.RangeIndex(5, 11))
    listed = SHOPS.assign(n=0).set_axis([5, 6, 7, 8, 9, 10])
    for one, other in ((ranged, listed), (listed, ranged)):
        assert compare(one, other).where == "column 'n', row index=10"


@pytest.mark.parametrize(
    "other",
    [
        SHOPS.iloc[:4],  # nothing is elsewhere
        SHOPS.iloc[::-1],  # in another order
        SHOPS.set_axis([1, 1, 2, 3, 4, 5]),  # one label twice
        SHOPS.set_axis([5, 6, 7, 8, 9, 10]),  # hardly a label in both
        SHOPS.set_axis([0, "x", 2.5, None, 4, 5]),  # labels without an order
        SHOPS.set_index(["shop", "n"], drop=False),
    ],
)
def test_positions_count_where_the_labels_do_not_tell(other):
    notes = compare(SHOPS, other).notes
    assert not any("only, such as" in note for note in notes)


def test_a_renamed_index_is_told_too():
    found = compare(SHOPS, SHOPS.drop(0).rename_axis("row"))
    assert "index name None against 'row'" in found.notes


def test_labels_that_are_equal_are_no_cells():
    found = compare(DAYS, DAYS + 1)
    assert (found.bits, found.cells) == (6, 6)
    assert compare(SHOPS, SHOPS.assign(n=0)).cells == 12
