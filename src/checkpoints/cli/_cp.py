"""`checkpoints cp SRC_ROOT DST_ROOT`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import click

from checkpoints._keys.key import SUFFIXES
from checkpoints._keys.spelling import caseless, spelling_in
from checkpoints._rules.settings import as_run
from checkpoints._text import count_text, files_text, is_remote, printable
from checkpoints.cli._completion import complete_root, complete_source_names
from checkpoints.cli._converter import Converter
from checkpoints.cli._failures import CommandError
from checkpoints.cli._place import names_in
from checkpoints.cli._screen import progress, warn
from checkpoints.cli._selection import (
    nothing_found,
    select,
    warn_unreadable,
    where_option,
)
from checkpoints.storage import Source, Status, Store, open_store

__all__ = ["cp"]

_EXAMPLES = """\b
Examples:
  checkpoints cp saved kept mypkg.fit --where day=monday
  checkpoints cp saved /mnt/archive
  checkpoints cp saved s3://bucket/archive
  checkpoints cp --format zip from-julia saved
"""
_CHUNK_BYTES = 1 << 20
_AT_A_TIME = 8


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="SRC_ROOT", shell_complete=complete_root)
@click.argument("target", metavar="DST_ROOT", shell_complete=complete_root)
@click.argument("names", nargs=-1, shell_complete=complete_source_names)
@where_option
@click.option(
    "--format",
    "wanted",
    type=click.Choice([*SUFFIXES]),
    help="Save the values again, in this format.",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option("--dry-run", is_flag=True, help="Only print how much would be copied.")
@click.pass_context
def cp(
    context: click.Context,
    source: str,
    target: str,
    names: tuple[str, ...],
    *,
    where: tuple[str, ...],
    wanted: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    """
    Copy entries from one root to another.

    NAMES and --where select entries as in ls. A file appears under its name only when
    it is complete. An existing file is skipped if it is the same, so an interrupted
    copy can be resumed; one that differs is reported and kept, unless --force is
    given. Capitals in paths are encoded only if the file system of DST_ROOT ignores
    case. If SRC_ROOT holds a key in both spellings, the newer file is copied.

    A copy has the time and the permissions of its original, except in an object store,
    where it has the time of the copy. Links are not followed,
    in either root: a file that is a link is left out, and counted.

    With --format, files of another format are loaded and saved again, such as .jlso
    files of Checkpoints.jl as ZIP files, with their tags and headers. An existing file
    is kept, and counted, unless --force is given. What the format cannot hold is
    reported; pickles are never loaded.

    The exit code is 0; 1 if nothing was found, or something could not be listed, read
    or copied, links among them; 2 if there is no such root, or DST_ROOT cannot be
    written.
    """
    if target.startswith("@"):
        raise CommandError(as_run(target))
    found = select(source, names, where)
    is_partial = warn_unreadable(found)
    if not len(found):
        raise nothing_found(found)
    store = open_store(target)
    _check_target(found.root, store.root)
    origin, names_there = names_in(found)
    files, links = _without_links(origin, names_there)
    chosen = _newest(origin, files)
    left_out = f"; {count_text(links, 'link')} left out" if links else ""
    total, there = sum(chosen.values()), f" to {printable(target)}"
    if dry_run:
        click.echo(f"would copy {files_text(len(chosen), total)}{there}{left_out}")
        context.exit(int(is_partial or links > 0))
    converter = None if wanted is None else Converter(store.root, wanted, force=force)
    entries = {entry.path: entry for entry in found} if converter else {}
    with progress("copying", total) as advance:
        copier = _Copier(origin, store, advance, force=force)
        same_format = SUFFIXES[converter.format] if converter else ""
        copier.copy_all([name for name in chosen if name.endswith(same_format)])
        for name, size in chosen.items():
            if converter and not name.endswith(same_format):
                converter.copy(entries[origin.path_of(name)])
                advance(size)
    click.echo(f"{_told(copier, converter, there)}{left_out}")
    failed = copier.failed or (converter is not None and converter.failed)
    context.exit(int(is_partial or failed or links > 0))


def _told(copier: _Copier, converter: Converter | None, there: str) -> str:
    """Return what was copied, and where to, as a line."""
    same, parts = copier.same, []
    if converter is not None:
        same += converter.same
    if converter is not None and converter.count:
        of = count_text(converter.count, "file")
        parts.append(f"saved {of} again as {converter.format}")
    if copier.count or not parts:
        parts.append(f"copied {files_text(copier.count, copier.size)}")
    return "; ".join(parts) + there + (f"; {same:,} already there" if same else "")


def _check_target(source: str, target: str) -> None:
    if is_remote(source) or is_remote(target):
        one, other = f"{source}/", f"{target}/"
        if one.startswith(other) or other.startswith(one):
            raise CommandError("one root is inside the other; use separate folders")
        if is_remote(target):
            return
    existing = target
    while not os.path.lexists(existing) and os.path.dirname(existing) != existing:
        existing = os.path.dirname(existing)
    if os.path.lexists(existing) and not os.path.isdir(existing):
        raise CommandError(f"cannot copy to {target!r}: {existing!r} is a file")
    if is_remote(source):
        return
    real_source, real_target = os.path.realpath(source), os.path.realpath(target)
    with suppress(ValueError):  # on different drives
        common = os.path.commonpath([real_source, real_target])
        if common in (real_source, real_target):
            raise CommandError("one root is inside the other; use separate folders")


def _without_links(store: Store, names: list[str]) -> tuple[list[str], int]:
    """Return the names of what are no links, and how many are."""
    if is_remote(store.root):
        return names, 0
    files = [name for name in names if not os.path.islink(store.path_of(name))]
    return files, len(names) - len(files)


def _time(status: Status | None) -> int:
    return status.time if status else 0


def _newest(store: Store, names: list[str]) -> dict[str, int]:
    """Return names with sizes, without the older file of a key in both spellings."""
    found = dict(zip(names, store.statuses(names), strict=True))
    newest: dict[str, str] = {}
    for name in names:
        key = caseless(name)
        other = newest.setdefault(key, name)
        if other != name:
            older, newest[key] = sorted([other, name], key=lambda it: _time(found[it]))
            kept = store.path_of(newest[key])
            warn(
                f"skipped {store.path_of(older)}: {kept} has the same key and is newer"
            )
    sizes = {name: found[name] for name in newest.values()}
    return {name: status.size if status else 0 for name, status in sizes.items()}


class _Copier:
    """Copies files, and counts what it copied."""

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
        self._lock = threading.Lock()
        self.count = self.size = self.same = 0
        self.failed = False

    def copy_all(self, names: Sequence[str]) -> None:
        """Copy files; several at a time, if a server answers each request."""
        is_far = is_remote(self._source.root) or is_remote(self._target.root)
        pool = ThreadPoolExecutor(_AT_A_TIME if is_far else 1, "checkpoints-cp")
        try:
            for _ in pool.map(self._copy, names):
                pass
        finally:
            # Without waiting for the rest after an error or interrupt.
            pool.shutdown(cancel_futures=True)

    def _copy(self, name: str) -> None:
        """Copy a file; report its own errors, and raise those of the target."""
        path = self._source.path_of(name)
        target_name = spelling_in(self._target, name)
        try:
            opened = self._source.open(name)
        except FileNotFoundError:
            return  # deleted since the folder was listed
        except OSError as error:
            self._fail(f"{path}: {error.strerror}")
            return
        with opened as file:
            try:
                self._put(file, target_name)
            except FileExistsError:
                self._skip(file, target_name)
            except _SourceError as error:
                self._fail(f"{path}: {error}")
            except (IsADirectoryError, NotADirectoryError) as error:
                copy = self._target.path_of(target_name)
                self._fail(f"{path}: {copy}: {error.strerror}")
            else:
                with self._lock:
                    self.count, self.size = self.count + 1, self.size + file.size

    def _put(self, file: Source, name: str) -> None:
        time, mode = file.status.time, file.status.mode
        if self._force and (old := self._target.status(name)):
            mode &= old.mode
        self._target.put(
            [name],
            self._chunks(file),
            file.size,
            replace=self._force,
            mode=mode,
            time=time,
        )

    def _chunks(self, file: Source) -> Iterator[tuple[int, memoryview]]:
        for start in range(0, file.size, _CHUNK_BYTES):
            chunk = memoryview(bytearray(min(_CHUNK_BYTES, file.size - start)))
            try:
                count = file.read_into(start, chunk)
            except OSError as error:
                raise _SourceError(error.strerror) from error
            if count != len(chunk):
                raise _SourceError("truncated while it was read")
            yield start, chunk
            self._advance(len(chunk))

    def _skip(self, file: Source, name: str) -> None:
        """Count an existing file if it is the same; otherwise report it."""
        existing = self._target.path_of(name)
        reason = "differs; replace it with --force"
        try:
            with self._target.open(name) as other:
                if _are_same(file, other):
                    with self._lock:
                        self.same += 1
                    return
        except OSError as error:  # a link, or deleted just now
            reason = f"cannot be compared: {existing}: {error.strerror}"
        self._fail(f"{existing} exists and {reason}")

    def _fail(self, reason: str) -> None:
        self.failed = True
        warn(f"not copied: {reason}")


def _are_same(file: Source, other: Source) -> bool:
    if file.size != other.size:
        return False
    one, two = bytearray(_CHUNK_BYTES), bytearray(_CHUNK_BYTES)
    for start in range(0, file.size, _CHUNK_BYTES):
        counts = {
            file.read_into(start, memoryview(one)),
            other.read_into(start, memoryview(two)),
        }
        if len(counts) > 1 or one != two:
            return False
    return True


class _SourceError(Exception):
    """A file cannot be read to its end; others may be readable."""
