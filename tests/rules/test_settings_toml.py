"""Rules in TOML files: what they mean, and where their errors are reported."""

from __future__ import annotations

import datetime
import os
import textwrap

import pytest

from checkpoints import ConfigError, FileHandler
from checkpoints._environment import read_settings


@pytest.fixture
def write(tmp_path):
    """Write a file below the folder of the test; return its path."""

    def write(text, name="rules.toml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return path

    return write


class TestMisfits:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("where = 'a:1'", "such as where={date = 2017-03-02, model = ['a', 'b']}"),
            ("values = 3", "such as values=['x', 'y']"),
            ("max_bytes = '64 apples'", "such as max_bytes='64MB'"),
            ("every = '1'", "such as every=10"),
            ("summary = 1", "such as summary=true"),
        ],
    )
    def test_are_told_with_an_example_that_a_file_can_hold(self, write, text, told):
        path = write(f"[[rules]]\nnames = 'a'\n{text}")
        with pytest.raises(ConfigError) as raised:
            read_settings(config=path)
        assert told in str(raised.value)
        example = str(raised.value).rpartition("such as ")[2]
        path.write_text(f"[[rules]]\nnames = 'a'\n{example}")
        assert len(read_settings(config=path)) == 1


class TestRules:
    def test_are_tables_of_names_target_and_options(self, write, tmp_path):
        path = write("""
            [[rules]]
            names = "mypkg.*"
            target = "out/run={run}"
            every = 10
            max_bytes = "64MB"
            where = {date = 2017-03-02, model = ["a", "b"], fold = 1}

            [[rules]]
            names = ["mypkg.a", "mypkg.b"]
            target = "off"

            [[rules]]
            names = ["mypkg.c"]
        """)
        first, second, third = read_settings(config=path)
        assert first.names == "mypkg.*"
        assert first.target == str(tmp_path / "out" / "run={run}")
        assert first.options == {
            "every": 10,
            "max_bytes": 64_000_000,
            "where": {
                "date": datetime.date(2017, 3, 2),
                "model": ["a", "b"],
                "fold": 1,
            },
        }
        assert second.names == ("mypkg.a", "mypkg.b")
        assert second.target is None
        assert third.names == ("mypkg.c",)
        assert third.target == os.path.abspath(".checkpoints/run={run}")

    def test_save_below_the_folder_of_the_file(self, write, tmp_path):
        path = write('[[rules]]\nnames = "a"\ntarget = "out"', "{odd}/rules.toml")
        (setting,) = read_settings(config=path)
        assert FileHandler(setting.target).folder == str(tmp_path / "{odd}" / "out")

    def test_stand_below_those_in_text(self, write):
        path = write('[[rules]]\nnames = "of.file"')
        settings = read_settings("of.text", config=path)
        assert [setting.names for setting in settings] == ["of.file", "of.text"]

    def test_may_be_none(self, write):
        assert read_settings(config=write("")) == []

    def test_may_be_written_in_one_line(self, write):
        path = write('rules = [{names = "a", every = 2}, {names = "b"}]')
        assert [it.names for it in read_settings(config=path)] == ["a", "b"]

    def test_of_a_project_stand_in_its_own_table(self, write):
        path = write(
            """
            rules = 1
            [[tool.checkpoints.rules]]
            names = "a"
            """,
            "pyproject.toml",
        )
        assert [it.names for it in read_settings(config=path)] == ["a"]


class TestFolders:
    def test_stand_for_their_checkpoints_toml(self, write, tmp_path):
        write('[[tool.checkpoints.rules]]\nnames = "project"', "pyproject.toml")
        write('[[rules]]\nnames = "own"', "checkpoints.toml")
        assert [it.names for it in read_settings(config=tmp_path)] == ["own"]

    def test_without_one_stand_for_their_pyproject_toml(self, write, tmp_path):
        write('[[tool.checkpoints.rules]]\nnames = "project"', "pyproject.toml")
        assert [it.names for it in read_settings(config=tmp_path)] == ["project"]

    def test_without_either_are_an_error(self, tmp_path):
        with pytest.raises(
            ConfigError, match=r"neither checkpoints\.toml nor .*name a file"
        ):
            read_settings(config=tmp_path)


