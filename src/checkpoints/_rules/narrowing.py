"""The options of a rule that narrow its data before any of it is stored."""

from __future__ import annotations

import inspect
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler
from checkpoints._handlers.outcomes import outcomes
from checkpoints._kinds.summary import summaries_of
from checkpoints._kinds.weight import size_of, weight_of
from checkpoints._process.libraries import imported
from checkpoints._rules.member import AFTER, members_like
from checkpoints._rules.options import Narrowed
from checkpoints._text import hint, parse_size, shown
from checkpoints.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "GROUP",
    "Names",
    "Narrowing",
    "Transform",
    "check_takes_summaries",
    "transform_for",
]

GROUP = "checkpoints.transforms"

Names: TypeAlias = str | Iterable[str]
_Function: TypeAlias = Callable[[dict[str, Any]], object]


class Transform:
    """
    A function that replaces the values of a save, with checks.

    Args:
        function: Takes a dict of values by name, which it may change; returns one.
        given: The option as it was given: the function, or the name of an entry point.
        entry: The entry point, if the function is not loaded yet.
    """

    def __init__(
        self,
        function: _Function | None,
        given: str | _Function,
        entry: EntryPoint | None = None,
    ) -> None:
        self.function = function
        self.given = given
        self._text = shown(given)
        self._entry: Any = entry

    def __repr__(self) -> str:
        return self._text

    def load(self) -> _Function:
        """
        Return the function, importing it at the first call if it was given by name.

        Raises:
            ConfigError: If it cannot be loaded.
        """
        found = self.function
        if found is None:
            found = self.function = _loaded(self._entry)
        return found

    def __call__(self, values: dict[str, Any]) -> dict[str, Any]:
        """
        Apply the function to values.

        Raises:
            FormatError: If the result is not a dict with texts as keys.
            Exception: What the function raises.
        """
        function = self.load()
        try:
            found = function(values)
        except Exception as error:
            error.add_note(f"raised by transform={self._text}, so nothing was stored")
            raise
        if isinstance(found, dict) and all(isinstance(name, str) for name in found):
            return dict(found)
        # The value itself is not shown: it may be what the transform should redact.
        what = f"a {type(found).__name__}"
        if isinstance(found, dict):
            what = "a dict with keys that are not texts"
        message = (
            f"transform={self._text} returned {what}, so nothing was stored: it must "
            "return a dict of values by name"
        )
        raise FormatError(message)


def transform_for(given: object) -> Transform:
    """
    Return the transform for an option.

    Args:
        given: A function, the name of an entry point, which must be installed, or the
            place of a function, as `module:function`.

    Raises:
        ConfigError: If it is neither.
    """
    if isinstance(given, str):
        return Transform(None, given, _installed(given))
    is_awaited = inspect.iscoroutinefunction(given)
    if callable(given) and not isinstance(given, type) and not is_awaited:
        return Transform(given, given)
    message = (
        f"invalid transform={shown(given)}: expected a function f(values) that returns "
        f"a dict of values, its place as 'module:function', or the name of an entry "
        f"point of the group {GROUP!r}"
    )
    raise ConfigError(message)


def _installed(name: str) -> EntryPoint:
    # It takes longer to import than the rest of this library.
    installed = imported("importlib.metadata").entry_points(group=GROUP)
    found: dict[str, EntryPoint]
    found = {entry.value: entry for entry in installed if entry.name == name}
    if len(found) > 1:
        message = (
            f"transform={shown(name)} is ambiguous: the group {GROUP!r} has entry "
            f"points of that name for {', '.join(sorted(found))}; uninstall all but one"
        )
        raise ConfigError(message)
    if not found and _is_place(name):
        made: EntryPoint = imported("importlib.metadata").EntryPoint(name, name, GROUP)
        return made
    if not found:
        names = sorted({str(entry.name) for entry in installed})
        message = (
            f"transform={shown(name)} is not installed as an entry point of the group "
            f"{GROUP!r}; {hint(name, names)}"
        )
        raise ConfigError(message)
    (entry,) = found.values()
    return entry


def _is_place(name: str) -> bool:
    """Tell whether a name says where a function is, as `module:function`."""
    module, colon, path = name.partition(":")
    parts = (*module.split("."), *path.split("."))
    return bool(colon) and all(map(str.isidentifier, parts))


def _loaded(entry: EntryPoint) -> _Function:
    name = entry.name
    try:
        function = entry.load()
    except Exception as error:
        message = (
            f"cannot load transform={shown(name)}, which is {entry.value} "
            f"({type(error).__name__}: {error}): check the package that provides it"
        )
        raise ConfigError(message) from error
    if not callable(function):
        message = f"transform={shown(name)}, which is {entry.value}, is not a function"
        raise ConfigError(message)
    return function  # type: ignore[no-any-return]


