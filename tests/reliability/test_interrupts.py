"""Interrupts at every bytecode of a save, and memory that runs out anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import checkpoints

LOCATION = Path(checkpoints.__file__).parents[1]

# What is done before each save, the save itself, and the look at what it left.
PRELUDE = """
import dis, gc, json, os, shutil, sys, threading
import numpy as np
import checkpoints as cp

root, step, kind, options = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
VALUES = {
    "small": {"a": 1, "b": "text"},
    "array": {"a": np.arange(200_000.0)},
    "object": {"a": {1, 2}, "b": object},
}[kind]

def naive(values):
    import pickle
    path = os.path.join(root, "a.ckpt.zip.ckpt.tmp")
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    os.write(handle, pickle.dumps(values))
    os.close(handle)
    os.rename(path, os.path.join(root, "a.pickle"))

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def left_over():
    found = [name for _, _, names in os.walk(root) for name in names]
    return [name for name in found if name.endswith(".ckpt.tmp")]

def crc_threads():
    return [it for it in threading.enumerate() if it.name == "checkpoints-crc"]

def clean():
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)

def get_ready():
    "Meet what only a first save meets, and let a collection look at what is new alone."
    clean()
    save()
    cp.flush()
    gc.freeze()

def look():
    "What a save has left that it should not have."
    wrong = []
    for thread in crc_threads():
        thread.join(5)
        if thread.is_alive():
            wrong.append("a thread")
    wrong += [f"litter {name}" for name in left_over()]
    if descriptors() != before:
        wrong.append(f"{descriptors() - before} descriptors")
    for entry in cp.index(root):
        entry.load(trusted=True)
    return wrong
"""

INTERRUPTS = (
    PRELUDE
    + """
OURS = os.path.dirname(cp.__file__)

# Only after these does the interpreter look for signals, so nowhere else can one be
# raised. Between the end of a `with` block and the release of its lock, for one, never.
LOOKING = {"RESUME", "JUMP_BACKWARD", "CALL", "CALL_KW", "CALL_FUNCTION_EX"}
places = {}

def interrupted(save, number):
    "Interrupt the save at the look of that number; note where each first was."
    count, before = 0, {}
    places.clear()
    def trace(frame, event, argument):
        nonlocal count
        code = frame.f_code
        if not code.co_filename.startswith(OURS) and code is not naive.__code__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            last = before.get(frame, 0)
            before[frame] = frame.f_lasti
            if dis.opname[code.co_code[last]] not in LOOKING:
                return trace
            count += 1
            places.setdefault((code, frame.f_lasti), count)
            if count == number:
                before.clear()
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace
    # Otherwise Python 3.12 would tell only of opcodes of later calls.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        save()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)

def save():
    if options == "naive":
        naive(VALUES)
    else:
        cp.checkpoint("interrupts.a", VALUES)

given = {} if options == "naive" else json.loads(options)
rule = cp.config("interrupts", root, **given)
get_ready()
breaches = []
clean()
interrupted(save, 0)
cp.flush()
numbers = sorted(places.values())[::step]
for number in numbers:
    clean()
    gc.collect()
    before = descriptors()
    interrupted(save, number)
    gc.collect()
    try:
        cp.flush(20)
        wrong = look()
        if options != "naive":
            cp.checkpoint("interrupts.again", VALUES)
            cp.flush(20)
            if not any(entry.stem == "again" for entry in cp.index(root)):
                wrong.append("no save afterwards")
            if cp.stats().pending or cp.stats().pending_bytes:
                wrong.append("room that is not given back")
    except Exception as error:
        wrong = [repr(error)]
    if wrong:
        breaches.append([number, wrong])
rule.remove()
print(json.dumps({"cases": len(numbers), "breaches": breaches}))
"""
)

ALLOCATIONS = (
    PRELUDE
    + """
import _testcapi, logging
logging.getLogger("checkpoints").addHandler(logging.NullHandler())
logging.getLogger("checkpoints").propagate = False

