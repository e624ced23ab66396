"""The search for the commit from which on a call does something else."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

from checkpoints._index.entry import Entry
from checkpoints._replay.elsewhere import Elsewhere, replay_in, repository_of
from checkpoints._replay.worktree import Worktree, commit_of, is_before, worktree
from checkpoints.errors import ReplayError

__all__ = ["Bisection", "bisect_call"]

Word: TypeAlias = Literal["good", "bad", "skip", "first bad", "maybe"]


class Bisection(NamedTuple):
    """
    A step of a bisection.

    Args:
        word: What the revision is: `"good"`, `"bad"` or `"skip"`; `"first bad"` is the
            last step. If that cannot be told, because revisions were skipped, each
            that it may be is a `"maybe"`.
        commit: The short hash and the subject of the revision.
        call: What the replay found there.
    """

    word: Word
    commit: str
    call: dict[str, Any]


def bisect_call(
    entry: Entry, good: str, bad: str, how: Elsewhere
) -> Generator[Bisection, None, None]:
    """
    Find the commit from which on a call does something else.

    The entry may have been saved at either end: a revision is good if the replay ends
    as at the good end.

    Args:
        entry: The call.
        good: A revision before the change.
        bad: A revision after it.
        how: How it is replayed.

    Yields:
        The steps.

    Raises:
        ReplayError: If both ends do the same, or it cannot be told.
    """
    folder = repository_of(entry, how)
    # `HEAD` is another one in a worktree.
    good_commit, bad_commit = commit_of(folder, good), commit_of(folder, bad)
    if good_commit == bad_commit:
        raise ReplayError(f"{good} and {bad} are the same revision")
    if is_before(folder, bad_commit, good_commit):
        raise ReplayError(
            f"the bad end, {bad}, is before the good end, {good}: exchange them"
        )
    with worktree(folder, good_commit) as found:
        search = _Search(found, folder, entry, how)
        yield search.end("good", good_commit)
        yield search.end("bad", bad_commit)
        if search.verdict_of(good_commit) == search.verdict_of(bad_commit):
            does = "differs from what it did"
            if search.verdict_of(good_commit):
                does = "does what it did"
            raise ReplayError(f"the call {does} at both ends, {good} and {bad}")
        yield from search.fork(good_commit, bad_commit)
        yield from search.middle()
        yield from search.result()


class _Search:
    """The revisions of a worktree that are tested, and what is known of them."""

    def __init__(
        self, found: Worktree, folder: str, entry: Entry, how: Elsewhere
    ) -> None:
        self._found, self._folder = found, folder
        self._entry, self._how = entry, how
        self._calls: dict[str, dict[str, Any]] = {}
        self._does_at_good = True
        self._goods: list[str] = []
        self._bad = ""

    def verdict_of(self, commit: str) -> bool | None:
        """Return whether the call does what it did; None if that cannot be told."""
        verdict = self._calls[commit]["verdict"]
        return None if verdict == "unknown" else verdict != "different"

    def end(self, word: Word, commit: str) -> Bisection:
        """Test an end, which must be possible."""
        call = self._test(commit)
        described = self._found.describe(commit)
        does = self.verdict_of(commit)
        if does is None:
            raise ReplayError(f"{described} cannot be tested: {call['why']}")
        if word == "good":
            self._does_at_good, self._goods = does, [commit]
        else:
            self._bad = commit
        return Bisection(word, described, call)

    def fork(self, good: str, bad: str) -> Iterator[Bisection]:
        """Test where the history of the ends has parted, if neither is in the other."""
        bases = self._found.common(good, bad)
        if not bases:
            raise ReplayError(
                f"{self._found.describe(good)} and {self._found.describe(bad)} have no "
                "commit in common here"
            )
        for base in bases:
            if base == good:
                continue
            step = self._step(base)
            yield step
            if step.word == "bad":
                raise ReplayError(
                    f"at {step.commit}, which both ends come from, the call does "
                    "already what it does at the bad end: take a good end before that"
                )

    def middle(self) -> Iterator[Bisection]:
        """Test revisions between the ends, until none is left."""
        skipped = 0
        while True:
            left = [
                commit
                for commit in self._found.between(self._goods, self._bad)
                if commit not in self._calls
            ]
            if not left:
                return
            # After one that is skipped, further away: its neighbours may be alike.
            step = self._step(left[len(left) * skipped // (skipped + 2)])
            skipped = skipped + 1 if step.word == "skip" else 0
            yield step

    def result(self) -> Iterator[Bisection]:
        """Yield the first bad revision, or each that it may be."""
        left = self._found.in_order(self._goods, self._bad)
        for commit in left:
            word: Word = "maybe" if left[1:] else "first bad"
            yield Bisection(word, self._found.describe(commit), self._calls[commit])

    def _step(self, commit: str) -> Bisection:
        self._test(commit)
        does = self.verdict_of(commit)
        word: Word = "skip"
        if does is self._does_at_good:
            word, self._goods = "good", [*self._goods, commit]
        elif does is not None:
            word, self._bad = "bad", commit
        return Bisection(word, self._found.describe(commit), self._calls[commit])

    def _test(self, commit: str) -> dict[str, Any]:
        try:
            self._found.check_out(commit)
            call = replay_in(self._found, self._folder, self._entry, self._how)
        except ReplayError as error:
            call = {"verdict": "unknown", "why": str(error)}
        self._calls[commit] = call
        return call
