"""The fallback format: a pickle, which is loaded only from a trusted file."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from checkpoints._process.libraries import imported
from checkpoints._process.pickling import public
from checkpoints._text import printable
from checkpoints.errors import FormatError

__all__ = [
    "PICKLE",
    "Pickle",
    "Pickled",
    "class_name",
    "from_pickle",
    "to_pickle",
    "type_name",
]

PICKLE = "pickle"
_PROTOCOL = 5
# Pickles up to this size are read back before they count as saved.
_MAX_PROVEN = 16 << 20
# What cloudpickle makes classes with, and which argument names the class that it took.
_MAKERS = {"_make_skeleton_class": 4, "_make_skeleton_enum": 5}


class Pickle(NamedTuple):
    """
    A pickle.

    Args:
        data: Its bytes.
        packages: The root packages of the classes and functions in it.
        change: How the value, or an item of the list, comes back if it changes.
    """

    data: bytes
    packages: frozenset[str]
    change: str = ""


class Pickled:
    """
    Stands for a pickle that was not loaded, with `load(..., placeholders=True)`.

    Args:
        type: The full name of the type of the object.
        why: Why it was pickled although its library is known; empty if it is not.
        digest: A hash of the pickle's bytes, empty if it stands for a part of them.

    >>> Pickled("mypkg.Model", "", "")
    <Pickled mypkg.Model: load it with trusted=True>
    """

    __slots__ = ("digest", "type", "why")

    def __init__(self, type: str, why: str, digest: str) -> None:  # noqa: A002 - its natural word
        self.type = type
        self.why = why
        self.digest = digest

    def __repr__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return printable(f"<Pickled {self.type}{why}: load it with trusted=True>")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pickled):
            return NotImplemented
        is_same = (self.type, self.digest) == (other.type, other.digest)
        return self is other or (is_same and self.digest != "")

    def __hash__(self) -> int:
        return hash((self.type, self.digest))

    def __reduce__(self) -> tuple[Any, ...]:
        return public(Pickled), (self.type, self.why, self.digest)


def to_pickle(value: Any) -> Pickle:
    """
    Pickle a value, with cloudpickle if the standard pickle would not load elsewhere.

    Up to 16 MB, the pickle is loaded once, to prove that it can be.

    Raises:
        FormatError: If it cannot be pickled, or not be loaded again. The message names
            the type.
    """
    try:
        pickled = _proven(value, pickle.dumps(value, _PROTOCOL))
        # Another program cannot resolve a reference to a class of this script.
        return _by_value(value, pickled) if b"__main__" in pickled.data else pickled
    except MemoryError:
        raise
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


def _proven(value: Any, data: bytes) -> Pickle:
    """Load a pickle that was just made, unless it is large."""
    if len(data) > _MAX_PROVEN:
        return Pickle(data, frozenset({_root_of(type(value).__module__)}))
    reader = _Reader(io.BytesIO(data))
    try:
        found = reader.load()
    except SystemExit as error:
        message = f"loading it ends the program ({error})"
        raise pickle.UnpicklingError(message) from error
    return Pickle(data, frozenset(reader.packages), _change(value, found))


def _change(value: Any, found: Any) -> str:
    """Return which type comes back as another; "" if none does."""
    kinds = [[type(value)], [type(found)]]
    if type(value) is list and type(found) is list:
        kinds = [[*map(type, value)], [*map(type, found)]]
    if kinds[0] == kinds[1]:
        return ""
    pairs = zip(*kinds, strict=True)
    one, other = next(pair for pair in pairs if pair[0] is not pair[1])
    return f"{class_name(one)} comes back as {class_name(other)}"


class _Reader(pickle.Unpickler):
    """Loads a pickle and notes the packages that it needs."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.packages: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.packages.add(_root_of(module))
        found = super().find_class(module, name)
        if module.startswith("cloudpickle") and name in _MAKERS:
            return partial(_untracked, found, _MAKERS[name])
        return found


def _untracked(make: Callable[..., Any], tracked: int, *args: Any) -> Any:
    """
    Make a class of a script anew.

    In the process that made the pickle, cloudpickle would take the class itself and set
    its methods to copies that no longer see the variables of the program.
    """
    return make(*args[:tracked], None, *args[tracked + 1 :])


def _root_of(module: str) -> str:
    return module.partition(".")[0]


def _by_value(value: Any, pickled: Pickle) -> Pickle:
    """Pickle a script's classes and functions by value, if cloudpickle can."""
    try:
        return _cloudpickled(value)
    except Exception:  # noqa: BLE001 - a reference is better than nothing
        return pickled


def _cloudpickled(value: Any) -> Pickle:
    return _proven(value, imported("cloudpickle").dumps(value, _PROTOCOL))


def from_pickle(data: memoryview) -> Any:
    """Load a pickle, which may run any code."""
    return pickle.loads(data)  # noqa: S301 - the caller has checked that it is trusted


def type_name(value: object) -> str:
    """Return the full name of a value's type, for messages."""
    return class_name(type(value))


def class_name(kind: type) -> str:
    """Return the full name of a class, for messages."""
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
