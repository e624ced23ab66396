"""Random number generators go on where they were, and spawn what they would have."""

from __future__ import annotations

import copy

import pytest

from checkpoints._kinds.generators import recognise
from checkpoints._kinds.kind import Inexact

numpy = pytest.importorskip("numpy", reason="these are its generators")
random = numpy.random

BITS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


def used(bits):
    """Return a generator with something left over in its buffers."""
    random.Generator(bits).integers(0, 9, 3, dtype="u4")
    return bits


def drawn(value):
    """Return what a generator would give next, and what its children would."""
    value = copy.deepcopy(value) if isinstance(value, random.RandomState) else value
    if isinstance(value, random.SeedSequence):
        return value.generate_state(5).tolist(), value.spawn(1)[0].generate_state(2)[0]
    if isinstance(value, random.RandomState):
        return value.bytes(9), value.standard_normal(3).tolist()
    if not isinstance(value, random.Generator):
        value = random.Generator(value)
    return value.integers(0, 9, 3, dtype="u4").tolist(), value.random(700).tolist()


def normal(state):
    state.standard_normal()
    return state


MADE = {
    **{name: lambda name=name: used(getattr(random, name)(5)) for name in BITS},
    "a bit generator of the old way": lambda: random.RandomState(5)._bit_generator,
    "a spawned one": lambda: random.PCG64(random.SeedSequence(5).spawn(2)[1]),
    "a generator": lambda: random.Generator(used(random.Philox([1, 2]))),
    "a random state": lambda: normal(random.RandomState(5)),
    "a random state of its own": lambda: random.RandomState(random.PCG64(7)),
    "a random state without a seed": random.RandomState,
    "a seed": lambda: random.SeedSequence(5),
    "a large seed": lambda: random.SeedSequence(2**300),
    "a seed of many": lambda: random.SeedSequence([1, 2**70], spawn_key=(3, 4)),
    "a seed in an array": lambda: random.SeedSequence(numpy.array([1, 2], "u4")),
    "a seed of a wide pool": lambda: random.SeedSequence(5, pool_size=8),
}


class TestGenerators:
    @pytest.mark.parametrize("name", MADE)
    @pytest.mark.parametrize("way", ["saved", "frozen"])
    def test_goes_on_where_it_was(self, round_trip, name, way):
        value = MADE[name]()
        saved = recognise(type(value)).freeze(value) if way == "frozen" else value
        back = round_trip(saved)
        assert type(back) is type(value)
        assert drawn(back) == drawn(value)
        assert round_trip.left == []

    @pytest.mark.parametrize("name", BITS)
    def test_spawns_what_it_would_have(self, round_trip, name):
        bits = getattr(random, name)(5)
        bits.seed_seq.spawn(2)
        back = round_trip(bits)
        assert back.seed_seq.state == bits.seed_seq.state
        again = round_trip(recognise(type(bits)).freeze(bits))
        assert again.seed_seq.state == bits.seed_seq.state

    @pytest.mark.parametrize("name", MADE)
    def test_a_frozen_one_does_not_change_with_its_original(self, name):
        value = MADE[name]()
        frozen = recognise(type(value)).freeze(value)
        expected = drawn(MADE[name]()) if "without" not in name else None
        drawn(value)
        if expected is not None:
            assert drawn(frozen) == expected

    def test_a_bit_generator_of_somebody_else_is_inexact(self, round_trip):
        own = type("Own", (random.PCG64,), {})(5)
        with pytest.raises(Inexact, match="Own"):
            round_trip(random.RandomState(own))


class TestForgedStates:
    @pytest.mark.parametrize("name", BITS)
    @pytest.mark.parametrize(
        "forged",
        [
            {"pos": 625},
            {"pos": -1},
            {"pos": True},
            {"pos": "1"},
            {"buffer_pos": 5},
            {"buffer_pos": -1},
            {"has_uint32": 2},
            {"uinteger": 2**32},
            {"uinteger": -1},
            {"state": 2**128},
            {"inc": -1},
            {"key": numpy.zeros(1, "u8")},
            {"key": numpy.zeros(624, "i4")},
            {"key": [1, 2]},
            {"counter": numpy.zeros(3, "u8")},
            {"buffer": numpy.zeros(5, "u8")},
            {"bit_generator": "PCG32"},
            {"more": 1},
        ],
        ids=str,
    )
    def test_what_numpy_would_not_check_is_refused(self, name, forged):
        kind = recognise(getattr(random, name))
        parts = kind.take_apart(getattr(random, name)(5))
        ((field, value),) = forged.items()
        inner = parts["state"]["state"]
        if (field in inner and not isinstance(inner[field], type(numpy.zeros(1)))) or (
            field in inner and field != "state"
        ):
            inner[field] = value
        elif field in parts["state"] or field == "more":
            parts["state"][field] = value
        else:
            return
        with pytest.raises(ValueError):
            kind.put_together(parts)

    @pytest.mark.parametrize(
        "forged",
        [
            {"generator": "default_rng"},
            {"generator": "BitGenerator"},
            {"generator": "Philox"},
            {"seed": 5},
            {"seed": None},
            {"seed": numpy.zeros(3)},
            {"state": None},
            {"state": {}},
        ],
        ids=str,
    )
    def test_forged_parts_are_refused(self, forged):
        kind = recognise(random.PCG64)
        with pytest.raises(ValueError):
            kind.put_together({**kind.take_apart(random.PCG64(5)), **forged})

    @pytest.mark.parametrize("bits", [None, "PCG64", random.SeedSequence(5)])
    def test_a_generator_of_nothing_is_refused(self, bits):
        with pytest.raises(ValueError):
            recognise(random.Generator).put_together({"bits": bits})

    @pytest.mark.parametrize("size", [10**9, -1, "4", None, 4.0])
    def test_a_pool_of_another_size_is_refused(self, size):
        kind = recognise(random.SeedSequence)
        parts = kind.take_apart(random.SeedSequence(5))
        with pytest.raises(ValueError):
            kind.put_together({**parts, "pool_size": size})
