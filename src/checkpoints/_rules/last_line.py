"""What a program that variables have switched on says at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress

from checkpoints._handlers.outcomes import outcomes
from checkpoints._process import drain
from checkpoints._process.exit import at_exit, is_worker
from checkpoints._process.variables import SUMMARY
from checkpoints._rules.registry import registry
from checkpoints._text import count_text, printable

__all__ = ["say_at_exit"]

_NO = "0"
_pid = 0


def say_at_exit() -> None:
    """
    Make this process say at its end what was saved, and where.

    Only if stderr is a terminal, unless the variable says otherwise, and only in the
    first process of a program.
    """
    global _pid  # noqa: PLW0603 - a fork inherits what is called at exit
    asked = os.environ.get(SUMMARY, "")
    is_wanted = asked != _NO if asked else _is_terminal()
    if is_wanted and not is_worker():
        # Inherited: the processes that this one starts say nothing.
        os.environ[SUMMARY] = _NO
        _pid = os.getpid()
        at_exit(_say)


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _say() -> None:
    if os.getpid() == _pid:
        drain.drain()
        with suppress(Exception):  # there may be no standard error output
            sys.stderr.write(printable(_line()) + "\n")


def _line() -> str:
    totals = outcomes.totals()
    saved = totals.pop("saved")
    others = [f"{count:,} {outcome}" for outcome, count in totals.items() if count]
    text = ", ".join([count_text(saved, "save") if saved else "saved nothing", *others])
    roots = list(dict.fromkeys(_roots())) if saved else []
    if not roots:
        return f"checkpoints: {text}"
    return (
        f"checkpoints: {text}, under {', '.join(roots)}; "
        f"next: checkpoints ls {roots[0]}"
    )


def _roots() -> Iterator[str]:
    """Yield the folders of the rules that took a call."""
    for rule in registry.rules():
        for handler in rule.handlers if rule.accepted else ():
            if folder := getattr(handler, "folder", ""):
                yield os.path.relpath(folder)
