"""What two values are compared by in the end."""

from __future__ import annotations

from typing import Any

__all__ = ["ANY", "Leaf"]


class Leaf:
    """
    Something that is compared by `==`, and by the types of what it has inside.

    Args:
        content: Text, numbers, bytes, or tuples and lists of these.
    """

    __slots__ = ("content",)

    def __init__(self, content: Any) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and repr(self.content) == repr(other.content)

    def __hash__(self) -> int:
        return hash(repr(self.content))

    def __str__(self) -> str:
        return repr(self.content)


# In the place of a part of the original that may come back as anything.
ANY = object()
