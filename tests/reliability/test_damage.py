"""A changed or truncated file: always an error, or the same value."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import (
    CorruptFileError,
    FileHandler,
    FormatError,
    MissingDependencyError,
    TooLargeError,
    UntrustedError,
    load,
)
from checkpoints._kinds.same import same

numpy = pytest.importorskip("numpy", reason="most of the bytes are those of arrays")

SOURCES = str(Path(checkpoints.__file__).parents[1])
ERRORS = (
    CorruptFileError,
    FormatError,
    MissingDependencyError,
    TooLargeError,
    UntrustedError,
)
STEP = 29
# The same reader, but for the comparison with what the file says of its bytes.
UNCHECKED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from checkpoints import load
from checkpoints._files import archive, parquet
from checkpoints._kinds.same import same
archive.Archive._check_crc = lambda archive, member, crc: None
parquet.ParquetFile._check_crc = lambda file, crc: None
path = Path(sys.argv[2])
whole, value, other = bytearray(path.read_bytes()), load(path), 0
for at in range(0, len(whole), int(sys.argv[3])):
    whole[at] ^= 1
    with path.open("r+b") as file:
        file.write(whole)
    try:
        other += not same(load(path), value)
    except Exception:
        pass
    whole[at] ^= 1
print(other)
"""


def values():
    noise = random.Random(1)
    return {
        "floats": numpy.array([noise.random() for _ in range(1200)]),
        "nested": [{"a": numpy.arange(300, dtype="i4"), "b": ["text"] * 50}],
        "bytes": noise.randbytes(2000),
        "text": "".join(noise.choices("abcdefgh ", k=3000)),
        "number": 1.5,
    }


def saved_zip(root, compression):
    FileHandler(root, compression=compression).checkpoint("damage", values())
    return root / "damage.ckpt.zip"


def saved_parquet(root, compression):
    arrow = pytest.importorskip("pyarrow", reason="it writes Parquet")
    noise = random.Random(1)
    table = arrow.table(
        {
            "a": [noise.random() for _ in range(1500)],
            "b": ["".join(noise.choices("abc", k=4)) for _ in range(1500)],
        }
    )
    handler = FileHandler(root, format="parquet", compression=compression)
    handler.checkpoint("damage", table)
    return root / "damage.ckpt.parquet"


MAKERS = {
    "zip": (saved_zip, None),
    "zip-gzip": (saved_zip, "gzip"),
    "zip-zstd": (saved_zip, "zstd"),
    "parquet": (saved_parquet, None),
    "parquet-zstd": (saved_parquet, "zstd"),
}


@pytest.fixture(params=MAKERS)
def path(request, tmp_path):
    make, compression = MAKERS[request.param]
    if compression == "zstd" and sys.version_info < (3, 14):
        pytest.importorskip("zstandard", reason="below 3.14 it packs")
    return make(tmp_path, compression)


def outcome(path, data, value):
    """Return "told" or "same"; anything else breaks the promise."""
    with path.open("r+b") as file:
        # A file that is emptied first, ext4 has on its disk before it is closed.
        file.write(data)
        file.truncate()
    try:
        found = load(path)
    except ERRORS:
        return "told"
    except BaseException as error:
        return repr(error)
    return "same" if same(found, value) else "another value"


def unchecked(path, step):
    """The number of changes that a reader without checksums accepts."""
    done = subprocess.run(
        [sys.executable, "-c", UNCHECKED, SOURCES, path, str(step)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


class TestDamage:
    def test_a_changed_byte_is_told_or_changes_nothing(self, path, full, record):
        whole, value = bytearray(path.read_bytes()), load(path)
        assert 8_000 < len(whole) < 40_000
        outcomes = {}
        for at in range(0, len(whole), 1 if full else STEP):
            whole[at] ^= 1 << at % 8
            outcomes[at] = outcome(path, whole, value)
            whole[at] ^= 1 << at % 8
        broken = {at: it for at, it in outcomes.items() if it not in ("told", "same")}
        assert broken == {}
        assert "told" in outcomes.values()
        path.write_bytes(whole)
        record(
            f"a changed byte is never another value ({path.name})",
            cases=len(outcomes),
            breaches=len(broken),
            control=unchecked(path, STEP if full else 5 * STEP),
        )

    def test_a_file_cut_at_any_length_is_told(self, path, full, record):
        whole, value = path.read_bytes(), load(path)
        lengths = range(0, len(whole), 1 if full else STEP)
        outcomes = [outcome(path, whole[:length], value) for length in lengths]
        record(
            f"a file cut short is always told ({path.name})",
            cases=len(outcomes),
            breaches=sum(it != "told" for it in outcomes),
            control=outcome(path, whole, value) == "same",
        )
