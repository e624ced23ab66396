"""The flight recorder: the last saves in memory, written when something goes wrong."""

from __future__ import annotations

import logging
import os
import signal as signals
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, Literal, Self, Unpack, overload

from checkpoints._handlers.handler import (
    Handler,
    acquire,
    flush_all,
    release,
)
from checkpoints._handlers.job import freeze_for, settled_key
from checkpoints._handlers.options import FileOptions
from checkpoints._handlers.outcomes import Result
from checkpoints._handlers.recorder_options import (
    When,
    check_options,
    checked_signal,
    checked_when,
    found_nan,
)
from checkpoints._handlers.ring import Outcome, RecordedSave, RingBuffer
from checkpoints._handlers.target import (
    OtherTarget,
    PathTarget,
    Target,
    handlers_for,
    target_of,
)
from checkpoints._keys.key import Key
from checkpoints._kinds.weight import weight_of
from checkpoints._process.crash import on_crash, stop_on_crash
from checkpoints._process.drain import countdown
from checkpoints._process.origin import Origin
from checkpoints._process.pickling import public
from checkpoints._text import parse_size, text_of
from checkpoints.errors import ConfigError, PendingError, TooLargeError

__all__ = ["Recorder", "shared_recorder"]

logger = logging.getLogger("checkpoints")

_LONGEST_WHY = 500
# In seconds: for a dump in another thread, and for the background writes of a signal.
_DUMP_TIMEOUT = 60.0
_SIGNAL_TIMEOUT = 5.0
# Signals that end a process by default, but are only a request to dump here.
_NOT_FATAL = {"SIGUSR1", "SIGUSR2"}


