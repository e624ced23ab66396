"""Tolerances, and the file that they stand in."""

from __future__ import annotations

import datetime

import pytest

from checkpoints import diff
from checkpoints._compare.suggestions import Need, suggested
from checkpoints._compare.tolerance import Tolerance
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.values import compare
from checkpoints.errors import ConfigError

FILE = """\
[[tolerance]]
match = "risk.*"
where = {book = "EQ"}
rtol = 1e-9
reason = "BLAS"

[[tolerance]]
match = "risk.cov"
value = "c*"
column = "px_*"
atol = "1e-12*max"
"""


class TestTolerance:
    @pytest.mark.parametrize(
        ("dtype", "rtol", "atol"),
        [
            ("float64", 1e-7, 1e-7),
            ("float32", 1.3e-6, 1e-5),
            ("bfloat16", 1.6e-2, 1e-5),
            ("complex64", 1.3e-6, 1e-5),
            ("int64", 0, 0),
            ("text", 0, 0),
            ("datetime", 0, 0),
        ],
    )
    def test_the_dtype_decides_where_nothing_is_given(self, dtype, rtol, atol):
        assert Tolerance().bounds(dtype)[:2] == (rtol, atol)

    def test_what_is_not_given_beside_another_limit_is_zero(self):
        assert Tolerance(rtol=0.1).bounds("float64")[:2] == (0.1, 0.0)
        assert Tolerance(ulp=2).bounds("float64")[:2] == (0.0, 0.0)

    @pytest.mark.parametrize(
        "given",
        [
            *({"rtol": -1}, {"rtol": "a"}, {"rtol": float("nan")}, {"atol": "1*min"}),
            *({"atol": "-1*max"}, {"ulp": 1.5}, {"share": 2}, {"nan": "no"}),
            *({"until": "2027"}, {"dtype": "float"}, {"rtol": True}),
        ],
    )
    def test_what_is_invalid_is_refused_with_its_name(self, given):
        with pytest.raises(ConfigError, match=f"invalid {next(iter(given))}="):
            Tolerance(**given)

    def test_a_date_in_quotes_is_refused_with_the_way_out(self):
        text = "[[tolerance]]\nrtol = 1.0\nuntil = '2027-01-01'\n"
        with pytest.raises(ConfigError, match=r"line 3: .* without quotes"):
            Tolerances(text)

    def test_one_that_has_expired_is_told_and_not_applied(self):
        until = datetime.date(2020, 1, 1)
        found = compare(1.0, 2.0, Tolerance(atol=5.0, until=until, source="t.toml:3"))
        assert found.verdict == "different"
        assert found.notes == ("the tolerance t.toml:3 expired on 2020-01-01",)


class TestFile:
    def test_the_last_entry_that_matches_counts(self):
        table = Tolerances(FILE, "t.toml")
        tags = [("book", "EQ")]
        assert str(table.for_("risk.var", tags)) == "rtol 1e-09 (t.toml:1 BLAS)"
        found = table.for_("risk.cov", tags, "cov", "px_close")
        assert str(found) == "atol 1e-12*max (t.toml:7)"

    @pytest.mark.parametrize(
        "asked",
        [
            ("feed.px", [("book", "EQ")]),
            ("risk.var", [("book", "FX")]),
            ("risk.var", []),
            ("risk.cov", [], "cov"),
            ("risk.cov", [], "cov", "n"),
            ("risk.cov", [], "mean", "px_close"),
        ],
    )
    def test_what_no_entry_matches_is_by_dtype(self, asked):
        assert Tolerances(FILE).for_(*asked).is_by_dtype()

    def test_entries_that_match_nothing_are_listed(self):
        table = Tolerances(FILE, "t.toml")
        table.for_("risk.var", [("book", "EQ")])
        assert table.unused() == [
            "t.toml:7 match='risk.cov' value='c*' column='px_*'",
        ]

    @pytest.mark.parametrize("schema", [[], [3], [[]], [["y", "int64"]]])
    def test_a_column_that_no_header_names_matches_nothing(self, schema):
        table = Tolerances("[[tolerance]]\ncolumn = 'x'\nrtol = 1.0", "t.toml")
        table.see("risk", tuple)
        assert table.unused(lambda _: [("v", {"schema": schema})]) == [
            "t.toml:1 column='x'"
        ]

    def test_one_that_has_expired_leaves_the_one_before(self):
        text = FILE + "[[tolerance]]\nmatch = 'risk'\nrtol = 1.0\nuntil = 2020-01-01\n"
        table = Tolerances(text, "t.toml")
        assert table.for_("risk.var", [("book", "EQ")]).rtol == 1e-9
        assert table.expired() == ["t.toml:12 match='risk', until 2020-01-01"]
        assert len(table.unused()) == 1

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "[[tolerance]]\nrtoll = 1",
                "t.toml, line 2: unknown key 'rtoll': did you mean 'rtol'?",
            ),
            ("a = 1", "t.toml, line 1: unknown table 'a'"),
            (
                "[[tolerances]]",
                "t.toml, line 1: unknown table 'tolerances'; each entry begins [[",
            ),
            ("[tolerance]\nrtol = 1", "t.toml, line 1: begin each entry with a line"),
            ("[[tolerance]]\nmatch = 'a'\n\nrtol = -1", "t.toml, line 4: invalid rtol"),
            ("[[tolerance]]\nmatch = 3", "t.toml, line 2: invalid checkpoint names"),
            ("[[tolerance]]\nvalue = 3", "t.toml, line 2: value=3 must be a text"),
            ("[[tolerance]]\nwhere = 3", "t.toml, line 2: where=3"),
            (
                "[[tolerance]]\natol = 1\n[[tolerance]]\natol = 'x'",
                "t.toml, line 4: invalid atol",
            ),
            ("[[tolerance", "t.toml is not valid TOML"),
        ],
    )
    def test_a_mistake_is_told_with_its_line(self, text, message):
        with pytest.raises(ConfigError) as caught:
            Tolerances(text, "t.toml")
        assert str(caught.value).startswith(message)

    def test_a_file_is_read(self, tmp_path):
        path = tmp_path / "t.toml"
        path.write_text(FILE)
        assert Tolerances.in_file(str(path)).for_("risk.var", [("book", "EQ")]).rtol
        with pytest.raises(ConfigError, match="cannot read"):
            Tolerances.in_file(str(tmp_path / "none.toml"))


