"""The command line: `checkpoints COMMAND ...`, or `python -m checkpoints`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from checkpoints._process.installation import other_project
from checkpoints._process.libraries import imported
from checkpoints.cli._completion_answer import VARIABLE, answer

__all__ = ["main"]

_USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """
    Run the command line and exit the process.

    Args:
        arguments: The arguments after the program name; None means those of this
            process.

    Raises:
        SystemExit: Always, with the exit code: 0 on success, 1 if the command found
            nothing or a problem, 2 if it could not run.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character outside the encoding must not end the command; stderr escapes
        # such characters by default.
        sys.stdout.reconfigure(errors="backslashreplace")
    if shell := os.environ.get(VARIABLE):
        sys.stdout.write(answer(shell, arguments or sys.argv[1:]))
        sys.exit(0)
    _commands().main(arguments, prog_name="checkpoints")
    sys.exit(0)


def _commands() -> Any:
    """Return the program; exit if what it needs is not installed."""
    try:
        # Only here, as the answer to a shell has no time for it.
        return imported("checkpoints.cli._program").program
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("click", "rich"):
            message = "the command line needs click and rich: "
            message += "pip install 'named-checkpoints[cli]'"
        elif not (message := other_project()):
            raise
    print(message, file=sys.stderr)  # noqa: T201 - the output of a program
    sys.exit(_USAGE_ERROR)
