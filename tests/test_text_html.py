"""What notebooks show: tables in which saved text is never markup."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from checkpoints import FileHandler, config, index, tags


def cells(shown):
    """The text of a table, row by row; an error if the markup is unbalanced."""
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

    def test_many_tags_are_in_one_column(self, tmp_path, handler):
        for number in range(40):
            with tags({f"t{number}": number}):
                handler.checkpoint("a", 1)
        heading, *rows = cells(index(tmp_path)._repr_html_())
        assert heading == ["name", "tags"]
        assert sorted(rows) == sorted(["a", f"t{it}={it}"] for it in range(40))

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
            ["value", "kind", "of", "shape", "bytes", "begins with"],
            ["x", "json", "int", "", "", "1"],
            ["text", "text", "", "", "4", "'four'"],
        ]
        assert entry.meta["run"] in entry._repr_html_()

    def test_one_that_is_damaged_says_so(self, tmp_path, handler):
        handler.checkpoint("a", 1)
        (entry,) = index(tmp_path)
        Path(entry.path).write_bytes(b"")
        assert "damaged" in cells(entry._repr_html_())[1][0]

    def test_of_many_values_it_says_how_many_more_there_are(self, tmp_path, handler):
        handler.checkpoint("a", **{f"v{number}": number for number in range(103)})
        (entry,) = index(tmp_path)
        *_, last, more = cells(entry._repr_html_())
        assert (last[0], more) == ("v99", ["and 3 more"])

    def test_a_long_name_is_cut(self, tmp_path, handler):
        handler.checkpoint("a", **{"long" * 10_000: 1})
        (entry,) = index(tmp_path)
        name = cells(entry._repr_html_())[1][0]
        assert name.endswith("longlong...")
        assert len(name) < 2000

    def test_a_large_value_is_not_loaded(self, tmp_path, handler):
        handler.checkpoint("a", text="four" * 20_000)
        (entry,) = index(tmp_path)
        assert cells(entry._repr_html_())[1][-1] == ""

    def test_a_value_that_is_damaged_says_so_in_its_row(self, tmp_path, handler):
        handler.checkpoint("a", text="four" * 100, x=1)
        (entry,) = index(tmp_path)
        data = bytearray(Path(entry.path).read_bytes())
        data[200] ^= 1
        Path(entry.path).write_bytes(data)
        _, text, x = cells(entry._repr_html_())
        assert "have changed" in text[-1]
        assert x[-1] == "1"


class TestRule:
    def test_it_is_a_table_of_its_options(self, tmp_path):
        rule = config(["<b>a"], tmp_path, where={"day": "\x1b"}, every=2)
        shown = dict(cells(rule._repr_html_()))
        assert shown["names"] == "<b>a"
        assert str(tmp_path) in shown["goes to"]
        assert shown["where"] == "{'day': '\\x1b'}"
        assert shown["every"] == "2"
        assert "limit" not in shown

    def test_one_that_switches_off_says_so(self):
        shown = dict(cells(config("html.off", None)._repr_html_()))
        assert "off" in shown["goes to"]
