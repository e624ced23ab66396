"""The page on kinds of values, docs/reference/kinds.md, says what the code does."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import re
import uuid
import zoneinfo
from collections import OrderedDict, namedtuple
from importlib import import_module

import pytest

from checkpoints import FileHandler, UntrustedError, index
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.families import _KNOWN
from tests.corpora.strict import difference

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "kinds.md"
TEXT = PAGE.read_text(encoding="utf-8")
# Tables with other columns.
OTHER_SECTIONS = {"Extras"}
# It only has the reason why such a value is pickled.
NEVER_WRITTEN = {"dask.collection"}

Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - the class of the tests


@dataclasses.dataclass
class Loaf:
    name: str
    weight: float


class Grain(enum.Enum):
    RYE = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


class Unknown:
    def __init__(self):
        self.number = 1


def library(name):
    try:
        return import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed")


numpy, pandas, polars, arrow, sparse = (
    functools.partial(library, name)
    for name in ("numpy", "pandas", "polars", "pyarrow", "scipy.sparse")
)


def arrays():
    np = numpy()
    records = np.array([(1, 2.5)], [("n", "<i4"), ("x", ">f8")])
    return [
        np.arange(3),
        np.zeros((2, 3), order="F"),
        records,
        np.array(["2024"], "<M8[D]"),
    ]


def scalars():
    return [numpy().float32(1.5), numpy().datetime64("2024-02-29")]


def masked():
    ma = numpy().ma
    records = ma.array([(1, 2)], mask=[(True, False)], dtype=[("a", int), ("b", int)])
    return [ma.array([1, 2], mask=[False, True]), records, records[0], ma.masked]


def kinds_of_numpy():
    np, random = numpy(), numpy().random
    records = np.zeros(2, [("a", "i4"), ("b", ">f8")])
    return [
        records.view(np.recarray),
        np.arange(4).reshape(2, 2).view(np.matrix),
        records.dtype,
        random.default_rng(1),
        random.PCG64(1),
        random.RandomState(1),
        random.SeedSequence(1),
    ]


def frames():
    pd = pandas()
    plain = pd.DataFrame({"n": [1, 2], "text": ["a", None]})
    return [plain, plain.set_index("text")]


def odd_frames():
    pd = pandas()
    by_level = pd.concat({"small": pd.Series([1]), "large": pd.Series([2])}, axis=1)
    mixed = pd.DataFrame({"a": [1, "a"], "p": pd.period_range("2024", periods=2)})
    mixed.attrs["unit"] = "m"
    many = pd.DataFrame({f"c{number}": [0.5] for number in range(120)})
    return [by_level, mixed, many.set_axis([0] * 120, axis=1)]


def labelled():
    pd = pandas()
    return [
        pd.Series([1.5], ["a"], name="s"),
        pd.Index(["a"], name="i"),
        pd.MultiIndex.from_product([["b", "a"], [1]]),
        pd.RangeIndex(3),
        pd.date_range("2024", periods=2, tz="Europe/Berlin"),
    ]


def extension_arrays():
    pd = pandas()
    return [
        pd.Categorical(["b", "a"], ["b", "a"], ordered=True),
        pd.date_range("2024", periods=2, tz="Europe/Berlin").array,
        pd.period_range("2024", periods=2).array,
        pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
        pd.arrays.SparseArray([0, 0, 1]),
        pd.array([1, None], "Int64"),
        pd.array(["a", None], "string[python]"),
        pd.array([[1], None], pd.ArrowDtype(arrow().list_(arrow().int64()))),
    ]


def moments():
    pd = pandas()
    return [
        pd.Timestamp("2024-02-29", tz="Europe/Berlin"),
        pd.Timedelta(1, "s"),
        pd.Period("2024-02", "M"),
        pd.Interval(0, 1),
        pd.offsets.MonthEnd(2),
        pd.CategoricalDtype(["a"]),
        pd.NaT,
        pd.NA,
    ]


def of_polars():
    pl = polars()
    return [
        pl.DataFrame({"n": [1], "list": [[1, None]]}),
        pl.Series("s", ["a", None]),
        pl.Series("objects", [{1}], dtype=pl.Object),
        pl.DataFrame({"n": [1], "objects": pl.Series([{1}], dtype=pl.Object)}),
    ]


def of_arrow():
    pa = arrow()
    table = pa.table({"n": pa.chunked_array([[1], []], pa.int64())})
    field = pa.field("n", pa.int64(), nullable=False, metadata={"unit": "m"})
    dictionaries = [pa.array([text]).dictionary_encode() for text in "ab"]
    return [
        table,
        table.to_batches()[0],
        table["n"],
        pa.array(["a", None]),
        pa.scalar(1, pa.int8()),
        pa.schema([field], {"a": "b"}),
        field,
        pa.list_(field),
        pa.chunked_array(dictionaries),
    ]


def odd_arrow():
    pa = arrow()
    uuids = pa.array([b"0" * 16], pa.uuid())
    odd = pa.DictionaryArray.from_arrays(pa.array([0]), uuids)
    table = pa.table({"n": pa.chunked_array([[1]]), "odd": odd})
    return [odd, table, table.to_batches()[0], pa.chunked_array([odd])]


def of_xarray():
    xarray = library("xarray")
    data = xarray.DataArray([1.5, 2.5], {"x": [1, 2]}, name="t", attrs={"unit": "m"})
    return [data, data.to_dataset(), data.variable, data.x.variable]


def geometries():
    geopandas, shapely = library("geopandas"), library("shapely")
    points = [shapely.Point(0, 1), None]
    series = geopandas.GeoSeries(points, crs="EPSG:4326")
    return [
        points[0],
        library("pyproj").CRS("EPSG:4326"),
        series,
        series.array,
        geopandas.GeoDataFrame({"n": [1, 2]}, geometry=series),
    ]


def of_dask():
    return [library("dask.array").ones(2)]


def of_scipy():
    names = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    return [
        getattr(sparse(), f"{name}_{kind}")([[0.0, 1.0]])
        for name in names
        for kind in ("array", "matrix")
    ]


def image():
    images = [library("PIL.Image").new(mode, (2, 1)) for mode in ("L", "RGB", "1")]
    images[0].info["dpi"] = (72, 72)
    return images


def figure():
    return [library("matplotlib.figure").Figure((1, 1))]


def tensors():
    torch = library("torch")
    return [torch.ones(2), torch.nn.Parameter(torch.ones(2))]


PLAIN = [None, True, 3, 0.1, -0.0, 1 - 2j, decimal.Decimal("1.50"), uuid.UUID(int=5)]
PLAIN += [fractions.Fraction(1, 3), range(2, 9, 3)]
TIMES = [
    datetime.date(2024, 2, 29),
    datetime.time(1, 2, 3, 4),
    datetime.datetime(2024, 2, 29, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC),
    datetime.timedelta(-1, 2, 3),
]
NESTED = [(1, [2]), {1, 2}, frozenset({3}), {1: "a", (1, 2): {"b": None}}]

# What the first cell of a row begins with, and values of that row.
EXACT = {
    "None, bool, int": lambda: PLAIN,
    "date, datetime, time": lambda: TIMES,
    "str": lambda: ["a", "ü\ud800", "long " * 100],
    "bytes, bytearray": lambda: [b"\0\xff", bytearray(b"a"), [b"a", b"0" * 9000]],
    "tuple, list, set": lambda: NESTED,
    "a dataclass": lambda: [Loaf("rye", 1.5), Pair(1, 2)],
    "a member of an enumeration": lambda: [Grain.RYE],
    "a path": lambda: [pathlib.PurePosixPath("/a"), pathlib.Path("b")],
    "NumPy array, ": arrays,
    "`recarray`, `matrix`, dtype": kinds_of_numpy,
    "NumPy scalar": scalars,
    "NumPy array of Python": lambda: [numpy().array(["a", None, {1: 2}], object)],
    "NumPy masked array": masked,
    "pandas DataFrame whose": frames,
    "any other pandas DataFrame": odd_frames,
    "pandas Series, Index": labelled,
    "pandas extension arrays": extension_arrays,
    "pandas Timestamp": moments,
    "Polars DataFrame": of_polars,
    "Arrow Table": of_arrow,
    "SciPy sparse": of_scipy,
    "xarray": of_xarray,
    "GeoPandas": geometries,
}
# The same for values that do not come back as they were, with what comes back of them.
OTHERWISE = {
    "PyTorch Tensor": (tensors, "dtype"),
    "JAX Array": (lambda: [library("jax").numpy.ones(2)], "dtype"),
    "Matplotlib Figure": (figure, "mode"),
    "Pillow Image": (image, "info"),
}
PICKLED = {"any other |": lambda: [Unknown(), print, {"a": Unknown()}]}
# The same, by what a sentence below a table says.
SAID = {
    "such as `OrderedDict`, is pickled, and so are functions": lambda: [
        OrderedDict(a=1),
        print,
    ],
    "a combination of flags": lambda: [Mode.READ | Mode.WRITE],
    "Other subclasses of arrays and frames are pickled": lambda: [
        type("Own", (pandas().Series,), {"__module__": __name__})([1]),
    ],
    "A Polars LazyFrame is pickled": lambda: [polars().LazyFrame({"a": [1]})],
    "and so are arrays of Dask": of_dask,
    "dictionaries of dictionaries or of extension types": odd_arrow,
}
# It is shown on the page of its own that the row refers to.
ELSEWHERE = {"a class with"}
EXAMPLES = {*EXACT, *OTHERWISE, *PICKLED, *ELSEWHERE}


def rows():
    """Yield the cells of each row of a table of kinds."""
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    for section in sections:
        if section.partition("\n")[0] in OTHER_SECTIONS:
            continue
        table = [line for line in section.splitlines() if line.startswith("| ")]
        yield from (
            [cell.strip() for cell in line.split(" |")[:-1]] for line in table[1:]
        )


ROWS = {
    f"{cells[0].removeprefix('| ')} |": [cell.strip() for cell in cells[1:]]
    for cells in rows()
}


def row_of(example):
    """Return the cells of the row that begins as the name of an example does."""
    return next(cells for first, cells in ROWS.items() if first.startswith(example))


def loaded(value, folder, **options):
    FileHandler(folder, if_exists="keep").checkpoint("a", {"value": value})
    return index(folder)[-1].load(**options)["value"]


def kinds_of(value):
    """Return the names of the kinds that a value is saved as."""
    encoded = encode({"value": value})
    texts = [repr(encoded.nodes)]
    for name, chunks in encoded.members:
        if name.endswith(".json"):
            texts.append(b"".join(map(bytes, chunks)).decode())
    found = "".join(texts)
    return set(re.findall(r"""(?:\$compound|kind)["']: ?["']([^"']+)""", found))


class TestPage:
    @pytest.mark.parametrize("first", ROWS)
    def test_has_an_example_here_for_each_row(self, first):
        assert [name for name in EXAMPLES if first.startswith(name)]

    @pytest.mark.parametrize("example", sorted(EXAMPLES))
    def test_has_a_row_for_each_example(self, example):
        assert row_of(example)

    @pytest.mark.parametrize("example", EXACT)
    def test_says_exactly_where_the_same_value_comes_back(self, example, tmp_path):
        comes_back = row_of(example)[1:]
        assert not comes_back or comes_back[0].startswith("exactly")
        for value in EXACT[example]():
            assert difference(value, loaded(value, tmp_path)) == ""

    @pytest.mark.parametrize("example", OTHERWISE)
    def test_does_not_say_so_of_other_rows(self, example, tmp_path):
        assert not row_of(example)[1].startswith("exactly")
        make, kept = OTHERWISE[example]
        for value in make():
            found = loaded(value, tmp_path)
            assert not hasattr(value, kept) or getattr(found, kept) == getattr(
                value, kept
            )

    @pytest.mark.parametrize("example", PICKLED)
    def test_says_what_needs_trust(self, example, tmp_path):
        assert "trusted=True" in row_of(example)[1]
        for value in PICKLED[example]():
            with pytest.raises(UntrustedError):
                loaded(value, tmp_path)
            loaded(value, tmp_path, trusted=True)

    @pytest.mark.parametrize("sentence", SAID)
    def test_says_below_a_table_what_is_pickled(self, sentence, tmp_path):
        assert sentence in " ".join(TEXT.split())
        for value in SAID[sentence]():
            with pytest.raises(UntrustedError):
                loaded(value, tmp_path)


@pytest.mark.parametrize("family", _KNOWN, ids=lambda family: family.packages[0])
def test_each_kind_of_a_library_is_that_of_an_example(family):
    for package in family.packages:
        library(package)
    otherwise = [make for make, _ in OTHERWISE.values()]
    used = set()
    for make in (*EXACT.values(), *otherwise, *SAID.values()):
        try:
            values = make()
        except pytest.skip.Exception:
            continue
        used |= {kind for value in values for kind in kinds_of(value)}
    assert {kind.kind for kind in family.kinds} - used - NEVER_WRITTEN == set()
