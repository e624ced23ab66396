"""This library as it is installed, and who else claims its name."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping

from checkpoints._process.libraries import imported
from checkpoints._process.origin import host_name

__all__ = [
    "DISTRIBUTION",
    "__version__",
    "differing_versions",
    "other_project",
    "versions_here",
]

__version__ = "0.1.0"

# What is installed by it is imported as `checkpoints`, a name that was taken.
DISTRIBUTION = "named-checkpoints"


def other_project() -> str:
    """
    Return a warning if another project's package of the same import name is installed.

    Its files replace some of this library's, or were replaced by them; its removal
    takes away what both have. An empty text if there is none.
    """
    metadata = imported("importlib.metadata")
    try:
        other = metadata.distribution("checkpoints")
    except metadata.PackageNotFoundError:
        return ""
    # This library had that name before its first release.
    if any(point.value == "checkpoints.cli:main" for point in other.entry_points):
        return ""
    return (
        "the package 'checkpoints' of another project is installed in the same place: "
        f"pip uninstall --yes checkpoints; pip install --force-reinstall {DISTRIBUTION}"
    )


@functools.cache
def versions_here() -> dict[str, str]:
    """Return the versions in which a process and its workers must agree."""
    return {
        "checkpoints": __version__,
        "Python": ".".join(map(str, sys.version_info[:2])),
    }


def differing_versions(versions: Mapping[str, str]) -> str:
    """
    Return in which versions this worker differs from where its work comes from.

    Args:
        versions: What `versions_here` returned there.

    Returns:
        A sentence; empty if they are the same.
    """
    here = versions_here()
    differing = [name for name in versions if versions[name] != here.get(name)]
    if not differing:
        return ""
    theirs = " and ".join(f"{name} {versions[name]}" for name in differing)
    ours = " and ".join(f"{name} {here.get(name)}" for name in differing)
    return (
        f"process {os.getpid()} on {host_name()} has {ours}, and its work comes from "
        f"{theirs}"
    )
