"""Every library that is known: what its family says of values that it has."""

from __future__ import annotations

import importlib

import pytest

from checkpoints._kinds import families
from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.families import families_of, family_of, format_of_kind
from checkpoints._kinds.nan import holds_nan
from checkpoints._kinds.same import same
from checkpoints._kinds.statistics import statistics_of
from checkpoints._kinds.weight import size_of

NAN = float("nan")
FAMILIES = families._catalog.by_package
PACKAGES = sorted(FAMILIES)


def of_numpy(numbers):
    return importlib.import_module("numpy").array(numbers)


def of_pandas(numbers):
    return importlib.import_module("pandas").DataFrame({"x": numbers})


def of_polars(numbers):
    return importlib.import_module("polars").DataFrame({"x": numbers})


def of_arrow(numbers):
    return importlib.import_module("pyarrow").table({"x": numbers})


def of_scipy(numbers):
    return importlib.import_module("scipy.sparse").csr_array([numbers])


def of_torch(numbers):
    return importlib.import_module("torch").tensor(numbers)


def of_jax(numbers):
    return importlib.import_module("jax").numpy.array(numbers)


def of_matplotlib(numbers):
    figure = importlib.import_module("matplotlib.figure").Figure((1, 1))
    figure.add_subplot().plot(numbers)
    return figure


def of_pillow(numbers):
    return importlib.import_module("PIL.Image").new("L", (len(numbers), 1))


def of_dask(numbers):
    return importlib.import_module("dask.array").from_array(of_numpy(numbers))


def of_geopandas(numbers):
    return importlib.import_module("geopandas").GeoSeries.from_xy(numbers, numbers)


def of_pyproj(_):
    return importlib.import_module("pyproj").CRS("EPSG:4326")


def of_shapely(numbers):
    return importlib.import_module("shapely").MultiPoint([[n, n] for n in numbers])


def of_xarray(numbers):
    return importlib.import_module("xarray").DataArray(numbers)


# Saved as a reference to values, with a word about it.
LAZY = {"dask"}
MAKE = {
    "PIL": of_pillow,
    "dask": of_dask,
    "geopandas": of_geopandas,
    "jax": of_jax,
    "jaxlib": of_jax,
    "matplotlib": of_matplotlib,
    "numpy": of_numpy,
    "pandas": of_pandas,
    "polars": of_polars,
    "pyarrow": of_arrow,
    "pyproj": of_pyproj,
    "scipy": of_scipy,
    "shapely": of_shapely,
    "torch": of_torch,
    "xarray": of_xarray,
}


def having(*fields):
    """Run a test over the libraries that have one of these in their families."""
    packages = [
        package
        for package in PACKAGES
        if any(getattr(FAMILIES[package], field) for field in fields)
    ]
    return pytest.mark.parametrize("package", packages, indirect=True)


@pytest.fixture(params=PACKAGES)
def package(request):
    pytest.importorskip(request.param, reason="its values are asked about")
    return request.param


@pytest.fixture
def family(package):
    return FAMILIES[package]


@pytest.fixture
def make(package):
    """Makes a value of the library that holds these numbers."""
    return MAKE[package]


class TestTable:
    @pytest.mark.parametrize("package", PACKAGES)
    def test_each_kind_is_named_after_its_package_and_found_by_that_name(self, package):
        family = FAMILIES[package]
        assert package in family.packages
        for kind in family.kinds:
            assert kind.package in family.packages
            assert kind.kind.startswith(f"{kind.package}.")
            assert format_of_kind(kind.kind) is kind

    def test_no_two_kinds_have_the_same_name(self):
        names = [kind.kind for family in families._KNOWN for kind in family.kinds]
        assert len(set(names)) == len(names)
        assert not {"json", "text", "bytes", "pickle"} & set(names)

    def test_a_class_belongs_to_the_library_whose_root_package_it_is_in(self):
        assert family_of(type("Any", (), {"__module__": "numpy.core.deep"}))
        assert family_of(type("Any", (), {"__module__": "numpyro.deep"})) is None
        assert family_of(type("Any", (), {"__module__": None})) is None

    def test_a_class_derived_from_one_of_a_library_is_asked_for_by_that_too(self):
        numpy = pytest.importorskip("numpy")
        own = type("Own", (numpy.ndarray,), {"__module__": "own"})
        assert family_of(own) is None
        assert list(families_of(own)) == [family_of(numpy.ndarray)]


class TestEach:
    def test_its_values_are_recognised(self, family, make):
        value = make([1.0, 2.0])
        assert families.family_of(type(value)) is family
        assert family.recognise(type(value)) in family.kinds

    def test_its_values_come_back_without_trust(self, package, make):
        value = make([1.0, 2.0])
        encoded = encode({"v": value})
        if package in LAZY:
            assert "values" in encoded.pickled["v"]
            return
        members = {name: b"".join(chunks) for name, chunks in encoded.members}
        found = decode(
            encoded.nodes,
            lambda node: memoryview(bytearray(members[node["member"]])),
            trusted=False,
            path="some.ckpt.zip",
        )["v"]
        # A figure is kept as a picture of it.
        assert package == "matplotlib" or same(found, value)

    def test_they_have_a_weight(self, make):
        assert size_of({"v": make([1.0, 2.0])}) > 0

    @having("holds_nan")
    def test_it_tells_a_nan_from_none(self, make):
        assert holds_nan(make([1.0, NAN]))
        assert not holds_nan(make([1.0, 2.0]))

    @having("describe")
    def test_it_describes_its_values(self, make):
        assert statistics_of(make([1.0, 2.0]), 50).keys() & {"shape", "size"}

    def test_they_are_the_same_if_their_numbers_are_and_a_nan_equals_a_nan(self, make):
        value = make([1.0, NAN])
        assert same(value, value)
        if hasattr(value, "__len__") or hasattr(value, "shape"):
            # SciPy cannot tell, as a NaN differs from itself.
            again = make([1.0, NAN])
            assert same(again, value) or hasattr(value, "nnz")
            assert not same(make([1.0, 3.0]), make([1.0, 2.0]))

    @having("as_table")
    def test_a_table_of_them_has_their_numbers(self, family, make):
        pytest.importorskip("pyarrow")
        table = family.as_table(make([1.0, 2.0]), "x")
        assert table.to_pydict() == {"x": [1.0, 2.0]}

    @having("as_array", "stored")
    def test_an_array_of_them_has_their_numbers(self, family, make):
        value = make([1.0, 2.0])
        array, lost = (
            family.as_array(value)
            if family.as_array
            else (
                family.stored(value),
                [],
            )
        )
        assert (array.tolist(), lost) == ([1.0, 2.0], [])

    @having("as_png")
    def test_a_picture_of_them_is_a_png(self, family, make):
        picture = make([1.0, 2.0])
        assert family.as_png(picture).startswith(b"\x89PNG")
        assert family.describe(picture, 0)["size"] == [2, 1]

    @having("concat_to")
    def test_what_becomes_a_table_in_a_parquet_file_comes_back_from_it(
        self, family, make
    ):
        pytest.importorskip("pyarrow")
        (kind,) = [it for it in family.kinds if getattr(it, "to_table", None)]
        value = make([1.0, NAN])
        assert same(kind.from_table(*kind.to_table(value)), value)
