"""Rules made by a program: `config` and `capture`, and the options they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Unpack, overload

from checkpoints._handlers.handler import Handler
from checkpoints._handlers.memory import DictHandler
from checkpoints._handlers.target import OtherTarget, PathTarget
from checkpoints._rules.options import PathOptions, RuleOptions
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._rules.settings import CAPTURE

__all__ = ["capture", "config"]


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
    Make a rule: where the data of these checkpoints goes from now on.

    It holds for names that are registered later as well. Where several rules cover a
    name, the last one counts. `config(handler, names)` is the same the other way
    round.

    Args:
        names: A pattern, or a list of exact names. A pattern is a name, which covers
            all below it too (`"shop"` covers `shop.total`, not `shopping`), or a glob
            (`*`, `?`, `[...]`; `*` crosses dots).
        target: A path, a handler, a function `f(key, data)`, a list of these (each
            gets the data), or None to switch the names off.
        **options: `where`, the tags that have to match: a mapping of names to values
            (or to lists of values, any of which will do; texts may be globs, or
            compare, as `">3"` and `"3..7"` do), or a function of the pairs; calls
            that do not match are for the rules before. `every=n`, save the first call
            of each name and each n-th after it. `limit=n`, save n times for each
            name. `values`, `transform`, `summary`, `max_bytes` and `max_total_bytes`
            narrow the data, in this order: which of the values are saved, a function
            that makes others of them, statistics in place of them, how large they may
            be. `on_error`: a save that fails is told to the log (`"warn"`, the
            default), raises (`"raise"`), or is passed over (`"ignore"`). And for a
            path, those of `FileHandler`.

    Returns:
        The rule. `rule.remove()` takes it back, and `with config(...):` does so at
        the end of the block.

    Raises:
        ConfigError: If the pattern, the target or an option cannot be.

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


@contextmanager
def capture(
    names: str | Iterable[str] = "*", *, copy: bool = True
) -> Iterator[DictHandler]:
    """
    Keep in memory what is saved inside the block, and see it.

    A save that fails raises, and rules made before do not see these names meanwhile.
    Where a key is saved twice the last one is kept, with a warning.

    Args:
        names: A pattern, or a list of exact names, as for `config`.
        copy: Keep the values as they are now, not as they become.

    Yields:
        A mapping of paths, such as `"fold=1/mypkg/fit"`, to values by name.

    >>> from checkpoints import checkpoint
    >>> with capture("shop") as seen:
    ...     checkpoint("shop.total", 12)
    >>> list(seen)
    ['shop/total']
    """
    handler = DictHandler(force=True, copy=copy)
    rule = Rule(names, handler, on_error="raise")
    rule.layer = CAPTURE
    registry.add(rule)
    with rule:
        yield handler
