"""The start file: what lets every Python of an environment follow the variables."""

from __future__ import annotations

import os
import sys
import sysconfig
from contextlib import suppress

from checkpoints._process.variables import OUTSIDE
from checkpoints.cli._failures import CommandError

__all__ = ["StartFile"]

# Python reads such files in the order of their names: this one after those that make
# other projects importable, which a rule may name.
_NAME = "zz_checkpoints_start.pth"
_MARK = "# Made by `checkpoints enable-env`"
_TEXT = """\
{mark}; `checkpoints disable-env` removes it.
import os; any(map(os.environ.get, {variables})) and exec({code!r})
"""
# Python may read the file twice. What goes wrong is told in a line; Python itself would
# print a traceback, and would not start if it cannot print.
_CODE = """\
import sys
if not hasattr(sys, "_checkpoints_start"):
    sys._checkpoints_start = "enable-env"
    try:
        import checkpoints
    except Exception as error:
        import contextlib
        text = f"checkpoints: not started: {type(error).__name__}: {error}"
        text = text if text.isprintable() else ascii(text)[1:-1]
        with contextlib.suppress(Exception):
            sys.stderr.write(text + chr(10))
"""


class StartFile:
    """
    The start file of the environment that runs the command line.

    Raises:
        CommandError: If this Python has no environment of its own.

    Attributes:
        path: Where it is, or would be.
        environment: The folder of the environment.
    """

    def __init__(self) -> None:
        self.environment = sys.prefix
        if sys.prefix == sys.base_prefix and not _is_conda(sys.prefix):
            raise CommandError(
                f"{sys.executable} belongs to no virtual environment, and every "
                "program of this Python would be changed. Use the `checkpoints` that "
                "is installed in an environment, or `checkpoints run`"
            )
        self.path = os.path.join(sysconfig.get_path("purelib"), _NAME)

    def write(self) -> bool:
        """
        Write the file.

        Returns:
            Whether it was not there, or that of another version.

        Raises:
            CommandError: If it cannot be written, or is not ours.
        """
        text = _TEXT.format(mark=_MARK, variables=OUTSIDE, code=_CODE)
        if self._text() == text:
            return False
        temporary = f"{self.path}.{os.getpid()}.tmp"
        try:
            with open(temporary, "x", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, self.path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary)
            raise _refused("write", self.path, error) from error
        return True

    def remove(self) -> bool:
        """
        Remove the file; False if there is none.

        Raises:
            CommandError: If it cannot be removed, or is not ours.
        """
        if self._text() is None:
            return False
        try:
            os.unlink(self.path)
        except OSError as error:
            raise _refused("remove", self.path, error) from error
        return True

    def _text(self) -> str | None:
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused("read", self.path, error) from error
        if not text.startswith(_MARK):
            raise CommandError(f"{self.path} was not made by `checkpoints enable-env`")
        return text


def _is_conda(prefix: str) -> bool:
    return os.path.isdir(os.path.join(prefix, "conda-meta"))


def _refused(verb: str, path: str, error: OSError) -> CommandError:
    return CommandError(f"cannot {verb} {path}: {error.strerror}")
