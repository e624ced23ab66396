"""The variables of the environment by which a program is switched on from outside."""

from __future__ import annotations

__all__ = ["CONFIG", "OUTSIDE", "PROBES", "RECORD", "REPORT", "RULES", "TO"]

RULES = "CHECKPOINTS"
CONFIG = "CHECKPOINTS_CONFIG"
# Where rules without a target save to.
TO = "CHECKPOINTS_TO"
PROBES = "CHECKPOINTS_PROBES"
RECORD = "CHECKPOINTS_RECORD"
# A folder for the reports of all processes of a program; `checkpoints run` sets it.
REPORT = "CHECKPOINTS_REPORT"

# Where none of them is set, nothing that has to do with them is loaded.
OUTSIDE = (RULES, CONFIG, PROBES, REPORT)
