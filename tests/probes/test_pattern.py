"""Patterns: many functions by one probe."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import capture, probe
from checkpoints._probes.targets import probes_from_environment
from checkpoints.errors import ConfigError

pytest.importorskip("wrapt")


@pytest.fixture(autouse=True)
def library(monkeypatch):
    """A fresh library for each test, so that its calls count from 1."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    monkeypatch.setattr(checkpoints._probes.calls, "_numbers", {})

    def ours():
        return [name for name in sys.modules if name.split(".")[0] == "probed"]

    for name in ours():
        monkeypatch.delitem(sys.modules, name)
    yield
    for each in list(checkpoints._probes.probe.probes.values()):
        each.remove()
    for name in ours():
        del sys.modules[name]


@pytest.fixture
def noticing():
    return importlib.import_module("probed.noticing")


def short(names):
    return [name.removeprefix("probed.noticing.") for name in names]


class TestPattern:
    def test_stands_for_the_public_functions_that_a_module_defines(self, noticing):
        made = probe("probed.noticing:*")
        assert short(made.names) == [
            *("depth", "kind", "say", "warn", "ask", "callers", "closing"),
            *("Shelf.__init__", "Shelf.scaled", "Shelf.Drawer.open", "shown"),
        ]
        assert repr(made) == "<Probe 'probed.noticing.*', in place on 11 functions>"

    def test_stands_for_private_ones_where_it_says_so(self, noticing):
        assert short(probe("probed.noticing:_*").names) == ["_", "_private"]
        assert short(probe("probed.noticing:Shelf._*").names) == [
            "Shelf.__init__",
            "Shelf._hidden",
        ]

    def test_may_be_a_glob_for_names(self, noticing):
        assert short(probe("probed.noticing:[cs]*").names) == [
            *("say", "callers", "closing", "shown"),
        ]

    def test_finds_functions_that_say_they_are_of_another_module(self, noticing):
        noticing.say.__module__ = "probed"
        assert "say" in short(probe("probed.noticing:s*").names)

    def test_may_be_a_class_by_its_name(self, noticing):
        made = probe("probed.noticing:Shelf")
        assert short(made.names) == [
            *("Shelf.__init__", "Shelf.scaled", "Shelf.Drawer.open"),
        ]
        with capture("probed") as seen:
            noticing.Shelf(2).scaled(3)
        assert "call=1/probed/noticing/Shelf/scaled" in seen

    def test_may_be_a_class(self, noticing):
        assert "probed.noticing.Shelf.scaled" in probe(noticing.Shelf).names

    def test_leaves_out_what_is_excluded(self, noticing):
        made = probe("probed.noticing:*", exclude=["probed.noticing:Shelf", "*:c*"])
        assert short(made.names) == ["depth", "kind", "say", "warn", "ask", "shown"]

    def test_of_a_package_covers_all_modules_below_as_they_come(self):
        made = probe("probed.*:*")
        assert made.names == []
        module = importlib.import_module("probed.later_module")
        assert made.names == ["probed.later_module.work"]
        with capture("probed") as seen:
            module.work(4)
        assert seen["call=1/probed/later_module/work/result"] == {"result": 8}
        importlib.import_module("probed.shop")
        assert "probed.shop.Till.add" in made.names

    def test_that_is_removed_covers_nothing_that_comes(self):
        made = probe("probed.*:*")
        made.remove()
        importlib.import_module("probed.later_module")
        assert made.names == []

    def test_says_how_many_more_there_are_than_it_takes(
        self, noticing, monkeypatch, caplog
    ):
        monkeypatch.setattr(checkpoints._probes.probe, "_MOST", 3)
        made = probe("probed.noticing:*")
        assert len(made.names) == 3
        made.warn_if_absent()
        assert "8 more functions match, and are not probed" in caplog.text

    def test_of_a_compiled_module_takes_what_can_be_probed_and_counts_the_rest(self):
        made = probe("_bisect:*")
        facts = made.as_facts()
        assert facts["found"] + facts["refused"] >= 4
        assert facts["found"] == 0 or made.is_in_place

    def test_together_with_a_single_function_saves_each_call_once(self, noticing):
        probe("probed.noticing:*")
        probe("probed.noticing:depth")
        with capture("probed.noticing.depth") as seen, pytest.raises(TypeError):
            noticing.depth("a")
        assert len(seen) == 2

    def test_that_matches_nothing_is_told(self, noticing, caplog):
        probe("probed.noticing:zzz*").warn_if_absent()
        assert "waiting for its module" in caplog.text

    @pytest.mark.parametrize("target", ["*", "probed.noticing:", "a b:*", "a.*.b"])
    def test_that_is_none_is_refused(self, target):
        with pytest.raises(ConfigError, match=r"package\.module:\*"):
            probe(target)

    def test_from_the_environment_may_exclude(self, noticing, monkeypatch, caplog):
        text = "probed.noticing:*; !probed.noticing:Shelf; !*:c*"
        monkeypatch.setenv("CHECKPOINTS_PROBES", text)
        with caplog.at_level(logging.WARNING):
            (made,) = probes_from_environment()
        assert short(made.names) == ["depth", "kind", "say", "warn", "ask", "shown"]
        assert not caplog.records
