"""`checkpoints gc`."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checkpoints import FileHandler, index, tags
from checkpoints.storage import _case

WRITES = """
import sys, time
from checkpoints.storage import open_store
def pieces():
    yield 0, b"x"
    print("writing", flush=True)
    time.sleep(600)
open_store(sys.argv[1]).put(["a.ckpt.zip"], pieces(), 2)
"""


def left(root):
    return sorted((entry.name, *entry.tags.values()) for entry in index(root))


@pytest.fixture
def days(tmp_path):
    """Five saves for each shop, ordered by day."""
    handler = FileHandler(tmp_path / "saved")
    for day in range(5):
        for shop in ("north", "south"):
            with tags(day=day, shop=shop):
                handler.checkpoint("order", day)
    return tmp_path / "saved"


@pytest.fixture
def writer(tmp_path):
    """A process that writes a file, and the file."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path / "live")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    (path,) = (tmp_path / "live").glob("*.ckpt.tmp")
    yield process, path
    process.kill()
    process.wait()
    process.stdout.close()


class TestAge:
    def test_what_is_younger_stays(self, run, days):
        done = run("gc", days, "--older-than", "1h", "--yes")
        assert (done.code, done.out) == (0, "deleted 0 files, 0 B\n")
        assert len(left(days)) == 10

    def test_what_is_older_goes(self, run, days):
        done = run("gc", days, "--older-than", "0s", "--where", "shop=north", "--yes")
        assert "deleted 5 files" in done.out
        assert {shop for _, _, shop in left(days)} == {"south"}

    def test_it_is_that_of_the_save_not_that_of_the_file(self, run, days):
        for entry in index(days):
            os.utime(entry.path, (0, 0))
        run("gc", days, "--older-than", "1h", "--yes")
        assert len(left(days)) == 10

    def test_of_a_damaged_file_it_is_that_of_the_file(self, run, days):
        old, young = (Path(entry.path) for entry in index(days)[:2])
        for path in (old, young):
            path.write_bytes(b"")
        os.utime(old, (0, 0))
        run("gc", days, "--older-than", "1h", "--yes")
        assert not old.exists()
        assert young.exists()

    @pytest.mark.parametrize(
        ("age", "told"),
        [(age, "is not an age") for age in ("14", "d", "-1d", "1y")]
        + [("999999999w", "is too large")],
    )
    def test_what_is_none_is_an_error_of_usage(self, run, days, age, told):
        done = run("gc", days, "--older-than", age)
        assert done.code == 2
        assert f"Invalid value for '--older-than': {age!r} {told}" in done.err


class TestKeepLast:
    def test_it_counts_by_name(self, run, days):
        run("gc", days, "--keep-last", "3", "--yes")
        assert left(days) == [
            ("order", "3", "south"),
            ("order", "4", "north"),
            ("order", "4", "south"),
        ]

    def test_two_spellings_of_a_key_are_one_key(self, run, tmp_path, monkeypatch):
        for folds in (True, False):
            monkeypatch.setitem(_case._known, str(tmp_path), folds)
            with tags(shop="North"):
                FileHandler(tmp_path).checkpoint(f"Order{folds}", 1)
        encoded = tmp_path / "shop=%4Eorth" / "%4FrderTrue.ckpt.zip"
        (encoded,) = encoded.parent.iterdir()
        encoded.rename(encoded.with_name("%4Frder%46alse.ckpt.zip"))
        options = ["--keep-last", 1, "--per", "shop", "--yes"]
        done = run("gc", tmp_path, "OrderFalse", "--where", "shop=North", *options)
        assert (done.code, "deleted 1 file" in done.out) == (0, True)
        assert sorted(os.listdir(tmp_path)) == [".runs", "shop=North"]

    def test_it_can_count_by_a_tag_as_well(self, run, days):
        run("gc", days, "--keep-last", "1", "--per", "shop", "--yes")
        assert left(days) == [("order", "4", "north"), ("order", "4", "south")]

    def test_what_is_younger_stays_though_it_is_not_among_the_last(self, run, days):
        run("gc", days, "--keep-last", "1", "--older-than", "1h", "--yes")
        assert len(left(days)) == 10

    def test_the_newest_is_that_of_latest_whatever_the_times_of_the_files(
        self, run, tmp_path
    ):
        handler = FileHandler(tmp_path / "saved", if_exists="keep")
        for number in range(3):
            handler.checkpoint("a", number)
        found = index(tmp_path / "saved")
        (newest,) = found.latest()
        for entry in found:
            os.utime(entry.path, (0, 9 if entry.path == newest.path else 99))
        assert run("gc", found.root, "--keep-last", "1", "--yes").code == 0
        assert list(index(found.root)) == [newest]

    @pytest.mark.parametrize("options", [(), ("--older-than", "0s")])
    def test_a_damaged_file_takes_no_place_and_stays_and_is_told(
        self, run, tmp_path, options
    ):
        handler = FileHandler(tmp_path / "saved", if_exists="keep")
        for number in range(4):
            handler.checkpoint("a", number)
        *_, newest, damaged = map(Path, [e.path for e in index(tmp_path / "saved")])
        damaged.write_bytes(damaged.read_bytes()[:200])
        done = run("gc", tmp_path / "saved", "--keep-last", "1", *options, "--yes")
        assert done.code == 1
        assert f"kept, not counted: {damaged}" in done.err
        assert {Path(e.path) for e in index(tmp_path / "saved")} == {newest, damaged}

    def test_a_tag_to_count_by_that_no_entry_has_deletes_nothing(self, run, days):
        done = run("gc", days, "--keep-last", "1", "--per", "shpo", "--yes")
        assert done.code == 2
        assert "--per shpo: no entry has this tag; did you mean 'shop'?\n" in done.err
        assert len(left(days)) == 10

    @pytest.mark.parametrize("options", [("--per", "shop"), ("--where", "day=1")])
    def test_a_filter_alone_deletes_nothing(self, run, days, options):
        assert run("gc", days, *options, "--yes").code == 2
        assert len(left(days)) == 10


