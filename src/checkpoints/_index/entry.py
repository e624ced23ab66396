"""An entry: one saved thing, and what its path tells."""

from __future__ import annotations

import os
import posixpath
from functools import lru_cache
from typing import Any

from checkpoints._files.load import load_file, read_meta
from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.key import SUFFIXES, Key, parse_folder, unescape
from checkpoints._process.pickling import public
from checkpoints._text import html_table, printable, shown
from checkpoints.errors import CheckpointError, ConfigError
from checkpoints.storage._store import Segments, Store
from checkpoints.storage._stores import split_path

__all__ = [
    "CONTAINERS",
    "Entry",
    "key_of",
    "load",
    "path_of",
    "start_of",
    "stem_and_number",
]

CONTAINERS = tuple(SUFFIXES.values())
# What a notebook shows of each value, and how large one is that it looks into.
_SHOWN = ("value", "kind", "of", "shape", "bytes", "begins with")
_SMALL = 1 << 16
_MOST = 1 << 22
_LOOKED_INTO = ("json", "text", "numpy.ndarray")


@lru_cache(maxsize=1024)
def key_of(folder: Segments) -> tuple[Tags, tuple[str, ...]]:
    """Return the tags and the prefixes of a folder; its entries come in a row."""
    return parse_folder(folder)


@lru_cache(maxsize=1024)
def start_of(folder: Segments) -> str:
    """Return what the full names in a folder begin with, such as `"mypkg."`."""
    return "".join([f"{prefix}." for prefix in key_of(folder)[1]])


class Entry:
    """
    One saved thing: where it lies, and what its path tells.

    Entries come from `index`. They can be pickled, compared and put into sets.
    `entry["x"]` loads one value.

    Args:
        store: The store it lies in.
        folder: The folders below its root.
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

    # With `__getitem__` alone, Python would ask it for the values 0, 1, 2 ...
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
        rows = [_described(name, node, self) for name, node in meta["values"].items()]
        facts = [("saved", f"{meta['time']:%Y-%m-%d %H:%M:%S} UTC")]
        facts += [
            (field, str(meta[field])) for field in ("run", "host") if field in meta
        ]
        facts.append(("file", self.path))
        return html_table(repr(self), _SHOWN, rows, facts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __getitem__(self, name: str) -> Any:
        """Load one value; the same as `load(entry, name)[name]`."""
        return self.load(name)[name]

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), (self._store, self._folder, self._file)

    @property
    def path(self) -> str:
        """The path of the file, or its URL."""
        return self._store.path_of(self._stored_name)

    @property
    def _stored_name(self) -> str:
        return "/".join((*self._folder, self._file))

    @property
    def name(self) -> str:
        """The dotted name it was saved under, such as `"mypkg.fit"`."""
        return start_of(self._folder) + self.stem

    @property
    def stem(self) -> str:
        """The last part of the name: `"fit"` of `"mypkg.fit"`."""
        return stem_and_number(self._file)[0]

    @property
    def number(self) -> int:
        """Which of a key's files it is; beyond 1 only under `if_exists="keep"`."""
        return stem_and_number(self._file)[1]

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The parts of the name before the last: `("mypkg",)` of `"mypkg.fit"`."""
        return key_of(self._folder)[1]

    @property
    def tags(self) -> Tags:
        """The tags as texts, outermost first; `.tags["date"]` gives the one value."""
        return key_of(self._folder)[0]

    @property
    def key(self) -> Key:
        """
        The name and the tags as the path tells them, every value a text.

        What is too long for a file name is cut there, and ends in `~` and a hash. It
        is cut in this key as well, which is another key then than that of the save:
        `meta["name"]` and `meta["tags"]` have all of it.

        Raises:
            ConfigError: If it is no checkpoint, and has a name that none can have.
        """
        return Key(self.name, self.tags.items())

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
        return read_meta(self._store, self._stored_name)

    def load(
        self,
        *names: str,
        trusted: bool = False,
        mmap: bool = False,
        max_bytes: int | str | None = None,
    ) -> dict[str, Any]:
        """Load values by name, or all; the same as `load(entry, ...)`."""
        return load_file(
            self._store,
            self._stored_name,
            names,
            trusted=trusted,
            mmap=mmap,
            max_bytes=max_bytes,
        )


def load(
    source: str | os.PathLike[str] | Entry,
    /,
    *names: str,
    trusted: bool = False,
    mmap: bool = False,
    max_bytes: int | str | None = None,
) -> dict[str, Any]:
    """
    Load what was saved: all values of a file, or those that are named.

    Only what is named is read, and every byte of it is checked. Arrays are ordinary,
    writable ones.

    Args:
        source: A path or URL, or an entry of an index.
        *names: The values to load; all of them if none is given.
        trusted: Load pickles too, which can run any code: say so only for files of
            people you trust.
        mmap: Map arrays, read-only, instead of reading them: at no cost until they
            are looked at, and unchecked. Compressed ones are read all the same.
        max_bytes: How much memory the values may take, before they are decoded;
            mapped arrays do not count. A number, or a text such as `"500MB"`; None
            means the memory of this machine.

    Returns:
        The values by name.

    Raises:
        FileNotFoundError: If there is no such file.
        UnknownValueError: If the file holds no value of a name.
        CorruptFileError: If the file is cut short, changed, or no checkpoint.
        TooLargeError: If the values would take more memory than `max_bytes`.
        ConfigError: If `max_bytes` is no number of bytes.
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
    if not isinstance(source, Entry):
        store, name = split_path(path_of(source))
        source = Entry(store, (), name)
    return source.load(*names, trusted=trusted, mmap=mmap, max_bytes=max_bytes)


def _described(name: str, node: dict[str, Any], entry: Entry) -> list[str]:
    """Return what a notebook shows of a value."""
    # A header can hold anything where nobody has looked yet.
    schema, size = node.get("schema"), node.get("bytes", 0)
    shape = node.get("shape", node.get("size"))
    columns = [
        " ".join(map(str, each)) if isinstance(each, list) else str(each)
        for each in (schema if isinstance(schema, list) else ())
    ]
    kind = ", ".join(columns) or next(
        (node[field] for field in ("dtype", "type", "mode") if field in node), ""
    )
    sides = shape if isinstance(shape, list) else ()
    begins = ""
    if node.get("kind") in _LOOKED_INTO and isinstance(size, int) and size <= _SMALL:
        begins = _beginning(entry, name)
    told = " × ".join(map(str, sides))  # noqa: RUF001 - it is read by people
    texts = [node.get("kind", ""), kind, told, node.get("bytes", ""), begins]
    return [name, *map(str, texts)]


def _beginning(entry: Entry, name: str) -> str:
    try:
        found = entry.load(name, max_bytes=_MOST)
    except (CheckpointError, OSError) as error:
        return str(error)
    return shown(found[name])


@lru_cache(maxsize=4096)
def stem_and_number(file: str) -> tuple[str, int]:
    """Return the last part of the name that a file stands for, and its number."""
    if not file.endswith(CONTAINERS):
        return posixpath.splitext(file)[0], 1
    stem, _, rest = file.partition(".")
    number = rest.partition(".")[0]
    is_number = number.isdecimal() and number.isascii()
    return unescape(stem), int(number) if is_number else 1


def path_of(given: object) -> str:
    """Return a path as text; `ConfigError` if it is none."""
    if not isinstance(given, (str, os.PathLike)):
        message = f"{given!r} is no path: give a str, a Path, or an entry of an index"
        raise ConfigError(message)
    return str(os.fspath(given))
