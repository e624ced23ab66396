"""The available stores, by the URL scheme of a root."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urlsplit

from checkpoints._process.libraries import imported
from checkpoints.errors import ConfigError
from checkpoints.storage._local import LocalStore
from checkpoints.storage._store import Store

__all__ = ["absolute_path", "absolute_root", "open_store", "split_path"]


def open_store(root: str) -> Store:
    """
    Return the store for a root.

    Args:
        root: A path, or a `file://` URL.

    Raises:
        ConfigError: If it is empty, or a URL of an unsupported scheme.

    >>> open_store("out").root.endswith("out")
    True
    """
    return _opener_for(root)(root)


def split_path(path: str) -> tuple[Store, str]:
    """
    Split a path into the store of its folder and its name in that store.

    Args:
        path: A path or URL of a file.

    Raises:
        ConfigError: If it is a URL of an unsupported scheme.

    >>> store, name = split_path("out/shop/total.ckpt.zip")
    >>> name, store.path_of(name)
    ('total.ckpt.zip', 'out/shop/total.ckpt.zip')
    """
    opener = _opener_for(path)
    if opener is not _open_folder:
        root, _, name = path.rpartition("/")
        return opener(root), name
    # Not made absolute, so that messages show the path as it was given.
    folder, name = os.path.split(_local_path(path))
    # Who names a file by a link means the file.
    return LocalStore(folder, follows_links=True), name


def absolute_root(root: str, escaped: Callable[[str], str] = str) -> str:
    """
    Return a root as an absolute path or a URL, independent of the current directory.

    Args:
        root: A path or a URL.
        escaped: Applied to the current directory before a relative path is joined to
            it.

    Raises:
        ConfigError: If it is a URL of an unsupported scheme.
    """
    if _opener_for(root) is not _open_folder:
        return root
    path = _local_path(root)
    if os.path.isabs(path):
        return path
    return os.path.join(escaped(absolute_path(os.curdir)), path)


def absolute_path(path: str) -> str:
    """
    Return a path that does not depend on the current directory.

    Raises:
        ConfigError: If the current directory was deleted.
    """
    try:
        return os.path.abspath(path)
    except FileNotFoundError as error:
        raise ConfigError(
            f"invalid path {path!r}: the current directory was deleted. Change to one "
            "that exists, or give an absolute path"
        ) from error


def _open_folder(root: str) -> LocalStore:
    path = _local_path(root)
    if not path:
        # It would mean the current directory, even for a command that deletes files.
        raise ConfigError(f"invalid root {root!r}: use '.' for the current directory")
    return LocalStore(absolute_path(path))


# By URL scheme; a new store is one line here. Anything without a scheme is a folder.
_OPENERS: dict[str, Callable[[str], Store]] = {"": _open_folder, "file": _open_folder}


def _opener_for(root: str) -> Callable[[str], Store]:
    scheme = urlsplit(root).scheme if "://" in root else ""
    if scheme not in _OPENERS:
        raise ConfigError(
            f"invalid root {root!r}: only folders are supported, not {scheme}://. Give "
            "a path, or write a Handler for that store (docs: how-to, write a handler)"
        )
    return _OPENERS[scheme]


def _local_path(path: str) -> str:
    """Return a path or a `file://` URL as a local path."""
    if "://" not in path:
        return os.path.expanduser(path)
    parts = urlsplit(path)
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise ConfigError(
            f"invalid URL {path!r}: write file:///path with three slashes, and %23 and "
            "%3F for # and ? in the path, or give a path"
        )
    # It loads an HTTP client, which is larger than this whole library.
    local: str = imported("urllib.request").url2pathname(parts.path)
    return local
