"""A value to bytes and back, by the formats alone, without a file."""

from __future__ import annotations

import copy
import json

import pytest

from checkpoints._kinds.families import formats_for
from checkpoints._kinds.kind import Format


class RoundTrip:
    """
    Called with a value, returns the value that comes back.

    `kinds` are the kinds that were used, in order; `left` are the values without a
    format, which a file would hold as pickles.
    """

    def __init__(self):
        self.kinds = []
        self.left = []
        self.notes = {}

    def __call__(self, value, *, read_only=False):
        found = formats_for(type(value))
        if not found:
            return self._parts(value, read_only=read_only)
        reasons = []
        for way in found:
            try:
                return self._by(way, value, read_only=read_only)
            except Exception as reason:
                reasons.append(reason)
        raise reasons[0]

    def _by(self, way, value, *, read_only):
        if isinstance(way, Format):
            buffers, self.notes = way.encode(value)
            notes = json.loads(json.dumps(self.notes, allow_nan=False))
            assert notes == self.notes
            assert not {"kind", "bytes", "member"} & set(notes)
            self.kinds.append(way.kind)
            whole = b"".join(buffers)
            memory = whole if read_only else bytearray(whole)
            return way.decode(memoryview(memory), notes)
        parts = way.take_apart(value)
        self.kinds.append(way.kind)
        return way.put_together(self._parts(parts, read_only=read_only))

    def _parts(self, part, *, read_only):
        if type(part) in (list, tuple):
            return type(part)([self._nested(each, read_only) for each in part])
        if type(part) is dict:
            return {name: self._nested(each, read_only) for name, each in part.items()}
        return copy.deepcopy(part)

    def _nested(self, part, read_only):
        try:
            return self(part, read_only=read_only)
        except Exception:
            self.left.append(part)
            return copy.deepcopy(part)


@pytest.fixture
def round_trip():
    return RoundTrip()


def _same_arrays(one, other):
    """Return whether two arrays are the same in dtype, shape, order and every bit."""
    import numpy

    from checkpoints._kinds.dtypes import is_same_dtype

    return (
        type(one) is type(other)
        and is_same_dtype(one.dtype, other.dtype)
        and one.shape == other.shape
        and one.flags.fnc == other.flags.fnc
        and _same_elements(numpy.asarray(one), numpy.asarray(other))
    )


def _same_elements(one, other):
    if one.dtype.names is not None:
        # What lies between fields is nobody's, and NumPy copies it or not.
        return all(_same_elements(one[name], other[name]) for name in one.dtype.names)
    if one.dtype.hasobject:
        return repr(one.tolist()) == repr(other.tolist())
    return one.tobytes() == other.tobytes()


@pytest.fixture
def same_arrays():
    return _same_arrays
