"""A process that swaps a folder for a link and back, as somebody hostile would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["swapping"]

# Until it is stopped, or its parent or the folder is gone.
_PROGRAM = """
import os, sys
real, link, aside, parent = *sys.argv[1:4], os.getppid()
print("ready", flush=True)
while os.getppid() == parent:
    try:
        os.rename(real, aside)
        os.rename(link, real)
        os.rename(real, link)
        os.rename(aside, real)
    except FileNotFoundError:
        break
"""


@contextmanager
def swapping(real: Path, link: Path, aside: Path) -> Iterator[None]:
    """Swap a folder for a link and back, all the time, inside of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, real, link, aside], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        process.communicate()
