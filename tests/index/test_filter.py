"""Filtering an index: by name and by tag, walked or not."""

from __future__ import annotations

import datetime
import gc
import os
import pickle
import weakref
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from checkpoints import (
    ConfigError,
    DictHandler,
    FileHandler,
    checkpoint,
    config,
    index,
    tags,
)
from checkpoints._environment import read_settings
from checkpoints._keys.condition import condition_of, conditions_in
from checkpoints._keys.entry_tags import ExactText
from checkpoints.storage import _case

DAYS = [datetime.date(2017, 3, day) for day in (1, 2, 3)]


@pytest.fixture
def root(tmp_path):
    """Two names for each day and model, one without tags, one with a repeated tag."""
    handler = FileHandler(tmp_path)
    for model in ("Ridge", "lasso"):
        for step, day in enumerate(DAYS):
            with tags(model=model, date=day, step=f"0{step}"):
                handler.checkpoint("mypkg.fit", 1)
                handler.checkpoint("mypkg.sub.predict", 2)
    handler.checkpoint("mypkgfoo", 3)
    with tags(("model", "Ridge"), ("model", "inner")):
        handler.checkpoint("other", 4)
    return tmp_path


def unwalked(root):
    return index(root)


def walked(root):
    found = index(root)
    assert len(found) == 14
    return found


@pytest.fixture(params=[unwalked, walked])
def found(request, root):
    return request.param(root)


@pytest.fixture
def listed(monkeypatch):
    """The folders that are listed, in order."""
    folders = []
    real = os.scandir

    def scandir(place):
        is_open = isinstance(place, int)
        path = os.readlink(f"/proc/self/fd/{place}") if is_open else str(place)
        folders.append(path)
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    return folders


class TestLongTexts:
    """Text that is too long for a file name is cut in the path."""

    LONG = "[ü*]" * 100
    NAME = "é" * 200

    @pytest.fixture
    def long_root(self, tmp_path):
        handler = FileHandler(tmp_path)
        for text in (self.LONG, self.LONG + "2"):
            with tags({self.NAME: text, "short": 1}):
                handler.checkpoint(f"a.{self.NAME}.b", text)
        return tmp_path

    @pytest.fixture(params=[False, True])
    def found(self, request, long_root):
        found = index(long_root)
        assert not request.param or len(found) == 2
        return found

    @pytest.mark.parametrize(
        "wrapped", [lambda it: it, lambda it: [it, "x"], lambda it: {it}]
    )
    def test_a_tag_is_found_by_all_of_it(self, found, wrapped):
        (entry,) = found.where(None, {self.NAME: wrapped(self.LONG)})
        assert entry.load() == {"data": self.LONG}
        assert len(found.where(None, {self.NAME: self.LONG + "3"})) == 0

    @pytest.mark.parametrize(
        "wrapped", [lambda it: it, lambda it: [it], lambda it: {it}]
    )
    def test_a_tag_that_was_no_text_is_found_by_what_it_was(self, tmp_path, wrapped):
        path = Path("A" * 300)
        with tags(file=path):
            FileHandler(tmp_path).checkpoint("a", 1)
        assert len(index(tmp_path).where(file=wrapped(path))) == 1
        assert len(index(tmp_path).where(file=wrapped(path / "b"))) == 0

    def test_where_nothing_is_found_it_is_told_as_it_was_asked(self, long_root):
        nothing = index(long_root).where(None, {self.NAME: "x" * 400})
        assert "__eq__" not in nothing.why_empty()
        assert "='xxx" in nothing.why_empty()

    def test_it_is_found_by_what_the_path_tells(self, found):
        entry = found[0]
        ((name, text), _) = entry.tags.items()
        assert list(found.where(entry.name, {name: text})) == [entry]
        assert list(found.where([entry.name], {name: [text]})) == [entry]

    @pytest.mark.parametrize("below", ["", ".b"])
    def test_a_name_is_found_by_all_of_it(self, found, below):
        name = f"a.{self.NAME}{below}"
        assert len(found.where(name)) == 2
        assert len(found.where(f"a.{self.NAME}x{below}")) == 0
        assert len(found.where([name])) == (2 if below else 0)
        assert len(found.where("a.é*")) == 2


TEXTS = st.text(max_size=300) | st.text("*?[]|!=<>.,-:%~0123456789 ", max_size=9)