class TestSuggested:
    def test_what_is_suggested_passes(self):
        one, other = [1.0, 2.0, 3.0], [1.0, 2.02, 3.09]
        found = compare(one, other)
        needs = [Need.of(found, "risk.cov", "cov")]
        table = Tolerances(suggested(needs))
        assert compare(one, other, table.for_("risk.cov", [], "cov")).verdict == "close"
        assert table.for_("risk.cov", [], "cov").rtol <= 0.031

    def test_what_passed_before_passes_still(self):
        one, other = [0.0, 1.0], [5e-8, 1.5]
        table = Tolerances(suggested([Need.of(compare(one, other), "risk", "cov")]))
        assert compare(one, other, table.for_("risk", [], "cov")).verdict == "close"

    def test_what_covers_others_comes_before_them(self):
        needs = [
            Need("a.b", "v", "", 0.1, None),
            Need("a", "v", "", 0.3, None),
            Need("a.b", "v", "x", 0.2, None),
        ]
        table = Tolerances(suggested(needs))
        found = [table.for_("a.b", [], "v", column).rtol for column in ("", "x")]
        assert found == [0.1, 0.2]

    @pytest.mark.parametrize("name", ["px[0]", "a*", "what?", "[!a]"])
    def test_names_with_the_letters_of_patterns_match_themselves(self, name):
        table = Tolerances(suggested([Need("a", name, name, 0.1, None)]))
        assert table.for_("a", [], name, name).rtol == 0.1
        assert table.for_("a", [], "other", "other").is_by_dtype()

    def test_the_largest_need_of_a_value_counts(self):
        text = suggested([Need("a", "v", "", 0.1, 1.0), Need("a", "v", "", 0.3, 0.5)])
        assert text.count("[[tolerance]]") == 1
        assert "rtol = 3.0e-01" in text

    def test_without_a_relative_one_the_absolute_one_is_suggested(self):
        text = suggested([Need("a", "v", 'p"x', None, 0.251)])
        assert Tolerances(text).for_("a", [], "v", 'p"x').atol == 0.26

    def test_what_no_tolerance_lets_pass_is_a_comment(self):
        text = suggested([Need("a", "v", "", None, None)])
        assert "no tolerance would pass" in text
        assert Tolerances(text).unused() == []


class TestShown:
    FILE = (
        "[[tolerance]]\nmatch = '*'\nrtol = 0.5\n"
        "[[tolerance]]\nmatch = 't'\ncolumn = 'px'\nrtol = 1e-3\nreason = 'BLAS'\n"
    )

    @pytest.mark.parametrize(
        ("column", "other", "shown"),
        [
            ("px", 1.1, "rtol 0.001 (t.toml:4 BLAS)"),
            ("qty", 9.0, "rtol 0.5 (t.toml:1)"),
        ],
    )
    def test_is_the_tolerance_of_the_place_that_is_shown(
        self, runs, tmp_path, monkeypatch, column, other, shown
    ):
        pandas = pytest.importorskip("pandas")
        monkeypatch.chdir(tmp_path)
        (tmp_path / "t.toml").write_text(self.FILE)
        for run, number in zip(runs, (1.0, other), strict=True):
            frame = pandas.DataFrame({"px": [1.0, 1.0], "qty": [1.0, 1.0]})
            frame.loc[1, column] = number
            run.save("t", {"df": frame})
        roots = [run.root for run in runs]
        (line,) = (
            line
            for line in str(diff(*roots, tolerances="t.toml")).splitlines()
            if line.startswith("  allowed")
        )
        assert shown in line
