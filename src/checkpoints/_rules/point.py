"""`point()`: a save point as an object, for code that is called often."""

from __future__ import annotations

from typing import Any, Self

from checkpoints._handlers.handler import ABSENT
from checkpoints._keys.key import checked_name, joined_name
from checkpoints._process.pickling import public
from checkpoints._rules.registry import registry
from checkpoints._rules.switch import Switch

__all__ = ["Point", "point"]

_points: dict[str, Point] = {}


class Point(Switch):
    """
    A save point, as `point` returns it.

    Args:
        name: The dotted name.

    Attributes:
        name: The name.
        on: Whether a rule may save a call. It is set when a rule comes or goes, for all
            threads; tags are not considered, and a `limit` that is used up is off.
    """

    __slots__ = ()

    def __call__(self, data: Any = ABSENT, /, **values: Any) -> None:
        """
        Save data, as `checkpoint` does; a return if no rule is on for the name.

        Args:
            data: As for `checkpoint`.
            **values: As for `checkpoint`.

        Raises:
            Exception: The error of a failed save, under a rule with `on_error="raise"`.
        """
        if self.on:
            registry.call(self.name, data, values)

    def __repr__(self) -> str:
        return f"<Point {self.name!r}, {'on' if self.on else 'off'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return public(Point), (self.name,)

    def __new__(cls, name: str) -> Self:
        known = _points.get(name)
        if isinstance(known, cls):
            return known
        made = object.__new__(cls)
        Switch.__init__(made, checked_name(name))
        registry.names.add(name)
        registry.connect(made)
        # Last, so that no thread gets one that is not finished; dict.setdefault is
        # atomic, and one that another thread has made meanwhile counts.
        known = _points.setdefault(name, made)
        return known if isinstance(known, cls) else made

    def __init__(self, name: str) -> None:
        """Do nothing: it is made whole above, or was made before."""


def point(prefix: str, name: str = ABSENT, /) -> Point:
    """
    Return the save point of a name, which this declares; best at the top of a module.

    A call of it saves as `checkpoint` does with that name. While no rule is on, the
    attribute `on` costs no more than any attribute, so it guards what is costly.

    `point(name)` or `point(prefix, name)`. The same name gives the same object.

    Args:
        prefix: A prefix, joined with a dot.
        name: The dotted name.

    Returns:
        The save point. It can be pickled: a copy elsewhere follows the rules there.

    Raises:
        ConfigError: If the name is not a text, or has an empty part.

    >>> from checkpoints import capture
    >>> total = point("shop.total")
    >>> total.on
    False
    >>> with capture("shop") as seen:
    ...     if total.on:
    ...         total(items=3)
    >>> seen["shop/total"]
    {'items': 3}
    """
    return Point(checked_name(prefix) if name is ABSENT else joined_name(prefix, name))
