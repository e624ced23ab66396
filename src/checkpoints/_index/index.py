"""The index: a table of the files saved under a root, made from their paths alone."""

from __future__ import annotations

from array import array
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Reversible,
)
from operator import countOf
from typing import Any, TypeAlias, overload

from checkpoints._index.concat import concatenated
from checkpoints._index.entry import Entry, key_of
from checkpoints._index.filter import EntryFilter
from checkpoints._index.library import as_library
from checkpoints._index.listing import Listing
from checkpoints._index.order import in_order, latest_of, runs_of, sorted_texts
from checkpoints._index.rows import cells_of, text_rows
from checkpoints._index.selection import Selection
from checkpoints._index.table import detailed_table, reader_of
from checkpoints._keys.condition import Wanted
from checkpoints._process.executor import Executor
from checkpoints._process.pickling import public
from checkpoints._text import count_text, html_table, shown
from checkpoints.storage._store import Store
from checkpoints.storage._stores import open_store

__all__ = [
    "Index",
    "index_of",
    "index_under",
    "index_with",
    "is_filtered",
    "listing_of",
]

TagsFunction: TypeAlias = Callable[[tuple[tuple[str, str], ...]], object]

# The number of rows that a notebook shows, and `print`, as IPython in a terminal.
_MOST_SHOWN, _MOST_PRINTED = 200, 20


