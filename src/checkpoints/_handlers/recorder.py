"""The flight recorder: the last saves in memory, written when something goes wrong."""

from __future__ import annotations

import logging
import os
import signal as signals
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, Literal, Self, Unpack, overload

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler
from checkpoints._handlers.in_force import InForce
from checkpoints._handlers.options import FileOptions
from checkpoints._handlers.outcomes import Result
from checkpoints._handlers.ring import Kept, Memory, Outcome
from checkpoints._handlers.seconds import checked_seconds
from checkpoints._handlers.target import (
    OtherTarget,
    PathTarget,
    Target,
    handlers_for,
    target_of,
)
from checkpoints._keys.key import Key
from checkpoints._kinds.frozen import freeze, frozen_values
from checkpoints._kinds.nan import holds_nan
from checkpoints._kinds.weight import weight_of
from checkpoints._process.crash import on_crash, stop_on_crash
from checkpoints._process.drain import countdown
from checkpoints._process.origin import Origin
from checkpoints._process.pickling import public
from checkpoints._text import parse_size, shown, text_of
from checkpoints.errors import ConfigError, TooLargeError

__all__ = ["NOT_CAUGHT", "Recorder", "beside"]

logger = logging.getLogger("checkpoints")

When = Callable[[Key, Mapping[str, Any]], object]

_LONGEST_WHY = 500
# Seconds to wait for others who are writing.
_PATIENCE = 60.0
_PATIENCE_OF_SIGNALS = 5.0
# Their default is the end of the process, which is not what they are asked for here.
NOT_CAUGHT = ("SIGKILL", "SIGSTOP")
_GO_ON = {"SIGUSR1", "SIGUSR2"}
# Who holds a recorder that its `with` block holds.
_BLOCK = "with"


