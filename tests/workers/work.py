"""Work that the tests hand to pools: in a module, so that processes can import it."""

from __future__ import annotations

import os
import time

import checkpoints as cp


def square(x):
    """Save and return a square, and where that was."""
    cp.checkpoint("work.square", x=x, y=x * x)
    return x * x, os.getpid()


def squares(xs):
    """Yield squares, each saved under a tag that stays while the generator waits."""
    for x in xs:
        with cp.tags(inner=x):
            square(x)
            yield x


def frames(batches):
    """As Spark's `mapInPandas` calls it."""
    for batch in batches:
        square(int(batch["id"].sum()))
        yield batch


def square_alone(x):
    return square(x)[0]


def square_slowly(x):
    time.sleep(0.05)
    return square(x)


async def square_later(x):
    return square(x)


def is_odd(pairs):
    return dict(pairs)["x"] % 2 == 1


def current():
    return cp.current_tags(), [rule.as_dict() for rule in cp.rules()]
