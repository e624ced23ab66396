"""`python -m benchmarks`: measure, print the tables, and optionally write them."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks import (
    arrays,
    background,
    frames,
    index,
    julia,
    off,
    others,
    probes,
    runs,
    scale,
    small,
    startup,
    stores,
    table,
    values,
)
from benchmarks.process import run_alone
from benchmarks.rounds import Row

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "README.md")


class Subject(NamedTuple):
    """A file of this folder, and the packages hidden from it."""

    title: str
    measure: Callable[..., list[Row]]
    hidden: Sequence[str] = ()


OURS = [
    Subject("off", off.measure),
    Subject("probes", probes.measure),
    Subject("start", startup.measure),
    Subject("small dicts", small.measure),
    Subject("arrays", arrays.measure),
    Subject("arrays, with the standard zlib", arrays.measure, ["zlib_ng"]),
    Subject("in the background", background.measure),
    Subject("frames", frames.measure),
    Subject("index", index.measure),
    Subject("files for Julia", julia.measure),
    Subject("compared values", values.measure),
    Subject("compared runs", runs.measure),
    Subject("object stores", stores.measure),
]
OTHERS = [Subject("other tools", others.measure)]
SCALE = [Subject("scale", scale.measure)]


def main() -> None:
    options = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(dir=options.dir, prefix=".files-") as folder:
        facts = table.machine(folder)
        print(*facts, "", sep="\n", flush=True)
        groups = (
            {"Scale": SCALE}
            if options.scale
            else {"Targets": OURS, "Other tools doing the same work": OTHERS}
        )
        found = {
            title: measure(subjects, folder, quick=options.quick)
            for title, subjects in groups.items()
        }
    for title, rows in found.items():
        print(f"\n{title}\n\n{table.as_text(rows)}")
    if options.quick:
        print("\nA quick run only tests the benchmarks; its numbers are meaningless.")
    if options.update:
        subject = "scale" if options.scale else "results"
        table.put_between_markers(README, subject, written(facts, found))
        print(f"\nWritten to {os.path.relpath(README)}.")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--dir", default=HERE, help="where to write files (default: this folder)"
    )
    parser.add_argument("--quick", action="store_true", help="only test that they run")
    parser.add_argument(
        "--update", action="store_true", help="write the tables to the README"
    )
    parser.add_argument(
        "--scale", action="store_true", help="only an index of a million entries"
    )
    options = parser.parse_args(arguments)
    if options.quick and options.update:
        parser.error("--update needs a full run: drop --quick")
    return options


def measure(subjects: Sequence[Subject], folder: str, *, quick: bool) -> list[Row]:
    rows = []
    for subject in subjects:
        start = time.monotonic()
        print(f"{subject.title} ", end="", flush=True)
        # Kept until the end: creating files is slow after many were deleted.
        own = tempfile.mkdtemp(dir=folder)
        try:
            rows += run_alone(subject.measure, subject.hidden, own, quick=quick)
        except ImportError as error:
            print(f" skipped: {error}", end="")
        print(f" {time.monotonic() - start:.0f} s", flush=True)
    return rows


def written(facts: list[str], found: dict[str, list[Row]]) -> str:
    parts = ["\n".join(f"- {fact}" for fact in facts)]
    for title, rows in found.items():
        if len(found) > 1:
            parts.append(f"### {title}")
        parts.append(table.as_markdown(rows))
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
