"""Rules in the short form: what each means, and the errors of invalid ones."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checkpoints import ConfigError, FileHandler
from checkpoints._environment import read_settings
from checkpoints._rules.settings import Setting

HERE = os.path.abspath(os.curdir)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def only(text: str, **given) -> Setting:
    (setting,) = read_settings(text, **given)
    return setting


def written(text: str) -> str:
    """A text for the short form, with all special characters encoded."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


class TestRules:
    def test_one_is_names_and_a_target(self):
        setting = only("mypkg.fit=out")
        assert setting.names == "mypkg.fit"
        assert setting.target == os.path.join(HERE, "out")
        assert setting.options == {}

    def test_several_stand_between_semicolons_or_on_lines_of_their_own(self):
        settings = read_settings(" a=x ; b=y\n\n c=z;;")
        assert [setting.names for setting in settings] == ["a", "b", "c"]

    def test_no_text_is_no_rule(self):
        assert read_settings(" ;\n") == []

    def test_names_alone_go_to_a_folder_of_the_run(self):
        assert only("mypkg").target == os.path.join(HERE, ".checkpoints", "run={run}")

    def test_names_alone_go_to_the_default_where_one_is_given(self):
        assert only("mypkg", default="there").target == os.path.join(HERE, "there")

    def test_off_is_no_target(self):
        assert only("mypkg=off").target is None

    def test_a_folder_called_off_is_written_as_a_path(self):
        assert only("mypkg=./off").target == os.path.join(HERE, "off")

    def test_the_text_of_one_is_the_same_rule_with_its_target_in_full(self, tmp_path):
        setting = only("a.b,a.c=out?every=10&where=day=1|2", default=str(tmp_path))
        again = only(setting.text)
        assert again[:3] == setting[:3]
        assert setting.text.startswith(f"a.b,a.c={HERE}")

    @given(TEXTS.filter(lambda text: text.strip("/")))
    @example("a;b?c=%41&,{{}}\n ")
    def test_any_target_can_be_written(self, name):
        name = name.replace("{", "{{").replace("}", "}}")
        target = os.path.join(HERE, "x" + name)
        setting = only(f"mypkg={written(target)}")
        assert setting.target == target
        assert only(setting.text).target == target

    @given(TEXTS.filter(bool))
    @example("?every")
    def test_any_pattern_can_be_written(self, text):
        pattern = f"a*{text}"
        setting = only(f"{written(pattern)}=x?every=2")
        assert setting.names == pattern
        assert only(setting.text)[:3] == setting[:3]

    @pytest.mark.parametrize("target", ["x%26every=2", "x&y", "x&y=2"])
    def test_a_target_may_hold_what_joins_options(self, target):
        setting = only(f"a={target}")
        assert setting.target == os.path.join(HERE, target.replace("%26", "&"))
        assert only(setting.text).target == setting.target

    def test_so_may_a_url_that_stands_elsewhere(self):
        setting = only("a", default="file:///x&every=2")
        assert only(setting.text).options == {}


class TestNames:
    def test_with_a_comma_are_a_list_of_exact_ones(self):
        assert only("a.b, a.c=x").names == ("a.b", "a.c")

    def test_with_a_comma_at_the_end_are_one_exact_name(self):
        setting = only("a.b,=x")
        assert setting.names == ("a.b",)
        assert only(setting.text).names == ("a.b",)

    def test_may_be_a_glob_with_a_question_mark(self):
        assert only("a.?=x?every=2").names == "a.?"

    def test_may_stand_before_options_without_a_target(self):
        setting = only("a.?c?every=2&limit=3")
        assert setting.names == "a.?c"
        assert setting.options == {"every": 2, "limit": 3}
        assert setting.target == os.path.join(HERE, ".checkpoints", "run={run}")


class TestTargets:
    def test_an_absolute_path_stays_as_it_is(self, tmp_path):
        assert only(f"a={tmp_path}").target == str(tmp_path)

    def test_a_url_keeps_its_own_encoding(self):
        assert only("a=file:///x%20y?limit=1").target == "file:///x%20y"

    @pytest.mark.parametrize("root", ["s3://b/x y", "s3://b/x?y&z=1;,", "s3://b/%20"])
    def test_a_root_in_a_bucket_is_as_typed(self, root):
        setting = only("a", default=root)
        assert only(setting.text).target == setting.target == root
        assert only("a=s3://b/x%20y").target == "s3://b/x y"

    def test_a_brace_of_the_working_folder_is_no_placeholder(
        self, tmp_path, monkeypatch
    ):
        folder = tmp_path / "{odd}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        target = only("a=out").target
        assert FileHandler(target).folder == str(folder / "out")


