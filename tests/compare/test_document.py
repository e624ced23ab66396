"""What a comparison of two runs says as a whole: in JSON, in Arrow, as a report."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from checkpoints import FileHandler, Key, diff, index, tags
from checkpoints._compare.values import compare
from checkpoints._process.origin import Origin
from checkpoints._show.findings import findings_of
from tests.compare.conftest import SavedRun


def roots(runs):
    return [run.root for run in runs]


class TestNumbers:
    @pytest.mark.parametrize("far", [math.inf, math.nan, 10**30, 10**400, "\ud800"])
    def test_each_value_is_shown_as_text_as_json_and_in_arrow(
        self, runs, tmp_path, far
    ):
        pytest.importorskip("pyarrow", reason="a table is made")
        repeat = SavedRun(tmp_path / "repeat")
        for day, (run, value) in enumerate(
            zip((*runs, repeat), (1, far, far), strict=True)
        ):
            run.save("risk", {"x": value}, tags={"tag": "t\ud800"}, time=1.7e9 + day)
        found = diff(*roots(runs), noise=repeat.root)
        json.dumps(found.as_json(), allow_nan=False)
        assert str(found).startswith(("DIFFERENT", "NOISE"))
        assert len(found.pairs) == 1

    def test_a_table_of_no_pairs_has_the_same_columns(self, runs):
        pytest.importorskip("pyarrow", reason="a table is made")
        for run in runs:
            run.save("risk", 1.0)
        some = [index(root) for root in roots(runs)]
        none = [entries[:0] for entries in some]
        assert diff(*none).pairs.schema == diff(*some).pairs.schema


class TestOrder:
    def test_the_worst_value_is_the_first_in_the_document(self, runs):
        runs[0].save("risk", {"far": object, "near": 1.0, "odd": [1]})
        runs[1].save("risk", {"far": int, "near": 1.0 + 1e-9, "odd": [2]})
        found = diff(*roots(runs))
        (pair,) = found.as_json()["pairs"]
        (kept,) = found
        assert pair["values"][0]["value"] == kept.worst[0]
        assert [it["value"] for it in pair["values"]] == [n for n, _ in kept.ranked]

    def test_the_number_of_a_save_is_never_above_the_count(self, runs):
        for run, values in zip(runs, ([1, 2, 3, 4], [1, 9, 8, 4]), strict=True):
            for at, value in enumerate(values):
                run.save("loop", value)
                if at == 1 and run is runs[1]:
                    run.save("loop", 77)
        for pair in diff(*roots(runs)):
            assert pair.occurrence[0] <= pair.occurrence[1]


class TestReport:
    def test_says_what_was_not_saved_before_the_first_divergence(self, runs):
        runs[0].save("lost", 1)
        for run, value in zip(runs, (1, 2), strict=True):
            run.save("risk", value)
        found = diff(*roots(runs))
        assert (found.first.name, found.first_unpaired.name) == ("risk", "lost")
        assert "before it  lost is in the baseline only" in str(found)

    def test_says_of_the_first_divergence_that_one_before_it_is_unknown(self, runs):
        for run, value in zip(runs, (1, 2), strict=True):
            run.save("early", 0)
            run.save("risk", value)
        path = Path(runs[1].root, "early.ckpt.zip")
        path.write_bytes(path.read_bytes()[:-1])
        first, *_ = str(diff(*roots(runs))).splitlines()
        assert first.endswith("risk; 1 pair before it cannot be compared")

    def test_says_that_a_filter_matches_nothing_and_what_names_there_are(self, runs):
        for run, name in zip(runs, ("risk.cov", "risk.rho"), strict=True):
            run.save(name, 1)
        text = str(diff(*roots(runs), names="risk.cov"))
        assert "the filter matches nothing in the candidate" in text
        assert "it has     risk.rho" in text

    def test_says_that_both_sides_are_the_same_run(self, runs):
        runs[0].save("risk", 1)
        text = "both sides are the same run"
        assert text in str(diff(runs[0].root, runs[0].root))
        runs[1].save("risk", 1)
        assert text not in str(diff(*roots(runs)))

    def test_names_both_files(self, tmp_path):
        for name in ("a", "b"):
            FileHandler(tmp_path).checkpoint(name, x=len(name))
        one, other = index(str(tmp_path))
        text = str(diff(one, other))
        assert one.path in text
        assert other.path in text

    def test_says_of_how_many_runs_it_is_the_last(self, runs):
        place = ("host", 1, "MainThread", "program.py", 7, "main")
        handler = FileHandler(runs[0].root)
        for day in (1, 2):
            made = Origin(f"2026010{day}-000000-aaaaaa", 1, 1.7e9 + day, *place)
            handler.commit(Key("risk", (("day", day),), made), {"x": 1})
        for record in Path(runs[0].root).glob(".*"):
            shutil.rmtree(record)  # of this very run
        runs[1].save("risk", 1)
        text = str(diff(*roots(runs)))
        assert "has 2 runs: the last one is compared" in " ".join(text.split())

    def test_says_how_many_pairs_were_not_compared(self, runs):
        for run, value in zip(runs, (1, 2), strict=True):
            for name in "abc":
                run.save(name, value)
        text = "stopped    at the first difference; not compared: 2 pairs"
        assert text in str(diff(*roots(runs), first_only=True))
        assert "stopped" not in str(diff(*roots(runs)))

    def test_names_what_was_asked_for_in_vain(self, runs):
        for run in runs:
            run.save("risk", 1, tags={"day": 1})
        options = {
            "keys": {"none": ["k"], "risk": ["k"]},
            "rename": {"gone": "new", "risk": "risk"},
            "ignore_tags": ["day", "month"],
        }
        found = diff(*roots(runs), **options)
        assert found.as_json()["unused"] == {
            "keys": ["none"],
            "rename": ["gone=new"],
            "ignore_tags": ["month"],
        }
        assert "unused key none matches no entry" in str(found)

    def test_as_many_pairs_may_inherit_as_the_table_marks(self, tmp_path):
        for root, value in (("one", 1), ("two", 2)):
            handler = FileHandler(tmp_path / root)
            for day in (1, 2, 3):
                with tags(day=day):
                    handler.checkpoint("a", x=value)
                    handler.checkpoint("b", x=value)
        text = str(diff(str(tmp_path / "one"), str(tmp_path / "two")))
        assert "EARLIEST SAVED; 5 later pairs may inherit it" in text
        assert text.count("inherited?") == 5


class TestObjects:
    def test_a_set_of_objects_without_equality_is_unknown_with_the_reason(self):
        found = [
            compare(*pair) for pair in (({Own()}, {Own()}), ({Own(): 1}, {Own(): 1}))
        ]
        assert [it.verdict for it in found] == ["unknown", "unknown"]
        assert all("they have no ==" in it.why for it in found)


class Own:
    pass


class TestAligned:
    def test_saves_of_several_processes_were_paired_by_mere_order_for_that(self, runs):
        for is_candidate, run in enumerate(runs):
            for at in range(6):
                run.save("a", at, pid=1 + (at % 2 if is_candidate else at // 3))
        (line,) = (it for it in str(diff(*roots(runs))).splitlines() if "mere" in it)
        assert line.endswith("mere order: several threads or processes saved it")

    def test_sequences_that_differ_too_much_are_told_as_that(self, runs):
        for is_candidate, run in enumerate(runs):
            # More than are aligned, and hardly two next to each other in both runs.
            for at in range(2000):
                name = f"k{at * (7 if is_candidate else 1) % 41}"
                run.save(name, [is_candidate, at])
        document = diff(*roots(runs)).as_json()
        by_order = [it for it in document["aligned"] if it["by_order"]]
        assert by_order
        assert not any(it["several_threads"] for it in by_order)
        assert "mere order: the sequences differ too much" in "\n".join(
            text for _, text in findings_of(document).notes
        )
