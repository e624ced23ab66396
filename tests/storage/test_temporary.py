"""A temporary file before its final name: whatever happens, the report is true."""

from __future__ import annotations

import errno
import os

import pytest

from checkpoints import UnknownOutcomeError
from checkpoints.storage import _temporary
from checkpoints.storage._folder import READ, Folder
from checkpoints.storage._local import is_temporary
from checkpoints.storage._temporary import Temporary


def handles():
    return len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else None


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "a.txt")


def opened(path):
    """A folder that is open, as a temporary file needs it."""
    folder = Folder(str(path))
    folder.open()
    return folder


@pytest.fixture
def written(tmp_path):
    """A file that is written but has no final name yet."""
    temporary = Temporary(opened(tmp_path))
    with temporary, temporary:
        temporary.create()
        temporary.write([(0, b"text")], 4)
        temporary.close()
        yield temporary


def lost_answer(call):
    """Perform the call, but report a failure, as a network folder may."""

    def failing(*arguments, **options):
        call(*arguments, **options)
        raise OSError(errno.EIO, "no answer")

    return failing


class TestCleanUp:
    def test_nothing_is_left_of_one_that_gets_no_name(self, tmp_path):
        before = handles()
        temporary = Temporary(opened(tmp_path))
        with temporary, temporary:
            temporary.create()
            assert os.listdir(tmp_path) != []
        assert os.listdir(tmp_path) == []
        assert handles() == before

    def test_it_is_tried_again_where_it_fails_once(self, tmp_path, monkeypatch):
        unlink, tries = os.unlink, []

        def failing_once(name, **options):
            tries.append(name)
            if len(tries) == 1:
                raise OSError(errno.EIO, "mine")
            unlink(name, **options)

        monkeypatch.setattr(os, "unlink", failing_once)
        temporary = Temporary(opened(tmp_path))
        with temporary, temporary:
            temporary.create()
        assert os.listdir(tmp_path) == []

    def test_its_name_is_one_that_no_index_lists(self, tmp_path):
        assert is_temporary(os.path.basename(Temporary(Folder(str(tmp_path))).path))
        assert not is_temporary("a.ckpt.zip")

    def test_a_link_of_its_name_is_not_followed(self, tmp_path):
        os.mkdir(tmp_path / "root")
        temporary = Temporary(opened(tmp_path / "root"))
        os.symlink(tmp_path / "elsewhere", temporary.path)
        with pytest.raises(FileExistsError):
            temporary.create()
        assert not os.path.exists(tmp_path / "elsewhere")


class TestWrite:
    def test_a_system_that_takes_nothing_is_an_error(self, written, monkeypatch):
        monkeypatch.setattr(_temporary, "_write_at", lambda *_: 0)
        other = Temporary(opened(os.path.dirname(written.path)))
        with other, other:
            other.create()
            with pytest.raises(OSError, match="The system wrote no bytes"):
                other.write([(0, b"text")], 4)

    def test_a_system_that_takes_little_is_asked_again(self, tmp_path, monkeypatch):
        write_at = _temporary._write_at
        monkeypatch.setattr(
            _temporary,
            "_write_at",
            lambda handle, buffer, at: write_at(handle, buffer[:1], at),
        )
        temporary = Temporary(opened(tmp_path))
        with temporary, temporary:
            temporary.create()
            temporary.write([(0, b"text"), (4, b"more")], 8)
            temporary.close()
            with open(temporary.path, "rb") as file:
                assert file.read() == b"textmore"


class TestRename:
    def test_an_error_leaves_all_as_it_was(self, written, path, monkeypatch):
        def fail(*_, **__):
            raise OSError(errno.EIO, "mine")

        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="mine") as told:
            written.rename("a.txt")
        assert not isinstance(told.value, UnknownOutcomeError)
        assert not os.path.exists(path)

    def test_a_lost_answer_is_told_as_unknown(self, written, path, monkeypatch):
        monkeypatch.setattr(os, "replace", lost_answer(os.replace))
        with pytest.raises(UnknownOutcomeError, match="the file may exist") as told:
            written.rename("a.txt")
        assert told.value.errno == errno.EIO
        assert os.path.exists(path)


class TestRenameIfFree:
    def test_a_lost_answer_is_found_out(self, written, path, monkeypatch):
        monkeypatch.setattr(os, "link", lost_answer(os.link))
        written.rename_if_free("a.txt")
        assert os.path.exists(path)

    def test_where_nobody_can_tell_it_is_unknown(self, written, path, monkeypatch):
        def fail(*_, **__):
            raise OSError(errno.EIO, "mine")

        with monkeypatch.context() as broken:
            broken.setattr(os, "link", fail)
            broken.setattr(os, "stat", fail)
            with pytest.raises(UnknownOutcomeError):
                written.rename_if_free("a.txt")

    @pytest.fixture(params=[True, False], ids=["renameat2", "reserved"])
    def without_links(self, request, monkeypatch):
        def refuse(*_, **__):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", refuse)
        if not request.param:
            monkeypatch.setattr(_temporary, "_renamed_exclusively", lambda *_: False)

    def test_it_works_without_links(self, written, path, without_links):
        written.rename_if_free("a.txt")
        with open(path, "rb") as file:
            assert file.read() == b"text"

    def test_a_taken_name_is_left_alone_without_links(
        self, written, path, without_links
    ):
        with open(path, "wb") as file:
            file.write(b"old")
        with pytest.raises(FileExistsError):
            written.rename_if_free("a.txt")
        with open(path, "rb") as file:
            assert file.read() == b"old"

    def test_a_lost_answer_is_unknown_without_links(self, written, path, monkeypatch):
        def refuse(*_, **__):
            raise OSError(errno.EPERM, "no links here")

        def renamed(folder, old, new):
            folder.rename(old, new)

        monkeypatch.setattr(os, "link", refuse)
        monkeypatch.setattr(_temporary, "_renamed_exclusively", lost_answer(renamed))
        with pytest.raises(UnknownOutcomeError):
            written.rename_if_free("a.txt")
        assert os.path.exists(path)

    def test_a_reserved_name_is_given_back_on_an_error(
        self, written, path, monkeypatch
    ):
        def refuse(*_, **__):
            raise OSError(errno.EPERM, "mine")

        monkeypatch.setattr(os, "link", refuse)
        monkeypatch.setattr(_temporary, "_renamed_exclusively", lambda *_: False)
        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(PermissionError, match="mine"):
            written.rename_if_free("a.txt")
        assert not os.path.exists(path)


class TestFolder:
    def test_it_leaves_no_descriptor_behind(self, tmp_path):
        before = handles()
        folder = Folder(str(tmp_path))
        with folder, folder:
            folder.open(READ)
            folder.sync()
        assert handles() == before

    def test_one_that_is_not_there_is_an_error(self, tmp_path):
        before = handles()
        folder = Folder(str(tmp_path / "missing"))
        with pytest.raises(FileNotFoundError), folder, folder:
            folder.open(READ)
            folder.sync()
        assert handles() == before
