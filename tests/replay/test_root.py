"""The folder is found that a function's module is imported from."""

from __future__ import annotations

import pytest

from checkpoints._replay.root import root_of
from checkpoints.errors import ReplayError


class TestRoot:
    def test_of_a_namespace_is_that_of_its_part_with_the_module(
        self, tmp_path, monkeypatch
    ):
        for name in ("one/space/deep/far", "two/space/deep/near"):
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "place.py").touch()
        for name in ("two", "one"):
            monkeypatch.syspath_prepend(tmp_path / name)
        assert root_of("space.deep.near.place.find") == str(tmp_path / "two")
        assert root_of("space.deep.far.place:find") == str(tmp_path / "one")

    def test_of_a_main_file_has_to_be_given(self):
        with pytest.raises(ReplayError, match=r"'file\.py:Till\.add'"):
            root_of("__main__.Till.add")
