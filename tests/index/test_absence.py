"""Why nothing is found: the condition that no entry meets, and the existing values."""

from __future__ import annotations

import pickle

import pytest

from checkpoints import FileHandler, index, tags


@pytest.fixture
def root(tmp_path):
    """Two names for each of three steps and two models, and a third name once."""
    handler = FileHandler(tmp_path)
    for step in (9, 10, 11):
        for model in ("ridge", "lasso"):
            with tags(step=step, model=model):
                handler.checkpoint("mypkg.fit", 1)
                handler.checkpoint("mypkg.predict", 1)
    handler.checkpoint("other", 1)
    return tmp_path


def unwalked(root):
    return index(root)


def walked(root):
    found = index(root)
    assert len(found) == 13
    return found


@pytest.fixture(params=[unwalked, walked])
def found(request, root):
    return request.param(root)


class TestWhyEmpty:
    @pytest.mark.parametrize(
        ("names", "wanted", "told"),
        [
            (
                "mypkg.ftt",
                {},
                "no entry has the name 'mypkg.ftt'; did you mean 'mypkg.fit'?",
            ),
            (
                "zzz",
                {},
                (
                    "no entry has the name 'zzz'; there are 'mypkg.fit', "
                    "'mypkg.predict', 'other'"
                ),
            ),
            (["a"], {}, "no entry has one of the names ('a',); there are 'mypkg.fit'"),
            (
                None,
                {"modle": "x"},
                "no entry has the tag 'modle'; did you mean 'model'",
            ),
            (
                None,
                {"step": 7},
                "no entry has 'step'=7; there are '9', '10', '11'",
            ),
            (
                None,
                {"model": "rigde"},
                "no entry has 'model'='rigde'; did you mean 'ridge'?",
            ),
            (
                None,
                {"step": "1"},
                "no entry has 'step'='1'; there are '9', '10', '11'",
            ),
            (
                None,
                {"step": ">111"},
                "no entry has 'step'='>111'; there are '9', '10', '11'",
            ),
            (
                "other",
                {"step": 9},
                (
                    "no entry that matches the other conditions has the tag 'step'; "
                    "there are none"
                ),
            ),
            (
                "mypkg",
                {"step": 9, "model": "x"},
                (
                    "no entry that matches the other conditions has 'model'='x'; "
                    "there are 'lasso', 'ridge'"
                ),
            ),
            (
                None,
                lambda pairs: ("step", "7") in pairs,
                "no entry is accepted by the function of all tags",
            ),
        ],
    )
    def test_it_tells_what_no_entry_has(self, found, names, wanted, told):
        assert found.where(names, wanted).why_empty().startswith(told)

    def test_a_name_that_was_given_as_a_tag_is_told_where_it_belongs(self, found):
        told = found.where(name="mypkg.fit").why_empty()
        assert told.startswith(
            "no entry has the tag 'name'; where('mypkg.fit') finds a name; "
        )

    def test_it_stands_in_the_repr(self, found):
        part = found.where("mypkg.ftt")
        assert repr(part).endswith(f": {part.why_empty()}>")
        assert repr(found.where("other")).endswith(f"under {found.root!r}>")

    def test_it_remembers_the_filters_before(self, found):
        part = found.where("mypkg.fit").where(model="ridge").where(step="x")
        told = part.why_empty()
        assert told.endswith("has 'step'='x'; there are '9', '10', '11'")

    def test_what_is_empty_stays_so_for_the_same_reason(self, found):
        part = found.where(modle="x")
        for same in (part.latest(), part[:], part.sort("name"), part.where("other")):
            assert same.why_empty() == part.why_empty()

    def test_it_is_no_text_where_there_are_entries(self, found):
        assert found.where("mypkg").why_empty() == ""

    def test_of_many_values_it_tells_some(self, root):
        for step in range(100, 120):
            with tags(step=step):
                FileHandler(root).checkpoint("mypkg.fit", 1)
        told = index(root).where(step=">500").why_empty()
        assert told.endswith(
            "'9', '10', '11', '100', '101', '102', '103', '104' and 15 more"
        )

    def test_an_empty_folder_says_so(self, tmp_path):
        assert index(tmp_path).where("a").why_empty() == "nothing was saved there"

    def test_a_part_that_was_taken_by_position_says_less(self, found):
        assert found[99:].why_empty() == "no entry was selected"

    @pytest.mark.parametrize("position", [0, -1, [0]])
    def test_who_takes_an_entry_all_the_same_is_told(self, found, position):
        for part in (found.where("mypkg.ftt"), found.where("mypkg.ftt").latest()):
            with pytest.raises(IndexError, match=r"did you mean 'mypkg\.fit'\?"):
                part[position]

    def test_a_position_beyond_the_last_tells_how_many_there_are(self, found):
        for position in (13, -14, [0, 13]):
            with pytest.raises(IndexError, match="out of range for 13 entries"):
                found[position]

    def test_a_filter_before_the_walk_and_one_after_it_are_told_alike(self, root):
        part = index(root).where("mypkg.fit")
        late = part.where(model="x").where(step="y")
        assert len(part) == 6
        assert (
            late.why_empty() == "no entry has 'model'='x'; there are 'lasso', 'ridge'"
        )

    def test_an_index_without_entries_can_be_pickled(self, found):
        part = found.where(step=lambda text: text == "7")
        assert pickle.loads(pickle.dumps(part)).why_empty()

    def test_what_was_saved_is_harmless(self, tmp_path):
        with tags({"a\x1b": "\x1b[2J"}):
            FileHandler(tmp_path).checkpoint("b\x1b", 1)
        for part in (("x",), (None, {"x": 1}), (None, {"a\x1b": 1})):
            assert "\x1b" not in index(tmp_path).where(*part).why_empty()
