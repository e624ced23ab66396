"""
Loading in a process that has imported nothing else.

A server imports this library and the standard library only. It forks for each value;
the child loads it, and then unpickles what it should be and compares.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["NOT_LOADABLE", "load_fresh"]

NOT_LOADABLE = "not loadable: a pickle of it neither"
_SECONDS = 60


def load_fresh(pairs: list[tuple[str, str]]) -> Iterator[str]:
    """
    Load values in fresh processes, and compare each with a pickle of the original.

    Args:
        pairs: The paths of the saved file and of the pickle of each value.

    Yields:
        Where each value differs; an empty text if it does not.
    """
    command = [sys.executable, "-W", "ignore", "-m", "tests.corpora.fresh"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        for pair in pairs:
            server.stdin.write(json.dumps(pair) + "\n")
            server.stdin.flush()
            answer = server.stdout.readline()
            yield json.loads(answer) if answer else "the server of processes ended"
        server.stdin.close()


def _serve() -> None:
    import checkpoints
    from tests.corpora import strict

    loaded = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
    assert not loaded & {"numpy", "pandas", "polars", "pyarrow", "scipy"}, loaded
    for line in sys.stdin:
        path, expected = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if not child:
            found = _found(checkpoints, strict, path, expected)
            os.write(write, json.dumps(found[:4000]).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as answer:
            text = answer.read().decode()
        os.waitpid(child, 0)
        print(text or json.dumps("the process that loads it was killed"), flush=True)


def _found(checkpoints: Any, strict: Any, path: str, expected: str) -> str:
    import signal

    signal.alarm(_SECONDS)
    try:
        return _difference(checkpoints, strict, path, expected)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


def _difference(checkpoints: Any, strict: Any, path: str, expected: str) -> str:
    try:
        (value,) = checkpoints.load(path, trusted=True).values()
    except checkpoints.FormatError:
        # A class of a test is where no other process finds it.
        with suppress(ImportError, AttributeError):
            pickle.loads(Path(expected).read_bytes())
            raise
        return NOT_LOADABLE
    original = pickle.loads(Path(expected).read_bytes())
    difference: str = strict.difference(original, value)
    if " became Record " in difference:
        # Its class is imported now, and only then it comes back as one of it.
        (value,) = checkpoints.load(path, trusted=True).values()
        difference = strict.difference(original, value)
    return difference


if __name__ == "__main__":
    _serve()
