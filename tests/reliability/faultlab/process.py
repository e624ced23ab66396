"""
The process under test: it imports everything once, and forks a child for each fault.

Reads jobs from its standard input and answers each by a line, both JSON. It runs with
faults.c preloaded, and the package to be tested first on its path.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections import Counter

import checkpoints
from checkpoints import errors
from checkpoints._files.run_record import read_record
from checkpoints.storage import _local
from faultlab import savers, values
from faultlab.shim import Fault, Shim

_UNKNOWN = getattr(errors, "UnknownOutcomeError", ())


# One child, and what becomes of it


def run(job):
    """Save in a child, under a fault; return how it ended and what it reported."""
    reading, writing = os.pipe()
    output = os.memfd_create("output")
    child = os.fork()
    if not child:
        os.close(reading)
        os.dup2(output, 1)
        _end_with(_Child(job, writing).live)
    os.close(writing)
    text, hung = _read_all(reading, job["patience"])
    if hung:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    code = os.waitstatus_to_exitcode(status)
    ends = {-signal.SIGKILL: "killed", 0: "returned"}
    answer = {"end": "hung" if hung else ends.get(code, f"exit {code}"), "told": []}
    for line in text.splitlines():
        event = json.loads(line)
        answer["told"] += event.pop("told", [])
        answer.update(event)
    answer["output"] = os.pread(output, 1 << 16, 0).decode()
    os.close(output)
    return answer


def _end_with(live):
    try:
        live()
        sys.stdout.flush()
        os._exit(0)
    except SystemExit as error:
        sys.stdout.flush()
        os._exit(error.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(70)


def _read_all(pipe, patience):
    found = b""
    end = time.monotonic() + patience
    while select.select([pipe], [], [], max(0, end - time.monotonic()))[0]:
        more = os.read(pipe, 1 << 16)
        if not more:
            return found.decode(), False
        found += more
    return found.decode(), True


class _Child:
    """A program that saves, and reports the outcome of each save over a pipe."""

    def __init__(self, job, pipe):
        self.job = job
        self.pipe = pipe
        self.options = None

    def live(self):
        savers.install(self.job["saver"])
        saves = [
            (save, values.value(save["kind"], save["number"]))
            for save in self.job["saves"]
        ]
        open_before = set(os.listdir("/proc/self/fd"))
        shim.arm(self.job["arena"], Fault(*self.job["fault"]), self.job["refused"])
        print("begin")
        for save, value in saves:
            self.say(told=[self.save(save, value)])
            print("saved", save["name"])
        calls = shim.calls()
        shim.disarm()
        leaked = set(os.listdir("/proc/self/fd")) - open_before
        self.say(calls=calls, leaked=len(leaked))
        if self.job["host"]:
            sys.exit(3)

    def save(self, save, value):
        """Save, and return the outcome that the caller sees."""
        if save["options"] != self.options:
            self.options = save["options"]
            checkpoints.config("lab", self.job["root"], **self.options)
        if self.job["host"]:
            self.attempt(save["name"], value)
            return "nothing"
        try:
            self.attempt(save["name"], value)
        except Exception as error:
            known = "unknown" if isinstance(error, _UNKNOWN) else "failed"
            return f"{known}: {type(error).__name__}: {error}"
        return "committed"

    def attempt(self, name, value):
        checkpoints.checkpoint(name, x=value)
        if self.options.get("background"):
            checkpoints.flush(30)

    def say(self, **event):
        os.write(self.pipe, json.dumps(event).encode() + b"\n")


# What lies on the disk


def check(job):
    """Report the files under a root: the number of each, or what is wrong with it."""
    files, temporary, lost_records = {}, [], 0
    for folder, below, names in os.walk(job["root"]):
        below[:] = [name for name in below if name != ".runs"]
        lost_records += _lost_records(os.path.join(folder, ".runs"))
        for name in names:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, job["root"])
            if _local.is_temporary(name):
                temporary.append(short)
            else:
                files[short] = _state(path, job["kind"])
    return {"files": files, "temporary": temporary, "lost_records": lost_records}


def _lost_records(folder):
    """Count the records of runs that a reader takes for none."""
    store = _local.LocalStore(folder)
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    found = [name for name in names if name.endswith(".json")]
    return sum(read_record(store, name) is None for name in found)


def _state(path, kind):
    try:
        found = checkpoints.load(path, trusted=True)["x"]
        number = values.number_of(kind, found)
    except errors.CorruptFileError as error:
        return f"damaged: {error}"
    except BaseException as error:
        return f"unreadable: {type(error).__name__}: {error}"
    return "another value" if number is None else number


# Many at once


def race(job):
    """Let processes, or threads of one process, save under one key simultaneously."""
    start = os.pipe()
    children = [_forked(job, number, start) for number in range(job["processes"])]
    os.close(start[1])
    raised, stuck = Counter(), 0
    for child, pipe in children:
        text, hung = _read_all(pipe, job["patience"])
        if hung:
            os.kill(child, signal.SIGKILL)
            stuck += 1
        os.waitpid(child, 0)
        os.close(pipe)
        raised.update(json.loads(text) if text else {"no answer": 1})
    os.close(start[0])
    return {"raised": raised, "hung": stuck}


def _forked(job, number, start):
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    rival = _Rival(job, number)
    # The pipe ends, for all at once, when the last of them has been forked.
    os.close(start[1])
    os.read(start[0], 1)
    rival.save_in_all_threads()
    os.write(writing, json.dumps(rival.raised).encode())
    os._exit(0)


class _Rival:
    """One process of a race, with one thread or several."""

    def __init__(self, job, number):
        savers.install(job["saver"])
        shim.arm(job["arena"], Fault(), job["refused"])
        self.handler = checkpoints.FileHandler(job["root"], **job["options"])
        self.one_key = job["options"]["if_exists"] == "keep"
        self.threads, self.saves = job["threads"], job["saves"]
        self.first = number * self.threads * self.saves
        self.raised = Counter()

    def save_in_all_threads(self):
        threads = [
            threading.Thread(target=self.save, args=(self.first + thread * self.saves,))
            for thread in range(self.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def save(self, first):
        """Save one number after another, and count the errors."""
        for count in range(self.saves):
            name = "lab.x" if self.one_key else f"lab.x{count}"
            try:
                self.handler.checkpoint(name, x=values.value("array", first + count))
            except Exception as error:
                self.raised[type(error).__name__] += 1


def about(_job):
    """Report what this version supports."""
    options = inspect.signature(checkpoints.FileHandler.__init__).parameters
    return {"package": checkpoints.__file__, "options": list(options)}


def _warm_up(kinds):
    """Meet all imports that a save or a load puts off, so that no child has to."""
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            with checkpoints.config("warm", folder, on_error="raise"):
                checkpoints.checkpoint("warm", x=values.value(kind, 1))
            _state(os.path.join(folder, "warm.ckpt.zip"), kind)
    checkpoints.flush()
    # What is collected in a child has its pages copied, and all of these stay.
    gc.freeze()


def main():
    _warm_up(sys.argv[1:])
    verbs = {"run": run, "check": check, "race": race, "about": about}
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(verbs[job["verb"]](job)), flush=True)


if __name__ == "__main__":
    shim = Shim()
    main()