class TestValuesOfTags:
    """A filter for the value of an entry's tag finds the entries that have it."""

    ABSENT = "n" * 400  # longer than any of the texts

    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(TEXTS, min_size=2, max_size=4, unique=True), st.booleans())
    @example(["a*b", "axb", "[a]*b", "=="], True)
    @example([">3", "4", "3..7", "7..3"], False)
    @example(["", " ", "=x", "==x"], False)
    @example(["a|b", "a", "b", "a,b"], True)
    @example(["x" * 300, "x" * 301, "é" * 299, "x"], False)
    def test_whatever_it_is(self, tmp_path_factory, texts, is_walked):
        root = tmp_path_factory.mktemp("values")
        for number, text in enumerate(texts):
            with tags(tag=text):
                FileHandler(root).checkpoint("a", number)
        found = index(root)
        assert not is_walked or len(found) == len(texts)
        for entry in list(index(root)):
            value, number = entry.tags["tag"], entry["data"]
            assert list(found.where(tag=value)) == [entry]
            assert list(found.where(tag=[value, self.ABSENT])) == [entry]
            assert list(found.where(tag=f"=={texts[number]}")) == [entry]
            written = conditions_in(condition_of("tag", texts[number]))
            assert list(found.where(None, written)) == [entry]
            rule = f"a?where={condition_of('tag', texts[number])}"
            assert self.saved(rule, texts) == self.saved(value, texts) == [number]

    @staticmethod
    def saved(wanted, texts):
        """The numbers of the texts that a rule takes, which is given in two ways."""
        where = {"tag": wanted}
        if not isinstance(wanted, ExactText):
            (setting,) = read_settings(wanted)
            where = setting.options["where"]
        handler = DictHandler()
        with config("a", handler, where=where):
            for number, text in enumerate(texts):
                with tags(tag=text):
                    checkpoint("a", number)
        return [values["data"] for values in handler.objects.values()]


class TestSpellings:
    """Capitals are encoded in the one kind of tree, and as they are in the other."""

    LONG = "A/Longish Model " * 20

    @pytest.fixture(params=["mixed", "walked"])
    def found(self, request, tmp_path, monkeypatch):
        for folds, value in ((True, 1), (False, 2)):
            monkeypatch.setitem(_case._known, str(tmp_path), folds)
            handler = FileHandler(tmp_path)
            for model in ("Ridge", "ridge", self.LONG):
                with tags(Model=model, of=value):
                    handler.checkpoint("MyPkg.Fit", value)
                    handler.checkpoint("mypkg.fit", value)
        found = index(tmp_path)
        assert request.param == "mixed" or len(found) == 12
        return found

    @pytest.mark.parametrize("model", ["Ridge", "ridge", "R*", ["Ridge", "x"], LONG])
    def test_a_tag_is_found_in_both(self, found, model):
        chosen = found.where("MyPkg.Fit", Model=model)
        assert [entry.load()["data"] for entry in chosen] == [1, 2]

    @pytest.mark.parametrize(
        "names", ["MyPkg", "MyPkg.Fit", "MyPkg.*", "*.F*", ["MyPkg.Fit"]]
    )
    def test_a_name_is_found_in_both_and_its_case_counts(self, found, names):
        chosen = found.where(names)
        assert {entry.name for entry in chosen} == {"MyPkg.Fit"}
        assert len(chosen) == 6

    def test_both_have_the_same_tags(self, found):
        one, other = (found.where("MyPkg", of=value) for value in (1, 2))
        texts = [{entry.tags["Model"] for entry in each} for each in (one, other)]
        assert texts[0] == texts[1]


class TestWhere:
    def test_a_filter_is_not_asked_of_what_an_earlier_one_took_away(self, root):
        with tags(kind="text", step="none"):
            FileHandler(root).checkpoint("other", 5)
        found = index(root)
        assert len(found) == 15
        numbered = found.where(date="*").where(step=lambda text: int(text) > 0)
        assert len(numbered) == 8

    @pytest.mark.parametrize(
        ("names", "wanted", "count"),
        [
            (None, {}, 14),
            ("mypkg", {}, 12),
            ("mypkg.fit", {}, 6),
            ("mypkg.*", {"date": "2017-03-0[12]"}, 8),
            ("*fit", {"model": "lasso"}, 3),
            (["other", "mypkgfoo"], {}, 2),
            ([], {}, 0),
            (None, {"date": DAYS[1]}, 4),
            (None, {"date": slice(DAYS[1], None)}, 8),
            (None, {"model": ["lasso", "inner"]}, 7),
            (None, {"model": "Ridge"}, 7),
            (None, {"model": "inner"}, 1),
            (None, {"step": 2}, 4),
            (None, {"step": lambda text: int(text) > 0}, 8),
            (None, {"step": range(1, 9), "model": "R*"}, 4),
            (None, {"nothing": "*"}, 0),
            ("nothing", {}, 0),
        ],
    )
    def test_it_gives_the_entries_that_fit(self, found, names, wanted, count):
        part = found.where(names, **wanted)
        assert len(part) == count
        everything = list(found)
        assert [entry for entry in everything if entry in part] == list(part)

    def test_it_can_be_repeated(self, found):
        part = found.where("mypkg").where(model="lasso").where("*fit", step=1)
        assert [(e.name, e.tags["step"]) for e in part] == [("mypkg.fit", "01")]

    def test_a_tag_whose_name_is_no_keyword_is_asked_for_in_a_mapping(self, tmp_path):
        with tags({"the tag": 1, "names": 2}):
            FileHandler(tmp_path).checkpoint("a", 1)
        assert len(index(tmp_path).where(None, {"the tag": 1}, names=2)) == 1
        assert len(index(tmp_path).where(None, {"the tag": 2}, names=2)) == 0

    def test_a_mapping_in_the_place_of_the_names_is_an_error(self, found):
        with pytest.raises(ConfigError, match=r"where\(None, "):
            found.where({"model": "lasso"})

    def test_a_function_of_all_tags_is_asked_as_that_of_a_rule(self, found):
        pair = ("model", "lasso")
        part = found.where("mypkg.fit", lambda pairs: pair in pairs, step=1)
        assert [entry.tags["model"] for entry in part] == ["lasso"]

    def test_an_error_of_that_function_tells_of_the_tags(self, found):
        with pytest.raises(KeyError) as told:
            len(found.where(None, lambda pairs: dict(pairs)["none"]))
        assert "as pairs of name and value" in told.value.__notes__[0]

    @pytest.mark.parametrize("second", ["lab.eval", ["lab.eval"], 3])
    def test_a_second_that_is_no_mapping_is_an_error_that_tells_how(
        self, found, second
    ):
        with pytest.raises(ConfigError, match=r"give several names as a list"):
            found.where("lab.note", second)

    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [(("a..b",), {}), ((3,), {}), ((), {"n": slice(1, 2, 3)})],
    )
    def test_what_cannot_be_asked_for_is_an_error_at_once(
        self, found, arguments, wanted
    ):
        with pytest.raises(ConfigError):
            found.where(*arguments, **wanted)

    def test_it_leaves_the_index_as_it_is(self, found):
        assert len(found.where(model="lasso")) == 6
        assert len(found) == 14

    def test_a_filtered_index_can_be_pickled_whatever_the_filter(self, found):
        part = found.where(step=lambda text: text == "01")
        assert list(pickle.loads(pickle.dumps(part))) == list(part)

    def test_it_finds_a_tag_that_stands_behind_a_name(self, tmp_path):
        """As in a folder above several roots, where the run is not a tag."""
        with tags(day=1):
            FileHandler(tmp_path / "run1").checkpoint("a", 1)
        with tags(day=2):
            FileHandler(tmp_path / "run2").checkpoint("a", 1)
        (entry,) = index(tmp_path).where(day=2)
        assert entry.name == "run2.a"


