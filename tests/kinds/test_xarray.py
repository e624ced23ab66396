"""xarray: datasets and arrays come back with all that belongs to them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import dask.array
import numpy
import pandas
import pytest
import xarray

import checkpoints
from checkpoints import DictHandler, FileHandler, Session, load
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.same import same
from checkpoints._kinds.statistics import statistics_of

TIMES = pandas.date_range("2020", periods=2, freq="D")
LEVELS = pandas.MultiIndex.from_product([["late", "early"], [1, 2]], names=["l", "n"])


def weather():
    dataset = xarray.Dataset(
        {
            "t": (
                ("x", "time"),
                numpy.arange(6, dtype="f4").reshape(3, 2),
                {"units": "K", "bounds": numpy.array([0.0, 9.0])},
            ),
            "notes": ("x", numpy.array(["a", None, 1], dtype=object)),
            "total": 3.5,
            "when": ("time", numpy.array(["2020-01-01", "NaT"], "M8[s]")),
            "kind": ("x", pandas.Categorical(["a", "b", "a"], ["b", "a", "c"])),
            "count": ("x", pandas.array([1, None, 3], dtype="Int64")),
        },
        coords={
            "x": ("x", numpy.array([10, 20, 30], "i2"), {"axis": "X"}),
            "time": TIMES,
            "label": ("x", ["p", "q", "r"]),
            "level": 5,
        },
        attrs={"title": "T", "n": numpy.float32(2)},
    )
    encoding = {"dtype": numpy.dtype(">f4"), "_FillValue": numpy.float32(-9)}
    dataset["t"].encoding = {"zlib": True, **encoding, "chunksizes": (1, 2)}
    dataset["label"].encoding = {"dtype": str}
    dataset.encoding = {"unlimited_dims": {"x"}, "source": "/nowhere.nc"}
    return dataset


def levels():
    coords = xarray.Coordinates.from_pandas_multiindex(LEVELS, "m")
    coords["l"].attrs["of"] = "the day"
    return xarray.Dataset({"v": ("m", numpy.arange(4.0))}, coords=coords)


def coordinate(values):
    return xarray.Dataset(coords={"x": values})


VALUES = {
    "dataset": weather(),
    "empty": xarray.Dataset(),
    "variables in another order": weather()[["x", "t", "time", "notes"]],
    "coordinate first": weather()[["level", "time", "when"]],
    "levels": levels(),
    "array": weather()["t"],
    "array of an index": weather()["time"],
    "array of levels": levels()["m"],
    "array of one level": levels()["l"],
    "array without coordinates": xarray.DataArray(numpy.zeros((2, 2), order="F")),
    "array of no dimensions": xarray.DataArray(3.0, name=("a", 1)),
    "variable": weather()["t"].variable,
    "objects that are dates": xarray.Variable(
        "x", numpy.array([pandas.Timestamp(0)], dtype=object), fastpath=True
    ),
    "index variable": weather()["time"].variable,
    "index variable of levels": levels()["m"].variable,
    "index variable of one level": levels()["n"].variable,
    "dimension without an index": weather().drop_indexes("x"),
    "index without its dimension's name": weather().set_xindex("label"),
    "names that are no text": xarray.Dataset({1: ("d", [1])}, coords={(2,): 3}),
    "NaN": xarray.DataArray([numpy.nan, -0.0], dims="x"),
    "floats": coordinate(numpy.array([1, 2], "f4")),
    "text": coordinate(["aa", "b"]),
    "objects": coordinate(numpy.array(["a", 1], dtype=object)),
    "range": coordinate(range(3)),
    "periods": coordinate(pandas.period_range("2020", periods=3, freq="M")),
    "intervals": coordinate(pandas.interval_range(0, 3)),
    "durations": coordinate(pandas.timedelta_range("1D", periods=3)),
    "categories": coordinate(pandas.CategoricalIndex(["b", "a"], ["b", "a", "c"])),
}


class Own(xarray.DataArray):
    __slots__ = ()


def strict(value):
    """Everything that belongs to a value, for `==`."""
    variables = {None: value}
    whole = {"type": type(value)}
    if hasattr(value, "coords"):
        variables = getattr(value, "data_vars", {None: value})
        whole |= {"attrs": repr(value.attrs), "coords": list(value.coords)}
        whole["encoding"] = repr(value.encoding)
        whole["order"] = list(getattr(value, "variables", ()))
        whole["indexes"] = {name: index_of(it) for name, it in value.xindexes.items()}
        variables = {**variables, **value.coords}
    return whole | {name: strict_variable(it) for name, it in variables.items()}


def index_of(index):
    found = index.index
    levels = [list(level) for level in getattr(found, "levels", ())]
    dtypes = getattr(index, "level_coords_dtype", getattr(index, "coord_dtype", None))
    freq = getattr(found, "freq", None)
    return (
        type(index),
        type(found),
        found.dtype,
        list(found.names),
        freq,
        levels,
        dtypes,
    )


def strict_variable(it):
    variable = getattr(it, "variable", it)
    data = variable.data
    content = repr(data)
    if isinstance(data, numpy.ndarray):
        order = data.flags.f_contiguous, data.flags.c_contiguous
        content = data.tolist() if data.dtype == object else (data.tobytes(), order)
    notes = repr(variable.attrs), repr(variable.encoding)
    name = getattr(it, "name", None)
    return type(variable), variable.dims, variable.dtype, content, notes, name


@pytest.fixture
def again(tmp_path):
    def again(value, **options):
        FileHandler(tmp_path).checkpoint("weather", value=value)
        return load(tmp_path / "weather.ckpt.zip", **options)["value"]

    return again


@pytest.fixture
def lazy(tmp_path):
    """A dataset whose values are still in a file, and the file."""
    path = tmp_path / "lazy.nc"
    values = numpy.arange(3.0)
    xarray.Dataset({"t": ("x", values)}, {"x": [1, 2, 3]}).to_netcdf(
        path, engine="scipy"
    )
    with xarray.open_dataset(path, engine="scipy") as dataset:
        yield dataset, path


class TestValues:
    @pytest.mark.parametrize("name", VALUES)
    def test_it_comes_back_whole_and_without_trust(self, again, name):
        value = VALUES[name]
        found = again(value)
        assert found.identical(value)
        assert strict(found) == strict(value)

    @pytest.mark.parametrize("name", VALUES)
    def test_a_copy_of_it_is_whole_and_shares_no_memory(self, again, name):
        value = VALUES[name]
        copied = freeze(value)
        assert strict(copied) == strict(value)
        assert strict(again(copied)) == strict(value)

    def test_the_value_is_that_of_the_call(self, tmp_path):
        dataset = weather()
        dataset["t"].attrs["list"] = [1]
        expected = strict(dataset)
        with checkpoints.config("weather", tmp_path), Session("weather") as session:
            session.checkpoint(value=dataset)
            dataset["t"][:] = -1
            dataset["notes"][0] = "later"
            dataset["t"].attrs["list"].append(2)
            dataset.attrs["title"] = "later"
        found = load(tmp_path / "weather.ckpt.zip")["value"]
        assert strict(found) == expected

    def test_all_of_them_load_in_a_process_that_imported_nothing(self, tmp_path):
        FileHandler(tmp_path).checkpoint("weather", VALUES)
        program = (
            "import checkpoints, pickle, sys\n"
            "found = checkpoints.load(sys.argv[1])\n"
            "sys.stdout.buffer.write(pickle.dumps(found))\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "weather.ckpt.zip"],
            check=True,
            capture_output=True,
            timeout=100,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        found = pickle.loads(run.stdout)
        assert found.keys() == VALUES.keys()
        for name, value in found.items():
            assert strict(value) == strict(VALUES[name]), name

    def test_each_array_is_a_member_that_other_programs_can_read(self):
        members = [name for name, _ in encode({"day": weather()}).members]
        assert "day/data_vars/t/data.npy" in members
        assert "day/indexes/time/index/values.npy" in members
        assert not [name for name in members if name.endswith(".pickle")]


class TestWhatIsNotKept:
    @pytest.mark.parametrize(
        ("value", "why"),
        [
            (
                xarray.Dataset(
                    coords=xarray.Coordinates.from_xindex(
                        xarray.indexes.RangeIndex.arange(0, 1, 0.1, dim="x")
                    )
                ),
                "index of type RangeIndex",
            ),
            (
                xarray.Dataset({"t": ("x", dask.array.ones(3))}),
                "Dask collection",
            ),
        ],
    )
    def test_it_is_told(self, value, why):
        (said,) = encode({"v": value}).pickled.values()
        assert why in said

    def test_a_variable_that_is_not_computed_locks_no_other(self, tmp_path):
        dataset = weather().assign(far=("x", dask.array.ones(3)))
        encoded = encode({"v": dataset})
        assert list(encoded.pickled) == ["v/data_vars/far/data"]

    def test_a_subclass_is_a_pickle(self):
        assert list(encode({"v": Own([1.0])}).pickled) == ["v"]

    def test_what_is_locked_leaves_the_rest_of_the_dataset(self, again):
        dataset = weather().assign(far=("x", dask.array.ones(3)))
        found = again(dataset, placeholders=True)
        assert [it.type for it in found["far"].to_numpy()] == [
            "dask.array.core.Array"
        ] * 3
        found = found.drop_vars("far")
        assert strict(found) == strict(weather())


class TestLazyValues:
    def test_what_is_saved_are_the_values_and_not_the_file(self, lazy, again):
        dataset, path = lazy
        found = again(dataset)
        path.unlink()
        assert found["t"].to_numpy().tolist() == [0, 1, 2]
        assert found.encoding == dataset.encoding

    def test_a_copy_has_the_values_of_the_call(self, lazy):
        dataset, path = lazy
        copied = freeze(dataset)
        dataset.close()
        path.unlink()
        assert copied["t"].to_numpy().tolist() == [0, 1, 2]

    def test_the_callers_dataset_stays_lazy(self, lazy):
        dataset, _ = lazy
        encode({"v": dataset})
        freeze(dataset)
        assert not dataset["t"].variable._in_memory

    def test_a_copy_of_a_graph_does_not_share_its_arrays(self):
        array = numpy.zeros(3)
        value = xarray.DataArray(dask.array.from_array(array), dims="x")
        copied = freeze({"v": value, "bare": value.data})
        array[:] = 1
        assert copied["v"].to_numpy().tolist() == [0, 0, 0]
        assert copied["bare"].compute().tolist() == [0, 0, 0]

    def test_nothing_is_computed_to_describe_it(self):
        def fail(_):
            raise AssertionError("computed")

        graph = dask.array.ones(3).map_blocks(fail, dtype=float, meta=numpy.ones(0))
        value = xarray.DataArray(graph, dims="x")
        assert statistics_of(value, 5) == {
            "dtype": "float64",
            "dims": ["x"],
            "shape": [3],
        }


class TestKnowledge:
    def test_a_dataset_is_described_by_its_variables(self):
        found = statistics_of(weather(), 2)
        assert (found["dims"], found["shape"]) == (["x", "time"], [3, 2])
        assert found["columns"][0]["max"] == 5
        assert found["more"] == 8

    @pytest.mark.parametrize("name", VALUES)
    def test_equal_values_are_the_same(self, name):
        assert same(VALUES[name], VALUES[name].copy(deep=True))

    @pytest.mark.parametrize(
        "change",
        [
            lambda it: it.assign_attrs(title="other"),
            lambda it: it.assign(t=it["t"].astype("f8")),
            lambda it: it.rename(t="u"),
            lambda it: it.assign_coords(x=[1, 2, 3]),
        ],
    )
    def test_different_values_are_not(self, change):
        assert not same(weather(), change(weather()))

    def test_a_handler_in_memory_tells_other_data_under_the_same_key(self):
        handler = DictHandler()
        handler.checkpoint("weather", weather())
        handler.checkpoint("weather", weather())
        with pytest.raises(checkpoints.AlreadyStoredError):
            handler.checkpoint("weather", weather().isel(x=[0]))


class TestDamage:
    @pytest.mark.parametrize(
        ("place", "damage"),
        [
            (["variable", "$compound"], "xarray.Dataset"),
            (["coords", "x", "encoding_dtypes"], {"dtype": "os.system"}),
            (["indexes", "x", "dtypes", "x"], "O,f8"),
            (["indexes", "x", "dim"], "time"),
            (["variable", "parts", "dims"], {"$tuple": ["x", "x"]}),
        ],
    )
    def test_a_changed_header_is_an_error(self, place, damage):
        from checkpoints._kinds.decoder import decode
        from checkpoints._kinds.json_bytes import from_bytes, to_bytes
        from checkpoints.errors import CheckpointError

        encoded = encode({"v": weather()["t"]})
        members = {name: b"".join(it) for name, it in encoded.members}
        data = from_bytes(members["v.json"])
        *above, last = place
        inner = data["parts"]
        for name in above:
            inner = inner[name]
        inner[last] = damage
        members["v.json"] = to_bytes(data)
        with pytest.raises(CheckpointError):
            decode(
                encoded.nodes,
                lambda node: memoryview(bytearray(members[node["member"]])),
                trusted=False,
                path="some.ckpt.zip",
            )
