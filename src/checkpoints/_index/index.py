"""The index: the table of what was saved under a root, made from paths alone."""

from __future__ import annotations

import os
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Reversible,
)
from typing import Any, TypeAlias, overload

from checkpoints._index.concat import concatenated
from checkpoints._index.entry import Entry, key_of, path_of
from checkpoints._index.filter import EntryFilter
from checkpoints._index.listing import Listing
from checkpoints._index.order import in_order, latest_of, runs_of, sorted_texts
from checkpoints._index.selection import Selection
from checkpoints._index.table import as_library, detailed_table, reader_of
from checkpoints._keys.condition import Wanted
from checkpoints._process.pickling import public
from checkpoints._text import html_table, shown
from checkpoints.storage._store import Store
from checkpoints.storage._stores import open_store

__all__ = ["Index", "index"]

Asks: TypeAlias = Callable[[tuple[tuple[str, str], ...]], object]

# As many rows as somebody scrolls through.
_MOST_SHOWN = 200


# No `Sequence` by type, though it has all that one has: Polars would take it for rows
# of objects then, and not ask for the Arrow stream.
class Index(Collection[Entry], Reversible[Entry]):
    """
    The entries under a root, in the order of their paths.

    An index comes from `index`. It is walked when it is first looked at, and is the
    state of that moment. What takes Arrow tables takes it as it stands:
    `polars.DataFrame(index)`, `pyarrow.table(index)`, `from index` in DuckDB.

    Args:
        store: Where it looks.
        all_files: Whether files that are no checkpoints are among them.

    >>> import tempfile
    >>> from checkpoints import checkpoint, config, tags
    >>> root = tempfile.mkdtemp()
    >>> with config("shop", root):
    ...     for day in (9, 10, 11):
    ...         with tags(day=day):
    ...             checkpoint("shop.total", 100 * day)
    >>> found = index(root).where("shop", day=[9, 11])
    >>> [entry.load()["data"] for entry in found.sort("day")]
    [900, 1100]
    """

    def __init__(self, store: Store, *, all_files: bool = False) -> None:
        self._selection = Selection(store, all_files=all_files)

    def __repr__(self) -> str:
        missed = len(self.unreadable)
        folders = f", {missed} of its folders unreadable" if missed else ""
        count = f"{len(self)} entr{'y' if len(self) == 1 else 'ies'}"
        return f"<Index of {count} under {self.root!r}{folders}>"

    def _repr_html_(self) -> str:
        shown_ones = self[:_MOST_SHOWN]
        tags = dict.fromkeys(name for entry in shown_ones for name in entry.tags)
        rows = [
            [entry.name, *(", ".join(entry.tags.values_of(tag)) for tag in tags)]
            for entry in shown_ones
        ]
        if len(self) > _MOST_SHOWN:
            rows.append([f"and {len(self) - _MOST_SHOWN} more"])
        return html_table(repr(self), ["name", *tags], rows)

    def __reduce__(self) -> tuple[Any, ...]:
        # Walked first, as that may change the rest, and without its filters: they may
        # hold functions.
        found = self._listing.compact()
        columns = (found.folders, found.places, found.files)
        kept = self._selection
        state = (kept.all_files, kept.unreadable, columns)
        return public(type(self)), (kept.store,), state

    def __setstate__(self, state: tuple[bool, list[OSError], Any]) -> None:
        kept = self._selection
        kept.all_files, kept.unreadable, columns = state
        kept.found = Listing(kept.store, *columns)

    def __len__(self) -> int:
        return len(self._listing)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._listing)

    def __reversed__(self) -> Iterator[Entry]:
        return iter(self[::-1])

    def __contains__(self, entry: object) -> bool:
        return self.count(entry) > 0

    @overload
    def __getitem__(self, position: int) -> Entry: ...
    @overload
    def __getitem__(self, position: slice | Iterable[Any]) -> Index: ...
    def __getitem__(self, position: int | slice | Iterable[Any]) -> Entry | Index:
        if isinstance(position, slice):
            return self._with(self._listing.sliced(position))
        if isinstance(position, str):
            raise TypeError(
                f"{shown(position)} is no position; where(...) takes names and tags"
            )
        try:
            if isinstance(position, Iterable):
                return self._with(self._listing.chosen(position))
            return self._listing.entry(position)
        except IndexError:
            raise IndexError(self._why_none_at(position)) from None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return reader_of(self._listing).__arrow_c_stream__(requested_schema)

    def index(self, entry: object) -> int:
        """Return the position of an entry; `ValueError` if it is not there."""
        return list(self._listing.paths()).index(getattr(entry, "path", ""))

    def count(self, entry: object) -> int:
        """Return how often an entry is there."""
        return sum(
            path == getattr(entry, "path", None) for path in self._listing.paths()
        )

    @property
    def root(self) -> str:
        """The root, as an absolute path or a URL."""
        return self._selection.store.root

    @property
    def unreadable(self) -> tuple[OSError, ...]:
        """The errors of the folders that could not be listed; the rest is there."""
        _ = self._listing
        return tuple(self._selection.unreadable)

    def where(
        self,
        names: str | Iterable[str] | None = None,
        tags: Mapping[str, Wanted] | Asks | None = None,
        /,
        **named: Wanted,
    ) -> Index:
        """
        Return the entries of these names and tags.

        On an index that nobody has looked at yet, folders that the filter rules out
        are not walked.

        Args:
            names: An exact name, which takes all names below it as well, a glob such
                as `"mypkg.*"`, or a list of exact names.
            tags: What is wanted of each tag, where its name is no keyword; or a
                function that gets all the tags of an entry, as pairs of texts.
            **named: The same by keyword: a text, which may be a glob; a number or a
                date, compared as such, so that `3` finds `03`; a list of these, any of
                which will do; `slice(first, last)`, which includes both; or a function
                of the tag's text. A repeated tag fits by any of its values.

        Raises:
            ConfigError: If a name or a tag cannot be asked for like that.
        """
        return self._of(self._selection.where(EntryFilter(names, tags, named)))

    def why_empty(self) -> str:
        """
        Return why there are no entries: what no entry has, and what there is instead.

        Lists the folder anew, if that was not done yet without a filter; an empty text
        if there are entries.

        >>> import tempfile
        >>> from checkpoints import FileHandler
        >>> root = tempfile.mkdtemp()
        >>> FileHandler(root).checkpoint("shop.total", 12)
        >>> index(root).where("shop.totla").why_empty()
        "no entry has the name 'shop.totla'; the nearest are 'shop.total'"
        """
        return self._selection.why_empty()

    def sort(self, *by: str, reverse: bool = False) -> Index:
        """
        Return the entries in another order; those that are equal keep theirs.

        Args:
            *by: Columns as `to_arrow(details=True)` has them: a tag, whose values are
                compared as numbers where all of them are, `"name"`, `"path"`,
                `"size"`, `"time"`, or, from the headers, `"run"`, `"sequence"`,
                `"saved"`. What has no such value comes last.
            reverse: The greatest first.

        Raises:
            ConfigError: If there is no such column.
        """
        positions = in_order(self._listing, by, reverse=reverse)
        return self._with(self._listing.picked(positions))

    def latest(self) -> Index:
        """Return the newest entry of each key, where `if_exists="keep"` kept more."""
        return self._with(self._listing.picked(latest_of(self._listing)))

    def runs(self) -> dict[str, Index]:
        """
        Return the entries of each run, by its id, in the order of their first saves.

        Reads the headers; an entry whose header is damaged is in no run.
        """
        return {
            run: self._with(self._listing.picked(positions))
            for run, positions in runs_of(self._listing).items()
        }

    def names(self) -> list[str]:
        """Return the full names that there are, sorted."""
        return sorted(set(self._listing.fullnames()))

    def tag_values(self, tag: str) -> list[str]:
        """
        Return the values that a tag has, as texts, sorted.

        They are in the order of numbers, if all of them are such.
        """
        folders = self._listing.compact().folders
        return sorted_texts(
            {text for it in folders for text in key_of(it)[0].values_of(tag)}
        )

    def to_arrow(self, *, details: bool = False) -> Any:
        """
        Return a `pyarrow.Table`: a row for each entry, a column for each tag.

        The columns are `name` (the full name), one for each tag, `path`, `size`,
        `time` (when the file was written, UTC) and `tags`, the list of all tags. A tag
        that an entry lacks is null, a repeated one has its innermost value. A tag
        that is called as one of the other columns, of the details too, gets `tag_`
        before its name.

        Args:
            details: Read the headers. Tags have their types then, and there are the
                columns `run`, `sequence`, `saved` (when it was saved), `values` (the
                name, kind, dtype, shape and bytes of each value) and `error`: why the
                header of a damaged file cannot be read.

        Raises:
            MissingDependencyError: If pyarrow is not installed.
        """
        if details:
            return detailed_table(self._listing)
        return reader_of(self._listing).read_all()

    def to_pandas(self, *, details: bool = False) -> Any:
        """
        Return a `pandas.DataFrame`, with the columns of `to_arrow`.

        Raises:
            MissingDependencyError: If pandas or pyarrow is not installed.
        """
        return self._as("pandas", details=details)

    def to_polars(self, *, details: bool = False) -> Any:
        """
        Return a `polars.DataFrame`, with the columns of `to_arrow`.

        Raises:
            MissingDependencyError: If Polars or pyarrow is not installed.
        """
        return self._as("polars", details=details)

    def concat(
        self, value: str, *, to: str | None = None, trusted: bool = False
    ) -> Any:
        """
        Return one table of a value of all entries, with a column for each tag.

        The tags come first and have their types. A table brings its rows, an array of
        one dimension or a series brings a column, and a single value brings a row.
        An index of pandas becomes columns, unless it is a `RangeIndex` without a name
        that counts from 0 on. Integers that pandas would round, as it has no null
        among them, are `Int64`.

        Args:
            value: The name of the value.
            to: `"pandas"`, `"polars"` or `"arrow"`; by default the library that the
                value of the first entry is of.
            trusted: Load pickles too; see `load`.

        Raises:
            FormatError: If a value is of another form, or does not fit the others;
                the message names the entry.
            UnknownValueError: If an entry has no such value, or there is no entry;
                the message says what of `where` no entry has.
            MissingDependencyError: If a library is not installed.
            CheckpointError, OSError: As for `load`.
        """
        return concatenated(
            self._listing, value, to=to, trusted=trusted, why_empty=self.why_empty
        )

    def _as(self, library: str, *, details: bool) -> Any:
        table = self.to_arrow(details=details)
        columns = dict(zip(table.column_names, table.columns, strict=True))
        return as_library(library, columns)

    @property
    def _listing(self) -> Listing:
        return self._selection.listing()

    def _with(self, listing: Listing) -> Index:
        return self._of(self._selection.part(listing))

    def _of(self, selection: Selection) -> Index:
        other = Index(selection.store)
        other._selection = selection
        return other

    def _why_none_at(self, position: object) -> str:
        if why := self.why_empty():
            return f"there is no entry to take: {why}"
        return f"position {shown(position)} is out of range: there are {len(self)}"


def index(root: str | os.PathLike[str], *, all_files: bool = False) -> Index:
    """
    List what was saved under a root, from paths alone; no file is opened.

    The root is walked when the index is first looked at. A folder of it that cannot
    be read is told on the log, and the rest is listed.

    Args:
        root: A folder, or a URL of one.
        all_files: List files that are no checkpoints too.

    Returns:
        A sequence of `Entry`, in the order of their paths.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ConfigError: If it is no path, or an empty one.

    >>> import tempfile
    >>> from checkpoints import checkpoint, config, tags
    >>> root = tempfile.mkdtemp()
    >>> with config("shop", root), tags(day="monday"):
    ...     checkpoint("shop.total", 12)
    >>> index(root)[0]
    <Entry shop.total, day=monday>
    """
    store = open_store(path_of(root))
    store.check_root()
    return Index(store, all_files=all_files)
