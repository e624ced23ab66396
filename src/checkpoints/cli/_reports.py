"""What the processes of a run have reported about their saves."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from checkpoints._files.run_record import RUNS, files_of, read_record, start_name
from checkpoints._process.origin import current_run
from checkpoints.cli._process import is_running
from checkpoints.storage import open_store

__all__ = ["Reports", "ends_of_processes", "read_reports"]

# Seconds.
_PATIENCE = 0.5


class Reports:
    """
    The reports of a program's processes.

    Args:
        folder: The folder that they are written to.

    Attributes:
        reports: The last report of each process.
        used: The sources of the rules that took a call.
        running: The ids of processes that run on and have not reported.
        ended: The ids of processes that ended without a report.
    """

    def __init__(self, folder: str) -> None:
        self.reports: list[dict[str, Any]] = []
        self.used: set[str] = set()
        reported: set[int] = set()
        silent: set[int] = set()
        for name in sorted(os.listdir(folder)):
            if name.startswith("."):
                continue  # unfinished
            with open(os.path.join(folder, name), "rb") as file:
                lines = list(_parsed(file))
            pid = int(name.partition("-")[0])
            # Lines after the report name rules used by other exit handlers.
            last = [line for line in lines if isinstance(line, dict)][-1:]
            self.reports += [{**report, "pid": pid} for report in last]
            self.used.update(line for line in lines if line and isinstance(line, str))
            (reported if last else silent).add(pid)
        # A process can execute another program, and report as that one.
        self.running = set(filter(is_running, silent - reported))
        self.ended = silent - reported - self.running

    def roots_beside(self, patterns: Sequence[str]) -> dict[str, int]:
        """
        Return the folders that were saved to and match none of the globs.

        Returns:
            For each, the permissions of its files.
        """
        roots = {k: it for report in self.reports for k, it in report["roots"].items()}
        return {
            root: mode
            for root, mode in roots.items()
            if not any(fnmatchcase(root, pattern) for pattern in patterns)
        }


def _parsed(lines: Iterable[bytes]) -> Iterator[Any]:
    for line in lines:
        # The last line is incomplete if the process was killed while writing it.
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def read_reports(folder: str) -> Reports:
    """Read the reports of processes; those that are just ending get a moment for it."""
    end = time.monotonic() + _PATIENCE
    while (found := Reports(folder)).running and time.monotonic() < end:
        time.sleep(_PATIENCE / 50)
    return found


def ends_of_processes(roots: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what the processes of this run recorded at their end beside its files."""
    for root in roots:
        with contextlib.suppress(OSError):
            store = open_store(root)
            for folder, names in store.walk(lambda folder: folder == (RUNS,)):
                # Others may have records of thousands of runs there.
                found = ["/".join((*folder, name)) for name in names if folder]
                for name in files_of(start_name(current_run()), found):
                    record = read_record(store, name) or {}
                    is_end = record.get("run") == current_run() and "ended" in record
                    saves = record.get("saves")
                    if is_end and isinstance(saves, dict) and any(saves.values()):
                        yield {it: record[it] for it in ("host", "pid", "saves")}
