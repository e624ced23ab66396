"""Rules made by a program: `config` and `capture`, and the options they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, Unpack, overload

from checkpoints._handlers.handler import Handler
from checkpoints._handlers.memory import DictHandler
from checkpoints._handlers.target import OtherTarget, PathTarget, Target
from checkpoints._rules.options import PathOptions, RuleOptions
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._rules.settings import CAPTURE

__all__ = ["capture", "config"]

T = TypeVar("T", bound="Target")


@overload
def config(
    names: str | Iterable[str], target: PathTarget, /, **options: Unpack[PathOptions]
) -> Rule: ...
@overload
def config(
    names: str | Iterable[str], target: OtherTarget, /, **options: Unpack[RuleOptions]
) -> Rule: ...
@overload
def config(
    handler: Handler, names: str | Iterable[str], /, **options: Unpack[RuleOptions]
) -> Rule: ...
def config(names: Any, target: Any, /, **options: Any) -> Rule:
    """
    Create a rule: where the data of these checkpoints goes from now on.

    It also covers names that are registered later. If several rules cover a name, the
    last one wins. `config(handler, names)` does the same.

    Args:
        names: A pattern, or a list of exact names. A pattern is a name, which covers
            all names below it too (`"shop"` covers `shop.total`, not `shopping`), or a
            glob (`*`, `?`, `[...]`; `*` crosses dots).
        target: A path, a handler, a function `f(key, data)`, a list of these (each
            gets the data), or None to switch the names off.
        **options: `where`, a condition on the tags: a mapping of names to values (or
            to lists of values, any of which may match; texts may be globs, or compare,
            such as `">3"` and `"3..7"`), or a function of the pairs; calls that do not
            match go to the earlier rules. `given`, a condition on values by their
            names, such as arguments of a probed function, and on their attributes
            (`"self.alpha"`), and `caller`, the module that calls or a pattern for it,
            do the same. `when="exception"`, save only calls of probed functions that
            raise, `min_seconds=s`, only those that take so long, and `items=n`, the
            first n items that a generator yields. `every=n`, save the first call of
            each name and every n-th after it. `limit=n`, save at most n times per name;
            `run_limit=n`, so many in all processes of a run together.
            `random=True`, save with the arguments of a probed call what its random
            numbers come from, so that it can be replayed. `after=True`, save its
            arguments after the call too, for functions that change them.
            `values`, `transform`, `summary`, `max_bytes` and `max_total_bytes` narrow
            the data, in this order: which values are saved, a function that replaces
            them, statistics instead of them, and how large they may be. `on_error`,
            what to do with a failed save: log it (`"warn"`, the default), raise its
            error (`"raise"`), or only count it (`"ignore"`). And for a path, the
            options of `FileHandler`.

    Returns:
        The rule. `rule.remove()` removes it, and so does the end of the block in
        `with config(...):`.

    Raises:
        ConfigError: If the pattern, the target or an option is invalid.

    >>> from checkpoints import checkpoint
    >>> with config("shop", lambda key, data: print(key.name, data)):
    ...     checkpoint("shop.total", 12)
    shop.total {'data': 12}
    """
    if isinstance(names, Handler):
        names, target = target, names
    rule = Rule(names, target, **options)
    registry.add(rule)
    return rule


@overload
@contextmanager
def capture(
    names: str | Iterable[str] = "*", *, copy: bool = True
) -> Iterator[DictHandler]: ...
@overload
@contextmanager
def capture(names: str | Iterable[str] = "*", *, to: T) -> Iterator[T]: ...
@contextmanager
def capture(
    names: str | Iterable[str] = "*", *, copy: bool = True, to: Any = None
) -> Iterator[Any]:
    """
    Capture in memory what is saved inside the block.

    A failed save raises its error, and earlier rules do not apply to these names
    meanwhile. If a key is saved twice, the last save is kept, with a warning.

    Args:
        names: A pattern, or a list of exact names, as for `config`.
        copy: Copy the values, so that later changes to them have no effect.
        to: A target, as for `config`, that gets the saves in place of the memory.

    Yields:
        A mapping of paths, such as `"fold=1/mypkg/fit"`, to values by name; or the
        target.

    >>> from checkpoints import checkpoint
    >>> with capture("shop") as seen:
    ...     checkpoint("shop.total", 12)
    >>> list(seen)
    ['shop/total']
    """
    target = DictHandler(force=True, copy=copy) if to is None else to
    rule = Rule(names, target, on_error="raise")
    rule.layer, rule.takes_options = CAPTURE, False
    registry.add(rule)
    with rule:
        yield target
