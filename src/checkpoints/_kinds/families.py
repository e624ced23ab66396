"""The libraries whose values are known, each a line, and the classes added to them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from checkpoints._kinds import arrow, numpy, pandas, pictures, polars, sparse, tensors
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
    numpy.FAMILY,
    pandas.FAMILY,
    pictures.MATPLOTLIB,
    pictures.PILLOW,
    polars.FAMILY,
    sparse.FAMILY,
    tensors.JAX,
    tensors.TORCH,
)


class _Table:
    """The families by the packages and the kinds that are theirs."""

    def __init__(self, families: Iterable[Family]) -> None:
        # By the root package of a type: whoever passes a value of it has imported it,
        # so nothing is ever imported to find out what a value is.
        self.by_package = {it: family for family in families for it in family.packages}
        self.by_kind = {
            kind.kind: kind
            for family in self.by_package.values()
            for kind in family.kinds
        }


_table = _Table(_KNOWN)
_PLAIN = frozenset({"json", "text", "bytes", "pickle"})
_added: dict[type, Format] = {}
_added_kinds: dict[str, Format] = {}


def family_of(cls: type) -> Family | None:
    """Return the family of the library that a class is defined in."""
    return _table.by_package.get(str(cls.__module__).partition(".")[0])


def families_of(cls: type) -> Iterator[Family]:
    """Yield the families of a class and of those it is derived from, nearest first."""
    for each in cls.__mro__:
        family = family_of(each)
        if family is not None:
            yield family


def formats_for(cls: type) -> list[Kind]:
    """Return the formats for values of a class, the one to try first at first."""
    added = _added.get(cls)
    if added is not None:
        return [added]
    family = family_of(cls)
    if family is None:
        return []
    found = [family.recognise(cls)]
    if family.otherwise is not None:
        found.append(family.otherwise(cls))
    return [format for format in found if format is not None]


def format_of_kind(kind: str) -> Kind | None:
    """Return the format that reads what a file calls by this name."""
    return _table.by_kind.get(kind) or _added_kinds.get(kind)


def register_format(
    type: type,  # noqa: A002 - the word that a caller would use
    *,
    kind: str,
    suffix: str,
    encode: Callable[[Any], Buffer],
    decode: Callable[[memoryview], Any],
    freeze: Callable[[Any], Any] = copy.deepcopy,
) -> None:
    """
    Save values of a class in a format of your own, instead of as a pickle.

    What is saved so is loaded without `trusted=True`, wherever the same format is
    registered; `decode` has to be fit for bytes that somebody else made up.

    Args:
        type: The class. Subclasses need a format of their own.
        kind: The name that files know the format by, such as `"mypkg.Model"`.
        suffix: The suffix of the file inside the archive, such as `"onnx"`.
        encode: Takes a value, returns bytes.
        decode: Takes these bytes as a memoryview, returns the value.
        freeze: Takes a value, returns one that later changes do not reach; used by
            sessions. A deep copy unless said otherwise.

    Raises:
        ConfigError: If the kind is taken by another class, or the suffix is no plain
            word.

    >>> import io
    >>> from fractions import Fraction
    >>> register_format(
    ...     Fraction,
    ...     kind="fractions.Fraction",
    ...     suffix="txt",
    ...     encode=lambda value: str(value).encode(),
    ...     decode=lambda data: Fraction(bytes(data).decode()),
    ... )
    """
    owner = next((known for known, it in _added.items() if it.kind == kind), None)
    is_built_in = kind in _PLAIN or kind in _table.by_kind
    if is_built_in or owner not in (None, type):
        message = (
            f"kind {kind!r} is taken{f' by {owner!r}' if owner else ''}: choose "
            "another, best the full name of the class"
        )
        raise ConfigError(message)
    if not suffix.isascii() or not suffix.isalnum():
        message = f"suffix {suffix!r} has to be a plain word, such as 'onnx'"
        raise ConfigError(message)

    if type in IMMUTABLE or type in (list, dict, tuple, set, frozenset):
        message = f"{type!r} is kept as JSON, and cannot have another format"
        raise ConfigError(message)

    def encoded(value: Any) -> tuple[list[Buffer], dict[str, Any]]:
        data: object = encode(value)
        if not isinstance(data, bytes | bytearray | memoryview):
            raise FormatError(
                f"encode, as registered for {kind!r}, has to return bytes, "
                f"not {data!r:.80}"
            )
        return [data], {}

    def decoded(data: memoryview, _: Mapping[str, Any]) -> Any:
        try:
            return decode(data)
        except Exception as error:
            raise FormatError(
                f"decode, as registered for {kind!r}, raised {error!r:.200}; the bytes "
                "it was given, a memoryview, are those that were saved"
            ) from error

    _added[type] = _added_kinds[kind] = Format(
        kind=kind,
        suffix=suffix,
        encode=encoded,
        decode=decoded,
        package=type.__module__.partition(".")[0],
        freeze=freeze,
    )