class Recorder(Handler):
    """
    Keeps the last saves in memory, and writes them when something goes wrong.

    It listens while a rule with it is in force, and in its `with` block; to make one
    has no effect. Nothing is written until an exception leaves that block, the program
    or a thread, until `when` says so, a signal comes, or `dump` is called. Then all
    that is kept goes to the target, with why in the header as `dumped`, and recording
    goes on. What is still in memory at the end of the program is dropped.

    Args:
        target: Where to write, as for `config`.
        max_bytes: How many bytes of values to keep, about; the oldest saves are given
            up for new ones.
        when: Called as `when(key, values)` with each save; where the result is true,
            all is written, that save among it. `"nan"` looks for a NaN.
        signal: The number of a signal that has all written, such as `signal.SIGUSR1`.
            The handler that it had is called after that.
        **options: Those of `FileHandler`, for a path.

    Raises:
        ConfigError: If the target or an option cannot be.

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
        _check_options(options)
        self.handlers: tuple[Handler, ...] = handlers_for(target, options)
        if not self.handlers:
            raise ConfigError("a recorder needs a target to write to: a path, for one")
        self.max_bytes: int = parse_size("max_bytes", max_bytes)
        self.when: When | None = _checked_when(when)
        self.signal: int | None = None if signal is None else _checked_signal(signal)
        self._memory = Memory(self.max_bytes)
        self._is_closed = False
        self._targets = InForce()
        # Those for whom it listens: the rules, a `with` block, and who stands beside.
        self._holders: list[object] = []
        self._before: Any = None
        self._handler = self._signalled

    def __repr__(self) -> str:
        return _told(self.handlers, self.max_bytes)

    def __reduce__(self) -> tuple[Any, ...]:
        made = partial(
            public(type(self)),
            max_bytes=self.max_bytes,
            when="nan" if self.when is _found_nan else self.when,
            signal=self.signal,
        )
        return made, (target_of(self.handlers),)

    def __len__(self) -> int:
        return len(self._memory.kept)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Self:
        self.hold(_BLOCK)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None and not isinstance(error, (SystemExit, GeneratorExit)):
            self._crashed(error)
        self.close()

    def begin(self) -> None:
        """Listen for exceptions and the signal, until the last rule is taken back."""
        self.hold(self)

    def end(self) -> None:
        """Listen no more; what is kept can still be dumped."""
        self.release(self)

    def hold(self, holder: object) -> None:
        """
        Listen, for one more who wants it.

        Raises:
            ConfigError: If the signal cannot be listened to here.
        """
        if not self._holders:
            self._listen()
            try:
                self._targets.begin(self.handlers)
            except BaseException:
                self._stop_listening()
                raise
        self._is_closed = False
        if holder not in self._holders:
            self._holders.append(holder)

    def release(self, holder: object) -> None:
        """Listen no more, unless there is another who wants it."""
        if holder in self._holders:
            self._holders.remove(holder)
            if not self._holders:
                self._stop_listening()

    def _listen(self) -> None:
        # It is still there where a thread that is not the main one has closed this.
        if self.signal and signals.getsignal(self.signal) is not self._handler:
            try:
                self._before = signals.signal(self.signal, self._handler)
            except (OSError, ValueError) as error:
                message = (
                    f"signal={self.signal!r} cannot be listened to: {error}. Make the "
                    "rule in the main thread, with a signal that can be handled"
                )
                raise ConfigError(message) from error
        on_crash(self._crashed)

    def _stop_listening(self) -> None:
        self._targets.keep(())
        stop_on_crash(self._crashed)
        if self.signal and signals.getsignal(self.signal) is self._handler:
            # Only the main thread may do so, and only with a handler of Python's.
            with suppress(TypeError, ValueError):
                signals.signal(self.signal, self._before)

    def close(self) -> None:
        """Forget what is kept, and keep no more. Twice is no harm."""
        self._is_closed = True
        while self._memory.take() is not None:
            pass
        if self._holders:
            self._holders.clear()
            self._stop_listening()

    def commit(self, key: Key, staged: Mapping[str, Any]) -> Result:
        """
        Keep values as they are now.

        Returns:
            A `Future` of the write, which may never come. Of several targets, its
            callbacks are called for each. False where the recorder is closed, and
            keeps nothing.

        Raises:
            FormatError: If a value cannot be copied.
            TooLargeError: If the values are more than is ever kept.
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
                f"checkpoint {key} holds {size} bytes, and the recorder keeps "
                f"{self.max_bytes} in all: a larger max_bytes helps"
            )
            raise TooLargeError(message)
        values = frozen_values(staged)
        settled = Key(key.name, freeze(key.tags), key.origin or Origin.here())
        outcome = Outcome(len(handlers))
        writes = tuple(zip(handlers, outcome.parts, strict=True))
        self._memory.add(Kept(settled, values, size, writes, outcome))
        if callable(self.when) and self.when(settled, values):
            self.dump(f"when: {settled}")
        return outcome

    def dump(self, why: str = "told to") -> int:
        """
        Write what is kept, the oldest save first, and go on with nothing kept.

        An error of a save goes where the rule's `on_error` says.

        Args:
            why: What the header of each entry says under `dumped`.

        Returns:
            How many saves were written, to all of their targets.
        """
        return self._dump(why, _PATIENCE)

    def _dump(self, why: str, patience: float) -> int:
        written = total = 0
        involved: dict[int, Handler] = {}
        with self._memory.dump(patience) as saves:
            for save in saves:
                total += 1
                involved.update((id(handler), handler) for handler, _ in save.writes)
                written += self._write(save, why[:_LONGEST_WHY])
            self._tell(why, written, total)
        left = countdown(patience or _PATIENCE_OF_SIGNALS)
        for handler in involved.values():
            with suppress(Exception):
                handler.flush(left())
        return written

    def _write(self, save: Kept, why: str) -> bool:
        origin = (save.key.origin or Origin.here())._replace(dumped=why)
        key = Key(save.key.name, save.key.tags, origin)
        is_written = True
        for at, (handler, part) in enumerate(save.writes):
            try:
                result = handler.commit(key, handler.stage(None, save.values))
                _hand_on(result, save.outcome, part)
            except Exception as error:  # noqa: BLE001 - its outcome, seen to by the rule
                save.outcome.settle(part, error)
                is_written = False
            except BaseException:
                # Of an interrupt: what is written already need not be once more.
                self._memory.in_hand = save._replace(writes=save.writes[at:])
                raise
        return is_written

    def _tell(self, why: str, written: int, total: int) -> None:
        given_up, self._memory.given_up = self._memory.given_up, 0
        if total:
            older = f"; {given_up} older ones had been given up" if given_up else ""
            logger.warning(
                "%r wrote %d of the %d saves that it had kept%s. Why: %s",
                self,
                written,
                total,
                older,
                why[:_LONGEST_WHY],
            )

    def flush(self, timeout: float | None = None) -> None:
        """Wait for what was written in the background; `Handler.flush` says more."""
        _flush(self.handlers, timeout)

    def _crashed(self, error: BaseException) -> None:
        with suppress(Exception):
            why = f"exception: {type(error).__name__}: {text_of(error)}"
            self.dump(why.rstrip(": "))

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        name = signals.Signals(number).name
        with suppress(Exception):
            # What this has interrupted may hold what the thread that dumps waits for.
            self._dump(f"signal: {name}", 0)
        if callable(self._before):
            self._before(number, frame)
        elif self._before == signals.SIG_DFL and name not in _GO_ON:
            signals.signal(number, signals.SIG_DFL)
            os.kill(os.getpid(), number)


