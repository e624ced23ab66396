"""A library that nobody knows yet: one family, and the line that names it."""

from __future__ import annotations

import array
import dataclasses
import json
import math
import sys

import pytest

import checkpoints
from checkpoints import DictHandler, FileHandler, Session, load
from checkpoints._kinds import families
from checkpoints._kinds.kind import Family, Format
from checkpoints._kinds.nan import holds_nan
from checkpoints._kinds.same import same
from checkpoints._kinds.summary import summaries_of
from checkpoints._kinds.weight import size_of
from checkpoints._show.conversion import CONVERSIONS, Conversion
from checkpoints._show.preview import preview_of

numpy = pytest.importorskip("numpy", reason="the library gives arrays")
pyarrow = pytest.importorskip("pyarrow", reason="the library gives tables")


class Rain:
    """What fell in each hour, as the package `gauges` has it."""

    __module__ = "gauges.series"

    def __init__(self, hours, place="roof"):
        self.hours = array.array("d", hours)
        self.place = place


def as_table(rain, name):
    if not isinstance(rain, Rain):
        return None
    return pyarrow.table({rain.place if name is None else name: list(rain.hours)})


def nan_as_null(rain, name):
    hours = pyarrow.array(numpy.array(rain.hours), from_pandas=True)
    return pyarrow.table({rain.place if name is None else name: hours})


def with_nan(rain, table):
    return as_table(rain, table.column_names[0])


def same_rain(one, other, same):
    return one.place == other.place and same(list(one.hours), list(other.hours))


RAIN = Format(
    kind="gauges.Rain",
    suffix="rain",
    encode=lambda rain: ([rain.hours.tobytes()], {"place": rain.place}),
    decode=lambda data, meta: Rain(memoryview(data).cast("d"), meta["place"]),
    package="gauges",
    freeze=lambda rain: Rain(rain.hours, rain.place),
    to_table=lambda rain: (as_table(rain, "hours"), {"place": rain.place}),
    from_table=lambda table, meta: Rain(table["hours"].to_pylist(), meta["place"]),
)
GAUGES = Family(
    packages=("gauges",),
    kinds=(RAIN,),
    recognise=lambda cls: RAIN if cls is Rain else None,
    # Its memory is not that of Python.
    weigh=lambda rain: (len(rain.hours) * 1000, [rain.place]),
    holds_nan=lambda rain: any(map(math.isnan, rain.hours)),
    describe=lambda rain, most: {"shape": [len(rain.hours)], "max": max(rain.hours)},
    same=same_rain,
    as_table=as_table,
    as_array=lambda rain: (numpy.array(rain.hours), [f"its place {rain.place}"]),
    as_text=lambda rain: f"rain at the {rain.place}",
    concat_to="arrow",
)


@pytest.fixture
def known(monkeypatch):
    """The line of the library in the table of families."""

    def known(family):
        table = families._Catalog((*families._KNOWN, family))
        monkeypatch.setattr(families, "_catalog", table)

    return known


@pytest.fixture(autouse=True)
def gauges(known):
    known(GAUGES)


@pytest.fixture
def saved(tmp_path):
    FileHandler(tmp_path).checkpoint("weather", rain=Rain([0.5, 2.0]), day=1)
    return tmp_path / "weather.ckpt.zip"


class TestFile:
    def test_a_value_is_saved_in_its_own_kind_and_loaded_without_trust(self, saved):
        found = load(saved)["rain"]
        assert (type(found), list(found.hours)) == (Rain, [0.5, 2.0])
        (entry,) = checkpoints.index(saved.parent)
        node = entry.meta["values"]["rain"]
        expected = {"kind": "gauges.Rain", "bytes": 16, "member": "rain.rain"}
        assert node == {**expected, "place": "roof"}

    def test_without_the_line_the_file_says_that_the_kind_is_not_known(
        self, saved, monkeypatch
    ):
        monkeypatch.undo()
        with pytest.raises(checkpoints.FormatError, match=r"gauges\.Rain"):
            load(saved, "rain")

    def test_a_value_inside_others_keeps_its_kind(self, tmp_path):
        FileHandler(tmp_path).checkpoint("weather", {"days": [{"monday": Rain([1])}]})
        found = load(tmp_path / "weather.ckpt.zip")["days"][0]["monday"]
        assert list(found.hours) == [1.0]

    def test_a_parquet_file_holds_it(self, tmp_path):
        handler = FileHandler(tmp_path, format="parquet")
        handler.checkpoint("weather", Rain([0.5, 2.0], "tower"))
        found = load(tmp_path / "weather.ckpt.parquet")["data"]
        assert (found.place, list(found.hours)) == ("tower", [0.5, 2.0])

    def test_its_kind_is_taken(self):
        with pytest.raises(checkpoints.ConfigError, match="is taken"):
            checkpoints.register_format(
                type("Other", (), {}),
                kind="gauges.Rain",
                suffix="x",
                encode=bytes,
                decode=bytes,
            )

    def test_a_session_keeps_the_value_of_the_call(self, tmp_path):
        rain = Rain([1.0])
        with checkpoints.config("weather", tmp_path), Session("weather") as session:
            session.checkpoint(rain)
            rain.hours[0] = 9
        assert list(load(tmp_path / "weather.ckpt.zip")["data"].hours) == [1.0]


