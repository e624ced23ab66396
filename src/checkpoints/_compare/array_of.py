"""The array of NumPy that holds the numbers of a value."""

from __future__ import annotations

import sys
from typing import Any

from checkpoints._kinds.families import families_of

__all__ = ["array_of"]

_SCALARS = (bool, int, float, complex, str, bytes)


def array_of(value: Any, partner: Any) -> tuple[Any, str] | None:
    """
    Return a value as an array, and the name of the dtype that it stands for.

    Args:
        value: Any value.
        partner: The value that it is compared with. Beside an array, numbers of Python
            and lists of them become arrays.

    Returns:
        The array, and an empty name if the dtype is its own; None if the value is no
        array of any library.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray | numpy.generic):
        is_masked = isinstance(value, numpy.ma.MaskedArray)
        return (value if is_masked else numpy.asarray(value)), ""
    if isinstance(value, _SCALARS) and hasattr(partner, "dtype"):
        return numpy.asarray(value), ""
    if isinstance(value, list | tuple) and isinstance(partner, numpy.ndarray):
        return numpy.asarray(value), ""
    for family in families_of(type(value)):
        if family.as_array is not None and hasattr(value, "dtype"):
            return _of_tensor(family.as_array, value)
    return None


def _of_tensor(as_array: Any, value: Any) -> tuple[Any, str]:
    if hasattr(value, "resolve_conj"):
        value = value.detach().cpu().resolve_conj().resolve_neg()
    array, lost = as_array(value)
    # NumPy has no dtype of these digits: the numbers are exact, their name is not.
    return array, str(value.dtype).removeprefix("torch.") if lost else ""
