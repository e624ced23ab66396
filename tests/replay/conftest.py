"""A module of functions whose calls are saved, to be replayed."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import shutil
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

import checkpoints
from checkpoints import config, index, probe
from checkpoints._probes import calls
from checkpoints._probes.probe import probes

SOURCE = """
import asyncio
import random
import threading
import types

import numpy as np

import checkpoints


class Till:
    rate = 2

    def __init__(self, name):
        self.name = name

    def add(self, x, y=1):
        return [self.name, x + y]

    @classmethod
    def open(cls, name):
        return cls.__name__ + name

    @classmethod
    def many(*args):
        return [args[0].__name__, *args[1:]]

    @staticmethod
    def close(name):
        return name[::-1]


class Kiosk(Till):
    pass


def mean(prices, *more, weights=None, **options):
    checkpoints.checkpoint("shop.inside", total=float(np.sum(prices)))
    return np.average(prices, weights=weights) + sum(more) + len(options)


def only_positional(a, b=2, /, c=3):
    return a, b, c


def fail(price):
    raise ValueError(f"no such price: {price}")


def leave(code):
    raise SystemExit(code)


async def fetch(key):
    await asyncio.sleep(0)
    return {"key": key}


def steps(n):
    for i in range(n):
        yield i
    return n * 2


async def stream(n):
    for i in range(n):
        yield i


def sort(values):
    values.sort()


def shuffle(values):
    random.shuffle(values)


async def fill(box, n):
    box["n"] = n
    return n


def sort_and_lock(values):
    values.sort()
    return threading.Lock()


def put_lock(box):
    box["lock"] = threading.Lock()
    return 1


def fill_two(one, two):
    one.append(1)
    two.append(1)


def move(one, other):
    other.append(one.pop())
    return len(other)


buffer = np.zeros(3)


def refill(n):
    global buffer
    buffer += n
    return buffer


def noisy(n):
    import atexit
    import threading

    atexit.register(print, "at exit")
    threading.Timer(0.2, print, ["in a thread"]).start()
    print("without a line", end="")
    return n


def draw(n):
    return random.random() + float(np.random.random())


async def draw_later():
    return random.random()


def draw_steps():
    found = random.random()
    yield found
    return found


def sample(rng, n):
    return rng.normal(size=n)


def unpicklable(lock, n):
    return n
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A fresh module `shop` with a source that a test can change."""
    monkeypatch.setattr(calls, "_numbers", {})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "shop.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    yield importlib.import_module("shop")
    for each in list(probes.values()):
        each.remove()
    sys.modules.pop("shop", None)


@pytest.fixture
def saved(tmp_path):
    """Save the calls that a function makes; return the entry of the last of a name."""
    pytest.importorskip("wrapt", reason="it wraps the functions")

    def saved(target, run, *, raises=ZeroDivisionError, **options):
        root = tmp_path / "saved"
        name = target.replace(":", ".")
        rule = config(name, root, **options)
        with rule, checkpoints.probe(target), suppress(raises):
            run()
        (*_, entry) = (it for it in index(root) if it.name == name)
        return entry

    return saved


@pytest.fixture
def changed(shop):
    """Change the source of the module, and import it anew."""

    def changed(old, new):
        file = shop.__file__
        with open(file, encoding="utf-8") as source:
            text = source.read()
        assert old in text
        with open(file, "w", encoding="utf-8") as source:
            source.write(textwrap.dedent(text.replace(old, new)))
        sys.modules.pop("shop", None)
        importlib.invalidate_caches()
        return importlib.import_module("shop")

    return changed


class Repository:
    """A repository of a package `stand`, with a commit for each source."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "src" / "stand" / "fees.py"
        self.write({"src/stand/__init__.py": ""})
        self.git("init", "--quiet")

    def git(self, *words, folder=None):
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        options = (*identity, "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *options, "-C", folder or self.folder, *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, files):
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def commit(self, source, subject, **files):
        self.file.write_text(source)
        self.write(files.pop("files", {}))
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def state(self):
        """Return all that git has written, but for the times."""
        files = (it for it in (self.folder / ".git").rglob("*") if it.is_file())
        return {str(it): it.read_bytes() for it in files}

    def call(self, *args, name="stand.fees:fee", **options):
        """Save a call with the source as it is now; return its entry."""
        pytest.importorskip("wrapt", reason="it wraps the function")
        self.forget()
        root = self.folder.parent / "saved"
        module, _, function = name.partition(":")
        with config(module.partition(".")[0], root, **options), probe(name):
            called = getattr(importlib.import_module(module), function)
            with suppress(KeyboardInterrupt, SystemExit):
                made = called(*args)
                if inspect.iscoroutine(made):
                    asyncio.run(made)
        dotted = name.replace(":", ".")
        return next(it for it in index(root) if it.name == dotted)

    def forget(self):
        for name, module in [*sys.modules.items()]:
            if str(self.folder) in str(getattr(module, "__file__", "")):
                del sys.modules[name]
        importlib.invalidate_caches()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    if not shutil.which("git"):
        pytest.skip("it runs git")
    monkeypatch.setattr(calls, "_numbers", {})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path / "repository" / "src")
    # The library and what it needs, for whichever Python runs.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    found = Repository(tmp_path / "repository")
    yield found
    for each in list(probes.values()):
        each.remove()
    found.forget()


@pytest.fixture
def command():
    """Run a command in a process; return its exit code, output and errors."""

    def command(*words, **options):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "checkpoints", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        return done.returncode, done.stdout, done.stderr

    return command
