"""Invalid input: an error when rules are created, never when data is saved."""

from __future__ import annotations

import itertools
import re

import pandas as pd
import pytest

import checkpoints
from checkpoints import (
    ConfigError,
    DictHandler,
    FileHandler,
    Handler,
    Key,
    Session,
    available,
    capture,
    checkpoint,
    config,
    deprecate,
    deprecated,
    index,
    load,
    register,
    rules,
    tags,
)
from checkpoints._rules.registry import Registry

_numbers = itertools.count()
NO_NAMES = ["", "a..b", ".a", "a.", ".", "..", 5, None, b"a", ["a"]]
NO_TAGS = ["", "a=b", "=", 5, None, b"a", ("a",)]


@pytest.fixture
def name():
    """A checkpoint name that no other test uses, because names stay registered."""
    return f"wrong{next(_numbers)}.fit"


class TestNames:
    @pytest.mark.parametrize("bad", NO_NAMES[:-1], ids=repr)
    def test_register(self, bad):
        before = available()
        for names in ([bad], [f"good{bad!r}", bad]):
            with pytest.raises(ConfigError, match="invalid checkpoint name"):
                register(names)
        assert available() == before

    def test_data_before_the_name_is_not_printed_as_a_name(self):
        frame = pd.DataFrame({"price": [1.5]})
        with capture("etl"), pytest.raises(ConfigError) as caught:
            checkpoint(frame, "etl.a")
        told = str(caught.value)
        assert "name of type DataFrame" in told
        assert "is the name first, before the data?" in told
        assert "price" not in told

    @pytest.mark.parametrize("bad", ["", "a..b", ".a", "a."])
    def test_register_by_text(self, bad):
        with pytest.raises(ConfigError, match=r"invalid checkpoint name.*such as"):
            register(bad)
        with pytest.raises(ConfigError, match=r"invalid checkpoint name.*such as"):
            register("prefix", bad)
        with pytest.raises(ConfigError, match=r"invalid checkpoint name.*such as"):
            register(bad, "name")

    @pytest.mark.parametrize("bad", [5, 1.5, object()], ids=["5", "1.5", "object"])
    def test_register_what_is_neither_a_name_nor_several(self, bad):
        with pytest.raises(ConfigError, match="takes a name or several"):
            register(bad)
        with pytest.raises(ConfigError, match="takes a name or several"):
            register("prefix", bad)

    @pytest.mark.parametrize("bad", [5, None, b"a", ["a"]], ids=repr)
    def test_register_below_a_prefix(self, bad):
        with pytest.raises(ConfigError):
            register("prefix", [bad])
        with pytest.raises(ConfigError):
            register(bad, ["name"])

    @pytest.mark.parametrize("bad", NO_NAMES, ids=repr)
    def test_deprecate(self, bad):
        """In a separate registry: invalid rules would disturb every other test."""
        registry = Registry()
        for pair in (("good", bad), (bad, "good")):
            with pytest.raises(ConfigError):
                registry.deprecate(*pair)
        assert registry.names.renamed() == {}

    @pytest.mark.parametrize("bad", ["", "a..b", "a.", 5, ["a"]], ids=repr)
    def test_deprecate_below_a_prefix(self, bad, name):
        before = deprecated()
        for three in ((bad, "old", "new"), (name, bad, "new"), (name, "old", bad)):
            with pytest.raises(ConfigError):
                deprecate(*three)
        assert deprecated() == before

    @pytest.mark.parametrize("bad", NO_NAMES, ids=repr)
    def test_a_handler_that_saves_directly(self, bad, tmp_path):
        for handler in (DictHandler(), FileHandler(tmp_path)):
            with pytest.raises(ConfigError, match="invalid checkpoint name"):
                handler.checkpoint(bad, 1)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("bad", NO_NAMES, ids=repr)
    def test_a_key(self, bad):
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            Key(bad)

    @pytest.mark.parametrize("bad", NO_NAMES, ids=repr)
    def test_is_enabled_says_no(self, bad):
        config("*", print)
        assert checkpoints.is_enabled(bad) is False

    @pytest.mark.parametrize("bad", NO_NAMES, ids=repr)
    def test_a_session_tells_and_goes_on(self, bad, caplog):
        seen = DictHandler()
        config("*", seen)
        with Session(bad) as session:
            session.checkpoint(1)
        assert len(seen) == 0
        assert "invalid checkpoint name" in caplog.text

    def test_two_values_by_position_are_told_how_to_be_given(self, caplog):
        config("*", print)
        checkpoints.checkpoint("mypkg.fit", 1, 2)
        assert "several values are given by name" in caplog.text


