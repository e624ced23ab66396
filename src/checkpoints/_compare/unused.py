"""What was asked for, and has had no effect on a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from checkpoints._compare.side import Side
from checkpoints._keys.pattern import NamePattern

__all__ = ["Unused", "unused_of"]


class Unused(NamedTuple):
    """
    What has had no effect.

    Args:
        keys: The patterns, given with key columns, that match no entry.
        rename: What was to be renamed, and is no name or tag of the baseline.
        ignore_tags: The tags to be ignored that no entry has.
    """

    keys: tuple[str, ...] = ()
    rename: tuple[str, ...] = ()
    ignore_tags: tuple[str, ...] = ()


def unused_of(
    sides: tuple[Side, Side],
    keys: Iterable[str],
    rename: Mapping[str, str],
    ignore_tags: Collection[str],
) -> Unused:
    """Return which keys, names and tags were given in vain."""
    names = {record.key[0] for side in sides for record in side.records}
    baseline = sides[0].index.names() if rename else []
    renamed = {sides[0].options.old_name(name) for name in baseline}
    return Unused(
        tuple(it for it in keys if not any(map(NamePattern(it).covers, names))),
        tuple(
            f"{old}={new}"
            for old, new in rename.items()
            if old not in renamed and not sides[0].index.tag_values(old)
        ),
        tuple(tag for tag in ignore_tags if not _has_tag(sides, tag)),
    )


def _has_tag(sides: Iterable[Side], tag: str) -> bool:
    return any(
        side.index.tag_values(old)
        for side in sides
        for old in side.options.old_tags(tag)
    )
