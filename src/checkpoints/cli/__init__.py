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
    Run the command line, and end the process with its exit code.

    Args:
        arguments: What stands behind the name of the program; None means those of
            this process.

    Raises:
        SystemExit: Always: 0 if all is well, 1 if something was found, 2 if the
            command could not be run.
    """
    if program is None:
        message = (
            "the command line needs click and rich: pip install 'checkpoints[cli]'"
        )
        print(message, file=sys.stderr)  # noqa: T201 - it is a program's word
        sys.exit(_USAGE_ERROR)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A word that the encoding lacks is no reason to end; stderr does so by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    program.main(arguments, prog_name="checkpoints")
    sys.exit(0)
