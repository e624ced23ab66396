"""The last resort: any other value as a pickle, loaded only when trusted."""

from __future__ import annotations

import pickle
from typing import Any

from checkpoints.errors import FormatError

__all__ = ["PICKLE", "from_pickle", "to_pickle", "type_name"]

PICKLE = "pickle"
_PROTOCOL = 5


def to_pickle(value: Any) -> bytes:
    """
    Pickle a value, with cloudpickle where pickle cannot, or cannot for others.

    Raises:
        FormatError: If neither can. The message names the type.
    """
    try:
        pickled = pickle.dumps(value, _PROTOCOL)
        # By reference, a class or function of a script is lost on everyone else.
        return _by_value(value, pickled) if b"__main__" in pickled else pickled
    except Exception as first:
        try:
            return _cloudpickled(value)
        except ImportError:
            hint = ", or pip install cloudpickle, which can pickle more"
        except Exception:  # noqa: BLE001 - the first error is the one to tell of
            hint = ""
        message = (
            f"type {type_name(value)} cannot be pickled ({type(first).__name__}: "
            f"{first}). Save the parts of it that you want to see{hint}"
        )
        raise FormatError(message) from first


def _by_value(value: Any, pickled: bytes) -> bytes:
    """Pickle the classes and functions of a script too, where that can be done."""
    try:
        return _cloudpickled(value)
    except Exception:  # noqa: BLE001 - what refers to the script is better than nothing
        return pickled


def _cloudpickled(value: Any) -> bytes:
    import cloudpickle

    pickled: bytes = cloudpickle.dumps(value, _PROTOCOL)
    return pickled


def from_pickle(data: memoryview) -> Any:
    """Load a pickle, whatever it does."""
    return pickle.loads(data)  # noqa: S301 - only where the caller said it is trusted


def type_name(value: object) -> str:
    """Return the full name of a value's type, for people to read."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
