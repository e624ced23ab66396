"""Processes: each saves under its own tags, and none waits for another's lock."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

HERE = Path(__file__).parent
LOCATION = Path(checkpoints.__file__).parents[1]
METHODS = ["fork", "spawn", "forkserver"] if os.name == "posix" else ["spawn"]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

# Fork beside threads is what some tests are about; Python 3.12 and later warn of it.
WARNINGS = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]


@pytest.fixture
def run(tmp_path):
    """Run a program with arguments; it must succeed and print nothing."""
    path = f"{LOCATION}{os.pathsep}{HERE}"
    environment = {**os.environ, "PYTHONPATH": path}
    environment.pop("CHECKPOINTS_RUN", None)

    def run(program, *arguments):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        ended = subprocess.run(
            [sys.executable, *WARNINGS, str(file), *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
            env=environment,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    return run


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def saved(root):
    """What each worker saved; empty if there is no root."""
    entries = index(root) if root.exists() else []
    return {int(entry.tags["worker"]): entry.load()["data"] for entry in entries}


ROWS = {0: [], 1: [0], 2: [0, 2], 3: [0, 2, 4]}

# The parent may have saved before, may only have made a rule, or not even that.
WORKERS = """
    import multiprocessing, sys
    import fakelib.workers
    from checkpoints import config

    if __name__ == "__main__":
        method, root, parent, children = sys.argv[1:]
        if parent == "saved":
            fakelib.workers.save_under(root, 4)
        if parent == "configured":
            config("fakelib", root, on_error="raise")
        if children == "inherit":
            jobs = [(fakelib.workers.save, (number,)) for number in range(4)]
        else:
            jobs = [(fakelib.workers.save_under, (root, n)) for n in range(4)]
        context = multiprocessing.get_context(method)
        workers = [context.Process(target=job, args=rest) for job, rest in jobs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        sys.exit(max(worker.exitcode for worker in workers))
"""

POOL = """
    import multiprocessing, sys
    import fakelib.workers

    if __name__ == "__main__":
        method, root = sys.argv[1:]
        jobs = [(root, number) for number in range(4)]
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.starmap(fakelib.workers.save_under, jobs))
            pool.close()
            pool.join()
