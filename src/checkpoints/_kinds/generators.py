"""NumPy's random number generators, as their state and the seeds they spawn from."""

from __future__ import annotations

import copy
import sys
from typing import Any

from checkpoints._kinds.kind import Compound, Inexact, Kind
from checkpoints._process.budget import ask
from checkpoints._process.libraries import needed

__all__ = ["KINDS", "recognise"]

_BIT_GENERATORS = ("PCG64", "MT19937", "Philox", "PCG64DXSM", "SFC64")
_OLD = "MT19937"
# The largest value of each number in a state. NumPy does not check them, and its
# compiled code uses two of them as positions in its memory.
_LARGEST = {
    "pos": 624,
    "buffer_pos": 4,
    "has_uint32": 1,
    "has_gauss": 1,
    "uinteger": 2**32 - 1,
    "state": 2**128 - 1,
    "inc": 2**128 - 1,
}
_LARGEST_POOL = 4096
# What a bit generator takes, and a number in the pool of a seed, which is copied.
_GENERATOR, _WORD = 8192, 16


def recognise(cls: type) -> Kind | None:
    """
    Return the kind for values of exactly this class of `numpy.random`, None if none.

    Example:
        >>> import numpy
        >>> recognise(numpy.random.Generator).kind
        'numpy.random.Generator'
    """
    kind = _BY_NAME.get(cls.__name__)
    random = sys.modules.get("numpy.random")
    if random is None or kind is None:
        return None
    return kind if cls is getattr(random, cls.__name__, None) else None


def _random() -> Any:
    return needed("numpy.random", "loading a random number generator")


def _take_bit_generator_apart(bits: Any) -> dict[str, Any]:
    return {**_source_of(bits), "state": bits.state}


def _source_of(bits: Any) -> dict[str, Any]:
    random = _random()
    name, seed = type(bits).__name__, bits.seed_seq
    if recognise(type(bits)) is not _BIT_GENERATOR:
        raise Inexact(f"the bit generator {name} is none of NumPy's own")
    # One that a `RandomState` has seeded the old way has no seed sequence.
    if type(seed) is not random.SeedSequence and not (seed is None and name == _OLD):
        raise Inexact(f"the seed of the bit generator is a {type(seed).__name__}")
    return {"generator": name, "seed": seed}


def _put_bit_generator_together(parts: dict[str, Any]) -> Any:
    bits = _new_bit_generator(parts)
    _check_state(parts["state"], bits.state)
    bits.state = parts["state"]
    return bits


def _new_bit_generator(parts: dict[str, Any]) -> Any:
    random, name, seed = _random(), parts["generator"], parts["seed"]
    ask(_GENERATOR)
    if name not in _BIT_GENERATORS:
        raise ValueError(f"unknown bit generator {name!r:.80}")
    if type(seed) is random.SeedSequence:
        return getattr(random, name)(seed)
    if seed is not None or name != _OLD:
        raise ValueError("the seed of a bit generator must be a SeedSequence")
    return _bits_of(random.RandomState(0))


def _bits_of(random_state: Any) -> Any:
    return random_state._bit_generator  # noqa: SLF001 - there is no public name for it


def _check_state(state: Any, like: Any, name: str = "") -> None:
    """Raise ValueError unless one state has the form of another."""
    if type(state) is not type(like):
        raise ValueError(f"{name!r} in the state is a {type(state).__name__}")
    if isinstance(like, dict):
        if list(state) != list(like):
            raise ValueError(f"the state has the parts {list(state)!r:.80}")
        for key, inner in like.items():
            _check_state(state[key], inner, key)
    elif isinstance(like, str):
        if state != like:
            raise ValueError(f"the state is of a {state!r:.80}")
    elif isinstance(like, int):
        if not 0 <= state <= _LARGEST[name]:
            raise ValueError(f"{name!r} in the state is out of range")
    elif not isinstance(like, float) and _form_of(state) != _form_of(like):
        raise ValueError(f"{name!r} in the state has another shape or dtype")


def _form_of(array: Any) -> tuple[Any, ...]:
    return array.shape, array.dtype


def _take_random_state_apart(random_state: Any) -> dict[str, Any]:
    source = _source_of(_bits_of(random_state))
    return {**source, "state": random_state.get_state(legacy=False)}


def _put_random_state_together(parts: dict[str, Any]) -> Any:
    made = _random().RandomState(_new_bit_generator(parts))
    _check_state(parts["state"], made.get_state(legacy=False))
    made.set_state(parts["state"])
    return made


def _take_generator_apart(generator: Any) -> dict[str, Any]:
    return {"bits": generator.bit_generator}


def _put_generator_together(parts: dict[str, Any]) -> Any:
    if recognise(type(parts["bits"])) is not _BIT_GENERATOR:
        raise ValueError("a generator must have a bit generator")
    return _random().Generator(parts["bits"])


def _freeze_generator(generator: Any) -> Any:
    bits = _freeze_bit_generator(generator.bit_generator)
    return _put_generator_together({"bits": bits})


def _take_seed_apart(seed: Any) -> dict[str, Any]:
    parts = dict(seed.state)
    if (_put_seed_together(parts).pool != seed.pool).any():
        raise Inexact("the pool of the SeedSequence is not made of its entropy")
    return parts


def _put_seed_together(parts: dict[str, Any]) -> Any:
    size = parts["pool_size"]
    if type(size) is not int or not 0 <= size <= _LARGEST_POOL:
        raise ValueError(f"the pool of a SeedSequence has the size {size!r:.80}")
    ask(_WORD * size)
    return _random().SeedSequence(**parts)


def _freeze_bit_generator(bits: Any) -> Any:
    # In NumPy 1 a deep copy has a new seed.
    parts = _take_bit_generator_apart(bits)
    return _put_bit_generator_together({**parts, "seed": _freeze_seed(parts["seed"])})


def _freeze_random_state(random_state: Any) -> Any:
    parts = _take_random_state_apart(random_state)
    return _put_random_state_together({**parts, "seed": _freeze_seed(parts["seed"])})


def _freeze_seed(seed: Any) -> Any:
    if seed is None:
        return None
    return _put_seed_together(copy.deepcopy(_take_seed_apart(seed)))


_BIT_GENERATOR = Compound(
    kind="numpy.random.BitGenerator",
    take_apart=_take_bit_generator_apart,
    put_together=_put_bit_generator_together,
    package="numpy",
    freeze=_freeze_bit_generator,
)
_BY_NAME = {
    **dict.fromkeys(_BIT_GENERATORS, _BIT_GENERATOR),
    "Generator": Compound(
        kind="numpy.random.Generator",
        take_apart=_take_generator_apart,
        put_together=_put_generator_together,
        package="numpy",
        freeze=_freeze_generator,
    ),
    "RandomState": Compound(
        kind="numpy.random.RandomState",
        take_apart=_take_random_state_apart,
        put_together=_put_random_state_together,
        package="numpy",
        freeze=_freeze_random_state,
    ),
    "SeedSequence": Compound(
        kind="numpy.random.SeedSequence",
        take_apart=_take_seed_apart,
        put_together=_put_seed_together,
        package="numpy",
        freeze=_freeze_seed,
    ),
}
KINDS = tuple(dict.fromkeys(_BY_NAME.values()))
