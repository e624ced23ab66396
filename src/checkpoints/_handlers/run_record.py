"""Writes the record of this run under each root that it saves to."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias

from checkpoints._files.run_record import end_name, put_record, start_name
from checkpoints._handlers.outcomes import outcomes
from checkpoints._handlers.root import run_root
from checkpoints._process import drain
from checkpoints._process.exit import at_exit
from checkpoints._process.facts import end_facts
from checkpoints._process.forks import after_fork_in_child, forks_wait
from checkpoints._process.libraries import imported
from checkpoints._process.origin import (
    current_run,
    host_name,
    run_beginner,
    run_name,
    started_at,
)
from checkpoints._process.program import loaded_versions, program, uncaught_error
from checkpoints._process.work import at_work
from checkpoints._text import is_remote
from checkpoints.storage._store import Store
from checkpoints.storage._stores import open_store

__all__ = ["record_end_at_exit", "record_end_of", "record_run", "saved_roots"]

logger = logging.getLogger("checkpoints")

# The permissions of the files of a root, and the options of its store.
Manner: TypeAlias = "tuple[int, Mapping[str, Any] | None]"

# Where this process has saved, by roots and runs: the stores, and the permissions.
_saved_in: dict[tuple[str, str], tuple[Store, int]] = {}
# The roots of rules, under which the processes that it starts may save instead.
_roots: dict[str, Manner] = {}
after_fork_in_child(_saved_in.clear)
# The folders that this process has saved to, with the permissions of their files.
saved_roots: dict[str, int] = {}
after_fork_in_child(saved_roots.clear)


def record_end_at_exit(
    root: str, mode: int, options: Mapping[str, Any] | None = None
) -> None:
    """
    Write, when this process exits, what became of its saves.

    Called as soon as a rule saves to files: what a program registers later for its
    exit may still save. The process that began the run writes it even if only others
    have saved.

    Args:
        root: The root, with its placeholders.
        mode: The permissions of its files.
        options: The options of its store.
    """
    _roots[root] = mode, options
    run_beginner()
    at_exit(_end)
    # A class that Python makes by `eval`, as these modules do, would let it forget that
    # a Ctrl-C is what ends the program, if the first save is the last thing it does.
    for module in ("platform", "subprocess"):
        imported(module)


def record_run(
    root: str, mode: int = 0o666, options: Mapping[str, Any] | None = None
) -> None:
    """
    Write the record of this run, unless one of its processes has done so.

    Called after the first save of a process under a root. What goes wrong is logged:
    the record is worth less than the save.

    Args:
        root: The root, with its placeholders.
        mode: The permissions of the record, which are those of the saves.
        options: The options of its store.
    """
    try:
        place, is_own = run_root(root)
        run, store = current_run(), open_store(place, options)
        record_end_at_exit(root, mode, options)
        _saved_in[store.root, run] = store, mode
        if not is_remote(store.root):
            saved_roots[store.root] = mode
        name = start_name(run)
        if store.status(name) is None:
            # A child would inherit locks of the standard library and pipes of git.
            with forks_wait():
                fields = _beginning(run, is_own=is_own)
            put_record(store, name, fields, mode)
    except Exception as error:  # noqa: BLE001 - the save itself has succeeded
        logger.info("no record of this run under %r: %s", root, error)


def _beginning(run: str, *, is_own: bool) -> dict[str, Any]:
    return {
        "run": run,
        "name": run_name(),
        "started": _moment(started_at()),
        "host": host_name(),
        "pid": os.getpid(),
        "began_by": _began_by(),
        # Whether all files below this folder belong to the run.
        "own_folder": is_own,
        **program(),
    }


def _began_by() -> dict[str, Any]:
    host, pid = run_beginner()
    return {"host": host, "pid": pid}


def _end() -> None:
    stores = dict(_saved_in)
    if run_beginner() == (host_name(), os.getpid()):
        stores = {**_stores_of(_roots), **stores}
    if not stores:
        return
    drain.drain()
    with at_work:
        told = {field: tell() for field, tell in end_facts.items()}
        for (_, run), place in stores.items():
            _put_end(*place, run, uncaught_error(), told)
    _saved_in.clear()
    _roots.clear()


def record_end_of(roots: Mapping[str, Manner], error: str) -> None:
    """
    Write how this run ended, in a process that began it and saved nothing itself.

    Args:
        roots: The roots, with their placeholders; of each the permissions of its files,
            and the options of its store.
        error: What ended it; "" if nothing went wrong.
    """
    for (_, run), place in _stores_of(roots).items():
        _put_end(*place, run, error)


def _stores_of(roots: Mapping[str, Manner]) -> dict[tuple[str, str], tuple[Store, int]]:
    found = {}
    for root, (mode, options) in roots.items():
        with suppress(Exception):  # as if there was nothing
            store = open_store(run_root(root)[0], options)
            found[store.root, current_run()] = store, mode
    return found


def _put_end(
    store: Store, mode: int, run: str, error: str, told: Mapping[str, object] = {}
) -> None:
    try:
        # A folder that the program has removed must not come back.
        if store.status(start_name(run)) is not None:
            process = f"{os.getpid()}-{os.urandom(3).hex()}"
            fields = {**_ending(run, error), **told}
            put_record(store, end_name(run, process), fields, mode)
    except Exception as problem:  # noqa: BLE001 - nothing is lost but the record
        logger.info("no record of the end of run %r: %s", run, problem)


def _ending(run: str, error: str) -> dict[str, Any]:
    return {
        "run": run,
        "host": host_name(),
        "pid": os.getpid(),
        "ended": _moment(time.time()),
        "saves": outcomes.totals(),
        "error": error,
        "versions": loaded_versions(),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
