"""The command line: `checkpoints COMMAND ...`, or `python -m checkpoints`."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import NoReturn

try:
    from checkpoints.cli._program import program
except ModuleNotFoundError as _error:
    if _error.name is None or _error.name.partition(".")[0] not in ("click", "rich"):
        raise
    program = None  # type: ignore[assignment]

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
    if program is None:
        message = (
            "the command line needs click and rich: pip install 'checkpoints[cli]'"
        )
        print(message, file=sys.stderr)  # noqa: T201 - the output of a program
        sys.exit(_USAGE_ERROR)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character outside the encoding must not end the command; stderr escapes
        # such characters by default.
        sys.stdout.reconfigure(errors="backslashreplace")
    program.main(arguments, prog_name="checkpoints")
    sys.exit(0)
