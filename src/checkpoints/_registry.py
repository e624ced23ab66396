"""
The names, the rules, and what becomes of a call: one object that everybody shares.

A name's plan is the rules that could save it, newest first, or none. Plans are made by
the first call and forgotten by every change, so a call of a name that is off looks its
plan up and returns.
"""

from __future__ import annotations

import atexit
import difflib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from checkpoints._handlers import ABSENT, Handler, named_values
from checkpoints._key import Key, checked_name
from checkpoints._origin import Origin, outside_level
from checkpoints._rules import Rule, Target, handlers_for, split_options
from checkpoints._shown import shown
from checkpoints._tags import TagPairs, current_tags
from checkpoints.errors import ConfigError

__all__ = ["Plan", "Registry", "registry"]

logger = logging.getLogger("checkpoints")

Plan = tuple[Rule, ...] | None


class Registry:
    """Names and rules. The library has one, `registry`; tests may make their own."""

    def __init__(self) -> None:
        self.plans: dict[str, tuple[Rule, ...] | object] = {}
        self._declared: dict[str, bool] = {}
        self._renamed: dict[str, str] = {}
        self._rules: tuple[Rule, ...] = ()
        self._failures: dict[tuple[str, type], int] = {}
        self._told: set[str] = set()
        self._lock = threading.RLock()
        self._pid = os.getpid()
        # A thread that another one held the lock in is not there after a fork.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

    # Names

    def register(self, names: Iterable[str]) -> None:
        """Declare names; `checkpoints.register` says more."""
        for name in [checked_name(name) for name in names]:
            with self._lock:
                twice = self._declared.get(name, False)
                self._declared[name] = True
            if twice:
                logger.warning("checkpoint %r is registered already", name)

    def deprecate(self, old: str, new: str) -> None:
        """Rename a name; `checkpoints.deprecate` says more."""
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
            self._declared.setdefault(self.current(old), False)
            self.plans.clear()
            for rule in self._rules:
                self._warn_of_old_names(rule, [old])

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

    def _old_names(self, name: str) -> list[str]:
        return [old for old in list(self._renamed) if self.current(old) == name]

    def _nearest(self, wanted: str) -> str:
        """Tell which known name, or prefix of one, a pattern or name may stand for."""
        known: dict[str, str] = {}
        for name in self.available():
            parts = name.split(".")
            for length in range(len(parts), 0, -1):
                part = ".".join(parts[:length])
                known.setdefault(part.casefold(), part)
        near = difflib.get_close_matches(wanted.casefold(), known, n=1)
        if not near:
            return "none like it is known"
        return f"the nearest known is {known[near[0]]!r}"

    def warn_of_lost_prefix(self, name: str, data: str) -> None:
        """Tell of a call that looks as if its text were to be part of the name."""
        full = f"{name}.{data}"
        if full in self._declared and full not in self._told:
            self._told.add(full)
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

    # Rules

    def config(
        self, names: str | Iterable[str], target: Target, options: dict[str, Any]
    ) -> Rule:
        """Add a rule; `checkpoints.config` says more."""
        of_rule, of_files = split_options(options)
        handlers = handlers_for(target, of_files)
        rule = Rule(names, handlers, forget=self.remove, **of_rule)
        with self._lock:
            first = not self._rules
            self._rules += (rule,)
            self.plans.clear()
        if first:
            self._pid = os.getpid()
            atexit.unregister(self.report)
            atexit.register(self.report)
        self._warn_of_old_names(rule, self._renamed)
        self._warn_of_doubtful_names(rule)
        return rule

    def rules(self) -> list[Rule]:
        """Return the rules in force, oldest first."""
        return list(self._rules)

    def remove(self, rule: Rule) -> None:
        """Take a rule back."""
        with self._lock:
            known = rule in self._rules
            self._rules = tuple(other for other in self._rules if other is not rule)
            self.plans.clear()
        if known:
            self._tell_of_idle(rule)

    def reset(self) -> None:
        """Take every rule back."""
        with self._lock:
            self._rules = ()
            self.plans.clear()
            self._failures.clear()
            self._told.clear()

    def _warn_of_old_names(self, rule: Rule, names: Iterable[str]) -> None:
        for old in list(names):
            new = self.current(old)
            if rule.covers(old) and not rule.covers(new):
                message = f"checkpoint {old!r}, which {rule!r} covers, is now {new!r}"
                warnings.warn(message, DeprecationWarning, outside_level())

    def _warn_of_doubtful_names(self, rule: Rule) -> None:
        if isinstance(rule.names, str) and set(rule.names) & {"/", os.sep}:
            logger.warning(
                "%r covers names with a slash in them: if that is a path, the "
                "arguments are the other way round, config(names, target)",
                rule,
            )
        for name in rule.names if isinstance(rule.names, tuple) else ():
            if name not in self._declared and name not in self._renamed:
                logger.warning(
                    "checkpoint %r is not known yet; %s. The rule stays, and holds "
                    "once the name is registered or called",
                    name,
                    self._hint_for_listed(name),
                )

    def _hint_for_listed(self, name: str) -> str:
        if any(known.startswith(f"{name}.") for known in self.available()):
            return f"a list means exact names, {name!r} without one all below it too"
        return self._nearest(name)

    def _matches(self, rule: Rule, name: str) -> bool:
        return rule.covers(name) or any(map(rule.covers, self._old_names(name)))

    # Calls

    def plan(self, name: str) -> Plan:
        """Return the rules that could save a name, newest first."""
        plan = []
        for rule in reversed(self._rules):
            if self._matches(rule, name):
                plan.append(rule)
                if rule.where is None:
                    break
        return tuple(plan) if any(rule.handlers for rule in plan) else None

    def is_enabled(self, name: object) -> bool:
        """Tell whether a call would reach a rule; see `checkpoints.is_enabled`."""
        try:
            name = checked_name(name)
        except ConfigError:
            return False
        known = self.plans.get(name)
        plan = known if isinstance(known, tuple) else self.plan(self.current(name))
        if known is ABSENT or plan is None:
            return False
        rule = self._accepting(name, plan, current_tags())
        return rule is not None and bool(rule.handlers)

    def lookup(self, name: str) -> tuple[str, Plan]:
        """Return the name that a call stands for, and its plan."""
        try:
            plan = self.plans[name]
        except (KeyError, TypeError):
            return self.resolve(name)
        return name, plan if isinstance(plan, tuple) else None

    def resolve(self, name: str) -> tuple[str, Plan]:
        """
        Return the name that a call stands for, and its plan, for calls to come too.

        Raises:
            ConfigError: If it cannot be a name, and the newest rule raises errors.
        """
        try:
            checked_name(name)
        except ConfigError as error:
            for rule in self._rules[-1:]:
                self.failed(rule, name if type(name) is str else shown(name), error)
            return "", None
        with self._lock:
            current = self.current(name)
            plan = self.plan(current)
            self._declared.setdefault(current, False)
            # A call by an old name that is off is told of once, and then costs no more
            # than others; one that is on has to find its new name each time.
            if current == name or plan is None:
                self.plans[name] = plan or ABSENT
        if current != name:
            message = f"checkpoint {name!r} is now {current!r}: use that name"
            warnings.warn(message, DeprecationWarning, outside_level())
        return current, plan

    def chosen(self, name: str, plan: tuple[Rule, ...], pairs: TagPairs) -> Rule | None:
        """Return the rule that a call under these tags is saved by, if any."""
        rule = self._accepting(name, plan, pairs)
        return rule if rule and rule.handlers and rule.admits(name) else None

    def _accepting(
        self, name: str, plan: tuple[Rule, ...], pairs: TagPairs
    ) -> Rule | None:
        for rule in plan:
            try:
                if rule.accepts(pairs):
                    rule.accepted = True
                    return rule
                rule.refused = True
            except BaseException as error:  # noqa: BLE001 - a function of the user
                self.failed(rule, name, error)
                break
        return None

    def save(
        self, name: str, plan: tuple[Rule, ...], data: Any, values: Mapping[str, Any]
    ) -> None:
        """Save data as the plan says."""
        pairs = current_tags()
        rule = self.chosen(name, plan, pairs)
        if rule is None:
            return
        key = Key(name, pairs, Origin.here())
        raised = None
        for handler in rule.handlers:
            try:
                handler.commit(key, handler.stage(None, named_values(data, values)))
            except BaseException as error:  # noqa: BLE001 - the host must not fall
                try:
                    self.failed(rule, name, error, handler)
                except Exception as told:  # noqa: BLE001 - all handlers get the data
                    raised = raised or told
        if raised is not None:
            raise raised

    # Failures

    def failed(
        self,
        rule: Rule,
        name: str,
        error: BaseException,
        handler: Handler | None = None,
    ) -> None:
        """
        Do with the error of a save what its rule says.

        Raises:
            BaseException: The error itself, if the rule says so, or if it asks for
                the end of the program.
        """
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise error
        if rule.on_error == "raise":
            raise error
        kind = (name, type(error))
        count = self._failures[kind] = self._failures.get(kind, 0) + 1
        # The 1st, 10th, 100th ...: a full disk must not fill the log as well.
        if rule.on_error == "warn" and str(count).strip("0") == "1":
            with suppress(Exception):
                logger.warning("%s", _story(name, error, count, handler))

    def report(self) -> None:
        """Tell, at the end of the program, what the rules did not do."""
        if os.getpid() != self._pid or _is_child():
            return
        for rule in self._rules:
            self._tell_of_idle(rule)
        failures = sum(self._failures.values())
        if failures > len(self._failures):
            names = ", ".join(sorted({repr(name) for name, _ in self._failures}))
            logger.warning("%d saves failed in all, of %s", failures, names)

    def _tell_of_idle(self, rule: Rule) -> None:
        wanted = rule.names if isinstance(rule.names, str) else "".join(rule.names[:1])
        names = self.available()
        if wanted and not any(self._matches(rule, name) for name in names):
            logger.warning(
                "%r matched no checkpoint that this process knows of; %s",
                rule,
                self._nearest(wanted),
            )
        elif rule.refused and not rule.accepted:
            logger.warning(
                "%r saved nothing: no call had the tags that `where` asks for", rule
            )


def _is_child() -> bool:
    """Tell whether this is a worker, which cannot know what the others matched."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing is not None and multiprocessing.parent_process() is not None


def _story(name: str, error: BaseException, count: int, handler: Handler | None) -> str:
    try:
        told = str(error)
    except Exception:  # noqa: BLE001 - the error is one of the user's own
        told = "its text cannot be had"
    notes = " ".join(getattr(error, "__notes__", ()))
    again = "" if count == 1 else f" for the {count}th time"
    by = "" if handler is None else f", by {shown(handler)}"
    return (
        f"checkpoint {name!r} was not saved{again}{by}: {type(error).__name__}: "
        f"{told} {notes}".rstrip()
        + ". The program goes on; on_error='raise' stops it"
    )


registry = Registry()
