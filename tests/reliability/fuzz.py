"""
A fuzzer for `load`: whatever a file contains, only the promised errors are raised.

    python tests/reliability/fuzz.py --seconds 600    # with atheris, guided
    python tests/reliability/fuzz.py --runs 3000      # without it, from a seed

Checksums would hide the code behind them. So for most inputs, the header and members
of a file are changed first, and then sealed with correct checksums.
"""

from __future__ import annotations

import argparse
import collections
import copy
import datetime
import faulthandler
import json
import logging
import os
import random
import re
import resource
import struct
import sys
import tempfile
import time
import uuid
import warnings
import zipfile
from fractions import Fraction
from pathlib import Path

if "--seconds" in sys.argv:
    import atheris

    with atheris.instrument_imports(include=["checkpoints"]):
        import checkpoints
        from checkpoints import load
        from checkpoints._files import archive, parquet
        from checkpoints._kinds import json_bytes
else:
    import checkpoints
    from checkpoints import load
    from checkpoints._files import archive, parquet
    from checkpoints._kinds import json_bytes

PROMISED = (
    checkpoints.CorruptFileError,
    checkpoints.FormatError,
    checkpoints.MissingDependencyError,
    checkpoints.TooLargeError,
    checkpoints.UntrustedError,
)
MAX_BYTES = 32 << 20
ODD = [
    None, True, False, -1, 0, 1, 2**31, 2**63, 2**64, 1e308, float("nan"), "", "a", [],
    {}, "<f8", "|O", "<M8[ns]", "C", "json", "text", "bytes", "pickle", "numpy.ndarray",
    "numpy.scalar", "numpy.masked_array", "numpy.object_array", "pandas.DataFrame",
    "pandas.Series", "pandas.Index", "pandas.mixed_frame", "pandas.Timestamp",
    "pandas.Categorical", "polars.DataFrame", "polars.Series", "pyarrow.Table",
    "pyarrow.RecordBatch", "pyarrow.ChunkedArray", "pyarrow.Array", "PIL.Image",
    "matplotlib.Figure", "scipy.sparse", "csr", "coo", "dia", "bsr", "lil", "category",
    "object", "string[pyarrow]", "datetime64[ns, UTC]", "D", "Europe/Berlin", "../x",
    {"$tuple": [1]}, {"$set": [1]}, {"$int": "f"}, {"$float": "nan"}, {"$dict": []},
    {"$datetime": ["2024-01-01", "UTC", 0]}, {"$bytes": "AA=="}, {"$decimal": "1"},
    {"$timedelta": [1, 2, 3]}, {"$compound": "pandas.NaT", "parts": {}},
    {"$member": {"kind": "text", "member": "x.txt"}},
]  # fmt: skip
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 0xFF, 0xFFFF, 1 << 20)


