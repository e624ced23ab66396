"""Functions that tests run in other processes, which import this module again."""

from __future__ import annotations

import fakelib
from checkpoints import config, current_tags, tags


def save(number):
    """Save under a separate tag, by the rules of this process."""
    with tags(worker=number):
        fakelib.load(number)
    return number


def save_under(root, number):
    """Create a rule first, as a process that inherits none must."""
    with config("fakelib", root, on_error="raise"):
        return save(number)


def save_many(root, worker, count):
    """Save one key repeatedly, keeping all files."""
    with config("fakelib", root, if_exists="keep", on_error="raise"):
        for number in range(count):
            fakelib.fit([worker, number])


def tags_seen(_):
    """Return the tags of this process."""
    return current_tags()
