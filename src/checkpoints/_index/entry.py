"""An entry: one saved file, and what its path says about it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from checkpoints._files.load import load_file, read_meta
from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.julia_path import JULIA, Verbatim, parse_verbatim
from checkpoints._keys.key import SUFFIXES, Key, parse_folder, unescape
from checkpoints._process.libraries import imported
from checkpoints._process.pickling import public
from checkpoints._text import html_table, printable
from checkpoints.errors import CheckpointError, ConfigError
from checkpoints.storage._store import Segments, Source, Store
from checkpoints.storage._stores import options_of, split_path

__all__ = [
    "CONTAINERS",
    "Entry",
    "entry_at",
    "key_of",
    "load",
    "options_at",
    "path_of",
    "source_of",
    "start_of",
    "stem_and_number",
]

CONTAINERS = tuple(SUFFIXES.values())


@lru_cache(maxsize=1024)
def key_of(folder: Segments) -> tuple[Tags, tuple[str, ...]]:
    """Return the tags and prefixes of a folder, cached for its consecutive entries."""
    is_verbatim = isinstance(folder, Verbatim)
    return parse_verbatim(folder) if is_verbatim else parse_folder(folder)


@lru_cache(maxsize=1024)
def start_of(folder: Segments) -> str:
    """Return the start of the full names in a folder, such as `"mypkg."`."""
    return "".join([f"{prefix}." for prefix in key_of(folder)[1]])


class Entry:
    """
    One saved file, with the name and tags from its path.

    Entries come from `index`. They can be pickled, compared and put into sets.
    `entry["x"]` loads one value.

    Args:
        store: The store that contains the file.
        folder: The folders between the store's root and the file.
        file: The name of the file.

    >>> import tempfile
    >>> from checkpoints import FileHandler, index
    >>> root = tempfile.mkdtemp()
    >>> FileHandler(root).checkpoint("shop.total", items=3, price=9.5)
    >>> entry = index(root)[0]
    >>> entry.name, entry.stem, entry["price"]
    ('shop.total', 'total', 9.5)
    """

    __slots__ = ("_file", "_folder", "_store")

    # Else Python would iterate through `__getitem__`, with 0, 1, 2 ... as names.
    __iter__ = None

    def __init__(self, store: Store, folder: Segments, file: str) -> None:
        self._store = store
        self._folder = folder
        self._file = file

    def __repr__(self) -> str:
        tags = "".join(f", {name}={value}" for name, value in self.tags.items())
        return printable(f"<Entry {self.name}{tags}>")

    def _repr_html_(self) -> str:
        try:
            meta = self.meta
        except (CheckpointError, OSError) as error:
            return html_table(repr(self), ["its header cannot be read"], [[str(error)]])
        # What shows values is loaded only here: a program may only list and load.
        card = imported("checkpoints._show.card")
        return str(card.html_of(repr(self), meta, self.path, self.load))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __getitem__(self, name: str) -> Any:
        """Load one value; the same as `load(entry, name)[name]`."""
        return self.load(name)[name]

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), (self._store, tuple(self._folder), self._file)

    @property
    def path(self) -> str:
        """The path of the file, or its URL."""
        return self._store.path_of(self._stored_name)

    @property
    def _stored_name(self) -> str:
        return "/".join((*self._folder, self._file))

    @property
    def _place(self) -> Segments:
        """The folders, as the format of the file means them."""
        is_verbatim = self._file.endswith(JULIA)
        return Verbatim(self._folder) if is_verbatim else self._folder

    @property
    def name(self) -> str:
        """The full dotted name, such as `"mypkg.fit"`."""
        return start_of(self._place) + self.stem

    @property
    def stem(self) -> str:
        """The last part of the name: `"fit"` of `"mypkg.fit"`."""
        return stem_and_number(self._file)[0]

    @property
    def number(self) -> int:
        """The number among the key's files; above 1 only with `if_exists="keep"`."""
        return stem_and_number(self._file)[1]

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The parts of the name before the last: `("mypkg",)` of `"mypkg.fit"`."""
        return key_of(self._place)[1]

    @property
    def tags(self) -> Tags:
        """The tags as strings, outermost first; `.tags["date"]` is a tag's value."""
        return key_of(self._place)[0]

    @property
    def key(self) -> Key:
        """
        The name and tags from the path, with every value a string.

        Text that is too long for a file name is shortened in the path, and ends in `~`
        and a hash. It is shortened in this key as well, which then differs from the
        key of the save; `meta["name"]` and `meta["tags"]` have the full text.

        Raises:
            ConfigError: If it is not a checkpoint file, and its name is not a valid
                checkpoint name.
        """
        return Key(self.name, self.tags.items())

    @property
    def meta(self) -> dict[str, Any]:
        """
        The file's own header: typed tags, run, time, call site, versions, values.

        Raises:
            CorruptFileError: If the file is damaged or not a checkpoint file.
            FormatError: If a later version of this library wrote it.
            MissingDependencyError: If it is Parquet, and pyarrow is not installed.
            TooLargeError: If the header would take more than this machine's memory.
            OSError: If the file no longer exists, or cannot be read.
        """
        return read_meta(self._store, self._stored_name)

    def load(
        self,
        *names: str,
        trusted: bool = False,
        placeholders: bool = False,
        mmap: bool = False,
        max_bytes: int | str | None = None,
    ) -> dict[str, Any]:
        """Load the named values, or all; the same as `load(entry, ...)`."""
        return load_file(
            self._store,
            self._stored_name,
            names,
            trusted=trusted,
            placeholders=placeholders,
            mmap=mmap,
            max_bytes=max_bytes,
        )


