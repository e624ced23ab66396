"""The environment variables that this library reads or sets."""

from __future__ import annotations

__all__ = [
    "CONFIG",
    "FIRST_PROCESS",
    "LIKELY_MEANT",
    "NAME",
    "OUTSIDE",
    "PROBES",
    "RECORD",
    "REPORT",
    "RULES",
    "RUN",
    "RUN_PROCESS",
    "SUMMARY",
    "TO",
]

RULES = "CHECKPOINTS"
CONFIG = "CHECKPOINTS_CONFIG"
# The target of rules that have none.
TO = "CHECKPOINTS_TO"
PROBES = "CHECKPOINTS_PROBES"
RECORD = "CHECKPOINTS_RECORD"
# The folder for the reports of a program's processes; set by `checkpoints run`.
REPORT = "CHECKPOINTS_REPORT"
# Inherited by child processes, so that all processes of a program share one run,
# however they were started. May also be set before the program starts.
RUN = "CHECKPOINTS_RUN"
# Host and pid of the process that began the run, and its id; inherited likewise.
RUN_PROCESS = "CHECKPOINTS_RUN_PROCESS"
# A name for the run, which people choose.
NAME = "CHECKPOINTS_NAME"
# The pid of the program's first process, or "child of" its parent's pid; inherited by
# child processes.
FIRST_PROCESS = "CHECKPOINTS_FIRST_PROCESS"

# Whether a program that variables switch on says at its end what was saved: 1 or 0.
SUMMARY = "CHECKPOINTS_SUMMARY"

# What people write for one of them.
LIKELY_MEANT = {
    "CHECKPOINTS_RULES": RULES,
    "CHECKPOINTS_RULE": RULES,
    "CHECKPOINTS_ROOT": TO,
    "CHECKPOINTS_TARGET": TO,
    "CHECKPOINTS_PROBE": PROBES,
}

# If none of them is set, the code that handles them is not loaded.
OUTSIDE = (RULES, CONFIG, PROBES, REPORT)
