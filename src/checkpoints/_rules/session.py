"""Sessions: values are staged one by one, and committed together."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, overload

from checkpoints._handlers.handler import ABSENT, Handler, named_values
from checkpoints._keys.key import Key, joined_name
from checkpoints._keys.tags import TagPairs, current_tags
from checkpoints._process.origin import Origin, call_number
from checkpoints._process.work import at_work
from checkpoints._rules.occasion import Occasion
from checkpoints._rules.registry import registry

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = ["Session"]

logger = logging.getLogger("checkpoints")


class _Slot:
    """The data staged with one set of tags, and the handlers that will save it."""

    def __init__(
        self, pairs: TagPairs, chosen: tuple[Rule, int] | None, number: int
    ) -> None:
        rule, turn = chosen or (None, 0)
        self.pairs = pairs
        self.rule = rule
        self.turn = turn
        self.number = number
        self.names: set[str] = set()
        # Values that the rule will narrow all at once, at the commit.
        self.gathered: dict[str, Any] | None = None
        self.staged: list[tuple[Handler, Any]] = [
            (handler, None) for handler in (rule.handlers if rule else ())
        ]

    def stage(self, position: int, data: Mapping[str, Any]) -> None:
        """Pass data to the `stage` of one of the handlers."""
        handler, staged = self.staged[position]
        self.staged[position] = (handler, handler.stage(staged, data))


class Session:
    """
    Collects the values of one checkpoint, and saves them as one entry.

    As a context manager it commits on a clean exit, and discards on an exception. While
    the name is off it does nothing.

    Args:
        prefix: A prefix for the name, joined with a dot.
        name: The dotted name.

    >>> from checkpoints import capture
    >>> with capture("shop") as seen:
    ...     with Session("shop", "sales") as session:
    ...         session.checkpoint(monday=3)
    ...         session.checkpoint(tuesday=5)
    >>> seen["shop/sales"]
    {'monday': 3, 'tuesday': 5}
    """

    @overload
    def __init__(self, name: str, /) -> None: ...
    @overload
    def __init__(self, prefix: str, name: str, /) -> None: ...
    def __init__(self, prefix: str, name: str = ABSENT, /) -> None:
        self._given = prefix if name is ABSENT else joined_name(prefix, name)
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.RLock()

    def _held(self) -> threading.RLock:
        """Return the lock; in a forked child, a new one, with nothing staged."""
        if self._pid != os.getpid():
            self._begin()
        return self._lock

    def __repr__(self) -> str:
        return f"<Session {self._given!r}, {len(self._slots)} sets of tags staged>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            self.commit()
        else:
            self.discard()

    def __del__(self) -> None:
        slots = getattr(self, "_slots", {}).values()
        if any(slot.names for slot in slots) and self._pid == os.getpid():
            logger.warning(
                "a session of %r was deleted with uncommitted data: use it in a `with` "
                "block, or call commit()",
                self._given,
            )

    def checkpoint(self, data: Any = ABSENT, /, **values: Any) -> None:
        """
        Stage a copy of data, with the current tags.

        Args:
            data: As for `checkpoint`: a mapping with only str keys is staged as its
                values by name, anything else as one value called `data`.
            **values: More values, by name. A value staged before under the same name
                and tags is replaced, with a warning.

        Raises:
            Exception: If it fails, under a rule with `on_error="raise"`.
        """
        name, plan = registry.lookup(self._given)
        if plan is None:
            return
        with self._held():
            slot = self._slot(name, plan)
            if slot is None or slot.rule is None:
                return
            try:
                with at_work:
                    self._stage(name, slot, slot.rule, data, values)
            except BaseException as error:  # noqa: BLE001 - the host must not crash
                registry.failed(slot.rule, name, error)

    def _slot(self, name: str, plan: tuple[Rule, ...]) -> _Slot | None:
        """Return the slot for the current tags, created at the first call."""
        pairs = current_tags()
        try:
            path = Key(name, pairs).path
        except BaseException as error:  # noqa: BLE001 - the text of a tag may fail
            registry.failed(plan[0], name, error)
            return None
        if path not in self._slots:
            number = call_number(name)
            chosen = registry.chosen(name, plan, Occasion(lambda: pairs))
            self._slots[path] = _Slot(pairs, chosen, number)
        return self._slots[path]

    def _stage(
        self,
        name: str,
        slot: _Slot,
        rule: Rule,
        data: Any,
        values: dict[str, Any],
    ) -> None:
        given = named_values(data, values)
        if rule.narrowing is not None:
            given = rule.narrowing.narrow_each(given)
        frozen = rule.freeze(given)
        replaces = rule.narrowing is not None or any(
            type(handler).stage is Handler.stage for handler, _ in slot.staged
        )
        for twice in sorted(slot.names & frozen.keys()) if replaces else ():
            logger.warning(
                "checkpoint %r: value %r is staged twice with the same tags, and only "
                "the last one is kept",
                name,
                twice,
            )
        slot.names |= frozen.keys()
        if rule.narrowing is None:
            self._stage_all(name, slot, rule, frozen)
        else:
            slot.gathered = {**(slot.gathered or {}), **frozen}

    def _stage_all(
        self, name: str, slot: _Slot, rule: Rule, values: dict[str, Any]
    ) -> None:
        for position, (handler, _) in enumerate(slot.staged):
            try:
                slot.stage(position, values)
            except BaseException as error:  # noqa: BLE001 - the host must not crash
                registry.failed(rule, name, error, handler)

    def commit(self) -> None:
        """
        Save everything staged, one entry per set of tags, and start empty again.

        Raises:
            Exception: The error of a failed save, under a rule with
                `on_error="raise"`. Data that was not saved remains staged.
        """
        rules = []
        with self._held():
            for path in list(self._slots):
                # Removed first: a handler may stage more, or commit this session.
                slot = self._slots.pop(path, None)
                if slot is None or slot.rule is None:
                    continue
                if slot.names or slot.gathered is not None:
                    rules.append(slot.rule)
                    try:
                        with at_work:
                            self._commit(slot, slot.rule)
                    except BaseException:
                        self._slots.setdefault(path, slot)
                        raise
        for rule in rules:
            registry.deferred.raise_first(rule)

    def _commit(self, slot: _Slot, rule: Rule) -> None:
        name = registry.names.current(self._given)
        self._narrow(name, slot, rule)
        sampling = rule.sampling_at(slot.turn, name)
        key = Key(name, slot.pairs, Origin.here(slot.number, sampling))
        for position, (handler, staged) in enumerate(slot.staged):
            try:
                if staged is not None:
                    registry.commit(rule, handler, key, staged)
            except BaseException as error:  # noqa: BLE001 - the host must not crash
                registry.failed(rule, key, error, handler)
            slot.staged[position] = (handler, None)

    def _narrow(self, name: str, slot: _Slot, rule: Rule) -> None:
        """Narrow all the values of a save together, and stage the result."""
        if rule.narrowing is None or slot.gathered is None:
            return
        try:
            narrowed = rule.narrowing.narrow_all(name, slot.gathered)
        except BaseException as error:  # noqa: BLE001 - the host must not crash
            registry.failed(rule, name, error)
            narrowed = None
        slot.gathered = None
        if narrowed is not None:
            self._stage_all(name, slot, rule, narrowed)

    def discard(self) -> None:
        """Discard everything staged."""
        with self._held():
            self._slots.clear()
