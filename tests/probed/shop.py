"""Functions of every kind, as other people write them."""

import asyncio
import functools
import types


def total(prices, /, *more, discount=0, **extras):
    """Add prices up."""
    prices.append(0)
    return sum(prices) + sum(more) - discount + sum(extras.values())


def refuse(reason):
    raise LookupError(reason)


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


async def later(x, wait=0):
    """Wait."""
    await asyncio.sleep(wait)
    return x + 1


def count(n):
    """Count, and take what is sent."""
    got = []
    for number in range(n):
        got.append((yield number))  # noqa: PERF401 - clear as it is
    return got


@types.coroutine
def passed_on(x):
    """Be awaited, as coroutines were written before `async`."""
    got = yield x
    return got


async def stream(n):
    for number in range(n):
        yield number


def gives_seven(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(7, *args)

    return wrapper


@gives_seven
def given(seven, x):
    return seven + x


@functools.lru_cache
def cached(x):
    return x


class Base:
    def inherited(self, x):
        return (type(self).__name__, x)


class Till(Base):
    count = 7

    def __init__(self, owner="nobody"):
        self.owner = owner

    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None

    def __getstate__(self):
        return dict(vars(self))

    def add(self, x, y=1):
        """Add to the till."""
        return (self.owner, x, y)

    @classmethod
    def named(cls, name):
        return cls(name)

    @staticmethod
    def rounded(x):
        return round(x)

    @property
    def size(self):
        return 3
