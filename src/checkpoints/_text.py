"""Text for people: values, sizes, counts, tables; harmless to a terminal or page."""

from __future__ import annotations

import logging
import re
import reprlib
from collections.abc import Collection, Iterable, Sequence

from checkpoints._process.libraries import imported
from checkpoints.errors import ConfigError

__all__ = [
    "count_text",
    "files_text",
    "hint",
    "html_table",
    "html_text",
    "is_remote",
    "known_text",
    "moment_text",
    "nearest",
    "parse_size",
    "printable",
    "shown",
    "size_text",
    "text_of",
]

_LONGEST = 200

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _LONGEST
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_THOUSAND = 1000
_ROUNDED_UP = 0.05
_BOX = "max-height:24em;overflow:auto;display:inline-block;max-width:100%"
# Follows the page's own colours, dark or light.
_LINE = "border-bottom:1px solid rgba(128,128,128,.35);padding:.2em .8em .2em 0"
_PAGE = "var(--jp-layout-color0,var(--vscode-editor-background,Canvas))"
_STICKY = f"position:sticky;top:0;background:{_PAGE}"
_STYLES = {"th": f"text-align:left;{_LINE};{_STICKY}", "td": f"text-align:left;{_LINE}"}
# How many known names a message lists.
_MOST_LISTED = 8


def is_remote(root: str) -> bool:
    """
    Tell whether a root or a path is a URL of something else than the file system.

    >>> is_remote("s3://bucket/saved"), is_remote("file:///saved"), is_remote("saved")
    (True, False, False)
    """
    found = _URL.match(root)
    return found is not None and found[1].lower() != "file"


def shown(value: object) -> str:
    """Return the repr of a value, shortened in the middle if it is long."""
    try:
        return _repr.repr(value)
    except BaseException:  # noqa: BLE001 - a broken repr must not hide the message
        return _unprintable(value)


def text_of(error: BaseException) -> str:
    """Return the text of an error, even if its `__str__` fails."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a broken __str__ must not hide the error
        return _unprintable(error)


def _unprintable(value: object) -> str:
    # Worded as in Python's own tracebacks.
    return f"<unprintable {type(value).__name__} object>"


def printable(text: str) -> str:
    r"""
    Return a text that is safe to print on a terminal: control characters are escaped.

    Names, tags and error texts can come from untrusted files. An escape sequence in
    them could rewrite the screen, and a bidirectional override could show one name as
    another.

    Args:
        text: Any text.

    Returns:
        The text, in one line; `\x1b` and the like stand for invisible characters.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