class TestKnowledge:
    def test_it_is_weighed_with_what_it_holds(self):
        place = "x" * 500
        size = size_of({"rain": Rain([0.0] * 10, place)})
        assert size == 10_000 + sys.getsizeof(place)

    def test_without_a_weight_of_its_own_it_counts_by_its_attributes(self, known):
        known(dataclasses.replace(GAUGES, weigh=None))
        assert size_of({"rain": Rain([0.0] * 1000)}) > 8000

    def test_its_nan_is_found(self):
        assert holds_nan([Rain([1.0, math.nan])])
        assert not holds_nan([Rain([1.0])])

    def test_it_is_summarised(self):
        found, other = summaries_of({"a": Rain([1.0, 4.0]), "b": Rain([1.0])}).values()
        assert found["kind"] == "gauges.Rain"
        assert (found["shape"], found["max"], found["bytes"]) == ([2], 4.0, 16)
        assert found["hash"] not in (None, other["hash"])

    def test_it_is_compared_as_its_library_says(self):
        assert same(Rain([1.0, math.nan]), Rain([1.0, math.nan]))
        assert not same(Rain([1.0]), Rain([2.0]))
        assert not same(Rain([1.0]), Rain([1.0], "tower"))

    def test_other_data_under_the_same_key_is_an_error(self):
        handler = DictHandler()
        for _ in range(2):
            handler.checkpoint("weather", Rain([1.0, math.nan]))
        with pytest.raises(checkpoints.AlreadyStoredError):
            handler.checkpoint("weather", Rain([1.0, 2.0]))


class TestReading:
    def test_concat_puts_the_values_of_all_files_into_one_table(self, tmp_path):
        for day in (1, 2):
            with checkpoints.tags(day=day):
                FileHandler(tmp_path).checkpoint("weather", rain=Rain([day, 0.5]))
        found = checkpoints.index(tmp_path).concat("rain")
        assert isinstance(found, pyarrow.Table)
        assert found.to_pydict() == {"day": [1, 1, 2, 2], "rain": [1, 0.5, 2, 0.5]}

    def test_it_is_shown_as_an_array(self):
        found = preview_of(Rain([0.5, 2.0]), 1)
        assert (found.facts["min"], found.facts["max"]) == (0.5, 2.0)
        assert found.lines == ["[0.5]", "... of 2"]

    def test_it_is_shown_as_a_table_where_it_is_no_array(self, known):
        known(dataclasses.replace(GAUGES, as_array=None))
        found = preview_of(Rain([0.5, 2.0], "tower"), 1)
        assert (found.heading, found.rows) == (["tower"], [["0.5"]])

    def test_it_is_shown_by_the_numbers_it_stores_where_it_is_neither(self, known):
        stored = {"stored": lambda rain: numpy.array(rain.hours), "as_array": None}
        known(dataclasses.replace(GAUGES, **stored))
        assert preview_of(Rain([0.5, 2.0]), 5).lines == ["[0.5 2. ]"]

    def test_it_is_shown_as_a_picture_where_it_is_one(self, known):
        described = {"size": [3, 2], "mode": "L"}
        changes = {"as_png": lambda _: b"PNG", "describe": lambda *_: described}
        known(dataclasses.replace(GAUGES, **changes))
        facts = {"width": 3, "height": 2, "mode": "L"}
        assert preview_of(Rain([]), 5).facts == facts
        assert CONVERSIONS[".png"](Conversion(Rain([]))) == b"PNG"

    @pytest.mark.parametrize(
        ("suffix", "written"),
        [(".csv", b'"0"\n0.5\n2\n'), (".json", b"[\n  0.5,\n  2.0\n]\n")],
    )
    def test_it_is_exported_and_what_is_lost_is_told(self, suffix, written):
        conversion = Conversion(Rain([0.5, 2.0]))
        assert CONVERSIONS[suffix](conversion) == written
        assert conversion.lost == ["its place roof"]

    def test_it_is_exported_as_a_frame_where_it_is_no_array(self, known, monkeypatch):
        monkeypatch.setattr(Rain, "__len__", lambda _: 2, raising=False)
        changes = {"as_table": nan_as_null, "with_nan": with_nan}
        known(dataclasses.replace(GAUGES, as_array=None, **changes))
        whole, broken = Conversion(Rain([0.5, 2.0])), Conversion(Rain([math.nan]))
        found = json.loads(CONVERSIONS[".json"](whole))
        assert (found, whole.lost) == ([{"roof": 0.5}, {"roof": 2}], [])
        assert json.loads(CONVERSIONS[".json"](broken)) == [{"roof": None}]
        assert broken.lost == ["nan (written as null)"]

    def test_inside_plain_data_it_becomes_text(self):
        conversion = Conversion({"today": Rain([0.5])})
        assert json.loads(CONVERSIONS[".json"](conversion)) == {
            "today": "rain at the roof"
        }
        assert conversion.lost == ["the type of a Rain (written as text)"]