class _Beside(Handler):
    """Keeps its saves in the memory of a recorder, for targets of its own."""

    def __init__(self, recorder: Recorder, handlers: tuple[Handler, ...]) -> None:
        self.recorder = recorder
        self.handlers = handlers
        self._targets = InForce()

    def __repr__(self) -> str:
        return _told(self.handlers, self.recorder.max_bytes)

    def begin(self) -> None:
        self.recorder.hold(self)
        self._targets.begin(self.handlers)

    def end(self) -> None:
        self._targets.keep(())
        self.recorder.release(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # Elsewhere there is no memory to share.
        made, _ = self.recorder.__reduce__()
        return made, (target_of(self.handlers),)

    def commit(self, key: Key, staged: Mapping[str, Any]) -> Result:
        keep = self.recorder._keep  # noqa: SLF001 - the two are one recorder
        return keep(key, staged, self.handlers)

    def flush(self, timeout: float | None = None) -> None:
        _flush(self.handlers, timeout)


def beside(recorder: Recorder, target: Target, options: Mapping[str, Any]) -> Handler:
    """Return what saves into the memory of a recorder, for another target."""
    return _Beside(recorder, handlers_for(target, options))


def _told(handlers: tuple[Handler, ...], max_bytes: int) -> str:
    target = handlers[0] if len(handlers) == 1 else list(handlers)
    return f"Recorder({target!r}, max_bytes={max_bytes})"


def _flush(handlers: tuple[Handler, ...], timeout: float | None) -> None:
    left = countdown(None if timeout is None else checked_seconds(timeout))
    for handler in handlers:
        handler.flush(left())


def _hand_on(result: Result, outcome: Outcome, part: Future[Any]) -> None:
    """Settle a part of an outcome by what writing has come to, now or later."""
    if not isinstance(result, Future):
        outcome.settle(part, None, result)
        return

    def over(done: Future[Any]) -> None:
        error = CancelledError() if done.cancelled() else done.exception()
        outcome.settle(part, error, None if error else done.result())

    result.add_done_callback(over)


def _found_nan(_key: Key, values: Mapping[str, Any]) -> bool:
    return holds_nan(values)


def _check_options(options: Mapping[str, Any]) -> None:
    for option in options:
        if option not in FileHandler.OPTIONS:
            known = ", ".join(("max_bytes", "when", "signal", *FileHandler.OPTIONS))
            message = f"option {option!r} is not known; there are: {known}"
            raise ConfigError(message)


def _checked_when(when: Any) -> When | None:
    if when == "nan":
        return _found_nan
    if when is not None and not callable(when):
        message = f"when={shown(when)} has to be a function of (key, values), or 'nan'"
        raise ConfigError(message)
    checked: When | None = when
    return checked


def _checked_signal(number: Any) -> int:
    try:
        found = signals.Signals(number)
    except ValueError as error:
        message = f"signal={shown(number)} is no signal: give signal.SIGUSR1, for one"
        raise ConfigError(message) from error
    if found.name in NOT_CAUGHT:
        message = f"{found.name} cannot be caught: give signal.SIGUSR1, for one"
        raise ConfigError(message)
    return found
