"""The random state of this process: its generators, and what else differs by chance."""

from __future__ import annotations

import os
import random
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from checkpoints._process.libraries import imported

__all__ = [
    "ENVIRONMENT",
    "RANDOM_STATE",
    "VARIABLES",
    "captured",
    "restored",
    "variables",
]

# The name of the value, with a space, so that no parameter can have it.
RANDOM_STATE = "random state"
# The part of it with the variables that are read when a process starts.
ENVIRONMENT = "environment"

_HASH_SEED = "PYTHONHASHSEED"
VARIABLES = (
    _HASH_SEED,
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_WORDS = 624
_BYTES_OF_A_WORD = 4


def captured() -> dict[str, Any]:
    """
    Return the state of the global generators, as plain values.

    Those of `random`, NumPy and PyTorch, as far as they are loaded, and the variables
    for hashes and threads. A text in place of a state says why there is none.
    """
    found: dict[str, Any] = {
        name: _attempt(source.get)
        for name, source in _SOURCES.items()
        # NumPy loads its generator only when that is first used.
        if source.module.partition(".")[0] in sys.modules
    }
    return {**found, ENVIRONMENT: variables()}


def variables() -> dict[str, str]:
    """Return the variables for hashes and threads that this process has."""
    found = {it: os.environ[it] for it in VARIABLES if it in os.environ}
    if sys.flags.hash_randomization:
        found.setdefault(_HASH_SEED, "random")
    return found


@contextmanager
def restored(state: Mapping[str, Any]) -> Iterator[list[str]]:
    """
    Put a state in force inside the block, and the present one afterwards.

    Args:
        state: What `captured` has returned; it is checked. Empty changes nothing.

    Yields:
        What cannot be restored, and why.
    """
    if not state:
        yield []  # so that a call that is repeated goes on
        return
    for name in state:
        if name in _SOURCES:
            _attempt(partial(imported, _SOURCES[name].module))
    before = captured()
    try:
        yield list(_restore(state))
    finally:
        for _ in _restore(before):
            pass


def _attempt(get: Callable[[], Any]) -> Any:
    try:
        return get()
    except Exception as error:  # noqa: BLE001 - a call must not fail for its state
        return f"{type(error).__name__}: {error}"


def _restore(state: Mapping[str, Any]) -> Iterator[str]:
    for name, saved in state.items():
        if name not in _SOURCES:
            continue
        if isinstance(saved, str):
            yield f"the state of {name} was not kept: {saved}"
            continue
        try:
            _SOURCES[name].set(saved)
        except Exception as error:  # noqa: BLE001 - a file may hold anything
            yield f"the state of {name} cannot be restored: {error}"


def _get_random() -> dict[str, Any]:
    version, words, gauss = random.getstate()
    return {"version": version, "words": array("I", words).tobytes(), "gauss": gauss}


def _set_random(saved: Mapping[str, Any]) -> None:
    words = tuple(array("I", saved["words"]))
    random.setstate((saved["version"], words, saved["gauss"]))


def _get_numpy() -> dict[str, Any]:
    state = imported("numpy.random").get_state(legacy=False)
    kind = state["bit_generator"]
    if kind != "MT19937":
        raise TypeError(f"its bit generator is {kind}, not MT19937")
    return {
        "words": state["state"]["key"].tobytes(),
        "position": state["state"]["pos"],
        "has_gauss": state["has_gauss"],
        "gauss": state["gauss"],
    }


def _set_numpy(saved: Mapping[str, Any]) -> None:
    position, has_gauss = saved["position"], saved["has_gauss"]
    # NumPy's compiled code uses the position as it is.
    if not (
        type(position) is int
        and 0 <= position <= _WORDS
        and has_gauss in (0, 1)
        and len(saved["words"]) == _WORDS * _BYTES_OF_A_WORD
    ):
        raise ValueError("it is no state of a MT19937")
    words = imported("numpy").frombuffer(saved["words"], "uint32")
    state = ("MT19937", words, position, has_gauss, float(saved["gauss"]))
    imported("numpy.random").set_state(state)


def _get_torch() -> dict[str, Any]:
    torch = sys.modules["torch"]
    states = [torch.get_rng_state()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states += torch.cuda.get_rng_state_all()
    cpu, *cuda = (state.numpy().tobytes() for state in states)
    return {"cpu": cpu, "cuda": cuda}


def _set_torch(saved: Mapping[str, Any]) -> None:
    torch = imported("torch")
    cpu, *cuda = (
        torch.frombuffer(bytearray(data), dtype=torch.uint8)
        for data in (saved["cpu"], *saved["cuda"])
    )
    torch.set_rng_state(cpu)
    if cuda:
        torch.cuda.set_rng_state_all(cuda)


class _Source(NamedTuple):
    """A module with a global generator."""

    module: str
    get: Callable[[], dict[str, Any]]
    set: Callable[[Mapping[str, Any]], None]


_SOURCES = {
    "random": _Source("random", _get_random, _set_random),
    "numpy": _Source("numpy.random", _get_numpy, _set_numpy),
    "torch": _Source("torch", _get_torch, _set_torch),
}
