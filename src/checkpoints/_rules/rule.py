"""Rules: which names they cover, where the data goes, and under which conditions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Protocol, Self, TypeAlias, Unpack, overload

from checkpoints._handlers.claims import Claims
from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler, checked_seconds
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
from checkpoints._rules.counts import last_rules
from checkpoints._rules.narrowing import Narrowing, check_takes_summaries
from checkpoints._rules.occasion import Occasion
from checkpoints._rules.options import (
    OnError,
    PathOptions,
    RuleOptions,
    When,
    Where,
    checked_choice,
    checked_count,
    checked_flag,
    known_options,
)
from checkpoints._rules.refusal import Refusal
from checkpoints._rules.settings import PROGRAM
from checkpoints._text import hint, html_table, shown
from checkpoints.errors import ConfigError

__all__ = ["Rule"]

Sampling: TypeAlias = "tuple[tuple[str, int], ...]"

_numbers = itertools.count(1)


class Holder(Protocol):
    """The registry in which a rule is in force."""

    def remove(self, rule: Rule) -> None:
        """Remove a rule."""
        ...

    def finish(self, rule: Rule, *, may_raise: bool) -> None:
        """Remove a rule after everything that it accepted is saved."""
        ...


class Rule:
    """
    A rule, as `config` returns it: the names covered, and where their data goes.

    Removed by `remove()`, or at the end of a `with` block, which waits for background
    saves.

    A rule that is created directly, or unpickled, is not in force and does nothing. A
    pickle contains the definition of the rule, but not its counts.

    Args:
        names: As for `config`.
        target: As for `config`.
        **options: As for `config`.

    Raises:
        ConfigError: If the pattern, the target or an option is invalid.

    >>> Rule("shop", None, every=2)
    <Rule 'shop' -> None, every=2>
    """

    OPTIONS: ClassVar[tuple[str, ...]] = tuple(RuleOptions.__annotations__)

    # A rule of a higher layer overrides all of a lower one, whatever their age.
    layer: int = PROGRAM
    # Whether whoever made it can give it more options.
    takes_options: bool = True
    # Where it was written, if that was outside of the program.
    source: str = ""
    # Whether it is in force in other processes too, whose calls are not known here.
    has_left: bool = False
    # What counts for all processes of the run.
    _claims: Claims | None = None
    # The registry that it is in force in, if any.
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
        self.given: Mapping[str, object] | None = _checked_given(options.get("given"))
        caller = options.get("caller")
        self.caller = None if caller is None else NamePattern(caller)
        self.refusal = Refusal(self.where, self.given, self.caller)
        # Whether it takes every call, so that no rule before it gets one.
        self.takes_all: bool = (self.where, self.given, caller) == (None,) * 3
        self.every: int = checked_count("every", options.get("every", 1))
        self.limit: int | None = _checked_limit("limit", options)
        self.run_limit: int | None = _checked_limit("run_limit", options)
        self.random: bool = checked_flag("random", options.get("random", False))
        self.after: bool = checked_flag("after", options.get("after", False))
        self.when: When = checked_choice("when", When, options.get("when", "always"))
        seconds = options.get("min_seconds")
        self.min_seconds: float | None
        self.min_seconds = seconds and checked_seconds(seconds, "min_seconds")
        # Whether it is known only at the end of a call if it is saved.
        self.is_deferred: bool = bool(self.when == "exception" or self.min_seconds)
        # Whether nothing but `every` leaves calls out.
        is_open = not self.is_deferred and (self.limit, self.run_limit) == (None, None)
        self.is_simple: bool = is_open and self.every > 1 and self.takes_all
        items = options.get("items")
        self.items: int = 0 if items is None else checked_count("items", items)
        self.on_error: OnError = checked_choice(
            "on_error", OnError, options.get("on_error", "warn")
        )
        narrow = _selected(Narrowing.OPTIONS, options)
        self.narrowing: Narrowing | None = Narrowing(**narrow) if narrow else None
        file_options = _selected(FileHandler.OPTIONS, options)
        self.handlers: tuple[Handler, ...] = handlers_for(target, file_options)
        if self.narrowing is not None and self.narrowing.summary:
            check_takes_summaries(self.handlers)
        if self.run_limit is not None:
            self._claims = Claims(self.run_limit, self.handlers)
        # Rules of equal options count by themselves.
        bounds = tuple(self._bounds())
        self._sampling: Sampling = (*bounds, ("rule", next(_numbers))) if bounds else ()
        self._reset_counts()

    def __repr__(self) -> str:
        handlers = list(self.handlers)
        target = handlers if len(handlers) > 1 else next(iter(handlers), None)
        changed = self._changed().items()
        options = "".join(f", {option}={value!r}" for option, value in changed)
        narrowing = f", {self.narrowing!r}" if self.narrowing else ""
        origin = f", from {self.source}" if self.source else ""
        return f"<Rule {self.names!r} -> {target!r}{options}{narrowing}{origin}>"

    def __reduce__(self) -> tuple[Any, ...]:
        narrowed = self.narrowing.given() if self.narrowing else {}
        create = partial(public(type(self)), **self._changed(), **narrowed)
        state = {"source": self.source, "layer": self.layer}
        return create, (self.names, target_of(self.handlers)), state

    def _changed(self) -> dict[str, Any]:
        """Return the conditions that differ from their defaults."""
        defaults: dict[str, object] = {
            "where": None,
            "given": None,
            "caller": None,
            "every": 1,
            "limit": None,
            "run_limit": None,
            "when": "always",
            "min_seconds": None,
            "items": 0,
            "random": False,
            "after": False,
            "on_error": "warn",
        }
        values = {option: getattr(self, option) for option in defaults}
        if self.caller is not None:
            values["caller"] = self.caller.names
        return {
            option: value
            for option, value in values.items()
            if value != defaults[option]
        }

    def as_dict(self) -> dict[str, object]:
        """Return the rule as plain values, for the record of a run."""
        narrowed = self.narrowing.given() if self.narrowing else {}
        options = {**self._changed(), **narrowed}
        return {
            "names": self.names if isinstance(self.names, str) else list(self.names),
            "targets": list(map(shown, self.handlers)),
            "options": {
                name: value if isinstance(value, bool | int | str) else shown(value)
                for name, value in options.items()
            },
            "source": self.source,
        }

    def _bounds(self) -> Iterator[tuple[str, int]]:
        """Yield the options by which calls are left out, whatever their tags."""
        if self.every > 1:
            yield "every", self.every
        limits = {"limit": self.limit, "run_limit": self.run_limit}
        if self.narrowing is not None:
            limits["max_bytes"] = self.narrowing.max_bytes
            limits["max_total_bytes"] = self.narrowing.max_total_bytes
        for option, limit in limits.items():
            if limit is not None:
                yield option, limit

    def _repr_html_(self) -> str:
        names = [self.names] if isinstance(self.names, str) else self.names
        rows = [
            ("names", ", ".join(names)),
            ("goes to", ", ".join(map(shown, self.handlers)) or "nowhere: it is off"),
        ]
        options = {"on_error": self.on_error, **self._changed()}
        rows += [
            (option, value if isinstance(value, str) else shown(value))
            for option, value in options.items()
        ]
        return html_table("Rule", ["option", "value"], rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self.holder is not None:
            self.holder.finish(self, may_raise=error is None)

    def remove(self) -> None:
        """Remove the rule, so that earlier rules apply again; harmless if repeated."""
        if self.holder is not None:
            self.holder.remove(self)

    def load(self) -> None:
        """
        Import what the rule refers to by name, when it takes effect.

        Raises:
            ConfigError: If the import fails.
        """
        if self.narrowing is not None:
            self.narrowing.load()

    def freeze(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return copies of named values, which later changes do not affect."""
        return frozen_values(values)

    def accepts(self, occasion: Occasion) -> bool:
        """
        Tell whether a call meets the conditions of the rule.

        Those on values are taken to be met while the values are not known.
        """
        if callable(self.where):
            if not self.where(occasion.pairs):
                return False
        elif self.where is not None and not tags_match(occasion.pairs, self.where):
            return False
        if self.caller is not None and not self.caller.covers(occasion.caller):
            return False
        return self.given is None or (
            not occasion.has_values
            or tags_match(occasion.values(self.given), self.given)
        )

    def turn(self, name: str) -> int | None:
        """
        Count a call of a name that `where` has accepted.

        Raises:
            OSError: If the files that count for all processes cannot be written.

        Returns:
            Its number, from 1; None if `every` or `limit` leaves the call out, and 0,
            uncounted, if the rule has no option that leaves calls out.
        """
        if not self._sampling:
            return 0
        # dict.setdefault and next() are each atomic, so no lock is needed.
        number = next(self._calls.setdefault(name, itertools.count()))
        turn, rest = divmod(number, self.every)
        is_over = self.limit is not None and turn >= self.limit
        if not (is_over or rest) and self._claims is not None:
            is_over = not self._claims.take(name)
        if is_over:
            self.used_up.add(name)
        if rest or is_over:
            return None
        last_rules[name] = self
        return number + 1

    def sampling_at(self, turn: int, name: str) -> Sampling:
        """
        Return what the header of a save says about the calls that were left out.

        Args:
            turn: What `turn` returned for the call.
            name: The name of the save.

        Returns:
            The options that leave calls out, if there are any, with the number of the
            `rule` among those of this process that have such, the `turn`, and in
            `left_out` how many of the name their budgets or other options left out
            before it, though it was their turn.
        """
        if not turn:
            return ()
        left_out = self.narrowing.left_out(name) if self.narrowing else 0
        told = (("left_out", left_out),) if left_out else ()
        return (*self._sampling, ("turn", turn), *told)

    def counts_of(self, name: str) -> dict[str, int] | None:
        """Return what the rule has counted of a name by the end; None if nothing."""
        calls = self._calls.get(name)
        if calls is None:
            return None
        rule = dict(self._sampling)["rule"]
        names = (name, f"{name}.result", f"{name}.exception")
        left_out = sum(map(self.narrowing.left_out, names)) if self.narrowing else 0
        counts = {"rule": rule, "turns": next(calls), "left_out": left_out}
        return {**counts, "used_up": int(name in self.used_up)}

    def renew(self) -> None:
        """Reset all counts, in a forked child."""
        self._reset_counts()
        if self.narrowing is not None:
            self.narrowing.renew()

    def _reset_counts(self) -> None:
        self._calls: dict[str, itertools.count[int]] = {}
        # The names whose `limit` is used up.
        self.used_up: set[str] = set()
        # Whether `where` has accepted a call, and the tags of one that it has refused.
        self.accepted = False
        self.refused: TagPairs | None = None


def _check_known(options: Mapping[str, Any]) -> None:
    known = known_options()
    for option in options:
        if option not in known:
            raise ConfigError(f"unknown option {option!r}; {hint(option, known)}")


def _selected(names: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in names}


def _checked_given(given: Any) -> Mapping[str, object] | None:
    if given is not None and not isinstance(given, Mapping):
        message = (
            f"invalid given={shown(given)}: expected a mapping of arguments to values"
        )
        raise ConfigError(message)
    return None if given is None else checked_tag_filter(given)


def _checked_where(where: Where | None) -> Where | None:
    if isinstance(where, Mapping):
        return checked_tag_filter(where)
    if where is not None and not callable(where):
        message = (
            f"invalid where={shown(where)}: expected a mapping of tags to values, or a "
            "function of the tags"
        )
        raise ConfigError(message)
    return where


def _checked_limit(option: str, options: Mapping[str, Any]) -> int | None:
    limit = options.get(option)
    return None if limit is None else checked_count(option, limit)
