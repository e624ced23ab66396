"""The comparison of two runs."""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import (
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import closing
from typing import Any, ParamSpec, TypeVar

from checkpoints._compare.call_tags import CallTags
from checkpoints._compare.comparison import Comparison
from checkpoints._compare.judge import Options
from checkpoints._compare.noise import Noise
from checkpoints._compare.pair import Pair
from checkpoints._compare.pairing import one_pair, paired
from checkpoints._compare.record import saved_of
from checkpoints._compare.result import Diff
from checkpoints._compare.roles import Roles, inputs_of
from checkpoints._compare.side import Side, SideOptions
from checkpoints._compare.sources import Source, Sources
from checkpoints._compare.tolerances import Tolerances
from checkpoints._compare.unused import unused_of
from checkpoints._index.headers import ReadOnce
from checkpoints._index.index import Index
from checkpoints._index.runs import SharedFolders
from checkpoints._keys.condition import Wanted
from checkpoints._process.executor import Executor, Spread
from checkpoints._text import hint, parse_size, shown
from checkpoints.errors import ConfigError

__all__ = ["diff"]

P = ParamSpec("P")
R = TypeVar("R")

# They tell where and when a run took place, not what it did.
_IGNORED_TAGS = ("run", "host", "pid", "process")
_EXAMPLES = {
    "rename": "rename={'old': 'new'}",
    "keys": "keys={'feed.*': ['date', 'symbol']}",
}


def _with_plain_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function whose errors about its arguments say which it takes."""
    signature = inspect.signature(function)
    options = [
        name for name, it in signature.parameters.items() if it.kind is it.KEYWORD_ONLY
    ]

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if len(args) > 2:  # noqa: PLR2004 - two runs are compared
            raise TypeError(
                f"diff takes two runs, a baseline and a candidate, and {len(args)} "
                "were given; its options have names, as in tolerances='tolerances.toml'"
            )
        for name in kwargs:
            if name not in options:
                raise TypeError(f"diff has no option {name!r}; {hint(name, options)}")
        return function(*args, **kwargs)

    return checked


@_with_plain_errors
def diff(  # noqa: PLR0913 - a parameter for each choice, all but two by name
    baseline: Source | None = None,
    candidate: Source | None = None,
    /,
    *,
    tolerances: Tolerances | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    names: str | Iterable[str] | None = None,
    where: Mapping[str, Wanted] | None = None,
    noise: Source | Iterable[Source] = (),
    ignore_tags: str | Iterable[str] = (),
    rename: Mapping[str, str] | None = None,
    keys: Mapping[str, str | Sequence[str]] | None = None,
    first_only: bool = False,
    exact: bool = False,
    trusted: bool = False,
    memory: int | str = "512MB",
    with_grids: bool = False,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Diff:
    """
    Compare two runs, and find the first divergence.

    Args:
        baseline: The run that is taken as right: a root, of whose runs the last one
            counts, `"ROOT@RUN"`, a `Run`, an index, an entry or a file.
        candidate: The other one. Without it, the last two runs under the root are
            compared, or the run and the last one under its root; without both, the last
            two runs under `.checkpoints`.
        tolerances: The path of a TOML file, or limits for all values, such as
            `{"rtol": 1e-9}`; by default the dtype of a value decides how far it may be
            off, and everything that is no float is exact.
        names: Only entries with these names, as in `Index.where`; if `rename` is
            given, the new ones.
        where: Only entries with these tags, as in `Index.where`; likewise.
        noise: A repeat of the baseline, or several: a difference within five times
            their own is noise.
        ignore_tags: The tags that do not count when entries are paired, besides `run`,
            `host`, `pid`, `process` and the `call` of recorded or probed functions; if
            `rename` is given, by their new names.
        rename: New names for names and tags of the baseline, as they are in the
            candidate. A name stands for all names below it; of several that fit, the
            longest counts.
        keys: For patterns of names, the columns that identify the rows of tables.
        first_only: Whether to stop at the first difference beyond tolerance.
        exact: Whether to compare the bytes of files with equal checksums too.
        trusted: Whether to load pickles, which can run any code.
        memory: What the values of one pair may take, in bytes, or as `"512MB"`.
        with_grids: Whether to keep small pictures of where arrays differ, for a page.
        executor: Whose workers load and compare the values: a pool of
            `concurrent.futures`, or what has a `submit` like theirs, as Dask's
            `client.get_executor()`. They must see the files under the same paths, and
            each may take `memory`.
        progress: Called with two numbers: the steps that are done, and those that are
            known. A step is an entry that was read, or a pair that was compared.

    Returns:
        The differences.

    Raises:
        ConfigError: If an argument is invalid.
        FileNotFoundError: If a root is not there.

    >>> import tempfile
    >>> from checkpoints import FileHandler
    >>> roots = [tempfile.mkdtemp(), tempfile.mkdtemp()]
    >>> for root, number in zip(roots, (1.0, 1.5)):
    ...     FileHandler(root).checkpoint("shop.total", price=number)
    >>> found = diff(*roots)
    >>> found.verdict, found.first.name
    ('different', 'shop.total')
    """
    started = time.monotonic()
    limits = Tolerances.of(tolerances)
    options = Options(
        tolerances=limits,
        keys=_columns(_mapping("keys", keys, str, Sequence)),
        exact=exact,
        trusted=trusted,
        memory=parse_size("memory", memory),
        with_grids=with_grids,
    )
    spread = None if executor is None else Spread(executor)
    further = _tags(ignore_tags)
    ignored = (*_IGNORED_TAGS, *further)
    files = ReadOnce(saved_of)
    sources = Sources(SharedFolders(files.runs), names, where)
    baseline, candidate = sources.two(baseline, candidate)
    named = SideOptions(ignored, _mapping("rename", rename, str))
    # Filters mean the names of the candidate on both sides.
    translated = named.translated if named.renamed else None
    subjects = [sources.subject(baseline, translated), sources.subject(candidate)]
    if not any(len(subject.entries) for subject in subjects):
        sources.check_filter(subjects[1].entries)
    shared: dict[Hashable, Any] = {}
    steps = _Steps(progress)
    steps.expect(sum(len(subject.entries) for subject in subjects))
    calls = CallTags(ignored)
    first = Side(subjects[0], named, calls, files, shared, steps.step)
    second = Side(subjects[1], SideOptions(ignored), calls, files, shared, steps.step)
    # Tags count in a repeat as in the candidate.
    repeats = [
        (shown(it), Side(sources.subject(it, translated), named, calls, files))
        for it in _several(noise)
    ]
    floor = Noise(_repeats((first, second), repeats, options, spread))
    if all(subject.is_entry for subject in subjects):
        pairing = one_pair(first, second)  # whatever they are called
    else:
        pairing = paired(first, second)
    comparison = Comparison((first, second), pairing, options, spread)
    steps.expect(len(comparison))
    pairs = list(_compared(comparison, floor, first_only=first_only, step=steps.step))
    _confirm(comparison, pairs, floor)
    return Diff(
        (first, second),
        pairs,
        floor,
        limits,
        time.monotonic() - started,
        unused=unused_of((first, second), options.keys, named.renamed, further),
        not_compared=len(comparison) - len(pairs),
    )


def _several(given: Any) -> Sequence[Source]:
    """Return the runs that were given as a list, or as one of them."""
    if isinstance(given, Iterable) and not isinstance(given, (str, Index)):
        return list(given)
    return [given]


def _tags(given: Any) -> Sequence[str]:
    tags = [given] if isinstance(given, str) else given
    if not isinstance(tags, Iterable) or not all(isinstance(it, str) for it in tags):
        raise ConfigError(f"ignore_tags={shown(given)}: expected the names of tags")
    return list(tags)


def _mapping(option: str, given: Any, *types: type) -> Mapping[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping) and all(
        isinstance(key, str) and isinstance(value, types)
        for key, value in given.items()
    ):
        return given
    raise ConfigError(
        f"{option}={shown(given)}: expected a dict, as in {_EXAMPLES[option]}"
    )


def _columns(keys: Mapping[str, str | Sequence[str]]) -> dict[str, Sequence[str]]:
    return {
        pattern: [columns] if isinstance(columns, str) else columns
        for pattern, columns in keys.items()
    }


class _Steps:
    """Counts what is done, and tells whoever asked for it."""

    def __init__(self, told: Callable[[int, int], None] | None) -> None:
        self._told = told
        self._done = self._total = 0

    def expect(self, more: int) -> None:
        self._total += more

    def step(self) -> None:
        self._done += 1
        if self._told is not None:
            self._told(self._done, self._total)


def _repeats(
    sides: tuple[Side, Side],
    repeats: Iterable[tuple[str, Side]],
    options: Options,
    spread: Spread | None,
) -> Iterator[Comparison]:
    """Yield the comparison of the baseline with each repeat, by what it was called."""
    first = sides[0]
    known: list[set[tuple[object, ...]]] = []
    for name, side in repeats:
        for other, role in zip(sides, ("baseline", "candidate"), strict=True):
            if side.records and _saves(side) <= _saves(other):
                raise ConfigError(
                    f"noise={name} is the {role} itself, which tells nothing about "
                    "noise; run the program of the baseline once more, and give that"
                )
        if side.records and _saves(side) in known:
            raise ConfigError(
                f"noise={name} is a repeat that is given twice; once is enough"
            )
        known.append(_saves(side))
        pairing = paired(first, side)
        shared = any(it.baseline and it.candidate for it in pairing.partners)
        if first.records and not shared:
            raise ConfigError(
                f"noise={name} has no entry in common with the baseline; give another "
                "run of the same program"
            )
        yield Comparison((first, side), pairing, options, spread)


def _saves(side: Side) -> set[tuple[object, ...]]:
    """Return what tells the saves of a run from those of others, wherever they are."""
    return {
        (it.key, it.process, it.sequence, it.time, it.content) for it in side.records
    }


def _compared(
    comparison: Comparison,
    noise: Noise,
    *,
    first_only: bool,
    step: Callable[[], None],
) -> Iterator[Pair]:
    # Left early, it takes back what waits for workers.
    with closing(iter(comparison)) as pairs:
        for pair in pairs:
            noise.apply(pair)
            yield pair
            step()
            if first_only and pair.verdict == "different":
                return


def _confirm(comparison: Comparison, pairs: Sequence[Pair], noise: Noise) -> None:
    """
    Assign the roles, and compare the bytes of what the first divergence rests on.

    Equal checksums are equal values but once in four billion. The inputs of the first
    divergence and the save before it are compared to the byte.
    """
    inputs = inputs_of(pairs)
    while True:
        Roles(pairs, inputs, is_part=comparison.is_part).assign()
        first = next((pair for pair in pairs if pair.verdict == "different"), None)
        if first is None:
            return
        # What was read once is not looked at again.
        before = pairs[first.number - 2] if first.number > 1 else None
        resting = [
            pair
            for pair in (inputs.get(first.number), before)
            if pair is not None and pair.by == "checksum"
        ]
        if not resting:
            return
        for pair in resting:
            comparison.confirm(pair)
            noise.apply(pair)
