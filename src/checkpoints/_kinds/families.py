"""The known libraries, one line each, and the classes with a registered format."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from checkpoints._kinds import (
    arrow,
    dask,
    geopandas,
    numpy,
    pandas,
    pictures,
    polars,
    pyproj,
    shapely,
    sparse,
    tensors,
    xarray,
)
from checkpoints._kinds.kind import Buffer, Family, Format, Kind
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints.errors import ConfigError, FormatError

__all__ = [
    "families_of",
    "family_of",
    "format_of_kind",
    "formats_for",
    "register_format",
]

_KNOWN = (
    arrow.FAMILY,
    dask.FAMILY,
    geopandas.FAMILY,
    numpy.FAMILY,
    pandas.FAMILY,
    pictures.MATPLOTLIB,
    pictures.PILLOW,
    polars.FAMILY,
    pyproj.FAMILY,
    shapely.FAMILY,
    sparse.FAMILY,
    tensors.JAX,
    tensors.TORCH,
    xarray.FAMILY,
)


class _Catalog:
    """Families by package, and kinds by name."""

    def __init__(self, families: Iterable[Family]) -> None:
        # Keyed by a type's root package: values are recognised by name, so nothing is
        # ever imported to find out what a value is.
        self.by_package = {
            package: family for family in families for package in family.packages
        }
        self.by_kind = {
            kind.kind: kind
            for family in self.by_package.values()
            for kind in family.kinds
        }


_catalog = _Catalog(_KNOWN)
_PLAIN = frozenset({"json", "text", "bytes", "pickle"})
_added: dict[type, Format] = {}
_added_kinds: dict[str, Format] = {}


def family_of(cls: type) -> Family | None:
    """Return the family of the library that a class is defined in."""
    return _catalog.by_package.get(str(cls.__module__).partition(".")[0])


def families_of(cls: type) -> Iterator[Family]:
    """Yield the families of a class and its base classes, nearest first."""
    for base in cls.__mro__:
        family = family_of(base)
        if family is not None:
            yield family


def formats_for(cls: type) -> list[Kind]:
    """Return the formats for values of a class, in the order in which to try them."""
    added = _added.get(cls)
    if added is not None:
        return [added]
    family = family_of(cls)
    if family is None:
        return []
    found = [family.recognise(cls)]
    if family.fallback is not None:
        found.append(family.fallback(cls))
    return [format for format in found if format is not None]


def format_of_kind(kind: str) -> Kind | None:
    """Return the format of the kind that files know by this name, None if unknown."""
    return _catalog.by_kind.get(kind) or _added_kinds.get(kind)


def register_format(
    type: type,  # noqa: A002 - the most natural word for callers
    *,
    kind: str,
    suffix: str,
    encode: Callable[[Any], Buffer],
    decode: Callable[[memoryview], Any],
    freeze: Callable[[Any], Any] = copy.deepcopy,
) -> None:
    """
    Save values of a class in a format of your own, instead of as a pickle.

    Such values are loaded without `trusted=True` wherever the same format is
    registered, so `decode` must be safe for bytes from an unknown source.

    Args:
        type: The class. Subclasses need their own format.
        kind: The name of the format in files, such as `"mypkg.Model"`.
        suffix: The suffix of the file inside the archive, such as `"onnx"`.
        encode: Takes a value; returns bytes.
        decode: Takes these bytes as a memoryview; returns the value.
        freeze: Takes a value; returns a copy that later changes do not affect. Used
            by sessions; a deep copy by default.

    Raises:
        ConfigError: If the kind is taken by another class, the suffix is not a plain
            word, or values of the class are always saved as JSON.

    >>> import io
    >>> from string import Template
    >>> register_format(
    ...     Template,
    ...     kind="string.Template",
    ...     suffix="txt",
    ...     encode=lambda value: value.template.encode(),
    ...     decode=lambda data: Template(bytes(data).decode()),
    ... )
    """
    owner = next((cls for cls, format in _added.items() if format.kind == kind), None)
    is_built_in = kind in _PLAIN or kind in _catalog.by_kind
    if is_built_in or owner not in (None, type):
        message = (
            f"kind {kind!r} is taken{f' by {owner!r}' if owner else ''}: choose "
            "another, such as the full name of the class"
        )
        raise ConfigError(message)
    if not suffix.isascii() or not suffix.isalnum():
        message = f"invalid suffix={suffix!r}: expected a plain word such as 'onnx'"
        raise ConfigError(message)

    if type in IMMUTABLE or type in (list, dict, tuple, set, frozenset):
        message = (
            f"{type!r} is always saved as JSON: register the format for a class of "
            "your own"
        )
        raise ConfigError(message)

    def encoded(value: Any) -> tuple[list[Buffer], dict[str, Any]]:
        try:
            data: object = encode(value)
        except Exception as error:
            raise FormatError(
                f"the encode function of kind {kind!r} raised {error!r:.200}"
            ) from error
        if not isinstance(data, bytes | bytearray | memoryview):
            raise FormatError(
                f"the encode function of kind {kind!r} must return bytes, "
                f"not {data!r:.80}"
            )
        return [data], {}

    def decoded(data: memoryview, _: Mapping[str, Any]) -> Any:
        try:
            return decode(data)
        except Exception as error:
            raise FormatError(
                f"the decode function of kind {kind!r} raised {error!r:.200}; it was "
                "given the saved bytes, as a memoryview"
            ) from error

    _added[type] = _added_kinds[kind] = Format(
        kind=kind,
        suffix=suffix,
        encode=encoded,
        decode=decoded,
        package=type.__module__.partition(".")[0],
        freeze=freeze,
    )
