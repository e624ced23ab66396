"""What every store does, done by a folder and by a store in memory."""

from __future__ import annotations

import pytest
from memory_store import DISK, MemoryStore

from checkpoints.storage import LocalStore, _objects, open_store
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


class TestGoogle(StoreTests):
    @pytest.fixture
    def store(self, google, new_root):
        return open_store(new_root(google), google.options)


class TestLargeListings(StoreTests):
    """As if a server had many files: only the folders that are entered are listed."""

    @pytest.fixture(params=["s3", "fsspec"])
    def store(self, request, new_root, tmp_path, monkeypatch):
        monkeypatch.setattr(_objects, "_FEW", 2)
        if request.param == "fsspec":
            pytest.importorskip("fsspec")
            return open_store(f"memory://{tmp_path.name}/root")
        server = request.getfixturevalue("ministack")
        return open_store(new_root(server), server.options)


class TestFsspec(StoreTests):
    @pytest.fixture
    def store(self, tmp_path):
        pytest.importorskip("fsspec")
        return open_store(f"memory://{tmp_path.name}/root")
