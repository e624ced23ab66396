"""
Logging, but for data.

A checkpoint is a name and some tags; a rule says where that name's data goes; no rule,
nothing happens.
"""

from checkpoints import errors as errors
from checkpoints import formats as formats
from checkpoints import storage as storage
from checkpoints._checkpoint import (
    available,
    capture,
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
from checkpoints._container import __version__ as __version__
from checkpoints._entry import Entry, load
from checkpoints._file_handler import FileHandler
from checkpoints._handlers import DictHandler, Handler
from checkpoints._index import Index, index
from checkpoints._key import Key
from checkpoints._outcomes import Stats
from checkpoints._outside import read_settings
from checkpoints._probes import Probe, probe
from checkpoints._recorded import recorded
from checkpoints._recorder import Recorder
from checkpoints._rules import Rule
from checkpoints._session import Session
from checkpoints._settings import Setting
from checkpoints._shown import printable
from checkpoints._tags import current_tags, tags, with_checkpoint_tags
from checkpoints._verify import Verification, verify
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
