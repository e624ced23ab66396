"""Outcomes of the saves of this process: counted, logged, and summed up at exit."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from checkpoints._keys.key import Key
from checkpoints._process import drain
from checkpoints._process.exit import at_exit
from checkpoints._process.forks import after_fork_in_child
from checkpoints._text import count_text, shown, text_of
from checkpoints.errors import UnknownOutcomeError

__all__ = [
    "DeferredErrors",
    "Outcomes",
    "Result",
    "failure_text",
    "outcomes",
    "sums_of",
]

logger = logging.getLogger("checkpoints")

if TYPE_CHECKING:
    from concurrent.futures import Future

Result: TypeAlias = "Future[Any] | bool | None"
Subject = Key | str

OUTCOMES = ("saved", "skipped", "dropped", "failed", "unknown")
_CONTINUES = "The program continues; on_error='raise' stops it"
_MAKE_ROOM = "Raise max_pending or max_wait, use every=n, or call flush() earlier"
_REPLACED = "replaced others of this run, of which only the last is kept"
_SUMMARIZED = {"failed": "failed", "unknown": "may have failed", "dropped": "dropped"}


class Outcomes:
    """Counts outcomes, and logs failures. The library has one, `outcomes`."""

    def __init__(self) -> None:
        self._begin()
        after_fork_in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        # What is counted, but not added up yet: counters and their keys.
        self._new: deque[tuple[Counter[Any], object]] = deque()
        self._is_adding = False
        self._counts: Counter[tuple[str, str]] = Counter()
        # What was counted before a reset.
        self._earlier: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Reset all counts."""
        self._add_up()
        for (_, outcome), count in self._counts.items():
            self._earlier[outcome] += count
        self._counts = Counter()
        self._reasons: Counter[str] = Counter()
        self._kinds: dict[tuple[str, object], itertools.count[int]] = {}
        self._logged: Counter[tuple[str, str]] = Counter()
        self._why: dict[tuple[str, str], str] = {}
        # The names of replaced saves, and whether a summary has told them.
        self._replaced: dict[str, bool] = {}
        self._first = ""

    def follow(
        self,
        result: Result,
        subject: Subject,
        handler: Any,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """
        Count a save as soon as it has finished or failed.

        Args:
            result: What the handler's `commit` returned.
            subject: The key of the save, or the name alone.
            handler: The handler that saves it.
            failed: Called with the error of a background save; by default the error
                is logged.
        """
        # Duck-typed: other libraries have their own futures.
        if isinstance(result, bool | None) or not hasattr(result, "add_done_callback"):
            self.ended(subject, result)
            return
        failed = failed or partial(self.failed, subject, handler=handler)
        settle = partial(self._settle, subject, handler, failed)
        result.add_done_callback(settle)

    def ended(self, subject: Subject, result: object) -> None:
        """Count a finished save; the result False means that none was necessary."""
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
            text = _drop_text(subject, handler)
            self.dropped(_name_of(subject), "handler", text, _MAKE_ROOM)
            return
        error = future.exception()
        if error is None:
            self.ended(subject, future.result())
        else:
            failed(error)

    def count(self, name: str, outcome: str, reason: str = "") -> None:
        """Count one save of a name, and the option that caused its outcome, if any."""
        self._new.append((self._counts, (name, outcome)))
        if reason:
            self._new.append((self._reasons, reason))
        # Without waiting: a signal handler in the thread that holds the lock may wait
        # for this save.
        self._add_up(blocking=False)

    def _add_up(self, *, blocking: bool = True) -> None:
        if not self._lock.acquire(blocking=blocking):
            return
        # Not in a signal handler that interrupted this very addition.
        is_first, self._is_adding = not self._is_adding, True
        try:
            # Only the present ones: others may come faster than these are added.
            for _ in range(len(self._new) if is_first else 0):
                counter, key = self._new.popleft()
                counter[key] += 1
        finally:
            self._is_adding = not is_first
            self._lock.release()

    def failed(
        self,
        subject: Subject,
        error: BaseException,
        *,
        handler: Any = None,
        is_logged: bool = True,
    ) -> None:
        """Count a save that failed, and log it unless told otherwise."""
        outcome = "unknown" if isinstance(error, UnknownOutcomeError) else "failed"
        name = _name_of(subject)
        self.count(name, outcome)
        text = partial(failure_text, subject, error, handler)
        self._explain(name, outcome, text)
        if is_logged:
            self._log(name, outcome, type(error), text, _CONTINUES)

    def dropped(
        self,
        name: str,
        reason: str,
        text: str,
        advice: str,
        *,
        kind: object = None,
        is_logged: bool = True,
    ) -> None:
        """
        Count a save that was dropped, and log it.

        Args:
            name: The name of the checkpoint.
            reason: The option that caused it.
            text: What happened.
            advice: What would help.
            kind: Of each kind, the 1st, 10th, 100th ... is logged as a warning; by
                default the reason is the kind.
            is_logged: Whether to log it, or only to include it in the summary.
        """
        self.count(name, "dropped", reason)
        self._explain(name, "dropped", lambda: text)
        if is_logged:
            self._log(name, "dropped", kind or reason, lambda: text, advice)
        else:
            self._new.append((self._logged, (name, "dropped")))

    def replaced(self, name: str) -> None:
        """
        Note that a save of a name replaced an earlier one of this run.

        It is told again at the exit, unless the log goes to the standard error output:
        a test framework keeps it, and shows that of failures only.
        """
        if logger.isEnabledFor(logging.WARNING) and not logger.hasHandlers():
            return
        with suppress(Exception):
            at_exit(self.report)
            self._replaced.setdefault(name, False)

    def _explain(self, name: str, outcome: str, text: Callable[[], str]) -> None:
        """Keep the first reason of an outcome, for whoever does not see the log."""
        if (name, outcome) not in self._why:
            with suppress(Exception):
                self._why.setdefault((name, outcome), text())

    @property
    def reasons(self) -> dict[str, dict[str, str]]:
        """For each name, the first reason of each outcome that was not a success."""
        found = self._why.copy()
        found |= {(name, "replaced"): _REPLACED for name in list(self._replaced)}
        reasons: dict[str, dict[str, str]] = {}
        for (name, outcome), text in sorted(found.items()):
            reasons.setdefault(name, {})[outcome] = text
        return reasons

    def _log(
        self,
        name: str,
        outcome: str,
        kind: object,
        text: Callable[[], str],
        advice: str,
    ) -> None:
        with suppress(Exception):
            # Not earlier: a forked worker forgets what was registered before it began.
            at_exit(self.report)
            self._new.append((self._logged, (name, outcome)))
            count = next(self._kinds.setdefault((name, kind), itertools.count(1)))
            # The 1st, 10th, 100th ...: a full disk must not fill the log as well.
            if str(count).strip("0") != "1":
                logger.info("%s", text())
                return
            message = text()
            self._first = self._first or message
            again = "" if count == 1 else f", for the {count}th time"
            end = "" if f"{message}{again}".endswith(("?", ".")) else "."
            _warn(f"{message}{again}{end} {advice}")

    def counts(self) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
        """Return the numbers of saves, by name and outcome, and by reason."""
        with self._lock:
            self._add_up()
            all_counts = dict(self._counts)
            reasons = dict(sorted(self._reasons.items()))
        by_name: dict[str, dict[str, int]] = {}
        for (name, outcome), count in sorted(all_counts.items()):
            by_name.setdefault(name, {})[outcome] = count
        return by_name, reasons

    def totals(self) -> dict[str, int]:
        """Return the number of saves by outcome, since this process began."""
        found = sums_of(self.counts()[0])
        return {outcome: found[outcome] + self._earlier[outcome] for outcome in found}

    def report(self) -> None:
        """Log a summary of all failures and drops, once, when the process exits."""
        drain.drain()
        summary = self._summary()
        if summary:
            _warn(summary)

    def _summary(self) -> str:
        with self._lock:
            self._add_up()
            logged, total = dict(self._logged), sum(self._counts.values())
            self._logged.clear()
            untold = [name for name, is_told in self._replaced.items() if not is_told]
            self._replaced.update(dict.fromkeys(untold, True))
        parts = []
        for outcome, words in _SUMMARIZED.items():
            names = {name: n for (name, what), n in logged.items() if what == outcome}
            listed = ", ".join(f"{name!r} {n}" for name, n in sorted(names.items()))
            if listed:
                parts.append(f"{sum(names.values())} {words} ({listed})")
        first = f"The first: {self._first}" if parts else ""
        if untold:
            parts.append(f"some {_REPLACED} ({', '.join(map(repr, untold))})")
        if not parts:
            return ""
        return f"of {count_text(total, 'save')}: {', '.join(parts)}. {first}".rstrip()


def _warn(message: str) -> None:
    # `logging.config` disables by default each logger that it does not name: nobody
    # would hear that saves fail.
    if logger.disabled:
        with suppress(Exception):  # there may be no standard error output
            sys.stderr.write(f"checkpoints: {message}\n")
    else:
        logger.warning("%s", message)


def _name_of(subject: Subject) -> str:
    return subject.name if isinstance(subject, Key) else subject


def _shown(subject: Subject) -> str:
    try:
        return str(subject) if isinstance(subject, Key) else repr(subject)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - the text of a tag may fail
        return repr(_name_of(subject))


def failure_text(subject: Subject, error: BaseException, handler: Any) -> str:
    """Return a description of a save that failed."""
    notes = " ".join(map(text_of, getattr(error, "__notes__", ())))
    by = "" if handler is None else f" by {shown(handler)}"
    what = "may not have been" if isinstance(error, UnknownOutcomeError) else "was not"
    return (
        f"checkpoint {_shown(subject)} {what} saved{by}: {type(error).__name__}: "
        f"{text_of(error)} {notes}".rstrip()
    )


def _drop_text(subject: Subject, handler: Any) -> str:
    return (
        f"checkpoint {_shown(subject)} was dropped by {shown(handler)}: its queue was "
        "full, or time ran out"
    )


outcomes = Outcomes()


def sums_of(by_name: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return the numbers of saves by outcome, given those by name and outcome."""
    return {
        outcome: sum(counts.get(outcome, 0) for counts in by_name.values())
        for outcome in OUTCOMES
    }


class _DeferredError(NamedTuple):
    rule: object
    error: BaseException
    text: str


class DeferredErrors:
    """Errors of background saves, to be raised under rules with `on_error="raise"`."""

    def __init__(self) -> None:
        self._begin()
        after_fork_in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._errors: list[_DeferredError] = []

    def add(self, rule: object, error: BaseException, text: str) -> None:
        """Keep an error for the next call under its rule, or for a flush."""
        with self._lock:
            self._errors.append(_DeferredError(rule, error, text))

    def raise_first(self, rule: object = None) -> None:
        """
        Raise the first error that was not raised yet, if there is one.

        Args:
            rule: The rule of the errors; any rule if not given.

        Raises:
            BaseException: That error, with a note for each later one.
        """
        if not self._errors:
            return
        with self._lock:
            due = [one for one in self._errors if rule in (None, one.rule)]
            self._errors = [one for one in self._errors if rule not in (None, one.rule)]
        if due:
            for later in due[1:]:
                due[0].error.add_note(f"and then, {later.text}")
            raise due[0].error

    def log_all(self) -> None:
        """Log and drop the errors that no call has raised."""
        with self._lock:
            errors, self._errors = self._errors, []
        for one in errors:
            logger.error(
                "%s. It was never raised: no later call or flush() under this rule",
                one.text,
            )
