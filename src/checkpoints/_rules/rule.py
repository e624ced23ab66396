"""A rule: the names it covers, where their data goes, and under which conditions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self, TypeAlias

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler
from checkpoints._keys.condition import checked_tag_filter, tags_match
from checkpoints._keys.pattern import NamePattern
from checkpoints._keys.tags import TagPairs
from checkpoints._kinds.frozen import frozen_values
from checkpoints._rules.narrowing import Narrowing
from checkpoints._rules.settings import PROGRAM
from checkpoints._text import html_table, shown
from checkpoints.errors import ConfigError

__all__ = ["Rule", "Where"]

Where: TypeAlias = Mapping[str, object] | Callable[[TagPairs], object]

_ON_ERROR = ("warn", "raise", "ignore")


class Holder(Protocol):
    """Where a rule is in force."""

    def remove(self, rule: Rule) -> None:
        """Take a rule back."""
        ...

    def finish(self, rule: Rule, *, may_raise: bool) -> None:
        """Take a rule back once all is saved that it has accepted."""
        ...


class Rule:
    """
    What `config` returns: the names covered, and where their data goes.

    Removed by `remove()`, or at the end of a `with` block, which waits for what is
    saved in the background.

    Args:
        names: A pattern, or a list of exact names.
        handlers: What saves; none switches the names off.
        where: Tags that have to match: a mapping of names to values, or a function
            that takes the pairs.
        every: Save the first call of each name, and each n-th after it.
        limit: Save so many times for each name.
        narrowing: What of the data is saved; all of it unless given.
        on_error: What to do when a save fails: `"warn"`, `"raise"` or `"ignore"`.
        explain: Says why the rule did nothing, if it did nothing; see `idleness_of`.

    Raises:
        ConfigError: If a pattern or an option cannot be.
    """

    OPTIONS = ("where", "every", "limit", "on_error", *Narrowing.OPTIONS)

    # A rule of a higher layer stands above all of a lower one, however old it is.
    layer: int = PROGRAM
    # Where it was written, if that was outside of the program.
    source: str = ""
    # Who has put it in force; a rule that nobody has does nothing.
    holder: Holder | None = None

    def __init__(
        self,
        names: str | Iterable[str],
        handlers: tuple[Handler, ...],
        *,
        where: Where | None = None,
        every: int = 1,
        limit: int | None = None,
        narrowing: Narrowing | None = None,
        on_error: str = "warn",
        explain: Callable[..., Any] = lambda *_: None,
    ) -> None:
        pattern = NamePattern(names)
        self.names = pattern.names
        self.handlers = handlers
        self.where = _checked_where(where)
        self.every = _checked_count("every", every)
        self.limit = None if limit is None else _checked_count("limit", limit)
        if on_error not in _ON_ERROR:
            message = f"on_error={on_error!r} is not known: {', '.join(_ON_ERROR)}"
            raise ConfigError(message)
        self.on_error = on_error
        self.narrowing = narrowing
        if narrowing is not None and narrowing.summary:
            _check_takes_summaries(handlers)
        self.explain = explain
        self.covers = pattern.covers
        self._begin_to_count()

    def __repr__(self) -> str:
        handlers = list(self.handlers)
        target = handlers if len(handlers) > 1 else next(iter(handlers), None)
        options = "".join(
            f", {option}={value!r}"
            for option, value, usual in (
                ("where", self.where, None),
                ("every", self.every, 1),
                ("limit", self.limit, None),
                ("on_error", self.on_error, "warn"),
            )
            if value != usual
        )
        narrowing = f", {self.narrowing!r}" if self.narrowing else ""
        origin = f", from {self.source}" if self.source else ""
        return f"<Rule {self.names!r} -> {target!r}{options}{narrowing}{origin}>"

    def _repr_html_(self) -> str:
        names = [self.names] if isinstance(self.names, str) else self.names
        where = "" if self.where is None else shown(self.where)
        rows = [
            ("names", ", ".join(names)),
            ("goes to", ", ".join(map(shown, self.handlers)) or "nowhere: it is off"),
            ("where", where),
            ("every", f"{self.every}" if self.every > 1 else ""),
            ("limit", "" if self.limit is None else f"{self.limit}"),
            ("on_error", self.on_error),
        ]
        told = [row for row in rows if row[1]]
        return html_table("Rule", ["option", "value"], told)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self.holder is not None:
            self.holder.finish(self, may_raise=error is None)

    def remove(self) -> None:
        """Take the rule back; what it covered is as it was before. Twice is no harm."""
        if self.holder is not None:
            self.holder.remove(self)

    def freeze(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return named values as they are now, whatever becomes of the originals."""
        return frozen_values(values)

    def accepts(self, pairs: TagPairs) -> bool:
        """Tell whether tags are such as the rule asks for."""
        if self.where is None:
            return True
        if callable(self.where):
            return bool(self.where(pairs))
        return tags_match(pairs, self.where)

    def admits(self, name: str) -> bool:
        """Count a call of a name; tell whether it is one that is to be saved."""
        if self.every == 1 and self.limit is None:
            return True
        # dict.setdefault and next() are each of one piece, so no lock is needed.
        calls = self._calls.setdefault(name, itertools.count())
        turn, rest = divmod(next(calls), self.every)
        return rest == 0 and (self.limit is None or turn < self.limit)

    def renew(self) -> None:
        """Count from zero again, as a forked child does, and one that is spawned."""
        self._begin_to_count()
        if self.narrowing is not None:
            self.narrowing.renew()

    def _begin_to_count(self) -> None:
        self._calls: dict[str, itertools.count[int]] = {}
        # Whether `where` has taken a call so far, and the tags of one that it has
        # turned down.
        self.accepted = False
        self.refused: TagPairs | None = None


def _checked_where(where: Where | None) -> Where | None:
    if isinstance(where, Mapping):
        return checked_tag_filter(where)
    if where is not None and not callable(where):
        message = (
            f"where={where!r} has to be a mapping of tags to values, or a function "
            "that takes the tags"
        )
        raise ConfigError(message)
    return where


def _check_takes_summaries(handlers: Iterable[Handler]) -> None:
    for handler in handlers:
        if isinstance(handler, FileHandler) and handler.format == "parquet":
            message = (
                "summary=True makes dicts of statistics, and format='parquet' holds "
                "tables: use format='zip'"
            )
            raise ConfigError(message)


def _checked_count(option: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = (
            f"{option}={value!r} has to be a whole number from 1 on; to switch names "
            "off, give None as the target, or off outside of a program"
        )
        raise ConfigError(message)
    return value
