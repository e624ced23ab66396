"""`checkpoints replay ENTRY`."""

from __future__ import annotations

import ast
import functools
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, fields
from typing import Any, NoReturn

import click

import checkpoints
from checkpoints import Entry
from checkpoints._replay.elsewhere import (
    Elsewhere,
    replay_at,
    replay_elsewhere,
    source_changes,
)
from checkpoints._show.replay import failed_call, replay_document, replay_report
from checkpoints.cli._calls import may_be_call, place_in_program
from checkpoints.cli._completion import complete_entry
from checkpoints.cli._failures import CommandError, NothingFoundError
from checkpoints.cli._git_bisect import BisectCommand, exit_code
from checkpoints.cli._given import given_options, not_empty
from checkpoints.cli._screen import Screen, progress
from checkpoints.cli._selection import (
    entry_at,
    nothing_found,
    one_entry,
    select,
    where_option,
)

__all__ = ["Options", "call_options", "chosen_call", "replay", "replay_options"]

_EXAMPLES = """\b
Examples:
  checkpoints replay saved/call=7/mypkg/fit.ckpt.zip --trusted
  checkpoints replay saved mypkg.fit --where call=7 --trusted --pdb
  checkpoints replay saved mypkg.fit --where call=7 --trusted --set alpha=0.5
  checkpoints replay saved mypkg --all --trusted
  checkpoints replay saved mypkg.fit --where call=7 --trusted --emit repro
  checkpoints replay saved mypkg.fit --where call=7 --trusted --rev v1.2
"""
# What the next command has in another way, or not at all.
_NOT_KEPT = {
    *("entry", "where", "latest", "has_many", "as_json", "emit", "bisect"),
    *("changes", "times"),
}


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


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a replay, wherever it is executed."""

    trusted: bool
    function: str | None
    changes: dict[str, Any]
    without: tuple[str, ...]
    tolerances: str | None

    def elsewhere(self, call: Entry, python: str, times: int = 1) -> Elsewhere:
        """
        Return the same for another process.

        Raises:
            UntrustedError: If only the file names the function, and is not trusted.
        """
        if not self.trusted and not self.function:
            raise checkpoints.UntrustedError(
                f"{call.path} names the function to call: give it with --function, or "
                "pass --trusted if you trust who wrote the file"
            )
        options = {
            "trusted": self.trusted,
            "set": self.changes,
            "without": self.without,
            "tolerances": self.tolerances and os.path.abspath(self.tolerances),
            "times": times,
        }
        return Elsewhere(python, options, self.function or "")


_OPTIONS = (
    click.option(
        "--trusted",
        is_flag=True,
        help="Call the function that the file names, and load pickles: both can run "
        "any code.",
    ),
    click.option(
        "--function",
        metavar="PLACE",
        help="The function to call, as package.module:function or file.py:function.",
    ),
    click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_values_of,
        help="Another value for an argument: a literal of Python, or a text.",
    ),
    click.option(
        "--without",
        multiple=True,
        metavar="NAME",
        help="Leave out an argument that the function does not have any more.",
    ),
    click.option(
        "--tolerances",
        type=click.Path(exists=True, dir_okay=False),
        help="A TOML file that says how far values may be apart.",
    ),
)


def call_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what names a saved call to a command."""
    for parameter in (
        click.option(
            "--latest", is_flag=True, help="Only the newest file of each key."
        ),
        where_option,
        click.argument(
            "entry",
            nargs=-1,
            required=True,
            metavar="ENTRY",
            shell_complete=complete_entry,
        ),
    ):
        command = parameter(command)
    return command


