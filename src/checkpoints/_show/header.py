"""The header of a file as text, for people."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from checkpoints._text import printable, size_text

__all__ = ["fields_of", "json_text", "plain", "rows_of", "shape_of", "type_of"]

_MOST_COLUMNS = 12
_LARGEST = (1 << 63) - 1
_DTYPES = {
    "i": "int",
    "u": "uint",
    "f": "float",
    "c": "complex",
    "m": "timedelta",
    "M": "datetime",
}


def fields_of(meta: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield the facts about a whole file, as labels and texts."""
    for name, value in meta["tags"]:
        yield "tag", f"{name}={_tag_text(value)} ({type(value).__name__})"
    number = meta.get("sequence")
    counted = f", save {number} of its process" if number else ""
    yield "saved", f"{meta['time']:%Y-%m-%d %H:%M:%S.%f} UTC{counted}"
    process = [
        f"{field} {meta[field]}" for field in ("host", "pid", "thread") if field in meta
    ]
    if "run" in meta:
        yield "run", ", ".join([str(meta["run"]), *process])
    site = meta.get("site")
    if isinstance(site, Mapping):
        yield "from", f"{site.get('file')}:{site.get('line')}, {site.get('function')}"
    packages = meta.get("packages")
    if isinstance(packages, Mapping):
        versions = [f"{name} {version}" for name, version in packages.items()]
        yield "with", ", ".join([_language(meta), *versions])
    yield "file", path


def _language(meta: Mapping[str, Any]) -> str:
    """Return the language that wrote a file, and its version."""
    if "julia" in meta:
        return f"Julia {meta['julia']}"
    return f"Python {meta.get('python')}"


def rows_of(meta: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield name, type, shape and size of each value."""
    for name, node in meta["values"].items():
        size = node.get("bytes")
        is_count = isinstance(size, int) and 0 <= size <= _LARGEST
        texts = [name, str(node.get("kind")), type_of(node), shape_of(node)]
        yield [*map(printable, texts), size_text(size) if is_count else ""]


def type_of(node: Mapping[str, Any]) -> str:
    """Return the dtype, the columns, the class or the mode of a value."""
    schema = node.get("schema")
    if isinstance(schema, list):
        columns = [
            " ".join(map(str, column)) if isinstance(column, list) else str(column)
            for column in schema[:_MOST_COLUMNS]
        ]
        more = [f"and {len(schema) - _MOST_COLUMNS} more"]
        return ", ".join(columns + more * (len(schema) > _MOST_COLUMNS))
    if "dtype" in node:
        return _dtype_text(node["dtype"])
    return next((str(node[field]) for field in ("type", "mode") if field in node), "")


def _dtype_text(dtype: object) -> str:
    """Return a dtype of NumPy in the words in which data frames name theirs."""
    if isinstance(dtype, list):
        fields = [
            field for field in dtype if isinstance(field, list) and len(field) > 1
        ]
        return ", ".join(f"{field[0]} {_dtype_text(field[1])}" for field in fields)
    found = re.fullmatch(r"[<|=]?([biufcmM])([0-9]+)(\[\w+\])?", str(dtype))
    if found is None:
        return str(dtype)
    letter, size, unit = found.groups()
    if letter == "b":
        return "bool"
    return f"{_DTYPES[letter]}{8 * int(size[:4])}{unit or ''}"


def shape_of(node: Mapping[str, Any]) -> str:
    """Return the shape of a value, such as `"3 x 4"`."""
    shape = node.get("shape", node.get("size"))
    return " x ".join(map(str, shape)) if isinstance(shape, (list, tuple)) else ""


def _tag_text(value: object) -> str:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def json_text(value: object, indent: int | None = 2) -> str:
    """Return a value as JSON; values of types that JSON does not have become text."""
    # In ASCII, so that it contains no control characters for a terminal.
    return json.dumps(plain(value), indent=indent, ensure_ascii=True)


def plain(value: object) -> Any:
    """Return a value made of the types of JSON: times, for example, become text."""
    # By `map`, which takes half as much of the stack as a comprehension.
    if isinstance(value, Mapping):
        return dict(zip(map(str, value), map(plain, value.values()), strict=True))
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(map(plain, value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)
