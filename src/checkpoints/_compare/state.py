"""What an object keeps: its attributes, and what it gives to a pickle."""

from __future__ import annotations

from collections import ChainMap, UserDict, UserList, UserString
from typing import Any

__all__ = ["adds_state", "pickled_state_of", "state_of"]

# Functions of the module `copyreg`, for objects of which there is no more to tell.
_MAKE_ANY_OBJECT = ("__newobj__", "__newobj_ex__")
# A function and its arguments; state, items and pairs of a mapping may follow.
_PARTS_OF_A_PICKLE = 2
# The first keeps all of an object in it; some classes know only one of the others.
_PROTOCOLS = (4, 5, 2)
_PLAIN = (
    *(dict, list, tuple, set, frozenset, str, bytes, bytearray, int, float, complex),
    *(ChainMap, UserDict, UserList, UserString),
)


def adds_state(value: Any) -> bool:
    """
    Tell whether a class adds attributes to one of Python's own sorts of values.

    >>> class Named(dict): pass
    >>> named = Named(a=1)
    >>> named.name = "x"
    >>> adds_state(named), adds_state({"a": 1})
    (True, False)
    """
    cls = type(value)
    is_own = cls.__module__ != "builtins" and isinstance(value, _PLAIN)
    return is_own and bool(state_of(value))


def state_of(value: Any) -> dict[str, Any]:
    """Return the attributes that an object itself has."""
    fields = dict(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                fields[name] = getattr(value, name)
    return fields


def pickled_state_of(value: Any) -> dict[str, Any]:
    """Return what a class in C, whose fields are hidden, gives to a pickle."""
    for protocol in _PROTOCOLS:
        try:
            reduced = value.__reduce_ex__(protocol)
        except Exception:  # noqa: BLE001, S112 - an object's own code may raise anything
            continue
        if isinstance(reduced, tuple) and len(reduced) >= _PARTS_OF_A_PICKLE:
            return _told_by(reduced, type(value))
    return {}


def _told_by(reduced: tuple[Any, ...], cls: type) -> dict[str, Any]:
    made_by, arguments, *more = reduced
    state, items, pairs = (*more, None, None, None)[:3]
    if type(state) is dict and {*map(type, state)} == {str}:
        # Attributes, whose order says how an object was made.
        state = dict(sorted(state.items()))
    name = getattr(made_by, "__name__", "")
    found = {
        "arguments": [it for it in arguments if it is not cls],
        "state": state,
        "items": list(items or ()),
        "pairs": list(pairs or ()),
    }
    is_told = state is not None or any(map(found.get, ("arguments", "items", "pairs")))
    return {"made by": name, **found} if is_told or name not in _MAKE_ANY_OBJECT else {}