def source_of(entry: Entry) -> AbstractContextManager[Source]:
    """Open the file of an entry."""
    return entry._store.open(entry._stored_name)  # noqa: SLF001 - of this module


def options_at(entry: Entry) -> Mapping[str, Any] | None:
    """Return the options of the store that contains an entry."""
    return options_of(entry._store)  # noqa: SLF001 - of this module


def entry_at(
    path: str | os.PathLike[str], store_options: Mapping[str, Any] | None = None
) -> Entry:
    """Return the entry of a file that need not be in an index."""
    store, name = split_path(path_of(path), store_options)
    return Entry(store, (), name)


def load(
    source: str | os.PathLike[str] | Entry,
    /,
    *names: str,
    trusted: bool = False,
    placeholders: bool = False,
    mmap: bool = False,
    max_bytes: int | str | None = None,
    store_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """
    Load a saved file: the named values, or all of them.

    Only the requested values are read, and every byte of them is checked. Arrays are
    ordinary writable arrays.

    Args:
        source: A path or URL, or an entry of an index.
        *names: The values to load; by default all of them.
        trusted: Load pickles too. They can run any code, so use it only for files
            from people you trust.
        placeholders: Without trust, load the rest of a value that contains pickles:
            each of these is a `Pickled`, which tells its type.
        mmap: Memory-map arrays, read-only, instead of reading them. They are not
            checked, and are read only where they are used. Compressed arrays are
            read as usual.
        max_bytes: The memory that the values may take, checked before they are
            decoded; mapped arrays do not count. A number of bytes, or a text such as
            `"500MB"`; None means the memory of this machine, or the limit
            of its container.
        store_options: For a URL, as for `FileHandler`; an entry has those of its index.

    Returns:
        The values by name.

    Raises:
        FileNotFoundError: If there is no such file.
        UnknownValueError: If the file has no value of that name.
        CorruptFileError: If the file is truncated, changed, or not a checkpoint file.
        TooLargeError: If the values would take more memory than `max_bytes`.
        ConfigError: If `max_bytes` is not a number of bytes.
        UntrustedError: If a value is a pickle, and `trusted` is false.
        FormatError: If a later version of this library wrote the file, or a value is
            of an unknown kind.
        MissingDependencyError: If the library of a value is not installed.

    >>> import tempfile
    >>> from checkpoints import FileHandler
    >>> root = tempfile.mkdtemp()
    >>> FileHandler(root).checkpoint("shop.total", items=3, price=9.5)
    >>> load(f"{root}/shop/total.ckpt.zip", "price")
    {'price': 9.5}
    """
    if not isinstance(source, Entry):
        source = entry_at(source, store_options)
    return source.load(
        *names,
        trusted=trusted,
        placeholders=placeholders,
        mmap=mmap,
        max_bytes=max_bytes,
    )


@lru_cache(maxsize=4096)
def stem_and_number(file: str) -> tuple[str, int]:
    """Return the last part of the name that a file has, and its number."""
    if not file.endswith(CONTAINERS):
        return posixpath.splitext(file)[0], 1
    if file.endswith(JULIA):
        return file.removesuffix(JULIA), 1
    stem, _, rest = file.partition(".")
    number = rest.partition(".")[0]
    is_number = number.isdecimal() and number.isascii()
    return unescape(stem), int(number) if is_number else 1


def path_of(given: object) -> str:
    """Return a path as a string; raise `ConfigError` if it is not a path."""
    if not isinstance(given, (str, os.PathLike)):
        message = f"{given!r} is not a path: give a str, a Path or an entry of an index"
        raise ConfigError(message)
    return str(os.fspath(given))