class Narrowing:
    """
    The options of a rule that narrow its data, in the order in which they apply.

    Args:
        values: Which of the named values are saved: a name, a glob, an attribute of a
            value, such as `self.coef_`, or a list of them.
        transform: A function that takes the values as a dict and returns those to
            save; or the name of an entry point of the group `checkpoints.transforms`,
            or of a place, as `module:function`.
        summary: Save statistics and a hash of each value instead of the value.
        max_bytes: The largest size of the values of one save, in bytes.
        max_total_bytes: The largest size of all saves by this rule in this process.

    Raises:
        ConfigError: If an option is invalid.
    """

    OPTIONS: ClassVar[tuple[str, ...]] = tuple(Narrowed.__annotations__)

    def __init__(
        self,
        *,
        values: Names | None = None,
        transform: str | Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        summary: bool = False,
        max_bytes: int | str | None = None,
        max_total_bytes: int | str | None = None,
    ) -> None:
        if not isinstance(summary, bool):
            message = f"invalid summary={shown(summary)}: expected True or False"
            raise ConfigError(message)
        self.values: tuple[str, ...] | None
        self.values = None if values is None else _checked_values(values)
        self.transform: Transform | None
        self.transform = None if transform is None else transform_for(transform)
        self.summary: bool = summary
        self.max_bytes: int | None = _checked_size("max_bytes", max_bytes)
        self.max_total_bytes: int | None
        self.max_total_bytes = _checked_size("max_total_bytes", max_total_bytes)
        self.renew()

    def load(self) -> None:
        """
        Import the transform, if it was given by name.

        Raises:
            ConfigError: If it cannot be loaded.
        """
        if self.transform is not None:
            self.transform.load()

    def renew(self) -> None:
        """Reset the counts: here, and in a forked child."""
        # Reentrant: a signal handler or a finalizer may save at any point.
        self._lock = threading.RLock()
        self._spent = 0
        self._has_warned = False
        self._left_out: Counter[str] = Counter()
        # Whether any call had one of the values, and the names of a call without any.
        self.has_matched: bool = False
        self.unmatched: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        options = ((option, getattr(self, option)) for option in self.OPTIONS)
        given = [f"{name}={value!r}" for name, value in options if value]
        return ", ".join(given)

    def given(self) -> dict[str, Any]:
        """Return the options that were given, in a form that can be given again."""
        options = {option: getattr(self, option) for option in self.OPTIONS}
        if self.transform is not None:
            options["transform"] = self.transform.given
        return {
            option: value
            for option, value in options.items()
            if value is not None and value is not False
        }

    def narrowed(self, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """
        Narrow the values of a call.

        Args:
            name: The name of the checkpoint.
            values: The values by name; they are not changed.

        Returns:
            The values to save; None if there is nothing to save, which is counted.

        Raises:
            FormatError: If `transform` returned anything but a dict of values.
            Exception: What `transform` raised.
        """
        return self.narrow_all(name, self.narrow_each(values))

    def narrow_each(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Do what concerns each value by itself: the first half of `narrowed`."""
        chosen = {name: value for name, value in values.items() if self._wants(name)}
        for path in self.values or ():
            if "." in path:
                chosen |= members_like(values, path)
        if chosen:
            self.has_matched = True
        elif self.values is not None:
            self.unmatched = tuple(values) or self.unmatched or ()
        if self.summary and self.transform is None:
            return dict(summaries_of(chosen))
        return chosen

    def left_out(self, name: str) -> int:
        """Return how many saves of a name had nothing left to save so far."""
        return self._left_out[name]

    def narrow_all(self, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Do what concerns all values of a save: the second half of `narrowed`."""
        found = self._narrowed_together(name, values)
        if found is None:
            with self._lock:
                self._left_out[name] += 1
        return found

    def _narrowed_together(
        self, name: str, values: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        found = dict(values)
        if not found and self.values is not None:
            outcomes.count(name, "skipped", "values")
            return None
        if self.transform is not None:
            found = self.transform(found)
            if not found:
                outcomes.count(name, "skipped", "transform")
                return None
            if self.summary:
                found = dict(summaries_of(found))
        return found if self._fits(name, found) else None

    def _wants(self, name: str) -> bool:
        # What an argument is after its call belongs to the argument.
        name = name.removesuffix(AFTER)
        return self.values is None or any(
            name == wanted or fnmatchcase(name, wanted) for wanted in self.values
        )

    def _fits(self, name: str, values: Mapping[str, Any]) -> bool:
        """Tell whether the budgets have room for a save, and count it."""
        if self.max_bytes is not None and (size := size_of(values)) > self.max_bytes:
            text = (
                f"checkpoint {name!r} was dropped: its values have about {size} bytes, "
                f"more than max_bytes={self.max_bytes}"
            )
            advice = "Raise max_bytes, or use values=[...] or summary=True"
            outcomes.dropped(name, "max_bytes", text, advice)
            return False
        if self.max_total_bytes is None:
            return True
        size = weight_of(values)
        with self._lock:
            left = self.max_total_bytes - self._spent
            if size <= left:
                self._spent += size
                return True
            is_first, self._has_warned = not self._has_warned, True
        text = (
            f"checkpoint {name!r} was dropped: it needs about {size} bytes, and {left} "
            f"are left of max_total_bytes={self.max_total_bytes} in this process"
        )
        advice = "Further drops by this rule are only counted; see stats()"
        reason = "max_total_bytes"
        outcomes.dropped(name, reason, text, advice, kind=self, is_logged=is_first)
        return False


def _checked_size(option: str, size: object) -> int | None:
    return None if size is None else parse_size(option, size)


def _checked_values(values: Names) -> tuple[str, ...]:
    names: tuple[Any, ...]
    try:
        names = (values,) if isinstance(values, str) else tuple(values)
    except TypeError:
        names = ()
    if not names or not all(isinstance(name, str) and name for name in names):
        message = (
            f"invalid values={shown(values)}: expected the name of a value, a glob, or "
            "a list of these; leave it out to save all values"
        )
        raise ConfigError(message)
    return names


def check_takes_summaries(handlers: Iterable[Handler]) -> None:
    """Raise `ConfigError` if one of the handlers cannot save summaries."""
    for handler in handlers:
        if isinstance(handler, FileHandler) and handler.format == "parquet":
            message = (
                "cannot combine summary=True, which saves dicts, with "
                "format='parquet', which holds a table: use format='zip'"
            )
            raise ConfigError(message)
