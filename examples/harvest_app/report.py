"""What the application prints."""

from __future__ import annotations

import os
import sys
import textwrap

import pandas as pd

from checkpoints import Diff, Entry, Index, Replay


def say(text: str) -> None:
    print(f"\n{text}\n")


def show(table: pd.DataFrame) -> None:
    print(textwrap.indent(table.to_string(float_format="{:.2f}".format), "  "))


def show_entries(entries: list[Entry]) -> None:
    line = "  {:26} {:18} {:>6}  {}".format
    print(line("name", "tags", "bytes", "values"))
    for entry in entries:
        tags = " ".join(f"{name}={value}" for name, value in entry.tags.items())
        size = os.path.getsize(entry.path)
        print(line(entry.name, tags, size, ", ".join(entry.meta["values"])))


def show_where_to_look(index: Index) -> None:
    root, path = os.path.relpath(index.root), os.path.relpath(index[0].path)
    python = sys.executable
    if python.startswith(os.getcwd() + os.sep):
        python = os.path.relpath(python)
    say(f"{len(index)} files are in {root}/. To look at them yourself:")
    print(f"  unzip -l {path}")
    for expression in (f"*c.index('{root}'), sep='\\n'", f"c.load('{path}')"):
        print(f'  {python} -c "import checkpoints as c; print({expression})"')


def show_difference(found: Diff | Replay) -> None:
    print(textwrap.indent(str(found), "  "))
