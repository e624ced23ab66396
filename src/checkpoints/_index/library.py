"""Arrow columns as a table of another library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from checkpoints._index.table import import_pyarrow
from checkpoints._kinds.polars_table import panics_as_errors
from checkpoints._process.libraries import imported, needed
from checkpoints._text import shown, text_of
from checkpoints.errors import CheckpointError, FormatError

__all__ = ["as_library"]

# Above it, floats cannot represent every integer.
_EXACT = 1 << 53


def as_library(library: str, columns: dict[str, Any]) -> Any:
    """
    Return Arrow columns as a table of pandas, Polars or Arrow.

    Args:
        library: `"pandas"`, `"polars"` or `"arrow"`.
        columns: The columns by name. For pandas they are removed one by one, so that
            each is freed once it is converted.

    Raises:
        MissingDependencyError: If the library is not installed.
        FormatError: If the library has nothing like the type of a column.
    """
    pyarrow = import_pyarrow()
    if library == "arrow":
        return pyarrow.table(columns)
    module = needed(library, f"a table of {library}")
    if library == "polars":
        return _as_polars(module, columns)
    series = {}
    for name in list(columns):
        # Converted separately, each column owns its memory and is writable.
        table = pyarrow.table({name: columns.pop(name)})
        with _naming_column(library, name, table.column(0)):
            frame = table.to_pandas(types_mapper=_exact_type(module, table.column(0)))
        series[name] = frame[name]
        # Return the freed memory, which the pool would keep, to the system.
        pyarrow.default_memory_pool().release_unused()
    return module.DataFrame(series, copy=False)


def _as_polars(polars: Any, columns: Mapping[str, Any]) -> Any:
    pyarrow = import_pyarrow()
    try:
        with panics_as_errors():
            return polars.from_arrow(pyarrow.table(columns), rechunk=False)
    except MemoryError:
        raise
    except Exception:
        # Alone, the column at fault fails too.
        for name, column in columns.items():
            with _naming_column("polars", name, column), panics_as_errors():
                polars.from_arrow(pyarrow.table({name: column}), rechunk=False)
        raise


@contextmanager
def _naming_column(library: str, name: str, column: Any) -> Iterator[None]:
    """Raise a `FormatError` that names the column if a library cannot hold it."""
    try:
        yield
    except (MemoryError, CheckpointError):
        raise
    except Exception as error:
        # Each library raises other errors, and several for each of its reasons.
        message = (
            f"column {shown(name)} of {column.type!s:.200} cannot become one of "
            f"{library}: {text_of(error):.200}. Arrow has it: to_arrow() of an index, "
            "or to='arrow' in concat"
        )
        raise FormatError(message) from error


def _exact_type(pandas: Any, column: Any) -> Any:
    """Return a pandas type for integers that it would round because of nulls."""
    compute = imported("pyarrow.compute")
    if not (column.null_count and import_pyarrow().types.is_integer(column.type)):
        return None
    limits = compute.min_max(column).as_py()
    if max(map(abs, filter(None, limits.values())), default=0) <= _EXACT:
        return None
    prefix = "U" if str(column.type).startswith("u") else ""
    return lambda _: getattr(pandas, f"{prefix}Int64Dtype")()
