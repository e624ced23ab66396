"""
Logging, but for data.

A checkpoint is a name and some tags; a rule says where that name's data goes; no rule,
nothing happens.
"""

import os as _os
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from checkpoints import errors as errors
from checkpoints._checkpoint import (
    available,
    checkpoint,
    config,
    deprecate,
    deprecated,
    enabled,
    flush,
    is_enabled,
    register,
    reset,
    rules,
    stats,
)
from checkpoints._handlers import Handler
from checkpoints._key import Key
from checkpoints._outcomes import Stats
from checkpoints._session import Session
from checkpoints._shown import printable
from checkpoints._tags import current_tags, tags, with_checkpoint_tags
from checkpoints._variables import OUTSIDE as _OUTSIDE
from checkpoints.errors import (
    AlreadyStoredError,
    CheckpointError,
    ConfigError,
    CorruptFileError,
    FormatError,
    MissingDependencyError,
    PendingError,
    TooLargeError,
    UnknownOutcomeError,
    UnknownValueError,
    UntrustedError,
)

if TYPE_CHECKING:
    from checkpoints import formats as formats
    from checkpoints import storage as storage
    from checkpoints._capture import capture
    from checkpoints._container import __version__ as __version__
    from checkpoints._dict_handler import DictHandler
    from checkpoints._entry import Entry, load
    from checkpoints._file_handler import FileHandler
    from checkpoints._index import Index, index
    from checkpoints._outside import read_settings
    from checkpoints._probes import Probe, probe
    from checkpoints._recorded import recorded
    from checkpoints._recorder import Recorder
    from checkpoints._rules import Rule
    from checkpoints._settings import Setting
    from checkpoints._verify import Verification, verify
    from checkpoints.formats import register_format

__all__ = [
    "AlreadyStoredError",
    "CheckpointError",
    "ConfigError",
    "CorruptFileError",
    "DictHandler",
    "Entry",
    "FileHandler",
    "FormatError",
    "Handler",
    "Index",
    "Key",
    "MissingDependencyError",
    "PendingError",
    "Probe",
    "Recorder",
    "Rule",
    "Session",
    "Setting",
    "Stats",
    "TooLargeError",
    "UnknownOutcomeError",
    "UnknownValueError",
    "UntrustedError",
    "Verification",
    "available",
    "capture",
    "checkpoint",
    "config",
    "current_tags",
    "deprecate",
    "deprecated",
    "enabled",
    "flush",
    "index",
    "is_enabled",
    "load",
    "printable",
    "probe",
    "read_settings",
    "recorded",
    "register",
    "register_format",
    "reset",
    "rules",
    "stats",
    "tags",
    "verify",
    "with_checkpoint_tags",
]

# What a program that saves nothing does without: loaded when it is asked for.
_LATER = {
    "DictHandler": "_dict_handler",
    "Entry": "_entry",
    "FileHandler": "_file_handler",
    "Index": "_index",
    "Probe": "_probes",
    "Recorder": "_recorder",
    "Rule": "_rules",
    "Setting": "_settings",
    "Verification": "_verify",
    "__version__": "_container",
    "capture": "_capture",
    "formats": "",
    "index": "_index",
    "load": "_entry",
    "probe": "_probes",
    "read_settings": "_outside",
    "recorded": "_recorded",
    "register_format": "formats",
    "storage": "",
    "verify": "_verify",
}

if not TYPE_CHECKING:  # so that a name that does not exist is found by the checkers

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = _import_module(f"{__name__}.{_LATER[name] or name}")
        found = getattr(module, name) if _LATER[name] else module
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER} - {"TYPE_CHECKING"})


# Rules from outside are in force from the start.
if any(map(_os.environ.get, _OUTSIDE)):
    _import_module("checkpoints._outside")
