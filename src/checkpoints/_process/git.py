"""The git revision of a folder, and whether its files were changed since."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import NamedTuple

from checkpoints._process.libraries import imported

__all__ = ["Revision", "revision_of"]

# In seconds. A large repository may take longer, on a cold disk; then it is not known.
_PATIENCE = 1.0


class Revision(NamedTuple):
    """
    A revision.

    Args:
        commit: The hash of the commit.
        is_dirty: Whether tracked files differ from it; None if that is not known.
    """

    commit: str
    is_dirty: bool | None


@lru_cache
def revision_of(folder: str) -> Revision | None:
    """
    Return the revision of a folder; None if it has none, or git is not installed.

    It is looked up once, as of the beginning of a run.
    """
    found = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not found:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Revision(found.strip(), None if changes is None else bool(changes))


def _git(folder: str, *words: str) -> str | None:
    """Return what git prints; None if it fails or takes too long."""
    subprocess = imported("subprocess")
    # It must neither lock the index, where the user may be committing just now, nor run
    # the hooks and monitors that a repository names.
    options = ["--no-optional-locks", "-c", "core.fsmonitor=false", "-C", folder]
    try:
        ended = subprocess.run(
            ["git", *options, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
            env=_environment(),
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    text: str = ended.stdout.decode(errors="replace")
    return text


def _environment() -> dict[str, str]:
    """Return the environment without what a hook of git tells of its repository."""
    return {name: it for name, it in os.environ.items() if not name.startswith("GIT_")}
