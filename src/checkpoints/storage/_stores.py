"""The stores that there are, by the scheme of a root."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urlsplit

from checkpoints.errors import ConfigError
from checkpoints.storage._local import LocalStore
from checkpoints.storage._store import Store

__all__ = ["absolute_root", "open_store", "split_path"]


def open_store(root: str) -> Store:
    """
    Return the store for a root.

    Args:
        root: A path, or a `file://` URL.

    Raises:
        ConfigError: If it is empty, or a URL that this version has no store for.

    >>> open_store("out").root.endswith("out")
    True
    """
    return _opener_for(root)(root)


def split_path(path: str) -> tuple[Store, str]:
    """
    Return the store that a file lies in, its folder being the root, and its name.

    Args:
        path: A path, or a URL of a file.

    Raises:
        ConfigError: If it is a URL that this version has no store for.

    >>> store, name = split_path("out/shop/total.ckpt.zip")
    >>> name, store.path_of(name)
    ('total.ckpt.zip', 'out/shop/total.ckpt.zip')
    """
    opener = _opener_for(path)
    if opener is not _open_folder:
        root, _, name = path.rpartition("/")
        return opener(root), name
    # As it was given: it stands in messages, and need not be absolute.
    folder, name = os.path.split(_local_path(path))
    return LocalStore(folder), name


def absolute_root(root: str, escaped: Callable[[str], str] = str) -> str:
    """
    Return a root that a change of the working folder does not move.

    Args:
        root: A path or a URL.
        escaped: What is put before a relative path, given the working folder.

    Raises:
        ConfigError: If it is a URL that this version has no store for.
    """
    if _opener_for(root) is not _open_folder:
        return root
    path = _local_path(root)
    return path if os.path.isabs(path) else os.path.join(escaped(os.getcwd()), path)


def _open_folder(root: str) -> LocalStore:
    path = _local_path(root)
    if not path:
        # It would be the working folder, for those too who delete what lies there.
        raise ConfigError(f"{root!r} is no folder; write . for the working folder")
    return LocalStore(os.path.abspath(path))


# By the scheme of a URL; a new store is one line here. What is no URL is a folder.
_OPENERS: dict[str, Callable[[str], Store]] = {"": _open_folder, "file": _open_folder}


def _opener_for(root: str) -> Callable[[str], Store]:
    scheme = urlsplit(root).scheme if "://" in root else ""
    if scheme not in _OPENERS:
        raise ConfigError(
            f"{root!r}: this version saves to folders only, not to {scheme}://. Give a "
            "path, or write a Handler for that store (docs: how-to, write a handler)"
        )
    return _OPENERS[scheme]


def _local_path(path: str) -> str:
    """Return the path that a path or a `file://` URL stands for."""
    if "://" not in path:
        return os.path.expanduser(path)
    # It loads an HTTP client, which is more than all the rest of this library.
    from urllib.request import url2pathname

    return url2pathname(urlsplit(path).path)
