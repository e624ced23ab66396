"""Which format takes a value, and which reads a kind: built-in ones and added ones."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from checkpoints._kinds import arrow, numpy, pandas, pictures, polars, sparse, tensors
from checkpoints._kinds.kind import Buffer, Compound, Format
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints.errors import ConfigError, FormatError

__all__ = ["format_of_kind", "formats_for", "register_format"]

# By the root package of a type: whoever passes a value of it has imported it, so
# nothing is ever imported to find out what a value is.
_FAMILIES: dict[str, ModuleType] = {
    "numpy": numpy,
    "pandas": pandas,
    "polars": polars,
    "pyarrow": arrow,
    "scipy": sparse,
    "torch": tensors,
    "jax": tensors,
    "jaxlib": tensors,
    "matplotlib": pictures,
    "PIL": pictures,
}
_by_kind: dict[str, Format | Compound] = {
    format.kind: format
    for family in dict.fromkeys(_FAMILIES.values())
    for format in family.KINDS
}
_built_in = frozenset(_by_kind) | {"json", "text", "bytes", "pickle"}
_added: dict[type, Format] = {}


def formats_for(kind: type) -> list[Format | Compound]:
    """Return the formats for values of a class, the one to try first at first."""
    added = _added.get(kind)
    if added is not None:
        return [added]
    family = _FAMILIES.get(str(kind.__module__).partition(".")[0])
    if family is None:
        return []
    found = [family.recognise(kind)]
    if hasattr(family, "otherwise"):
        found.append(family.otherwise(kind))
    return [format for format in found if format is not None]


def format_of_kind(kind: str) -> Format | Compound | None:
    """Return the format that reads what a file calls by this name."""
    return _by_kind.get(kind)


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
    if kind in _built_in or owner not in (None, type):
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

    _added[type] = _by_kind[kind] = Format(
        kind=kind,
        suffix=suffix,
        encode=encoded,
        decode=decoded,
        package=type.__module__.partition(".")[0],
        freeze=freeze,
    )
