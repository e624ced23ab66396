"""The options that a command was given: checked, and as they are typed again."""

from __future__ import annotations

from collections.abc import Container, Iterator

import click
from click.core import ParameterSource

__all__ = ["given_options", "not_empty"]


def given_options(context: click.Context, without: Container[str]) -> Iterator[str]:
    """
    Yield the options that were given, as they are typed.

    Args:
        context: The call of a command.
        without: Names of parameters that are not wanted.
    """
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if name in without or source is not ParameterSource.COMMANDLINE:
            continue
        given = context.params[name]
        if given is True:
            yield option.opts[0]
            continue
        if isinstance(given, dict):
            given = [f"{old}={new}" for old, new in given.items()]
        for text in given if isinstance(given, (list, tuple)) else [given]:
            yield from (option.opts[0], str(text))


def not_empty(_: click.Context, __: click.Parameter, given: str | None) -> str:
    """Return the text of an option, which is empty only if it was not given."""
    if given == "":
        # As a variable of a shell that is not set: another place was meant.
        raise click.BadParameter("it is empty")
    return given or ""
