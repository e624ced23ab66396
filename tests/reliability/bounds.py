"""
Files that would take more memory than a limit, one for each way to take it.

`bounds.py build FOLDER` makes them; `bounds.py load FOLDER LIMIT` loads each, or those
that are named, and reports how it ended and by how much the process grew. Likewise
`show`, `export` and `concat`.
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import resource
import struct
import sys
import warnings
import zlib
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pyarrow
from faultlab import memory
from hostile import archive, arrow, npy, parquet

from checkpoints import FileHandler, cli, index, load
from checkpoints._kinds import json_bytes
from checkpoints._process.budget import Budget, within
from checkpoints._show.conversion import CONVERSIONS

MAX_BYTES = 50_000_000
# What each file claims, roughly; far beyond the limit, and little enough to survive it.
CLAIMED = 500_000_000
ADDRESS_SPACE = 16 << 30
TEXT = "x" * 50_000
ROWS = CLAIMED // len(TEXT)

FILES: dict[str, Callable[[], bytes]] = {}


def frame(dtype: str, rows: int) -> dict[str, Any]:
    return {
        "kind": "pandas.DataFrame",
        "member": "v.arrow",
        "schema": [["a", dtype]],
        "rows": rows,
        "shape": [rows, 1],
        "columns": {"names": [None], "dtype": "object"},
        "index": {"names": [None], "range": [0, rows, 1]},
    }


def one(node: dict[str, Any], data: bytes) -> bytes:
    return bytes(archive({"v": node}, [(node["member"], data)]))


def inline(value: Any) -> bytes:
    return bytes(archive({"v": {"kind": "json", "value": value}}))


def text_of_json(text: str) -> bytes:
    return one({"kind": "json", "member": "v.json"}, text.encode())


def compound(kind: str, parts: dict[str, Any], **arrays: Any) -> bytes:
    """A file with one compound, some of whose parts are arrays."""
    nodes, members = {}, []
    for name, array in arrays.items():
        about = {"dtype": array.dtype.str, "shape": list(array.shape), "order": "C"}
        node = {"kind": "numpy.ndarray", "member": f"{name}.npy", **about}
        nodes[name] = {"$member": node}
        members.append((f"{name}.npy", npy(array)))
    value = {"$compound": kind, "parts": {**nodes, **parts}}
    return bytes(archive({"v": {"kind": "json", "value": value}}, members))


def hostile(build: Callable[[], bytes]) -> Callable[[], bytes]:
    FILES[build.__name__.replace("_", "-")] = build
    return build


# Columns of Arrow in which a few bytes stand for many.


def categories() -> Any:
    index = pyarrow.array(numpy.zeros(ROWS, "i1"))
    return pyarrow.DictionaryArray.from_arrays(index, [TEXT])


def views(kind: Any) -> Any:
    view = struct.pack("<i4sii", len(TEXT), TEXT[:4].encode(), 0, 0)
    buffers = [None, pyarrow.py_buffer(view * ROWS), pyarrow.py_buffer(TEXT.encode())]
    return pyarrow.Array.from_buffers(kind, ROWS, buffers)


def list_views() -> Any:
    values = pyarrow.array(numpy.zeros(len(TEXT), "i1"))
    offsets = pyarrow.array(numpy.zeros(ROWS, "i4"))
    sizes = pyarrow.array(numpy.full(ROWS, len(TEXT), "i4"))
    return pyarrow.ListViewArray.from_arrays(offsets, sizes, values)


def runs() -> Any:
    return pyarrow.RunEndEncodedArray.from_arrays(
        pyarrow.array([ROWS], "i4"), pyarrow.array([TEXT])
    )


def bits() -> Any:
    count = CLAIMED // 8
    every = pyarrow.py_buffer(b"\x55" * (count // 8))
    return pyarrow.Array.from_buffers(pyarrow.bool_(), count // 8 * 8, [every, every])


def short_texts() -> Any:
    count = 2_000_000
    texts = numpy.char.mod("%06x", numpy.arange(count // 10)).astype("S6")
    data = pyarrow.py_buffer(texts.tobytes() * 10)
    offsets = pyarrow.py_buffer(numpy.arange(0, 6 * count + 1, 6, dtype="i4"))
    return pyarrow.Array.from_buffers(pyarrow.string(), count, [None, offsets, data])


def small_lists() -> Any:
    count = 5_000_000
    offsets = pyarrow.array(numpy.arange(count + 1, dtype="i4"))
    return pyarrow.ListArray.from_arrays(offsets, numpy.zeros(count, "i1"))


def dates() -> Any:
    return pyarrow.array(numpy.arange(8_000_000, dtype="i4") % 40_000).cast("date32")


COLUMNS = {
    "categories": categories,
    "string-views": lambda: views(pyarrow.string_view()),
    "binary-views": lambda: views(pyarrow.binary_view()),
    "list-views": list_views,
    "runs": runs,
    "bits": bits,
    "short-texts": short_texts,
    "small-lists": small_lists,
    "dates": dates,
}


def framed(make: Callable[[], Any], dtype: str) -> Callable[[], bytes]:
    def build() -> bytes:
        column = make()
        return one(frame(dtype, len(column)), arrow(pyarrow.table({"a": column})))

    return build


def of_polars(make: Callable[[], Any]) -> Callable[[], bytes]:
    def build() -> bytes:
        column = make()
        node = {"kind": "polars.DataFrame", "member": "v.arrow"}
        node["shape"] = [len(column), 1]
        return one(node, arrow(pyarrow.table({"a": column})))

    return build


for name, make in COLUMNS.items():
    for dtype in ("object", "str[python]", "string[pyarrow]"):
        FILES[f"frame-of-{name}-as-{dtype}"] = framed(make, dtype)
    FILES[f"polars-of-{name}"] = of_polars(make)


@hostile
def texts_of_pandas() -> bytes:
    node = {"kind": "pyarrow.ChunkedArray", "member": "v.arrow"}
    parts = {"type": "ArrowStringArray", "dtype": "string[pyarrow]"}
    value = {
        "$compound": "pandas.array",
        "parts": {**parts, "chunks": {"$member": node}},
    }
    data = arrow(pyarrow.table({"values": categories()}))
    return bytes(archive({"v": {"kind": "json", "value": value}}, [("v.arrow", data)]))


@hostile
def geometries() -> bytes:
    point = struct.pack("<BI", 1, 2) + struct.pack("<I", 3000) + bytes(48_000)
    index = pyarrow.array(numpy.zeros(ROWS, "i1"))
    column = pyarrow.DictionaryArray.from_arrays(index, pyarrow.array([point]))
    node = {"kind": "geopandas.GeometryArray", "member": "v.arrow", "crs": None}
    return one(node, arrow(pyarrow.table({"geometry": column})))


# Parquet, which packs by itself.


def parquet_frame(column: Any, **options: Any) -> bytes:
    table = pyarrow.table({"a": column})
    return parquet(table, frame("object", len(column)), compression="zstd", **options)


@hostile
def parquet_of_categories() -> bytes:
    return parquet_frame(categories())


@hostile
def parquet_of_texts() -> bytes:
    return parquet_frame(categories(), store_schema=False)


@hostile
def parquet_of_long_texts_behind_short_ones() -> bytes:
    index = numpy.zeros(4_000, "i4")
    index[2_000:] = 1
    column = pyarrow.DictionaryArray.from_arrays(index, ["", "x" * 1_000_000])
    return parquet_frame(column, store_schema=False)


@hostile
def parquet_of_plain_texts() -> bytes:
    column = pyarrow.array(["x" * 1_000_000] * 400)
    return parquet_frame(column, use_dictionary=False)


@hostile
def parquet_of_one_long_list() -> bytes:
    values = pyarrow.array(numpy.zeros(CLAIMED // 8, "i8"))
    column = pyarrow.ListArray.from_arrays([0, len(values)], values)
    return parquet_frame(column)


@hostile
def parquet_of_one_list_of_texts() -> bytes:
    column = pyarrow.ListArray.from_arrays([0, ROWS], pyarrow.array([TEXT] * ROWS))
    return parquet_frame(column)


# SciPy's formats of Python objects.


@hostile
def sparse_lil() -> bytes:
    rows = 5_000_000
    arrays = {"data": numpy.zeros(0), "indices": numpy.zeros(0, "i4")}
    arrays["indptr"] = numpy.zeros(rows + 1, "i4")
    more = {"format": "lil", "array": True, "shape": [rows, 1]}
    return compound("scipy.sparse", more, **arrays)


@hostile
def sparse_lil_of_a_shape() -> bytes:
    rows = numpy.zeros(3)
    more = {"format": "lil", "array": True, "shape": [5_000_000, 1]}
    more["dtype"] = {"$compound": "numpy.dtype", "parts": {"layout": "<f8"}}
    return compound("scipy.sparse", more, rows=rows, data=rows)


@hostile
def sparse_dok() -> bytes:
    count = 1_500_000
    arrays = {"data": numpy.zeros(count, "i1")}
    arrays["keys"] = numpy.stack([numpy.arange(count, dtype="i4")] * 2, axis=1)
    more = {"format": "dok", "array": True, "shape": [count, count], "python": True}
    return compound("scipy.sparse", more, **arrays)


@hostile
def sparse_coo_as_dok() -> bytes:
    count = 1_500_000
    number = {"dtype": "<i4", "shape": [count], "order": "C", "kind": "numpy.ndarray"}
    members = [(f"{name}.npy", npy(numpy.arange(count, dtype="i4"))) for name in "abc"]
    nodes = [{"$member": {**number, "member": name}} for name, _ in members]
    parts = {"format": "dok", "array": True, "shape": [count, count]}
    parts |= {"data": nodes[0], "coords": nodes[1:], "canonical": False}
    value = {"$compound": "scipy.sparse", "parts": parts}
    return bytes(archive({"v": {"kind": "json", "value": value}}, members))


# Pictures.


def chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def picture(*chunks: bytes) -> bytes:
    data = b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")
    return one({"kind": "PIL.Image", "member": "v.png"}, data)


def size(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))


PIXELS = chunk(b"IDAT", zlib.compress(bytes(1000)))


@hostile
def picture_with_a_second_size() -> bytes:
    return picture(size(1, 1), size(6_000, 6_000), PIXELS)


@hostile
def picture_with_a_late_size() -> bytes:
    return picture(chunk(b"tEXt", b"a\0b"), size(6_000, 6_000), PIXELS)


@hostile
def picture_with_packed_texts() -> bytes:
    packed = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9))
    pixels = chunk(b"IDAT", zlib.compress(bytes(3001 * 3000), 9))
    return picture(size(2_300, 2_300), *[packed] * 50, pixels)


@hostile
def picture_of_junk() -> bytes:
    return picture(size(1, 1), chunk(b"juNK", bytes(48_000_000)), PIXELS)


# JSON: small values that take far more than their text.


def listed(item: str, start: str = "[", end: str = "]") -> Callable[[], bytes]:
    """A list whose estimated memory is just below the limit."""
    some = json_bytes.weight(",".join([item] * 10_000)) / 10_000 + len(item) + 1
    count = int(0.95 * MAX_BYTES / some)
    return lambda: text_of_json(start + ",".join([item] * count) + end)


ITEMS = {
    "lists": "[]",
    "lists-of-one": "[0]",
    "dicts": "{}",
    "dicts-of-one": '{"a":0}',
    "dicts-of-six": '{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0}',
    "dicts-of-numbers": '{"$dict":[[1,2]]}',
    "numbers": "999",
    "floats": "1e9",
    "texts": '"ab"',
    "texts-of-latin": '"é"',
    "sets": '{"$set":[0,1,2,3,4]}',
    "tuples": '{"$tuple":[0]}',
    "dates": '{"$date":"2024-01-01"}',
    "decimals": '{"$decimal":"1"}',
    "numpy-numbers": '{"$compound":"numpy.scalar","parts":{"dtype":"<f8","value":1}}',
    "missing-times": '{"$compound":"pandas.NaT","parts":{}}',
}
for name, item in ITEMS.items():
    FILES[f"json-of-{name}"] = listed(item)
FILES["json-of-a-set"] = listed("999", '{"$set":[', "]}")
FILES["json-of-rows"] = listed("0", '{"$rows":[[', "]]}")
RECORDS = '{"$records":["$record","m","C",["a"],[['
FILES["json-of-records"] = listed("0", RECORDS, "]]]}")


@hostile
def json_of_distinct_numbers_in_a_set() -> bytes:
    return text_of_json('{"$set":[' + ",".join(map(str, range(300_000))) + "]}")


@hostile
def json_of_wide_text() -> bytes:
    return text_of_json('["' + "x" * 12_000_000 + '\N{SLICE OF PIZZA}"]')


@hostile
def wide_text() -> bytes:
    data = b"x" * 20_000_000 + "\N{SLICE OF PIZZA}".encode()
    return one({"kind": "text", "member": "v.txt"}, data)


@hostile
def bytes_of_all_there_is() -> bytes:
    return one({"kind": "bytes", "member": "v.bin"}, bytes(48_000_000))


@hostile
def array_of_bytes() -> bytes:
    node = {"kind": "bytes", "member": "v.bin", "type": "bytearray"}
    return one(node, bytes(48_000_000))


# Arrays that claim more than they hold.


def repeated(kind: str, **more: Any) -> Callable[[], bytes]:
    shape = [CLAIMED // 8]
    node = {"kind": kind, "member": "v.npy", "dtype": "<f8", "shape": shape}
    node |= {"order": "C", "repeated": [0], **more}
    return lambda: one(node, npy(numpy.zeros(1)))


FILES["array-repeated"] = repeated("numpy.ndarray")
FILES["tensor-repeated"] = repeated(
    "torch.Tensor", torch_dtype="float64", requires_grad=False
)
FILES["jax-array-repeated"] = repeated("jax.Array")


@hostile
def array_of_nothing() -> bytes:
    shape = [CLAIMED]
    node = {"kind": "numpy.ndarray", "member": "v.npy", "dtype": "|S0", "shape": shape}
    return one({**node, "order": "C"}, npy(numpy.zeros(0)))


@hostile
def records_of_padding() -> bytes:
    rows = 8_000_000
    layout = {"names": ["a"], "formats": ["|u1"], "offsets": [0], "itemsize": 8}
    layout |= {"aligned": False, "record": False}
    about = {"dtype": "|u1", "shape": [rows], "order": "C", "member": "v.npy"}
    field = {"$member": {"kind": "numpy.ndarray", **about}}
    parts = {"shape": [rows], "order": "C", "layout": layout, "fields": {"a": field}}
    value = {"$compound": "numpy.object_array", "parts": parts}
    members = [("v.npy", npy(numpy.zeros(rows, "u1")))]
    return bytes(archive({"v": {"kind": "json", "value": value}}, members))


@hostile
def random_seeds() -> bytes:
    parts = {"entropy": 0, "spawn_key": [], "pool_size": 4096, "n_children_spawned": 0}
    seed = {"$compound": "numpy.random.SeedSequence", "parts": parts}
    return inline([seed] * 9_000)


@hostile
def random_generators() -> bytes:
    key = {"kind": "numpy.ndarray", "member": "k.npy", "dtype": "<u4", "shape": [624]}
    key["order"] = "C"
    state = {"bit_generator": "MT19937", "state": {"key": {"$ref": 0}, "pos": 0}}
    parts = {"generator": "MT19937", "seed": None, "state": state}
    bits = {"$compound": "numpy.random.BitGenerator", "parts": parts}
    value = {"$let": [[{"$member": key}], [bits] * 60_000]}
    members = [("k.npy", npy(numpy.zeros(624, "u4")))]
    return bytes(archive({"v": {"kind": "json", "value": value}}, members))


# Ranges of pandas.

RANGE = {
    "$compound": "pandas.Index",
    "parts": {"names": [None], "range": [0, CLAIMED // 8, 1]},
}


def of_pandas(kind: str, **parts: Any) -> Callable[[], bytes]:
    return lambda: inline({"$compound": f"pandas.{kind}", "parts": parts})


FILES["range"] = lambda: inline(RANGE)
FILES["intervals-of-ranges"] = of_pandas(
    "array", type="IntervalArray", left=RANGE, right=RANGE, closed="left"
)
FILES["numbers-of-a-range"] = of_pandas(
    "array", type="NumpyExtensionArray", values=RANGE
)
FILES["series-of-one-value"] = of_pandas("Series", values=None, index=RANGE, name=None)
FILES["categories-of-a-range"] = of_pandas(
    "array", type="Categorical", codes=[0], categories=RANGE, ordered=False
)


@hostile
def frame_of_nothing_but_rows() -> bytes:
    node = {**frame("object", 0), "schema": []}
    node["index"] = {"names": [None], "range": [0, CLAIMED // 8, 1]}
    return one(node, arrow(pyarrow.table({})))


# Values that are small until they are shown, written or combined.


def nested(width: int, depth: int) -> Any:
    found: Any = "text"
    for _ in range(depth):
        found = [found] * width
    return found


def sparse_series() -> Any:
    array = pandas.arrays.SparseArray([1.0])
    places = type(array.sp_index)(CLAIMED // 8, numpy.zeros(1, "i4"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions have another name for it
        return pandas.Series(pandas.arrays.SparseArray([1.0], sparse_index=places))


VALUES: dict[str, Callable[[], Any]] = {
    "shared-lists": lambda: nested(2, 40),
    "wide-lists": lambda: nested(20, 8),
    "lines": lambda: "\n" * 20_000_000,
    "row": lambda: numpy.zeros((1, 1_000_000), bool),
    "rows": lambda: numpy.empty((10**9, 0)),
    "flags": lambda: numpy.zeros(40_000_000, bool),
    "moments": lambda: numpy.zeros(5_000_000, "M8[s]"),
    "sparse-series": sparse_series,
}


def save(folder: Path) -> None:
    """Save what anybody could save."""
    for name, make in VALUES.items():
        FileHandler(folder).checkpoint(name, v=make())


def build(folder: Path) -> None:
    """Make all files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        ending = "parquet" if name.startswith("parquet") else "zip"
        (folder / f"{name}.ckpt.{ending}").write_bytes(make())
    save(folder)


