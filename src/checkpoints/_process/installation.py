"""This library as it is installed, and who else claims its name."""

from __future__ import annotations

from checkpoints._process.libraries import imported

__all__ = ["DISTRIBUTION", "other_project"]

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
