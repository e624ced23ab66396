"""`checkpoint()`, and the functions that declare names and tell what is in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

from checkpoints._handlers.handler import ABSENT
from checkpoints._keys.key import joined_name
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
]

# The same dict for good, so that a call that is off needs no attribute lookup.
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
    Save data if a rule is in force for the name; otherwise do nothing, quickly.

    The three forms are distinguished by the number of arguments only, so
    `checkpoint("a", "b")` saves the text `"b"` under `"a"`:

    - `checkpoint(name, data)`
    - `checkpoint(name, **values)`
    - `checkpoint(prefix, name, data)`, the same as `checkpoint("prefix.name", data)`

    Data is saved as it is at the call. If another thread changes a large array while it
    is being written, the file is damaged, which is detected when it is loaded.

    Args:
        name: The dotted name. A name that was never registered is registered now.
        data: The data to save. A mapping with only str keys is saved as its values by
            name; anything else as one value, called `data`.
        nested: The data, in the form with a prefix.
        **values: More values, by name.

    Raises:
        Exception: The error of a failed save, under a rule with `on_error="raise"`.

    >>> from checkpoints import capture
    >>> with capture("shop") as seen:
    ...     checkpoint("shop.total", items=3, price=9.5)
    >>> seen["shop/total"]
    {'items': 3, 'price': 9.5}
    """
    try:
        # One comparison for two questions: ABSENT is both the plan of a name that is
        # off and the value of `nested` without a prefix. Calls that are off end here.
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
    Declare checkpoints, so that they can be listed before any code has run.

    `register(names)` or `register(prefix, names)`. Best called at the top of the module
    that saves them.

    Args:
        prefix: A prefix for each name, joined with a dot.
        names: A name, or several.

    Raises:
        ConfigError: If a name is empty, not a text, or has an empty part.

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
        message = f"register takes a name or several names, not {names!r}"
        raise ConfigError(message) from error


@overload
def deprecate(old: str, new: str, /) -> None: ...
@overload
def deprecate(prefix: str, old: str, new: str, /) -> None: ...
def deprecate(prefix: str, old: str, new: str = ABSENT, /) -> None:
    """
    Rename a checkpoint: calls and rules that use the old name reach the new one.

    Each use of the old name emits a `DeprecationWarning`. Chains are followed.

    `deprecate(old, new)` or `deprecate(prefix, old, new)`.

    Args:
        prefix: A prefix for both names, joined with a dot.
        old: The old name.
        new: The new name.

    Raises:
        ConfigError: If the new name leads back to the old one, or a name is invalid.

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
    Return the names of all known checkpoints, sorted.

    These are all that were registered or called, without deprecated names.

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
    Return the deprecated names, each with its replacement.

    >>> register("shop.sum")
    >>> deprecate("shop.addition", "shop.sum")
    >>> deprecated()["shop.addition"]
    'shop.sum'
    """
    return registry.names.renamed()


def is_enabled(name: str) -> bool:
    """
    Tell whether a call here and now would reach a rule with a target.

    A guard for data that is expensive to compute. The tags of the context are
    considered, and a `limit` that is used up; values and `every` are not. It has no
    side effects. If a rule's `where` raises, the answer is yes, so that the call
    handles the error as `on_error` says.

    Args:
        name: The dotted name.

    >>> is_enabled("shop.total")
    False
    """
    return registry.is_enabled(name)


def flush(timeout: float | None = None) -> None:
    """
    Wait until every accepted background save has finished or failed.

    Args:
        timeout: In seconds, for all handlers together; by default, each handler's
            `max_wait`.

    Raises:
        ConfigError: If the timeout is not a number of seconds.
        PendingError: If saves are unfinished by then. They continue.
        Exception: The error of a background save, under `on_error="raise"`.

    >>> flush()
    """
    registry.flush(timeout)


def rules() -> list[Rule]:
    """
    Return the rules in force; of those that cover a name, the last one wins.

    The program's own rules come first, in the order of their creation, then those from
    outside, whose `Rule.source` tells where they were written.

    >>> from checkpoints import config
    >>> with config("shop", print) as rule:
    ...     rule in rules()
    True
    """
    return registry.rules()


def reset() -> None:
    """
    Remove every rule that the program made, and reset all counts.

    Names stay known, and rules from outside stay in force.

    >>> reset()
    >>> rules()
    []
    """
    registry.reset()
