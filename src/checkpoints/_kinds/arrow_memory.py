"""The memory that a column of Arrow takes where each of its values is written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checkpoints._kinds.arrow_types import is_fixed
from checkpoints._process.libraries import imported

__all__ = ["COLUMN", "memory_of"]

# In bytes, as measured: what a column of Arrow takes besides its cells.
COLUMN = 2000

# In bytes, as measured: an object of Python with the reference to it, an array of NumPy
# that holds a list, and a dict that holds a record.
_OBJECT, _ARRAY, _DICT = 72, 136, 280
_VIEW, _REFERENCE = 16, 8
# A character of UTF-8 beyond ASCII makes all characters of its text so much wider.
_WIDEST = 4


def memory_of(column: Any, *, objects: bool, exact: bool = True, least: int = 1) -> int:
    """
    Return about how many bytes a column takes where each of its values is written out.

    In Arrow, a value may stand for many rows: in dictionaries, views and runs.

    Args:
        column: A `pyarrow.ChunkedArray`.
        objects: Whether texts become objects of Python.
        exact: Whether to look at each text that does. Otherwise its characters count
            as wide ones, which can be four times as much.
        least: What any other value takes at least.

    Example:
        >>> import pyarrow
        >>> column = pyarrow.chunked_array([["a" * 1000] * 9]).dictionary_encode()
        >>> memory_of(column, objects=False) > 9000 > column.nbytes
        True
    """
    each = _Measure(objects=objects, exact=exact, least=least)
    return sum(map(each.total, column.chunks))


class _Measure:
    """Measures arrays, where each value is an object of Python or part of an array."""

    def __init__(self, *, objects: bool, exact: bool, least: int) -> None:
        self._objects = objects
        self._least = least
        self._exact = exact
        self._types = types = imported("pyarrow").types
        # The sorts of types; the first that fits counts.
        self._sorts: dict[str, tuple[Callable[[Any], bool], ...]] = {
            "categories": (types.is_dictionary,),
            "runs": (types.is_run_end_encoded,),
            "fixed": (is_fixed,),
            "texts": (
                *(types.is_string, types.is_large_string),
                *(types.is_binary, types.is_large_binary),
            ),
            "views": (lambda kind: str(kind) in ("string_view", "binary_view"),),
            "lists": (types.is_list, types.is_large_list, types.is_map),
            "parts": (types.is_fixed_size_list, lambda kind: "list_view" in str(kind)),
            "fields": (types.is_struct, types.is_union),
        }

    def total(self, array: Any) -> int:
        """Return the memory of all elements of an array."""
        array = getattr(array, "storage", array)
        sort = self._sort_of(array.type)
        if sort == "categories":
            found = self._taken(array)
        elif sort == "fixed":
            width = self._width(array.type, has_nulls=bool(array.null_count))
            found = len(array) * width
        elif sort == "texts":
            # The offsets are in it, and objects do without.
            found = self._widest(array) * int(array.nbytes) + self._rows(array)
        elif sort == "views":
            sizes = int(self._lengths(array).sum())
            found = self._widest(array) * sizes + self._rows(array)
        elif sort == "lists":
            found = len(array) * _ARRAY + self.total(array.values)
        elif sort == "fields" and self._types.is_struct(array.type):
            own = len(array) * (_DICT + _OBJECT * array.type.num_fields)
            found = own + sum(map(self.total, self._fields(array)))
        else:
            found = len(array) * self.largest(array)
        return found

    def largest(self, array: Any) -> int:
        """Return the memory of the largest element of an array, or a bit more."""
        array = getattr(array, "storage", array)
        sort = self._sort_of(array.type)
        if not len(array):
            found = 0
        elif sort in ("categories", "runs"):
            inner = array.dictionary if sort == "categories" else array.values
            found = self.largest(inner)
        elif sort == "fixed":
            found = self._width(array.type, has_nulls=True)
        elif sort == "fields":
            fields = [_OBJECT + self.largest(field) for field in self._fields(array)]
            found = _DICT + sum(fields)
        elif sort in ("texts", "views"):
            longest = int(self._lengths(array).max())
            found = longest * self._widest(array) + self._row
        elif sort in ("lists", "parts"):
            longest = int(self._lengths(array).max())
            found = longest * self.largest(array.values) + _ARRAY
        else:
            found = max(self._least, _REFERENCE)
        return found

    def _sort_of(self, kind: Any) -> str | None:
        fits = (
            sort
            for sort, tests in self._sorts.items()
            if any(test(kind) for test in tests)
        )
        return next(fits, None)

    def _fields(self, array: Any) -> list[Any]:
        return [array.field(at) for at in range(array.type.num_fields)]

    def _taken(self, array: Any) -> int:
        """Return the memory of the values that a dictionary array refers to."""
        values = array.dictionary
        if self._sort_of(values.type) not in ("texts", "views"):
            return len(array) * self.largest(values)
        compute = imported("pyarrow.compute")
        lengths = imported("pyarrow").array(self._lengths(values))
        total = compute.sum(lengths.take(array.indices)).as_py() or 0
        return self._widest(values) * int(total) + self._rows(array)

    def _rows(self, array: Any) -> int:
        return len(array) * self._row

    @property
    def _row(self) -> int:
        return max(self._least, _OBJECT if self._objects else _VIEW)

    def _width(self, kind: Any, *, has_nulls: bool) -> int:
        """Return the memory of a number or a time in an array of NumPy."""
        types, least = self._types, self._least
        if types.is_decimal(kind) or types.is_fixed_size_binary(kind):
            return int(kind.bit_width // 8 + 2 * max(least, _OBJECT))
        if types.is_date(kind) or types.is_time(kind):
            return max(least, _OBJECT)
        if types.is_interval(kind):
            return max(least, _DICT)
        return max(int(kind.bit_width // 8), least, _REFERENCE if has_nulls else 1)

    def _widest(self, array: Any) -> int:
        """Return the bytes of a character of the texts."""
        types, kind = self._types, array.type
        is_binary = "binary" in str(kind)
        if not self._objects or is_binary:
            return 1
        is_plain = types.is_string(kind) or types.is_large_string(kind)
        if not (self._exact and is_plain):
            return _WIDEST
        compute = imported("pyarrow.compute")
        is_narrow = compute.all(compute.string_is_ascii(array)).as_py()
        return _WIDEST if is_narrow is False else 1

    def _lengths(self, array: Any) -> Any:
        """Return the lengths of texts, views and lists, as a NumPy array."""
        numpy, kind = imported("numpy"), array.type
        if self._types.is_fixed_size_list(kind):
            return numpy.array([kind.list_size])
        start, end = array.offset, array.offset + len(array)
        is_large = str(kind).startswith("large")
        integer = numpy.dtype("i8" if is_large else "i4")
        if str(kind).startswith(("list_view", "large_list_view")):
            found = numpy.frombuffer(array.buffers()[2], integer)[start:end]
        elif self._sort_of(kind) == "views":
            found = numpy.frombuffer(array.buffers()[1], "i4")[4 * start : 4 * end : 4]
        else:
            offsets = numpy.frombuffer(array.buffers()[1], integer)[start : end + 1]
            found = numpy.diff(offsets)
        return found.astype("i8")