# Not a subclass of `Sequence`, although it has all of its methods: Polars would then
# read it as rows of objects, and not use the Arrow stream.
class Index(Collection[Entry], Reversible[Entry]):
    """
    The entries under a root, in the order of their paths.

    Indexes come from `index`. The root is walked when an index is first used, which
    keeps the state of that moment. Anything that accepts Arrow tables accepts an
    index: `polars.DataFrame(index)`, `pyarrow.table(index)`, `from index` in DuckDB.

    Args:
        selection: The files in it.

    >>> import tempfile
    >>> from checkpoints import checkpoint, config, index, tags
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
        missing = len(self.unreadable)
        folders = f", {missing} of its folders unreadable" if missing else ""
        count = f"{len(self)} entr{'y' if len(self) == 1 else 'ies'}"
        why = "" if len(self) else self.why_empty()
        reason = f": {why}" if why else ""
        return f"<Index of {count} under {self.root!r}{folders}{reason}>"

    def _repr_html_(self) -> str:
        heading, *rows = cells_of(self[:_MOST_SHOWN])
        if len(self) > _MOST_SHOWN:
            rows.append([f"and {len(self) - _MOST_SHOWN} more"])
        return html_table(repr(self), heading, rows)

    def __str__(self) -> str:
        more = len(self) - _MOST_PRINTED
        lines = [repr(self), *text_rows(self[:_MOST_PRINTED])]
        return "\n".join([*lines, f"and {more:,} more"] if more > 0 else lines)

    def _repr_pretty_(self, printer: Any, _: object) -> None:
        printer.text(str(self))

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
                f"{shown(position)} is not a position; find names and tags with "
                "where(...)"
            )
        try:
            if isinstance(position, Iterable):
                return self._with(self._listing.chosen(position))
            return self._listing.entry(position)
        except IndexError:
            raise IndexError(self._why_out_of_range(position)) from None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return reader_of(self._listing).__arrow_c_stream__(requested_schema)

    def index(self, entry: object) -> int:
        """Return the position of an entry; raise `ValueError` if it is absent."""
        return list(self._listing.paths()).index(getattr(entry, "path", ""))

    def count(self, entry: object) -> int:
        """Return how often an entry occurs."""
        return countOf(self._listing.paths(), getattr(entry, "path", ""))

    @property
    def root(self) -> str:
        """The root, as an absolute path or a URL."""
        return self._selection.store.root

    @property
    def unreadable(self) -> tuple[OSError, ...]:
        """The errors of the folders that could not be listed, and were left out."""
        _ = self._listing
        return tuple(self._selection.unreadable)

    def where(
        self,
        names: str | Iterable[str] | None = None,
        tags: Mapping[str, Wanted] | TagsFunction | None = None,
        /,
        **named: Wanted,
    ) -> Index:
        """
        Return the entries with these names and tags.

        If the index was not used before, folders that the filter rules out are not
        walked.

        Args:
            names: An exact name, which includes all names below it, a glob such as
                `"mypkg.*"`, or a list of exact names.
            tags: A condition for each tag, for tags whose names are not valid
                keywords; or a function that is called with all the tags of an entry,
                as pairs of strings.
            **named: A condition for each tag: a string, which may be a glob; a number
                or a date, compared as such, so that `3` finds `03`; a list of these,
                any of which may match; `slice(first, last)`, which includes both; or
                a function of the tag's string. Of a repeated tag, any value may match.

        Raises:
            ConfigError: If a name or a condition is invalid.
        """
        return self._of(self._selection.where(EntryFilter(names, tags, named)))

    def why_empty(self) -> str:
        """
        Return why there are no entries: the condition that no entry meets, and a hint.

        An empty string if there are entries. Walks the root again if it was only
        walked with a filter.

        >>> import tempfile
        >>> from checkpoints import FileHandler, index
        >>> root = tempfile.mkdtemp()
        >>> FileHandler(root).checkpoint("shop.total", 12)
        >>> index(root).where("shop.totla").why_empty()
        "no entry has the name 'shop.totla'; did you mean 'shop.total'?"
        """
        return self._selection.why_empty()

    def sort(self, *by: str, reverse: bool = False) -> Index:
        """
        Return the entries sorted by columns; the sort is stable.

        Args:
            *by: Columns of `to_arrow(details=True)`: a tag, whose values are compared
                as numbers if all of them are numbers, `"name"`, `"path"`, `"size"`,
                `"time"`, or, from the headers, `"run"`, `"sequence"`, `"saved"`.
                Entries without a value come last.
            reverse: Sort in descending order.

        Raises:
            ConfigError: If there is no such column.
        """
        positions = in_order(self._listing, by, reverse=reverse)
        return self._with(self._listing.picked(positions))

    def latest(self) -> Index:
        """Return the newest entry of each key, if `if_exists="keep"` kept several."""
        return self._with(self._listing.picked(latest_of(self._listing)))

    def runs(self) -> dict[str, Index]:
        """
        Return the entries of each run by its id, in the order of the first saves.

        Reads the headers; entries with a damaged header are left out.
        """
        return {
            run: self._with(self._listing.picked(positions))
            for run, positions in runs_of(self._listing).items()
        }

    def names(self) -> list[str]:
        """Return the full names of the entries, sorted and without duplicates."""
        return sorted(set(self._listing.fullnames()))

    def tag_values(self, tag: str) -> list[str]:
        """
        Return the values of a tag as strings, sorted and without duplicates.

        They are sorted as numbers if all of them are numbers.
        """
        folders = self._listing.compact().folders
        return sorted_texts(
            {text for folder in folders for text in key_of(folder)[0].values_of(tag)}
        )

    def to_arrow(self, *, details: bool = False) -> Any:
        """
        Return a `pyarrow.Table` with a row for each entry and a column for each tag.

        The columns are `name` (the full name), one for each tag, `path`, `tags`, the
        list of all tags, `size`, and `time`, when the file was written, in UTC. A
        tag that an entry does not have is null, and a repeated tag has its innermost
        value. The column of a tag with the name of another column, including those of
        `details`, gets the prefix `tag_`.

        Args:
            details: Read the headers. Tags then have their types, except those of
                folders above a run, such as `run={run}`, and there are the columns
                `run`, `sequence`, `saved` (the time of the save), `values` (the name,
                kind, dtype, shape and bytes of each value) and `error`: why the header
                of a damaged file cannot be read.

        Raises:
            MissingDependencyError: If pyarrow is not installed.
        """
        if details:
            return detailed_table(self._listing)
        return reader_of(self._listing).read_all()

    def to_pandas(self, *, details: bool = False) -> Any:
        """
        Return a `pandas.DataFrame` with the columns of `to_arrow`.

        Raises:
            MissingDependencyError: If pandas or pyarrow is not installed.
        """
        return self._as("pandas", details=details)

    def to_polars(self, *, details: bool = False) -> Any:
        """
        Return a `polars.DataFrame` with the columns of `to_arrow`.

        Raises:
            MissingDependencyError: If Polars or pyarrow is not installed.
        """
        return self._as("polars", details=details)

    def concat(
        self,
        value: str,
        *,
        to: str | None = None,
        trusted: bool = False,
        executor: Executor | None = None,
    ) -> Any:
        """
        Return a value of all entries as one table, with a column for each tag.

        The tags come first and have their types; those of folders above a run, such as
        `run={run}`, are texts. There is a column `name` if the names differ, and `run`
        if several runs saved the same names and tags. A table contributes its rows, a
        one-dimensional array or a series a column, and a single value a row. A pandas
        index becomes columns, unless it is an unnamed `RangeIndex` that counts from 0.
        Integers that pandas would round, next to nulls, become `Int64`.

        Args:
            value: The name of the value.
            to: `"pandas"`, `"polars"` or `"arrow"`; by default the library of the
                first entry's value.
            trusted: Load pickles too; see `load`.
            executor: Whose workers load the values; see `verify`.

        Raises:
            ExecutorError: If the executor fails.
            FormatError: If a value has no rows, or does not fit the others, which
                names the entry, or the library has no such type.
            UnknownValueError: If an entry has no such value, or there is no entry;
                the message says which condition of `where` no entry meets.
            MissingDependencyError: If a library is not installed.
            CheckpointError, OSError: As for `load`.
        """
        return concatenated(
            self._listing, value, to, executor, self.why_empty, trusted=trusted
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

    def _why_out_of_range(self, position: object) -> str:
        if why := self.why_empty():
            return f"the index is empty: {why}"
        count = count_text(len(self), "entry")
        return f"position {shown(position)} is out of range for {count}"


def index_under(folder: str, store_options: Mapping[str, Any] | None) -> Index:
    """
    Return an index of the checkpoint files below a folder.

    Raises:
        OSError: If there is no such folder.
    """
    store = open_store(folder, store_options)
    store.check_root()
    return Index(store)


def index_of(entry: Entry) -> Index:
    """Return an index of one entry."""
    store, folder, file = entry.__reduce__()[1]
    return index_with(Listing(store, [folder], array("I", [0]), [file]))


def index_with(listing: Listing) -> Index:
    """Return an index of files that are known already."""
    selection = Selection(listing.store, all_files=False)
    selection.found = listing
    return Index(listing.store)._of(selection)  # noqa: SLF001 - of this module


def listing_of(index: Index) -> Listing:
    """Return the files in an index, for those who read them in parallel."""
    return index._listing  # noqa: SLF001 - of this module


def is_filtered(index: Index) -> bool:
    """Tell whether a filter may have left out entries."""
    return index._selection.is_part  # noqa: SLF001 - of this module
