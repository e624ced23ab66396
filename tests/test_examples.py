"""The example, run as a newcomer runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import checkpoints

EXAMPLES = Path(__file__).parents[1] / "examples"
LOCATION = Path(checkpoints.__file__).parents[1]

LIBRARY_ALONE = """
import checkpoints, harvest

wines = harvest.clean(harvest.load())
learn, test = harvest.scale(*harvest.split(wines, fold=1))
guesses = harvest.predict(harvest.fit(learn, "bayes"), test)
assert 0 < harvest.evaluate(test, guesses) < 1
assert checkpoints.enabled() == []
print(*checkpoints.available(), sep="\\n")
"""


def run(folder: Path, *arguments: str) -> str:
    """Run Python in the folder, and return its output; warnings are failures."""
    path = os.pathsep.join(map(str, (LOCATION, EXAMPLES)))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def printed(folder) -> str:
    return run(folder, "-m", "harvest_app")


@pytest.fixture(scope="module")
def index(folder, printed) -> checkpoints.Index:
    return checkpoints.index(folder / "harvest-out")


class TestTheApplication:
    def test_saves_what_it_switches_on_for_each_model_and_fold(self, index):
        names = {
            "harvest.folds.split",
            "harvest.growers.fitted",
            "harvest.growers.predicted",
            "harvest.growers.evaluated",
        }
        models = {"bayes", "forest", "logistic"}
        assert {
            (entry.name, entry.tags["model"], entry.tags["fold"]) for entry in index
        } == {(name, m, f) for name in names for m in models for f in "1234"}
        assert len(index) == 4 * 3 * 4

    def test_writes_nowhere_else(self, folder, index):
        assert sorted(os.listdir(folder)) == ["harvest-out", "harvest-runs"]
        everything = checkpoints.index(index.root, all_files=True)
        assert list(everything) == list(index)

    def test_saves_all_wines_in_each_split(self, index):
        splits = [entry.load() for entry in index if entry.stem == "split"]
        assert len(splits) == 3 * 4
        for parts in splits:
            assert list(parts) == ["learn", "test"]
            rows = pd.concat(parts.values()).index
            assert sorted(rows) == list(range(178))

    def test_saves_the_guesses_that_its_accuracies_come_from(self, index):
        runs: dict[tuple[tuple[str, str], ...], dict[str, object]] = {}
        for entry in index:
            runs.setdefault(entry.tags.items(), {}).update(entry.load())
        for values in runs.values():
            right = values["truth"] == values["guesses"]
            assert values["overall"] == right.mean()

    def test_loads_without_trust_in_the_files(self, index):
        kinds = {
            value["kind"] for entry in index for value in entry.meta["values"].values()
        }
        assert "pickle" not in kinds

    def test_prints_the_wrong_number_and_what_was_saved_of_it(self, printed):
        assert "0.00 looks wrong" in printed
        rows = [line.split()[:3] for line in printed.splitlines() if "=4 " in line]
        assert rows == [
            ["harvest.folds.split", "model=bayes", "fold=4"],
            ["harvest.growers.fitted", "model=bayes", "fold=4"],
            ["harvest.growers.predicted", "model=bayes", "fold=4"],
            ["harvest.growers.evaluated", "model=bayes", "fold=4"],
        ]

    def test_prints_the_cause(self, printed):
        assert ["2", "4", "44"] in [line.split() for line in printed.splitlines()]

    def test_prints_commands_that_work_as_they_stand(self, folder, printed):
        marker = ' -c "'
        commands = [line for line in printed.splitlines() if marker in line]
        codes = [line.partition(marker)[2].removesuffix('"') for line in commands]
        listed, loaded = (run(folder, "-c", code) for code in codes)
        assert len(listed.splitlines()) == 48
        assert "grower" in loaded

    def test_tells_where_its_files_are(self, folder, printed):
        assert "48 files are in harvest-out/" in printed
        (listing,) = [line for line in printed.splitlines() if "unzip -l" in line]
        assert (folder / listing.split()[-1]).is_file()

    def test_names_the_stage_that_was_changed(self, printed):
        begin = printed.index("  DIFFERENT")
        report = (
            printed[begin : printed.index("harvest.scale is")].rstrip().splitlines()
        )
        assert report[0] == (
            "  DIFFERENT  first beyond tolerance: harvest.folds.scaled  fold=3 "
            "model=bayes"
        )
        assert len(report) < 25
        assert max(map(len, report)) <= 102
        (wrong,) = [line for line in report if line.endswith("  earliest")]
        assert "harvest.folds.scaled" in wrong

    def test_ends_with_that_stage_called_again_alone(self, printed):
        report = printed[printed.rindex("  DIFFERENT") :].splitlines()
        assert report[0].startswith("  DIFFERENT  from what it did: harvest.scale  ")
        assert "called     harvest.folds.scale at " in report[2]
        assert sum("2,314 of 2,492 cells" in line for line in report) == 1


class TestTheLibraryAlone:
    def test_saves_nothing_and_knows_its_checkpoints(self, tmp_path):
        assert run(tmp_path, "-c", LIBRARY_ALONE).split() == [
            "harvest.folds.scaled",
            "harvest.folds.split",
            "harvest.growers.evaluated",
            "harvest.growers.fitted",
            "harvest.growers.predicted",
            "harvest.wines.cleaned",
            "harvest.wines.loaded",
        ]
        assert os.listdir(tmp_path) == []