class TestErrors:
    @pytest.mark.parametrize(
        ("line", "text", "piece"),
        [
            (
                3,
                'target = "x"\nevry = 1',
                "unknown option 'evry'; did you mean 'every'?",
            ),
            (2, 'every = "2"', "invalid every='2': expected a whole number"),
            (2, "every = true", "invalid every=True: expected a whole number"),
            (2, "every = 0", "invalid every=0: expected a whole number from 1 up"),
            (2, "durable = 1", "invalid durable=1: expected true or false"),
            (2, 'max_wait = "x"', "invalid max_wait='x': expected a number"),
            (2, 'max_pending = "much"', "invalid max_pending='much': expected"),
            (2, 'where = "day"', "invalid where='day': expected tags and values"),
            (2, "where = {day = {}}", "}: expected tags and values"),
            (2, "where = {day = []}", "}: expected tags and values"),
            (2, "if_exists = 1", "invalid if_exists=1: expected text"),
            (2, "target = 1", "invalid target=1: expected a path"),
            (2, 'target = ""', "invalid target='': expected a path"),
            (2, '"target" = [1]', "invalid target=[1]: expected a path"),
        ],
    )
    def test_tell_file_line_and_piece(self, write, line, text, piece):
        path = write(f'[[rules]]\nnames = "fine"\n\n[[rules]]\n{text}\nnames = "a"')
        with pytest.raises(ConfigError) as caught:
            read_settings(config=path)
        message = str(caught.value)
        assert piece in message
        # What only a rule as a whole can tell is told at its head.
        told = 4 if "from 1 up" in piece else 3 + line
        assert message.startswith(f"{path}, line {told}")

    @pytest.mark.parametrize(
        ("text", "place", "piece"),
        [
            ('[[rules]]\ntarget = "x"', ", line 1", "rule without names"),
            ("[[rules]]\nnames = 1", ", line 2", "invalid names=1: expected a pattern"),
            (
                "[[rules]]\nnames = []",
                ", line 2",
                "invalid names=[]: expected a pattern",
            ),
            ('[[rules]]\nnames = ["a*", "b"]', ", line 2", "'a*' is a glob"),
            ("[[rules]]\nnames = 'a..b'", ", line 1", "invalid checkpoint name 'a..b'"),
            ('\n[[rule]]\nnames = "a"', ", line 2", "unknown key 'rule'; did you mean"),
            ("[rules]\nnames = 'a'", ", line 1", "with a line [[rules]]"),
            ("\nrules = [1]", ", line 2", "with a line [[rules]]"),
            ("rules = [{every = 1}]", ", line 1, rule 1", "rule without names"),
            ("[[rules]\n", "", "line 1, column"),
        ],
    )
    def test_of_the_whole_are_told_as_well(self, write, text, place, piece):
        path = write("")
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            read_settings(config=path)
        assert str(caught.value).startswith(f"{path}{place}")
        assert piece in str(caught.value)

    def test_tell_of_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(ConfigError, match=r"none\.toml, which does not exist"):
            read_settings(config=tmp_path / "none.toml")

    def test_tell_of_a_file_that_is_no_text(self, tmp_path):
        (tmp_path / "x.toml").write_bytes(b"\xff")
        with pytest.raises(ConfigError, match="is not valid TOML"):
            read_settings(config=tmp_path / "x.toml")

    def test_tell_of_a_project_without_the_table(self, write):
        path = write("[project]\nname = 'x'", "pyproject.toml")
        with pytest.raises(ConfigError, match=r"no table \[tool\.checkpoints\]"):
            read_settings(config=path)
