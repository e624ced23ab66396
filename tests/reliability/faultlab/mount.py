"""A file system inside a file, and power cuts to it."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple, Self

_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_WITHOUT_FLUSH = 2  # not even the journal is written
_LOOP = ("mount", "-o", "loop")


class _Kind(NamedTuple):
    size: int
    make: tuple[str, ...]
    mount: tuple[str, ...] = _LOOP


_KINDS = {
    "ext4": _Kind(64 << 20, ("mkfs.ext4", "-q")),
    "xfs": _Kind(320 << 20, ("mkfs.xfs", "-q")),
    # These fold case: the first one in folders that are marked with `chattr +F`.
    "casefold": _Kind(64 << 20, ("mkfs.ext4", "-q", "-O", "casefold")),
    "vfat": _Kind(64 << 20, ("mkfs.vfat",)),
    "ntfs": _Kind(
        64 << 20, ("mkntfs", "-q", "-F"), ("lowntfs-3g", "-o", "ignore_case")
    ),
}


class Disk:
    """
    A disk of one file system, mounted on a folder.

    Args:
        folder: Where the image and the mount point are made.
        kind: `"ext4"`, `"xfs"`, or one that folds case: `"casefold"`, `"vfat"`,
            `"ntfs"`.

    Raises:
        OSError: If it cannot be made or mounted here; the text tells why.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        if os.geteuid():
            raise OSError("only root can mount")
        self.kind = _KINDS[kind]
        if shutil.which(self.kind.make[0]) is None:
            raise OSError(f"no {self.kind.make[0]}")
        folder.mkdir()
        self.image = folder / "image"
        self.path = folder / "mounted"
        self.path.mkdir()
        with self.image.open("wb") as image:
            image.truncate(self.kind.size)
        _done(*self.kind.make, self.image)
        self._mount()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        done = subprocess.run(["umount", self.path], capture_output=True, check=False)
        if done.returncode:
            # Still in use by what has failed: it goes when that ends.
            subprocess.run(["umount", "-l", self.path], check=False)
        self.image.unlink()

    def _mount(self) -> None:
        _done(*self.kind.mount, self.image, self.path)

    def sync(self) -> None:
        """Flush everything to the disk."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        subprocess.run(["sync", "-f", self.path], check=True)

    def cut(self) -> None:
        """Cut the power, and restart."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(handle)
        _done("umount", self.path)
        self._mount()


def _done(*command: object) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise OSError(f"no {command[0]}") from error
    if done.returncode:
        text = " ".join(done.stderr.split())
        raise OSError(f"{command[0]} does not work here: {text}")