def save():
    if options == "naive":
        naive(VALUES)
    else:
        cp.checkpoint("allocations.a", VALUES)

given = {} if options == "naive" else json.loads(options)
rule = cp.config("allocations", root, **given)
get_ready()
breaches, cases = [], 0
# The first one is Python's, to make the call.
for number in range(2, 402, step):
    clean()
    gc.collect()
    before = descriptors()
    raised = ""
    _testcapi.set_nomemory(number, number + 1)
    try:
        save()
    except BaseException as error:
        _testcapi.remove_mem_hooks()
        raised = type(error).__name__
        del error
    finally:
        _testcapi.remove_mem_hooks()
    gc.collect()
    cases += 1
    try:
        cp.flush(20)
        wrong = look()
    except Exception as error:
        wrong = [repr(error)]
    if raised:
        wrong.append(f"{raised} left the save")
    if wrong:
        breaches.append([number, wrong])
rule.remove()
print(json.dumps({"cases": cases, "breaches": breaches}))
"""
)

# An interrupt in a finalizer, or what an object that owned a descriptor says when it
# is thrown away half made, cannot be raised to anybody: Python prints it.
OPTIONS = ["-W", "ignore::ResourceWarning"]

VARIANTS = [
    ("small", {}),
    ("small", {"if_exists": "keep"}),
    ("small", {"durable": True}),
    ("array", {}),
    ("array", {"durable": True, "if_exists": "error"}),
    ("array", {"compression": "gzip"}),
    ("small", {"background": True}),
    ("array", {"background": True}),
    ("object", {}),
]


# A lock of Python's own futures can stay held when the very allocation fails that is
# to release it. A flush then ends by its time limit, and the page of promises says so.
IN_THE_CALL = [variant for variant in VARIANTS if not variant[1].get("background")]


def run(program, root, step, kind, options):
    ended = subprocess.run(
        [
            sys.executable,
            *OPTIONS,
            "-c",
            textwrap.dedent(program),
            str(root),
            str(step),
            kind,
            options if isinstance(options, str) else json.dumps(options),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(LOCATION), "OPENBLAS_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    return json.loads(ended.stdout.splitlines()[-1])


def total(program, tmp_path, step, variants):
    roots = [tmp_path / str(number) for number in range(len(variants))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(
            lambda root, variant: run(program, root, step, *variant), roots, variants
        )
        outcomes = list(zip(variants, found, strict=True))
    breaches = [
        f"{variant}: {breach}"
        for variant, outcome in outcomes
        for breach in outcome["breaches"]
    ]
    return sum(outcome["cases"] for _, outcome in outcomes), breaches


on_3_12 = sys.version_info[:2] == (3, 12)


class TestInterrupts:
    def test_none_leaves_a_file_a_descriptor_or_a_thread_behind(
        self, tmp_path, record, full
    ):
        step = 1 if full else 13
        control = run(INTERRUPTS, tmp_path / "naive", 1, "small", "naive")
        cases, breaches = total(INTERRUPTS, tmp_path, step, VARIANTS)
        record(
            "an interrupt leaves nothing behind",
            cases=cases,
            breaches=breaches,
            control=len(control["breaches"]),
            note="KeyboardInterrupt wherever Python looks for signals",
        )


class TestAllocations:
    @pytest.mark.skipif(on_3_12, reason="Python 3.12 itself crashes out of memory")
    @pytest.mark.usefixtures("failing_allocations")
    def test_none_that_fails_takes_the_program_down(self, tmp_path, record):
        control = run(ALLOCATIONS, tmp_path / "naive", 1, "object", "naive")
        cases, breaches = total(ALLOCATIONS, tmp_path, 1, IN_THE_CALL)
        record(
            "out of memory takes nothing down",
            cases=cases,
            breaches=breaches,
            control=len(control["breaches"]),
            note="MemoryError at one allocation",
        )
