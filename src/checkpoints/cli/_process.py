"""A program that is started, and what it ends with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

import click

from checkpoints._text import printable

__all__ = ["Program", "is_running"]

_SIGNALS = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
# A terminal sends these to every process in its foreground by itself.
_OF_KEYS = ("SIGINT", "SIGQUIT")


class NoScriptError(click.ClickException):
    """There is no such script; Python itself ends with this code then."""

    exit_code = 2


class NoCommandError(click.ClickException):
    """There is no such command; shells end with this code then."""

    exit_code = 127


class NotExecutableError(click.ClickException):
    """There is such a command, and it cannot be run."""

    exit_code = 126


class Program:
    """
    A program of the command line: a script, a module, or any command.

    Args:
        words: What was typed. A `.py` file, `-m` and `-c` are for this Python.

    Raises:
        NoScriptError: If it is a script that is not there.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        is_script = words[0].endswith((".py", ".pyw"))
        if is_script and not os.path.isfile(words[0]):
            reason = f"there is no script {words[0]!r}; see the path, and where you are"
            raise NoScriptError(printable(reason))
        if is_script or words[0] in ("-m", "-c"):
            self._words.insert(0, sys.executable)
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def run(self, environment: Mapping[str, str]) -> int:
        """
        Run it to its end, with the signals that come meanwhile.

        Returns:
            Its exit code; 128 and the number where a signal ended it.

        Raises:
            NoCommandError: If there is no such command.
            NotExecutableError: If it cannot be run.
        """
        self._catch_signals()
        try:
            # What the caller left open for the program, such as a pipe of `make`, is
            # its own; what is opened here is not inherited.
            self._process = subprocess.Popen(  # noqa: S603 - it is what the user typed
                self._words, env=dict(environment), close_fds=False
            )
        except FileNotFoundError as error:
            reason = f"there is no command {self._words[0]!r}; see PATH and spelling"
            raise NoCommandError(printable(reason)) from error
        except OSError as error:
            reason = f"{self._words[0]!r} cannot be run: {error.strerror}"
            raise NotExecutableError(printable(reason)) from error
        for number in self._early:
            self._process.send_signal(number)
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def _catch_signals(self) -> None:
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # What is ignored here, as by nohup, is ignored there as well.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._forward)

    def _forward(self, number: int, _: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif self._process.returncode is not None:
            raise KeyboardInterrupt
        elif signal.Signals(number).name not in _OF_KEYS or not _is_in_foreground():
            self._process.send_signal(number)


def _is_in_foreground() -> bool:
    """Tell whether the keys of a terminal reach this process, and so the program."""
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
    """Tell whether this machine has a process of that number, and it has not ended."""
    if os.name != "posix":
        return False  # to ask would end it, there
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    # 0 is this group of processes, and the number of none.
    return number > 0 and not _waits_for_its_parent(number)


def _waits_for_its_parent(number: int) -> bool:
    """Tell, on Linux, whether a process has ended and only its number is left."""
    with suppress(OSError), open(f"/proc/{number}/stat", "rb") as file:
        # Its name stands before that, in brackets, and may hold anything.
        return file.read().rpartition(b")")[2].split()[:1] == [b"Z"]
    return False
