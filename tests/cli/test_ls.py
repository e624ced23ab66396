"""`checkpoints ls`."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import re
from pathlib import Path

import pytest

from checkpoints import Entry, FileHandler, index, tags
from checkpoints.storage import open_store


def names_in(out):
    return [line.split()[0] for line in out.splitlines()[1:]]


class TestTable:
    def test_it_has_a_line_for_each_entry_and_a_column_for_each_tag(self, run, root):
        done = run("ls", root)
        heading, *lines = done.out.splitlines()
        assert (done.code, done.err) == (0, "")
        assert heading.split()[:4] == ["name", "day", "shop", "size"]
        assert len(lines) == 5
        size = os.stat(root / "oven.ckpt.zip").st_size
        (oven,) = [line for line in lines if line.startswith("oven")]
        assert oven.split()[1:3] == [str(size), "B"]

    def test_columns_are_aligned_also_below_wide_letters(self, run, tmp_path):
        handler = FileHandler(tmp_path / "saved")
        for shop in ("北の店", "x"):
            with tags(shop=shop):
                handler.checkpoint("a", 1)
        lines = run("ls", tmp_path / "saved").out.splitlines()
        wide, narrow = sorted(lines[1:], key=str.isascii)
        # Each of the three letters takes two columns.
        assert narrow.index(" B ") - wide.index(" B ") == 3

    def test_nothing_is_cut_where_no_terminal_is(self, run, tmp_path):
        with tags(day="long" * 40):
            FileHandler(tmp_path / "saved").checkpoint("a", 1)
        assert "long" * 40 in run("ls", tmp_path / "saved").out

    @pytest.mark.parametrize(
        ("width", "options", "heading"),
        [
            (80, (), ["name", "day", "shop", "size", "written", "(UTC)"]),
            (50, (), ["name", "day", "shop", "size", "written"]),
            (40, (), ["name", "day", "shop", "size"]),
            (20, (), ["name", "day", "shop", "size"]),
            (80, ("--long",), ["name", "day", "shop", "size", "saved"]),
            (50, ("--long",), ["name", "day", "shop", "size", "values"]),
        ],
    )
    def test_where_it_is_narrow_the_name_is_the_last_to_be_cut(
        self, run, root, monkeypatch, width, options, heading
    ):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))
        lines = run("ls", root, *options).out.splitlines()
        assert lines[0].split()[: len(heading)] == heading
        assert lines[1].split()[0] == "bakery.order"
        if width > 20:
            assert max(map(len, lines)) <= width

    def test_many_tags_share_a_column(self, run, tmp_path):
        with tags({f"tag{number}": number for number in range(9)}):
            FileHandler(tmp_path / "saved").checkpoint("a", 1)
        heading, line = run("ls", tmp_path / "saved").out.splitlines()
        assert heading.split()[:2] == ["name", "tags"]
        assert "tag0=0 tag1=1" in line

    def test_what_was_saved_is_harmless(self, run, odd_root, assert_harmless):
        for options in ((), ("--long",), ("--tree",), ("--json",)):
            done = run("ls", odd_root, *options)
            assert done.code == 0
            assert_harmless(done.out)
            assert "tag\\" in done.out


class TestProgress:
    @pytest.mark.parametrize("form", [[], ["--long"]])
    def test_a_slow_listing_shows_a_bar_until_its_first_line(
        self, run, root, monkeypatch, form
    ):
        from checkpoints.cli import _screen

        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setattr(_screen, "_PROGRESS_DELAY", -1)
        done = run("ls", root, *form)
        assert done.code == 0
        assert "listing" in done.err
        assert "listing" not in done.out

    def test_a_short_one_shows_none(self, run, root, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert run("ls", root).err == ""


class TestFilter:
    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            (("bakery",), 4),
            (("bakery.order", "--where", "shop=north"), 2),
            (("b*", "--where", "day=9|11"), 2),
            (("--where", "day=1*", "--where", "shop=s*"), 1),
            (("--where", "day>9"), 2),
            (("--where", "day>=9"), 4),
            (("--where", "day<10"), 2),
            (("--where", "day<=10", "--where", "shop=north"), 2),
            (("--where", "day=>9"), 2),
            (("--where", "day=10..12"), 2),
            (("--where", "day>9|9"), 4),
            (("--where", "day==9"), 2),
            (("--where", "day==1*"), 0),
            (("--where", "day>9,shop=north"), 1),
            (("--where", "day>=9", "--where", "day<10"), 2),
            (("oven", "bakery.*"), 5),
            (("oven", "nothing"), 1),
        ],
    )
    def test_it_is_that_of_where(self, run, root, filters, count):
        assert len(names_in(run("ls", root, *filters).out)) == count

    @pytest.mark.parametrize("text", ["day", "=9", ""])
    def test_one_without_a_tag_or_a_value_is_an_error_of_usage(self, run, root, text):
        done = run("ls", root, "--where", text)
        assert done.code == 2
        assert "TAG=VALUE" in done.err

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("day!=9", "as in 'day=this|that'"),
            ("day:9", "write day=9"),
            ("day>x", "expected a number, date or time after >"),
        ],
    )
    def test_a_comparison_that_there_is_not_is_told(self, run, root, text, told):
        done = run("ls", root, "--where", text)
        assert done.code == 2
        assert told in done.err

    def test_what_is_encoded_separates_nothing(self, run, tmp_path):
        handler = FileHandler(tmp_path / "saved")
        for shop in ("a|b", "a", "b", "a!=b", "a,b"):
            with tags(shop=shop):
                handler.checkpoint("x", 1)
        counts = {"a|b": 2, "a%7Cb": 1, "a%7Cb|b": 2, "a!=b": 1, "a%2Cb": 1, "a?b": 2}
        for text, count in counts.items():
            done = run("ls", tmp_path / "saved", "--where", f"shop={text}")
            assert len(names_in(done.out)) == count

    @pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
    @pytest.mark.parametrize(
        ("filters", "told"),
        [
            (
                ("bakery.odrer",),
                "no entry has the name 'bakery.odrer'; did you mean 'bakery.order'?",
            ),
            (("x", "y"), "no entry has the name 'x'; there are 'bakery.order', 'oven'"),
            (
                ("--where", "shpo=x"),
                "no entry has the tag 'shpo'; did you mean 'shop'?",
            ),
            (("--where", "day=3"), "no entry has 'day'='3'; there are '9', '10'"),
        ],
    )
    def test_what_nothing_is_such_as_is_told(self, run, root, filters, told, form):
        done = run("ls", root, *filters, *form)
        assert done.code == 1
        assert done.err.startswith(f"{root}: {told}")
        assert len(done.err.splitlines()) == 1


class TestOrder:
    def test_it_is_sorted_by_a_column(self, run, root):
        found = json.loads(run("ls", root, "bakery", "--sort", "day", "--json").out)
        assert [dict(each["tags"])["day"] for each in found] == ["9", "9", "10", "10"]

    def test_reverse_has_the_greatest_first(self, run, root):
        arguments = ("ls", root, "bakery", "--sort", "day", "--reverse", "--json")
        found = json.loads(run(*arguments).out)
        assert dict(found[0]["tags"])["day"] == "10"

    def test_reverse_alone_is_the_order_of_paths_turned_round(self, run, root):
        lines = run("ls", root, "--csv").out.splitlines()[1:]
        turned = run("ls", root, "--csv", "--reverse").out.splitlines()[1:]
        assert turned == lines[::-1] != lines

    @pytest.mark.parametrize(
        "options",
        [("--json", "--csv"), ("--tree", "--json"), ("--tree", "--reverse")],
    )
    def test_two_forms_at_once_are_an_error_of_usage(self, run, root, options):
        done = run("ls", root, *options)
        assert (done.code, done.out) == (2, "")
        assert options[0] in done.err
        assert options[1] in done.err

    def test_a_column_that_is_not_there_is_told(self, run, root):
        done = run("ls", root, "--sort", "dya")
        assert done.code == 2
        assert "'dya'" in done.err

    def test_latest_has_one_file_of_each_key(self, run, tmp_path):
        handler = FileHandler(tmp_path / "saved", if_exists="keep")
        handler.checkpoint("a", 1)
        handler.checkpoint("a", 2)
        assert "a (2)" in run("ls", tmp_path / "saved").out
        done = run("ls", tmp_path / "saved", "--latest", "--json")
        assert [each["number"] for each in json.loads(done.out)] == [2]

    def test_a_limit_says_how_many_more_there_are(self, run, root):
        done = run("ls", root, "--limit", "2")
        assert len(names_in(done.out)) == 2
        assert done.err == "3 more entries not shown because of --limit\n"


class TestTree:
    def test_it_has_tags_then_parts_of_names(self, run, root):
        lines = run("ls", root, "--tree", "--where", "day=9").out.splitlines()
        assert [re.sub(r"(\w)  .*", r"\1", line) for line in lines] == [
            str(root),
            "└── day=9",
            "    ├── shop=north",
            "    │   └── bakery.",
            "    │       └── order",
            "    └── shop=south",
            "        └── bakery.",
            "            └── order",
        ]

    def test_a_name_that_is_a_prefix_too_stands_there_twice(self, run, tmp_path):
        handler = FileHandler(tmp_path / "saved")
        handler.checkpoint("a", 1)
        handler.checkpoint("a.b", 1)
        lines = run("ls", tmp_path / "saved", "--tree").out.splitlines()
        assert len(lines) == 4

    def test_it_may_be_deep(self, run):
        tree = importlib.import_module("checkpoints.cli._table")
        entry = Entry(open_store("saved"), ("a",) * 1500, "b.ckpt.zip")
        lines = list(tree.tree_lines([(entry, "told")], has_glyphs=True))
        assert len(lines) == 1501


class TestForPrograms:
    def test_json_has_what_the_paths_tell(self, run, root):
        found = json.loads(run("ls", root, "oven", "--json").out)
        path = root / "oven.ckpt.zip"
        (entry,) = found
        assert entry["name"] == "oven"
        assert entry["path"] == str(path)
        assert entry["tags"] == {}
        assert entry["tag_pairs"] == []
        assert entry["size"] == path.stat().st_size
        assert entry["time"].endswith("+00:00")

    def test_json_of_nothing_is_an_empty_list(self, run, root):
        done = run("ls", root, "nothing", "--json")
        assert (done.code, json.loads(done.out)) == (1, [])

    def test_long_json_has_what_the_headers_tell(self, run, root):
        found = json.loads(run("ls", root, "oven", "--json", "--long").out)
        assert found[0]["run"] == index(root).where("oven")[0].meta["run"]
        assert found[0]["values"]["heat"]["type"] == "float"

    def test_csv_comes_back_as_it_was(self, run, odd_root):
        done = run("ls", odd_root, "--csv")
        ((heading, line)) = list(csv.reader(io.StringIO(done.out)))
        (entry,) = index(odd_root)
        found = dict(zip(heading, line, strict=True))
        ((tag, value),) = entry.tags.items()
        assert found["name"] == entry.name
        assert found[f"tag_{tag}"] == value


class TestBadInput:
    def test_a_root_that_is_not_there_ends_with_2_and_the_way_out(self, run, tmp_path):
        done = run("ls", tmp_path / "no\x1bwhere")
        assert (done.code, done.out) == (2, "")
        assert "no\\x1bwhere" in done.err
        assert "does not exist: nothing was saved there" in done.err

    def test_one_of_several_names_that_nothing_has_is_told(self, run, root):
        done = run("ls", root, "oven", "ovne")
        assert done.code == 0
        assert done.err.startswith("no entry has the name 'ovne'; did you mean 'oven'?")

    def test_an_empty_root_ends_with_1_and_says_so(self, run, tmp_path):
        done = run("ls", tmp_path)
        assert (done.code, done.out) == (1, "")
        assert "nothing was saved" in done.err

    def test_foreign_files_are_not_listed(self, run, root):
        (root / "notes.txt").write_text("sunny")
        assert "notes" not in run("ls", root).out

    def test_a_damaged_header_is_marked_and_stays(self, run, root):
        (root / "oven.ckpt.zip").write_bytes(b"PK\x1b[2J")
        done = run("ls", root, "--long")
        assert done.code == 1
        (line,) = [it for it in done.out.splitlines() if it.startswith("oven")]
        assert "damaged: " in line
        assert len(names_in(done.out)) == 5
        found = json.loads(run("ls", root, "oven", "--long", "--json").out)
        assert "damaged" in found[0]["error"]

    @pytest.mark.skipif(
        os.mkdir not in os.supports_dir_fd, reason="such folders cannot be made here"
    )
    def test_a_folder_that_cannot_be_read_is_told_and_the_rest_listed(self, run, root):
        folder = os.open(root, os.O_RDONLY)
        for _ in range(30):  # until the path is too long for the system
            os.mkdir("d" * 200, dir_fd=folder)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = below
        os.close(folder)
        done = run("ls", root)
        assert done.code == 1
        assert len(names_in(done.out)) == 5
        (told,) = done.err.splitlines()
        assert told.startswith("not listed: ")
        assert "too long" in told

    def test_links_in_a_circle_are_not_followed(self, run, root):
        (root / "round").symlink_to(root)
        (root / "self.ckpt.zip").symlink_to(root / "self.ckpt.zip")
        assert len(names_in(run("ls", root).out)) == 5

    def test_a_file_that_vanishes_meanwhile_is_no_error(self, run, root, monkeypatch):
        stat = os.stat

        def gone(path, **options):
            if Path(path).name == "oven.ckpt.zip":
                raise FileNotFoundError(path)
            return stat(path, **options)

        monkeypatch.setattr(os, "stat", gone)
        done = run("ls", root)
        assert done.code == 0
        assert len(names_in(done.out)) == 4