class Choices:
    """Decisions, derived from the bytes that the fuzzer generates."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def below(self, limit: int) -> int:
        width = 1 if limit <= 256 else 4
        taken = self.data[self.at : self.at + width]
        self.at += width
        return int.from_bytes(taken, "little") % limit if limit else 0

    def of(self, items):
        return items[self.below(len(items))]

    def bytes(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken


def frames():
    import numpy
    import pandas

    rows = pandas.date_range("2024-01-01", periods=3, tz="Europe/Berlin")
    frame = pandas.DataFrame(
        {
            "a": [1, 2, 3],
            "b": ["x", None, "z"],
            "c": pandas.Categorical(["u", "v", "u"]),
            "d": numpy.array([1.5, 2, 3], "f4"),
            "e": rows,
            "f": pandas.array([1, None, 3], "Int64"),
        },
        index=rows,
    )
    return {
        "frame": frame,
        "plain": pandas.DataFrame({"a": [True, False]}),
        "mixed": pandas.DataFrame({"a": [1, "b"], "b": [1.5, 2.5]}, index=[1, "x"]),
        "columns": pandas.DataFrame(
            [[1, 2]], columns=pandas.MultiIndex.from_product([["a"], [1, 2]])
        ),
        "series": frame["b"],
        "index": pandas.MultiIndex.from_product([["a"], [1, 2]], names=["x", "y"]),
        "category": frame["c"].array,
        "stamp": rows[0],
        "delta": pandas.Timedelta("1h"),
    }


def samples() -> dict[str, object]:
    import numpy
    import polars
    import pyarrow
    import scipy.sparse
    from PIL import Image

    table = pyarrow.table(
        {
            "a": [1, 2],
            "b": [["x"], None],
            "c": pyarrow.array(["u", "u"]).dictionary_encode(),
            "d": [{"k": 1.5}, None],
            "e": pyarrow.array([True, None]),
        }
    )
    fields = numpy.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "<f8", (1,))])
    return {
        "array": numpy.arange(12, dtype="i4").reshape(3, 4),
        "fields": fields,
        "times": numpy.array(["2024-01-01"], "M8[D]"),
        "scalar": numpy.float32(1.5),
        "date": numpy.datetime64("2024-01-01"),
        "masked": numpy.ma.masked_array([1, 2], [True, False]),
        "objects": numpy.array([1, "a", None], dtype=object),
        **frames(),
        "table": table,
        "batch": table.to_batches()[0],
        "chunked": table["b"],
        "arrow": pyarrow.array(["a", None]),
        "polars": polars.DataFrame({"a": [1, 2], "b": ["x", None], "c": [[1], [2]]}),
        "polar": polars.Series("s", [1.5, None]),
        "image": Image.new("RGB", (4, 4), (1, 2, 3)),
        "palette": Image.new("L", (4, 4), 7),
        "csr": scipy.sparse.csr_array(numpy.eye(3)),
        "coo": scipy.sparse.coo_array(numpy.eye(3)),
        "dia": scipy.sparse.dia_array(numpy.eye(3)),
        "bsr": scipy.sparse.bsr_array(numpy.eye(4)),
        "lil": scipy.sparse.lil_array(numpy.eye(3)),
        "nested": [{"a": numpy.arange(3)}, (1, {2, 3}), {1: b"x", None: 2.5}],
        "text": "some text",
        "bytes": b"some bytes",
    }


GOLDEN = Path(__file__).parents[1] / "golden" / "julia"


def for_julia() -> dict[str, object]:
    """Values that Julia has, with all sorts of what its files are made of."""
    import numpy

    day = datetime.date(2024, 1, 2)
    return {
        "plain": [None, True, -7, 2.5, "text", b"bytes", 1 + 2j, Fraction(3, 4)],
        "nested": {"a": [(1, {2, 3}), {1: "x", (1, 2): None}], "b": {}},
        "times": [day, datetime.time(1, 2), datetime.timedelta(1), uuid.UUID(int=5)],
        "arrays": [numpy.arange(6, dtype="f4").reshape(2, 3), numpy.array(["a", "b"])],
        "days": numpy.array(["2024-01-02"], "M8[D]"),
        "numbers": [numpy.int8(1), numpy.float16(2), numpy.complex64(1)],
    }


class Subject:
    """The files to change: one for each value, split into parts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "subject.ckpt.zip"
        self.whole: list[bytes] = []
        self.parts: list[tuple[dict, list[tuple[str, bytes]]]] = []
        self.tables: list[bytes] = []
        for name, value in samples().items():
            for compression in ("zstd", "gzip", None):
                handler = checkpoints.FileHandler(folder, compression=compression)
                handler.checkpoint(name, {"v": value})
                self.whole.append((folder / f"{name}.ckpt.zip").read_bytes())
            with zipfile.ZipFile(folder / f"{name}.ckpt.zip") as file:
                members = [(each, file.read(each)) for each in file.namelist()]
            self.parts.append((json.loads(members[-1][1]), members[:-1]))
        for name in ("frame", "plain", "table", "polars"):
            handler = checkpoints.FileHandler(folder, format="parquet")
            value = samples()[name]
            # Parquet would change the type of its categories.
            table = value.drop(columns="c") if name == "frame" else value
            handler.checkpoint(name, table)
            self.tables.append((folder / f"{name}.ckpt.parquet").read_bytes())
        self.of_julia = [path.read_bytes() for path in sorted(GOLDEN.glob("*.jlso"))]
        for compression in ("none", "gzip"):
            handler = checkpoints.FileHandler(
                folder, format="jlso", compression=compression
            )
            handler.checkpoint("julia", for_julia())
            self.of_julia.append((folder / "julia.jlso").read_bytes())

    def changed(self, choices: Choices) -> bytes:
        ways = (
            self.raw,
            self.header,
            self.header,
            self.member,
            self.member,
            self.table,
            self.julia,
            self.julia,
        )
        return choices.of(ways)(choices)

    def raw(self, choices: Choices) -> bytes:
        return mutated(choices.of(self.whole + self.tables + self.of_julia), choices)

    def header(self, choices: Choices) -> bytes:
        header, members = copy.deepcopy(choices.of(self.parts))
        for _ in range(1 + choices.below(4)):
            header = other_json(header, choices)
        return sealed(header, members, choices)

    def member(self, choices: Choices) -> bytes:
        header, members = copy.deepcopy(choices.of(self.parts))
        if members:
            at = choices.below(len(members))
            name, data = members[at]
            members[at] = (name, self.other_member(name, data, choices))
        if choices.below(4) == 0:
            header = other_json(header, choices)
        return sealed(header, members, choices)

    def other_member(self, name: str, data: bytes, choices: Choices) -> bytes:
        if name.endswith(".json") and choices.below(2):
            return json.dumps(other_json(json.loads(data), choices)).encode()
        if choices.below(8) == 0:
            # Sound bytes, but those of another value.
            others = [it for _, members in self.parts for it in members]
            return choices.of(others)[1]
        return mutated(data, choices)

    def table(self, choices: Choices) -> bytes:
        data = bytearray(mutated(choices.of(self.tables), choices))
        marks = list(re.finditer(rb"crc32:[0-9a-f]{8}:[0-9a-f]{8}", data))
        if not marks or len(data) < 12:
            return bytes(data)
        try:
            return parquet._sealed(data, marks[-1][0])
        except (ValueError, IndexError):
            return bytes(data)

    def julia(self, choices: Choices) -> bytes:
        """A file of Julia with changed objects, which mostly have no checksum."""
        data = choices.of(self.of_julia)
        start = int.from_bytes(data[:4], "little") if choices.below(4) else 0
        if start >= len(data) - 100:  # of an early version, with the objects inside
            start = 0
        changed = mutated(data[start:], choices)
        if choices.below(4):
            changed = changed.ljust(len(data) - start, b"\0")[: len(data) - start]
        return data[:start] + changed


