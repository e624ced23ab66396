"""
The library with one defect: each mutant must be caught by a harness.

If the source has changed, a mutant reports that it no longer applies: update its text.
Texts are as short as possible, and apply to their first occurrence.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from faultlab import failures
from faultlab.durability import rule_sweep
from faultlab.kills import kill_sweep
from faultlab.lab import SOURCE, Lab, Tally, scenarios
from faultlab.races import race


class Mutant(NamedTuple):
    """
    A way to break the library.

    Args:
        harness: The harness that must catch it, a key of `HARNESSES`.
        sign: Text of the breach, so that it is caught for the right reason.
        file: Where the text is.
        changes: Texts, each with its replacement.
    """

    harness: str
    sign: str
    file: str
    changes: Mapping[str, str]


_SWALLOWING = "with __import__('contextlib').suppress(OSError)"
_NAMED = "folder.rename(temporary.name, leaf); folder.link(leaf, temporary.name); "

MUTANTS = {
    "file not synced": Mutant(
        "rule", "before its bytes", "storage/_local.py", {"temporary.sync()": "pass"}
    ),
    "folder not synced": Mutant(
        "rule",
        "x.ckpt.zip may be gone",
        "storage/_local.py",
        {"_confirm(folder, self.path_of(name))": "pass"},
    ),
    "new folders not synced": Mutant(
        "rule",
        "lab/a may be gone",
        "storage/_local.py",
        {"self._sync_above(folder.path)": "pass"},
    ),
    "folders of others not synced": Mutant(
        "rule",
        "lab/a may be gone",
        "storage/_local.py",
        {
            "            try:\n                folder.open(flags)": (
                "            made = not os.path.isdir(folder.path)\n"
                "            try:\n                folder.open(flags)"
            ),
            "self._sync_above(folder.path)": "made and self._sync_above(folder.path)",
        },
    ),
    "named before it is synced": Mutant(
        "rule",
        "before its bytes",
        "storage/_local.py",
        {"temporary.sync()": f"{_NAMED}temporary.sync()"},
    ),
    "named before it is written": Mutant(
        "kills",
        "damaged",
        "storage/_local.py",
        {
            "temporary.write(pieces, size)": f"{_NAMED}temporary.write(pieces, size)",
        },
    ),
    "written in place": Mutant(
        "kills",
        "damaged",
        "storage/_local.py",
        {
            "temporary = Temporary(folder)": (
                "temporary = Temporary(folder); temporary.name = leaf; "
                "path = self.path_of(name); "
                "os.path.exists(path) and os.truncate(path, 0)"
            ),
            "temporary.create(mode)": (
                "temporary._handles.append(os.open(path, os.O_RDWR | os.O_CREAT))"
            ),
            "folder.make(_mode_of_folders(mode), flags)\n            "
            "temporary.create(mode)": (
                "folder.make(0o777, flags)\n            temporary._handles.append("
                "os.open(temporary.path, os.O_RDWR | os.O_CREAT))"
            ),
        },
    ),
    "renamed where the name must be free": Mutant(
        "races",
        "missing",
        "storage/_temporary.py",
        {"self._folder.link(self.name, name)": "self._folder.rename(self.name, name)"},
    ),
    "write error swallowed": Mutant(
        "failures",
        "told 'committed'",
        "storage/_local.py",
        {
            "temporary.write(pieces, size)": (
                f"{_SWALLOWING}: temporary.write(pieces, size)"
            )
        },
    ),
    "sync error swallowed": Mutant(
        "syncs",
        "whose sync had failed",
        "storage/_local.py",
        {"temporary.sync()": f"{_SWALLOWING}: temporary.sync()"},
    ),
    "sync tried again": Mutant(
        "syncs",
        "fsync of ",
        "storage/_local.py",
        {
            "temporary.sync()": (
                f"{_SWALLOWING}: temporary.sync()\n                temporary.sync()"
            )
        },
    ),
    "error after the naming swallowed": Mutant(
        "syncs",
        "told as committed",
        "storage/_local.py",
        {
            "_confirm(folder, self.path_of(name))": (
                f"{_SWALLOWING}: _confirm(folder, self.path_of(name))"
            )
        },
    ),
    "error after the naming told as a failure": Mutant(
        "failures durable",
        "told 'failed",
        "storage/_local.py",
        {"_confirm(folder, self.path_of(name))": "folder.sync()"},
    ),
    "lost answer of a link not looked into": Mutant(
        "failures",
        "link of",
        "storage/_temporary.py",
        {"if self._is_at(name, error):": "if False:"},
    ),
    "short write not continued": Mutant(
        "parts",
        "told 'committed'",
        "storage/_temporary.py",
        {"rest = rest[count:]": "rest = rest[len(rest):]"},
    ),
    "temporary file not removed": Mutant(
        "failures",
        "left",
        "storage/_temporary.py",
        {"self._folder.unlink(self.name)": "pass"},
    ),
    "handle not closed on an error": Mutant(
        "failures",
        "descriptors",
        "storage/_temporary.py",
        {
            "if self._handles:": "if False:",
        },
    ),
    "no bytes taken, tried for good": Mutant(
        "parts", "hung", "storage/_temporary.py", {"if not count:": "if False:"}
    ),
    "temporary name of the process alone": Mutant(
        "threads", "raised", "storage/_temporary.py", {"-{_TOKEN}-{next(_count)}": ""}
    ),
    "temporary name of the process alone, and not exclusive": Mutant(
        "threads",
        "missing",
        "storage/_temporary.py",
        {"-{_TOKEN}-{next(_count)}": "", "os.O_EXCL": "os.O_TRUNC"},
    ),
    "last piece not written": Mutant(
        "kills",
        "damaged",
        "storage/_temporary.py",
        {"for offset, piece in pieces:": "for offset, piece in [*pieces][:-1]:"},
    ),
    "checksum skipped on load": Mutant(
        "lies", "read as", "_files/archive.py", {"if crc != member.crc:": "if False:"}
    ),
    "errors reach the host": Mutant(
        "host",
        "the program",
        "_rules/registry.py",
        {
            "except BaseException as error:  # noqa: BLE001 - the host must not": (
                "except ValueError as error:  # noqa: BLE001 - the host must not"
            ),
            "if isinstance(error, Warning) or": "if True or",
        },
    ),
    "a skip that comes too late raises": Mutant(
        "skips",
        "raised",
        "_handlers/file.py",
        {'if self.if_exists != "skip":': "if True:"},
    ),
}

Harness = Callable[[Lab, Tally], object]
_DURABLE = {"durable": True}

# In quick form: enough to catch what they are to catch.
HARNESSES: dict[str, Harness] = {
    "kills": lambda lab, tally: kill_sweep(lab, scenarios(["array"], {}), tally=tally),
    "failures": lambda lab, tally: failures.failure_sweep(
        lab, scenarios(["array"], {}), codes=failures.CODES[:2], tally=tally
    ),
    "failures durable": lambda lab, tally: failures.failure_sweep(
        lab, scenarios(["array"], _DURABLE), codes=failures.CODES[:2], tally=tally
    ),
    "syncs": lambda lab, tally: failures.sync_sweep(
        lab, scenarios(["array"], _DURABLE), tally=tally
    ),
    "parts": lambda lab, tally: failures.part_sweep(
        lab, scenarios(["array"], {}), tally=tally
    ),
    "lies": lambda lab, tally: failures.lie_sweep(
        lab, scenarios(["large array"], {}), tally=tally
    ),
    "host": lambda lab, tally: failures.host_sweep(
        lab, {"on_error": "warn"}, tally=tally
    ),
    "rule": lambda lab, tally: rule_sweep(lab, ["array"], tally=tally),
    "races": lambda lab, tally: race(lab, "keep", tally=tally, processes=4, saves=25),
    "threads": lambda lab, tally: race(lab, "keep", tally=tally, threads=4, saves=100),
    "skips": lambda lab, tally: race(lab, "skip", tally=tally, processes=4, saves=200),
}


def mutated(name: str, folder: Path, shim: Path) -> Lab:
    """Return a process that runs the library with this defect."""
    return Lab(folder / "lab", shim, broken_source(name, folder / "source"))


def broken_source(name: str, source: Path) -> Path:
    """
    Copy the library with this defect; return the folder to import it from.

    Raises:
        LookupError: If its text is not in the source any more.
    """
    mutant = MUTANTS[name]
    shutil.copytree(
        SOURCE / "checkpoints",
        source / "checkpoints",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    path = source / "checkpoints" / mutant.file
    text = path.read_text()
    for old, new in mutant.changes.items():
        if old not in text:
            raise LookupError(
                f"the mutant {name!r} no longer applies: {mutant.file} does not have "
                f"{old!r}. Give it the new text, in {__file__}"
            )
        text = text.replace(old, new, 1)
    path.write_text(text)
    return source
