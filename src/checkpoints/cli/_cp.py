"""`checkpoints cp SRC_ROOT DST_ROOT`."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import click

from checkpoints._keys.spelling import caseless, spelling_in
from checkpoints._text import files_text
from checkpoints.cli._completion import complete_root, complete_source_names
from checkpoints.cli._screen import progress, tell
from checkpoints.cli._selection import (
    NoRoot,
    chosen,
    nothing_of,
    tell_unreadable,
    where_option,
)
from checkpoints.storage import Source, Store, open_store

__all__ = ["cp"]

_EXAMPLES = """\b
Examples:
  checkpoints cp saved kept mypkg.fit --where day=monday
  checkpoints cp saved /mnt/archive
"""
_AT_ONCE = 1 << 20


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="SRC_ROOT", shell_complete=complete_root)
@click.argument("target", metavar="DST_ROOT", shell_complete=complete_root)
@click.argument("names", nargs=-1, shell_complete=complete_source_names)
@where_option
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option("--dry-run", is_flag=True, help="Only tell how much would be copied.")
@click.pass_context
def cp(
    context: click.Context,
    source: str,
    target: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    force: bool,
    dry_run: bool,
) -> None:
    """
    Copy entries from one root to another.

    NAMES and --where say which, as for ls. Each file appears under its name when it
    is complete. One that is there already, and is another one, is told and stays,
    unless --force is given; one that is the same is no error, so that a copy that was
    cut short can be begun again. Capitals in paths are encoded where DST_ROOT folds
    case, and nowhere else; of two files of one key, spelled both ways, the newer one
    is copied.

    The exit code is 0; 1 if nothing was found, or something could not be listed, read
    or copied; 2 if there is no such root, or the disk fails.
    """
    found = chosen(source, names, where)
    is_partial = tell_unreadable(found)
    if not len(found):
        raise nothing_of(found, filtered=bool(names or where))
    store = open_store(target)
    _check_target(found.root, store.root)
    paths = _newest(found.root, [entry.path for entry in found])
    total = sum(map(_size, paths))
    if dry_run:
        click.echo(f"would copy {files_text(len(paths), total)}")
        context.exit(int(is_partial))
    with progress("copy", total) as advance:
        copies = _Copies(open_store(found.root), store, advance, force=force)
        for path in paths:
            copies.add(path)
    same = f", {copies.same:,} were there already" if copies.same else ""
    click.echo(f"copied {files_text(copies.count, copies.size)}{same}")
    context.exit(int(is_partial or copies.failed))


def _check_target(source: str, target: str) -> None:
    there = target
    while not os.path.lexists(there) and os.path.dirname(there) != there:
        there = os.path.dirname(there)
    if os.path.lexists(there) and not os.path.isdir(there):
        raise NoRoot(f"DST_ROOT {target!r}: {there!r} is a file, and no folder")
    here, there = os.path.realpath(source), os.path.realpath(target)
    with suppress(ValueError):  # of two drives
        if os.path.commonpath([here, there]) in (here, there):
            raise click.UsageError("one root lies in the other: name two that do not")


def _newest(root: str, paths: list[str]) -> list[str]:
    """Return the paths, of two spellings of one path that of the newer file."""
    newest: dict[str, str] = {}
    for path in paths:
        name = caseless(os.path.relpath(path, root))
        other = newest.setdefault(name, path)
        if other != path:
            older, newest[name] = sorted([other, path], key=_time)
            tell(f"left out: {older}: {newest[name]} is of the same key, and newer")
    return list(newest.values())


def _time(path: str) -> int:
    with suppress(OSError):
        return os.stat(path).st_mtime_ns
    return 0


def _size(path: str) -> int:
    with suppress(OSError):
        return os.stat(path).st_size
    return 0


class _Copies:
    """What was copied so far."""

    def __init__(
        self,
        source: Store,
        target: Store,
        advance: Callable[[int], None],
        *,
        force: bool,
    ) -> None:
        self._source, self._target, self._advance = source, target, advance
        self._force = force
        self.count = self.size = self.same = 0
        self.failed = False

    def add(self, path: str) -> None:
        """Copy a file; what hinders it is told, but for an error of the target."""
        name = os.path.relpath(path, self._source.root).replace(os.sep, "/")
        copied = spelling_in(self._target, name)
        try:
            opened = self._source.open(name)
        except FileNotFoundError:
            return  # it vanished since the folder was listed
        except OSError as error:
            self._tell(f"not read: {path}: {error.strerror}")
            return
        with opened as file:
            try:
                self._target.put(
                    [copied], self._pieces(file), file.size, replace=self._force
                )
            except FileExistsError:
                self._meet(path, self._target.path_of(copied))
            except _SourceError as error:
                self._tell(f"not copied: {path}: {error}")
            except (IsADirectoryError, NotADirectoryError) as error:
                there = self._target.path_of(copied)
                self._tell(f"not copied: {path}: {there}: {error.strerror}")
            else:
                self.count, self.size = self.count + 1, self.size + file.size
                self._keep_times(path, self._target.path_of(copied))

    def _pieces(self, file: Source) -> Iterator[tuple[int, memoryview]]:
        for start in range(0, file.size, _AT_ONCE):
            piece = memoryview(bytearray(min(_AT_ONCE, file.size - start)))
            try:
                count = file.read_into(start, piece)
            except OSError as error:
                raise _SourceError(error.strerror) from error
            if count != len(piece):
                raise _SourceError("it was cut short meanwhile")
            yield start, piece
            self._advance(len(piece))

    def _meet(self, path: str, there: str) -> None:
        told = "is another; see --force"
        try:
            if filecmp.cmp(path, there, shallow=False):
                self.same += 1
                return
        except OSError as error:  # a link to nowhere, or it vanished just now
            told = f"cannot be compared: {error.filename}: {error.strerror}"
        self._tell(f"not copied: {there} is there, and {told}")

    def _keep_times(self, path: str, copy: str) -> None:
        with suppress(OSError):
            found = os.stat(path)
            os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))

    def _tell(self, text: str) -> None:
        self.failed = True
        tell(text)


class _SourceError(Exception):
    """A file cannot be read to its end; others may be."""
