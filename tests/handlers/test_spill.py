"""Saves whose store is away: kept in a folder, and delivered, each once."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest
import servers
from proxy import FAILS, LOSES_REPLY, PASSES, before

from checkpoints import (
    AlreadyStoredError,
    ConfigError,
    FileHandler,
    config,
    flush,
    index,
    runs,
    tags,
)
from checkpoints._handlers.delivery import Delivery
from checkpoints.storage import open_store

pytest.importorskip("obstore", reason="it talks to the servers")

ONCE = {"retry_config": {"max_retries": 0}}


@pytest.fixture
def proxy(ministack):
    with before(ministack) as proxy:
        yield proxy


@pytest.fixture
def place(proxy, ministack, new_root):
    """A root in a store that can be away, and the options to reach it."""
    return new_root(ministack), proxy.options(ministack, **ONCE)


@pytest.fixture
def make(place, tmp_path):
    root, options = place

    def make(below="", **further):
        return FileHandler(
            root + below, store_options=options, spill=tmp_path / "kept", **further
        )

    return make


def away(_):
    return FAILS


def back(handler):
    """Let a handler ask its store again at once."""
    handler._spill._away_until = 0.0


def data_in(place, options=None):
    found = index(place, store_options=options)
    return sorted(entry["data"] for entry in found)


class TestKeeping:
    @pytest.mark.parametrize("background", [False, True])
    def test_what_the_store_does_not_take_is_kept_and_counts_as_saved(
        self, make, proxy, tmp_path, caplog, background
    ):
        proxy.breaks = away
        handler = make(background=background)
        with config("spilled", handler):
            for number in range(20):
                with tags(number=number):
                    handler.checkpoint("spilled.a", number)
        handler.flush()
        assert data_in(tmp_path / "kept") == [*range(20)]
        told = [it for it in caplog.messages if "saves are kept in" in it]
        assert len(told) == 1
        assert f"checkpoints push {tmp_path}/kept s3://bucket/test-" in told[0]
        assert servers.SECRET not in caplog.text

    def test_it_is_not_asked_again_for_a_while(self, make, proxy):
        handler = make()
        proxy.breaks = away
        handler.checkpoint("a", 1)
        del proxy.requests[:]
        handler.checkpoint("b", 2)
        assert proxy.requests == []

    def test_a_bucket_that_a_later_run_could_not_tell_is_refused(self):
        with pytest.raises(ConfigError, match="placeholders only below the bucket"):
            FileHandler("s3://data-{host}/a", spill="kept")

    def test_a_handler_with_a_folder_begins_no_run(self, tmp_path):
        program = "import checkpoints, os; checkpoints.FileHandler('s3://bucket/a', "
        program += "spill='kept'); print(os.environ.get('CHECKPOINTS_RUN'))"
        clean = {k: v for k, v in os.environ.items() if k != "CHECKPOINTS_RUN"}
        told = subprocess.check_output(
            [sys.executable, "-c", program], cwd=tmp_path, env=clean, text=True
        )
        assert told == "None\n"

    def test_where_nothing_can_be_kept_the_save_fails(self, place, proxy, tmp_path):
        (tmp_path / "file").touch()
        root, options = place
        handler = FileHandler(root, store_options=options, spill=tmp_path / "file")
        proxy.breaks = away
        with pytest.raises(OSError, match="file"):
            handler.checkpoint("a", 1)

    def test_an_object_that_is_there_is_no_failure(self, make, tmp_path):
        handler = make(if_exists="error")
        handler.checkpoint("a", 1)
        with pytest.raises(AlreadyStoredError):
            handler.checkpoint("a", 2)
        assert not (tmp_path / "kept").exists()

    def test_a_pickled_handler_keeps_too(self, make, proxy, tmp_path):
        proxy.breaks = away
        pickle.loads(pickle.dumps(make())).checkpoint("a", 1)
        assert data_in(tmp_path / "kept") == [1]

    def test_it_is_an_option_of_rules_in_text(self, bucket, tmp_path, monkeypatch):
        monkeypatch.setenv(
            "AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}"
        )
        monkeypatch.setenv("CHECKPOINTS", f"a={bucket}?spill=kept")
        program = "import checkpoints; checkpoints.checkpoint('a', 1)"
        subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
        assert data_in(tmp_path / "kept") == [1]

    @pytest.mark.parametrize("spill", ["", "s3://bucket/a", 3])
    def test_one_that_is_no_folder_is_refused(self, spill):
        with pytest.raises(ConfigError, match="expected the path of a folder"):
            FileHandler("s3://bucket/a", spill=spill)

    def test_one_for_a_folder_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="spill is for object stores"):
            FileHandler(tmp_path, spill="kept")


class TestDelivery:
    def test_when_the_store_is_back_the_run_delivers(self, make, proxy, place):
        handler = make()
        proxy.breaks = away
        for name in ("a", "b"):
            handler.checkpoint(name, name)
        proxy.breaks = lambda _: PASSES
        back(handler)
        handler.checkpoint("c", "c")
        flush()
        assert data_in(*place) == ["a", "b", "c"]

    def test_what_was_kept_after_another_save_has_arrived_is_delivered_too(
        self, make, proxy, place
    ):
        handler = make()
        proxy.breaks = away
        handler.checkpoint("a", 1)
        # One that was on its way before.
        handler._spill.arrived()
        handler.checkpoint("b", 2)
        proxy.breaks = lambda _: PASSES
        back(handler)
        handler.checkpoint("c", 3)
        flush()
        assert data_in(*place) == [1, 2, 3]

    @pytest.mark.parametrize("background", [False, True])
    def test_a_program_that_ends_delivers_before(self, bucket, tmp_path, background):
        kept = FileHandler(tmp_path / "kept")
        for number in range(30):
            with tags(number=number):
                kept.checkpoint("a", number)
        # As in a program that has used threads before.
        program = (
            "import checkpoints, concurrent.futures.thread; checkpoints.FileHandler("
            f"{bucket!r}, spill='kept', background={background})"
            ".checkpoint('z', 30)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        assert data_in(bucket) == [*range(31)]
        assert [*(tmp_path / "kept").iterdir()] == []

    def test_the_next_run_delivers_below_its_own_folder(self, make, proxy, place):
        handler = make("/run={run}")
        proxy.breaks = away
        handler.checkpoint("a", "first")
        proxy.breaks = lambda _: PASSES
        later = make("/run={run}-later")
        later.checkpoint("a", "second")
        flush()
        root, options = place
        paths = [entry.path for entry in index(root, store_options=options)]
        assert [path.removeprefix(root).split("/")[1] for path in paths] == [
            handler.folder.rsplit("/", 1)[1],
            later.folder.rsplit("/", 1)[1],
        ]

    def test_the_record_of_a_run_goes_along(self, make, proxy, place, tmp_path):
        handler = make("/run={run}")
        proxy.breaks = away
        handler.checkpoint("a", 1)
        proxy.breaks = lambda _: PASSES
        Delivery(open_store(str(tmp_path / "kept"))).to(open_store(*place), tell=print)
        (run,) = runs(place[0], store_options=place[1])
        assert run.id == os.environ["CHECKPOINTS_RUN"]
        assert run.started is not None

    def test_a_save_whose_outcome_was_unknown_is_delivered_once(
        self, make, proxy, place, tmp_path
    ):
        handler = make()
        handler.checkpoint("z", 0)
        ways = [LOSES_REPLY, FAILS]
        proxy.breaks = lambda _: ways.pop(0) if ways else PASSES
        handler.checkpoint("a", 1)
        assert data_in(tmp_path / "kept") == [1]
        assert data_in(*place) == [0, 1]
        told = []
        done = Delivery(open_store(str(tmp_path / "kept"))).to(
            open_store(*place), tell=told.append
        )
        assert (done.count, done.same, told) == (0, 1, [])
        assert not list((tmp_path / "kept").rglob("*.zip"))

    def test_what_a_later_save_has_replaced_is_not_delivered(
        self, make, proxy, place, tmp_path, caplog
    ):
        handler = make()
        proxy.breaks = away
        handler.checkpoint("a", 1)
        proxy.breaks = lambda _: PASSES
        back(handler)
        handler.checkpoint("a", 2)
        flush()
        assert data_in(*place) == [2]
        assert "could not all be delivered" not in caplog.text

    def test_another_object_is_left_and_told(self, make, proxy, place, caplog):
        make().checkpoint("a", 1)
        handler = make()
        proxy.breaks = away
        handler.checkpoint("a", 2)
        proxy.breaks = lambda _: PASSES
        back(handler)
        handler.checkpoint("b", 3)
        flush()
        assert data_in(*place) == [1, 3]
        assert "a.ckpt.zip exists and differs; replace it with --force" in caplog.text

    def test_a_store_that_is_away_again_is_told(self, make, proxy, tmp_path, caplog):
        handler = make()
        proxy.breaks = away
        handler.checkpoint("a", 1)
        handler._spill.deliver()
        assert "could not all be delivered" in caplog.text
        assert data_in(tmp_path / "kept") == [1]


class TestPush:
    @pytest.fixture
    def kept(self, tmp_path):
        handler = FileHandler(tmp_path / "kept")
        for day in range(12):
            with tags(day=day):
                handler.checkpoint("shop.total", day)
        return tmp_path / "kept"

    @pytest.fixture
    def run(self, capsys):
        pytest.importorskip("click", reason="it reads the arguments")
        pytest.importorskip("rich", reason="it shows how far it is")
        from checkpoints.cli import main

        def run(*arguments):
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main([str(each) for each in arguments])
            return (ended.value.code or 0, *capsys.readouterr())

        return run

    def test_moves_each_file_once_and_says_so(self, run, kept, bucket):
        code, out, _ = run("push", kept, bucket, "--dry-run")
        assert (code, "would deliver 12 files" in out) == (0, True)
        code, out, _ = run("push", kept, bucket)
        assert (code, "delivered 12 files, 6" in out) == (0, True), out
        assert data_in(bucket) == [*range(12)]
        assert [*kept.iterdir()] == []
        assert run("push", kept, bucket)[1] == f"nothing to deliver in {kept}\n"

    def test_goes_on_where_it_was_interrupted(self, run, kept, bucket):
        run("cp", kept, bucket, "--where", "day<5")
        code, out, _ = run("push", kept, bucket)
        assert (code, "delivered 7 files" in out) == (0, True)
        assert "; 5 already there" in out

    def test_records_that_are_left_go_along(self, run, kept, bucket):
        for file in kept.rglob("*.zip"):
            file.unlink()
        assert run("push", kept, bucket)[0] == 0
        assert [it.id for it in runs(bucket)] == [os.environ["CHECKPOINTS_RUN"]]

    @pytest.mark.skipif(
        os.name != "posix" or not os.getuid(), reason="all folders can be read"
    )
    def test_a_folder_that_cannot_be_read_is_told(self, run, kept, bucket):
        (kept / "day=3").chmod(0)
        code, out, err = run("push", kept, bucket)
        (kept / "day=3").chmod(0o700)
        assert (code, "delivered 11 files" in out) == (1, True)
        assert f"not delivered: {kept}/day=3: Permission denied" in err

    def test_two_at_once_deliver_each_once(self, kept, bucket):
        command = [sys.executable, "-m", "checkpoints", "push", str(kept), bucket]
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        done = [it.communicate(timeout=servers.PATIENCE) for it in both]
        assert [it.returncode for it in both] == [0, 0], done
        assert data_in(bucket) == [*range(12)]
        assert not list(kept.rglob("*.zip"))

    def test_an_object_that_differs_is_kept_unless_forced(self, run, kept, bucket):
        with tags(day=3):
            FileHandler(bucket).checkpoint("shop.total", "other")
        code, out, err = run("push", kept, bucket)
        assert (code, "; 1 file kept" in out) == (1, True)
        assert "shop/total.ckpt.zip exists and differs" in err
        assert len(list(kept.rglob("*.zip"))) == 1
        assert run("push", kept, bucket, "--force")[0] == 0
        assert data_in(bucket) == [*range(12)]

    def test_a_store_that_is_away_keeps_all(self, run, kept, bucket, monkeypatch):
        monkeypatch.setenv(
            "AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}"
        )
        code, _, err = run("push", kept, bucket)
        assert (code, "cannot be reached; correct endpoint" in err) == (2, True)
        assert len(list(kept.rglob("*.zip"))) == 12

    def test_what_is_no_folder_or_no_store_is_told(self, run, kept, bucket, tmp_path):
        for words in ((bucket, kept), (kept, kept), (tmp_path / "none", bucket)):
            assert run("push", *words)[0] == 2
