"""
The errors of this library, each also the builtin that a caller would already catch.

    CheckpointError (Exception)
    ├── ConfigError (ValueError)             an invalid name, tag, rule or option
    ├── AlreadyStoredError (FileExistsError) the key exists, and must not be replaced
    ├── CorruptFileError (ValueError)        a damaged file, or not a checkpoint
    ├── TooLargeError (MemoryError)          a file that would take too much memory
    ├── UntrustedError (ValueError)          a pickle, loaded without trusted=True
    ├── FormatError (TypeError)              a value or file that no format supports
    ├── UnknownOutcomeError (OSError)        a failed save whose file may exist
    ├── PendingError (TimeoutError)          background saves that did not finish
    ├── UnknownValueError (LookupError)      a value that the file does not have
    ├── ExecutorError (RuntimeError)         workers that could not do their part
    ├── ReplayError (RuntimeError)           a saved call that cannot be called again
    └── MissingDependencyError (ImportError) a library that must be installed first

Every message says what, where, and the way out.
"""

from __future__ import annotations

__all__ = [
    "AlreadyStoredError",
    "CheckpointError",
    "ConfigError",
    "CorruptFileError",
    "ExecutorError",
    "FormatError",
    "MissingDependencyError",
    "PendingError",
    "ReplayError",
    "TooLargeError",
    "UnknownOutcomeError",
    "UnknownValueError",
    "UntrustedError",
]


class CheckpointError(Exception):
    """The base class of every error that this library raises itself."""


class ConfigError(CheckpointError, ValueError):
    """A name, tag, rule or option is invalid."""


class AlreadyStoredError(CheckpointError, FileExistsError):
    """The key is already stored, and its data was left unchanged."""


class CorruptFileError(CheckpointError, ValueError):
    """The file is truncated, changed since it was written, or not a checkpoint file."""

    @classmethod
    def at(cls, path: str, what: str) -> CorruptFileError:
        """Return the error for the file at a path, given what is wrong with it."""
        return cls(
            f"{path} is damaged or not a checkpoint file: {what}. Restore it from a "
            "copy or save again"
        )


# In this order, so that tblib, which Dask uses, can unpickle it by `__new__`.
class TooLargeError(MemoryError, CheckpointError):
    """Loading the values would take more memory than allowed."""

    @classmethod
    def at(cls, path: str, what: str, size: int, limit: int) -> TooLargeError:
        """Return the error for the file at a path, given what exceeds the limit."""
        return cls(
            f"{path}: with {what}, this would take at least {size:,} bytes of "
            f"memory, and the limit is {limit:,}. Load fewer values by name, map "
            "arrays with mmap=True, or raise max_bytes"
        )

    @classmethod
    def beyond(cls, path: str, what: str) -> TooLargeError:
        """Return the error for a load that the system has no memory for."""
        return cls(
            f"{path}: not enough memory for {what}. Load fewer values by name, map "
            "arrays with mmap=True, or load it on a larger machine"
        )


class UntrustedError(CheckpointError, ValueError):
    """A value is a pickle, which can run code when loaded; `trusted=True` allows it."""


class FormatError(CheckpointError, TypeError):
    """A value cannot be written or pickled, or this version cannot read the file."""


class UnknownOutcomeError(CheckpointError, OSError):
    """The save failed so late that the file may exist; check for it or save again."""


class PendingError(CheckpointError, TimeoutError):
    """Background saves did not finish within the time allowed."""


class UnknownValueError(CheckpointError, LookupError):
    """The file has no value of that name, or there is no entry to take it from."""


class ExecutorError(CheckpointError, RuntimeError):
    """The workers of an executor could not do their part; the message says why."""


class ReplayError(CheckpointError, RuntimeError):
    """A saved call cannot be called again, as the message explains."""


class MissingDependencyError(CheckpointError, ImportError):
    """A required library is not installed; the message says how to install it."""