def sealed(header, members, choices: Choices) -> bytes:
    """A container of these parts with correct checksums."""
    way = choices.of((None, None, "gzip", "zstd"))
    laid = [(name, [data]) for name, data in members]
    try:
        _, pieces = archive.lay_out(
            laid, json_bytes.to_bytes(header), seconds=0, compression=way
        )
        return b"".join(bytes(piece) for _, piece in sorted(pieces))
    except (RecursionError, UnicodeEncodeError, ValueError):
        return b""


def mutated(data: bytes, choices: Choices) -> bytes:
    changed = bytearray(data)
    for _ in range(1 + choices.below(4)):
        at = choices.below(len(changed) + 1)
        way = choices.below(7)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << choices.below(8)
        elif way == 1:
            form = choices.of(("<b", "<h", "<i", "<q", ">i"))
            size = struct.calcsize(form)
            number = choices.of(NUMBERS) & ((1 << 8 * size) - 1)
            order = "big" if form[0] == ">" else "little"
            changed[at : at + size] = number.to_bytes(size, order)
        elif way == 2:
            del changed[at : at + 1 + choices.below(64)]
        elif way == 3:
            changed[at:at] = changed[at : at + 1 + choices.below(64)]
        elif way == 4:
            changed[at : at + 4] = choices.bytes(4)
        elif way == 5:
            changed[at:at] = choices.bytes(choices.below(32))
        else:
            start = choices.below(len(changed) + 1)
            size = choices.below(32)
            changed[at : at + size] = changed[start : start + size]
    return bytes(changed)


def other_json(data, choices: Choices):
    """The same JSON with one of its parts changed."""
    places = list(places_in(data))
    if not places:
        return choices.of(ODD)
    holder, key = choices.of(places)
    way = choices.below(4)
    if way == 0:
        other, position = choices.of(places)
        holder[key] = copy.deepcopy(other[position])
    elif way == 1 and isinstance(holder[key], (int, float)):
        holder[key] = choices.of(NUMBERS)
    elif way == 2:
        del holder[key]
    else:
        holder[key] = copy.deepcopy(choices.of(ODD))
    return data


def places_in(data):
    waiting = [data]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            keys = list(holder)
        elif isinstance(holder, list):
            keys = list(range(len(holder)))
        else:
            continue
        for key in keys:
            yield holder, key
            waiting.append(holder[key])


class Fuzzer:
    """The function that is called repeatedly, and its results."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.started = time.monotonic()

    def one(self, data: bytes) -> None:
        changed = self.subject.changed(Choices(data))
        self.subject.path.write_bytes(changed)
        try:
            load(self.subject.path, max_bytes=MAX_BYTES)
        except PROMISED as error:
            self.outcomes[type(error).__name__] += 1
        except BaseException:
            kept = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}.ckpt"
            kept.write_bytes(changed)
            print(f"not promised; the file is {kept}", file=sys.stderr)
            raise
        else:
            self.outcomes["loaded"] += 1
        if sum(self.outcomes.values()) % 10_000 == 0:
            self.tell(sys.stderr)

    def tell(self, stream) -> None:
        print(json.dumps(self.outcomes), file=stream, flush=True)


def guided(fuzzer: Fuzzer, seconds: int, folder: Path) -> None:
    corpus = folder / "corpus"
    corpus.mkdir()
    for seed in range(200):
        (corpus / str(seed)).write_bytes(random.Random(seed).randbytes(200))
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=4096"]
    # A short input decides little: what is left open is decided by zeros.
    options += ["-reduce_inputs=0", "-len_control=0"]
    options.append(f"-artifact_prefix={tempfile.gettempdir()}/")
    atheris.Setup([sys.argv[0], *options, str(corpus)], fuzzer.one)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seconds", type=int, help="how long, with atheris")
    parser.add_argument("--runs", type=int, default=3000, help="how often, without")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("error")
    logging.disable()
    with tempfile.TemporaryDirectory(dir=given_folder()) as name:
        fuzzer = Fuzzer(Subject(Path(name)))
        if given.seconds:
            guided(fuzzer, given.seconds, Path(name))
        else:
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            for run in range(given.runs):
                noise = random.Random(given.seed * 1_000_003 + run)
                fuzzer.one(noise.randbytes(200))
        fuzzer.tell(sys.stdout)


def given_folder() -> str | None:
    """The memory file system, if there is one: a file is written for each run."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


if __name__ == "__main__":
    main()
