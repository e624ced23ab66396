"""Arrow tables of entries: the names and types of their columns, and their rows."""

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
from checkpoints._keys.tag_value import tag_text
from checkpoints._keys.tags import TagPairs
from checkpoints._process.libraries import needed

__all__ = [
    "COLUMNS",
    "DETAILS",
    "column_names",
    "detailed_table",
    "import_pyarrow",
    "reader_of",
    "tag_values",
    "tags_above",
    "text_column",
    "typed_column",
]

# The columns of an index's table, besides those of tags.
# pandas leaves out those in the middle where the terminal is narrow.
COLUMNS = ("name", "path", "tags", "size", "time")
DETAILS = ("run", "sequence", "saved", "values", "error")
_NULL = (type(None), False)
_NUMBERS = {(int, False), (float, False)}

_TAKEN = (*COLUMNS, *DETAILS)
# The rows of a batch: small, as its Python objects take far more memory than Arrow's.
_ROWS = 1 << 14
# Microseconds until the end of the year 9999, the last of Python's datetime.
_LATEST = 253_402_300_799_999_999
_EMPTY_HEADER = Header((), None, None, None, [])


def column_names(tags: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """
    Return the name of each tag's column: the tag's own, unless it is taken.

    Lone surrogates are escaped, and a NUL, which ends a name in Arrow's interface.

    >>> column_names(["day", "path"], ["path", "size"])
    {'day': 'day', 'path': 'tag_path'}
    """
    tags = list(dict.fromkeys(tags))
    used = {*taken, *tags}
    columns = {}
    for tag in tags:
        column = _unicode(tag).replace("\0", r"\x00")
        while column in taken or (column != tag and column in used):
            column = f"tag_{column}"
        used.add(column)
        columns[tag] = column
    return columns


def text_column(texts: Sequence[str | None]) -> Any:
    """Return texts as an array, with lone surrogates escaped."""
    pyarrow = import_pyarrow()
    try:
        return pyarrow.array(texts, pyarrow.string())
    except UnicodeEncodeError:
        escaped = [text and _unicode(text) for text in texts]
        return pyarrow.array(escaped, pyarrow.string())


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def typed_column(values: Sequence[object]) -> Any:
    """Return values as an array of their common type, or of texts if there is none."""
    pyarrow = import_pyarrow()
    kinds = {_kind(value) for value in values} - {_NULL}
    is_uniform = len(kinds) <= 1 or kinds == _NUMBERS
    # Arrow would drop the time zone of a time of day.
    if is_uniform and (datetime.time, True) not in kinds:
        try:
            return pyarrow.array(values, None if kinds else pyarrow.string())
        except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
            pass  # an integer of more than 64 bits, or a type unknown to Arrow
    return text_column([None if value is None else tag_text(value) for value in values])


def _kind(value: object) -> tuple[type, bool]:
    """Return the type of a value, and whether it has a time zone."""
    # Arrow would give a time zone to all of them, or to none.
    return type(value), getattr(value, "tzinfo", None) is not None


def import_pyarrow() -> Any:
    """Return pyarrow; raise `MissingDependencyError` if it is not installed."""
    return needed("pyarrow", "a table of an index")


def reader_of(listing: Listing) -> Any:
    """Return a `pyarrow.RecordBatchReader` of the files, without their headers."""
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
    """Return a `pyarrow.Table` of the files, with the fields of their headers."""
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
        arrays = [text_column(part.fullnames()), *_of_files(part, texts)]
        arrays += [*_of_headers(found), text_column(errors)]
        batches.append(pyarrow.record_batch(arrays, names=_TAKEN))
    table = pyarrow.Table.from_batches(batches, _schema({}, detailed=True))
    for number, (column, array) in enumerate(tags.columns(), start=1):
        table = table.add_column(number, column, array)
    return table


class _TypedTags:
    """
    The tags of all rows: those of the headers, and those of folders above these.

    A damaged file has those of its path.
    """

    def __init__(self, listing: Listing) -> None:
        # Of a repeated tag, these have the innermost value.
        self._paths: list[Mapping[str, str]] = []
        self._headers: list[Mapping[str, Any]] = []
        # Equal tags share one dict, as the entries of a folder mostly have the same.
        self._shared: dict[str, dict[str, Any]] = {}
        self._tags = _tag_names(listing)

    def extend(
        self, part: Listing, tags: Sequence[Tags], headers: Iterable[Header | None]
    ) -> None:
        known: dict[tuple[int, int], dict[str, str]] = {}
        for place, header in zip(part.places, headers, strict=True):
            own = () if header is None else header.tags
            key = place, len(own)
            if key not in known:
                known[key] = tags_above(tags[place], own)
            self._paths.append(known[key])
            self._headers.append(self._share(own))

    def _share(self, pairs: TagPairs) -> dict[str, Any]:
        return self._shared.setdefault(repr(pairs), dict(pairs))

    def columns(self) -> Iterator[tuple[str, Any]]:
        tags = [*self._tags, *(tag for pairs in self._shared.values() for tag in pairs)]
        for tag, column in column_names(tags, _TAKEN).items():
            yield column, typed_column(tag_values(tag, self._headers, self._paths))


def tags_above(in_path: Tags, own: TagPairs) -> dict[str, str]:
    """
    Return the tags of the folders above those that a save has made itself.

    Args:
        in_path: The tags of its path, as far as the root of the index.
        own: The tags in its header, which are the last ones of the path.

    >>> tags_above(Tags([("run", "a"), ("day", "1")]), (("day", 1),))
    {'run': 'a'}
    """
    count = max(0, len(in_path) - len(own))
    return dict(in_path.items()[:count])


def tag_values(
    tag: str, typed: Iterable[Mapping[str, Any]], texts: Sequence[Mapping[str, str]]
) -> list[Any]:
    """
    Return the value of a tag in each row, or None.

    Args:
        tag: The name of the tag.
        typed: The tags of each row that have their types.
        texts: Further ones that are texts. They are read as the type of the others.
    """
    values = [pairs.get(tag) for pairs in typed]
    like = next((value for value in values if value is not None), "")
    for number, pairs in enumerate(texts):
        if values[number] is None and (text := pairs.get(tag)) is not None:
            values[number] = _read_as(text, like)
    return values


def _read_as(text: str, like: object) -> Any:
    """Return a text as the type of another value, or as it is if that fails."""
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
    """Return the columns without headers; a repeated tag has its innermost value."""
    tags = [key_of(folder)[0] for folder in part.folders]
    innermost = [dict(folder_tags.items()) for folder_tags in tags]
    places = _places(part)
    return [
        text_column(part.fullnames()),
        *[
            text_column([pairs.get(tag) for pairs in innermost]).take(places)
            for tag in columns
        ],
        *_of_files(part, tags),
    ]


def _all_tags(part: Listing, tags: Sequence[Tags]) -> Any:
    """Return the list of all tags of each row, with every value of a repeated tag."""
    pyarrow = import_pyarrow()
    ends = list(accumulate(map(len, tags), initial=0))
    parts = [
        text_column([name for folder_tags in tags for name in folder_tags]),
        text_column([text for folder_tags in tags for text in folder_tags.values()]),
    ]
    pairs = pyarrow.StructArray.from_arrays(parts, ["name", "value"])
    lists = pyarrow.ListArray.from_arrays(pyarrow.array(ends, pyarrow.int32()), pairs)
    return lists.take(_places(part))


def _places(part: Listing) -> Any:
    return import_pyarrow().array(part.places, import_pyarrow().uint32())


def _of_files(part: Listing, tags: Sequence[Tags]) -> list[Any]:
    """Return path, tags, size and time; the last two are null if a file is gone."""
    pyarrow = import_pyarrow()
    sizes, times = [], []
    for found in part.store.statuses([*part.stored_names()]):
        sizes.append(found and found.size)
        time = found and found.time // 1000
        # A file system can return a time beyond the range of datetime.
        times.append(time if time is not None and abs(time) <= _LATEST else None)
    return [
        text_column(list(part.paths())),
        _all_tags(part, tags),
        pyarrow.array(sizes, pyarrow.int64()),
        pyarrow.array(times, pyarrow.timestamp("us", "UTC")),
    ]


def _of_headers(headers: Sequence[Header | None]) -> list[Any]:
    pyarrow = import_pyarrow()
    filled = [header or _EMPTY_HEADER for header in headers]
    return [
        text_column([header.run for header in filled]),
        pyarrow.array([header.sequence for header in filled], pyarrow.int64()),
        pyarrow.array(
            [header.saved for header in filled], pyarrow.timestamp("us", "UTC")
        ),
        _values(filled),
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
    fields = {"name": text, **tags, "path": text, "tags": pyarrow.list_(pair)}
    fields |= {"size": count, "time": moment}
    if detailed:
        fields |= {"run": text, "sequence": count, "saved": moment}
        fields |= {"values": pyarrow.list_(pyarrow.struct(value)), "error": text}
    return pyarrow.schema(list(fields.items()))
