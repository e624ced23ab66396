"""
Shell completion: what a word on the command line may become.

A shell asks at each press of a key, so that neither click nor the reading stair is
loaded for the answer, but for the values of a file and for `ROOT@RUN`.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

import checkpoints
from checkpoints import Tags
from checkpoints._keys.condition import condition_of
from checkpoints._keys.julia_path import JULIA, parse_verbatim
from checkpoints._keys.key import SUFFIXES, parse_folder, unescape
from checkpoints._process.libraries import imported
from checkpoints._text import is_remote
from checkpoints.storage import open_store

__all__ = [
    "Offer",
    "complete_column",
    "complete_entry",
    "complete_file",
    "complete_module",
    "complete_names",
    "complete_probe",
    "complete_root",
    "complete_rule",
    "complete_shell",
    "complete_source_names",
    "complete_tag",
    "complete_where",
]

# Seconds: the user waits for the answer, however large the tree is.
_TIME_LIMIT = 1.0
# A shell would interpret anything else, and anyone can choose a name.
_SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_COLUMNS = ("name", "path", "size", "time", "run", "sequence", "saved")
_LAST_RUN = "@last"
_SHELLS = ("bash", "fish", "zsh")

# Tags, name, and the path of the file.
Saved: TypeAlias = tuple[Tags, str, str]


class Offer(NamedTuple):
    """
    What a word may become.

    Args:
        text: The word; for a file or folder, what stands before the path.
        kind: `word`; `part`, if more has to follow; `file` or `folder`, which the
            shell finds by itself.
    """

    text: str
    kind: str = "word"


def complete_root(_: Any, __: Any, incomplete: str) -> list[Any]:
    """Complete a folder, or a run behind the `@`."""
    root, at, run = incomplete.rpartition("@")
    if not at or os.sep in run:
        return [Offer("", "folder")]
    runs = _runs_under(os.path.expanduser(root))
    return _offers((f"{root}@{each}" for each in runs), incomplete)


def complete_file(_: Any, __: Any, incomplete: str) -> list[Any]:  # noqa: ARG001 - as all of them
    """Complete a file."""
    return [Offer("", "file")]


def complete_shell(_: Any, __: Any, incomplete: str) -> list[Any]:
    """Complete the name of a shell."""
    return _offers(_SHELLS, incomplete)


def complete_rule(_: Any, __: Any, incomplete: str) -> list[Any]:
    """Complete the target of a rule, behind the `=`."""
    names, equals, _ = incomplete.rpartition("=")
    return [Offer(names + equals, "folder")] if equals else []


def complete_names(context: Any, _: Any, incomplete: str) -> list[Any]:
    """Complete a name under the root."""
    return _names_under(context.params.get("root"), incomplete)


def complete_source_names(context: Any, _: Any, incomplete: str) -> list[Any]:
    """Complete a name under the root to copy from."""
    return _names_under(context.params.get("source"), incomplete)


def complete_where(context: Any, _: Any, incomplete: str) -> list[Any]:
    """Complete a tag, or its value after the `=`."""
    pairs = _pairs_under(_root_of(context))
    if "=" in incomplete:
        return _offers((condition_of(*pair) for pair in pairs), incomplete)
    names = (condition_of(name, "") for name, _ in pairs)
    return _offers(names, incomplete, kind="part")


def complete_tag(context: Any, _: Any, incomplete: str) -> list[Any]:
    """Complete a tag."""
    return _offers((name for name, _ in _pairs_under(_root_of(context))), incomplete)


def complete_column(context: Any, _: Any, incomplete: str) -> list[Any]:
    """Complete a column of a listing."""
    tags = (name for name, _ in _pairs_under(_root_of(context)))
    return _offers((*_COLUMNS, *tags), incomplete)


def complete_entry(context: Any, parameter: Any, incomplete: str) -> list[Any]:
    """Complete a file or a root, then under a root a name, then a value."""
    words = list(context.params.get(parameter.name) or ())
    if not words:
        return [Offer("", "file")]
    path = os.path.expanduser(words[0])
    is_root = _is_run(words[0]) or os.path.isdir(path)
    if is_remote(path):
        is_root = not path.endswith(tuple(SUFFIXES.values()))
    if not is_root:
        return _values_of(path, incomplete)
    if len(words) == 1:
        return _names_under(words[0], incomplete)
    for _, name, file in _saved_under(words[0]):
        if name == words[1]:
            return _values_of(file, incomplete)
    return []


def complete_module(_: Any, __: Any, incomplete: str) -> list[Any]:
    """Complete a module or a package that can be imported."""
    return _offers(_modules(incomplete), incomplete)


def complete_probe(_: Any, __: Any, incomplete: str) -> list[Any]:
    """Complete the module of a function."""
    modules = (f"{name}:" for name in _modules(incomplete))
    return _offers(modules, incomplete, kind="part")


def _modules(incomplete: str) -> Iterator[str]:
    """Yield the modules in the package that a text names so far."""
    package, dot, _ = incomplete.rpartition(".")
    inside = package.replace(".", os.sep)
    for path in dict.fromkeys([os.getcwd(), *sys.path[1:]]):
        with suppress(OSError), os.scandir(os.path.join(path, inside)) as found:
            for each in found:
                stem, suffix = os.path.splitext(each.name)
                is_package = not suffix and (
                    os.path.isfile(os.path.join(each.path, "__init__.py"))
                )
                is_module = suffix == ".py" and stem != "__init__"
                if (is_module or is_package) and stem.isidentifier():
                    yield package + dot + stem


def _names_under(root: str | None, incomplete: str) -> list[Offer]:
    return _offers((name for _, name, _ in _saved_under(root)), incomplete)


def _pairs_under(root: str | None) -> list[tuple[str, str]]:
    found = dict.fromkeys(tags for tags, _, _ in _saved_under(root))
    return [pair for tags in found for pair in tags.items()]


def _root_of(context: Any) -> str | None:
    """Return the root among the arguments, whatever its name there."""
    given = context.params
    for name in ("entry", "runs", "root", "source"):
        if words := given.get(name):
            return str(words if isinstance(words, str) else words[0])
    return _LAST_RUN


def _values_of(path: str, incomplete: str) -> list[Offer]:
    with suppress(checkpoints.CheckpointError, OSError):
        entry = imported("checkpoints._index.entry").entry_at(path)
        return _offers(entry.meta["values"], incomplete)
    return []


def _offers(
    texts: Iterable[str], incomplete: str, *, kind: str = "word"
) -> list[Offer]:
    return [
        Offer(text, kind)
        for text in sorted(set(texts))
        if text.startswith(incomplete) and _SAFE.fullmatch(text)
    ]


def _is_run(root: str) -> bool:
    return "@" in root and not os.path.exists(os.path.expanduser(root))


def _saved_under(root: str | None) -> Iterator[Saved]:
    """Yield tags and name of what is found under a root within the time limit."""
    if not root:
        return
    end = time.monotonic() + _TIME_LIMIT
    if is_remote(root):
        yield from _in_store(root)
        return
    with suppress(checkpoints.CheckpointError, OSError, ValueError):
        if _is_run(root):
            for entry in imported("checkpoints._index.runs").index(root):
                yield entry.tags, entry.name, entry.path
            return
        top = os.path.expanduser(root.removeprefix("file://"))
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for tags, name, file in _saved_in(os.path.relpath(folder, top), files):
                yield tags, name, os.path.join(folder, file)
            if time.monotonic() > end:
                return


def _in_store(root: str) -> list[Saved]:
    """Return all that a store lists within the time limit, or nothing."""
    found: list[Saved] = []

    def listed() -> None:
        with suppress(checkpoints.CheckpointError, OSError, ValueError):
            entries = imported("checkpoints._index.runs").index(root)
            found.extend((it.tags, it.name, it.path) for it in entries)

    # A daemon, which the exit of the program does not wait for.
    thread = threading.Thread(target=listed, daemon=True)
    thread.start()
    thread.join(_TIME_LIMIT)
    return [] if thread.is_alive() else found


def _runs_under(root: str) -> Iterator[str]:
    """Yield how the runs under a root can be called, as far as records tell."""
    end = time.monotonic() + _TIME_LIMIT
    kept = imported("checkpoints._files.run_record")
    for folder, folders, files in os.walk(root or kept.DEFAULT_ROOT):
        folders[:] = [it for it in folders if it == kept.RUNS or it[0] != "."]
        store = open_store(folder)
        for file in files if os.path.basename(folder) == kept.RUNS else ():
            record = kept.read_record(store, file) or {}
            yield from (str(record[it]) for it in ("run", "name") if record.get(it))
            yield "last"
        if time.monotonic() > end:
            return


def _saved_in(folder: str, files: Sequence[str]) -> Iterator[Saved]:
    segments = [] if folder == os.curdir else folder.split(os.sep)
    tags, prefixes = parse_folder(segments)
    for file in files:
        if file.endswith(JULIA):
            own, above = parse_verbatim(segments)
            yield own, ".".join([*above, file.removesuffix(JULIA)]), file
        elif file.endswith(tuple(SUFFIXES.values())):
            yield tags, ".".join([*prefixes, unescape(file.partition(".")[0])]), file
