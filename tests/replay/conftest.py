"""A module of functions whose calls are saved, to be replayed."""

from __future__ import annotations

import importlib
import sys
import textwrap
from contextlib import suppress

import pytest

import checkpoints
from checkpoints import config, index
from checkpoints._probes import calls
from checkpoints._probes.probe import _probes

SOURCE = """
import asyncio
import random
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


def fill_two(one, two):
    one.append(1)
    two.append(1)


def draw(n):
    return random.random() + float(np.random.random())


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
    for each in list(_probes.values()):
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
