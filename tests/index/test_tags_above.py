"""Tags of folders above a run: kept in every table, so that runs can be told apart."""

from __future__ import annotations

import datetime

import pytest

from checkpoints import FileHandler, index, tags
from checkpoints._process import origin


@pytest.fixture
def save(monkeypatch):
    def save(root, run="a", **tagged):
        monkeypatch.setattr(origin, "_run", [run])
        with tags(tagged):
            FileHandler(root, if_exists="keep").checkpoint("shop.total", v=1)

    return save


def column_of(root, tag, way):
    found = index(root)
    if way == "concat":
        table = found.concat("v", to="arrow")
    else:
        table = found.to_arrow(details=way == "details")
    return table[tag].to_pylist()


@pytest.mark.parametrize("way", ["paths", "details", "concat"])
class TestEveryTable:
    def test_has_the_tags_of_folders_above_the_root_of_the_saves(
        self, tmp_path, save, way
    ):
        for number in "12":
            save(tmp_path / f"exp={number}" / "deep" / "try=x", day=3)
        assert column_of(tmp_path, "exp", way) == ["1", "2"]
        assert column_of(tmp_path, "try", way) == ["x", "x"]

    def test_has_the_run_that_stands_in_the_path(self, tmp_path, save, way):
        for run in "ab":
            save(tmp_path / "run={run}", run, day=3)
        column = "run" if way == "concat" else "tag_run"
        assert column_of(tmp_path, column, way) == ["a", "b"]

    def test_has_the_innermost_value_of_a_tag_that_stands_in_both(
        self, tmp_path, save, way
    ):
        save(tmp_path / "day=1", day=2)
        assert list(map(str, column_of(tmp_path, "day", way))) == ["2"]

    def test_keeps_them_below_a_root_in_the_middle_of_the_tags(
        self, tmp_path, save, way
    ):
        save(tmp_path / "exp=1", day=2, shop="north")
        root = tmp_path / "exp=1" / "day=2"
        assert column_of(root, "shop", way) == ["north"]


class TestTypes:
    def test_a_tag_above_has_the_type_it_has_elsewhere(self, tmp_path, save):
        save(tmp_path, day=datetime.date(2026, 3, 1))
        save(tmp_path / "day=2026-03-02", shop="north")
        expected = [datetime.date(2026, 3, 1), datetime.date(2026, 3, 2)]
        assert column_of(tmp_path, "day", "details") == expected
        assert column_of(tmp_path, "day", "concat") == expected


class TestConcat:
    def test_rows_of_two_runs_with_the_same_keys_have_a_run(self, tmp_path, save):
        for run in "ab":
            save(tmp_path, run, day=1)
        assert column_of(tmp_path, "run", "concat") == ["a", "b"]

    def test_no_run_is_added_where_tags_tell_the_rows_apart(self, tmp_path, save):
        for day, run in enumerate("ab"):
            save(tmp_path, run, day=day)
        table = index(tmp_path).concat("v", to="arrow")
        assert table.column_names == ["day", "v"]
