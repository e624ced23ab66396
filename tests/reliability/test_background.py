"""Background saves: accepted saves are written, however the process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

LOCATION = Path(checkpoints.__file__).parents[1]
IMPORTED = os.pathsep.join([str(LOCATION), str(Path(__file__).parent)])
SAVES = 20

pytestmark = pytest.mark.skipif(os.name != "posix", reason="it kills and forks")

# So many saves that some wait when the end comes.
ENDING = f"""
import os, signal, sys, threading, time
import checkpoints as cp

root, ending = sys.argv[1:]
cp.config("ending", root, background=True, durable=True)
for number in range({SAVES}):
    with cp.tags(number=number):
        cp.checkpoint("ending", b"x" * 1_000_000)
if cp.stats().pending < 2:
    sys.exit(99)
"""
ENDINGS = {
    "normal": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "exception": ("raise ValueError('mine')", 1),
    "Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -signal.SIGINT),
    "exit in a thread": (
        "it = threading.Thread(target=sys.exit); it.start(); it.join()",
        0,
    ),
    "atexit saves too": (
        "import atexit; atexit.register(cp.checkpoint, 'ending.last', 1)",
        0,
    ),
    "flush, then killed": ("cp.flush(); os._exit(0)", 0),
}
LOSING = {
    "os._exit": ("os._exit(0)", 0),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -15),
}


def started(program, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": IMPORTED, "OPENBLAS_NUM_THREADS": "1"},
        **options,
    )


def ended(program, *arguments):
    process = started(program, *arguments)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def lost(root, names="ending"):
    """The number of saves that are missing or incomplete."""
    numbers = set()
    for entry in index(root) if os.path.isdir(root) else ():
        if entry.name == names and entry.load():
            numbers.add(entry.tags["number"])
    return SAVES - len(numbers)


class TestEndings:
    def test_each_saves_what_was_accepted(self, tmp_path, record):
        breaches, cases = [], 0
        for number, (name, (code, status)) in enumerate(ENDINGS.items()):
            root = tmp_path / str(number)
            returncode, _, err = ended(ENDING + code, root, name)
            cases += SAVES
            if lost(root) or returncode != status:
                breaches.append(f"{name}: {lost(root)} lost, {returncode}, {err}")
        control = 0
        for name, (code, _) in LOSING.items():
            root = tmp_path / name
            ended(ENDING + code, root, name)
            control += lost(root)
        record(
            "what was accepted is saved at the end",
            cases=cases,
            breaches=breaches,
            control=control,
            note=f"{len(ENDINGS)} ways to end; control: killed",
        )

    def test_frames_that_wait_are_saved_as_frames(self, tmp_path):
        """Their conversion tries to start threads, but none are available."""
        program = """
            import sys
            import numpy as np
            import pandas as pd
            import checkpoints as cp

            frame = pd.DataFrame({"a": np.arange(300_000.0), "b": 1.5})
            cp.config("ending", sys.argv[1], background=True, compression="gzip")
            for number in range(4):
                with cp.tags(number=number):
                    cp.checkpoint("ending", frame)
        """
        returncode, _, err = ended(textwrap.dedent(program), tmp_path)
        assert (returncode, err) == (0, "")
        kinds = [entry.meta["values"]["data"]["kind"] for entry in index(tmp_path)]
        assert kinds == ["pandas.DataFrame"] * 4

    def test_a_disk_that_hangs_holds_it_up_for_max_wait_only(self, tmp_path):
        program = """
            import sys, time
            import checkpoints as cp

            class Hangs(dict):
                def __reduce__(self):
                    time.sleep(1000)

            class Frozen(dict):
                def __deepcopy__(self, memo):
                    return Hangs()

            cp.config("hangs", sys.argv[1], background=True, max_wait=0.5)
            for _ in range(3):
                cp.checkpoint("hangs", data=Frozen())
        """
        returncode, _, err = ended(textwrap.dedent(program), tmp_path)
        assert returncode == 0
        assert err.count("are done (max_wait=0.5 s); 1 save in progress may be") == 1
        assert "of 2 saves: 2 dropped ('hangs' 2)" in err


CHILDREN = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
import checkpoints as cp

def configure(root):
    cp.reset()
    cp.config("ending", root, background=True, if_exists="error")

def save(root, number):
    if not any(True for _ in cp.rules()):
        configure(root)
    with cp.tags(number=number):
        cp.checkpoint("ending", b"x" * 100_000)

def some(root, first):
    for number in range(first, first + 4):
        save(root, number)

if __name__ == "__main__":
    root, way = sys.argv[1:]
    configure(root)
    some(root, 0)
    firsts = (4, 8, 12, 16)
    if way == "os.fork":
        for first in firsts:
            if not os.fork():
                some(root, first)
                sys.exit()
        for _ in firsts:
            os.wait()
    elif way.startswith("pool"):
        context = multiprocessing.get_context(way.split()[1])
        with context.Pool(2) as pool:
            pool.starmap(some, [(root, first) for first in firsts])
    elif way.startswith("executor"):
        context = multiprocessing.get_context(way.split()[1])
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            for done in [pool.submit(some, root, first) for first in firsts]:
                done.result()
    else:
        context = multiprocessing.get_context(way)
        workers = [context.Process(target=some, args=(root, it)) for it in firsts]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
"""
WAYS = [
    "fork",
    "spawn",
    "forkserver",
    "os.fork",
    "pool fork",
    "pool spawn",
    "executor fork",
    "executor spawn",
]

