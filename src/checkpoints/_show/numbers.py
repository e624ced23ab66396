"""Arrays of numbers: their statistics, and a one-line chart of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

__all__ = ["histogram", "sparkline", "statistics_of"]

# The elements computed with at a time, so that temporary arrays take little memory.
_BLOCK = 1 << 18
_BARS = 40
_BLOCKS = "▁▂▃▄▅▆▇█"


def statistics_of(array: Any) -> dict[str, Any]:
    """
    Return statistics of the elements of a NumPy array.

    Minimum, maximum, mean and standard deviation are those of the finite numbers; NaN
    and infinite numbers are counted. Empty for an array of another dtype.
    """
    kind = array.dtype.kind
    if not array.size:
        return {}
    if kind == "b":
        true = int(array.sum())
        return {"true": true, "false": array.size - true}
    if kind in "mM":
        return _of_times(array)
    return _of_numbers(array) if kind in "iuf" else {}


def _of_times(array: Any) -> dict[str, Any]:
    import numpy

    times = array[~numpy.isnat(array)]
    found: dict[str, Any] = {"NaT": int(array.size - times.size)}
    if times.size:
        found = {"min": _time(times.min()), "max": _time(times.max()), **found}
    return found


def _time(moment: Any) -> str:
    whole, _, fraction = str(moment).partition(".")
    return f"{whole}.{fraction}" if fraction.strip("0") else whole


def _of_numbers(array: Any) -> dict[str, Any]:
    import numpy

    flat = array.reshape(-1)
    count, mean, squares = 0, 0.0, 0.0
    least: Any = None
    greatest: Any = None
    nan = infinite = 0
    # An overflow shows as an infinite result, so that no warning is needed.
    with numpy.errstate(all="ignore"):
        for start in range(0, flat.size, _BLOCK):
            block = flat[start : start + _BLOCK]
            if array.dtype.kind == "f":
                nan += int(numpy.isnan(block).sum())
                infinite += int(numpy.isinf(block).sum())
                block = block[numpy.isfinite(block)]
            if not block.size:
                continue
            low, high = block.min().item(), block.max().item()
            least = low if least is None else min(least, low)
            greatest = high if greatest is None else max(greatest, high)
            wide = block.astype("float64", copy=False)
            middle, total = float(wide.mean()), count + block.size
            delta = middle - mean
            squares += float(((wide - middle) ** 2).sum())
            squares += delta * delta * count * block.size / total
            mean += delta * block.size / total
            count = total
    found: dict[str, Any] = {}
    if count:
        deviation = math.sqrt(squares / count)
        found = {"min": least, "max": greatest, "mean": mean, "std": deviation}
    if array.dtype.kind == "f":
        found |= {"NaN": nan, "Inf": infinite}
    return found


def sparkline(array: Any) -> str:
    """Return a line of bars, each the mean of a section of an array, in order."""
    import numpy

    flat = array.reshape(-1)
    means = []
    for section in numpy.array_split(flat, min(_BARS, max(flat.size, 1))):
        part = _in_doubles(section)
        finite = part[numpy.isfinite(part)]
        means.append(float(finite.mean()) if finite.size else math.nan)
    return _bars(means, from_zero=False)


def histogram(array: Any) -> str:
    """Return a line of bars that shows how often numbers occur, from min to max."""
    import numpy

    ends = [(part.min(), part.max()) for part in _finite_parts(array) if part.size]
    if not ends:
        return ""
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if low == high:
        return ""
    counts = numpy.zeros(_BARS // 2, "int64")
    try:
        with numpy.errstate(all="ignore"):
            for part in _finite_parts(array):
                counts += numpy.histogram(part, _BARS // 2, (low, high))[0]
    except ValueError:  # a range beyond that of floats
        return ""
    return _bars([float(count) for count in counts], from_zero=True)


def _finite_parts(array: Any) -> Iterator[Any]:
    import numpy

    flat = array.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        part = _in_doubles(flat[start : start + _BLOCK])
        yield part[numpy.isfinite(part)]


def _in_doubles(array: Any) -> Any:
    import numpy

    with numpy.errstate(all="ignore"):
        return array.reshape(-1).astype("float64", copy=False)


def _bars(values: list[float], *, from_zero: bool) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, high = 0.0 if from_zero else min(finite), max(finite)
    step = high / len(_BLOCKS) - low / len(_BLOCKS)
    return "".join(_bar(value, low, step) for value in values)


def _bar(value: float, low: float, step: float) -> str:
    if not math.isfinite(value):
        return " "
    level = int(value / step - low / step) if step else 0
    return _BLOCKS[min(max(level, 0), len(_BLOCKS) - 1)]