class TestWalk:
    def test_an_index_is_walked_when_it_is_looked_at(self, root, listed):
        found = index(root).where("mypkg")
        assert listed == [str(root)]
        with tags(model="late"):
            FileHandler(root).checkpoint("mypkg.fit", 1)
        assert len(found) == 13
        assert len(found) == 13
        with tags(model="later"):
            FileHandler(root).checkpoint("mypkg.fit", 1)
        assert len(found) == 13

    def test_names_that_are_not_asked_for_are_not_walked(self, root, listed):
        assert len(index(root).where("mypkg.fit")) == 6
        assert any(path.endswith("mypkg") for path in listed)
        assert not any(path.endswith("sub") for path in listed)

    def test_what_lies_under_other_tags_is_not_walked(self, root, listed):
        assert len(index(root).where(model="lasso", date=DAYS[0])) == 2
        entered = [path for path in listed if path.endswith(("mypkg", "sub"))]
        folder = root / "model=lasso" / "date=2017-03-01" / "step=00" / "mypkg"
        assert entered == [str(folder), str(folder / "sub")]

    def test_two_filters_take_one_walk(self, root, listed):
        part = index(root).where("mypkg").where(model="lasso")
        assert len(part) == 6
        assert listed.count(str(root)) == 2  # once to see that it is there

    def test_nor_does_one_that_was_made_before_the_other_was_looked_at(
        self, root, listed
    ):
        found = index(root)
        part = found.where(model="lasso")
        narrow = part.where("mypkg.fit").where(step=[0, 1])
        assert len(part) == 6
        del listed[:]
        assert [entry.tags["step"] for entry in narrow] == ["00", "01"]
        assert len(part.where("mypkg.fit")) == 3
        assert listed == []

    def test_nor_one_of_a_filter_that_took_nothing(self, root, listed):
        part = index(root).where(model="none")
        narrow = part.where("mypkg.fit")
        assert len(part) == 0
        del listed[:]
        assert len(narrow) == 0
        assert listed == []

    def test_what_holds_entries_lets_go_of_what_it_was_filtered_from(self, root):
        found = index(root)
        part = found.where(model="lasso")
        held = weakref.ref(found._selection)
        del found
        gc.collect()
        assert held() is not None
        assert len(part) == 6
        gc.collect()
        assert held() is None

    def test_the_other_case_and_the_other_spelling_are_not_walked(
        self, root, listed, monkeypatch
    ):
        for folds in (True, False):
            monkeypatch.setitem(_case._known, str(root), folds)
            with tags(model="Lasso", folds=folds):
                FileHandler(root).checkpoint("MyPkg.fit", 1)
                FileHandler(root).checkpoint("mypkg.fit", 1)
        del listed[:]
        assert len(index(root).where("MyPkg.fit", model="Lasso")) == 2
        entered = {os.path.basename(path) for path in listed}
        assert {"%4Dy%50kg", "MyPkg", "model=%4Casso", "model=Lasso"} <= entered
        assert "mypkg" not in entered

    def test_a_walked_index_is_not_walked_again(self, root, listed):
        found = index(root)
        assert len(found) == 14
        del listed[:]
        assert len(found.where(model="lasso")) == 6
        assert listed == []
