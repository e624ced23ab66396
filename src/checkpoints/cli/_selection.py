"""The entries that a command works on: a root, names, tags."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import click

import checkpoints
from checkpoints import Entry, Index, Run
from checkpoints._files.run_record import DEFAULT_ROOT, RUNS
from checkpoints._index.lost import without_files
from checkpoints._index.place import chosen_run, several_named, split_run
from checkpoints._index.runs import SharedFolders
from checkpoints._keys.condition import conditions_in
from checkpoints._keys.key import SUFFIXES
from checkpoints._text import is_remote
from checkpoints.cli._completion import complete_names, complete_root, complete_where
from checkpoints.cli._failures import CommandError, NothingFoundError, reason_of
from checkpoints.cli._place import names_object
from checkpoints.cli._screen import warn
from checkpoints.storage import split_path

__all__ = [
    "LAST_RUN",
    "NotLoadedError",
    "entry_at",
    "load_value",
    "nothing_found",
    "one_entry",
    "quiet_log",
    "read_header",
    "root_index",
    "runs_under",
    "select",
    "selection_arguments",
    "too_large",
    "warn_unreadable",
    "where_option",
]

F = TypeVar("F", bound=Callable[..., Any])

_MOST_LISTED = 20
# The last run under the default root.
LAST_RUN = "@last"


def where_option(command: F) -> F:
    """Add the option that filters by tags to a command."""
    return click.option(
        "--where",
        multiple=True,
        metavar="TAG=VALUE",
        shell_complete=complete_where,
        help=(
            "Only entries with this tag: text, a glob, or alternatives, as in a|b; "
            "literal text, as in TAG==TEXT; or a comparison, quoted for the shell, "
            "such as 'step>=3'. Can be repeated."
        ),
    )(command)


def selection_arguments(command: F, default: str | None = None) -> F:
    """
    Add a root, names, and the option that filters by tags to a command.

    Args:
        command: The command.
        default: The root if none is given; by default it is required.
    """
    command = where_option(command)
    command = click.argument("names", nargs=-1, shell_complete=complete_names)(command)
    # click takes a default of None for a value that was given.
    given: dict[str, Any] = (
        {"required": True} if default is None else {"default": default}
    )
    root = click.argument("root", shell_complete=complete_root, **given)
    return root(command)


def root_index(root: str) -> Index:
    """
    Return all entries under a root, or those of one run, `ROOT@RUN`.

    Raises:
        CommandError: If the root does not exist or is a file.
        NothingFoundError: If the run has no files any more.
        ConfigError: If there is no such run.
        OSError: If it cannot be read.
    """
    root, wanted = split_run(root)
    if wanted is None:
        with _existing_root(root):
            return checkpoints.index(root)
    known = runs_under(root)
    run, folders = chosen_run(known, wanted, root), SharedFolders()
    if several := several_named(known, wanted):
        warn(several)
    found = folders.entries(run)
    if not run.is_alone and not len(found):
        raise NothingFoundError(without_files(run, known, folders))
    return found


def runs_under(root: str) -> list[Run]:
    """
    Return the runs that saved under a root.

    Raises:
        CommandError: If the root does not exist or is a file.
        OSError: If it cannot be read.
    """
    with _existing_root(root):
        return checkpoints.runs(root)


def _root_in(folder: str) -> str:
    """Return the first root in a folder that is none itself; "" if there is none."""
    below = os.path.join(folder, DEFAULT_ROOT)
    if os.path.isdir(below):
        return below
    # A root is not listed for this, which may have a folder for each of many tags.
    if os.path.isdir(os.path.join(folder, RUNS)):
        return ""
    with suppress(OSError):
        for name in sorted(os.listdir(folder)):
            # Those of tags are its own: each run may have a folder.
            below = os.path.join(folder, name)
            if "=" not in name and os.path.isdir(os.path.join(below, RUNS)):
                return below
    return ""


@contextmanager
def _existing_root(root: str) -> Iterator[None]:
    """Say in the words of the command line that a root is not one, or may not be."""
    if not is_remote(root) and (below := _root_in(root)):
        warn(f"{root!r} has a root in it, {below!r}: give that")
    try:
        yield
    except FileNotFoundError as error:
        if is_remote(root):
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        raise CommandError(str(error)) from error
    except NotADirectoryError as error:
        raise CommandError(
            f"{root!r} is a file; use `checkpoints show`, or give its folder"
        ) from error


def select(root: str, names: Sequence[str], where: Sequence[str]) -> Index:
    """
    Return the entries under a root that match names and tags.

    Raises:
        CommandError: If the root does not exist or is a file.
        OSError: If the root cannot be read.
        ConfigError: If a condition is invalid.
    """
    found = root_index(root)
    for text in where:
        found = found.where(None, conditions_in(text))
    with quiet_log():
        if len(names) == 1:
            found = found.where(names[0])
        elif names and len(found):
            # Each name is a separate pattern, but a list must hold exact names.
            parts = [found.where(name) for name in names]
            known = {name for part in parts for name in part.names()}
            for part in parts if known else ():
                if not len(part):
                    warn(part.why_empty())
            found = found.where(sorted(known) or names[0])
        len(found)  # walks the folders now, while the log is quiet
    return found


@contextmanager
def quiet_log() -> Iterator[None]:
    """Silence log messages about folders that the command reports itself."""
    logger = logging.getLogger("checkpoints")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def warn_unreadable(found: Index) -> bool:
    """Report the folders that could not be listed; return whether there are any."""
    for error in found.unreadable:
        warn(f"not listed: {error.filename}: {error.strerror}")
    return bool(found.unreadable)


def nothing_found(found: Index) -> NothingFoundError:
    """Return the error for an empty result, which says what there is instead."""
    return NothingFoundError(f"{found.root}: {found.why_empty()}")


def one_entry(
    words: Sequence[str], where: Sequence[str], *, latest: bool
) -> tuple[Entry | str, Sequence[str]]:
    """
    Return the one entry that matches, or its path, and the remaining words.

    Args:
        words: A path and the rest, or a root, a name and the rest.
        where: Conditions on the tags of entries under a root.
        latest: Whether to consider only the newest file of each key.

    Raises:
        CommandError: If none or several match.
        click.UsageError: If there are conditions and the path is not a root.
    """
    path, *rest = words
    local = os.path.expanduser(path)
    has_run = split_run(path)[1] is not None
    is_run = has_run and (path.startswith("@") or not os.path.exists(local))
    is_root = is_run or is_remote(path) or os.path.isdir(local)
    if path and (names_object(path) or not is_root):
        if where or latest:
            raise click.UsageError("--where and --latest need a root, not a file")
        return _existing_file(local), rest
    found = select(path, rest[:1], where)
    warn_unreadable(found)
    if latest:
        found = found.latest()
    exact = [entry for entry in found if rest and entry.name == rest[0]]
    entries = exact or list(found[: _MOST_LISTED + 1])
    if not entries:
        raise nothing_found(found)
    if len(entries) > 1:
        ways = [] if has_run else _run_of(exact or found, path)
        if len(found.latest()) < len(found):
            ways.append("--latest")
        raise _several_found(entries, len(exact) or len(found), ways)
    return entries[0], rest[1:]


def _existing_file(path: str) -> str:
    if is_remote(path) or os.path.exists(path):
        return path
    for suffix in SUFFIXES.values():
        if os.path.exists(path + suffix):
            return path + suffix
    way = "`checkpoints ls ROOT` lists the entries of a root"
    if os.path.isdir(DEFAULT_ROOT) and os.path.basename(path) == path:
        way = f"of the last run, write `@last {path}`; {way}"
    raise CommandError(f"{path!r} does not exist; {way}")


def _run_of(entries: Iterable[Entry], root: str) -> list[str]:
    """Return how to name one run of a root, if entries are of several."""
    found = {
        run for entry in entries for tag, run in entry.tags.items() if tag == "run"
    }
    return [f"a run, such as {root}@last"] if len(found) > 1 else []


def _several_found(
    entries: Sequence[Entry], count: int, more: Sequence[str]
) -> CommandError:
    ways = ", ".join(["a name", *more, "--where"]) + " or the path of one"
    lines = list(_entry_lines(entries[:_MOST_LISTED]))
    if count > _MOST_LISTED:
        lines.append(f"  and {count - _MOST_LISTED} more")
    return CommandError(f"{count} entries match; select one with {ways}:", lines)


def _entry_lines(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield a line for each entry, with the path if name and tags are not unique."""
    lines = [
        " ".join([entry.name, *(f"{tag}={text}" for tag, text in entry.tags.items())])
        for entry in entries
    ]
    for entry, line in zip(entries, lines, strict=True):
        path = f"  {entry.path}" if lines.count(line) > 1 else ""
        yield f"  {line}{path}"


