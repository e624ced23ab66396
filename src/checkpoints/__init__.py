"""
Logging, but for data.

A checkpoint is a name and some tags; a rule says where that name's data goes; no rule,
nothing happens.
"""

import os as _os
from typing import TYPE_CHECKING

from checkpoints import errors as errors
from checkpoints._handlers.handler import Handler
from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.key import Key
from checkpoints._keys.tags import current_tags, tags, with_checkpoint_tags
from checkpoints._process.libraries import imported as _imported
from checkpoints._process.variables import LIKELY_MEANT as _LIKELY_MEANT
from checkpoints._process.variables import OUTSIDE as _OUTSIDE
from checkpoints._rules.checkpoint import (
    available,
    checkpoint,
    deprecate,
    deprecated,
    enabled,
    flush,
    is_enabled,
    register,
    reset,
    rules,
)
from checkpoints._rules.point import Point, point
from checkpoints._rules.session import Session
from checkpoints.errors import (
    AlreadyStoredError,
    CheckpointError,
    ConfigError,
    CorruptFileError,
    ExecutorError,
    FormatError,
    MissingDependencyError,
    PendingError,
    ReplayError,
    TooLargeError,
    UnknownOutcomeError,
    UnknownValueError,
    UntrustedError,
)

if TYPE_CHECKING:
    from checkpoints import storage as storage
    from checkpoints._compare.diff import diff
    from checkpoints._compare.result import Diff
    from checkpoints._handlers.file import FileHandler
    from checkpoints._handlers.memory import DictHandler
    from checkpoints._handlers.recorder import Recorder
    from checkpoints._handlers.stats import Stats, stats
    from checkpoints._index.entry import Entry, load
    from checkpoints._index.index import Index
    from checkpoints._index.run import Run
    from checkpoints._index.runs import index, runs
    from checkpoints._index.verify import Verification, verify
    from checkpoints._kinds.families import register_format
    from checkpoints._kinds.pickled import Pickled
    from checkpoints._kinds.records import Record
    from checkpoints._probes.probe import Probe, probe
    from checkpoints._probes.probed import probed
    from checkpoints._process.installation import __version__ as __version__
    from checkpoints._replay.replay import Replay, replay
    from checkpoints._rules.carry import Carried, carry
    from checkpoints._rules.config import capture, config
    from checkpoints._rules.rule import Rule

__all__ = [
    "AlreadyStoredError",
    "Carried",
    "CheckpointError",
    "ConfigError",
    "CorruptFileError",
    "DictHandler",
    "Diff",
    "Entry",
    "ExecutorError",
    "FileHandler",
    "FormatError",
    "Handler",
    "Index",
    "Key",
    "MissingDependencyError",
    "PendingError",
    "Pickled",
    "Point",
    "Probe",
    "Record",
    "Recorder",
    "Replay",
    "ReplayError",
    "Rule",
    "Run",
    "Session",
    "Stats",
    "Tags",
    "TooLargeError",
    "UnknownOutcomeError",
    "UnknownValueError",
    "UntrustedError",
    "Verification",
    "available",
    "capture",
    "carry",
    "checkpoint",
    "config",
    "current_tags",
    "deprecate",
    "deprecated",
    "diff",
    "enabled",
    "flush",
    "index",
    "is_enabled",
    "load",
    "point",
    "probe",
    "probed",
    "register",
    "register_format",
    "replay",
    "reset",
    "rules",
    "runs",
    "stats",
    "tags",
    "verify",
    "with_checkpoint_tags",
]

# Names that a program that saves nothing does not need: loaded on first access.
_LATER = {
    "Carried": "_rules.carry",
    "DictHandler": "_handlers.memory",
    "Diff": "_compare.result",
    "Entry": "_index.entry",
    "FileHandler": "_handlers.file",
    "Index": "_index.index",
    "Pickled": "_kinds.pickled",
    "Probe": "_probes.probe",
    "Record": "_kinds.records",
    "Recorder": "_handlers.recorder",
    "Replay": "_replay.replay",
    "Rule": "_rules.rule",
    "Run": "_index.run",
    "Stats": "_handlers.stats",
    "Verification": "_index.verify",
    "__version__": "_process.installation",
    "capture": "_rules.config",
    "carry": "_rules.carry",
    "config": "_rules.config",
    "diff": "_compare.diff",
    "index": "_index.runs",
    "load": "_index.entry",
    "probe": "_probes.probe",
    "probed": "_probes.probed",
    "register_format": "_kinds.families",
    "runs": "_index.runs",
    "stats": "_handlers.stats",
    "replay": "_replay.replay",
    "storage": "",
    "verify": "_index.verify",
}

# Names of Checkpoints.jl that are called otherwise here, and what others look for.
_OTHERWISE = {
    "JLSOHandler": "FileHandler(..., format='jlso')",
    "enabled_checkpoints": "enabled()",
    "deprecated_checkpoints": "deprecated()",
    "index_checkpoint_files": "index(root)",
    "save": "checkpoint(name, ...)",
    "log": "checkpoint(name, ...)",
    "enable": "config(names, target)",
    "compare": "diff(baseline, candidate)",
}

if not TYPE_CHECKING:  # type checkers would accept any name

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            hint = f": use {_OTHERWISE[name]}" if name in _OTHERWISE else ""
            message = f"module {__name__!r} has no attribute {name!r}{hint}"
            raise AttributeError(message)
        try:
            module = _imported(f"{__name__}.{_LATER[name] or name}")
        except ModuleNotFoundError as error:
            # Another project's package may have replaced or removed our files.
            why = _imported(f"{__name__}._process.installation").other_project()
            error.add_note(why or "The installation of checkpoints is incomplete")
            raise
        found = getattr(module, name) if _LATER[name] else module
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER} - {"TYPE_CHECKING"})


# Rules from the environment are in force from the start.
if any(map(_os.environ.get, (*_OUTSIDE, *_LIKELY_MEANT))):
    _imported("checkpoints._environment")
