"""Arrays that a .npy file alone does not describe come back exactly, without trust."""

from __future__ import annotations

import json

import pytest

from checkpoints._kinds.decoder import decode
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze

numpy = pytest.importorskip("numpy", reason="these are values of NumPy")

PLACED = {"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [4, 12]}
PAIR = [("a", "i4"), ("b", "f8")]
ALIGNED = numpy.dtype([("a", "i1"), ("b", "f8")], align=True)
VALUES = {
    "fields of arrays of arrays": numpy.zeros(2, [("c", ("<f8", (5,)), (2,))]),
    "records": numpy.rec.array([(1, 2.0)], dtype=PAIR),
    "aligned fields": numpy.zeros(
        2, numpy.dtype([("a", "i1"), ("b", "f8")], align=True)
    ),
    "fields with gaps": numpy.ones(2, numpy.dtype({**PLACED, "itemsize": 20})),
    "titles": numpy.zeros(1, numpy.dtype([(("title", "a"), "i4")])),
    "masked records": numpy.ma.array([(1, 2.0)], mask=[(True, False)], dtype=PAIR),
    "one masked record": numpy.ma.array([(1, 2.0)], mask=[(True, False)], dtype=PAIR)[
        0
    ],
    "a fill value": numpy.ma.array([1, 2], mask=[0, 1], fill_value=9),
    "a repeated row": numpy.broadcast_to(numpy.arange(3), (4, 3)),
    "a reversed view": numpy.arange(5)[::-1],
    "longdouble": numpy.array([1, 2], numpy.longdouble),
    "25 seconds": numpy.timedelta64(3, "25s"),
    "a record": numpy.array([(1, 2)], [("a", "i4"), ("b", "i4")])[0],
    "text with a NUL": numpy.str_("a\0"),
    "bytes with a NUL": numpy.bytes_(b"a\0"),
    "a number": numpy.array(3.0),
    "columns": numpy.asfortranarray(numpy.ones((2, 3))),
}
if hasattr(numpy.dtypes, "StringDType"):
    TEXT = numpy.dtypes.StringDType
    VALUES["text of any length"] = numpy.array(["a", "b" * 99], dtype=TEXT())
    VALUES["text and nothing"] = numpy.array(["a", None], dtype=TEXT(na_object=None))


def through_bytes(value):
    """The value as it is loaded, without trust, and the size of its members."""
    encoded = encode({"it": value})
    members = {name: b"".join(chunks) for name, chunks in encoded.members}
    found = decode(
        json.loads(json.dumps(encoded.nodes)),
        lambda node: memoryview(bytearray(members[node["member"]])),
        trusted=False,
        path="file",
    )["it"]
    return found, sum(map(len, members.values()))


def looks(value):
    """What distinguishes a value from others."""
    array = numpy.asarray(value)
    return (
        type(value),
        repr(array.dtype),
        array.dtype.isalignedstruct,
        array.shape,
        array.flags.fnc,
        repr(value),
        repr(array.tolist()),
        len(value) if isinstance(value, (str, bytes)) else 0,
    )


@pytest.mark.parametrize("name", VALUES)
class TestExact:
    def test_it_is_loaded_as_it_was(self, name):
        assert looks(through_bytes(VALUES[name])[0]) == looks(VALUES[name])

    def test_a_copy_is_what_it_was(self, name):
        assert looks(freeze(VALUES[name])) == looks(VALUES[name])


class TestRepeated:
    def test_it_takes_its_own_bytes(self):
        value = numpy.broadcast_to(0.0, (10**4, 10**4))
        found, size = through_bytes(value)
        assert size < 1000
        assert found.shape == value.shape
        assert found[5, 7] == 0

    def test_a_copy_takes_its_own_bytes_as_well(self):
        frozen = freeze(numpy.broadcast_to(0.0, (10**5, 10**5)))
        assert frozen.shape == (10**5, 10**5)


class TestOthers:
    def test_the_masked_constant_is_itself(self):
        found, _ = through_bytes([numpy.ma.masked])
        assert found[0] is numpy.ma.masked

    def test_a_generator_continues(self):
        for make in (numpy.random.default_rng, numpy.random.RandomState):
            generator = make(1)
            found, _ = through_bytes(generator)
            assert type(found) is type(generator)
            assert found.normal() == generator.normal()

    def test_a_dtype_is_itself(self):
        for spec in ("<i4", ">f8", "M8[25s]", PAIR):
            dtype = numpy.dtype(spec)
            assert repr(through_bytes(dtype)[0]) == repr(dtype)
