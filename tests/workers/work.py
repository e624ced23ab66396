"""Work that the tests hand to pools: in a module, so that processes can import it."""

from __future__ import annotations

import os

import checkpoints as cp


def square(x):
    """Save and return a square, and where that was."""
    cp.checkpoint("work.square", x=x, y=x * x)
    return x * x, os.getpid()


async def square_later(x):
    return square(x)


def is_odd(pairs):
    return dict(pairs)["x"] % 2 == 1


def current():
    return cp.current_tags(), [rule.as_dict() for rule in cp.rules()]
