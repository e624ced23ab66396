"""`checkpoints runs [ROOT]`."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from checkpoints import Run
from checkpoints._files.run_record import DEFAULT_ROOT
from checkpoints._index.place import chosen_run, several_named, split_run
from checkpoints._index.runs import SharedFolders
from checkpoints._process.origin import host_name
from checkpoints._show.header import json_text
from checkpoints._text import moment_text, printable
from checkpoints.cli._completion import complete_root
from checkpoints.cli._failures import NothingFoundError
from checkpoints.cli._process import is_running
from checkpoints.cli._screen import Screen, warn
from checkpoints.cli._selection import runs_under
from checkpoints.cli._table import Column, Table

__all__ = ["runs", "state_of"]

_EXAMPLES = """\b
Examples:
  checkpoints runs
  checkpoints runs saved
  checkpoints runs saved@before-upgrade
"""
_COLUMNS = (
    Column("run", "cyan", is_fixed=True),
    Column("name", is_fixed=True),
    Column("started (UTC)", "dim", shorter=(16, 10), is_optional=True),
    Column("program", shrinks_first=True),
    Column("saves", is_right=True),
    Column("failed", is_right=True),
    Column("state"),
    Column("git"),
)
_COMMIT = 7
# In a larger root, reading all headers would take long.
_MOST_COUNTED = 10_000
_LOST = ("failed", "unknown", "dropped")
_UNKNOWN = "?"
_INDENT = "  "


@click.command(epilog=_EXAMPLES)
@click.argument("root", default=DEFAULT_ROOT, shell_complete=complete_root)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def runs(root: str, *, as_json: bool) -> None:
    """
    List the runs that saved under ROOT, the last one last.

    ROOT is .checkpoints unless given. ROOT@RUN shows all that is known of one run: RUN
    is an id or its beginning, a name, `last`, or `last~1`. Of runs with one name, the
    last has it, and those before it are NAME~1, NAME~2 and so on.

    A run is unfinished if it did not say how it ended: it was killed, or still runs
    elsewhere; then its saves are the files that are there. `*` after the git revision
    means that files were changed since.

    The exit code is 0; 1 if there are no runs; 2 if there is no such root or run.
    """
    root, wanted = split_run(root)
    known = runs_under(root)
    if wanted is not None:
        several = several_named(known, wanted)
        known = [chosen_run(known, wanted, root)]
        if several:
            warn(several)
    if as_json:
        click.echo(json_text([_as_dict(run) for run in known]))
    if not known:
        raise NothingFoundError(f"{root}: no run has saved anything there")
    if not as_json:
        screen = Screen()
        for line in _table(known, screen) if wanted is None else _details(known[0]):
            screen.line(line)


def state_of(run: Run) -> str:
    """Return what became of a run, and whether it runs on this machine."""
    if run.state != "unfinished":
        return run.state
    # The one that began it, and the first that saved, which may outlive it.
    processes = run.record.get("began_by"), run.record
    return "running" if any(map(_runs_here, processes)) else run.state


def _runs_here(process: object) -> bool:
    if not isinstance(process, Mapping) or process.get("host") != host_name():
        return False
    number = process.get("pid")
    return isinstance(number, int) and is_running(number)


def _table(known: Sequence[Run], screen: Screen) -> Iterator[str]:
    folders = SharedFolders()
    rows = [
        _cells(run, name, folders)
        for run, name in zip(known, _names(known), strict=True)
    ]
    # What no run has would only take room.
    used = [at for at in range(len(_COLUMNS)) if any(row[at] for row in rows)]
    table = Table(screen, [_COLUMNS[at] for at in used])
    shown = [[row[at] for at in used] for row in rows]
    for row in shown:
        table.measure(row)
    table.fit()
    yield table.heading()
    for run, row in zip(known, shown, strict=True):
        yield table.row(row, "red" if run.error else "")


def _names(known: Sequence[Run]) -> list[str]:
    """Return the name of each run, as it is written behind the `@`."""
    later: Counter[str] = Counter()
    names = []
    for run in reversed(known):
        back = f"~{later[run.name]}" if run.name and later[run.name] else ""
        names.append(run.name + back)
        later[run.name] += 1
    return names[::-1]


def _cells(run: Run, name: str, folders: SharedFolders) -> list[str]:
    texts = [run.id, name, _started(run), run.program]
    lost = sum(run.saves.get(outcome, 0) for outcome in _LOST)
    counts = [_saves(run, folders), str(lost or "")]
    return list(map(printable, [*texts, *counts, state_of(run), _revision(run)]))


def _started(run: Run) -> str:
    return moment_text(run.started.timestamp()) if run.started else _UNKNOWN


def _saves(run: Run, folders: SharedFolders) -> str:
    """Return how many saves a run made, or how many files it has left behind."""
    if "saved" in run.saves:
        return str(run.saves["saved"])
    if (
        not run.is_alone
        and len(folders.files(run.path, run.store_options)) > _MOST_COUNTED
    ):
        return _UNKNOWN
    return str(len(folders.entries(run)))


def _revision(run: Run, length: int = _COMMIT) -> str:
    return run.git[:length] + "*" * bool(run.is_dirty)


def _details(run: Run) -> Iterator[str]:
    record = run.record
    lines = {
        "run": run.id,
        "name": run.name,
        "state": f"{state_of(run)}: {run.error}" if run.error else state_of(run),
        "started": f"{_started(run)} UTC",
        "ended": run.ended and f"{moment_text(run.ended.timestamp())} UTC",
        "program": run.program,
        "folder": record.get("folder"),
        "git": run.git and run.git + " and changes" * bool(run.is_dirty),
        "python": record.get("python"),
        "platform": record.get("platform"),
        "host": record.get("host"),
        "saves": _outcomes(run) or f"{_saves(run, SharedFolders())} files",
        "files": run.path,
    }
    width = max(map(len, lines))
    for name, text in lines.items():
        if text:
            yield printable(f"{name:{width}}  {text}")
    if run.versions:
        yield "versions"
        longest = max(map(len, run.versions))
        for name, version in run.versions.items():
            yield printable(f"{_INDENT}{name:{longest}}  {version}")


def _outcomes(run: Run) -> str:
    return ", ".join(f"{count} {word}" for word, count in run.saves.items() if count)


def _as_dict(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "state": state_of(run),
        "started": _iso(run.started),
        "ended": _iso(run.ended),
        "error": run.error,
        "program": run.program,
        "saves": dict(run.saves),
        "git": run.git,
        "is_dirty": run.is_dirty,
        "versions": dict(run.versions),
        "path": run.path,
        "is_alone": run.is_alone,
        "record": dict(run.record),
    }


def _iso(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
