"""Targets of probes that are given as text, as in a variable."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from checkpoints._probes.attribute import check_wrapt
from checkpoints._probes.place import place_in_text
from checkpoints._probes.probe import Probe, explain, probe, probes
from checkpoints._process.variables import PROBES
from checkpoints._rules.settings import probed_names

__all__ = ["checked_target", "probes_from_environment"]

logger = logging.getLogger("checkpoints")

_EXCLUDED = "!"


def checked_target(text: str) -> str:
    """
    Return the name of a target that is given as text, checked without importing it.

    Raises:
        ConfigError: If the target is invalid.
        MissingDependencyError: If wrapt is not installed.

    >>> checked_target("mypkg.mod:Model.fit")
    'mypkg.mod.Model.fit'
    """
    check_wrapt()
    return place_in_text(text.removeprefix(_EXCLUDED)).name


def probes_from_environment(more: Iterable[str] = ()) -> list[Probe]:
    """
    Install the probes that `CHECKPOINTS_PROBES` names, and log errors.

    Args:
        more: Further targets.

    >>> probes_from_environment()
    []
    """
    created = []
    listed = [*os.environ.get(PROBES, "").split(";"), *more]
    given = [target for it in listed if (target := it.strip())]
    excluded = [it.removeprefix(_EXCLUDED) for it in given if it.startswith(_EXCLUDED)]
    for target in given:
        if target.startswith(_EXCLUDED):
            continue
        try:
            if checked_target(target) not in probes:
                created.append(probe(target, exclude=excluded))
        except Exception as error:  # noqa: BLE001 - a module's __getattr__ may raise
            logger.warning("%s: %s", PROBES, error)
            explain(probed_names(target), str(error))
    return created
