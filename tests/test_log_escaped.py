"""The log: nothing from outside reaches a terminal unescaped."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, config, index, stats, tags

ODD = "\x1b[2J\nforged: line\u202e\x9b"
FILES = sorted(Path(checkpoints.__file__).parent.rglob("*.py"))
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}


class Odd:
    """A value whose texts and errors are odd."""

    def __repr__(self):
        return ODD

    def __reduce__(self):
        raise ValueError(ODD)


@pytest.fixture
def lines():
    """What the log would write."""
    written = []

    class Writer(logging.Handler):
        def emit(self, record):
            written.append(self.format(record))

    logger = logging.getLogger("checkpoints")
    before, writer = logger.level, Writer()
    logger.addHandler(writer)
    logger.setLevel(logging.DEBUG)
    yield written
    logger.removeHandler(writer)
    logger.setLevel(before)


def calls(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


class TestMessages:
    def test_names_tags_and_errors_are_escaped(self, lines, tmp_path):
        def broken(key, data):
            raise ValueError(ODD)

        with tags({f"tag{ODD}": ODD}):
            for target in (broken, str(tmp_path / "files")):
                with config(f"na{ODD}me", target):
                    for _ in range(2):
                        checkpoints.checkpoint(f"na{ODD}me", value=1)
                    checkpoints.checkpoint(f"na{ODD}me", value=Odd())
            FileHandler(tmp_path / "files", if_exists="skip").checkpoint("x", 1)
            FileHandler(tmp_path / "files", if_exists="skip").checkpoint("x", 1)
        assert stats().failed
        assert index(tmp_path / "files")
        assert len(lines) >= 4
        assert any("forged" in line for line in lines)
        assert [line for line in lines if not line.isprintable()] == []

    def test_a_traceback_is_escaped_line_by_line(self, lines):
        try:
            raise ValueError("bad\x1b[2J")
        except ValueError:
            logging.getLogger("checkpoints").exception("%r failed", Odd())
        (line,) = lines
        assert all(part.isprintable() for part in line.split("\n"))
        assert "bad\\x1b[2J" in line

    def test_a_message_stays_a_template_with_its_arguments(self, lines, caplog):
        logging.getLogger("checkpoints").warning("%s of %d", "plain", 3)
        record = caplog.records[-1]
        assert (record.msg, record.args) == ("%s of %d", ("plain", 3))


class TestLoggers:
    """Each message passes the filter, because of how it is logged."""

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_is_the_one_with_the_filter_and_takes_templates(self, path):
        for call in calls(path):
            if call.func.attr == "getLogger":
                assert ast.unparse(call.args[0]) == "'checkpoints'"
            is_logger = ast.unparse(call.func.value) == "logger"
            if is_logger and call.func.attr in LEVELS:
                template = call.args[0]
                assert isinstance(template, ast.Constant | ast.Name), ast.unparse(call)
