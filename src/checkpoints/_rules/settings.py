"""
Rules written as text: in a variable, on the command line, in a TOML file.

All three are parsed into the same `Setting`s, without side effects.
`docs/reference/settings.md` has the grammar.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple, NoReturn

from checkpoints._files.run_record import DEFAULT_ROOT
from checkpoints._keys.condition import conditions_in
from checkpoints._process.libraries import imported
from checkpoints._text import hint, is_remote, nearest, parse_size, shown
from checkpoints.errors import ConfigError
from checkpoints.storage._stores import absolute_path, lacks_slashes

__all__ = [
    "CAPTURE",
    "DEFAULT_TARGET",
    "ENVIRONMENT",
    "FILE",
    "PROGRAM",
    "Setting",
    "as_run",
    "check_known",
    "checked_names",
    "checked_option",
    "checked_target",
    "probed_names",
    "settings_in_text",
]

# The layers of rules, lowest first: settings from outside override the program, except
# for `capture`.
PROGRAM, FILE, ENVIRONMENT, CAPTURE = range(4)

DEFAULT_TARGET = os.path.join(DEFAULT_ROOT, "run={run}")

_OFF = "off"

# Compiled on first use: most programs have no rules from outside.
_SPECIAL = ";,=?&%"
_URL = r"(?i)[a-z][a-z0-9+.-]*://"
_GLOB = r"[*?\[]"


class Setting(NamedTuple):
    """
    A rule as it was written outside of the program; not in force by itself.

    Args:
        names: A pattern, or exact names.
        target: An absolute path or a URL; None switches the names off.
        options: The options of `config`, by name.
        source: Where it was written.
        layer: Its layer, which overrides all lower ones.
        query: The options as they were written, in the short form.
        probes: Functions to probe for it.
    """

    names: str | tuple[str, ...]
    target: str | None
    options: Mapping[str, Any]
    source: str
    layer: int = ENVIRONMENT
    query: str = ""
    probes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The rule in the short form, with an absolute target."""
        listed = [self.names] if isinstance(self.names, str) else self.names
        names = ",".join(_quoted(name, f"{_SPECIAL}/\\") for name in listed)
        if len(self.names) == 1 and self.names is listed:
            names += ","
        target = self.target or _OFF
        target = _quoted(target, ";?&" if _is_encoded(target) else _SPECIAL)
        return f"{names}={target}?{self.query}".removesuffix("?")


def _quoted(text: str, special: str = _SPECIAL) -> str:
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode(errors="surrogateescape"))
        if char in special or char.isspace()
        else char
        for char in text
    )


def _is_encoded(target: str) -> bool:
    """Tell whether a target is the URL of a path; those of buckets are as typed."""
    return bool(re.match(_URL, target)) and not is_remote(target)


def _unquoted(text: str) -> str:
    unquote = imported("urllib.parse").unquote
    return str(unquote(text.strip(), errors="surrogateescape"))


def probed_names(target: str) -> str:
    """
    Return the names of what a probe finds, as for a rule; "" for an exclusion.

    >>> probed_names("mypkg.mod:Model.fit"), probed_names("mypkg.*:*")
    ('mypkg.mod.Model.fit', 'mypkg.*')
    """
    if target.startswith("!"):
        return ""
    module, colon, path = target.strip().replace(".<locals>", "").partition(":")
    return f"{module.removesuffix('.*')}.{path}" if colon else module


def settings_in_text(
    text: str, source: str, known: Collection[str], default: str = DEFAULT_TARGET
) -> list[Setting]:
    """
    Parse rules in the short form, `NAMES=TARGET?OPTIONS`.

    Args:
        text: The rules, separated by `;` or line breaks.
        source: Where the text comes from, for error messages.
        known: The names of all options.
        default: The target of rules that have none.

    Raises:
        ConfigError: If a rule is invalid.
    """
    rules = [rule for part in re.split("[;\n]", text) if (rule := part.strip())]
    return [
        _in_short_form(rule, f"{source}, rule {number}, {shown(rule)}", known, default)
        for number, rule in enumerate(rules, 1)
    ]


