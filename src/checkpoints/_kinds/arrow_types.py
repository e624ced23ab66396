"""Arrow types: which of them a file keeps, and what a table needs to come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checkpoints._kinds.kind import Inexact
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError

__all__ = [
    "as_saved",
    "as_stored",
    "is_fixed",
    "is_simple",
    "register_extensions",
    "width_of",
]

_NAME = b"ARROW:extension:name"
# A field without an extension type may still carry the name of one, and would get that
# type in any process that has registered it.
_ESCAPE = b"checkpoints:"
# pandas registers its extension types when this module is imported.
_PANDAS_MODULE = "pandas.core.arrays.arrow.extension_types"
_PANDAS_TYPES = ("pandas.interval", "pandas.period")
# A cell of variable size takes at least its entry in the list of offsets.
_OFFSET = 4


def as_stored(table: Any) -> tuple[Any, dict[str, Any]]:
    """
    Return a table as a file can hold it.

    Args:
        table: A `pyarrow.Table`.

    Returns:
        The table, and the metadata for `register_extensions` and `as_saved`.

    Raises:
        Inexact: An extension type is known to this process only.

    Example:
        >>> import pyarrow
        >>> table = pyarrow.table({"a": [1, 2]})
        >>> as_stored(table)[0] is table
        True
    """
    fields = list(table.schema)
    inner = [each for field in fields for each in _inside(field.type)]
    if any(map(_has_name, inner)):
        raise Inexact("a field inside one of its types is marked as an extension type")
    types = [field.type for field in (*fields, *inner)]
    extensions = {_checked_name(kind) for kind in types if _is_extension(kind)}
    meta: dict[str, Any] = {"extensions": sorted(extensions)} if extensions else {}
    if not any(map(_has_name, fields)):
        return table, meta
    escaped = _with_keys(table, lambda key: _ESCAPE + key if _is_name(key) else key)
    return escaped, {**meta, "escaped": True}


def as_saved(table: Any, meta: Mapping[str, Any]) -> Any:
    """
    Return a table that was read as it was saved, the inverse of `as_stored`.

    Args:
        table: A `pyarrow.Table`.
        meta: The metadata from `as_stored`.

    Raises:
        FormatError: An extension type is unknown to this version of pyarrow.

    Example:
        >>> import pyarrow
        >>> as_saved(*as_stored(pyarrow.table({"a": [1, 2]}))).num_rows
        2
    """
    missing = {*meta.get("extensions", ())}
    if missing:
        found = (
            each.type
            for field in table.schema
            for each in (field, *_inside(field.type))
        )
        missing -= {kind.extension_name for kind in found if _is_extension(kind)}
    if missing:
        raise FormatError(
            f"this pyarrow does not know the extension type {min(missing)!r}: use a "
            "later version"
        )
    if not meta.get("escaped"):
        return table
    return _with_keys(
        table,
        lambda key: key.removeprefix(_ESCAPE) if _is_name(key) else key,
    )


def register_extensions(meta: Mapping[str, Any]) -> None:
    """
    Register the extension types that a table needs, before it is read.

    Args:
        meta: The metadata from `as_stored`.

    Raises:
        MissingDependencyError: The library that defines one is not installed.

    Example:
        >>> register_extensions({})
    """
    if not {*_PANDAS_TYPES}.isdisjoint(meta.get("extensions", ())):
        needed(_PANDAS_MODULE, "loading a column of pandas periods or intervals")


def is_simple(kind: Any) -> bool:
    """
    Return whether a type is one that Arrow's files are known to keep exactly.

    Args:
        kind: A `pyarrow.DataType`.

    Example:
        >>> import pyarrow
        >>> is_simple(pyarrow.list_(pyarrow.float64()))
        True
        >>> is_simple(pyarrow.map_("string", "int8"))
        False
    """
    import pyarrow

    types = pyarrow.types
    if types.is_primitive(kind) or _is_text(kind):
        return True
    if types.is_dictionary(kind):
        return bool(types.is_integer(kind.value_type) or _is_text(kind.value_type))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_struct(kind):
        return all(is_simple(field.type) for field in _fields(kind))
    return bool(types.is_decimal(kind) or types.is_null(kind))


def is_fixed(kind: Any) -> bool:
    """
    Return whether all values of a type take the same memory.

    Args:
        kind: A `pyarrow.DataType`.

    Example:
        >>> import pyarrow
        >>> is_fixed(pyarrow.int8()), is_fixed(pyarrow.string())
        (True, False)
    """
    try:
        return bool(kind.bit_width)
    except ValueError:
        return False


def width_of(kind: Any) -> float:
    """
    Return the minimum size of a value of a type, in bytes.

    Args:
        kind: A `pyarrow.DataType`.

    Example:
        >>> import pyarrow
        >>> width_of(pyarrow.int8()), width_of(pyarrow.string())
        (1.0, 4)
    """
    return kind.bit_width / 8 if is_fixed(kind) else _OFFSET


def _is_text(kind: Any) -> bool:
    import pyarrow

    types = pyarrow.types
    is_text = types.is_string(kind) or types.is_large_string(kind)
    return bool(is_text or types.is_binary(kind) or types.is_large_binary(kind))


def _checked_name(kind: Any) -> str:
    import pyarrow

    name: str = kind.extension_name
    # The others are defined in Python, and are types only where that has run.
    if not isinstance(kind, pyarrow.ExtensionType):
        return name
    if type(kind).__module__ == _PANDAS_MODULE and name in _PANDAS_TYPES:
        return name
    raise Inexact(f"the extension type {name!r} is not one of Arrow's own")


def _is_extension(kind: Any) -> bool:
    import pyarrow

    return isinstance(kind, pyarrow.BaseExtensionType)


def _inside(kind: Any) -> Iterator[Any]:
    """Yield all fields inside a type."""
    for field in _fields(kind):
        yield field
        yield from _inside(field.type)


def _fields(kind: Any) -> list[Any]:
    import pyarrow

    if _is_extension(kind):
        return [pyarrow.field("storage", kind.storage_type)]
    if pyarrow.types.is_dictionary(kind):
        return [pyarrow.field("values", kind.value_type)]
    return [kind.field(position) for position in range(kind.num_fields)]


def _has_name(field: Any) -> bool:
    return any(map(_is_name, field.metadata or ()))


def _is_name(key: bytes) -> bool:
    """Return whether a key of metadata names an extension type, escaped or not."""
    return key.endswith(_NAME) and not key.removesuffix(_NAME).replace(_ESCAPE, b"")


def _with_keys(table: Any, change: Any) -> Any:
    """Return the table with the keys of its fields' metadata changed."""
    import pyarrow

    fields = [
        field.with_metadata(
            {change(key): text for key, text in (field.metadata or {}).items()}
        )
        if _has_name(field)
        else field
        for field in table.schema
    ]
    schema = pyarrow.schema(fields, table.schema.metadata)
    return pyarrow.Table.from_arrays(table.columns, schema=schema)
