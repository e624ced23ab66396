"""NumPy's dtypes as JSON: layouts of records, arrays in fields, C's integer types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Compound, Inexact
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError

__all__ = [
    "DTYPE",
    "dtype_from_layout",
    "has_long_double",
    "is_same_dtype",
    "layout_of",
    "string_dtype",
    "string_notes",
]

_PLAIN = re.compile(
    r"[<>|](?:[biufcSUV][0-9]{1,10}|[mM]8(?:\[[0-9]{0,10}[a-zA-Z]{1,2}\])?)"
)
_OBJECT = "|O"
# C may have several integer types of one width, and the text of a dtype has the width.
_C_INTEGERS = tuple("iIlLqQ")


def layout_of(dtype: Any) -> Any:
    """
    Return a dtype in JSON types, for `dtype_from_layout`.

    Raises:
        Inexact: The dtype would not be the same again.

    Example:
        >>> import numpy
        >>> layout_of(numpy.dtype(("<f4", (2, 3))))
        {'of': '<f4', 'shape': [2, 3]}
    """
    layout = _described(dtype)
    try:
        rebuilt = dtype_from_layout(layout, objects=True)
    except (TypeError, ValueError) as error:
        raise Inexact(f"the dtype {dtype!r} cannot be rebuilt: {error}") from error
    if not is_same_dtype(rebuilt, dtype):
        raise Inexact(f"the dtype {dtype!r} would be rebuilt as {rebuilt!r}")
    return layout


def _described(dtype: Any) -> Any:
    if dtype.metadata is not None:
        raise Inexact("the dtype has metadata")
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        return {"of": _described(inner), "shape": list(shape)}
    if dtype.names is not None:
        return _described_fields(dtype)
    if dtype.char in _C_INTEGERS and not _has_this_text(dtype):
        return {"char": dtype.char, "dtype": dtype.str}
    return dtype.str


def _has_this_text(dtype: Any) -> bool:
    import numpy

    return bool(numpy.dtype(dtype.str).char == dtype.char)


def _described_fields(dtype: Any) -> dict[str, Any]:
    import numpy

    fields = [dtype.fields[name] for name in dtype.names]
    # A field is its dtype and offset, and its title where it has one.
    titles = [next(iter(field[2:]), None) for field in fields]
    if any(title is not None and type(title) is not str for title in titles):
        raise Inexact("the title of a field is not a string")
    return {
        "names": list(dtype.names),
        "formats": [_described(field[0]) for field in fields],
        "offsets": [field[1] for field in fields],
        **({"titles": titles} if any(titles) else {}),
        "itemsize": dtype.itemsize,
        "aligned": dtype.isalignedstruct,
        "record": dtype.type is numpy.record,
    }


def dtype_from_layout(layout: Any, *, objects: bool = False) -> Any:
    """
    Return the dtype of a layout.

    Args:
        layout: What `layout_of` has returned, or anything: it is not trusted.
        objects: Whether the dtype may have Python objects. An array of it must then
            be allocated by NumPy, never be laid over bytes.

    Raises:
        TypeError, ValueError: The layout is not valid.

    Example:
        >>> dtype_from_layout({"of": "<f4", "shape": [2, 3]})
        dtype(('<f4', (2, 3)))
    """
    import numpy

    if isinstance(layout, str):
        if not _PLAIN.fullmatch(layout) and not (objects and layout == _OBJECT):
            raise ValueError(f"{layout!r:.80} is not a plain dtype")
        return numpy.dtype(layout)
    if not isinstance(layout, dict):
        raise TypeError(f"{layout!r:.80} is not the layout of a dtype")
    if "char" in layout:
        return _c_integer(layout)
    if "of" in layout:
        inner = dtype_from_layout(layout["of"], objects=objects)
        return numpy.dtype((inner, _shape(layout["shape"])))
    return _with_fields(layout, objects=objects)


def _c_integer(layout: Mapping[str, Any]) -> Any:
    import numpy

    plain = dtype_from_layout(layout["dtype"])
    if layout["char"] not in _C_INTEGERS:
        raise ValueError(f"{layout['char']!r:.80} is not an integer type")
    dtype = numpy.dtype(layout["char"]).newbyteorder(plain.byteorder)
    # On another system the type may have another width.
    return dtype if dtype.str == plain.str else plain


def _with_fields(layout: Mapping[str, Any], *, objects: bool) -> Any:
    import numpy

    names, titles = list(layout["names"]), layout.get("titles") or []
    if any(type(text) is not str for text in [*names, *titles] if text is not None):
        raise TypeError("the name of a field must be a string")
    spec: Any = {
        "names": names,
        "formats": [
            dtype_from_layout(part, objects=objects) for part in layout["formats"]
        ],
        "offsets": _shape(layout["offsets"]),
        "itemsize": _shape([layout["itemsize"]])[0],
        **({"titles": titles} if titles else {}),
    }
    dtype: Any = numpy.dtype(spec, align=layout["aligned"] is True)
    return numpy.dtype((numpy.record, dtype)) if layout["record"] is True else dtype


def _shape(shape: Any) -> tuple[int, ...]:
    if any(type(length) is not int or length < 0 for length in shape):
        raise ValueError(f"{shape!r:.80} must be numbers from 0")
    return tuple(shape)


def is_same_dtype(one: Any, other: Any) -> bool:
    """
    Return whether two dtypes are the same in all that `==` ignores, too.

    Example:
        >>> import numpy
        >>> aligned = numpy.dtype("i4,i4", align=True)
        >>> aligned == numpy.dtype("i4,i4"), is_same_dtype(aligned, "i4,i4")
        (True, False)
    """
    if one is other:
        return True
    if _identity(one) != _identity(other) or one != other:
        return False
    if one.subdtype is not None:
        return is_same_dtype(one.subdtype[0], other.subdtype[0])
    return one.names is None or all(
        one.fields[name][1:] == other.fields[name][1:]
        and is_same_dtype(one.fields[name][0], other.fields[name][0])
        for name in one.names
    )


def _identity(dtype: Any) -> tuple[Any, ...]:
    traits = ("type", "char", "str", "itemsize", "isalignedstruct", "shape", "names")
    return type(dtype), *(getattr(dtype, trait, None) for trait in traits)


def has_long_double(dtype: Any) -> bool:
    """
    Return whether numbers in a dtype are C's `long double`, which systems differ in.

    Example:
        >>> import numpy
        >>> has_long_double(numpy.dtype([("x", "longdouble", 3)]))
        True
    """
    if dtype.names is not None:
        return any(has_long_double(dtype.fields[name][0]) for name in dtype.names)
    if dtype.subdtype is not None:
        return has_long_double(dtype.subdtype[0])
    return dtype.char in ("g", "G")


def string_notes(dtype: Any) -> dict[str, Any]:
    """
    Return what a `StringDType` has: whether it converts, and its missing value.

    The missing value may be any object; it is in a list, which is empty without one.
    """
    missing = [dtype.na_object] if hasattr(dtype, "na_object") else []
    return {"coerce": dtype.coerce, "missing": missing}


def string_dtype(notes: Mapping[str, Any]) -> Any:
    """
    Return the `StringDType` of these notes.

    Raises:
        FormatError: This version of NumPy does not have it.
    """
    dtypes = needed("numpy.dtypes", "loading text of any length")
    if not hasattr(dtypes, "StringDType"):
        raise FormatError("it needs NumPy 2, which has StringDType")
    missing = {"na_object": notes["missing"][0]} if notes["missing"] else {}
    return dtypes.StringDType(coerce=notes["coerce"] is True, **missing)


def _take_apart(dtype: Any) -> dict[str, Any]:
    if dtype.char == "T":
        return {"strings": string_notes(dtype)}
    return {"layout": layout_of(dtype)}


def _put_together(parts: dict[str, Any]) -> Any:
    needed("numpy", "loading a dtype")
    if "strings" in parts:
        return string_dtype(parts["strings"])
    return dtype_from_layout(parts["layout"], objects=True)


def _freeze(dtype: Any) -> Any:
    # Only the names of fields can change. A deep copy would forget C's integer types.
    return dtype if dtype.names is None else _put_together(_take_apart(dtype))


DTYPE = Compound(
    kind="numpy.dtype",
    take_apart=_take_apart,
    put_together=_put_together,
    package="numpy",
    freeze=_freeze,
)
