"""What every handler does, done by those that save to files and to memory."""

from __future__ import annotations

import pytest

from checkpoints import DictHandler, FileHandler, index
from checkpoints.testing import HandlerTests


class TestDict(HandlerTests):
    @pytest.fixture
    def handler(self):
        return DictHandler()

    def saved(self, handler):
        return dict(handler)


class TestFiles(HandlerTests):
    @pytest.fixture
    def handler(self, tmp_path):
        return FileHandler(tmp_path / "root")

    def saved(self, handler):
        return {entry.key.path: entry.load() for entry in index(handler.folder)}


class TestBackground(TestFiles):
    @pytest.fixture
    def handler(self, tmp_path):
        with FileHandlerClosed(tmp_path / "root", background=True) as handler:
            yield handler


class FileHandlerClosed(FileHandler):
    """Closed at the end of a test, so that no thread is left."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