def show(path: Path, max_bytes: int) -> None:
    command("show", path, "--values", "--max-bytes", max_bytes)


def export(path: Path, max_bytes: int) -> None:
    for suffix in CONVERSIONS:
        target = path.parent.parent / f"exported{suffix}"
        options = ("--to", target, "--force", "--overwrite", "--max-bytes", max_bytes)
        command("export", path, "v", *options)
        # Each is a process of its own to people.
        gc.collect()


def command(*arguments: object) -> None:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), suppress(SystemExit):
        cli.main([str(each) for each in arguments])
    if "Traceback" in said.getvalue():
        raise RuntimeError(said.getvalue()[-300:])


def concat(path: Path, max_bytes: int) -> None:
    with within(Budget(str(path), max_bytes), "a table"):
        index(path.parent).where(path.name.partition(".")[0]).concat("v")


WAYS = {
    "load": lambda path, max_bytes: load(path, max_bytes=max_bytes),
    "show": show,
    "export": export,
    "concat": concat,
}


def attempt(way: str, path: Path, max_bytes: int) -> str:
    try:
        WAYS[way](path, max_bytes)
    except BaseException as error:
        return f"{type(error).__name__}: {error!s:.300}"
    return "done"


def main(way: str, folder: Path, max_bytes: int, *names: str) -> None:
    """Read each file, in a process that has imported all that they need."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warnings.simplefilter("ignore")
    sound = pandas.DataFrame({"a": ["x"], "b": [1]})
    polars.from_pandas(sound).to_arrow().to_pandas()
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and (not names or path.name in names)
    )
    for path in paths:
        attempt(way, path, 1_000_000)
    trim = ctypes.CDLL(None).malloc_trim
    for path in paths:
        gc.collect()
        pyarrow.default_memory_pool().release_unused()
        trim(0)
        before = memory.forget_peak()
        outcome = attempt(way, path, max_bytes)
        line = {"outcome": outcome, "grown": memory.peak() - before}
        print(json.dumps({"file": path.name, **line}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]))
    else:
        main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