FORKS = """
import os, signal, sys, threading
import checkpoints as cp
from checkpoints._handlers.outcomes import outcomes
from checkpoints._process import drain
from checkpoints._rules.registry import registry

root, count, renewed = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "renewed"
handler = cp.FileHandler(root, background=True)
cp.config("forks", handler)
cp.checkpoint("forks.parent", 1)
cp.flush()
if not renewed:
    drain._known.clear()
locks = [
    handler._writer._lock,
    outcomes._lock,
    registry.lock,
    registry.names._lock,
]
held, done = threading.Event(), threading.Event()

def hold():
    for lock in locks:
        lock.acquire()
    held.set()
    done.wait()
    for lock in locks:
        lock.release()

holder = threading.Thread(target=hold)
holder.start()
held.wait()
hung = 0
for number in range(count):
    pid = os.fork()
    if not pid:
        signal.alarm(20 if renewed else 1)
        with cp.tags(number=number):
            cp.checkpoint("forks.child", number)
        handler.flush()
        os._exit(0)
    hung += os.waitpid(pid, 0)[1] != 0
done.set()
holder.join()
print(hung)
"""


class TestChildren:
    def test_each_saves_its_own_and_nothing_of_its_parent(self, tmp_path, record, full):
        breaches, cases = [], 0
        file = tmp_path / "program.py"
        file.write_text(CHILDREN)
        for way in WAYS if full else WAYS[:5:2]:
            root = tmp_path / way
            process = subprocess.run(
                [sys.executable, "-W", "ignore", str(file), str(root), way],
                check=False,
                capture_output=True,
                text=True,
                timeout=300,
                env={**os.environ, "PYTHONPATH": str(LOCATION)},
            )
            cases += SAVES
            if lost(root) or process.returncode or process.stderr:
                breaches.append(f"{way}: {lost(root)} lost, {process.stderr}")
        control = tmp_path / "control"
        ended(ENDING + LOSING["os._exit"][0], control, "")
        record(
            "children save their own, once",
            cases=cases,
            breaches=breaches,
            control=lost(control),
            note="fork, spawn, forkserver, pools; control: os._exit",
        )

    def test_no_fork_hangs_while_another_thread_holds_every_lock(
        self, tmp_path, record, full
    ):
        count = 1000 if full else 50
        returncode, out, err = ended(FORKS, tmp_path / "good", count, "renewed")
        assert returncode == 0, err
        entries = index(tmp_path / "good")
        arrived = sum(entry.name == "forks.child" for entry in entries)
        _, caught, _ = ended(FORKS, tmp_path / "bad", 2, "as they were")
        record(
            "a fork never hangs",
            cases=count,
            breaches=int(out) + count - arrived,
            control=int(caught),
            note="control: locks that are not renewed",
        )


