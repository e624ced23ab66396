"""
The types of Julia that a reader outside of it knows: their fields, and their memory.

Julia's own serialization does not say how many fields a type has, and neither format
says how the values of an immutable type lie in memory. Both are in the tables here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

__all__ = [
    "ANY",
    "NO_FUNCTION",
    "NUMBERS",
    "PERIODS",
    "JuliaType",
    "Layout",
    "fields_of",
    "is_function",
    "is_known",
    "layout_of",
    "named",
    "typed",
]

# A forged file can nest types so that their text is larger than memory.
_LONGEST = 1 << 16

NUMBERS = {
    **{f"Int{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"UInt{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"Float{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}
# The periods of `Dates`, and NumPy's letters for them.
PERIODS = {
    "Dates.Year": "Y",
    "Dates.Month": "M",
    "Dates.Week": "W",
    "Dates.Day": "D",
    "Dates.Hour": "h",
    "Dates.Minute": "m",
    "Dates.Second": "s",
    "Dates.Millisecond": "ms",
    "Dates.Microsecond": "us",
    "Dates.Nanosecond": "ns",
}
_SIZES = {
    **{name: int(code[2:]) for name, code in NUMBERS.items()},
    "Bool": 1,
    "Char": 4,
    "Int128": 16,
    "UInt128": 16,
    "Nothing": 0,
    "Missing": 0,
}
# The parts of a value for each byte of it; those without memory are rare.
_MOST_OF_NOTHING = 16
# Int128 is aligned like Int64.
_WIDEST = 8


class JuliaType:
    """
    A type, such as `Array{Float64,2}`.

    Args:
        name: Its full name; types of `Base` and `Core` have no module in front.
        params: Its parameters: types, integers, texts and tuples.

    Attributes:
        full: The type as text, with its module also if that is `Base` or `Core`.

    Raises:
        ValueError: If its text is too long.
    """

    __slots__ = ("_hash", "_text", "full", "name", "params")

    def __init__(self, name: str, params: tuple[Any, ...] = ()) -> None:
        self.name, self.params = name, params
        self._text = "".join(_bounded(chain([name], _enclosed("{}", params))))
        # Made once, as each record of this type has it.
        self.full = self._text if "." in name else f"Base.{self._text}"
        self._hash = hash((name, params))

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JuliaType):
            return NotImplemented
        return self is other or (self.name, self.params) == (other.name, other.params)

    def __hash__(self) -> int:
        return self._hash


def _enclosed(marks: str, params: tuple[Any, ...]) -> Iterator[str]:
    """Yield the text of parameters in parts; nothing if there are none."""
    for at, param in enumerate(params):
        yield "," if at else marks[0]
        if isinstance(param, tuple):
            yield from _enclosed("()", param) if param else "()"
        else:
            is_told = isinstance(param, (JuliaType, str, int, float))
            yield str(param) if is_told else type(param).__name__
    if params:
        yield marks[1]


def _bounded(parts: Iterable[str]) -> Iterator[str]:
    """Yield parts of a text; a parameter can be repeated by references to it."""
    left = _LONGEST
    for part in parts:
        left -= len(part)
        if left < 0:
            raise ValueError("the type of a value is too large")
        yield part


def typed(path: Sequence[str], params: Sequence[Any] = ()) -> JuliaType:
    """
    Return the type at a path of modules.

    Raises:
        ValueError: If its text is too long.

    >>> str(typed(["Main", "Core", "Array"], (typed(["Core", "Int64"]), 1)))
    'Array{Int64,1}'
    """
    start = 1 if path[:1] == ["Main"] and path[1:2] in (["Core"], ["Base"]) else 0
    start += path[start : start + 1] in (["Core"], ["Base"])
    return JuliaType(".".join(path[start:]), tuple(params))


def named(name: str, *params: Any) -> JuliaType:
    """Return a known type by its name."""
    return JuliaType(name, params)


ANY = named("Any")
NO_FUNCTION = "it holds a function of Julia: load the other values by name"
_INT64, _DAY = named("Int64"), named("Dates.Day")
_MILLISECOND, _SECOND = named("Dates.Millisecond"), named("Dates.Second")
_DATETIME = named("Dates.DateTime")

# The fields of the known structs, with their types; an integer stands for a parameter.
_STRUCTS: dict[str, dict[str, JuliaType | int]] = {
    "Complex": {"re": 0, "im": 0},
    "Rational": {"num": 0, "den": 0},
    "UnitRange": {"start": 0, "stop": 0},
    "StepRange": {"start": 0, "step": 1, "stop": 0},
    "StepRangeLen": {"ref": 1, "step": 2, "len": _INT64, "offset": _INT64},
    "TwicePrecision": {"hi": 0, "lo": 0},
    "Pair": {"first": 0, "second": 1},
    "Some": {"value": 0},
    "UUID": {"value": named("UInt128")},
    "SubString": dict.fromkeys(("string", "offset", "ncodeunits"), ANY),
    "Set": {"dict": ANY},
    "BitArray": {"chunks": ANY, "len": ANY, "dims": ANY},
    "VersionNumber": dict.fromkeys(
        ("major", "minor", "patch", "prerelease", "build"), ANY
    ),
    **{name: {"value": _INT64} for name in PERIODS},
    "Dates.UTInstant": {"periods": 0},
    "Dates.Date": {"instant": named("Dates.UTInstant", _DAY)},
    "Dates.DateTime": {"instant": named("Dates.UTInstant", _MILLISECOND)},
    "Dates.Time": {"instant": named("Dates.Nanosecond")},
    "DataFrames.DataFrame": {"columns": ANY, "colindex": ANY},
    "DataFrames.Index": {"lookup": ANY, "names": ANY},
    "Distributions.Normal": {"μ": 0, "σ": 0},  # noqa: RUF001 - as Julia calls them
    "TimeZones.UTCOffset": {"std": _SECOND, "dst": _SECOND},
    "TimeZones.FixedTimeZone": {"name": ANY, "offset": named("TimeZones.UTCOffset")},
    "TimeZones.Transition": {"utc_datetime": _DATETIME, "zone": ANY},
    "TimeZones.VariableTimeZone": {"name": ANY, "transitions": ANY, "cutoff": ANY},
    "TimeZones.ZonedDateTime": {
        "utc_datetime": _DATETIME,
        "timezone": ANY,
        "zone": ANY,
    },
}
_PARAMETRIC = {
    *("Array", "Dict", "IdDict", "Set", "Tuple", "NamedTuple", "BitArray", "Type"),
    *("AbstractArray", "DenseArray", "AbstractDict", "AbstractSet", "AbstractRange"),
    *("Complex", "Rational", "UnitRange", "StepRange", "StepRangeLen", "Pair", "Some"),
    *(
        "TwicePrecision",
        "SubString",
        "Dates.UTInstant",
        "Distributions.Normal",
        "Vararg",
    ),
}
_PLAIN = {
    *_SIZES,
    *_STRUCTS,
    *("Any", "String", "Symbol", "Number", "Real", "Integer", "Signed", "Unsigned"),
    *("AbstractFloat", "AbstractString", "AbstractChar", "DataType", "Function"),
    *("GMP.BigInt", "Regex", "Union", "UnionAll", "TypeVar", "Module", "SimpleVector"),
    *("Dates.Period", "Dates.TimePeriod", "Dates.DatePeriod", "Dates.TimeType"),
    *("Dates.AbstractDateTime", "Dates.AbstractTime", "Dates.Instant"),
    *("TimeZones.TimeZone", "Dates.TimeZone", "DataFrames.AbstractIndex"),
}


def is_known(name: str) -> bool | None:
    """Tell whether a type has parameters; None if it is unknown."""
    return True if name in _PARAMETRIC else False if name in _PLAIN else None


def is_function(kind: JuliaType) -> bool:
    """Tell whether the values of a type are functions, or tuples with one."""
    if kind.name in ("Tuple", "NamedTuple"):
        return any(isinstance(it, JuliaType) and is_function(it) for it in kind.params)
    return kind.name.startswith("#") or ".#" in kind.name


def fields_of(kind: JuliaType) -> dict[str, JuliaType] | None:
    """Return the fields of a type with their types; None if it is unknown."""
    if kind.name == "Tuple":
        return {str(at): _as_type(it) for at, it in enumerate(kind.params, 1)}
    if kind.name == "NamedTuple" and len(kind.params) == len(("names", "types")):
        names, types = kind.params
        types = getattr(types, "params", ())
        if not isinstance(names, tuple) or len(set(names)) != len(names):
            return None
        types = [*types, *[ANY] * (len(names) - len(types))]
        return {str(it): _as_type(of) for it, of in zip(names, types, strict=False)}
    found = _STRUCTS.get(kind.name)
    if found is None:
        return None
    return {
        name: _param(kind, it) if isinstance(it, int) else it
        for name, it in found.items()
    }


def _param(kind: JuliaType, position: int) -> JuliaType:
    return _as_type(kind.params[position] if position < len(kind.params) else ANY)


def _as_type(param: Any) -> JuliaType:
    return param if isinstance(param, JuliaType) else ANY


class Layout(NamedTuple):
    """
    How the values of a type lie in memory.

    Args:
        size: The bytes of each.
        align: What its address is a multiple of.
        fields: The offset and type of each field; empty for numbers.
        weight: How many values it is made of, with itself.
    """

    size: int
    align: int
    fields: tuple[tuple[int, JuliaType], ...] = ()
    weight: int = 1


@lru_cache(maxsize=1024)
def layout_of(kind: JuliaType) -> Layout | None:
    """
    Return the layout of a type; None if its values are not stored in line.

    Raises:
        ValueError: If its values are made of more parts than fit into their memory.
    """
    size = _SIZES.get(kind.name)
    if size is not None:
        return Layout(size, max(1, min(size, _WIDEST)))
    fields = fields_of(kind)
    if fields is None:
        return None
    offset, widest, weight, places = 0, 1, 1, []
    for field in fields.values():
        layout = layout_of(field)
        if layout is None:
            return None
        offset += -offset % layout.align
        places.append((offset, field))
        offset, widest = offset + layout.size, max(widest, layout.align)
        weight += layout.weight
    # Types without memory can be nested so that a byte stands for any number of values.
    if weight > _MOST_OF_NOTHING * (1 + offset):
        raise ValueError("the type of a value holds more than its memory can")
    return Layout(offset + -offset % widest, widest, tuple(places), weight)
