"""The fallback format: a pickle, which is loaded only from a trusted file."""

from __future__ import annotations

import pickle
from typing import Any

from checkpoints._process.libraries import imported
from checkpoints.errors import FormatError

__all__ = ["PICKLE", "from_pickle", "to_pickle", "type_name"]

PICKLE = "pickle"
_PROTOCOL = 5


def to_pickle(value: Any) -> bytes:
    """
    Pickle a value, with cloudpickle if the standard pickle would not load elsewhere.

    Raises:
        FormatError: If it cannot be pickled. The message names the type.
    """
    try:
        pickled = pickle.dumps(value, _PROTOCOL)
        # Another program cannot resolve a reference to a class of this script.
        return _by_value(value, pickled) if b"__main__" in pickled else pickled
    except Exception as first:
        try:
            return _cloudpickled(value)
        except ImportError:
            hint = ", or pip install cloudpickle, which can pickle more types"
        except Exception:  # noqa: BLE001 - the first error is the one to report
            hint = ""
        message = (
            f"type {type_name(value)} cannot be pickled ({type(first).__name__}: "
            f"{first}). Save the parts of it that you need{hint}"
        )
        raise FormatError(message) from first


def _by_value(value: Any, pickled: bytes) -> bytes:
    """Pickle a script's classes and functions by value, if cloudpickle can."""
    try:
        return _cloudpickled(value)
    except Exception:  # noqa: BLE001 - a reference is better than nothing
        return pickled


def _cloudpickled(value: Any) -> bytes:
    pickled: bytes = imported("cloudpickle").dumps(value, _PROTOCOL)
    return pickled


def from_pickle(data: memoryview) -> Any:
    """Load a pickle, which may run any code."""
    return pickle.loads(data)  # noqa: S301 - the caller has checked that it is trusted


def type_name(value: object) -> str:
    """Return the full name of a value's type, for messages."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
