"""
Load every file of a folder, and report the side effects.

Run in a process of its own: `watched.py ours|naive FOLDER`. A line of JSON for each
file: how it ended, which events of the interpreter it caused, and the memory it took.
"""

from __future__ import annotations

import faulthandler
import json
import os
import pickle
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faultlab import memory

from checkpoints import index, load

MAX_BYTES = 256 << 20
# Of the address space: what numpy, pyarrow and the others have mapped is in it.
ADDRESS_SPACE = 8 << 30
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
RUNNING = (
    "exec",
    "os.",
    "subprocess.",
    "socket.",
    "pickle.",
    "marshal.",
    "ctypes.",
    "shutil.",
    "code.__new__",
    "pty.",
    "webbrowser.",
)
# What asking for a time zone, the kind of a file or its size causes.
HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")
# The package that has the time zones, where the system has none.
ZONES = (
    "tzdata",
    "/usr/share/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
)

events: list[str] = []
watching = [False]
subject = [""]


def told(event: str, args: tuple[Any, ...]) -> bool:
    """Return whether loading a file must not cause this event."""
    if event == "open":
        path, _, flags = args
        # The file, its folder, and the file as it is named in the folder.
        ours = (subject[0], *os.path.split(subject[0]))
        is_other = str(path) not in ours and not str(path).startswith(ZONES)
        return bool(flags and flags & WRITING) or (isinstance(path, str) and is_other)
    if event == "import":
        return not str(args[0]).startswith("tzdata")
    if event == "compile":
        # pandas reads the labels of nested columns so, as a literal and not as code.
        return args[1] != "<unknown>"
    return event.startswith(RUNNING) and event not in HARMLESS


def watch(event: str, args: tuple[Any, ...]) -> None:
    if watching[0] and told(event, args):
        watching[0] = False
        events.append(f"{event} {args!r:.120}")
        watching[0] = True


def ours(path: Path) -> object:
    return load(path, max_bytes=MAX_BYTES)


def naive(path: Path) -> object:
    """A naive reader that uses ordinary tools."""
    import numpy

    try:
        found = numpy.load(path, allow_pickle=True)
        return (
            {name: found[name] for name in found} if hasattr(found, "files") else found
        )
    except Exception:
        data = path.read_bytes()
        return pickle.loads(data[data.index(b"\x80\x04") :])


def attempt(read: Callable[[Path], object], path: Path) -> str:
    try:
        read(path)
    except BaseException as error:
        return type(error).__name__
    return "loaded"


def warm_up(folder: Path) -> None:
    """Load valid files of each kind, so that everything they import is loaded."""
    for entry in index(folder / "sound"):
        entry.load(trusted=True)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("pickle-as", "kind-of", "parquet-of-another", "zone")):
            attempt(ours, path)


def main() -> None:
    read, folder = {"ours": ours, "naive": naive}[sys.argv[1]], Path(sys.argv[2])
    wanted = sys.argv[3:]
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warm_up(folder)
    sys.addaudithook(watch)
    for path in sorted(folder.glob("*.ckpt.zip")):
        if wanted and path.name.removesuffix(".ckpt.zip") not in wanted:
            continue
        print(json.dumps({"file": path.name}), flush=True)
        events.clear()
        subject[0] = str(path)
        before, taken = time.process_time(), memory.forget_peak()
        watching[0] = True
        outcome = attempt(read, path)
        watching[0] = False
        line = {
            "file": path.name.removesuffix(".ckpt.zip"),
            "outcome": outcome,
            "events": events,
            "seconds": round(time.process_time() - before, 2),
            "grown": memory.peak() - taken,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
