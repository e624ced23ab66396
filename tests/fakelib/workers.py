"""What the tests run in processes of their own; here, since those import it anew."""

from __future__ import annotations

import fakelib
from checkpoints import config, current_tags, tags


def save(number):
    """Save under a tag of its own, as the rules of this process say."""
    with tags(worker=number):
        fakelib.load(number)
    return number


def save_under(root, number):
    """Make a rule first, as a process that inherits none has to."""
    with config("fakelib", root, on_error="raise"):
        return save(number)


def save_many(root, worker, count):
    """Save one key over and over, all files kept."""
    with config("fakelib", root, if_exists="keep", on_error="raise"):
        for number in range(count):
            fakelib.fit([worker, number])


def tags_seen(_):
    """Tell the tags that this process has."""
    return current_tags()
