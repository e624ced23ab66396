"""Where entries are, as people write it: a root, or one of its runs, ROOT@RUN."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from checkpoints._files.run_record import DEFAULT_ROOT
from checkpoints._index.run import Run
from checkpoints._text import nearest, printable, shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import open_store

__all__ = ["chosen_run", "several_named", "split_run"]

# A run, and how many runs before it.
_WANTED = re.compile(r"(.*?)(?:~([0-9]{1,9}))?", re.DOTALL)
_LAST = ("", "last")
_MOST_NAMED = 8


def split_run(
    place: str, store_options: Mapping[str, Any] | None = None
) -> tuple[str, str | None]:
    """
    Split `ROOT@RUN` into the root and the run; None without a run.

    A folder or a file that has this name as a whole is no run, but for one whose name
    begins with `@`: that is `./@NAME`, as `@NAME` is always a run.

    Args:
        place: What people wrote.
        store_options: For a URL, as for `FileHandler`.
    """
    root, at, wanted = place.rpartition("@")
    if not at or set(wanted) & {"/", "\\"}:
        return place, None
    if not root:
        return DEFAULT_ROOT, wanted
    try:
        open_store(place, store_options).check_root()
    except NotADirectoryError:
        pass  # whoever opens it says that it is a file
    except (OSError, ConfigError):
        return root, wanted
    return place, None


def chosen_run(known: Sequence[Run], wanted: str, root: str) -> Run:
    """
    Return the run that is meant by an id, the beginning of one, a name or `last`.

    Args:
        known: The runs, from the first to the last.
        wanted: What people wrote after the `@`.
        root: The root, for the message of an error.

    Raises:
        ConfigError: If there is no such run, or there are several.
    """
    found = _WANTED.fullmatch(wanted)
    text, back = (found[1], int(found[2] or 0)) if found else (wanted, 0)
    candidates = _up_to(known, text, root)
    if not candidates:
        raise ConfigError(
            f"no run {shown(wanted)} under {root!r}; {_hint(known, text)}"
        )
    if back >= len(candidates):
        before = len(candidates) - 1
        message = f"no run {shown(wanted)} under {root!r}: only {before} before it"
        raise ConfigError(f"{message}; {_listed(known)}")
    return candidates[-1 - back]


def _hint(known: Sequence[Run], text: str) -> str:
    if not known:
        return "nothing was saved there"
    names = {name for run in known for name in (run.name, run.id)}
    meant = nearest(text, {*names, *_LAST})
    return (f"did you mean @{printable(meant)}? " if meant else "") + _listed(known)


def _up_to(known: Sequence[Run], text: str, root: str) -> Sequence[Run]:
    """Return the runs that are meant by a text, which is about the last of them."""
    if text in _LAST:
        return known
    ids = [run.id for run in known]
    named = [run for run in known if run.name == text]
    begun = [at for at, run in enumerate(ids) if run.startswith(text)]
    if text in ids:
        return known[: ids.index(text) + 1]
    if named:
        return named
    if len(begun) > 1:
        several = _listed([known[at] for at in begun])
        message = f"several runs begin with {shown(text)} under {root!r}"
        raise ConfigError(f"{message}; {several}")
    return known[: begun[0] + 1] if begun else ()


def _listed(known: Sequence[Run]) -> str:
    names = [f"{run.id} ({run.name})" if run.name else run.id for run in known]
    last = ", ".join(map(printable, names[-_MOST_NAMED:]))
    before = len(names) - _MOST_NAMED
    return f"there are {last}" + (f", and {before} before" if before > 0 else "")


def several_named(known: Sequence[Run], wanted: str | None) -> str:
    """
    Return what to say of a name that several runs have; empty if only one has it.

    Args:
        known: The runs.
        wanted: What people wrote after the `@`.
    """
    count = sum(run.name == wanted for run in known)
    if count <= 1 or not wanted or any(run.id == wanted for run in known):
        return ""
    name = printable(wanted)
    return (
        f"{count} runs are named {name}: @{name} is the last, @{name}~1 the one before"
    )
