"""Files written by earlier versions: this version reads all of them exactly."""

from __future__ import annotations

import collections
import datetime
import importlib.util
import math
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints._kinds.arrow_equality import is_identical
from checkpoints._kinds.dtypes import is_same_dtype

SOURCES = str(Path(checkpoints.__file__).parents[1])
FOLDER = Path(__file__).parent / "golden"
VERSIONS = sorted(path.name for path in FOLDER.glob("[0-9]*"))


# The values are made only when they are loaded, as making them imports libraries.
IN_A_NEW_PROCESS = """
import importlib.util, sys
sys.path.insert(0, sys.argv[1])
import checkpoints
found = checkpoints.load(sys.argv[2])
spec = importlib.util.spec_from_file_location("test_golden", sys.argv[3])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
tests.assert_exact(found, eval(sys.argv[4], vars(tests.make)))
print("exact")
"""


def load_script():
    spec = importlib.util.spec_from_file_location("golden_make", FOLDER / "make.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


make = load_script()


def entry(version, name):
    (found,) = [
        found
        for found in checkpoints.index(FOLDER / version)
        if found.name == f"golden.{name}"
    ]
    return found


def assert_exact(found, expected):
    """Check that two values have the same type and content, for every library."""
    assert type(found) is type(expected)
    if type(expected) is dict:
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_exact(found[key], value)
    elif isinstance(expected, (list, tuple)):
        for one, other in zip(found, expected, strict=True):
            assert_exact(one, other)
    elif isinstance(expected, float) and math.isnan(expected):
        assert math.isnan(found)
    else:
        COMPARE.get(type(expected).__module__.partition(".")[0], equal)(found, expected)


def assert_exact_in_a_new_process(found, expected):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            IN_A_NEW_PROCESS,
            SOURCES,
            found.path,
            __file__,
            expected,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "exact\n", done.stderr


def equal(found, expected):
    assert repr(found) == repr(expected)
    assert found == expected


def equal_arrays(found, expected):
    if not hasattr(found, "dtype"):
        equal_by_state(found, expected)
        return
    assert is_same_dtype(found.dtype, expected.dtype)
    assert found.shape == expected.shape
    assert found.flags.fnc == expected.flags.fnc
    assert repr(found) == repr(expected)


def equal_by_state(found, expected):
    """Compare dtypes, or random number generators with what they spawn from."""
    if hasattr(found, "itemsize"):
        assert is_same_dtype(found, expected)
        return
    states = [getattr(each, "bit_generator", each) for each in (found, expected)]
    name = "state" if hasattr(states[0], "state") else "__getstate__"
    found, expected = (getattr(state, name) for state in states)
    assert repr(found() if callable(found) else found) == repr(
        expected() if callable(expected) else expected
    )


def equal_by_text(found, expected):
    assert repr(found) == repr(expected)


def equal_in_pandas(found, expected):
    import pandas.testing

    check = {"DataFrame": "frame", "Series": "series"}.get(type(found).__name__)
    if isinstance(found, pandas.Index):
        check = "index"
    if check is None:
        equal_by_text(found, expected)
    else:
        getattr(pandas.testing, f"assert_{check}_equal")(found, expected)


def equal_in_polars(found, expected):
    frames = [
        each if hasattr(each, "height") else each.to_frame()
        for each in (found, expected)
    ]
    assert repr(frames[0].schema) == repr(frames[1].schema)
    assert repr(frames[0].rows()) == repr(frames[1].rows())


def equal_in_arrow(found, expected):
    if hasattr(expected, "to_pylist"):
        assert is_identical(found, expected)
    else:
        assert repr(found) == repr(expected)
        assert found.equals(expected)


def equal_sparse(found, expected):
    assert found.dtype == expected.dtype
    assert (found.toarray() == expected.toarray()).all()
    for name in ("data", "indices", "indptr", "offsets", "coords", "_dict", "rows"):
        mine = getattr(expected, name, None)
        assert repr(getattr(found, name, None)) == repr(mine)


def equal_images(found, expected):
    assert (found.mode, found.size) == (expected.mode, expected.size)
    assert found.tobytes() == expected.tobytes()
    assert found.info == expected.info


COMPARE = {
    "numpy": equal_arrays,
    "pandas": equal_in_pandas,
    "polars": equal_in_polars,
    "pyarrow": equal_in_arrow,
    "scipy": equal_sparse,
    "PIL": equal_images,
}


def test_there_are_files_of_this_version():
    assert ".".join(checkpoints.__version__.split(".")[:2]) in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", make.VALUES)
class TestEveryFamily:
    def test_the_values_are_those_that_were_saved(self, version, name):
        library, values = make.VALUES[name]
        if library is not None:
            pytest.importorskip(library, reason="these are its values")
        assert_exact(entry(version, name).load(), values())

    def test_they_load_in_a_process_that_imported_nothing_else(self, version, name):
        library, values = make.VALUES[name]
        if library is not None:
            pytest.importorskip(library, reason="these are its values")
        assert_exact_in_a_new_process(entry(version, name), f"{values.__name__}()")

    def test_the_header_and_the_path_are_read(self, version, name):
        found = entry(version, name)
        assert found.tags.items() == (
            ("day", "2024-02-29"),
            ("seen", "a/b"),
            ("seen", "C"),
        )
        day = ("day", datetime.date(2024, 2, 29))
        assert found.meta["tags"] == (day, ("seen", "a/b"), ("seen", "C"))
        assert found.meta["packages"]["checkpoints"].startswith(f"{version}.")


@pytest.mark.parametrize("version", VERSIONS)
class TestOtherContainers:
    def test_a_packed_value_is_the_one_that_was_saved(self, version):
        assert entry(version, "packed").load() == {"text": "a" * 999}

    def test_a_pickle_is_the_value_that_was_saved(self, version):
        found = entry(version, "pickled")
        with pytest.raises(checkpoints.UntrustedError):
            found.load()
        counted = collections.Counter("abca")
        assert_exact(found.load(trusted=True), {"counted": counted})

    def test_what_an_older_pandas_saved_looks_the_same_in_this_one(self, version):
        pytest.importorskip("pandas", reason="these are its values")
        found = entry(version, "pandas2_kinds").load()
        assert found.pop("shown") == {
            name: make.as_text(it) for name, it in found.items()
        }

    def test_a_parquet_file_is_the_table_that_was_saved(self, version):
        pytest.importorskip("pyarrow", reason="it reads Parquet")
        assert_exact(entry(version, "table").load(), {"data": make.arrow_table()})

    def test_a_parquet_file_has_its_types_and_chunks(self, version):
        pytest.importorskip("pyarrow", reason="it reads Parquet")
        found = entry(version, "parquet_kinds")
        assert_exact(found.load(), {"data": make.parquet_table()})
        assert_exact_in_a_new_process(found, "{'data': parquet_table()}")

    def test_the_folder_is_small(self, version):
        sizes = [path.stat().st_size for path in (FOLDER / version).rglob("*.ckpt.*")]
        assert sum(sizes) < 300_000
