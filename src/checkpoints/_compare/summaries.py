"""Summaries, which were saved in place of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._compare.nested import compare_nested
from checkpoints._compare.sorts import is_summary
from checkpoints._kinds.summary import summaries_of

__all__ = ["compare_summaries"]

_NOT_STATISTICS = {"hash", "bytes", "why"}


def compare_summaries(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two summaries, or a summary with a value, which is summarised too.

    The same hash means the same content. Otherwise the statistics are compared, and
    where they are within the tolerance the values are close as far as is known.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed.
    """
    notes = []
    if not (is_summary(one) and is_summary(other)):
        side = "baseline" if is_summary(one) else "candidate"
        notes.append(f"summary in the {side} only")
    summaries = [
        value if is_summary(value) else summaries_of({"value": value})["value"]
        for value in (one, other)
    ]
    kinds = summaries[0]["kind"], summaries[1]["kind"]
    hashes = [summary.get("hash") for summary in summaries]
    if hashes[0] is not None and hashes[0] == hashes[1]:
        # A summary and a value are never the same saved value.
        verdict = "close" if notes else "equal"
        notes.append("equal by the hash of a summary")
        return Difference(verdict=verdict, kind=kinds, notes=tuple(notes))  # type: ignore[arg-type]
    found = compare_nested(
        _statistics(summaries[0]), _statistics(summaries[1]), comparer
    )
    notes.append("only summaries were saved: statistics were compared, not cells")
    found = replace(found, kind=kinds, notes=(*notes, *found.notes))
    if found.verdict not in ("equal", "close"):
        return found
    if None in hashes:
        return replace(
            found, verdict="unknown", why="the statistics agree, but there is no hash"
        )
    # The hashes differ, so some bit does.
    return replace(found, verdict="close", bits=max(1, found.bits))


def _statistics(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in summary.items() if key not in _NOT_STATISTICS}
