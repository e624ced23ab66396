"""Pairs of values of Python, NumPy and SciPy that differ in one thing, by its name."""

from __future__ import annotations

import datetime
import decimal
import struct
import zoneinfo
from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import numpy as np
import scipy.sparse

__all__ = ["NAN", "NUMPY", "OTHER_NAN", "PYTHON", "SCIPY", "UTC"]

NAN = float("nan")
OTHER_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
UTC = datetime.timezone.utc  # noqa: UP017 - beside the zones of the same name
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
Point = namedtuple("Point", "x y")  # noqa: PYI024 - the class of the tests
OtherPoint = namedtuple("OtherPoint", "x y")  # noqa: PYI024 - the class of the tests


def shared():
    part = [1]
    return [part, part]


def around_itself(number):
    found = [number]
    found.append(found)
    return found


PYTHON = {
    "type": lambda: (1, True),
    "type of a number": lambda: (1, 1.0),
    "sign of zero": lambda: (0.0, -0.0),
    "bits of NaN": lambda: (NAN, OTHER_NAN),
    "imaginary part": lambda: (complex(0, 0.0), complex(0, -0.0)),
    "text": lambda: ("a", "a "),
    "bytes": lambda: (b"a", bytearray(b"a")),
    "digits": lambda: (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "order of keys": lambda: ({1: 0, 2: 0}, {2: 0, 1: 0}),
    "type of a key": lambda: ({1: 0}, {True: 0}),
    "length": lambda: ([1], [1, 1]),
    "item": lambda: ((1, [2]), (1, [3])),
    "member of a set": lambda: ({1, 2}, {1, 3}),
    "container": lambda: ({"a": 1}, OrderedDict(a=1)),
    "class": lambda: (Point(1, 2), OtherPoint(1, 2)),
    "attribute": lambda: (SimpleNamespace(a=1), SimpleNamespace(a=2)),
    "zone of equal times": lambda: (
        datetime.datetime(2024, 1, 1, tzinfo=UTC),
        datetime.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    ),
    "key of a zone": lambda: (BERLIN, zoneinfo.ZoneInfo("Europe/Paris")),
    "name of a zone": lambda: (
        datetime.timezone(datetime.timedelta(0)),
        datetime.timezone(datetime.timedelta(0), "Z"),
    ),
    "fold": lambda: (
        datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN),
        datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1),
    ),
    "microsecond": lambda: (datetime.time(1, 2, 3, 4), datetime.time(1, 2, 3, 5)),
    "shared object": lambda: (shared(), [[1], [1]]),
    "object shared in addition": lambda: ([[1], [1]], shared()),
    "what contains itself": lambda: (around_itself(1), around_itself(2)),
}

RECORD = [("a", "<i4"), ("b", "<f8")]


def masked(**changed):
    options = {"mask": [False, True], "fill_value": 9, "hard_mask": False}
    return np.ma.MaskedArray([1, 2], **{**options, **changed})


