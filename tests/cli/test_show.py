"""`checkpoints show`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from checkpoints import FileHandler


class Explosive:
    """Ends the program that loads it, but not the one that saved it just now."""

    is_armed = False

    def __reduce__(self):
        return (_explode, ())


def _explode():
    if Explosive.is_armed:
        raise SystemExit(99)
    return Explosive()


@pytest.fixture
def save(tmp_path):
    def save(**values):
        FileHandler(tmp_path / "a").checkpoint("a", **values)
        return tmp_path / "a" / "a.ckpt.zip"

    return save


class TestNoSuchFile:
    def test_a_name_is_said_to_be_one_of_the_last_run(self, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = run("show", "shop.total")
        assert done.err.startswith(
            "Error: 'shop.total' does not exist; `checkpoints ls"
        )
        (tmp_path / ".checkpoints").mkdir()
        done = run("show", "shop.total")
        assert "of the last run, write `@last shop.total`" in done.err


class TestHeader:
    def test_it_tells_tags_with_types_run_and_values(self, run, root):
        path = root / "day=9" / "shop=north" / "bakery" / "order.ckpt.zip"
        done = run("show", path)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("bakery.order\n")
        assert "day=9 (int)" in done.out
        assert "shop=north (str)" in done.out
        assert f"  file  {path}" in done.out
        (note,) = [line for line in done.out.splitlines() if line.startswith("note")]
        assert note.split() == ["note", "text", "4", "B"]

    def test_one_long_name_does_not_make_each_line_long(self, run, save):
        names = ["long" * 10_000, *(f"v{number}" for number in range(50))]
        done = run("show", save(**dict.fromkeys(names, 1)))
        assert names[0] in done.out
        assert len(done.out) < 200_000

    def test_no_value_is_loaded_unless_it_is_named(self, run, save):
        done = run("show", save(x="secret word"))
        assert "secret" not in done.out
        assert "secret" in run("show", save(x="secret word"), "x").out
        assert "secret" in run("show", save(x="secret word"), "--values").out

    def test_the_suffix_may_be_left_out(self, run, save):
        path = str(save(x=1)).removesuffix(".ckpt.zip")
        assert run("show", path).out.startswith("a\n")

    def test_as_json_it_can_be_read_by_programs(self, run, root):
        done = run("show", root, "oven", "heat", "--json")
        found = json.loads(done.out)
        assert found["name"] == "oven"
        assert found["values"]["heat"]["type"] == "float"
        assert found["previews"]["heat"]["lines"] == ["200.5"]

    def test_what_was_saved_is_harmless(self, run, odd_root, assert_harmless):
        for options in ((), ("--json",)):
            done = run("show", odd_root, "--values", *options)
            assert done.code == 0
            assert_harmless(done.out)
            assert "text\\" in done.out


class TestEntry:
    def test_it_may_be_a_root_a_name_and_tags(self, run, root):
        arguments = ("bakery.order", "rye", "--where", "day=10", "--where", "shop=so*")
        done = run("show", root, *arguments)
        assert done.code == 0
        assert done.out.rstrip().endswith("100")

    def test_of_several_it_tells_which(self, run, root):
        done = run("show", root, "bakery.order", "--where", "shop=north")
        assert (done.code, done.out) == (2, "")
        assert "bakery.order day=9 shop=north" in done.err
        assert "bakery.order day=10 shop=north" in done.err
        assert "south" not in done.err

    def test_a_name_that_is_meant_exactly_is_not_one_of_those_below(
        self, run, tmp_path
    ):
        handler = FileHandler(tmp_path / "saved")
        handler.checkpoint("a", 1)
        handler.checkpoint("a.b", 1)
        assert run("show", tmp_path / "saved", "a").out.startswith("a\n")

    def test_of_several_files_of_a_key_the_latest_can_be_asked_for(self, run, tmp_path):
        handler = FileHandler(tmp_path / "saved", if_exists="keep")
        handler.checkpoint("a", 1)
        handler.checkpoint("a", 2)
        assert run("show", tmp_path / "saved", "a").code == 2
        assert "a.2.ckpt.zip" in run("show", tmp_path / "saved", "a", "--latest").out

    def test_of_several_files_of_a_key_it_tells_paths_that_open_them(
        self, run, tmp_path
    ):
        handler = FileHandler(tmp_path / "saved", if_exists="keep")
        for number in (1, 2):
            handler.checkpoint("a", number)
            handler.checkpoint("b", number)
        told = run("show", tmp_path / "saved", "a").err
        assert "--latest" in told
        paths = [line.split()[1] for line in told.splitlines() if "ckpt" in line]
        assert [run("show", path).code for path in paths] == [0, 0]
        told = run("show", tmp_path / "saved", "--latest").err
        assert "2 entries match; select one with a name, --where or the" in told
        assert "--latest" not in told

    def test_of_several_runs_it_tells_how_to_name_one(self, run, tmp_path):
        for number in (1, 2):
            handler = FileHandler(tmp_path / "saved" / f"run={number}")
            handler.checkpoint("a", number)
        told = run("show", tmp_path / "saved", "a").err
        assert f"a name, a run, such as {tmp_path / 'saved'}@last, --where or" in told
        assert "--latest" not in told

    def test_none_ends_with_1(self, run, root):
        done = run("show", root, "nothing")
        assert (done.code, done.out) == (1, "")
        assert "oven" in done.err

    @pytest.mark.parametrize("wrong", [("nowhere",), ("nowhere", "--where", "a=b"), ()])
    def test_what_cannot_be_one_ends_with_2(self, run, tmp_path, monkeypatch, wrong):
        monkeypatch.chdir(tmp_path)
        done = run("show", *wrong)
        assert done.code == 2
        assert "Traceback" not in done.err

    def test_a_value_that_is_not_there_is_told_with_those_that_are(self, run, root):
        done = run("show", root, "oven", "haet")
        assert done.code == 2
        assert "has no value 'haet'; did you mean 'heat'?\n" in done.err

    def test_damage_ends_with_1_and_says_why(self, run, save):
        path = save(x=1)
        path.write_bytes(b"\x1b[2J")
        done = run("show", path)
        assert (done.code, done.out) == (1, "")
        assert "damaged" in done.err

    @pytest.mark.parametrize("size", [10**400, -1, "many", None])
    def test_a_size_that_can_be_none_is_not_shown(self, size):
        pytest.importorskip("click", reason="it is asked for sizes")
        from checkpoints._show.header import rows_of

        (row,) = rows_of({"values": {"a": {"kind": "text", "bytes": size}}})
        assert row == ["a", "text", "", "", ""]


class TestValues:
    def test_an_array_in_a_row_has_statistics_and_a_line_of_bars(self, run, save):
        numpy = pytest.importorskip("numpy")
        array = numpy.array([0.0, 1.0, 2.0, numpy.nan, numpy.inf, 7.0])
        done = run("show", save(x=array), "x")
        assert "min 0, max 7, mean 2.5, std 2.69258, NaN 1, Inf 1" in done.out
        assert "▁▂▃  █" in done.out

    def test_an_array_of_several_dimensions_shows_how_often(self, run, save):
        numpy = pytest.importorskip("numpy")
        array = numpy.zeros((9, 100))
        array[0, :5] = 8
        done = run("show", save(x=array), "x", "--rows", "2")
        assert "█▁▁▁" in done.out
        assert "9 x 100" in done.out
        assert done.out.count("[8. 8. 8. 8. 8. 0.]") == 1

    def test_statistics_of_a_large_array_are_those_of_all_of_it(self, run, save):
        numpy = pytest.importorskip("numpy")
        array = numpy.arange(600_000.0)
        found = json.loads(run("show", save(x=array), "x", "--json").out)
        facts = found["previews"]["x"]["facts"]
        assert facts["mean"] == pytest.approx(array.mean())
        assert facts["std"] == pytest.approx(array.std())

    def test_whole_numbers_stay_whole(self, run, save):
        numpy = pytest.importorskip("numpy")
        array = numpy.array([2**60, 2**60 + 1])
        found = json.loads(run("show", save(x=array), "x", "--json").out)
        assert found["previews"]["x"]["facts"]["max"] == 2**60 + 1

    def test_a_masked_array_says_how_much_is_masked(self, run, save):
        numpy = pytest.importorskip("numpy")
        array = numpy.ma.masked_array([1, 2, 99], mask=[False, False, True])
        done = run("show", save(x=array), "x")
        assert "masked 1, min 1, max 2" in done.out

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_a_frame_has_its_first_rows_and_statistics(
        self, run, save, library, assert_harmless
    ):
        frames = pytest.importorskip(library)
        pytest.importorskip("pyarrow")
        dtype = {"pandas": "float64", "polars": "Float64"}[library]
        frame = frames.DataFrame({"who": ["a", "b", None], "\x1b[2J": [1.0, 2.0, 6.0]})
        done = run("show", save(x=frame), "x", "--rows", "2")
        assert_harmless(done.out)
        lines = [line.split() for line in done.out.splitlines()]
        assert ["a", "1.0"] in lines
        assert ["b", "2.0"] in lines
        assert not any(line and line[-1] == "6.0" for line in lines)
        (column,) = [it for it in lines if it[:2] == ["\\x1b[2J", dtype]]
        assert column[2:6] == ["0", "1", "6", "3"]

    def test_times_have_one_clock_and_durations_are_readable(self, run, save):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        at = pandas.date_range("2026-03-01", periods=2, tz="Europe/Berlin")
        found = json.loads(
            run(
                *("show", save(x=pandas.DataFrame({"at": at, "for": at - at[0]}))),
                *("x", "--json"),
            ).out
        )
        at, lasting = found["previews"]["x"]["columns"]
        assert (at["min"], at["max"]) == (
            "2026-03-01 00:00:00+01:00",
            "2026-03-02 00:00:00+01:00",
        )
        assert (lasting["min"], lasting["max"]) == ("0:00:00", "1 day, 0:00:00")
        assert found["previews"]["x"]["rows"][1] == [at["max"], lasting["max"]]

    def test_an_index_without_a_name_is_called_as_concat_calls_it(self, run, save):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        path = save(x=pandas.Series([1, 2], index=["i", "j"], name="n"))
        assert ["n", "index"] in [
            line.split() for line in run("show", path, "x").out.splitlines()
        ]

    def test_a_frame_of_objects_is_shown_in_whole_rows(self, run, save):
        pandas = pytest.importorskip("pandas")
        numpy = pytest.importorskip("numpy")
        pytest.importorskip("pyarrow")
        odd = numpy.empty(12, object)
        odd[:] = [1, "x", [2], None] * 3
        columns = {f"column{number}": [*range(12)] for number in range(11)}
        frame = pandas.DataFrame({**columns, "odd": odd})
        done = run("show", save(x=frame), "x", "--rows", "4")
        lines = [line.split() for line in done.out.splitlines()]
        start = lines.index([*frame.columns])
        assert lines[start + 1 : start + 6] == [
            [*["0"] * 11, "1"],
            [*["1"] * 11, "x"],
            [*["2"] * 11, "[2]"],
            [*["3"] * 11, "null"],
            [],
        ]
        assert ["odd", "object", "3"] in lines

    def test_a_long_cell_says_that_it_is_cut(self, run, save):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        path = save(x=pandas.DataFrame({"a": ["b" * 500]}))
        assert f"  {'b' * 200}...\n" in run("show", path, "x").out

    @pytest.mark.parametrize("format", ["zip", "parquet"])
    def test_nan_and_null_are_told_apart_in_another_program(self, format, tmp_path):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        frame = pandas.DataFrame(
            {
                "nan": [1.5, float("nan"), 2.5],
                "na": pandas.array([1.5, None, 2.5], dtype="Float64"),
                "int": pandas.array([1, None, 3], dtype="Int64"),
            },
            index=pandas.Index([1.0, float("nan"), 3.0], name="i"),
        )
        FileHandler(tmp_path, format=format).checkpoint("a", x=frame)
        path = tmp_path / f"a.ckpt.{format}"
        command = [sys.executable, "-m", "checkpoints", "show", path, "x", "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)["previews"]["x"]
        assert found["rows"][1] == ["nan", "null", "null", "nan"]
        nulls = [column["nulls"] for column in found["columns"]]
        assert nulls == [0, 1, 1, 0]
        nans = [column.get("NaN") for column in found["columns"]]
        assert nans == [1, 0, None, 1]

    def test_nan_among_objects_is_no_null(self, run, save):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        series = pandas.Series([1.5, None, float("nan")], dtype=object, name="a")
        found = json.loads(run("show", save(x=series), "x", "--json").out)
        (column,) = found["previews"]["x"]["columns"]
        assert (column["nulls"], column["NaN"]) == (1, 1)

    def test_a_picture_has_its_size_and_mode(self, run, save):
        pictures = pytest.importorskip("PIL.Image", reason="it makes pictures")
        done = run("show", save(x=pictures.new("RGB", (4, 3))), "x")
        assert "width 4, height 3, mode RGB" in done.out

    def test_of_a_text_there_is_its_beginning(self, run, save):
        done = run("show", save(x="one\ntwo\nthree\n"), "x", "--rows", "2")
        assert "characters 14, lines 3" in done.out
        assert "two\n  ..." in done.out
        assert "three" not in done.out

    def test_a_pickle_is_not_loaded_unless_it_is_trusted(self, run, save, monkeypatch):
        path = save(x=Explosive(), y=1)
        monkeypatch.setattr(Explosive, "is_armed", True)
        done = run("show", path, "--values")
        assert done.code == 1
        assert "--trusted" in done.out
        assert done.out.rstrip().endswith("1")
        assert run("show", path, "x", "--trusted").code == 99

    def test_what_is_too_large_is_told_and_the_rest_shown(self, run, save):
        path = save(x="long " * 100_000, y=1)
        done = run("show", path, "--values", "--max-bytes", "100kB")
        assert done.code == 1
        assert "the limit is 100,000; raise --max-bytes\n" in done.out
        assert "mmap" not in done.out
        assert done.out.rstrip().endswith("1")

    def test_a_value_whose_bytes_have_changed_is_told(self, run, save):
        path = save(x="long text " * 100, y=1)
        data = bytearray(path.read_bytes())
        data[200] ^= 1
        path.write_bytes(data)
        done = run("show", path, "--values")
        assert done.code == 1
        assert "have changed" in done.out
