"""What every store does, done by a folder and by a store in memory."""

from __future__ import annotations

import pytest
from memory_store import DISK, MemoryStore

from checkpoints.storage import LocalStore, open_store
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


class TestS3(StoreTests):
    @pytest.fixture
    def store(self, ministack, new_root):
        return open_store(new_root(ministack), ministack.options)


class TestSecondS3(StoreTests):
    @pytest.fixture
    def store(self, moto, new_root):
        return open_store(new_root(moto), moto.options)


class TestAzure(StoreTests):
    @pytest.fixture
    def store(self, azurite, new_root):
        return open_store(new_root(azurite), azurite.options)


class TestFsspec(StoreTests):
    @pytest.fixture
    def store(self, tmp_path):
        pytest.importorskip("fsspec")
        return open_store(f"memory://{tmp_path.name}/root")
