"""A rule: the names it covers, where their data goes, and under which conditions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, Protocol, Self, Unpack, get_args, overload

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler
from checkpoints._handlers.target import (
    OtherTarget,
    PathTarget,
    Target,
    handlers_for,
    target_of,
)
from checkpoints._keys.condition import checked_tag_filter, tags_match
from checkpoints._keys.pattern import NamePattern
from checkpoints._keys.tags import TagPairs
from checkpoints._kinds.frozen import frozen_values
from checkpoints._process.pickling import public
from checkpoints._rules.narrowing import Narrowing
from checkpoints._rules.options import (
    OnError,
    PathOptions,
    RuleOptions,
    Where,
    known_options,
)
from checkpoints._rules.settings import PROGRAM
from checkpoints._text import html_table, shown
from checkpoints.errors import ConfigError

__all__ = ["Rule"]


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

    One that is made here, or comes out of a pickle, is not in force, and does nothing.
    A pickle has what the rule is, and nothing of what it has counted.

    Args:
        names: As for `config`.
        target: As for `config`.
        **options: As for `config`.

    Raises:
        ConfigError: If the pattern, the target or an option cannot be.

    >>> Rule("shop", None, every=2)
    <Rule 'shop' -> None, every=2>
    """

    OPTIONS: ClassVar[tuple[str, ...]] = tuple(RuleOptions.__annotations__)

    # A rule of a higher layer stands above all of a lower one, however old it is.
    layer: int = PROGRAM
    # Where it was written, if that was outside of the program.
    source: str = ""
    # Who has put it in force; a rule that nobody has does nothing.
    holder: Holder | None = None

    @overload
    def __init__(
        self,
        names: str | Iterable[str],
        target: PathTarget,
        **options: Unpack[PathOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        names: str | Iterable[str],
        target: OtherTarget,
        **options: Unpack[RuleOptions],
    ) -> None: ...
    def __init__(
        self,
        names: str | Iterable[str],
        target: Target,
        **options: Unpack[PathOptions],
    ) -> None:
        _check_known(options)
        pattern = NamePattern(names)
        self.names: str | tuple[str, ...] = pattern.names
        self.covers: Callable[[str], bool] = pattern.covers
        self.where: Where | None = _checked_where(options.get("where"))
        self.every: int = _checked_count("every", options.get("every", 1))
        limit = options.get("limit")
        self.limit: int | None
        self.limit = None if limit is None else _checked_count("limit", limit)
        self.on_error: OnError = _checked_on_error(options.get("on_error", "warn"))
        narrow = _of(Narrowing.OPTIONS, options)
        self.narrowing: Narrowing | None = Narrowing(**narrow) if narrow else None
        of_files = _of(FileHandler.OPTIONS, options)
        self.handlers: tuple[Handler, ...] = handlers_for(target, of_files)
        if self.narrowing is not None and self.narrowing.summary:
            _check_takes_summaries(self.handlers)
        self._begin_to_count()

    def __repr__(self) -> str:
        handlers = list(self.handlers)
        target = handlers if len(handlers) > 1 else next(iter(handlers), None)
        options = "".join(f", {it}={value!r}" for it, value in self._given().items())
        narrowing = f", {self.narrowing!r}" if self.narrowing else ""
        origin = f", from {self.source}" if self.source else ""
        return f"<Rule {self.names!r} -> {target!r}{options}{narrowing}{origin}>"

    def __reduce__(self) -> tuple[Any, ...]:
        narrowed = self.narrowing.given() if self.narrowing else {}
        made = partial(public(type(self)), **self._given(), **narrowed)
        beside = {"source": self.source, "layer": self.layer}
        return made, (self.names, target_of(self.handlers)), beside

    def _given(self) -> dict[str, Any]:
        """Return the conditions that are not what they are unless given."""
        usual = {"where": None, "every": 1, "limit": None, "on_error": "warn"}
        values = {option: getattr(self, option) for option in usual}
        return {it: value for it, value in values.items() if value != usual[it]}

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

    def load(self) -> None:
        """
        Import what the rule has by name only, as it is put in force.

        Raises:
            ConfigError: If that cannot be imported.
        """
        if self.narrowing is not None:
            self.narrowing.load()

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


def _check_known(options: Mapping[str, Any]) -> None:
    known = known_options()
    for option in options:
        if option not in known:
            message = f"option {option!r} is not known; there are: {', '.join(known)}"
            raise ConfigError(message)


def _of(names: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in names}


def _checked_on_error(given: Any) -> OnError:
    known: tuple[OnError, ...] = get_args(OnError)
    for choice in known:
        if given == choice:
            return choice
    raise ConfigError(f"on_error={given!r} is not known: {', '.join(known)}")


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
