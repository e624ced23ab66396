"""What a failing test held, the tags that keep tests apart, and what is loaded."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

pytest_plugins = ["pytester"]

TOP = Path(__file__).parents[2]
LOADED = """
import sys, pytest
before = set(sys.modules)
import checkpoints
catalogue = set(sys.modules)
import checkpoints.pytest_plugin
print(*sorted(set(sys.modules) - catalogue))
"""


@pytest.fixture
def run(pytester):
    installed = any(
        it.value == "checkpoints.pytest_plugin"
        for it in importlib.metadata.entry_points(group="pytest11")
    )
    words = () if installed else ("-p", "checkpoints.pytest_plugin")

    def run_with(text, *more):
        top = "import pytest\nimport checkpoints as cp\n\n"
        Path(pytester.path, "test_shop.py").write_text(top + text)
        return pytester.runpytest_inprocess(*words, "-p", "no:randomly", *more)

    return run_with


KEEP = "--checkpoints-on-failure=kept"
TWO = """
def test_good():
    cp.checkpoint('shop.total', 1)

def test_bad():
    for n in range(3):
        cp.checkpoint('shop.total', n)
    assert False
"""


class TestOnFailure:
    def test_it_may_be_kept_in_a_bucket(self, run, bucket):
        for _ in range(2):
            found = run(TWO, f"--checkpoints-on-failure={bucket}")
            found.assert_outcomes(passed=1, failed=1)
            found.stdout.fnmatch_lines([f"3 saves of this test are kept in {bucket}"])
        assert [it["data"] for it in index(bucket).sort("sequence")] == [0, 1, 2]

    def test_what_a_failing_test_held_is_kept_and_named_in_its_report(
        self, run, pytester
    ):
        found = run(TWO, KEEP)
        found.assert_outcomes(passed=1, failed=1)
        found.stdout.fnmatch_lines(
            ["3 saves of this test are kept in *kept", "checkpoints ls *test_bad*"]
        )
        kept = index(pytester.path / "kept")
        assert [it["data"] for it in kept.sort("sequence")] == [0, 1, 2]
        assert kept.tag_values("test") == ["test_shop.py::test_bad"]
        assert kept[0].meta["dumped"] == "call of test_shop.py::test_bad failed"

    def test_a_second_run_replaces_what_the_first_has_kept(self, run, pytester):
        run(TWO, KEEP)
        run(TWO.replace("range(3)", "range(1)"), KEEP)
        assert len(index(pytester.path / "kept")) == 1

    @pytest.mark.parametrize("phase", ["setup", "teardown"])
    def test_fixtures_that_fail_count(self, run, pytester, phase):
        where = "" if phase == "setup" else "    yield\n"
        run(
            f"@pytest.fixture\ndef oven():\n{where}    cp.checkpoint('shop.oven', 1)\n"
            "    raise OSError\n\ndef test_it(oven): pass\n",
            KEEP,
        )
        assert index(pytester.path / "kept").names() == ["shop.oven"]

    def test_a_test_with_a_baseline_is_recorded_too(self, run, pytester):
        run(
            "@pytest.mark.checkpoint_baseline('shop')\n"
            "def test_it(): cp.checkpoint('shop.total', 1)\n",
            KEEP,
        ).assert_outcomes(failed=1)
        assert len(index(pytester.path / "kept")) == 1

    def test_a_test_that_saves_nothing_or_passes_leaves_nothing(self, run, pytester):
        run("def test_it(): assert False\ndef test_b(): cp.checkpoint('a', 1)\n", KEEP)
        assert not (pytester.path / "kept").exists()

    def test_a_test_that_removes_all_rules_takes_it_from_none(self, run, pytester):
        run("def test_reset(): cp.reset()\n" + TWO, KEEP)
        assert len(index(pytester.path / "kept")) == 3

    def test_rules_and_captures_of_a_test_get_what_they_got_before(self, run):
        run(
            "def test_it(tmp_path):\n"
            "    with cp.capture() as seen: cp.checkpoint('shop.total', 1)\n"
            "    assert list(seen) == ['shop/total']\n"
            "    with cp.config('shop', tmp_path): cp.checkpoint('shop.total', 1)\n"
            "    assert len(cp.index(tmp_path)) == 1\n",
            KEEP,
        ).assert_outcomes(passed=1)

    def test_no_rule_is_left_at_the_end(self, run):
        run(TWO, KEEP)
        assert checkpoints.rules() == []


class TestTags:
    RULE = """
@pytest.fixture(scope='session', autouse=True)
def out():
    with cp.config('shop', 'out'): yield

def test_one(): cp.checkpoint('shop.total', 1)
def test_two(): cp.checkpoint('shop.total', 2)
"""

    def test_two_tests_under_one_rule_and_one_name_keep_their_saves(
        self, run, pytester
    ):
        run(self.RULE).assert_outcomes(passed=2)
        found = index(pytester.path / "out")
        tests = {it.tags["test"]: it["data"] for it in found}
        assert tests == {"test_shop.py::test_one": 1, "test_shop.py::test_two": 2}

    def test_rules_that_are_there_before_the_first_test_count(self, run, pytester):
        text = "def test_one(): cp.checkpoint('shop.total', 1)\n"
        with checkpoints.config("shop", pytester.path / "out"):
            run(text).assert_outcomes(passed=1)
        assert index(pytester.path / "out").tag_values("test")

    def test_a_test_with_rules_of_its_own_has_no_tag(self, run):
        run(
            "@pytest.fixture\ndef seen():\n"
            "    with cp.capture() as seen: yield seen\n\n"
            "def test_it(seen):\n    cp.checkpoint('shop.total', 1)\n"
            "    assert list(seen) == ['shop/total'] and cp.current_tags() == ()\n"
        ).assert_outcomes(passed=1)

    def test_the_tag_is_gone_after_the_tests(self, run):
        run(self.RULE)
        assert checkpoints.current_tags() == ()

    def test_a_baseline_is_the_same_with_and_without_other_rules(self, run, pytester):
        text = (
            "@pytest.mark.checkpoint_baseline('shop')\n"
            "def test_it(): cp.checkpoint('shop.total', 1)\n"
        )
        with checkpoints.config("shop", pytester.path / "out"):
            run(text, "--checkpoints-update").assert_outcomes(passed=1)
        run(text).assert_outcomes(passed=1)


class TestInstallation:
    def test_pytest_finds_the_plugin(self):
        project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
        group = project["entry-points"]["pytest11"]
        assert group == {"checkpoints": "checkpoints.pytest_plugin"}

    def test_it_loads_nothing_of_the_library_but_itself(self):
        found = subprocess.run(
            [sys.executable, "-c", LOADED],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(checkpoints.__file__).parents[1])},
        )
        ours = [it for it in found.stdout.split() if it.startswith("checkpoints")]
        assert ours
        assert all(it.startswith("checkpoints.pytest_plugin") for it in ours)
