"""A revision of a git repository, in a temporary folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property

from checkpoints._replay.relocation import Relocation
from checkpoints.errors import ReplayError

__all__ = ["Worktree", "commit_of", "has_repository", "is_before", "worktree"]

# What git calls the folder of a worktree, which is gone when it is read.
_TEMPORARY = re.compile(r"[^\s'\"]*checkpoints-[^\s'\"/\\]+[/\\]worktree")
# A submodule, as the index lists it.
_SUBMODULE = re.compile(r"160000 ([0-9a-f]+) 0\t(.+)", re.DOTALL)
# Hooks and monitors of the repository would run programs, and `status` would write the
# index, where the user may be committing just now; relative paths would be noted in its
# configuration.
_ALONE = (
    *("-c", "worktree.useRelativePaths=false"),
    *("--no-optional-locks", "-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false", "-c", "submodule.recurse=false"),
)
# What a hook of git tells of its own repository: `git rev-parse --local-env-vars`.
_OF_A_HOOK = {
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS"),
    *("GIT_CONFIG_COUNT", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE"),
    *("GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE"),
    *("GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX"),
    *("GIT_INTERNAL_SUPER_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR"),
}


class Worktree:
    """
    A checkout of a repository in a temporary folder.

    Args:
        repository: The top folder of the repository.
        folder: The temporary folder, which is empty or not there yet.
    """

    def __init__(self, repository: str, folder: str) -> None:
        self.repository = repository
        self.folder = folder
        self.missing: dict[str, str] = {}
        self._submodules: list[Worktree] = []

    @cached_property
    def relocation(self) -> Relocation:
        """What is taken from here in place of the repository."""
        words = ("ls-files", "--others", "--directory", "-z")
        kept = _git(self.repository, *words).split("\0")
        return Relocation(self.repository, self.folder, kept)

    @cached_property
    def has_changes(self) -> bool:
        """Whether tracked files of the repository have local changes."""
        words = ("status", "--porcelain", "--untracked-files=no")
        return bool(_git(self.repository, *words))

    def add(self, commit: str) -> None:
        """Note the folder in the repository, and check out a revision."""
        words = ("worktree", "add", "--quiet", "--no-checkout", "--detach")
        _git(self.repository, *words, self.folder, commit)
        self.check_out(commit)

    def check_out(self, commit: str) -> None:
        """Change to a revision, without anything that was left here."""
        self._remove_submodules()
        _git(self.folder, "clean", "--quiet", "-ffdx")
        _git(self.folder, "reset", "--quiet", "--hard", commit)
        self._add_submodules()

    def remove(self) -> None:
        """Remove the folder, and what the repository notes of it."""
        self._remove_submodules()
        _run_git(self.repository, "worktree", "remove", "-f", "-f", self.folder)
        # git does not remove one whose making was interrupted.
        notes = os.path.join(_common_folder(self.repository), "worktrees")
        for name in os.listdir(notes) if os.path.isdir(notes) else ():
            if _is_note_of(self.folder, os.path.join(notes, name)):
                shutil.rmtree(os.path.join(notes, name), ignore_errors=True)
                with suppress(OSError):  # others are noted there
                    os.rmdir(notes)

    def describe(self, revision: str = "HEAD") -> str:
        """Return the short hash and the subject of a revision."""
        words = ("log", "-1", "--no-show-signature", "--format=%h %s", revision)
        return _git(self.folder, *words).strip()

    def between(self, goods: Sequence[str], bad: str) -> Sequence[str]:
        """
        Return the commits that lead to a bad one, and to none of the good ones.

        Those that divide them best come first.
        """
        listed = _git(self.folder, "rev-list", "--bisect-all", bad, "--not", *goods)
        return [line.split()[0] for line in listed.splitlines()]

    def in_order(self, goods: Sequence[str], bad: str) -> Sequence[str]:
        """Return the same from the first to the last."""
        words = ("rev-list", "--topo-order", "--reverse", bad, "--not", *goods)
        return _git(self.folder, *words).split()

    def common(self, one: str, other: str) -> Sequence[str]:
        """Return the last commits that lead to both of two."""
        return _run_git(self.folder, "merge-base", "--all", one, other).stdout.split()

    def _add_submodules(self) -> None:
        """Check out the submodules from the repositories that the user has of them."""
        self.missing = {}
        for line in _git(self.folder, "ls-files", "--stage", "-z").split("\0"):
            if not (found := _SUBMODULE.fullmatch(line)):
                continue
            commit, path = found.groups()
            source = os.path.join(self.repository, path)
            made = Worktree(os.path.realpath(source), os.path.join(self.folder, path))
            if not os.path.exists(os.path.join(source, ".git")):
                self.missing[path] = f"there is none in {self.repository}"
                continue
            self._submodules.append(made)
            try:
                made.add(commit)
            except ReplayError as error:
                self.missing[path] = str(error)
            for inner, why in made.missing.items():
                self.missing[f"{path}/{inner}"] = why

    def _remove_submodules(self) -> None:
        while self._submodules:
            self._submodules[-1].remove()
            # git wants the folder of a submodule to be there.
            os.makedirs(self._submodules.pop().folder, exist_ok=True)


@contextmanager
def worktree(folder: str, revision: str) -> Iterator[Worktree]:
    """
    Check out a revision of the repository that a folder is in.

    The repository, its index and its local changes are not touched; git notes the
    folder meanwhile.

    Raises:
        ReplayError: If there is no repository, or no such revision.
    """
    top = os.path.realpath(_top_of(folder))
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as temporary:
        made = Worktree(top, os.path.join(os.path.realpath(temporary), "worktree"))
        try:
            made.add(revision)
            yield made
        finally:
            made.remove()


def commit_of(folder: str, revision: str) -> str:
    """
    Return the hash of a revision of the repository that a folder is in.

    Raises:
        ReplayError: If there is no repository, or no such revision.
    """
    top = _top_of(folder)
    words = ("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    try:
        return _git(top, *words).strip()
    except ReplayError as error:
        told = f"the repository {top} has no revision {revision!r}"
        raise ReplayError(f"{told}{_about_depth(top)}") from error


def has_repository(folder: str) -> bool:
    """Tell whether a folder is in a repository."""
    return not _run_git(folder, "rev-parse", "--show-toplevel").returncode


def is_before(folder: str, one: str, other: str) -> bool:
    """Tell whether a commit is an ancestor of another one."""
    words = ("merge-base", "--is-ancestor", one, other)
    return one != other and not _run_git(folder, *words).returncode


def _about_depth(folder: str) -> str:
    """Return a hint if a repository has only the last part of its history."""
    shallow = _run_git(folder, "rev-parse", "--is-shallow-repository").stdout
    return "; it is a shallow clone: git fetch --unshallow" * (shallow == "true\n")


def _top_of(folder: str) -> str:
    return _git(folder, "rev-parse", "--show-toplevel").removesuffix("\n")


def _common_folder(top: str) -> str:
    """Return the folder in which git notes the worktrees of a repository."""
    found = _run_git(top, "rev-parse", "--git-common-dir").stdout.removesuffix("\n")
    return os.path.join(top, found)


def _is_note_of(folder: str, note: str) -> bool:
    try:
        with open(os.path.join(note, "gitdir"), encoding="utf-8") as file:
            return file.read().strip() == os.path.join(folder, ".git")
    except (OSError, ValueError):
        return False


def _git(folder: str, *words: str) -> str:
    """Return what git prints; `ReplayError` if it fails."""
    ended = _run_git(folder, *words)
    if ended.returncode:
        told = " ".join((ended.stderr or ended.stdout).split())
        text = f"git {words[0]} fails in {folder}: {told}"
        raise ReplayError(_TEMPORARY.sub("a temporary worktree", text))
    return ended.stdout


def _run_git(folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {k: text for k, text in os.environ.items() if k not in _OF_A_HOOK}
    try:
        return subprocess.run(  # noqa: S603 - git, with words of our own
            ["git", *_ALONE, "-C", folder, *words],  # noqa: S607 - the one that the user has
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**environment, "LC_ALL": "C"},
        )
    except OSError as error:
        raise ReplayError(f"git cannot be run: {error}") from error
