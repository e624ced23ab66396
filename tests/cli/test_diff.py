"""`checkpoints diff` compares two runs."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from checkpoints import FileHandler, tags
from checkpoints._compare.diff import _IGNORED_TAGS


@pytest.fixture
def runs(tmp_path):
    """Two runs of which one value differs, and one that nothing is in."""
    roots = tmp_path / "one", tmp_path / "two", tmp_path / "other"
    for root, number in zip(roots[:2], (1.0, 1.5), strict=True):
        handler = FileHandler(root)
        for day in (1, 2):
            with tags(day=day):
                handler.checkpoint("feed.px", px=[1, 2])
                handler.checkpoint("risk.cov", cov=number if day == 2 else 0.0)
    FileHandler(roots[2]).checkpoint("unrelated", 1)
    return roots


class TestExitCode:
    def test_is_0_if_nothing_differs(self, run, runs):
        done = run("diff", runs[0], runs[0])
        assert done.code == 0
        assert done.out.startswith("EQUAL  all 4 pairs")

    def test_is_1_if_something_differs(self, run, runs):
        done = run("diff", runs[0], runs[1])
        assert done.code == 1
        assert done.out.startswith(
            "DIFFERENT  first beyond tolerance: risk.cov  day=2\n"
        )

    def test_is_the_same_whatever_the_number_of_processes(self, run, runs):
        alone = run("diff", *runs[:2])
        done = run("diff", *runs[:2], "-j", "2")
        assert done.code == alone.code == 1
        assert done.err == ""
        assert re.sub(r"[\d.]+ s\b", "", done.out) == re.sub(
            r"[\d.]+ s\b", "", alone.out
        )

    @pytest.mark.parametrize(("options", "code"), [((), 2), (("--bisect",), 125)])
    def test_is_2_if_there_is_nothing_to_compare(self, run, runs, options, code):
        done = run("diff", runs[0], runs[2], *options)
        assert done.code == code
        assert "no entry in common" in done.out
        assert "unrelated" in done.out

    def test_is_2_if_a_root_is_not_there(self, run, runs, tmp_path):
        done = run("diff", runs[0], tmp_path / "nowhere")
        assert done.code == 2
        assert "nowhere" in done.err

    @pytest.mark.parametrize(
        "options",
        [
            (),
            ("--tolerances", "nowhere.toml"),
            ("--tolerances", "damaged.toml"),
            ("--memory", "much"),
            ("--where", "=="),
            ("--nonsense",),
            ("--html", "nowhere/diff.html"),
            ("--json", "--md"),
            ("third",),
        ],
    )
    def test_of_every_error_is_125_in_a_bisection_and_2_otherwise(
        self, run, runs, options, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "damaged.toml").write_text("[[")
        sides = runs[:2] if options else ("one@none", "two")
        for bisect, code in ((), 2), (("--bisect",), 125):
            done = run("diff", *sides, *options, *bisect)
            assert (done.code, done.out) == (code, "")
            assert "Error: " in done.err

    def test_of_a_fault_of_this_library_is_no_answer_either(
        self, run, runs, monkeypatch
    ):
        def fails(_):
            raise ZeroDivisionError

        command = importlib.import_module("checkpoints.cli._diff")
        monkeypatch.setattr(command, "junit_of", fails)
        words = ("diff", *runs[:2], "--junit", os.devnull)
        assert run(*words).code == 2
        done = run(*words, "--bisect")
        assert done.code == 125
        assert "ZeroDivisionError" in done.err

    def test_in_a_bisection_is_that_of_the_answer(self, run, runs):
        assert run("diff", runs[0], runs[0], "--bisect").code == 0
        assert run("diff", runs[0], runs[1], "--bisect").code == 1

    def test_is_2_for_three_runs(self, run, runs):
        done = run("diff", *runs)
        assert (done.code, done.out) == (2, "")
        assert "two are compared" in done.err
        assert "--name" not in done.err

    def test_is_2_for_a_name_or_limit_given_otherwise_with_the_way(self, run, runs):
        done = run("diff", *runs[:2], "risk.cov")
        assert (done.code, "did you mean --name risk.cov?" in done.err) == (2, True)
        done = run("diff", *runs[:2], "--rtol", "1e-3")
        assert (done.code, "--tolerances FILE" in done.err) == (2, True)
        assert "tolerances={'rtol': ...}" in " ".join(done.err.split())


class TestOptions:
    def test_where_and_name_narrow_both_sides(self, run, runs):
        assert run("diff", *runs[:2], "--where", "day=1").code == 0
        assert run("diff", *runs[:2], "--name", "feed").code == 0
        assert run("diff", *runs[:2], "--where", "day>=2").code == 1

    def test_tolerances_come_from_a_file_that_can_be_suggested(
        self, run, runs, tmp_path
    ):
        file = tmp_path / "tolerances.toml"
        done = run("diff", *runs[:2], "--suggest-tolerances", file)
        assert f"wrote {file}" in done.err
        assert 'match = "risk.cov"' in file.read_text()
        assert run("diff", *runs[:2], "--tolerances", file).code == 0

    def test_a_rename_is_two_names(self, run, runs):
        assert run("diff", *runs[:2], "--rename", "risk=danger").code == 1
        twice = ["--rename", "risk=danger", "--rename", "risk=loss"]
        done = run("diff", *runs[:2], *twice)
        assert done.code == 2
        assert "'risk' is given twice" in done.err
        done = run("diff", *runs[:2], "--rename", "risk")
        assert done.code == 2
        assert "OLD=NEW" in done.err

    def test_noise_takes_repeats(self, run, runs, tmp_path):
        handler = FileHandler(tmp_path / "again")
        for day, number in ((1, 0.0), (2, 1.2)):
            with tags(day=day):
                handler.checkpoint("risk.cov", cov=number)
        assert run("diff", *runs[:2], "--noise", tmp_path / "again").code == 0
        assert run("diff", *runs[:2], "--noise", runs[1]).code == 2

    def test_key_names_the_columns_that_identify_rows(self, run, tmp_path):
        pandas = pytest.importorskip("pandas", reason="the values are frames")
        frame = pandas.DataFrame({"id": [1, 2, 3], "x": [0.5, 1.5, 2.5]})
        for name, value in (("a", frame), ("b", frame[::-1])):
            FileHandler(tmp_path / name).checkpoint("feed.px", px=value)
        roots = tmp_path / "a", tmp_path / "b"
        assert run("diff", *roots).code == 1
        assert run("diff", *roots, "--key", "feed.*=id").code == 0

    def test_the_help_names_the_tags_that_are_ignored_anyway(self, run):
        text = run("diff", "--help").out
        (about,) = re.findall(r"--ignore-tag(.*?)--rename", text, re.DOTALL)
        assert set(_IGNORED_TAGS) <= set(re.findall(r"\w+", about))


class TestForms:
    def test_json_is_the_document(self, run, runs):
        found = json.loads(run("diff", *runs[:2], "--json").out)
        assert (found["verdict"], found["exit"]) == ("different", 1)
        assert found["first"]["name"] == "risk.cov"

    def test_jsonl_has_a_record_a_line(self, run, runs):
        lines = run("diff", *runs[:2], "--jsonl").out.splitlines()
        assert [json.loads(line)["type"] for line in lines] == ["diff", "pair"]

    def test_markdown_is_for_a_pull_request(self, run, runs):
        assert run("diff", *runs[:2], "--md").out.startswith("### DIFFERENT")

    def test_a_page_and_xml_are_written_beside_the_report(self, run, runs, tmp_path):
        page, xml = tmp_path / "diff.html", tmp_path / "diff.xml"
        done = run("diff", *runs[:2], "--html", page, "--junit", xml)
        assert done.out.startswith("DIFFERENT")
        assert page.read_text().startswith("<!doctype html>")
        assert ET.fromstring(xml.read_text()).get("failures") == "1"

    def test_exclude_each_other(self, run, runs):
        done = run("diff", *runs[:2], "--json", "--md")
        assert (done.code, done.out) == (2, "")
        assert "--json and --md exclude each other" in done.err

    @pytest.mark.parametrize("option", ["--html", "--junit", "--suggest-tolerances"])
    def test_that_cannot_be_written_are_an_error_before_anything_is_read(
        self, run, tmp_path, option
    ):
        none = tmp_path / "none"
        for target, says in ((tmp_path, "is a folder"), (none / "it", "no folder")):
            done = run("diff", none, none, option, target)
            assert done.code == 2
            assert says in done.err

    def test_of_two_reports_need_two_files(self, run, runs, tmp_path):
        target = tmp_path / "it"
        done = run("diff", *runs[:2], "--html", target, "--junit", target)
        assert done.code == 2
        assert not target.exists()

    def test_are_written_to_a_device_and_through_a_link(self, run, runs, tmp_path):
        page, link = tmp_path / "page", tmp_path / "link"
        link.symlink_to(page)
        done = run("diff", *runs[:2], "--junit", os.devnull, "--html", link)
        assert done.code == 1
        assert page.read_text().startswith("<!doctype html>")
        assert link.is_symlink()
        assert not Path(os.devnull).is_file()

    def test_the_next_command_finds_the_same_again(self, run, runs, tmp_path):
        file = tmp_path / "my tolerances.toml"
        file.write_text("")
        options = ["--where", "day>=2", "--name", "risk*", "--rename", "x=y"]
        options += ["--tolerances", str(file), "--ignore-tag", "x", "--ignore-tag", "y"]
        options += ["--key", "a=b,c", "--exact", "--first", "--memory", "1000000"]
        done = run("diff", *runs[:2], *options, "--all")
        lines = [line for line in done.out.splitlines() if "--html" in line]
        words = shlex.split(lines[0].removeprefix("  next"))
        assert words[:4] == ["checkpoints", "diff", *map(str, runs[:2])]
        assert sorted(words[4:-2]) == sorted(options)
        assert words[-2:] == ["--html", "diff.html"]

    def test_the_next_command_is_not_what_was_just_done(self, run, runs, tmp_path):
        done = run("diff", *runs[:2], "--html", tmp_path / "diff.html")
        assert "--html" not in done.out
        assert "--html" not in (tmp_path / "diff.html").read_text()

    def test_the_report_ends_with_commands_that_work(self, run, runs):
        lines = run("diff", *runs[:2]).out.splitlines()
        commands = [
            line.split("checkpoints ", 1)[1]
            for line in lines
            if line.startswith("  next")
        ]
        assert commands
        for command in commands[:2]:
            assert run(*command.split()).code == 0
