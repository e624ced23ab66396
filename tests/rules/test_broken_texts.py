"""Errors and tags whose texts cannot be had, whatever their `__str__` raises."""

from __future__ import annotations

import pytest

from checkpoints import (
    DictHandler,
    Handler,
    Recorder,
    Session,
    capture,
    checkpoint,
    config,
    flush,
    probed,
    stats,
    tags,
)


class OutOfHandError(BaseException):
    """What no code expects from a text."""


class Textless:
    def __str__(self):
        raise OutOfHandError


class TextlessError(Exception):
    __str__ = Textless.__str__


def failing(*_):
    raise TextlessError


class Failing(Handler):
    commit = flush = end = failing


class TestTextsThatRaise:
    """`BaseException` or not: the host goes on, and the save is told as failed."""

    @pytest.mark.parametrize("option", ["where", "transform"])
    def test_that_of_an_error_of_an_option_does_not_reach_the_host(self, option):
        with config("odd", DictHandler(), **{option: failing}):
            checkpoint("odd.option", 1)
        assert stats().failed == 1

    def test_that_of_an_error_of_a_handler_does_not_reach_the_host(self, caplog):
        with config("odd", Failing()):
            checkpoint("odd.handler", 1)
        assert stats().failed == 1
        assert "<unprintable TextlessError object>" in caplog.text

    def test_that_of_a_note_does_not_reach_the_host(self):
        def noted(*_):
            error = ValueError()
            error.__notes__ = [Textless()]
            raise error

        with config("odd", noted):
            checkpoint("odd.note", 1)
        assert stats().failed == 1

    @pytest.mark.parametrize("background", [False, True])
    def test_that_of_a_tag_does_not_reach_the_host(self, tmp_path, background):
        with config("odd", tmp_path, background=background), tags(tag=Textless()):
            checkpoint("odd.tag", 1)
            with Session("odd.tag") as session:
                session.checkpoint(1)
            flush()
        assert stats().failed == 2

    def test_that_of_the_error_of_a_call_does_not_replace_it(self):
        @probed("odd.call")
        def call():
            raise TextlessError

        with capture("odd") as seen, pytest.raises(TextlessError):
            call()
        saved = seen["call=1/odd/call/exception"]
        assert saved["message"] == "<unprintable TextlessError object>"

    def test_that_of_the_error_of_a_block_does_not_replace_it(self):
        target = DictHandler()
        with pytest.raises(TextlessError), Recorder(target) as recorder:
            with config("odd", recorder):
                checkpoint("odd.block", 1)
            raise TextlessError
        assert list(target) == ["odd/block"]
