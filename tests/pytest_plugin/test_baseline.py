"""Baselines of save points: what passes, what fails, and what is rewritten."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

import checkpoints

pytest_plugins = ["pytester"]

INSTALLED = any(
    it.value == "checkpoints.pytest_plugin"
    for it in importlib.metadata.entry_points(group="pytest11")
)
OURS = [] if INSTALLED else ["-p", "checkpoints.pytest_plugin"]
MARK = "@pytest.mark.checkpoint_baseline"
# What works wherever one of the two ways to start pytest does.
ACCEPT = "python -m pytest test_shop.py::test_total --checkpoints-update"
KEPT = "baselines/test_shop/test_total"


class Project:
    """A test file whose save points can be changed, in a folder of its own."""

    def __init__(self, pytester):
        self.pytester = pytester
        self.path: Path = pytester.path

    def write(self, body: str, mark: str = f"{MARK}('shop')") -> None:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        self.write_file(f"{mark}\ndef test_total():\n{lines}\n")

    def write_file(self, text: str, name: str = "test_shop") -> None:
        top = "import pytest\nimport checkpoints as cp\n\n"
        Path(self.path, f"{name}.py").write_text(top + text)

    def run(self, *words: str):
        return self.pytester.runpytest_inprocess(*OURS, "-p", "no:randomly", *words)

    def update(self, *words: str, mode: str = ""):
        return self.run(*words, "--checkpoints-update" + (f"={mode}" if mode else ""))

    def saved(self, folder: str = KEPT) -> dict[str, dict[str, object]]:
        found = checkpoints.index(self.path / folder)
        return {it.stem: it.load() for it in found}


@pytest.fixture
def project(pytester) -> Project:
    return Project(pytester)


@pytest.fixture
def kept(project) -> Project:
    """A project with a baseline of three points."""
    project.write("for n in range(3): cp.checkpoint(f'shop.p{n}', x=float(n + 1))")
    project.update().assert_outcomes(passed=1)
    return project


class TestComparison:
    def test_a_missing_baseline_fails_and_what_was_obtained_lies_beside_it(
        self, project
    ):
        project.write("cp.checkpoint('shop.total', x=1.0)")
        run = project.run()
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines(
            [
                "*the test has no baseline in baselines/test_shop/test_total",
                "*saved      shop.total",
                f"*accept     {ACCEPT}",
            ]
        )
        assert not Path(project.path, KEPT).exists()
        assert project.saved(KEPT + ".obtained") == {"total": {"x": 1.0}}

    def test_the_same_points_pass(self, kept):
        kept.run().assert_outcomes(passed=1)
        assert not list(kept.path.rglob("*.obtained"))

    def test_a_difference_fails_with_the_report_of_diff_and_the_command(self, kept):
        kept.write("for n in range(3): cp.checkpoint(f'shop.p{n}', x=n * 1.5 + 1)")
        run = kept.run()
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines(
            [
                "DIFFERENT  first beyond tolerance: shop.p1*",
                "*candidate  baselines/test_shop/test_total.obtained*",
                "*obtained   baselines/test_shop/test_total.obtained",
                f"*accept     {ACCEPT}",
            ]
        )
        assert len(kept.saved(KEPT + ".obtained")) == 3

    def test_what_was_obtained_is_gone_when_the_test_passes_again(self, kept):
        text = Path(kept.path, "test_shop.py").read_text()
        kept.write("cp.checkpoint('shop.p0', x=9.0)")
        kept.run().assert_outcomes(failed=1)
        Path(kept.path, "test_shop.py").write_text(text)
        kept.run().assert_outcomes(passed=1)
        assert not list(kept.path.rglob("*.obtained"))

    def test_git_does_not_see_what_was_obtained(self, project):
        project.write("cp.checkpoint('shop.total', x=1.0)")
        project.run()
        assert Path(project.path, KEPT + ".obtained/.gitignore").read_text() == "*\n"

    @pytest.mark.parametrize(
        ("mark", "outcome"),
        [
            ("", "failed"),
            (", rtol=1e-3", "passed"),
            (", rtol=1e-9", "failed"),
            (", tolerances='limits.toml'", "passed"),
        ],
    )
    def test_tolerances_decide(self, project, mark, outcome):
        Path(project.path, "limits.toml").write_text("[[tolerance]]\nrtol = 1e-3\n")
        project.write("cp.checkpoint('shop.total', x=1.0)")
        project.update()
        project.write("cp.checkpoint('shop.total', x=1.0001)", f"{MARK}('shop'{mark})")
        project.run().assert_outcomes(**{outcome: 1})

    @pytest.mark.parametrize(
        ("mark", "message"),
        [
            ("'shop', rtl=1", "unknown option 'rtl'"),
            ("'shop', rtol=-1", "invalid rtol=-1"),
            ("'shop', rtol=1, tolerances='x'", "write them into that file"),
            ("'shop', tolerances='gone.toml'", "cannot read *gone.toml"),
            ("'sh..op'", "checkpoint_baseline: *'sh..op'"),
            ("'other'", "passed no save point that 'other' covers"),
        ],
    )
    def test_a_wrong_marker_fails_and_says_what_is_wrong(self, kept, mark, message):
        kept.write("cp.checkpoint('shop.p0', x=1.0)", f"{MARK}({mark})")
        run = kept.run()
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines([f"*{message}*"])

    def test_only_names_that_are_asked_for_count(self, project):
        project.write("cp.checkpoint('shop.a', 1); cp.checkpoint('other.a', 2)")
        project.update()
        assert list(project.saved()) == ["a"]

    def test_a_misspelt_marker_is_refused_with_the_right_one(self, project):
        project.write("pass", "@pytest.mark.checkpoint_baselines")
        run = project.run("-W", "ignore")
        assert run.ret == pytest.ExitCode.USAGE_ERROR
        run.stderr.fnmatch_lines(["*did you mean 'checkpoint_baseline'?*"])

    def test_the_fixture_is_the_marker_without_options(self, project):
        project.write_file(
            "def test_total(checkpoint_baseline):\n"
            "    assert checkpoint_baseline.name == 'test_total'\n"
            "    cp.checkpoint('shop.total', 1)\n"
        )
        project.run().assert_outcomes(failed=1)
        project.update().assert_outcomes(passed=1)
        project.run().assert_outcomes(passed=1)

    def test_a_test_that_fails_itself_is_not_compared(self, kept):
        kept.write("cp.checkpoint('shop.p0', x=9.0)\nassert False, 'its own reason'")
        run = kept.update()
        run.assert_outcomes(failed=1)
        assert "DIFFERENT" not in run.stdout.str()
        assert kept.saved()["p0"] == {"x": 1.0}

    @pytest.mark.parametrize(
        "text",
        [
            (
                "import unittest\nclass TestShop(unittest.TestCase):\n"
                f"    {MARK}('shop')\n    def test_total(self):\n"
                "        for n in range(2):\n            with self.subTest(n=n):\n"
                "                cp.checkpoint('shop.total', n)\n"
                "                self.assertEqual(n, {})\n"
            ),
            (
                f"{MARK}('shop')\ndef test_total(subtests):\n"
                "    for n in range(2):\n        with subtests.test(n=n):\n"
                "            cp.checkpoint('shop.total', n)\n"
                "            assert n == {}\n"
            ),
        ],
        ids=["unittest", "pytest"],
    )
    def test_a_test_with_a_failing_subtest_writes_no_baseline(self, project, text):
        project.write_file(text.format(1))
        assert project.update().ret == 1
        assert not Path(project.path, "baselines").exists()
        project.write_file(text.format("n"))
        assert project.update().ret == 0
        assert Path(project.path, "baselines").exists()

    def test_an_error_of_the_tested_code_is_told_as_its_own(self, kept):
        kept.write("cp.checkpoint('shop.p0', x=9.0)\nraise cp.ConfigError('its own')")
        run = kept.run()
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines(["E *ConfigError: its own", "test_shop.py:*"])
        assert "checkpoint_baseline: " not in run.stdout.str()

    def test_a_skipped_test_and_an_expected_failure_stay_what_they_are(self, kept):
        kept.write("pytest.skip()")
        kept.run().assert_outcomes(skipped=1)
        kept.write(
            "cp.checkpoint('shop.p0', x=9.0)", f"@pytest.mark.xfail\n{MARK}('shop')"
        )
        kept.run().assert_outcomes(xfailed=1)

    def test_methods_of_unittest_are_compared_too(self, project):
        body = (
            "import unittest\nclass TestShop(unittest.TestCase):\n"
            f"    {MARK}('shop')\n    def test_total(self):\n"
            "        cp.checkpoint('shop.total', {})\n"
        )
        project.write_file(body.format("1"))
        project.update().assert_outcomes(passed=1)
        project.write_file(body.format("2"))
        project.run().assert_outcomes(failed=1)
        own = body.format("2") + "        self.fail('its own reason')\n"
        project.write_file(own)
        run = project.run()
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines(["*its own reason*"])

    def test_a_save_that_fails_fails_the_test(self, project):
        project.write("cp.checkpoint('shop.total', (x for x in 'ab'))")
        project.update().assert_outcomes(failed=1)

    def test_a_loop_under_one_name_keeps_every_turn(self, project):
        project.write("for n in range(5): cp.checkpoint('shop.turn', n=n)")
        project.update()
        assert len(checkpoints.index(project.path / KEPT)) == 5
        project.write("for n in (0, 1, 7, 3, 4): cp.checkpoint('shop.turn', n=n)")
        run = project.run()
        run.stdout.fnmatch_lines(["DIFFERENT*shop.turn*(3 of 5)"])

    def test_a_loop_in_another_order_fails_until_it_is_accepted(self, project):
        project.write("for n in (1, 2, 3): cp.checkpoint('shop.turn', n=n)")
        project.update()
        project.write("for n in (2, 3, 1): cp.checkpoint('shop.turn', n=n)")
        project.run().stdout.fnmatch_lines(["DIFFERENT*saved in another order*"])
        project.update().assert_outcomes(passed=1)
        project.run().assert_outcomes(passed=1)

    def test_a_loop_without_an_order_can_say_so(self, project):
        mark = f"{MARK}('shop', order='any')"
        project.write("for n in (1, 2): cp.checkpoint('shop.turn', n=n)", mark)
        project.update()
        project.write("for n in (2, 1): cp.checkpoint('shop.turn', n=n)", mark)
        project.run().assert_outcomes(passed=1)

    def test_what_several_threads_save_has_no_order(self, project):
        body = (
            "from threading import Thread\n"
            "def save(n): cp.checkpoint('shop.turn', n=n)\n"
            "for n in {}:\n"
            "    it = Thread(target=save, args=[n])\n"
            "    it.start(); it.join()"
        )
        project.write(body.format((1, 2, 3)))
        project.update()
        project.write(body.format((3, 1, 2)))
        project.run().assert_outcomes(passed=1)

    def test_each_set_of_parameters_has_a_folder_with_a_safe_name(self, project):
        project.write_file(
            f"@pytest.mark.parametrize('x', ['a/b', 'a:b', 'ä', '..', 'x' * 300])\n"
            f"{MARK}('shop')\ndef test_total(x): cp.checkpoint('shop.total', x)\n"
        )
        project.update().assert_outcomes(passed=5)
        project.run().assert_outcomes(passed=5)
        names = [it.name for it in Path(project.path, "baselines/test_shop").iterdir()]
        assert len(names) == 5
        assert all(len(it) < 140 and ":" not in it and it.isascii() for it in names)

    def test_nothing_in_a_baseline_tells_where_it_was_made(self, kept):
        header = checkpoints.index(kept.path / KEPT)[0].meta
        assert "test_shop.py" in str(header)
        assert str(kept.path) not in str(header)
        assert not any(header.get(it) for it in ("run", "host", "pid", "thread"))
        assert not Path(kept.path, KEPT, ".runs").exists()

    def test_calls_of_a_probed_function_are_known_whatever_ran_before(self, project):
        pytest.importorskip("wrapt", reason="it wraps the function")
        for name in ("first", "second"):
            body = "with cp.probe('textwrap:indent'): textwrap.indent('a', '-')"
            text = (
                f"import textwrap\n\n{MARK}('textwrap')\ndef test_it():\n    {body}\n"
            )
            project.write_file(text, f"test_{name}")
        project.update().assert_outcomes(passed=2)
        project.run("test_second.py").assert_outcomes(passed=1)

    def test_calls_count_from_1_in_each_test_so_that_each_can_be_accepted_alone(
        self, project
    ):
        def write(factor):
            project.write_file(
                f"@cp.probed\ndef f(x): return outer(x) if x > 1 else x\n\n"
                f"@cp.probed\ndef outer(x): return x * (10 if x < 5 else {factor})\n\n"
                f"@{MARK[1:]}\ndef test_one(): f(1); f(2)\n\n"
                f"@{MARK[1:]}\ndef test_two(): f(3); f(7)\n"
            )

        write(10)
        project.update().assert_outcomes(passed=2)
        write(11)
        words = "test_shop.py::test_two"
        project.update(words).assert_outcomes(passed=1)
        project.run(words).assert_outcomes(passed=1)
        project.run().assert_outcomes(passed=2)
        found = checkpoints.index(project.path / "baselines/test_shop/test_two")
        for entry in found:
            assert {"1", "2"} >= {text for tag, text in entry.tags.items()}
        results = {
            it.tags["call"]: it.load()["result"] for it in found.where("*.f.result")
        }
        assert results == {"1": 30, "2": 77}
        insides = [it.meta["within"] for it in found.where("*.outer")]
        assert [it["call"] for it in insides] == [1, 2]

    def test_a_rule_that_the_program_or_its_environment_made_does_not_matter(
        self, kept, tmp_path
    ):
        with checkpoints.config("shop", tmp_path / "elsewhere"):
            kept.run().assert_outcomes(passed=1)
        kept.run().assert_outcomes(passed=1)
        assert not (tmp_path / "elsewhere").exists()


class TestMarkers:
    BODY = "for name in 'abc':\n    cp.checkpoint(f'shop.{name}.x', 1)"

    @pytest.mark.parametrize(
        "mark",
        [
            f"{MARK}('shop.a', 'shop.b')",
            f"{MARK}('shop.a')\n{MARK}('shop.b')",
            f"{MARK}('shop.a', rtol=1)\n{MARK}(names='shop.b', rtol=1)",
        ],
    )
    def test_cover_all_names_that_they_are_given(self, project, mark):
        project.write(self.BODY, mark)
        project.update().assert_outcomes(passed=1)
        found = checkpoints.index(project.path / KEPT)
        assert found.names() == ["shop.a.x", "shop.b.x"]

    def test_with_different_options_are_refused(self, project):
        project.write(self.BODY, f"{MARK}('shop.a')\n{MARK}('shop.b', rtol=1)")
        result = project.run()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*several markers with different options*"])

    def test_of_a_class_give_way_to_that_of_a_test(self, project):
        project.write(self.BODY, f"pytestmark = {MARK[1:]}('shop.c')\n{MARK}('shop.a')")
        project.update().assert_outcomes(passed=1)
        assert checkpoints.index(project.path / KEPT).names() == ["shop.a.x"]

    @pytest.mark.parametrize("given", ["rtol=-1", "rtoll=1", "tolerances='gone.toml'"])
    def test_that_are_invalid_say_so_once_and_write_nothing(self, project, given):
        project.write(self.BODY, f"{MARK}('shop', {given})")
        result = project.update()
        result.assert_outcomes(failed=1)
        assert "another exception" not in result.stdout.str()
        assert "Traceback" not in result.stdout.str()
        assert not (project.path / KEPT).exists()

    def test_are_named_in_the_rule_that_they_make(self, project):
        project.write("cp.checkpoint('shop.total', 1)\nprint(cp.rules())")
        result = project.run("-s")
        result.stdout.fnmatch_lines(["*<the baseline of test_shop.py::test_total>*"])

    def test_report_no_tag_that_nobody_gave(self, project):
        project.write("cp.checkpoint('shop.total', 1)")
        project.update()
        project.write("cp.checkpoint('shop.total', 2)")
        result = project.run()
        result.assert_outcomes(failed=1)
        assert "unused tag" not in result.stdout.str()


class TestUpdate:
    CHANGED = "for n, x in enumerate(({})): cp.checkpoint(f'shop.p{{n}}', x=x)"

    def times(self, project) -> dict[str, int]:
        files = Path(project.path, KEPT).rglob("*.zip")
        return {it.name.partition(".")[0]: it.stat().st_mtime_ns for it in files}

    def test_rewrites_what_exceeds_the_tolerance_and_nothing_else(self, kept):
        before = self.times(kept)
        kept.write(self.CHANGED.format("1.0 + 1e-12, 5.0, 3.0"))
        run = kept.update()
        run.assert_outcomes(passed=1)
        run.stdout.fnmatch_lines([f"updated  {KEPT}  1 rewritten"])
        changed = {it for it, time in self.times(kept).items() if time != before[it]}
        assert changed == {"p1"}
        assert kept.saved()["p1"] == {"x": 5.0}

    def test_of_all_rewrites_everything(self, kept):
        kept.write(self.CHANGED.format("1.0 + 1e-12, 5.0"))
        kept.update(mode="all").assert_outcomes(passed=1)
        assert kept.saved() == {"p0": {"x": 1.0 + 1e-12}, "p1": {"x": 5.0}}

    def test_of_new_adds_points_and_leaves_those_that_are_there(self, kept):
        kept.write(self.CHANGED.format("1.0, 5.0, 3.0, 4.0"))
        run = kept.update(mode="new")
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines(["DIFFERENT  first beyond*shop.p1", "*1 new"])
        assert kept.saved()["p1"] == {"x": 2.0}
        assert kept.saved()["p3"] == {"x": 4.0}

    def test_removes_points_that_are_no_longer_passed(self, kept):
        kept.write(self.CHANGED.format("1.0, 2.0"))
        kept.update().stdout.fnmatch_lines([f"updated  {KEPT}  1 removed"])
        assert sorted(kept.saved()) == ["p0", "p1"]

    def test_follows_a_loop_that_makes_more_turns(self, project):
        project.write("for n in range(3): cp.checkpoint('shop.turn', n=n)")
        project.update()
        project.write("for n in (0, 5, 1, 2): cp.checkpoint('shop.turn', n=n)")
        project.update().assert_outcomes(passed=1)
        project.run().assert_outcomes(passed=1)
        assert len(checkpoints.index(project.path / KEPT)) == 4

    def test_keeps_the_order_of_the_program(self, kept):
        kept.write(self.CHANGED.format("1.0, 5.0, 3.0"))
        kept.update()
        kept.write(self.CHANGED.format("1.0, 6.0, 7.0"))
        kept.run().stdout.fnmatch_lines(["DIFFERENT*shop.p1"])

    def test_that_changes_nothing_is_silent(self, kept):
        assert "updated" not in kept.update().stdout.str()

    @pytest.mark.parametrize(
        ("turns", "kept"),
        [
            ("[('tue', 1), ('wed', 2)]", ["tue", "wed"]),
            ("[('sun', 1), ('mon', 5)]", ["mon", "sun"]),
            ("[('mon', 1), ('wed', 5)]", ["mon", "wed"]),
        ],
    )
    def test_names_the_tags_that_were_saved_also_those_that_do_not_count(
        self, project, turns, kept
    ):
        mark = f"{MARK}('shop', ignore_tags=['day'])"
        body = (
            "for day, x in {}:\n    with cp.tags(day=day): cp.checkpoint('shop.a', x)"
        )
        project.write(body.format("[('sun', 3), ('mon', 4)]"), mark)
        project.update()
        project.write(body.format(turns), mark)
        project.update().assert_outcomes(passed=1)
        found = checkpoints.index(project.path / KEPT)
        days = [(it.tags["day"], dict(it.meta["tags"])["day"]) for it in found]
        assert sorted(days) == [(day, day) for day in kept]
        project.run().assert_outcomes(passed=1)

    def test_never_empties_a_baseline(self, kept):
        kept.write("pass")
        kept.update().assert_outcomes(failed=1)
        assert len(kept.saved()) == 3

    def test_takes_a_pickle_that_cannot_be_compared(self, project):
        project.write(
            "import fractions\ncp.checkpoint('shop.f', fractions.Fraction(1))"
        )
        project.update().assert_outcomes(passed=1)
        project.write(
            "import fractions\ncp.checkpoint('shop.f', fractions.Fraction(2))"
        )
        project.run().assert_outcomes(failed=1)
        project.update().assert_outcomes(passed=1)

    @pytest.mark.parametrize(("value", "is_refused"), [("true", True), ("0", False)])
    def test_is_refused_in_ci(self, kept, monkeypatch, value, is_refused):
        monkeypatch.setenv("CI", value)
        run = kept.update()
        assert run.ret == (4 if is_refused else 0)
        if is_refused:
            run.stderr.fnmatch_lines(["*refused where CI is set*"])

    def test_says_so_when_a_path_follows_the_option(self, kept):
        run = kept.run("--checkpoints-update", "test_shop.py")
        assert run.ret == 4
        run.stderr.fnmatch_lines(["*write the option after the tests*"])

    def test_the_command_is_typed_as_seen_from_where_pytest_was_started(self, kept):
        kept.path.joinpath("below").mkdir()
        kept.path.joinpath("pytest.ini").write_text("[pytest]\n")
        kept.write("cp.checkpoint('shop.p0', x=9.0)")
        kept.pytester.chdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(kept.path / "below")
            run = kept.run("..")
        run.stdout.fnmatch_lines(
            ["*pytest ../test_shop.py::test_total --checkpoints-*"]
        )


class TestUnused:
    @pytest.fixture
    def two(self, kept) -> Project:
        kept.write_file(
            f"{MARK}('shop')\ndef test_total(): cp.checkpoint('shop.p0', x=1.0)\n"
            f"{MARK}('shop')\ndef test_other(): cp.checkpoint('shop.p0', x=1.0)\n"
        )
        kept.update()
        return kept

    def test_baselines_are_listed_at_the_end(self, two):
        two.write("cp.checkpoint('shop.p0', x=1.0)")
        two.run().stdout.fnmatch_lines(
            [
                "unused   baselines/test_shop/test_other",
                "No test uses them: rm -r baselines/test_shop/test_other",
            ]
        )

    def test_those_of_a_file_that_is_gone_are_listed(self, two):
        Path(two.path, "test_shop.py").unlink()
        two.write_file("def test_it(): pass\n", "test_more")
        assert two.run().stdout.str().count("unused   ") == 2

    @pytest.mark.parametrize(
        "words", [["test_shop.py::test_total"], ["-k", "total"], ["test_more.py"]]
    )
    def test_a_run_of_some_tests_lists_none_that_others_use(self, two, words):
        two.write_file("def test_it(): pass\n", "test_more")
        assert "unused" not in two.run(*words).stdout.str()

    def test_a_skipped_test_uses_its_baseline(self, two):
        text = Path(two.path, "test_shop.py").read_text()
        skipped = text.replace(MARK, f"@pytest.mark.skip\n{MARK}")
        Path(two.path, "test_shop.py").write_text(skipped)
        assert "unused" not in two.run().stdout.str()

    def test_workers_tell_what_they_used_and_wrote(self, two):
        two.write_file(
            f"@pytest.mark.parametrize('x', range(8))\n{MARK}('shop')\n"
            "def test_total(x): cp.checkpoint('shop.total', x)\n"
        )
        words = (*OURS, "-n2", "--checkpoints-update")
        run = two.pytester.runpytest_subprocess(*words)
        run.assert_outcomes(passed=8)
        assert run.stdout.str().count("updated  ") == 8
        run = two.pytester.runpytest_subprocess(*OURS, "-n2")
        run.assert_outcomes(passed=8)
        assert run.stdout.str().count("unused   ") == 2
