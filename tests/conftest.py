"""Every test starts and ends without rules in force."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from functools import partial

import ceph
import hypothesis
import pytest
import servers

import checkpoints
from checkpoints._process import crash, drain

# A slow machine is no defect, and examples of the last run are not the repository's.
hypothesis.settings.register_profile("checkpoints", deadline=None, database=None)
hypothesis.settings.load_profile("checkpoints")


@pytest.fixture(autouse=True)
def no_rules_left():
    """Remove every rule; names stay registered, so each test uses its own."""
    yield
    checkpoints.reset()


@pytest.fixture(autouse=True)
def no_end_of_the_process_begun():
    """Fail a test that ends the saves of this process: later ones would not queue."""
    yield
    assert not drain.has_ended()


@pytest.fixture(autouse=True)
def no_hooks_left():
    """Fail a test that leaves our hooks: a later one could not tell who listens."""
    yield
    assert not isinstance(sys.excepthook, crash._Hook)
    assert not isinstance(threading.excepthook, crash._Hook)


@pytest.fixture(autouse=True)
def no_first_process_left():
    """Reset the mark, so that the next test starts as a first process."""
    yield
    os.environ.pop("CHECKPOINTS_FIRST_PROCESS", None)


_MAKES_FUNCTIONS = """
from _testcapi import remove_mem_hooks, set_nomemory

for number in [*range(6)] * 300:
    try:
        try:
            set_nomemory(number, number + 1)
            (lambda: number)(), any(it for it in "ab")
        finally:
            remove_mem_hooks()
    except MemoryError:
        pass
"""


@pytest.fixture(scope="session")
def failing_allocations():
    """Skip a test where allocations cannot be made to fail, or Python crashes then."""
    pytest.importorskip("_testcapi", reason="this Python has no _testcapi")
    program = [sys.executable, "-c", _MAKES_FUNCTIONS]
    if subprocess.run(program, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this Python itself crashes where it has no memory for a function")


@pytest.fixture
def make_unlistable():
    """Return a function that makes folders in one until their path is too long."""
    if os.mkdir not in os.supports_dir_fd:
        pytest.skip("such folders cannot be made here")

    def make(folder):
        current = os.open(folder, os.O_RDONLY)
        for _ in range(30):
            os.mkdir("d" * 200, dir_fd=current)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=current)
            os.close(current)
            current = below
        os.close(current)

    return make


_count = itertools.count()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    """Start MiniStack; with `make test-ceph`, Ceph in its place."""
    starts = servers.ministack
    if ceph.FOLDER:
        starts = partial(ceph.ceph, tmp_path_factory.mktemp("ceph"))
    with starts() as server:
        yield server


@pytest.fixture(scope="session")
def moto():
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory):
    with servers.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def google():
    with servers.ministack() as behind, servers.google(behind) as server:
        yield server


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    with servers.azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture
def new_root():
    """Return a root that no other test uses, below that of a server."""
    return lambda server: f"{server.url}/test-{next(_count)}"


@pytest.fixture
def bucket(ministack, new_root, monkeypatch):
    """Return a root in S3, which the environment says how to reach."""
    for name, value in ministack.environment.items():
        monkeypatch.setenv(name, value)
    return new_root(ministack)