"""


class TestWorkers:
    @pytest.mark.parametrize("method", METHODS)
    def test_each_saves_under_its_own_tags(self, run, root, method):
        run(WORKERS, method, root, "imported", "configure")
        assert saved(root) == ROWS
        assert len({entry.meta["pid"] for entry in index(root)}) == 4

    @pytest.mark.parametrize("parent", ["saved", "configured"])
    @pytest.mark.parametrize("method", METHODS)
    def test_all_are_of_one_run(self, run, root, method, parent):
        run(WORKERS, method, root / "{run}", parent, "configure")
        runs = {entry.meta["run"] for entry in index(root)}
        assert len(runs) == 1
        assert {folder.name for folder in root.iterdir()} == runs

    @needs_fork
    def test_forked_ones_that_inherit_a_rule_are_of_one_run(self, run, root):
        run(WORKERS, "fork", root / "{run}", "configured", "inherit")
        assert len(list(root.iterdir())) == 1

    @needs_fork
    def test_forked_ones_inherit_rules(self, run, root):
        run(WORKERS, "fork", root, "configured", "inherit")
        assert saved(root) == ROWS

    @pytest.mark.parametrize("method", METHODS[METHODS.index("spawn") :])
    def test_others_inherit_none(self, run, root, method):
        run(WORKERS, method, root, "configured", "inherit")
        assert saved(root) == {}

    @pytest.mark.parametrize("method", METHODS)
    def test_a_pool_saves_and_ends(self, run, root, method):
        assert run(POOL, method, root) == "[0, 1, 2, 3]\n"
        assert saved(root) == ROWS

    @needs_fork
    def test_a_pool_that_is_forked_inherits_rules_and_tags(self, run, root):
        run(
            """
            import multiprocessing, sys
            import fakelib.workers
            from checkpoints import config, tags

            config("fakelib", sys.argv[1], on_error="raise")
            with tags(day="monday"):
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    assert pool.map(fakelib.workers.save, range(4)) == [0, 1, 2, 3]
                    (pairs,) = pool.map(fakelib.workers.tags_seen, [None])
                    pool.close()
                    pool.join()
            assert pairs == (("day", "monday"),)
            """,
            root,
        )
        assert saved(root) == ROWS
        assert {entry.tags["day"] for entry in index(root)} == {"monday"}


@needs_fork
class TestFork:
    def test_a_child_has_a_root_of_its_own_by_pid(self, run, root):
        pids = run(
            """
            import os, sys
            from checkpoints import checkpoint, config

            config("mypkg", sys.argv[1] + "/{pid}", on_error="raise")
            checkpoint("mypkg.fit", "parent")
            child = os.fork()
            if not child:
                checkpoint("mypkg.fit", "child")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            print(os.getpid(), child)
            """,
            root,
        ).split()
        found = {entry.prefixes[0]: entry.load()["data"] for entry in index(root)}
        assert found == dict(zip(pids, ["parent", "child"], strict=True))

    def test_no_two_saves_share_process_and_number(self, run, root):
        run(
            """
            import os, sys
            from checkpoints import checkpoint, config

            config("mypkg", sys.argv[1], if_exists="keep", on_error="raise")
            checkpoint("mypkg.fit", 0)
            child = os.fork()
            for _ in range(5):
                checkpoint("mypkg.fit", 0)
            if not child:
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            """,
            root,
        )
        metas = [entry.meta for entry in index(root)]
        assert len(metas) == 11
        assert len({(meta["pid"], meta["sequence"]) for meta in metas}) == 11

    def test_a_child_does_not_wait_for_a_lock_of_its_parents_threads(self, run, root):
        run(
            """
            import os, signal, sys, threading
            from checkpoints import capture, checkpoint, config, deprecate, register
            from checkpoints._rules.registry import registry

            held, done = threading.Event(), threading.Event()

            def hold():
                with registry.lock:
                    held.set()
                    done.wait()

            threading.Thread(target=hold).start()
            held.wait()
            child = os.fork()
            if not child:
                signal.alarm(60)
                register("mypkg.fit")
                deprecate("mypkg.old", "mypkg.fit")
                with config("mypkg", sys.argv[1], on_error="raise"):
                    checkpoint("mypkg.fit", 1)
                with capture("mypkg"):
                    checkpoint("mypkg.load", 1)
                os._exit(0)
            status = os.waitpid(child, 0)[1]
            done.set()
            assert status == 0, status
            """,
            root,
        )
        assert [entry.load() for entry in index(root)] == [{"data": 1}]

    def test_children_start_well_while_threads_save_and_make_rules(self, run, root):
        run(
            """
            import os, signal, sys, threading
            from checkpoints import Session, checkpoint, config, tags

            config("mypkg", sys.argv[1], on_error="raise")
            sys.setswitchinterval(1e-5)
            done = threading.Event()

            def work(number):
                count = 0
                while not done.is_set():
                    count += 1
                    with tags(thread=number), config(f"other{count % 9}", None):
                        checkpoint(f"new{number}.n{count % 99}", count)
                        with Session("mypkg.session") as session:
                            session.checkpoint(count)

            import logging
            logging.disable()
            threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
            for thread in threads:
                thread.start()
            statuses = []
            for number in range(20):
                child = os.fork()
                if not child:
                    signal.alarm(60)
                    with tags(child=number), config("again", sys.argv[1]):
                        checkpoint("mypkg.fit", number)
                        checkpoint("again.fit", number)
                    os._exit(0)
                statuses.append(os.waitpid(child, 0)[1])
            done.set()
            for thread in threads:
                thread.join()
            assert statuses == [0] * 20, statuses
            """,
            root,
        )
        children = [entry for entry in index(root) if entry.stem == "fit"]
        found = [(int(entry.tags["child"]), entry.load()["data"]) for entry in children]
        assert sorted(found) == sorted([(n, n) for n in range(20)] * 2)
        assert [path for path in root.rglob("*.tmp") if path.is_file()] == []

    def test_a_child_that_is_killed_leaves_no_lock_behind(self, run, root):
        run(
            """
            import os, signal, sys
            from checkpoints import checkpoint, config
            from checkpoints._rules.registry import registry

            config("mypkg", sys.argv[1], on_error="raise")
            child = os.fork()
            if not child:
                registry.lock.acquire()
                os.kill(os.getpid(), signal.SIGKILL)
            os.waitpid(child, 0)
            signal.alarm(60)
            checkpoint("mypkg.fit", 1)
            """,
            root,
        )
        assert len(index(root)) == 1


@needs_fork
class TestSessions:
    def test_a_child_begins_anew_whatever_the_parent_has_under_way(self, run):
        """A session's lock is held by a thread that does not exist in the child."""
        out = run("""
            import os, signal, threading
            from checkpoints import Session, config

            saved = []
            begun, go_on = threading.Event(), threading.Event()

            class Waiting:
                def __deepcopy__(self, memo):
                    begun.set()
                    go_on.wait()
                    return 3

            config("mypkg", lambda key, data: saved.append(data), on_error="raise")
            session, other = Session("mypkg.fit"), Session("mypkg.other")
            session.checkpoint(parent=1)
            other.checkpoint(parent=2)
            thread = threading.Thread(
                target=session.checkpoint, kwargs={"late": Waiting()}
            )
            thread.start()
            begun.wait()
            child = os.fork()
            if not child:
                signal.alarm(60)
                session.commit()
                session.checkpoint(child=4)
                session.commit()
                other.commit()
                print("child", saved, flush=True)
                del session, other
                os._exit(0)
            ended = os.waitpid(child, 0)[1]
            go_on.set()
            thread.join()
            session.commit()
            other.discard()
            print("parent", ended, saved)
        """)
        assert out.splitlines() == [
            "child [{'child': 4}]",
            "parent 0 [{'parent': 1, 'late': 3}]",
        ]

    def test_what_the_parent_has_staged_is_not_the_childs_to_tell_of(self, run):
        out = run("""
            import os, sys
            from checkpoints import Session, config

            config("mypkg", print)
            session = Session("mypkg.fit")
            session.checkpoint(parent=1)
            child = os.fork()
            if not child:
                del session
                sys.exit()
            print(os.waitpid(child, 0)[1])
            session.discard()
        """)
        assert out == "0\n"
