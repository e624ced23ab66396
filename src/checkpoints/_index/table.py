"""Columns of an Arrow table: their names, and their types from values that differ."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice
from typing import Any

from checkpoints._index.entry import key_of
from checkpoints._index.headers import Header, read_headers
from checkpoints._index.listing import Listing
from checkpoints._keys.comparison import read_like
from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.tags import TagPairs, tag_text
from checkpoints._process.libraries import imported, needed

__all__ = [
    "COLUMNS",
    "DETAILS",
    "as_library",
    "column_names",
    "detailed_table",
    "import_pyarrow",
    "reader_of",
    "text_column",
    "typed_column",
]

# Of the table of an index, besides those of its tags.
COLUMNS = ("name", "path", "size", "time", "tags")
DETAILS = ("run", "sequence", "saved", "values", "error")
# Beyond it, not every integer is a float.
_EXACT = 1 << 53
_NOTHING = (type(None), False)
_NUMBERS = {(int, False), (float, False)}

_TAKEN = (*COLUMNS, *DETAILS)
# One batch of a table: what is made of Python's own objects is gone after each.
_ROWS = 1 << 14
# Microseconds: the end of the year 9999, the last that Python knows.
_LATEST = 253_402_300_799_999_999
_NOT_TOLD = Header((), None, None, None, [])


def column_names(tags: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """
    Return the name of each tag's column: the tag's own, unless it is taken.

    What is no Unicode in it is escaped.

    >>> column_names(["day", "path"], ["path", "size"])
    {'day': 'day', 'path': 'tag_path'}
    """
    tags = list(dict.fromkeys(tags))
    used = {*taken, *tags}
    columns = {}
    for tag in tags:
        column = _unicode(tag)
        while column in taken or (column != tag and column in used):
            column = f"tag_{column}"
        used.add(column)
        columns[tag] = column
    return columns


def text_column(texts: Sequence[str | None]) -> Any:
    """Return texts as an array; what is no Unicode in them is escaped."""
    pyarrow = import_pyarrow()
    try:
        return pyarrow.array(texts, pyarrow.string())
    except UnicodeEncodeError:
        whole = [text and _unicode(text) for text in texts]
        return pyarrow.array(whole, pyarrow.string())


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def typed_column(values: Sequence[object]) -> Any:
    """Return values as an array of their one type, or as texts if they have several."""
    pyarrow = import_pyarrow()
    kinds = {_kind(value) for value in values} - {_NOTHING}
    is_one = len(kinds) <= 1 or kinds == _NUMBERS
    # Arrow would drop the zone of a time of day.
    if is_one and (datetime.time, True) not in kinds:
        try:
            return pyarrow.array(values, None if kinds else pyarrow.string())
        except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
            pass  # a number beyond 64 bits, a type that Arrow does not know
    return text_column([None if value is None else tag_text(value) for value in values])


def _kind(value: object) -> tuple[type, bool]:
    """Return the type of a value, and whether it has a time zone."""
    # Beside each other, Arrow would give all of them one, or none.
    return type(value), getattr(value, "tzinfo", None) is not None


def _exact_type(pandas: Any, column: Any) -> Any:
    """Return how pandas is to hold integers that it would round, as it has no null."""
    compute = imported("pyarrow.compute")
    if not (column.null_count and import_pyarrow().types.is_integer(column.type)):
        return None
    limits = compute.min_max(column).as_py()
    if max(map(abs, filter(None, limits.values())), default=0) <= _EXACT:
        return None
    prefix = "U" if str(column.type).startswith("u") else ""
    return lambda _: getattr(pandas, f"{prefix}Int64Dtype")()


def import_pyarrow() -> Any:
    """Import pyarrow, or say what to install."""
    return needed("pyarrow", "a table of many entries")


def as_library(library: str, columns: dict[str, Any]) -> Any:
    """
    Return Arrow columns as a table of pandas, of Polars, or of Arrow.

    Args:
        library: `"pandas"`, `"polars"` or `"arrow"`.
        columns: The columns by name. They are taken out one by one, so that each is
            gone when it has become one of pandas.

    Raises:
        MissingDependencyError: If the library is not installed.
    """
    pyarrow = import_pyarrow()
    if library == "arrow":
        return pyarrow.table(columns)
    module = needed(library, f"a table of {library}")
    if library == "polars":
        return module.from_arrow(pyarrow.table(columns), rechunk=False)
    series = {}
    for name in list(columns):
        # A frame of one column owns its memory, and can be written to.
        table = pyarrow.table({name: columns.pop(name)})
        frame = table.to_pandas(types_mapper=_exact_type(module, table.column(0)))
        series[name] = frame[name]
        # What is free between other columns is of no use to anybody.
        pyarrow.default_memory_pool().release_unused()
    return module.DataFrame(series, copy=False)


def reader_of(listing: Listing) -> Any:
    """Return a `pyarrow.RecordBatchReader` of what paths and the file system tell."""
    pyarrow = import_pyarrow()
    listing = listing.compact()
    columns = column_names(_tag_names(listing), _TAKEN)
    schema = _schema(dict.fromkeys(columns.values(), pyarrow.string()))
    batches = (
        pyarrow.record_batch(_of_paths(part, columns), schema=schema)
        for part in _parts(listing)
    )
    return pyarrow.RecordBatchReader.from_batches(schema, batches)


def detailed_table(listing: Listing) -> Any:
    """Return a `pyarrow.Table` of what the headers tell as well."""
    pyarrow = import_pyarrow()
    listing = listing.compact()
    headers = read_headers(listing, Header.of)
    tags = _TypedTags(listing)
    batches = []
    for part in _parts(listing):
        found, errors = [], []
        for header in islice(headers, len(part)):
            damaged = isinstance(header, Exception)
            errors.append(str(header) if damaged else None)
            found.append(None if isinstance(header, Exception) else header)
        texts = [key_of(folder)[0] for folder in part.folders]
        tags.extend(part, texts, found)
        arrays = [text_column(part.fullnames()), *_of_files(part)]
        arrays += [_all_tags(part, texts), *_of_headers(found), text_column(errors)]
        batches.append(pyarrow.record_batch(arrays, names=_TAKEN))
    table = pyarrow.Table.from_batches(batches, _schema({}, detailed=True))
    for number, (column, array) in enumerate(tags.columns(), start=1):
        table = table.add_column(number, column, array)
    return table


class _TypedTags:
    """The tags of all rows as the headers have them, or as the paths do."""

    def __init__(self, listing: Listing) -> None:
        # The innermost value comes last, and stays.
        self._paths: list[dict[str, str]] = []
        self._headers: list[dict[str, Any] | None] = []
        # The entries of a folder mostly have the same tags, and share them then.
        self._shared: dict[str, dict[str, Any]] = {}
        self._tags = _tag_names(listing)

    def extend(
        self, part: Listing, tags: Iterable[Tags], headers: Iterable[Header | None]
    ) -> None:
        folders = [dict(each.items()) for each in tags]
        for place, header in zip(part.places, headers, strict=True):
            self._paths.append(folders[place])
            self._headers.append(None if header is None else self._once(header.tags))

    def _once(self, pairs: TagPairs) -> dict[str, Any]:
        return self._shared.setdefault(repr(pairs), dict(pairs))

    def columns(self) -> Iterator[tuple[str, Any]]:
        tags = [*self._tags, *(tag for pairs in self._shared.values() for tag in pairs)]
        for tag, column in column_names(tags, _TAKEN).items():
            yield column, typed_column(self._values(tag))

    def _values(self, tag: str) -> list[Any]:
        values = [(pairs or {}).get(tag) for pairs in self._headers]
        like = next((value for value in values if value is not None), "")
        for number, pairs in enumerate(self._headers):
            text = self._paths[number].get(tag) if pairs is None else None
            if text is not None:
                values[number] = _read_as(text, like)
        return values


def _read_as(text: str, like: object) -> Any:
    """Return a text as a value of the type of another; itself, if it is none."""
    if isinstance(like, bool):
        return {"True": True, "False": False}.get(text, text)
    value = None if isinstance(like, str) else read_like(text, like)
    return text if value is None else value


def _parts(listing: Listing) -> Iterator[Listing]:
    for start in range(0, len(listing), _ROWS):
        yield listing.sliced(slice(start, start + _ROWS)).compact()


def _tag_names(listing: Listing) -> Iterable[str]:
    return dict.fromkeys(
        name for folder in listing.folders for name in key_of(folder)[0]
    )


def _of_paths(part: Listing, columns: Iterable[str]) -> list[Any]:
    """Return what paths and the file system tell, the innermost value of each tag."""
    tags = [key_of(folder)[0] for folder in part.folders]
    innermost, places = [dict(each.items()) for each in tags], _places(part)
    return [
        text_column(part.fullnames()),
        *[
            text_column([pairs.get(tag) for pairs in innermost]).take(places)
            for tag in columns
        ],
        *_of_files(part),
        _all_tags(part, tags),
    ]


def _all_tags(part: Listing, tags: Sequence[Tags]) -> Any:
    """Return every tag of each row, with the values that a repeated one has."""
    pyarrow = import_pyarrow()
    ends = list(accumulate(map(len, tags), initial=0))
    parts = [
        text_column([name for each in tags for name in each]),
        text_column([value for each in tags for value in each.values()]),
    ]
    pairs = pyarrow.StructArray.from_arrays(parts, ["name", "value"])
    lists = pyarrow.ListArray.from_arrays(pyarrow.array(ends, pyarrow.int32()), pairs)
    return lists.take(_places(part))


def _places(part: Listing) -> Any:
    return import_pyarrow().array(part.places, import_pyarrow().uint32())


def _of_files(part: Listing) -> list[Any]:
    """Return path, size and time; a file that has vanished has no size and time."""
    pyarrow = import_pyarrow()
    sizes, times = [], []
    for found in map(part.store.status, part.stored_names()):
        sizes.append(found and found.size)
        time = found and found.time // 1000
        # What stands there may be any number, and need not be a time.
        times.append(time if time is not None and abs(time) <= _LATEST else None)
    return [
        text_column(list(part.paths())),
        pyarrow.array(sizes, pyarrow.int64()),
        pyarrow.array(times, pyarrow.timestamp("us", "UTC")),
    ]


def _of_headers(headers: Sequence[Header | None]) -> list[Any]:
    pyarrow = import_pyarrow()
    told = [header or _NOT_TOLD for header in headers]
    return [
        text_column([header.run for header in told]),
        pyarrow.array([header.sequence for header in told], pyarrow.int64()),
        pyarrow.array(
            [header.saved for header in told], pyarrow.timestamp("us", "UTC")
        ),
        _values(told),
    ]


def _values(headers: Sequence[Header]) -> Any:
    pyarrow = import_pyarrow()
    kind = _schema({}, detailed=True).field("values").type
    try:
        return pyarrow.array([header.values for header in headers], kind)
    except UnicodeEncodeError:
        rows = [[dict(value) for value in header.values] for header in headers]
        for value in chain.from_iterable(rows):
            for field in ("name", "kind", "dtype"):
                value[field] = text_column([value[field]])[0].as_py()
        return pyarrow.array(rows, kind)


def _schema(tags: Mapping[str, Any], *, detailed: bool = False) -> Any:
    pyarrow = import_pyarrow()
    text, count = pyarrow.string(), pyarrow.int64()
    moment = pyarrow.timestamp("us", "UTC")
    pair = pyarrow.struct({"name": text, "value": text})
    value = {"name": text, "kind": text, "dtype": text}
    value |= {"shape": pyarrow.list_(count), "bytes": count}
    fields = {"name": text, **tags, "path": text, "size": count, "time": moment}
    fields["tags"] = pyarrow.list_(pair)
    if detailed:
        fields |= {"run": text, "sequence": count, "saved": moment}
        fields |= {"values": pyarrow.list_(pyarrow.struct(value)), "error": text}
    return pyarrow.schema(list(fields.items()))