class TestTags:
    @pytest.mark.parametrize("bad", NO_TAGS, ids=repr)
    def test_the_name_of_a_tag(self, bad):
        message = r"invalid tag name .*without '='"
        for given in ((bad, 1), {bad: 1}):
            with pytest.raises(ConfigError, match=message):
                tags(given)
        with pytest.raises(ConfigError, match=message):
            Key("a", ((bad, 1),))

    @pytest.mark.parametrize("bad", ["day", 5, None, ("day",), ("a", 1, 2), ["a", 1]])
    def test_what_is_no_pair(self, bad):
        with pytest.raises(
            ConfigError, match=r"invalid tag .*pair; write tags\(date=day\)"
        ):
            tags(bad)

    @pytest.mark.parametrize("bad", [5, None, "f", int])
    def test_what_is_no_function_cannot_be_decorated(self, bad):
        with pytest.raises(ConfigError, match="decorates functions"):
            tags(day=1)(bad)

    @pytest.mark.parametrize("bad", NO_TAGS, ids=repr)
    def test_a_rule_for_a_tag_that_cannot_be(self, bad):
        with pytest.raises(ConfigError, match="invalid tag name"):
            config("a", None, where={bad: 1})


class TestRules:
    @pytest.fixture(autouse=True)
    def none_is_made(self):
        yield
        assert rules() == []

    @pytest.mark.parametrize("bad", ["", "a..b", "a.", ".a"])
    def test_a_pattern_that_no_name_can_match(self, bad):
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            config(bad, None)
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            config(["a", bad], None)

    @pytest.mark.parametrize("bad", [5, None, 1.5, print], ids=repr)
    def test_a_pattern_that_is_neither_text_nor_a_list(self, bad):
        with pytest.raises(ConfigError, match="name"):
            config(bad, None)

    @pytest.mark.parametrize("bad", [[5], [None], [["a"]], b"a"], ids=repr)
    def test_a_list_of_what_is_no_text(self, bad):
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            config(bad, None)

    @pytest.mark.parametrize(
        "bad", [5, 1.5, b"out", True, DictHandler, int, {}, {"a"}, [5], [[None]]]
    )
    def test_a_target_that_cannot_be(self, bad):
        with pytest.raises(ConfigError, match="give a path, a Handler, a function"):
            config("a", bad)

    @pytest.mark.parametrize("empty", [[], ()], ids=repr)
    def test_a_list_of_no_targets(self, empty):
        before = rules()
        with pytest.raises(ConfigError, match="give a path, or None to switch off"):
            config("mypkg", empty)
        assert rules() == before

    @pytest.mark.parametrize("root", ["", "a\0b"])
    def test_a_path_that_cannot_be(self, root):
        with pytest.raises(
            ConfigError, match=r"invalid root .*: expected a path or URL"
        ):
            config("a", root)
        with pytest.raises(
            ConfigError, match=r"invalid root .*: expected a path or URL"
        ):
            FileHandler(root)

    @pytest.mark.parametrize("bad", [5, None, b"out", ["out"]], ids=repr)
    def test_a_root_that_is_no_path(self, bad):
        with pytest.raises(
            ConfigError, match=r"invalid root .*: expected a path or URL"
        ):
            FileHandler(bad)

    @pytest.mark.parametrize("option", ["evry", "If_exists", "root", "handler"])
    def test_an_option_that_is_not_known(self, option, tmp_path):
        for target in (tmp_path, None, print):
            with pytest.raises(
                ConfigError, match=f"unknown option '{option}'; "
            ) as told:
                config("a", target, **{option: 1})
            assert re.search(
                r"did you mean '.*'\?|there are 'where', ", str(told.value)
            )

    @pytest.mark.parametrize("target", [None, print, DictHandler(), [Handler()], []])
    def test_an_option_of_files_without_a_path(self, target):
        with pytest.raises(ConfigError, match=r"durable.*give a path"):
            config("a", target, durable=True)

    @pytest.mark.parametrize("option", ["every", "limit"])
    @pytest.mark.parametrize("bad", [0, -1, 1.5, "2", True, [1]], ids=repr)
    def test_a_count_that_is_none(self, option, bad):
        with pytest.raises(
            ConfigError, match=rf"invalid {option}=.*whole number from 1 up"
        ):
            config("a", print, **{option: bad})

    @pytest.mark.parametrize("bad", ["log", "", None, True, ["warn"]], ids=repr)
    def test_what_to_do_on_an_error(self, bad):
        choices = "expected one of 'warn', 'raise', 'ignore'$"
        with pytest.raises(ConfigError, match=f"^invalid on_error=.*: {choices}"):
            config("a", print, on_error=bad)

    @pytest.mark.parametrize("bad", ["day", 5, [("day", 1)], True], ids=repr)
    def test_a_where_that_is_neither_mapping_nor_function(self, bad):
        with pytest.raises(ConfigError, match=r"invalid where=.*mapping of tags"):
            config("a", print, where=bad)

    @pytest.mark.parametrize(
        ("option", "bad"),
        [
            *itertools.product(["format"], ["npz", "", None, "ZIP"]),
            *itertools.product(["if_exists"], ["append", "", True]),
        ],
    )
    def test_an_option_of_files_that_is_no_choice(self, option, bad, tmp_path):
        with pytest.raises(ConfigError, match=rf"invalid {option}=.*: expected one of"):
            config("a", tmp_path, **{option: bad})

    @pytest.mark.parametrize("bad", ["lzma", "", True, 3])
    def test_a_compression_that_is_no_choice(self, bad, tmp_path):
        told = f"^invalid compression={bad!r}: expected None, 'none', 'zstd' or 'gzip'$"
        with pytest.raises(ConfigError, match=told):
            config("a", tmp_path, compression=bad)

    def test_a_capture_of_what_cannot_be(self):
        with pytest.raises(ConfigError), checkpoints.capture("a..b"):
            raise AssertionError("the block must not run")