def _in_short_form(
    rule: str, place: str, known: Collection[str], default: str
) -> Setting:
    names, equals, rest = rule.partition("=")
    if equals and not rest:
        _fail(place, "no target after the '='; leave it out, or write NAMES=TARGET")
    before, mark, option = names.rpartition("?")
    target, _, query = rest.partition("?")
    # A glob may contain a `?` too: it begins the options only before an option's name.
    if rest and mark and option.isidentifier():
        if option in known:
            names, target, query = before, "", f"{option}={rest}"
        elif near := _similar(option, known):
            _fail(place, f"unknown option {option!r}; did you mean {near!r}?")
    elif mark and option in known and not rest:
        _fail_without_value(option, place)
    _check_joined(f"{names}={target}", place, known)
    options = _in_query(query, place, known) if query else {}
    target = target.strip()
    target = target if _is_encoded(target) else _unquoted(target)
    return Setting(
        _names_in_text(names.strip(), place),
        checked_target(target or default, os.curdir, place),
        options,
        place,
        query=query.strip(),
    )


def _similar(option: str, known: Collection[str]) -> str:
    return nearest(option, known, cutoff=0.75)


def _check_joined(text: str, place: str, known: Collection[str]) -> None:
    """Raise `ConfigError` if an option follows names or a target without a `?`."""
    for option in re.findall(r"&\s*(\w+)\s*=", text):
        if _similar(option, known):
            _fail(
                place,
                f"{option}= follows a '&', but the first option follows a '?': write "
                "mypkg.fit=./out?every=10, and a '&' in a path as %26",
            )


def _names_in_text(text: str, place: str) -> str | tuple[str, ...]:
    if not text:
        _fail(place, "no names; write NAMES=TARGET, such as mypkg.fit=./out")
    if set(text) & {"/", os.sep}:
        _fail(
            place,
            "expected names, got a path; write NAMES=TARGET, such as mypkg.fit=./out",
        )
    names = [_unquoted(part) for part in text.split(",")]
    return names[0] if len(names) == 1 else checked_names(names, place)


def checked_names(names: list[str], place: str) -> tuple[str, ...]:
    """Return a list of exact names; a trailing comma allows for a single one."""
    exact = names[:-1] if len(names) > 1 and not names[-1] else names
    for name in exact:
        if not name:
            _fail(place, "empty name between two commas; remove one of them")
        if re.search(_GLOB, name):
            _fail(
                place,
                f"{shown(name)} is a glob in a list of exact names: write a separate "
                "rule for the glob",
            )
    return tuple(exact)


def as_run(target: str) -> str:
    """Return what to say of a target that would be taken for a run when it is read."""
    way = f"write {shown('./' + target)} for a folder of this name"
    return f"cannot save to {shown(target)}, which is how a run is named; {way}"


def checked_target(target: str, folder: str, place: str) -> str | None:
    """Return an absolute target; relative paths start at the folder."""
    if target == _OFF:
        return None
    if "\0" in target:
        _fail(place, f"invalid target {shown(target)}: a path cannot contain a NUL")
    if target.startswith("@"):
        _fail(place, as_run(target))
    is_url = re.match(_URL, target) or lacks_slashes(target)
    if is_url or target.startswith("~") or os.path.isabs(target):
        return target
    base = absolute_path(folder).replace("{", "{{").replace("}", "}}")
    return os.path.join(base, target.removeprefix(f".{os.sep}"))


