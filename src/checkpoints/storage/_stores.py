"""The available stores, by the URL scheme of a root."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TypeAlias
from urllib.parse import urlsplit

from checkpoints._process.libraries import imported
from checkpoints._text import hint
from checkpoints.errors import ConfigError, MissingDependencyError
from checkpoints.storage._bucket import Bucket, Options
from checkpoints.storage._fsspec import FsspecBucket, is_known
from checkpoints.storage._local import LocalStore
from checkpoints.storage._objects import ObjectStore, split_url
from checkpoints.storage._obstore import open_bucket
from checkpoints.storage._store import Store

__all__ = [
    "absolute_path",
    "absolute_root",
    "lacks_slashes",
    "open_store",
    "options_of",
    "split_path",
]


def open_store(root: str, options: Options | None = None) -> Store:
    """
    Return the store for a root.

    Args:
        root: A path or a URL.
        options: The options of an object store, as `store_options` of `FileHandler`.

    Raises:
        ConfigError: If it is empty, or a URL of an unsupported scheme, or there are
            options for a folder.
        MissingDependencyError: If the library for its scheme is not installed.

    >>> open_store("out").root.endswith("out")
    True
    """
    _check(options)
    return _opener_for(root)(root, options or {})


def split_path(path: str, options: Options | None = None) -> tuple[Store, str]:
    """
    Split a path into the store of its folder and its name in that store.

    Args:
        path: A path or URL of a file.
        options: As for `open_store`.

    Raises:
        ConfigError: If it is a URL of an unsupported scheme.
        MissingDependencyError: If the library for its scheme is not installed.

    >>> store, name = split_path("out/shop/total.ckpt.zip")
    >>> name, store.path_of(name)
    ('total.ckpt.zip', 'out/shop/total.ckpt.zip')
    """
    _check(options)
    opener = _opener_for(path)
    if opener is not _open_folder:
        root, _, name = path.rpartition("/")
        return opener(root, options or {}), name
    _check_no_options(path, options or {})
    # Not made absolute, so that messages show the path as it was given.
    folder, name = os.path.split(_local_path(path))
    # Who names a file by a link means the file.
    return LocalStore(folder, follows_links=True), name


def options_of(store: Store) -> Options | None:
    """Return the options that a store was opened with."""
    return store.options if isinstance(store, ObjectStore) else None


def absolute_root(
    root: str, escaped: Callable[[str], str] = str, options: Options | None = None
) -> str:
    """
    Return a root as an absolute path or a URL, independent of the current directory.

    Args:
        root: A path or a URL.
        escaped: Applied to the current directory before a relative path is joined to
            it.
        options: As for `open_store`.

    Raises:
        ConfigError: If it is a URL of an unsupported scheme, or the options are not
            those of an object store.
        MissingDependencyError: If the library for its scheme is not installed.
    """
    _check(options)
    if _opener_for(root) is not _open_folder:
        return root
    _check_no_options(root, options or {})
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


def _open_folder(root: str, options: Options) -> LocalStore:
    path = _local_path(root)
    if not path:
        # It would mean the current directory, even for a command that deletes files.
        raise ConfigError(f"invalid root {root!r}: use '.' for the current directory")
    _check_no_options(root, options)
    return LocalStore(absolute_path(path))


def _check(options: object) -> None:
    if options is not None and not (
        isinstance(options, Mapping) and all(isinstance(name, str) for name in options)
    ):
        # Without the value, which may be a secret.
        raise ConfigError(
            f"invalid store_options of type {type(options).__name__}: expected a dict "
            "of options by name"
        )


def _check_no_options(path: str, options: Options) -> None:
    if options:
        raise ConfigError(
            f"store_options are for object stores, and {path!r} is a folder: leave "
            "them out"
        )


def _open_objects(root: str, options: Options) -> ObjectStore:
    split_url(root)
    return ObjectStore(root.rstrip("/"), dict(options), open_bucket)


def _open_by_fsspec(root: str, options: Options) -> ObjectStore:
    return ObjectStore(root.rstrip("/"), dict(options), _fsspec_bucket)


def _fsspec_bucket(root: str, options: Options) -> Bucket:
    return FsspecBucket(root, options)


_Opener: TypeAlias = Callable[[str, Options], Store]

# By URL scheme; a new store is one line here. Anything without a scheme is a folder.
_OPENERS: dict[str, _Opener] = {
    "": _open_folder,
    "file": _open_folder,
    **dict.fromkeys(("s3", "gs", "az"), _open_objects),
}
_PASSWORD = re.compile("//[^/]*:[^/]*@")


def _opener_for(root: str) -> _Opener:
    if "://" not in root:
        if lacks_slashes(root):
            scheme, _, rest = root.partition(":")
            meant = f"{scheme.lower()}://{rest.lstrip('/')}"
            raise ConfigError(
                f"invalid root {root!r}: did you mean {meant!r}? If it is a folder, "
                f"write {f'./{root}'!r}"
            )
        return _open_folder
    if _PASSWORD.search(root):
        # Roots are logged, and are part of the path of every entry.
        raise ConfigError(
            "a root has a password in its URL: give it in store_options, or as a "
            "variable that the store's library reads"
        )
    scheme = urlsplit(root).scheme
    opener = _OPENERS.get(scheme)
    if opener is _open_objects and find_spec("obstore") is None:
        raise MissingDependencyError(
            f"{scheme}:// needs obstore: pip install 'named-checkpoints[object-store]'"
        )
    if opener is None and is_known(scheme):
        return _open_by_fsspec
    if opener is None:
        raise ConfigError(
            f"invalid root {root!r}: no store is known for {scheme}://; "
            f"{hint(scheme, [*filter(None, _OPENERS)])}. Give a path, or install "
            "fsspec and what it needs for that store"
        )
    return opener


def lacks_slashes(path: str) -> bool:
    """
    Tell whether a path begins as a URL does, but for its slashes.

    >>> lacks_slashes("s3:/bucket"), lacks_slashes("s3://bucket"), lacks_slashes("s3/a")
    (True, False, False)
    """
    scheme, colon, rest = path.partition(":")
    is_known = bool(scheme) and scheme.lower() in _OPENERS
    return bool(colon) and is_known and not rest.startswith("//")


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
