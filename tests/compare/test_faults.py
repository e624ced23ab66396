"""A line of the example is changed: the comparison names the stage that it is in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import diff

pytest.importorskip("sklearn", reason="the example fits its models")

EXAMPLES = Path(__file__).parents[2] / "examples"
LOCATION = Path(checkpoints.__file__).parents[1]
PROGRAM = """
import sys
import checkpoints, harvest

checkpoints.config("harvest", sys.argv[1])
wines = harvest.clean(harvest.load())
for model in harvest.MODELS:
    with checkpoints.tags(model=model):
        learn, test = harvest.scale(*harvest.split(wines, fold=1))
        harvest.evaluate(test, harvest.predict(harvest.fit(learn, model), test))
"""
# The file, the line before and after, and the stage in which it stands.
FAULTS = {
    "a sort that is not stable": (
        "wines.py",
        "drop_duplicates(ignore_index=True)",
        'sort_values("magnesium", kind="stable", ignore_index=True)',
        'sort_values("magnesium", kind="heapsort", ignore_index=True)',
        "harvest.wines.cleaned",
    ),
    "a dropped row": (
        "wines.py",
        "drop_duplicates(ignore_index=True)",
        "drop_duplicates(ignore_index=True)",
        "drop_duplicates(ignore_index=True)[1:]",
        "harvest.wines.cleaned",
    ),
    "a changed dtype": (
        "wines.py",
        "(as_frame=True).frame",
        "(as_frame=True).frame",
        '(as_frame=True).frame.astype({"target": "float64"})',
        "harvest.wines.loaded",
    ),
    "a shifted seed": (
        "growers.py",
        "random_state=0",
        "random_state=0",
        "random_state=1",
        "harvest.growers.fitted",
    ),
    "a renamed column": (
        "wines.py",
        '"protein"',
        '"protein"',
        '"proteins"',
        "harvest.wines.cleaned",
    ),
}
UNCHANGED = ("wines.py", '"protein"', '"protein"')


def save(folder, file, line, changed):
    """Run the example with a line changed; return where it saved."""
    copy = folder / "harvest"
    shutil.copytree(EXAMPLES / "harvest", copy)
    source = (copy / file).read_text()
    assert source.count(line) == 1
    (copy / file).write_text(source.replace(line, changed))
    path = os.pathsep.join([str(folder), str(LOCATION)])
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / "saved")],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=100,
    )
    return folder / "saved"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Where the example saved with a line changed; it runs once for each change."""
    roots = {}

    def root(*change):
        if change not in roots:
            roots[change] = save(tmp_path_factory.mktemp("run"), *change)
        return roots[change]

    return root


@pytest.mark.parametrize("fault", FAULTS)
def test_the_stage_of_each_fault_is_named(saved, fault):
    file, line, before, after, stage = FAULTS[fault]
    is_unchanged = before == line
    baseline = UNCHANGED if is_unchanged else (file, line, before)
    found = diff(saved(*baseline), saved(file, line, after), trusted=True)
    assert found.verdict == "different"
    assert found.first.name == stage
    assert found.first.role == "origin"


def test_a_second_run_of_the_same_lines_is_equal(saved, tmp_path):
    again = save(tmp_path, *UNCHANGED)
    assert diff(saved(*UNCHANGED), again, trusted=True).verdict == "equal"
