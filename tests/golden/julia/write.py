"""
Writes a value of each kind for Julia, plain and compressed: `write.py FOLDER`.

`open.jl` beside it opens them in Julia, and saves them again; then `write.py FOLDER
AGAIN` loads what Julia has saved. It needs NumPy and pandas.
"""

from __future__ import annotations

import datetime
import fractions
import sys
import uuid
from pathlib import Path

import numpy
import pandas

from checkpoints import FileHandler, Record, index, load

VALUES = {
    "integer": 5,
    "negative": -7,
    "float": 1.5,
    "nan": float("nan"),
    "yes": True,
    "none": None,
    "text": "hé☕",
    "nothing": "",
    "bytes": b"\1\0\xff",
    "list": [1, "a", None, [2]],
    "tuple": (1, (2, "x")),
    "empty_list": [],
    "empty_tuple": (),
    "empty_dict": {},
    "dict": {"a": 1, "b": {"c": [1.5]}},
    "keys": {1: "x", (1, 2): None},
    "set": {1, 2},
    "frozenset": frozenset(["a"]),
    "range": range(1, 4),
    "steps": range(7, 0, -2),
    "no_steps": range(5, 2),
    "complex": 1 + 2j,
    "fraction": fractions.Fraction(3, 4),
    "uuid": uuid.UUID(int=5),
    "date": datetime.date(2020, 1, 2),
    "instant": datetime.datetime(2020, 1, 2, 3, 4, 5, 6000),
    "time": datetime.time(1, 2, 3, 4),
    "duration": datetime.timedelta(days=1, microseconds=3),
    "vector": numpy.arange(3.0),
    "matrix": numpy.arange(6).reshape(2, 3),
    "cube": numpy.arange(24, dtype="f4").reshape(2, 3, 4),
    "columns": numpy.asfortranarray(numpy.arange(6).reshape(2, 3)),
    "scalar": numpy.array(1.5),
    "flags": numpy.array([True, False]),
    "small": numpy.array([1, 2], "u1"),
    "complexes": numpy.array([1 + 2j]),
    "complexes64": numpy.array([1 + 2j], "c8"),
    "texts": numpy.array(["a", "bcd"]),
    "textmatrix": numpy.array([["a", "b"], ["c", "d"]]),
    "days": numpy.array(["2020-01-02", "1960-01-01"], "M8[D]"),
    "instants": numpy.array(["2020-01-02T03:04:05.006"], "M8[ms]"),
    "nanoseconds": numpy.array(["2020-01-02T03:04:05.006"], "M8[ns]"),
    "durations": numpy.array([1, 2], "m8[ns]"),
    "no_rows": numpy.zeros((0, 3)),
    "swapped": numpy.arange(3, dtype=">i4"),
    "float16": numpy.float16(0.5),
    "float32": numpy.float32(1.5),
    "int8": numpy.int8(-3),
    "uint64": numpy.uint64(2**63),
    "int32": numpy.int32(7),
    "bool": numpy.bool_(True),
    "float64": numpy.float64(2.5),
    "complex64": numpy.complex64(1 + 2j),
    "day": numpy.datetime64("2020-01-02"),
    "moment": numpy.datetime64("2020-01-02T03:04:05.006"),
    "hours": numpy.timedelta64(5, "h"),
    "large": numpy.random.default_rng(0).random((100, 200)),
    "objects": numpy.array([1, "a", None], object),
    "frame": pandas.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": ["x", "y"]}),
    "gaps": pandas.DataFrame({"a": ["x", None], "i": pandas.array([1, None], "Int64")}),
    "named": Record("Core.NamedTuple", {"a": 1, "b": "x", "c": [1.5]}),
    "unnamed": Record("Core.NamedTuple", {}),
    "pair": Record("Base.Pair{Symbol,Int64}", {"first": "a", "second": 1}),
    "series": pandas.Series([1, 2, 3]),
}


def main() -> None:
    """Write the values, or load what Julia has made of them."""
    root = Path(sys.argv[1])
    if len(sys.argv) == 2:
        for compression in ("none", "gzip"):
            handler = FileHandler(
                root / compression, format="jlso", compression=compression
            )
            for name, value in VALUES.items():
                handler.checkpoint(f"kinds.{name}", {name: value})
        print(f"{2 * len(VALUES)} files; now julia open.jl {root} AGAIN")
        return
    found = [load(path) for path in sorted(Path(sys.argv[2]).rglob("*.jlso"))]
    print(f"{len(found)} files of Julia loaded, of {len(index(root))} written")


if __name__ == "__main__":
    main()
