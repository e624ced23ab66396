"""
The registry of names and rules, which handles calls; the whole library shares one.

The plan of a name is the rules that could save it, newest first, or none. Plans are
made at the first call and cleared by every change, so a call of a name that is off
looks its plan up and returns.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from checkpoints._handlers.handler import (
    ABSENT,
    Handler,
    acquire,
    named_values,
    release,
)
from checkpoints._handlers.outcomes import DeferredErrors, failure_text, outcomes
from checkpoints._keys.key import Key, checked_name
from checkpoints._keys.tags import current_tags
from checkpoints._process.exit import at_exit, is_worker
from checkpoints._process.facts import facts
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.origin import Origin, call_number, current_run, outside_level
from checkpoints._process.work import at_work
from checkpoints._rules import chain as chains
from checkpoints._rules.idle_rule import IdleRule, Reason, why_idle
from checkpoints._rules.names import Names
from checkpoints._rules.occasion import Occasion
from checkpoints._rules.switch import Switch, Switches
from checkpoints._rules.waiting import flush_each, flush_everything
from checkpoints._text import shown
from checkpoints.errors import ConfigError

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["Plan", "Registry", "registry"]

logger = logging.getLogger("checkpoints")

Plan: TypeAlias = "tuple[Rule, ...] | None"


class Registry:
    """Names and rules. The library has one, `registry`; tests may create others."""

    def __init__(self) -> None:
        self.plans: dict[str, tuple[Rule, ...] | object] = {}
        self.names = Names()
        self._switches = Switches()
        self._rules: tuple[Rule, ...] = ()
        # Errors of background saves that `on_error="raise"` could not raise yet.
        self.deferred = DeferredErrors()
        # Gets each rule at its first use; idle rules from outside are then not logged.
        self.reporter: Callable[[Rule], None] | None = None
        # For all that a rule that comes or goes changes.
        self.lock = threading.RLock()
        self._pid = os.getpid()
        after_fork_in_child(self._renew_in_child)

    def _renew_in_child(self) -> None:
        # The thread that may have held the lock does not exist after a fork.
        self.lock = threading.RLock()
        for rule in self._rules:
            rule.renew()
        self._refresh()

    def connect(self, switch: Switch) -> None:
        """Set a switch now, and whenever a rule comes or goes."""
        with self.lock:
            self._switches.add(switch)
            switch.turn(on=self._is_on(switch.name))

    def _refresh(self) -> None:
        self.plans.clear()
        self._switches.set_all(self._is_on)

    def _is_on(self, name: str) -> bool:
        current = self.names.current(name)
        plan = self.plan(current)
        return plan is not None and not chains.is_used_up(current, plan)

    def deprecate(self, old: str, new: str) -> None:
        """Rename a name; see `checkpoints.deprecate`."""
        with self.lock:
            self.names.rename(old, new)
            self._refresh()
            for rule in self._rules:
                self.names.warn_of_old(rule, [old])

    # Rules

    def add(self, *rules: Rule) -> None:
        """
        Put rules in force, each on top of its layer.

        Raises:
            Exception: What the `begin` of a handler raises; then no rule is added.
        """
        # First what may raise, so that no rule is in force then.
        for rule in rules:
            rule.load()
            self.names.warn_of_old(rule, self.names.renamed())
        acquire(chains.handlers_of(rules))
        with self.lock:
            if not self._rules:
                self._pid = os.getpid()
            self._rules = tuple(sorted((*self._rules, *rules), key=lambda r: r.layer))
            self._refresh()
        at_exit(self.report)
        # From now on, the processes that this one starts share its run.
        current_run()
        for rule in rules:
            rule.holder = self
            if not rule.source:
                self.names.warn_of_mistakes(rule.names, rule)

    def rules(self) -> list[Rule]:
        """Return the rules in force; of those that cover a name, the last one wins."""
        return list(self._rules)

    def remove(self, rule: Rule) -> None:
        """Remove a rule."""
        if rule in self._rules:
            self._warn_if_idle(rule)
        self._keep(lambda other: other is not rule)

    def reset(self) -> None:
        """Remove every rule except those from outside, and reset all counts."""
        self._keep(lambda rule: bool(rule.source))
        self.names.warned.clear()
        self.deferred.log_all()
        outcomes.clear()

    def _keep(self, is_kept: Callable[[Rule], bool]) -> None:
        with self.lock:
            removed = [rule for rule in self._rules if not is_kept(rule)]
            self._rules = tuple(filter(is_kept, self._rules))
            self._refresh()
        # Without the lock: a handler may wait for a thread that makes a call.
        release(chains.handlers_of(removed))

    def _matches(self, rule: Rule, name: str) -> bool:
        return rule.covers(name) or any(map(rule.covers, self.names.old_names(name)))

    # Calls

    def plan(self, name: str) -> Plan:
        """Return the rules that could save a name, newest first."""
        chain = self._chain(name)
        return chain if any(rule.handlers for rule in chain) else None

    def _chain(self, name: str) -> tuple[Rule, ...]:
        return chains.chain_of(
            reversed(self._rules), lambda rule: self._matches(rule, name)
        )

    def is_enabled(self, name: object) -> bool:
        """Tell whether a call would reach a rule with a target."""
        try:
            name = checked_name(name)
        except ConfigError:
            return False
        plan = self.plan(self.names.current(name))
        if self.plans.get(name) is ABSENT or plan is None:
            return False
        return chains.is_wanted(plan, Occasion(current_tags))

    def lookup(self, name: str) -> tuple[str, Plan]:
        """Return the current name for a call, and its plan."""
        try:
            plan = self.plans[name]
        except (KeyError, TypeError):
            return self.resolve(name)
        return name, plan if isinstance(plan, tuple) else None

    def resolve(self, name: str) -> tuple[str, Plan]:
        """
        Return the current name for a call, and its plan, which later calls reuse.

        Raises:
            ConfigError: If the name is invalid, and the newest rule raises errors.
        """
        try:
            checked_name(name)
        except ConfigError as error:
            for rule in self._rules[-1:]:
                self.failed(rule, name if type(name) is str else shown(name), error)
            return "", None
        with self.lock:
            current = self.names.current(name)
            plan = self.plan(current)
            self.names.add_called(current)
            # An old name that is off warns once, and then costs no more than others;
            # for one that is on, the new name must be looked up each time.
            if current == name or plan is None:
                self.plans[name] = plan or ABSENT
        if current != name:
            message = f"checkpoint {name!r} is now {current!r}: use that name"
            warnings.warn(message, DeprecationWarning, outside_level())
        return current, plan

    def chosen(
        self, name: str, plan: tuple[Rule, ...], occasion: Occasion
    ) -> tuple[Rule, int] | None:
        """Return the rule that saves a call, if any, and its turn."""
        rule = self.accepting(name, plan, occasion)
        turn = None if rule is None else self.turn(rule, name, plan)
        return None if rule is None or turn is None else (rule, turn)

    def accepting(
        self, name: str, plan: tuple[Rule, ...], occasion: Occasion
    ) -> Rule | None:
        """Return the rule that takes a call, if any, and has a target."""
        rule = chains.accepting(name, plan, occasion, self.reporter, self.failed)
        return rule if rule is not None and rule.handlers else None

    def turn(self, rule: Rule, name: str, plan: tuple[Rule, ...]) -> int | None:
        """Count a call that a rule takes, as `Rule.turn` does."""
        turn = rule.turn(name)
        if turn is None and name in rule.used_up:
            self._close(name, plan)
        return turn

    def _close(self, name: str, plan: tuple[Rule, ...]) -> None:
        """Switch a name off if its limits are used up."""
        with self.lock:
            if self.plans.get(name) is plan and chains.is_used_up(name, plan):
                self.plans[name] = ABSENT
                self._switches.set_all(self._is_on)

    def call(self, name: str, data: Any, values: Mapping[str, Any]) -> None:
        """Handle a call that is not known to be off, as the rules say."""
        plan = None
        try:
            name, plan = self.lookup(name)
            if plan is None:
                return
            number = call_number(name)
            # No closure, whose cells would be made before the `try`.
            occasion = Occasion(current_tags, partial(named_values, data, values))
            chosen = self.chosen(name, plan, occasion)
            if chosen is not None:
                rule, turn = chosen
                pairs = occasion.pairs
                origin = Origin.here(number, rule.sampling_at(turn, name))
                with at_work:
                    self.save(rule, Key(name, pairs, origin), data, values)
        except Exception as error:
            # Errors of handlers were handled below. This one is meant to be raised, or
            # it is the library's own, such as a lack of memory, and must do no harm.
            rules = plan or self._rules[-1:]
            if isinstance(error, Warning) or any(r.on_error == "raise" for r in rules):
                raise
            with suppress(Exception):
                outcomes.failed(name, error)

    def save(self, rule: Rule, key: Key, data: Any, values: Mapping[str, Any]) -> None:
        """
        Save the data of a call through every handler of the rule that was chosen.

        Raises:
            Exception: The error of a failed save, under `on_error="raise"`.
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
        """Save all of the data, without narrowing, through every handler of a rule."""
        raised = None
        for handler in rule.handlers:
            try:
                staged = handler.stage(None, named_values(data, values))
                self.commit(rule, handler, key, staged)
            except BaseException as error:  # noqa: BLE001 - the host must not crash
                try:
                    self.failed(rule, key, error, handler)
                except Exception as first:  # noqa: BLE001 - all handlers get the data
                    raised = raised or first
        if raised is not None:
            raise raised
        # Last, so that the error of an earlier save does not prevent this one.
        self.deferred.raise_first(rule)

    def narrowed(
        self, rule: Rule, key: Key, data: Any, values: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the data of a call as narrowed by a rule; None if nothing is left."""
        try:
            named = named_values(data, values)
            narrowing = rule.narrowing
            return narrowing.narrowed(key.name, named) if narrowing else named
        except BaseException as error:  # noqa: BLE001 - the host must not crash
            self.failed(rule, key.name, error)
            return None

    def commit(self, rule: Rule, handler: Handler, key: Key, staged: Any) -> None:
        """
        Save what was staged through a handler, and count its outcome.

        Raises:
            Exception: The error, if the save fails at once.
        """
        failed = partial(self._failed_later, rule, key, handler=handler)
        outcomes.follow(handler.commit(key, staged), key, handler, failed)

    # Failures and exit

    def failed(
        self,
        rule: Rule,
        subject: Key | str,
        error: BaseException,
        handler: Handler | None = None,
    ) -> None:
        """
        Handle the error of a save as its rule says.

        Raises:
            BaseException: The error itself, if the rule says so or it asks for an exit.
        """
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise error
        is_logged = rule.on_error == "warn"
        with suppress(Exception):
            outcomes.failed(subject, error, handler=handler, is_logged=is_logged)
        if rule.on_error == "raise":
            raise error

    def _failed_later(
        self, rule: Rule, key: Key, error: BaseException, *, handler: Handler
    ) -> None:
        """Handle an error of a background save, which no caller can catch."""
        # After a rule was removed, there are no more calls that could raise its errors.
        is_deferred = rule.on_error == "raise" and rule in self._rules
        is_logged = rule.on_error != "ignore" and not is_deferred
        outcomes.failed(key, error, handler=handler, is_logged=is_logged)
        if is_deferred:
            text = failure_text(key, error, handler)
            error.add_note(f"while checkpoint {key} was saved in the background")
            at_exit(self.report)
            self.deferred.add(rule, error, text)

    def flush(self, timeout: float | None = None) -> None:
        """Wait for all background saves; see `checkpoints.flush`."""
        first = flush_everything(chains.handlers_of(self._rules), timeout)
        self.deferred.raise_first()
        if first is not None:
            raise first

    def finish(self, rule: Rule, *, may_raise: bool) -> None:
        """Remove a rule after everything that it accepted is saved."""
        may_raise = may_raise and rule.on_error == "raise"
        try:
            flush_each(rule.handlers, may_raise=may_raise)
        finally:
            self.remove(rule)
        if may_raise:
            self.deferred.raise_first(rule)

    def report(self) -> None:
        """Log, when the process exits, what failed and which rules did nothing."""
        outcomes.report()
        self.deferred.log_all()
        if os.getpid() == self._pid and not is_worker():
            for rule in self._rules:
                if not (rule.source and self.reporter):
                    self._warn_if_idle(rule, is_over=True)

    def _warn_if_idle(self, rule: Rule, *, is_over: bool = False) -> None:
        idle = self.why_idle(rule)
        # The calls for which one was there in a block may come another time.
        is_early = not is_over and idle and idle.reason is Reason.TOO_LATE
        if idle and idle.reason.is_likely_mistake and not is_early:
            logger.warning("%s %s", rule.source or repr(rule), idle.text)

    def why_idle(self, rule: Rule) -> IdleRule | None:
        """Return why a rule did nothing so far; None if it did something."""
        return why_idle(rule, self.names, self._matches, self._chain)


registry = Registry()
facts["rules"] = lambda: [rule.as_dict() for rule in registry.rules()]
