"""Handlers: the two methods, and the handlers for memory and functions."""

from __future__ import annotations

import itertools

import pytest

from checkpoints import (
    AlreadyStoredError,
    ConfigError,
    DictHandler,
    Handler,
    Key,
    Session,
    checkpoint,
    config,
    tags,
)

_numbers = itertools.count()


@pytest.fixture
def name():
    """A checkpoint name that no other test uses, because names stay registered."""
    return f"handled{next(_numbers)}.fit"


class Recorder(Handler):
    """Implements only the required method."""

    def __init__(self):
        self.calls = []

    def commit(self, key, staged):
        self.calls.append((key, staged))


class Appending(Recorder):
    """Implements both methods: it stages a list of everything it receives."""

    def stage(self, staged, data):
        return [*(staged or []), dict(data)]


class TestHandler:
    def test_commit_gets_the_key_and_all_values(self, name):
        recorder = Recorder()
        config(name, recorder)
        with tags(fold=1):
            checkpoint(name, {"x": 1}, y=2)
        ((key, staged),) = recorder.calls
        assert key == Key(name, (("fold", 1),))
        assert staged == {"x": 1, "y": 2}

    def test_the_key_knows_where_the_save_came_from(self, name):
        recorder = Recorder()
        config(name, recorder)
        checkpoint(name, 1)
        ((key, _),) = recorder.calls
        assert key.origin.file == __file__

    def test_a_stage_of_its_own_is_used_by_a_call(self, name):
        handler = Appending()
        config(name, handler)
        checkpoint(name, 1)
        assert [staged for _, staged in handler.calls] == [[{"data": 1}]]

    def test_a_stage_of_its_own_is_used_by_a_session(self, name):
        handler = Appending()
        config(name, handler)
        with Session(name) as session:
            session.checkpoint(x=1)
            session.checkpoint(x=2)
        assert [staged for _, staged in handler.calls] == [[{"x": 1}, {"x": 2}]]

    def test_the_default_stage_gathers_a_dict(self):
        handler = Recorder()
        first = handler.stage(None, {"x": 1})
        assert first == {"x": 1}
        assert handler.stage(first, {"y": 2, "x": 3}) == {"x": 3, "y": 2}

    def test_the_default_stage_leaves_the_data_alone(self):
        data = {"x": 1}
        Recorder().stage(Recorder().stage(None, data), {"y": 2})
        assert data == {"x": 1}

    def test_a_handler_without_commit_says_what_is_missing(self):
        class Idle(Handler):
            pass

        with pytest.raises(
            NotImplementedError, match=r"Idle must define commit\(key, staged\)"
        ):
            Idle().checkpoint("a", 1)

    def test_it_saves_directly_without_any_rule(self):
        recorder = Recorder()
        with tags(fold=1):
            recorder.checkpoint("mypkg.fit", {"x": 1}, y=2)
            recorder.checkpoint("mypkg.fit", x=3)
            recorder.checkpoint("mypkg.fit", None)
        assert recorder.calls == [
            (Key("mypkg.fit", (("fold", 1),)), values)
            for values in ({"x": 1, "y": 2}, {"x": 3}, {"data": None})
        ]

    def test_saving_directly_raises_what_hinders_it(self):
        class Failing(Handler):
            def commit(self, key, staged):
                raise RuntimeError("no room")

        with pytest.raises(RuntimeError, match="no room"):
            Failing().checkpoint("a", 1)
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            Recorder().checkpoint("a..b", 1)
        with pytest.raises(ConfigError, match="given twice"):
            Recorder().checkpoint("a", {"x": 1}, x=2)


class TestFunction:
    def test_it_gets_the_key_and_a_dict_of_its_own(self, name):
        data = {"x": 1}
        config(name, lambda key, values: values.clear(), on_error="raise")
        checkpoint(name, data)
        assert data == {"x": 1}

    def test_its_error_is_that_of_the_save(self, name, caplog):
        def refuse(key, data):
            raise RuntimeError("not today")

        config(name, refuse)
        checkpoint(name, 1)
        assert "refuse" in caplog.text
        assert "RuntimeError: not today" in caplog.text


