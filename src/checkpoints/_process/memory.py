"""The memory that this process may take: that of the machine, or of its group."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator

__all__ = ["limits_of_groups", "most_memory"]


@functools.cache
def most_memory() -> int:
    """Return how many bytes of memory this process may take at most."""
    return min(_physical_memory(), *limits_of_groups(), sys.maxsize)


def _physical_memory() -> int:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows, for example
        return sys.maxsize
    return size if size > 0 else sys.maxsize


def limits_of_groups(
    groups: str = "/proc/self/cgroup", base: str = "/sys/fs/cgroup"
) -> list[int]:
    """
    Return the limits of the control groups of Linux that this process is in.

    Args:
        groups: The file that names the groups of this process.
        base: The folder of all groups.
    """
    try:
        with open(groups, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:  # another system
        return []
    return [limit for line in lines for limit in _limits(line, base)]


def _limits(line: str, base: str) -> Iterator[int]:
    """Yield the limits of one group, and of those that it is in."""
    _, controllers, group = line.split(":", 2)
    if controllers and "memory" not in controllers.split(","):
        return
    root = f"{base}/memory" if controllers else base
    file = "memory.limit_in_bytes" if controllers else "memory.max"
    # A container may not see its own group, but sees the limit of it at the root.
    while True:
        try:
            with open(f"{root}{group}/{file}", encoding="ascii") as limit:
                yield int(limit.read())
        except (OSError, ValueError):  # it has none, which is written as "max"
            pass
        if group.strip("/") == "":
            return
        group = os.path.dirname(group)
