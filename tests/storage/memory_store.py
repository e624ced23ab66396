"""A store in memory, which has what the contract asks for and nothing else."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from time import time_ns

from checkpoints.storage import Status

DISK: dict[str, tuple[bytes, int]] = {}
LOCK = threading.Lock()


class MemoryFile:
    """A file in memory, open to be read."""

    def __init__(self, path, name, data, moment):
        self.path, self.name, self.size, self._data = path, name, len(data), data
        self.status = Status(len(data), moment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read_into(self, offset, buffer):
        part = self._data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    def map(self):
        return None


class MemoryStore:
    """Files in the memory of this process, by their URLs."""

    def __init__(self, root, options=()):
        self.root = root.rstrip("/")

    def path_of(self, name):
        return f"{self.root}/{name}"

    def put(self, names, pieces, size, *, replace=False, time=None, **_):
        data = bytearray(size)
        for offset, piece in pieces:
            data[offset : offset + len(piece)] = piece
        for name in names:
            with LOCK:
                if replace or self.path_of(name) not in DISK:
                    DISK[self.path_of(name)] = bytes(data), time or time_ns()
                    return name
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)

    def open(self, name):
        path = self.path_of(name)
        if any(each.startswith(f"{path}/") for each in DISK):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if path not in DISK:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return MemoryFile(path, name, *DISK[path])

    folds_case = False

    def statuses(self, names):
        return [self.status(name) for name in names]

    def has(self, name):
        return self.status(name) is not None

    def status(self, name):
        data, moment = DISK.get(self.path_of(name), (b"", None))
        return None if moment is None else Status(len(data), moment)

    def check_root(self):
        if not any(path.startswith(self.path_of("")) for path in DISK):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.root)

    def walk(self, enters=lambda _: True, on_error=lambda _: None):
        self.check_root()
        start = self.path_of("")
        names = [path.removeprefix(start) for path in DISK if path.startswith(start)]
        places = sorted(tuple(name.split("/")) for name in names)
        for folder, found in itertools.groupby(places, lambda place: place[:-1]):
            if all(enters(folder[:end]) for end in range(1, len(folder) + 1)):
                yield folder, [place[-1] for place in found]

    def delete(self, name):
        self.open(name)
        del DISK[self.path_of(name)]
