"""The names that are known, and the names that they had before."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable

from checkpoints._keys.key import checked_name
from checkpoints._process.forks import after_fork_in_child
from checkpoints._text import nearest
from checkpoints.errors import ConfigError

__all__ = ["Names"]

logger = logging.getLogger("checkpoints")


class Names:
    """The names of checkpoints: declared by `register`, or met in a call."""

    def __init__(self) -> None:
        self._declared: dict[str, bool] = {}
        self._renamed: dict[str, str] = {}
        self.told: set[str] = set()
        self._renew_lock()
        after_fork_in_child(self._renew_lock)

    def _renew_lock(self) -> None:
        # The thread that may have held it is not there after a fork.
        self._lock = threading.RLock()

    def __contains__(self, name: str) -> bool:
        return name in self._declared

    def register(self, names: Iterable[str]) -> None:
        """Declare names; `checkpoints.register` says more."""
        for name in [checked_name(name) for name in names]:
            with self._lock:
                twice = self._declared.get(name, False)
                self._declared[name] = True
            if twice:
                logger.warning("checkpoint %r is registered already", name)

    def meet(self, name: str) -> None:
        """Take in a name that was called."""
        self._declared.setdefault(name, False)

    def rename(self, old: str, new: str) -> None:
        """
        Let a new name take the place of an old one.

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
                    f"{old!r} cannot become {new!r}, which is an old name of it: a "
                    "checkpoint has to have one name in the end"
                )
                raise ConfigError(message)
            self._renamed[old] = new
            self.meet(self.current(old))

    def available(self) -> list[str]:
        """Return the names that are known, sorted, old names not among them."""
        return sorted(
            name for name in list(self._declared) if name not in self._renamed
        )

    def renamed(self) -> dict[str, str]:
        """Return the old names, each with the name that took its place."""
        return dict(self._renamed)

    def current(self, name: str) -> str:
        """Return the name that took the place of an old one, or the name itself."""
        while name in self._renamed:
            name = self._renamed[name]
        return name

    def old_names(self, name: str) -> list[str]:
        """Return the names that a name had before."""
        return [old for old in list(self._renamed) if self.current(old) == name]

    def has_below(self, name: str) -> bool:
        """Tell whether a known name lies below another."""
        return any(known.startswith(f"{name}.") for known in self.available())

    def nearest_name(self, wanted: str) -> str:
        """Return the known name, or prefix of one, that one may stand for, if any."""
        known: dict[str, str] = {}
        for name in self.available():
            parts = name.split(".")
            for length in range(len(parts), 0, -1):
                part = ".".join(parts[:length])
                known.setdefault(part.casefold(), part)
        near = nearest(wanted.casefold(), known)
        return known[near] if near else ""

    def nearest(self, wanted: str) -> str:
        """Tell which known name, or prefix of one, a pattern or name may stand for."""
        near = self.nearest_name(wanted)
        return f"the nearest known is {near!r}" if near else "none like it is known"

    def hint_for_listed(self, name: str) -> str:
        """Tell what a name in a list, which is not known, may stand for."""
        if self.has_below(name):
            return f"a list means exact names, {name!r} without one all below it too"
        return self.nearest(name)

    def warn_of_doubtful(self, wanted: str | tuple[str, ...], rule: object) -> None:
        """Tell of names of a rule that are hardly meant as they stand."""
        if isinstance(wanted, str) and set(wanted) & {"/", os.sep}:
            logger.warning(
                "%r covers names with a slash in them: if that is a path, the "
                "arguments are the other way round, config(names, target)",
                rule,
            )
        for name in wanted if isinstance(wanted, tuple) else ():
            if name not in self and self.current(name) == name:
                logger.warning(
                    "checkpoint %r is not known yet; %s. The rule stays, and holds "
                    "once the name is registered or called",
                    name,
                    self.hint_for_listed(name),
                )

    def warn_of_lost_prefix(self, name: str, data: str) -> None:
        """Tell of a call that looks as if its text were to be part of the name."""
        full = f"{name}.{data}"
        if full in self and full not in self.told:
            self.told.add(full)
            logger.warning(
                "checkpoint(%r, %r, ...) saves the text %r under %r, while %r is "
                "registered: write checkpoint(%r, ...) for that",
                name,
                data,
                data,
                name,
                full,
                full,
            )
