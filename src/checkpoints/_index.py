"""The index: the table of what was saved under a root, made from paths alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, overload

from checkpoints._key import SUFFIXES, parse_folder, unescape
from checkpoints._load import load_file, read_meta
from checkpoints._shown import printable
from checkpoints._tags import Tags
from checkpoints.errors import ConfigError
from checkpoints.storage import local_path, open_store

__all__ = ["Entry", "Index", "index", "load"]

_SUFFIXES = tuple(SUFFIXES.values())
# Those of a suffix; a name has none, so more of them tell of a number.
_DOTS = 2


class Entry:
    """
    One saved thing: where it lies, and what its path tells.

    Entries come from `index`. They can be pickled, compared and put into sets.

    Args:
        root: The root it lies under.
        folder: The folders below it.
        file: The name of the file.
    """

    __slots__ = ("_file", "_folder", "_root")

    def __init__(self, root: str, folder: tuple[str, ...], file: str) -> None:
        self._root = root
        self._folder = folder
        self._file = file

    def __repr__(self) -> str:
        tags = "".join(f", {name}={value}" for name, value in self.tags)
        return printable(f"<Entry {self.fullname}{tags}>")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def path(self) -> str:
        """The path of the file."""
        return os.path.join(self._root, *self._folder, self._file)

    @property
    def name(self) -> str:
        """The last part of the name: `"fit"` of `"mypkg.fit"`."""
        stem = self._file
        for suffix in _SUFFIXES:
            if stem.endswith(suffix):
                return unescape(stem.removesuffix(suffix).partition(".")[0])
        return os.path.splitext(stem)[0]

    @property
    def number(self) -> int:
        """Which of a key's files it is; beyond 1 only under `if_exists="keep"`."""
        is_ours = self._file.endswith(_SUFFIXES)
        return _stem_and_number(self._file)[1] if is_ours else 1

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The parts of the name before the last: `("mypkg",)` of `"mypkg.fit"`."""
        return parse_folder(self._folder)[1]

    @property
    def fullname(self) -> str:
        """The dotted name it was saved under, such as `"mypkg.fit"`."""
        return ".".join((*self.prefixes, self.name))

    @property
    def tags(self) -> Tags:
        """The tags as texts, outermost first; `.tags["date"]` gives the one value."""
        return parse_folder(self._folder)[0]

    @property
    def meta(self) -> dict[str, Any]:
        """
        The file's own header: typed tags, run, time, call site, versions, values.

        Raises:
            CorruptFileError: If the file is damaged, or no checkpoint.
            FormatError: If a later version of this library wrote it.
            MissingDependencyError: If it is Parquet, and pyarrow is not installed.
            TooLargeError: If the header would take more than this machine's memory.
            OSError: If it is not there any more, or may not be read.
        """
        return read_meta(self.path)

    def load(
        self,
        *names: str,
        trusted: bool = False,
        mmap: bool = False,
        max_bytes: int | None = None,
    ) -> dict[str, Any]:
        """Load values by name, or all; the same as `load(entry, ...)`."""
        return load_file(
            self.path, names, trusted=trusted, mmap=mmap, max_bytes=max_bytes
        )


class Index(Sequence[Entry]):
    """
    The entries under a root, in the order of their paths.

    Args:
        root: The root.
        entries: What lies under it.
    """

    def __init__(self, root: str, entries: Sequence[Entry]) -> None:
        self.root = root
        self._entries = entries

    def __repr__(self) -> str:
        return f"<Index of {len(self)} entries under {self.root!r}>"

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @overload
    def __getitem__(self, position: int) -> Entry: ...
    @overload
    def __getitem__(self, position: slice) -> Index: ...
    def __getitem__(self, position: int | slice) -> Entry | Index:
        if isinstance(position, slice):
            return Index(self.root, self._entries[position])
        return self._entries[position]


def index(root: str | os.PathLike[str], *, all_files: bool = False) -> Index:
    """
    List what was saved under a root, from paths alone; no file is opened.

    Args:
        root: A folder.
        all_files: List files that are no checkpoints too.

    Returns:
        A sequence of `Entry`, in the order of their paths.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.

    >>> import tempfile
    >>> from checkpoints import checkpoint, config, tags
    >>> root = tempfile.mkdtemp()
    >>> with config("shop", root), tags(day="monday"):
    ...     checkpoint("shop.total", 12)
    >>> index(root)[0]
    <Entry shop.total, day=monday>
    """
    store = open_store(_path(root))
    entries = [
        Entry(store.root, folder, name)
        for folder, names in store.walk()
        for name in _in_order(names)
        if all_files or name.endswith(_SUFFIXES)
    ]
    return Index(store.root, entries)


def load(
    source: str | os.PathLike[str] | Entry,
    /,
    *names: str,
    trusted: bool = False,
    mmap: bool = False,
    max_bytes: int | None = None,
) -> dict[str, Any]:
    """
    Load what was saved: all values of a file, or those that are named.

    Only what is named is read, and every byte of it is checked. Arrays are ordinary,
    writable ones.

    Args:
        source: A path, or an entry of an index.
        *names: The values to load; all of them if none is given.
        trusted: Load pickles too, which can run any code: say so only for files of
            people you trust.
        mmap: Map arrays, read-only, instead of reading them: at no cost until they
            are looked at, and unchecked. Compressed ones are read all the same.
        max_bytes: How much memory the values may take, before they are decoded;
            mapped arrays do not count. None means the memory of this machine.

    Returns:
        The values by name.

    Raises:
        FileNotFoundError: If there is no such file.
        UnknownValueError: If the file holds no value of a name.
        CorruptFileError: If the file is cut short, changed, or no checkpoint.
        TooLargeError: If the values would take more memory than `max_bytes`.
        UntrustedError: If a value is a pickle, and `trusted` was not given.
        FormatError: If a later version of this library wrote it, or a value is of a
            kind that is not known here.
        MissingDependencyError: If the library of a value is not installed.

    >>> import tempfile
    >>> from checkpoints import FileHandler
    >>> root = tempfile.mkdtemp()
    >>> FileHandler(root).checkpoint("shop.total", items=3, price=9.5)
    >>> load(f"{root}/shop/total.ckpt.zip", "price")
    {'price': 9.5}
    """
    path = source.path if isinstance(source, Entry) else _path(source)
    try:
        return load_file(path, names, trusted=trusted, mmap=mmap, max_bytes=max_bytes)
    except (FileNotFoundError, IsADirectoryError) as error:
        for suffix in _SUFFIXES:
            if os.path.exists(path + suffix):
                error.add_note(f"Did you mean {path}{suffix}?")
        if os.path.isdir(path):
            error.add_note("It is a folder: index(...) lists what lies below it")
        raise


def _in_order(files: Sequence[str]) -> Sequence[str]:
    """Put the numbered files of a key behind its first one, in their order."""
    if any(file.count(".") > _DOTS for file in files):
        return sorted(files, key=_stem_and_number)
    return files


def _stem_and_number(file: str) -> tuple[str, int]:
    stem, _, rest = file.partition(".")
    number = rest.partition(".")[0]
    return stem, int(number) if number.isdecimal() and number.isascii() else 1


def _path(given: object) -> str:
    if not isinstance(given, (str, os.PathLike)):
        message = f"{given!r} is no path: give a str, a Path, or an entry of an index"
        raise ConfigError(message)
    return local_path(str(os.fspath(given)))
