"""Values of Python's libraries as those that Julia has."""

from __future__ import annotations

from typing import Any

from checkpoints._files.julia_arrays import WAY_OUT, array_of, scalar_of
from checkpoints._files.julia_encoder import MISSING
from checkpoints._files.julia_tables import (
    arrow_vector,
    by_name,
    frame_columns,
    only_counts,
    pandas_vector,
)
from checkpoints._kinds.families import family_of
from checkpoints._kinds.pickled import type_name
from checkpoints._process.libraries import needed
from checkpoints.errors import FormatError

__all__ = ["JuliaValues"]


class JuliaValues:
    """
    Turns values of libraries into those that Julia has.

    Attributes:
        changed: What will be different about values that are loaded, as sentences.
    """

    def __init__(self) -> None:
        self.changed: set[str] = set()

    def __call__(self, value: Any) -> Any:
        """
        Return a value of a library, such as an array, as one that Julia has.

        Raises:
            FormatError: If Julia has no word for it.
        """
        if type(value) is bytearray:
            return bytes(value)
        family = family_of(type(value))
        packages = () if family is None else family.packages
        if "numpy" in packages:
            return _of_numpy(value)
        if "pandas" in packages:
            return self._of_pandas(value)
        if family is not None and family.as_array is not None:
            array, lost = family.as_array(value)
            if not lost:
                return array_of(array)
        if family is not None and family.as_table is not None:
            return self._of_table(value, family.as_table)
        raise _unknown(value)

    def _of_pandas(self, value: Any) -> Any:
        pandas = needed("pandas", "a value of pandas")
        if isinstance(value, pandas.DataFrame):
            self._tell(value, "a dict of its columns")
            return frame_columns(value)
        if isinstance(value, pandas.MultiIndex):
            return list(value)
        if isinstance(value, (pandas.Index, pandas.api.extensions.ExtensionArray)):
            return pandas_vector(pandas.Series(value))
        if not isinstance(value, pandas.Series):
            return _of_scalar(pandas, value)
        if not only_counts(value.index):
            self._tell(value, "a vector, without its index")
        return pandas_vector(value)

    def _of_table(self, value: Any, as_table: Any) -> Any:
        try:
            table = as_table(value, "")
        # Those of Arrow are such.
        except (ArithmeticError, NotImplementedError, TypeError, ValueError) as error:
            raise FormatError(
                f"the columns of this {type_name(value)} are not those of an Arrow "
                f"table ({error}): {WAY_OUT}"
            ) from error
        if table is None:
            raise _unknown(value)
        if not hasattr(value, "columns"):
            return arrow_vector(table.column(0))
        self._tell(value, "a dict of its columns")
        return by_name(table.column_names, table.columns)

    def _tell(self, value: Any, what: str) -> None:
        self.changed.add(f"{type_name(value)} is saved as {what}")


def _of_scalar(pandas: Any, value: Any) -> Any:
    if value is pandas.NA or value is pandas.NaT:
        return MISSING
    if isinstance(value, pandas.Timedelta):
        return value.to_timedelta64()
    if not isinstance(value, pandas.Timestamp):
        raise _unknown(value)
    # With a zone, it is refused like that of Python.
    return value.to_datetime64() if value.tz is None else value.to_pydatetime()


def _of_numpy(value: Any) -> Any:
    numpy = needed("numpy", "an array")
    if type(value) in (numpy.ndarray, numpy.memmap):
        return array_of(value)
    if not isinstance(value, numpy.generic):
        raise _unknown(value)
    return scalar_of(value)


def _unknown(value: Any) -> FormatError:
    return FormatError(f"Julia has no word for a {type_name(value)}: {WAY_OUT}")
