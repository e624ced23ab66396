"""Which entries a command is about: a root, names, tags."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

import checkpoints
from checkpoints import Entry, Index
from checkpoints._keys.condition import conditions_in
from checkpoints._text import printable
from checkpoints.cli._completion import complete_names, complete_root, complete_where
from checkpoints.cli._screen import tell
from checkpoints.storage import split_path

__all__ = [
    "NoRoot",
    "NotLoaded",
    "NothingFound",
    "chosen",
    "entry_at",
    "header_of",
    "index_of",
    "loaded",
    "nothing_of",
    "one_of",
    "quiet_log",
    "selected",
    "tell_unreadable",
    "where_option",
]

F = TypeVar("F", bound=Callable[..., Any])

_MOST_TOLD = 20


class NothingFound(click.ClickException):
    """There is nothing of what was asked for."""

    exit_code = 1

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - as click calls it
        tell(self.message)


class NoRoot(click.ClickException):
    """What was given as a root is none."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def where_option(command: F) -> F:
    """Give a command the option that filters by tags."""
    return click.option(
        "--where",
        multiple=True,
        metavar="TAG=VALUE",
        shell_complete=complete_where,
        help=(
            "Only what has this tag: a text, a glob, or several as in a|b; a text as "
            "it stands, as in TAG==TEXT; or a comparison, quoted for the shell, such "
            "as 'step>=3'. May be given again."
        ),
    )(command)


def selected(command: F) -> F:
    """Give a command a root, names, and the option that filters by tags."""
    command = where_option(command)
    command = click.argument("names", nargs=-1, shell_complete=complete_names)(command)
    return click.argument("root", shell_complete=complete_root)(command)


def index_of(root: str) -> Index:
    """
    Return all entries under a root.

    Raises:
        NoRoot: If it is not there, or is a file.
        OSError: If it may not be read.
    """
    try:
        return checkpoints.index(root)
    except FileNotFoundError as error:
        raise NoRoot(
            f"there is no folder {root!r}: a root is made by the first save"
        ) from error
    except NotADirectoryError as error:
        raise NoRoot(
            f"{root!r} is a file: `checkpoints show` looks into it, or name its folder"
        ) from error


def chosen(root: str, names: Sequence[str], where: Sequence[str]) -> Index:
    """
    Return the entries that are asked for.

    Raises:
        NoRoot: If the root is none.
        OSError: If it may not be read.
        ConfigError: If the filter cannot be one.
    """
    found = index_of(root)
    for text in where:
        found = found.where(None, conditions_in(text))
    with quiet_log():
        if len(names) == 1:
            found = found.where(names[0])
        elif names and len(found):
            # Each is a pattern of its own, and a list would be of exact names.
            known = {each for name in names for each in found.where(name).names()}
            found = found.where(sorted(known) or names[0])
        len(found)  # walks, while the log is quiet
    return found


@contextmanager
def quiet_log() -> Iterator[None]:
    """Keep the log from saying of folders what the command says itself."""
    logger = logging.getLogger("checkpoints")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def tell_unreadable(found: Index) -> bool:
    """Tell the folders that could not be listed; return whether there are any."""
    for error in found.unreadable:
        tell(f"not listed: {error.filename}: {error.strerror}")
    return bool(found.unreadable)


def nothing_of(found: Index, *, filtered: bool) -> NothingFound:
    """Return what tells that nothing was found, and what there would be."""
    why = found.why_empty() if filtered else "nothing was saved there"
    return NothingFound(f"{found.root}: {why}")


def one_of(
    words: Sequence[str], where: Sequence[str], *, latest: bool
) -> tuple[Entry | str, Sequence[str]]:
    """
    Return the one entry that is asked for, or its path, and the words left over.

    Args:
        words: A path and the rest, or a root, a name and the rest.
        where: What is wanted of tags, where it is a root.
        latest: Whether the newest file of a key stands for all of them.

    Raises:
        click.UsageError: If it is none, or several.
    """
    place, *rest = words
    if not place:
        raise NoRoot("invalid root '': use '.' for the current directory")
    local = os.path.expanduser(place)
    if "://" not in place and not os.path.isdir(local):
        if where or latest:
            raise click.UsageError("--where and --latest are for a root, not a file")
        return _file(local), rest
    found = chosen(place, rest[:1], where)
    tell_unreadable(found)
    if latest:
        found = found.latest()
    exact = [each for each in found if rest and each.name == rest[0]]
    entries = exact or list(found[: _MOST_TOLD + 1])
    if not entries:
        raise nothing_of(found, filtered=bool(rest or where))
    if len(entries) > 1:
        count = len(exact) or len(found)
        told = "\n".join(_told_of(entries[:_MOST_TOLD]))
        more = f"\n  and {count - _MOST_TOLD} more" if count > _MOST_TOLD else ""
        raise click.UsageError(
            f"{count} entries are such; say which by {_ways(latest=latest)}:\n"
            f"{told}{more}"
        )
    return entries[0], rest[1:]


def _file(path: str) -> str:
    if not os.path.exists(path):
        for suffix in (".ckpt.zip", ".ckpt.parquet"):
            if os.path.exists(path + suffix):
                return path + suffix
        raise NoRoot(f"there is no file and no folder {path!r}; `checkpoints ls` lists")
    return path


def _ways(*, latest: bool) -> str:
    return "a name, --where" + ("" if latest else ", --latest") + " or its path alone"


def _told_of(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield a line for each entry, with the path where nothing else tells it apart."""
    lines = [
        f"{each.name} "
        + " ".join(f"{name}={value}" for name, value in each.tags.items())
        for each in entries
    ]
    for entry, line in zip(entries, lines, strict=True):
        path = f"  {entry.path}" if lines.count(line) > 1 else ""
        yield "  " + printable(line.rstrip() + path)


class NotLoaded(click.ClickException):
    """A value that may not be loaded as long as nobody allows it."""

    exit_code = 2


def loaded(path: str, name: str, *, trusted: bool, max_bytes: int | None) -> object:
    """
    Load a value.

    Raises:
        NotLoaded: If an option would allow it.
        CheckpointError, OSError: As for `checkpoints.load`.
    """
    try:
        return checkpoints.load(path, name, trusted=trusted, max_bytes=max_bytes)[name]
    except checkpoints.UntrustedError as error:
        message = (
            f"{path}: {name!r} is a pickle, which can run any code: not loaded without "
            "--trusted"
        )
        raise NotLoaded(printable(message)) from error
    except checkpoints.TooLargeError as error:
        # What the library advises are arguments of Python.
        told, _, advice = str(error).partition(". Load fewer")
        way = (
            "allow more with --max-bytes"
            if "max_bytes" in advice
            else ("load it on a larger machine")
        )
        raise NotLoaded(printable(f"{told}: {way}")) from error


def entry_at(path: str) -> Entry:
    """Return the entry of a file, whatever tags its folders stand for."""
    store, name = split_path(path)
    return Entry(store, (), name)


def header_of(path: str) -> tuple[dict[str, Any], str]:
    """Return the header of a file, or none and why it cannot be read."""
    try:
        return entry_at(path).meta, ""
    except (checkpoints.CheckpointError, OSError) as error:
        return {}, str(error)
