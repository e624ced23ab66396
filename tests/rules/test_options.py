"""Options: each has its name, its type and its choices in one place."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from checkpoints import ConfigError, FileHandler, Recorder, Rule
from checkpoints._handlers.options import FileOptions, Format
from checkpoints._keys.key import SUFFIXES
from checkpoints._rules.narrowing import Narrowing
from checkpoints._rules.options import (
    Narrowed,
    PathOptions,
    RuleOptions,
    known_in_text,
    known_options,
)
from checkpoints._rules.settings import _KINDS, _TEXT, checked_option

HINTS = get_type_hints(PathOptions)


def hints_of(function) -> dict[str, Any]:
    """The types of the arguments that have to be named."""
    names = function.__kwdefaults__
    return {it: hint for it, hint in get_type_hints(function).items() if it in names}


def choices_of(hint) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return tuple(choice for each in get_args(hint) for choice in choices_of(each))
    return (None,) if hint is NoneType else ()


def fits(value: object, hint) -> bool:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is Callable or hint is Callable:
        return callable(value)
    kind = origin or hint
    if kind is float:
        return isinstance(value, (int, float))
    is_flag = isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not is_flag)


CHOICES = [
    (option, choice)
    for option, hint in HINTS.items()
    if any(isinstance(choice, str) for choice in choices_of(hint))
    for choice in choices_of(hint)
]


def made(root, option, choice):
    if choice == "zstd":
        pytest.importorskip("zstandard", reason="zstandard is not installed")
    beside = {"background": True} if option == "on_full" else {}
    return Rule("mypkg", root, **{option: choice}, **beside)


class TestTypes:
    def test_those_of_a_file_handler_are_those_of_its_constructor(self):
        assert hints_of(FileHandler.__init__) == get_type_hints(FileOptions)

    def test_those_that_narrow_are_those_of_their_constructor(self):
        assert hints_of(Narrowing.__init__) == get_type_hints(Narrowed)

    def test_a_rule_with_a_path_has_both_kinds_and_none_twice(self):
        known = known_options()
        assert known == (*Rule.OPTIONS, *FileHandler.OPTIONS)
        assert len(set(known)) == len(known)
        assert set(RuleOptions.__annotations__) == set(Rule.OPTIONS)

    def test_there_is_a_suffix_for_each_format(self):
        assert set(get_args(Format)) == set(SUFFIXES)


class TestChoices:
    @pytest.mark.parametrize(("option", "choice"), CHOICES)
    def test_each_that_the_type_has_is_taken(self, tmp_path, option, choice):
        rule = made(tmp_path, option, choice)
        owner = rule.handlers[0] if option in FileHandler.OPTIONS else rule
        assert getattr(owner, option) == choice

    @pytest.mark.parametrize("option", sorted({option for option, _ in CHOICES}))
    def test_another_one_is_refused_with_those_that_there_are(self, tmp_path, option):
        invalid = f"^invalid {option}='other': expected "
        with pytest.raises(ConfigError, match=invalid) as told:
            made(tmp_path, option, "other")
        choices = [it for it in choices_of(HINTS[option]) if it is not None]
        assert all(it in str(told.value) for it in choices)

    def test_there_are_some_in_both_kinds(self):
        assert {option for option, _ in CHOICES} >= {"on_error", "if_exists", "format"}


class TestText:
    @pytest.mark.parametrize("option", known_in_text())
    def test_what_is_read_of_a_text_is_of_the_type(self, option):
        kind = _KINDS.get(option, _TEXT)
        choices = [it for it in choices_of(HINTS[option]) if it is not None]
        for text in choices or [kind.example]:
            value = kind.read(text)
            assert fits(value, HINTS[option])
            assert checked_option(option, value, "here") == value

    def test_each_way_to_read_one_is_of_an_option_that_there_is(self):
        assert set(_KINDS) <= set(known_options())


class TestUnknown:
    @pytest.mark.parametrize(
        ("make", "hint"),
        [
            (lambda: Rule("mypkg", "out", evry=2), r"did you mean 'every'\?$"),
            (lambda: Rule("mypkg", "out", xyz=2), "there are 'where', 'given', "),
            (lambda: Recorder("out", formt="zip"), r"did you mean 'format'\?$"),
            (lambda: Recorder("out", every=2), "there are 'max_bytes', 'when', "),
        ],
    )
    def test_one_that_is_not_there_is_refused_with_those_that_are(self, make, hint):
        with pytest.raises(ConfigError, match=f"^unknown option '.*'; {hint}"):
            make()
