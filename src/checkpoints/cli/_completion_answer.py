"""The answer to a shell: the words before the cursor, and what the last may become."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from checkpoints.cli import _completion
from checkpoints.cli._completion import Offer
from checkpoints.cli._completion_words import ARGUMENTS, OPTIONS

__all__ = ["VARIABLE", "answer"]

# Set by the scripts that the shells run, to their name.
VARIABLE = "_CHECKPOINTS_COMPLETE"

_COMMON = ("--help", "-h")
_END = "--"
_PROGRAM = "run"
# Words of bash: quoted in full, or up to a space that is not escaped.
_WORD = re.compile(r"""(?:'[^']*(?:'|$)|"[^"]*(?:"|$)|\\.|[^\s'"\\]|\\$)+""")
_QUOTING = re.compile(r"""['"]|\\(.?)""")


def answer(shell: str, words: Sequence[str]) -> str:
    """
    Return the lines that a script of a shell reads: the kind of an offer, and its text.

    Args:
        shell: The name of the shell.
        words: The arguments as far as the cursor; for bash the line as far as the
            cursor, and the characters at which it breaks words.
    """
    start = ""
    if shell == "bash":
        line, breaks = words
        words = _words_in(line)
        # bash replaces only what follows the last of them.
        start = re.sub(rf"[^{re.escape(breaks)}]*\Z", "", words[-1]) if breaks else ""
    return "".join(
        f"{offer.kind} {offer.text.removeprefix(start)}\n" for offer in _offers(words)
    )


def _words_in(line: str) -> list[str]:
    """Return the words of a line after the first one, without quotes."""
    words = [_QUOTING.sub(r"\1", word) for word in _WORD.findall(line)]
    if not line or line[-1].isspace():
        words.append("")
    return words[1:] or [""]


def _offers(words: Sequence[str]) -> list[Offer]:
    *before, last = words or [""]
    if not before:
        names = ["--help", "--version"] if last.startswith("-") else ARGUMENTS
        return _starting(names, last)
    command, *before = before
    if command not in ARGUMENTS:
        return []
    if command == _PROGRAM and _END in before:
        return _of_program(before[before.index(_END) + 1 :], last)
    given, waiting = _read(command, before)
    if waiting:
        return _completed(OPTIONS[command][waiting], given, "", last)
    if last.startswith("-"):
        return _of_option(command, given, last)
    return _of_argument(command, given, last)


def _of_option(command: str, given: Sequence[str], last: str) -> list[Offer]:
    options = OPTIONS[command]
    name, equals, value = last.partition("=")
    if equals and options.get(name):
        offers = _completed(options[name], given, "", value)
        return [offer._replace(text=name + equals + offer.text) for offer in offers]
    return _starting([*options, *_COMMON], last)


def _of_program(words: Sequence[str], last: str) -> list[Offer]:
    completer = "module" if words == ["-m"] else "file"
    return _completed(completer, [], "", last)


def _read(command: str, words: Sequence[str]) -> tuple[list[str], str]:
    """Return the arguments among the words, and the option that waits for a value."""
    given: list[str] = []
    waiting = ""
    for word in words:
        if waiting:
            waiting = ""
        elif word.startswith("-") and len(word) > 1:
            # None is a flag; an empty text a value that cannot be completed.
            takes_value = OPTIONS[command].get(word) is not None
            waiting = word if takes_value else ""
        else:
            given.append(word)
    return given, waiting


def _of_argument(command: str, given: Sequence[str], last: str) -> list[Offer]:
    arguments = ARGUMENTS[command]
    if not arguments:
        return []
    name, completer = arguments[min(len(given), len(arguments) - 1)]
    return _completed(completer, given, name, last, command=command)


def _completed(
    completer: str | None,
    given: Sequence[str],
    name: str,
    last: str,
    *,
    command: str = "",
) -> list[Offer]:
    if not completer:
        return []
    names = [argument for argument, _ in ARGUMENTS.get(command, ())] or ["root"]
    params: dict[str, Any] = dict(zip(names, given, strict=False))
    if names == ["entry"]:
        params = {"entry": tuple(given)}
    complete = getattr(_completion, f"complete_{completer}")
    found: list[Offer] = complete(
        SimpleNamespace(params=params), SimpleNamespace(name=name), last
    )
    return found


def _starting(texts: Sequence[str] | dict[str, Any], start: str) -> list[Offer]:
    return [Offer(text) for text in sorted(texts) if text.startswith(start)]
