"""The known names of checkpoints, and their former names."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from checkpoints._keys.key import checked_name
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.origin import outside_level
from checkpoints._process.variables import CONFIG, PROBES, RULES
from checkpoints._text import known_text, nearest
from checkpoints.errors import ConfigError

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["Names"]

logger = logging.getLogger("checkpoints")


class Names:
    """The names of checkpoints: declared by `register`, or seen in a call."""

    def __init__(self) -> None:
        self._declared: dict[str, bool] = {}
        self.called: set[str] = set()
        self._renamed: dict[str, str] = {}
        # The old names of each name, made anew by each change.
        self._former: dict[str, list[str]] = {}
        self.warned: set[str] = set()
        self._renew_lock()
        after_fork_in_child(self._renew_lock)

    def _renew_lock(self) -> None:
        # The thread that may have held it does not exist after a fork.
        self._lock = threading.RLock()

    def __contains__(self, name: str) -> bool:
        return name in self._declared

    def register(self, names: Iterable[str]) -> None:
        """Declare names; see `checkpoints.register`."""
        self._warn_of_late_variables()
        for name in [checked_name(name) for name in names]:
            with self._lock:
                twice = self._declared.get(name, False)
                self._declared[name] = True
            if twice:
                logger.warning("checkpoint %r is already registered", name)

    def add_called(self, name: str) -> None:
        """Add a name that was called."""
        self.called.add(name)
        self.add(name)

    def add(self, name: str) -> None:
        """Add a name, if it is new."""
        if name not in self._declared:
            self._declared[name] = False
            self._warn_of_late_variables()

    def _warn_of_late_variables(self) -> None:
        """Warn once of variables that were set when they could have no effect."""
        if "checkpoints._environment" in sys.modules:
            return
        for variable in (RULES, CONFIG, PROBES):
            if os.environ.get(variable) and variable not in self.warned:
                self.warned.add(variable)
                logger.warning(
                    "%s was set after checkpoints was imported, so it has no effect: "
                    "set it before, or call config",
                    variable,
                )

    def rename(self, old: str, new: str) -> None:
        """
        Replace an old name by a new one.

        Raises:
            ConfigError: If the new name leads back to the old one.
        """
        for name in (old, new):
            checked_name(name)
        with self._lock:
            end = new
            while end in self._renamed and end != old:
                end = self._renamed[end]
            if end == old:
                message = (
                    f"cannot rename {old!r} to {new!r}, which is a former name of it: "
                    "a chain of names must end in a current one"
                )
                raise ConfigError(message)
            self._renamed[old] = new
            former: dict[str, list[str]] = {}
            for each in self._renamed:
                former.setdefault(self.current(each), []).append(each)
            self._former = former
            self.add(self.current(old))

    def available(self) -> list[str]:
        """Return the known names, sorted, without old ones."""
        return sorted(
            name for name in list(self._declared) if name not in self._renamed
        )

    def renamed(self) -> dict[str, str]:
        """Return the old names, each with its replacement."""
        return dict(self._renamed)

    def current(self, name: str) -> str:
        """Return the replacement of an old name, or the name itself."""
        while name in self._renamed:
            name = self._renamed[name]
        return name

    def old_names(self, name: str) -> list[str]:
        """Return the former names of a name."""
        return self._former.get(name, [])

    def warn_of_old(self, rule: Rule, names: Iterable[str]) -> None:
        """Warn of old names that a rule covers without covering the new ones."""
        for old in list(names):
            new = self.current(old)
            if rule.covers(old) and not rule.covers(new):
                message = f"checkpoint {old!r}, which {rule!r} covers, is now {new!r}"
                warnings.warn(message, DeprecationWarning, outside_level())

    def has_below(self, name: str) -> bool:
        """Tell whether there are known names below a name."""
        return any(known.startswith(f"{name}.") for known in self.available())

    def nearest(self, wanted: str) -> str:
        """Return the known name, or prefix of one, nearest to a name; empty if none."""
        known: dict[str, str] = {}
        for name in self.available():
            parts = name.split(".")
            for length in range(len(parts), 0, -1):
                part = ".".join(parts[:length])
                known.setdefault(part.casefold(), part)
        near = nearest(wanted.casefold(), known)
        return known[near] if near else ""

    def hint(self, wanted: str) -> str:
        """Return a hint for an unknown name or pattern: the nearest, or all names."""
        if near := self.nearest(wanted):
            return f"did you mean {near!r}?"
        known = self.available()
        told = known_text(known)
        if any(name.startswith("__main__.") for name in known):
            told += "; what the started file itself defines is called '__main__.NAME'"
        return told

    def hint_for_listed(self, name: str) -> str:
        """Return a hint for an unknown name in a list of exact names."""
        if self.has_below(name):
            return f"a list takes exact names; {name!r} by itself covers all below it"
        return self.hint(name)

    def warn_of_mistakes(self, wanted: str | tuple[str, ...], rule: object) -> None:
        """Warn if the names of a rule are likely a mistake."""
        if isinstance(wanted, str) and set(wanted) & {"/", os.sep}:
            logger.warning(
                "%r covers names with a slash in them: if that is a path, swap the "
                "arguments, config(names, target)",
                rule,
            )
        unknown: dict[str, list[str]] = {}
        for name in wanted if isinstance(wanted, tuple) else ():
            if name not in self and self.current(name) == name:
                unknown.setdefault(self.hint_for_listed(name), []).append(name)
        for hint, names in unknown.items():
            is_one = len(names) == 1
            logger.warning(
                "%s %s %s not known yet, and the rule takes effect once %s or called; "
                "%s",
                "checkpoint" if is_one else "checkpoints",
                ", ".join(map(repr, names)),
                "is" if is_one else "are",
                "it is registered" if is_one else "they are registered",
                hint,
            )

    def warn_of_lost_prefix(self, name: str, data: str) -> None:
        """Warn of a call whose text was likely meant as part of the name."""
        full = f"{name}.{data}"
        if full in self and full not in self.warned:
            self.warned.add(full)
            logger.warning(
                "checkpoint(%r, %r, ...) saves the text %r under %r, but %r is "
                "registered: write checkpoint(%r, ...) to use that name",
                name,
                data,
                data,
                name,
                full,
                full,
            )
