"""What to say of the files that a run has lost in a folder that others share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from checkpoints._index.run import Run
from checkpoints._index.runs import SharedFolders
from checkpoints._text import count_text, printable

__all__ = ["maybe_lost", "without_files"]


def without_files(run: Run, known: Sequence[Run], folders: SharedFolders) -> str:
    """
    Return what to say of a run whose files are gone from a folder that others share.

    Args:
        run: The run.
        known: All runs under the root, in their order.
        folders: The files of all of them.
    """
    later = _later(run, known, folders)
    by = f", or replaced by run {later}, which saved there too" if later else ""
    return (
        f"run {printable(run.id)} has no files under {run.path!r} any more; they were "
        f"deleted{printable(by)}. With run={{run}} in the root, or `checkpoints "
        "run` without --to, each run has a folder of its own"
    )


def maybe_lost(run: Run, known: Sequence[Run], folders: SharedFolders) -> str:
    """
    Return what to say of a run that may have had more files; empty if nothing.

    Args:
        run: The run, whose folder others share.
        known: All runs under the root, in their order.
        folders: The files of all of them.
    """
    saved, left = run.saves.get("saved", 0), len(folders.entries(run))
    nobodys = folders.of_no_run(run)
    notes = []
    if saved > left + nobodys and (later := _later(run, known, folders)):
        files = f"{count_text(left, 'file')} {'is' if left == 1 else 'are'}"
        notes.append(
            f"of {count_text(saved, 'save')} {files} left here: run "
            f"{printable(later)}, which saved here later, may have replaced the others"
        )
    if nobodys:
        notes.append(
            f"of {count_text(nobodys, 'file')} under {run.path!r} the run is not known,"
            " and may be this one: `checkpoints verify` says what is damaged"
        )
    return "; ".join(notes)


def _later(run: Run, known: Sequence[Run], folders: SharedFolders) -> str:
    """Return the id of the last run after one that has files in its folder."""
    _, *after = dropwhile(lambda it: it.id != run.id, [*known, run])
    later = [
        it.id
        for it in after
        if it.id != run.id and it.path == run.path and folders.entries(it)
    ]
    return later[-1] if later else ""
