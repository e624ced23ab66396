"""Malicious files, each of which tries something that loading must not do."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy
import pandas
import polars
import pyarrow
import pyarrow.parquet
import scipy.sparse
from PIL import Image

from checkpoints._files.archive import lay_out
from checkpoints._files.checksum import crc32_of
from checkpoints._files.parquet import _sealed
from checkpoints._kinds import json_bytes

__all__ = ["FILES", "build"]

MIB = 1 << 20
GIB = 1 << 30
FILES: dict[str, Callable[[Path], None]] = {}


class Attack:
    """Makes a folder when it is loaded as a pickle, and runs code."""

    def __reduce__(self):
        return eval, ("__import__('os').system('true')",)


PICKLE = pickle.dumps(Attack())


def header(values):
    return {
        "checkpoints": 1,
        "name": "evil.file",
        "tags": [],
        "time": "2024-01-01T00:00:00+00:00",
        "values": values,
    }


def archive(values, members=(), *, compression=None) -> bytearray:
    """A container with correct checksums, whatever its parts contain."""
    laid = [(name, [data]) for name, data in members]
    text = json_bytes.to_bytes(header(values))
    size, pieces = lay_out(laid, text, seconds=0, compression=compression)
    whole = bytearray(size)
    for offset, piece in pieces:
        whole[offset : offset + len(piece)] = piece
    return whole


def hostile(build):
    FILES[build.__name__.replace("_", "-")] = build
    return build


def one(name, node, data=b"", *, compression=None):
    """A file with one value, whose member holds these bytes."""

    def build(path):
        member = node.get("member", "v.bin")
        described = {"member": member, **node}
        whole = data() if callable(data) else data
        path.write_bytes(
            archive({"v": described}, [(member, whole)], compression=compression)
        )

    FILES[name] = build


def inline(name, value):
    """A file with one value, stored in the header."""

    def build(path):
        path.write_bytes(archive({"v": {"kind": "json", "value": value}}))

    FILES[name] = build


def npy(array, **options) -> bytes:
    file = io.BytesIO()
    numpy.save(file, array, **options)
    return file.getvalue()


def arrow(table, **options) -> bytes:
    sink = pyarrow.BufferOutputStream()
    options = pyarrow.ipc.IpcWriteOptions(**options)
    with pyarrow.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table, node, **options) -> bytes:
    """A Parquet file with our header and seal."""
    mark = b"crc32:0123abcd:4567ef01"
    sink = pyarrow.BufferOutputStream()
    with pyarrow.parquet.ParquetWriter(sink, table.schema, **options) as writer:
        writer.write_table(table)
        told = {
            b"checkpoints": json.dumps(header({"data": node})).encode(),
            b"checkpoints.crc32": mark,
        }
        writer.add_key_value_metadata(told)
    return _sealed(bytearray(sink.getvalue()), mark)


def png(width, height, *, data=b"") -> bytes:
    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    size = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", data or zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


ARRAY = {"kind": "numpy.ndarray", "member": "v.npy"}
FRAME = {
    "kind": "pandas.DataFrame",
    "member": "v.arrow",
    "schema": [["a", "int64"]],
    "columns": {"names": [None], "dtype": "str[python]"},
    "index": {"names": [None], "range": [0, 1, 1]},
}
FLOATS = {"dtype": "<f8", "shape": [3], "order": "C"}

# Pickles in every slot.
one("pickle", {"kind": "pickle", "type": "builtins.int"}, PICKLE)
one("pickle-as-text", {"kind": "text"}, PICKLE)
one("pickle-as-json", {"kind": "json"}, PICKLE)
one("pickle-as-array", {**ARRAY, **FLOATS}, PICKLE)
one("pickle-as-table", {"kind": "pyarrow.Table"}, PICKLE)
one("pickle-as-frame", FRAME, PICKLE)
one("pickle-as-polars", {"kind": "polars.DataFrame", "shape": [1, 1]}, PICKLE)
one("pickle-as-picture", {"kind": "PIL.Image"}, PICKLE)
one("pickle-as-figure", {"kind": "matplotlib.Figure"}, PICKLE)
one(
    "pickle-in-json",
    {"kind": "json", "value": {"$member": {"kind": "pickle", "member": "v.bin"}}},
    PICKLE,
)
one(
    "pickle-in-a-compound",
    {
        "kind": "json",
        "value": {
            "$compound": "numpy.masked_array",
            "parts": {"data": {"$member": {"kind": "pickle", "member": "v.bin"}}},
        },
    },
    PICKLE,
)
OBJECTS = npy(numpy.array([Attack()], dtype=object), allow_pickle=True)
one(
    "objects-in-an-array", {**ARRAY, "dtype": "|O", "shape": [1], "order": "C"}, OBJECTS
)
one("objects-as-floats", {**ARRAY, **FLOATS}, OBJECTS)
one(
    "objects-in-fields",
    {**ARRAY, "dtype": [["a", "|O8"]], "shape": [1], "order": "C"},
    OBJECTS,
)

# Files of others, under our names.


@hostile
def raw_pickle(path):
    path.write_bytes(PICKLE)


@hostile
def raw_pickle_behind_our_magic(path):
    path.write_bytes(b"PK\3\4" + PICKLE)


@hostile
def raw_pickle_behind_parquet_magic(path):
    path.write_bytes(b"PAR1" + PICKLE + b"PAR1")


@hostile
def joblib_file(path):
    path.write_bytes(zlib.compress(PICKLE))


def of_others(path, *members):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members:
            file.writestr(name, data)


@hostile
def torch_file(path):
    of_others(path, ("archive/data.pkl", PICKLE), ("archive/version", b"3\n"))


@hostile
def skops_file(path):
    schema = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}
    of_others(path, ("schema.json", json.dumps(schema)), ("1.npy", OBJECTS))


@hostile
def npz_file(path):
    of_others(path, ("x.npy", OBJECTS))


@hostile
def others_with_our_header(path):
    text = json.dumps(header({"v": {"kind": "pickle", "member": "x"}}))
    of_others(path, ("x", PICKLE), ("checkpoint.json", text))


# Names from a file.
one("kind-of-a-function", {"kind": "os.system"}, b"true")
one("kind-of-nothing", {"kind": ""}, b"")
one("kind-of-a-module", {"kind": "antigravity"}, b"")
one("traversing-names", {"kind": "text", "member": "../../evil.txt"}, b"harmless")
inline("zone-of-a-path", {"$datetime": ["2024-01-01", "../../../etc/passwd", 0]})
inline("zone-of-a-root", {"$datetime": ["2024-01-01", "/etc/passwd", 0]})
inline("zone-of-a-module", {"$datetime": ["2024-01-01", "antigravity.x/y", 0]})
for pytz in (False, True):
    inline(
        f"stamp-in-a-zone-of-a-module-{pytz}",
        {
            "$compound": "pandas.Timestamp",
            "parts": {"value": 0, "unit": "ns", "zone": "../antigravity", "pytz": pytz},
        },
    )
for dtype in ("O", "i4,O", "i4,(2,)i4", "__import__('os')"):
    inline(
        f"scalar-of-{dtype}",
        {"$compound": "numpy.scalar", "parts": {"dtype": dtype, "value": 1}},
    )
inline("compound-of-a-module", {"$compound": "os.system", "parts": {"command": "true"}})
inline("mark-of-nothing", {"$eval": "1"})

# Schemas with code.


def with_code(table, node, name):
    one(name, node, arrow(table))


SCHEMA = pyarrow.schema(
    [
        pyarrow.field(
            "a",
            pyarrow.int64(),
            metadata={
                b"ARROW:extension:name": b"arrow.py_extension_type",
                b"ARROW:extension:metadata": PICKLE,
            },
        )
    ]
)
EXTENDED = pyarrow.table({"a": pyarrow.array([1], pyarrow.int64())}, schema=SCHEMA)
CODE = "__import__('os').system('true')"
PANDAS = pyarrow.table({"a": [1]}).replace_schema_metadata(
    {
        "pandas": json.dumps(
            {
                "index_columns": [],
                "column_indexes": [
                    {
                        "name": CODE,
                        "field_name": CODE,
                        "pandas_type": "mixed",
                        "numpy_type": CODE,
                        "metadata": {"encoding": CODE},
                    }
                ],
                "columns": [
                    {
                        "name": "a",
                        "field_name": "a",
                        "pandas_type": CODE,
                        "numpy_type": CODE,
                        "metadata": None,
                    }
                ],
                "creator": {"library": "pyarrow", "version": "1"},
                "pandas_version": "3",
            }
        )
    }
)
with_code(EXTENDED, {"kind": "pyarrow.Table"}, "extension-in-a-table")
with_code(EXTENDED, FRAME, "extension-in-a-frame")
with_code(
    EXTENDED, {"kind": "polars.DataFrame", "shape": [1, 1]}, "extension-in-polars"
)
with_code(PANDAS, FRAME, "pandas-notes-with-code")
one("dtype-with-code", {**FRAME, "schema": [["a", CODE]]}, arrow(PANDAS))
one(
    "frequency-with-code",
    {**FRAME, "index": {"names": [None], "freq": CODE}},
    arrow(PANDAS),
)


@hostile
def extension_in_parquet(path):
    path.write_bytes(parquet(EXTENDED, {"kind": "pyarrow.Table"}))


@hostile
def pandas_notes_in_parquet(path):
    path.write_bytes(parquet(PANDAS, {**FRAME, "schema": [["a", CODE]]}))


@hostile
def parquet_of_another_kind(path):
    path.write_bytes(parquet(PANDAS, {"kind": "os.system"}))


# More than any memory.
one("bomb-of-zstd", {"kind": "bytes"}, lambda: bytes(GIB // 2), compression="zstd")
one("many-brackets", {"kind": "json"}, lambda: b"[" + b"[]," * (8 * MIB) + b"[]]")


def claiming(path, size, stored_size, method=0, *, data=b"", crc=0, holes=False):
    """A file whose member claims these sizes, and whose directory agrees."""
    from checkpoints._files.zip import Member, directory, local_header, start_of

    start = start_of(0, b"v.bin", stored_size, size)
    member = Member(b"v.bin", 0, start, method, crc, stored_size, size, 0)
    node = {"kind": "bytes", "member": "v.bin"}
    text = json_bytes.to_bytes(header({"v": node}))
    offset = member.end
    at = start_of(offset, b"checkpoint.json", len(text), len(text))
    last = Member(
        b"checkpoint.json", offset, at, 0, crc32_of([text]), len(text), len(text), 0
    )
    with path.open("wb") as file:
        file.write(local_header(member))
        if not holes:
            file.write(data.ljust(stored_size, b"\0"))
        file.seek(offset)
        file.write(local_header(last) + text + directory([member, last], last.end))


@hostile
def bomb_of_zeros(path):
    # Behind a full flush each MiB is packed to the same bytes: one is packed for all.
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = block * 512 + packer.flush()
    size = 512 * MIB
    claiming(path, size, len(packed), 8, data=packed, crc=crc32_of([bytes(size)]))


@hostile
def member_of_200_gigabytes(path):
    claiming(path, 200 * GIB, 1000, 8)


@hostile
def member_of_16_exabytes(path):
    claiming(path, (1 << 64) - 1, 1000, 8)


@hostile
def sparse_terabyte(path):
    claiming(path, 1 << 40, 1 << 40, holes=True)


@hostile
def sparse_terabyte_compressed(path):
    claiming(path, 1 << 41, 1 << 40, 8, holes=True)


@hostile
def sparse_directory(path):
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 60000, 60000, 0, 4, 0)
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.seek(1 << 40)
        file.write(end)


def zip64_end(count, size, start, at):
    """The last records of a file: how large its directory is, and where it starts."""
    end = struct.pack(
        "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start
    )
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    return end + locator + b"PK\5\6" + bytes(4) + b"\xff" * 12 + bytes(2)


@hostile
def directory_of_a_million(path):
    from checkpoints._files.zip import Member, directory, local_header

    count = 1_000_000
    first = Member(b"0000000", 0, 64, 0, 0, 0, 0, 0)
    numbers = numpy.arange(count)
    names = numpy.char.zfill(numbers.astype("S7"), 7).view("u1").reshape(count, 7)
    # Rows of bytes, each as the first one but for the name and the offset.
    parts = numpy.tile(numpy.frombuffer(local_header(first), "u1"), (count, 1))
    parts[:, 30:37] = names
    record = directory([first], 64)[:53]
    records = numpy.tile(numpy.frombuffer(record, "u1"), (count, 1))
    records[:, 42:46] = (64 * numbers).astype("<u4").view("u1").reshape(count, 4)
    records[:, 46:53] = names
    at = parts.size + records.size
    end = zip64_end(count, records.size, parts.size, at)
    path.write_bytes(parts.tobytes() + records.tobytes() + end)


@hostile
def header_of_gigabytes(path):
    from checkpoints._files.zip import Member, directory, start_of

    size = 64 * GIB
    at = start_of(0, b"checkpoint.json", size, size)
    member = Member(b"checkpoint.json", 0, at, 0, 0, size, size, 0)
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.seek(member.end)
        file.write(directory([member], member.end))


@hostile
def parquet_of_200_million_rows(path):
    zeros = pyarrow.array(numpy.zeros(MIB, "i8"))
    table = pyarrow.table({"a": pyarrow.chunked_array([zeros] * 200)})
    data = parquet(table, {"kind": "pyarrow.Table"}, compression="zstd")
    path.write_bytes(data)


@hostile
def parquet_of_long_texts(path):
    index = pyarrow.array(numpy.zeros(MIB, "i4"))
    text = pyarrow.array(["x" * 100_000])
    column = pyarrow.DictionaryArray.from_arrays(index, text)
    table = pyarrow.table({"a": column})
    data = parquet(table, {"kind": "pyarrow.Table"}, store_schema=False)
    path.write_bytes(data)


@hostile
def parquet_with_a_footer_of_gigabytes(path):
    with path.open("wb") as file:
        file.write(b"PAR1")
        file.seek(3 * GIB)
        file.write(struct.pack("<I", 3 * GIB - 100) + b"PAR1")


ZEROS = numpy.zeros(64 * MIB, "i8")


def arrow_bomb(codec):
    return lambda: arrow(pyarrow.table({"a": ZEROS}), compression=codec)


for codec in ("lz4", "zstd"):
    one(f"arrow-bomb-{codec}", {"kind": "pyarrow.Table"}, arrow_bomb(codec))
    one(f"frame-bomb-{codec}", FRAME, arrow_bomb(codec))
    polars_node = {"kind": "polars.DataFrame", "shape": [64 * MIB, 1]}
    one(f"polars-bomb-{codec}", polars_node, arrow_bomb(codec))
NOTHING = pyarrow.Array.from_buffers(pyarrow.null(), (1 << 31) - 1, [None])
NOTHINGS = pyarrow.table({"a": pyarrow.chunked_array([NOTHING] * 50)})
one("rows-of-nothing", FRAME, arrow(NOTHINGS))


@hostile
def a_batch_over_and_over(path):
    data = bytearray(arrow(pyarrow.table({"a": numpy.zeros(MIB, "i8")})))
    reader = pyarrow.ipc.open_file(data)
    assert reader.num_record_batches == 1
    length = int.from_bytes(data[-10:-6], "little")
    footer = data[-10 - length : -10]
    # The one block of the footer's vector: repeated in place of all that follows it.
    block = next(
        at
        for at in range(4, len(footer) - 24)
        if struct.unpack_from("<i", footer, at - 4)[0] == 1
        and struct.unpack_from("<qi4xq", footer, at)[2] == 8 * MIB
    )
    times = 200
    vector = struct.pack("<I", times) + bytes(footer[block : block + 24]) * times
    field = struct.unpack_from("<I", footer, 0)[0]
    table = field - struct.unpack_from("<i", footer, field)[0]
    slot = field + struct.unpack_from("<H", footer, table + 4 + 2 * 3)[0]
    at = len(footer) + -(len(footer) + 4) % 8
    footer += bytes(at - len(footer)) + vector
    struct.pack_into("<I", footer, slot, at - slot)
    forged = data[: -10 - length] + footer + struct.pack("<I", len(footer)) + b"ARROW1"
    rows = MIB * times
    node = {**FRAME, "index": {"names": [None], "range": [0, rows, 1]}}
    path.write_bytes(archive({"v": {**node}}, [("v.arrow", bytes(forged))]))


one("picture-bomb", {"kind": "PIL.Image"}, png(60_000, 60_000))
one("picture-just-below-pillows-limit", {"kind": "PIL.Image"}, png(9_400, 9_400))
one("picture-that-pillow-warns-of", {"kind": "PIL.Image"}, png(12_000, 12_000))
one("shape-beyond-memory", {**ARRAY, **FLOATS, "shape": [1 << 62]}, npy(numpy.zeros(3)))
one(
    "shape-of-nothing-beyond-memory",
    {**ARRAY, **FLOATS, "shape": [0, 1 << 62, 1 << 62]},
    npy(numpy.zeros(0)),
)

# What makes no sense.
for name, more in {
    "shape-of-nan": {"shape": [float("nan")]},
    "shape-below-zero": {"shape": [-3]},
    "shape-of-truth": {"shape": [True]},
    "dtype-of-code": {"dtype": CODE},
    "dtype-of-lists": {"dtype": [[["a", "b"], "<f8", [1 << 62]]]},
}.items():
    one(name, {**ARRAY, **FLOATS, **more}, npy(numpy.zeros(3)))
inline("int-of-100000-digits", {"$int": "f" * 100_000 + "g"})
inline("timedelta-beyond-time", {"$timedelta": [10**30, 0, 0]})
inline("set-of-lists", {"$set": [[1]]})
inline("decimal-of-nothing", {"$decimal": []})


def with_header(path, text):
    path.write_bytes(raw_archive([("checkpoint.json", text)]))


def raw_archive(members) -> bytes:
    from checkpoints._files.zip import Member, directory, local_header, start_of

    parts, placed, offset = [], [], 0
    for name, data in members:
        label = name.encode()
        start = start_of(offset, label, len(data), len(data))
        crc = crc32_of([data])
        member = Member(label, offset, start, 0, crc, len(data), len(data), 0)
        parts += [local_header(member), data]
        placed.append(member)
        offset = member.end
    return b"".join([*parts, directory(placed, offset)])


@hostile
def nested_header(path):
    with_header(path, b"[" * 200_000)


@hostile
def nested_values(path):
    deep = b'{"$tuple":[' * 20_000 + b"]}" * 20_000
    text = json.dumps(header({"v": {"kind": "json", "value": 0}})).encode()
    with_header(path, text.replace(b'"value": 0', b'"value": ' + deep))


@hostile
def header_with_a_huge_int(path):
    with_header(path, b'{"checkpoints": ' + b"9" * 1_000_000 + b"}")


@hostile
def header_with_a_pickle(path):
    with_header(path, PICKLE)


@hostile
def version_of_nan(path):
    with_header(path, b'{"checkpoints": NaN}')


@hostile
def member_named_twice(path):
    node = {"kind": "text", "member": "v.txt"}
    path.write_bytes(archive({"a": node, "b": node}, [("v.txt", b"t")]))


@hostile
def member_that_is_a_list(path):
    node = {"kind": "text", "member": ["v.txt"]}
    path.write_bytes(archive({"a": node}, [("v.txt", b"t")]))


@hostile
def duplicate_members(path):
    node = {"kind": "text", "member": "v.txt"}
    text = json.dumps(header({"a": node})).encode()
    members = [("v.txt", b"1"), ("v.txt", b"2"), ("checkpoint.json", text)]
    path.write_bytes(raw_archive(members))


def patched(path, *patches):
    """A valid file in whose directory some bytes are replaced."""
    node = {"kind": "text", "member": "v.txt"}
    whole = archive({"a": node}, [("v.txt", b"harmless")])
    at = whole.index(b"PK\1\2")
    for offset, value in patches:
        whole[at + offset : at + offset + len(value)] = value
    path.write_bytes(whole)


@hostile
def overlapping_members(path):
    patched(path, (20, struct.pack("<2I", 500, 500)))


@hostile
def encrypted_flag(path):
    patched(path, (8, b"\1\0"))


@hostile
def symlink_attributes(path):
    patched(path, (38, struct.pack("<I", 0o120777 << 16)))


@hostile
def sizes_of_zip64_that_are_not_there(path):
    patched(path, (20, b"\xff" * 8))


@hostile
def offset_beyond_the_end(path):
    patched(path, (42, b"\xf0\xff\xff\xff"))


@hostile
def zip64_end_that_lies(path):
    path.write_bytes(bytes(archive({})[:-22]) + zip64_end(1 << 60, 99, 4, 4))


@hostile
def junk_before(path):
    path.write_bytes(b"MZ" + archive({}))


@hostile
def junk_behind(path):
    path.write_bytes(archive({}) + PICKLE)


@hostile
def empty_file(path):
    path.write_bytes(b"")


# What is no file.


@hostile
def named_pipe(path):
    os.mkfifo(path)


@hostile
def folder(path):
    path.mkdir()


@hostile
def endless_device(path):
    path.symlink_to("/dev/zero")


@hostile
def link_to_itself(path):
    path.symlink_to(path)


def csr(indices, indptr):
    """A sparse matrix with out-of-range indices, followed by compiled code."""
    arrays = {"data": numpy.ones(2), "indices": indices, "indptr": indptr}
    parts = {}
    for name, array in arrays.items():
        node = {"dtype": array.dtype.str, "shape": list(array.shape), "order": "C"}
        parts[name] = {"$member": {**ARRAY, **node, "member": f"{name}.npy"}}
    members = [(f"{name}.npy", npy(array)) for name, array in arrays.items()]
    more = {"format": "csr", "array": True, "shape": [2, 2]}
    value = {"$compound": "scipy.sparse", "parts": {**parts, **more}}
    return archive({"v": {"kind": "json", "value": value}}, members)


@hostile
def sparse_index_beyond_its_shape(path):
    path.write_bytes(csr(numpy.array([0, 1 << 30]), numpy.array([0, 1, 2])))


@hostile
def sparse_pointer_beyond_its_data(path):
    path.write_bytes(csr(numpy.array([0, 1]), numpy.array([0, 1 << 30, 2])))


def sound(folder: Path) -> None:
    """A valid file of each kind: the imports for loading them are not attacks."""
    from checkpoints import FileHandler

    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    columns = pandas.MultiIndex.from_product([["a"], ["b", "c"]])
    values = {
        "array": numpy.arange(3),
        "large": numpy.arange(100_000),  # large enough for the faster checksum
        "scalar": numpy.float32(1),
        "masked": numpy.ma.masked_array([1, 2], [True, False]),
        "frame": frame,
        "mixed": pandas.DataFrame({"a": [1, "b"]}),
        "many": pandas.DataFrame([[1, 2]], columns=columns),
        "stamp": pandas.Timestamp("2024-01-01", tz="Europe/Berlin"),
        "dates": pandas.date_range("2024-01-01", periods=3),
        "category": pandas.Categorical(["a"]),
        "table": pyarrow.table({"a": [1]}),
        "polars": polars.DataFrame({"a": [1]}),
        "image": Image.new("RGB", (4, 4)),
        "palette": Image.new("P", (4, 4)),
        "nested": [{"a": numpy.arange(3)}],
    }
    values["sparse"] = scipy.sparse.csr_array(numpy.eye(3))
    for compression in (None, "gzip", "zstd"):
        FileHandler(folder, compression=compression, if_exists="keep").checkpoint(
            "sound", values
        )
    FileHandler(folder, format="parquet").checkpoint("sound.frame", frame)
    FileHandler(folder, format="parquet").checkpoint(
        "sound.polars", polars.DataFrame({"a": [1]})
    )


def build(folder: Path) -> None:
    """Create all malicious and all valid files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        make(folder / f"{name.replace('/', '-')}.ckpt.zip")
    sound(folder / "sound")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
