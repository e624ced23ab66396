"""Previews of values, in a terminal or a notebook: whole lines, or fewer of them."""

from __future__ import annotations

import html
import re

import pytest

from checkpoints import FileHandler
from checkpoints._index.entry import entry_at
from checkpoints._show.preview import preview_of, short_repr

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")

ROW = re.compile(r"row(\d+) +(\d+) +(\d+)")


class Grid:
    """An object whose repr is a table."""

    def __init__(self, rows, of=1):
        self.text = "\n".join(f"row{it} {it * of} {it}" for it in range(rows))

    def __repr__(self):
        return self.text


def assert_whole(lines):
    """Assert that each line with a part of a row is that row, and no other."""
    found = [line for line in lines if "row" in line]
    assert found
    for line in found:
        number, *cells = ROW.fullmatch(line.strip()).groups()
        assert cells == [number, number]


class TestText:
    @pytest.mark.parametrize("rows", [2, 5, 100, 2000])
    @pytest.mark.parametrize("wrap", [lambda it: it, lambda it: [1, {"a": it}, 2]])
    def test_the_repr_of_an_object_is_cut_between_lines(self, rows, wrap):
        for most in (1, 3, 1000):
            found = preview_of(wrap(Grid(rows)), most).lines
            if most > 1:
                assert_whole(found)
            assert len(found) <= most + 1
            assert "..." in found or rows < 1000

    def test_frames_inside_of_others_are_cut_between_rows(self):
        names = [f"row{number}" for number in range(50)]
        column = pandas.Series(range(50), index=names)
        lines = preview_of([pandas.DataFrame({"a": column, "b": column})], 30).lines
        assert_whole(lines)
        assert "..." in lines

    def test_without_a_table_a_frame_is_cut_between_rows(self):
        names = [f"row{number}" for number in range(50)]
        frame = pandas.DataFrame([[n, n] for n in range(50)], names, ["a", "a"])
        lines = preview_of(frame, 8).lines
        assert_whole(lines)
        assert len(lines) == 9
        assert lines[-1] == "..."

    def test_datasets_are_cut_between_lines(self):
        xarray = pytest.importorskip("xarray")
        dataset = xarray.Dataset({f"v{n}": ("x", [n]) for n in range(30)})
        *lines, end = preview_of(dataset, 8).lines
        assert lines == repr(dataset).splitlines()[:8]
        assert end == "..."

    def test_a_text_loses_no_end_of_a_line_without_a_word(self):
        text = "\n".join(["1234567890"] * 1000)
        found = preview_of(text, 1000).lines
        assert set(found) == {"1234567890", "..."}

    def test_a_single_line_says_that_it_is_cut(self):
        assert preview_of("a" * 5000, 3).lines == ["a" * 4000 + "..."]

    def test_a_repr_that_fails_names_the_class(self):
        class Broken:
            def __repr__(self):
                raise RuntimeError

        assert "Broken" in preview_of([Broken()], 3).lines[0]


class TestNotebook:
    def test_a_number_too_long_for_a_text_spoils_no_page(self, tmp_path):
        FileHandler(tmp_path).checkpoint("a", x=[10**5000], y="seen")
        assert "seen" in entry_at(tmp_path / "a.ckpt.zip")._repr_html_()

    def test_rows_of_an_array_are_whole_or_left_out(self, tmp_path):
        array = numpy.arange(300).reshape(100, 3)
        assert short_repr(array).endswith("\n...")
        FileHandler(tmp_path).checkpoint("a", x=array)
        page = html.unescape(entry_at(tmp_path / "a.ckpt.zip")._repr_html_())
        rows = re.findall(r"\[ *(\d+), +(\d+), +(\d+)\]", page)
        assert len(rows) > 2
        assert all(int(b) == int(a) + 1 == int(c) - 1 for a, b, c in rows)
        assert page.count("[") - page.count("[[") <= len(rows) + 1

    def test_rows_of_a_frame_of_objects_are_whole_or_left_out(self, tmp_path):
        odd = numpy.empty(100, object)
        odd[:] = [[it] for it in range(100)]
        frame = pandas.DataFrame({"a": range(100), "b": odd})
        FileHandler(tmp_path).checkpoint("a", x=frame)
        page = html.unescape(entry_at(tmp_path / "a.ckpt.zip")._repr_html_())
        rows = re.findall(r"(\d+) +(\d+) +\[(\d+)\]", page)
        assert len(rows) > 2
        assert all(len({*row}) == 1 for row in rows)
