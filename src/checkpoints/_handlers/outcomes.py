"""What became of the saves of this process: counted, told, and summed up at the end."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from checkpoints._keys.key import Key
from checkpoints._process import drain
from checkpoints._process.exit import at_exit
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.pickling import public
from checkpoints._text import shown, text_of
from checkpoints.errors import UnknownOutcomeError

__all__ = ["Outcomes", "Owed", "Result", "Stats", "outcomes", "story_of"]

logger = logging.getLogger("checkpoints")

if TYPE_CHECKING:
    from concurrent.futures import Future

Result: TypeAlias = "Future[Any] | bool | None"
Subject = Key | str

_OUTCOMES = ("saved", "skipped", "dropped", "failed", "unknown")
_GOES_ON = "The program goes on; on_error='raise' stops it"
_MAKE_ROOM = "A larger max_pending or max_wait, every=n, or a flush in time helps"
_TOLD = {"failed": "failed", "unknown": "may have failed", "dropped": "dropped"}


class Stats(NamedTuple):
    """
    What became of the saves of this process so far, in numbers.

    Args:
        saved: Those that are done.
        skipped: Those that there was no need for: a file was there, under
            `if_exists="skip"`, or `values` or `transform` left nothing.
        dropped: Those that there was no room or no time for in the background, or in
            the budgets of their rule.
        failed: Those that left nothing behind.
        unknown: Those with an error so late that the file may be there.
        pending: Those that are waiting in the background.
        pending_bytes: What these hold in memory, about.
        by_name: The numbers of each name, by the words above, but for what waits.
        by_reason: How many were skipped or dropped because of each option, such as
            `max_bytes`; `handler` where their handler saw to it.
    """

    saved: int
    skipped: int
    dropped: int
    failed: int
    unknown: int
    pending: int
    pending_bytes: int
    by_name: dict[str, dict[str, int]]
    by_reason: dict[str, int]

    def __reduce__(self) -> tuple[Any, ...]:
        return public(type(self)), tuple(self)


class Outcomes:
    """The counts, and what was told of them. There is one, `outcomes`."""

    def __init__(self) -> None:
        self._begin()
        after_fork_in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Forget all of it."""
        self._counts: Counter[tuple[str, str]] = Counter()
        self._reasons: Counter[str] = Counter()
        self._kinds: Counter[tuple[str, object]] = Counter()
        self._loud: Counter[tuple[str, str]] = Counter()
        self._first = ""

    def follow(
        self,
        result: Result,
        subject: Subject,
        handler: Any,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """
        Count a save, once it is over.

        Args:
            result: What the handler's `commit` returned.
            subject: The key of the save, or the name alone.
            handler: Who saves it.
            failed: Called with the error of a save in the background; unless given,
                the log is told.
        """
        # A future, by what it can do: others than Python's own have it as well.
        if isinstance(result, bool | None) or not hasattr(result, "add_done_callback"):
            self.ended(subject, result)
            return
        failed = failed or partial(self.failed, subject, handler=handler)
        settle = partial(self._settle, subject, handler, failed)
        result.add_done_callback(settle)

    def ended(self, subject: Subject, result: object) -> None:
        """Count a save that is over: False means that there was no need for it."""
        if result is False:
            self.count(_name_of(subject), "skipped", "handler")
        else:
            self.count(_name_of(subject), "saved")

    def _settle(
        self,
        subject: Subject,
        handler: Any,
        failed: Callable[[BaseException], None],
        future: Future[Any],
    ) -> None:
        if future.cancelled():
            story = _story_of_drop(subject, handler)
            self.dropped(_name_of(subject), "handler", story, _MAKE_ROOM)
            return
        error = future.exception()
        if error is None:
            self.ended(subject, future.result())
        else:
            failed(error)

    def count(self, name: str, outcome: str, reason: str = "") -> None:
        """Count one save of a name, and the option that was the reason, if one was."""
        with self._lock:
            self._counts[name, outcome] += 1
            if reason:
                self._reasons[reason] += 1

    def failed(
        self,
        subject: Subject,
        error: BaseException,
        *,
        handler: Any = None,
        loud: bool = True,
    ) -> None:
        """Count a save that failed, and tell the log of it if it is to be loud."""
        outcome = "unknown" if isinstance(error, UnknownOutcomeError) else "failed"
        self.count(_name_of(subject), outcome)
        if loud:
            story = partial(story_of, subject, error, handler)
            self._tell(_name_of(subject), outcome, type(error), story, _GOES_ON)

    def dropped(
        self,
        name: str,
        reason: str,
        story: str,
        way_out: str,
        *,
        kind: object = None,
        is_told: bool = False,
    ) -> None:
        """
        Count a save that there was no room for, and tell the log.

        Args:
            name: The name of the checkpoint.
            reason: The option that was the reason.
            story: What happened.
            way_out: What would help.
            kind: What this is the 1st, 10th or 100th time of; the reason unless given.
            is_told: Whether the log knows of it already.
        """
        self.count(name, "dropped", reason)
        if is_told:
            with self._lock:
                self._loud[name, "dropped"] += 1
        else:
            self._tell(name, "dropped", kind or reason, lambda: story, way_out)

    def _tell(
        self,
        name: str,
        outcome: str,
        kind: object,
        story: Callable[[], str],
        way_out: str,
    ) -> None:
        with suppress(Exception):
            # Here, as a forked worker forgets what was asked for before it began.
            at_exit(self.report)
            with self._lock:
                self._loud[name, outcome] += 1
                self._kinds[name, kind] += 1
                count = self._kinds[name, kind]
            # The 1st, 10th, 100th ...: a full disk must not fill the log as well.
            if str(count).strip("0") != "1":
                logger.info("%s", story())
                return
            told = story()
            self._first = self._first or told
            again = "" if count == 1 else f", for the {count}th time"
            logger.warning("%s%s. %s", told, again, way_out)

    def stats(self, pending: int, pending_bytes: int) -> Stats:
        """Return the counts, with what others know of those that wait."""
        with self._lock:
            counts, reasons = dict(self._counts), dict(sorted(self._reasons.items()))
        by_name: dict[str, dict[str, int]] = {}
        for (name, outcome), count in sorted(counts.items()):
            by_name.setdefault(name, {})[outcome] = count
        totals = {
            outcome: sum(each.get(outcome, 0) for each in by_name.values())
            for outcome in _OUTCOMES
        }
        return Stats(
            **totals,
            pending=pending,
            pending_bytes=pending_bytes,
            by_name=by_name,
            by_reason=reasons,
        )

    def report(self) -> None:
        """Tell the log, at the end of the process, of all that went wrong; once."""
        drain.drain()
        summary = self._summary()
        if summary:
            logger.warning("%s", summary)

    def _summary(self) -> str:
        with self._lock:
            loud, total = dict(self._loud), sum(self._counts.values())
            self._loud.clear()
        parts = []
        for outcome, words in _TOLD.items():
            names = {name: n for (name, what), n in loud.items() if what == outcome}
            listed = ", ".join(f"{name!r} {n}" for name, n in sorted(names.items()))
            if listed:
                parts.append(f"{sum(names.values())} {words} ({listed})")
        if not parts:
            return ""
        return f"of {total} saves: {', '.join(parts)}. The first: {self._first}"


def _name_of(subject: Subject) -> str:
    return subject.name if isinstance(subject, Key) else subject


def _shown(subject: Subject) -> str:
    try:
        return str(subject) if isinstance(subject, Key) else repr(subject)
    except Exception:  # noqa: BLE001 - a tag without a text
        return repr(_name_of(subject))


def story_of(subject: Subject, error: BaseException, handler: Any) -> str:
    """Return what there is to say of a save that failed."""
    notes = " ".join(map(str, getattr(error, "__notes__", ())))
    by = "" if handler is None else f", by {shown(handler)}"
    what = "may not have been" if isinstance(error, UnknownOutcomeError) else "was not"
    return (
        f"checkpoint {_shown(subject)} {what} saved{by}: {type(error).__name__}: "
        f"{text_of(error)} {notes}".rstrip()
    )


def _story_of_drop(subject: Subject, handler: Any) -> str:
    return (
        f"checkpoint {_shown(subject)} was dropped, by {shown(handler)}: there was no "
        "room for it, or no time"
    )


outcomes = Outcomes()


class _Debt(NamedTuple):
    rule: object
    error: BaseException
    story: str


class Owed:
    """The errors of saves in the background under rules with `on_error="raise"`."""

    def __init__(self) -> None:
        self._begin()
        after_fork_in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._debts: list[_Debt] = []

    def add(self, rule: object, error: BaseException, story: str) -> None:
        """Keep an error for the next call under its rule, or for a flush."""
        with self._lock:
            self._debts.append(_Debt(rule, error, story))

    def pay(self, rule: object = None) -> None:
        """
        Raise the first error that nobody was told of yet.

        Args:
            rule: Whose errors; everybody's unless given.

        Raises:
            BaseException: That error, with a note of each that came after it.
        """
        if not self._debts:
            return
        with self._lock:
            mine = [it for it in self._debts if rule in (None, it.rule)]
            self._debts = [it for it in self._debts if rule not in (None, it.rule)]
        if mine:
            for other in mine[1:]:
                mine[0].error.add_note(f"and then, {other.story}")
            raise mine[0].error

    def tell(self) -> None:
        """Tell the log of those that no call came to raise, and forget them."""
        with self._lock:
            debts, self._debts = self._debts, []
        for debt in debts:
            logger.error(
                "%s. It was to be raised, and no call came to do so", debt.story
            )
