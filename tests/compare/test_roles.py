"""What of the earlier saves may be an input: by threads, processes and noise."""

from __future__ import annotations

from operator import itemgetter

import pytest

from checkpoints import diff, index


def roles(runs):
    found = diff(*(run.root for run in runs))
    return {it.name: it.role for it in found if it.verdict == "different"}


def begin(run, name, thread="MainThread"):
    tags = {"call": 1}
    run.save(name, {"x": 1}, tags=tags, part="arguments", thread=thread)


def end(run, name, result, thread="MainThread"):
    tags = {"call": 1}
    run.save(f"{name}.result", result, tags=tags, part="result", thread=thread)


class TestInCalls:
    """What a call with equal arguments saves begins there, whatever came before it."""

    def of(self, runs, body):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("before", number)
            body(run, number)
            run.save("after", 0)
        found = diff(*(run.root for run in runs))
        return {it.name: (it.role, it.inputs) for it in found if it.role}

    def test_a_save_in_it_is_an_origin(self, runs):
        def body(run, number):
            begin(run, "fit")
            run.save("x", number, tags={"call": 1})
            end(run, "fit", number)

        role, inputs = self.of(runs, body)["x"]
        assert role == "origin"
        assert inputs == "those of fit, the call around it: equal by checksum"

    def test_only_the_first_that_differs_in_it_is(self, runs):
        def body(run, number):
            begin(run, "fit")
            run.save("x", number, tags={"call": 1})
            run.save("y", number, tags={"call": 1})
            end(run, "fit", number)

        found = self.of(runs, body)
        assert found["y"][0] == "possibly inherited"
        assert found["fit.result"][0] == "inherited"

    @pytest.mark.parametrize("lost", [0, 1])
    def test_a_save_that_lacks_in_it_may_be_where_it_began(self, runs, lost):
        def body(run, number):
            begin(run, "fit")
            if number - 1 != lost:
                run.save("w", 0, tags={"call": 1})
            run.save("x", number, tags={"call": 1})
            end(run, "fit", number)

        assert self.of(runs, body)["x"][0] == "possibly inherited"

    def test_a_call_that_has_ended_is_not_around_it(self, runs):
        def body(run, number):
            begin(run, "fit")
            end(run, "fit", 0)
            # Of a call that its rule left out.
            run.save("x", number, tags={"call": 1})

        assert self.of(runs, body)["x"][0] == "possibly inherited"

    def test_a_call_with_other_tags_is_not_around_it(self, runs):
        def body(run, number):
            begin(run, "fit")
            run.save("x", number, tags={"call": 2})
            end(run, "fit", 0)

        assert self.of(runs, body)["x"][0] == "possibly inherited"

    def test_a_call_whose_end_was_not_saved_proves_nothing(self, runs):
        def body(run, number):
            begin(run, "fit")
            run.save("x", number, tags={"call": 1})

        assert self.of(runs, body)["x"][0] == "possibly inherited"

    def test_a_call_with_other_arguments_proves_nothing(self, runs):
        def body(run, number):
            run.save("fit", {"x": number}, tags={"call": 1}, part="arguments")
            run.save("x", number, tags={"call": 1})
            end(run, "fit", number)

        assert self.of(runs, body)["x"][0] == "possibly inherited"

    def test_arguments_of_a_call_in_it_are_an_origin(self, runs):
        def body(run, number):
            begin(run, "fit")
            tags = {"call": 1, "part": "inner"}
            run.save("score", {"y": number}, tags=tags, part="arguments")
            run.save("score.result", number, tags=tags, part="result")
            end(run, "fit", number)

        found = self.of(runs, body)
        assert found["score"][0] == "origin"
        assert "y was given otherwise" in found["score"][1]
        assert found["score.result"][0] == "inherited"


