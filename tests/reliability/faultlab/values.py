"""The values to save: each repeats its number throughout, so that a mix is visible."""

from __future__ import annotations

import dataclasses

KINDS = ("array", "large array", "frame", "object")

# More than a MiB in each: its blocks are asked for first, and a thread takes checksums.
_LARGE = 200_000


@dataclasses.dataclass
class Reading:
    """A class of an application: it has no format, so it is pickled."""

    number: int
    texts: list[str]


def value(kind: str, number: int) -> object:
    import numpy

    if kind == "array":
        return numpy.full(50, number)
    if kind == "large array":
        return numpy.full(_LARGE, number)
    if kind == "frame":
        import pandas

        return pandas.DataFrame(
            {"number": [number] * 60, "text": [f"text {number}"] * 60}
        )
    return Reading(number, [f"text {number}"] * 60)


def number_of(kind: str, found: object) -> int | None:
    """Return the number of a value, or None if the value is not intact."""
    if kind == "frame":
        number = int(found["number"].iloc[0])
        return number if found.equals(value(kind, number)) else None
    if kind == "object":
        return found.number if found == value(kind, found.number) else None
    number = int(found[0])
    whole = value(kind, number)
    same = found.dtype == whole.dtype and found.shape == whole.shape
    return number if same and (found == whole).all() else None
