"""What headers say of calls that were left out, and of the process that forked."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

import checkpoints
from checkpoints import Session, checkpoint, config, index, probe, tags
from checkpoints._keys.key import Key
from checkpoints._process.origin import Origin

CHILD = """
import os, sys, checkpoints as cp
cp.config("fork", sys.argv[1], if_exists="keep")
cp.checkpoint("fork.a", 1)
if not os.fork():
    cp.checkpoint("fork.a", 2)
    if not os.fork():
        cp.checkpoint("fork.a", 3)
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
if not os.fork():  # it saves nothing
    if not os.fork():
        cp.checkpoint("fork.a", 4)
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
"""


def metas(root):
    return [entry.meta for entry in index(root).sort("sequence")]


class TestCall:
    def test_it_counts_the_calls_that_were_left_out_too(self, tmp_path):
        with config("sampled.every", tmp_path, every=3, if_exists="keep"):
            for _ in range(7):
                checkpoint("sampled.every", 1)
        first, second, third = (meta["call"] for meta in metas(tmp_path))
        assert (second - first, third - second) == (3, 3)

    def test_it_counts_those_that_where_refused(self, tmp_path):
        with config("sampled.where", tmp_path, where={"day": 2}):
            for day in (1, 2):
                with tags(day=day):
                    checkpoint("sampled.where", 1)
        assert [meta["call"] for meta in metas(tmp_path)] == [2]

    def test_each_name_has_its_own(self, tmp_path):
        with config("sampled.names", tmp_path):
            for name in "ab":
                checkpoint(f"sampled.names.{name}", 1)
        assert [meta["call"] for meta in metas(tmp_path)] == [1, 1]

    def test_a_session_is_a_call_for_each_set_of_tags(self, tmp_path):
        with config("sampled.session", tmp_path), Session("sampled.session") as session:
            for day in (1, 2):
                with tags(day=day):
                    session.checkpoint(x=day)
        assert [meta["call"] for meta in metas(tmp_path)] == [1, 2]

    def test_a_probe_has_that_of_its_tag(self, tmp_path):
        with config("textwrap", tmp_path), probe("textwrap:indent"):
            import textwrap

            textwrap.indent("a", " ")
        found = metas(tmp_path)
        assert len(found) == 2
        for meta in found:
            assert meta["call"] == dict(meta["tags"])["call"]

    def test_a_handler_that_is_told_to_save_knows_of_none(self, tmp_path):
        checkpoints.FileHandler(tmp_path).checkpoint("sampled.direct", 1)
        assert "call" not in metas(tmp_path)[0]


class TestSampling:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"every": 2}, {"every": 2}),
            ({"limit": 5}, {"limit": 5}),
            ({"every": 2, "limit": 5}, {"every": 2, "limit": 5}),
            ({"max_total_bytes": "1MB"}, {"max_total_bytes": 1_000_000}),
            ({"max_bytes": 500}, {"max_bytes": 500}),
            ({}, None),
        ],
    )
    @pytest.mark.parametrize("background", [False, True])
    def test_the_header_has_the_options_that_leave_calls_out(
        self, tmp_path, options, told, background
    ):
        with config("sampled", tmp_path, background=background, **options):
            checkpoint("sampled.options", 1)
        sampling = metas(tmp_path)[0].get("sampling")
        assert sampling == (told and {**told, "rule": sampling["rule"], "turn": 1})

    def test_it_is_in_a_parquet_file_too(self, tmp_path):
        pandas = pytest.importorskip("pandas")
        with config("sampled", tmp_path, every=2, format="parquet"):
            checkpoint("sampled.table", pandas.DataFrame({"x": [1]}))
        sampling = metas(tmp_path)[0]["sampling"]
        assert (sampling["every"], sampling["turn"]) == (2, 1)

    def test_it_counts_the_calls_that_where_has_accepted(self, tmp_path):
        where = {"day": 2}
        with config("sampled", tmp_path, every=2, where=where, if_exists="keep"):
            for day in (1, 2, 1, 2, 2):
                with tags(day=day):
                    checkpoint("sampled.turns", day)
        found = [(meta["call"], meta["sampling"]["turn"]) for meta in metas(tmp_path)]
        assert found == [(2, 1), (5, 3)]

    def test_it_counts_what_a_budget_has_left_out(self, tmp_path):
        with config("sampled", tmp_path, max_bytes=1000, if_exists="keep"):
            for size in (1, 2000, 2000, 1):
                checkpoint("sampled.budget", bytes(size))
        first, last = (meta["sampling"] for meta in metas(tmp_path))
        assert first.pop("rule") == last.pop("rule")
        assert first == {"max_bytes": 1000, "turn": 1}
        assert last == {"max_bytes": 1000, "turn": 4, "left_out": 2}

    def test_it_tells_rules_with_equal_options_apart(self, tmp_path):
        for number in (1, 2):
            with config("sampled", tmp_path, every=2, if_exists="keep"):
                checkpoint("sampled.again", number)
        first, second = (meta["sampling"] for meta in metas(tmp_path))
        assert first["turn"] == second["turn"] == 1
        assert first["rule"] != second["rule"]

    def test_a_session_and_a_probe_have_it_too(self, tmp_path):
        with config("sampled.s", tmp_path, every=2), Session("sampled.s") as session:
            session.checkpoint(x=1)
        with config("textwrap", tmp_path, limit=1), probe("textwrap:indent"):
            import textwrap

            textwrap.indent("a", " ")
        assert [meta["sampling"]["turn"] for meta in metas(tmp_path)] == [1, 1, 1]


class TestPart:
    def test_says_what_a_file_has_of_a_call(self, tmp_path):
        with config("textwrap", tmp_path), probe("textwrap:indent"):
            import textwrap

            textwrap.indent("a", " ")
            with pytest.raises(AttributeError):
                textwrap.indent(1, " ")
        parts = {(meta["name"], meta["part"]) for meta in metas(tmp_path)}
        assert parts == {
            ("textwrap.indent", "arguments"),
            ("textwrap.indent.result", "result"),
            ("textwrap.indent.exception", "exception"),
        }

    def test_is_not_said_of_a_checkpoint(self, tmp_path):
        with config("sampled", tmp_path), tags(call=1):
            checkpoint("sampled.part", 1)
            checkpoint("sampled.part.result", 1)
        assert all("part" not in meta for meta in metas(tmp_path))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
class TestParent:
    @pytest.fixture
    def found(self, tmp_path):
        command = [sys.executable, "-c", CHILD, str(tmp_path)]
        subprocess.run(command, check=True, timeout=60)
        return {entry["data"]: entry.meta for entry in index(tmp_path)}

    def test_a_process_that_was_not_forked_has_none(self, found):
        assert "parent" not in found[1]

    def test_a_child_has_its_parent_and_the_last_save_before_the_fork(self, found):
        one, two, three = (found[number] for number in (1, 2, 3))
        assert two["parent"] == {"pid": one["pid"], "sequence": one["sequence"]}
        assert three["parent"] == {"pid": two["pid"], "sequence": two["sequence"]}

    def test_one_in_between_that_saved_nothing_is_left_out(self, found):
        assert found[4]["parent"] == {"pid": found[1]["pid"], "sequence": 1}

    def test_numbers_continue_without_a_gap(self, found):
        assert [found[number]["sequence"] for number in (1, 2, 3, 4)] == [1, 2, 3, 2]


class TestKeys:
    def test_the_pickle_of_an_older_version_is_read(self):
        key = Key("a.b", (), Origin.here(3, (("every", 2),)))
        assert pickle.loads(pickle.dumps(key)).origin == key.origin
        older = Key("a.b")
        older.__setstate__(tuple(key.origin)[:10])
        assert older.origin is not None
        assert older.origin.call == 0
