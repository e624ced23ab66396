"""What a saved file can make a replay do, if it is not trusted."""

from __future__ import annotations

import pytest

from checkpoints import ReplayError, replay
from checkpoints._probes import calls
from checkpoints._process.random_state import ENVIRONMENT
from checkpoints._replay.repro import variables_in


class TestClass:
    def test_the_file_cannot_choose_another_class(self, shop, saved, monkeypatch):
        monkeypatch.setattr(calls, "_place_of", lambda _: "subprocess:Popen")
        entry = saved("shop:Till.open", lambda: shop.Till.open("a"))
        with pytest.raises(ReplayError, match="not related to Till"):
            replay(entry, function=shop.Till.open)

    def test_the_file_cannot_have_a_module_imported(
        self, shop, saved, monkeypatch, tmp_path
    ):
        (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(calls, "_place_of", lambda _: "evil:X")
        entry = saved("shop:Till.open", lambda: shop.Till.open("a"))
        with pytest.raises(ReplayError, match="not loaded"):
            replay(entry, function=shop.Till.open)

    def test_a_class_below_is_taken(self, shop, saved):
        entry = saved("shop:Till.open", lambda: shop.Kiosk.open("a"))
        assert replay(entry, function=shop.Till.open).result == "Kioska"


class TestVariables:
    def test_the_file_sets_no_others_than_are_saved(self):
        given = {"OMP_NUM_THREADS": "4", "PYTHONPATH": "/evil", "LD_PRELOAD": "x.so"}
        assert variables_in({ENVIRONMENT: given}) == {"OMP_NUM_THREADS": "4"}

    @pytest.mark.parametrize("text", ["random", "4; true", "", 4, None])
    def test_only_numbers_are_taken(self, text):
        assert variables_in({ENVIRONMENT: {"PYTHONHASHSEED": text}}) == {}
