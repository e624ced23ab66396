"""The rows as text for a terminal and as Markdown, and the facts of the machine."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import checkpoints
from benchmarks.rounds import Row

HEADING = ("what", "beside", "ratio", "at most", "result", "ours", "the other")
RIGHT = {"ratio", "at most", "ours", "the other"}
LIBRARIES = (
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "zlib-ng",
    "joblib",
    "torch",
    "safetensors",
    "h5py",
    "zarr",
    "fsspec",
    "obstore",
    "boto3",
    "s3fs",
    "ministack",
)
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def cells(row: Row) -> tuple[str, ...]:
    target, result = "", ""
    if row.target is not None:
        target = f"{row.target:g}"
        result = "met" if row.ratio <= row.target else "missed"
    times = [
        duration(amount) if row.unit == "s" else f"{amount:.3g} {row.unit}"
        for amount in (row.ours, row.theirs)
    ]
    return row.what, row.beside, f"{row.ratio:.2f}", target, result, *times


def duration(seconds: float) -> str:
    size, unit = next((pair for pair in UNITS if seconds >= pair[0]), UNITS[-1])
    return f"{seconds / size:.3g} {unit}"


def as_text(rows: Iterable[Row]) -> str:
    table = [
        [cell.replace("`", "") for cell in line]
        for line in (HEADING, *map(cells, rows))
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if title in RIGHT else cell.ljust(width)
            for cell, width, title in zip(line, widths, HEADING, strict=True)
        ).rstrip()
        for line in table
    )


def as_markdown(rows: Iterable[Row]) -> str:
    rule = tuple("--:" if title in RIGHT else "---" for title in HEADING)
    table = [HEADING, rule, *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


def machine(folder: str) -> list[str]:
    """Return what the numbers depend on, one line each."""
    today = datetime.datetime.now(datetime.UTC).date()
    return [
        f"Date: {today.isoformat()}",
        f"Processor: {processor()}, {os.cpu_count()} cores as the system counts them",
        f"System: {platform.system()} {platform.release()}, {platform.machine()}",
        f"File system: {file_system(folder)}",
        f"Python: {platform.python_implementation()} {platform.python_version()}",
        f"Libraries: {', '.join(libraries())}",
    ]


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0].partition(":")[2].strip() if names else platform.processor()


def file_system(folder: str) -> str:
    """Return the type of the file system that contains a folder."""
    folder = os.path.realpath(folder)
    best, kind = "", "not known"
    try:
        with open("/proc/self/mounts", encoding="utf-8") as file:
            for line in file:
                point, name = line.split()[1:3]
                if len(point) >= len(best) and lies_in(folder, point):
                    best, kind = point, name
    except OSError:
        pass
    return kind


def lies_in(folder: str, point: str) -> bool:
    return os.path.commonpath([folder, point]) == point


def libraries() -> Iterable[str]:
    yield f"checkpoints {checkpoints.__version__}"
    for name in LIBRARIES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} not installed"


def put_between_markers(path: str, subject: str, text: str) -> None:
    start, end = f"<!-- {subject} -->", f"<!-- end of the {subject} -->"
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(start)
    _, after = rest.split(end)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{start}\n\n{text}\n\n{end}{after}")
