"""
The names, the rules, and what becomes of a call: one object that everybody shares.

A name's plan is the rules that could save it, newest first, or none. Plans are made by
the first call and forgotten by every change, so a call of a name that is off looks its
plan up and returns.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from checkpoints._handlers.handler import ABSENT, Handler, named_values
from checkpoints._handlers.in_force import InForce
from checkpoints._handlers.outcomes import Owed, outcomes, story_of
from checkpoints._handlers.seconds import checked_seconds
from checkpoints._keys.key import Key, checked_name
from checkpoints._keys.tags import TagPairs, current_tags
from checkpoints._process import drain
from checkpoints._process.exit import at_exit, is_worker
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.origin import Origin, current_run, outside_level
from checkpoints._rules.idleness import Idleness, idleness_of
from checkpoints._rules.names import Names
from checkpoints._text import shown
from checkpoints.errors import ConfigError

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["Plan", "Registry", "registry"]

logger = logging.getLogger("checkpoints")

Plan: TypeAlias = "tuple[Rule, ...] | None"


class Registry:
    """Names and rules. The library has one, `registry`; tests may make their own."""

    def __init__(self) -> None:
        self.plans: dict[str, tuple[Rule, ...] | object] = {}
        self.names = Names()
        self._rules: tuple[Rule, ...] = ()
        self._in_force = InForce()
        # What `on_error="raise"` could not raise yet, as it came in the background.
        self.owed = Owed()
        # Tells of rules from outside in place of the log; called at a first use too.
        self.reporter: Callable[[Rule], None] | None = None
        self._lock = threading.RLock()
        self._pid = os.getpid()
        after_fork_in_child(self._begin_in_child)

    def _begin_in_child(self) -> None:
        # The thread that may have held the lock is not there after a fork.
        self._lock = threading.RLock()
        for rule in self._rules:
            rule.renew()

    def deprecate(self, old: str, new: str) -> None:
        """Rename a name; `checkpoints.deprecate` says more."""
        with self._lock:
            self.names.rename(old, new)
            self.plans.clear()
            for rule in self._rules:
                self._warn_of_old_names(rule, [old])

    # Rules

    def add(self, *rules: Rule) -> None:
        """
        Put rules in force, each on top of its layer.

        Raises:
            Exception: What the `begin` of a handler raises; no rule is in force then.
        """
        for rule in rules:
            rule.load()
            rule.holder = self
        with self._lock:
            self._in_force.begin(it for rule in rules for it in rule.handlers)
            first = not self._rules
            known = sorted((*self._rules, *rules), key=lambda each: each.layer)
            self._rules = tuple(known)
            self.plans.clear()
        if first:
            self._pid = os.getpid()
        at_exit(self.report)
        # Settled here, so that the processes that are started from now on share it.
        current_run()
        for rule in rules:
            self._warn_of_old_names(rule, self.names.renamed())
            if not rule.source:
                self.names.warn_of_doubtful(rule.names, rule)

    def rules(self) -> list[Rule]:
        """Return the rules in force, the one that counts most last."""
        return list(self._rules)

    def remove(self, rule: Rule) -> None:
        """Take a rule back."""
        if rule in self._rules:
            self._tell_of_idle(rule)
        self._keep(lambda other: other is not rule)

    def reset(self) -> None:
        """Take every rule back but those from outside."""
        self._keep(lambda rule: bool(rule.source))
        self.names.told.clear()
        self.owed.tell()
        outcomes.clear()

    def _keep(self, is_kept: Callable[[Rule], bool]) -> None:
        with self._lock:
            self._rules = tuple(filter(is_kept, self._rules))
            self.plans.clear()
            self._in_force.keep(it for rule in self._rules for it in rule.handlers)

    def _warn_of_old_names(self, rule: Rule, names: Iterable[str]) -> None:
        for old in list(names):
            new = self.names.current(old)
            if rule.covers(old) and not rule.covers(new):
                message = f"checkpoint {old!r}, which {rule!r} covers, is now {new!r}"
                warnings.warn(message, DeprecationWarning, outside_level())

    def _matches(self, rule: Rule, name: str) -> bool:
        return rule.covers(name) or any(map(rule.covers, self.names.old_names(name)))

    # Calls

    def plan(self, name: str) -> Plan:
        """Return the rules that could save a name, newest first."""
        chain = self._chain(name)
        return chain if any(rule.handlers for rule in chain) else None

    def _chain(self, name: str) -> tuple[Rule, ...]:
        chain = []
        for rule in reversed(self._rules):
            if self._matches(rule, name):
                chain.append(rule)
                if rule.where is None:
                    break
        return tuple(chain)

    def is_enabled(self, name: object) -> bool:
        """Tell whether a call would reach a rule; see `checkpoints.is_enabled`."""
        try:
            name = checked_name(name)
        except ConfigError:
            return False
        known = self.plans.get(name)
        plan = (
            known if isinstance(known, tuple) else self.plan(self.names.current(name))
        )
        if known is ABSENT or plan is None:
            return False
        return self._is_wanted(plan, current_tags())

    def _is_wanted(self, plan: tuple[Rule, ...], pairs: TagPairs) -> bool:
        for rule in plan:
            try:
                if rule.accepts(pairs):
                    return bool(rule.handlers)
            except Exception:  # noqa: BLE001 - a function of the user
                # Only asked, nothing is told or counted; the call itself does so.
                return True
        return False

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
            current = self.names.current(name)
            plan = self.plan(current)
            self.names.meet(current)
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
                    if self.reporter and not rule.accepted:
                        self.reporter(rule)
                    rule.accepted = True
                    return rule
                rule.refused = pairs or rule.refused or ()
            except BaseException as error:  # noqa: BLE001 - a function of the user
                self.failed(rule, name, error)
                break
        return None

    def call(self, name: str, data: Any, values: Mapping[str, Any]) -> None:
        """Do what the rules say of a call that is not known to be off."""
        plan = None
        try:
            name, plan = self.lookup(name)
            if plan is None:
                return
            pairs = current_tags()
            rule = self.chosen(name, plan, pairs)
            if rule is not None:
                self.save(rule, Key(name, pairs, Origin.here()), data, values)
        except Exception as error:
            # What handlers raise was seen to below. This is to be raised, or is one of
            # the library's own steps, out of memory for one, and takes nothing down.
            rules = plan or self._rules[-1:]
            if isinstance(error, Warning) or any(r.on_error == "raise" for r in rules):
                raise
            with suppress(Exception):
                outcomes.failed(name, error)

    def save(self, rule: Rule, key: Key, data: Any, values: Mapping[str, Any]) -> None:
        """
        Have every handler of a rule save what it wants of a call that it has chosen.

        Raises:
            Exception: Only under `on_error="raise"`: what hindered it.
        """
        if rule.narrowing is not None:
            narrowed = self.narrowed(rule, key, data, values)
            if narrowed is None:
                return
            data, values = ABSENT, narrowed
        self.save_all(rule, key, data, values)

    def save_all(
        self, rule: Rule, key: Key, data: Any, values: Mapping[str, Any]
    ) -> None:
        """Have every handler of a rule save all of what is given."""
        raised = None
        for handler in rule.handlers:
            try:
                staged = handler.stage(None, named_values(data, values))
                self.commit(rule, handler, key, staged)
            except BaseException as error:  # noqa: BLE001 - the host must not fall
                try:
                    self.failed(rule, key, error, handler)
                except Exception as told:  # noqa: BLE001 - all handlers get the data
                    raised = raised or told
        if raised is not None:
            raise raised
        # In the end, so that the error of another save does not cost this one.
        self.owed.pay(rule)

    def narrowed(
        self, rule: Rule, key: Key, data: Any, values: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return what a rule wants of a call; None where that is nothing."""
        try:
            named = named_values(data, values)
            narrowing = rule.narrowing
            return narrowing.narrowed(key.name, named) if narrowing else named
        except BaseException as error:  # noqa: BLE001 - the host must not fall
            self.failed(rule, key.name, error)
            return None

    def commit(self, rule: Rule, handler: Handler, key: Key, staged: Any) -> None:
        """
        Have a handler save what was staged, and see what becomes of it.

        Raises:
            Exception: What hinders it now; what hinders it later is told later.
        """
        failed = partial(self._failed_later, rule, key, handler=handler)
        outcomes.follow(handler.commit(key, staged), key, handler, failed)

    # Failures

    def failed(
        self,
        rule: Rule,
        subject: Key | str,
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
        loud = rule.on_error == "warn"
        with suppress(Exception):
            outcomes.failed(subject, error, handler=handler, loud=loud)
        if rule.on_error == "raise":
            raise error

    def _failed_later(
        self, rule: Rule, key: Key, error: BaseException, *, handler: Handler
    ) -> None:
        """Do the same with an error in the background, where nobody can catch it."""
        # Of a rule that is gone, no call comes any more that could raise it.
        owed = rule.on_error == "raise" and rule in self._rules
        loud = rule.on_error != "ignore" and not owed
        outcomes.failed(key, error, handler=handler, loud=loud)
        if owed:
            story = story_of(key, error, handler)
            error.add_note(f"while checkpoint {key} was saved in the background")
            at_exit(self.report)
            self.owed.add(rule, error, story)

    def flush(self, timeout: float | None = None) -> None:
        """Wait for what is saved in the background; `checkpoints.flush` says more."""
        handlers = [handler for rule in self._rules for handler in rule.handlers]
        late: Exception | None = None
        left = drain.countdown(None if timeout is None else checked_seconds(timeout))
        for flush in (*dict.fromkeys(it.flush for it in handlers), drain.flush):
            try:
                flush(left())
            except Exception as error:  # noqa: BLE001 - each has its turn
                late = late or error
        self.owed.pay()
        if late is not None:
            raise late

    def finish(self, rule: Rule, *, may_raise: bool) -> None:
        """Take a rule back once all is saved that it has accepted."""
        may_raise = may_raise and rule.on_error == "raise"
        try:
            for handler in rule.handlers:
                try:
                    handler.flush()
                except Exception as error:
                    if may_raise:
                        raise
                    logger.warning("%s: %s", shown(handler), error)
        finally:
            self.remove(rule)
        if may_raise:
            self.owed.pay(rule)

    # The end

    def report(self) -> None:
        """Tell, at the end of the process, what went wrong and what did not happen."""
        outcomes.report()
        self.owed.tell()
        if os.getpid() == self._pid and not is_worker():
            for rule in self._rules:
                if not (rule.source and self.reporter):
                    self._tell_of_idle(rule)

    def _tell_of_idle(self, rule: Rule) -> None:
        idle = self.idleness(rule)
        if idle is not None and idle.reason.is_doubtful:
            logger.warning("%s %s", rule.source or repr(rule), idle.text)

    def idleness(self, rule: Rule) -> Idleness | None:
        """Return why a rule did nothing so far; None if it did something."""
        return idleness_of(rule, self.names, self._matches, self._chain)


registry = Registry()