NUMPY = {
    "dtype": lambda: (np.zeros(2, "<i4"), np.zeros(2, "<u4")),
    "byte order": lambda: (np.zeros(2, "<i4"), np.zeros(2, ">i4")),
    "unit": lambda: (np.zeros(2, "<M8[s]"), np.zeros(2, "<M8[ms]")),
    "multiple of a unit": lambda: (np.zeros(2, "<M8[2s]"), np.zeros(2, "<M8[s]")),
    "metadata": lambda: (
        np.zeros(2, np.dtype("i4", metadata={"a": 1})),
        np.zeros(2, "i4"),
    ),
    "shape": lambda: (np.zeros((2, 3)), np.zeros((3, 2))),
    "empty shape": lambda: (np.zeros((0, 3)), np.zeros((0, 2))),
    "memory order": lambda: (np.zeros((2, 3), order="F"), np.zeros((2, 3))),
    "sign of zero": lambda: (np.array([0.0]), np.array([-0.0])),
    "bits of NaN": lambda: (np.array([NAN]), np.array([OTHER_NAN])),
    "long double": lambda: (
        np.array([1], np.longdouble),
        np.array([1], np.longdouble) + np.finfo(np.longdouble).eps,
    ),
    "class": lambda: (np.zeros(1), np.zeros(1).view(np.recarray)),
    "name of a field": lambda: (
        np.zeros(2, [("a", "<i4")]),
        np.zeros(2, [("b", "<i4")]),
    ),
    "alignment": lambda: (
        np.zeros(2, np.dtype([("a", "<f8"), ("b", "<i4")])),
        np.zeros(2, np.dtype([("a", "<f8"), ("b", "<i4")], align=True)),
    ),
    "align flag": lambda: (
        np.zeros(2, np.dtype([("a", "<i4")], align=True)),
        np.zeros(2, np.dtype([("a", "<i4")])),
    ),
    "title": lambda: (
        np.zeros(2, [(("title", "a"), "<i4")]),
        np.zeros(2, [("a", "<i4")]),
    ),
    "content of a field": lambda: (
        np.array([(1, 2.0)], RECORD),
        np.array([(1, 3.0)], RECORD),
    ),
    "records": lambda: (np.rec.array([(1, 2.0)], RECORD), np.array([(1, 2.0)], RECORD)),
    "records inside": lambda: (
        np.zeros(1, np.dtype((np.record, RECORD))),
        np.zeros(1, RECORD),
    ),
    "object": lambda: (np.array([1, None], object), np.array([1.0, None], object)),
    "shared object": lambda: (
        np.array([*shared(), None], object),
        np.array([[1], [1], None], object),
    ),
    "null of a text": lambda: (
        np.array(["a"], np.dtypes.StringDType(na_object=None)),
        np.array(["a"], np.dtypes.StringDType()),
    ),
    "text": lambda: (
        np.array(["a"], np.dtypes.StringDType()),
        np.array(["b"], np.dtypes.StringDType()),
    ),
    "scalar": lambda: (np.float64(1), np.float32(1)),
    "scalar and number": lambda: (np.float64(1), 1.0),
    "scalar's bits": lambda: (np.float64(NAN), np.float64(OTHER_NAN)),
    "dtype itself": lambda: (np.dtype("<i4"), np.dtype(">i4")),
    "mask": lambda: (masked(), masked(mask=[True, False])),
    "no mask": lambda: (np.ma.MaskedArray([1]), np.ma.MaskedArray([1], [False])),
    "hard mask": lambda: (masked(), masked(hard_mask=True)),
    "fill value": lambda: (masked(), masked(fill_value=8)),
    "what is not masked": lambda: (masked(), np.ma.MaskedArray([3, 2], masked().mask)),
}


def csr(indices="int32", shape=(2, 2)):
    found = scipy.sparse.csr_array(([1.0], [0], [0, 1, 1]), shape=shape)
    found.indices = found.indices.astype(indices)
    found.indptr = found.indptr.astype(indices)
    return found


def coo(*, canonical=True):
    found = scipy.sparse.coo_array(np.eye(2))
    found.has_canonical_format = canonical
    return found


SCIPY = {
    "format": lambda: (csr(), csr().tocsc()),
    "class": lambda: (csr(), scipy.sparse.csr_matrix(csr())),
    "shape": lambda: (csr(), csr(shape=(2, 3))),
    "dtype": lambda: (csr(), csr().astype("f4")),
    "dtype of the indices": lambda: (csr(), csr("int64")),
    "value": lambda: (csr(), csr() * 2),
    "flag": lambda: (coo(), coo(canonical=False)),
    "dok": lambda: (csr().todok(), (csr() * 2).todok()),
    "lil": lambda: (csr().tolil(), (csr() * 2).tolil()),
    "dia": lambda: (csr().todia(), (csr() * 2).todia()),
}
