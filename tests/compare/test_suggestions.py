"""Tolerances that are suggested let pass what they were suggested for."""

from __future__ import annotations

import numpy
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkpoints import FileHandler, diff, tags
from checkpoints._compare.suggestions import Need, suggested
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.values import compare

UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
NUMBERS = st.floats(-60_000, 60_000, width=16)
WHOLE = st.integers(-(2**62), 2**62)


def arrays_of(dtype):
    cells = NUMBERS if numpy.dtype(dtype).kind == "f" else st.integers(0, 100)
    return st.tuples(*[st.lists(cells, min_size=3, max_size=3)] * 2).map(
        lambda pair: tuple(numpy.array(cells, dtype) for cells in pair)
    )


DTYPES = ("float16", "float32", "float64", "longdouble", "int8", "uint64")
TIMES = ("datetime64[ns]", "timedelta64[D]")
PLAIN = st.one_of(
    st.tuples(NUMBERS, NUMBERS),
    st.tuples(WHOLE, WHOLE),
    st.tuples(st.datetimes(), st.datetimes()),
    *map(arrays_of, (*DTYPES, *TIMES)),
    st.tuples(arrays_of("float32"), arrays_of("float64")).map(
        lambda pairs: (pairs[0][0], pairs[1][1])
    ),
)
NESTED = st.lists(PLAIN, min_size=1, max_size=4).map(
    lambda pairs: tuple(
        {str(at): pair[side] for at, pair in enumerate(pairs)} for side in (0, 1)
    )
)
TABLES = st.tuples(arrays_of("float32"), arrays_of("int64")).map(
    lambda columns: tuple(
        pandas.DataFrame({"a": columns[0][side], "b": columns[1][side]})
        for side in (0, 1)
    )
)


class TestSuggested:
    def test_another_order_is_not_allowed_for_a_value_that_is_only_close(self):
        allowed = Tolerances('[[tolerance]]\nmatch = "*"\natol = 1.0').for_("risk")
        need = Need.of(compare(1.0, 1.5, allowed), "risk", "v")
        assert need.passes
        assert not need.order

    @settings(**UNHURRIED, max_examples=80)
    @given(pair=st.one_of(PLAIN, NESTED))
    def test_values_of_each_dtype_pass_with_what_is_suggested_for_them(self, pair):
        found = compare(*pair)
        text = suggested([Need.of(found, "risk", "v")])
        again = compare(*pair, Tolerances(text).for_("risk", [], "v"))
        hopeless = found.hopeless or "no tolerance would pass" in text
        assert hopeless or again.verdict in ("equal", "close"), text

    @settings(**UNHURRIED, max_examples=30)
    @given(pair=PLAIN)
    def test_it_is_hardly_looser_than_what_is_needed(self, pair):
        found = compare(*pair)
        need = Need.of(found, "risk", "v")
        if found.verdict == "different" and need.rtol:
            allowed = Tolerances(suggested([need])).for_("risk", [], "v")
            assert allowed.rtol <= need.rtol * 1.11

    @settings(**UNHURRIED, max_examples=20)
    @given(tables=TABLES)
    def test_two_runs_pass_with_the_file_of_their_own_diff(
        self, tables, tmp_path_factory
    ):
        folder = tmp_path_factory.mktemp("runs")
        roots = [str(folder / name) for name in ("one", "two")]
        for root, table in zip(roots, tables, strict=True):
            FileHandler(root).checkpoint("risk", table=table)
            FileHandler(root).checkpoint("risk.inner", table=table.astype("float64"))
        file = folder / "t.toml"
        file.write_text(diff(*roots).suggested_tolerances())
        assert diff(*roots, tolerances=str(file)).exit_code == 0

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_value_whose_dtype_differs_here_and_whose_numbers_there_needs_both(
        self, order
    ):
        pairs = [(numpy.float32([1]), numpy.float64([1])), ([1.0], [1.5])][::order]
        needs = [Need.of(compare(*pair), "risk", "v") for pair in pairs]
        allowed = Tolerances(suggested(needs)).for_("risk", [], "v")
        assert [compare(*pair, allowed).verdict for pair in pairs] == ["close"] * 2

    def test_what_has_passed_by_a_wider_dtype_passes_still(self):
        pairs = [
            (numpy.float32([0]), numpy.float32([5e-6])),
            (numpy.array([1.0]), numpy.array([1.5])),
        ]
        needs = [Need.of(compare(*pair), "risk", "v") for pair in pairs]
        allowed = Tolerances(suggested(needs)).for_("risk", [], "v")
        assert [compare(*pair, allowed).verdict for pair in pairs] == ["close"] * 2

    def test_a_list_and_a_tuple_pass_with_no_tolerance(self):
        need = Need.of(compare([1.0, 2.0], (1.0, 3.0)), "risk", "v")
        assert "no tolerance would pass" in suggested([need])


class TestFiles:
    @pytest.fixture
    def passes(self, tmp_path):
        """Saves pairs of values, and compares them with what is suggested for them."""

        def compared(*pairs, **options):
            roots = [str(tmp_path / name) for name in ("one", "two")]
            for root, side in zip(roots, (0, 1), strict=True):
                for day, pair in enumerate(pairs):
                    with tags(day=day):
                        FileHandler(root).checkpoint("risk", **pair[side])
            text = diff(*roots, **options).suggested_tolerances()
            file = tmp_path / "suggested.toml"
            file.write_text(text, encoding="utf-8")
            return diff(*roots, tolerances=str(file)).exit_code == 0

        return compared

    def test_a_column_passes_where_the_whole_value_needs_more(self, passes):
        index = pandas.Index([1.0, 2.0])
        frame = pandas.DataFrame({"px": [1.0, 2.0], "q": [1.0, 2.0]})
        indexed = frame.set_index(index)
        assert passes(
            ({"t": frame}, {"t": frame.assign(px=[1.1, 2.0])}),
            (
                {"t": indexed},
                {"t": indexed.assign(px=[1.5, 2.0]).set_index(index + 0.1)},
            ),
        )

    @pytest.mark.parametrize(
        "name", ["c" * 300, "it's", 'a"b', "a\\b", "é\x1bz", "\x7f\x9b", "[x]*?"]
    )
    def test_columns_pass_whatever_they_are_called(self, passes, name):
        tables = (pandas.DataFrame({name: [1.0, px]}) for px in (2.0, 2.1))
        assert passes([{"t": table} for table in tables])

    def test_what_has_passed_by_a_given_tolerance_passes_with_the_file_alone(
        self, passes, tmp_path
    ):
        given = tmp_path / "given.toml"
        given.write_text(
            "[[tolerance]]\nvalue = 'x'\nrtol = 0.5\n"
            "[[tolerance]]\nvalue = 'z'\nshare = 0.5\n"
        )
        nan = float("nan")
        pair = (
            {"x": 1.0, "y": 1.0, "z": [1.0, 2.0]},
            {"x": 1.2, "y": 1.2, "z": [1.0, nan]},
        )
        assert passes(pair, tolerances=str(given))

    def test_a_value_passes_that_needs_an_rtol_here_and_an_atol_there(self):
        pairs = [(1e9, 1.1e9), (0.0, 3.0)]
        needs = [Need.of(compare(*pair), "risk", "v") for pair in pairs]
        needs[0] = needs[0]._replace(atol=None)
        allowed = Tolerances(suggested(needs)).for_("risk", [], "v")
        assert [compare(*pair, allowed).verdict for pair in pairs] == ["close"] * 2
