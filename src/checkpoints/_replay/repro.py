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

from checkpoints._index.entry import CONTAINERS, Entry, source_of
from checkpoints._process.libraries import imported
from checkpoints._process.program import loaded_versions
from checkpoints._process.random_state import ENVIRONMENT, VARIABLES
from checkpoints._replay.call import SavedCall
from checkpoints._replay.function import Arguments, Function
from checkpoints._replay.root import root_of
from checkpoints.errors import ConfigError

__all__ = ["Emitted", "Reproduction", "variables_in"]

_SCRIPT, _ENVIRONMENT, _STATE = "repro.py", "environment.json", "random_state.json"
_VERDICTS = ("reproduced", "differs otherwise", "did not reproduce")
_LONGEST = 2000
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


class Emitted(NamedTuple):
    """
    What became of a script when it was run once in a fresh process.

    Args:
        verdict: `"reproduced"` if the call did what it did in the run, `"differs
            otherwise"` if it ended in the same way, with something else, or `"did not
            reproduce"`.
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
    ) -> None:
        self._call, self._function = call, function
        self._arguments = arguments
        self._changes, self._without = dict(changes), list(without)
        self._expected = call.expected(trusted=trusted)
        self._state = call.random_state()

    def emit(self, folder: str) -> Emitted:
        """
        Write the script into a new folder, and run it once in a fresh process.

        Raises:
            ConfigError: If the folder is not empty, or a value that was set is none
                that can be written into a script.
            OSError: If it cannot be written.
        """
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

    def _needs_no_library(self) -> bool:
        args, kwargs = self._arguments.args, self._arguments.kwargs
        values = [*args, *kwargs.values(), *self._expected.values()]
        is_plain = self._expected and not (self._call.kept_after or self._call.lost)
        return bool(is_plain) and all(map(_is_portable, values))

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
        verdict = known.get(done.returncode, _VERDICTS[-1])
        # Python, too, exits with 1 and 2.
        return Emitted(
            verdict if last == [verdict] else _VERDICTS[-1], script, done.stdout
        )

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
        yield "It prints whether the call does what it did: reproduced (exit code 0),"
        yield "differs otherwise (1), or did not reproduce (2). environment.json tells"
        yield "what it ran with."
        yield '"""'
        yield ""

    def _path_lines(self) -> Iterator[str]:
        root = root_of(self._function.target)
        if not root.startswith(_installed()):
            yield "# Where the function was; change it if it is elsewhere."
            yield f"sys.path.insert(0, {root!r})"

    def _with(self, folder: str) -> Iterator[str]:
        """Yield the lines of a script that needs this library for its data."""
        saved = _copied(self._call.entry, folder)
        if self._call.outcome is not None:
            inside = os.path.join(folder, saved.partition(".")[0])
            os.makedirs(inside)
            _copied(self._call.outcome, inside)
        for name, value in self._changes.items():
            if not _is_literal(value):
                raise ConfigError(f"{name!r} was set to a value that is no literal")
        yield from ("import os", "import sys", "", "import checkpoints", "")
        yield from self._path_lines()
        yield "found = checkpoints.replay("
        yield f"    os.path.join(os.path.dirname(__file__), {saved!r}),"
        yield f"    function={self._function.target!r},"
        if self._changes:
            yield f"    set={self._changes!r},"
        if self._without:
            yield f"    without={self._without!r},"
        yield "    trusted=True,"
        yield ")"
        yield "print(found)"
        raised = self._call.how_it_ended == "exception"
        yield f"ends_alike = {'' if raised else 'not '}found.error"
        yield 'is_same = found.verdict in ("equal", "close", "noise")'
        yield "code = 0 if is_same else 1 if ends_alike else 2"
        yield f"print({_VERDICTS!r}[code])"
        yield "sys.exit(code)"

    def _alone(self, folder: str) -> Iterator[str]:
        """Yield the lines of a script that needs no library but those of the data."""
        place, _, path = self._function.target.rpartition(":")
        module = os.path.splitext(os.path.basename(place))[0]
        module = module if place.endswith(".py") else place
        data = _Data(folder)
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
        yield "import os"
        yield from ["import random"] if self._state else []
        yield "import sys"
        yield from ["from array import array"] if self._state else []
        yield from ["", "import numpy as np"] if data.count or self._state else []
        yield ""
        yield from self._path_lines()
        yield f"import {module}"
        yield ""
        yield "here = os.path.dirname(os.path.abspath(__file__))"
        yield from self._state_lines(folder)
        yield f"function = {module}.{path}"
        yield f"args = ({args})"
        yield f"kwargs = {{{''.join(kwargs)}}}"
        yield f"expected = {{{''.join(expected)}}}"
        yield _SAME
        yield _ENDED if ends_later else ""
        call = "ended(function(*args, **kwargs))" if ends_later else _PLAIN_CALL
        yield _CALL.replace("MADE", call).replace("VERDICTS", repr(_VERDICTS))

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
        yield _RESTORE


