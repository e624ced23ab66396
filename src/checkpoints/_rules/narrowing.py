"""A transform: what becomes of values before anything of them is stored."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from checkpoints._handlers.outcomes import outcomes
from checkpoints._kinds.summary import summaries_of
from checkpoints._kinds.weight import size_of, weight_of
from checkpoints._rules.options import Narrowed
from checkpoints._text import parse_size, shown
from checkpoints.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "Names", "Narrowing", "Transform", "transform_for"]

GROUP = "checkpoints.transforms"

Names: TypeAlias = str | Iterable[str]
_Function: TypeAlias = Callable[[dict[str, Any]], object]


class Transform:
    """
    A function from values to values, and what it may not do.

    Args:
        function: Takes a dict of values by name, which is its own; returns one.
        given: What stood for it: the function, or the name of an entry point.
        entry: Where the function is found, if it is not here yet.
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
        Return the function; the first time it is imported, if it was named.

        Raises:
            ConfigError: If it cannot be loaded.
        """
        found = self.function
        if found is None:
            found = self.function = _loaded(self._entry)
        return found

    def __call__(self, values: dict[str, Any]) -> dict[str, Any]:
        """
        Return what it makes of values.

        Raises:
            FormatError: If that is no dict with names for keys.
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
        # Not shown: it may be what was to be redacted.
        what = f"a {type(found).__name__}"
        if isinstance(found, dict):
            what = "a dict with keys that are no texts"
        message = (
            f"transform={self._text} returned {what}, so nothing was stored: it has to "
            "return a dict of values by name"
        )
        raise FormatError(message)


def transform_for(given: object) -> Transform:
    """
    Return the transform that an option stands for.

    Args:
        given: A function, or the name of an entry point, which has to be installed.

    Raises:
        ConfigError: If it is neither.
    """
    if isinstance(given, str):
        return Transform(None, given, _installed(given))
    is_awaited = inspect.iscoroutinefunction(given)
    if callable(given) and not isinstance(given, type) and not is_awaited:
        return Transform(given, given)
    message = (
        f"transform={shown(given)} has to be a function f(values) that returns a dict "
        f"of values, or the name of an entry point of the group {GROUP!r}"
    )
    raise ConfigError(message)


def _installed(name: str) -> EntryPoint:
    # Costs more to import than all the rest of this library.
    from importlib.metadata import entry_points

    installed = entry_points(group=GROUP)
    found = {entry.value: entry for entry in installed if entry.name == name}
    if len(found) != 1:
        names = ", ".join(sorted({shown(entry.name) for entry in installed}))
        what = "is installed more than once" if found else "is not installed"
        message = (
            f"transform={shown(name)} {what}, as an entry point of the group "
            f"{GROUP!r}; there are: {names or 'none'}"
        )
        raise ConfigError(message)
    (entry,) = found.values()
    return entry


def _loaded(entry: EntryPoint) -> _Function:
    name = entry.name
    try:
        function = entry.load()
    except Exception as error:
        message = (
            f"transform={shown(name)}, which is {entry.value}, cannot be loaded "
            f"({type(error).__name__}: {error}): see to the package that has it"
        )
        raise ConfigError(message) from error
    if not callable(function):
        message = f"transform={shown(name)}, which is {entry.value}, is not a function"
        raise ConfigError(message)
    return function  # type: ignore[no-any-return]


class Narrowing:
    """
    The options of a rule that make less of its data, in the order of their turn.

    Args:
        values: Which of the named values are saved: a name, a glob, or a list of them.
        transform: A function that takes the values as a dict and returns those to be
            saved; or the name of an entry point of the group `checkpoints.transforms`.
        summary: Save statistics and a hash of each value, and not the value.
        max_bytes: How large the values of one save may be.
        max_total_bytes: How large those of all saves by this rule in this process.

    Raises:
        ConfigError: If an option cannot be.
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
            raise ConfigError(f"summary={shown(summary)} has to be True or False")
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
        Import the transform, if it was named.

        Raises:
            ConfigError: If it cannot be loaded.
        """
        if self.transform is not None:
            self.transform.load()

    def renew(self) -> None:
        """Begin to count anew: here, and in a forked child."""
        # Reentrant, as a signal or the garbage collector may save something anywhere.
        self._lock = threading.RLock()
        self._spent = 0
        self._is_told = False
        # Whether a call had any of the values so far, and which others one had that had
        # none of them.
        self.met: bool = False
        self.missed: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        options = ((option, getattr(self, option)) for option in self.OPTIONS)
        given = [f"{name}={value!r}" for name, value in options if value]
        return ", ".join(given)

    def given(self) -> dict[str, Any]:
        """Return the options that were given, as they can be given again."""
        options = {option: getattr(self, option) for option in self.OPTIONS}
        if self.transform is not None:
            options["transform"] = self.transform.given
        return {
            it: value
            for it, value in options.items()
            if value is not None and value is not False
        }

    def narrowed(self, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """
        Return what is to be saved of the values of a call, for every handler alike.

        Args:
            name: The name of the checkpoint.
            values: The values by name; they are left as they are.

        Returns:
            The values to save; None where nothing is to be saved, which is counted.

        Raises:
            FormatError: If `transform` returned what is no dict of values.
            Exception: What `transform` raised.
        """
        return self.whole(name, self.each(values))

    def each(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is done to each value by itself, whatever else will be there."""
        chosen = {name: value for name, value in values.items() if self._wants(name)}
        if chosen:
            self.met = True
        elif self.values is not None:
            self.missed = tuple(values) or self.missed or ()
        if self.summary and self.transform is None:
            return dict(summaries_of(chosen))
        return chosen

    def whole(self, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Do the rest, to all values of a save that `each` has left."""
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
        return self.values is None or any(
            name == wanted or fnmatchcase(name, wanted) for wanted in self.values
        )

    def _fits(self, name: str, values: Mapping[str, Any]) -> bool:
        """Tell whether there is room for a save, and take it."""
        if self.max_bytes is not None and (size := size_of(values)) > self.max_bytes:
            story = (
                f"checkpoint {name!r} was dropped: its values hold about {size} bytes, "
                f"more than max_bytes={self.max_bytes}"
            )
            way_out = "A larger max_bytes, values=[...], or summary=True, helps"
            outcomes.dropped(name, "max_bytes", story, way_out)
            return False
        if self.max_total_bytes is None:
            return True
        size = weight_of(values)
        with self._lock:
            left = self.max_total_bytes - self._spent
            if size <= left:
                self._spent += size
                return True
            is_told, self._is_told = self._is_told, True
        story = (
            f"checkpoint {name!r} was dropped: the rule may save "
            f"max_total_bytes={self.max_total_bytes} in this process, of which {left} "
            f"are left, and this needs about {size}"
        )
        way_out = "What does not fit is only counted from now on; see stats()"
        reason = "max_total_bytes"
        outcomes.dropped(name, reason, story, way_out, kind=self, is_told=is_told)
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
            f"values={shown(values)} has to be the name of a value, a glob, or a list "
            "of these; leave it out to save all"
        )
        raise ConfigError(message)
    return names
