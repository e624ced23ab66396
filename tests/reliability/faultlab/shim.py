"""The library of faults.c, as a process that has it preloaded sees it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[1] / "faults.c"
ACTIONS = (
    "pass",
    "kill before",
    "kill midway",
    "kill after",
    "fail",
    "fail after",
    "short",
    "zero",
    "lie",
)
FOR_GOOD = 1 << 30
# A kill before any other call leaves the disk as it was.
CHANGES = {
    *("create", "write", "fsync", "allocate", "truncate", "close"),
    *("link", "rename", "rename2", "unlink", "rmdir", "mkdir"),
}


class Fault(NamedTuple):
    """A fault: the first and the last call that it affects, and how."""

    action: str = "pass"
    first: int = 0
    last: int = 0
    code: int = 0
    only: tuple[str, ...] = ()

    def __str__(self) -> str:
        error = f" with {os.strerror(self.code)}" if self.code else ""
        until = "" if self.last == self.first else " and all later ones"
        return f"{self.action}{error} at call {self.first}{until}"


def at(action: str, call: int, code: int = 0) -> Fault:
    return Fault(action, call, call, code)


def from_on(action: str, call: int, code: int = 0, only: tuple[str, ...] = ()) -> Fault:
    return Fault(action, call, FOR_GOOD, code, only)


def build(folder: Path) -> Path:
    """
    Compile faults.c.

    Raises:
        OSError: If there is no compiler, or it does not take it; the text tells.
    """
    if sys.platform != "linux":
        raise OSError(f"LD_PRELOAD is for Linux, this is {sys.platform}")
    library = folder / "faults.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise OSError("no C compiler: there is no cc") from error
    if done.returncode:
        raise OSError(f"cc does not take faults.c: {done.stderr.splitlines()[0]}")
    return library


def _spaced(names: Sequence[str]) -> bytes:
    return f" {' '.join(names)} ".encode() if names else b""


class Shim:
    """The functions of the library that is preloaded."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.faults_log.restype = ctypes.c_char_p

    def arm(self, arena: str, fault: Fault, refused: Sequence[str]) -> None:
        action, first, last, code, only = fault
        self._library.faults_arm(
            os.fsencode(arena),
            first,
            last,
            ACTIONS.index(action),
            code,
            _spaced(only),
            _spaced(refused),
        )

    def disarm(self) -> None:
        self._library.faults_disarm()

    def calls(self) -> list[list[str]]:
        """Return the calls that were counted: name, path, second path."""
        return [
            line.split("\t")
            for line in os.fsdecode(self._library.faults_log()).splitlines()
        ]
