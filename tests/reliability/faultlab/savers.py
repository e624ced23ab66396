"""Broken ways to write a file: the harnesses must catch each of them."""

from __future__ import annotations

import contextlib
import os
import time

from checkpoints.storage._local import LocalStore

_put = LocalStore.put
# A window that a race finds each time, where a real one is found some day.
_MOMENT = 0.002


def _joined(pieces, size):
    whole = bytearray(size)
    for offset, piece in pieces:
        whole[offset : offset + len(piece)] = piece
    return whole


def _parts(whole):
    step = -(-len(whole) // 16)
    return [whole[start : start + step] for start in range(0, len(whole), step)]


def _write(path, whole, *, sync=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for part in _parts(whole):
        os.write(handle, part)
    if sync:
        os.fsync(handle)
    os.close(handle)


def _sync_folder(folder):
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def in_place(store, names, pieces, size, **_):
    """Write directly under the final name."""
    name = next(iter(names))
    _write(store.path_of(name), _joined(pieces, size))
    return name


def swallowing(store, names, pieces, size, **options):
    """Ignore every error."""
    names = list(names) if isinstance(names, list) else names
    with contextlib.suppress(OSError):
        return _put(store, names, pieces, size, **options)
    return ""


def _renaming(*, file_sync, folder_sync):
    def put(store, names, pieces, size, **_):
        name = next(iter(names))
        path = store.path_of(name)
        folder = os.path.dirname(path)
        temporary = os.path.join(folder, f".{os.path.basename(path)}.ckpt.tmp")
        _write(temporary, _joined(pieces, size), sync=file_sync)
        os.rename(temporary, path)
        while folder_sync and len(folder) >= len(os.path.dirname(store.root)):
            _sync_folder(folder)
            folder = os.path.dirname(folder)
        return name

    return put


def check_then_rename(store, names, pieces, size, *, replace=False, **_):
    """Check whether the name is free, and use it a moment later."""
    whole = _joined(pieces, size)
    for name in names:
        path = store.path_of(name)
        if replace or not os.path.exists(path):
            temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
            _write(temporary, whole)
            time.sleep(_MOMENT)
            os.rename(temporary, path)
            return name
    raise FileExistsError(path)


def one_temporary(store, names, pieces, size, **_):
    """Give the unfinished files of all processes the same name."""
    name = next(iter(names))
    path = store.path_of(name)
    _write(f"{path}.tmp", _joined(pieces, size))
    time.sleep(_MOMENT)
    os.rename(f"{path}.tmp", path)
    return name


SAVERS = {
    "in place": in_place,
    "swallowing": swallowing,
    "sound": _renaming(file_sync=True, folder_sync=True),
    "no file sync": _renaming(file_sync=False, folder_sync=True),
    "no folder sync": _renaming(file_sync=True, folder_sync=False),
    "no sync": _renaming(file_sync=False, folder_sync=False),
    "check then rename": check_then_rename,
    "one temporary name": one_temporary,
}


def install(saver):
    if saver is not None:
        LocalStore.put = SAVERS[saver]