def replay_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a replay to a command, which gets them as `options`."""

    @functools.wraps(command)
    def called(**given: Any) -> None:
        names = [field.name for field in fields(Options)]
        options = Options(**{name: given.pop(name) for name in names})
        command(options=options, **given)

    decorated: Callable[..., None] = called
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


@click.command(cls=BisectCommand, epilog=_EXAMPLES)
@call_options
@click.option(
    "--all", "has_many", is_flag=True, help="Replay all calls that match, not just one."
)
@replay_options
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
    "--emit",
    metavar="DIR",
    help="Write a script that makes this call, with its data, into a new folder.",
)
@click.option(
    "--python",
    metavar="VENV",
    callback=not_empty,
    help="Replay with another environment.",
)
@click.option(
    "--rev",
    metavar="REV",
    callback=not_empty,
    help="Replay at another revision of git.",
)
@click.option(
    "--watch", is_flag=True, help="Replay again whenever the source has changed."
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
    options: Options,
    times: int,
    pdb: bool,
    emit: str | None,
    python: str,
    rev: str,
    watch: bool,
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
    if has_many:
        calls = _calls(entry, where, latest=latest)
    else:
        calls = [chosen_call(entry, where, latest=latest)]
    if watch:
        if has_many or emit or pdb or rev or as_json:
            raise click.UsageError("--watch is for one call, and its report")
        _watch(calls[0], options.elsewhere(calls[0], python, times))
    if (emit and (has_many or python or rev)) or (pdb and (python or rev)):
        raise click.UsageError("--emit and --pdb are for one call, replayed here")
    written: list[str] = []

    def run(call: Entry) -> Mapping[str, Any]:
        if python or rev:
            how = options.elsewhere(call, python, times)
            return replay_at(call, rev, how) if rev else replay_elsewhere(call, how)
        found = checkpoints.replay(
            call,
            function=options.function,
            set=options.changes,
            without=options.without,
            times=times,
            pdb=pdb,
            tolerances=options.tolerances,
            trusted=options.trusted,
        )
        if emit:
            emitted = found.emit(emit)
            written.append(f"{emitted.verdict.upper()}  by {emitted.script}")
        document: Mapping[str, Any] = found.as_json()["calls"][0]
        return document

    # What the functions print must not be taken for the answer.
    stdout = redirect_stdout(sys.stderr) if as_json else nullcontext()
    with stdout, progress("replaying", len(calls)) as advance:
        document = replay_document([_attempt(run, call, advance) for call in calls])
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        _print(document, list(_next(document, context)), shows_all=has_many)
    for line in written:
        click.echo(line, err=as_json)
    context.exit(exit_code(document["exit"], is_bisecting=bisect))


def _watch(call: Entry, how: Elsewhere) -> NoReturn:
    """Replay a call at each change of its source, until the user ends it."""
    try:
        for _ in source_changes(call, how):
            found = _attempt(lambda it: replay_elsewhere(it, how), call, lambda: None)
            _print(replay_document([found]), (), shows_all=False)
            click.echo()
    except KeyboardInterrupt:
        click.echo()
    raise SystemExit(0)


def _look_here() -> None:
    """Let modules in the current folder be found."""
    if os.getcwd() not in sys.path:
        # After all others: a revision that is tested comes first.
        sys.path.append(os.getcwd())


def chosen_call(words: Sequence[str], where: Sequence[str], *, latest: bool) -> Entry:
    """Return the one entry that matches, and let modules here be found."""
    _look_here()
    try:
        found, rest = one_entry(words, where, latest=latest)
    except NothingFoundError as error:
        raise _without_verdict(error) from None
    if rest:
        raise click.UsageError(f"unexpected words: {' '.join(rest)}")
    return found if isinstance(found, Entry) else entry_at(found)


def _calls(
    words: Sequence[str], where: Sequence[str], *, latest: bool
) -> Sequence[Entry]:
    """Return the entries of calls."""
    root, *names = words
    _look_here()
    if os.path.isfile(os.path.expanduser(root)):
        raise CommandError(f"--all needs a root, and {root!r} is none")
    found = select(root, names, where)
    if latest:
        found = found.latest()
    called = [entry for entry in found if may_be_call(entry)]
    if not called:
        raise (
            _without_verdict(nothing_found(found))
            if not len(found)
            else CommandError(f"{root}: none of these {len(found)} entries is a call")
        )
    return sorted(called, key=place_in_program)


def _without_verdict(error: NothingFoundError) -> CommandError:
    """Return an error whose exit code does not say that a call differs."""
    return CommandError(error.message)


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
        return failed_call(*_known_as(call), call.path, why)
    finally:
        advance()


def _known_as(call: Entry) -> tuple[str, list[tuple[str, str]]]:
    """Return name and tags; if its header cannot be read, as its path has them."""
    try:
        meta = call.meta
    except (checkpoints.CheckpointError, OSError):
        return call.name, [*call.tags.items()]
    return meta["name"], [(tag, str(value)) for tag, value in meta["tags"]]


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
    screen.report(replay_report(document, screen.width, commands, shows_all=shows_all))


def _next(document: Mapping[str, Any], context: click.Context) -> Iterator[str]:
    """Yield the commands that show more of the first call that differs."""
    calls = [call for call in document["calls"] if call["verdict"] == "different"]
    given = context.params
    # No debugger stops elsewhere.
    if not calls or given["pdb"] or given["python"] or given["rev"]:
        return
    options = [*given_options(context, _NOT_KEPT)]
    for name, value in given["changes"].items():
        options += ["--set", f"{name}={value!r}"]
    yield shlex.join(["checkpoints", "replay", calls[0]["paths"][0], *options, "--pdb"])
