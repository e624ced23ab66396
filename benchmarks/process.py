"""A separate process, free of memory, modules and threads left by other work."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.rounds import Row


def run_alone(
    measure: Callable[..., list[Row]],
    hidden: Sequence[str],
    folder: str,
    *,
    quick: bool,
) -> list[Row]:
    """Run a measurement in a separate process, with some packages hidden from it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, hide, (hidden,)) as pool:
        return pool.submit(measure, folder, quick=quick).result()


def hide(packages: Sequence[str]) -> None:
    """Make these packages look as if they were not installed."""
    for package in packages:
        sys.modules[package] = None  # type: ignore[assignment]
