"""Files of anything that the library `fsspec` reaches."""

from __future__ import annotations

import datetime
import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from checkpoints._process.libraries import imported
from checkpoints.errors import MissingDependencyError
from checkpoints.storage._bucket import Blob, Options, UncertainError
from checkpoints.storage._store import Buffer

__all__ = ["FsspecBucket", "is_known"]

# What a message may not show: addresses with passwords, queries with signatures.
_SECRETS = re.compile(r"//[^/\s]*@|\?[^\s\"')]*")


def is_known(scheme: str) -> bool:
    """Tell whether fsspec is installed, and knows a scheme."""
    try:
        known = imported("fsspec").available_protocols()
    except ImportError:
        return False
    return scheme in known


class FsspecBucket:
    """
    The files below a URL, by fsspec.

    Args:
        root: The URL.
        options: Options of the file system's class.

    Raises:
        MissingDependencyError: If a library that fsspec needs for it is not installed.
    """

    may_ignore_conditions = True

    def __init__(self, root: str, options: Options) -> None:
        self._root = root
        try:
            fs, base = imported("fsspec").core.url_to_fs(root, **options)
        except ImportError as error:
            scheme = root.partition("://")[0]
            raise MissingDependencyError(f"{scheme}:// needs more: {error}") from error
        self._fs, self._base = fs, base.rstrip("/")
        generic = imported("fsspec").AbstractFileSystem
        # One that copies would not complete a file in one step either.
        names = ("mv", "mv_file", "_mv_file", "rename")
        self._renames = any(
            getattr(type(fs), name, None) not in (None, getattr(generic, name, None))
            for name in names
        )

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}".rstrip("/")

    def _call(self, key: str, name: str, *args: Any, **how: Any) -> Any:
        failed: OSError
        try:
            return getattr(self._fs, name)(self._path(key), *args, **how)
        except (FileNotFoundError, FileExistsError, PermissionError) as error:
            place = f"{self._root}/{key}"
            failed = type(error)(error.errno or errno.EIO, error.strerror or "", place)
        except Exception as error:  # noqa: BLE001 - of a library of any protocol
            what = _SECRETS.sub("", f"{type(error).__name__}: {error}"[:200])
            failed = UncertainError(errno.EIO, what, f"{self._root}/{key}")
        # Out here, so that it has no context: that may hold passwords.
        raise failed

    def write(
        self, key: str, data: Sequence[Buffer], mark: str, *, creates: bool
    ) -> None:
        """Write a file; under another name first, where the system can rename."""
        if creates and self.find(key):
            raise FileExistsError(errno.EEXIST, "File exists", f"{self._root}/{key}")
        if not self._renames:
            mode = "create" if creates else "overwrite"
            self._call(key, "pipe_file", b"".join(data), mode=mode)
            return
        folder, _, _ = key.rpartition("/")
        # A name that a walk leaves out.
        temporary = f"{folder}/.{mark or 'probe'}.ckpt.tmp".lstrip("/")
        self._call(folder, "makedirs", exist_ok=True)
        self._call(temporary, "pipe_file", b"".join(data))
        self._call(temporary, "mv", self._path(key))

    def mark_of(self, key: str) -> str | None:
        """Return "", as there are no marks; None if there is no such file."""
        return None if self.find(key) is None else ""

    def find(self, key: str) -> Blob | None:
        """Return a file; None if there is none."""
        try:
            found = self._call(key, "info")
        except FileNotFoundError:
            return None
        return self._blob(key, found) if found["type"] == "file" else None

    def _blob(self, key: str, found: Any) -> Blob:
        tag = found.get("ETag") or found.get("etag") or found.get("md5") or ""
        return Blob(key, found["size"] or 0, _time_of(found), str(tag))

    def end_of(self, key: str, size: int) -> tuple[Blob, bytes]:
        """Return a file and its last bytes."""
        blob = self.find(key)
        if blob is None:
            what = "No such file or directory"
            raise FileNotFoundError(errno.ENOENT, what, f"{self._root}/{key}")
        start = max(0, blob.size - size)
        return blob, self.read(blob, start, blob.size - start) if blob.size else b""

    def read(self, blob: Blob, start: int, size: int) -> bytes:
        """Return bytes of a file."""
        found: bytes = self._call(blob.key, "cat_file", start=start, end=start + size)
        return found

    def list(self, prefix: str, *, only_first: bool = False) -> Iterator[Blob]:  # noqa: ARG002 - it has no pages
        """Yield the files below a prefix."""
        try:
            found = self._call(prefix.rstrip("/"), "find", detail=True)
        except FileNotFoundError:
            return
        start = len(self._base) + 1
        for path, info in found.items():
            if info["type"] == "file" and path.startswith(self._path(prefix)):
                yield self._blob(path[start:], info)

    def level(self, prefix: str) -> tuple[Sequence[str], Sequence[Blob]]:
        """Return the folders directly below a prefix, and the files there."""
        try:
            found = self._call(prefix.rstrip("/"), "ls", detail=True)
        except FileNotFoundError:
            return [], []
        start = len(self._path(prefix)) + 1
        named = [(it["name"].rstrip("/")[start:], it) for it in found]
        folders = [name for name, it in named if it["type"] == "directory"]
        files = ((f"{prefix}{name}", it) for name, it in named if it["type"] == "file")
        return folders, [self._blob(*it) for it in files]

    def delete(self, key: str) -> None:
        """Delete a file; no error if there is none."""
        with suppress(FileNotFoundError):
            self._call(key, "rm_file")


def _time_of(found: Any) -> int:
    """Return when a file was written, which each system calls differently."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        moment = found.get(name)
        if isinstance(moment, str):
            try:
                moment = datetime.datetime.fromisoformat(moment)
            except ValueError:
                continue
        if isinstance(moment, datetime.datetime):
            moment = moment.timestamp()
        if isinstance(moment, (int, float)):
            return int(moment * 10**9)
    return 0
