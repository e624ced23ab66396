"""What every store does, done by a folder and by a store in memory."""

from __future__ import annotations

import pytest
from memory_store import DISK, MemoryStore

from checkpoints.storage import LocalStore
from checkpoints.testing import StoreTests


class TestFolder(StoreTests):
    @pytest.fixture
    def store(self, tmp_path):
        return LocalStore(str(tmp_path / "root"))


class TestMemory(StoreTests):
    @pytest.fixture
    def store(self):
        DISK.clear()
        return MemoryStore("memory://bucket/a")