class TestDictHandler:
    def test_the_path_of_the_key_leads_to_the_values(self):
        handler = DictHandler()
        with tags(("day", "monday"), ("fold", 1), ("fold", 2)):
            handler.checkpoint("mypkg.sub.fit", x=1)
        path = "day=monday/fold=1/fold=2/mypkg/sub/fit"
        assert dict(handler) == {path: {"x": 1}}
        assert handler[path] == {"x": 1}
        assert (len(handler), path in handler, "fit" in handler) == (1, True, False)

    def test_what_is_special_in_a_path_is_escaped(self):
        handler = DictHandler()
        with tags(day="1/2"):
            handler.checkpoint("a b", 1)
        assert list(handler) == ["day=1%2F2/a%20b"]

    def test_it_saves_to_a_dict_that_is_given(self):
        objects = {}
        DictHandler(objects).checkpoint("a", 1)
        assert objects == {"a": {"data": 1}}

    def test_what_is_kept_is_a_copy(self):
        handler = DictHandler()
        data = [1]
        handler.checkpoint("a", x=data)
        data.append(2)
        assert handler["a"] == {"x": [1]}

    def test_without_copy_it_is_the_very_object(self):
        handler = DictHandler(copy=False)
        data = [1]
        handler.checkpoint("a", x=data)
        assert handler["a"]["x"] is data

    def test_something_different_is_an_error_and_changes_nothing(self):
        handler = DictHandler()
        with tags(fold=1):
            handler.checkpoint("mypkg.fit", 1)
            with pytest.raises(AlreadyStoredError, match="add a tag") as told:
                handler.checkpoint("mypkg.fit", 2)
        assert isinstance(told.value, FileExistsError)
        for text in ("'mypkg.fit' [fold=1]", "'fold=1/mypkg/fit'", "force=True"):
            assert text in str(told.value)
        assert dict(handler) == {"fold=1/mypkg/fit": {"data": 1}}

    def test_by_force_the_last_is_kept_and_told_once_for_each_name(self, caplog):
        handler = DictHandler(force=True)
        for value in range(3):
            handler.checkpoint("a", value)
            handler.checkpoint("b", value)
        assert dict(handler) == {"a": {"data": 2}, "b": {"data": 2}}
        assert len(caplog.messages) == 2
        for name, message in zip("ab", caplog.messages, strict=True):
            assert f"'{name}' is already stored" in message
            assert "add a tag" in message

    @pytest.mark.parametrize("force", [False, True])
    @pytest.mark.parametrize(
        "make",
        [
            lambda: 1,
            lambda: None,
            lambda: float("nan"),
            lambda: [1, [2.5, float("nan")], {"a": (None,)}],
            lambda: {"x": {1, 2}, "y": b"z"},
        ],
    )
    def test_the_same_may_be_stored_again(self, make, force, caplog):
        handler = DictHandler(force=force)
        handler.checkpoint("a", x=make())
        handler.checkpoint("a", x=make())
        assert len(handler) == 1
        assert caplog.messages == []

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (1, 2),
            (1, 1.0),
            (1, True),
            ([1], (1,)),
            ("1", 1),
            (float("nan"), 0.0),
            ({"a": 1}, {"a": 1, "b": None}),
            ([1, 2], [1, 2, 3]),
        ],
    )
    def test_what_differs_in_type_or_content_is_different(self, one, other):
        handler = DictHandler()
        handler.checkpoint("a", x=one)
        with pytest.raises(AlreadyStoredError):
            handler.checkpoint("a", x=other)

    def test_another_set_of_values_is_different(self):
        handler = DictHandler()
        handler.checkpoint("a", x=1)
        with pytest.raises(AlreadyStoredError):
            handler.checkpoint("a", x=1, y=2)

    def test_equal_arrays_may_be_stored_again_and_others_not(self):
        numpy = pytest.importorskip("numpy")
        handler = DictHandler()
        for _ in range(2):
            handler.checkpoint("a", numpy.array([[1.0, numpy.nan], [3.0, 4.0]]))
        for other in ([[1.0, 2.0], [3.0, 4.0]], [1.0], [[1, 2], [3, 4]]):
            with pytest.raises(AlreadyStoredError):
                handler.checkpoint("a", numpy.array(other))

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_equal_frames_may_be_stored_again_and_others_not(self, library):
        frames = pytest.importorskip(library)
        handler = DictHandler()
        for _ in range(2):
            data = {"x": [1.0, float("nan"), None], "y": ["a", None, "c"]}
            handler.checkpoint("a", frames.DataFrame(data))
        with pytest.raises(AlreadyStoredError):
            handler.checkpoint("a", frames.DataFrame({**data, "x": [1.0, 2.0, None]}))

    def test_equal_tables_of_arrow_may_be_stored_again(self):
        arrow = pytest.importorskip("pyarrow")
        handler = DictHandler()
        for _ in range(2):
            handler.checkpoint("a", arrow.table({"x": [1.0, float("nan"), None]}))
        with pytest.raises(AlreadyStoredError):
            handler.checkpoint("a", arrow.table({"x": [1.0, 2.0, None]}))

    @pytest.mark.parametrize(
        ("wanted", "told"),
        [
            ("shop.totl", "did you mean 'shop/total'?"),
            ("shop", "there are 'shop/total', 'fold=1/x'"),
            ("total", "did you mean 'shop/total'?"),
            ("shop/totl", "did you mean 'shop/total'?"),
            ("elsewhere", "there are 'shop/total', 'fold=1/x'"),
        ],
    )
    def test_a_path_that_is_not_there_is_told_with_those_that_are(self, wanted, told):
        handler = DictHandler()
        handler.checkpoint("shop.total", 12)
        with tags(fold=1):
            handler.checkpoint("x", 1)
        with pytest.raises(KeyError) as error:
            handler[wanted]
        assert repr(wanted) in str(error.value)
        assert told in str(error.value)
        assert wanted not in handler
        assert handler.get(wanted) is None

    @pytest.mark.parametrize(
        "name", ["total", "mypkg.fit", "MyPkg.Fit", "a/b.%52 ü", "é" * 300 + ".x"]
    )
    def test_a_name_leads_to_the_values_where_one_entry_has_it(self, name):
        handler = DictHandler()
        with tags(total="total", fit=2):
            handler.checkpoint(name, 1)
        handler.checkpoint(f"{name}.more", 2)
        handler.checkpoint(f"more.{name}", 3)
        assert handler[name] == handler.get(name) == {"data": 1}
        assert name in handler
        assert list(handler) == list(handler.objects)

    def test_a_name_that_several_entries_have_is_told_with_their_paths(self):
        handler = DictHandler()
        for fold in (1, 2):
            with tags(fold=fold):
                handler.checkpoint("mypkg.fit", fold)
        assert "mypkg.fit" in handler
        for ask in (handler.__getitem__, handler.get):
            with pytest.raises(LookupError) as error:
                ask("mypkg.fit")
            assert "2 entries have the name 'mypkg.fit'" in str(error.value)
            assert "['fold=1/mypkg/fit', 'fold=2/mypkg/fit']" in str(error.value)
        assert handler["fold=2/mypkg/fit"] == {"data": 2}

    def test_a_path_goes_before_a_name(self):
        handler = DictHandler()
        handler.checkpoint("fit", 1)
        with tags(fold=1):
            handler.checkpoint("fit", 2)
        assert handler["fit"] == {"data": 1}

    @pytest.mark.parametrize("wanted", [3, None, ()])
    def test_what_is_no_text_is_not_there(self, wanted):
        assert wanted not in DictHandler({"a": {}})

    def test_it_shows_its_keys(self):
        handler = DictHandler(force=True)
        assert repr(handler) == "<DictHandler []>"
        with tags(fold=1):
            handler.checkpoint("shop.total", 12)
        assert repr(handler) == "<DictHandler ['fold=1/shop/total']>"