class _Data:
    """The values that a script uses, as expressions and files."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.count = 0

    def expression(self, value: Any) -> str:
        """Return an expression for a value, whose file is written if it needs one."""
        if _is_literal(value):
            return repr(value)
        if isinstance(value, type):
            return (
                f"__import__({value.__module__!r}, fromlist=['']).{value.__qualname__}"
            )
        self.count += 1
        name = f"array_{self.count}.npy"
        imported("numpy").save(os.path.join(self._folder, name), value)
        scalar = "" if type(value).__name__ == "ndarray" else "[()]"
        return f"np.load(os.path.join(here, {name!r})){scalar}"


_RESTORE = """\
if "random" in state:
    words = tuple(array("I", bytes.fromhex(state["random"]["words"])))
    random.setstate((state["random"]["version"], words, state["random"]["gauss"]))
if "numpy" in state:
    it = state["numpy"]
    words = np.frombuffer(bytes.fromhex(it["words"]), "uint32")
    np.random.set_state(
        ("MT19937", words, it["position"], it["has_gauss"], it["gauss"])
    )
"""
_SAME = """

def same(one, other):
    if type(one) is not type(other):
        return False
    if hasattr(one, "tobytes"):
        form = (one.dtype, one.shape) == (other.dtype, other.shape)
        return form and one.tobytes() == other.tobytes()
    return repr(one) == repr(other)
"""
_ENDED = """

def ended(made):
    if inspect.isgenerator(made):
        while True:
            try:
                next(made)
            except StopIteration as end:
                return end.value
    return asyncio.run(made) if inspect.iscoroutine(made) else made

"""
_PLAIN_CALL = "function(*args, **kwargs)"
_CALL = """\
try:
    found = {"result": MADE}
except KeyboardInterrupt:
    raise
except BaseException as error:
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    found = {"type": name, "message": str(error)}

for name in sorted({*expected, *found}):
    print(name, "was", expected.get(name, "-"), "and is", found.get(name, "-"))
if expected.keys() != found.keys():
    code = 2
else:
    code = int(not all(same(expected[name], found[name]) for name in expected))
print(VERDICTS[code])
sys.exit(code)"""


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


def _is_portable(value: Any) -> bool:
    """Tell whether a script can have a value without this library."""
    return isinstance(value, type) or _is_literal(value) or _is_array(value)


def _is_array(value: Any) -> bool:
    """Tell whether a value is an array or a number of NumPy that is saved exactly."""
    cls = type(value)
    if cls.__module__ != "numpy" or not hasattr(value, "dtype"):
        return False
    is_exact = value.dtype.kind in "biufcSUmM"
    return is_exact and (cls.__name__ == "ndarray" or cls is value.dtype.type)


def _is_literal(value: Any, depth: int = 0) -> bool:
    """Tell whether the repr of a value is an expression for it, and short."""
    if type(value) in (list, tuple):
        parts = list(value)
    elif type(value) is dict:
        parts = [*value.keys(), *value.values()]
    else:
        is_number = type(value) in (float, complex)
        # The repr of infinity and NaN is no literal.
        is_finite = not is_number or repr(value).strip("()+-")[:3] not in ("inf", "nan")
        return type(value) in _PLAIN and is_finite and len(repr(value)) <= _LONGEST
    deepest = 5
    return (
        depth < deepest
        and all(_is_literal(part, depth + 1) for part in parts)
        and len(repr(value)) <= _LONGEST
    )
