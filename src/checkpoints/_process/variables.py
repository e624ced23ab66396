"""The variables of the environment that this library reads, and those that it sets."""

from __future__ import annotations

__all__ = [
    "CONFIG",
    "FIRST_PROCESS",
    "OUTSIDE",
    "PROBES",
    "RECORD",
    "REPORT",
    "RULES",
    "RUN",
    "TO",
]

RULES = "CHECKPOINTS"
CONFIG = "CHECKPOINTS_CONFIG"
# Where rules without a target save to.
TO = "CHECKPOINTS_TO"
PROBES = "CHECKPOINTS_PROBES"
RECORD = "CHECKPOINTS_RECORD"
# A folder for the reports of all processes of a program; `checkpoints run` sets it.
REPORT = "CHECKPOINTS_REPORT"
# Children inherit it, so that every process of one program is of one run, however it
# was started; whoever starts the program may set it.
RUN = "CHECKPOINTS_RUN"
# The process that asked first, or "child of" the one whose child it has to be; those
# that it starts inherit it.
FIRST_PROCESS = "CHECKPOINTS_FIRST_PROCESS"

# Where none of them is set, nothing that has to do with them is loaded.
OUTSIDE = (RULES, CONFIG, PROBES, REPORT)