class Recorder(Handler):
    """
    Keeps the last saves in memory, and writes them when something goes wrong.

    It is active while a rule with it is in force, and in its `with` block. Nothing is
    written until an exception leaves that block, ends the program or a thread, until
    `when` returns true, a signal arrives, or `dump` is called. Then all saves in memory
    are written to the target, with the reason in the header as `dumped`, and recording
    continues. Saves that are still in memory when the program exits are lost.

    Args:
        target: Where to write, as for `config`.
        max_bytes: How many bytes of values to keep, approximately; the oldest saves
            are discarded to make room for new ones.
        when: Called as `when(key, values)` for each save; if the result is true, all
            saves are written, including that one. `"nan"` looks for a NaN.
        signal: The number of a signal that triggers a dump, such as `signal.SIGUSR1`.
            Its previous handler is called afterwards.
        **options: The options of `FileHandler`, for a path.

    Raises:
        ConfigError: If the target or an option is invalid.

    >>> from checkpoints import checkpoint, config
    >>> recorder = Recorder(lambda key, data: print(key.name, data))
    >>> with config("shop", recorder):
    ...     checkpoint("shop.total", 12)
    >>> recorder.dump("to have a look")
    shop.total {'data': 12}
    1
    """

    @overload
    def __init__(
        self,
        target: PathTarget,
        *,
        max_bytes: int | str = ...,
        when: When | Literal["nan"] | None = ...,
        signal: int | None = ...,
        **options: Unpack[FileOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        target: OtherTarget,
        *,
        max_bytes: int | str = ...,
        when: When | Literal["nan"] | None = ...,
        signal: int | None = ...,
    ) -> None: ...
    def __init__(
        self,
        target: Target,
        *,
        max_bytes: int | str = 64 << 20,
        when: When | Literal["nan"] | None = None,
        signal: int | None = None,
        **options: Unpack[FileOptions],
    ) -> None:
        check_options(options)
        self.handlers: tuple[Handler, ...] = handlers_for(target, options)
        if not self.handlers:
            raise ConfigError("a recorder needs a target, such as a path")
        self.max_bytes: int = parse_size("max_bytes", max_bytes)
        self.when: When | None = checked_when(when)
        self.signal: int | None = None if signal is None else checked_signal(signal)
        self._ring = RingBuffer(self.max_bytes)
        self._is_closed = False
        self._previous_handler: Any = None
        self._signal_handler = self._on_signal

    def __repr__(self) -> str:
        return _repr_of(self.handlers, self.max_bytes)

    def __reduce__(self) -> tuple[Any, ...]:
        create = partial(
            public(type(self)),
            max_bytes=self.max_bytes,
            when="nan" if self.when is found_nan else self.when,
            signal=self.signal,
        )
        return create, (target_of(self.handlers),)

    def __len__(self) -> int:
        return len(self._ring.saves)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Self:
        acquire([self])
        if self._is_closed:
            self._listen()
            self._is_closed = False
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        try:
            if error is not None and not isinstance(error, (SystemExit, GeneratorExit)):
                self.crashed(error)
        finally:
            self._discard()
            release([self])

    def begin(self) -> None:
        """
        Handle exceptions and the signal, until the last rule or block is gone.

        Raises:
            ConfigError: If the signal cannot be handled here.
        """
        acquire(self.handlers)
        try:
            self._listen()
        except BaseException:
            release(self.handlers)
            raise
        self._is_closed = False

    def end(self) -> None:
        """Stop handling exceptions and the signal; `dump` still works."""
        self._stop_listening()
        release(self.handlers)

    def _listen(self) -> None:
        # Still installed if a thread other than the main one closed this recorder.
        if self.signal and signals.getsignal(self.signal) is not self._signal_handler:
            try:
                self._previous_handler = signals.signal(
                    self.signal, self._signal_handler
                )
            except (OSError, ValueError) as error:
                message = (
                    f"cannot handle signal={self.signal!r}: {error}. Create the rule "
                    "in the main thread, with a signal that can be handled"
                )
                raise ConfigError(message) from error
        on_crash(self.crashed)

    def _stop_listening(self) -> None:
        stop_on_crash(self.crashed)
        if self.signal and signals.getsignal(self.signal) is self._signal_handler:
            # Fails outside the main thread, and for a handler not set from Python.
            with suppress(TypeError, ValueError):
                signals.signal(self.signal, self._previous_handler)

    def close(self) -> None:
        """Discard the saves in memory and stop recording; harmless if repeated."""
        self._is_closed = True
        self._discard()
        self._stop_listening()

    def _discard(self) -> None:
        while self._ring.take() is not None:
            pass

    def commit(self, key: Key, staged: Mapping[str, Any]) -> Result:
        """
        Keep copies of values in memory.

        Returns:
            A `Future` of the write, which may never happen; its callbacks are called
            for each target. False if the recorder is closed, and keeps nothing.

        Raises:
            FormatError: If a value cannot be copied.
            TooLargeError: If the values are larger than `max_bytes`.
            Exception: What `when` raises.
        """
        return self._keep(key, staged, self.handlers)

    def _keep(
        self, key: Key, staged: Mapping[str, Any], handlers: tuple[Handler, ...]
    ) -> Result:
        if self._is_closed:
            return False
        size = weight_of(staged)
        if size > self.max_bytes:
            message = (
                f"checkpoint {key} has {size} bytes, more than the recorder keeps, "
                f"max_bytes={self.max_bytes}: raise max_bytes"
            )
            raise TooLargeError(message)
        values = freeze_for(key)(staged)
        settled = settled_key(key)
        outcome = Outcome(len(handlers))
        writes = tuple(zip(handlers, outcome.parts, strict=True))
        self._ring.add(RecordedSave(settled, values, size, writes, outcome))
        if callable(self.when) and self.when(settled, values):
            self.dump(f"when: {settled}")
        return outcome

    def dump(self, why: str = "dump was called") -> int:
        """
        Write all saves in memory, oldest first, and continue with an empty memory.

        The rule's `on_error` says how an error of a save is handled.

        Args:
            why: The reason, which the header of each entry has as `dumped`.

        Returns:
            The number of saves that were written to all of their targets.
        """
        return self._dump(why, _DUMP_TIMEOUT)

    def _dump(self, why: str, timeout: float) -> int:
        written = total = 0
        involved: dict[int, Handler] = {}
        try:
            with self._ring.dump(timeout) as saves:
                for save in saves:
                    total += 1
                    involved |= {id(handler): handler for handler, _ in save.writes}
                    written += self._write(save, why[:_LONGEST_WHY])
                self._log_dump(why, written, total)
        except BaseException:
            message = "%r was interrupted: it wrote %d saves, and keeps %d. Reason: %s"
            logger.warning(message, self, written, len(self), why[:_LONGEST_WHY])
            raise
        left = countdown(timeout or _SIGNAL_TIMEOUT)
        for handler in involved.values():
            with suppress(Exception):
                handler.flush(left())
        return written

    def _write(self, save: RecordedSave, why: str) -> bool:
        origin = (save.key.origin or Origin.here())._replace(dumped=why)
        key = Key(save.key.name, save.key.tags, origin)
        is_written = True
        for position, (handler, part) in enumerate(save.writes):
            try:
                result = handler.commit(key, handler.stage(None, save.values))
                save.outcome.follow(part, result)
            except Exception as error:  # noqa: BLE001 - the outcome passes it on
                save.outcome.settle(part, error)
                is_written = False
            except BaseException:
                # An interrupt: what is already written is not written again.
                self._ring.current = save._replace(writes=save.writes[position:])
                raise
        return is_written

    def _log_dump(self, why: str, written: int, total: int) -> None:
        discarded, self._ring.discarded = self._ring.discarded, 0
        if total:
            older = f"; {discarded} older ones were discarded" if discarded else ""
            logger.warning(
                "%r wrote %d of %d recorded saves%s. Reason: %s",
                self,
                written,
                total,
                older,
                why[:_LONGEST_WHY],
            )

    def flush(self, timeout: float | None = None) -> None:
        """Wait for the background saves of the targets; see `Handler.flush`."""
        flush_all(self.handlers, timeout)

    def crashed(self, error: BaseException) -> None:
        """Write what is in memory, because of an error that ends the work."""
        why = f"exception: {type(error).__name__}: {text_of(error)}"
        try:
            self.dump(why.rstrip(": "))
        except KeyboardInterrupt:
            self._give_up()
            raise
        except Exception:  # noqa: BLE001 - the program must see its own error
            return

    def _give_up(self) -> None:
        """Count the saves in memory as failed: nothing will write them anymore."""
        while (save := self._ring.take()) is not None:
            for _, part in save.writes:
                error = PendingError("an interrupt ended the writing before this save")
                save.outcome.settle(part, error)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        name = signals.Signals(number).name
        with suppress(Exception):
            # Without waiting: the interrupted code may hold a lock that a dump in
            # another thread is waiting for.
            self._dump(f"signal: {name}", 0)
        if callable(self._previous_handler):
            self._previous_handler(number, frame)
        elif self._previous_handler == signals.SIG_DFL and name not in _NOT_FATAL:
            signals.signal(number, signals.SIG_DFL)
            os.kill(os.getpid(), number)


class _SharedRecorder(Handler):
    """Records into the memory of another recorder, for separate targets."""

    def __init__(self, recorder: Recorder, handlers: tuple[Handler, ...]) -> None:
        self.recorder = recorder
        self.handlers = handlers

    def __repr__(self) -> str:
        return _repr_of(self.handlers, self.recorder.max_bytes)

    def begin(self) -> None:
        acquire([self.recorder, *self.handlers])

    def end(self) -> None:
        release([*self.handlers, self.recorder])

    def __reduce__(self) -> tuple[Any, ...]:
        # A recorder by itself: another process has no memory to share.
        create, _ = self.recorder.__reduce__()
        return create, (target_of(self.handlers),)

    def commit(self, key: Key, staged: Mapping[str, Any]) -> Result:
        keep = self.recorder._keep  # noqa: SLF001 - the two are one recorder
        return keep(key, staged, self.handlers)

    def flush(self, timeout: float | None = None) -> None:
        flush_all(self.handlers, timeout)


def shared_recorder(
    recorder: Recorder, target: Target, options: Mapping[str, Any]
) -> Handler:
    """Return a handler that records into a recorder's memory, for another target."""
    return _SharedRecorder(recorder, handlers_for(target, options))


def _repr_of(handlers: tuple[Handler, ...], max_bytes: int) -> str:
    target = handlers[0] if len(handlers) == 1 else list(handlers)
    return f"Recorder({target!r}, max_bytes={max_bytes})"
