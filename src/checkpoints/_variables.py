"""The variables of the environment by which a program is switched on from outside."""

from __future__ import annotations

__all__ = ["CONFIG", "OUTSIDE", "PROBES", "REPORT", "RULES"]

RULES = "CHECKPOINTS"
CONFIG = "CHECKPOINTS_CONFIG"
PROBES = "CHECKPOINTS_PROBES"
# A folder for the reports of all processes of a program; `checkpoints run` sets it.
REPORT = "CHECKPOINTS_REPORT"

# Where none of them is set, nothing that has to do with them is loaded.
OUTSIDE = (RULES, CONFIG, PROBES, REPORT)