class _Printable:
    """An argument of a log message, which is escaped where it is formatted."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __str__(self) -> str:
        return printable(str(self.value))

    def __repr__(self) -> str:
        return printable(repr(self.value))


def escape_record(record: logging.LogRecord) -> bool:
    """
    Escape what a log record contains: names, tags and error texts come from outside.

    A filter of this library's logger, so that no call can forget it. The message stays
    a template with arguments, by which tools group records.
    """
    if isinstance(record.args, tuple):
        record.args = tuple(map(_escaped_argument, record.args))
    if record.exc_info and not record.exc_text:
        text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = "\n".join(map(printable, text.split("\n")))
    return True


def _escaped_argument(value: object) -> object:
    is_harmless = isinstance(value, (int, float)) or (
        isinstance(value, str) and value.isprintable()
    )
    return value if is_harmless else _Printable(value)


logging.getLogger("checkpoints").addFilter(escape_record)


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """
    Return the known name that is most similar to another one; empty if none is.

    Args:
        name: An unknown name.
        known: The known names.
        cutoff: The least similarity, from 0 to 1, as `difflib` measures it.

    >>> nearest("evry", ["where", "every"]), nearest("x", ["every"])
    ('every', '')
    """
    # It loads slowly, and is needed only after a typing mistake.
    difflib = imported("difflib")
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return str(found[0]) if found else ""


def hint(name: str, known: Collection[str]) -> str:
    """
    Return a hint for an unknown name: the nearest known one, or else what there is.

    Args:
        name: An unknown name.
        known: The known names, in the order in which to list them.

    >>> hint("evry", ["where", "every"]), hint("x", ["where", "every"])
    ("did you mean 'every'?", "there are 'where', 'every'")
    """
    near = nearest(name, known)
    return f"did you mean {shown(near)}?" if near else known_text(known)


def known_text(known: Collection[str]) -> str:
    """
    Return which names there are, the first eight of them.

    >>> known_text(["every"]), known_text([])
    ("there is 'every'", 'there are none')
    """
    if not known:
        return "there are none"
    listed = ", ".join(map(shown, list(known)[:_MOST_LISTED]))
    more = len(known) - _MOST_LISTED
    verb = "there is" if len(known) == 1 else "there are"
    return f"{verb} {listed}" + (f" and {more} more" if more > 0 else "")


def parse_size(option: str, size: object) -> int:
    """
    Return a number of bytes.

    Args:
        option: The name of the option, for the message.
        size: A whole number, or a text such as `"64MB"`, `"1.5 GiB"` or `"2048"`;
            kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of 1024.

    Raises:
        ConfigError: If it is neither, or less than one byte.

    >>> parse_size("max_bytes", "64MB"), parse_size("max_bytes", "1 KiB")
    (64000000, 1024)
    """
    found: int | None = None
    if isinstance(size, int) and not isinstance(size, bool):
        found = size
    elif isinstance(size, str) and (match := _SIZE.fullmatch(size)):
        digits, prefix, binary = match.groups()
        # "1iB" is not a unit.
        if prefix or not binary:
            unit = (1024 if binary else 1000) ** _POWERS[prefix.lower()]
            # It loads slowly, and few programs give sizes as text.
            from decimal import Decimal

            found = int(Decimal(digits) * unit)
    if found is None or found < 1:
        message = (
            f"invalid {option}={shown(size)}: expected a number of bytes from 1 up, "
            "such as 64_000_000 or '64MB'"
        )
        raise ConfigError(message)
    return found


def size_text(size: float) -> str:
    """
    Return a number of bytes as a short text.

    >>> size_text(12), size_text(12_345), size_text(999_999)
    ('12 B', '12.3 kB', '1.0 MB')
    """
    units = ["TB", "GB", "MB", "kB"]
    unit = "B"
    # A number that would be rounded up to 1000 is shown in the next unit.
    while units and size >= _THOUSAND - (0 if unit == "B" else _ROUNDED_UP):
        size /= _THOUSAND
        unit = units.pop()
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def count_text(number: int, what: str) -> str:
    """
    Return a number with its noun, in the plural if need be.

    >>> count_text(1, "file"), count_text(1200, "entry")
    ('1 file', '1,200 entries')
    """
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {what[:-1] + 'ie' if what.endswith('y') else what}s"


def files_text(number: int, size: float) -> str:
    """Return the number of files and their total size as text."""
    return f"{count_text(number, 'file')}, {size_text(size)}"


def moment_text(seconds: float) -> str:
    """Return a time, in UTC, to the second."""
    import datetime

    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):  # a file can claim any time
        return "?"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def html_table(
    title: str,
    heading: Sequence[str],
    rows: Iterable[Sequence[str]],
    facts: Iterable[tuple[str, str]] = (),
) -> str:
    """
    Return an HTML table.

    Args:
        title: Its title, above it.
        heading: The names of its columns.
        rows: The cells of each row.
        facts: Names and texts, shown between title and table.

    >>> html_table("one", ["a"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    lines = [f"<div><b>{html_text(title)}</b></div>"]
    lines += [
        f'<div><span style="opacity:.6">{name}</span> {text}</div>'
        for name, text in (map(html_text, fact) for fact in facts)
    ]
    table = '<table style="border-collapse:collapse">'
    lines.append(f'<div style="{_BOX}">{table}<thead>{_row("th", heading)}</thead>')
    lines.extend(["<tbody>", *(_row("td", row) for row in rows), "</tbody>"])
    return "\n".join([*lines, "</table></div>"])


def _row(tag: str, cells: Iterable[str]) -> str:
    style = f' style="{_STYLES[tag]}"'
    inner = "".join(f"<{tag}{style}>{html_text(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def html_text(text: object) -> str:
    r"""
    Return a text that is safe in an HTML page, as content or in an attribute.

    >>> html_text("<a\x1b>")
    '&lt;a\\x1b&gt;'
    """
    from html import escape

    # A browser would hide control characters.
    return escape(printable(str(text)))