class TestValues:
    @pytest.mark.parametrize("value", ["", "a/b", "../../x", "\0", "checkpoint.json"])
    def test_the_name_of_a_value_may_be_any_text(self, value, tmp_path):
        FileHandler(tmp_path).checkpoint("a", {value: [1]}, other="b")
        (entry,) = index(tmp_path)
        assert entry.load() == {value: [1], "other": "b"}
        assert entry.load(value) == {value: [1]}
        assert [path.name for path in tmp_path.glob("[!.]*")] == ["a.ckpt.zip"]

    def test_a_mapping_that_cannot_be_read_is_a_save_that_failed(self, name, caplog):
        class Broken(dict):
            def __iter__(self):
                raise RuntimeError("this mapping is broken")

        seen = DictHandler()
        config(name, seen)
        checkpoint(name, Broken(x=1))
        assert len(seen) == 0
        assert "this mapping is broken" in caplog.text


class TestReading:
    @pytest.mark.parametrize("bad", [5, None, b"root", ["root"]], ids=repr)
    def test_what_is_no_path(self, bad):
        with pytest.raises(ConfigError, match="is not a path: give a str, a Path"):
            index(bad)
        with pytest.raises(ConfigError, match="is not a path: give a str, a Path"):
            load(bad)

    def test_a_url_of_another_kind(self):
        with pytest.raises(ConfigError, match="s4://"):
            index("s4://bucket")

    def test_the_name_of_a_value_that_is_no_text(self, tmp_path):
        FileHandler(tmp_path).checkpoint("a", x=1)
        with pytest.raises(LookupError, match="no value 5"):
            load(tmp_path / "a.ckpt.zip", 5)
