"""What notebooks show: tables in which nothing that was saved is markup."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from checkpoints import FileHandler, index, tags


def cells(shown):
    """The texts of a table, row by row; an error if it is no markup of balance."""
    tree = ElementTree.fromstring(f"<all>{shown}</all>")
    return [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]


@pytest.fixture
def handler(tmp_path):
    return FileHandler(tmp_path)


class TestIndex:
    def test_it_is_a_table_of_names_and_tags(self, tmp_path, handler):
        with tags(("seen", "a"), ("seen", "b"), day=1):
            handler.checkpoint("shop.total", 1)
        handler.checkpoint("shop.rest", 1)
        found = index(tmp_path)
        assert cells(found._repr_html_()) == [
            ["name", "seen", "day"],
            ["shop.total", "a, b", "1"],
            ["shop.rest", "", ""],
        ]
        assert "Index of 2 entries" in found._repr_html_()

    def test_a_long_one_says_how_much_more_there_is(self, tmp_path, handler):
        for number in range(203):
            with tags(number=number):
                handler.checkpoint("a", 1)
        shown = cells(index(tmp_path)._repr_html_())
        assert len(shown) == 202
        assert shown[-1] == ["and 3 more"]

    def test_what_was_saved_is_no_markup(self, tmp_path, handler):
        with tags({"<b>": "<script>\x1b[31m&"}):
            handler.checkpoint("<i>", **{"<u>": 1})
        found = index(tmp_path)
        for shown in (found._repr_html_(), found[0]._repr_html_()):
            assert not re.search(r"<(script|[biu]>)", shown.split("<table")[1])
            assert "\x1b" not in shown
        assert cells(found._repr_html_())[1] == ["<i>", "<script>\\x1b[31m&"]


class TestEntry:
    def test_it_is_a_table_of_its_values(self, tmp_path, handler):
        handler.checkpoint("a", x=1, text="four")
        (entry,) = index(tmp_path)
        assert cells(entry._repr_html_()) == [
            ["value", "kind", "type", "dtype", "shape", "bytes"],
            ["x", "json", "int", "", "", ""],
            ["text", "text", "", "", "", "4"],
        ]
        assert entry.meta["run"] in entry._repr_html_()

    def test_one_that_is_damaged_says_so(self, tmp_path, handler):
        handler.checkpoint("a", 1)
        (entry,) = index(tmp_path)
        Path(entry.path).write_bytes(b"")
        assert "damaged" in cells(entry._repr_html_())[1][0]
