"""The commands, with a bucket in place of a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from proxy import PASSES, before

import checkpoints
from checkpoints import FileHandler, config, index, probe, runs, tags
from checkpoints.cli._completion_answer import answer

PROGRAM = """
import checkpoints, sys, stall
for qty in (1, 2):
    with checkpoints.tags(day=qty):
        checkpoints.checkpoint("shop.total", qty * float(sys.argv[1]))
stall.price(3)
"""
MODULE = "def price(qty):\n    return qty * 2.0\n"


@pytest.fixture
def root(bucket):
    """Two days in a bucket."""
    handler = FileHandler(bucket)
    for day in (9, 10):
        with tags(day=day):
            handler.checkpoint("bakery.order", rye=10 * day)
    return bucket


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # A module that is written again within a second would not be compiled again.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stall.py").write_text(MODULE)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


@pytest.fixture
def started(folder, bucket):
    """Run the program by the command line, with its saves in a bucket."""
    pytest.importorskip("click")
    pytest.importorskip("rich")
    pytest.importorskip("wrapt")

    def start(factor, *options, to=f"{bucket}/run={{run}}"):
        return subprocess.run(
            [
                *(sys.executable, "-m", "checkpoints", "run", "shop", *options),
                *("--probe", "stall:price", "--to", to),
                *("--", "program.py", str(factor)),
            ],
            # Each is a run of its own, whatever this process has saved.
            env={k: v for k, v in os.environ.items() if "CHECKPOINTS_RUN" not in k},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


class TestStory:
    def test_it_runs_from_switching_on_to_replay(self, run, started, bucket, folder):
        done = started(1.0, "--name", "before")
        assert done.returncode == 0, done.stderr
        assert "saved 4 files" in done.stderr
        assert f"Next: checkpoints ls {bucket}/run=" in done.stderr
        done = started(1.5)
        assert (done.returncode, "saved 4 files" in done.stderr) == (0, True), done
        assert [it.name for it in runs(bucket)] == ["before", ""]
        assert {it.state for it in runs(bucket)} == {"ended"}
        assert "before" in run("runs", bucket).out

        found = run("diff", bucket)
        assert found.code == 1
        assert "shop.total" in found.out
        assert run("diff", f"{bucket}@before", f"{bucket}@before").code == 0

        (call,) = index(f"{runs(bucket)[0].path}").where("stall.price").latest()[:1]
        assert run("replay", call.path, "--trusted").code == 0
        (folder / "stall.py").write_text(MODULE.replace("2.0", "3.0"))
        sys.modules.pop("stall", None)
        changed = run("replay", f"{bucket}@before", "stall.price", "--trusted")
        assert changed.code == 1, changed
        sys.modules.pop("stall", None)

    def test_a_bucket_that_is_missing_is_told_before_the_program_runs(
        self, started, bucket
    ):
        done = started(1.0, "--rule", "shop=s3://none/a")
        assert done.returncode == 2
        assert "There is no bucket 'none'" in done.stderr


class TestBeforeTheStart:
    @pytest.mark.parametrize(
        ("code", "starts"), [("SignatureDoesNotMatch", False), ("AccessDenied", True)]
    )
    def test_wrong_credentials_are_told_and_who_may_not_list_may_save(
        self, started, folder, bucket, ministack, monkeypatch, code, starts
    ):
        (folder / "program.py").write_text("open('has_run', 'w').close()")
        body = f"<Error><Code>{code}</Code></Error>".encode()
        head = f"HTTP/1.1 403 No\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with before(ministack) as proxy:
            proxy.breaks = lambda _: head + body
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
            done = started(1.0)
        assert (folder / "has_run").exists() == starts, done.stderr
        if not starts:
            assert done.returncode == 2
            assert "The secret key is wrong; correct the credentials" in done.stderr

    @pytest.mark.parametrize("to", ["s3:/bucket/a", "s3:bucket"])
    def test_slashes_that_are_missing_are_told(self, started, to):
        done = started(1.0, to=to)
        assert done.returncode == 2
        assert "did you mean 's3://bucket" in done.stderr


class TestSummary:
    def test_what_may_not_be_listed_is_not_said_to_be_gone(
        self, started, bucket, ministack, monkeypatch
    ):
        body = b"<Error><Code>AccessDenied</Code></Error>"
        head = b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(body)
        with before(ministack) as proxy:
            proxy.breaks = lambda it: head + body if "list-type" in it else PASSES
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
            done = started(1.0)
        assert done.returncode == 0, done.stderr
        assert "4 saves succeeded, which cannot be listed" in done.stderr
        assert ": It may not be listed; allow that" in done.stderr
        assert "no longer exist" not in done.stderr
        assert "no call" not in done.stderr
        assert len(index(bucket, store_options=ministack.options)) == 4

    def test_files_below_a_root_with_odd_letters_are_found(self, started, bucket):
        root = f"{bucket}/a b?c=1&d%20"
        done = started(1.0, to=f"{root}/run={{run}}")
        assert "saved 4 files" in done.stderr, done.stderr
        assert len(index(root)) == 4


class TestLooking:
    def test_entries_are_listed_with_size_and_time(self, run, root):
        (first, _) = json.loads(run("ls", root, "--json").out)
        assert first["path"] == f"{root}/day=10/bakery/order.ckpt.zip"
        assert first["size"] > 100
        assert first["time"] > "2026"
        assert "bakery.order" in run("ls", root, "--long").out
        assert "order" in run("ls", root, "--tree", "--where", "day=9").out

    def test_a_value_is_shown_and_exported(self, run, root, tmp_path):
        path = f"{root}/day=9/bakery/order.ckpt.zip"
        assert "90" in run("show", path, "rye").out
        assert "90" in run("show", root, "bakery.order", "rye", "--where", "day=9").out
        done = run("export", path, "rye", "--to", tmp_path / "rye.json")
        assert done.code == 0, done
        assert run("show", f"{root}/none.ckpt.zip").code == 2

    def test_every_byte_is_verified(self, run, root):
        done = run("verify", root)
        assert (done.code, "2 files" in done.out) == (0, True)

    def test_a_root_that_is_not_there_is_told(self, run, bucket):
        done = run("ls", bucket)
        assert (done.code, "There is nothing below it" in done.err) == (2, True)

    def test_names_and_tags_are_completed(self, root):
        assert answer("zsh", ["ls", root, "ba"]) == "word bakery.order\n"
        assert answer("zsh", ["ls", root, "--where", "day=1"]) == "word day=10\n"
        assert answer("zsh", ["show", root, "bak"]) == "word bakery.order\n"
        path = f"{root}/day=9/bakery/order.ckpt.zip"
        assert answer("zsh", ["show", path, "r"]) == "word rye\n"


class TestCopies:
    def test_go_to_a_folder_and_back_and_to_another_bucket(
        self, run, root, tmp_path, ministack, new_root
    ):
        kept, other = tmp_path / "kept", new_root(ministack)
        for source, target in ((root, kept), (kept, other), (other, f"{other}-2")):
            done = run("cp", source, target)
            assert (done.code, "copied 2 files" in done.out) == (0, True), done
            again = run("cp", source, target)
            assert f"copied 0 files, 0 B to {target}; 2 already there" in again.out
        assert [it["rye"] for it in index(f"{other}-2").sort("day")] == [90, 100]

    def test_what_is_large_and_there_is_not_sent_again(
        self, run, tmp_path, bucket, ministack, monkeypatch
    ):
        for day in (9, 10):
            with tags(day=day):
                FileHandler(tmp_path / "a").checkpoint("a", b"x" * 100_000)
        run("cp", tmp_path / "a", bucket, "--where", "day=9")
        with before(ministack) as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
            done = run("cp", tmp_path / "a", bucket)
        assert ("copied 1 file" in done.out, "; 1 already there" in done.out) == (
            True,
            True,
        )
        sent = [it for it in proxy.requests if it.startswith("PUT")]
        assert [it for it in sent if "day%3D9/" in it or "day=9/" in it] == []
        assert [it for it in sent if "day%3D10/" in it or "day=10/" in it]

    def test_one_root_in_the_other_is_refused(self, run, root):
        done = run("cp", root, f"{root}/below")
        assert (done.code, "one root is inside the other" in done.err) == (2, True)

    def test_an_object_that_differs_is_kept_unless_forced(self, run, root, tmp_path):
        handler = FileHandler(tmp_path / "other")
        with tags(day=9):
            handler.checkpoint("bakery.order", rye=1)
        done = run("cp", tmp_path / "other", root)
        assert (done.code, "exists and differs" in done.err) == (1, True)
        assert run("cp", tmp_path / "other", root, "--force").code == 0
        assert index(root).where(day=9)[0]["rye"] == 1


class TestDeletions:
    def test_rm_deletes_what_is_selected_and_records_that_no_file_is_left_of(
        self, run, root
    ):
        assert len(runs(root)) == 1
        done = run("rm", root, "--where", "day=9", "--yes")
        assert (done.code, "deleted 1 file" in done.out) == (0, True)
        assert index(root).tag_values("day") == ["10"]
        assert len(runs(root)) == 1
        assert run("rm", root, "--all", "--yes").code == 0
        with pytest.raises(FileNotFoundError):
            index(root)

    def test_gc_keeps_the_last_entries(self, run, root):
        done = run("gc", root, "--keep-last", "1", "--yes")
        assert (done.code, "deleted 1 file" in done.out) == (0, True)
        assert index(root).tag_values("day") == ["10"]

    def test_gc_keeps_the_last_runs(self, run, bucket, monkeypatch):
        monkeypatch.setenv("CHECKPOINTS", f"a={bucket}/run={{run}}")
        program = "import checkpoints; checkpoints.checkpoint('a', 1)"
        for name in ("one", "two"):
            monkeypatch.setenv("CHECKPOINTS_RUN", name)
            subprocess.run([sys.executable, "-c", program], check=True)
        assert [it.id for it in runs(bucket)] == ["one", "two"]
        done = run("gc", bucket, "--keep-runs", "1", "--yes")
        assert done.code == 0, done
        assert [it.id for it in runs(bucket)] == ["two"]


class TestOtherWaysIn:
    def test_a_recorder_and_a_probe_save_there(self, bucket, folder, monkeypatch):
        pytest.importorskip("wrapt")
        monkeypatch.syspath_prepend(folder)
        import stall

        recorder = checkpoints.Recorder(f"{bucket}/recorded")
        with config("stall", bucket), probe("stall:price"), config("shop", recorder):
            stall.price(2)
            checkpoints.checkpoint("shop.total", 1)
        recorder.dump("asked for")
        sys.modules.pop("stall")
        names = index(bucket).names()
        assert names == ["recorded.shop.total", "stall.price", "stall.price.result"]

    def test_rules_of_the_environment_save_there(self, bucket, monkeypatch):
        monkeypatch.setenv("CHECKPOINTS", f"shop={bucket}")
        program = "import checkpoints; checkpoints.checkpoint('shop.total', 1)"
        subprocess.run([sys.executable, "-c", program], check=True)
        assert index(bucket)[0].load() == {"data": 1}
