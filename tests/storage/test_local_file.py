"""A local file: regular files only, and always closed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from checkpoints import load
from checkpoints.storage._local_file import LocalFile


@pytest.fixture
def socket_file(tmp_path, monkeypatch):
    """A socket; its path has to be short."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.ckpt.zip")
        yield Path("s.ckpt.zip")


class TestWhatIsNoFile:
    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are of Unix")
    def test_a_named_pipe_is_told_and_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "a.ckpt.zip")
        with pytest.raises(OSError, match="Is a named pipe, not a regular file"):
            load(tmp_path / "a.ckpt.zip")

    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="they are of Unix")
    def test_a_socket_is_told(self, socket_file):
        with pytest.raises(OSError, match="Is a socket, not a regular file"):
            load(socket_file)

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="devices are of Unix")
    def test_a_device_is_told_through_links_too(self, tmp_path):
        (tmp_path / "a.ckpt.zip").symlink_to("/dev/zero")
        with pytest.raises(
            OSError, match=r"Is a device, not a regular file.*a\.ckpt\.zip"
        ):
            load(tmp_path / "a.ckpt.zip")

    def test_a_folder_is_told_as_one(self, tmp_path):
        with pytest.raises(IsADirectoryError):
            LocalFile(str(tmp_path))


class TestReading:
    def test_it_reads_from_any_place_and_tells_how_much_there_was(self, tmp_path):
        (tmp_path / "a").write_bytes(b"0123456789")
        buffer = bytearray(4)
        with LocalFile(str(tmp_path / "a")) as file:
            assert file.size == 10
            assert file.read_into(3, memoryview(buffer)) == 4
            assert buffer == b"3456"
            assert file.read_into(8, memoryview(buffer)) == 2
            assert buffer[:2] == b"89"

    def test_after_it_is_closed_it_cannot_be_read_but_what_is_mapped_stays(
        self, tmp_path
    ):
        (tmp_path / "a").write_bytes(b"0123456789")
        with LocalFile(str(tmp_path / "a")) as file:
            mapped = file.map()
        assert mapped[:3] == b"012"
        with pytest.raises(ValueError, match="closed"):
            file.read_into(0, memoryview(bytearray(1)))
        file.close()
