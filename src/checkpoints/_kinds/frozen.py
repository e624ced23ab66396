"""Copies of values that later changes to the originals do not affect."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from checkpoints._kinds.families import family_of, formats_for
from checkpoints._kinds.pickled import type_name
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints.errors import FormatError

__all__ = ["freeze", "frozen_values"]

_CONTAINERS = (tuple, list, dict, set, frozenset)


def frozen_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Freeze named values.

    Raises:
        FormatError: If one cannot be copied. The message names it.
    """
    frozen = {}
    for name, value in values.items():
        try:
            frozen[name] = freeze(value)
        except Exception as error:
            message = (
                f"value {name!r}: type {type_name(value)} cannot be copied "
                f"({type(error).__name__}: {error}). Pass the parts of it that you need"
            )
            raise FormatError(message) from error
    return frozen


def freeze(value: Any) -> Any:
    """
    Return a copy of a value that later changes to it do not affect.

    Raises:
        Exception: If copying an object of an unknown type raises it.
    """
    try:
        return _frozen(value, (), {})
    except RecursionError:  # it contains itself, which a deep copy supports
        return copy.deepcopy(value)


def _frozen(value: Any, above: tuple[int, ...], done: dict[int, Any]) -> Any:
    if type(value) in IMMUTABLE:
        return value
    # An object that is shared is copied once, so that it is shared in the copy too.
    if id(value) not in done:
        done[id(value)] = _copied(value, above, done)
    return done[id(value)]


def _copied(value: Any, above: tuple[int, ...], done: dict[int, Any]) -> Any:
    kind = type(value)
    if kind not in _CONTAINERS:
        return _copied_object(value, above, done)
    if id(value) in above:
        raise RecursionError
    above = (*above, id(value))
    if kind is dict:
        return {
            _frozen(key, above, done): _frozen(item, above, done)
            for key, item in value.items()
        }
    return kind([_frozen(item, above, done) for item in value])


def _copied_object(value: Any, above: tuple[int, ...], done: dict[int, Any]) -> Any:
    for format in formats_for(type(value)):
        try:
            if format.freeze is not None:
                return format.freeze(value)
            # Its parts, so that nothing is lost that saving would keep.
            parts = format.take_apart(value)
            # Kept alive: the id of one that is gone may be that of another object.
            done[id(parts)] = parts
            return format.put_together(_copied(parts, above, done))
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001, S112 - the next kind may copy it
            continue
    return _deep_copied(value)


def _deep_copied(value: Any) -> Any:
    """Return a deep copy of the same type; a pickle keeps what the type's own drops."""
    if family_of(type(value)) is not None:
        # It will be saved as a pickle. Some copies of pandas, NumPy and xarray share
        # labels with the original, leave its place in a tree, or have other dimensions.
        with suppress(Exception):
            return _pickled_copy(value)
    copied = copy.deepcopy(value)
    # A base class may copy a subclass as itself; the class's own word counts.
    if type(copied) is not type(value) and "__deepcopy__" not in vars(type(value)):
        with suppress(Exception):
            return _pickled_copy(value)
    return copied


def _pickled_copy(value: Any) -> Any:
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return pickle.loads(pickled)  # noqa: S301 - made here