class NotLoadedError(CommandError):
    """A value needs an option to be loaded."""


def load_value(path: str, name: str, *, trusted: bool) -> object:
    """
    Load a value.

    Raises:
        NotLoadedError: If an option would allow it.
        CheckpointError, OSError: As for `checkpoints.load`.
    """
    try:
        return checkpoints.load(path, name, trusted=trusted)[name]
    except checkpoints.UntrustedError as error:
        raise NotLoadedError(
            f"{path}: {name!r} is a pickle, which can run any code; load it with "
            "--trusted"
        ) from error
    except checkpoints.TooLargeError as error:
        raise NotLoadedError(too_large(error)) from error


def too_large(error: checkpoints.TooLargeError) -> str:
    """Return what an error says of a limit, for the command line."""
    # The library's advice names arguments of Python.
    reason, _, advice = str(error).partition(". Load fewer")
    has_limit = "max_bytes" in advice
    way = "raise --max-bytes" if has_limit else "load it on a larger machine"
    return f"{reason}; {way}"


def entry_at(path: str) -> Entry:
    """Return the entry of a file, without the tags of its folders."""
    store, name = split_path(path)
    return Entry(store, (), name)


def read_header(source: Entry | str) -> tuple[dict[str, Any], str]:
    """Return the header of a file, or an empty one and why it cannot be read."""
    try:
        return (entry_at(source) if isinstance(source, str) else source).meta, ""
    except (checkpoints.CheckpointError, OSError) as error:
        return {}, str(error)
    except Exception as error:  # noqa: BLE001 - one file never ends the work on others
        path = source if isinstance(source, str) else source.path
        return {}, f"{path}: {reason_of(error)}"
