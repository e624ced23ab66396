"""`point()`: a save point as an object, right at once wherever it is."""

from __future__ import annotations

import os
import pickle
import sys
import threading

import pytest

import checkpoints
from checkpoints import DictHandler, Point, capture, config, deprecate, point
from checkpoints.errors import ConfigError


@pytest.fixture
def fit(request):
    return point(f"points.{request.node.name.replace('.', '_')}", "fit")


class TestPoint:
    def test_saves_as_checkpoint_does(self, fit):
        with capture(fit.name) as seen:
            fit(coef=1, alpha=2)
            assert seen[fit.name] == {"coef": 1, "alpha": 2}
            fit([3])
            assert seen[fit.name] == {"data": [3]}

    def test_saves_nothing_while_no_rule_is_on(self, fit):
        before = checkpoints.stats().saved
        assert fit(coef=1) is None
        assert checkpoints.stats().saved == before

    def test_is_one_object_for_each_name(self):
        assert point("points.one") is point("points", "one")
        assert point("points.one") is not point("points.two")

    def test_is_one_object_whichever_thread_asks_first(self):
        together = threading.Barrier(4)
        found = []

        def ask():
            together.wait()
            found.extend(point(f"points.asked{number}") for number in range(500))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for each in threads:
                each.start()
            for each in threads:
                each.join()
        finally:
            sys.setswitchinterval(interval)
        assert len(found) == 2_000
        assert len({*map(id, found)}) == 500
        assert not any(it.on for it in found)

    def test_declares_its_name(self):
        point("points.declared")
        assert "points.declared" in checkpoints.available()

    @pytest.mark.parametrize("name", ["", "a..b", 5])
    def test_needs_a_name_that_can_be_one(self, name):
        with pytest.raises(ConfigError):
            point(name)

    def test_says_what_it_is(self, fit):
        assert repr(fit) == f"<Point {fit.name!r}, off>"


class TestOn:
    def test_follows_rules_as_they_come_and_go(self, fit):
        assert not fit.on
        with config("points", DictHandler()):
            assert fit.on
            with config(fit.name, None):
                assert not fit.on
            assert fit.on
        assert not fit.on

    def test_of_a_point_that_is_made_under_a_rule_is_true_at_once(self):
        with config("points", DictHandler()):
            assert point("points.made_late").on

    def test_is_right_in_another_thread_at_once(self, fit):
        seen = []
        ready, go = threading.Event(), threading.Event()

        def watch():
            seen.append(fit.on)
            ready.set()
            go.wait(10)
            seen.append(fit.on)

        thread = threading.Thread(target=watch)
        thread.start()
        ready.wait(10)
        with config("points", DictHandler()):
            go.set()
            thread.join()
        assert seen == [False, True]

    def test_ends_when_the_limit_is_used_up(self, fit):
        kept = DictHandler(force=True)
        with config("points", kept, limit=2):
            for number in range(5):
                fit(number)
            assert not fit.on
            assert kept[fit.name] == {"data": 1}
        with config("points", kept):
            assert fit.on

    def test_stays_while_another_rule_may_save(self, fit):
        kept = DictHandler(force=True)
        with (
            config("points", kept),
            config("points", kept, limit=1, where={"day": 1}),
        ):
            with checkpoints.tags(day=1):
                fit(1)
                fit(2)
            assert fit.on
            fit(3)
        assert kept[fit.name.replace(".", "/")] == {"data": 3}

    def test_survives_a_pickle(self, fit):
        assert pickle.loads(pickle.dumps(fit)) is fit

    def test_of_a_pickle_follows_the_rules_where_it_is_loaded(self, fit):
        data = pickle.dumps(fit).replace(b"fit", b"fix")
        with config("points", DictHandler()):
            assert pickle.loads(data).on

    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
    def test_is_right_in_a_fork_where_limits_begin_anew(self, fit):
        with config("points", DictHandler(), limit=1):
            fit(1)
            fit(2)
            assert not fit.on
            child = os.fork()
            if not child:
                os._exit(0 if fit.on else 1)
            assert os.waitpid(child, 0)[1] == 0

    def test_of_an_old_name_is_that_of_the_new_one(self):
        old = point("points.train")
        deprecate("points.train", "points.trained")
        with config("points.trained", DictHandler()) as rule:
            assert old.on
            with pytest.warns(DeprecationWarning, match=r"is now 'points\.trained'"):
                old(1)
            assert rule.handlers[0]["points.trained"] == {"data": 1}

    def test_is_nobody_elses_to_keep(self):
        assert isinstance(point("points.kept"), Point)
        assert not hasattr(point("points.kept"), "__dict__")
