"""A library with checkpoints, as an application would use one."""

from __future__ import annotations

from checkpoints import Session, checkpoint, deprecate, register

register("fakelib", ["load", "fit", "report"])
deprecate("fakelib", "train", "fit")

__all__ = ["fit", "load", "old_fit", "report"]


def load(count):
    """Make some rows; one value, with the name of the library in front."""
    rows = [index * 2 for index in range(count)]
    checkpoint("fakelib", "load", rows)
    return rows


def fit(rows):
    """Add the rows up; several values, by keyword."""
    total = sum(rows)
    checkpoint("fakelib.fit", rows=rows, total=total)
    return total


def old_fit(rows):
    """Do what `fit` does, by the name that it had before."""
    checkpoint("fakelib.train", rows=rows)


def report(totals):
    """Gather line by line, and change each one afterwards."""
    with Session("fakelib", "report") as session:
        line = []
        for number, total in enumerate(totals):
            line.append(total)
            session.checkpoint({f"line{number}": line})