class TestThreads:
    def test_a_save_of_another_thread_is_not_within_the_call(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            begin(run, "fit", "A")
            begin(run, "score", "B")
            run.save("x", number, thread="B")
            end(run, "fit", number, "A")
            end(run, "score", number, "B")
        assert roles(runs) == {
            "x": "origin",
            "fit.result": "origin",
            "score.result": "inherited",
        }

    def test_a_save_of_a_thread_that_runs_beside_it_is_no_input(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("a0", 0, thread="A").save("b0", 0, thread="B")
            run.save("a", number, thread="A").save("b", number, thread="B")
            run.save("a9", 0, thread="A").save("b9", 0, thread="B")
        assert roles(runs) == {"a": "origin", "b": "origin"}

    @pytest.mark.parametrize("place", ["thread", "pid"])
    def test_a_worker_may_inherit_what_was_there_before_it(self, runs, place):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("load", number, **{place: 1 if place == "pid" else "A"})
            run.save("work", number, **{place: 2 if place == "pid" else "B"})
            run.save("end", 0, **{place: 1 if place == "pid" else "A"}, time=1.8e9)
        assert roles(runs) == {"load": "origin", "work": "possibly inherited"}

    def test_what_a_thread_left_when_it_ended_may_be_inherited(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("start", 0)
            run.save("work", number, thread="B")
            run.save("total", number)
        assert roles(runs) == {"work": "origin", "total": "possibly inherited"}


class TestWithinCalls:
    def test_the_outcome_of_a_call_that_began_before_is_not_within_a_call(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            begin(run, "fit")
            begin(run, "score")
            end(run, "fit", number)
            end(run, "score", number)
        assert roles(runs) == {
            "fit.result": "origin",
            "score.result": "possibly inherited",
        }

    @pytest.mark.parametrize("place", [{"thread": "B"}, {"pid": 2}])
    def test_what_a_worker_saved_meanwhile_may_be_inherited(self, runs, place):
        for run, number in zip(runs, (1, 2), strict=True):
            moments = iter((1.8e9, 1.8e9 + 1, 1.8e9 + 2))
            tags = {"call": 1}
            run.save("fit", {"x": 1}, tags=tags, part="arguments", time=next(moments))
            run.save("x", number, time=next(moments), **place)
            told = {"tags": tags, "part": "result", "time": next(moments)}
            run.save("fit.result", number, **told)
        assert roles(runs) == {"x": "origin", "fit.result": "possibly inherited"}

    def test_of_what_is_unknown_in_a_call_its_result_may_be_inherited(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            begin(run, "fit")
            run.save("x", itemgetter(number))
            end(run, "fit", number)
        found = diff(*(run.root for run in runs))
        assert [it.name for it in found.unknown] == ["x"]
        assert found.first.role == "possibly inherited"
        assert found.first.inputs == "equal; x is unknown within the call"


class TestWithoutPartner:
    @pytest.mark.parametrize("having", [0, 1])
    def test_an_earlier_save_may_be_where_it_began(self, runs, having):
        runs[having].save("extra", 1)
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("x", number)
        assert roles(runs) == {"x": "possibly inherited"}


class TestInputs:
    def test_of_another_call_are_not_those_of_a_result(self, runs):
        result = {"part": "result"}
        begin(runs[0], "fit")
        end(runs[0], "fit", 1)
        # Of the first call the result is lost, and of the second the arguments.
        begin(runs[1], "fit")
        runs[1].save("fit.result", 2, tags={"call": 2}, **result)
        found = diff(*(run.root for run in runs))
        assert [it.verdict for it in found] == ["equal", "different"]
        assert found.first.inputs == "not known; nothing earlier differs"

    def test_that_differ_as_repeats_do_are_within_noise(self, runs, tmp_path):
        repeat = type(runs[0])(tmp_path / "again")
        values = (1.0, 1), (1.004, 2), (1.001, 1)
        for run, (x, result) in zip((*runs, repeat), values, strict=True):
            tags = {"call": 1}
            run.save("fit", {"x": x}, tags=tags, part="arguments")
            run.save("fit.result", {"result": result}, tags=tags, part="result")
        found = diff(*(run.root for run in runs), noise=[repeat.root])
        assert (found.first.name, found.first.role) == ("fit.result", "origin")
        assert found.first.inputs == "x within noise"


class TestArguments:
    def test_that_differ_first_are_the_origin(self, runs):
        for run, x in zip(runs, (3, 5), strict=True):
            run.save("load", 1)
            tags = {"call": 1}
            run.save("fit", {"x": x, "y": 1}, tags=tags, part="arguments")
            run.save("fit.result", x, tags=tags, part="result")
        assert roles(runs) == {"fit": "origin", "fit.result": "inherited"}
        assert diff(*(run.root for run in runs)).first.inputs == (
            "nothing earlier differs; x was given otherwise, has another default, or "
            "was made by what is not saved"
        )

    def test_that_differ_after_another_difference_inherit_it(self, runs):
        for run, x in zip(runs, (3, 5), strict=True):
            run.save("load", x)
            run.save("fit", {"x": x}, tags={"call": 1}, part="arguments")
        assert roles(runs) == {"load": "origin", "fit": "inherited"}


class TestWords:
    def test_name_the_earlier_save_that_is_not_equal(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("load", 0).save("a", number).save("b", number)
        last = [*diff(*(run.root for run in runs))][-1]
        assert last.inputs == "not known; an earlier save is not equal: a"

    def test_name_the_tags_of_the_earlier_save(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            for region in ("eu", "us"):
                run.save("cov", number, tags={"region": region})
        last = [*diff(*(run.root for run in runs))][-1]
        assert last.role == "possibly inherited"
        assert last.inputs.endswith("an earlier save is not equal: cov region=eu")

    def test_tell_that_something_earlier_differs_within_tolerance(self, runs):
        for run, step in zip(runs, (0.0, 1e-12), strict=True):
            run.save("a", 1 + step).save("b", step > 0)
        first = diff(*(run.root for run in runs)).first
        assert first.inputs == "not known; nothing earlier differs beyond tolerance"


class TestArgumentsThatWereNotSaved:
    @pytest.fixture
    def found(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            values = {"x": 1, "not saved": {"xs": "generator: TypeError: no pickle"}}
            run.save("fit", values, tags={"call": 1}, part="arguments")
            end(run, "fit", number)
            begin(run, "score")
            end(run, "score", 0)
        return diff(*(run.root for run in runs))

    def test_may_be_where_the_difference_came_from(self, found):
        assert [(it.verdict, it.role, it.inputs) for it in found][:2] == [
            ("equal", "", ""),
            ("different", "possibly inherited", "unknown: not saved: xs"),
        ]

    def test_are_named_once_in_the_report(self, found):
        assert found.as_json()["not_saved"] == [{"name": "fit", "values": ["xs"]}]
        line = "not compared  fit: not saved: xs"
        assert " ".join(line.split()) in " ".join(str(found).split())


class TestSelection:
    @pytest.fixture
    def runs(self, runs):
        for run, number in zip(runs, (1, 2), strict=True):
            run.save("load", number).save("fit", number)
        return runs

    def check(self, found):
        text = "not known; nothing earlier differs in what was selected"
        assert found.first.inputs == text
        assert "EARLIEST SELECTED" in str(found)

    def test_what_a_filter_left_out_may_differ_earlier(self, runs):
        self.check(diff(*(run.root for run in runs), names="fit"))

    def test_so_may_what_an_index_was_narrowed_from(self, runs):
        self.check(diff(*(index(run.root).where("fit") for run in runs)))
        walked = [index(run.root) for run in runs]
        assert [len(it) for it in walked] == [2, 2]
        self.check(diff(*(it.where("fit").sort("name") for it in walked)))

    def test_so_may_what_was_saved_before_a_file(self, runs):
        self.check(diff(*(index(run.root).where("fit")[0] for run in runs)))

    def test_nothing_is_left_out_by_a_filter_that_all_pass(self, runs):
        for names in ("*", ["load", "fit"], None):
            first = diff(*(run.root for run in runs), names=names).first
            assert first.inputs == "not known; nothing earlier differs"

    def test_arguments_that_differ_first_are_proved_no_origin(self, runs):
        for run, x in zip(runs, (3, 5), strict=True):
            run.save("other", {"x": x}, tags={"call": 1}, part="arguments")
        found = diff(*(run.root for run in runs), names="other")
        assert found.first.inputs.startswith("not known; nothing earlier differs in")
        assert "EARLIEST SELECTED" in str(found)
