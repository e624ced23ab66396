"""Functions that look at themselves or at their caller, as other people write them."""

import functools
import logging
import sys
import warnings
from collections import namedtuple


def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


def kind(fields):
    module = sys._getframe(1).f_globals["__name__"]
    return namedtuple("Kind", fields, module=module)  # noqa: PYI024 - as they do


def say(text):
    logging.getLogger("noticing").warning(text, stacklevel=2)


def warn(text):
    warnings.warn(text, UserWarning, stacklevel=2)


def ask(name):
    return sys._getframe(1).f_locals[name]


def callers():
    frame, found = sys._getframe(1), []
    while frame is not None and len(found) < 2:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


def closing(seed):
    def inner(x, *, y=seed):
        return x + y + seed

    return inner


class Shelf:
    def __init__(self, size=3):
        self.size = size

    @property
    def doubled(self):
        return self.size * 2

    @functools.cached_property
    def once(self):
        return self.size + 1

    def scaled(self, by, offset=0):
        return self.size * by + offset

    tripled = functools.partialmethod(scaled, 3)

    def _hidden(self):
        return 0

    class Drawer:
        def open(self):
            return "open"


@functools.singledispatch
def shown(value):
    return str(value)


@shown.register
def _(value: int):
    return f"{value:d}"


def _private():
    return 1


alias = depth
