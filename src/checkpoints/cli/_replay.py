"""`checkpoints replay ENTRY`."""

from __future__ import annotations

import ast
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

import checkpoints
from checkpoints import Entry
from checkpoints._show.replay import failed_call, replay_document, replay_report
from checkpoints.cli._completion import complete_entry
from checkpoints.cli._failures import CommandError
from checkpoints.cli._screen import Screen, progress
from checkpoints.cli._selection import (
    entry_at,
    nothing_found,
    one_entry,
    select,
    where_option,
)

__all__ = ["replay"]

_EXAMPLES = """\b
Examples:
  checkpoints replay saved/call=7/mypkg/fit.ckpt.zip --trusted
  checkpoints replay saved mypkg.fit --where call=7 --trusted --pdb
  checkpoints replay saved mypkg.fit --where call=7 --trusted --set alpha=0.5
  checkpoints replay saved mypkg --all --trusted
"""
_OUTCOMES = (".result", ".exception")
# `git bisect run` takes it as: this revision cannot be tested.
_CANNOT_TEST = 125
_COULD_NOT_TELL = 2


def _values_of(
    context: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> dict[str, Any]:
    """Read each NAME=VALUE; what is no literal of Python is a text."""
    values: dict[str, Any] = {}
    for word in given:
        name, sign, text = word.partition("=")
        if not (name and sign):
            expected = parameter.make_metavar(context)
            raise click.BadParameter(f"{word!r}: expected {expected}", context)
        try:
            values[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[name] = text
    return values


@click.command(epilog=_EXAMPLES)
@click.argument(
    "entry",
    nargs=-1,
    required=True,
    metavar="ENTRY",
    shell_complete=complete_entry,
)
@where_option
@click.option("--latest", is_flag=True, help="Only the newest file of each key.")
@click.option(
    "--all", "has_many", is_flag=True, help="Replay all calls that match, not just one."
)
@click.option(
    "--trusted",
    is_flag=True,
    help="Call the function that the file names, and load pickles: both can run any "
    "code.",
)
@click.option(
    "--function",
    metavar="PLACE",
    help="The function to call, as package.module:function or file.py:function.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_values_of,
    help="Another value for an argument: a literal of Python, or a text.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Leave out an argument that the function does not have any more.",
)
@click.option(
    "--times",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Call it N times: what it differs from itself is its noise.",
)
@click.option(
    "--pdb",
    is_flag=True,
    help="Stop at the first line of the function, and at an exception in it.",
)
@click.option(
    "--tolerances",
    type=click.Path(exists=True, dir_okay=False),
    help="A TOML file that says how far values may be apart.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--bisect", is_flag=True, help="Exit with 125 in place of 2.")
@click.pass_context
def replay(  # noqa: PLR0913 - one parameter per option
    context: click.Context,
    *,
    entry: tuple[str, ...],
    where: tuple[str, ...],
    latest: bool,
    has_many: bool,
    trusted: bool,
    function: str | None,
    changes: dict[str, Any],
    without: tuple[str, ...],
    times: int,
    pdb: bool,
    tolerances: str | None,
    as_json: bool,
    bisect: bool,
) -> None:
    """
    Call a function again with saved arguments, and compare what it does.

    ENTRY is the path of a call that a probe saved, or a root, a name and --where
    options that select one. That call is executed, and nothing that came after it.
    Its files, connections and clock are those of now. Modules are also looked for in
    the current folder.

    The exit code is 0 if the call does what it did, within tolerance or its own noise;
    1 if it differs; 2 if that cannot be told, or it cannot be called.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    if has_many:
        calls = _calls(entry, where, latest=latest)
    else:
        found, rest = one_entry(entry, where, latest=latest)
        if rest:
            raise click.UsageError(f"unexpected words: {' '.join(rest)}")
        calls = [entry_at(found) if isinstance(found, str) else found]

    def run(call: Entry) -> Mapping[str, Any]:
        found = checkpoints.replay(
            call,
            function=function,
            set=changes,
            without=without,
            times=times,
            pdb=pdb,
            tolerances=tolerances,
            trusted=trusted,
        )
        document: Mapping[str, Any] = found.as_json()["calls"][0]
        return document

    with progress("replaying", len(calls)) as advance:
        document = replay_document([_attempt(run, call, advance) for call in calls])
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        _print(document, list(_next(document, pdb=pdb)), shows_all=len(calls) > 1)
    code = document["exit"]
    context.exit(_CANNOT_TEST if bisect and code == _COULD_NOT_TELL else code)


def _calls(
    words: Sequence[str], where: Sequence[str], *, latest: bool
) -> Sequence[Entry]:
    """Return the entries of calls with a saved outcome."""
    root, *names = words
    if not os.path.isdir(os.path.expanduser(root)) and "://" not in root:
        raise CommandError(f"--all needs a root, and {root!r} is none")
    found = select(root, names, where)
    if latest:
        found = found.latest()
    known = {*found.names()}
    called = [
        entry
        for entry in found
        if "call" in entry.tags
        and any(f"{entry.name}{outcome}" in known for outcome in _OUTCOMES)
    ]
    if not called:
        raise (
            nothing_found(found)
            if not len(found)
            else CommandError(
                f"{root}: none of these {len(found)} entries is a call with an outcome"
            )
        )
    return called


def _attempt(
    run: Callable[[Entry], Mapping[str, Any]],
    call: Entry,
    advance: Callable[[], None],
) -> Mapping[str, Any]:
    try:
        return run(call)
    except checkpoints.ConfigError:
        raise
    except (checkpoints.CheckpointError, OSError) as error:
        why = str(error)
        for python, typed in _SPELLED.items():
            why = why.replace(python, typed)
        return failed_call(call.name, [*call.tags.items()], call.path, why)
    finally:
        advance()


# What the messages of the library call an option.
_SPELLED = {
    "function=": "--function",
    "trusted=True": "--trusted",
    "without=": "--without",
    "set=": "--set",
}


def _print(
    document: Mapping[str, Any], commands: Sequence[str], *, shows_all: bool
) -> None:
    screen = Screen()
    for line in replay_report(document, screen.width, commands, shows_all=shows_all):
        label = screen.styled(line.label, "dim")
        screen.line(label + screen.styled(line.text, line.style))


def _next(document: Mapping[str, Any], *, pdb: bool) -> Iterator[str]:
    """Yield the commands that show more of the first call that differs."""
    calls = [call for call in document["calls"] if call["verdict"] == "different"]
    if not calls or pdb:
        return
    path = calls[0]["paths"][0]
    yield shlex.join(["checkpoints", "replay", path, "--trusted", "--pdb"])