def _in_query(query: str, place: str, known: Collection[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in query.split("&"):
        name, _, text = part.partition("=")
        name, text = name.strip(), text.strip()
        if not name or "." in name:
            _fail(
                place,
                f"{shown(name)} is not an option; separate rules with ';'",
            )
        check_known("option", name, known, place)
        if name in options:
            _fail(place, f"option {name!r} is given twice; remove one of them")
        kind = _KINDS.get(name, _TEXT)
        if not text:
            _fail_without_value(name, place)
        try:
            options[name] = kind.read(text)
        except ValueError as error:
            if kind.read is conditions_in:
                raise ConfigError(f"{place}: {name}={error}") from error
            raise _invalid(name, text, kind.expected, kind.example, place) from error
    return options


def checked_option(name: str, value: object, place: str) -> Any:
    """Return the value of an option from TOML; `ConfigError` if its type is wrong."""
    kind = _KINDS.get(name, _TEXT)
    fits = isinstance(value, kind.types) and (
        bool in kind.types or not isinstance(value, bool)
    )
    if isinstance(value, Mapping):
        fits = fits and all(map(_is_choice, value.values()))
    elif isinstance(value, list):
        fits = fits and all(isinstance(item, str) for item in value)
    elif fits and kind is _BYTES and isinstance(value, str):
        try:
            return kind.read(value)
        except ValueError:
            fits = False
    if not fits:
        raise _invalid(name, value, kind.expected, kind.in_toml, place)
    return value


def _is_choice(wanted: object) -> bool:
    choices = wanted if isinstance(wanted, list) else [wanted]
    return bool(choices) and not any(isinstance(one, (list, dict)) for one in choices)


def check_known(what: str, name: str, known: Collection[str], place: str) -> None:
    """Raise `ConfigError` with a hint if a name is not known."""
    if name not in known:
        _fail(place, f"unknown {what} {shown(name)}; {hint(name, known)}")


def _invalid(
    name: str, value: object, expected: str, example: str, place: str
) -> ConfigError:
    return ConfigError(
        f"{place}: invalid {name}={shown(value)}: expected {expected}, such as "
        f"{name}={example}"
    )


def _fail_without_value(name: str, place: str) -> NoReturn:
    example = _KINDS.get(name, _TEXT).example
    _fail(place, f"option {name!r} has no value; write {name}={example}")


def _fail(place: str, what: str) -> NoReturn:
    raise ConfigError(f"{place}: {what}")


# The kinds of options


class _Kind:
    """A kind of option: its parser for the short form, and its types in TOML."""

    def __init__(
        self,
        expected: str,
        example: str,
        read: Callable[[str], Any],
        types: tuple[type, ...],
    ) -> None:
        self.expected, self.example = expected, example
        self.read, self.types = read, types

    @property
    def in_toml(self) -> str:
        """The example in TOML."""
        if dict in self.types:
            return "{date = 2017-03-02, model = ['a', 'b']}"
        if list in self.types:
            return repr(self.example.split(","))
        return repr(self.example) if str in self.types else self.example


def _read_flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _read_list(text: str) -> list[str]:
    return [_unquoted(part) for part in text.split(",")]


_TEXT = _Kind("text", "TEXT", _unquoted, (str,))
_WHOLE = _Kind("a whole number", "10", int, (int,))
_FLAG = _Kind("true or false", "true", _read_flag, (bool,))
_BYTES = _Kind(
    "a number of bytes from 1 up", "64MB", partial(parse_size, "size"), (int, str)
)
_TAGS = _Kind("tags and values", "date=2017-03-02,model=a|b", conditions_in, (dict,))

# Options that are not in this table are texts.
_KINDS = {
    "where": _TAGS,
    "given": _Kind(
        "names and values of arguments", "n>3,mode=fast|safe", conditions_in, (dict,)
    ),
    "every": _WHOLE,
    "limit": _WHOLE,
    "run_limit": _WHOLE,
    "min_seconds": _Kind("a number of seconds", "0.5", float, (int, float)),
    "items": _WHOLE,
    "random": _FLAG,
    "after": _FLAG,
    "max_bytes": _BYTES,
    "max_total_bytes": _BYTES,
    "summary": _FLAG,
    "values": _Kind("names of values", "x,y", _read_list, (str, list)),
    "mode": _Kind("permissions", "0o600", partial(int, base=8), (int,)),
    "durable": _FLAG,
    "background": _FLAG,
    "max_pending": _BYTES,
    "max_wait": _Kind("a number of seconds", "60", float, (int, float)),
}