SNAPSHOTS = """
import sys
import numpy as np
import checkpoints as cp

root, count, background = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "frozen"
array = np.zeros(1000)
seen = []

class Late(cp.Handler):
    "Keeps what it is given, and looks at it in the end."
    def commit(self, key, staged):
        seen.append((key.tags, staged["data"]))

target = root if background else Late()
options = {"background": True} if background else {}
with cp.config("snapshots", target, **options):
    for number in range(count):
        array[:] = number
        with cp.tags(number=number):
            cp.checkpoint("snapshots.a", array)
        array[:] = -1
if background:
    wrong = sum(
        not (entry.load()["data"] == int(entry.tags["number"])).all()
        for entry in cp.index(root)
    ) + count - len(cp.index(root))
else:
    wrong = sum(not (data == dict(tags)["number"]).all() for tags, data in seen)
print(wrong)
"""

BOUNDED = """
import sys, threading
import numpy as np
import checkpoints as cp
from checkpoints.storage import _temporary
from faultlab import memory

root, count, bound = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SIZE = 50_000_000
all_given = threading.Event()

def slowly(handle, buffer, offset):
    "A disk that takes its time, and keeps nothing."
    if len(buffer) > 1_000_000:
        all_given.wait(float(sys.argv[5]))
    return len(buffer)

_temporary._write_at = slowly
_temporary._allocate = lambda handle, size: None
array = np.zeros(SIZE // 8)
cp.checkpoint("bounded.off", array)
base = memory.forget_peak()
cp.config("bounded", root, background=True, max_pending=bound, on_full=sys.argv[4],
          max_wait=1000)
for number in range(count):
    array[0] = number
    with cp.tags(number=number):
        cp.checkpoint("bounded.a", array)
all_given.set()
cp.flush(1000)
stats = cp.stats()
assert stats.saved + stats.dropped + stats.skipped == count, stats
print(memory.peak() - base, stats.saved, stats.dropped)
"""


class TestValues:
    def test_each_is_that_of_the_call(self, tmp_path, record, full):
        count = 10_000 if full else 500
        _, out, err = ended(SNAPSHOTS, tmp_path / "good", count, "frozen")
        _, caught, _ = ended(SNAPSHOTS, tmp_path / "bad", count, "kept")
        assert out, err
        record(
            "a value is that of the call",
            cases=count,
            breaches=int(out),
            control=int(caught),
            note="changed right after; control: not frozen",
        )

    @pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
    def test_those_that_wait_take_no_more_memory_than_was_allowed(
        self, tmp_path, record, full
    ):
        bound, breaches = 200_000_000, []
        counts = {"block": 1000 if full else 20, "drop": 20}
        for on_full, count in counts.items():
            root = tmp_path / on_full
            _, out, err = ended(BOUNDED, root, count, bound, on_full, 0.02)
            assert out, err
            used, _, _ = map(int, out.split())
            if used > bound * 1.2:
                breaches.append(f"{on_full}: {used} bytes")
        # So slow that all are given before the first is written: the queue grows.
        _, out, err = ended(BOUNDED, tmp_path / "bad", 8, 10 * bound, "block", 1000)
        assert out, err
        used = int(out.split()[0])
        record(
            "memory is bounded",
            cases=sum(counts.values()),
            breaches=breaches,
            control=int(used > bound * 1.2),
            note="50 MB each on a slow disk; control: ten times the bound",
        )
