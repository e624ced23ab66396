"""How values and texts are shown: short, and harmless to a terminal."""

from __future__ import annotations

import reprlib

__all__ = ["printable", "shown", "text_of"]

_LONGEST = 200

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _LONGEST


def shown(value: object) -> str:
    """Return the repr of a value, cut in the middle where it is long."""
    try:
        return _repr.repr(value)
    except BaseException:  # noqa: BLE001 - a message must not fail for its subject
        return f"<a {type(value).__name__} that cannot be shown>"


def text_of(error: BaseException) -> str:
    """Return the text of an error, which may be one of anybody's own."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - there is no other way to find out
        return "its text cannot be had"


def printable(text: str) -> str:
    r"""
    Return a text as a terminal can show it: control characters are escaped.

    Names, tags and error texts can come from files that anybody made up. An escape
    sequence in them could rewrite the screen, and a bidirectional override could show
    one name as another.

    Args:
        text: Any text.

    Returns:
        The text, in one line; `\x1b` and the like stand for what cannot be seen.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