class TestNothing:
    @pytest.mark.parametrize("options", [["oven"], ["--where", "day=7"]])
    def test_names_and_tags_that_match_nothing_are_told(self, run, days, options):
        done = run("gc", days, *options, "--keep-last", "1")
        assert done.code == 1
        assert "no entry" in done.err
        assert len(left(days)) == 10


class TestDryRun:
    def test_it_tells_what_would_go_and_how_much(self, run, days):
        done = run("gc", days, "--keep-last", "9")
        (entry,) = index(days).where(day=0, shop="north")
        first, last = done.out.splitlines()
        assert first.startswith(entry.path)
        assert f"would delete 1 file, {os.stat(entry.path).st_size} B" in last
        assert len(left(days)) == 10


class TestUnfinished:
    def test_what_a_killed_process_left_goes_with_its_folder(
        self, run, tmp_path, writer
    ):
        process, path = writer
        process.kill()
        process.wait()
        done = run("gc", tmp_path, "--unfinished-for", "0s", "--yes")
        assert "deleted 1 file," in done.out
        assert not path.parent.exists()

    def test_what_a_live_process_writes_stays(self, run, tmp_path, writer):
        process, path = writer
        done = run("gc", tmp_path, "--unfinished-for", "0s", "--yes")
        assert path.exists()
        assert done.err == f"kept: {path}: process {process.pid} is running\n"

    def test_what_was_touched_within_a_day_stays(self, run, tmp_path, writer):
        process, path = writer
        process.kill()
        process.wait()
        assert run("gc", tmp_path, "--yes").out == "deleted 0 files, 0 B\n"
        assert path.exists()

    def test_an_old_time_of_a_file_that_has_just_come_is_not_believed(
        self, run, tmp_path, writer
    ):
        process, path = writer
        process.kill()
        process.wait()
        week = datetime.timedelta(days=7).total_seconds()
        os.utime(path, (time.time() - week, time.time() - week))
        run("gc", tmp_path, "--unfinished-for", "1h", "--yes")
        assert path.exists()

    @pytest.mark.parametrize(
        "name", [".x.ckpt.tmp", ".1-abc-1.ckpt.tmp", "1-aaaaaaaaaaaa-1.ckpt.tmp"]
    )
    def test_a_file_that_is_not_named_so_is_not_ours(self, run, tmp_path, name):
        (tmp_path / name).write_text("")
        run("gc", tmp_path, "--unfinished-for", "0s", "--yes")
        assert (tmp_path / name).exists()

    def test_what_a_killed_deletion_left_is_told_and_stays(self, run, tmp_path):
        path = tmp_path / ".1-aaaaaaaaaaaa.ckpt.aside"
        path.write_text("")
        done = run("gc", tmp_path, "--unfinished-for", "0s", "--yes")
        assert f"kept: {path}: left by an interrupted deletion; " in done.err
        assert path.exists()

    @pytest.mark.parametrize("number", ["0", "99999999999999999999"])
    def test_numbers_that_no_process_has_are_those_of_dead_ones(
        self, run, tmp_path, number
    ):
        path = tmp_path / f".{number}-aaaaaaaaaaaa-1.ckpt.tmp"
        path.write_text("")
        run("gc", tmp_path, "--unfinished-for", "0s", "--yes")
        assert not path.exists()
