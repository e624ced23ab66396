"""Two runs are compared, and the first divergence is named."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from operator import itemgetter
from pathlib import Path

import pytest

from checkpoints import ConfigError, diff, index

numpy = pytest.importorskip("numpy", reason="the values are arrays")


def roots(runs):
    return [run.root for run in runs]


def verdicts(found):
    return [pair.verdict for pair in found]


def names(pairs):
    return [pair.name for pair in pairs]


class Unpicklable:
    def __eq__(self, other):
        raise RuntimeError("no")

    def __hash__(self):
        return 0


class TestVerdict:
    def test_of_equal_runs_is_equal_by_checksum(self, runs):
        for run in runs:
            run.save("feed.px", numpy.arange(9.0)).save("risk.cov", [1, 2])
        found = diff(*roots(runs))
        assert found.verdict == "equal"
        assert found.exit_code == 0
        assert {pair.by for pair in found} == {"checksum"}
        assert found.first is found.first_bit is None

    def test_of_a_difference_within_tolerance_is_close(self, runs):
        for run, step in zip(runs, (0, 1e-12), strict=True):
            run.save("feed.px", numpy.ones(3) + step)
        found = diff(*roots(runs))
        assert (found.verdict, found.exit_code) == ("close", 0)
        assert found.first is None
        assert found.first_bit.name == "feed.px"

    def test_of_a_difference_beyond_it_is_different(self, runs):
        for run, number in zip(runs, (1.0, 1.5), strict=True):
            run.save("feed.px", number)
        found = diff(*roots(runs))
        assert (found.verdict, found.exit_code) == ("different", 1)
        name, worst = found.first.worst
        assert (name, worst.texts) == ("data", ("1.0", "1.5"))

    def test_of_runs_with_nothing_in_common_is_unknown(self, runs):
        runs[0].save("feed.px", 1)
        runs[1].save("risk.cov", 1)
        found = diff(*roots(runs))
        assert (found.verdict, found.exit_code) == ("unknown", 2)
        assert found.as_json()["runs"][0]["names"] == ["feed.px"]

    def test_of_nothing_is_unknown(self, runs):
        for run in runs:
            run.save("feed.px", 1)
        nothing = [index(root)[:0] for root in roots(runs)]
        assert diff(*nothing).verdict == "unknown"
        assert "no entry in the baseline and the candidate" in str(diff(*nothing))

    def test_of_the_same_root_twice_is_equal(self, runs):
        runs[0].save("feed.px", 1)
        assert diff(runs[0].root, runs[0].root).verdict == "equal"

    @pytest.mark.parametrize("side", [0, 1])
    def test_of_an_entry_without_counterpart_is_different(self, runs, side):
        for run in runs:
            run.save("feed.px", 1)
        runs[side].save("risk.cov", 1)
        found = diff(*roots(runs))
        assert (found.verdict, found.exit_code) == ("different", 1)
        assert names(found.unpaired) == ["risk.cov"]
        assert found.unpaired[0].why == ("missing", "added")[side]
        assert found.first.name == "risk.cov"

    def test_of_a_value_on_one_side_is_different(self, runs):
        runs[0].save("feed.px", {"x": 1})
        runs[1].save("feed.px", {"x": 1, "y": 2})
        (pair,) = diff(*roots(runs))
        assert pair.verdict == "different"
        assert pair.values["y"].notes == ("only in the candidate",)

    def test_is_neither_true_nor_false(self, runs):
        runs[0].save("feed.px", 1)
        with pytest.raises(TypeError, match="verdict"):
            bool(diff(runs[0].root, runs[0].root))


class TestFirst:
    def test_is_in_the_order_of_the_program_not_of_the_paths(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("z.first", number).save("a.second", number)
        assert diff(*roots(runs)).first.name == "z.first"

    def test_bit_comes_before_the_first_beyond_tolerance(self, runs):
        for run, step in zip(runs, (0.0, 1e-13), strict=True):
            run.save("feed.px", 1 + step).save("risk.cov", 1 + 1e12 * step)
        found = diff(*roots(runs))
        assert found.first_bit.name == "feed.px"
        assert found.first.name == "risk.cov"

    def test_of_a_forked_process_comes_after_what_its_parent_saved_before(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("before", 1, pid=1)
            # The clock says that the child was earlier.
            run.save("child", number, pid=2, time=1.6e9, parent=(1, 1, "host"))
            run.save("after", number, pid=1)
        assert names(diff(*roots(runs))) == ["before", "child", "after"]

    def test_is_that_of_the_numbers_where_the_clock_is_set_back(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("z", number).save("a", number, time=1.6e9).save("b", number)
        assert names(diff(*roots(runs))) == ["z", "a", "b"]

    def test_stops_there_if_asked_to(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", 0).save("b", number).save("c", number)
        found = diff(*roots(runs), first_only=True)
        assert names(found) == ["a", "b"]

    def test_of_each_process_is_told(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            for pid in (1, 2):
                run.save("a", pid, tags={"w": pid}, pid=pid)
                run.save("b", number, tags={"w": pid}, pid=pid)
        processes = diff(*roots(runs)).as_json()["processes"]
        assert [(it["pid"], it["name"]) for it in processes] == [(1, "b"), (2, "b")]


class TestPairing:
    def test_tags_of_the_place_do_not_count(self, runs):
        for run in runs:
            run.save("a", 1, tags={"run": run.root, "host": run.root, "day": "3"})
        assert diff(*roots(runs)).verdict == "equal"

    def test_further_tags_can_be_left_out(self, runs):
        for number, run in enumerate(runs):
            run.save("a", 1, tags={"user": number})
        assert diff(*roots(runs)).verdict == "unknown"
        assert diff(*roots(runs), ignore_tags=["user"]).verdict == "equal"

    def test_names_and_tags_can_be_renamed(self, runs):
        runs[0].save("old.fit", 1, tags={"date": 3})
        runs[1].save("new.fit", 1, tags={"day": 3})
        assert diff(*roots(runs)).verdict == "unknown"
        renamed = diff(*roots(runs), rename={"old": "new", "date": "day"})
        assert renamed.verdict == "equal"

    def test_a_dropped_save_of_a_loop_is_found(self, runs):
        for number in range(200):
            runs[0].save("opt.iter", [number])
            if number != 57:
                runs[1].save("opt.iter", [number])
        found = diff(*roots(runs))
        assert len(found) == 200
        (missing,) = found.unpaired
        assert missing.occurrence == (58, 200)
        assert missing.baseline["data"] == [57]

    def test_an_inserted_save_is_found_though_all_others_changed(self, runs):
        names = ["load", "fit", "score"] * 30
        for number, name in enumerate(names):
            runs[0].save(name, number)
            runs[1].save(name, -number - 1)
            if number == 40:
                runs[1].save("extra", 1)
        found = diff(*roots(runs))
        assert [pair.name for pair in found.unpaired] == ["extra"]
        assert all(
            pair.candidate["data"] == -pair.baseline["data"] - 1
            for pair in found
            if pair.verdict == "different"
        )

    def test_two_files_are_compared_whatever_their_names(self, runs):
        runs[0].save("a", 1, tags={"day": 1})
        runs[1].save("b", 1, tags={"day": 2})
        one, other = (index(run.root)[0] for run in runs)
        assert diff(one, other).verdict == "equal"
        assert diff(one.path, other.path).verdict == "equal"

    def test_only_some_entries_are_compared(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a.x", 0, tags={"day": 1}).save("b.x", number, tags={"day": 1})
            run.save("a.x", number, tags={"day": 2})
        assert diff(*roots(runs), names="a", where={"day": "1"}).verdict == "equal"
        assert len(diff(*roots(runs), names=["a.x"])) == 2


class TestUnpaired:
    def test_what_a_rule_left_out_is_not_a_difference(self, runs):
        for call in range(1, 8):
            runs[0].save("a", call, tags={"n": call}, call=call)
            if call % 2:
                told = {"sampling": (("every", 2), ("turn", call))}
                runs[1].save("a", call, tags={"n": call}, call=call, **told)
        found = diff(*roots(runs))
        assert found.verdict == "equal"
        assert found.unpaired == []
        assert verdicts(found).count("unpaired") == 3


class TestRoles:
    def call(self, run, name, number, arguments, result, *inside):
        tags = {"call": number}
        run.save(name, arguments, tags=tags, part="arguments")
        for inner in inside:
            inner(run)
        run.save(f"{name}.result", {"result": result}, tags=tags, part="result")

    def roles(self, runs):
        return {p.name: p.role for p in diff(*roots(runs)) if p.verdict == "different"}

    def test_equal_arguments_and_another_result_are_the_origin(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            self.call(run, "fit", 1, {"x": 1}, number)
            self.call(run, "score", 1, {"model": number}, number)
        assert self.roles(runs) == {
            "fit.result": "origin",
            "score": "inherited",
            "score.result": "inherited",
        }

    def test_a_call_around_the_origin_inherits_it(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            self.call(
                run,
                "outer",
                1,
                {"x": 1},
                number,
                lambda run, number=number: self.call(run, "inner", 1, {"x": 1}, number),
            )
        assert self.roles(runs) == {
            "inner.result": "origin",
            "outer.result": "inherited",
        }

    def test_there_may_be_several_origins(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            self.call(run, "fit", 1, {"x": 1}, number)
            self.call(run, "plot", 1, {"title": "a"}, number)
        found = diff(*roots(runs))
        assert names(found.origins) == ["fit.result", "plot.result"]

    def test_an_exception_is_an_outcome_too(self, runs):
        for run, text in zip(runs, ("a", "b"), strict=True):
            tags = {"call": 1}
            run.save("fit", {"x": 1}, tags=tags, part="arguments")
            run.save("fit.exception", {"text": text}, tags=tags, part="exception")
        assert self.roles(runs) == {"fit.exception": "origin"}

    def test_without_inputs_the_first_is_the_origin_and_later_ones_may_inherit(
        self, runs
    ):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", number).save("b", number)
        assert self.roles(runs) == {"a": "origin", "b": "possibly inherited"}

    @pytest.mark.parametrize("lost", ["missing", "unknown"])
    def test_where_an_earlier_save_is_lost_the_difference_may_have_begun_there(
        self, runs, lost
    ):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", numpy.arange(99)).save("b", number)
        path = Path(index(runs[1].root).where("a")[0].path)
        if lost == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:50])
        assert self.roles(runs) == {"b": "possibly inherited"}

    def test_the_inputs_of_the_first_divergence_are_compared_to_the_byte(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            self.call(run, "fit", 1, {"x": numpy.arange(5)}, number)
        found = diff(*roots(runs))
        assert [pair.by for pair in found] == ["bytes", "values"]
        assert "equal to the byte" in found.first.inputs


class TestShared:
    def test_tags_of_all_differences_are_named(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            for day in range(5):
                value = number if day == 3 else 0
                run.save("a", value, tags={"day": day, "book": "EQ"})
                run.save("b", value, tags={"day": day, "book": "EQ"})
        (shared,) = diff(*roots(runs)).as_json()["shared_tags"]
        assert (shared["tag"], shared["value"], shared["others"]) == ("day", "3", 4)
        assert shared["pairs"] == 2


class TestNoise:
    def test_a_difference_as_large_as_that_of_repeats_is_noise(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        for run, number in zip((*runs, repeat), (1.0, 1.004, 1.001), strict=True):
            run.save("a", number)
        found = diff(*roots(runs), noise=[repeat.root])
        assert (found.verdict, found.exit_code) == ("noise", 0)

    def test_a_larger_one_is_none(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        for run, number in zip((*runs, repeat), (1.0, 1.006, 1.001), strict=True):
            run.save("a", number)
        assert diff(*roots(runs), noise=[repeat.root]).verdict == "different"

    @pytest.mark.parametrize(
        ("one", "other", "repeat"),
        [
            ([1.0, 2.0], [1.001, float("nan")], [1.001, 2.0]),
            ([1.0, float("nan")], [4.0, float("nan")], [1.0, 2.0]),
        ],
    )
    def test_what_repeats_do_not_have_is_never_noise(
        self, runs, tmp_path, one, other, repeat
    ):
        again = type(runs[0])(tmp_path / "again")
        for run, value in zip((*runs, again), (one, other, repeat), strict=True):
            run.save("a", numpy.array(value))
        assert diff(*roots(runs), noise=[again.root]).verdict == "different"

    def test_one_item_does_not_excuse_another(self, runs, tmp_path):
        again = type(runs[0])(tmp_path / "again")
        values = (1e6, 1.0, "k"), (2e6, 1.5, "x"), (2e6, 1.0, "k")
        for run, (u, v, t) in zip((*runs, again), values, strict=True):
            run.save("a", {"it": {"u": u, "v": v, "t": t}})
        assert diff(*roots(runs), noise=[again.root]).verdict == "different"

    def test_another_shape_is_never_noise(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        values = numpy.zeros(3), numpy.zeros(4), numpy.ones(3)
        for run, value in zip((*runs, repeat), values, strict=True):
            run.save("a", value)
        assert diff(*roots(runs), noise=[repeat.root]).verdict == "different"

    def test_one_repeat_need_not_be_in_a_list(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        for run, number in zip((*runs, repeat), (1.0, 1.004, 1.001), strict=True):
            run.save("a", number)
        for given in (repeat.root, Path(repeat.root), index(repeat.root)):
            assert diff(*roots(runs), noise=given).verdict == "noise"

    @pytest.mark.parametrize("side", [0, 1])
    def test_a_side_is_no_repeat_of_itself_nor_is_a_copy(self, runs, tmp_path, side):
        for run, number in zip(runs, (1.0, 2.0), strict=True):
            run.save("a", number)
        copy = shutil.copytree(runs[side].root, tmp_path / "copy")
        for given in (runs[side].root, copy):
            with pytest.raises(ConfigError, match="itself, which tells nothing"):
                diff(*roots(runs), noise=given)

    def test_a_repeat_counts_once(self, runs, tmp_path):
        for run, number in zip(runs, (1.0, 2.0), strict=True):
            run.save("a", number)
        again = type(runs[0])(tmp_path / "again").save("a", 1.5).root
        with pytest.raises(ConfigError, match="given twice"):
            diff(*roots(runs), noise=[again, again])

    def test_a_repeat_has_entries_of_the_baseline(self, runs, tmp_path):
        for run in runs:
            run.save("a", 1.0)
        other = type(runs[0])(tmp_path / "other").save("b", 1.0).root
        (tmp_path / "empty").mkdir()
        for given in (other, tmp_path / "empty"):
            with pytest.raises(ConfigError, match="no entry in common"):
                diff(*roots(runs), noise=given)


class TestFilters:
    @pytest.mark.parametrize(
        "wanted",
        [
            {"names": "new"},
            {"names": ["new.a"]},
            {"names": "new*", "where": {"date": 1}},
            {"where": {"date": "1"}},
            {"where": lambda tags: ("date", "1") in tags},
        ],
    )
    def test_mean_the_new_names_and_tags_on_both_sides(self, runs, tmp_path, wanted):
        repeat = type(runs[0])(tmp_path / "again")
        for run in (runs[0], repeat):
            number = 1.1 if run is repeat else 1.0
            run.save("old.a", number, tags={"day": 1}).save("z", 2.0)
        runs[1].save("new.a", 1.2, tags={"date": 1}).save("z", 3.0)
        rename = {"old": "new", "day": "date"}
        found = diff(*roots(runs), rename=rename, noise=repeat.root, **wanted)
        assert names(found) == ["new.a"]
        assert verdicts(found) == ["noise"]

    def test_that_leave_nothing_on_either_side_are_an_error(self, runs):
        for run in runs:
            run.save("risk.cov", 1.0)
        with pytest.raises(ConfigError, match=r"did you mean 'risk\.cov'"):
            diff(*roots(runs), names="risk.cvo")
        with pytest.raises(ConfigError, match="has the tag 'day'"):
            diff(*roots(runs), where={"day": 1}, rename={"risk": "r"})
        assert diff(*roots(runs), names="new", rename={"risk": "new"}).unpaired


class TestArguments:
    def test_one_tag_and_one_column_need_not_be_in_a_list(self, runs):
        for run, day in zip(runs, (1, 2), strict=True):
            run.save("a", 1.0, tags={"date": day})
        assert diff(*roots(runs), ignore_tags="date").verdict == "equal"
        assert diff(*roots(runs), ignore_tags=["date"], keys={"a": "id"}).exit_code == 0

    @pytest.mark.parametrize(
        "given",
        [
            {"ignore_tags": 5},
            {"ignore_tags": [5]},
            {"noise": 5},
            {"rename": "a=b"},
            {"rename": {"a": 5}},
            {"keys": {"a": 5}},
            {"keys": "id"},
            {"tolerances": 5},
            {"memory": "much"},
        ],
    )
    def test_of_a_wrong_type_are_errors_that_name_them(self, runs, given):
        for run in runs:
            run.save("a", 1.0)
        (name,) = given
        expected = "path" if name == "noise" else name
        with pytest.raises(ConfigError, match=expected):
            diff(*roots(runs), **given)


class TestTolerances:
    def test_come_from_a_file(self, runs, tmp_path):
        for run, number in zip(runs, (1.0, 1.001), strict=True):
            run.save("risk.cov", {"cov": number, "other": number})
        file = tmp_path / "tolerances.toml"
        file.write_text('[[tolerance]]\nmatch = "risk.*"\nvalue = "cov"\nrtol = 1e-2\n')
        (pair,) = diff(*roots(runs), tolerances=str(file))
        assert pair.values["cov"].verdict == "close"
        assert pair.values["other"].verdict == "different"

    def test_that_match_nothing_are_told(self, runs, tmp_path):
        for run in runs:
            run.save("a", 1.0)
        file = tmp_path / "tolerances.toml"
        file.write_text('[[tolerance]]\nmatch = "risk.*"\nrtol = 1e-2\n')
        found = diff(*roots(runs), tolerances=str(file)).as_json()
        assert "risk.*" in found["tolerances"]["unused"][0]

    def test_with_a_wrong_key_are_refused_with_the_line(self, runs, tmp_path):
        file = tmp_path / "tolerances.toml"
        file.write_text('[[tolerance]]\nmatch = "a"\nrtoll = 1\n')
        with pytest.raises(ConfigError, match=r"line 3.*rtol"):
            diff(*roots(runs), tolerances=str(file))

    def test_suggested_ones_just_pass(self, runs, tmp_path):
        pandas = pytest.importorskip("pandas", reason="a value is a frame")
        for run, step in zip(runs, (0.0, 0.3), strict=True):
            frame = pandas.DataFrame({"px": [1.0, 2.0 + step], "qty": [1, 2]})
            run.save("feed.px", frame).save("risk.cov", numpy.ones(3) + step)
        file = tmp_path / "tolerances.toml"
        found = diff(*roots(runs))
        assert found.verdict == "different"
        file.write_text(found.suggested_tolerances())
        assert 'column = "px"' in file.read_text()
        assert diff(*roots(runs), tolerances=str(file)).verdict == "close"


class TestBadInput:
    def test_a_damaged_entry_is_unknown_and_the_rest_goes_on(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", numpy.arange(99)).save("b", 0).save("c", number)
        path = index(runs[1].root).where("a")[0].path
        Path(path).write_bytes(Path(path).read_bytes()[:50])
        found = diff(*roots(runs))
        assert {pair.name: pair.verdict for pair in found} == {
            "a": "unknown",
            "b": "equal",
            "c": "different",
        }
        assert path in found.unknown[0].why

    def test_a_flipped_bit_is_not_a_difference(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", {"x": numpy.arange(999.0), "y": number})
        entry = index(runs[1].root)[0]
        data = bytearray(Path(entry.path).read_bytes())
        data[data.index(numpy.arange(999.0)[500:510].tobytes())] ^= 1
        Path(entry.path).write_bytes(data)
        (pair,) = diff(*roots(runs))
        assert pair.values["x"].verdict == "unknown"

    def test_pickles_are_compared_by_their_bytes_unless_trusted(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", {"same": complex, "other": itemgetter(number)})
        (pair,) = diff(*roots(runs))
        assert set(pair.values) == {"other"}
        assert pair.verdict == "unknown"
        (pair,) = diff(*roots(runs), trusted=True)
        assert pair.verdict == "different"

    def test_a_missing_library_is_told_in_short_and_once(self, runs, monkeypatch):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        for run, number in zip(runs, (1, 2), strict=True):
            for day in range(3):
                frame = pandas.DataFrame({"a": [number]})
                run.save("a", {"x": frame}, tags={"day": day})
        monkeypatch.setitem(sys.modules, "pandas", None)
        text = str(diff(*roots(runs)))
        assert text.count("needs pandas pyarrow ") == 3
        unknown = "a  day=0, a  day=1, a  day=2: needs pandas pyarrow; pip install"
        assert unknown in text
        assert text.count("pip install") == 1
        assert runs[0].root not in text.partition("entries")[2].partition("order")[2]

    def test_an_object_that_cannot_be_compared_is_unknown(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", {"x": Unpicklable(), "n": number})
        (pair,) = diff(*roots(runs), trusted=True)
        assert pair.verdict == "different"

    def test_a_file_that_is_gone_meanwhile_is_unknown(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", number).save("b", number)
        one, other = (index(run.root) for run in runs)
        len(one), len(other)
        Path(other.where("a")[0].path).unlink()
        assert sorted(verdicts(diff(one, other))) == ["different", "unknown"]

    def test_a_root_that_is_not_there_is_named(self, runs, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            diff(tmp_path, tmp_path / "nowhere")

    def test_too_little_memory_is_told_with_the_option_that_gives_more(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", number)
        (pair,) = diff(*roots(runs), memory="100B")
        assert pair.verdict == "unknown"
        assert "the limit is 50." in pair.why
        assert "--memory, or memory= in Python" in pair.why
        assert "max_bytes" not in pair.why

    def test_values_larger_than_the_memory_are_compared_in_parts(self, runs):
        for run, number in zip(runs, (1.0, 2.0), strict=True):
            array = numpy.zeros(500_000)
            array[-1] = number
            run.save("a", array)
        (pair,) = diff(*roots(runs), memory="2MB")
        assert pair.verdict == "different"
        assert pair.worst[1].where == "[499999]"


class TestProgress:
    def test_counts_entries_and_pairs(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a", number).save("b", number).save("c", number)
        told = []
        diff(*roots(runs), progress=lambda *numbers: told.append(numbers))
        assert told[-1] == (9, 9)
        assert [done for done, _ in told] == [*range(1, 10)]


class TestForms:
    @pytest.fixture
    def found(self, runs):
        for run, number in zip(runs, (1.0, 2.0), strict=True):
            run.save("a<b>", {"x": number, "t": f"<script>{number}</script>"})
            run.save("z", float("nan") if number == 1 else number)
        return diff(*roots(runs))

    def test_json_is_strict_and_has_its_version(self, found):
        text = json.dumps(found.as_json(), allow_nan=False)
        assert json.loads(text)["schema"] == "checkpoints.diff/1"

    def test_a_table_has_a_row_for_each_pair(self, found):
        pytest.importorskip("pyarrow", reason="it is a table of Arrow")
        table = found.pairs
        assert table.column("verdict").to_pylist() == ["different", "different"]
        assert table.column("value").to_pylist() == ["t", "data"]
        assert table.column("beyond").to_pylist() == [1, 1]

    def test_printed_it_is_a_report(self, found):
        assert str(found).startswith("DIFFERENT  first beyond tolerance: a<b>")

    def test_a_notebook_shows_a_page_without_what_files_say_unescaped(self, found):
        page = found._repr_html_()
        assert "<script" not in page
        assert "&lt;script&gt;" in page

    def test_repr_is_short(self, found):
        assert repr(found).startswith("<Diff of 2 pairs: different, first at <Entry")

    def test_pairs_can_be_pickled(self, found):
        assert pickle.loads(pickle.dumps(found.first)).name == "a<b>"


class TestWrongArguments:
    @pytest.mark.parametrize(
        ("options", "advice"),
        [
            ({"tolerance": {}}, "did you mean 'tolerances'?"),
            ({"baseline": "a"}, "there are 'tolerances', 'names', 'where'"),
        ],
    )
    def test_an_option_that_there_is_not_is_told_with_the_nearest(
        self, options, advice
    ):
        with pytest.raises(TypeError) as caught:
            diff("a", "b", **options)
        assert f"has no option '{next(iter(options))}'" in str(caught.value)
        assert advice in str(caught.value)

    def test_a_third_run_is_told(self):
        with pytest.raises(TypeError, match="and 3 were given"):
            diff("a", "b", "c")
