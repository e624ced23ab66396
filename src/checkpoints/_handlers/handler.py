"""What saves: a handler's two verbs, and the handler for functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, SupportsIndex

from checkpoints._handlers.outcomes import Result, outcomes
from checkpoints._keys.key import Key
from checkpoints._keys.tags import current_tags
from checkpoints._process.origin import Origin
from checkpoints._process.pickling import told
from checkpoints.errors import ConfigError

__all__ = ["ABSENT", "FunctionHandler", "Handler", "named_values"]

# Stands for data that was not given, where None is data like any other.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "<absent>"})()


class Handler:
    """
    Where the data of a checkpoint goes. Subclass it and write `commit`.

    >>> class Printing(Handler):
    ...     def commit(self, key, staged):
    ...         print(key.name, staged)
    >>> Printing().checkpoint("shop.total", 12)
    shop.total {'data': 12}
    """

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return told(self, super().__reduce_ex__(protocol))

    def stage(self, staged: Any, data: Mapping[str, Any]) -> Any:
        """
        Add data to what is staged.

        Args:
            staged: What the last call returned, or None at the first.
            data: Values by name. From a session they are copies; from a plain call
                they are the caller's own, so copy what outlasts `commit`.

        Returns:
            What is staged now. A dict of all values, unless overridden.
        """
        if staged is None:
            return dict(data)
        staged.update(data)
        return staged

    def commit(self, key: Key, staged: Any) -> Result:
        """
        Save what was staged.

        Args:
            key: The name and the tags to save it under.
            staged: What `stage` returned.

        Returns:
            Nothing when it is saved; False where there was no need to; a
            `concurrent.futures.Future` where the save goes on elsewhere: its error
            goes the way of one that is raised, cancelled means dropped.

        Raises:
            Exception: Anything; the rule's `on_error` says what becomes of it.
        """
        message = f"{type(self).__name__} has to define commit(key, staged)"
        raise NotImplementedError(message)

    def checkpoint(self, name: str, data: Any = ABSENT, /, **values: Any) -> None:
        """
        Save data right now, under the tags of the context, without any rule.

        Args:
            name: The dotted name to save it under.
            data: As for `checkpoint`.
            **values: As for `checkpoint`.

        Raises:
            Exception: Whatever hinders the save.
        """
        key = Key(name, current_tags(), Origin.here())
        result = self.commit(key, self.stage(None, named_values(data, values)))
        outcomes.follow(result, key, self)

    def flush(self, timeout: float | None = None) -> None:
        """
        Wait until all that was committed is saved. For handlers that save elsewhere.

        Args:
            timeout: Seconds; None for as long as the handler finds reasonable.

        Raises:
            PendingError: If it is not saved then.
        """


def named_values(data: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a call by name, as `checkpoint` describes it."""
    if data is ABSENT:
        return values
    if not isinstance(data, dict | Mapping) or not all(
        isinstance(name, str) for name in data
    ):
        data = {"data": data}
    if not values:
        return dict(data)
    twice = sorted(data.keys() & values.keys())
    if twice:
        message = (
            f"value {twice[0]!r} is given twice, in the data and as a keyword: "
            "give one of them another name"
        )
        raise ConfigError(message)
    return {**data, **values}


class FunctionHandler(Handler):
    """
    Hands every save to a function.

    Args:
        function: Called as `function(key, data)`, the data a dict of values by name.
    """

    def __init__(self, function: Callable[[Key, dict[str, Any]], object]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return f"FunctionHandler({self.function!r})"

    def commit(self, key: Key, staged: Mapping[str, Any]) -> None:
        """Call the function."""
        self.function(key, dict(staged))
