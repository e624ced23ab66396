"""An index of very many entries: the walk, tables of it, and its memory."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable

import checkpoints
from benchmarks import index
from benchmarks.rounds import Row, Work, compare, settle, show_progress

NAMES = 100
DAYS = 100
# How many headers are read, whatever the size of the tree.
HEADERS = 20_000


def measure(folder: str, *, quick: bool) -> list[Row]:
    sizes = [(2, 3)] if quick else [(10, 5), (100, 3)]
    rows = []
    for models, rounds in sizes:
        root = os.path.join(folder, str(models))
        number = fill(root, models, days=3 if quick else DAYS)
        settle()
        rows += walks(root, number, rounds)
        rows += tables(root, number, rounds)
        rows.append(memory(root, number))
    rows += headers(os.path.join(folder, str(sizes[0][0])))
    return rows


def fill(root: str, models: int, days: int) -> int:
    """Create the files that a program would have saved; they are copies of one."""
    with checkpoints.config("scale", root, on_error="raise"):
        checkpoints.checkpoint("scale.first", loss=0.25, epoch=3, name="ridge")
    (first,) = checkpoints.index(root)
    data = pathlib.Path(first.path).read_bytes()
    os.unlink(first.path)
    for model in range(models):
        show_progress()
        for day in range(days):
            below = os.path.join(root, f"model=m{model}", f"day={day}", "scale")
            os.makedirs(below)
            for number in range(NAMES):
                path = os.path.join(below, f"stage{number:02}.ckpt.zip")
                with open(path, "wb", buffering=0) as file:
                    file.write(data)
    return models * days * NAMES


def walks(root: str, number: int, rounds: int) -> list[Row]:
    def walk() -> None:
        if len(checkpoints.index(root)) != number:
            raise RuntimeError("not every entry was found")

    others: list[tuple[str, Callable[[], object]]] = [
        ("`os.scandir`, recursive", lambda: index.count_files(root)),
        ("`pathlib.Path.rglob`", lambda: sum(1 for _ in pathlib.Path(root).rglob("*"))),
        ("`fsspec`, `find`", lambda: by_fsspec(root)),
        ("`pyarrow.fs`", lambda: by_pyarrow(root)),
    ]
    if find := shutil.which("find"):
        command = [find, root, "-type", "f"]
        others.append(("`find -type f`", lambda: by_command(command)))
    return [
        compare(
            f"index of {number:,} entries",
            Work(walk),
            name,
            Work(other),
            rounds=rounds,
            target=3 if "scandir" in name else None,
        )
        for name, other in others
    ]


def by_fsspec(root: str) -> object:
    import fsspec

    return fsspec.filesystem("file").find(root)


def by_pyarrow(root: str) -> object:
    from pyarrow import fs

    return fs.LocalFileSystem().get_file_info(fs.FileSelector(root, recursive=True))


def by_command(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def tables(root: str, number: int, rounds: int) -> list[Row]:
    walk = Work(lambda: len(checkpoints.index(root)))
    whole = checkpoints.index(root)
    works = {
        "name and tags of each": lambda: [
            (entry.name, entry.tags) for entry in checkpoints.index(root)
        ],
        "one model of them": lambda: len(checkpoints.index(root).where(model="m1")),
        "one day of them": lambda: len(checkpoints.index(root).where(day=1)),
        "one name of them": lambda: len(checkpoints.index(root).where("scale.stage07")),
        "`to_arrow()`, walked before": whole.to_arrow,
        "`sort('day')`, walked before": lambda: whole.sort("day"),
    }
    return [
        compare(
            f"{number:,} entries: {what}", Work(work), "the index", walk, rounds=rounds
        )
        for what, work in works.items()
    ]


def memory(root: str, number: int) -> Row:
    """Return the memory of an entry, compared with that of its path as a string."""
    taken = []
    for make in (
        lambda: sized(checkpoints.index(root)),
        lambda: [str(path) for path in pathlib.Path(root).rglob("*.zip")],
    ):
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        kept = make()
        taken.append((tracemalloc.get_traced_memory()[0] - before) / number)
        tracemalloc.stop()
        del kept
    ours, theirs = taken
    what = f"index of {number:,} entries, memory of one"
    return Row(what, "a list of paths", ours / theirs, None, ours, theirs, "B")


def sized(found: checkpoints.Index) -> checkpoints.Index:
    len(found)
    return found


def headers(root: str) -> list[Row]:
    found = checkpoints.index(root)[:HEADERS]
    number = len(found)
    row = compare(
        f"headers of {number:,} entries, as a table",
        Work(lambda: found.to_arrow(details=True)),
        "opening, reading and closing these files",
        Work(lambda: [pathlib.Path(entry.path).read_bytes() for entry in found]),
        rounds=3,
    )
    goal = number / 10_000
    what = "10,000 headers in a second"
    rate = row._replace(beside=what, ratio=row.ours / goal, target=1, theirs=goal)
    return [row, rate]
