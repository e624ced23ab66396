"""
The errors of this library, each also the builtin that a caller would catch already.

    CheckpointError (Exception)
    ├── ConfigError (ValueError)             a name, tag, rule or option that cannot be
    ├── AlreadyStoredError (FileExistsError) the key is taken, and must not be replaced
    ├── CorruptFileError (ValueError)        a file cut short, changed, or not ours
    ├── TooLargeError (MemoryError)          a file that would take too much memory
    ├── UntrustedError (ValueError)          a pickle that nobody said to be trusted
    ├── FormatError (TypeError)              a value or a file that no format takes
    ├── UnknownOutcomeError (OSError)        an error so late that all may be saved
    ├── PendingError (TimeoutError)          saves that take longer than was allowed
    ├── UnknownValueError (LookupError)      a value that the file does not hold
    └── MissingDependencyError (ImportError) a library that has to be installed first

Every message says what, where, and the way out.
"""

from __future__ import annotations

__all__ = [
    "AlreadyStoredError",
    "CheckpointError",
    "ConfigError",
    "CorruptFileError",
    "FormatError",
    "MissingDependencyError",
    "PendingError",
    "TooLargeError",
    "UnknownOutcomeError",
    "UnknownValueError",
    "UntrustedError",
]


class CheckpointError(Exception):
    """The root of every error that this library raises on its own account."""


class ConfigError(CheckpointError, ValueError):
    """A name, a tag, a rule or an option that cannot be what it is said to be."""


class AlreadyStoredError(CheckpointError, FileExistsError):
    """Something is stored under this key already, and was left as it is."""


class CorruptFileError(CheckpointError, ValueError):
    """A file that is cut short, changed since it was written, or no checkpoint."""

    @classmethod
    def at(cls, path: str, what: str) -> CorruptFileError:
        """Return the error that tells what is wrong with the file of that path."""
        return cls(
            f"{path} is damaged, or no checkpoint: {what}. Take a copy that is whole, "
            "or save it again; other files are not touched by this"
        )


class TooLargeError(CheckpointError, MemoryError):
    """A file whose values would take more memory than a load may take."""

    @classmethod
    def at(cls, path: str, what: str, size: int, limit: int) -> TooLargeError:
        """Return the error that tells what the file of that path asks for."""
        return cls(
            f"{path}: with {what} the load would take more than {size - 1:,} bytes of "
            f"memory, and the limit is {limit:,}. Load fewer values by name, map "
            "arrays with mmap=True, or allow more with max_bytes"
        )

    @classmethod
    def beyond(cls, path: str, what: str) -> TooLargeError:
        """Return the error that tells that the system has no more memory to give."""
        return cls(
            f"{path}: there is not enough memory for {what}. Load fewer values by "
            "name, map arrays with mmap=True, or load it on a larger machine"
        )


class UntrustedError(CheckpointError, ValueError):
    """A value is a pickle, which can run code when loaded; `trusted=True` allows it."""


class FormatError(CheckpointError, TypeError):
    """What cannot be written, read by this version, or pickled."""


class UnknownOutcomeError(CheckpointError, OSError):
    """An error came after a file got its name, or nobody can tell: look for it."""


class PendingError(CheckpointError, TimeoutError):
    """Saves in the background are not done in the time that was allowed for them."""


class UnknownValueError(CheckpointError, LookupError):
    """The file holds no value of that name, or there is no entry to take it of."""


class MissingDependencyError(CheckpointError, ImportError):
    """A library is needed that is not installed; the message says how to get it."""
