"""Child processes: starting the program, and whether a process runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

from checkpoints.cli._failures import CommandError

__all__ = ["Program", "is_running"]

_SIGNALS = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
# A terminal sends these to every process in its foreground group.
_TERMINAL_SIGNALS = ("SIGINT", "SIGQUIT")


class NoCommandError(CommandError):
    """There is no such command."""

    exit_code = 127  # as a shell does


class NotExecutableError(CommandError):
    """The command exists but cannot be run."""

    exit_code = 126  # as a shell does


class Program:
    """
    A program to run: a script, a module, or any command.

    Args:
        words: The program and its arguments. A `.py` file, `-m` and `-c` are run by
            this Python.

    Raises:
        CommandError: If it is a script that does not exist.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        is_script = words[0].endswith((".py", ".pyw"))
        if words[0].endswith(".ipynb") and os.path.isfile(words[0]):
            way = f"run it by Jupyter: `-- jupyter execute {words[0]}`"
            raise CommandError(f"{words[0]!r} is a notebook, not a program; {way}")
        if is_script and not os.path.isfile(words[0]):
            raise CommandError(f"script {words[0]!r} does not exist; check the path")
        if is_script or words[0] in ("-m", "-c"):
            self._words.insert(0, sys.executable)
        self._process: subprocess.Popen[bytes] | None = None
        self._pending: list[int] = []

    def run(self, environment: Mapping[str, str]) -> int:
        """
        Run the program to its end, and forward signals to it.

        Returns:
            Its exit code; 128 plus the signal number if a signal ended it.

        Raises:
            NoCommandError: If there is no such command.
            NotExecutableError: If the command cannot be run.
        """
        self._catch_signals()
        try:
            # The program inherits what the caller left open for it, such as a pipe of
            # `make`. Files opened here are not inheritable.
            self._process = subprocess.Popen(  # noqa: S603 - typed by the user
                self._words, env=dict(environment), close_fds=False
            )
        except FileNotFoundError as error:
            message = f"command {self._words[0]!r} not found; check spelling and PATH"
            raise NoCommandError(message) from error
        except OSError as error:
            message = f"cannot run {self._words[0]!r}: {error.strerror}"
            raise NotExecutableError(message) from error
        for number in self._pending:
            self._process.send_signal(number)
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def _catch_signals(self) -> None:
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # A signal ignored here, as by nohup, is ignored by the program too.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._forward)

    def _forward(self, number: int, _: FrameType | None) -> None:
        if self._process is None:
            self._pending.append(number)
        elif self._process.returncode is not None:
            raise KeyboardInterrupt
        elif (
            signal.Signals(number).name not in _TERMINAL_SIGNALS
            or not _is_in_foreground()
        ):
            self._process.send_signal(number)


def _is_in_foreground() -> bool:
    """Return whether this process gets the signals of a terminal's keys."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except (AttributeError, OSError):
        return os.name == "nt"
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def is_running(number: int) -> bool:
    """Return whether a process with this id runs on this machine."""
    if os.name != "posix":
        return False  # os.kill would end the process
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    # 0 means this process group, and is not the id of a process.
    return number > 0 and not _is_zombie(number)


def _is_zombie(number: int) -> bool:
    """Return whether a process has ended but was not waited for; Linux only."""
    with suppress(OSError), open(f"/proc/{number}/stat", "rb") as file:
        # The state follows the name, which is in brackets and may hold any bytes.
        return file.read().rpartition(b")")[2].split()[:1] == [b"Z"]
    return False
