"""A script that calls a saved call once more, with the data it needs beside it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from checkpoints._compare.tolerances import Tolerances
from checkpoints._index.entry import CONTAINERS, Entry, source_of
from checkpoints._process.program import loaded_versions
from checkpoints._process.random_state import ENVIRONMENT, VARIABLES
from checkpoints._replay.call import SavedCall
from checkpoints._replay.function import Arguments, Function
from checkpoints._replay.root import root_of
from checkpoints._replay.script import (
    CALL,
    ENDED,
    PLAIN_CALL,
    RESTORE,
    SAME,
    TELL,
    Data,
    is_literal,
    is_portable,
    limits,
)
from checkpoints.errors import ConfigError

__all__ = ["Emitted", "Reproduction", "variables_in"]

_SCRIPT, _ENVIRONMENT, _STATE = "repro.py", "environment.json", "random_state.json"
_TOLERANCES = "tolerances.toml"
_VERDICTS = ("reproduced", "differs otherwise", "did not reproduce", "unknown")
_FAILED = _VERDICTS[2]


class Emitted(NamedTuple):
    """
    What became of a script when it was run once in a fresh process.

    Args:
        verdict: `"reproduced"` if the call did what it did in the run, `"differs
            otherwise"` if it ended in the same way, with something else, `"did not
            reproduce"`, or `"unknown"` if what it did in the run was not saved, or
            cannot be compared.
        script: The path of the script.
        output: What it printed.
    """

    verdict: str
    script: str
    output: str


class Reproduction:
    """
    A script for a call.

    Args:
        call: The saved call.
        function: Its function.
        arguments: Its arguments.
        changes: Those that were not saved, but set.
        without: Saved ones that are left out.
        trusted: Whether its outcome may be unpickled.
        tolerances: How far values may be apart.
    """

    def __init__(
        self,
        call: SavedCall,
        function: Function,
        arguments: Arguments,
        *,
        changes: Mapping[str, Any],
        without: Sequence[str],
        trusted: bool,
        tolerances: Tolerances,
    ) -> None:
        self._tolerances = tolerances
        self._call, self._function = call, function
        self._arguments = arguments
        self._changes, self._without = dict(changes), list(without)
        self._expected = call.expected(trusted=trusted)
        self._state = call.random_state()

    def emit(self, folder: str) -> Emitted:
        """
        Write the script into a new folder, and run it once in a fresh process.

        Raises:
            ConfigError: If the folder is not empty, the function has no name by which
                a script finds it, or a value that was set, or a tolerance, cannot be
                written into a script.
            ReplayError: If it belongs to the main file of a program.
            OSError: If it cannot be written.
        """
        self._check()
        if os.path.isdir(folder) and os.listdir(folder):
            raise ConfigError(f"{folder} is not empty: name a new folder")
        os.makedirs(folder, exist_ok=True)
        lines = self._alone(folder) if self._needs_no_library() else self._with(folder)
        script = os.path.join(folder, _SCRIPT)
        with open(script, "w", encoding="utf-8") as file:
            file.write("\n".join([*self._heading(), *lines, ""]))
        with open(os.path.join(folder, _ENVIRONMENT), "w", encoding="utf-8") as file:
            json.dump(self._environment(), file, indent=1)
        return self._run(script)

    def _check(self) -> None:
        """Raise the error of what cannot be written into a script."""
        if not self._function.target:
            raise ConfigError(
                f"no script can name the function {self._function.name}: give one that "
                "is defined by def at the top of a module, or in a class there"
            )
        root_of(self._function.target)
        named = {"tolerance": self._tolerances.limits, "argument": self._changes}
        for what, values in named.items():
            for name, value in values.items():
                if not is_literal(value) and not self._needs_no_library():
                    raise ConfigError(
                        f"the {what} {name!r} has a value that is no literal of Python"
                    )

    def _needs_no_library(self) -> bool:
        call, given = self._call, self._tolerances
        args, kwargs = self._arguments.args, self._arguments.kwargs
        values = [*args, *kwargs.values(), *self._expected.values()]
        return (
            bool(self._expected)
            and not (call.kept_after or call.lost or call.shared)
            and not (given.text or given.limits or self._function.is_shadowed)
            and all(map(is_portable, values))
        )

    def _run(self, script: str) -> Emitted:
        done = subprocess.run(  # noqa: S603 - the script that was just written
            [sys.executable, os.path.basename(script)],
            check=False,
            cwd=os.path.dirname(os.path.abspath(script)),
            env={**os.environ, **variables_in(self._state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        known = dict(enumerate(_VERDICTS))
        last = done.stdout.splitlines()[-1:]
        verdict = known.get(done.returncode, _FAILED)
        # Python, too, exits with 1 and 2.
        return Emitted(verdict if last == [verdict] else _FAILED, script, done.stdout)

    def _environment(self) -> dict[str, Any]:
        meta = self._call.meta
        packages = meta.get("packages")
        saved = packages if isinstance(packages, dict) else {}
        return {
            "entry": self._call.entry.path,
            "run": str(meta.get("run")),
            "saved_with": {"python": str(meta.get("python")), **saved},
            "emitted_with": {"python": platform.python_version(), **loaded_versions()},
            "platform": platform.platform(),
            "variables": dict(self._state.get(ENVIRONMENT, ())),
        }

    def _heading(self) -> Iterator[str]:
        yield '"""'
        yield f"Calls {self._function.name} once, with the arguments of a saved call."
        yield ""
        yield "Its last line tells whether the call does what it did: reproduced (exit"
        yield "code 0), differs otherwise (1), did not reproduce (2), or unknown (3)."
        yield "environment.json tells what it ran with."
        yield '"""'
        yield ""

    def _path_lines(self) -> Iterator[str]:
        root = root_of(self._function.target)
        if not root.startswith(_installed()):
            yield "# Where the function was; change it if it is elsewhere."
            # A file may have the name of a module that others need.
            is_last = self._function.is_shadowed
            yield f"sys.path.{'append(' if is_last else 'insert(0, '}{root!r})"

    def _with(self, folder: str) -> Iterator[str]:
        """Yield the lines of a script that needs this library for its data."""
        saved = _copied(self._call.entry, folder)
        if self._call.outcome is not None:
            inside = os.path.join(folder, saved.partition(".")[0])
            os.makedirs(inside)
            _copied(self._call.outcome, inside)
        yield from ("import atexit", "import os", "import sys", "")
        yield TELL
        yield from ("import checkpoints", "")
        yield from self._path_lines()
        yield "here = os.path.dirname(os.path.abspath(__file__))"
        yield "found = checkpoints.replay("
        yield f"    os.path.join(here, {saved!r}),"
        yield f"    function={self._function.target!r},"
        if self._changes:
            yield f"    set={self._changes!r},"
        if self._without:
            yield f"    without={self._without!r},"
        yield from self._tolerance_lines(folder)
        yield "    trusted=True,"
        yield ")"
        yield "print(found)"
        raised = self._call.how_it_ended == "exception"
        yield f"ends_alike = found.error is {'not ' if raised else ''}None"
        yield "differs = 1 if ends_alike else 2"
        yield "code = {0: 0, 1: differs, 2: 3}[found.exit_code]"
        yield f"verdict = {_VERDICTS!r}[code]"
        yield "sys.exit(code)"

    def _tolerance_lines(self, folder: str) -> Iterator[str]:
        given = self._tolerances
        if given.limits:
            yield f"    tolerances={given.limits!r},"
        if given.text:
            with open(os.path.join(folder, _TOLERANCES), "w", encoding="utf-8") as file:
                file.write(given.text)
            yield f"    tolerances=os.path.join(here, {_TOLERANCES!r}),"

    def _alone(self, folder: str) -> Iterator[str]:
        """Yield the lines of a script that needs no library but those of the data."""
        place, _, path = self._function.target.rpartition(":")
        module = os.path.splitext(os.path.basename(place))[0]
        module = module if place.endswith(".py") else place
        data = Data(folder)
        args = "".join(f"{data.expression(it)}, " for it in self._arguments.args)
        kwargs = [
            f"{name!r}: {data.expression(value)}, "
            for name, value in self._arguments.kwargs.items()
        ]
        expected = [
            f"{name!r}: {data.expression(value)}, "
            for name, value in self._expected.items()
        ]
        if self._function.of_class:
            path = ".".join([*path.split(".")[:-1], "__dict__"])
            path += f"[{self._function.target.rpartition('.')[2]!r}].__func__"
        ends_later = self._function.ends_later
        yield from ["import asyncio", "import inspect"] if ends_later else []
        yield from ["import json"] if self._state else []
        yield from ["import atexit", "import os"]
        yield from ["import random"] if self._state else []
        yield "import sys"
        yield from ["from array import array"] if self._state else []
        yield ""
        yield TELL
        yield from ["import numpy as np"] if data.count or self._state else []
        yield from self._path_lines()
        yield f"import {module}"
        yield ""
        yield "here = os.path.dirname(os.path.abspath(__file__))"
        yield from self._state_lines(folder)
        yield f"function = {module}.{path}"
        yield f"args = ({args})"
        yield f"kwargs = {{{''.join(kwargs)}}}"
        yield f"expected = {{{''.join(expected)}}}"
        yield f"limits = {limits()!r}"
        yield SAME
        yield ENDED if ends_later else ""
        call = "ended(function(*args, **kwargs))" if ends_later else PLAIN_CALL
        yield CALL.replace("MADE", call).replace("VERDICTS", repr(_VERDICTS))

    def _state_lines(self, folder: str) -> Iterator[str]:
        if not self._state:
            return
        state = {
            name: {part: _hexed(it) for part, it in saved.items()}
            for name, saved in self._state.items()
            if name in ("random", "numpy") and isinstance(saved, dict)
        }
        with open(os.path.join(folder, _STATE), "w", encoding="utf-8") as file:
            json.dump(state, file)
        yield f"state = json.load(open(os.path.join(here, {_STATE!r})))"
        yield RESTORE


def variables_in(state: Mapping[str, Any]) -> dict[str, str]:
    """
    Return the variables that a process of a replay starts with.

    A file must set no others, which could have the process run any code.
    """
    saved = state.get(ENVIRONMENT)
    found = saved if isinstance(saved, dict) else {}
    return {
        name: text
        for name in VARIABLES
        if isinstance(text := found.get(name), str) and text.isdecimal()
    }


def _hexed(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "purelib", "platlib")})


def _copied(entry: Entry, folder: str) -> str:
    """Copy the file of an entry; return its name, without a number."""
    suffix = next(end for end in CONTAINERS if entry.path.endswith(end))
    name = f"{entry.stem}{suffix}"
    with source_of(entry) as source:
        data = bytearray(source.size)
        source.read_into(0, memoryview(data))
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)
    return name
