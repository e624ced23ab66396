"""A revision of a git repository, in a temporary folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from checkpoints.errors import ReplayError

__all__ = ["Worktree", "commit_of", "has_changes", "is_before", "worktree"]

# What git calls the folder of a worktree, which is gone when it is read.
_TEMPORARY = re.compile(r"[^\s'\"]*checkpoints-[^\s'\"/\\]+[/\\]worktree")
_COMMIT = re.compile(r"^[0-9a-f]{40,64}$", re.MULTILINE)
_FIRST_BAD = re.compile(
    r"^([0-9a-f]{40,64}) is the first (?:bad|new) commit", re.MULTILINE
)
# The exit code of `git bisect` when only skipped commits are left.
_ONLY_SKIPPED = 2


class Worktree:
    """
    A checkout of a repository in a temporary folder.

    Args:
        repository: The top folder of the repository.
        folder: The temporary folder.
    """

    def __init__(self, repository: str, folder: str) -> None:
        self.repository = repository
        self.folder = folder

    def place_of(self, folder: str) -> str:
        """Return the folder here that is at the place of one in the repository."""
        here = os.path.relpath(os.path.realpath(folder), self.repository)
        return os.path.normpath(os.path.join(self.folder, here))

    def check_out(self, commit: str) -> None:
        """Change to another revision."""
        _git(self.folder, "checkout", "--quiet", "--detach", commit)

    def describe(self, revision: str = "HEAD") -> str:
        """Return the short hash and the subject of a revision."""
        return _git(self.folder, "log", "-1", "--format=%h %s", revision).strip()

    def begin_bisection(self, good: str, bad: str) -> Sequence[str]:
        """Begin between two revisions; return what `mark` returns."""
        return self._bisect("start", bad, good)

    def mark(self, word: str) -> Sequence[str]:
        """
        Mark the revision as `"good"`, `"bad"`, or to `"skip"`, and go to the next.

        Returns:
            The first bad commit, if it is found; several, if all that are left were
            skipped, from the first to the last; else nothing.
        """
        return self._bisect(word)

    def _bisect(self, *words: str) -> Sequence[str]:
        ended = _run_git(self.folder, "bisect", *words)
        left = _COMMIT.findall(ended.stdout)
        if ended.returncode == _ONLY_SKIPPED and left:
            ends = ("refs/bisect/bad", "--not", "--glob=refs/bisect/good-*")
            listed = _git(self.folder, "rev-list", "--topo-order", "--reverse", *ends)
            return [commit for commit in listed.split() if commit in left]
        found = _FIRST_BAD.search(_checked(ended, self.folder, "bisect"))
        return (found[1],) if found else ()


@contextmanager
def worktree(folder: str, revision: str) -> Iterator[Worktree]:
    """
    Check out a revision of the repository that a folder is in.

    The repository, its index and its local changes are not touched; git notes the
    folder meanwhile.

    Raises:
        ReplayError: If there is no repository, or no such revision.
    """
    top = os.path.realpath(_git(folder, "rev-parse", "--show-toplevel").strip())
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as temporary:
        made = os.path.join(os.path.realpath(temporary), "worktree")
        _git(top, "worktree", "add", "--quiet", "--detach", made, revision)
        try:
            yield Worktree(top, made)
        finally:
            _git(top, "worktree", "remove", "--force", made)


def commit_of(folder: str, revision: str) -> str:
    """
    Return the hash of a revision of the repository that a folder is in.

    Raises:
        ReplayError: If there is no repository, or no such revision.
    """
    top = _git(folder, "rev-parse", "--show-toplevel").strip()
    words = ("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    try:
        return _git(top, *words).strip()
    except ReplayError as error:
        told = f"the repository {top} has no revision {revision!r}"
        raise ReplayError(told) from error


def has_changes(folder: str) -> bool:
    """Tell whether tracked files of a repository have local changes."""
    return bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))


def is_before(folder: str, one: str, other: str) -> bool:
    """Tell whether a commit is an ancestor of another one."""
    words = ("merge-base", "--is-ancestor", one, other)
    return one != other and not _run_git(folder, *words).returncode


def _git(folder: str, *words: str) -> str:
    return _checked(_run_git(folder, *words), folder, words[0])


def _checked(ended: subprocess.CompletedProcess[str], folder: str, command: str) -> str:
    """Return what git printed; `ReplayError` if it failed."""
    if ended.returncode:
        told = " ".join((ended.stderr or ended.stdout).split())
        text = f"git {command} fails in {folder}: {told}"
        raise ReplayError(_TEMPORARY.sub("a temporary worktree", text))
    return ended.stdout


def _run_git(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    # Without what a hook of git tells of its own repository.
    environment = {k: text for k, text in os.environ.items() if k[:4] != "GIT_"}
    try:
        return subprocess.run(  # noqa: S603 - git, with words of our own
            ["git", "-C", folder, *words],  # noqa: S607 - the one that the user has
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**environment, "LC_ALL": "C"},
        )
    except OSError as error:
        raise ReplayError(f"git cannot be run: {error}") from error
