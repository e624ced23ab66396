"""Fixtures of object stores."""

from __future__ import annotations

import itertools

import pytest
import servers

_count = itertools.count()


@pytest.fixture(scope="session")
def ministack():
    with servers.ministack() as server:
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
def azurite(tmp_path_factory):
    with servers.azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture
def new_root():
    """Return a root that no other test uses, below that of a server."""
    return lambda server: f"{server.url}/test-{next(_count)}"
