"""`checkpoint()`, and the functions that declare names and make rules for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

from checkpoints._handlers.handler import ABSENT
from checkpoints._handlers.outcomes import Stats, outcomes
from checkpoints._keys.key import joined_name
from checkpoints._process import drain
from checkpoints._rules.registry import registry
from checkpoints.errors import ConfigError

if TYPE_CHECKING:
    from checkpoints._rules.rule import Rule

__all__ = [
    "available",
    "checkpoint",
    "deprecate",
    "deprecated",
    "enabled",
    "flush",
    "is_enabled",
    "register",
    "reset",
    "rules",
    "stats",
]

# Never bound anew, so that an off call needs no attribute of anything.
_plans = registry.plans


@overload
def checkpoint(name: str, /, **values: Any) -> None: ...
@overload
def checkpoint(name: str, data: Any, /, **values: Any) -> None: ...
@overload
def checkpoint(prefix: str, name: str, data: Any, /, **values: Any) -> None: ...
def checkpoint(
    name: str, data: Any = ABSENT, nested: Any = ABSENT, /, **values: Any
) -> None:
    """
    Save data, if a rule is in force for the name; else do nothing, quickly.

    The three forms are told apart by the number of arguments alone, so
    `checkpoint("a", "b")` saves the text `"b"` under `"a"`:

    - `checkpoint(name, data)`
    - `checkpoint(name, **values)`
    - `checkpoint(prefix, name, data)`, the same as `checkpoint("prefix.name", data)`

    What is saved is the state of the call, unless another thread changes the data
    meanwhile: a large array that changes while it is written is found damaged when it
    is loaded.

    Args:
        name: The dotted name. One that was never registered is registered by this.
        data: What to save. A mapping with only str keys is its values by name;
            anything else is one value, called `data`.
        nested: The data, in the form with a prefix.
        **values: More values, by name.

    Raises:
        Exception: Only under a rule with `on_error="raise"`: what hindered the save.

    >>> from checkpoints import capture
    >>> with capture("shop") as seen:
    ...     checkpoint("shop.total", items=3, price=9.5)
    >>> seen["shop/total"]
    {'items': 3, 'price': 9.5}
    """
    try:
        # One comparison for two questions: the plan of a name that is off is what
        # `nested` is when no prefix was given. Off calls end here.
        if _plans[name] is nested:
            return
    except (KeyError, TypeError):
        pass
    if nested is not ABSENT:
        name, data = joined_name(name, data), nested
    elif values and type(data) is str:
        registry.names.warn_of_lost_prefix(name, data)
    registry.call(name, data, values)


@overload
def register(names: str | Iterable[str], /) -> None: ...
@overload
def register(prefix: str, names: str | Iterable[str], /) -> None: ...
def register(
    prefix: str | Iterable[str], names: str | Iterable[str] = ABSENT, /
) -> None:
    """
    Declare checkpoints, so that they can be listed before anything has run.

    `register(names)` or `register(prefix, names)`. Best done where the module that
    calls them is imported.

    Args:
        prefix: What to put before each name, with a dot between.
        names: A name, or several.

    Raises:
        ConfigError: If a name is empty, is no text, or has an empty part.

    >>> register("shop", ["total", "discount"])
    >>> "shop.total" in available()
    True
    """
    given = prefix if names is ABSENT else names
    listed = [given] if isinstance(given, str) else _listed(given)
    if names is not ABSENT:
        listed = [joined_name(prefix, name) for name in listed]
    registry.names.register(listed)


def _listed(names: Iterable[str]) -> list[str]:
    try:
        return list(names)
    except TypeError as error:
        message = f"register takes a name or several, not {names!r}"
        raise ConfigError(message) from error


@overload
def deprecate(old: str, new: str, /) -> None: ...
@overload
def deprecate(prefix: str, old: str, new: str, /) -> None: ...
def deprecate(prefix: str, old: str, new: str = ABSENT, /) -> None:
    """
    Rename a checkpoint: calls and rules that use the old name reach the new one.

    Each use of the old name gives a `DeprecationWarning`. Chains are followed.

    `deprecate(old, new)` or `deprecate(prefix, old, new)`.

    Args:
        prefix: What to put before both names, with a dot between.
        old: The name that was.
        new: The name that is.

    Raises:
        ConfigError: If the new name leads back to the old one, or cannot be a name.

    >>> register("shop.rebate")
    >>> deprecate("shop.cut", "shop.rebate")
    >>> deprecated()["shop.cut"]
    'shop.rebate'
    """
    if new is ABSENT:
        old, new = prefix, old
    else:
        old, new = joined_name(prefix, old), joined_name(prefix, new)
    registry.deprecate(old, new)


def available() -> list[str]:
    """
    Return the names of all checkpoints that are known, sorted.

    Those that were registered and those that were called; names that were deprecated
    are not among them.

    >>> register("shop.stock")
    >>> "shop.stock" in available()
    True
    """
    return registry.names.available()


def enabled() -> list[str]:
    """
    Return the names that a rule with a target covers, sorted.

    >>> from checkpoints import config
    >>> register("shop.stock")
    >>> with config("shop.stock", print):
    ...     enabled()
    ['shop.stock']
    """
    return [name for name in registry.names.available() if registry.plan(name)]


def deprecated() -> dict[str, str]:
    """
    Return the names that were deprecated, each with the one that took its place.

    >>> register("shop.sum")
    >>> deprecate("shop.addition", "shop.sum")
    >>> deprecated()["shop.addition"]
    'shop.sum'
    """
    return registry.names.renamed()


def is_enabled(name: str) -> bool:
    """
    Tell whether a call here and now would reach a rule with a target.

    A guard for data that is costly to make. The tags of the context count; `every`
    and `limit` do not. To ask changes nothing. Where a rule's `where` raises, the
    answer is yes, so that the call is made, which does what `on_error` says.

    Args:
        name: The dotted name.

    >>> is_enabled("shop.total")
    False
    """
    return registry.is_enabled(name)


def flush(timeout: float | None = None) -> None:
    """
    Wait until everything that was accepted in the background is saved.

    Args:
        timeout: Seconds, for all handlers together; for each its own `max_wait` unless
            given.

    Raises:
        ConfigError: If the timeout is not a number of seconds.
        PendingError: If it is not saved then. It goes on.
        Exception: Under `on_error="raise"`, what hindered a save in the background.

    >>> flush()
    """
    registry.flush(timeout)


def stats() -> Stats:
    """
    Return what became of the saves of this process so far, in numbers.

    A save is counted for each handler that gets it. A forked child begins at zero.

    >>> from checkpoints import capture
    >>> with capture("shop"):
    ...     checkpoint("shop.total", 12)
    >>> stats().by_name["shop.total"]["saved"] > 0
    True
    """
    return outcomes.stats(*drain.pending())


def rules() -> list[Rule]:
    """
    Return the rules in force: of those that cover a name, the last one counts.

    The program's own come first, in the order in which they were made, then those
    from outside. `Rule.source` tells where these were written.

    >>> from checkpoints import config
    >>> with config("shop", print) as rule:
    ...     rule in rules()
    True
    """
    return registry.rules()


def reset() -> None:
    """
    Take back every rule that the program made, and count from zero again.

    The names stay known, and the rules from outside stay in force.

    >>> reset()
    >>> rules()
    []
    """
    registry.reset()
