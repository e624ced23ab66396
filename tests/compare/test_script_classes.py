"""Objects of classes that a script defines, which each load of a pickle makes anew."""

from __future__ import annotations

import pytest

from checkpoints import diff

pytest.importorskip("cloudpickle")

CLASSES = """
class Plain:
    def __init__(self, number):
        self.number, self.parts = number, [number]
class Equal(Plain):
    def __eq__(self, other):
        return isinstance(other, Equal) and self.number == other.number
    def __hash__(self):
        return hash(self.number)
class Slots:
    __slots__ = ("number",)
    def __init__(self, number):
        self.number = number
class Names(dict):
    pass
number = float(sys.argv[1])
made = {made}
cp.checkpoint("made", made=made)
"""


@pytest.mark.parametrize(
    ("made", "where"),
    [
        ("Plain(number)", ".number"),
        ("Equal(number)", ".number"),
        ("Slots(number)", ".number"),
        ("[Equal(1), {'a': Plain(number)}]", '[1]["a"].number'),
        ("Names(a=number)", '["a"]'),
    ],
)
def test_are_compared_by_their_content(roots, command, made, where):
    places = roots(CLASSES.replace("{made}", made), "1", "1", "2")
    assert diff(*places[:2], trusted=True).verdict == "equal"
    found = diff(places[0], places[2], trusted=True)
    assert found.verdict == "different"
    assert found.first.worst[1].where == where
    assert command(*places[:2], "--trusted")[0] == 0
    assert command(places[0], places[2], "--trusted")[0] == 1


@pytest.mark.parametrize("made", ["{Equal(1)}", "{Equal(1): 2}", "Plain"])
def test_are_unknown_where_they_cannot_be_found_again(roots, made):
    places = roots(CLASSES.replace("{made}", made), "1", "1")
    assert diff(*places, trusted=True).verdict == "unknown"
