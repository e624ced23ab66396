"""Entries copied into another format: what they hold is loaded and saved again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from checkpoints import AlreadyStoredError, CheckpointError, Entry, FormatError, Key
from checkpoints._handlers.options import Format
from checkpoints._keys.julia_path import JULIA, julia_path
from checkpoints._keys.key import SUFFIXES
from checkpoints._keys.spelling import caseless, spelling_in
from checkpoints.cli._failures import reason_of
from checkpoints.cli._screen import warn
from checkpoints.cli._translation import Translation, key_of, translated
from checkpoints.storage import Status, Store
from checkpoints.storage._copier import concerns_one_file

__all__ = ["Converter"]

_CHUNK_BYTES = 1 << 20
_FORMATS = {suffix: format for format, suffix in SUFFIXES.items()}


class Converter:
    """
    Saves entries in another format, and counts them.

    A copy has what the header of its original says of the save, and a checksum of the
    original, by which it is known again.

    Args:
        source: The store that the entries are in.
        target: The store to save to.
        format: The format.
        force: Whether to replace existing files.
        is_trial: Whether nothing is written.
    """

    def __init__(
        self,
        source: Store,
        target: Store,
        format: Format,
        *,
        force: bool,
        is_trial: bool,
    ) -> None:
        self._source, self._target = source, target
        self.format: Format = format
        self._force, self._is_trial = force, is_trial
        self._planned: list[tuple[str, Entry, str]] = []
        self._noticed: set[tuple[str, str]] = set()
        # How many files were saved, are there already, and are not copied; and how many
        # values are left out, of how many files.
        self.count = self.same = self.failed = self.left_out = self.partial = 0

    def plan(self, entries: Mapping[str, Entry]) -> list[str]:
        """
        Decide what each file becomes; return those that have the format already.

        Files that have no path in it, or one that another file would have as well, are
        told and left out.

        Args:
            entries: Entries by the names of their files in the source.
        """
        wanted = defaultdict[str, list[tuple[str, Entry, str]]](list)
        for name, entry in entries.items():
            try:
                place = self._place_of(name, entry)
            except FileNotFoundError:
                continue  # deleted since the folder was listed
            except (CheckpointError, OSError) as error:
                self._fail(entry.path, error)
            else:
                wanted[self._same(place)].append((name, entry, place))
        for files in wanted.values():
            if len(files) > 1:
                self._refuse([entry.path for _, entry, _ in files], files[0][2])
        alone = [files[0] for files in wanted.values() if len(files) == 1]
        self._planned = [it for it in alone if it[0] != it[2]]
        return [name for name, _, place in alone if name == place]

    def save_all(self, step: Callable[[str], object]) -> None:
        """
        Save the entries of other formats; tell why, if one or a value of it is not.

        Args:
            step: Called with the name of each file that is done.

        Raises:
            OSError: If the target cannot be written.
        """
        for name, entry, place in self._planned:
            self._save(name, entry, place)
            step(name)

    def _save(self, name: str, entry: Entry, place: str) -> None:
        try:
            work = self._work(name, entry, self._spelled(place))
        except FileNotFoundError as error:
            if self._source.status(name) is not None:
                self._fail(entry.path, error)
        except Exception as error:  # noqa: BLE001 - one file never ends the others
            self._fail(entry.path, error)
        else:
            if work is not None:
                self._finish(work)

    def _place_of(self, name: str, entry: Entry) -> str:
        suffix, own = _suffix_of(name), SUFFIXES[self.format]
        if suffix == own or JULIA not in (suffix, own):
            # These spell a path alike, and number the files of a key.
            return name.removesuffix(suffix) + own
        if "" in entry.tags:
            raise FormatError(
                "a folder in its path is a tag without a name, which only "
                "Checkpoints.jl has: rename the folder that begins with '='"
            )
        key = Key(entry.name, entry.tags.items())
        if own != JULIA:
            return key.path + own
        # Where a path cuts a text, the header has the whole.
        return julia_path(key_of(entry, entry.meta) if "~" in name else key) + own

    def _same(self, place: str) -> str:
        """Return what is equal of names that are one file in the target."""
        if not place.endswith(JULIA):
            return caseless(place)
        # Whether the target folds case is found out by writing to it.
        folds = not self._is_trial and self._target.folds_case
        return place.lower() if folds else place

    def _spelled(self, place: str) -> str:
        if place.endswith(JULIA):  # in which nothing is escaped
            return place
        if not self._is_trial:
            return spelling_in(self._target, place)
        status, other = self._target.status, caseless(place)
        return other if status(other) and not status(place) else place

    def _work(self, name: str, entry: Entry, place: str) -> _Work | None:
        """Return what is to be written; None if it is there."""
        original, status = self._original(name)
        meta, there = entry.meta, None
        if not self._force:
            there = self._values_there(place, original)
        if there == frozenset(meta["values"]):
            self.same += 1
            return None
        found = translated(entry, meta, self.format, original)
        return _Work(entry, place, status, original, there, found)

    def _original(self, name: str) -> tuple[dict[str, Any], Status]:
        """Return how a copy knows its original again, and the status of that."""
        digest, chunk = hashlib.sha256(), memoryview(bytearray(_CHUNK_BYTES))
        with self._source.open(name) as file:
            for start in range(0, file.size, _CHUNK_BYTES):
                digest.update(chunk[: file.read_into(start, chunk)])
            known = {"format": _FORMATS[_suffix_of(name)], "bytes": file.size}
            return {**known, "sha256": digest.hexdigest()}, file.status

    def _values_there(
        self, place: str, original: Mapping[str, Any]
    ) -> frozenset[str] | None:
        """
        Return the names of the values in an existing copy; None if there is no file.

        Raises:
            AlreadyStoredError: If there is another file.
            OSError: If there is something else, or it cannot be read.
        """
        try:
            if self._target.status(place) is None:
                return None
            meta = Entry(self._target, (), place).meta
        except CheckpointError:
            meta = {}
        except OSError as error:
            raise self._of_copy(place, error) from error
        if meta.get("original") != original:
            raise self._differs(place)
        return frozenset(meta["values"])

    def _differs(self, place: str) -> AlreadyStoredError:
        path = self._target.path_of(place)
        return AlreadyStoredError(f"{path} exists and differs; replace it with --force")

    def _of_copy(self, place: str, error: OSError) -> OSError:
        """Return an error that says that it is one of the copy, not of the original."""
        path = self._target.path_of(place)
        return OSError(error.errno, f"{path}: {error.strerror or error}")

    def _finish(self, work: _Work) -> None:
        """Write a file, unless it is there, and count it and what it lacks."""
        found = work.found
        for reason in found.left_out:
            _tell(work.entry.path, reason)
        if found.contents is None:
            self.failed += 1
        elif work.there not in (None, found.names):
            self._fail(work.entry.path, self._differs(work.place))
        elif work.there is not None or self._is_put(work):
            self.same += work.there is not None
            self.count += work.there is None
            self.left_out += len(found.left_out)
            self.partial += bool(found.left_out)

    def _is_put(self, work: _Work) -> bool:
        """Write a file, and tell whether it is there now."""
        try:
            self._put(work)
        except FileExistsError:  # since it was looked for, or as something else
            try:
                if self._values_there(work.place, work.original) == work.found.names:
                    return True
                self._fail(work.entry.path, self._differs(work.place))
            except OSError as error:
                self._fail(work.entry.path, error)
        except OSError as error:
            if not concerns_one_file(error, self._target):
                raise
            self._fail(work.entry.path, self._of_copy(work.place, error))
        except Exception as error:  # noqa: BLE001 - of bytes that are made while written
            self._fail(work.entry.path, error)
        else:
            return True
        return False

    def _put(self, work: _Work) -> None:
        contents, mode = work.found.contents, work.status.mode
        if contents is None:
            return
        for subject, text, is_news in contents.notices:
            about = (work.entry.name, subject)
            if is_news and about not in self._noticed:
                self._noticed.add(about)
                warn(f"{work.entry.path}: {text}")
        if self._is_trial:
            return
        old = self._target.status(work.place) if self._force else None
        self._target.put(
            [work.place],
            contents.pieces,
            contents.size,
            replace=self._force,
            mode=mode & old.mode if old else mode,
            time=work.status.time,
        )

    def _refuse(self, paths: list[str], place: str) -> None:
        self.failed += len(paths)
        count = "two" if len(paths) == 2 else f"{len(paths):,}"  # noqa: PLR2004
        there, which = self._target.path_of(place), " and ".join(paths)
        warn(f"not copied: {count} files would have this path, {there}: {which}")

    def _fail(self, path: str, error: Exception) -> None:
        self.failed += 1
        _tell("" if isinstance(error, AlreadyStoredError) else path, reason_of(error))


class _Work(NamedTuple):
    """
    A file to write.

    Args:
        entry: Its original.
        place: Its name.
        status: The status of the original.
        original: How it knows its original again.
        there: The names of the values in a copy that is there already, if one is.
        found: What it holds.
    """

    entry: Entry
    place: str
    status: Status
    original: Mapping[str, Any]
    there: frozenset[str] | None
    found: Translation


def _suffix_of(name: str) -> str:
    return next(suffix for suffix in _FORMATS if name.endswith(suffix))


def _tell(path: str, reason: str) -> None:
    # The errors of reading a file begin with its path, those of saving do not.
    place = "" if reason.startswith(path) else f"{path}: "
    warn(f"not copied: {place}{reason}")