class TestOptions:
    @pytest.mark.parametrize(
        ("text", "options"),
        [
            ("every=10", {"every": 10}),
            ("limit=3&every=2", {"limit": 3, "every": 2}),
            ("durable=true", {"durable": True}),
            ("durable=False", {"durable": False}),
            ("background=true&max_wait=0.5", {"background": True, "max_wait": 0.5}),
            ("if_exists=keep", {"if_exists": "keep"}),
            ("max_bytes=10", {"max_bytes": 10}),
            ("max_bytes=64MB", {"max_bytes": 64_000_000}),
            ("max_bytes=64M", {"max_bytes": 64_000_000}),
            ("max_bytes=1GiB", {"max_bytes": 1 << 30}),
            ("max_bytes=1.5 kb", {"max_bytes": 1500}),
            ("where=day=1", {"where": {"day": "1"}}),
            ("where=day=1|2,m=a*", {"where": {"day": ["1", "2"], "m": "a*"}}),
            ("where=at=12:30", {"where": {"at": "12:30"}}),
            ("where=a%3Ab=c%2Cd%7Ce", {"where": {"a:b": "c,d|e"}}),
            ("where=a=", {"where": {"a": ""}}),
            ("where=a>=3,b==x*|y", {"where": {"a": ">=3", "b": ["==x*", "y"]}}),
        ],
    )
    def test_have_the_type_of_what_they_set(self, text, options):
        assert only(f"mypkg=x?{text}").options == options

    def test_may_be_none_behind_the_mark(self):
        assert only("mypkg=x?").options == {}


class TestErrors:
    @pytest.mark.parametrize(
        ("rule", "piece", "way_out"),
        [
            ("a=x?evry=1", "'evry'", "did you mean 'every'?"),
            ("a?evry=1", "'evry'", "did you mean 'every'?"),
            ("a=x?colour=1", "'colour'", "there are 'where', 'given', 'caller'"),
            ("a=x?every", "'every' has no value", "write every=10"),
            ("a=x?every=", "'every' has no value", "write every=10"),
            ("a?every", "'every' has no value", "write every=10"),
            ("a?every=2&b.c", "'b.c' is not an option", "separate rules with ';'"),
            ("a?every=2&b.c=x", "'b.c' is not an option", "separate rules with ';'"),
            ("a?every=2&b", "unknown option 'b'", "there are 'where', 'given'"),
            ("a?every=2&", "'' is not an option", "separate rules with ';'"),
            ("a=x&every=2", "every= follows a '&'", "=./out?every=10"),
            ("a=x&evry=2", "evry= follows a '&'", "a '&' in a path as %26"),
            ("a&every=2", "every= follows a '&'", "=./out?every=10"),
            ("a=file:///x&every=2", "every= follows a '&'", "=./out?every=10"),
            ("a=x?every=two", "every='two'", "a whole number, such as every=10"),
            ("a=x?every=0", "invalid every=0", "a whole number from 1 up"),
            ("a=x?every=1&every=2", "'every' is given twice", "remove one"),
            ("a=x?durable=yes", "durable='yes'", "durable=true"),
            ("a=x?max_pending=much", "max_pending='much'", "max_pending=64MB"),
            ("a=x?max_wait=long", "max_wait='long'", "max_wait=60"),
            ("a=x?where=day", "where='day'", "write a condition as TAG=VALUE"),
            ("a=x?where=day:1", "where='day:1'", "write day=1"),
            ("a=x?where=a=1,day:>1", "where='day:>1'", "write day>1"),
            ("a=x?where=day!=1", "where='day!=1'", "'day=this|that'"),
            (
                "a=x?where=d=1,d=2",
                "where='d=2'",
                "only one condition per tag is allowed",
            ),
            ("a=x?if_exists=never", "if_exists='never'", "'replace', 'keep'"),
            ("=x", "no names", "NAMES=TARGET"),
            ("./x", "expected names, got a path", "NAMES=TARGET"),
            ("./x=a", "expected names, got a path", "NAMES=TARGET"),
            ("a..b=x", "'a..b'", "use non-empty parts"),
            ("a,,b=x", "empty", ""),
            ("a,b*=x", "'b*' is a glob", "a separate rule"),
            ("a={day}", "{day}", "{run}, {time}, {host} and {pid}"),
            ("a=s4://b", "s4://", "Give a path"),
            ("a=s3://b?store_options=x", "store_options", "unknown option"),
            ("a=off?durable=true", "durable", "give a path"),
            ("a=x%00", "NUL", ""),
        ],
    )
    def test_tell_place_piece_and_way_out(self, rule, piece, way_out):
        with pytest.raises(ConfigError) as caught:
            read_settings(f"fine=x\n{rule}", source="VARIABLE")
        message = str(caught.value)
        assert message.startswith(f"VARIABLE, rule 2, {rule!r}: ")
        assert piece in message
        assert way_out in message

    def test_show_nothing_that_moves_a_terminal(self):
        with pytest.raises(ConfigError) as caught:
            read_settings("a=x?\x1b[2J=1")
        assert str(caught.value).isprintable()
